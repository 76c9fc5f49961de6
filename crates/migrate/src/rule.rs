use marula_core::{Blocks, Engine, Evidence, Example, MigrationWork, RuleInfo, Severity, Version};

/// A rule on migrations: what is known of it, and its check. `C` is what an engine's checks look
/// at: the statement, the schema it meets, the transaction it is in.
#[derive(Debug)]
pub struct Rule<C: ?Sized + 'static> {
    /// Its place among the engine's rules, kept when others come or go.
    pub number: u8,
    /// Its id, its page, its examples. In an example the set-up is what is there before the
    /// migration, and the statement is the migration.
    pub info: RuleInfo,
    /// What it finds. A check never fails: what it cannot see, it does not report.
    pub check: fn(&C) -> Vec<Draft>,
}

/// What a rule found, before it is put in words for all.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The rule; filled in by who asked it.
    pub rule: &'static str,
    /// How much it matters here; the rule's own severity unless it says otherwise.
    pub severity: Severity,
    /// What was found, in one line.
    pub title: String,
    /// Why that hurts and what the safe form is.
    pub explanation: String,
    /// The lock's mode.
    pub lock: Option<&'static str>,
    /// What is locked or changed.
    pub object: Option<String>,
    /// Work that grows with the object.
    pub work: MigrationWork,
    /// Who waits.
    pub blocks: Blocks,
    /// Numbers and words behind it.
    pub evidence: Vec<Evidence>,
    /// Whether it is said even of an object that the same file made.
    pub even_new: bool,
    /// How many lines below the statement's first it is about.
    pub below: usize,
    /// Whether the lock is held for a moment only, so that a lock_timeout is all it needs.
    pub brief: bool,
}

impl Draft {
    /// A draft about a statement without a lock that hurts.
    pub fn plain(severity: Severity, title: impl Into<String>, why: impl Into<String>) -> Self {
        Draft {
            rule: "",
            severity,
            title: title.into(),
            explanation: why.into(),
            lock: None,
            object: None,
            work: MigrationWork::None,
            blocks: Blocks::Nothing,
            evidence: Vec::new(),
            even_new: false,
            below: 0,
            brief: false,
        }
    }

    /// What it is about.
    pub fn on(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    /// The work that grows with the object.
    pub fn work(mut self, work: MigrationWork) -> Self {
        self.work = work;
        self
    }

    /// Who waits, where the lock does not say it.
    pub fn blocks(mut self, blocks: Blocks) -> Self {
        self.blocks = blocks;
        self
    }

    /// Another fact.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.evidence.push(Evidence::text(name, value));
        self
    }

    /// Said even when the object is new.
    pub fn even_new(mut self) -> Self {
        self.even_new = true;
        self
    }
}

/// How large an object is, where a target told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Rows or documents.
    pub rows: f64,
    /// Bytes, without indexes.
    pub bytes: u64,
}

impl Size {
    /// So small that any work on it is done in a moment.
    pub fn tiny(&self) -> bool {
        self.rows < 10_000.0 && self.bytes < 4 << 20
    }
}

/// A rule's page, from its parts.
const fn info(
    engine: Engine,
    id: &'static str,
    title: &'static str,
    severity: Severity,
    since: Option<Version>,
    page: &'static str,
    examples: &'static [Example],
) -> RuleInfo {
    let source = match engine {
        Engine::Postgres => {
            "lock and work measured by the tests with pg_locks, relfilenodes and tuples read, on \
             PostgreSQL 15 and 18"
        }
        Engine::Mongodb => "measured on MongoDB 6.0, or MongoDB's manual",
    };
    RuleInfo { id, engine, title, severity, since, page, source, examples }
}

/// What an engine's checks look at.
pub trait Meets {
    /// The engine.
    const ENGINE: Engine;
}

/// A rule from its parts.
#[expect(clippy::too_many_arguments, reason = "a table of rules reads best without names")]
pub(crate) const fn rule<C: Meets + 'static>(
    number: u8,
    id: &'static str,
    title: &'static str,
    severity: Severity,
    since: Option<Version>,
    page: &'static str,
    examples: &'static [Example],
    check: fn(&C) -> Vec<Draft>,
) -> Rule<C> {
    let info = info(C::ENGINE, id, title, severity, since, page, examples);
    Rule { number, info, check }
}

/// An example on which the rule fires.
pub(crate) const fn bad(
    name: &'static str,
    setup: &'static str,
    statement: &'static str,
) -> Example {
    Example { name, setup, statement, fires: true }
}

/// An example on which the rule stays quiet.
pub(crate) const fn good(
    name: &'static str,
    setup: &'static str,
    statement: &'static str,
) -> Example {
    Example { name, setup, statement, fires: false }
}
