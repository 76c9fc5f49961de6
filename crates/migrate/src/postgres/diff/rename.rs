//! Renames that were declared: never guessed.

use std::fmt;

use marula_core::{Error, ErrorKind, Result, nearest};
use marula_postgres::sql::quote_ident;

use super::model::{Id, Kind, Model};
use super::plan::Planned;

/// A table or column that only changed its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rename {
    /// A table: its old and its new name, with their schemas.
    Table([String; 2], [String; 2]),
    /// A column: the old table and name, and the new ones.
    Column([String; 3], [String; 3]),
}

impl Rename {
    /// `users=people`, with or without schemas.
    ///
    /// # Errors
    /// `Usage` when it is not of that form.
    pub fn table(text: &str) -> Result<Rename> {
        let wrong = || {
            Error::new(ErrorKind::Usage, format!("'{text}' says no table's old and new name"))
                .hint("write it like --rename-table users=people")
        };
        let (old, new) = text.split_once('=').ok_or_else(wrong)?;
        let of = |name: &str| match parts(name).as_slice() {
            [name] => Some(["public".to_string(), name.clone()]),
            [schema, name] => Some([schema.clone(), name.clone()]),
            _ => None,
        };
        Ok(Rename::Table(of(old).ok_or_else(wrong)?, of(new).ok_or_else(wrong)?))
    }

    /// `users.mail=users.email`, with or without schemas; the second table may be left out.
    ///
    /// # Errors
    /// `Usage` when it is not of that form.
    pub fn column(text: &str) -> Result<Rename> {
        let wrong = || {
            Error::new(ErrorKind::Usage, format!("'{text}' says no column's old and new name"))
                .hint("write it like --rename users.mail=users.email")
        };
        let (old, new) = text.split_once('=').ok_or_else(wrong)?;
        let of = |name: &str| match parts(name).as_slice() {
            [table, name] => Some(["public".to_string(), table.clone(), name.clone()]),
            [schema, table, name] => Some([schema.clone(), table.clone(), name.clone()]),
            _ => None,
        };
        let old = of(old).ok_or_else(wrong)?;
        let new = match (of(new), parts(new).as_slice()) {
            (Some(new), _) => new,
            (None, [name]) => [old[0].clone(), old[1].clone(), name.clone()],
            _ => return Err(wrong()),
        };
        Ok(Rename::Column(old, new))
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |parts: &[String]| {
            let name = parts.join(".");
            name.strip_prefix("public.").map(String::from).unwrap_or(name)
        };
        match self {
            Rename::Table(old, new) => write!(f, "table {} is renamed {}", show(old), show(new)),
            Rename::Column(old, new) => write!(f, "column {} is renamed {}", show(old), show(new)),
        }
    }
}

/// `a."b.c".d` in its parts, without quotes.
fn parts(name: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    for letter in name.trim().chars() {
        match letter {
            '"' => quoted = !quoted,
            '.' if !quoted => all.push(String::new()),
            letter => {
                if let Some(last) = all.last_mut() {
                    last.push(letter);
                }
            }
        }
    }
    if all.iter().any(String::is_empty) { Vec::new() } else { all }
}

fn quoted(parts: &[String]) -> String {
    parts.iter().map(|part| quote_ident(part)).collect::<Vec<_>>().join(".")
}

/// The statements, tables first; each must be there on its side.
pub(super) fn statements(renames: &[Rename], from: &Model, to: &Model) -> Result<Vec<Planned>> {
    for rename in renames {
        let (kind, old, new) = match rename {
            Rename::Table(old, new) => (Kind::Table, quoted(old), quoted(new)),
            Rename::Column(old, new) => (Kind::Column, quoted(old), quoted(new)),
        };
        for (name, model, other, side) in [(&old, from, to, "FROM"), (&new, to, from, "TO")] {
            if model.get(&Id::new(kind, name.clone())).is_none() {
                let known = model.objects.keys().filter(|id| id.kind == kind);
                let known: Vec<&str> = known.map(|id| id.name.as_str()).collect();
                let what = format!("{} is not in {side}", Id::new(kind, name.clone()));
                let mut error = Error::new(ErrorKind::NotFound, what).at(rename.to_string());
                let likely = nearest(name, known);
                if let Some(likely) = likely.first() {
                    error = error.hint(format!("did you mean {likely}?"));
                }
                return Err(error.hint("write the old name, =, and the new one"));
            }
            if side == "TO" && other.get(&Id::new(kind, name.clone())).is_some() {
                let what = format!("{} is in FROM already", Id::new(kind, name.clone()));
                return Err(Error::new(ErrorKind::Usage, what)
                    .at(rename.to_string())
                    .hint("a rename goes to a name that is new"));
            }
        }
    }
    let mut all = Vec::new();
    for rename in renames.iter().filter(|rename| matches!(rename, Rename::Table(..))) {
        all.extend(one(rename));
    }
    for rename in renames.iter().filter(|rename| matches!(rename, Rename::Column(..))) {
        all.extend(one(rename));
    }
    Ok(all)
}

/// The statements that take them back.
pub(super) fn reversed(renames: &[Rename]) -> Vec<Planned> {
    let mut all = Vec::new();
    for rename in renames {
        if let Rename::Column(old, new) = rename {
            let back = [new[0].clone(), new[1].clone(), old[2].clone()];
            all.extend(one(&Rename::Column(new.clone(), back)));
        }
    }
    for rename in renames {
        if let Rename::Table(old, new) = rename {
            all.extend(one(&Rename::Table(new.clone(), old.clone())));
        }
    }
    all
}

fn one(rename: &Rename) -> Vec<Planned> {
    let planned = |text: String, id: Id| Planned { text, otherwise: None, about: id };
    match rename {
        Rename::Table(old, new) => {
            let id = Id::new(Kind::Table, quoted(new));
            let mut all = Vec::new();
            let mut at = quoted(old);
            if old[0] != new[0] {
                let schema = quote_ident(&new[0]);
                all.push(planned(format!("ALTER TABLE {at} SET SCHEMA {schema}"), id.clone()));
                at = format!("{schema}.{}", quote_ident(&old[1]));
            }
            if old[1] != new[1] {
                let name = quote_ident(&new[1]);
                all.push(planned(format!("ALTER TABLE {at} RENAME TO {name}"), id));
            }
            all
        }
        Rename::Column(old, new) => {
            let table = quoted(&new[..2]);
            let (old, name) = (quote_ident(&old[2]), quote_ident(&new[2]));
            let text = format!("ALTER TABLE {table} RENAME COLUMN {old} TO {name}");
            vec![planned(text, Id::new(Kind::Column, quoted(new)))]
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn renames_are_written_with_or_without_schemas() {
        assert_eq!(
            Rename::column("users.mail=email").unwrap(),
            Rename::column("public.users.mail=public.users.email").unwrap()
        );
        let table = Rename::table("\"Old.Name\"=shop.\"New\"").unwrap();
        assert_eq!(table.to_string(), "table Old.Name is renamed shop.New");
        let texts: Vec<String> = one(&table).into_iter().map(|planned| planned.text).collect();
        assert_eq!(
            texts,
            [
                "ALTER TABLE public.\"Old.Name\" SET SCHEMA shop",
                "ALTER TABLE shop.\"Old.Name\" RENAME TO \"New\""
            ]
        );
        assert!(Rename::column("users=people").is_err());
        assert!(Rename::table("a.b.c=d").is_err());
    }
}
