//! Views, materialized views, and what hangs on relations: rules, triggers, policies.

use super::super::model::{Kind, Object};
use super::{Change, Sql, reset, with};

/// CREATE VIEW or CREATE MATERIALIZED VIEW.
pub(super) fn create(object: &Object) -> Vec<Sql> {
    vec![created(object, "").into()]
}

fn created(object: &Object, replace: &str) -> String {
    let name = &object.id.name;
    let options = match with(object.get("options"), "") {
        options if options.is_empty() => String::new(),
        options => format!(" WITH ({})", options.join(", ")),
    };
    let method = match object.get("access_method") {
        "" => String::new(),
        method => format!(" USING {method}"),
    };
    let definition = object.get("definition");
    match object.id.kind {
        Kind::MaterializedView => {
            let data = if object.get("populated") == "false" { "\nWITH NO DATA" } else { "" };
            format!("CREATE MATERIALIZED VIEW {name}{method}{options} AS\n{definition}{data}")
        }
        _ => format!("CREATE {replace}VIEW {name}{options} AS\n{definition}"),
    }
}

/// How a view comes to be another: replaced where its columns stay as they are.
pub(super) fn alter(from: &Object, to: &Object) -> Change {
    let differ = from.differing(to);
    if differ.contains("definition") || differ.contains("access_method") {
        let grown = to
            .get("_columns")
            .strip_prefix(from.get("_columns"))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('\n'));
        if from.id.kind == Kind::MaterializedView || !grown {
            return Change::Recreate;
        }
        return Change::by(vec![created(to, "OR REPLACE ").into()]);
    }
    let word = from.id.kind.name().to_uppercase();
    let alter = format!("ALTER {word} {}", to.id.name);
    let mut all = reset(&alter, from.get("options"), to.get("options"), "");
    if differ.contains("populated") {
        let data = if to.get("populated") == "false" { " WITH NO DATA" } else { "" };
        all.push(format!("REFRESH MATERIALIZED VIEW {}{data}", to.id.name).into());
    }
    Change::by(all)
}

/// CREATE RULE or CREATE TRIGGER, and whether it fires.
pub(super) fn create_hook(object: &Object) -> Vec<Sql> {
    let mut all = vec![object.get("definition").into()];
    if object.get("enabled") != "O" {
        all.push(enabled(object));
    }
    all
}

fn enabled(object: &Object) -> Sql {
    let how = match object.get("enabled") {
        "D" => "DISABLE",
        "R" => "ENABLE REPLICA",
        "A" => "ENABLE ALWAYS",
        _ => "ENABLE",
    };
    let what = if object.id.kind == Kind::Rule { "RULE" } else { "TRIGGER" };
    format!("ALTER TABLE {} {how} {what} {}", object.get("table"), object.get("name")).into()
}

/// How a rule or trigger comes to be another.
pub(super) fn alter_hook(from: &Object, to: &Object, major: u16) -> Change {
    let differ = from.differing(to);
    let mut all: Vec<Sql> = Vec::new();
    if differ.contains("definition") {
        let definition = to.get("definition");
        let plain = |object: &Object| !object.get("definition").contains("CONSTRAINT TRIGGER");
        let known = from.id.kind == Kind::Rule || major >= 14;
        if !known || !plain(from) || !plain(to) {
            return Change::Recreate;
        }
        all.push(definition.replacen("CREATE ", "CREATE OR REPLACE ", 1).into());
    }
    if differ.contains("enabled") {
        all.push(enabled(to));
    }
    Change::by(all)
}

/// CREATE POLICY.
pub(super) fn create_policy(object: &Object) -> Vec<Sql> {
    let kind = if object.get("permissive") == "true" { "" } else { " AS RESTRICTIVE" };
    vec![
        format!(
            "CREATE POLICY {} ON {}{kind} FOR {} TO {}{}",
            object.get("name"),
            object.get("table"),
            object.get("command"),
            object.get("roles"),
            conditions(object)
        )
        .into(),
    ]
}

fn conditions(object: &Object) -> String {
    let mut text = String::new();
    if object.has("using") {
        text.push_str(&format!(" USING ({})", object.get("using")));
    }
    if object.has("check") {
        text.push_str(&format!(" WITH CHECK ({})", object.get("check")));
    }
    text
}

/// How a policy comes to be another.
pub(super) fn alter_policy(from: &Object, to: &Object) -> Change {
    let differ = from.differing(to);
    let taken = |fact: &str| from.has(fact) && !to.has(fact);
    if ["permissive", "command"].iter().any(|fact| differ.contains(fact))
        || taken("using")
        || taken("check")
    {
        return Change::Recreate;
    }
    if differ.iter().all(|fact| *fact == "comment") {
        return Change::by(Vec::new());
    }
    Change::by(vec![
        format!(
            "ALTER POLICY {} ON {} TO {}{}",
            to.get("name"),
            to.get("table"),
            to.get("roles"),
            conditions(to)
        )
        .into(),
    ])
}
