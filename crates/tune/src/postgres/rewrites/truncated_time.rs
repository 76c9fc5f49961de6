//! `date_trunc('day', at) = '2026-02-01'` → `at >= '2026-02-01' AND at < '2026-02-02'`, and the
//! same for `at::date`, `date(at)` and `extract(year FROM at)`.

use pg_query::protobuf::{AExprKind, a_const};
use pg_query::{Node, NodeEnum};
use time::macros::format_description;
use time::{Date, Duration, Month, PrimitiveDateTime, Time, Weekday};

use super::super::ast;
use super::conditions::{Other, mend};
use super::names::Names;
use super::{Input, Rewrite};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "truncated-time-to-range",
    title: "the cut-off time as a range on the bare column",
    clears: &["non-sargable"],
    apply,
};

/// Time zones without summer time, under the names in use.
const FIXED: [&str; 8] =
    ["utc", "etc/utc", "gmt", "etc/gmt", "uct", "zulu", "universal", "greenwich"];

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    mend(input, statement, rewritten)
}

/// A unit of time that `date_trunc` cuts at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// What wraps the column.
struct Wrapped<'a> {
    column: &'a Node,
    unit: Unit,
    /// `extract(year …)`: compared with a number.
    number: bool,
}

fn rewritten(input: &Input<'_>, node: &Node, names: &Names) -> Option<Other> {
    let Some(NodeEnum::AExpr(e)) = &node.node else { return None };
    if e.kind != AExprKind::AexprOp as i32 {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let (wrapped, constant, operator) = match (wrapped(left), wrapped(right)) {
        (Some(wrapped), None) => (wrapped, right, ast::operator(e)),
        (None, Some(wrapped)) => (wrapped, left, ast::flipped(ast::operator(e))?),
        _ => return None,
    };
    let known = names.column(input.catalog, wrapped.column)?;
    let kind = known.column.type_name.as_str();
    let (kind, zone) = match kind {
        "date" => ("date", false),
        k if k.starts_with("timestamp") && k.ends_with("without time zone") => ("timestamp", false),
        k if k.starts_with("timestamp") && k.ends_with("with time zone") => ("timestamptz", true),
        _ => return None,
    };
    let session = input.session.time_zone.as_deref();
    if zone && !session.is_some_and(|zone| FIXED.contains(&zone.to_lowercase().as_str())) {
        return None;
    }
    let from = match wrapped.number {
        true => PrimitiveDateTime::new(first_of_year(constant)?, Time::MIDNIGHT),
        false => moment(constant)?,
    };
    // `date_trunc('month', at) = '2026-02-03'` is never true: better left to its author.
    if cut(from, wrapped.unit)? != from || (kind == "date" && wrapped.unit < Unit::Day) {
        return None;
    }
    let till = next(from, wrapped.unit)?;
    let column = || wrapped.column.clone();
    let at = |moment: PrimitiveDateTime| literal(moment, kind);
    let new = match operator {
        "=" => ast::conjunction(vec![
            ast::binary(column(), ">=", at(from)?),
            ast::binary(column(), "<", at(till)?),
        ])?,
        ">=" => ast::binary(column(), ">=", at(from)?),
        "<" => ast::binary(column(), "<", at(from)?),
        ">" => ast::binary(column(), ">=", at(till)?),
        "<=" => ast::binary(column(), "<", at(till)?),
        _ => return None,
    };
    let name = format!("{}.{}", known.relation.name, known.column.name);
    let condition = match zone {
        false => format!("{name} is of type {}, which knows no time zone", known.column.type_name),
        true => format!(
            "{name} is a timestamptz and the session's TimeZone is {}, without summer time; the \
             new statement holds in sessions with that setting only",
            session.unwrap_or_default()
        ),
    };
    Some((new, vec![condition]))
}

impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}

fn wrapped(node: &Node) -> Option<Wrapped<'_>> {
    match &node.node {
        Some(NodeEnum::FuncCall(call)) => {
            if let ([column], "date") = (call.args.as_slice(), ast::function(call)) {
                ast::column(column)?;
                return Some(Wrapped { column, unit: Unit::Day, number: false });
            }
            let [unit, column] = call.args.as_slice() else { return None };
            ast::column(column)?;
            let unit = unit_of(ast::string_constant(unit)?)?;
            match ast::function(call) {
                "date_trunc" => Some(Wrapped { column, unit, number: false }),
                "extract" | "date_part" if unit == Unit::Year => {
                    Some(Wrapped { column, unit, number: true })
                }
                _ => None,
            }
        }
        Some(NodeEnum::TypeCast(cast)) => {
            let name = cast.type_name.as_ref()?.names.last().and_then(ast::string)?;
            let column = cast.arg.as_deref()?;
            ast::column(column)?;
            (name == "date").then_some(Wrapped { column, unit: Unit::Day, number: false })
        }
        _ => None,
    }
}

