//! The trigger that keeps old and new columns the same.

use marula_postgres::sql::{self, quote_ident};
use pg_query::NodeRef;
use sha2::{Digest, Sha256};

use super::names::{LONGEST, free};
use super::{Derived, Place};
use crate::postgres::context::{is_steady, strings};

/// Old and new columns that follow each other.
pub(super) struct Dual<'a> {
    pub(super) place: &'a Place<'a>,
    /// The old columns with their defaults.
    pub(super) olds: Vec<(String, Option<String>)>,
    pub(super) news: Vec<Derived>,
    /// Old columns as expressions over the new ones.
    pub(super) backs: Vec<(String, String)>,
    /// Whether nobody can tell if an old column was written: it counts by itself, or has another
    /// default each time.
    untold: bool,
    /// Whether the new value is cut short where the old one is too long for it.
    shortened: bool,
    /// The trigger's and the function's name, quoted.
    pub(super) name: String,
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
        let name = named(place.bare(), &names.join("__"));
        Dual {
            place,
            olds: olds.to_vec(),
            news: news.to_vec(),
            backs: backs.to_vec(),
            untold: olds.iter().filter_map(|(_, default)| default.as_deref()).any(differs),
            shortened: false,
            name: quote_ident(&name),
        }
    }

    /// The same whose new value may be cut short.
    pub(super) fn shortened(mut self, shortened: bool) -> Dual<'a> {
        self.shortened = shortened;
        self
    }

    /// The same with identity columns among the old ones.
    pub(super) fn counted(mut self, identity: bool) -> Dual<'a> {
        self.untold |= identity;
        self
    }

    pub(super) fn routine(&self) -> String {
        format!("{}{}()", self.place.schema(), self.name)
    }

    /// `(NEW.a, NEW.b)`.
    pub(super) fn row(prefix: &str, names: &[&str]) -> String {
        let all: Vec<String> =
            names.iter().map(|name| format!("{prefix}{}", quote_ident(name))).collect();
        format!("({})", all.join(", "))
    }

    pub(super) fn news(&self) -> Vec<&str> {
        self.news.iter().map(|new| new.name.as_str()).collect()
    }

    pub(super) fn olds(&self) -> Vec<&str> {
        self.olds.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The function of the trigger.
    pub(super) fn function(&self, replace: bool) -> String {
        let word = if replace { "CREATE OR REPLACE FUNCTION" } else { "CREATE FUNCTION" };
        self.with_body(word, &self.guarded())
    }

    /// The function once all rows are verified: what does not fit is refused. Left out, it would be
    /// gone with the old columns.
    pub(super) fn strict(&self) -> String {
        let mut derived = self.follow("NEW", "derived", "  ");
        if let Some((old, new)) = self.cut() {
            derived.push_str(&format!(
                "  IF derived.{new}::text IS DISTINCT FROM NEW.{old}::text THEN\n    RAISE EXCEPTION \
                 'value too long: % would be cut short', NEW.{old}\n      USING ERRCODE = \
                 'string_data_right_truncation';\n  END IF;\n"
            ));
        }
        self.with_body("CREATE OR REPLACE FUNCTION", &derived)
    }

    /// The old and the new column, quoted, where the one may be too long for the other.
    pub(super) fn cut(&self) -> Option<(String, String)> {
        match (self.shortened, self.olds.as_slice(), self.news.as_slice()) {
            (true, [(old, _)], [new]) => Some((quote_ident(old), quote_ident(&new.name))),
            _ => None,
        }
    }

    fn with_body(&self, word: &str, derived: &str) -> String {
        let (declared, body) = match self.backs.is_empty() {
            true => (String::new(), format!("{derived}{}", self.forward("  "))),
            false => ("  before record;\n  back record;\n".into(), self.both_ways()),
        };
        format!(
            "{word} {} RETURNS trigger LANGUAGE plpgsql AS $dual$\nDECLARE\n  derived \
             record;\n{declared}BEGIN\n{body}  RETURN NEW;\nEND\n$dual$",
            self.routine(),
        )
    }

    /// Puts what the new columns would be by the old ones of `row` into `variable`.
    fn follow(&self, row: &str, variable: &str, indent: &str) -> String {
        let list: Vec<String> = self
            .news
            .iter()
            .map(|new| {
                format!("({})::{} AS {}", new.expression, new.data_type, quote_ident(&new.name))
            })
            .collect();
        let source: Vec<String> =
            self.olds().iter().map(|old| format!("{row}.{0} AS {0}", quote_ident(old))).collect();
        format!(
            "{indent}SELECT {} INTO {variable} FROM (SELECT {}) AS written;\n",
            list.join(", "),
            source.join(", ")
        )
    }

    /// The same for what has no way back: what does not fit is nobody's fault who writes another
    /// column. The backfill and the verify fail by it.
    fn guarded(&self) -> String {
        let none: Vec<String> = self
            .news
            .iter()
            .map(|new| format!("NULL::{} AS {}", new.data_type, quote_ident(&new.name)))
            .collect();
        format!(
            "  BEGIN\n{}  EXCEPTION WHEN data_exception THEN\n    SELECT {} INTO derived;\n  END;\n",
            self.follow("NEW", "derived", "    "),
            none.join(", ")
        )
    }

    /// The new columns follow the old ones.
    fn forward(&self, indent: &str) -> String {
        let one = |new: &&str| format!("{indent}NEW.{0} := derived.{0};\n", quote_ident(new));
        self.news().iter().map(one).collect()
    }

    /// What a row has of the new columns when nothing was written to them.
    pub(super) fn nothing(&self) -> String {
        let nothing: Vec<&str> = self.news.iter().map(|_| "NULL").collect();
        format!("({})", nothing.join(", "))
    }

    /// Who was written has the say. A row the backfill has not come to yet has the new columns that
    /// a statement does not write from its old ones. What both agree on stays: not everything the
    /// new columns hold need come out of the old ones again.
    fn both_ways(&self) -> String {
        let (olds, news) = (self.olds(), self.news());
        let (new_olds, old_olds) = (Self::row("NEW.", &olds), Self::row("OLD.", &olds));
        let (new_news, old_news) = (Self::row("NEW.", &news), Self::row("OLD.", &news));
        let nothing = self.nothing();
        let each = |one: &dyn Fn(String) -> String| -> String {
            news.iter().map(|new| one(quote_ident(new))).collect()
        };
        let complete =
            each(&|new| format!("      NEW.{new} := coalesce(NEW.{new}, before.{new});\n"));
        let stood: Vec<String> =
            news.iter().map(|new| format!("OLD.{0} AS {0}", quote_ident(new))).collect();
        let from: Vec<String> =
            news.iter().map(|new| format!("NEW.{0} AS {0}", quote_ident(new))).collect();
        let to: Vec<String> = self
            .backs
            .iter()
            .map(|(old, back)| format!("({back}) AS {}", quote_ident(old)))
            .collect();
        let backed: Vec<&str> = self.backs.iter().map(|(old, _)| old.as_str()).collect();
        let back: String = backed
            .iter()
            .map(|old| format!("    NEW.{0} := back.{0};\n", quote_ident(old)))
            .collect();
        // Of a column that counts, or whose default differs each time, nobody can tell whether its
        // value was written.
        let unwritten = match self.untold {
            true => String::new(),
            false => {
                let usual =
                    self.olds.iter().map(|(_, default)| default.as_deref().unwrap_or("NULL"));
                let usual: Vec<&str> = usual.collect();
                format!(" AND {new_olds} IS NOT DISTINCT FROM ({})", usual.join(", "))
            }
        };
        format!(
            "{derived}  IF TG_OP = 'UPDATE' THEN
    IF {old_news} IS DISTINCT FROM {nothing} THEN
      SELECT {stood} INTO before;
    ELSE
{before}{complete}    END IF;
  END IF;
  IF {new_news} IS NOT DISTINCT FROM {derived_row} THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'INSERT' AND {new_news} IS NOT DISTINCT FROM {nothing} THEN
{forward}    RETURN NEW;
  END IF;
  SELECT {to} INTO back FROM (SELECT {from}) AS written;
  IF TG_OP = 'INSERT'{unwritten} THEN
{back}  ELSIF TG_OP = 'UPDATE' AND {new_olds} IS NOT DISTINCT FROM {old_olds} THEN
    IF {new_news} IS DISTINCT FROM {before_row} THEN
{back}    END IF;
  ELSIF {new_news} IS DISTINCT FROM {nothing} AND {backed} IS NOT DISTINCT FROM {back_row} THEN
    RETURN NEW;
  ELSE
{forward}  END IF;
",
            derived = self.follow("NEW", "derived", "  "),
            before = self.follow("OLD", "before", "      "),
            stood = stood.join(", "),
            to = to.join(", "),
            from = from.join(", "),
            derived_row = Self::row("derived.", &news),
            before_row = Self::row("before.", &news),
            backed = Self::row("NEW.", &backed),
            back_row = Self::row("back.", &backed),
            forward = self.forward("    "),
        )
    }

    /// The function that keeps an old column up to date after a swap; what does not fit into the
    /// old type is left out. Who inserts without naming columns means the old one's place, and would
    /// lose the value.
    pub(super) fn reversed(&self, column: &str, old: &str, expression: &str) -> String {
        let (column, old) = (quote_ident(column), quote_ident(old));
        format!(
            "CREATE OR REPLACE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $dual$\nDECLARE\n  said text := \
             NEW.{old}::text;\nBEGIN\n  BEGIN\n    NEW.{old} := (SELECT {expression} FROM (SELECT \
             NEW.{column} AS {column}) AS written);\n  EXCEPTION WHEN data_exception THEN\n    NEW.{old} := \
             NULL;\n  END;\n  IF TG_OP = 'INSERT' AND said IS DISTINCT FROM NEW.{old}::text AND said IS NOT \
             NULL THEN\n    RAISE EXCEPTION '% is inserted into the column that goes, {named}', said\n      \
             USING HINT = 'name the columns in INSERT: their order is another one';\n  END IF;\n  RETURN \
             NEW;\nEND\n$dual$",
            self.routine(),
            named = old.replace('\'', "''").replace('%', "%%"),
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

    /// The new columns' values, by the old ones.
    pub(super) fn values(&self) -> Vec<String> {
        let one = |new: &Derived| format!("({})::{}", new.expression, new.data_type);
        self.news.iter().map(one).collect()
    }

    /// The rows that the backfill has not come to. Where both sides are written, what is there in
    /// the new columns was written there or comes from the old ones.
    pub(super) fn missing(&self) -> String {
        let (news, values) = (Self::row("", &self.news()), self.values().join(", "));
        match self.backs.is_empty() {
            true => format!("{news} IS DISTINCT FROM ({values})"),
            false => {
                let nothing = self.nothing();
                format!(
                    "{news} IS NOT DISTINCT FROM {nothing} AND ({values}) IS DISTINCT FROM {nothing}"
                )
            }
        }
    }
}

/// The trigger's name: no other table and columns have the same.
fn named(table: &str, columns: &str) -> String {
    let name = format!("zz_{table}__{columns}");
    let told = name.split("__").count() == 2 && !table.ends_with('_') && !columns.starts_with('_');
    if told && name.len() <= LONGEST {
        return name;
    }
    // The name alone does not tell them apart.
    let digest = Sha256::digest(format!("{table}\0{columns}"));
    let tail: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    free(&name, &format!("_{tail}"), &|_| false)
}

/// Whether a default may be another at every row, so that a value that equals it tells nothing.
fn differs(default: &str) -> bool {
    let Ok(statement) = sql::parse(&format!("SELECT {default}")) else { return true };
    let Some(root) = statement.root() else { return true };
    let mut differs = false;
    let whole = sql::walk(root.to_ref(), |node| {
        if let NodeRef::FuncCall(call) = node {
            let name = strings(&call.funcname).pop().unwrap_or_default();
            differs |= !is_steady(&name);
        }
    });
    differs || whole.is_err()
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn no_two_tables_and_columns_have_one_trigger_name() {
        assert_eq!(named("users", "email_new"), "zz_users__email_new");
        assert_ne!(named("a", "b_c"), named("a_b", "c"));
        assert_ne!(named("a_", "b"), named("a", "_b"));
        assert_ne!(named("a", "b__c"), named("a__b", "c"));
        let long = "x".repeat(63);
        assert_ne!(named(&long, "a"), named(&long, "b"));
        assert_eq!(named(&long, "a").len(), 63);
    }
}
