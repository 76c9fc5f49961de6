//! A small catalogue for tests of what needs no server: columns, keys and statistics only.

use std::collections::BTreeMap;

use marula_core::{
    Activity, Column, ColumnStatistics, Constraint, ConstraintKind, Index, IndexKey, Plan,
    PlanNode, Relation, RelationKind, RelationalCatalog, Version,
};
use pg_query::Node;

/// `orders` and `customers`, with primary keys only.
pub(super) fn catalog() -> RelationalCatalog {
    RelationalCatalog {
        version: Version::new(15, 0, 0),
        database: "shop".into(),
        search_path: vec!["public".into()],
        relations: vec![
            table(
                "orders",
                &[
                    ("id", "bigint", true, 0.0),
                    ("customer_id", "bigint", true, 5_000.0),
                    ("status", "text", true, 5.0),
                    ("total", "numeric(12,2)", false, 10_000.0),
                    ("placed_at", "timestamp without time zone", true, -0.9),
                    ("seen_at", "timestamp with time zone", false, -0.9),
                    ("note", "text", false, -0.5),
                    ("data", "jsonb", false, -0.5),
                    ("items", "integer", true, 40_000.0),
                    ("code", "character varying(12)", false, -0.5),
                    ("stay", "daterange", false, -0.5),
                    ("origin", "inet", false, -0.5),
                    ("words", "tsvector", false, -0.5),
                    ("tags", "text[]", false, -0.5),
                    ("sent_at", "timestamp without time zone", false, -0.9),
                    ("due_at", "timestamp without time zone", false, -0.9),
                    ("lane", "text", true, 10.0),
                ],
            ),
            table(
                "customers",
                &[
                    ("id", "bigint", true, 0.0),
                    ("email", "text", true, -1.0),
                    ("referred_by", "bigint", false, 400.0),
                    ("born", "date", false, 4_000.0),
                ],
            ),
        ],
        extensions: BTreeMap::new(),
        settings: BTreeMap::new(),
    }
}

/// The same with a view over `orders`, by the names its columns have there.
pub(super) fn catalog_with_view(definition: &str) -> RelationalCatalog {
    let mut catalog = catalog();
    let view = Relation {
        kind: RelationKind::View,
        constraints: Vec::new(),
        indexes: Vec::new(),
        rows: None,
        definition: Some(definition.into()),
        ..table("recent", &[("id", "bigint", false, 0.0)])
    };
    catalog.relations.push(view);
    catalog
}

fn table(name: &str, columns: &[(&str, &str, bool, f64)]) -> Relation {
    let columns = columns
        .iter()
        .map(|(name, kind, not_null, distinct)| Column {
            name: (*name).into(),
            type_name: (*kind).into(),
            not_null: *not_null,
            default: None,
            generated: None,
            collation: None,
            statistics: Some(ColumnStatistics {
                distinct: if *distinct == 0.0 { -1.0 } else { *distinct },
                width: 8,
                ..ColumnStatistics::default()
            }),
        })
        .collect();
    Relation {
        schema: "public".into(),
        name: name.into(),
        kind: RelationKind::Table,
        columns,
        constraints: vec![Constraint {
            name: format!("{name}_pkey"),
            kind: ConstraintKind::PrimaryKey,
            columns: vec!["id".into()],
            references: None,
            referenced_columns: Vec::new(),
            definition: "PRIMARY KEY (id)".into(),
            validated: true,
        }],
        indexes: vec![Index {
            name: format!("{name}_pkey"),
            method: "btree".into(),
            keys: vec![IndexKey {
                column: Some("id".into()),
                expression: "id".into(),
                descending: false,
                nulls_first: false,
            }],
            include: Vec::new(),
            predicate: None,
            unique: true,
            immediate: true,
            valid: true,
            constraint: Some(format!("{name}_pkey")),
            bytes: 1 << 20,
            scans: 1,
            definition: format!("CREATE UNIQUE INDEX {name}_pkey ON public.{name} (id)"),
        }],
        rows: Some(100_000.0),
        bytes: 10 << 20,
        index_bytes: 1 << 20,
        activity: Activity::default(),
        row_security: false,
        definition: None,
        partition_key: None,
        partition_of: None,
        partition_bound: None,
    }
}

/// The statement's node.
pub(super) fn parse(sql: &str) -> Node {
    let parsed = marula_postgres::sql::parse(sql).unwrap();
    Node { node: parsed.root().cloned() }
}

/// A plan that reads each relation from end to end at equal cost.
pub(super) fn plan(relations: &[&str]) -> Plan {
    let scan = |name: &&str| PlanNode {
        op: "Seq Scan".into(),
        relation: Some(format!("public.{}", name.split(' ').next().unwrap())),
        alias: Some(name.rsplit(' ').next().unwrap().into()),
        actual_rows: Some(10.0),
        removed: Some(99_990),
        loops: Some(1),
        total_ms: Some(40.0),
        self_ms: Some(40.0),
        ..PlanNode::default()
    };
    let ms = 10.0 + 40.0 * relations.len() as f64;
    Plan {
        engine: marula_core::Engine::Postgres,
        version: None,
        executed: true,
        planning_ms: Some(0.1),
        execution_ms: Some(ms),
        summary: Default::default(),
        tree: PlanNode {
            op: "Sort".into(),
            total_ms: Some(ms),
            self_ms: Some(10.0),
            loops: Some(1),
            children: relations.iter().map(scan).collect(),
            ..PlanNode::default()
        },
    }
}
