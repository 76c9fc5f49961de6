//! An UPDATE or DELETE by ranges of the primary key: each range and the note of it are one
//! transaction, so that no row is changed twice or passed over however often it is interrupted.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::from_server;
use marula_postgres::sql::{self, ParsedStatement, quote_ident, quote_literal};
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::run::{Work, marked, passing};
use super::{Ground, history, lag, leftover, pieces};
use crate::apply::record::{Batch, Current, digest};
use crate::apply::retry;

/// A statement that is run range by range.
struct Ranged<'a> {
    statement: &'a ParsedStatement,
    /// Its table, as SQL.
    table: String,
    /// What the table is called in the statement.
    alias: String,
    /// The key's columns and their types.
    key: Vec<(String, String)>,
}

/// Runs a step batch by batch, from where it was left.
pub(super) async fn run(work: &Work<'_>, step: usize, size: u64) -> Result<()> {
    let (ground, due) = (work.ground, work.due);
    let own = &due.steps()[step];
    let Some(statement) = pieces::statement(own) else { return Ok(()) };
    let ranged = ranged(work.ground, statement).await.map_err(|error| marked(error, work, step))?;
    let begun = due.left().and_then(|record| record.current.as_ref());
    let begun = begun.filter(|current| current.step == step).and_then(|c| c.batch.clone());
    let mut current = Current {
        step,
        digest: digest(own),
        text: own.text.clone(),
        before: Vec::new(),
        batch: Some(begun.unwrap_or_default()),
    };
    let title = format!("{}: statement {}", due.migration.title(), step + 1);
    let total = estimate(work, &ranged.table).await?;
    work.progress.step(&title);
    let mut looked: Option<std::time::Instant> = None;
    ground.begins(step, false).await;
    loop {
        let batch = current.batch.clone().unwrap_or_default();
        work.progress.advance(batch.seen.min(total), total);
        work.options.stop.check()?;
        if looked.is_none_or(|looked| looked.elapsed().as_millis() > 500) {
            lag::wait(ground, work.options.max_lag, &work.options.stop, work.progress, &title)
                .await?;
            looked = Some(std::time::Instant::now());
        }
        let after = batch.after.as_deref().map(read_key).transpose()?;
        let Some((upper, seen)) = ranged.upper(work, after.as_deref(), size).await? else { break };
        let text = ranged.text(after.as_deref(), &upper)?;
        let mut next = Batch {
            after: serde_json::to_string(&upper).ok(),
            seen: batch.seen + seen,
            rows: batch.rows,
        };
        let mut tries = 1;
        loop {
            let Err(error) = one(work, step, &text, &mut current, &mut next).await else { break };
            let _ = ground.execute("ROLLBACK").await;
            let code = error.server_code().unwrap_or_default();
            if !passing(code) || tries >= work.options.tries {
                return Err(marked(error, work, step));
            }
            tokio::time::sleep(retry::pause(tries)).await;
            work.options.stop.check()?;
            tries += 1;
        }
        // A batch that is not full was the end: who waits until there is none at all runs after
        // those who insert for as long as they do.
        if seen < size {
            break;
        }
        let pace = due.options().pace.unwrap_or(work.options.pace);
        if !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
    }
    ground.has_run(step, false).await;
    ground.execute("BEGIN").await?;
    work.as_ourselves().await?;
    history::advance(ground, due, step..step + 1, work.last).await?;
    ground.execute("COMMIT").await
}

/// One batch and the note of it.
async fn one(
    work: &Work<'_>,
    step: usize,
    text: &str,
    current: &mut Current,
    next: &mut Batch,
) -> Result<()> {
    let ground = work.ground;
    ground.execute("BEGIN").await?;
    if let Some(limit) = work.limit(step) {
        ground.execute(&limit).await?;
    }
    let before = current.batch.as_ref().map_or(0, |batch| batch.rows);
    let changed = ground.session.client().execute(text, &[]).await;
    next.rows = before + changed.map_err(|error| from_server(&error))?;
    let noted = Current { batch: Some(next.clone()), ..current.clone() };
    work.as_ourselves().await?;
    history::current(ground, work.due, step, Some(&noted)).await?;
    ground.execute("COMMIT").await?;
    *current = noted;
    Ok(())
}

