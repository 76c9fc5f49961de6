//! The trigger that keeps old and new columns the same, and the steps around it.

use marula_core::Result;
use marula_postgres::sql::quote_ident;

use super::beside::Beside;
use super::carry::Carried;
use super::{Derived, Place, Stage, file, short};
use crate::postgres::fix;
use crate::postgres::schema::Schema;

/// Old and new columns that follow each other.
pub(super) struct Dual<'a> {
    place: &'a Place<'a>,
    /// The old columns with their defaults.
    olds: Vec<(String, Option<String>)>,
    news: Vec<Derived>,
    /// Old columns as expressions over the new ones.
    backs: Vec<(String, String)>,
    /// Whether an old column counts by itself, so that it has a value where none was written.
    counted: bool,
    /// The trigger's and the function's name, quoted.
    name: String,
}

impl<'a> Dual<'a> {
    pub(super) fn new(
        place: &'a Place<'a>,
        olds: &[(String, Option<String>)],
        news: &[Derived],
        backs: &[(String, String)],
    ) -> Dual<'a> {
        // Triggers fire in the order of their names: this one sees what the others did.
        let names: Vec<&str> = news.iter().map(|new| new.name.as_str()).collect();
        let name = short(&format!("zz_{}_{}", place.bare(), names.join("_")));
        Dual {
            place,
            olds: olds.to_vec(),
            news: news.to_vec(),
            backs: backs.to_vec(),
            counted: olds.iter().any(|(_, default)| {
                default.as_deref().is_some_and(|default| default.contains("nextval("))
            }),
            name: quote_ident(&name),
        }
    }

    /// The same with identity columns among the old ones.
    pub(super) fn counted(mut self, identity: bool) -> Dual<'a> {
        self.counted |= identity;
        self
    }

    fn routine(&self) -> String {
        format!("{}{}()", self.place.schema(), self.name)
    }

    /// `(NEW.a, NEW.b)`.
    fn row(prefix: &str, names: &[&str]) -> String {
        let all: Vec<String> =
            names.iter().map(|name| format!("{prefix}{}", quote_ident(name))).collect();
        format!("({})", all.join(", "))
    }

    fn news(&self) -> Vec<&str> {
        self.news.iter().map(|new| new.name.as_str()).collect()
    }

    fn olds(&self) -> Vec<&str> {
        self.olds.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The function of the trigger.
    pub(super) fn function(&self, replace: bool) -> String {
        let word = if replace { "CREATE OR REPLACE FUNCTION" } else { "CREATE FUNCTION" };
        let list: Vec<String> = self
            .news
            .iter()
            .map(|new| {
                format!("({})::{} AS {}", new.expression, new.data_type, quote_ident(&new.name))
            })
            .collect();
        let source: Vec<String> =
            self.olds().iter().map(|old| format!("NEW.{0} AS {0}", quote_ident(old))).collect();
        let forward: String = self
            .news()
            .iter()
            .map(|new| format!("    NEW.{0} := derived.{0};\n", quote_ident(new)))
            .collect();
        let decide = if self.backs.is_empty() {
            forward
        } else {
            let usual: Vec<&str> =
                self.olds.iter().map(|(_, default)| default.as_deref().unwrap_or("NULL")).collect();
            let (olds, news) = (self.olds(), self.news());
            let from: Vec<String> =
                news.iter().map(|new| format!("NEW.{0} AS {0}", quote_ident(new))).collect();
            let to: Vec<String> = self
                .backs
                .iter()
                .map(|(old, back)| format!("({back}) AS {}", quote_ident(old)))
                .collect();
            let back: String = self
                .backs
                .iter()
                .map(|(old, _)| format!("      NEW.{0} := back.{0};\n", quote_ident(old)))
                .collect();
            let nothing: Vec<&str> = news.iter().map(|_| "NULL").collect();
            // Of a column that counts nobody can tell whether its value was written.
            let unwritten = match self.counted {
                true => String::new(),
                false => format!(
                    "{} IS NOT DISTINCT FROM ({}) AND ",
                    Self::row("NEW.", &olds),
                    usual.join(", ")
                ),
            };
            format!(
                "    IF TG_OP = 'INSERT' AND {unwritten}{new_news} IS DISTINCT FROM ({nothing})\n    OR TG_OP = 'UPDATE' AND {new_olds} IS \
                 NOT DISTINCT FROM {old_olds} AND {new_news} IS DISTINCT FROM {old_news} THEN\n      \
                 SELECT {to} INTO back FROM (SELECT {from}) AS written;\n{back}    ELSE\n{forward}    \
                 END IF;\n",
                new_olds = Self::row("NEW.", &olds),
                old_olds = Self::row("OLD.", &olds),
                new_news = Self::row("NEW.", &news),
                old_news = Self::row("OLD.", &news),
                nothing = nothing.join(", "),
                to = to.join(", "),
                from = from.join(", "),
            )
        };
        let declared = if self.backs.is_empty() { "" } else { "  back record;\n" };
        format!(
            "{word} {} RETURNS trigger LANGUAGE plpgsql AS $dual$\nDECLARE\n  derived \
             record;\n{declared}BEGIN\n  SELECT {} INTO derived FROM (SELECT {}) AS written;\n  IF {} \
             IS DISTINCT FROM {} THEN\n{decide}  END IF;\n  RETURN NEW;\nEND\n$dual$",
            self.routine(),
            list.join(", "),
            source.join(", "),
            Self::row("NEW.", &self.news()),
            Self::row("derived.", &self.news()),
        )
    }

    /// The function that keeps an old column up to date after a swap; what does not fit into the
    /// old type is left out.
    pub(super) fn reversed(&self, column: &str, old: &str, expression: &str) -> String {
        let (column, old) = (quote_ident(column), quote_ident(old));
        format!(
            "CREATE OR REPLACE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $dual$\nBEGIN\n  \
             BEGIN\n    NEW.{old} := (SELECT {expression} FROM (SELECT NEW.{column} AS {column}) AS \
             written);\n  EXCEPTION WHEN data_exception THEN\n    NEW.{old} := NULL;\n  END;\n  RETURN \
             NEW;\nEND\n$dual$",
            self.routine()
        )
    }

    /// The function when nothing is to follow any more.
    pub(super) fn stopped(&self) -> String {
        format!(
            "CREATE OR REPLACE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $dual$\nBEGIN\n  \
             RETURN NEW;\nEND\n$dual$",
            self.routine()
        )
    }

    /// The new columns and the trigger.
    pub(super) fn expand(&self, carried: &Carried) -> Result<Stage> {
        let table = self.place.quoted();
        let mut up: Vec<String> = self
            .news
            .iter()
            .map(|new| {
                let name = quote_ident(&new.name);
                let collation = match &new.collation {
                    Some(collation) => format!(" COLLATE {collation}"),
                    None => String::new(),
                };
                format!("ALTER TABLE {table} ADD COLUMN {name} {}{collation}", new.data_type)
            })
            .collect();
        up.push(self.function(false));
        up.push(format!(
            "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {}",
            self.name,
            self.routine()
        ));
        up.extend(carried.expand.iter().cloned());
        let mut down = carried.expand_back.clone();
        down.push(format!("DROP TRIGGER {} ON {table}", self.name));
        down.push(format!("DROP FUNCTION {}", self.routine()));
        for new in self.news() {
            down.push(format!("ALTER TABLE {table} DROP COLUMN {}", quote_ident(new)));
        }
        let what = if self.backs.is_empty() {
            "Expand: every write fills the new columns from here on. Statements use the old ones."
        } else {
            "Expand: what is written to the old or to the new columns reaches the others. Statements \
             may use either from here on; rows that were there have the new ones after the backfill."
        };
        file("expand", what, "lock_timeout:2s", &up, Some(("lock_timeout:2s", &down)))
    }

    /// The new columns' values, and where they are not there yet.
    fn wanted(&self) -> (String, String) {
        let values: Vec<String> = self
            .news
            .iter()
            .map(|new| format!("({})::{}", new.expression, new.data_type))
            .collect();
        let set: Vec<String> = self
            .news
            .iter()
            .zip(&values)
            .map(|(new, value)| format!("{} = {value}", quote_ident(&new.name)))
            .collect();
        let differs =
            format!("{} IS DISTINCT FROM ({})", Self::row("", &self.news()), values.join(", "));
        (set.join(", "), differs)
    }

    /// The rows that were there before the trigger, in batches.
    pub(super) fn backfill(&self) -> Result<Stage> {
        let (set, differs) = self.wanted();
        let up = [format!("UPDATE {} SET {set} WHERE {differs}", self.place.quoted())];
        let what = "Backfill: the rows that were there, in batches of their own transactions. It can \
                    be stopped and run again.";
        file("backfill", what, "transaction:false batch:1000", &up, Some(("", &[])))
    }

    /// A statement that fails while a row differs; then keys, indexes and NOT NULL.
    pub(super) fn verify(&self, filled: &[String], beside: &Beside) -> Result<Stage> {
        let (_, differs) = self.wanted();
        let table = self.place.quoted();
        let mut up = vec![format!(
            "DO $verify$\nDECLARE\n  differing bigint;\nBEGIN\n  SELECT count(*) INTO differing FROM \
             {table} WHERE {differs};\n  IF differing > 0 THEN\n    RAISE EXCEPTION '% rows of {} \
             differ', differing USING HINT = 'run the backfill again';\n  END IF;\nEND\n$verify$",
            table.replace('\'', "''").replace('%', "%%")
        )];
        let mut down = Vec::new();
        let required: Vec<String> = filled
            .iter()
            .map(|new| {
                format!("ALTER TABLE {table} ALTER COLUMN {} SET NOT NULL", quote_ident(new))
            })
            .collect();
        for forms in fix::statements(&required, &Schema::default(), self.place.version)? {
            up.extend(forms);
        }
        for new in filled {
            let new = quote_ident(new);
            down.push(format!("ALTER TABLE {table} ALTER COLUMN {new} DROP NOT NULL"));
        }
        up.extend(beside.build.iter().cloned());
        down.splice(0..0, beside.unbuild.iter().rev().cloned());
        let what = "Verify: fails while a row differs. Then what the old columns have besides.";
        file("verify", what, "transaction:false", &up, Some(("transaction:false", &down)))
    }

    /// The old columns go.
    pub(super) fn contract(&self, olds: &[String], carried: &Carried) -> Result<Stage> {
        let table = self.place.quoted();
        let mut up = carried.contract.clone();
        up.push(format!("DROP TRIGGER {} ON {table}", self.name));
        up.push(format!("DROP FUNCTION {}", self.routine()));
        for old in olds {
            up.push(format!("ALTER TABLE {table} DROP COLUMN {}", quote_ident(old)));
        }
        let mut what =
            "Contract: the old columns go, with their values. No statement may use them any \
                        more."
                .to_string();
        if !carried.by_hand.is_empty() {
            what.push_str(&format!(" By hand before it: {}.", carried.by_hand.join("; ")));
        }
        file("contract", &what, "lock_timeout:2s", &up, None)
    }
}
