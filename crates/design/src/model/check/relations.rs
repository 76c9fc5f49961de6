use std::collections::{HashMap, HashSet};

use marula_core::model::{AttributeType, Entity, Relationship};

use super::super::mistake::{Mistake, Way};
use super::super::types;
use super::{Checker, quoted};

impl<'a> Checker<'a> {
    pub(super) fn relations(&mut self) {
        let all = Way::root().to("relations");
        let mut seen = HashSet::new();
        let mut steps: HashSet<(&str, &str)> = HashSet::new();
        for (at, relation) in self.model.relations.iter().enumerate() {
            let way = all.item(at);
            let ends = (self.entity(&relation.from), self.entity(&relation.to));
            for (name, part, end) in
                [(&relation.from, "from", ends.0), (&relation.to, "to", ends.1)]
            {
                if end.is_none() {
                    let mut mistake = self.no_entity(way.to(part), name);
                    mistake.what += "; the relation is left out";
                    self.say(mistake.leave_at(way.clone()));
                }
            }
            let (Some(many), Some(one)) = ends else { continue };
            if !seen.insert((&relation.from, &relation.attributes, &relation.to)) {
                let what = format!("{} refers to {} twice alike", relation.from, relation.to);
                self.say(Mistake::new(way, what).leave());
                continue;
            }
            for (name, entity, part) in
                [(&relation.name, many, "name"), (&relation.inverse, one, "inverse")]
            {
                let Some(name) = name else { continue };
                if !steps.insert((entity.name.as_str(), name.as_str())) {
                    let what = format!("two relations of {} are called {name}", entity.name);
                    self.say(Mistake::new(way.to(part), what).leave());
                } else if name.is_empty() || name.contains('.') {
                    let what = format!("{} is no name for a relation", quoted(name));
                    self.say(Mistake::new(way.to(part), what).leave());
                }
            }
            self.reference(&way, relation, many, one);
            self.fanout(&way, relation, many, one);
        }
        self.circles(&all);
    }

    /// The attributes that hold the other's key.
    fn reference(&mut self, way: &Way, relation: &Relationship, many: &Entity, one: &Entity) {
        let part = way.to("attributes");
        let key = one.key();
        if key.is_empty() {
            let what = format!("{} has no key to refer to; the relation is left out", one.name);
            self.say(Mistake::new(way.clone(), what).leave());
            return;
        }
        if relation.attributes.len() != key.len() {
            let what = format!(
                "the key of {} is ({}), but {} attributes refer to it; the relation is left out",
                one.name,
                key.join(", "),
                relation.attributes.len()
            );
            let hint = format!("write attributes: with {} of {}", key.len(), many.name);
            self.say(Mistake::new(way.clone(), what).hint(hint).leave());
            return;
        }
        for (at, (name, key)) in relation.attributes.iter().zip(key).enumerate() {
            let Some(attribute) = many.attribute(name) else {
                let mistake = self.no_attribute(part.item(at), many, name);
                self.say(mistake.leave_at(way.clone()));
                continue;
            };
            let Some(referred) = one.attribute(key) else { continue };
            let (is, wanted) = (attribute.kind, referred.kind);
            if family(is) != family(wanted) {
                let what = format!(
                    "{}.{name} is {}, but {}.{key}, which it refers to, is {}; taken as that",
                    many.name,
                    types::name(is),
                    one.name,
                    types::name(wanted),
                );
                let entity = self.model.entities.iter().position(|e| e.name == many.name);
                let place = many.attributes.iter().position(|a| a.name == *name);
                let mut mistake = Mistake::new(part.item(at), what)
                    .hint(format!("write type: {}", types::name(wanted)));
                if let (Some(entity), Some(place)) = (entity, place) {
                    let way = Way::root().to("entities").item(entity);
                    mistake.way = way.to("attributes").item(place).to("type");
                    mistake = mistake.becomes(types::name(wanted));
                }
                self.say(mistake);
            }
        }
        if relation.on_delete == Some(marula_core::model::OnDelete::SetNull) {
            let required = |name: &&String| {
                many.attribute(name).is_some_and(|attribute| attribute.required)
                    || many.key().contains(&name.as_str())
            };
            // Of several, those that are not required become nothing.
            if relation.attributes.iter().filter(required).count() == relation.attributes.len() {
                let names = relation.attributes.join(", ");
                let is = if relation.attributes.len() == 1 { "is" } else { "are" };
                let what = format!("{names} {is} required, and cannot become nothing on delete");
                let hint = "write on_delete: cascade or restrict, or make it not required";
                self.say(Mistake::new(way.to("on_delete"), what).hint(hint).leave());
            }
        }
    }

