use std::collections::HashSet;

use pg_query::NodeRef;

use super::walk;

/// A relation as a statement names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RelationRef {
    /// The schema, when it is written.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
    /// Where it stands, in bytes.
    pub location: i32,
}

impl RelationRef {
    /// `schema.name`, or the bare name.
    pub fn qualified(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The relations named below `root`, each once. Names of WITH queries are left out wherever
/// they stand; one that also names a table is taken for the WITH query.
pub fn relations_of(root: NodeRef<'_>) -> Vec<RelationRef> {
    let mut queries = HashSet::new();
    let mut found = Vec::new();
    let _ = walk(root, |node| match node {
        NodeRef::CommonTableExpr(query) => {
            queries.insert(query.ctename.as_str());
        }
        NodeRef::RangeVar(relation) => found.push(relation),
        _ => {}
    });
    let mut seen = HashSet::new();
    found
        .into_iter()
        .filter(|r| !r.schemaname.is_empty() || !queries.contains(r.relname.as_str()))
        .filter(|r| seen.insert((r.schemaname.as_str(), r.relname.as_str())))
        .map(|r| RelationRef {
            schema: (!r.schemaname.is_empty()).then(|| r.schemaname.clone()),
            name: r.relname.clone(),
            location: r.location,
        })
        .collect()
}
