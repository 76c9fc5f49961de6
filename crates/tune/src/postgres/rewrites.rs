//! Other ways to write a statement that mean the same. One file each; every one checks in the
//! catalogue what must hold, and leaves the statement alone otherwise.

mod bare_column;
mod coalesce_bare;
mod conditions;
mod correlated_aggregate;
mod count_distinct;
mod count_exists;
mod distinct_exists;
mod early_groups;
mod flat;
mod inline_cte;
mod join_elimination;
mod keyset_advice;
mod keyset_row;
mod late_lookup;
mod make;
mod names;
use marula_postgres::access::naming;
mod not_in;
mod or_limit;
mod or_union;
mod range_transitivity;
mod safe;
mod skip_scan;
mod top1_lateral;
mod truncated_time;
mod union_all;
mod values_any;

pub(super) use safe::is_known as is_known_function;

use marula_core::{ChangeKind, RelationalCatalog};
use pg_query::Node;
use pg_query::protobuf::{ParseResult, RawStmt};

use crate::Proposal;

/// What a rewrite needs to know of the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Its TimeZone setting, where known.
    pub time_zone: Option<String>,
}

/// A statement written another way.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewritten {
    /// The rewrite's name; several joined by `+` for a combination.
    pub name: String,
    /// The rules whose findings it mends.
    pub clears: Vec<&'static str>,
    /// The new and the old statement.
    pub proposal: Proposal,
}

/// What a rewrite may look at.
struct Input<'a> {
    catalog: &'a RelationalCatalog,
    session: &'a Session,
}

/// One way to write a statement differently.
struct Rewrite {
    name: &'static str,
    title: &'static str,
    clears: &'static [&'static str],
    /// Changes the statement, and says which conditions it found to hold; nothing said means
    /// nothing changed.
    apply: fn(&Input<'_>, &mut Node) -> Vec<String>,
}

/// In the order in which they are combined: single comparisons first, whole blocks last.
static ALL: [&Rewrite; 20] = [
    &not_in::REWRITE,
    &truncated_time::REWRITE,
    &bare_column::REWRITE,
    &coalesce_bare::REWRITE,
    &keyset_row::REWRITE,
    &values_any::REWRITE,
    &count_exists::REWRITE,
    &correlated_aggregate::REWRITE,
    &inline_cte::REWRITE,
    &join_elimination::REWRITE,
    &distinct_exists::REWRITE,
    &range_transitivity::REWRITE,
    &top1_lateral::REWRITE,
    &count_distinct::REWRITE,
    &early_groups::REWRITE,
    &skip_scan::REWRITE,
    &late_lookup::REWRITE,
    &or_limit::REWRITE,
    &or_union::REWRITE,
    &union_all::REWRITE,
];

/// Every way to write `statement` that is known to mean the same, each alone and, when there are
/// several, all together first.
pub fn rewrites(
    statement: &Node,
    catalog: &RelationalCatalog,
    session: &Session,
) -> Vec<Rewritten> {
    let input = Input { catalog, session };
    let Some(old) = deparse(statement) else { return Vec::new() };
    let mut found = Vec::new();
    let mut used = Vec::new();
    for rewrite in ALL {
        let mut new = statement.clone();
        let conditions = (rewrite.apply)(&input, &mut new);
        if let Some(rewritten) = rewritten(&input, &[rewrite], new, &old, conditions) {
            found.push(rewritten);
            used.push(rewrite);
        }
    }
    if used.len() > 1 {
        let mut new = statement.clone();
        let conditions =
            used.iter().flat_map(|rewrite| (rewrite.apply)(&input, &mut new)).collect();
        if let Some(combined) = rewritten(&input, &used, new, &old, conditions) {
            found.insert(0, combined);
        }
    }
    found
}

/// How the statement would ask for its page by keyset, or what stands in the way.
pub(super) fn keyset_advice(statement: &Node, catalog: &RelationalCatalog) -> Option<String> {
    let session = Session::default();
    keyset_advice::advice(&Input { catalog, session: &session }, statement)
}

/// The proposal, when the new statement can be printed, parses again, and leaves nothing for the
/// same rewrites to do.
fn rewritten(
    input: &Input<'_>,
    rewrites: &[&Rewrite],
    new: Node,
    old: &str,
    mut conditions: Vec<String>,
) -> Option<Rewritten> {
    if conditions.is_empty() {
        return None;
    }
    let text = deparse(&new)?;
    let parsed = marula_postgres::sql::parse(&text).ok()?;
    let again = marula_postgres::guard::check_parsed(&parsed).ok().and_then(|()| parsed.root())?;
    let mut again = Node { node: Some(again.clone()) };
    if rewrites.iter().any(|rewrite| !(rewrite.apply)(input, &mut again).is_empty()) {
        return None;
    }
    conditions.dedup();
    let titles: Vec<&str> = rewrites.iter().map(|rewrite| rewrite.title).collect();
    let names: Vec<&str> = rewrites.iter().map(|rewrite| rewrite.name).collect();
    let mut clears: Vec<&'static str> = rewrites.iter().flat_map(|r| r.clears).copied().collect();
    clears.dedup();
    Some(Rewritten {
        name: names.join("+"),
        clears,
        proposal: Proposal {
            kind: ChangeKind::Rewrite,
            title: titles.join("; "),
            relation: None,
            up: vec![text],
            down: vec![old.into()],
            hazards: Vec::new(),
            conditions,
            gain: 0.9 + 0.01 * rewrites.len() as f64,
        },
    })
}

/// A statement as SQL.
fn deparse(statement: &Node) -> Option<String> {
    let tree = ParseResult {
        version: 0,
        stmts: vec![RawStmt { stmt: Some(Box::new(statement.clone())), ..RawStmt::default() }],
    };
    marula_postgres::sql::deparse(&tree).ok()
}

#[cfg(test)]
mod tests;
