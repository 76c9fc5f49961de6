//! From two schemas to statements in their safe form, in parts that each run in one transaction or
//! in none.

use marula_core::{Result, Version};
use marula_postgres::{Session, sql};

use super::fate::{self, Fate, Fates};
use super::model::{Id, Kind, Model};
use super::order::{Deed, Graph, Step};
use crate::postgres::{classify, fix, schema::Schema};

/// A run of statements.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Whether they run in one transaction.
    pub transaction: bool,
    /// The statements.
    pub statements: Vec<Planned>,
}

/// A statement of a plan.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// It.
    pub text: String,
    /// What is taken when values cannot be cast by themselves.
    pub otherwise: Option<String>,
    /// What it is about.
    pub about: Id,
}

/// The way from one schema to another.
pub(super) struct Plan {
    /// In order.
    pub parts: Vec<Part>,
    /// What becomes of what.
    pub fates: Fates,
}

/// Makes the plan; `schema` is what is there before, for the safe forms.
pub(super) fn plan(
    from: &Model,
    to: &Model,
    schema: &Schema,
    version: Version,
    strict: bool,
) -> Result<Plan> {
    let fates = fate::decide(from, to, strict);
    let graph = Graph::new(from, to, &fates);
    // First in any order, to see which steps have a safe form outside of transactions.
    let mut first: Vec<Step> = graph.ordered(&|_| false).into_iter().cloned().collect();
    let texts: Vec<String> =
        first.iter().flat_map(|step| &step.statements).map(|sql| sql.text.clone()).collect();
    let mut safe = fix::statements(&texts, schema, version)?.into_iter();
    for step in &mut first {
        let mut own = Vec::new();
        for statement in &step.statements {
            let forms = safe.next().unwrap_or_else(|| vec![statement.text.clone()]);
            if forms.len() == 1 && forms[0] == statement.text {
                own.push(statement.clone());
            } else {
                own.extend(forms.into_iter().map(Into::into));
            }
        }
        step.statements = own;
    }
    let find = |step: &Step| first.iter().find(|own| own.id == step.id && own.deed == step.deed);
    let apart = |step: &Step| {
        find(step).is_some_and(|step| step.statements.iter().any(|s| outside(&s.text)))
    };
    let mut parts: Vec<Part> = Vec::new();
    for step in graph.ordered(&apart) {
        let transaction = !apart(step);
        let Some(step) = find(step) else { continue };
        if parts.last().is_none_or(|part| part.transaction != transaction) {
            parts.push(Part { transaction, statements: Vec::new() });
        }
        if let Some(part) = parts.last_mut() {
            part.statements.extend(step.statements.iter().map(|sql| Planned {
                text: sql.text.clone(),
                otherwise: sql.otherwise.clone(),
                about: step.id.clone(),
            }));
        }
    }
    parts.retain(|part| !part.statements.is_empty());
    Ok(Plan { parts, fates })
}

/// Whether a statement is to run by itself.
pub(super) fn outside(text: &str) -> bool {
    let Ok(statement) = sql::parse(text) else { return false };
    let upper = text.trim_start().to_ascii_uppercase();
    classify::outside_transaction(&statement)
        || (upper.starts_with("ALTER") && upper.contains(" VALIDATE CONSTRAINT "))
        || (upper.starts_with("ALTER TYPE") && upper.contains(" ADD VALUE "))
        || (upper.starts_with("DO ") && upper.contains("COMMIT"))
}

/// What the rules know of a database: everything but how large it is.
pub(super) async fn schema_of(session: &Session) -> Result<Schema> {
    use marula_postgres::catalog::{Scope, read};
    // The catalogue names what is on the search_path without its schema.
    let path = |path: &'static str| async move {
        let set = format!("SET search_path = {path}");
        session.client().batch_execute(&set).await.map_err(|e| marula_postgres::from_server(&e))
    };
    path("public").await?;
    let catalog = read(session, Scope::All).await;
    path("''").await?;
    let mut schema = Schema::from_catalog(&catalog?);
    for table in schema.tables.values_mut() {
        table.size = None;
    }
    Ok(schema)
}

/// What is lost, each in a line.
pub(super) fn destroyed(from: &Model, to: &Model, fates: &Fates) -> Vec<String> {
    let mut all = Vec::new();
    for (id, fate) in fates {
        let Some(object) = from.get(id) else { continue };
        let gone = |id: &Id| matches!(fates.get(id), Some(Fate::Drop | Fate::Recreate));
        match (id.kind, fate) {
            (Kind::Table, Fate::Drop) => all.push(format!("{id} is dropped with its rows")),
            (Kind::Table, Fate::Recreate) => {
                all.push(format!(
                    "{id} cannot be changed in place: it is made anew, without its rows"
                ));
            }
            (Kind::Column, Fate::Drop | Fate::Recreate)
                if !object.has("generated")
                    && !super::kinds::view_column(object)
                    && !object.parent.as_ref().is_some_and(gone) =>
            {
                all.push(format!("{id} is dropped with its values"));
            }
            (Kind::Sequence, Fate::Drop) => {
                let owned = from.get(&Id::new(Kind::OwnedBy, id.name.clone())).is_some();
                if !owned {
                    all.push(format!("{id} is dropped with how far it has counted"));
                }
            }
            (Kind::Enum, Fate::Alter { breaks: true, .. }) => {
                let labels = |model: &Model| {
                    let text = model.get(id).map_or("", |object| object.get("labels"));
                    super::kinds::labels(text)
                };
                let new = labels(to);
                let lost: Vec<String> =
                    labels(from).into_iter().filter(|label| !new.contains(label)).collect();
                if !lost.is_empty() {
                    all.push(format!(
                        "{id} loses {}: a row that holds it makes the migration fail",
                        lost.join(", ")
                    ));
                }
            }
            _ => {}
        }
    }
    all
}

