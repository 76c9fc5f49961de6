//! What a rule looks at: one statement, the schema it meets, the transaction it runs in.

use std::rc::Rc;

use marula_core::{MigrationWork, Severity, Version};
use marula_postgres::sql::{self, ParsedStatement};
use pg_query::protobuf as pb;
use pg_query::{NodeEnum, NodeRef};

use super::schema::{Schema, Table, UserType, table_key};
use super::transaction::Transaction;
use super::types::{self, Type};
use super::{Lock, classify};
use crate::rule::Draft;

/// One statement where it stands.
pub struct Context {
    /// The statement.
    pub statement: ParsedStatement,
    /// What is known of the schema before it.
    pub schema: Rc<Schema>,
    /// The transaction and session before it.
    pub transaction: Rc<Transaction>,
    /// The server's version; the newest known when none was given.
    pub version: Version,
    /// The file, by its number in this run.
    pub file: usize,
    /// What the rules before this one found in the statement.
    pub found: Vec<Draft>,
}

/// One part of an ALTER TABLE.
pub struct Alter<'a> {
    /// The table.
    pub table: String,
    /// Whether it says ONLY: not what belongs to the table or inherits from it.
    pub only: bool,
    /// The part.
    pub cmd: &'a pb::AlterTableCmd,
    /// Its kind.
    pub kind: pb::AlterTableType,
    /// The lock the whole statement takes on the table: the strongest of its parts.
    pub lock: Lock,
}

impl<'a> Alter<'a> {
    /// The column it defines.
    pub fn column(&self) -> Option<&'a pb::ColumnDef> {
        match self.cmd.def.as_deref()?.node.as_ref()? {
            NodeEnum::ColumnDef(column) => Some(column),
            _ => None,
        }
    }

    /// The constraint it adds.
    pub fn constraint(&self) -> Option<&'a pb::Constraint> {
        match self.cmd.def.as_deref()?.node.as_ref()? {
            NodeEnum::Constraint(constraint) => Some(constraint),
            _ => None,
        }
    }

    /// The partition it attaches or detaches.
    pub fn partition(&self) -> Option<&'a pb::PartitionCmd> {
        match self.cmd.def.as_deref()?.node.as_ref()? {
            NodeEnum::PartitionCmd(partition) => Some(partition),
            _ => None,
        }
    }
}

/// What adding a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewColumn {
    /// A change of the catalogue alone.
    Plain,
    /// A default that differs from row to row.
    Volatile,
    /// `serial`, or an identity.
    Serial,
    /// Computed and stored.
    Stored,
    /// Computed when read.
    Virtual,
    /// Of a domain that checks its values.
    Domain,
}

impl crate::rule::Meets for Context {
    const ENGINE: marula_core::Engine = marula_core::Engine::Postgres;
}

impl Context {
    /// The statement's node.
    pub fn node(&self) -> Option<&NodeEnum> {
        self.statement.root()
    }

