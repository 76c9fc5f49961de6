use marula_core::model::{Model, Operator};
use marula_core::{Error, ErrorKind};

use crate::model::sql::path_of;
use crate::question::{Question, resolve};

/// A model's queries with every name found.
#[derive(Debug, Default)]
pub struct Work {
    /// The queries that can be asked of every structure.
    pub asked: Vec<Asking>,
    /// Those that cannot, with why.
    pub left_out: Vec<(String, Error)>,
}

/// A query with every name found.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The query's index in the model.
    pub query: usize,
    /// What is asked.
    pub question: Question,
}

impl Work {
    /// Finds the names of all queries.
    pub fn new(model: &Model) -> Self {
        let mut work = Work::default();
        for (query, said) in model.queries.iter().enumerate() {
            match path_of(model, said).and_then(|path| resolve(model, &path)) {
                Ok(question) if answered_alike(&question) => {
                    work.asked.push(Asking { query, question })
                }
                Ok(_) => {
                    let why = "a search for words is answered by each engine in its own way";
                    work.left_out
                        .push((said.name.clone(), Error::new(ErrorKind::Unsupported, why)));
                }
                Err(error) => work.left_out.push((said.name.clone(), error)),
            }
        }
        work
    }
}

/// Whether every engine and structure must give the same answer.
fn answered_alike(question: &Question) -> bool {
    question.demands().all(|demand| demand.is != Operator::Matches)
}
