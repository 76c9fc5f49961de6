//! The command as the server takes it.

use bson::{Bson, Document, doc};

use super::{Aggregate, Command, Count, CountKind, FindAndModify, Operation, Update};

impl Command {
    /// The server's command document, without database, session and time limit.
    pub fn to_command(&self) -> Document {
        let name = self.collection.as_str();
        match &self.operation {
            Operation::Find(find) => {
                let mut command = doc! { "find": name, "filter": find.filter.clone() };
                put(&mut command, "projection", find.projection.clone());
                put(&mut command, "sort", find.sort.clone());
                put(&mut command, "skip", find.skip.map(integer));
                // A shell's negative limit means one batch of so many.
                match (find.one, find.limit) {
                    (true, _) => {
                        command.insert("limit", 1);
                        command.insert("singleBatch", true);
                    }
                    (false, Some(limit)) if limit < 0 => {
                        command.insert("limit", integer(limit.saturating_neg()));
                        command.insert("singleBatch", true);
                    }
                    (false, limit) => {
                        put(&mut command, "limit", limit.filter(|n| *n != 0).map(integer));
                    }
                }
                put(&mut command, "hint", find.hint.clone());
                put(&mut command, "collation", find.collation.clone());
                command.extend(find.options.clone());
                command
            }
            Operation::Aggregate(aggregate) => aggregate_command(name, aggregate),
            Operation::Count(count) => count_command(name, count),
            Operation::Distinct(distinct) => {
                let mut command = doc! { "distinct": name, "key": distinct.key.as_str() };
                if !distinct.filter.is_empty() {
                    command.insert("query", distinct.filter.clone());
                }
                put(&mut command, "hint", distinct.hint.clone());
                put(&mut command, "collation", distinct.collation.clone());
                command.extend(distinct.options.clone());
                command
            }
            Operation::Update(update) => update_command(name, update),
            Operation::Delete(delete) => {
                let limit = if delete.multi { 0 } else { 1 };
                let mut one = doc! { "q": delete.filter.clone(), "limit": limit };
                put(&mut one, "hint", delete.hint.clone());
                put(&mut one, "collation", delete.collation.clone());
                let mut command = doc! { "delete": name, "deletes": [one] };
                command.extend(delete.options.clone());
                command
            }
            Operation::FindAndModify(modify) => modify_command(name, modify),
            Operation::Insert(insert) => {
                doc! { "insert": name, "documents": insert.documents.clone() }
            }
            Operation::CreateIndexes(create) => {
                doc! { "createIndexes": name, "indexes": create.indexes.clone() }
            }
            Operation::DropIndex(drop) => {
                doc! { "dropIndexes": name, "index": drop.index.clone() }
            }
            Operation::CollMod(modify) => {
                let mut command = doc! { "collMod": name };
                command.extend(modify.options.clone());
                command
            }
            Operation::CreateCollection(create) => {
                let mut command = doc! { "create": name };
                command.extend(create.options.clone());
                command
            }
            Operation::Drop => doc! { "drop": name },
        }
    }
}

fn aggregate_command(name: &str, aggregate: &Aggregate) -> Document {
    let mut command = doc! { "aggregate": name, "pipeline": aggregate.pipeline.clone() };
    put(&mut command, "hint", aggregate.hint.clone());
    put(&mut command, "collation", aggregate.collation.clone());
    command.extend(aggregate.options.clone());
    if !command.contains_key("cursor") {
        command.insert("cursor", doc! {});
    }
    command
}

/// `countDocuments` is a pipeline, exactly as the drivers send it.
fn count_command(name: &str, count: &Count) -> Document {
    if count.kind == CountKind::Documents {
        let mut pipeline = vec![doc! { "$match": count.filter.clone() }];
        pipeline.extend(count.skip.map(|n| doc! { "$skip": integer(n) }));
        pipeline.extend(count.limit.map(|n| doc! { "$limit": integer(n) }));
        pipeline.push(doc! { "$group": { "_id": 1, "n": { "$sum": 1 } } });
        return aggregate_command(
            name,
            &Aggregate {
                pipeline,
                hint: count.hint.clone(),
                collation: count.collation.clone(),
                options: count.options.clone(),
            },
        );
    }
    let mut command = doc! { "count": name };
    if !count.filter.is_empty() {
        command.insert("query", count.filter.clone());
    }
    put(&mut command, "skip", count.skip.map(integer));
    put(&mut command, "limit", count.limit.map(integer));
    put(&mut command, "hint", count.hint.clone());
    put(&mut command, "collation", count.collation.clone());
    command.extend(count.options.clone());
    command
}

fn update_command(name: &str, update: &Update) -> Document {
    let mut one = doc! { "q": update.filter.clone(), "u": update.update.clone() };
    put(&mut one, "upsert", update.upsert.then_some(true));
    put(&mut one, "multi", update.multi.then_some(true));
    put(&mut one, "hint", update.hint.clone());
    put(&mut one, "collation", update.collation.clone());
    put(&mut one, "arrayFilters", update.array_filters.clone());
    let mut command = doc! { "update": name, "updates": [one] };
    command.extend(update.options.clone());
    command
}

fn modify_command(name: &str, modify: &FindAndModify) -> Document {
    let mut command = doc! { "findAndModify": name, "query": modify.filter.clone() };
    put(&mut command, "sort", modify.sort.clone());
    put(&mut command, "fields", modify.projection.clone());
    match &modify.update {
        Some(update) => {
            command.insert("update", update.clone());
            put(&mut command, "new", modify.new.then_some(true));
            put(&mut command, "upsert", modify.upsert.then_some(true));
        }
        None => {
            command.insert("remove", true);
        }
    }
    put(&mut command, "hint", modify.hint.clone());
    put(&mut command, "collation", modify.collation.clone());
    put(&mut command, "arrayFilters", modify.array_filters.clone());
    command.extend(modify.options.clone());
    command
}

fn put(command: &mut Document, key: &str, value: Option<impl Into<Bson>>) {
    if let Some(value) = value {
        command.insert(key, value);
    }
}

/// The narrowest integer that holds it, as mongosh sends numbers.
pub(crate) fn integer(number: i64) -> Bson {
    i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32)
}
