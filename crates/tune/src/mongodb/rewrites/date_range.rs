//! A condition on a computed part of a date (`{$eq: [{$year: "$at"}, 2024]}`) gets the interval it
//! stands for beside it, which an index can look for. The condition itself stays.

mod calendar;

use bson::{Bson, Document};
use marula_core::InferredSchema;

use super::{Answer, Facts, Rewrite, conjuncts};
use crate::mongodb::index::profile;
use crate::mongodb::pipeline::stage;
use crate::mongodb::predicate::field_path;
use crate::mongodb::shape::number;
use calendar::{Unit, day, next, start_of};

/// Its name among the rewrites.
pub const ID: &str = "date-range";

/// Adds the intervals that the leading `$match` stages stand for.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let mut reason = None;
    for (at, document) in pipeline.iter().enumerate() {
        let Some(("$match", Bson::Document(filter))) = stage(document) else { break };
        let mut computed = Vec::new();
        let conditions = conjuncts(filter);
        for condition in &conditions {
            if let Some(expression) = condition.get("$expr") {
                comparisons(expression, 0, &mut computed);
            }
        }
        let found = match interval(&computed, filter, facts.schema) {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(why) => {
                reason = reason.or(Some(why));
                continue;
            }
        };
        let (path, low, high) = found;
        let mut ends = Document::new();
        ends.extend(low.map(|low| ("$gte".to_string(), Bson::DateTime(low))));
        ends.extend(high.map(|high| ("$lt".to_string(), Bson::DateTime(high))));
        let mut asked = bson::doc! {path.clone(): ends};
        asked.extend(filter.clone());
        let mut stages = pipeline.to_vec();
        stages[at] = bson::doc! {"$match": asked};
        let sampled = facts.schema.map_or(0, |schema| schema.sampled);
        return Ok(Rewrite {
            ids: vec![ID],
            title: format!("ask for the interval of {path} that the computed condition stands for"),
            pipeline: stages,
            conditions: vec![
                format!("{path} holds dates only in the {sampled} documents sampled"),
                "the parts are computed in UTC, and the condition itself stays".into(),
            ],
        });
    }
    Err(reason)
}

/// One computed part compared with a constant.
struct Compared<'f> {
    path: &'f str,
    part: Part<'f>,
    operator: &'f str,
    value: &'f Bson,
}

enum Part<'f> {
    Year,
    Month,
    Day,
    /// `$dateToString` with this format.
    Text(&'f str),
    /// `$dateTrunc` to this unit.
    Trunc(&'f str),
}

/// The comparisons that must all hold.
fn comparisons<'f>(expression: &'f Bson, depth: usize, found: &mut Vec<Compared<'f>>) {
    let Some((operator, operands)) = expression
        .as_document()
        .filter(|inner| inner.len() == 1)
        .and_then(|inner| inner.iter().next())
    else {
        return;
    };
    let Some(operands) = operands.as_array() else { return };
    if operator == "$and" && depth < 20 {
        for operand in operands {
            comparisons(operand, depth + 1, found);
        }
        return;
    }
    let turned = match operator.as_str() {
        "$eq" => "$eq",
        "$gt" => "$lt",
        "$gte" => "$lte",
        "$lt" => "$gt",
        "$lte" => "$gte",
        _ => return,
    };
    let [left, right] = &operands[..] else { return };
    if let Some((path, part)) = part(left) {
        found.push(Compared { path, part, operator, value: right });
    } else if let Some((path, part)) = part(right) {
        found.push(Compared { path, part, operator: turned, value: left });
    }
}

