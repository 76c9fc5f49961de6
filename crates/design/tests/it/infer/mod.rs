//! From data to models: real joins, documents, broken files, live databases.

mod broken;
mod documents;
mod duplicates;
mod live;
mod mutated;
mod tpch;

use marula_core::Quiet;
use marula_core::model::{Entity, Model};
use marula_design::infer::read::{Limits, Read, stream_of};
use marula_design::infer::{InferOptions, Inferred, infer};

/// A source as if it were a file of that name.
pub fn read(name: &str, content: impl AsRef<[u8]>) -> Read {
    stream_of(content.as_ref(), name, Limits::default()).unwrap()
}

/// The model of some sources, without the lab.
pub async fn inferred(reads: Vec<Read>, prove: bool) -> Inferred {
    infer(reads, &InferOptions { name: "shop".into(), prove }, &Quiet).await.unwrap()
}

/// The entity of that name.
pub fn entity<'m>(model: &'m Model, name: &str) -> &'m Entity {
    model.entity(name).unwrap_or_else(|| {
        let names: Vec<&str> = model.entities.iter().map(|entity| entity.name.as_str()).collect();
        panic!("no entity {name} among {names:?}")
    })
}

/// The model file, read again by the reader of model files.
pub fn read_again(inferred: &Inferred) -> Model {
    let text = inferred.report.data.as_ref().unwrap()["yaml"].as_str().unwrap();
    let read = marula_design::model::read(text, "model.yaml").unwrap();
    let wrong: Vec<&str> = read.mistakes.iter().map(|one| one.what.as_str()).collect();
    assert!(!read.is_faulty(), "{wrong:?}\n{text}");
    read.model
}