/// Drops beside which something much alike is made: perhaps only a name changed.
pub(super) fn likely_renames(from: &Model, to: &Model, fates: &Fates) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let of = |kind: Kind, wanted: &dyn Fn(&Fate) -> bool| -> Vec<Id> {
        let own = fates.iter().filter(|(id, fate)| id.kind == kind && wanted(fate));
        own.map(|(id, _)| id.clone()).collect()
    };
    let short = |name: &str| name.strip_prefix("public.").unwrap_or(name).to_string();
    let columns = |model: &Model, table: &Id| -> Vec<(String, String)> {
        let mut all: Vec<_> = model
            .parts(table, Kind::Column)
            .iter()
            .map(|c| (c.get("name").to_string(), c.get("type").to_string()))
            .collect();
        all.sort();
        all
    };
    for gone in of(Kind::Table, &|fate| matches!(fate, Fate::Drop)) {
        let was = columns(from, &gone);
        for new in of(Kind::Table, &|fate| matches!(fate, Fate::Create)) {
            if !was.is_empty() && columns(to, &new) == was {
                let flag = format!("--rename-table {}={}", short(&gone.name), short(&new.name));
                all.push((format!("{gone} may have become {new}"), flag));
            }
        }
    }
    for gone in of(Kind::Column, &|fate| matches!(fate, Fate::Drop)) {
        let Some(old) = from.get(&gone).filter(|old| !old.implied) else { continue };
        for new in of(Kind::Column, &|fate| matches!(fate, Fate::Create)) {
            let Some(wanted) = to.get(&new) else { continue };
            let alike = wanted.parent == old.parent
                && wanted.get("type") == old.get("type")
                && old.has("type")
                && !wanted.implied
                && !old.has("generated")
                && !wanted.has("generated");
            if alike {
                let flag = format!("--rename {}={}", short(&gone.name), short(&new.name));
                all.push((format!("{gone} may have become {new}"), flag));
            }
        }
    }
    all
}

/// What differs between two schemas, each in a line.
pub(super) fn differences(from: &Model, to: &Model) -> Vec<String> {
    let mut all = Vec::new();
    for (id, object) in &from.objects {
        match to.get(id) {
            None if object.implied => {}
            None => all.push(format!("{id} is too many")),
            Some(wanted) => {
                for fact in object.differing(wanted) {
                    let shown = |text: &str| match text {
                        "" => "nothing".to_string(),
                        text if text.contains('\n') || text.len() > 200 => {
                            format!("'{}…'", text.chars().take(200).collect::<String>())
                        }
                        text => format!("'{text}'"),
                    };
                    all.push(format!(
                        "{id}: its {} is {}, and should be {}",
                        fact.replace('_', " "),
                        shown(object.get(fact)),
                        shown(wanted.get(fact))
                    ));
                }
            }
        }
    }
    for (id, object) in &to.objects {
        if from.get(id).is_none() && !object.implied {
            all.push(format!("{id} is missing"));
        }
    }
    all
}

/// What a plan does, each object in a line: `+`, `~`, `-` and its name.
pub(super) fn outline(fates: &Fates, from: &Model, to: &Model) -> Vec<(Deed, String)> {
    let mut all = Vec::new();
    for (id, fate) in fates {
        let model = if matches!(fate, Fate::Create) { to } else { from };
        let Some(object) = model.get(id) else { continue };
        let whole = object.parent.as_ref().is_some_and(|parent| {
            let same = matches!(
                (fate, fates.get(parent)),
                (Fate::Create, Some(Fate::Create))
                    | (Fate::Drop, Some(Fate::Drop))
                    | (Fate::Recreate, Some(Fate::Recreate))
            );
            same && (id.kind.is_part() || parent.kind == Kind::Column)
        });
        if whole || super::kinds::view_column(object) {
            continue;
        }
        match fate {
            Fate::Create => all.push((Deed::Create, id.to_string())),
            Fate::Drop => all.push((Deed::Drop, id.to_string())),
            Fate::Rename(new) => {
                all.push((
                    Deed::Alter,
                    format!("{id} is renamed {}", super::kinds::bare(&new.name)),
                ));
            }
            Fate::Alter { .. } => all.push((Deed::Alter, id.to_string())),
            Fate::Recreate => all.push((Deed::Alter, format!("{id} (made anew)"))),
        }
    }
    all
}
