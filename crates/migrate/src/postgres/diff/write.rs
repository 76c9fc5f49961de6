//! The plan as files.

use super::plan::Part;
use super::{Back, Difference, Written};

/// One file for each part, with its way back.
pub(super) fn files(parts: &[Part], downs: Vec<Back>, found: &Difference) -> Vec<Written> {
    let several = parts.len();
    let mut files = Vec::new();
    for (at, (part, down)) in parts.iter().zip(downs).enumerate() {
        let mut text = String::new();
        if several > 1 {
            let how =
                if part.transaction { "in one transaction" } else { "outside of transactions" };
            text.push_str(&format!("-- Part {} of {several}: {how}.\n", at + 1));
        }
        for line in &part.says {
            text.push_str(&format!("-- {line}\n"));
        }
        let lost: Vec<&String> =
            found.destroys.iter().filter(|line| losing(parts, line) == at).collect();
        for line in &lost {
            text.push_str(&format!("-- DESTROYS: {line}\n"));
        }
        let up: Vec<&str> = part.statements.iter().map(|s| s.text.as_str()).collect();
        text.push_str(&format!("-- migrate:up{}\n", options(part.transaction, &up)));
        text.push_str(&body(&up));
        let has_down = down.is_ok();
        match down {
            Ok((parts, loses)) => {
                let transaction = parts.iter().all(|part| part.transaction);
                let all: Vec<&str> = parts
                    .iter()
                    .flat_map(|part| &part.statements)
                    .map(|planned| planned.text.as_str())
                    .collect();
                text.push_str(&format!("\n-- migrate:down{}\n", options(transaction, &all)));
                for line in &lost {
                    if let Some((what, _)) = line.split_once(" is dropped") {
                        text.push_str(&format!(
                            "-- What {what} held cannot be brought back: it is made empty.\n"
                        ));
                    } else if let Some((what, _)) = line.split_once(" becomes ") {
                        text.push_str(&format!("-- What {what} has lost does not come back.\n"));
                    }
                }
                let mut said = Vec::new();
                for line in parts.iter().flat_map(|part| &part.says) {
                    if !said.contains(&line) {
                        text.push_str(&format!("-- {line}\n"));
                        said.push(line);
                    }
                }
                for line in loses {
                    text.push_str(&format!("-- DESTROYS: {line}\n"));
                }
                text.push_str(&body(&all));
            }
            Err(why) => {
                let why = why.replace('\n', " ");
                text.push_str(&format!("\n-- There is no way back: {why}.\n"));
            }
        }
        files.push(Written { transaction: part.transaction, text, down: has_down });
    }
    files
}

/// The part in which something is lost, by the line that says so.
fn losing(parts: &[Part], line: &str) -> usize {
    let loses = |part: &Part| {
        part.statements.iter().any(|planned| {
            let works = ["DROP ", " TYPE "].iter().any(|word| planned.text.contains(word));
            works && line.starts_with(&format!("{} ", planned.about))
        })
    };
    parts.iter().position(loses).unwrap_or(0)
}

fn options(transaction: bool, statements: &[&str]) -> String {
    // A build that waits for old transactions must not be cancelled for waiting.
    let builds = statements.iter().any(|text| text.contains(" CONCURRENTLY"));
    let timeout = if builds { "" } else { " lock_timeout:2s" };
    let outside = if transaction { "" } else { " transaction:false" };
    format!("{timeout}{outside}")
}

fn body(statements: &[&str]) -> String {
    let mut text = String::new();
    for statement in statements {
        text.push_str(statement.trim_end().trim_end_matches(';'));
        text.push_str(";\n");
    }
    text
}
