//! `marula skill`: what agents read to know when and how to use this program. The text is kept in
//! `skills/databases/SKILL.md`; its references are made here, from the rules and the command line.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use marula_core::{Engine, Error, ErrorKind, Result};

use crate::app::Outcome;
use crate::args::{Agent, Cli, Skill, SkillWhere};

/// The skill's name, and that of its folder.
const NAME: &str = "databases";
const TEXT: &str = include_str!("../../../../skills/databases/SKILL.md");

/// Installs or checks it.
pub fn run(args: Skill) -> Result<Outcome> {
    match args {
        Skill::Install(place) => install(&place),
        Skill::Check(place) => check(&place),
    }
}

fn install(place: &SkillWhere) -> Result<Outcome> {
    let mut said = String::new();
    for folder in folders(place)? {
        let folder = folder.join(NAME);
        for (name, text) in files() {
            let path = folder.join(&name);
            let parent = path.parent().unwrap_or(&folder);
            std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, text)).map_err(
                |error| {
                    Error::new(ErrorKind::Io, format!("cannot be written: {error}"))
                        .at(path.display().to_string())
                        .hint("name a folder you can write to with --dir")
                },
            )?;
        }
        said.push_str(&format!("{}\n", folder.display()));
    }
    Ok(Outcome::Text(said))
}

fn check(place: &SkillWhere) -> Result<Outcome> {
    let asked = place.dir.is_some() || !place.agent.is_empty();
    let mut said = String::new();
    let mut stale = Vec::new();
    let mut found = false;
    for folder in folders(place)? {
        let folder = folder.join(NAME);
        if !asked && !folder.join("SKILL.md").exists() {
            continue;
        }
        found = true;
        for (name, text) in files() {
            let path = folder.join(&name);
            match std::fs::read_to_string(&path) {
                Ok(there) if there == text => {}
                Ok(_) => stale.push(format!("{} is of another version", path.display())),
                Err(_) => stale.push(format!("{} is missing", path.display())),
            }
        }
        said.push_str(&format!("{} is this program's\n", folder.display()));
    }
    if !found {
        return Err(Error::new(ErrorKind::NotFound, "no agent has the skill")
            .hint("install it: marula skill install"));
    }
    match stale.as_slice() {
        [] => Ok(Outcome::Text(said)),
        stale => Err(Error::new(ErrorKind::Usage, stale.join("; "))
            .hint("write it anew: marula skill install")),
    }
}

/// The folders of skills that are meant.
fn folders(place: &SkillWhere) -> Result<Vec<PathBuf>> {
    if let Some(dir) = &place.dir {
        return Ok(vec![dir.clone()]);
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let Some(home) = home else {
        return Err(Error::new(ErrorKind::Usage, "HOME is not set")
            .hint("name the folder of skills with --dir"));
    };
    if !place.agent.is_empty() {
        return Ok(place.agent.iter().map(|agent| home.join(folder(*agent))).collect());
    }
    let all =
        [Agent::Agents, Agent::Claude, Agent::Codex, Agent::Copilot, Agent::Cursor, Agent::Gemini];
    let there = all.iter().map(|agent| home.join(folder(*agent)));
    let there: Vec<PathBuf> =
        there.filter(|skills| skills.parent().is_some_and(Path::is_dir)).collect();
    Ok(if there.is_empty() { vec![home.join(folder(Agent::Agents))] } else { there })
}

fn folder(agent: Agent) -> &'static str {
    match agent {
        Agent::Agents => ".agents/skills",
        Agent::Claude => ".claude/skills",
        Agent::Codex => ".codex/skills",
        Agent::Copilot => ".copilot/skills",
        Agent::Cursor => ".cursor/skills",
        Agent::Gemini => ".gemini/skills",
    }
}

