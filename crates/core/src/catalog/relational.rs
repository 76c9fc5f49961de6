use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// The relations of one PostgreSQL database, with what the planner knows of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelationalCatalog {
    /// The server's version.
    pub version: Version,
    /// The database's name.
    pub database: String,
    /// The schemas names are looked up in, in order.
    pub search_path: Vec<String>,
    /// Tables, views, materialized views, partitioned and foreign tables, by schema and name.
    pub relations: Vec<Relation>,
    /// Installed extensions with their versions.
    pub extensions: BTreeMap<String, String>,
    /// Settings that move the planner (`work_mem`, `random_page_cost`, …), in the server's own
    /// units, exactly as `SET` takes them.
    pub settings: BTreeMap<String, String>,
}

impl RelationalCatalog {
    /// The relation that `name` means: `orders` along the search path, or `shop.orders`.
    pub fn find(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.qualified() == name).or_else(|| {
            self.search_path.iter().find_map(|schema| {
                self.relations.iter().find(|r| r.schema == *schema && r.name == name)
            })
        })
    }
}

/// What sort of relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// An ordinary table.
    Table,
    /// A table that is split in partitions.
    PartitionedTable,
    /// A partition of another table.
    Partition,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
}

/// One relation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Relation {
    /// Its schema.
    pub schema: String,
    /// Its name, as the catalogue has it: unquoted.
    pub name: String,
    /// What sort it is.
    pub kind: RelationKind,
    /// Its columns, in order, without dropped ones.
    pub columns: Vec<Column>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// Its indexes.
    pub indexes: Vec<Index>,
    /// The planner's row count; `None` when the relation was never analysed or vacuumed.
    pub rows: Option<f64>,
    /// The heap with TOAST, without indexes, in bytes.
    pub bytes: u64,
    /// All indexes, in bytes.
    pub index_bytes: u64,
    /// Upkeep and use, from the statistics views.
    pub activity: Activity,
    /// Whether policies decide which of its rows a user sees (row-level security).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub row_security: bool,
    /// The query of a view or materialized view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// The partition key (`RANGE (at)`), for a partitioned table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    /// The table it is a partition of, or (without a bound) inherits from, qualified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<String>,
    /// Its partition bound (`FOR VALUES FROM …`), for a partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_bound: Option<String>,
}

impl Relation {
    /// `schema.name`, unquoted.
    pub fn qualified(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of the primary key; empty when there is none.
    pub fn primary_key(&self) -> &[String] {
        self.constraints
            .iter()
            .find(|constraint| constraint.kind == ConstraintKind::PrimaryKey)
            .map_or(&[], |constraint| &constraint.columns)
    }

    /// Whether no two rows can agree in all of `columns`, NULLs aside: a valid, immediate,
    /// non-partial unique index or key lies within them.
    pub fn is_unique_over(&self, columns: &[&str]) -> bool {
        self.indexes.iter().any(|index| {
            index.unique
                && index.valid
                && index.immediate
                && index.predicate.is_none()
                && index.keys.iter().all(|key| {
                    key.column.as_deref().is_some_and(|column| columns.contains(&column))
                })
        })
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as `format_type` prints it: `numeric(12,2)`, `timestamp with time zone`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Whether NULL is forbidden.
    pub not_null: bool,
    /// Its default or generation expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// `a` (always) or `d` (by default) for an identity column, `s` or `v` for a generated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// Its collation, when it is not its type's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// What ANALYZE found; `None` when it never looked, or the user may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<ColumnStatistics>,
}

/// What `pg_stats` says of a column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnStatistics {
    /// The share of NULLs, from 0 to 1.
    pub null_fraction: f64,
    /// Distinct values; negative: minus the ratio to the rows.
    pub distinct: f64,
    /// Average width in bytes.
    pub width: u32,
    /// The most common values in text form, most frequent first.
    pub common_values: Vec<String>,
    /// Their frequencies.
    pub common_frequencies: Vec<f64>,
    /// The histogram's bounds in text form.
    pub histogram: Vec<String>,
    /// How far the rows lie in the column's order: −1 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
}

/// What sort of constraint it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConstraintKind {
    /// PRIMARY KEY.
    PrimaryKey,
    /// UNIQUE.
    Unique,
    /// FOREIGN KEY.
    ForeignKey,
    /// CHECK.
    Check,
    /// EXCLUDE.
    Exclusion,
    /// NOT NULL as a constraint of its own (since 18).
    NotNull,
}

/// One constraint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Constraint {
    /// Its name.
    pub name: String,
    /// What sort it is.
    pub kind: ConstraintKind,
    /// The columns it is over, in key order.
    pub columns: Vec<String>,
    /// For a foreign key: the qualified table it points to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
    /// For a foreign key: the columns it points to, in the order of `columns`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referenced_columns: Vec<String>,
    /// As `pg_get_constraintdef` prints it.
    pub definition: String,
    /// Whether all rows are known to obey it, and the server enforces it.
    pub validated: bool,
}

/// One index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its access method: `btree`, `gin`, …
    pub method: String,
    /// What it is ordered by.
    pub keys: Vec<IndexKey>,
    /// Columns it carries without ordering by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// The condition of a partial index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// Whether it forbids duplicates.
    pub unique: bool,
    /// Whether duplicates are refused at once rather than at commit.
    pub immediate: bool,
    /// Whether the planner may use it.
    pub valid: bool,
    /// The constraint it backs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Scans since the statistics were reset.
    pub scans: u64,
    /// As `pg_get_indexdef` prints it.
    pub definition: String,
}

/// One key of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IndexKey {
    /// The column; `None` when it is an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The key as `pg_get_indexdef(index, n, true)` prints it.
    pub expression: String,
    /// Whether it is in descending order.
    pub descending: bool,
    /// Whether NULLs come first.
    pub nulls_first: bool,
}

/// Use and upkeep of a relation, from `pg_stat_all_tables`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Sequential scans.
    pub seq_scans: u64,
    /// Index scans.
    pub index_scans: u64,
    /// Rows alive.
    pub live_rows: u64,
    /// Rows dead and not yet vacuumed.
    pub dead_rows: u64,
    /// Rows changed since the last ANALYZE.
    pub modified_since_analyze: u64,
    /// The last ANALYZE, by hand or automatic, in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_analyze: Option<String>,
    /// The last VACUUM, by hand or automatic, in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_vacuum: Option<String>,
}
