//! A question as one SELECT over the tables of a structure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use marula_core::Json;
use marula_core::model::{AggregateFunction, AttributeType, Model, Operator};
use marula_postgres::sql::{quote_ident, quote_literal};

use super::schema::{WORDS, words_of};
use crate::question::{
    At, Demand, Direction, GroupDemand, Join, Key, Operand, Places, Question, Spot,
};
use crate::structure::{Layout, Structure};

/// The question in SQL. Parameters are numbered as in the question.
///
/// Rows come as the question's `select` says; of groups first the group, then the aggregates.
pub fn select(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    question: &Question,
) -> String {
    let places = Places::new(model, structure, layout, question, 0);
    let writer = Writer { model, question, places: &places };
    writer.write()
}

struct Writer<'a> {
    model: &'a Model,
    question: &'a Question,
    places: &'a Places<'a>,
}

impl Writer<'_> {
    fn write(&self) -> String {
        let question = self.question;
        let column = |at: &At| self.column(at);
        let mut wanted: Vec<String> =
            question.select.iter().chain(&question.group).map(column).collect();
        wanted.extend(question.aggregates.iter().map(|aggregate| self.aggregate(aggregate)));
        let mut text = format!("SELECT {}\n", wanted.join(", "));
        let mut conditions = Vec::new();
        self.from(&mut text, &mut conditions);
        conditions.extend(question.conditions.iter().map(|demand| self.condition(demand)));
        conditions.extend(question.any.iter().map(|alternatives| {
            let all: Vec<String> = alternatives.iter().map(|one| self.condition(one)).collect();
            format!("({})", all.join(" OR "))
        }));
        if !conditions.is_empty() {
            let _ = writeln!(text, "WHERE {}", conditions.join("\n  AND "));
        }
        if !question.group.is_empty() {
            let keys: Vec<String> = question.group.iter().map(column).collect();
            let _ = writeln!(text, "GROUP BY {}", keys.join(", "));
        }
        if !question.having.is_empty() {
            let all: Vec<String> = question.having.iter().map(|one| self.of_group(one)).collect();
            let _ = writeln!(text, "HAVING {}", all.join("\n  AND "));
        }
        if !question.sort.is_empty() {
            let keys: Vec<String> =
                question.sort.iter().map(|(key, direction)| self.sort(key, *direction)).collect();
            let _ = writeln!(text, "ORDER BY {}", keys.join(", "));
        }
        if let Some(limit) = question.limit {
            let _ = writeln!(text, "LIMIT {limit}");
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// The tables, joined, and the arrays' elements beside them.
    fn from(&self, text: &mut String, conditions: &mut Vec<String>) {
        for (at, container) in self.places.containers.iter().enumerate() {
            let table = format!("{} c{at}", quote_ident(&container.entity));
            let mut inside = Vec::new();
            match &container.join {
                None => {
                    let _ = writeln!(text, "FROM {table}");
                    conditions.extend(self.holding(at));
                }
                Some(join) => {
                    let mut on = Vec::new();
                    for (known, wanted) in join.known.iter().zip(&join.wanted) {
                        let equal = format!("{} = {}", reference(wanted), reference(known));
                        if wanted.element.is_none() {
                            on.push(equal);
                            continue;
                        }
                        // The index on the array finds the row; which element it is, is asked of
                        // the elements.
                        on.extend(self.held(wanted, &reference(known)));
                        match join.optional {
                            true => on.push(equal),
                            false => conditions.push(equal),
                        }
                    }
                    // Where no element need be there, only those take part that are joined.
                    if join.optional {
                        inside = self.chain(join);
                    }
                    let taken: String = inside
                        .iter()
                        .map(|at| format!(" CROSS JOIN {}", self.taken(*at)))
                        .collect();
                    let on = if on.is_empty() { "true".into() } else { on.join(" AND ") };
                    let _ = match (join.optional, taken.is_empty()) {
                        (false, _) => writeln!(text, "JOIN {table} ON {on}"),
                        (true, true) => writeln!(text, "LEFT JOIN {table} ON {on}"),
                        (true, false) => writeln!(text, "LEFT JOIN ({table}{taken}) ON {on}"),
                    };
                }
            }
            let elements = self.places.elements.iter().enumerate();
            for (number, element) in elements.filter(|(_, element)| element.container == at) {
                if inside.contains(&number) {
                    continue;
                }
                let taken = self.taken(number);
                let _ = match element.optional {
                    true => writeln!(text, "LEFT JOIN {taken} ON true"),
                    false => writeln!(text, "CROSS JOIN {taken}"),
                };
            }
        }
    }

    /// The elements that a join looks for, and those they are within, the outer first.
    fn chain(&self, join: &Join) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut at = join.wanted.iter().find_map(|spot| spot.element);
        while let Some(element) = at {
            chain.insert(0, element);
            at = self.places.elements[element].within;
        }
        chain
    }

    /// An array taken apart.
    fn taken(&self, number: usize) -> String {
        let element = &self.places.elements[number];
        let array = Spot {
            container: element.container,
            element: element.within,
            field: element.field.clone(),
        };
        let columns: Vec<String> = self
            .columns_of(number)
            .into_iter()
            .map(|(name, kind)| format!("{} {kind}", quote_ident(&name)))
            .collect();
        let (array, columns) = (reference(&array), columns.join(", "));
        format!("LATERAL jsonb_to_recordset({array}) AS e{number}({columns})")
    }

    /// What an element's columns are, as far as they are asked for.
    fn columns_of(&self, element: usize) -> BTreeMap<String, &'static str> {
        let mut columns = BTreeMap::new();
        for (node, _) in self.question.nodes.iter().enumerate() {
            for attribute in self.question.needs(node) {
                if let Some(spot) = self.spot(node, attribute)
                    && spot.element == Some(element)
                {
                    columns.insert(spot.field, self.cast(node, attribute));
                }
            }
        }
        let joins = self.places.containers.iter().filter_map(|container| container.join.as_ref());
        for spot in joins.flat_map(|join| join.known.iter().chain(&join.wanted)) {
            if spot.element == Some(element) {
                let kind = self.cast_of_field(&self.places.elements[element].entity, &spot.field);
                columns.entry(spot.field.clone()).or_insert(kind);
            }
        }
        for inner in self.places.elements.iter().filter(|inner| inner.within == Some(element)) {
            columns.insert(inner.field.clone(), "jsonb");
        }
        // A record needs a column, wanted or not.
        if columns.is_empty() {
            columns.insert("_".into(), "jsonb");
        }
        columns
    }

    /// For equalities on elements of a container: that the array holds such an element, which an
    /// index on the array can answer.
    fn holding(&self, container: usize) -> Vec<String> {
        let mut found = Vec::new();
        for demand in self.question.conditions.iter().filter(|demand| demand.is == Operator::Equal)
        {
            let Some(spot) = self.spot(demand.at.node, &demand.at.attribute) else { continue };
            if spot.container == container && spot.element.is_some() {
                let kind = self.cast(demand.at.node, &demand.at.attribute);
                let value = format!("{}::{kind}", self.operand(demand));
                found.extend(self.held(&spot, &value));
            }
        }
        found
    }

    fn held(&self, spot: &Spot, value: &str) -> Option<String> {
        let mut object = format!("jsonb_build_object({}, {value})", quote_literal(&spot.field));
        let mut element = spot.element?;
        loop {
            let holder = &self.places.elements[element];
            object = format!("jsonb_build_array({object})");
            match holder.within {
                Some(outer) => {
                    object =
                        format!("jsonb_build_object({}, {object})", quote_literal(&holder.field));
                    element = outer;
                }
                None => {
                    return Some(format!(
                        "c{}.{} @> {object}",
                        holder.container,
                        quote_ident(&holder.field)
                    ));
                }
            }
        }
    }

    fn spot(&self, node: usize, attribute: &str) -> Option<Spot> {
        self.places.spot(node, attribute)
    }

    fn column(&self, at: &At) -> String {
        self.spot(at.node, &at.attribute).map_or("NULL".into(), |spot| reference(&spot))
    }

    fn aggregate(&self, aggregate: &crate::question::Computation) -> String {
        let Some(of) = &aggregate.of else { return "count(*)".into() };
        let mut value = self.column(of);
        if let Some(times) = &aggregate.times {
            value = format!("{value} * {}", self.column(times));
        }
        let function = match aggregate.function {
            AggregateFunction::Count => "count",
            AggregateFunction::Sum => "sum",
            AggregateFunction::Average => "avg",
            AggregateFunction::Min => "min",
            AggregateFunction::Max => "max",
        };
        format!("{function}({value})")
    }

    fn of_group(&self, demand: &GroupDemand) -> String {
        let aggregate = self.aggregate(&self.question.aggregates[demand.aggregate]);
        let operator = match demand.is {
            Operator::NotEqual => "<>",
            Operator::Less => "<",
            Operator::AtMost => "<=",
            Operator::Greater => ">",
            Operator::AtLeast => ">=",
            _ => "=",
        };
        format!("{aggregate} {operator} {}", literal(&demand.value))
    }

    fn condition(&self, demand: &Demand) -> String {
        let column = self.column(&demand.at);
        let operand = self.operand(demand);
        match demand.is {
            Operator::Equal => format!("{column} = {operand}"),
            Operator::NotEqual => format!("{column} <> {operand}"),
            Operator::Less => format!("{column} < {operand}"),
            Operator::AtMost => format!("{column} <= {operand}"),
            Operator::Greater => format!("{column} > {operand}"),
            Operator::AtLeast => format!("{column} >= {operand}"),
            Operator::In => match &demand.operand {
                Some(Operand::Parameter(_)) => format!("{column} = ANY({operand})"),
                _ => format!("{column} IN ({operand})"),
            },
            // What has a meaning in a pattern has none in the text.
            Operator::StartsWith => {
                format!(
                    "{column} LIKE regexp_replace({operand}::text, '([\\\\%_])', '\\\\\\1', 'g') || '%'"
                )
            }
            Operator::Contains => {
                let of = self
                    .attribute(&demand.at)
                    .and_then(|attribute| attribute.of)
                    .unwrap_or_default();
                let within = self.spot(demand.at.node, &demand.at.attribute);
                match within.is_some_and(|spot| spot.element.is_some()) {
                    false => format!("{column} @> ARRAY[{operand}::{}]", cast(of)),
                    // Within an array of objects the list is JSON: numbers and words as they stand.
                    true => format!("{column} @> to_jsonb({operand}::{})", cast_in_json(of)),
                }
            }
            Operator::Matches => {
                format!("{} @@ plainto_tsquery('{WORDS}', {operand})", words_of(&column))
            }
            Operator::Missing => format!("{column} IS NULL"),
            Operator::Present => format!("{column} IS NOT NULL"),
        }
    }

    fn operand(&self, demand: &Demand) -> String {
        match &demand.operand {
            Some(Operand::Parameter(number)) => format!("${number}"),
            Some(Operand::Value(Json::Array(values))) => {
                values.iter().map(literal).collect::<Vec<_>>().join(", ")
            }
            Some(Operand::Value(value)) => literal(value),
            None => String::new(),
        }
    }

    fn sort(&self, key: &Key, direction: Direction) -> String {
        let (mut text, required) = match key {
            Key::At(at) => (self.column(at), self.is_required(at)),
            Key::Aggregate(at) => {
                let aggregate = &self.question.aggregates[*at];
                let counted = aggregate.function == AggregateFunction::Count;
                let there = aggregate.of.iter().chain(&aggregate.times);
                let grouped = !self.question.group.is_empty();
                let required =
                    counted || (grouped && there.into_iter().all(|at| self.is_required(at)));
                (self.aggregate(aggregate), required)
            }
        };
        // What is not there comes before all that is, as it does in MongoDB.
        text.push_str(match (direction, required) {
            (Direction::Ascending, true) => "",
            (Direction::Ascending, false) => " NULLS FIRST",
            (Direction::Descending, true) => " DESC",
            (Direction::Descending, false) => " DESC NULLS LAST",
        });
        text
    }

    fn attribute(&self, at: &At) -> Option<&marula_core::model::Attribute> {
        self.model.entity(&self.question.nodes[at.node].entity)?.attribute(&at.attribute)
    }

    /// Whether an attribute is there in every row.
    fn is_required(&self, at: &At) -> bool {
        if self.question.nodes[at.node].optional {
            return false;
        }
        let entity = self.model.entity(&self.question.nodes[at.node].entity);
        entity.is_some_and(|e| e.key().contains(&at.attribute.as_str()))
            || self.attribute(at).is_some_and(|attribute| attribute.required)
    }

    fn cast(&self, node: usize, attribute: &str) -> &'static str {
        self.attribute(&At { node, attribute: attribute.into() }).map_or("text", |a| match a.kind {
            AttributeType::List => "jsonb",
            kind => cast(kind),
        })
    }

    fn cast_of_field(&self, entity: &str, field: &str) -> &'static str {
        let attribute = self.model.entity(entity).and_then(|entity| entity.attribute(field));
        attribute.map_or("text", |attribute| cast(attribute.kind))
    }
}

