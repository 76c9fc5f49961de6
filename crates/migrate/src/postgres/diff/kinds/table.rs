//! Tables, their partitions and what is set on them.

use super::super::model::{Kind, Model, Object};
use super::{Change, Sql, column, constraint, reset, with};

/// CREATE TABLE with the given parts; `attach` makes a partition apart and attaches it, since its
/// parent is in use.
pub(super) fn create(object: &Object, model: &Model, inline: &[&Object], attach: bool) -> Vec<Sql> {
    let name = &object.id.name;
    let unlogged = if object.get("persistence") == "u" { "UNLOGGED " } else { "" };
    let mut elements = Vec::new();
    let mut after: Vec<Sql> = Vec::new();
    for own in model.parts(&object.id, Kind::Column) {
        let default = inline
            .iter()
            .find(|part| part.id.kind == Kind::Default && part.id.name == own.id.name)
            .map(|part| part.get("expression"));
        if !own.implied {
            elements.push(column::definition(own, default));
        }
        after.extend(column::afterwards(own));
    }
    for part in inline.iter().filter(|part| part.id.kind == Kind::Constraint) {
        elements.push(format!("CONSTRAINT {} {}", part.get("name"), constraint::definition(part)));
    }
    let mut options = with(object.get("options"), "");
    options.extend(with(object.get("toast_options"), "toast."));
    let mut tail = String::new();
    if object.has("partitioned") {
        tail.push_str(&format!("\nPARTITION BY {}", object.get("partitioned")));
    }
    if object.has("access_method") {
        tail.push_str(&format!("\nUSING {}", object.get("access_method")));
    }
    if !options.is_empty() {
        tail.push_str(&format!("\nWITH ({})", options.join(", ")));
    }
    let body = if elements.is_empty() {
        String::new()
    } else {
        format!(" (\n    {}\n)", elements.join(",\n    "))
    };
    let mut all: Vec<Sql> = Vec::new();
    if object.has("bound") && attach && !object.has("partitioned") {
        let parent = object.get("parents");
        all.push(
            format!(
                "CREATE {unlogged}TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING \
                 CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE){tail}"
            )
            .into(),
        );
        all.push(
            format!("ALTER TABLE {parent} ATTACH PARTITION {name} {}", object.get("bound")).into(),
        );
    } else if object.has("bound") {
        all.push(
            format!(
                "CREATE {unlogged}TABLE {name} PARTITION OF {} {}{tail}",
                object.get("parents"),
                object.get("bound")
            )
            .into(),
        );
    } else {
        let body = if body.is_empty() { " ()".to_string() } else { body };
        let inherits = match object.get("parents") {
            "" => String::new(),
            parents => format!("\nINHERITS ({parents})"),
        };
        all.push(format!("CREATE {unlogged}TABLE {name}{body}{inherits}{tail}").into());
    }
    all.extend(after);
    all.extend(row_security(None, object));
    all
}

fn row_security(from: Option<&Object>, to: &Object) -> Vec<Sql> {
    let table = format!("ALTER TABLE {}", to.id.name);
    let mut all = Vec::new();
    for (fact, on, off) in [
        ("row_security", "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"),
        ("force_row_security", "FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"),
    ] {
        let before = from.is_some_and(|from| from.has(fact));
        if before != to.has(fact) {
            all.push(format!("{table} {}", if to.has(fact) { on } else { off }).into());
        }
    }
    all
}

/// What can only be said when the table's indexes are there.
pub(in super::super) fn late(from: Option<&Object>, to: &Object) -> Vec<Sql> {
    let table = format!("ALTER TABLE {}", to.id.name);
    let before = |fact: &str| from.map_or("", |from| from.get(fact)).to_string();
    let mut all = Vec::new();
    if before("replica_identity") != to.get("replica_identity") {
        let identity = match to.get("replica_identity") {
            "" => "DEFAULT",
            identity => identity,
        };
        all.push(format!("{table} REPLICA IDENTITY {identity}").into());
    }
    if before("clustered") != to.get("clustered") {
        all.push(
            match to.get("clustered") {
                "" => format!("{table} SET WITHOUT CLUSTER"),
                index => format!("{table} CLUSTER ON {index}"),
            }
            .into(),
        );
    }
    all
}

/// How a table comes to be another.
pub(super) fn alter(from: &Object, to: &Object) -> Change {
    let differ = from.differing(to);
    if ["partitioned", "of", "access_method"].iter().any(|fact| differ.contains(fact)) {
        return Change::Recreate;
    }
    let name = &to.id.name;
    let table = format!("ALTER TABLE {name}");
    let mut all: Vec<Sql> = Vec::new();
    if differ.contains("persistence") {
        let word = if to.get("persistence") == "u" { "UNLOGGED" } else { "LOGGED" };
        all.push(format!("{table} SET {word}").into());
    }
    if differ.contains("parents") || differ.contains("bound") {
        let parents = |object: &Object| -> Vec<String> {
            object.get("parents").split(", ").filter(|p| !p.is_empty()).map(String::from).collect()
        };
        let (old, new) = (parents(from), parents(to));
        if from.has("bound") {
            let parent = from.get("parents");
            all.push(format!("ALTER TABLE {parent} DETACH PARTITION {name}").into());
        }
        if to.has("bound") {
            let (parent, bound) = (to.get("parents"), to.get("bound"));
            all.push(format!("ALTER TABLE {parent} ATTACH PARTITION {name} {bound}").into());
        }
        if !from.has("bound") {
            let gone = old.iter().filter(|p| !new.contains(p) || to.has("bound"));
            all.splice(0..0, gone.map(|p| format!("{table} NO INHERIT {p}").into()));
        }
        if !to.has("bound") {
            let come = new.iter().filter(|p| !old.contains(p) || from.has("bound"));
            all.extend(come.map(|p| format!("{table} INHERIT {p}").into()));
        }
    }
    all.extend(reset(&table, from.get("options"), to.get("options"), ""));
    all.extend(reset(&table, from.get("toast_options"), to.get("toast_options"), "toast."));
    all.extend(row_security(Some(from), to));
    Change::by(all)
}