/// Every file of the skill, by its path below the skill's folder.
fn files() -> Vec<(String, String)> {
    let mut all = vec![("SKILL.md".to_string(), TEXT.to_string())];
    all.push(("references/commands.md".into(), commands()));
    let migrations: Vec<&str> = marula_migrate::rules().iter().map(|rule| rule.id).collect();
    for (name, title, engine, of_migrations) in [
        ("rules-postgresql", "Rules on PostgreSQL queries", Engine::Postgres, false),
        ("rules-mongodb", "Rules on MongoDB queries", Engine::Mongodb, false),
        ("rules-postgresql-migrations", "Rules on PostgreSQL migrations", Engine::Postgres, true),
        ("rules-mongodb-migrations", "Rules on MongoDB migrations", Engine::Mongodb, true),
    ] {
        let own = crate::rules::all()
            .into_iter()
            .filter(|rule| rule.engine == engine && migrations.contains(&rule.id) == of_migrations);
        let pages: Vec<String> = own.map(marula_mcp::rule_page).map(|page| below(&page)).collect();
        all.push((format!("references/{name}.md"), format!("# {title}\n\n{}", pages.join("\n"))));
    }
    all
}

/// A page's headings one deeper; what stands between fences is left alone.
fn below(page: &str) -> String {
    let mut fenced = false;
    let mut out = String::new();
    for line in page.lines() {
        fenced ^= line.starts_with("```");
        if !fenced && line.starts_with('#') {
            out.push('#');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// The whole command line.
fn commands() -> String {
    let mut out = String::from("# Commands of marula\n");
    let mut command = Cli::command().term_width(100);
    command.build();
    page(&mut command, &mut out);
    out
}

fn page(command: &mut clap::Command, out: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_string();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    out.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim()));
    for sub in command.get_subcommands_mut() {
        if !sub.is_hide_set() && sub.get_name() != "help" {
            page(sub, out);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    /// The lines of the skill that call this program, as a shell would cut them.
    fn calls() -> Vec<Vec<String>> {
        let lines = TEXT.lines().map(str::trim).filter(|line| line.starts_with("marula "));
        lines
            .map(|line| {
                let mut words = vec![String::new()];
                let mut quoted = false;
                for letter in line.chars() {
                    match letter {
                        '\'' => quoted = !quoted,
                        ' ' if !quoted => words.push(String::new()),
                        other => words.last_mut().unwrap().push(other),
                    }
                }
                words
            })
            .collect()
    }

    #[test]
    fn every_command_in_the_skill_is_one() {
        let calls = calls();
        assert!(calls.len() >= 10, "{calls:?}");
        for call in calls {
            if let Err(error) = Cli::try_parse_from(&call) {
                unreachable!("{call:?}: {error}");
            }
        }
    }

    #[test]
    fn the_skill_is_short_and_says_when_it_is_for() {
        assert!(TEXT.lines().count() < 300);
        let head: Vec<&str> = TEXT.split("---\n").nth(1).unwrap().lines().collect();
        assert_eq!(head[0], "name: databases");
        let about = head[1].strip_prefix("description: ").unwrap();
        assert!(about.len() < 1024, "the format takes 1024 letters: {}", about.len());
        for trigger in ["PostgreSQL", "MongoDB", "slow", "index", "migration", "schema"] {
            assert!(about.contains(trigger), "{trigger}");
        }
        for tool in marula_mcp::tool_names() {
            assert!(TEXT.contains(tool), "{tool}");
        }
        for (name, _) in files() {
            assert!(TEXT.contains(&name) || name == "SKILL.md", "{name}");
        }
    }

    #[test]
    fn what_is_installed_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let place = SkillWhere { agent: Vec::new(), dir: Some(folder.path().to_path_buf()) };
        assert!(check(&place).is_err());
        install(&place).unwrap();
        check(&place).unwrap();
        let commands = folder.path().join("databases/references/commands.md");
        let text = std::fs::read_to_string(&commands).unwrap();
        assert!(text.contains("## marula migrate lint") && text.contains("## marula mcp"));
        assert!(!text.contains("supervise"));
        std::fs::write(&commands, text + "more").unwrap();
        let error = check(&place).err().unwrap();
        assert!(error.message().contains("commands.md"), "{error}");
    }
}
