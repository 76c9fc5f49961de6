//! Another type for a column.

use marula_core::{Column, Result};
use marula_postgres::sql::quote_ident;

use super::beside::Beside;
use super::carry::Carried;
use super::filled::Filled;
use super::identity::{counts_on, identity_of};
use super::keys::referring;
use super::names::{Names, Turn};
use super::trigger::Dual;
use super::{Derived, LongChange, Place, UNKNOWN, depend, file, taken_back, told};

const SWAP: &str = "The new column gets the old one's name. Statements read and write the new type \
                    from here on: deploy what understands both before. It runs when it is named (apply --to).";

const ORDER: &str = "after the swap the column stands last: INSERT without a list of columns, COPY without one \
                     and SELECT * meet another order";

/// Another type for a column, in five steps. `using` is an expression over the column, when a
/// cast is not what is wanted; `back` leads to the old type, so that the swap can be taken back.
///
/// # Errors
/// `NotFound` for a column the target does not have, `Unsupported` for one that materialized views
/// or generated columns read, and for what else cannot be carried over; `Syntax` when a type or
/// expression makes no SQL.
pub fn change_type(
    place: &Place<'_>,
    column: &str,
    data_type: &str,
    using: Option<&str>,
    back: Option<&str>,
) -> Result<LongChange> {
    let known = place.column(column)?;
    depend::whole(place, &[column])?;
    depend::refuse_but_views(place, column)?;
    let names = Names::new(place);
    let turn = Turn::swapped(&names, column);
    let quoted = quote_ident(column);
    let expression = using.map_or_else(|| format!("{quoted}::{data_type}"), String::from);
    let name = turn.new.clone();
    let old_type = known.as_ref().map(|column| column.type_name.clone());
    let texts = is_text(data_type) && old_type.as_deref().is_some_and(is_text);
    let collation = known.as_ref().and_then(|column| column.collation.clone()).filter(|_| texts);
    let derived = Derived { name, data_type: data_type.into(), expression, collation };
    let beside = Beside::of(place, &turn, &names)?;
    depend::keyed(place)?;
    let carried = Carried::same_name(place, column, &turn.new, is_text(data_type));
    // A cast cuts short what ALTER TABLE would refuse.
    let shortened = using.is_none() && is_short(data_type);
    let dual = Dual::new(place, &[(column.to_string(), None)], std::slice::from_ref(&derived), &[])
        .shortened(shortened);
    let not_null = known.as_ref().is_some_and(|column| column.not_null);
    let filled = match not_null {
        true => Filled::of(place, &turn, &names),
        false => Filled::default(),
    };
    let mut stages = vec![dual.expand(&carried)?, dual.backfill()?];
    stages.push(dual.verify(&filled, &beside)?);
    let asked = place.around.and_then(|around| around.asked.as_ref());
    let one_way = asked.is_some_and(|asked| asked.one_way);
    let backwards = match (back, &old_type) {
        (Some(back), _) => Some(back.to_string()),
        (None, Some(kind)) if !one_way => Some(format!("{quoted}::{kind}")),
        (None, _) => None,
    };
    let told_of = Told { beside: &beside, filled: &filled, carried: &carried };
    let (up, down) = swapped(place, &turn, &dual, known.as_ref(), data_type, &backwards, &told_of);
    let mut what = SWAP.to_string();
    let narrow = narrow(place, column, data_type);
    for note in &narrow {
        what.push_str(&format!(" In a series of its own, before this one or after: {note}."));
    }
    // What was written meanwhile may not fit into the old type.
    let fits = backwards.is_some().then(|| dual.fits(&turn, back.is_some()));
    let before: Vec<String> = fits
        .into_iter()
        .chain(beside.back_before.clone())
        .chain(filled.back_before.clone())
        .collect();
    let (options, down) = taken_back(&beside, before, down);
    stages.push(file(
        "swap",
        &what,
        &format!("{} hold:true", beside.patience()),
        &up,
        Some((&options, &down)),
    )?);
    stages.push(dual.contract(std::slice::from_ref(&turn.after_old), &carried)?);
    let mut notes = beside.notes.clone();
    notes.push(ORDER.into());
    notes.extend(told(place, &carried));
    notes.extend(narrow);
    if known.is_none() {
        notes.push(UNKNOWN.into());
    }
    if backwards.is_none() && !one_way {
        notes.push(
            "after the swap the old column is no longer kept up to date: its type is not known; \
             give --target or --back"
                .into(),
        );
    }
    Ok(LongChange { stages, notes })
}

/// What goes with the column.
struct Told<'a> {
    beside: &'a Beside,
    filled: &'a Filled,
    carried: &'a Carried,
}

