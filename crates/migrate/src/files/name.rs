use std::path::Path;

/// A migration's file name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName {
    /// Flyway's `V`, `R`, `U` or `B`.
    pub prefix: Option<char>,
    /// The digits (and dots, for Flyway) at the beginning.
    pub version: Option<String>,
    /// What stands behind, without suffixes.
    pub name: String,
    /// `up` or `down`, of a pair of files.
    pub direction: Option<&'static str>,
    /// `sql`, `json`, `yaml`, `js`.
    pub extension: String,
}

impl FileName {
    /// Takes the last part of `path` apart.
    pub(crate) fn of(path: &Path) -> FileName {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let file = file.unwrap_or_default();
        if let Some(name) = of_folder(path, &file) {
            return name;
        }
        let (stem, extension) = match file.rsplit_once('.') {
            Some((stem, extension)) => (stem.to_string(), extension.to_ascii_lowercase()),
            None => (file.clone(), String::new()),
        };
        let (stem, direction) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
            (Some(stem), _) => (stem.to_string(), Some("up")),
            (_, Some(stem)) => (stem.to_string(), Some("down")),
            _ => (stem, None),
        };
        if let Some((prefix, version, name)) = flyway(&stem) {
            return FileName { prefix: Some(prefix), version, name, direction, extension };
        }
        let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
        let (version, rest) = stem.split_at(digits);
        let name = rest.trim_start_matches(['_', '-']).replace(['_', '-'], " ");
        FileName {
            prefix: None,
            version: (!version.is_empty()).then(|| version.to_string()),
            name: if name.is_empty() { stem.clone() } else { name },
            direction,
            extension,
        }
    }

    /// What versions are ordered by: each number by itself.
    pub(crate) fn order(version: &str) -> Vec<(usize, String)> {
        version
            .split(['.', '_'])
            .map(|part| part.trim_start_matches('0'))
            .map(|part| (part.len(), part.to_string()))
            .collect()
    }
}

/// A file that is called by its folder: `20200101_add_x/migration.sql`,
/// `2020-01-01-000000_add_x/up.sql`.
fn of_folder(path: &Path, file: &str) -> Option<FileName> {
    let direction = match file {
        "migration.sql" => None,
        "up.sql" => Some("up"),
        "down.sql" => Some("down"),
        _ => return None,
    };
    let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
    let (version, name) = folder.split_once('_').unwrap_or((&folder, ""));
    let version: String = version.chars().filter(|c| *c != '-').collect();
    let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| FileName {
        prefix: None,
        version: Some(version),
        name: name.replace(['_', '-'], " "),
        direction,
        extension: "sql".into(),
    })
}

/// `V1_2__add_x` → (`V`, `1_2`, `add x`); `R__views` → (`R`, none, `views`).
fn flyway(stem: &str) -> Option<(char, Option<String>, String)> {
    let prefix = stem.chars().next().filter(|c| matches!(c, 'V' | 'U' | 'B' | 'R'))?;
    let (version, name) = stem.get(1..)?.split_once("__")?;
    let digits = !version.is_empty()
        && version.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
    match prefix {
        'R' if version.is_empty() => Some((prefix, None, name.replace('_', " "))),
        'R' => None,
        _ if digits => Some((prefix, Some(version.to_string()), name.replace('_', " "))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let of = |name: &str| {
            let name = FileName::of(Path::new(name));
            (name.prefix, name.version.unwrap_or_default(), name.name, name.direction)
        };
        let s = |text: &str| text.to_string();
        assert_eq!(of("20260101_add_x.sql"), (None, s("20260101"), s("add x"), None));
        assert_eq!(of("a/000001_init.up.sql"), (None, s("000001"), s("init"), Some("up")));
        assert_eq!(of("V1.2__add_x.sql"), (Some('V'), s("1.2"), s("add x"), None));
        assert_eq!(of("R__views.sql"), (Some('R'), s(""), s("views"), None));
        assert_eq!(of("Vendors__x.sql"), (None, s(""), s("Vendors  x"), None));
        assert!(FileName::order("10") > FileName::order("9"));
        assert!(FileName::order("1.10") > FileName::order("1.9"));
        assert!(FileName::order("0002") > FileName::order("1"));
    }
}
