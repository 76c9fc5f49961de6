//! A model's checks for elements of a `jsonb` array: as SQL/JSON paths that find elements of which
//! they do not hold.

use marula_core::Json;
use marula_core::model::{AttributeType, Entity};

use super::types::bare;
use crate::schema::condition::{Comparison, Condition, Term, read};
use crate::structure::{Source, Store};

/// When an element breaks one of the entity's checks, each as a condition of an SQL/JSON path, and
/// the checks that cannot be said so, with why.
pub(super) fn faults(entity: &Entity, within: &Store) -> (Vec<String>, Vec<String>) {
    let elements = Elements { entity, within };
    let (mut faults, mut left) = (Vec::new(), Vec::new());
    for check in &entity.checks {
        match read(check).and_then(|condition| elements.fault(&condition)) {
            Ok(fault) => faults.push(fault),
            Err(why) => left.push(format!("«{check}»: {why}")),
        }
    }
    (faults, left)
}

struct Elements<'a> {
    entity: &'a Entity,
    within: &'a Store,
}

/// What a term is in a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    /// A text whose order says nothing: it is that of letters in the path, and a collation's in SQL.
    Text,
    /// A day, written so that earlier ones come first.
    Day,
    Boolean,
}

impl Elements<'_> {
    /// When a condition is false of an element; where it is unknown it is not.
    fn fault(&self, condition: &Condition) -> Result<String, String> {
        let all = |parts: &[Condition], word: &str| {
            let parts: Result<Vec<String>, String> =
                parts.iter().map(|part| self.fault(part)).collect();
            parts.map(|parts| format!("({})", parts.join(word)))
        };
        Ok(match condition {
            Condition::All(parts) => all(parts, " || ")?,
            Condition::Any(parts) => all(parts, " && ")?,
            Condition::Missing(Term::Attribute(name), wanted) => {
                let at = self.field(name)?.0;
                match wanted {
                    true => format!("(exists({at}) && {at} != null)"),
                    false => format!("(!exists({at}) || {at} == null)"),
                }
            }
            Condition::Missing(..) => {
                return Err("it asks whether something computed is there".into());
            }
            Condition::Compare(comparison, left, right) => {
                let ((left, one), (right, other)) = (self.term(left)?, self.term(right)?);
                let kind = match (one, other) {
                    (Kind::Day, Kind::Text) if is_day(&right) => Kind::Day,
                    (Kind::Text, Kind::Day) if is_day(&left) => Kind::Day,
                    (one, other) if one == other => one,
                    _ => return Err("it compares values of different types".into()),
                };
                let sign = sign(*comparison);
                let has_order = matches!(kind, Kind::Number | Kind::Day);
                if !has_order && !matches!(sign, "==" | "!=") {
                    return Err("it asks for the order of what has another one here".into());
                }
                // Where a side is missing the comparison is unknown, and a check holds.
                let fields = [&left, &right].into_iter().filter(|side| side.starts_with('@'));
                let mut parts: Vec<String> = fields.map(|side| format!("{side} != null")).collect();
                parts.push(format!("!({left} {sign} {right})"));
                format!("({})", parts.join(" && "))
            }
        })
    }

    fn term(&self, term: &Term) -> Result<(String, Kind), String> {
        Ok(match term {
            Term::Attribute(name) => self.field(name)?,
            Term::Number(text) => (text.clone(), Kind::Number),
            Term::Text(text) => (Json::from(bare(text)).to_string(), Kind::Text),
            Term::Boolean(yes) => (yes.to_string(), Kind::Boolean),
            Term::Calculated(operator @ ('+' | '-' | '*'), left, right) => {
                let ((left, one), (right, other)) = (self.term(left)?, self.term(right)?);
                if (one, other) != (Kind::Number, Kind::Number) {
                    return Err("it computes with what is no number".into());
                }
                (format!("({left} {operator} {right})"), Kind::Number)
            }
            Term::Calculated(operator, ..) => {
                return Err(format!("{operator} may divide otherwise"));
            }
            Term::Length(_) => return Err("it asks for the length of a text".into()),
        })
    }

    /// Where an attribute is in an element.
    fn field(&self, name: &str) -> Result<(String, Kind), String> {
        use AttributeType as A;
        let kept =
            self.within.fields.iter().any(
                |field| matches!(&field.source, Source::Attribute(own) if own.as_str() == name),
            );
        let attribute = self.entity.attribute(name).filter(|_| kept);
        let attribute = attribute.ok_or_else(|| format!("{name} is not kept in the elements"))?;
        let kind = match attribute.kind {
            A::Id | A::Integer | A::Decimal | A::Money | A::Float => Kind::Number,
            A::Boolean => Kind::Boolean,
            A::Text | A::Enumeration | A::Uuid | A::UuidV7 => Kind::Text,
            A::Date => Kind::Day,
            _ => return Err(format!("{name} has no type that a path compares")),
        };
        Ok((format!("@.{}", Json::from(bare(name))), kind))
    }
}

/// Whether a text of a path is a day as it is written in elements.
fn is_day(text: &str) -> bool {
    let digits = |part: &str, count: usize| {
        part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let parts: Vec<&str> = text.trim_matches('"').split('-').collect();
    matches!(parts.as_slice(), [year, month, day]
        if digits(year, 4) && digits(month, 2) && digits(day, 2))
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}
