//! Policies, triggers, statistics, rights and comments on their way from the old column to the new one.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::sql::{self, quote_ident, quote_qualified};
use pg_query::NodeEnum;

use super::around::{Around, Policy, Statistics, Trigger};
use super::{Place, depend, expression, short};
use crate::postgres::written;

/// Statements in the steps of a change.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// With the new column, and before it goes again.
    pub expand: Vec<String>,
    pub expand_back: Vec<String>,
    /// When the new column takes the old one's place, after names have changed; and what takes it back,
    /// after names are as before.
    pub swap: Vec<String>,
    pub swap_back: Vec<String>,
    /// Before the old column goes.
    pub contract: Vec<String>,
    /// What is for a person to do, by name.
    pub by_hand: Vec<String>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

impl Carried {
    /// The column's name stays, its type changes: what names it means the new one after the swap.
    pub fn same_name(place: &Place<'_>, column: &str, new: &str, is_text: bool) -> Carried {
        let Some(around) = place.around else { return Carried::default() };
        let mut carried = Carried::all(around, &[column], "says");
        carried.expand = around.taken_over(column, new);
        if !is_text {
            // Only values of any length can be stored or compressed in one way or another.
            let kept = |text: &String| {
                !text.contains(" SET STORAGE ") && !text.contains(" SET COMPRESSION ")
            };
            carried.expand.retain(kept);
        }
        for policy in &around.policies {
            let text = policy_text(place, policy, policy.using.clone(), policy.check.clone());
            carried.swap.push(text.clone());
            carried.swap_back.push(text);
        }
        for trigger in &around.triggers {
            let text = trigger_text(place, trigger, &trigger.definition);
            carried.swap.extend(text.clone());
            carried.swap_back.extend(text);
        }
        for statistics in &around.statistics {
            carried.statistics(statistics, statistics.definition.clone());
        }
        carried
    }

    /// The column gets another name, and both work until the last step.
    ///
    /// # Errors
    /// `Unsupported`, by name, for a policy, trigger or statistics whose text cannot be carried over.
    pub fn renamed(place: &Place<'_>, old: &str, new: &str) -> Result<Carried> {
        let Some(around) = place.around else { return Ok(Carried::default()) };
        let mut carried = Carried::all(around, &[old], "says");
        carried.expand = around.taken_over(old, new);
        let mut stuck = Vec::new();
        for policy in &around.policies {
            let over = |text: &Option<String>| match text {
                Some(text) => expression::in_expression(text, place.bare(), old, new).map(Some),
                None => Some(None),
            };
            match (over(&policy.using), over(&policy.check)) {
                (Some(using), Some(check)) => {
                    carried.swap.push(policy_text(place, policy, using, check));
                    let (using, check) = (policy.using.clone(), policy.check.clone());
                    carried.swap_back.push(policy_text(place, policy, using, check));
                }
                _ => stuck.push(format!("policy {}", policy.name)),
            }
        }
        for trigger in &around.triggers {
            let text = |when: bool, of: &[&str]| {
                let definition = trigger_definition(&trigger.definition, old, new, when, of)?;
                Some(trigger_text(place, trigger, &definition))
            };
            let all = (text(false, &[old, new]), text(true, &[old, new]), text(true, &[new]));
            let (Some(both), Some(switched), Some(last)) = all else {
                stuck.push(format!("trigger {}", trigger.name));
                continue;
            };
            carried.expand.extend(both.clone());
            carried.expand_back.extend(trigger_text(place, trigger, &trigger.definition));
            carried.swap.extend(switched);
            carried.swap_back.extend(both);
            carried.contract.extend(last);
        }
        for statistics in &around.statistics {
            match statistics_definition(&statistics.definition, old, new) {
                Some(definition) => carried.statistics(statistics, definition),
                None => stuck.push(format!("statistics {}", statistics.name)),
            }
        }
        if stuck.is_empty() { Ok(carried) } else { Err(depend::refused(place, &stuck)) }
    }

