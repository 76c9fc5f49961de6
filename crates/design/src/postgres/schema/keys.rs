use marula_core::model::{AttributeType, Entity};
use marula_postgres::sql::quote_ident;

use super::tables::primary_key;
use super::{Draw, list};
use crate::names as words;
use crate::schema::Piece;
use crate::structure::Store;

/// What shows that an exclusion compares equal values, too.
pub(super) const EXCLUDES: &str = " WITH =";

/// The columns an index is there for already: of the primary key and of what is unique.
pub(super) type Kept = Vec<Vec<String>>;

/// What no two rows share, beside the primary key.
pub(super) fn pieces(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> (Vec<Piece>, Kept) {
    let partitioned = draw.partitioning(&entity.name).cloned();
    let key = primary_key(entity, partitioned.as_ref());
    let mut kept: Kept = vec![key.iter().map(|name| (*name).to_owned()).collect()];
    let mut pieces = Vec::new();
    for (set, why) in sets(draw, entity) {
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        if let Some(gone) = set.iter().find(|name| store.attribute(name).is_none()) {
            draw.note(format!(
                "({}) of {} is not kept unique: {gone} is not a column",
                set.join(", "),
                entity.name
            ));
            continue;
        }
        let known = |known: &Vec<String>| {
            known.len() == set.len() && known.iter().all(|name| set.contains(&name.as_str()))
        };
        if set.is_empty() || kept.iter().any(known) {
            continue;
        }
        if partitioned.as_ref().is_some_and(|p| !set.contains(&p.column.as_str())) {
            draw.note(format!(
                "({}) of {} is unique in each partition only",
                set.join(", "),
                entity.name
            ));
            continue;
        }
        let range = set.iter().find(|name| is_range(entity, name));
        if let Some(range) = range {
            pieces.extend(exclusion(draw, entity, &set, range, &why));
            continue;
        }
        pieces.push(unique(draw, entity, &set, &why));
        // One that leaves deleted rows out does not serve every question.
        if soft_delete(entity, &set).is_none() {
            kept.push(set.iter().map(|name| (*name).to_owned()).collect());
        }
    }
    (pieces, kept)
}

/// The sets of attributes no two members share, each with why.
fn sets(draw: &Draw<'_>, entity: &Entity) -> Vec<(Vec<String>, String)> {
    let own = entity.attributes.iter().filter(|a| a.unique);
    let single = own.map(|a| (vec![a.name.clone()], String::new()));
    let several = entity.unique.iter().map(|set| (set.clone(), String::new()));
    let ones = draw.references.iter().filter(|one| {
        one.relation.from == entity.name && one.relation.fanout.and_then(|f| f.max) == Some(1)
    });
    let ones = ones.map(|one| {
        let why = format!("one of {} has one of {} at most", one.relation.to, entity.name);
        (one.relation.attributes.clone(), why)
    });
    single.chain(several).chain(ones).collect()
}

fn unique(draw: &mut Draw<'_>, entity: &Entity, set: &[&str], why: &str) -> Piece {
    let mut parts = vec![entity.name.as_str()];
    parts.extend(set);
    let name = draw.names.of(&parts, "key");
    let table = quote_ident(&entity.name);
    let (statement, why) = match soft_delete(entity, set) {
        Some(mark) => (
            format!(
                "CREATE UNIQUE INDEX {} ON {table} ({}) WHERE {} IS NULL",
                quote_ident(&name),
                list(set),
                quote_ident(mark)
            ),
            format!("among those that are not deleted ({mark}), so that who left can come back"),
        ),
        None => (
            format!(
                "ALTER TABLE {table} ADD CONSTRAINT {} UNIQUE ({})",
                quote_ident(&name),
                list(set)
            ),
            why.to_owned(),
        ),
    };
    Piece::after(format!("unique {} ({})", entity.name, set.join(", ")), vec![statement])
        .because(why)
}

/// The attribute that marks deleted members, where it is none of the set's.
fn soft_delete<'e>(entity: &'e Entity, set: &[&str]) -> Option<&'e str> {
    const MARKS: [&str; 4] = ["deleted_at", "deleted_on", "archived_at", "removed_at"];
    let mark = entity.attributes.iter().find(|attribute| {
        !attribute.required && MARKS.contains(&words::words(&attribute.name).join("_").as_str())
    })?;
    (!set.contains(&mark.name.as_str())).then_some(&mark.name)
}

pub(super) fn is_range(entity: &Entity, name: &str) -> bool {
    entity.attribute(name).is_some_and(|attribute| {
        matches!(
            attribute.kind,
            AttributeType::DateRange | AttributeType::TimestampRange | AttributeType::NumberRange
        )
    })
}

/// Ranges that do not overlap, where the rest is equal.
fn exclusion(
    draw: &mut Draw<'_>,
    entity: &Entity,
    set: &[&str],
    range: &str,
    why: &str,
) -> Option<Piece> {
    let equal = set.iter().filter(|name| !is_range(entity, name)).count();
    if equal > 0 && !draw.options.offers("btree_gist") {
        draw.note(format!(
            "nothing keeps {} of {} from overlapping: that needs the extension btree_gist, which the \
             server does not offer",
            range, entity.name
        ));
        return None;
    }
    let mut parts = vec![entity.name.as_str()];
    parts.extend(set);
    let name = draw.names.of(&parts, "excl");
    let terms: Vec<String> = set
        .iter()
        .map(|name| {
            let operator = if is_range(entity, name) { "&&" } else { "=" };
            format!("{} WITH {operator}", quote_ident(name))
        })
        .collect();
    let statement = format!(
        "ALTER TABLE {} ADD CONSTRAINT {} EXCLUDE USING gist ({})",
        quote_ident(&entity.name),
        quote_ident(&name),
        terms.join(", ")
    );
    let mut told =
        format!("unique over {range}: two that overlap are refused, not only equal ones");
    if !why.is_empty() {
        told = format!("{told}; {why}");
    }
    Some(
        Piece::after(format!("exclusion {} ({})", entity.name, set.join(", ")), vec![statement])
            .because(told),
    )
}
