//! What reads a column that is to give way: views that go on over the new name, and what can be
//! neither carried over nor left alone, which is refused by name.

use marula_core::{Error, ErrorKind, Relation, RelationKind, Result};
use marula_postgres::sql::{self, quote_qualified};
use pg_query::protobuf as pb;
use pg_query::{NodeEnum, NodeRef};

use super::Place;
use super::beside::words;
use super::expression::replaced;

/// Views over the table that read one of the columns, and generated columns made from them.
fn readers<'a>(place: &Place<'a>, columns: &[&str]) -> (Vec<&'a Relation>, Vec<String>) {
    let Some((catalog, table)) = place.catalog.and_then(|c| Some((c, c.find(place.table)?))) else {
        return (Vec::new(), Vec::new());
    };
    // The server knows which views read them, and which another table of the same name.
    let known = place.around.map(|around| &around.views.readers);
    let is_known = |view: &Relation| {
        known.is_none_or(|known| {
            known.iter().any(|(schema, name, _)| *schema == view.schema && *name == view.name)
        })
    };
    let says = |text: &str| words(text).any(|word| columns.contains(&&*word));
    let reads = |relation: &&Relation| {
        matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView)
            && is_known(relation)
            && relation.definition.as_deref().is_some_and(|definition| {
                says(definition) && words(definition).any(|word| word == table.name)
            })
    };
    let views = catalog.relations.iter().filter(reads).collect();
    let made = table.columns.iter().filter(|column| {
        matches!(column.generated.as_deref(), Some("s" | "v"))
            && column.default.as_deref().is_some_and(says)
    });
    (views, made.map(|column| format!("generated column {}", column.name)).collect())
}

fn called(view: &Relation) -> String {
    let kind = match view.kind {
        RelationKind::MaterializedView => "materialized view",
        _ => "view",
    };
    format!("{kind} {}", view.qualified())
}

pub(super) fn refused(place: &Place<'_>, readers: &[String]) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("what reads the column would keep the old one: {}", readers.join(", ")),
    )
    .at(place.table.to_string())
    .hint("drop it in a migration before these, and make it again in one behind the last step")
}

/// What the server knows to hang on the columns, and nobody here can write anew.
fn named<'a>(place: &Place<'a>) -> impl Iterator<Item = String> + use<'a> {
    place.around.into_iter().flat_map(|around| {
        let rules = around.rules.iter().map(|(_, rule)| rule.clone());
        around.stuck.iter().cloned().chain(rules)
    })
}

/// Fails for a table whose rows are elsewhere, or come from elsewhere.
pub(super) fn whole(place: &Place<'_>, columns: &[&str]) -> Result<()> {
    let Some((catalog, table)) = place.catalog.and_then(|c| Some((c, c.find(place.table)?))) else {
        return Ok(());
    };
    let no = |what: String, hint: &str| {
        Err(Error::new(ErrorKind::Unsupported, what).at(place.table.to_string()).hint(hint))
    };
    if let Some(parent) = &table.partition_of {
        let what = format!("{} gets its columns from {parent}", table.qualified());
        return no(what, "change the table it belongs to");
    }
    if let Some(key) = &table.partition_key
        && words(key).any(|word| columns.contains(&&*word))
    {
        let what = format!("{} is partitioned by it: {key}", table.qualified());
        return no(what, "make another table with the partitions it is to have, and copy the rows");
    }
    let own = table.qualified();
    let heir = catalog.relations.iter().find(|relation| {
        relation.partition_of.as_deref() == Some(own.as_str()) && relation.partition_bound.is_none()
    });
    match heir {
        Some(heir) if table.partition_key.is_none() => {
            let what =
                format!("{} inherits from it, and its rows meet no trigger here", heir.qualified());
            no(what, "end the inheritance first, or change both by hand")
        }
        _ => Ok(()),
    }
}

