use marula_core::EventKind;

use super::story::{Entry, Session, Story};
use super::templates::{TEMPLATES, fill};

/// Errors, locks and temporary files.
impl Story {
    pub(super) fn error(&mut self, session: Session, out: &mut Vec<Entry>) {
        let number = self.random.below(100_000);
        let (severity, code, message, detail, hint, statement) = match self.random.below(5) {
            0 => (
                "ERROR",
                "42P01",
                "relation \"orderz\" does not exist at character 15".into(),
                String::new(),
                "",
                "SELECT * FROM orderz",
            ),
            1 => (
                "ERROR",
                "23505",
                "duplicate key value violates unique constraint \"orders_pkey\"".into(),
                format!("Key (id)=({number}) already exists."),
                "",
                "INSERT INTO orders\nVALUES (1)",
            ),
            2 => (
                "FATAL",
                "28P01",
                format!("password authentication failed for user \"u{number}\""),
                String::new(),
                "",
                "",
            ),
            3 => (
                "WARNING",
                "25001",
                "there is already a transaction in progress".into(),
                String::new(),
                "",
                "",
            ),
            _ => (
                "ERROR",
                "57014",
                "canceling statement due to statement timeout".into(),
                String::new(),
                "",
                "SELECT pg_sleep(10)",
            ),
        };
        if code == "57014" {
            self.happened(EventKind::Cancelled, 0);
        }
        *self.truth.errors.entry((severity.into(), code.into())).or_default() += 1;
        let entry = self.entry(Some(session), message);
        out.push(Entry {
            severity,
            code,
            detail,
            hint: hint.into(),
            statement: statement.into(),
            ..entry
        });
    }

    /// A wait, and what came of it: the lock, or a deadlock.
    pub(super) fn lock(&mut self, place: usize, session: Session, out: &mut Vec<Entry>) {
        let pid = session.pid;
        let other = self.random.below(10_000);
        let message = format!(
            "process {pid} still waiting for ShareLock on transaction {other} after 1000.{:03} ms",
            self.random.below(1000)
        );
        let detail = format!("Process holding the lock: {other}. Wait queue: {pid}.");
        let statement = "UPDATE products SET stock = 0 WHERE id = 7".to_owned();
        let entry = self.entry(Some(session.clone()), message);
        out.push(Entry { detail, statement: statement.clone(), ..entry });
        if self.random.below(3) == 0 {
            self.happened(EventKind::LockWait, 0);
            self.happened(EventKind::Deadlock, 0);
            *self.truth.errors.entry(("ERROR".into(), "40P01".into())).or_default() += 1;
            let entry = self.entry(Some(session), "deadlock detected".into());
            out.push(Entry {
                severity: "ERROR",
                code: "40P01",
                detail: format!("Process {pid} waits for ShareLock on transaction {other}; blocked by process 9.\nProcess 9: UPDATE a SET b = 1"),
                hint: "See server log for query details.".into(),
                context: "while updating tuple (0,1) in relation \"products\"".into(),
                statement,
                ..entry
            });
        } else {
            let micros = 1_000_000 + self.random.below(1 << 22);
            self.happened(EventKind::LockWait, micros);
            let message = format!(
                "process {pid} acquired ShareLock on transaction {other} after {}.{:03} ms",
                micros / 1000,
                micros % 1000
            );
            let later = self.entry(Some(session), message);
            self.later.push_back((place, Entry { statement, ..later }));
        }
    }

    pub(super) fn temp_file(&mut self, session: Session, out: &mut Vec<Entry>) {
        let bytes = 8192 * (1 + self.random.below(5000));
        let template = &TEMPLATES[1];
        let statement = fill(template, &mut self.random);
        self.happened(EventKind::TempFile, bytes * 1000);
        self.truth.statements.entry(template.shape.to_owned()).or_default().temp_bytes += bytes;
        let message = format!(
            "temporary file: path \"base/pgsql_tmp/pgsql_tmp{}.0\", size {bytes}",
            session.pid
        );
        let entry = self.entry(Some(session), message);
        out.push(Entry { statement, ..entry });
    }
}
