//! The worked tasks as prompts: what a person picks from a menu. They name tools in the order that
//! works.

use marula_core::{Error, ErrorKind, Result, nearest};
use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};

use crate::text;

/// The most letters of an argument.
const ARGUMENT: usize = 20_000;

struct Task {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    /// Name, description, whether it must be given.
    arguments: &'static [(&'static str, &'static str, bool)],
    /// `{name}` stands for an argument; a line without its argument is left out.
    text: &'static str,
}

/// The titles of all prompts, by name.
pub fn titles() -> Vec<(&'static str, &'static str)> {
    TASKS.iter().map(|task| (task.name, task.title)).collect()
}

/// All prompts.
pub fn list() -> Vec<Prompt> {
    let argument = |(name, about, required): &(&str, &str, bool)| {
        PromptArgument::new(*name).with_description(*about).with_required(*required)
    };
    TASKS
        .iter()
        .map(|task| {
            let arguments = task.arguments.iter().map(argument).collect();
            Prompt::new(task.name, Some(task.about), Some(arguments)).with_title(task.title)
        })
        .collect()
}

/// A prompt with its arguments.
///
/// # Errors
/// `NotFound`; `Usage` without an argument it needs.
pub fn get(name: &str, given: &JsonObject) -> Result<GetPromptResult> {
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        let error = Error::new(ErrorKind::NotFound, "there is no such prompt");
        return Err(match nearest(name, TASKS.iter().map(|task| task.name)).first() {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint("list the prompts"),
        });
    };
    let mut lines: Vec<String> = task.text.lines().map(str::to_string).collect();
    for (argument, _, required) in task.arguments {
        let place = format!("{{{argument}}}");
        match given.get(*argument).and_then(|value| value.as_str()).filter(|text| !text.is_empty())
        {
            Some(value) => {
                let value = text::cut(&text::spelled(value), ARGUMENT);
                lines.iter_mut().for_each(|line| *line = line.replace(&place, &value));
            }
            None if *required => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("the argument {argument} is missing"),
                )
                .hint("give every required argument"));
            }
            None => lines.retain(|line| !line.contains(&place)),
        }
    }
    let message = PromptMessage::new_text(Role::User, lines.join("\n"));
    Ok(GetPromptResult::new(vec![message]).with_description(task.about))
}

const TARGET: (&str, &str, bool) = ("target", "The database's alias", true);
const GOAL: (&str, &str, bool) = ("goal", "The time it may take, such as 100 ms", false);

