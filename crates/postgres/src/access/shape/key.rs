use pg_query::{Node, NodeEnum};

use super::super::ast;

/// What a condition or an order is over: a column, or an expression over columns of one
/// relation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The column, when it is a plain one.
    pub column: Option<String>,
    /// As an index would name it: quoted where needed, without an alias.
    pub text: String,
    /// The columns in it.
    pub columns: Vec<String>,
    /// Whether an index may be over it: every function in it is known to be immutable.
    pub immutable: bool,
}

impl Key {
    /// A plain column.
    pub fn column(name: &str) -> Key {
        Key {
            column: Some(name.into()),
            text: crate::sql::quote_ident(name),
            columns: vec![name.into()],
            immutable: true,
        }
    }

    /// An expression over the bare `columns` of one relation; `None` when it cannot be printed.
    pub(super) fn expression(node: &Node, columns: Vec<String>) -> Option<Key> {
        let text = ast::sql(node)?;
        let immutable = ast::all(node).iter().all(|below| is_immutable(below));
        Some(Key { column: None, text, columns, immutable })
    }

    /// As an index definition writes it: an expression that is not a function call needs
    /// parentheses.
    pub fn in_index(&self) -> String {
        if self.column.is_some() {
            return self.text.clone();
        }
        format!("({})", self.text)
    }
}

fn is_immutable(node: &Node) -> bool {
    match &node.node {
        // date_trunc and extract are immutable over `timestamp` and `date` only; whoever
        // proposes an index over them checks the column's type.
        Some(NodeEnum::FuncCall(call)) => {
            let name = ast::function(call);
            match name {
                "date_trunc" | "date_part" | "extract" => true,
                // With one argument the configuration is the session's.
                "to_tsvector" => call.args.len() == 2,
                name => ast::IMMUTABLE.contains(&name),
            }
        }
        Some(NodeEnum::SubLink(_) | NodeEnum::ParamRef(_) | NodeEnum::SqlvalueFunction(_)) => false,
        _ => true,
    }
}
