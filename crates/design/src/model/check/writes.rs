use std::collections::HashSet;

use marula_core::model::{Deed, Write};
use marula_core::nearest;

use super::super::mistake::{Mistake, Way};
use super::super::sql::is_number;
use super::{Checker, quoted};

impl<'a> Checker<'a> {
    pub(super) fn writes(&mut self) {
        let all = Way::root().to("writes");
        let model = self.model;
        self.twice(&all, model.writes.iter().map(|write| write.name.as_str()), "writes");
        for (at, write) in model.writes.iter().enumerate() {
            self.write(&all.item(at), write);
        }
    }

    fn write(&mut self, way: &Way, write: &'a Write) {
        let name = quoted(&write.name);
        let Some(entity) = self.entity(&write.entity) else {
            let mut mistake = self.no_entity(way.to("entity"), &write.entity);
            mistake.what.push_str(&format!("; {name} is left out"));
            return self.say(mistake.leave_at(way.clone()));
        };
        for (list, part) in
            [(&write.set, "set"), (&write.increment, "increment"), (&write.by, "by")]
        {
            for (at, attribute) in list.iter().enumerate() {
                let way = way.to(part).item(at);
                match entity.attribute(attribute) {
                    None => {
                        let mistake = self.no_attribute(way, entity, attribute);
                        self.say(mistake.leave());
                    }
                    Some(found) if part == "increment" && !is_number(found.kind) => {
                        let what = format!("{attribute} is no number, so that nothing is added");
                        self.say(Mistake::new(way, what).hint("put it under set").leave());
                    }
                    Some(_) => {}
                }
            }
        }
        let changes = !write.set.is_empty() || !write.increment.is_empty();
        match write.does {
            Deed::Update if !changes => {
                let what = format!("{name} does not say what it changes; left out");
                let hint = "write set: [attribute …] or increment: [attribute …]";
                self.say(Mistake::new(way.clone(), what).hint(hint).leave());
            }
            Deed::Insert | Deed::Delete if changes => {
                let what = format!("{name} sets attributes, but is no update");
                let part = if write.set.is_empty() { "increment" } else { "set" };
                self.say(Mistake::new(way.to(part), what).hint("write does: update").leave());
            }
            _ => {}
        }
        for (at, with) in write.with.iter().enumerate() {
            let way = way.to("with").item(at);
            if self.entity(with).is_none() {
                let mistake = self.no_entity(way, with).leave();
                self.say(mistake);
                continue;
            }
            let leads = self.model.relations.iter().any(|relation| {
                relation.from == *with
                    && (relation.to == write.entity || write.with.contains(&relation.to))
            });
            if !leads {
                let what = format!("no relation leads from {with} to {}", write.entity);
                self.say(Mistake::new(way, what).leave());
            }
        }
        if !write.with.is_empty() && write.does != Deed::Insert {
            let what = format!("only an insert brings others along, and {name} is none");
            self.say(Mistake::new(way.to("with"), what).leave());
        }
        if write.p99_ms.is_some_and(|ms| !ms.is_finite() || ms <= 0.0) {
            let what = format!("{name} is given no time at all");
            self.say(Mistake::new(way.to("p99_ms"), what).leave());
        }
        let within = self.model.transactions.iter().any(|t| t.writes.contains(&write.name));
        if write.rate.0 <= 0.0 && !within {
            let what = format!("{name} never happens");
            self.say(Mistake::new(way.clone(), what).hint("write rate: 1/s").low());
        }
    }

    pub(super) fn transactions(&mut self) {
        let all = Way::root().to("transactions");
        let model = self.model;
        self.twice(&all, model.transactions.iter().map(|t| t.name.as_str()), "transactions");
        let known: HashSet<&str> = model.writes.iter().map(|write| write.name.as_str()).collect();
        for (at, transaction) in model.transactions.iter().enumerate() {
            let way = all.item(at);
            let name = quoted(&transaction.name);
            for (at, write) in transaction.writes.iter().enumerate() {
                if !known.contains(write.as_str()) {
                    let what = format!("there is no write {}", quoted(write));
                    let near = nearest(write, known.iter().copied());
                    let mistake = Mistake::new(way.to("writes").item(at), what).near(&near);
                    self.say(mistake.leave());
                }
            }
            if transaction.writes.is_empty() {
                let what = format!("{name} has no writes; left out");
                self.say(Mistake::new(way.clone(), what).leave());
            } else if transaction.rate.0 <= 0.0 {
                let what = format!("{name} never happens");
                self.say(Mistake::new(way, what).hint("write rate: 1/s").low());
            }
        }
    }
}