    /// The parts of an ALTER TABLE on a table, of one kind or any.
    pub fn alters(&self) -> Vec<Alter<'_>> {
        let Some(NodeEnum::AlterTableStmt(alter)) = self.node() else { return Vec::new() };
        let Some(relation) = &alter.relation else { return Vec::new() };
        let tables = [
            pb::ObjectType::ObjectTable as i32,
            pb::ObjectType::ObjectMatview as i32,
            pb::ObjectType::ObjectForeignTable as i32,
        ];
        if !tables.contains(&alter.objtype) {
            return Vec::new();
        }
        let cmds = || {
            alter.cmds.iter().filter_map(|cmd| match cmd.node.as_ref() {
                Some(NodeEnum::AlterTableCmd(cmd)) => Some(cmd.as_ref()),
                _ => None,
            })
        };
        let lock = cmds().map(classify::alter_lock).max().unwrap_or(Lock::AccessExclusive);
        cmds()
            .map(|cmd| Alter {
                table: table_key(relation),
                only: !relation.inh,
                cmd,
                kind: pb::AlterTableType::try_from(cmd.subtype)
                    .unwrap_or(pb::AlterTableType::Undefined),
                lock,
            })
            .collect()
    }

    /// The parts of an ALTER TABLE that are of `kind`.
    pub fn altered(&self, kind: pb::AlterTableType) -> Vec<Alter<'_>> {
        let mut all = self.alters();
        all.retain(|alter| alter.kind == kind);
        all
    }

    /// The constraints an ALTER TABLE adds by themselves.
    pub fn added(&self, kind: pb::ConstrType) -> Vec<(Alter<'_>, &pb::Constraint)> {
        let Some(NodeEnum::AlterTableStmt(_)) = self.node() else { return Vec::new() };
        self.altered(pb::AlterTableType::AtAddConstraint)
            .into_iter()
            .filter_map(|alter| alter.constraint().map(|constraint| (alter, constraint)))
            .filter(|(_, constraint)| constraint.contype == kind as i32)
            .collect()
    }

    /// The columns an ALTER TABLE adds.
    pub fn new_columns(&self) -> Vec<(Alter<'_>, &pb::ColumnDef)> {
        let adds = self.altered(pb::AlterTableType::AtAddColumn);
        adds.into_iter().filter_map(|add| add.column().map(|column| (add, column))).collect()
    }

    /// A table, when it is known.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.schema.table(name)
    }

    /// Whether the same file made it, so that nobody else works on it or it is still empty.
    pub fn is_new(&self, name: &str) -> bool {
        self.table(name).is_some_and(|table| table.born == Some(self.file))
    }

    /// What adding this column takes.
    pub fn new_column(&self, column: &pb::ColumnDef) -> NewColumn {
        let of = |kind: pb::ConstrType| inline(column).find(|c| c.contype == kind as i32);
        if column.type_name.as_ref().is_some_and(types::is_serial)
            || of(pb::ConstrType::ConstrIdentity).is_some()
        {
            return NewColumn::Serial;
        }
        if let Some(generated) = of(pb::ConstrType::ConstrGenerated) {
            // Virtual is the default since 18, and stored had to be written before.
            let stored = generated.generated_kind == "s" || self.version.major < 18;
            return if stored { NewColumn::Stored } else { NewColumn::Virtual };
        }
        if let Some(expression) = default_of(column)
            && self.is_volatile(expression)
        {
            return NewColumn::Volatile;
        }
        let of_type = column.type_name.as_ref().map(Type::of);
        let domain =
            of_type.as_ref().filter(|of| !of.array).and_then(|of| self.schema.types.get(&of.name));
        match domain {
            Some(UserType::Domain { constrained: true, .. }) => NewColumn::Domain,
            _ => NewColumn::Plain,
        }
    }

    /// Whether an expression may differ from row to row.
    pub fn is_volatile(&self, expression: &pb::Node) -> bool {
        let Some(node) = expression.node.as_ref() else { return false };
        let mut volatile = false;
        let whole = sql::walk(node.to_ref(), |node| {
            if let NodeRef::FuncCall(call) = node {
                let names = strings(&call.funcname);
                let own = names.last().map(String::as_str).unwrap_or_default();
                let builtin = names.len() == 1 || names.first().is_some_and(|n| n == "pg_catalog");
                volatile |= !(self.schema.steady.contains(own) || (builtin && is_steady(own)));
            }
        });
        volatile || whole.is_err()
    }

    /// What is known of a column's type.
    pub fn type_of(&self, table: &str, column: &str) -> Option<&Type> {
        self.table(table)?.column(column)?.data_type.as_ref()
    }
}

/// The constraints written with a column.
pub fn inline(column: &pb::ColumnDef) -> impl Iterator<Item = &pb::Constraint> {
    column.constraints.iter().filter_map(|node| match node.node.as_ref() {
        Some(NodeEnum::Constraint(constraint)) => Some(constraint.as_ref()),
        _ => None,
    })
}

