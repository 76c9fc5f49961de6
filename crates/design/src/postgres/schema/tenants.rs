use std::collections::BTreeMap;

use marula_postgres::sql::quote_ident;

use super::{Draw, column_type};
use crate::schema::{Piece, root};

/// The setting that says for whom a session works.
pub const SETTING: &str = "app.tenant";

/// Policies that keep tenants apart.
pub(super) fn pieces(draw: &mut Draw<'_>) -> Vec<Piece> {
    let Some(tenant) = draw.model.tenant.as_deref().and_then(|name| draw.model.entity(name)) else {
        return Vec::new();
    };
    let [key] = tenant.key()[..] else {
        draw.note(format!(
            "no policies keep the {} apart: their key is not one attribute",
            tenant.name
        ));
        return Vec::new();
    };
    let kind = match root(draw.model, tenant, key) {
        Some((_, attribute)) => column_type(attribute, draw.options),
        None => return Vec::new(),
    };
    // A setting that was reset is an empty text.
    let current = format!("nullif(current_setting('{SETTING}', true), '')::{kind}");
    let conditions = conditions(draw, &tenant.name, key, &current);
    let mut pieces = Vec::new();
    let mut shared = Vec::new();
    for store in &draw.layout.stores {
        match conditions.get(store.entity.as_str()) {
            Some(condition) => pieces.push(policy(&store.entity, condition)),
            None => shared.push(store.entity.clone()),
        }
    }
    if !shared.is_empty() {
        draw.note(format!(
            "all {} see the same {}: nothing required leads from there to their {}",
            tenant.name,
            shared.join(", "),
            tenant.name
        ));
    }
    draw.note(format!(
        "each session says for whom it works: SET LOCAL {SETTING} = '…'; without it, it sees no rows. \
         Superusers and roles with BYPASSRLS see all: the program's role is to be neither, and new \
         {} are made by one that is",
        tenant.name
    ));
    pieces
}

/// For each entity with a way to its tenant, when a row is one's own.
fn conditions<'m>(
    draw: &Draw<'m>,
    tenant: &'m str,
    key: &str,
    current: &str,
) -> BTreeMap<&'m str, String> {
    let mut found = BTreeMap::new();
    if draw.layout.store(tenant).is_none() {
        return found;
    }
    found.insert(tenant, format!("{} = {current}", quote_ident(key)));
    for one in &draw.references {
        let (from, [column]) = (&one.relation.from, one.relation.attributes.as_slice()) else {
            continue;
        };
        if one.relation.to == tenant && from != tenant {
            let own = format!("{} = {current}", quote_ident(column));
            found.entry(from.as_str()).or_insert(own);
        }
    }
    // Then those that lead there through one of these, the shortest way first.
    loop {
        let mut next = Vec::new();
        for one in draw.references.iter().filter(|one| one.required) {
            let (from, to) = (one.relation.from.as_str(), one.relation.to.as_str());
            if found.contains_key(from) || !found.contains_key(to) || to == tenant && from == to {
                continue;
            }
            let Some(parent) = draw.model.entity(to) else { continue };
            let pairs: Vec<String> = parent
                .key()
                .iter()
                .zip(&one.relation.attributes)
                .map(|(theirs, own)| {
                    format!(
                        "{}.{} = {}.{}",
                        quote_ident(to),
                        quote_ident(theirs),
                        quote_ident(from),
                        quote_ident(own)
                    )
                })
                .collect();
            // What the other's own policy hides is not there for this one either.
            let exists =
                format!("EXISTS (SELECT FROM {} WHERE {})", quote_ident(to), pairs.join(" AND "));
            next.push((from, exists));
        }
        if next.is_empty() {
            return found;
        }
        for (from, condition) in next {
            found.entry(from).or_insert(condition);
        }
    }
}

fn policy(table: &str, condition: &str) -> Piece {
    let quoted = quote_ident(table);
    let through = if condition.starts_with("EXISTS") {
        "; the way leads through another table, whose own policy hides what is not theirs"
    } else {
        ""
    };
    Piece::after(
        format!("policy on {table}"),
        vec![
            format!("ALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {quoted} FORCE ROW LEVEL SECURITY"),
            format!(
                "CREATE POLICY tenant_rows ON {quoted} USING ({condition}) WITH CHECK ({condition})"
            ),
        ],
    )
    .because(format!(
        "one tenant neither sees nor writes another's rows, whatever a query forgets; the owner is \
         held to it, too (FORCE){through}"
    ))
}
