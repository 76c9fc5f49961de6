use marula_core::Json;
use marula_core::model::{Attribute, AttributeType, Entity};
use marula_postgres::sql::{quote_ident, quote_literal};

use super::types::{bare, bound};
use super::{Draw, element_checks};
use crate::schema::source_attribute;
use crate::structure::{Source, Store};

/// What holds of the elements of a `jsonb` column, so far as their own fields go: what is required
/// is there, values have their type, numbers and named values are within their bounds, and the
/// entity's checks hold. With notes on what is not looked at.
pub(super) fn condition(
    draw: &Draw<'_>,
    column: &str,
    entity: &Entity,
    within: &Store,
) -> (Option<String>, Vec<String>) {
    let mut wrong: Vec<String> = within
        .fields
        .iter()
        .filter_map(|field| {
            let Source::Attribute(name) = &field.source else { return None };
            let own = entity.attribute(name)?;
            let (_, root) = source_attribute(draw.model, draw.structure, within, &field.source)?;
            let required = own.required || entity.key().contains(&name.as_str());
            fault(own, root, required)
        })
        .collect();
    let (faults, left) = element_checks::faults(entity, within);
    wrong.extend(faults);
    let name = &entity.name;
    let left = left.into_iter();
    let notes = left.map(|check| format!("a check of {name} is left to the program: {check}"));
    let notes = notes.collect();
    if wrong.is_empty() {
        return (None, notes);
    }
    let path = format!("$[*] ? ({})", wrong.join(" || "));
    let fine = format!("NOT jsonb_path_exists({}, {})", quote_ident(column), quote_literal(&path));
    (Some(fine), notes)
}

/// When a field of an element is wrong, as a condition of an SQL/JSON path.
fn fault(own: &Attribute, root: &Attribute, required: bool) -> Option<String> {
    use AttributeType as A;
    let name = bare(&own.name);
    let at = format!("@.{}", Json::from(name));
    let kind = match root.kind {
        A::Id | A::Integer | A::Decimal | A::Money | A::Float => Some("number"),
        A::Boolean => Some("boolean"),
        A::Text | A::Enumeration | A::Uuid | A::UuidV7 | A::Date | A::Timestamp => Some("string"),
        A::List => Some("array"),
        _ => None,
    };
    let mut wrong = Vec::new();
    // What is not there has no type, and null has one of its own.
    match (required, kind) {
        (true, Some(kind)) => wrong.push(format!("!exists({at}) || {at}.type() != \"{kind}\"")),
        (true, None) => wrong.push(format!("!exists({at}) || {at} == null")),
        (false, Some(kind)) => {
            wrong.push(format!("{at}.type() != \"{kind}\" && {at} != null"));
        }
        (false, None) => {}
    }
    if matches!(root.kind, A::Id | A::Integer) {
        wrong.push(format!("{at}.type() == \"number\" && {at} % 1 != 0"));
    }
    if kind == Some("number") {
        wrong.extend(own.min.and_then(bound).map(|least| format!("{at} < {least}")));
        wrong.extend(own.max.and_then(bound).map(|most| format!("{at} > {most}")));
    }
    let few = (1..=super::lookup::MANY_VALUES).contains(&own.values.len());
    if own.kind == A::Enumeration && few {
        let values = own.values.iter().map(|value| Json::from(bare(value)));
        let none: Vec<String> = values.map(|value| format!("{at} != {value}")).collect();
        wrong.push(format!("{at} != null && {}", none.join(" && ")));
    }
    let each = wrong.into_iter().map(|one| format!("({one})"));
    (kind.is_some() || required).then(|| each.collect::<Vec<_>>().join(" || "))
}
