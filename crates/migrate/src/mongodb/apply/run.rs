//! One migration, from where it was left to its end.

use std::sync::Mutex;

use bson::{Bson, Document};
use marula_core::{Error, ErrorKind, Progress, Result};

use super::pieces::{self, How};
use super::{Ground, batch, data, history, outside, room, send};
use crate::apply::record::Current;
use crate::apply::{ApplyOptions, Due, key_of};

/// What every step needs.
pub(super) struct Work<'a> {
    pub ground: &'a Ground,
    pub due: &'a Due<'a>,
    pub options: &'a ApplyOptions,
    pub progress: &'a dyn Progress,
    /// What little was free on the server's disk before the step.
    little: Mutex<Option<String>>,
}

/// Runs what is left of a part.
pub(super) async fn run(
    ground: &Ground,
    due: &Due<'_>,
    options: &ApplyOptions,
    progress: &dyn Progress,
) -> Result<()> {
    pieces::check(due, ground.deployment)?;
    history::begin(ground, due).await?;
    let work = Work { ground, due, options, progress, little: Mutex::default() };
    let all = due.steps().len();
    if due.options().transaction && due.from() < all {
        return work.whole().await.map_err(|error| work.explain(error, due.from()));
    }
    if due.from() >= all {
        return history::plainly(ground, history::advance(ground, due, all..all, true, None).await);
    }
    for step in due.from()..all {
        options.stop.check()?;
        progress.step(&format!("{}: command {} of {all}", due.migration.title(), step + 1));
        ground.begins(step, false).await;
        work.step(step).await.map_err(|error| work.explain(error, step))?;
        ground.has_run(step, false).await;
    }
    Ok(())
}

