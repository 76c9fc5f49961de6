//! What is known of the schema a statement meets: from the target's catalogue, and from the
//! statements before it.

use std::collections::{HashMap, HashSet};

use marula_core::{ConstraintKind, RelationKind, RelationalCatalog};
use marula_postgres::sql::quote_ident;
use pg_query::protobuf as pb;

use super::types::Type;
use crate::rule::Size;

/// Tables, types and indexes, by name without `public.`.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// Tables, views and materialized views.
    pub tables: HashMap<String, Table>,
    /// Enums and domains.
    pub types: HashMap<String, UserType>,
    /// Functions that are known to be immutable or stable.
    pub steady: HashSet<String>,
    /// Whether a table that is not here does not exist.
    pub complete: bool,
    /// The server's time zone, when a target told.
    pub time_zone: Option<String>,
}

/// A type of a user's.
#[derive(Debug, Clone)]
pub enum UserType {
    /// An enumeration.
    Enum,
    /// A domain.
    Domain {
        /// The type below it.
        base: Type,
        /// Whether it checks its values.
        constrained: bool,
    },
}

/// What sort of table it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableKind {
    /// An ordinary one.
    #[default]
    Plain,
    /// One that is split in partitions.
    Partitioned,
    /// A view.
    View,
    /// A materialized view.
    Materialized,
}

/// One table, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What sort it is.
    pub kind: TableKind,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// Its indexes.
    pub indexes: Vec<Index>,
    /// How its rows are split, where that is by one column.
    pub split: Option<Split>,
    /// The table it is a partition of.
    pub parent: Option<String>,
    /// Whether it takes what no other partition takes.
    pub is_default: bool,
    /// How large it is.
    pub size: Option<Size>,
    /// The file that made it, by its number in this run; `None` when it was there before.
    pub born: Option<usize>,
    /// Whether all its columns, constraints and indexes are known.
    pub whole: bool,
}

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: Option<Type>,
    /// Whether NULL is forbidden.
    pub not_null: bool,
    /// Of a generated column: whether it is stored.
    pub stored: Option<bool>,
}

/// One constraint.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Its name, when one was given or the server's choice is known.
    pub name: String,
    /// What sort it is.
    pub kind: ConstraintKind,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table it points to.
    pub references: Option<String>,
    /// Whether all rows are known to obey it.
    pub valid: bool,
    /// The columns a CHECK proves to be filled.
    pub proves_filled: Vec<String>,
}

/// One index.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// The columns it is over, also inside expressions and its condition where known.
    pub columns: Vec<String>,
    /// Those of them that are only kept with the entries (INCLUDE).
    pub included: Vec<String>,
    /// Whether it forbids duplicates.
    pub unique: bool,
    /// Whether it is a B-tree over these columns in ascending order and nothing else.
    pub plain: bool,
}

/// How rows are split between partitions by one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Whether by lists of values; else by ranges.
    pub by_list: bool,
    /// The column.
    pub column: String,
}

impl Split {
    /// Reads what the catalogue prints: `RANGE (at)`.
    fn parse(key: &str) -> Option<Split> {
        let (how, inner) = key.split_once(" (")?;
        let by_list = match how {
            "LIST" => true,
            "RANGE" => false,
            _ => return None,
        };
        let inner = inner.strip_suffix(')')?;
        let quoted = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let column = match quoted {
            Some(name) if !name.replace("\"\"", "").contains('"') => name.replace("\"\"", "\""),
            None if inner.chars().all(plain) => inner.to_string(),
            _ => return None,
        };
        Some(Split { by_list, column })
    }
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether an index is over the column; `None` when that is not known.
    pub fn indexed(&self, column: &str) -> Option<bool> {
        let found = self.indexes.iter().any(|i| i.columns.iter().any(|c| c == column));
        if found || self.whole { Some(found) } else { None }
    }

    /// Whether the column is known to hold no NULL.
    pub fn filled(&self, column: &str) -> bool {
        self.column(column).is_some_and(|column| column.not_null)
            || self.constraints.iter().any(|constraint| {
                constraint.valid && constraint.proves_filled.iter().any(|c| c == column)
            })
    }
}

/// `schema.name` as it is looked up: `public` is left out.
pub fn key(schema: &str, name: &str) -> String {
    if schema.is_empty() || schema == "public" {
        name.to_string()
    } else {
        format!("{schema}.{name}")
    }
}

/// The name of a table as it is looked up.
pub fn table_key(relation: &pb::RangeVar) -> String {
    key(&relation.schemaname, &relation.relname)
}