fn read_key(text: &str) -> Result<Vec<String>> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("the history holds no key: {error}"))
            .hint("look into marula.migrations, column current")
    })
}

/// About how many rows there are.
async fn estimate(work: &Work<'_>, table: &str) -> Result<u64> {
    let sql = format!(
        "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::int8 FROM pg_catalog.pg_class c \
         WHERE c.relkind = 'r' AND (c.oid = pg_catalog.to_regclass({0}) OR c.oid IN (SELECT \
         inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = pg_catalog.to_regclass({0})))",
        quote_literal(table)
    );
    let row = work.ground.session.client().query_one(&sql, &[]).await;
    let rows: i64 = row.map_err(|error| from_server(&error))?.get(0);
    if rows > 0 {
        return Ok(u64::try_from(rows).unwrap_or_default());
    }
    // Without statistics the planner goes by the size of the files.
    let sql = format!("EXPLAIN (FORMAT JSON) SELECT FROM {table}");
    let planned = work.ground.session.client().query_one(&sql, &[]).await;
    let plan: Option<serde_json::Value> = planned.ok().and_then(|row| row.try_get(0).ok());
    let rows = plan.and_then(|plan| plan[0]["Plan"]["Plan Rows"].as_f64()).unwrap_or_default();
    Ok(rows as u64)
}

fn refused(what: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("this cannot run in batches: {what}")).hint(hint)
}

/// Refuses what cannot run in batches.
pub(super) async fn check(ground: &Ground, statement: &ParsedStatement) -> Result<()> {
    ranged(ground, statement).await.map(|_| ())
}

/// Reads the statement, and finds the key its table is gone through by.
async fn ranged<'a>(ground: &Ground, statement: &'a ParsedStatement) -> Result<Ranged<'a>> {
    let alone = "take batch: off the file, or move the statement into a file of its own";
    let (relation, set) = match statement.root() {
        Some(NodeEnum::UpdateStmt(update)) => {
            (update.relation.as_ref(), update.target_list.as_slice())
        }
        Some(NodeEnum::DeleteStmt(delete)) => (delete.relation.as_ref(), &[][..]),
        _ => (None, &[][..]),
    };
    let Some(relation) = relation else {
        return Err(refused("it is neither UPDATE nor DELETE", alone));
    };
    if statement.text().to_ascii_uppercase().contains("CURRENT OF") {
        return Err(refused("it goes by a cursor", alone));
    }
    let table = leftover::written(relation);
    let alias = match &relation.alias {
        Some(alias) => quote_ident(&alias.aliasname),
        None => quote_ident(&relation.relname),
    };
    // The primary key, or a unique index that says as much.
    let sql = format!(
        "SELECT array_agg(a.attname::text ORDER BY k.at), \
         array_agg(pg_catalog.format_type(a.atttypid, NULL) ORDER BY k.at) \
         FROM pg_catalog.pg_index i, unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY k(n, at) \
         JOIN pg_catalog.pg_attribute a ON a.attnum = k.n \
         WHERE i.indrelid = pg_catalog.to_regclass({}) AND a.attrelid = i.indrelid \
         AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL \
         GROUP BY i.indexrelid, i.indisprimary HAVING bool_and(a.attnotnull) \
         ORDER BY i.indisprimary DESC, count(*), i.indexrelid LIMIT 1",
        quote_literal(&table)
    );
    let rows = ground.session.client().query(&sql, &[]).await;
    let rows = rows.map_err(|error| from_server(&error))?;
    let Some(row) = rows.first() else {
        let there = "SELECT pg_catalog.to_regclass($1) IS NOT NULL";
        let found = ground.session.client().query_one(there, &[&table]).await;
        if !found.map_err(|error| from_server(&error))?.get::<_, bool>(0) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no table {table}"))
                .hint("check its name, and the target"));
        }
        return Err(refused(
            &format!("{table} has neither a primary key nor a unique index without NULLs"),
            "give it a primary key, or take batch: off the file",
        ));
    };
    let (names, types): (Vec<String>, Vec<String>) = (row.get(0), row.get(1));
    for target in set {
        if let Some(NodeEnum::ResTarget(target)) = target.node.as_ref()
            && names.contains(&target.name)
        {
            return Err(refused(&format!("it changes the key column {}", target.name), alone));
        }
    }
    let key = names.into_iter().zip(types).collect();
    Ok(Ranged { statement, table, alias, key })
}

