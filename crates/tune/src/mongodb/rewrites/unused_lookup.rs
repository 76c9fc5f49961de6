//! A `$lookup` whose result nobody reads is dropped.

use bson::{Bson, Document};

use super::{Answer, Facts, Rewrite};
use crate::mongodb::pipeline::{effect, overlap, stage};

/// Its name among the rewrites.
pub const ID: &str = "unused-lookup";

/// Drops every `$lookup` of which no later stage reads a thing.
pub fn rewrite(pipeline: &[Document], _: Facts) -> Answer {
    let mut kept = pipeline.to_vec();
    let mut dropped = Vec::new();
    let mut reason = None;
    // From the end: a $lookup read only by one that is dropped is dropped too.
    for at in (0..pipeline.len()).rev() {
        let Some(("$lookup", Bson::Document(lookup))) = stage(&pipeline[at]) else { continue };
        let Ok(name) = lookup.get_str("as") else { continue };
        match unused(name, &kept[at + 1..]) {
            Ok(condition) => {
                dropped.push((
                    name.to_string(),
                    lookup.get_str("from").unwrap_or("?").to_string(),
                    condition,
                ));
                kept.remove(at);
            }
            Err(why) => reason = Some(format!("'{name}' of the $lookup is used: {why}")),
        }
    }
    if dropped.is_empty() {
        return Err(reason);
    }
    dropped.reverse();
    let list: Vec<String> =
        dropped.iter().map(|(name, from, _)| format!("{from} as {name}")).collect();
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("drop the unused $lookup of {}", list.join(", ")),
        pipeline: kept,
        conditions: dropped
            .into_iter()
            .map(|(name, _, condition)| {
                format!("no later stage reads '{name}' or the whole document; {condition}")
            })
            .collect(),
    })
}

/// Whether `rest` never looks at `name` and does not let it out; what removes it.
fn unused(name: &str, rest: &[Document]) -> Result<String, String> {
    // `as: "a.b"` also makes `a`, in place of whatever stood there: nobody may look at `a`.
    let name = name.split('.').next().unwrap_or(name);
    for document in rest {
        let operator = stage(document).map_or("a stage", |(operator, _)| operator);
        let effect = effect(document);
        if !effect.known && !effect.replaces {
            return Err(format!("{operator} may read every field"));
        }
        if effect.reads.all {
            return Err(format!("{operator} reads whole documents"));
        }
        if operator == "$unwind" && effect.reads.touches(name) {
            return Err("$unwind makes documents of it".into());
        }
        if effect.reads.touches(name) {
            return Err(format!("{operator} reads it"));
        }
        if effect.replaces {
            return Ok(format!("{operator} leaves it out of the result"));
        }
        let removes = matches!(operator, "$unset" | "$project");
        if removes
            && effect
                .writes
                .named
                .iter()
                .any(|path| overlap(path, name) && path.len() <= name.len())
        {
            return Ok(format!("{operator} removes it"));
        }
        if effect.writes.touches(name) {
            return Err(format!("{operator} writes into it"));
        }
    }
    Err("it is part of the result".into())
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use marula_core::Version;

    use super::*;

    fn lookup() -> Document {
        doc! {"$lookup": {"from": "users", "localField": "u", "foreignField": "_id", "as": "who"}}
    }

    fn answer(rest: &[Document]) -> Answer {
        let pipeline: Vec<Document> = [lookup()].into_iter().chain(rest.iter().cloned()).collect();
        rewrite(&pipeline, Facts { schema: None, version: Version::new(6, 0, 0), unique: &[] })
    }

    fn reason(rest: &[Document]) -> String {
        answer(rest).err().flatten().unwrap_or_default()
    }

    #[test]
    fn it_is_dropped_when_a_later_stage_leaves_it_out() {
        let group = doc! {"$group": {"_id": "$city", "n": {"$sum": 1}}};
        let rewritten =
            answer(&[doc! {"$sort": {"at": 1}}, group]).unwrap_or_else(|_| unreachable());
        assert_eq!(rewritten.pipeline.len(), 2);
        assert!(answer(&[doc! {"$unset": "who"}]).is_ok());
        assert!(answer(&[doc! {"$project": {"who": 0}}]).is_ok());
    }

    fn unreachable() -> Rewrite {
        Rewrite { ids: vec![], title: String::new(), pipeline: vec![], conditions: vec![] }
    }

    #[test]
    fn it_stays_when_anything_could_see_it() {
        assert!(reason(&[]).contains("part of the result"));
        assert!(reason(&[doc! {"$unwind": "$who"}, doc! {"$count": "n"}]).contains("$unwind"));
        assert!(
            reason(&[doc! {"$match": {"who": {"$ne": []}}}, doc! {"$count": "n"}])
                .contains("$match")
        );
        let root = doc! {"$group": {"_id": "$a", "d": {"$first": "$$ROOT"}}};
        assert!(reason(&[root]).contains("whole documents"));
        let current = doc! {"$replaceRoot": {"newRoot": "$$CURRENT"}};
        assert!(reason(&[current]).contains("whole documents"));
        let facet = doc! {"$facet": {"page": [{"$limit": 5}]}};
        assert!(reason(&[facet]).contains("whole documents"));
        let into = doc! {"$addFields": {"who.x": 1}};
        assert!(reason(&[into, doc! {"$count": "n"}]).contains("writes into it"));
        assert!(reason(&[doc! {"$redact": "$$KEEP"}]).contains("may read every field"));
    }

    #[test]
    fn it_stays_when_it_is_seen_without_a_path_to_it() {
        let nested = doc! {"$project": {"address": {"street": 0}}};
        assert!(reason(&[nested]).contains("part of the result"), "that leaves out, not in");
        let field = doc! {"$group": {"_id": {"$getField": "who"}}};
        assert!(reason(&[field]).contains("$group reads it"));
        let field = doc! {"$group": {"_id": {"$getField": {"field": {"$literal": "who"}}}}};
        assert!(reason(&[field]).contains("whole documents"));
        let into = doc! {"$project": {"who.x": "$y"}};
        assert!(reason(&[into]).contains("$project reads it"), "once for each element of who");
        let inside = doc! {"$project": {"who": {"x": 0}}};
        assert!(reason(&[inside]).contains("writes into it"));
    }

    #[test]
    fn a_lookup_into_a_field_changes_the_field_itself() {
        let into = |rest: Document| {
            let lookup = doc! {"$lookup": {
                "from": "users", "localField": "u", "foreignField": "_id", "as": "who.list",
            }};
            let facts = Facts { schema: None, version: Version::new(6, 0, 0), unique: &[] };
            rewrite(&[lookup, rest], facts).err().flatten().unwrap_or_default()
        };
        assert!(into(doc! {"$unset": "who.list"}).contains("writes into it"), "an empty who stays");
        assert!(into(doc! {"$group": {"_id": "$who.name"}}).contains("reads it"));
        assert!(into(doc! {"$unset": "who"}).is_empty());
    }
}
