use marula_core::EventKind;

use super::story::{Entry, Session, Story};

impl Story {
    /// What the server tells of itself.
    pub(super) fn server(&mut self, session: Session, out: &mut Vec<Entry>) {
        let ms = 1 + self.random.below(90_000);
        let seconds = format!("{}.{:03}", ms / 1000, ms % 1000);
        let hundredths = ms / 10 * 10;
        let short = format!("{}.{:02}", hundredths / 1000, hundredths % 1000 / 10);
        let (kind, amount, own, message) = match self.random.below(6) {
            0 => {
                let start = self.entry(None, "checkpoint starting: time".into());
                out.push(start);
                (
                    EventKind::Checkpoint,
                    ms * 1000,
                    true,
                    format!(
                        "checkpoint complete: wrote 44 buffers (0.3%); 0 WAL file(s) added, 0 removed, 0 recycled; write=4.2 s, sync=0.0 s, total={seconds} s; sync files=33"
                    ),
                )
            }
            1 => (
                EventKind::Autovacuum,
                hundredths * 1000,
                true,
                format!(
                    "automatic vacuum of table \"shop.public.orders\": index scans: 1\npages: 0 removed, 10 remain\nsystem usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: {short} s"
                ),
            ),
            2 => (
                EventKind::Autoanalyze,
                hundredths * 1000,
                true,
                format!(
                    "automatic analyze of table \"shop.public.orders\" system usage: CPU: user: 0.01 s, system: 0.00 s, elapsed: {short} s"
                ),
            ),
            3 => (
                EventKind::Connected,
                0,
                false,
                format!(
                    "connection authorized: user={} database={} application_name=x",
                    session.user, session.database
                ),
            ),
            4 => (
                EventKind::Disconnected,
                ms * 1000,
                false,
                format!(
                    "disconnection: session time: {}:{:02}:{:02}.{:03} user={} database={} host=10.0.0.1 port=5",
                    ms / 3_600_000,
                    ms / 60_000 % 60,
                    ms / 1000 % 60,
                    ms % 1000,
                    session.user,
                    session.database
                ),
            ),
            _ => (
                EventKind::Started,
                0,
                true,
                "database system is ready to accept connections".into(),
            ),
        };
        self.happened(kind, amount);
        let entry = self.entry((!own).then_some(session), message);
        out.push(entry);
    }
}