impl Schema {
    /// The table, when it is known.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The table an index belongs to.
    pub fn table_of_index(&self, index: &str) -> Option<(&String, &Table)> {
        self.tables.iter().find(|(_, table)| table.indexes.iter().any(|i| i.name == index))
    }

    /// The partition that takes what no other takes.
    pub fn default_partition(&self, parent: &str) -> Option<&String> {
        self.tables
            .iter()
            .find(|(_, table)| table.is_default && table.parent.as_deref() == Some(parent))
            .map(|(name, _)| name)
    }

    /// The partitions of a table.
    pub fn partitions(&self, parent: &str) -> Vec<&String> {
        let mut all: Vec<_> = self
            .tables
            .iter()
            .filter(|(_, table)| table.parent.as_deref() == Some(parent))
            .map(|(name, _)| name)
            .collect();
        all.sort();
        all
    }

    /// The tables with a column of that type.
    pub fn using_type(&self, type_name: &str) -> Vec<&String> {
        let mut all: Vec<_> =
            self.tables
                .iter()
                .filter(|(_, table)| {
                    table.columns.iter().any(|column| {
                        column.data_type.as_ref().is_some_and(|of| of.name == type_name)
                    })
                })
                .map(|(name, _)| name)
                .collect();
        all.sort();
        all
    }

    /// The schema of a target.
    pub fn from_catalog(catalog: &RelationalCatalog) -> Schema {
        let mut types: HashMap<&str, Option<Type>> = HashMap::new();
        for relation in &catalog.relations {
            for column in &relation.columns {
                types.entry(&column.type_name).or_insert_with(|| Type::parse(&column.type_name));
            }
        }
        let mut schema = Schema {
            complete: true,
            time_zone: catalog.settings.get("TimeZone").cloned(),
            ..Schema::default()
        };
        let short = |qualified: &str| match qualified.split_once('.') {
            Some((schema, name)) => key(schema, name),
            None => qualified.to_string(),
        };
        for relation in &catalog.relations {
            let constraints = relation.constraints.iter().map(|constraint| Constraint {
                name: constraint.name.clone(),
                kind: constraint.kind,
                columns: constraint.columns.clone(),
                references: constraint.references.as_deref().map(short),
                valid: constraint.validated,
                proves_filled: match constraint.kind {
                    ConstraintKind::Check => super::state::proved_by_text(&constraint.definition),
                    ConstraintKind::PrimaryKey | ConstraintKind::NotNull => {
                        constraint.columns.clone()
                    }
                    _ => Vec::new(),
                },
            });
            let table = Table {
                kind: match relation.kind {
                    RelationKind::PartitionedTable => TableKind::Partitioned,
                    RelationKind::View => TableKind::View,
                    RelationKind::MaterializedView => TableKind::Materialized,
                    _ => TableKind::Plain,
                },
                columns: relation
                    .columns
                    .iter()
                    .map(|column| Column {
                        name: column.name.clone(),
                        data_type: types.get(column.type_name.as_str()).cloned().flatten(),
                        not_null: column.not_null,
                        stored: column.generated.as_deref().and_then(|kind| match kind {
                            "s" => Some(true),
                            "v" => Some(false),
                            _ => None,
                        }),
                    })
                    .collect(),
                constraints: constraints.collect(),
                indexes: relation
                    .indexes
                    .iter()
                    .map(|index| Index {
                        name: index.name.clone(),
                        columns: index
                            .keys
                            .iter()
                            .filter_map(|key| key.column.clone())
                            .chain(index.include.iter().cloned())
                            .collect(),
                        included: index.include.clone(),
                        unique: index.unique,
                        plain: index.method == "btree"
                            && index.include.is_empty()
                            && index.predicate.is_none()
                            && index.keys.iter().all(|key| {
                                // An operator class or a collation of its own stands behind it.
                                let own = key.column.as_deref().map(quote_ident);
                                !key.descending
                                    && !key.nulls_first
                                    && own.as_deref() == Some(key.expression.as_str())
                            }),
                    })
                    .collect(),
                split: relation.partition_key.as_deref().and_then(Split::parse),
                parent: relation.partition_of.as_deref().map(short),
                is_default: relation.partition_bound.as_deref() == Some("DEFAULT"),
                size: Some(Size {
                    rows: relation.rows.unwrap_or(relation.activity.live_rows as f64),
                    bytes: relation.bytes,
                }),
                born: None,
                whole: true,
            };
            schema.tables.insert(key(&relation.schema, &relation.name), table);
        }
        schema
    }
}