/// Whether a constraint of that kind is written with a column.
pub fn has_inline(column: &pb::ColumnDef, kind: pb::ConstrType) -> bool {
    inline(column).any(|constraint| constraint.contype == kind as i32)
}

/// A column's default, unless it is NULL.
pub fn default_of(column: &pb::ColumnDef) -> Option<&pb::Node> {
    let written = column.raw_default.as_deref().or_else(|| {
        inline(column)
            .find(|c| c.contype == pb::ConstrType::ConstrDefault as i32)
            .and_then(|c| c.raw_expr.as_deref())
    })?;
    match written.node.as_ref() {
        Some(NodeEnum::AConst(constant)) if constant.isnull => None,
        _ => Some(written),
    }
}

/// The texts of a list of names.
pub fn strings(nodes: &[pb::Node]) -> Vec<String> {
    nodes
        .iter()
        .filter_map(|node| match node.node.as_ref()? {
            NodeEnum::String(text) => Some(text.sval.clone()),
            NodeEnum::List(list) => Some(strings(&list.items).join(".")),
            _ => None,
        })
        .collect()
}

/// A name given as a list of its parts, as it is looked up.
pub fn name_of(parts: &[pb::Node]) -> String {
    match strings(parts).as_slice() {
        [] => String::new(),
        [name] => name.clone(),
        [.., schema, name] => super::schema::key(schema, name),
    }
}

/// Built-in functions that give the same for all rows of a statement.
pub(super) fn is_steady(name: &str) -> bool {
    const STEADY: &[&str] = &[
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "current_setting",
        "lower",
        "upper",
        "initcap",
        "length",
        "char_length",
        "concat",
        "concat_ws",
        "coalesce",
        "md5",
        "sha256",
        "encode",
        "decode",
        "to_char",
        "to_date",
        "to_timestamp",
        "to_number",
        "date_trunc",
        "date_part",
        "extract",
        "age",
        "make_date",
        "make_interval",
        "make_timestamp",
        "make_timestamptz",
        "timezone",
        "to_json",
        "to_jsonb",
        "jsonb_build_object",
        "json_build_object",
        "jsonb_build_array",
        "json_build_array",
        "array_fill",
        "round",
        "floor",
        "ceil",
        "abs",
        "substr",
        "substring",
        "replace",
        "trim",
        "btrim",
        "ltrim",
        "rtrim",
        "lpad",
        "rpad",
        "left",
        "right",
        "repeat",
        "power",
        "sqrt",
        "to_tsvector",
        "to_tsquery",
        "int4range",
        "int8range",
        "numrange",
        "tsrange",
        "tstzrange",
        "daterange",
        "current_database",
        "current_schema",
        "point",
        "box",
        "bit",
        "int4",
        "int8",
        "text",
        "varchar",
        "date",
        "format",
        "split_part",
        "string_to_array",
        "array_to_string",
        "greatest",
        "least",
        "nullif",
        "justify_days",
        "justify_hours",
        "justify_interval",
        "localtimestamp",
        "inet",
        "host",
        "quote_ident",
        "quote_literal",
        "version",
        "pg_current_xact_id",
        "txid_current",
        "user",
        "session_user",
    ];
    STEADY.contains(&name)
}

/// A draft about a lock on a table.
pub fn locked(lock: Lock, object: &str, severity: Severity, title: String, why: &str) -> Draft {
    let mut draft = Draft::plain(severity, title, why).on(object);
    draft.lock = Some(lock.name());
    draft.blocks = lock.blocks();
    draft
}

/// A draft about work that grows with a table, under a lock.
pub fn heavy(lock: Lock, object: &str, work: MigrationWork, title: String, why: &str) -> Draft {
    locked(lock, object, Severity::High, title, why).work(work)
}

/// A draft about a lock that is held for a moment only: what matters is how long it is waited for.
pub fn brief(lock: Lock, object: &str, title: String, why: &str) -> Draft {
    let mut draft = locked(lock, object, Severity::Info, title, why);
    draft.brief = true;
    draft
}
