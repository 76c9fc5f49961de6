use bson::{Bson, doc};
use marula_core::model::{AttributeType, Entity};

use crate::schema::condition::{Comparison, Condition, Term, read};

/// A model's check as an aggregation expression that is true where SQL would not call it false.
/// `name` gives a field's path by the attribute. Else why it cannot be said.
pub(super) fn expression(
    entity: &Entity,
    text: &str,
    name: &dyn Fn(&str) -> Option<String>,
) -> Result<Bson, String> {
    Writer { entity, name }.condition(&read(text)?)
}

/// A day in milliseconds.
const DAY: i32 = 86_400_000;

struct Writer<'a> {
    entity: &'a Entity,
    name: &'a dyn Fn(&str) -> Option<String>,
}

impl Writer<'_> {
    fn condition(&self, condition: &Condition) -> Result<Bson, String> {
        let all = |parts: &[Condition]| -> Result<Vec<Bson>, String> {
            parts.iter().map(|part| self.condition(part)).collect()
        };
        Ok(match condition {
            Condition::All(parts) => doc! { "$and": all(parts)? }.into(),
            Condition::Any(parts) => doc! { "$or": all(parts)? }.into(),
            Condition::Missing(term, missing) => {
                let operator = if *missing { "$lte" } else { "$gt" };
                doc! { operator: [self.term(term)?, Bson::Null] }.into()
            }
            Condition::Compare(comparison, left, right) => {
                let operator = match comparison {
                    Comparison::Equal => "$eq",
                    Comparison::NotEqual => "$ne",
                    Comparison::Less => "$lt",
                    Comparison::AtMost => "$lte",
                    Comparison::Greater => "$gt",
                    Comparison::AtLeast => "$gte",
                };
                let texts = [left, right].map(|side| matches!(side, Term::Text(_)));
                if texts.contains(&true) && ![left, right].iter().all(|side| self.is_text(side)) {
                    return Err("a text is compared with what is no text".into());
                }
                let (first, second) = (self.term(left)?, self.term(right)?);
                // What is missing is below null in MongoDB's order; SQL calls it unknown.
                let mut ways: Vec<Bson> = [(left, &first), (right, &second)]
                    .into_iter()
                    .filter(|(term, _)| self.may_be_missing(term))
                    .map(|(_, written)| doc! { "$lte": [written.clone(), Bson::Null] }.into())
                    .collect();
                ways.push(doc! { operator: [first, second] }.into());
                match ways.len() {
                    1 => ways.remove(0),
                    _ => doc! { "$or": ways }.into(),
                }
            }
        })
    }

    fn may_be_missing(&self, term: &Term) -> bool {
        match term {
            Term::Attribute(name) => {
                !self.entity.key().contains(&name.as_str())
                    && !self.entity.attribute(name).is_some_and(|attribute| attribute.required)
            }
            Term::Calculated(_, left, right) => {
                self.may_be_missing(left) || self.may_be_missing(right)
            }
            Term::Length(of) => self.may_be_missing(of),
            Term::Number(_) | Term::Text(_) | Term::Boolean(_) => false,
        }
    }

    fn term(&self, term: &Term) -> Result<Bson, String> {
        Ok(match term {
            Term::Attribute(name) => {
                let path = (self.name)(name)
                    .ok_or_else(|| format!("{name} is not a field of these documents"))?;
                Bson::String(path)
            }
            Term::Number(number) => self::number(number)?,
            Term::Text(text) => doc! { "$literal": text }.into(),
            Term::Boolean(yes) => Bson::Boolean(*yes),
            Term::Calculated(sign, left, right) => {
                let operator = match sign {
                    '+' => "$add",
                    '-' => "$subtract",
                    '*' => "$multiply",
                    _ => return Err("a division rounds in another way than in SQL".into()),
                };
                let days = [left, right].map(|side| self.is_day(side));
                let (left, right) = (self.term(left)?, self.term(right)?);
                // SQL counts days, MongoDB milliseconds.
                let counted = |days: Bson| doc! { "$multiply": [days, DAY] };
                match (days, *sign) {
                    ([true, true], '-') => {
                        doc! { "$divide": [{ operator: [left, right] }, DAY] }.into()
                    }
                    ([true, false], '+' | '-') => doc! { operator: [left, counted(right)] }.into(),
                    ([false, true], '+') => doc! { operator: [counted(left), right] }.into(),
                    _ => doc! { operator: [left, right] }.into(),
                }
            }
            Term::Length(of) => {
                let of = self.term(of)?;
                // Of nothing there is no length, and asking for it is an error.
                let length = doc! { "$strLenCP": { "$ifNull": [of.clone(), ""] } };
                doc! { "$cond": [{ "$lte": [of, Bson::Null] }, Bson::Null, length] }.into()
            }
        })
    }

    /// Whether a term is a day: an attribute that is one, or one some days before or after it.
    fn is_day(&self, term: &Term) -> bool {
        match term {
            Term::Attribute(name) => {
                let attribute = self.entity.attribute(name);
                attribute.is_some_and(|attribute| attribute.kind == AttributeType::Date)
            }
            Term::Calculated('+' | '-', left, right) => self.is_day(left) != self.is_day(right),
            _ => false,
        }
    }

    /// Whether a term is a text. What stands in quotes beside another type is a value of that: a day.
    fn is_text(&self, term: &Term) -> bool {
        let Term::Attribute(name) = term else { return matches!(term, Term::Text(_)) };
        self.entity.attribute(name).is_some_and(|attribute| {
            matches!(attribute.kind, AttributeType::Text | AttributeType::Enumeration)
        })
    }
}

fn number(text: &str) -> Result<Bson, String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(i32::try_from(whole).map_or(Bson::Int64(whole), Bson::Int32));
    }
    // Exact, as SQL has it.
    text.parse()
        .map(Bson::Decimal128)
        .map_err(|_| format!("{text} is no number that is understood"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use marula_core::model::Attribute;

    #[test]
    fn days_are_counted_as_sql_counts_them() {
        let day = |name: &str| Attribute {
            name: name.into(),
            kind: AttributeType::Date,
            required: true,
            ..Attribute::default()
        };
        let entity = Entity { attributes: vec![day("a"), day("b")], ..Entity::default() };
        let written = |text| expression(&entity, text, &|name| Some(format!("${name}")));
        let later = doc! { "$add": ["$a", { "$multiply": [30, DAY] }] };
        assert_eq!(written("b <= a + 30"), Ok(doc! { "$lte": ["$b", later] }.into()));
        let between = doc! { "$divide": [{ "$subtract": ["$b", "$a"] }, DAY] };
        assert_eq!(written("b - a < 7"), Ok(doc! { "$lt": [between, 7] }.into()));
    }

    #[test]
    fn what_is_missing_breaks_no_check() {
        let price = |required| Attribute { name: "price".into(), required, ..Attribute::default() };
        let entity = |required| Entity { attributes: vec![price(required)], ..Entity::default() };
        let name = |name: &str| (name == "price").then(|| "$price".to_owned());
        let written = |required| expression(&entity(required), "price > 0.5", &name);
        let half: Bson = number("0.5").unwrap_or(Bson::Null);
        let compared = doc! { "$gt": ["$price", half] };
        assert_eq!(written(true), Ok(Bson::from(compared.clone())));
        let missing = doc! { "$lte": ["$price", Bson::Null] };
        assert_eq!(written(false), Ok(doc! { "$or": [missing, compared] }.into()));
        let other = expression(&entity(true), "cost > 1", &name);
        assert!(other.is_err_and(|why| why.contains("cost is not a field")));
    }
}
