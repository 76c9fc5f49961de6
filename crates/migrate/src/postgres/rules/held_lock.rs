use super::support::*;

/// Work goes on while the transaction holds a lock that stops others
pub static RULE: Rule<Context> = rule(
    53,
    "held-lock",
    "Work goes on while the transaction holds a lock that stops others",
    Severity::High,
    None,
    "A lock is held to the end of its transaction. What comes after the statement that \
     took it, be it a backfill, an index, or the wait for another lock, runs while \
     everybody waits.\n\nOne change of the schema per transaction; backfills outside.",
    &[
        bad(
            "a backfill after ADD COLUMN",
            shop!(),
            "BEGIN; ALTER TABLE users ADD COLUMN kind text; UPDATE users SET kind = 'person'; COMMIT",
        ),
        bad(
            "a lock that is asked for",
            shop!(),
            "BEGIN; LOCK TABLE users; UPDATE users SET active = false; COMMIT",
        ),
        good(
            "each by itself",
            shop!(),
            "ALTER TABLE users ADD COLUMN kind text; UPDATE users SET kind = 'person' WHERE id < 100",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    if let Some(NodeEnum::LockStmt(locks)) = context.node() {
        return said(locks);
    }
    if !context.transaction.open {
        return Vec::new();
    }
    let Some((work, what)) = work_of(context) else { return second_lock(context) };
    let mut drafts: Vec<Draft> = Vec::new();
    for (table, lock) in &context.transaction.held {
        let told = context.found.iter().any(|draft| {
            draft.object.as_deref() == Some(table)
                && draft.work != Work::None
                && draft.blocks != Blocks::Nothing
        });
        let again = drafts.iter().any(|draft| draft.object.as_deref() == Some(table));
        if !told && !again {
            let strongest = context.transaction.held.iter().filter(|(name, _)| name == table);
            let lock = strongest.map(|(_, lock)| *lock).max().unwrap_or(*lock);
            let title = format!("{what} while {table} is locked {}", lock.name());
            drafts.push(heavy(
                lock,
                table,
                work,
                title,
                "End the transaction before it: one change of the schema per transaction.",
            ));
        }
    }
    drafts
}

/// What LOCK TABLE takes.
fn said(statement: &pb::LockStmt) -> Vec<Draft> {
    let Some(lock) = Lock::from_number(statement.mode).filter(|lock| *lock >= Lock::Share) else {
        return Vec::new();
    };
    let tables = statement.relations.iter().filter_map(|node| match node.node.as_ref()? {
        NodeEnum::RangeVar(relation) => Some(table_key(relation)),
        _ => None,
    });
    let told = |table: String| {
        let title = format!("LOCK TABLE keeps {table} locked {} to the end", lock.name());
        let why = "Let each statement take the lock it needs, or end the transaction at once.";
        locked(lock, &table, Severity::Low, title, why)
    };
    tables.map(told).collect()
}

/// The wait for a second table's lock while a first table's is held.
fn second_lock(context: &Context) -> Vec<Draft> {
    let strong = Lock::AccessExclusive;
    let Some((first, _)) = context.transaction.held.iter().find(|(_, lock)| *lock == strong) else {
        return Vec::new();
    };
    let second = context.found.iter().find(|draft| {
        draft.lock == Some(strong.name())
            && draft.object.as_ref().is_some_and(|object| {
                !context.is_new(object)
                    && !context.transaction.held.iter().any(|(table, _)| table == object)
            })
    });
    let Some(object) = second.and_then(|draft| draft.object.clone()) else { return Vec::new() };
    let title = format!("{first} stays locked while {object} is waited for");
    vec![brief(strong, &object, title, "One change of the schema per transaction.")]
}

/// The size-dependent work of this statement, and what to call it.
fn work_of(context: &Context) -> Option<(Work, String)> {
    let found = context.found.iter().map(|draft| draft.work).max().unwrap_or(Work::None);
    let verb =
        context.statement.text().split_whitespace().next().unwrap_or_default().to_uppercase();
    if found != Work::None {
        return Some((found, format!("{} works", shown(&verb))));
    }
    match context.node()? {
        NodeEnum::UpdateStmt(update) => {
            let table = update.relation.as_ref().map(table_key)?;
            (!context.is_new(&table) && !by_key(context, &table, update.where_clause.as_deref()))
                .then(|| (Work::Scan, format!("UPDATE of {table} works")))
        }
        NodeEnum::DeleteStmt(delete) => {
            let table = delete.relation.as_ref().map(table_key)?;
            (!context.is_new(&table) && !by_key(context, &table, delete.where_clause.as_deref()))
                .then(|| (Work::Scan, format!("DELETE from {table} works")))
        }
        NodeEnum::InsertStmt(insert) => {
            let reads = reads_old(context, insert.select_stmt.as_deref()?);
            reads.then(|| (Work::Scan, "INSERT … SELECT works".into()))
        }
        NodeEnum::CreateTableAsStmt(create) => {
            let reads = reads_old(context, create.query.as_deref()?);
            reads.then(|| (Work::Scan, "CREATE TABLE AS works".into()))
        }
        NodeEnum::AlterTableStmt(_) => {
            let validate = context.altered(At::AtValidateConstraint);
            let alter = validate.first()?;
            (!context.is_new(&alter.table))
                .then(|| (Work::Scan, format!("VALIDATE of {} works", alter.table)))
        }
        NodeEnum::RefreshMatViewStmt(refresh) if refresh.concurrent => {
            Some((Work::Scan, "REFRESH works".into()))
        }
        _ => None,
    }
}
