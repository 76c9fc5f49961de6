//! The steps of a long change but the swap: what each runs, and what takes it back.

use marula_core::Result;
use marula_postgres::sql::quote_ident;

use super::beside::Beside;
use super::carry::Carried;
use super::filled::Filled;
use super::names::Turn;
use super::trigger::Dual;
use super::{Stage, file};

impl Dual<'_> {
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
        up.push(self.last());
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

    /// Fails where a trigger of the table would fire after ours: what it changes would reach one of
    /// the columns alone.
    fn last(&self) -> String {
        let (table, name) = (self.place.quoted(), self.name.trim_matches('"'));
        let text = |text: &str| text.replace('\'', "''");
        format!(
            "DO $order$\nDECLARE\n  later name;\nBEGIN\n  SELECT tgname INTO later FROM pg_trigger WHERE \
             tgrelid = '{}'::regclass AND NOT tgisinternal\n    AND tgtype & 3 = 3 AND tgname > '{}' LIMIT \
             1;\n  IF later IS NOT NULL THEN\n    RAISE EXCEPTION 'the trigger % fires after the one that \
             keeps the columns the same', later\n      USING HINT = 'give it a name that comes before \
             {}';\n  END IF;\nEND\n$order$",
            text(&table),
            text(name),
            text(name).replace('%', "%%"),
        )
    }

    /// The rows that were there before the trigger, in batches.
    pub(super) fn backfill(&self) -> Result<Stage> {
        let set: Vec<String> = self
            .news
            .iter()
            .zip(self.values())
            .map(|(new, value)| format!("{} = {value}", quote_ident(&new.name)))
            .collect();
        let up = [format!(
            "UPDATE {} SET {} WHERE {}",
            self.place.quoted(),
            set.join(", "),
            self.missing()
        )];
        // A statement, since a part without any says that there is no way back.
        let down = ["SELECT 'the new columns go with the step before'".to_string()];
        let what = "Backfill: the rows that were there, in batches of their own transactions. It can \
                    be stopped and run again.";
        file("backfill", what, "transaction:false batch:1000", &up, Some(("", &down)))
    }

    /// A statement that fails while a row is not as it should be.
    fn check(&self, condition: &str, what: &str, hint: &str) -> String {
        let table = self.place.quoted();
        let text = |text: &str| text.replace('\'', "''").replace('%', "%%");
        format!(
            "DO $verify$\nDECLARE\n  differing bigint;\nBEGIN\n  SELECT count(*) INTO differing FROM \
             {table} WHERE {condition};\n  IF differing > 0 THEN\n    RAISE EXCEPTION '% rows of {} \
             {what}', differing USING HINT = '{hint}';\n  END IF;\nEND\n$verify$",
            text(&table)
        )
    }

    /// Statements that fail while a row differs; then keys, indexes and NOT NULL.
    pub(super) fn verify(&self, filled: &Filled, beside: &Beside) -> Result<Stage> {
        let mut up = vec![self.check(&self.missing(), "differ", "run the backfill again")];
        if !self.backs.is_empty() {
            let backed: Vec<&str> = self.backs.iter().map(|(old, _)| old.as_str()).collect();
            let back: Vec<String> =
                self.backs.iter().map(|(_, back)| format!("({back})")).collect();
            let lost = format!("{} IS DISTINCT FROM ({})", Self::row("", &backed), back.join(", "));
            up.push(self.check(
                &lost,
                "hold what the new columns do not give back",
                "mend the rows or the expressions: what is not given back is lost with the old columns",
            ));
        }
        if let Some((old, new)) = self.cut() {
            up.push(self.check(
                &format!("{old}::text IS DISTINCT FROM {new}::text"),
                "are cut short",
                "mend the rows, or write these migrations anew with --using",
            ));
        }
        let mut down: Vec<String> = beside.unbuild.iter().rev().cloned().collect();
        down.extend(filled.unbuild.iter().cloned());
        if self.backs.is_empty() {
            // Nobody is refused while rows are found that differ; then nobody may make another one.
            let again = up.clone();
            up.extend([self.strict(), self.settled()]);
            up.extend(again);
            down.push(self.function(true));
        }
        up.extend(filled.build.iter().chain(&beside.build).cloned());
        let what = match self.backs.is_empty() {
            true => {
                "Verify: fails while a row differs. From then on a value that does not fit is refused. \
                 Then what the old columns have besides."
            }
            false => "Verify: fails while a row differs. Then what the old columns have besides.",
        };
        // A statement, since a part without any says that there is no way back.
        if down.is_empty() {
            down.push("SELECT 'nothing was made here'".into());
        }
        let how = match beside.others.is_empty() {
            true => "transaction:false".to_string(),
            false => format!("transaction:false {}", beside.patience()),
        };
        file("verify", what, &how, &up, Some((&how, &down)))
    }

    /// Waits until all have ended who may have written by the function as it was before, and keeps
    /// nobody from writing.
    fn settled(&self) -> String {
        let table = self.place.quoted().replace('\'', "''");
        let parts = match self.place.version.major {
            ..12 => String::new(),
            _ => format!(" UNION SELECT relid FROM pg_partition_tree('{table}')"),
        };
        format!(
            "DO $settled$\nDECLARE\n  writers text[];\nBEGIN\n  SELECT array_agg(virtualtransaction) INTO \
             writers FROM pg_locks WHERE locktype = 'relation' AND granted\n    AND relation IN (SELECT \
             '{table}'::regclass{parts})\n    AND mode LIKE \
             '%Exclusive%' AND mode <> 'ShareUpdateExclusiveLock' AND pid IS DISTINCT FROM \
             pg_backend_pid()\n    AND database = (SELECT oid FROM pg_database WHERE datname = \
             current_database());\n  WHILE EXISTS (SELECT FROM pg_locks WHERE virtualtransaction = ANY \
             (writers)) LOOP\n    PERFORM pg_sleep(0.05);\n  END LOOP;\nEND\n$settled$"
        )
    }

    /// Fails where the old column, after the swap, could not take what was written to the new one. How
    /// it comes back is for whoever said it to answer for; a cast must lead there and back.
    pub(super) fn fits(&self, turn: &Turn, said: bool) -> String {
        let (old, new) = (quote_ident(&turn.after_old), quote_ident(&turn.after_new));
        let round = match self.values().as_slice() {
            [value] if !said => format!(
                " OR (SELECT {value} FROM (SELECT {old} AS {}) AS written) IS DISTINCT FROM {new}",
                quote_ident(&turn.old)
            ),
            _ => String::new(),
        };
        self.check(
            &format!("{old} IS NULL AND {new} IS NOT NULL{round}"),
            "hold what the old type does not take",
            "mend those rows first, or leave the new type in place",
        )
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
                        more: it runs when it is named (apply --to)."
                .to_string();
        if !carried.by_hand.is_empty() {
            what.push_str(&format!(" By hand before it: {}.", carried.by_hand.join("; ")));
        }
        file("contract", &what, "lock_timeout:2s hold:true", &up, None)
    }
}
