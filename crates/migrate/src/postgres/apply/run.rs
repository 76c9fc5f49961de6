//! One migration, from where it was left to its end.

use marula_core::{Error, ErrorKind, Progress, Result};

use super::pieces::{self, How, Piece};
use super::{Ground, batch, history, holders, lock, outside};
use crate::apply::{ApplyOptions, Due, retry};

/// Runs what is left of a part.
pub(super) async fn run(
    ground: &Ground,
    due: &Due<'_>,
    options: &ApplyOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let pieces = pieces::cut(due)?;
    lock::check(ground).await?;
    let from = due.from();
    let whole = pieces.len() == 1 && pieces[0].how == How::Together && from == 0;
    if !whole {
        history::begin(ground, due).await?;
        for step in due.steps()[..from].iter().filter(|step| pieces::sets_session(step)) {
            ground.execute(&step.text).await.map_err(|error| error.at(due.place(0)))?;
        }
    }
    if pieces.is_empty() {
        return history::advance(ground, due, 0..0, true).await;
    }
    for piece in &pieces {
        if piece.steps.end <= from {
            continue;
        }
        options.stop.check()?;
        let number = piece.steps.start + 1;
        let all = due.steps().len();
        progress.step(&format!("{}: statement {number} of {all}", due.migration.title()));
        // A file that was loosened or tightened while it was half done: what is done stays done.
        let start = piece.steps.start.max(from);
        let piece = Piece { steps: start..piece.steps.end, how: piece.how.clone() };
        let work = Work { ground, due, options, progress, last: piece.steps.end == all, whole };
        work.piece(&piece).await.map_err(|error| work.explain(error, &piece))?;
    }
    Ok(())
}

/// What every piece needs.
pub(super) struct Work<'a> {
    pub ground: &'a Ground,
    pub due: &'a Due<'a>,
    pub options: &'a ApplyOptions,
    pub progress: &'a dyn Progress,
    /// Whether the part ends with this piece.
    pub last: bool,
    /// Whether the piece is all of the part, so that its line of the history is made with it.
    whole: bool,
}

