//! The command lines with which a person does what a plan says.

use marula_core::Engine;

use crate::plans::{Matter, Plan};

/// What to tell the user.
pub fn hint(plan: &Plan) -> String {
    format!("give the user these commands:\n{}", commands(plan))
}

/// Writes the migration's file and applies it, in a shell.
pub fn commands(plan: &Plan) -> String {
    let (name, text) = file(plan);
    let end = format!("END_{}", plan.digest.get(..8).unwrap_or_default());
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    format!(
        "mkdir -p migrations\ncat > {} <<'{end}'\n{text}{newline}{end}\nmarula migrate apply {}",
        quoted(&format!("migrations/{name}")),
        quoted(&plan.alias)
    )
}

/// The plan as a migration's file.
fn file(plan: &Plan) -> (String, String) {
    match (plan.matter, plan.engine) {
        (Matter::Migration, _) => (plan.name.clone(), plan.text.clone()),
        (Matter::Indexes, Engine::Postgres) => (
            format!("{}_indexes.sql", now()),
            format!("-- migrate:up transaction:false\n{}", plan.text),
        ),
        (Matter::Indexes, Engine::Mongodb) => {
            let commands = plan.up.iter().filter_map(|step| {
                let command = marula_mongodb::shell::parse(step).ok()?.to_command();
                Some(bson::Bson::Document(command).into_relaxed_extjson())
            });
            let commands = serde_json::Value::Array(commands.collect());
            let text = serde_json::to_string_pretty(&commands).unwrap_or_default();
            (format!("{}_indexes.json", now()), text)
        }
    }
}

/// This second, as versions of migrations are written.
pub fn now() -> String {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", rest / 3600, rest % 3600 / 60, rest % 60)
}

/// The date so many days after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./".contains(letter);
    match text.chars().all(plain) && !text.starts_with('-') {
        true => text.to_string(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(20_780), (2026, 11, 23));
    }

    #[test]
    fn names_go_into_a_shell_as_they_are() {
        assert_eq!(quoted("shop"), "shop");
        assert_eq!(quoted("it's; rm -rf /"), r"'it'\''s; rm -rf /'");
    }
}
