//! A check's condition: an SQL expression over one entity's attributes.

use std::collections::HashSet;

use marula_core::model::Entity;
use marula_postgres::guard;
use marula_postgres::sql::{self, Node};
use pg_query::NodeRef;

use super::super::mistake::{Mistake, Way};
use super::{Checker, quoted, word};

/// Whether PostgreSQL reads it, and every name in it is an attribute.
pub(super) fn check(
    checker: &Checker<'_>,
    way: Way,
    entity: &Entity,
    text: &str,
) -> Result<(), Box<Mistake>> {
    const BEFORE: &str = "SELECT ";
    let parsed = sql::parse(&format!("{BEFORE}{text}")).map_err(|error| {
        let mut mistake = Mistake::new(
            way.clone(),
            format!("the check {} is no SQL expression: {}", quoted(text), error.message()),
        );
        mistake.word = error.marked().and_then(word);
        mistake.hint("write a condition such as quantity > 0")
    })?;
    let one = matches!(parsed.select(), Some(select) if select.target_list.len() == 1
        && select.from_clause.is_empty() && select.where_clause.is_none());
    if !one {
        let what = format!("the check {} is more than one condition", quoted(text));
        return Err(Box::new(Mistake::new(way, what).hint("write each as an item of its own")));
    }
    // It will run on a server: what a query may not do, it may not either.
    if let Err(error) = guard::check(&format!("{BEFORE}{text}")) {
        let what = format!("the check {} is refused: {}", quoted(text), error.message());
        return Err(Box::new(Mistake::new(way, what).hint("compare the entity's own attributes")));
    }
    let known: HashSet<&str> = super::names(&entity.attributes).collect();
    let mut wrong: Option<Mistake> = None;
    if let Some(root) = parsed.root() {
        let walked = sql::walk(root.to_ref(), |node| match node {
            NodeRef::ColumnRef(reference) => {
                let last = reference.fields.last().and_then(|field| match &field.node {
                    Some(Node::String(name)) => Some(name.sval.as_str()),
                    _ => None,
                });
                let name = last.unwrap_or("*");
                if wrong.is_none() && !known.contains(name) {
                    let mut mistake = checker.no_attribute(way.clone(), entity, name);
                    mistake.word = parsed.mark(reference.location).as_ref().and_then(word);
                    wrong = Some(mistake);
                }
            }
            NodeRef::SubLink(_) if wrong.is_none() => {
                let what = "a check cannot look into other rows: it has a subquery";
                wrong = Some(Mistake::new(way.clone(), what));
            }
            NodeRef::ParamRef(_) if wrong.is_none() => {
                let what = "a check has no parameters";
                wrong = Some(Mistake::new(way.clone(), what));
            }
            _ => {}
        });
        if walked.is_err() && wrong.is_none() {
            let what = format!("the check {} is not a plain expression", quoted(text));
            wrong = Some(Mistake::new(way, what));
        }
    }
    wrong.map_or(Ok(()), |mistake| Err(Box::new(mistake)))
}
