use marula_core::{ChangeKind, Engine, Evidence, Example, PlanNode, Relation, RuleInfo, Severity};
use marula_postgres::sql::quote_ident;

use super::super::Context;
use super::super::shape::Operator;
use super::support::{analyze, called, draft, evidence, grouped, is_stale, number, quoted};
use crate::{Draft, Proposal, Rule};

/// The planner is wrong when it is out by more than this factor.
const FACTOR: f64 = 10.0;

/// The deepest node whose rows the planner did not foresee.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "misestimate",
        engine: Engine::Postgres,
        title: "The planner expected a quite different number of rows",
        severity: Severity::Medium,
        since: None,
        page: "The planner chose join orders and methods for a number of rows that is out by a \
               factor of ten or more. The deepest such node is where the error comes from; those \
               above inherit it.\n\n\
               A nested loop chosen for one row and run for a thousand is the usual harm; sorts \
               and hashes sized for a few rows spill to disk.\n\n\
               When statistics are old, ANALYZE. When two columns go together (a city and its \
               postal code), the planner multiplies their shares as if they did not: CREATE \
               STATISTICS tells it. When one column has more frequent values than the hundred it \
               remembers, raise its target with SET STATISTICS.",
        source: "pev2 and pgMustard mark actual and estimated rows a factor of ten apart",
        examples: &[
            Example {
                name: "two columns that always go together",
                setup: "CREATE TABLE places (id int PRIMARY KEY, city int, code int, body text);
INSERT INTO places SELECT i, i % 200, (i % 200) * 10, repeat('x', 40) FROM generate_series(1, 60000) i;
ANALYZE places;",
                statement: "SELECT * FROM places WHERE city = 5 AND code = 50",
                fires: true,
            },
            Example {
                name: "one column with even values",
                setup: "CREATE TABLE places (id int PRIMARY KEY, city int, body text);
INSERT INTO places SELECT i, i % 200, repeat('x', 40) FROM generate_series(1, 60000) i;
ANALYZE places;",
                statement: "SELECT * FROM places WHERE city = 5",
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
    // Children come after their parents: from the end, the deepest is met first, and what stands
    // above it is left out.
    let wrong: Vec<_> = context.nodes().filter(|at| factor(at.node, at.parent).is_some()).collect();
    wrong
        .iter()
        .filter(|at| {
            let below = |other: &&super::super::At<'_>| {
                other.path.len() > at.path.len() && other.path.starts_with(at.path)
            };
            !wrong.iter().any(|other| below(&other))
        })
        .take(8)
        .filter_map(|at| {
            let factor = factor(at.node, at.parent)?;
            let (expected, actual) = (at.node.estimated_rows?, at.node.actual_rows?);
            // What a wrong number harms is everything above it.
            let harmed = context.share_below(at.parent.unwrap_or(at.node));
            let share = at.parent.map_or(0.1, |_| harmed).min(0.39);
            let place = match at.node.relation {
                Some(_) => format!("{} on {}", at.node.op, called(at.node)),
                None => at.node.op.clone(),
            };
            let title =
                format!("{place}: {} rows expected, {} came", grouped(expected), grouped(actual));
            let mut draft = draft(context, at, share, title);
            // How much it matters is bounded; the share of the time is what it is.
            draft.evidence = evidence(context, at.node, harmed);
            draft.evidence.extend([
                number("rows expected", expected),
                number("rows found", actual),
                Evidence::number("wrong by a factor of", (factor * 10.0).round() / 10.0, None),
            ]);
            draft.explanation = "Join order, join method and memory are chosen for the expected \
                 number. This is the deepest node that is wrong; those above inherit its error."
                .into();
            draft.proposals = proposals(context, at.node, share * 0.3);
            Some(draft)
        })
        .collect()
}

fn factor(node: &PlanNode, parent: Option<&PlanNode>) -> Option<f64> {
    let (expected, actual) = (node.estimated_rows?.max(1.0), node.actual_rows?.max(1.0));
    // Below a LIMIT a node is stopped early; under a semi-join or Memoize too.
    let stopped = parent.is_some_and(|parent| {
        parent.op == "Limit"
            || matches!(
                parent.native.get("Join Type").and_then(|t| t.as_str()),
                Some("Semi" | "Anti")
            )
    });
    // A bitmap's row count is that of its heap scan.
    let counted = !node.op.starts_with("Bitmap") || node.op == "Bitmap Heap Scan";
    let counted =
        counted && !matches!(node.op.as_str(), "Hash" | "Materialize" | "Memoize" | "Limit");
    if stopped || !counted || expected.max(actual) < 100.0 {
        return None;
    }
    let factor = (actual / expected).max(expected / actual);
    (factor > FACTOR).then_some(factor)
}