    /// Columns that go, with others made of them: nothing can tell what is to be read instead.
    ///
    /// # Errors
    /// `Unsupported`, by name, for policies and triggers.
    pub fn split(place: &Place<'_>, olds: &[&str]) -> Result<Carried> {
        let Some(around) = place.around else { return Ok(Carried::default()) };
        let policies = around.policies.iter().map(|policy| format!("policy {}", policy.name));
        let triggers = around.triggers.iter().map(|trigger| format!("trigger {}", trigger.name));
        let stuck: Vec<String> = policies.chain(triggers).collect();
        if !stuck.is_empty() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("these read a column that goes: {}", stuck.join(", ")),
            )
            .at(place.table.to_string())
            .hint("write them over the new columns, or drop them, in a migration before these"));
        }
        let mut carried = Carried::all(around, olds, "says");
        for statistics in &around.statistics {
            carried.notes.push(format!("statistics {} go with the column", statistics.name));
        }
        let rights = around.traits.iter().filter(|(_, all)| !all.is_empty());
        for (column, all) in rights {
            let all: Vec<String> =
                all.iter().map(|text| text.replacen("{}", &quote_ident(column), 1)).collect();
            carried
                .by_hand
                .push(format!("{column} has what its successors may want: {}", all.join("; ")));
        }
        Ok(carried)
    }

    /// What is only named.
    fn all(around: &Around, columns: &[&str], verb: &str) -> Carried {
        let mut carried = Carried::default();
        for function in &around.functions {
            let names = columns.join(" or ");
            carried.by_hand.push(format!("function {function} {verb} {names} in its text"));
        }
        if !around.fired.is_empty() {
            carried.notes.push(format!(
                "the backfill fires for every row: trigger {}; see that this is wanted, or let it look \
                 at the columns it is about (UPDATE OF)",
                around.fired.join(", ")
            ));
        }
        carried
    }

    /// The old ones keep another name until the column goes, and go with it.
    fn statistics(&mut self, statistics: &Statistics, definition: String) {
        let full = quote_qualified(&statistics.schema, &statistics.name);
        let old = short(&format!("{}_old", statistics.name));
        let full_old = quote_qualified(&statistics.schema, &old);
        self.swap.push(format!("ALTER STATISTICS {full} RENAME TO {}", quote_ident(&old)));
        self.swap.push(definition);
        self.swap.extend(statistics.besides.iter().cloned());
        self.swap_back.push(format!("DROP STATISTICS {full}"));
        let name = quote_ident(&statistics.name);
        self.swap_back.push(format!("ALTER STATISTICS {full_old} RENAME TO {name}"));
    }
}

fn policy_text(
    place: &Place<'_>,
    policy: &Policy,
    using: Option<String>,
    check: Option<String>,
) -> String {
    let mut text = format!("ALTER POLICY {} ON {}", policy.name, place.quoted());
    if let Some(using) = using {
        text.push_str(&format!(" USING ({using})"));
    }
    if let Some(check) = check {
        text.push_str(&format!(" WITH CHECK ({check})"));
    }
    text
}

/// Drops it and makes it as `definition` says.
fn trigger_text(place: &Place<'_>, trigger: &Trigger, definition: &str) -> Vec<String> {
    let (table, name) = (place.quoted(), &trigger.name);
    let mut all = vec![format!("DROP TRIGGER {name} ON {table}"), definition.to_string()];
    if let Some(enabled) = &trigger.enabled {
        all.push(format!("ALTER TABLE {table} {enabled} TRIGGER {name}"));
    }
    if let Some(comment) = &trigger.comment {
        all.push(format!("COMMENT ON TRIGGER {name} ON {table} IS {comment}"));
    }
    all
}

/// A trigger over other columns: `of` in the place of the old one, and with `when` the new name in its
/// condition.
fn trigger_definition(
    definition: &str,
    old: &str,
    new: &str,
    when: bool,
    of: &[&str],
) -> Option<String> {
    let new_of = |name: &str| (name == old).then(|| new.to_string());
    let text = match when {
        true => expression::with_column(definition, &new_of)?,
        false => definition.to_string(),
    };
    let statement = sql::parse(&text).ok()?;
    let Some(NodeEnum::CreateTrigStmt(trigger)) = statement.root() else { return None };
    let mut trigger = trigger.clone();
    let named = |name: &str| {
        let string = pg_query::protobuf::String { sval: name.to_string() };
        pg_query::protobuf::Node { node: Some(NodeEnum::String(string)) }
    };
    let columns = super::super::context::strings(&trigger.columns);
    trigger.columns = columns
        .iter()
        .flat_map(|column| match column == old {
            true => of.iter().map(|name| named(name)).collect(),
            false => vec![named(column)],
        })
        .collect();
    written::statement(NodeEnum::CreateTrigStmt(trigger)).ok()
}

fn statistics_definition(definition: &str, old: &str, new: &str) -> Option<String> {
    let new_of = |name: &str| (name == old).then(|| new.to_string());
    let text = expression::with_column(definition, &new_of)?;
    let statement = sql::parse(&text).ok()?;
    let Some(NodeEnum::CreateStatsStmt(stats)) = statement.root() else { return None };
    let mut stats = stats.clone();
    for node in &mut stats.exprs {
        if let Some(NodeEnum::StatsElem(element)) = &mut node.node
            && element.name == old
        {
            element.name = new.to_string();
        }
    }
    written::statement(NodeEnum::CreateStatsStmt(stats)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_and_statistics_take_the_new_name() {
        let definition = "CREATE TRIGGER noted AFTER UPDATE OF code, note ON public.items FOR EACH ROW WHEN \
                          ((old.code IS DISTINCT FROM new.code)) EXECUTE FUNCTION noted()";
        let both = trigger_definition(definition, "code", "number", false, &["code", "number"]);
        let both = both.unwrap_or_default();
        assert!(both.contains("UPDATE OF code, number, note"), "{both}");
        assert!(both.contains("old.code IS DISTINCT FROM new.code"), "{both}");
        let last = trigger_definition(definition, "code", "number", true, &["number"]);
        let last = last.unwrap_or_default();
        assert!(last.contains("UPDATE OF number, note"), "{last}");
        assert!(last.contains("old.number IS DISTINCT FROM new.number"), "{last}");
        let definition = "CREATE STATISTICS public.s (ndistinct) ON code, (code * 2) FROM items";
        let stats = statistics_definition(definition, "code", "number").unwrap_or_default();
        assert!(stats.contains("number, (number * 2)"), "{stats}");
    }
}