impl Work<'_> {
    async fn piece(&self, piece: &Piece) -> Result<()> {
        match piece.how {
            How::Batches(rows) => batch::run(self, piece.steps.start, rows).await,
            How::Outside => outside::run(self, piece.steps.start).await,
            How::Together | How::OwnTransaction => self.patiently(piece).await,
        }
    }

    /// In a transaction, again and again while a lock is not to be had.
    async fn patiently(&self, piece: &Piece) -> Result<()> {
        let mut tries = 1;
        loop {
            let Err((at, error)) = self.together(piece).await else { return Ok(()) };
            let code = error.server_code().unwrap_or_default().to_string();
            let _ = self.ground.execute("ROLLBACK").await;
            // It commits by itself, or must not be in a transaction, which cannot be read off it.
            let alone = piece.steps.len() == 1 && !self.whole_transaction();
            if alone && matches!(code.as_str(), "2D000" | "25001") {
                if self.whole {
                    history::begin(self.ground, self.due).await?;
                }
                return outside::run(self, piece.steps.start).await;
            }
            if !passing(&code) || tries >= self.options.tries {
                let error = match code.as_str() {
                    "55P03" => self.unlocked(error, at, tries).await,
                    "57014"
                        if self.due.steps()[..at].iter().any(pieces::sets_statement_timeout) =>
                    {
                        error.instead(
                            "raise --timeout",
                            "the file sets statement_timeout: raise it there, or take it out; \
                             without it a statement may take its time",
                        )
                    }
                    "57014" => error.instead(
                        "raise --timeout",
                        "somebody cancelled it, or a statement_timeout ended it",
                    ),
                    _ => error,
                };
                return Err(error.at(self.due.place(at)));
            }
            let title = self.due.migration.title();
            self.progress.step(&format!("{title}: waits for a lock (try {})", tries + 1));
            tokio::time::sleep(retry::pause(tries)).await;
            self.options.stop.check()?;
            tries += 1;
        }
    }

    /// The error of a statement that got no lock, with who holds it.
    pub async fn unlocked(&self, error: Error, at: usize, tries: u32) -> Error {
        let held = match pieces::statement(&self.due.steps()[at]) {
            Some(statement) => holders::of(self.ground, statement).await,
            None => Vec::new(),
        };
        let mut error = error.instead(
            "try again when the lock is free",
            &match held.is_empty() {
                true => format!("it was tried {tries} times; who held the lock has let it go"),
                false => format!("it was tried {tries} times"),
            },
        );
        for one in held {
            error = error.hint(one);
        }
        error.hint(
            "let it end (SELECT pg_cancel_backend(pid)), or try longer: --tries, --lock-timeout",
        )
    }

    fn whole_transaction(&self) -> bool {
        self.due.options().transaction && self.due.options().batch.is_none()
    }

    /// How long a statement may wait for a lock: what the file says, else what the caller says.
    pub fn limit(&self, before: usize) -> Option<String> {
        let own = self.due.steps()[..before].iter().any(pieces::sets_lock_timeout);
        if own {
            return None;
        }
        let limit = self.due.options().lock_timeout.unwrap_or(self.options.lock_timeout);
        Some(format!("SET LOCAL lock_timeout = {}", limit.as_millis().min(i32::MAX as u128)))
    }

    /// Once. The error comes with the step it happened in.
    async fn together(&self, piece: &Piece) -> Result<(), (usize, Error)> {
        let (ground, due) = (self.ground, self.due);
        let first = piece.steps.start;
        let last = piece.steps.end - 1;
        let steps = due.steps();
        let own = piece.how == How::OwnTransaction;
        let begin = if own { steps[first].text.as_str() } else { "BEGIN" };
        ground.begins(first, false).await;
        ground.execute(begin).await.map_err(|error| (first, error))?;
        if let Some(limit) = self.limit(first) {
            ground.execute(&limit).await.map_err(|error| (first, error))?;
        }
        if self.whole {
            // Writes the line first: who looks meanwhile does not see it, and after a failure it
            // is not there.
            history::begin(ground, due).await.map_err(|error| (first, error))?;
        }
        let inner = if own { first + 1..last } else { first..last + 1 };
        for at in inner {
            self.progress.advance(at as u64, steps.len() as u64);
            if at > first {
                ground.begins(at, true).await;
            }
            ground.execute(&steps[at].text).await.map_err(|error| (at, marked(error, self, at)))?;
            ground.has_run(at, true).await;
        }
        // A role the file set may not write here; it comes back with the end of the transaction.
        self.as_ourselves().await.map_err(|error| (last, error))?;
        history::advance(ground, due, piece.steps.clone(), self.last)
            .await
            .map_err(|error| (last, error))?;
        ground.execute("COMMIT").await.map_err(|error| (last, error))?;
        ground.has_ended(last).await;
        Ok(())
    }

    /// The role of the session's beginning, until the transaction ends.
    pub async fn as_ourselves(&self) -> Result<()> {
        let role = marula_postgres::sql::quote_literal(&self.ground.role);
        self.ground.execute(&format!("SELECT pg_catalog.set_config('role', {role}, true)")).await
    }

    /// What was done, what not, and how to go on.
    fn explain(&self, error: Error, piece: &Piece) -> Error {
        let (done, all) = (piece.steps.start, self.due.steps().len());
        let error = match error.place() {
            Some(_) => error,
            None => error.at(self.due.place(piece.steps.start)),
        };
        if matches!(error.kind(), ErrorKind::Interrupted) && error.message().contains("steps") {
            return error.hint("the same command goes on where it was left");
        }
        let said = match (self.whole_transaction(), done) {
            (true, _) => {
                "the file's transaction was rolled back: nothing of it is done".to_string()
            }
            (false, 0) => format!("none of its {all} statements is done"),
            (false, done) => format!("{done} of its {all} statements are done and stay"),
        };
        error.hint(format!("{said}; the same command goes on from there"))
    }
}

/// What passes by itself: no lock, a deadlock, a serialization failure.
pub(super) fn passing(code: &str) -> bool {
    matches!(code, "55P03" | "40P01" | "40001")
}

/// The error with its statement marked in the file.
pub(super) fn marked(error: Error, work: &Work<'_>, at: usize) -> Error {
    let step = &work.due.steps()[at];
    let place = work.due.place(at);
    let text = match work.due.path() == work.due.migration.path {
        true => work.due.migration.text.clone(),
        false => return error.at(place),
    };
    let end = step.start + step.text.lines().next().map_or(0, str::len);
    let name = crate::apply::file_name(work.due.migration);
    error.at(place).mark(marula_core::Marked { name, text, start: step.start, end })
}
