use marula_core::model::{Entity, OnDelete};
use marula_postgres::sql::quote_ident;

use super::{Draw, list};
use crate::schema::{Piece, Reference, nullable};
use crate::structure::Placement;

/// The foreign keys, made when the rows are there.
pub(super) fn pieces(draw: &mut Draw<'_>) -> Vec<Piece> {
    let references = draw.references.clone();
    let mut pieces: Vec<Piece> = references.iter().map(|one| foreign_key(draw, one)).collect();
    pieces.extend(looked_up(draw));
    lost(draw);
    pieces
}

fn foreign_key(draw: &mut Draw<'_>, one: &Reference<'_>) -> Piece {
    let relation = one.relation;
    let columns: Vec<&str> = relation.attributes.iter().map(String::as_str).collect();
    let key = draw.model.entity(&relation.to).map(Entity::key).unwrap_or_default();
    let (action, why) = on_delete(draw, one);
    let mut words = vec![relation.from.as_str()];
    words.extend(&columns);
    let name = draw.names.of(&words, "fkey");
    let late = if one.circular { " DEFERRABLE INITIALLY DEFERRED" } else { "" };
    let statement = format!(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {action}{late}",
        quote_ident(&relation.from),
        quote_ident(&name),
        list(&columns),
        quote_ident(&relation.to),
        list(&key)
    );
    Piece::after(format!("foreign key {} → {}", relation.from, relation.to), vec![statement])
        .because(why)
}

/// What a deletion does, and why.
fn on_delete(draw: &mut Draw<'_>, one: &Reference<'_>) -> (String, String) {
    let relation = one.relation;
    let (many, to) = (&relation.from, &relation.to);
    let wanted = match relation.on_delete {
        Some(said) => (said, "the model says so".to_owned()),
        None if relation.owned => {
            (OnDelete::Cascade, format!("{many} live and die with their {to}"))
        }
        None if one.required => (
            OnDelete::Restrict,
            format!(
                "each of {many} needs its {to}: who deletes it has to say what becomes of them"
            ),
        ),
        None => (OnDelete::SetNull, format!("{many} can be without {to}, and stay")),
    };
    let nullable = nullable(draw.model, relation);
    match wanted {
        (OnDelete::SetNull, _) if nullable.is_empty() => {
            draw.note(format!(
                "{many} → {to}: the model asks to set null, but its attributes are required; the \
                 deletion is refused instead"
            ));
            restrict(one, "its attributes are required".into())
        }
        (OnDelete::SetNull, why) if nullable.len() < relation.attributes.len() => {
            (format!("SET NULL ({})", list(&nullable)), why)
        }
        (OnDelete::SetNull, why) => ("SET NULL".into(), why),
        (OnDelete::Cascade, why) => ("CASCADE".into(), why + &circle(one)),
        (OnDelete::Restrict, why) => restrict(one, why),
    }
}

/// A refusal; in a circle at the end of the transaction, where both may be gone.
fn restrict(one: &Reference<'_>, why: String) -> (String, String) {
    let action = if one.circular { "NO ACTION" } else { "RESTRICT" };
    (action.into(), why + &circle(one))
}

fn circle(one: &Reference<'_>) -> String {
    match one.circular {
        true => "; checked at the end of the transaction, since required references lead in a \
                 circle and none of the rows could be the first"
            .into(),
        false => String::new(),
    }
}

/// Foreign keys to tables of values.
fn looked_up(draw: &mut Draw<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for store in &draw.layout.stores {
        let Some(entity) = draw.model.entity(&store.entity) else { continue };
        for attribute in &entity.attributes {
            let table = draw.lookups.table(entity, attribute).map(str::to_owned);
            let Some(table) = table.filter(|_| store.attribute(&attribute.name).is_some()) else {
                continue;
            };
            let name = draw.names.of(&[&entity.name, &attribute.name], "fkey");
            pieces.push(Piece::after(
                format!("foreign key {}.{} → {table}", entity.name, attribute.name),
                vec![format!(
                    "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} (value) ON \
                     UPDATE CASCADE ON DELETE RESTRICT",
                    quote_ident(&entity.name),
                    quote_ident(&name),
                    quote_ident(&attribute.name),
                    quote_ident(&table)
                )],
            ));
        }
    }
    pieces
}

/// Relationships no foreign key holds, and promises none can.
fn lost(draw: &mut Draw<'_>) {
    let held: Vec<*const _> =
        draw.references.iter().map(|one| std::ptr::from_ref(one.relation)).collect();
    let mut notes = Vec::new();
    for (relation, placement) in draw.model.relations.iter().zip(&draw.structure.placements) {
        let (many, one) = (&relation.from, &relation.to);
        if *placement != Placement::Embed && !held.contains(&std::ptr::from_ref(relation)) {
            notes.push(format!(
                "no foreign key holds {many} ({}) → {one}: one of them is kept within another, or \
                 the attributes do not match the key",
                relation.attributes.join(", ")
            ));
        }
        if relation.at_least_one {
            notes.push(format!(
                "no constraint says that each of {one} has at least one of {many}: write them in \
                 one transaction"
            ));
        }
    }
    notes.into_iter().for_each(|note| draw.note(note));
}