/// The statements of the swap and of its way back, each in one transaction.
fn swapped(
    place: &Place<'_>,
    turn: &Turn,
    dual: &Dual<'_>,
    known: Option<&Column>,
    data_type: &str,
    backwards: &Option<String>,
    own: &Told<'_>,
) -> (Vec<String>, Vec<String>) {
    let table = place.quoted();
    let column = turn.old.as_str();
    let (quoted, qnew) = (quote_ident(column), quote_ident(&turn.new));
    let qold = quote_ident(&turn.after_old);
    let rename = |from: &str, to: &str| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
    let views = place.around.map(|around| &around.views).filter(|views| !views.is_empty());
    let (mut up, mut down) = (Vec::new(), Vec::new());
    if let Some(views) = views {
        up.extend(views.drop());
        down.push(views.gone());
    }
    up.extend(own.beside.lock(place));
    down.extend(own.beside.lock(place));
    up.extend([rename(&quoted, &qold), rename(&qnew, &quoted)]);
    down.extend([rename(&quoted, &qnew), rename(&qold, &quoted)]);
    // What is written to the new column is kept in the old one.
    up.push(match backwards {
        Some(expression) => dual.reversed(column, &turn.after_old, expression),
        None => dual.stopped(),
    });
    down.push(dual.strict());
    let identity = known.and_then(identity_of);
    if let Some(kind) = identity {
        up.push(counts_on(&table, &turn.after_old, column, kind));
    }
    // A key's columns cannot be NULL: the key moves first, and on the way back NOT NULL does.
    up.extend(own.beside.swap.iter().chain(&own.filled.swap).cloned());
    down.extend(own.filled.back.iter().chain(&own.beside.swap_back).cloned());
    if let Some(default) = known.filter(|_| identity.is_none()).and_then(|c| c.default.as_ref()) {
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {qold} DROP DEFAULT"));
        let counted = default.contains("nextval(");
        let cast = if counted { default.clone() } else { format!("({default})::{data_type}") };
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {cast}"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {qnew} DROP DEFAULT"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {default}"));
    }
    let default = known.and_then(|known| known.default.as_deref());
    for sequence in place.sequences(column, default) {
        let owned = format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted}");
        up.push(owned.clone());
        down.push(owned);
        let old_type = known.map_or("", |known| known.type_name.as_str());
        if is_counted(data_type) && is_counted(old_type) {
            up.push(format!("ALTER SEQUENCE {sequence} AS {data_type}"));
            down.push(format!("ALTER SEQUENCE {sequence} AS {old_type}"));
        }
    }
    if let Some(kind) = identity {
        down.push(counts_on(&table, &turn.new, column, kind));
    }
    up.extend(own.carried.swap.iter().cloned());
    down.extend(own.beside.swap_back_last.iter().chain(&own.carried.swap_back).cloned());
    if let Some(views) = views {
        up.extend(views.again().iter().cloned());
        down.extend(views.again().iter().cloned());
    }
    (up, down)
}

/// Whether a type's values are texts.
fn is_text(data_type: &str) -> bool {
    let data_type = data_type.trim().to_lowercase();
    let bare = data_type.split('(').next().unwrap_or_default().trim();
    ["text", "varchar", "character varying", "char", "character", "bpchar"].contains(&bare)
}

/// Types a sequence can be of.
fn is_counted(data_type: &str) -> bool {
    let all = ["bigint", "int8", "integer", "int", "int4", "smallint", "int2"];
    all.contains(&data_type.to_lowercase().as_str())
}

/// Whether a cast to the type cuts texts short.
pub(super) fn is_short(data_type: &str) -> bool {
    let data_type = data_type.trim().to_lowercase();
    let bare = data_type.split('(').next().unwrap_or_default().trim();
    let limited = ["varchar", "character varying", "bpchar", "varbit", "bit varying"];
    // Without a length these have one place.
    let always = ["char", "character", "bit"];
    always.contains(&bare) || data_type.contains('(') && limited.contains(&bare)
}

/// What refers to the column and is still of the old type.
fn narrow(place: &Place<'_>, column: &str, data_type: &str) -> Vec<String> {
    let asked = place.around.and_then(|around| around.asked.as_ref());
    let said = asked.and_then(|asked| asked.data_type.as_deref()).unwrap_or(data_type);
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut all: Vec<String> = referring(place, column)
        .iter()
        .filter(|other| other.data_type != said)
        .map(|other| {
            // As a shell takes them.
            let word = |text: &str| match text.chars().all(plain) {
                true => text.to_string(),
                false => format!("'{}'", text.replace('\'', "'\\''")),
            };
            format!(
                "{} refers to it and is {} still: change it, too, before there are values that it does \
                 not hold: marula migrate change-type {} {}",
                other.column,
                other.data_type,
                word(&other.column),
                word(said)
            )
        })
        .collect();
    // Several foreign keys may be over one column.
    all.sort();
    all.dedup();
    all
}
