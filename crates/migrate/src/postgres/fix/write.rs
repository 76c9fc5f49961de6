//! Writing statements.

use std::cell::RefCell;

use marula_core::Result;
use marula_postgres::sql;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use crate::postgres::context::Context;
pub(super) use crate::postgres::written::{expression, statement};

/// ALTER TABLE with one part.
pub(super) fn alter(of: &pb::AlterTableStmt, cmd: pb::AlterTableCmd) -> Result<String> {
    let cmds = vec![pb::Node { node: Some(NodeEnum::AlterTableCmd(Box::new(cmd))) }];
    statement(NodeEnum::AlterTableStmt(pb::AlterTableStmt { cmds, ..of.clone() }))
}

/// A table's name as SQL.
pub(super) fn table(relation: &pb::RangeVar) -> String {
    if relation.schemaname.is_empty() {
        sql::quote_ident(&relation.relname)
    } else {
        sql::quote_qualified(&relation.schemaname, &relation.relname)
    }
}

/// Names as SQL, with commas.
pub(super) fn names(names: &[String]) -> String {
    names.iter().map(|name| sql::quote_ident(name)).collect::<Vec<_>>().join(", ")
}

/// `first`, or with a number behind it, as the server chooses: no other constraint, index or table of
/// the schema that the table `key` is in is called so. It counts as `given` from then on. `None` where
/// it would be longer than a name may be.
pub(super) fn free(
    context: &Context,
    key: &str,
    first: &str,
    given: &RefCell<Vec<String>>,
) -> Option<String> {
    let schema = |key: &str| key.rsplit_once('.').map(|(schema, _)| schema.to_owned());
    let here = schema(key);
    let taken = |name: &str| {
        let tables = context.schema.tables.iter().filter(|(key, _)| schema(key) == here);
        let mut all = tables.flat_map(|(key, table)| {
            let constraints = table.constraints.iter().map(|one| one.name.as_str());
            let indexes = table.indexes.iter().map(|one| one.name.as_str());
            constraints.chain(indexes).chain(key.rsplit('.').next())
        });
        given.borrow().iter().any(|own| own == name) || all.any(|other| other == name)
    };
    let free = (0..100)
        .map(|n| if n == 0 { first.to_owned() } else { format!("{first}{n}") })
        .find(|name| !taken(name))?;
    given.borrow_mut().push(free.clone());
    short(free)
}

/// A name of at most 63 bytes, cut in the middle parts as the server does it: roughly.
pub(super) fn short(name: String) -> Option<String> {
    (name.len() <= 63).then_some(name)
}
