use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use marula_core::{Engine, Error, ErrorKind, Result};

use super::{FileName, parse, text_of, tool_of};
use crate::migration::{Migration, MigrationKind, Tool};

/// The migrations of a file or a folder.
#[derive(Debug)]
pub struct Folder {
    /// Whose conventions they follow.
    pub tool: Tool,
    /// The engine they are for.
    pub engine: Engine,
    /// In the order in which they run.
    pub migrations: Vec<Migration>,
    /// What the reader should know: files passed over.
    pub notes: Vec<String>,
}

/// What can be a migration.
const EXTENSIONS: [&str; 8] = ["sql", "json", "yaml", "yml", "js", "mjs", "cjs", "ts"];

/// Reads a migration, or a folder of them; whose they are is told from the files, and the engine
/// from their endings unless it is given.
///
/// # Errors
/// `Usage` when nothing is there, `Syntax` with the place for a file that does not parse.
pub fn read(path: &Path, engine: Option<Engine>) -> Result<Folder> {
    let about = std::fs::metadata(path).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("cannot be read: {error}"))
            .at(path.display().to_string())
            .hint("name a migration, or a folder of migrations")
    })?;
    if !about.is_dir() {
        let text = text_of(path)?;
        let tool = tool_of(path, &text);
        let engine = engine.unwrap_or_else(|| engine_of(path));
        let migration = parse(path, &text, tool, engine)?;
        return Ok(Folder { tool, engine, migrations: vec![migration], notes: Vec::new() });
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.is_dir() {
            // Diesel and Prisma give each migration a folder.
            let own = ["up.sql", "down.sql", "migration.sql"].map(|name| file.join(name));
            let own = own.into_iter().filter(|file| file.is_file());
            files.extend(own.filter(|file| FileName::of(file).version.is_some()));
            continue;
        }
        let known = EXTENSIONS.contains(&FileName::of(&file).extension.as_str());
        if file.is_file() && known {
            files.push(file);
        }
    }
    files.sort();
    several(path, files, engine)
}

fn engine_of(path: &Path) -> Engine {
    match FileName::of(path).extension.as_str() {
        "json" | "yaml" | "yml" | "js" | "mjs" | "cjs" | "ts" => Engine::Mongodb,
        _ => Engine::Postgres,
    }
}

fn several(path: &Path, files: Vec<PathBuf>, engine: Option<Engine>) -> Result<Folder> {
    let mut notes = Vec::new();
    let mut texts = Vec::new();
    for file in files {
        let own = engine_of(&file);
        if engine.is_some_and(|engine| engine != own) {
            notes.push(format!("{} was passed over: it is for {}", shown(&file), own.title()));
            continue;
        }
        let text = text_of(&file)?;
        texts.push((file, text, own));
    }
    let mut votes: BTreeMap<Tool, usize> = BTreeMap::new();
    for (file, text, _) in &texts {
        *votes.entry(tool_of(file, text)).or_default() += 1;
    }
    let Some((&tool, _)) =
        votes.iter().max_by_key(|(tool, count)| (**tool != Tool::Plain, **count))
    else {
        return Err(Error::new(ErrorKind::Usage, "there is no migration in this folder")
            .at(path.display().to_string())
            .hint("migrations end in .sql, .json, .yaml or .js"));
    };
    let engine =
        engine.or_else(|| texts.first().map(|(_, _, own)| *own)).unwrap_or(Engine::Postgres);
    let mut downs: HashMap<String, Migration> = HashMap::new();
    let mut migrations = Vec::new();
    for (file, text, own) in &texts {
        let found = tool_of(file, text);
        // A mixed folder is read with the convention most files follow; scripts are left out.
        if own != &engine || (found == Tool::Plain && tool != Tool::Plain) {
            notes.push(format!("{} was passed over: {}", shown(file), "it is no migration"));
            continue;
        }
        let name = FileName::of(file);
        let migration = parse(file, text, found, engine)?;
        let key = name.version.clone().unwrap_or_default();
        match (name.direction, name.prefix) {
            (Some("down"), _) | (_, Some('U')) => {
                downs.insert(key, migration);
            }
            _ => migrations.push(migration),
        }
    }
    for migration in &mut migrations {
        if let Some(down) = migration.version.as_ref().and_then(|version| downs.remove(version)) {
            migration.down = Some(down.up);
            migration.down_options = down.options;
            migration.down_path = Some(down.path);
        }
    }
    for down in downs.into_values() {
        notes.push(format!("{} takes back a migration that is not there", shown(&down.path)));
    }
    migrations.sort_by_key(|migration| {
        let order = migration.version.as_deref().map(FileName::order).unwrap_or_default();
        (migration.kind == MigrationKind::Repeatable, order, migration.path.clone())
    });
    for pair in migrations.windows(2) {
        let versions = (&pair[0].version, &pair[1].version);
        if let (Some(a), Some(b)) = versions
            && FileName::order(a) == FileName::order(b)
        {
            let what = format!("version {b} is there twice: {}", shown(&pair[0].path));
            return Err(Error::new(ErrorKind::Usage, what)
                .at(pair[1].path.display().to_string())
                .hint("give one of them another version"));
        }
    }
    Ok(Folder { tool, engine, migrations, notes })
}

fn shown(path: &Path) -> String {
    if matches!(tool_of(path, ""), Tool::Diesel | Tool::Prisma) {
        return path.display().to_string();
    }
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
