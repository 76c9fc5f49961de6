//! The change that hides an index, where the server can, and drops it elsewhere.

use bson::Bson;
use marula_core::{
    Change, ChangeId, ChangeKind, Collection, DocumentIndex, Engine, Proof, Version,
};
use marula_mongodb::{CollMod, Command, CreateIndexes, DropIndex, Operation};

use super::Counted;

/// Counters younger than this tell little: a week.
const YOUNG: f64 = 7.0 * 86_400.0;

/// Hides `index`, because of `why`; `checked` is what was looked at before.
pub(super) fn change(
    index: &DocumentIndex,
    collection: &Collection,
    why: &str,
    version: Version,
    counted: &Counted,
    checked: &str,
) -> Change {
    let text = |operation: Operation| Command::new(&collection.name, operation).to_shell();
    let named = |hidden: bool| CollMod {
        options: bson::doc! {"index": {"name": index.name.as_str(), "hidden": hidden}},
    };
    let (up, down) = if version >= Version::new(4, 4, 0) {
        (text(Operation::CollMod(named(true))), text(Operation::CollMod(named(false))))
    } else {
        let specification = match Bson::try_from(index.specification.clone()) {
            Ok(Bson::Document(specification)) => specification,
            _ => bson::Document::new(),
        };
        let mut specification = specification;
        specification.remove("v");
        specification.remove("ns");
        (
            text(Operation::DropIndex(DropIndex { index: Bson::from(index.name.as_str()) })),
            text(Operation::CreateIndexes(CreateIndexes { indexes: vec![specification] })),
        )
    };
    let mut hazards = vec![
        "hidden it is still written; drop it once nothing was missed for a while".to_string(),
        "statements that are not in this workload may use it".to_string(),
    ];
    match counted.uptime {
        Some(seconds) if seconds < YOUNG => hazards.push(format!(
            "the server's counters of use are {:.1} h young: they begin anew at each start",
            seconds / 3600.0
        )),
        None => hazards.push("how long the counters of use have run is not known".into()),
        _ => {}
    }
    if counted.member {
        hazards.push("each member of the replica set counts for itself: look at the others".into());
    }
    Change {
        id: ChangeId(format!("h_{}_{}", collection.name, index.name)),
        kind: ChangeKind::Index,
        engine: Engine::Mongodb,
        title: format!("hide the index {} of {}: {why}", index.name, collection.name),
        relation: Some(collection.name.clone()),
        up: vec![up],
        down: vec![down],
        hazards,
        conditions: vec![checked.into()],
        proof: Proof::not_tried("not tried yet"),
    }
}