impl Work<'_> {
    /// The note of a step that had begun before this run.
    pub fn begun(&self, step: usize) -> Option<&Current> {
        self.due.left()?.current.as_ref().filter(|current| current.step == step)
    }

    /// Whether the part ends with this step.
    pub fn is_last(&self, step: usize) -> bool {
        step + 1 == self.due.steps().len()
    }

    async fn step(&self, step: usize) -> Result<()> {
        let ground = self.ground;
        let own = &self.due.steps()[step];
        let how = pieces::how(self.due, own, ground.deployment);
        let key = (key_of(self.due.migration), step);
        let checked = |key: &(String, usize)| {
            let known = ground.checked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            known.contains(key)
        };
        let little = room::little(ground).await;
        *self.little.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = little;
        if self.options.check_data && !checked(&key) {
            room::check_step(ground, self.due, step, &how).await?;
            if self.begun(step).is_none() {
                data::check(ground, &how).await?;
            }
        }
        match &how {
            How::Batches(batched) => batch::run(self, step, batched).await,
            How::Transaction(command) => {
                let last = self.is_last(step);
                let mut tries = 0;
                send::together(ground, self.options, async |session| {
                    tries += 1;
                    if tries > 1 {
                        ground.begins(step, false).await;
                    }
                    send::inside(ground, session, command).await?;
                    history::advance(ground, self.due, step..step + 1, last, Some(session)).await
                })
                .await
            }
            How::Again(command) => self.again(step, command).await,
            How::Outside(command) => outside::run(self, step, command).await,
        }
    }

    /// All of the part in one transaction.
    async fn whole(&self) -> Result<()> {
        let ground = self.ground;
        let (from, all) = (self.due.from(), self.due.steps().len());
        send::together(ground, self.options, async |session| {
            for step in from..all {
                let own = &self.due.steps()[step];
                let command = match pieces::how(self.due, own, ground.deployment) {
                    How::Batches(batched) => one_command(&batched),
                    How::Transaction(c) | How::Again(c) | How::Outside(c) => c,
                };
                ground.begins(step, step > from).await;
                send::inside(ground, session, &command).await?;
                ground.has_run(step, true).await;
            }
            history::advance(ground, self.due, from..all, true, Some(session)).await
        })
        .await?;
        ground.has_ended(all - 1).await;
        Ok(())
    }

    /// What may run twice, where there are no transactions.
    async fn again(&self, step: usize, command: &Document) -> Result<()> {
        let ground = self.ground;
        let mut command = command.clone();
        if send::name(&command) == "insert" {
            self.with_ids(step, &mut command);
            if !self.only_new(&mut command).await? {
                let wrote =
                    history::advance(ground, self.due, step..step + 1, self.is_last(step), None);
                return history::plainly(ground, wrote.await);
            }
        }
        send::alone(ground, &command).await?;
        let wrote =
            history::advance(ground, self.due, step..step + 1, self.is_last(step), None).await;
        history::plainly(ground, wrote)
    }

    /// Gives documents without `_id` one that is the same in every run.
    fn with_ids(&self, step: usize, command: &mut Document) {
        use sha2::Digest;
        let key = key_of(self.due.migration);
        let text = &self.due.steps()[step].text;
        let Ok(documents) = command.get_array_mut("documents") else { return };
        for (at, document) in documents.iter_mut().enumerate() {
            let Bson::Document(document) = document else { continue };
            if document.contains_key("_id") {
                continue;
            }
            let hash = sha2::Sha256::digest(format!("{key} {step} {at} {text}"));
            let mut bytes = [0; 12];
            bytes.copy_from_slice(&hash[..12]);
            let mut whole = bson::doc! { "_id": bson::oid::ObjectId::from_bytes(bytes) };
            whole.extend(std::mem::take(document));
            *document = whole;
        }
    }

    /// Leaves out the documents an interrupted run inserted; `false` when none is left. In the
    /// first run everything is inserted, so that a document in the way is an error.
    async fn only_new(&self, command: &mut Document) -> Result<bool> {
        let ground = self.ground;
        if self.due.left().is_none() {
            return Ok(true);
        }
        let name = command.get_str("insert").unwrap_or_default().to_string();
        let Ok(documents) = command.get_array_mut("documents") else { return Ok(true) };
        let mut left = Vec::new();
        for document in std::mem::take(documents) {
            let id = document.as_document().and_then(|document| document.get("_id")).cloned();
            let found = ground.collection(&name).find_one(bson::doc! { "_id": id }).await;
            let found = found.map_err(|error| ground.session.map(error))?;
            if found.is_none() || found.as_ref() != document.as_document() {
                left.push(document);
            }
        }
        let some = !left.is_empty();
        *documents = left;
        Ok(some)
    }

    /// What was done, what not, and how to go on.
    fn explain(&self, error: Error, step: usize) -> Error {
        let (done, all) = (step, self.due.steps().len());
        let error = match error.place() {
            Some(place) if place.contains(':') && !place.contains("://") => error,
            _ => error.at(self.due.place(step)),
        };
        let full = error.server_code() == Some("OutOfDiskSpace")
            || error.message().contains("No space left on device");
        let gone = matches!(error.kind(), ErrorKind::ServerDied | ErrorKind::Unreachable);
        let little = self.little.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let error = match (full, gone, little.as_deref()) {
            (true, ..) => error.hint("make room on the disk of the server's data"),
            (_, true, Some(little)) => error.hint(format!(
                "before the step the server's disk had {little} free: if its log says that it is \
                 full, make room and start it again"
            )),
            _ => error,
        };
        let said = match (self.due.options().transaction, done) {
            (true, _) => {
                "the file's transaction was rolled back: nothing of it is done".to_string()
            }
            (false, 0) => format!("none of its {all} commands is done"),
            (false, done) => format!("{done} of its {all} commands are done and stay"),
        };
        error.hint(format!("{said}; the same command goes on from there"))
    }
}

/// A batched change as one command.
fn one_command(batched: &pieces::Batched) -> Document {
    let mut one = bson::doc! { "q": batched.filter.clone() };
    let name = batched.collection.as_str();
    match &batched.update {
        Some(update) => {
            one.insert("u", update.clone());
            one.insert("multi", true);
            one.extend(batched.options.clone());
            bson::doc! { "update": name, "updates": [one] }
        }
        None => {
            one.insert("limit", 0);
            one.extend(batched.options.clone());
            bson::doc! { "delete": name, "deletes": [one] }
        }
    }
}
