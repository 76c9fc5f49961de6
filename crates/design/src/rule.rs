use marula_core::{Engine, Example, RuleInfo, Severity, Version};

use crate::Draft;

/// A rule on a database's design: what is known of it, and its check. `C` is the engine's
/// catalogue.
#[derive(Debug)]
pub struct Rule<C: 'static> {
    /// Its id, its page, its examples. An example's set-up makes the database.
    pub info: RuleInfo,
    /// What it finds. A check never fails: what it cannot see, it does not report.
    pub check: fn(&C) -> Vec<Draft>,
}

impl<C: Catalogued> Rule<C> {
    /// What it finds in a catalogue of a version it applies to.
    pub fn find(&self, catalog: &C) -> Vec<Draft> {
        if self.info.since.is_some_and(|since| catalog.version() < since) {
            return Vec::new();
        }
        let mut found = (self.check)(catalog);
        for draft in &mut found {
            draft.rule = self.info.id;
            draft.severity = draft.severity.min(self.info.severity);
        }
        found
    }
}

/// An engine's catalogue.
pub trait Catalogued {
    /// The engine.
    const ENGINE: Engine;

    /// The server's version.
    fn version(&self) -> Version;
}

impl Catalogued for marula_core::RelationalCatalog {
    const ENGINE: Engine = Engine::Postgres;

    fn version(&self) -> Version {
        self.version
    }
}

impl Catalogued for marula_core::DocumentCatalog {
    const ENGINE: Engine = Engine::Mongodb;

    fn version(&self) -> Version {
        self.version
    }
}

/// A rule from its parts.
pub(crate) const fn rule<C: Catalogued>(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    page: &'static str,
    source: &'static str,
    examples: &'static [Example],
    check: fn(&C) -> Vec<Draft>,
) -> Rule<C> {
    let engine = C::ENGINE;
    Rule {
        info: RuleInfo { id, engine, title, severity, since: None, page, source, examples },
        check,
    }
}

/// A database in which the rule finds something.
pub(crate) const fn bad(name: &'static str, setup: &'static str) -> Example {
    Example { name, setup, statement: "", fires: true }
}

/// A database in which it does not.
pub(crate) const fn good(name: &'static str, setup: &'static str) -> Example {
    Example { name, setup, statement: "", fires: false }
}
