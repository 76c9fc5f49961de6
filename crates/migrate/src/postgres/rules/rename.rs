use super::support::*;

/// A table or column is renamed or moved: who uses the old name fails
pub static RULE: Rule<Context> = rule(
    12,
    "rename",
    "A table or column is renamed or moved: who uses the old name fails",
    Severity::High,
    None,
    "Between the migration and the release of the program, one of the two uses a name \
     that is not there.\n\nExpand and contract: keep both names for a while, by a view \
     under the old name, or a new column that a trigger keeps up to date.",
    &[
        bad("a column", shop!(), "ALTER TABLE users RENAME COLUMN name TO full_name"),
        bad("a table", shop!(), "ALTER TABLE users RENAME TO people"),
        bad(
            "to another schema",
            concat!(shop!(), "CREATE SCHEMA crm;"),
            "ALTER TABLE users SET SCHEMA crm",
        ),
        good(
            "a table of the same file",
            shop!(),
            "CREATE TABLE notes (id int); ALTER TABLE notes RENAME TO remarks",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    use pb::ObjectType as Object;
    let (relation, title) = match context.node() {
        Some(NodeEnum::RenameStmt(rename)) => {
            let Some(relation) = &rename.relation else { return Vec::new() };
            let name = table_key(relation);
            match Object::try_from(rename.rename_type) {
                Ok(Object::ObjectColumn) if rename.relation_type != Object::ObjectType as i32 => {
                    (relation, format!("{name}.{} becomes {}", rename.subname, rename.newname))
                }
                Ok(Object::ObjectTable | Object::ObjectView | Object::ObjectMatview) => {
                    (relation, format!("{name} becomes {}", rename.newname))
                }
                Ok(Object::ObjectTabconstraint) => {
                    let title = format!("the constraint {} is renamed", rename.subname);
                    return vec![brief(
                        Lock::AccessExclusive,
                        &name,
                        title,
                        "Only the name changes.",
                    )];
                }
                _ => return Vec::new(),
            }
        }
        Some(NodeEnum::AlterObjectSchemaStmt(alter)) => {
            let Some(relation) = &alter.relation else { return Vec::new() };
            (relation, format!("{} moves to the schema {}", table_key(relation), alter.newschema))
        }
        _ => return Vec::new(),
    };
    vec![locked(
        Lock::AccessExclusive,
        &table_key(relation),
        Severity::High,
        title,
        "Who uses the old name fails from that moment: keep both for a while, with a view or a \
         column that a trigger keeps up to date.",
    )]
}
