use std::collections::HashSet;

use pg_query::{NodeRef, protobuf as pb};

use super::children::children;

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
    let mut open = vec![root];
    let mut below = Vec::new();
    while let Some(node) = open.pop() {
        match node {
            NodeRef::CommonTableExpr(query) => {
                queries.insert(query.ctename.as_str());
            }
            NodeRef::RangeVar(relation) => found.push(relation),
            _ => {}
        }
        if !children(node, &mut below) {
            writing(node, &mut below);
        }
        open.extend(below.drain(..).rev());
    }
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

/// The parts of a data-modifying statement. [`super::walk`] does not go into these, so that a guard
/// that forgets them refuses them.
pub(super) fn writing<'a>(node: NodeRef<'a>, into: &mut Vec<NodeRef<'a>>) {
    fn one<'a>(part: &'a Option<Box<pb::Node>>, into: &mut Vec<NodeRef<'a>>) {
        into.extend(part.iter().filter_map(|node| node.node.as_ref()).map(|node| node.to_ref()));
    }
    fn all<'a>(parts: &'a [pb::Node], into: &mut Vec<NodeRef<'a>>) {
        into.extend(parts.iter().filter_map(|node| node.node.as_ref()).map(|node| node.to_ref()));
    }
    let mut head = |relation: &'a Option<pb::RangeVar>, with: &'a Option<pb::WithClause>| {
        into.extend(relation.iter().map(NodeRef::RangeVar));
        into.extend(with.iter().map(NodeRef::WithClause));
    };
    match node {
        NodeRef::InsertStmt(insert) => {
            head(&insert.relation, &insert.with_clause);
            one(&insert.select_stmt, into);
            if let Some(conflict) = insert.on_conflict_clause.as_deref() {
                all(&conflict.target_list, into);
                one(&conflict.where_clause, into);
            }
        }
        NodeRef::UpdateStmt(update) => {
            head(&update.relation, &update.with_clause);
            all(&update.target_list, into);
            all(&update.from_clause, into);
            one(&update.where_clause, into);
        }
        NodeRef::DeleteStmt(delete) => {
            head(&delete.relation, &delete.with_clause);
            all(&delete.using_clause, into);
            one(&delete.where_clause, into);
        }
        NodeRef::MergeStmt(merge) => {
            head(&merge.relation, &merge.with_clause);
            one(&merge.source_relation, into);
            one(&merge.join_condition, into);
            all(&merge.merge_when_clauses, into);
        }
        NodeRef::MergeWhenClause(when) => {
            one(&when.condition, into);
            all(&when.target_list, into);
            all(&when.values, into);
        }
        NodeRef::CopyStmt(copy) => {
            into.extend(copy.relation.iter().map(NodeRef::RangeVar));
            one(&copy.query, into);
        }
        NodeRef::TruncateStmt(truncate) => all(&truncate.relations, into),
        NodeRef::IndexStmt(index) => into.extend(index.relation.iter().map(NodeRef::RangeVar)),
        _ => {}
    }
}
