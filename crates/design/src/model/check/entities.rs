use std::collections::{HashMap, HashSet};

use marula_core::Json;
use marula_core::model::{Attribute, AttributeType, Count, Entity, Skew};

use super::super::mistake::{Mistake, Way};
use super::super::types;
use super::{Checker, expression, quoted};

impl<'a> Checker<'a> {
    pub(super) fn entities(&mut self) {
        let way = Way::root().to("entities");
        let model = self.model;
        if model.entities.is_empty() {
            self.say(
                Mistake::new(way.clone(), "the model has no entities").hint(
                    "write entities: with a name and attributes each; see marula schema model",
                ),
            );
        }
        self.twice(&way, model.entities.iter().map(|entity| entity.name.as_str()), "entities");
        for (at, entity) in model.entities.iter().enumerate() {
            self.one_entity(&way.item(at), entity);
        }
        if let Some(tenant) = &model.tenant
            && self.entity(tenant).is_none()
        {
            let mistake = self.no_entity(Way::root().to("tenant"), tenant).leave();
            self.say(mistake);
        }
    }

    fn one_entity(&mut self, way: &Way, entity: &'a Entity) {
        self.name(way, &entity.name, "entity");
        let attributes = way.to("attributes");
        if entity.attributes.is_empty() && !entity.guess {
            let what = format!("{} has no attributes", entity.name);
            self.say(Mistake::new(way.clone(), what).hint("write at least its key"));
        }
        self.twice(&attributes, super::names(&entity.attributes), "attributes");
        let known: HashMap<&str, &Attribute> =
            entity.attributes.iter().rev().map(|a| (a.name.as_str(), a)).collect();
        for (at, attribute) in entity.attributes.iter().enumerate() {
            self.attribute(&attributes.item(at), entity, attribute);
        }
        for (at, name) in entity.key.iter().enumerate() {
            if !known.contains_key(name.as_str()) {
                let mistake = self.no_attribute(way.to("key").item(at), entity, name).leave();
                self.say(mistake);
            }
        }
        self.twice(&way.to("key"), entity.key.iter().map(String::as_str), "parts of the key");
        if entity.key().is_empty() && !entity.attributes.is_empty() {
            let what = format!("{} has no key", entity.name);
            let hint = "write key: [attribute …], or give it an attribute id";
            self.say(Mistake::new(way.clone(), what).hint(hint));
        }
        for (at, set) in entity.unique.iter().enumerate() {
            for name in set {
                if !known.contains_key(name.as_str()) {
                    let way = way.to("unique").item(at);
                    let mistake = self.no_attribute(way, entity, name).leave();
                    self.say(mistake);
                }
            }
        }
        if let Some(kind) = &entity.kind
            && !known.contains_key(kind.as_str())
        {
            let mistake = self.no_attribute(way.to("kind"), entity, kind).leave();
            self.say(mistake);
        }
        for (at, check) in entity.checks.iter().enumerate() {
            if let Err(mistake) = expression::check(self, way.to("checks").item(at), entity, check)
            {
                self.say(mistake.leave());
            }
        }
    }

