use marula_core::model::{AggregateFunction, Attribute, AttributeType, Entity};
use marula_postgres::sql::{quote_ident, quote_literal};

use super::types::{bare, bound, column_type, default};
use super::{Draw, elements};
use crate::schema::{is_given_out, source_attribute};
use crate::structure::{Field, Source, Span, Store};

/// A column, or a generated one beside it.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub name: String,
    pub type_name: String,
    pub not_null: bool,
    /// `GENERATED …` or `DEFAULT …`.
    pub filled: Option<String>,
    /// What holds of its values: a word for the constraint's name, and the condition.
    pub checks: Vec<(&'static str, String)>,
    pub comment: Option<String>,
    /// Why it is so, where there was a choice.
    pub why: Option<String>,
}

impl Column {
    /// As CREATE TABLE takes it, without its checks.
    pub(super) fn definition(&self) -> String {
        let mut out = format!("{} {}", quote_ident(&self.name), self.type_name);
        if let Some(filled) = &self.filled {
            out.push(' ');
            out.push_str(filled);
        }
        if self.not_null {
            out.push_str(" NOT NULL");
        }
        out
    }
}

/// The columns of a store's table.
pub(super) fn columns(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Vec<Column> {
    let mut columns: Vec<Column> =
        store.fields.iter().map(|field| column(draw, entity, store, field)).collect();
    if entity.key().is_empty() {
        columns.insert(
            0,
            Column {
                name: "id".into(),
                type_name: "bigint".into(),
                filled: Some("GENERATED ALWAYS AS IDENTITY".into()),
                not_null: true,
                why: Some("id is there because the model names no key".into()),
                ..Column::default()
            },
        );
    }
    columns
}

fn column(draw: &mut Draw<'_>, entity: &Entity, store: &Store, field: &Field) -> Column {
    let known = source_attribute(draw.model, draw.structure, store, &field.source);
    let mut column = Column { name: field.name.clone(), ..Column::default() };
    match &field.source {
        Source::Attribute(name) => {
            let Some(own) = entity.attribute(name) else {
                column.type_name = "text".into();
                return column;
            };
            let (_, root) = known.unwrap_or((entity, own));
            own_column(draw, entity, own, root, &mut column);
        }
        Source::Copy { relation, attribute } => {
            let Some((_, root)) = known else {
                column.type_name = "text".into();
                return column;
            };
            column.type_name = column_type(root, draw.options);
            let one = draw.model.relations.get(*relation).map_or("", |r| r.to.as_str());
            column.comment = Some(format!("copy of {one}.{attribute}, kept in step by writes"));
        }
        Source::Computed(at) => {
            let Some(computed) = draw.structure.computed.get(*at) else { return column };
            let of = known.map(|(_, attribute)| attribute);
            column.type_name = computed_type(computed.function, of, draw);
            let counts =
                matches!(computed.function, AggregateFunction::Count | AggregateFunction::Sum);
            column.not_null = counts;
            column.filled = counts.then(|| "DEFAULT 0".into());
            let many = draw.model.relations.get(computed.relation).map_or("", |r| r.from.as_str());
            let function = format!("{:?}", computed.function).to_lowercase();
            let of = computed.attribute.as_deref().map_or(String::new(), |a| format!(".{a}"));
            column.comment = Some(format!("{function} over {many}{of}, kept in step by writes"));
        }
        // The search keeps no subsets and no buckets here: an index gives the many of one as fast.
        Source::Subset { .. } | Source::Rows { .. } => column.type_name = "jsonb".into(),
        Source::Span(Span::First | Span::Last) => column.type_name = "timestamptz".into(),
        Source::Span(Span::Count) | Source::Turn(_) => column.type_name = "bigint".into(),
        Source::Embedded { relation, store: within } => {
            column.type_name = "jsonb".into();
            column.not_null = true;
            column.filled = Some("DEFAULT '[]'".into());
            let quoted = quote_ident(&field.name);
            column.checks.push(("array", format!("jsonb_typeof({quoted}) = 'array'")));
            let most = draw.model.relations.get(*relation).and_then(|r| r.fanout?.max);
            if let Some(most) = most {
                column.checks.push(("size", format!("jsonb_array_length({quoted}) <= {most}")));
            }
            if let Some(many) = draw.model.entity(&within.entity) {
                let (fine, notes) = elements::condition(draw, &field.name, many, within);
                column.checks.extend(fine.map(|fine| ("elements", fine)));
                notes.into_iter().for_each(|note| draw.note(note));
            }
            column.comment = Some(format!("the {} of each, in order", within.entity));
            let store = &store.entity;
            let many = &within.entity;
            draw.note(format!(
                "{many} are kept within {store} as {}: the server checks that their fields are \
                 numbers, texts or yes and no, their bounds and checks, but not how a date or a uuid is \
                 written; it holds no foreign key from them and keeps nothing of theirs unique",
                field.name
            ));
        }
    }
    column
}

fn own_column(
    draw: &mut Draw<'_>,
    entity: &Entity,
    own: &Attribute,
    root: &Attribute,
    column: &mut Column,
) {
    let options = draw.options;
    let key = entity.key().contains(&own.name.as_str());
    column.type_name = column_type(root, options);
    column.not_null = own.required || key;
    column.comment = own.description.clone();
    let refers = !std::ptr::eq(own, root);
    column.filled = default(own).map(|value| format!("DEFAULT {value}"));
    if own.default.is_some() && column.filled.is_none() {
        draw.note(format!(
            "{}.{}: its default is not a value of its type, and is left out",
            entity.name, own.name
        ));
    }
    if is_given_out(draw.model, entity, own) {
        column.filled = Some("GENERATED BY DEFAULT AS IDENTITY".into());
    }
    if key && !refers && column.filled.is_none() {
        match own.kind {
            AttributeType::Uuid => column.filled = Some("DEFAULT gen_random_uuid()".into()),
            AttributeType::UuidV7 if options.version.major >= 18 => {
                column.filled = Some("DEFAULT uuidv7()".into());
            }
            AttributeType::UuidV7 => {
                column.why = Some(format!(
                    "{} comes from the program: the server has uuidv7() from 18 on",
                    own.name
                ));
            }
            _ => {}
        }
    }
    if own.kind == AttributeType::Point && !options.has_geography() {
        column.why = Some(format!(
            "{} is a point of longitude and latitude, not a geography: the server does not offer \
             PostGIS, and distances are in degrees",
            own.name
        ));
    }
    column.checks = checks(own, draw.lookups.table(entity, own).is_some());
}

/// What holds of an attribute's values.
fn checks(attribute: &Attribute, looked_up: bool) -> Vec<(&'static str, String)> {
    use AttributeType as A;
    let name = quote_ident(&attribute.name);
    let mut found = Vec::new();
    let is_list = attribute.kind == A::List;
    let of = if is_list { attribute.of.unwrap_or_default() } else { attribute.kind };
    if let (Some(most), A::Text, false) = (attribute.max_length, of, is_list) {
        found.push(("length", format!("char_length({name}) <= {most}")));
    }
    if of == A::Enumeration && !attribute.values.is_empty() && !looked_up {
        let values: Vec<String> =
            attribute.values.iter().map(|value| quote_literal(&bare(value))).collect();
        let values = values.join(", ");
        found.push(match is_list {
            true => ("values", format!("{name} <@ ARRAY[{values}]::text[]")),
            false => ("values", format!("{name} IN ({values})")),
        });
    }
    if is_list
        && of != A::List
        && let Some(most) = attribute.length.and_then(|length| length.max)
    {
        found.push(("size", format!("cardinality({name}) <= {most}")));
    }
    if matches!(of, A::Integer | A::Decimal | A::Money | A::Float) && !is_list {
        let least = attribute.min.and_then(bound).map(|least| format!("{name} >= {least}"));
        let most = attribute.max.and_then(bound).map(|most| format!("{name} <= {most}"));
        let both: Vec<String> = least.into_iter().chain(most).collect();
        if !both.is_empty() {
            found.push(("range", both.join(" AND ")));
        }
    }
    if matches!(of, A::DateRange | A::TimestampRange | A::NumberRange) && !is_list {
        found.push(("filled", format!("NOT isempty({name})")));
    }
    found
}

fn computed_type(function: AggregateFunction, of: Option<&Attribute>, draw: &Draw<'_>) -> String {
    match (function, of) {
        (AggregateFunction::Count, _) | (_, None) => "bigint".into(),
        (AggregateFunction::Min | AggregateFunction::Max, Some(of)) => {
            column_type(of, draw.options)
        }
        (_, Some(of)) if of.kind == AttributeType::Float => "double precision".into(),
        (_, Some(_)) => "numeric".into(),
    }
}
