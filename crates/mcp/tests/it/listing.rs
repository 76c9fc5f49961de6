//! What a model is told before its first call: small, true, and following the tools there are.

use marula_mcp::{Limits, State};
use rmcp::model::{GetPromptRequestParams, ReadResourceRequestParams};
use serde_json::{Value, json};

use crate::support::{Says, Targets, connect, world};

/// No fewer tokens than any model's tokeniser makes of it: a token for every four letters of a word,
/// every two digits, and every other mark.
fn tokens(text: &str) -> usize {
    let (mut count, mut letters, mut digits) = (0, 0_usize, 0_usize);
    for letter in text.chars().chain(['\n']) {
        let (is_letter, is_digit) = (letter.is_alphabetic(), letter.is_ascii_digit());
        if !is_letter {
            count += letters.div_ceil(4);
            letters = 0;
        }
        if !is_digit {
            count += digits.div_ceil(2);
            digits = 0;
        }
        match letter {
            _ if is_letter => letters += 1,
            _ if is_digit => digits += 1,
            // A space goes with the word behind it.
            ' ' | '\n' => {}
            _ => count += 1,
        }
    }
    count
}

/// Marks of JSON that stand together are one token in every tokeniser: `":"`, `","`, `"},"`.
fn tokens_of_json(value: &Value) -> usize {
    let text = value.to_string();
    let mut joined = String::new();
    let mut marks = false;
    for letter in text.chars() {
        let mark = "{}[]\":,".contains(letter);
        if !(mark && marks) {
            joined.push(letter);
        }
        marks = mark;
    }
    tokens(&joined)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_description_is_under_six_thousand_tokens() {
    let client = connect(&Targets::default().state(), Says::Yes).await;
    let tools = client.service.list_all_tools().await.unwrap();
    assert!((9..=14).contains(&tools.len()));
    let info = client.service.peer_info().unwrap();
    let instructions = tokens(info.instructions.as_deref().unwrap());
    let mut sum = instructions;
    let mut table = format!("instructions {instructions}\n");
    for tool in &tools {
        let whole = tokens_of_json(&serde_json::to_value(tool).unwrap());
        let input = tokens_of_json(&Value::Object(tool.input_schema.as_ref().clone()));
        let output =
            tokens_of_json(&Value::Object(tool.output_schema.as_ref().unwrap().as_ref().clone()));
        table.push_str(&format!("{} {whole} (input {input}, output {output})\n", tool.name));
        sum += whole;
        assert!(tool.name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'));
        assert!(tool.description.as_ref().unwrap().len() < 500, "{}", tool.name);
        let annotations = tool.annotations.as_ref().unwrap();
        assert_eq!(annotations.read_only_hint, Some(tool.name != "apply_plan"));
    }
    println!("{table}{sum} tokens");
    assert!(sum < 6_000, "{table}{sum}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_tools_make_shorter_instructions() {
    let only = ["describe".to_string(), "run_query".to_string()];
    let state = State::new(Targets::default(), Some(&only), Limits::default()).unwrap();
    let client = connect(&state, Says::Yes).await;
    let names: Vec<String> = client
        .service
        .list_all_tools()
        .await
        .unwrap()
        .iter()
        .map(|tool| tool.name.to_string())
        .collect();
    assert_eq!(names, only);
    let info = client.service.peer_info().unwrap();
    let instructions = info.instructions.clone().unwrap();
    for tool in marula_mcp::tool_names() {
        assert_eq!(
            instructions.contains(&format!("{tool}:")),
            only.iter().any(|one| one == tool),
            "{tool}"
        );
    }
    let gone = client.service.call_tool(crate::support::params("apply_plan", json!({}))).await;
    assert!(gone.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_and_prompts_are_there() {
    let world = world().await;
    let client = connect(&world.state, Says::Yes).await;
    let listed = client.service.list_all_resources().await.unwrap();
    assert!(listed.iter().any(|one| one.uri == "marula://targets/pg/catalog"));
    assert_eq!(client.service.list_all_resource_templates().await.unwrap().len(), 3);
    for uri in ["marula://targets/pg/catalog", "marula://targets/mongo/catalog"] {
        let read = client.service.read_resource(ReadResourceRequestParams::new(uri)).await.unwrap();
        let text = serde_json::to_string(&read).unwrap();
        assert!(text.contains("orders") && text.contains("notice"), "{uri}");
    }
    for rule in marula_mcp::rules() {
        let uri = format!("marula://rules/{}", rule.id);
        let read = client.service.read_resource(ReadResourceRequestParams::new(uri)).await.unwrap();
        assert!(
            serde_json::to_string(&read).unwrap().contains(rule.title.split('"').next().unwrap())
        );
    }
    for uri in [
        "marula://rules/selective-seq-scn",
        "marula://targets/nowhere/catalog",
        "marula://targets/postgres%3A%2F%2Fx%2Fy/catalog",
        "marula://labs/r99/report",
        "file:///etc/passwd",
        "marula://",
    ] {
        let read = client.service.read_resource(ReadResourceRequestParams::new(uri)).await;
        let rmcp::ServiceError::McpError(error) = read.unwrap_err() else { panic!("{uri}") };
        assert!(error.data.unwrap()["error"]["hint"].is_string(), "{uri}");
    }
    let prompts = client.service.list_all_prompts().await.unwrap();
    assert_eq!(prompts.len(), 8);
    for prompt in prompts {
        let mut arguments = rmcp::model::JsonObject::new();
        for argument in prompt.arguments.unwrap() {
            arguments.insert(argument.name, "something".into());
        }
        let request = GetPromptRequestParams::new(prompt.name.clone()).with_arguments(arguments);
        let got = client.service.get_prompt(request).await.unwrap();
        let text = serde_json::to_string(&got).unwrap();
        assert!(text.contains("something") && !text.contains("{target}"), "{text}");
        // A prompt names tools that are there.
        let tools = marula_mcp::tool_names();
        assert!(tools.iter().any(|tool| text.contains(tool)), "{}: {text}", prompt.name);
    }
}
