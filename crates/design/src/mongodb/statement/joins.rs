//! What is looked up in other collections.

use bson::{Bson, Document, doc};
use marula_core::Result;

use super::{Writer, prefix, unwind};
use crate::mongodb::value::field;
use crate::question::{At, Key, Spot};

impl Writer<'_> {
    /// The containers that only add to rows already chosen: they are looked up last.
    pub(super) fn late(&self) -> Vec<usize> {
        let question = self.question;
        if question.groups() {
            return Vec::new();
        }
        let mut late: Vec<usize> = Vec::new();
        for (at, container) in self.places.containers.iter().enumerate().rev() {
            let Some(join) = &container.join else { continue };
            let here =
                |attribute: &At| self.spot(attribute).is_some_and(|spot| spot.container == at);
            let needed = self.places.containers.iter().enumerate().any(|(other, container)| {
                let knows = |spot: &Spot| spot.container == at;
                !late.contains(&other)
                    && container.join.as_ref().is_some_and(|join| join.known.iter().any(knows))
            });
            let sorted =
                question.sort.iter().any(|(key, _)| matches!(key, Key::At(at) if here(at)));
            let asked = question.demands().any(|demand| here(&demand.at));
            let whole = self.places.elements.iter().all(|element| element.container != at);
            let one = join.to_one && (join.surely || join.optional);
            if one && whole && !needed && !sorted && !asked {
                late.insert(0, at);
            }
        }
        late
    }

    pub(super) fn look_up(
        &self,
        container: usize,
        stages: &mut Vec<Document>,
        arrays: &mut Vec<String>,
    ) -> Result<()> {
        let entity = &self.places.containers[container].entity;
        let Some(join) = &self.places.containers[container].join else { return Ok(()) };
        let name = prefix(container);
        if let ([known], [wanted]) = (join.known.as_slice(), join.wanted.as_slice()) {
            let foreign = match wanted.element {
                Some(element) => self.stored_path(element, wanted),
                None => field(self.model, entity, &wanted.field).to_owned(),
            };
            stages.push(doc! { "$lookup": {
                "from": entity, "localField": self.path(known), "foreignField": foreign, "as": &name,
            } });
        } else {
            let mut variables = Document::new();
            let mut equal = Vec::new();
            for (at, (known, wanted)) in join.known.iter().zip(&join.wanted).enumerate() {
                variables.insert(format!("v{at}"), format!("${}", self.path(known)));
                let foreign = field(self.model, entity, &wanted.field);
                if wanted.element.is_none() {
                    equal.push(Bson::from(
                        doc! { "$eq": [format!("${foreign}"), format!("$$v{at}")] },
                    ));
                }
            }
            equal.extend(self.one_is_it(&join.wanted));
            stages.push(doc! { "$lookup": {
                "from": entity, "let": variables, "as": &name,
                "pipeline": [ { "$match": { "$expr": { "$and": equal } } } ],
            } });
        }
        stages.push(unwind(&name, join.optional));
        self.take_apart(container, stages, arrays)
    }

    /// That one element of the looked up document's arrays has all that is wanted of elements: were
    /// none of them it, the row would be lost that comes without any.
    fn one_is_it(&self, wanted: &[Spot]) -> Option<Bson> {
        let depth = |element: &usize| {
            std::iter::successors(Some(*element), |at| self.places.elements[*at].within).count()
        };
        let innermost = wanted.iter().filter_map(|spot| spot.element).max_by_key(depth)?;
        let mut inner: Option<Bson> = None;
        let mut at = Some(innermost);
        while let Some(number) = at {
            let element = &self.places.elements[number];
            let mut equal = Vec::new();
            for (variable, spot) in wanted.iter().enumerate() {
                if spot.element == Some(number) {
                    let own = format!("$$m{number}.{}", spot.field);
                    equal.push(Bson::from(doc! { "$eq": [own, format!("$$v{variable}")] }));
                }
            }
            equal.extend(inner);
            let array = match element.within {
                Some(outer) => format!("$$m{outer}.{}", element.field),
                None => format!("${}", element.field),
            };
            let each = doc! { "$map": {
                "input": { "$ifNull": [array, []] }, "as": format!("m{number}"),
                "in": { "$and": equal },
            } };
            inner = Some(doc! { "$anyElementTrue": [each] }.into());
            at = element.within;
        }
        inner
    }
}