/// Fails for whatever reads one of the columns.
pub(super) fn refuse(place: &Place<'_>, columns: &[&str]) -> Result<()> {
    let (views, mut all) = readers(place, columns);
    all.splice(0..0, views.into_iter().map(called));
    all.extend(named(place));
    if all.is_empty() { Ok(()) } else { Err(refused(place, &all)) }
}

/// Fails for whatever reads the column but views, which are made anew.
pub(super) fn refuse_but_views(place: &Place<'_>, column: &str) -> Result<()> {
    let Some(around) = place.around else { return refuse(place, &[column]) };
    let (_, mut all) = readers(place, &[column]);
    all.extend(around.views.stuck.iter().cloned());
    all.extend(around.stuck.iter().cloned());
    let rules = around.rules.iter().filter(|(id, _)| !around.views.rules.contains(id));
    all.extend(rules.map(|(_, rule)| rule.clone()));
    if all.is_empty() { Ok(()) } else { Err(refused(place, &all)) }
}

/// Fails for a new column whose name is taken.
pub(super) fn free(place: &Place<'_>, column: &str) -> Result<()> {
    let table = place.catalog.and_then(|catalog| catalog.find(place.table));
    if table.is_none_or(|table| table.column(column).is_none()) {
        return Ok(());
    }
    let what = format!("table {} has a column {column} already", place.table);
    Err(Error::new(ErrorKind::Usage, what).hint("choose another name"))
}

/// Fails for a table whose rows cannot be gone through in batches.
pub(super) fn keyed(place: &Place<'_>) -> Result<()> {
    let Some(table) = place.catalog.and_then(|catalog| catalog.find(place.table)) else {
        return Ok(());
    };
    let filled = |name: &str| table.column(name).is_some_and(|column| column.not_null);
    let tells = |index: &marula_core::Index| {
        index.unique
            && index.valid
            && index.predicate.is_none()
            && index.keys.iter().all(|key| key.column.as_deref().is_some_and(filled))
    };
    if table.indexes.iter().any(tells) {
        return Ok(());
    }
    let what = format!(
        "{} has neither a primary key nor a unique index without NULLs, and no backfill in batches \
         without one",
        table.qualified()
    );
    Err(Error::new(ErrorKind::Unsupported, what)
        .at(place.table.to_string())
        .hint("give it a primary key in a migration before these: marula migrate add-constraint"))
}

/// The views over a column that gets another name: each as it is to be, and as it is.
pub(super) fn carried(place: &Place<'_>, old: &str, new: &str) -> Result<Vec<(String, String)>> {
    let (views, mut stuck) = readers(place, &[old]);
    stuck.extend(named(place));
    stuck.extend(place.around.into_iter().flat_map(|around| around.by_key.iter().cloned()));
    let mut all = Vec::new();
    for view in views {
        let definition = view.definition.as_deref().unwrap_or_default();
        let definition = definition.trim().trim_end_matches(';');
        let renamed = match view.kind {
            RelationKind::View => renamed(definition, &table_of(place), old, new),
            _ => None,
        };
        let name = quote_qualified(&view.schema, &view.name);
        // Options that are not said are taken away.
        let mut known = place.around.into_iter().flat_map(|around| &around.views.readers);
        let known = known.find(|(schema, name, _)| *schema == view.schema && *name == view.name);
        let options = known.map_or("", |(.., options)| options.as_str());
        let replace = |text: &str| format!("CREATE OR REPLACE VIEW {name}{options} AS {text}");
        match renamed {
            // The words were of another table's column.
            Some(text) if text == definition => {}
            Some(text) => all.push((replace(&text), replace(definition))),
            None => stuck.push(called(view)),
        }
    }
    if stuck.is_empty() { Ok(all) } else { Err(refused(place, &stuck)) }
}

/// A table, as queries name it.
struct Named<'a> {
    schema: Option<&'a str>,
    name: &'a str,
    /// Whether another schema has one of that name.
    twice: bool,
}