impl Ranged<'_> {
    fn columns(&self, prefix: &str) -> String {
        let names = self.key.iter().map(|(name, _)| format!("{prefix}{}", quote_ident(name)));
        format!("ROW({})", names.collect::<Vec<_>>().join(", "))
    }

    fn values(&self, values: &[String]) -> String {
        let typed = values
            .iter()
            .zip(&self.key)
            .map(|(value, (_, kind))| format!("{}::{kind}", quote_literal(value)));
        format!("ROW({})", typed.collect::<Vec<_>>().join(", "))
    }

    /// The last key of the next batch and how many rows are up to it; `None` when nothing is left.
    async fn upper(
        &self,
        work: &Work<'_>,
        after: Option<&[String]>,
        size: u64,
    ) -> Result<Option<(Vec<String>, u64)>> {
        let behind = after
            .map(|after| format!(" WHERE {} > {}", self.columns(""), self.values(after)))
            .unwrap_or_default();
        let names: Vec<String> = self.key.iter().map(|(name, _)| quote_ident(name)).collect();
        let texts: Vec<String> = names.iter().map(|name| format!("{name}::text")).collect();
        let order: Vec<String> = names.iter().map(|name| format!("{name} DESC")).collect();
        let sql = format!(
            "WITH next AS MATERIALIZED (SELECT {all} FROM {table}{behind} ORDER BY {all} LIMIT {size}) \
             SELECT ARRAY[{texts}], (SELECT count(*) FROM next) FROM next ORDER BY {order} LIMIT 1",
            all = names.join(", "),
            table = self.table,
            texts = texts.join(", "),
            order = order.join(", ")
        );
        let rows = work.ground.session.client().query(&sql, &[]).await;
        let rows = rows.map_err(|error| from_server(&error))?;
        Ok(rows.first().map(|row| {
            let seen: i64 = row.get(1);
            (row.get(0), u64::try_from(seen).unwrap_or_default())
        }))
    }

    /// The statement for the rows behind one key and up to another.
    fn text(&self, after: Option<&[String]>, upper: &[String]) -> Result<String> {
        let columns = self.columns(&format!("{}.", self.alias));
        let mut range = format!("{columns} <= {}", self.values(upper));
        if let Some(after) = after {
            range = format!("{columns} > {} AND {range}", self.values(after));
        }
        let parsed = sql::parse(&format!("SELECT WHERE {range}"))?;
        let condition = parsed.select().and_then(|select| select.where_clause.clone());
        let mut tree: pb::ParseResult = self.statement.tree().clone();
        let node =
            tree.stmts.first_mut().and_then(|s| s.stmt.as_mut()).and_then(|s| s.node.as_mut());
        let place = match node {
            Some(NodeEnum::UpdateStmt(update)) => &mut update.where_clause,
            Some(NodeEnum::DeleteStmt(delete)) => &mut delete.where_clause,
            _ => return Ok(self.statement.text().to_string()),
        };
        *place = match (place.take(), condition) {
            (Some(own), Some(range)) => Some(Box::new(pb::Node {
                node: Some(NodeEnum::BoolExpr(Box::new(pb::BoolExpr {
                    boolop: pb::BoolExprType::AndExpr as i32,
                    args: vec![*range, *own],
                    ..pb::BoolExpr::default()
                }))),
            })),
            (None, range) => range,
            (own, None) => own,
        };
        sql::deparse(&tree)
    }
}
