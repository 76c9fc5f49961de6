//! What each group of steps is said with: in safe forms where it may run outside of a transaction,
//! and else as it is.

use std::collections::BTreeSet;

use marula_core::{MigrationWork, Result, Version};

use super::edges::Graph;
use super::kinds::{Sql, bare};
use super::model::{Id, Kind};
use super::order::Groups;
use super::plan::{Manner, Planned, outside};
use super::steps::{Deed, Step};
use crate::postgres::{fix, schema::Schema};

/// How a group's statements run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Run {
    /// In a transaction, in a moment.
    Brief,
    /// Each by itself, without one.
    Outside,
    /// In a transaction of their own: others wait as long as they work.
    Long,
}

/// A group with its statements.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// How they run.
    pub run: Option<Run>,
    /// The statements.
    pub statements: Vec<Planned>,
    /// What is looked through afterwards, outside of the transaction.
    pub after: Vec<Planned>,
    /// Whether something goes and comes again.
    pub swaps: bool,
    /// Whether things only go.
    pub drops: bool,
    /// What the reader should know.
    pub says: Vec<String>,
}

/// The statements of all groups; `schema` is what is there before.
pub(super) fn forms(
    graph: &Graph,
    groups: &Groups,
    schema: &Schema,
    version: Version,
    manner: Manner,
) -> Result<Vec<Form>> {
    let order = groups.order();
    let steps = || order.iter().flat_map(|group| &groups.members[*group]);
    let texts: Vec<String> =
        steps().flat_map(|at| &graph.steps[*at].statements).map(|sql| sql.text.clone()).collect();
    let mut safe = fix::planned(&texts, schema, version)?.into_iter();
    let mut all: Vec<Form> = groups.members.iter().map(|_| Form::default()).collect();
    for group in order {
        let members: Vec<&Step> =
            groups.members[group].iter().map(|at| &graph.steps[*at]).collect();
        let apart = members.len() == 1 && !members[0].whole && !manner.whole;
        let mut form = Form::default();
        let mut long = false;
        for step in &members {
            for sql in &step.statements {
                let Some(own) = safe.next() else { continue };
                long |= said(&mut form, step, sql, own, apart, manner.whole);
            }
        }
        form.drops = members.iter().all(|step| step.deed == Deed::Drop);
        form.swaps = members.len() > 1;
        let free = form.statements.iter().any(|planned| outside(&planned.text));
        form.run = Some(match () {
            () if apart && free => Run::Outside,
            () if long => Run::Long,
            () => Run::Brief,
        });
        if form.run == Some(Run::Long) && members.iter().all(|step| step.deed != Deed::Build) {
            held(&mut form, &members);
        }
        all[group] = form;
    }
    Ok(all)
}

/// Adds a statement in the form in which it runs; true when others wait for its work.
fn said(
    form: &mut Form,
    step: &Step,
    sql: &Sql,
    safe: fix::Planned,
    apart: bool,
    whole: bool,
) -> bool {
    let planned =
        |text: &str| Planned { text: text.to_string(), otherwise: None, about: step.id.clone() };
    let own = Planned { otherwise: sql.otherwise.clone(), ..planned(&sql.text) };
    let forms = safe.forms;
    let same = forms.len() == 1 && forms[0] == sql.text;
    let first = forms.iter().position(|text| outside(text)).unwrap_or(forms.len());
    if !same && (apart || first == forms.len()) {
        form.statements.extend(forms.iter().map(|text| planned(text)));
        return false;
    }
    let (now, later) = forms.split_at(first);
    let validated = later.iter().all(|text| text.contains(" VALIDATE CONSTRAINT "));
    if !same && !whole && step.id.kind == Kind::Constraint && !now.is_empty() && validated {
        form.statements.extend(now.iter().map(|text| planned(text)));
        form.after.extend(later.iter().map(|text| planned(text)));
        return false;
    }
    let fills = step.id.kind == Kind::MaterializedView
        && sql.text.starts_with("CREATE MATERIALIZED VIEW")
        && !sql.text.ends_with("WITH NO DATA");
    if safe.work == MigrationWork::Rewrite
        && step.id.kind == Kind::Column
        && let Some((_, kind)) = sql.text.split_once(" TYPE ")
    {
        form.says.push(online(&step.id, kind));
    }
    if fills {
        let name = step.id.name.strip_prefix("public.").unwrap_or(&step.id.name);
        form.says.push(match step.deed {
            Deed::Build => format!(
                "{name} is filled anew under another name, and takes its place at the end: till then \
                 it can be read."
            ),
            _ => format!("{name} is filled anew in it."),
        });
    }
    form.statements.push(own);
    fills || safe.work != MigrationWork::None
}

/// What does the same to a column without the wait.
fn online(column: &Id, kind: &str) -> String {
    let kind = kind.split(" USING ").next().unwrap_or(kind);
    let kind = kind.split(" COLLATE ").next().unwrap_or(kind);
    let name = column.name.strip_prefix("public.").unwrap_or(&column.name);
    let quoted =
        |text: &str| match text.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c)) {
            true => text.to_string(),
            false => format!("'{}'", text.replace('\'', "'\\''")),
        };
    format!(
        "{} is written anew, row by row, while all wait. In steps that keep nobody waiting: marula \
         migrate change-type {} {}; then take the difference again.",
        bare(name),
        quoted(name),
        quoted(kind)
    )
}

/// Says what a long transaction locks.
fn held(form: &mut Form, members: &[&Step]) {
    let names: BTreeSet<String> = members
        .iter()
        .filter(|step| step.deed != Deed::Build)
        .filter_map(|step| step.on.as_ref())
        .map(|on| on.name.strip_prefix("public.").unwrap_or(&on.name).to_string())
        .collect();
    if !names.is_empty() {
        let names: Vec<String> = names.into_iter().collect();
        form.says.insert(0, format!("Locked until it ends: {}.", names.join(", ")));
    }
}