const TASKS: [Task; 8] = [
    Task {
        name: "design_mongodb_schema",
        title: "Design a MongoDB schema",
        about: "Collections, embedding and references, indexes and validators for an application",
        arguments: &[
            ("application", "What the application is and which queries it runs", true),
            ("target", "The alias of a database that exists already", false),
        ],
        text: "Design a MongoDB schema for: {application}\n\
            1. Write down the queries with how often each runs and how fast it must be; ask me where that is missing.\n\
            2. See what exists: describe target '{target}'.\n\
            3. Propose collections: embed what is read together and bounded, refer to what grows or is shared, and say which for each relation. Never an array that grows without bound.\n\
            4. Write all that as a model and call design_schema (engine mongodb): it measures several designs and gives the best.\n\
            5. Give its script: createCollection with $jsonSchema validators and createIndex; say where it breaks your rules of thumb and by how much.\n\
            Say what was measured and what is judgement.",
    },
    Task {
        name: "design_postgres_schema",
        title: "Design a PostgreSQL schema",
        about: "Tables, types, keys, constraints and indexes for an application",
        arguments: &[
            ("application", "What the application is and which queries it runs", true),
            ("target", "The alias of a database that exists already", false),
        ],
        text: "Design a PostgreSQL schema for: {application}\n\
            1. Write down the queries with how often each runs and how fast it must be; ask me where that is missing.\n\
            2. See what exists: describe target '{target}'.\n\
            3. Propose tables in third normal form with types, keys, NOT NULL, CHECK and foreign keys; say where you leave the normal form and why.\n\
            4. Write all that as a model and call design_schema (engine postgres): it measures several designs and gives the best.\n\
            5. Give its script as one migration and check it with review_migration (engine postgres).\n\
            Say what was measured and what is judgement.",
    },
    Task {
        name: "optimize_pipeline",
        title: "Optimise an aggregation pipeline",
        about: "Make a MongoDB pipeline faster, with proof",
        arguments: &[TARGET, ("pipeline", "The aggregate call", true), GOAL],
        text: "Optimise this aggregation pipeline on target '{target}':\n{pipeline}\n\
            The goal: {goal}.\n\
            1. explain_query with the pipeline as it is (and goal_ms, when there is a goal).\n\
            2. Read the findings; propose the index or the rewrite whose proof says 'proven' with equal results.\n\
            3. For an index: plan_change with the report, and show me the steps.\n\
            Give the times before and after, and on which data they were measured.",
    },
    Task {
        name: "improve_join",
        title: "Improve a slow join",
        about: "Make a query with joins faster, with proof",
        arguments: &[TARGET, ("query", "The query", true), GOAL],
        text: "Improve this join on target '{target}':\n{query}\n\
            The goal: {goal}.\n\
            1. describe the joined tables: keys, existing indexes, row counts.\n\
            2. explain_query with the query (and goal_ms, when there is a goal).\n\
            3. Say how it joins today (nested loop, hash, merge; or $lookup), what makes that slow, and what the measured fix is.\n\
            4. For an index: plan_change with the report, and show me the steps.",
    },
    Task {
        name: "add_field",
        title: "Add a field to all documents",
        about: "Add a field or column without downtime",
        arguments: &[
            TARGET,
            ("collection", "The collection or table", true),
            ("field", "The field with its type and default", true),
        ],
        text: "Add the field {field} to all of {collection} on target '{target}' without stopping anybody.\n\
            1. describe {collection}: how many there are, validators, whether the field exists in some.\n\
            2. Write the migration: new documents first (default or validator), then the old ones in batches, then the check that none is left, then the requirement.\n\
            3. review_migration with the target; mend what it finds.\n\
            4. plan_change with the migration and its file name, and show me the steps.",
    },
    Task {
        name: "add_composite_index",
        title: "Add a composite index",
        about: "Find the right order of columns and build it without blocking writes",
        arguments: &[
            TARGET,
            ("table", "The table or collection", true),
            ("queries", "The queries it is for", true),
        ],
        text: "Add a composite index on {table} of target '{target}' for:\n{queries}\n\
            1. describe {table}: an existing index may serve, or become superfluous.\n\
            2. advise_indexes with the queries (explain_query, when it is one): the order of columns follows equality, sort, range.\n\
            3. plan_change with the report: CREATE INDEX CONCURRENTLY on PostgreSQL.\n\
            4. Show me the steps, the size, and what writes will cost.",
    },
    Task {
        name: "analyze_slow_log",
        title: "Analyse the slow-query log",
        about: "Which statements cost most, and what to do about each",
        arguments: &[TARGET, GOAL],
        text: "Analyse the slow queries of target '{target}'. Each should take at most {goal}.\n\
            1. analyze_workload (source auto; source files, when log files are configured).\n\
            2. For the three statements with the most total time: explain_query with their sample.\n\
            3. advise_indexes with all of them together, so that one set of indexes serves them.\n\
            4. A table: statement, calls, share of the time, cause, fix, time before and after.",
    },
    Task {
        name: "find_sequential_scans",
        title: "Find why there are sequential scans",
        about: "Which tables are read from end to end, by which queries, and why",
        arguments: &[TARGET, ("query", "A query that scans, when it is known", false)],
        text: "Find why target '{target}' reads tables from end to end (sequential scans, COLLSCAN).\n\
            The query: {query}\n\
            1. describe with detail full: which big tables have many sequential scans and few index scans.\n\
            2. analyze_workload with the table's name as search: which queries read them.\n\
            3. explain_query for each: no index, an index that cannot be used (a function or cast around the column, a leading wildcard, a type that differs), a filter that keeps most rows, or statistics that mislead. A scan of a small table is right.\n\
            4. Propose only what the proof says 'proven'.",
    },
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn every_place_in_a_prompt_is_an_argument() {
        for task in &TASKS {
            for (name, ..) in task.arguments {
                assert!(task.text.contains(&format!("{{{name}}}")), "{} {name}", task.name);
            }
            let places = task.text.matches('{').count();
            let known: usize = task
                .arguments
                .iter()
                .map(|(name, ..)| task.text.matches(&format!("{{{name}}}")).count())
                .sum();
            assert_eq!(places, known, "{}", task.name);
        }
    }

    #[test]
    fn what_is_not_given_leaves_no_trace() {
        let given = json!({ "target": "shop", "pipeline": "db.a.aggregate([])" });
        let prompt = get("optimize_pipeline", given.as_object().unwrap()).unwrap();
        let text = serde_json::to_string(&prompt).unwrap();
        assert!(
            text.contains("target 'shop'")
                && !text.contains("{goal}")
                && !text.contains("The goal")
        );
        assert!(get("optimize_pipeline", &JsonObject::new()).is_err());
        assert!(
            get("optimise_pipeline", &JsonObject::new()).err().unwrap().hints()[0]
                .contains("optimize")
        );
    }
}