    fn fanout(&mut self, way: &Way, relation: &Relationship, many: &Entity, one: &Entity) {
        let Some(fanout) = relation.fanout else { return };
        let part = way.to("fanout");
        let rows = many.rows.0;
        if !fanout.average.is_finite() || fanout.average < 0.0 {
            self.say(Mistake::new(part.to("average"), "a fan-out is 0 or more").leave());
            return;
        }
        for (value, name, word) in
            [(fanout.p99, "p99", "99 of 100"), (fanout.max, "max", "the most")]
        {
            let Some(value) = value else { continue };
            if rows > 0 && value > rows {
                let what = format!(
                    "the fan-out of {} to {} is above its volume: {word} have {value}, but there \
                     are {rows} {}",
                    relation.to, relation.from, relation.from
                );
                self.say(Mistake::new(part.to(name), what).becomes(rows));
            } else if (value as f64) < fanout.average.floor() && name == "max" {
                let what = format!("the most, {value}, is below the average, {}", fanout.average);
                self.say(Mistake::new(part.to(name), what).leave());
            }
        }
        if let (Some(p99), Some(max)) = (fanout.p99, fanout.max)
            && p99 > max
        {
            let what = format!("99 of 100 have up to {p99}, but the most is {max}");
            self.say(Mistake::new(part.to("p99"), what).becomes(max));
        }
        if rows > 0 && fanout.average > rows as f64 {
            let what = format!(
                "the fan-out of {} to {} is above its volume: {} on average, but there are {rows} {}",
                relation.to, relation.from, fanout.average, relation.from
            );
            self.say(Mistake::new(part.to("average"), what).leave());
            return;
        }
        let missing = relation.attributes.iter().filter_map(|name| many.attribute(name)?.missing);
        let present = rows as f64 * (1.0 - missing.fold(0.0, f64::max).clamp(0.0, 1.0));
        let said = fanout.average * one.rows.0 as f64;
        if said > 0.0 && present > 0.0 && !(0.5..=2.0).contains(&(said / present)) {
            let what = format!(
                "{} {} with {} each make {said:.0} {}, but their volume is {rows}",
                one.rows.0, one.name, fanout.average, many.name
            );
            let hint = "leave the average out: it follows from the volumes";
            self.say(Mistake::new(part.to("average"), what).hint(hint).low());
        }
    }

    /// Circles in which each must be there before the other.
    fn circles(&mut self, all: &Way) {
        let mut edges: HashMap<&str, Vec<(usize, &str)>> = HashMap::new();
        for (at, relation) in self.model.relations.iter().enumerate() {
            let Some(many) = self.entity(&relation.from) else { continue };
            let key = many.key();
            let must = |name: &String| {
                many.attribute(name).is_some_and(|attribute| attribute.required)
                    || key.contains(&name.as_str())
            };
            if !relation.attributes.is_empty() && relation.attributes.iter().all(must) {
                edges.entry(relation.from.as_str()).or_default().push((at, relation.to.as_str()));
            }
        }
        // Depth first, without recursion: 0 unseen, 1 on the way, 2 done.
        let mut state: HashMap<&str, u8> = HashMap::new();
        let mut found: Vec<(usize, Vec<&str>)> = Vec::new();
        for entity in &self.model.entities {
            let start = entity.name.as_str();
            if state.contains_key(start) {
                continue;
            }
            let mut trail: Vec<(&str, usize)> = vec![(start, 0)];
            state.insert(start, 1);
            while let Some((at, next)) = trail.last_mut() {
                let from = *at;
                let edge = edges.get(from).and_then(|edges| edges.get(*next)).copied();
                *next += 1;
                match edge {
                    None => {
                        state.insert(from, 2);
                        trail.pop();
                    }
                    Some((relation, to)) => match state.get(to) {
                        Some(1) => {
                            let begin = trail.iter().position(|(name, _)| *name == to).unwrap_or(0);
                            let mut circle: Vec<&str> =
                                trail[begin..].iter().map(|(name, _)| *name).collect();
                            circle.push(to);
                            found.push((relation, circle));
                        }
                        Some(_) => {}
                        None => {
                            state.insert(to, 1);
                            trail.push((to, 0));
                        }
                    },
                }
            }
        }
        for (relation, circle) in found {
            let what = format!(
                "a circle in which each must be there before the next: {}; taken as not required",
                circle.join(" → ")
            );
            let mistake = Mistake::new(all.item(relation), what)
                .hint("make one of these attributes not required");
            let mistake = self.loosened(relation, mistake);
            self.say(mistake);
        }
    }

    /// Makes the attributes of a relation not required; one that is in a key is left out.
    fn loosened(&self, at: usize, mut mistake: Mistake) -> Mistake {
        let relation = &self.model.relations[at];
        let entities = &self.model.entities;
        let Some(many) = entities.iter().position(|e| e.name == relation.from) else {
            return mistake;
        };
        let entity = &entities[many];
        if relation.attributes.iter().any(|name| entity.key().contains(&name.as_str())) {
            return mistake.leave();
        }
        for name in &relation.attributes {
            if let Some(place) = entity.attributes.iter().position(|a| a.name == *name) {
                let way = Way::root().to("entities").item(many).to("attributes").item(place);
                mistake = mistake.becomes_at(way.to("required"), false);
            }
        }
        mistake
    }
}

/// Types whose values refer to each other.
fn family(kind: AttributeType) -> AttributeType {
    match kind {
        AttributeType::Integer => AttributeType::Id,
        AttributeType::UuidV7 => AttributeType::Uuid,
        other => other,
    }
}
