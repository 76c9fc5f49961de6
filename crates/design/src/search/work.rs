use marula_core::model::{Model, Query};
use marula_core::{Error, Result};

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
    /// Finds the names of all queries. One that is said in SQL is read by `sql`.
    pub fn new(
        model: &Model,
        sql: impl Fn(&Model, &str) -> Result<marula_core::model::AccessPath>,
    ) -> Self {
        let mut work = Work::default();
        for (query, said) in model.queries.iter().enumerate() {
            match read(model, said, &sql) {
                Ok(question) => work.asked.push(Asking { query, question }),
                Err(error) => work.left_out.push((said.name.clone(), error)),
            }
        }
        work
    }
}

fn read(
    model: &Model,
    query: &Query,
    sql: impl Fn(&Model, &str) -> Result<marula_core::model::AccessPath>,
) -> Result<Question> {
    match (&query.access, &query.sql) {
        (Some(access), _) => resolve(model, access),
        (None, Some(text)) => resolve(model, &sql(model, text)?),
        (None, None) => Err(Error::new(
            marula_core::ErrorKind::Usage,
            format!("{} says neither sql nor access", query.name),
        )),
    }
}
