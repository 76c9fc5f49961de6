//! What the statements before this one left open: a transaction, locks, settings.

use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::Lock;
use crate::migration::Options;

/// What is known of `lock_timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockTimeout {
    /// The file does not say; whoever runs it may have set it.
    Unset,
    /// Switched off.
    Off,
    /// Set, in milliseconds.
    Set(u64),
}

/// The transaction and session a statement runs in.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// Whether a transaction is open.
    pub open: bool,
    /// Whether the tool opened it around the whole file.
    pub of_tool: bool,
    /// Whether whoever runs the file cuts UPDATE and DELETE into batches.
    pub batched: bool,
    /// What it has locked against writers or all, in order.
    pub held: Vec<(String, Lock)>,
    /// Enum values it added: type, value.
    pub enum_values: Vec<(String, String)>,
    /// Indexes the file drops, where they are there.
    pub dropped: Vec<String>,
    /// The limit for waiting for locks.
    pub lock_timeout: LockTimeout,
    /// The session's time zone, once the file sets it.
    pub time_zone: Option<String>,
    session_lock_timeout: LockTimeout,
}

impl Transaction {
    /// At the beginning of a file.
    pub fn begin(options: &Options) -> Self {
        let lock_timeout = match options.lock_timeout {
            Some(limit) if limit.is_zero() => LockTimeout::Off,
            Some(limit) => LockTimeout::Set(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
            None => LockTimeout::Unset,
        };
        Transaction {
            open: options.transaction,
            of_tool: options.transaction,
            batched: options.batch.is_some(),
            held: Vec::new(),
            enum_values: Vec::new(),
            dropped: Vec::new(),
            lock_timeout,
            session_lock_timeout: lock_timeout,
            time_zone: None,
        }
    }

    /// After a statement ran.
    pub fn apply(&mut self, node: &NodeEnum) {
        match node {
            NodeEnum::TransactionStmt(statement) => {
                use pb::TransactionStmtKind as Kind;
                match Kind::try_from(statement.kind) {
                    Ok(Kind::TransStmtBegin | Kind::TransStmtStart) => self.open = true,
                    Ok(
                        Kind::TransStmtCommit | Kind::TransStmtRollback | Kind::TransStmtPrepare,
                    ) => {
                        self.open = statement.chain;
                        self.held.clear();
                        self.enum_values.clear();
                        self.lock_timeout = self.session_lock_timeout;
                    }
                    _ => {}
                }
            }
            NodeEnum::VariableSetStmt(set) => self.set(set),
            NodeEnum::DropStmt(drop) if drop.remove_type == pb::ObjectType::ObjectIndex as i32 => {
                let names =
                    drop.objects.iter().filter_map(|object| match object.node.as_ref()? {
                        NodeEnum::List(name) => super::context::strings(&name.items).pop(),
                        _ => None,
                    });
                self.dropped.extend(names);
            }
            NodeEnum::AlterEnumStmt(alter) if self.open && alter.old_val.is_empty() => {
                let name = super::context::strings(&alter.type_name).pop().unwrap_or_default();
                self.enum_values.push((name, alter.new_val.clone()));
            }
            _ => {}
        }
        if !self.open {
            self.held.clear();
        }
    }

    fn set(&mut self, set: &pb::VariableSetStmt) {
        let value = set.args.first().and_then(|arg| match arg.node.as_ref()? {
            NodeEnum::AConst(constant) => match constant.val.as_ref()? {
                pb::a_const::Val::Ival(number) => Some(number.ival.to_string()),
                pb::a_const::Val::Sval(text) => Some(text.sval.clone()),
                pb::a_const::Val::Fval(number) => Some(number.fval.clone()),
                _ => None,
            },
            _ => None,
        });
        match set.name.to_ascii_lowercase().as_str() {
            "lock_timeout" => {
                self.lock_timeout = match value.as_deref().map(milliseconds) {
                    None | Some(None) => LockTimeout::Unset,
                    Some(Some(0)) => LockTimeout::Off,
                    Some(Some(ms)) => LockTimeout::Set(ms),
                };
                if !set.is_local {
                    self.session_lock_timeout = self.lock_timeout;
                }
            }
            "timezone" => self.time_zone = value,
            _ => {}
        }
    }

    /// Whether waiting for a lock ends by itself.
    pub fn waits_briefly(&self) -> bool {
        matches!(self.lock_timeout, LockTimeout::Set(_))
    }
}

/// `2s`, `500ms`, `1min`, `2000`.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    number.checked_mul(match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    })
}
