use std::collections::BTreeSet;

use marula_core::model::{Attribute, AttributeType, Entity, Model};
use marula_postgres::sql::{quote_ident, quote_literal};

use super::Names;
use super::types::bare;
use crate::schema::Piece;

/// More values than this are a table's: a CHECK that long is changed often, and each change looks
/// at every row.
pub(super) const MANY_VALUES: usize = 12;

/// Tables of an enumeration's values.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    tables: Vec<Lookup>,
}

#[derive(Debug)]
struct Lookup {
    name: String,
    values: Vec<String>,
    /// Entity and attribute.
    used: Vec<(String, String)>,
}

impl Lookups {
    pub(super) fn new(model: &Model, names: &mut Names) -> Self {
        let mut tables: Vec<Lookup> = Vec::new();
        for entity in &model.entities {
            for attribute in &entity.attributes {
                if attribute.kind != AttributeType::Enumeration
                    || attribute.values.len() <= MANY_VALUES
                {
                    continue;
                }
                let used = (entity.name.clone(), attribute.name.clone());
                match tables.iter_mut().find(|known| known.values == attribute.values) {
                    Some(known) => known.used.push(used),
                    None => tables.push(Lookup {
                        name: names.of(&[&attribute.name], "values"),
                        values: attribute.values.clone(),
                        used: vec![used],
                    }),
                }
            }
        }
        Lookups { tables }
    }

    /// The table with an attribute's values, where there is one.
    pub(super) fn table(&self, entity: &Entity, attribute: &Attribute) -> Option<&str> {
        let is = |used: &(String, String)| used.0 == entity.name && used.1 == attribute.name;
        let found = self.tables.iter().find(|table| table.used.iter().any(is))?;
        Some(&found.name)
    }

    /// The tables and their rows.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece> {
        self.tables.iter().map(|lookup| {
            let table = quote_ident(&lookup.name);
            let mut seen = BTreeSet::new();
            let rows: Vec<String> = lookup
                .values
                .iter()
                .map(|value| bare(value))
                .filter(|value| seen.insert(value.clone()))
                .map(|value| format!("({})", quote_literal(&value)))
                .collect();
            let columns: Vec<String> =
                lookup.used.iter().map(|(entity, name)| format!("{entity}.{name}")).collect();
            Piece::before(
                format!("table {}", lookup.name),
                vec![
                    format!("CREATE TABLE {table} (value text PRIMARY KEY)"),
                    format!("INSERT INTO {table} (value) VALUES {}", rows.join(", ")),
                ],
            )
            .because(format!(
                "{} values of {} are rows, so that one more is an INSERT and no change of a \
                 constraint; the text is the key, so that reading it needs no join",
                lookup.values.len(),
                columns.join(", ")
            ))
        })
    }
}
