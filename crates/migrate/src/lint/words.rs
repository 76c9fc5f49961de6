use marula_core::{Blocks, Engine, MigrationWork};

use crate::rule::{Draft, Size};

/// Who waits, in a word.
pub(super) fn blocks(blocks: Blocks) -> &'static str {
    match blocks {
        Blocks::Nothing => "nobody",
        Blocks::Writes => "writes",
        Blocks::All => "reads and writes",
    }
}

/// The work, in a word.
pub(super) fn work(work: MigrationWork) -> &'static str {
    match work {
        MigrationWork::None => "none",
        MigrationWork::Scan => "scan",
        MigrationWork::Build => "index build",
        MigrationWork::Rewrite => "rewrite",
    }
}

/// Why it hurts, for how long in terms of the size, and the safe form.
pub(super) fn explanation(engine: Engine, draft: &Draft, size: Option<Size>) -> String {
    let object = draft.object.as_deref().unwrap_or("it");
    let all = match engine {
        Engine::Postgres => "row",
        Engine::Mongodb => "document",
    };
    let mut parts: Vec<String> = Vec::new();
    let stopped = match draft.blocks {
        Blocks::Nothing => None,
        Blocks::Writes => Some(format!("nobody can write to {object}")),
        Blocks::All => Some(format!("nobody can read or write {object}")),
    };
    let lasts = match draft.work {
        MigrationWork::None => None,
        MigrationWork::Scan => Some(format!("as long as it takes to read every {all}")),
        MigrationWork::Build => Some(format!("as long as it takes to read and sort every {all}")),
        MigrationWork::Rewrite => {
            Some(format!("as long as it takes to write every {all} and every index anew"))
        }
    };
    match (stopped, lasts, size) {
        (Some(stopped), Some(lasts), size) => {
            parts.push(format!("{}, {lasts}.", capital(&stopped)));
            parts.extend(size.map(|size| {
                let mb = (size.bytes as f64 / 1_048_576.0).max(0.1);
                let rows = size.rows.max(0.0);
                if size.tiny() {
                    format!(
                        "The target holds {rows:.0} {all}s ({mb:.1} MB) there: done in a moment."
                    )
                } else {
                    format!("The target holds {rows:.0} {all}s ({mb:.1} MB) there.")
                }
            }));
        }
        (Some(stopped), None, _) if draft.brief => parts.push(format!(
            "{} while it waits for its turn and for a moment after; without a lock_timeout that \
             wait is as long as the longest open transaction.",
            capital(&stopped)
        )),
        _ => {}
    }
    if !draft.explanation.is_empty() {
        parts.push(draft.explanation.clone());
    }
    parts.join(" ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
