//! What a statement calls and names: the questions to put to the catalogue.

use std::collections::BTreeSet;

use pg_query::{Node, NodeEnum, NodeRef};

use crate::sql;

/// A name as written: the schema, when there is one, and the last part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    pub schema: Option<String>,
    pub name: String,
}

/// Everything a tree calls or names.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Functions with the number of arguments; `None` where it does not tell.
    pub functions: BTreeSet<(Name, Option<i32>)>,
    /// Names that may turn out to be functions of a row: `t.name`, `(x).name`.
    pub attributes: BTreeSet<String>,
    /// Operators.
    pub operators: BTreeSet<Name>,
    /// Types.
    pub types: BTreeSet<Name>,
    /// Relations. WITH queries are among them: which is which only the scope tells, and a view
    /// hidden behind the name of a WITH query elsewhere must not slip by.
    pub relations: BTreeSet<Name>,
    /// Functions by oid: what aggregates are made of.
    pub parts: BTreeSet<u32>,
}

/// The last part of a dotted name.
pub(super) fn last_name(parts: &[Node]) -> Option<&str> {
    parts.iter().rev().find_map(text)
}

fn text(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::String(string)) => Some(&string.sval),
        _ => None,
    }
}

fn name(parts: &[Node]) -> Option<Name> {
    let mut parts = parts.iter().rev().filter_map(text);
    let name = parts.next()?.to_string();
    Some(Name { schema: parts.next().map(str::to_string), name })
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
            && self.attributes.is_empty()
            && self.operators.is_empty()
            && self.types.is_empty()
            && self.relations.is_empty()
            && self.parts.is_empty()
    }

    pub(super) fn merge(&mut self, mut other: Calls) {
        self.functions.append(&mut other.functions);
        self.attributes.append(&mut other.attributes);
        self.operators.append(&mut other.operators);
        self.types.append(&mut other.types);
        self.relations.append(&mut other.relations);
        self.parts.append(&mut other.parts);
    }

    /// Names without a schema may mean one in any schema: for functions with a search path of
    /// their own.
    pub(super) fn look_anywhere(&mut self) {
        let anywhere = |name: Name| Name { schema: name.schema.or(Some("*".into())), ..name };
        self.functions = std::mem::take(&mut self.functions)
            .into_iter()
            .map(|(name, count)| (anywhere(name), count))
            .collect();
        for names in [&mut self.operators, &mut self.types, &mut self.relations] {
            *names = std::mem::take(names).into_iter().map(anywhere).collect();
        }
    }

    /// Adds what the tree below `root` calls.
    pub(super) fn collect(&mut self, root: NodeRef<'_>) {
        let _ = sql::walk(root, |node| match node {
            NodeRef::FuncCall(call) => {
                if let Some(name) = name(&call.funcname) {
                    let arguments = call.args.len()
                        + if call.agg_within_group { call.agg_order.len() } else { 0 };
                    let arguments = (!call.func_variadic).then_some(arguments);
                    self.functions.insert((name, arguments.and_then(|n| i32::try_from(n).ok())));
                }
            }
            NodeRef::ColumnRef(column) if column.fields.len() > 1 => {
                self.attributes.extend(last_name(&column.fields).map(str::to_string));
            }
            NodeRef::AIndirection(path) => {
                self.attributes
                    .extend(path.indirection.iter().filter_map(text).map(str::to_string));
            }
            NodeRef::AExpr(expression) => self.operators.extend(name(&expression.name)),
            NodeRef::SubLink(link) => self.operators.extend(name(&link.oper_name)),
            NodeRef::SortBy(sort) => self.operators.extend(name(&sort.use_op)),
            NodeRef::TypeName(kind) => self.types.extend(name(&kind.names)),
            NodeRef::RangeTableSample(sample) => {
                if let Some(name) = name(&sample.method) {
                    self.functions.insert((name, Some(1)));
                }
            }
            NodeRef::RangeVar(relation) => {
                self.relations.insert(Name {
                    schema: (!relation.schemaname.is_empty()).then(|| relation.schemaname.clone()),
                    name: relation.relname.clone(),
                });
            }
            _ => {}
        });
    }
}