/// Statistics that would mend the estimate of a scan.
pub(super) fn proposals(context: &Context, node: &PlanNode, gain: f64) -> Vec<Proposal> {
    let (Some(relation), Some(used)) = (context.relation(node), context.used(node)) else {
        return Vec::new();
    };
    let mut found: Vec<Proposal> =
        is_stale(relation).then(|| analyze(relation, gain)).into_iter().collect();
    let mut columns: Vec<&str> = used
        .predicates
        .iter()
        .filter(|p| {
            p.is_filter() && matches!(p.operator, Operator::Equal | Operator::In | Operator::Range)
        })
        .filter_map(|p| p.key.column.as_deref())
        .filter(|name| relation.column(name).is_some())
        .collect();
    columns.sort_unstable();
    columns.dedup();
    if columns.len() > 1 {
        found.insert(0, together(relation, &columns[..columns.len().min(8)], gain * 1.1));
    } else if let [only] = columns.as_slice() {
        found.push(target(relation, only, gain * 0.9));
    }
    let expressions = used.predicates.iter().filter(|p| {
        p.is_filter()
            && p.key.column.is_none()
            && p.key.immutable
            && context.catalog.as_ref().is_some_and(|c| c.version.major >= 14)
    });
    found.extend(expressions.take(1).map(|p| expression(relation, &p.key.text, gain)));
    found
}

/// Statistics on columns that go together, for every scan and every grouping whose rows the
/// planner misjudged.
pub(in crate::postgres) fn misjudged(context: &Context) -> Vec<Proposal> {
    let mut found: Vec<Proposal> = Vec::new();
    for at in context.nodes().filter(|at| factor(at.node, at.parent).is_some()) {
        let groups = matches!(at.node.op.as_str(), "Aggregate" | "HashAggregate" | "Group");
        let mut all = match groups {
            true => grouped_together(context),
            false => proposals(context, at.node, context.share_below(at.node)),
        };
        all.retain(|one| one.up[0].contains(" (ndistinct, dependencies, mcv) "));
        found.extend(all.into_iter().filter(|one| !found.contains(one)).collect::<Vec<_>>());
    }
    found
}

fn grouped_together(context: &Context) -> Vec<Proposal> {
    let uses = context.shape.uses().filter(|(_, used)| used.group.len() > 1);
    let of = |used: &super::super::Use| {
        let relation = context.catalog.as_ref()?.find(&used.relation)?;
        let mut columns: Vec<&str> = used.group.iter().map(String::as_str).collect();
        columns.sort_unstable();
        Some(together(relation, &columns[..columns.len().min(8)], 0.5))
    };
    uses.filter_map(|(_, used)| of(used)).collect()
}

/// Statistics over columns that go together.
fn together(relation: &Relation, columns: &[&str], gain: f64) -> Proposal {
    let name = format!("{}_{}_stat", relation.name, columns.join("_"));
    let name = name.chars().take(60).collect::<String>();
    let list: Vec<String> = columns.iter().map(|column| quote_ident(column)).collect();
    let schema = quote_ident(&relation.schema);
    Proposal {
        kind: ChangeKind::Statistics,
        title: format!("statistics on ({}) of {} together", columns.join(", "), relation.name),
        relation: Some(relation.qualified()),
        up: vec![
            format!(
                "CREATE STATISTICS {schema}.{} (ndistinct, dependencies, mcv) ON {} FROM {}",
                quote_ident(&name),
                list.join(", "),
                quoted(relation)
            ),
            format!("ANALYZE {}", quoted(relation)),
        ],
        down: vec![format!("DROP STATISTICS {schema}.{}", quote_ident(&name))],
        hazards: vec![format!("ANALYZE of {} takes a little longer from now on", relation.name)],
        conditions: Vec::new(),
        gain,
    }
}

/// More frequent values and histogram bounds for one column.
fn target(relation: &Relation, column: &str, gain: f64) -> Proposal {
    let alter = format!("ALTER TABLE {} ALTER COLUMN {}", quoted(relation), quote_ident(column));
    Proposal {
        kind: ChangeKind::Statistics,
        title: format!("finer statistics on {}.{column}", relation.name),
        relation: Some(relation.qualified()),
        up: vec![
            format!("{alter} SET STATISTICS 1000"),
            format!("ANALYZE {} ({})", quoted(relation), quote_ident(column)),
        ],
        down: vec![format!("{alter} SET STATISTICS -1")],
        hazards: vec!["ANALYZE reads a ten times larger sample, and planning takes longer".into()],
        conditions: Vec::new(),
        gain,
    }
}

/// Statistics of an expression, which the planner otherwise guesses (since 14).
fn expression(relation: &Relation, text: &str, gain: f64) -> Proposal {
    let schema = quote_ident(&relation.schema);
    let name = quote_ident(&format!("{}_expr_stat", relation.name));
    Proposal {
        kind: ChangeKind::Statistics,
        title: format!("statistics on the expression {text} of {}", relation.name),
        relation: Some(relation.qualified()),
        up: vec![
            format!("CREATE STATISTICS {schema}.{name} ON ({text}) FROM {}", quoted(relation)),
            format!("ANALYZE {}", quoted(relation)),
        ],
        down: vec![format!("DROP STATISTICS {schema}.{name}")],
        hazards: Vec::new(),
        conditions: Vec::new(),
        gain,
    }
}
