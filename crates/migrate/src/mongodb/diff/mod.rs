//! The way from one database to another, as a migration that goes up and down.
//!
//! Both are made in the lab and read as they are listed; the commands are run from the first and
//! must leave no difference, and the way back is run and compared, too.

mod load;
mod model;
mod plan;

use bson::{Bson, Document};
use marula_core::{Error, ErrorKind, Result};
use marula_lab::MongoServer;
use marula_mongodb::Session;
use serde_json::{Value, json};

pub use load::{Source, declares};

use model::Model;

/// The difference of two databases.
#[derive(Debug, Default)]
pub struct Difference {
    /// The migration; `None` when they are the same.
    pub text: Option<String>,
    /// What becomes of what: `+`, `~` or `-`, and what it is called.
    pub outline: Vec<(char, String)>,
    /// What is lost on the way up.
    pub destroys: Vec<String>,
    /// What still differs after the replay: empty when the plan is right.
    pub remains: Vec<String>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Looks at both and finds the way.
///
/// # Errors
/// `Syntax` or the server's error with the place for a source that cannot be made.
pub async fn diff(server: &MongoServer, from: &Source<'_>, to: &Source<'_>) -> Result<Difference> {
    let wanted = load::load(to, &load::open(server).await?).await?;
    let lab = load::open(server).await?;
    let start = load::load(from, &lab).await?;
    let (up, found) = plan::commands(&start, &wanted, lab.version());
    let mut difference = Difference {
        outline: found.outline,
        destroys: found.destroys,
        notes: found.stuck,
        ..Difference::default()
    };
    likely(&start, &wanted, &mut difference.notes);
    if up.is_empty() {
        difference.remains = model::differences(&start, &wanted);
        return Ok(difference);
    }
    replay(&lab, &up).await?;
    let there = model::read(&lab).await?;
    difference.remains = model::differences(&there, &wanted);
    let (down, back) = plan::commands(&there, &start, lab.version());
    for line in &difference.destroys {
        let Some(what) = line.strip_suffix(plan::WITH_DOCUMENTS) else { continue };
        difference.notes.push(format!("the way back makes {what} empty: its documents are gone"));
    }
    for line in back.destroys {
        difference.notes.push(format!("on the way back {line}"));
    }
    let down = match replay(&lab, &down).await {
        Ok(()) => {
            let remains = model::differences(&model::read(&lab).await?, &start);
            difference
                .notes
                .extend(remains.iter().map(|line| format!("after the way back, {line}")));
            Some(down)
        }
        Err(error) => {
            difference.notes.push(format!("there is no way back: {}", error.message()));
            None
        }
    };
    difference.text = Some(written(&up, down.as_deref()));
    Ok(difference)
}

/// Collections that may only have changed their name.
fn likely(from: &Model, to: &Model, notes: &mut Vec<String>) {
    for (gone, old) in from.iter().filter(|(name, _)| !to.contains_key(*name)) {
        for (new, wanted) in to.iter().filter(|(name, _)| !from.contains_key(*name)) {
            let telling = !old.indexes.is_empty() || !old.options.is_empty();
            if telling && old.same(wanted) {
                notes.push(format!(
                    "collection {gone} may have become {new}: rename it first with \
                     {{\"renameCollection\": \"DB.{gone}\", \"to\": \"DB.{new}\"}}, and its \
                     documents stay"
                ));
            }
        }
    }
}

async fn replay(lab: &Session, commands: &[Document]) -> Result<()> {
    for command in commands {
        load::run(lab, command.clone()).await.map_err(|error| {
            let shown = Bson::Document(command.clone()).into_relaxed_extjson();
            let mut failed = Error::new(ErrorKind::Unsupported, error.message().to_string())
                .at(format!("the plan's command {shown}"))
                .hint("do this step in a migration of your own, and take the difference again");
            if let Some(code) = error.server_code() {
                failed = failed.code(code);
            }
            failed
        })?;
    }
    Ok(())
}

fn written(up: &[Document], down: Option<&[Document]>) -> String {
    let list = |commands: &[Document]| -> Value {
        let one = |command: &Document| Bson::Document(command.clone()).into_relaxed_extjson();
        commands.iter().map(one).collect()
    };
    let value = match down {
        Some(down) => json!({ "up": list(up), "down": list(down) }),
        None => json!({ "up": list(up) }),
    };
    format!("{value:#}\n")
}