/// The date a part is computed of, in UTC.
fn part(expression: &Bson) -> Option<(&str, Part<'_>)> {
    let (operator, given) = expression.as_document().filter(|d| d.len() == 1)?.iter().next()?;
    // `{$year: "$at"}`, `{$year: {date: "$at"}}`; an explicit zone other than UTC is another day.
    let of = |given: &'_ Document| {
        let zone = given.get("timezone").map(|zone| zone.as_str());
        matches!(zone, None | Some(Some("UTC" | "GMT" | "+00:00" | "Etc/UTC")))
    };
    let inner = given.as_document();
    let path = match (given, inner) {
        (Bson::String(_), _) => field_path(given)?,
        (_, Some(inner)) if of(inner) => field_path(inner.get("date")?)?,
        _ => return None,
    };
    let part = match (operator.as_str(), inner) {
        ("$year", _) => Part::Year,
        ("$month", _) => Part::Month,
        ("$dayOfMonth", _) => Part::Day,
        ("$dateToString", Some(inner)) if !inner.contains_key("onNull") => {
            Part::Text(inner.get_str("format").ok()?)
        }
        ("$dateTrunc", Some(inner)) if !inner.contains_key("binSize") => {
            Part::Trunc(inner.get_str("unit").ok()?)
        }
        _ => return None,
    };
    Some((path, part))
}

type Found = (String, Option<bson::DateTime>, Option<bson::DateTime>);

/// The interval the comparisons stand for; nothing when they stand for none.
fn interval(
    computed: &[Compared<'_>],
    filter: &Document,
    schema: Option<&InferredSchema>,
) -> Result<Option<Found>, String> {
    let Some(first) = computed.first() else { return Ok(None) };
    let path = first.path;
    // It is asked for already.
    if filter.contains_key(path) {
        return Ok(None);
    }
    dates(path, schema)?;
    let own = || computed.iter().filter(|one| one.path == path);
    let equal = |wanted: fn(&Part<'_>) -> bool| {
        own()
            .find(|one| one.operator == "$eq" && wanted(&one.part))
            .and_then(|one| number(Some(one.value)))
    };
    let (mut low, mut high): (Option<bson::DateTime>, Option<bson::DateTime>) = (None, None);
    let mut narrow = |from: Option<bson::DateTime>, to: Option<bson::DateTime>| {
        low = [low, from].into_iter().flatten().max();
        high = [high, to].into_iter().flatten().min();
    };
    if let Some(year) = equal(|part| matches!(part, Part::Year)) {
        let month = equal(|part| matches!(part, Part::Month));
        let date = equal(|part| matches!(part, Part::Day));
        let (from, unit) = match (month, date) {
            (Some(month), Some(date)) => (day(year, month, date), Unit::Day),
            (Some(month), None) => (day(year, month, 1), Unit::Month),
            _ => (day(year, 1, 1), Unit::Year),
        };
        if let Some(from) = from {
            narrow(Some(from), next(from, unit));
        }
    }
    for one in own() {
        match (&one.part, one.operator, one.value) {
            (Part::Year, operator, value) => {
                let Some(year) = number(Some(value)) else { continue };
                let (this, after) = (day(year, 1, 1), day(year.saturating_add(1), 1, 1));
                match operator {
                    "$gt" => narrow(after, None),
                    "$gte" => narrow(this, None),
                    // Null is less than every number: what is missing would be left out.
                    _ => {}
                }
            }
            (Part::Text(format), "$eq", Bson::String(text)) => {
                if let Some((from, unit)) = calendar::written(format, text) {
                    narrow(Some(from), next(from, unit));
                }
            }
            (Part::Trunc(unit), operator, Bson::DateTime(value)) => {
                let Some(unit) = Unit::named(unit) else { continue };
                // A date in the middle of a unit equals no truncated one; that is left as it is.
                if start_of(*value, unit) != Some(*value) {
                    continue;
                }
                match operator {
                    "$eq" => narrow(Some(*value), next(*value, unit)),
                    "$gte" => narrow(Some(*value), None),
                    "$gt" => narrow(next(*value, unit), None),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    match (low, high) {
        (None, None) => Ok(None),
        (low, high) => Ok(Some((path.to_string(), low, high))),
    }
}

/// Whether a field was seen to hold dates, and nothing else but null; if not, why that matters.
fn dates(path: &str, schema: Option<&InferredSchema>) -> Result<(), String> {
    let Some(field) = profile(path, schema) else {
        return Err(format!("what '{path}' holds could not be sampled"));
    };
    let other = field.types.keys().find(|kind| !matches!(kind.as_str(), "date" | "null"));
    match other {
        Some(kind) => Err(format!("'{path}' holds {kind} in some documents, not dates alone")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
