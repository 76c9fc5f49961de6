use marula_core::{Constraint, ConstraintKind, Version};
use tokio_postgres::{Client, Error, Row};

/// The constraints of the relations.
pub(super) async fn read(
    client: &Client,
    version: Version,
    oids: &[u32],
) -> Result<Vec<(u32, Constraint)>, Error> {
    let enforced = if version.major >= 18 { "AND k.conenforced" } else { "" };
    let sql = format!(
        "SELECT k.conrelid, k.conname::text, k.contype::text,
                ARRAY(SELECT a.attname::text
                      FROM unnest(k.conkey) WITH ORDINALITY AS n(number, at)
                      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number
                      ORDER BY n.at),
                rn.nspname || '.' || r.relname,
                ARRAY(SELECT a.attname::text
                      FROM unnest(k.confkey) WITH ORDINALITY AS n(number, at)
                      JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.number
                      ORDER BY n.at),
                pg_get_constraintdef(k.oid), k.convalidated {enforced}
         FROM pg_constraint k
         LEFT JOIN pg_class r ON r.oid = k.confrelid
         LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
         WHERE k.conrelid = ANY ($1) AND k.contype IN ('p', 'u', 'f', 'c', 'x', 'n')
         ORDER BY k.conrelid, k.contype <> 'p', k.contype, k.conname"
    );
    client.query(&sql, &[&oids]).await?.iter().map(constraint).collect()
}

fn constraint(row: &Row) -> Result<(u32, Constraint), Error> {
    let kind: String = row.try_get(2)?;
    let constraint = Constraint {
        name: row.try_get(1)?,
        kind: match kind.as_str() {
            "p" => ConstraintKind::PrimaryKey,
            "u" => ConstraintKind::Unique,
            "f" => ConstraintKind::ForeignKey,
            "x" => ConstraintKind::Exclusion,
            "n" => ConstraintKind::NotNull,
            _ => ConstraintKind::Check,
        },
        columns: row.try_get(3)?,
        references: row.try_get(4)?,
        referenced_columns: row.try_get(5)?,
        definition: row.try_get(6)?,
        validated: row.try_get(7)?,
    };
    Ok((row.try_get(0)?, constraint))
}
