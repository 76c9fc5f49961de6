use std::collections::BTreeMap;

use marula_core::model::Entity;
use marula_postgres::sql::quote_ident;

use super::{Draw, column_type};
use crate::schema::{Piece, Reference, root};

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
    let ways = ways(draw, &tenant.name, key, &current);
    let mut pieces = Vec::new();
    let mut shared = Vec::new();
    for store in &draw.layout.stores {
        let entity = store.entity.as_str();
        match ways.get(entity) {
            Some(way) => {
                let kept = references_kept(draw, entity, &tenant.name, &ways);
                pieces.push(policy(entity, &way.condition, &kept));
            }
            None => shared.push(store.entity.clone()),
        }
    }
    open_references(draw, &tenant.name, &ways);
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

/// How the rows of an entity are known to be a tenant's own.
struct Way<'m> {
    /// What holds for one's own rows.
    condition: String,
    /// The entity whose own policy it looks through.
    through: Option<&'m str>,
}

type Ways<'m> = BTreeMap<&'m str, Way<'m>>;

/// For each entity that leads to a tenant, how.
fn ways<'m>(draw: &Draw<'m>, tenant: &'m str, key: &str, current: &str) -> Ways<'m> {
    let mut found = Ways::new();
    if draw.layout.store(tenant).is_none() {
        return found;
    }
    let own = |column: &str| {
        let condition = format!("{} = {current}", quote_ident(column));
        Way { condition, through: None }
    };
    found.insert(tenant, own(key));
    for one in &draw.references {
        let (from, [column]) = (&one.relation.from, one.relation.attributes.as_slice()) else {
            continue;
        };
        if one.relation.to == tenant && from != tenant {
            found.entry(from.as_str()).or_insert_with(|| own(column));
        }
    }
    // Then those that lead there through one of these, the shortest way first.
    loop {
        let mut next = Vec::new();
        for one in draw.references.iter().filter(|one| one.required) {
            let (from, to) = (one.relation.from.as_str(), one.relation.to.as_str());
            if !found.contains_key(from) && found.contains_key(to) {
                next.push((from, Way { condition: there(draw, one), through: Some(to) }));
            }
        }
        if next.is_empty() {
            return found;
        }
        for (from, way) in next {
            found.entry(from).or_insert(way);
        }
    }
}

/// That the one a reference names is there for whoever asks: what the other's own policy hides is
/// not.
fn there(draw: &Draw<'_>, one: &Reference<'_>) -> String {
    let (from, to) = (&one.relation.from, &one.relation.to);
    let key = draw.model.entity(to).map(Entity::key).unwrap_or_default();
    let pairs: Vec<String> = key
        .iter()
        .zip(&one.relation.attributes)
        .map(|(theirs, own)| {
            let (to, from) = (quote_ident(to), quote_ident(from));
            format!("{to}.{} = {from}.{}", quote_ident(theirs), quote_ident(own))
        })
        .collect();
    format!("EXISTS (SELECT FROM {} WHERE {})", quote_ident(to), pairs.join(" AND "))
}

/// The references of an entity to what tenants have to themselves, beside the way to the tenant.
fn others<'a, 'm>(
    draw: &'a Draw<'m>,
    entity: &'a str,
    tenant: &'a str,
    ways: &'a Ways<'m>,
) -> impl Iterator<Item = &'a Reference<'m>> {
    let way = ways.get(entity).and_then(|way| way.through);
    let mut passed = false;
    draw.references.iter().filter(move |one| {
        let to = one.relation.to.as_str();
        if one.relation.from != entity || to == tenant || !ways.contains_key(to) {
            return false;
        }
        let is_way = !passed && one.required && way == Some(to);
        passed |= is_way;
        !is_way
    })
}

/// What keeps an entity's further references within its tenant. Foreign keys do not: the server
/// checks them round all policies.
fn references_kept(draw: &Draw<'_>, entity: &str, tenant: &str, ways: &Ways<'_>) -> Vec<String> {
    let kept = others(draw, entity, tenant, ways).filter(|one| !is_circle(one, ways));
    kept.map(|one| {
        let columns = one.relation.attributes.iter().filter(|_| !one.required);
        let none = columns.map(|name| format!("{} IS NULL OR ", quote_ident(name)));
        format!("({}{})", none.collect::<String>(), there(draw, one))
    })
    .collect()
}

/// Whether the way to the tenant leads from the one back to the many: the server refuses policies
/// that look into their own table.
fn is_circle(one: &Reference<'_>, ways: &Ways<'_>) -> bool {
    let mut next = Some(one.relation.to.as_str());
    let mut steps = 0;
    while let Some(here) = next.filter(|_| steps <= ways.len()) {
        if here == one.relation.from {
            return true;
        }
        next = ways.get(here).and_then(|way| way.through);
        steps += 1;
    }
    false
}

/// Whether the foreign key itself holds both within one tenant: it names what refers to the tenant on
/// either side.
fn names_tenant(draw: &Draw<'_>, one: &Reference<'_>, tenant: &str) -> bool {
    let whose = |entity: &str| {
        let mut ways = draw.references.iter().filter(|way| way.relation.to == tenant);
        ways.find(|way| way.relation.from == entity).map(|way| way.relation.attributes.as_slice())
    };
    let (Some([own]), Some([theirs])) = (whose(&one.relation.from), whose(&one.relation.to)) else {
        return false;
    };
    let key = draw.model.entity(&one.relation.to).map(Entity::key).unwrap_or_default();
    key.iter().zip(&one.relation.attributes).any(|(key, named)| key == theirs && named == own)
}

/// Says which references no policy can keep within one tenant.
fn open_references(draw: &mut Draw<'_>, tenant: &str, ways: &Ways<'_>) {
    let mut open = Vec::new();
    for entity in ways.keys() {
        let circles = others(draw, entity, tenant, ways).filter(|one| is_circle(one, ways));
        for one in circles.filter(|one| !names_tenant(draw, one, tenant)) {
            let (from, columns) = (&one.relation.from, one.relation.attributes.join(", "));
            let to = &one.relation.to;
            open.push(format!(
                "nothing keeps {from} ({columns}) → {to} within one of {tenant}: a policy cannot \
                 look into its own table. Where that matters, {to} get a unique constraint of their \
                 reference to {tenant} and their key, and this foreign key names both"
            ));
        }
    }
    open.into_iter().for_each(|note| draw.note(note));
}

fn policy(table: &str, condition: &str, kept: &[String]) -> Piece {
    let quoted = quote_ident(table);
    let mut why =
        "one tenant neither sees nor writes another's rows, whatever a query forgets; the \
                   owner is held to it, too (FORCE)"
            .to_owned();
    if condition.starts_with("EXISTS") {
        why.push_str(
            "; the way leads through another table, whose own policy hides what is not theirs",
        );
    }
    if !kept.is_empty() {
        why.push_str(
            "; what a row refers to must be there for its writer, since foreign keys are checked \
             round all policies",
        );
    }
    let written: Vec<&str> =
        std::iter::once(condition).chain(kept.iter().map(String::as_str)).collect();
    Piece::after(
        format!("policy on {table}"),
        vec![
            format!("ALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {quoted} FORCE ROW LEVEL SECURITY"),
            format!(
                "CREATE POLICY tenant_rows ON {quoted} USING ({condition}) WITH CHECK ({})",
                written.join(" AND ")
            ),
        ],
    )
    .because(why)
}
