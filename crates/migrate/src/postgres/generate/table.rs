//! Another name for a table.

use marula_core::{Result, Version};
use marula_postgres::sql::quote_ident;

use super::{parsed, quoted};

/// Another name for a table: at once, with a view under the old name so that statements that use
/// it go on working.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn rename_table(table: &str, new: &str, version: Version) -> Result<[String; 2]> {
    let (schema, _) = table.rsplit_once('.').unwrap_or(("", table));
    let placed = if schema.is_empty() {
        quote_ident(new)
    } else {
        format!("{}.{}", quote_ident(schema), quote_ident(new))
    };
    let old = quoted(table);
    let bare = quote_ident(table.rsplit('.').next().unwrap_or(table));
    // Whoever reads through the view has the rights, and sees the rows, he would of the table.
    let (invoker, owner) = match version.major {
        15.. => (" WITH (security_invoker = true)", ""),
        _ => (
            "",
            "-- Through the view everybody sees what its owner sees: row-level security does not \
             hold there before\n-- PostgreSQL 15.\n",
        ),
    };
    let view = format!("CREATE VIEW {old}{invoker} AS SELECT * FROM {placed}");
    // The view is whoever's runs the migration: the table's owner needs rights in it like others.
    let rights = format!(
        "DO $rights$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT acl.privilege_type || coalesce(' (' || quote_ident(attname) || ')', '') AS what,
           CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END AS who,
           CASE WHEN acl.is_grantable OR acl.grantee = own.relowner THEN ' WITH GRANT OPTION' ELSE '' END AS how
      FROM (SELECT coalesce(relacl, acldefault('r', relowner)) AS rights, NULL AS attname, relowner FROM pg_class
             WHERE oid = '{table}'::regclass
            UNION ALL
            SELECT attacl, attname, 0 FROM pg_attribute
             WHERE attrelid = '{table}'::regclass AND NOT attisdropped) AS own,
           LATERAL aclexplode(own.rights) AS acl
     WHERE acl.grantee <> (SELECT relowner FROM pg_class WHERE oid = '{view_literal}'::regclass)
       AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES', 'TRIGGER')
  LOOP
    EXECUTE format('GRANT %s ON {view_name} TO %s%s', one.what, one.who, one.how);
  END LOOP;
END
$rights$",
        table = placed.replace('\'', "''"),
        view_literal = old.replace('\'', "''"),
        view_name = old.replace('\'', "''").replace('%', "%%"),
    );
    let new = quote_ident(new);
    let first = format!(
        "-- The table has its new name, and a view the old one, with the table's rights: both can be \
         read and written.\n{owner}-- migrate:up lock_timeout:2s\nALTER TABLE {old} RENAME TO \
         {new};\n{view};\n{rights};\n\n-- migrate:down lock_timeout:2s\nDROP VIEW {old};\nALTER TABLE \
         {placed} RENAME TO {bare};\n",
    );
    let second = format!(
        "-- The old name goes. No statement may use it any more: it runs when it is named (apply \
         --to).\n-- migrate:up lock_timeout:2s hold:true\nDROP VIEW {old};\n\n-- migrate:down \
         lock_timeout:2s\n{view};\n{rights};\n"
    );
    for text in [&first, &second] {
        parsed(text)?;
    }
    Ok([first, second])
}
