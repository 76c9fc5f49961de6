use std::path::Path;

use super::FileName;
use crate::migration::Tool;

/// Whose conventions a file follows, from its name, what it holds, and the project around it.
pub fn tool_of(path: &Path, text: &str) -> Tool {
    let name = FileName::of(path);
    if let Some(folder) = path.parent().and_then(Path::file_name) {
        let numbered = folder.to_string_lossy().starts_with(|c: char| c.is_ascii_digit());
        match path.file_name().and_then(|file| file.to_str()) {
            Some("up.sql" | "down.sql") if numbered => return Tool::Diesel,
            Some("migration.sql") if numbered => return Tool::Prisma,
            _ => {}
        }
    }
    let has = |word: &str| text.lines().any(|line| squeezed(line).starts_with(word));
    if name.prefix.is_some() {
        return Tool::Flyway;
    }
    match name.extension.as_str() {
        "js" | "mjs" | "cjs" | "ts" => return Tool::MigrateMongo,
        "json" | "yaml" | "yml" => {
            return if name.direction.is_some() { Tool::GolangMigrate } else { Tool::Marula };
        }
        _ => {}
    }
    if has("-- +goose ") {
        return Tool::Goose;
    }
    if has("-- migrate:") {
        let ours = text.lines().any(|line| {
            let line = squeezed(line);
            line.starts_with("-- migrate:")
                && (line.contains("lock_timeout:")
                    || line.contains("batch:")
                    || line.contains("pace:")
                    || line.contains("hold:"))
        });
        return if !ours && near(path, &["schema.sql", ".dbmate"]) {
            Tool::Dbmate
        } else {
            Tool::Marula
        };
    }
    let numbered = name.version.is_some();
    match (name.direction, numbered) {
        (Some(_), true) => {
            let sequence = name.version.as_deref().is_some_and(|version| version.len() < 9);
            let go = near(path, &["go.mod"]);
            let rust = near(path, &["Cargo.toml", ".sqlx"]);
            let sqlx = has("-- no-transaction") || (rust && !go) || !(sequence || go);
            if sqlx { Tool::Sqlx } else { Tool::GolangMigrate }
        }
        (None, true) if has("-- no-transaction") || near(path, &[".sqlx"]) => Tool::Sqlx,
        (None, true) => Tool::Marula,
        _ => Tool::Plain,
    }
}

fn squeezed(line: &str) -> String {
    match line.trim_start().strip_prefix("--") {
        Some(rest) => format!("-- {}", rest.trim_start()),
        None => String::new(),
    }
}

/// Whether one of these stands beside the migrations, or up to three folders above.
fn near(path: &Path, names: &[&str]) -> bool {
    let Some(folder) = path.parent() else { return false };
    folder.ancestors().take(4).any(|folder| names.iter().any(|name| folder.join(name).exists()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_told_from_its_files() {
        // No project stands around it: who runs the tests stands beside a Cargo.toml.
        let of = |name: &str, text: &str| tool_of(&Path::new("/nowhere").join(name), text);
        assert_eq!(of("V1__x.sql", ""), Tool::Flyway);
        assert_eq!(of("1_x.sql", "-- +goose Up\nSELECT 1"), Tool::Goose);
        assert_eq!(of("2026_x.sql", "-- migrate:up\n"), Tool::Marula);
        assert_eq!(of("000001_x.up.sql", ""), Tool::GolangMigrate);
        assert_eq!(of("20260101000000_x.up.sql", ""), Tool::Sqlx);
        assert_eq!(of("000001_x.up.json", ""), Tool::GolangMigrate);
        assert_eq!(of("2026-x.js", ""), Tool::MigrateMongo);
        assert_eq!(of("change.sql", ""), Tool::Plain);
        assert_eq!(of("2020-01-01-000000_x/up.sql", ""), Tool::Diesel);
        assert_eq!(of("20200101000000_x/migration.sql", ""), Tool::Prisma);
    }
}
