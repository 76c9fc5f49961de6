//! What is asked of the catalogue. Each query gives the same nine columns: kind, the address
//! pg_depend knows it by, name, what it is a part of, its facts as JSON, and whether it is implied.

mod links;
mod relations;
mod routines;
mod spaces;
mod tables;
mod types;

pub(super) use links::{ALIASES, DEPENDS, OTHERS};

/// Schemas that are neither the server's own nor ours, with the history of migrations.
const USERS: &str = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'marula') AND n.nspname NOT LIKE 'pg\\_toast%' \
     AND n.nspname NOT LIKE 'pg\\_temp\\_%'";

/// Not a member of an extension.
fn own(class: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_catalog.pg_depend own WHERE own.classid = '{class}'::regclass \
         AND own.objid = {oid} AND own.deptype = 'e')"
    )
}

/// Who may do what, without the owner: `SELECT* role`, one a line; the star can pass it on.
fn acl(kind: char, owner: &str, acl: &str) -> String {
    format!(
        "(SELECT string_agg(DISTINCT x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' \
         END || ' ' || coalesce(quote_ident(g.rolname), 'PUBLIC'), E'\\n') FROM \
         aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) x LEFT JOIN pg_roles g ON g.oid \
         = x.grantee WHERE x.grantee <> {owner})"
    )
}

fn owner(oid: &str) -> String {
    format!("(SELECT quote_ident(r.rolname) FROM pg_roles r WHERE r.oid = {oid})")
}

/// The queries of every kind, for a server of this major version.
pub(super) fn objects(major: u16) -> Vec<String> {
    let mut all = vec![
        spaces::schemas(),
        spaces::extensions(),
        spaces::collations(),
        types::types(),
        types::domain_constraints(),
    ];
    all.extend([
        routines::functions(),
        routines::aggregates(),
        tables::sequences(),
        tables::owned_by(),
        tables::tables(),
        tables::columns(major),
    ]);
    all.extend([
        tables::defaults(),
        tables::constraints(),
        tables::indexes(),
        relations::views(),
        relations::view_columns(),
        relations::rules(),
    ]);
    all.extend([
        relations::triggers(),
        relations::policies(),
        relations::statistics(),
        spaces::publications(major),
    ]);
    all.extend([spaces::event_triggers(), spaces::default_privileges()]);
    all
}