fn table_of<'a>(place: &'a Place<'_>) -> Named<'a> {
    let name = place.bare();
    let catalog = place.catalog;
    let schema = catalog.and_then(|catalog| catalog.find(place.table)).map(|t| t.schema.as_str());
    let all = catalog.into_iter().flat_map(|catalog| &catalog.relations);
    Named { schema, name, twice: all.filter(|relation| relation.name == name).count() > 1 }
}

/// A query with another name for a table's column, whose results keep their names; `None` where that
/// cannot be told for certain.
fn renamed(query: &str, table: &Named<'_>, old: &str, new: &str) -> Option<String> {
    let statement = sql::parse(query).ok()?;
    let root = statement.root()?;
    let mut called: Vec<String> = Vec::new();
    let (mut tables, mut certain) = (0, true);
    sql::walk(root.to_ref(), |node| match node {
        NodeRef::RangeVar(relation) => {
            tables += 1;
            let schema = relation.schemaname.as_str();
            let others = !schema.is_empty() && table.schema.is_some_and(|own| own != schema);
            if relation.relname == table.name && !others {
                // The first of that name on the session's path is not said with its schema.
                certain &= !schema.is_empty() || !table.twice;
                let alias = relation.alias.as_ref().map(|alias| alias.aliasname.clone());
                called.push(alias.unwrap_or_else(|| relation.relname.clone()));
                certain &= relation.alias.as_ref().is_none_or(|a| a.colnames.is_empty());
            }
        }
        NodeRef::RangeSubselect(_) | NodeRef::CommonTableExpr(_) => certain = false,
        NodeRef::JoinExpr(join) => certain &= join.using_clause.is_empty() && !join.is_natural,
        _ => {}
    })
    .ok()?;
    if !certain {
        return None;
    }
    // Where a name stands, and where a result needs the old one said.
    let mut places: Vec<(usize, bool)> = Vec::new();
    let ours = |column: &pb::ColumnRef| {
        let names = super::super::context::strings(&column.fields);
        match names.as_slice() {
            [name] => name == old && tables == 1,
            [of, name] => name == old && called.contains(of),
            _ => false,
        }
    };
    sql::walk(root.to_ref(), |node| match node {
        NodeRef::ColumnRef(column) if ours(column) => {
            if let Ok(at) = usize::try_from(column.location) {
                places.push((at, false));
            }
        }
        NodeRef::ResTarget(target) if target.name.is_empty() => {
            if let Some(NodeEnum::ColumnRef(column)) =
                target.val.as_deref().and_then(|value| value.node.as_ref())
                && ours(column)
                && let Ok(at) = usize::try_from(column.location)
            {
                places.push((at, true));
            }
        }
        _ => {}
    })
    .ok()?;
    replaced(query, &places, old, new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_names() {
        for (query, wanted) in [
            (
                "SELECT id, code FROM items WHERE code > 5",
                Some("SELECT id, number AS code FROM items WHERE number > 5"),
            ),
            (
                "SELECT i.\"code\", o.code AS x FROM items i JOIN o ON o.id = i.code",
                Some("SELECT i.number AS code, o.code AS x FROM items i JOIN o ON o.id = i.number"),
            ),
            (
                "SELECT sum(items.code) AS s FROM public.items GROUP BY items.code",
                Some("SELECT sum(items.number) AS s FROM public.items GROUP BY items.number"),
            ),
            ("SELECT code FROM items JOIN o USING (code)", None),
            ("SELECT x.code FROM (SELECT code FROM items) x", None),
        ] {
            let items = Named { schema: Some("public"), name: "items", twice: false };
            assert_eq!(renamed(query, &items, "code", "number").as_deref(), wanted, "{query}");
        }
        let items = Named { schema: Some("app"), name: "items", twice: true };
        let of = |query: &str| renamed(query, &items, "code", "number");
        assert_eq!(of("SELECT items.code FROM items"), None);
        let other = "SELECT items.code FROM public.items";
        assert_eq!(of(other).as_deref(), Some(other));
        let own = of("SELECT items.code FROM app.items");
        assert_eq!(own.as_deref(), Some("SELECT items.number AS code FROM app.items"));
    }
}