    fn attribute(&mut self, way: &Way, entity: &'a Entity, attribute: &'a Attribute) {
        self.name(way, &attribute.name, "attribute");
        let name = &attribute.name;
        match attribute.kind {
            AttributeType::Enumeration if attribute.values.is_empty() => {
                let what = format!("{name} is an enumeration without values; taken as text");
                let hint = "write values: [open, paid, shipped], the most frequent first";
                let cure = Mistake::new(way.clone(), what).hint(hint);
                self.say(cure.becomes_at(way.to("type"), "text"));
            }
            AttributeType::List if attribute.of.is_none() => {
                let what = format!("{name} is a list, but not of what; taken as a list of texts");
                self.say(Mistake::new(way.to("of"), what).hint("write of: text").becomes("text"));
            }
            AttributeType::List
                if matches!(
                    attribute.of,
                    Some(AttributeType::List | AttributeType::Enumeration)
                ) =>
            {
                let what = format!("{name} is a list of what lists do not hold; taken as texts");
                let hint = "make an entity of its own of it";
                self.say(Mistake::new(way.to("of"), what).hint(hint).becomes("text"));
            }
            _ => {}
        }
        self.values(way, attribute);
        if attribute.of.is_some() && attribute.kind != AttributeType::List {
            let what = format!("only a list has of, and {name} is {}", types::name(attribute.kind));
            self.say(Mistake::new(way.to("of"), what).leave());
        }
        if let (Some(min), Some(max)) = (attribute.min, attribute.max)
            && min > max
        {
            let what = format!("the least value of {name} is above the greatest: {min} > {max}");
            self.say(Mistake::new(way.to("min"), what).leave());
        }
        if let Some(usual) = attribute.usual {
            let below = attribute.min.is_some_and(|min| usual.min < min);
            let above = attribute.max.is_some_and(|max| usual.max > max);
            if usual.min > usual.max || below || above {
                let what = format!(
                    "the usual values of {name}, {} to {}, are not among those it may have",
                    usual.min, usual.max
                );
                let hint = "usual: {min, max} lies between min and max";
                self.say(Mistake::new(way.to("usual"), what).hint(hint).leave());
            }
        }
        if let (Some(precision), Some(scale)) = (attribute.precision, attribute.scale)
            && scale > precision
        {
            let what = format!("{name} has more digits after the point than in all");
            self.say(Mistake::new(way.to("scale"), what).leave());
        }
        if attribute.precision.is_some_and(|digits| digits == 0 || digits > 1000) {
            let what = format!("{name} has a precision that PostgreSQL does not have");
            self.say(Mistake::new(way.to("precision"), what).hint("1 to 1000").leave());
        }
        if let Some(missing) = attribute.missing {
            if !(0.0..=1.0).contains(&missing) {
                let what = format!("the share of members without {name} is from 0 to 1");
                self.say(Mistake::new(way.to("missing"), what).leave());
            } else if missing > 0.0 && attribute.required {
                let what = format!("{name} is required, and missing in some");
                self.say(Mistake::new(way.to("missing"), what).leave());
            }
        }
        if let Some(Count(distinct)) = attribute.distinct
            && entity.rows.0 > 0
            && distinct > entity.rows.0
        {
            let rows = entity.rows.0;
            let what = format!("{name} has {distinct} different values in {rows} rows");
            self.say(Mistake::new(way.to("distinct"), what).becomes(rows));
        }
        if attribute.unique && attribute.skew != Skew::Uniform {
            let what = format!("the values of {name} are unique, so that none is more frequent");
            self.say(Mistake::new(way.to("skew"), what).leave());
        }
        if let Some(length) = attribute.length
            && length.max.is_some_and(|max| (max as f64) < length.average)
        {
            let what = format!("{name} is longer on average than at most");
            self.say(Mistake::new(way.to("length").to("max"), what).leave());
        }
        if attribute
            .max_length
            .is_some_and(|most| attribute.average_length.is_some_and(|a| a > most))
        {
            let what = format!("{name} is longer on average than at most");
            self.say(Mistake::new(way.to("average_length"), what).leave());
        }
        if attribute.search.is_some() && attribute.kind != AttributeType::Text {
            let what = format!("only texts are searched, and {name} is no text");
            self.say(Mistake::new(way.to("search"), what).leave());
        }
    }

    /// The values of an enumeration, and the default.
    fn values(&mut self, way: &Way, attribute: &Attribute) {
        let name = &attribute.name;
        if !attribute.values.is_empty() && attribute.kind != AttributeType::Enumeration {
            let what = format!("{name} has values, but is no enumeration");
            self.say(Mistake::new(way.to("values"), what).hint("write type: enumeration").low());
        }
        let mut seen = HashSet::new();
        for (at, value) in attribute.values.iter().enumerate() {
            if !seen.insert(value) {
                let what = format!("{name} has the value {} twice", quoted(value));
                self.say(Mistake::new(way.to("values").item(at), what).leave());
            }
        }
        let Some(default) = &attribute.default else { return };
        let number = super::super::sql::is_number(attribute.kind);
        let wrong = match default {
            Json::Null => None,
            Json::Number(_) if number => None,
            Json::String(text) if number && text.parse::<f64>().is_ok() => None,
            Json::String(text) if attribute.kind == AttributeType::Enumeration => {
                let known = attribute.values.iter().map(String::as_str);
                let near = marula_core::nearest(text, known);
                (!seen.contains(text)).then(|| near.join(" or "))
            }
            Json::Bool(_) if attribute.kind == AttributeType::Boolean => None,
            Json::Array(_) if attribute.kind == AttributeType::List => None,
            _ if attribute.kind == AttributeType::Json => None,
            Json::String(_) if !number && attribute.kind != AttributeType::Boolean => None,
            _ => Some(String::new()),
        };
        let Some(near) = wrong else { return };
        let kind = types::name(attribute.kind);
        let what = format!("the default of {name} is no value of its type, {kind}");
        let mistake = Mistake::new(way.to("default"), what).leave();
        self.say(if near.is_empty() { mistake } else { mistake.near(&[&near]) });
    }
}
