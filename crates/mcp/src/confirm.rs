//! The human's word, asked for through the client. Clients of the current protocol get the question
//! as an intermediate result and call again with the answer; older ones are asked directly.

use marula_core::{Error, ErrorKind, Result};
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, InputRequest,
    InputRequests, InputRequiredResult, ProtocolVersion,
};
use serde_json::json;

use crate::plans::PATIENCE;
use crate::tools::Call;

/// The question's name in the answers.
const KEY: &str = "confirm";

/// What came of asking.
pub(crate) enum Word {
    /// The human said yes.
    Yes,
    /// The human said no, or nothing; how, in a few words.
    No(&'static str),
    /// The client hands the question on and calls again.
    Ask(InputRequiredResult),
    /// The client has no way to ask.
    NoChannel,
}

/// What a yes does.
pub(crate) struct Question {
    /// What is asked, whole.
    pub message: String,
    /// What the box to tick is called.
    pub title: &'static str,
    /// What ticking it does.
    pub does: &'static str,
}

/// Asks about a plan.
pub(crate) async fn ask(call: &Call, plan: &str, question: Question) -> Result<Word> {
    let form = call.context.client_capabilities().and_then(|can| can.elicitation);
    // A client that names no kind of question can show forms.
    if !form.is_some_and(|can| can.form.is_some() || can.url.is_none()) {
        return Ok(Word::NoChannel);
    }
    let current = call
        .context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
    if current { by_calling_again(call, plan, question) } else { directly(call, question).await }
}

fn by_calling_again(call: &Call, plan: &str, question: Question) -> Result<Word> {
    let answer = call.answers.as_ref().and_then(|answers| answers.get(KEY));
    let (Some(answer), Some(word)) = (answer, &call.handed_back) else {
        let word = call.state.plans.asked(plan)?;
        let asked = InputRequest::Elicitation(ElicitRequest::new(form(question)?));
        let questions = InputRequests::from([(KEY.to_string(), asked)]);
        return Ok(Word::Ask(InputRequiredResult::new(Some(questions), Some(word))));
    };
    call.state.plans.answered(plan, word)?;
    let answer = serde_json::from_value(answer.clone()).map_err(|error| {
        Error::new(ErrorKind::Usage, "the answer to the question cannot be read").because(error)
    })?;
    Ok(read(&answer))
}

async fn directly(call: &Call, question: Question) -> Result<Word> {
    let peer = &call.context.peer;
    let asked = peer.create_elicitation_with_timeout(form(question)?, Some(PATIENCE)).await;
    match asked {
        Ok(answer) => Ok(read(&answer)),
        Err(error) => {
            tracing::debug!(%error, "the client did not ask");
            Ok(Word::No("did not answer"))
        }
    }
}

fn form(question: Question) -> Result<ElicitRequestParams> {
    let requested_schema = serde_json::from_value(json!({
        "type": "object",
        "properties": { "apply": {
            "type": "boolean",
            "title": question.title,
            "description": question.does,
            "default": false,
        } },
        "required": ["apply"],
    }));
    let requested_schema = requested_schema.map_err(|error| {
        Error::new(ErrorKind::Internal, "the question cannot be written").because(error)
    })?;
    let message = question.message;
    Ok(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema })
}

/// Only a yes in so many words is one.
fn read(answer: &ElicitResult) -> Word {
    let yes = answer.content.as_ref().and_then(|content| content.get("apply")?.as_bool());
    match (&answer.action, yes) {
        (ElicitationAction::Accept, Some(true)) => Word::Yes,
        (ElicitationAction::Accept, _) => Word::No("did not say yes"),
        (ElicitationAction::Decline, _) => Word::No("declined"),
        _ => Word::No("did not answer"),
    }
}
