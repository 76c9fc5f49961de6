//! The reports of this program's lifetime, so that an answer can be short and the whole be read
//! later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use marula_core::{Error, ErrorKind, Report, Result};

/// The most reports that are kept.
const REPORTS: usize = 50;
/// The most they may hold together, in bytes as JSON.
const BYTES: usize = 32 << 20;

/// One report that is kept.
pub(crate) struct Kept {
    /// Its name: `r1`, `r2` …
    pub id: String,
    /// What was asked, in one line.
    pub title: String,
    /// The report.
    pub report: Report,
    bytes: usize,
}

/// The reports, the oldest first.
#[derive(Default)]
pub(crate) struct Labs(Mutex<(u64, VecDeque<Arc<Kept>>)>);

impl Labs {
    /// Keeps a report, and gives its name. The oldest makes room.
    pub fn keep(&self, title: String, report: Report) -> String {
        let bytes = serde_json::to_vec(&report).map_or(0, |json| json.len());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.0 += 1;
        let id = format!("r{}", all.0);
        all.1.push_back(Arc::new(Kept { id: id.clone(), title, report, bytes }));
        while all.1.len() > REPORTS
            || all.1.len() > 1 && all.1.iter().map(|kept| kept.bytes).sum::<usize>() > BYTES
        {
            all.1.pop_front();
        }
        id
    }

    /// The report of that name.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get(&self, id: &str) -> Result<Arc<Kept>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.1.iter().find(|kept| kept.id == id).map(Arc::clone).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "there is no such report")
                .hint("run explain_query or advise_indexes again: only the last reports are kept")
        })
    }

    /// All, the newest first.
    pub fn list(&self) -> Vec<Arc<Kept>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.1.iter().rev().map(Arc::clone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_reports_make_room() {
        let labs = Labs::default();
        for number in 0..REPORTS + 3 {
            labs.keep(format!("{number}"), Report::new("explain"));
        }
        assert_eq!(labs.list().len(), REPORTS);
        assert_eq!(labs.list().first().map(|kept| kept.id.clone()), Some("r53".into()));
        assert!(labs.get("r3").is_err() && labs.get("r4").is_ok());
    }
}