fn unit_of(name: &str) -> Option<Unit> {
    Some(match name.to_lowercase().as_str() {
        "minute" => Unit::Minute,
        "hour" => Unit::Hour,
        "day" => Unit::Day,
        "week" => Unit::Week,
        "month" => Unit::Month,
        "quarter" => Unit::Quarter,
        "year" => Unit::Year,
        _ => return None,
    })
}

/// A literal date or time in ISO form, without a zone; anything else is left alone.
fn moment(node: &Node) -> Option<PrimitiveDateTime> {
    let text = ast::string_constant(node)?.trim();
    let date = format_description!("[year]-[month]-[day]");
    if let Ok(date) = Date::parse(text, &date) {
        return Some(PrimitiveDateTime::new(date, Time::MIDNIGHT));
    }
    let spaced = text.replacen('T', " ", 1);
    let full = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let short = format_description!("[year]-[month]-[day] [hour]:[minute]");
    PrimitiveDateTime::parse(&spaced, &full)
        .or_else(|_| PrimitiveDateTime::parse(&spaced, &short))
        .ok()
}

fn first_of_year(node: &Node) -> Option<Date> {
    let Some(NodeEnum::AConst(constant)) = &node.node else { return None };
    let Some(a_const::Val::Ival(year)) = &constant.val else { return None };
    (1..=9998).contains(&year.ival).then_some(())?;
    Date::from_calendar_date(year.ival, Month::January, 1).ok()
}

/// The moment cut down to its unit.
fn cut(moment: PrimitiveDateTime, unit: Unit) -> Option<PrimitiveDateTime> {
    let (date, time) = (moment.date(), moment.time());
    let midnight = |date: Date| PrimitiveDateTime::new(date, Time::MIDNIGHT);
    Some(match unit {
        Unit::Minute => {
            PrimitiveDateTime::new(date, Time::from_hms(time.hour(), time.minute(), 0).ok()?)
        }
        Unit::Hour => PrimitiveDateTime::new(date, Time::from_hms(time.hour(), 0, 0).ok()?),
        Unit::Day => midnight(date),
        Unit::Week => {
            let back = date.weekday().number_days_from_monday();
            midnight(date.checked_sub(Duration::days(i64::from(back)))?)
        }
        Unit::Month => midnight(date.replace_day(1).ok()?),
        Unit::Quarter => {
            let month = (u8::from(date.month()) - 1) / 3 * 3 + 1;
            midnight(Date::from_calendar_date(date.year(), Month::try_from(month).ok()?, 1).ok()?)
        }
        Unit::Year => midnight(Date::from_calendar_date(date.year(), Month::January, 1).ok()?),
    })
}

/// The beginning of the next unit.
fn next(from: PrimitiveDateTime, unit: Unit) -> Option<PrimitiveDateTime> {
    let months = |count: u8| -> Option<PrimitiveDateTime> {
        let zero = u8::from(from.date().month()) - 1 + count;
        let year = from.date().year() + i32::from(zero / 12);
        let month = Month::try_from(zero % 12 + 1).ok()?;
        Some(PrimitiveDateTime::new(Date::from_calendar_date(year, month, 1).ok()?, Time::MIDNIGHT))
    };
    match unit {
        Unit::Minute => from.checked_add(Duration::minutes(1)),
        Unit::Hour => from.checked_add(Duration::hours(1)),
        Unit::Day => from.checked_add(Duration::days(1)),
        Unit::Week => {
            debug_assert_eq!(from.weekday(), Weekday::Monday);
            from.checked_add(Duration::weeks(1))
        }
        Unit::Month => months(1),
        Unit::Quarter => months(3),
        Unit::Year => months(12),
    }
}

fn literal(moment: PrimitiveDateTime, kind: &str) -> Option<Node> {
    let date = format_description!("[year]-[month]-[day]");
    let full = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let text = match kind {
        "date" => moment.date().format(&date).ok()?,
        "timestamptz" => format!("{}+00", moment.format(&full).ok()?),
        _ if moment.time() == Time::MIDNIGHT => moment.date().format(&date).ok()?,
        _ => moment.format(&full).ok()?,
    };
    // Named in full, the type is printed as SQL has it rather than as a quoted name.
    let name: &[&str] = if kind == "date" { &["date"] } else { &["pg_catalog", kind] };
    Some(ast::typed_constant(&text, name))
}
