use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{SMALL, called, draft, grouped, number, words};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE EXTENSION postgres_fdw;
DO $$ BEGIN EXECUTE format('CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)', split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()); END $$;
CREATE USER MAPPING FOR CURRENT_USER SERVER far;
CREATE TABLE there (n int, w text);
INSERT INTO there SELECT i, 'w' || i % 100 FROM generate_series(1, 20000) i;
CREATE FOREIGN TABLE numbers (n int, w text) SERVER far OPTIONS (schema_name 'public', table_name 'there');";

/// Rows fetched from afar to be thrown away here.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "foreign-filter",
        engine: Engine::Postgres,
        title: "Rows of a foreign table are fetched and thrown away here",
        severity: Severity::High,
        since: None,
        page: "A condition the other server can check is sent along with the question. One it may \
               not be trusted with is checked here, after all rows have come over the wire: a \
               function that is not built in, a comparison under another collation, a type of an \
               extension that is not listed.\n\n\
               The time goes to carrying rows nobody wants.\n\n\
               For postgres_fdw: list extensions both servers have in the server's `extensions` \
               option, give text columns the collation they have there, use built-in immutable \
               functions, or filter in a view on the other side. Other wrappers may not send \
               conditions at all: then copy the rows into a table or a materialized view.",
        source: "EXPLAIN: Foreign Scan with a Filter, most rows removed by it",
        examples: &[
            Example {
                name: "another collation",
                setup: SETUP,
                statement: "SELECT count(*) FROM numbers WHERE w COLLATE \"C\" < 'w1'",
                fires: true,
            },
            Example {
                name: "a condition the other side checks",
                setup: SETUP,
                statement: "SELECT n FROM numbers WHERE n % 1000 = 7",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    if context.trivial() {
        return Vec::new();
    }
    context
        .operations(&["Foreign Scan"])
        .filter_map(|at| {
            let filter = words(at.node, "Filter")?;
            let (removed, kept) = (cost::removed(at.node), at.node.actual_rows?);
            let share = context.share(at.node);
            if removed < 1000.0 || removed < kept || share < SMALL {
                return None;
            }
            let name = called(at.node);
            let title = format!(
                "{} rows of {name} are fetched, {} of them are kept",
                grouped(removed + kept),
                grouped(kept)
            );
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(filter.clone());
            draft.evidence.extend([
                number("rows fetched", removed + kept),
                number("rows kept", kept),
                Evidence::text("filter", filter),
            ]);
            if let Some(sent) = cost::text(at.node, "Remote SQL") {
                draft.evidence.push(Evidence::text("sent to the other server", sent));
            }
            draft.explanation = "The condition is checked here, after the rows have come. Written \
                                 so that the other side may check it, only what is wanted comes."
                .into();
            Some(draft)
        })
        .collect()
}