fn reference(spot: &Spot) -> String {
    let field = quote_ident(&spot.field);
    match spot.element {
        Some(element) => format!("e{element}.{field}"),
        None => format!("c{}.{field}", spot.container),
    }
}

fn literal(value: &Json) -> String {
    match value {
        Json::Null => "NULL".into(),
        Json::Bool(yes) => yes.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => quote_literal(text),
        other => quote_literal(&other.to_string()),
    }
}

/// The type a value of a kind has within JSON.
fn cast_in_json(kind: AttributeType) -> &'static str {
    match cast(kind) {
        plain @ ("bigint" | "numeric" | "double precision" | "boolean") => plain,
        _ => "text",
    }
}

/// The type a value of a kind is read as.
pub(super) fn cast(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::Id | AttributeType::Integer => "bigint",
        AttributeType::Uuid | AttributeType::UuidV7 => "uuid",
        AttributeType::Decimal | AttributeType::Money => "numeric",
        AttributeType::Float => "double precision",
        AttributeType::Boolean => "boolean",
        AttributeType::Text | AttributeType::Enumeration => "text",
        AttributeType::Date => "date",
        AttributeType::Time => "time",
        AttributeType::Timestamp => "timestamptz",
        AttributeType::Duration => "interval",
        AttributeType::Binary => "bytea",
        AttributeType::Json | AttributeType::List => "jsonb",
        AttributeType::Point => "point",
        AttributeType::DateRange => "daterange",
        AttributeType::TimestampRange => "tstzrange",
        AttributeType::NumberRange => "numrange",
    }
}
