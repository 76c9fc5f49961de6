//! What is asked of the members of buckets.

use bson::{Bson, Document, doc};
use marula_core::Result;
use marula_core::model::Operator;

use super::Writer;
use crate::question::{Demand, Direction, Key};
use crate::structure::Bucket;

impl Writer<'_> {
    /// The buckets of the first container, where it holds such.
    fn bucket(&self) -> Option<&Bucket> {
        let entity = &self.places.containers.first()?.entity;
        self.structure.bucket(self.model, entity).map(|(_, bucket)| bucket)
    }

    /// What must hold of a bucket that a member of a moment may be in; nothing where the condition
    /// is not about the moment of its members.
    pub(super) fn spanned(&self, demand: &Demand) -> Result<Option<Vec<Document>>> {
        let (Some(bucket), Some(spot)) = (self.bucket(), self.spot(&demand.at)) else {
            return Ok(None);
        };
        let own = spot.element.is_some_and(|at| self.places.elements[at].bucket);
        if !own || spot.container != 0 || spot.field != bucket.time {
            return Ok(None);
        }
        let test = self.test(demand)?;
        let (first, last) = (Bucket::FIRST, Bucket::LAST);
        Ok(match demand.is {
            Operator::Greater | Operator::AtLeast => Some(vec![doc! { last: test }]),
            Operator::Less | Operator::AtMost => Some(vec![doc! { first: test }]),
            Operator::Equal => Some(vec![
                doc! { last: { "$gte": test.clone() } },
                doc! { first: { "$lte": test } },
            ]),
            _ => None,
        })
    }

    /// Where the first members of one in time are asked for: so many buckets, from that end, as hold
    /// them for sure. They lie one behind the other, and all but the last of one are full.
    pub(super) fn last_buckets(&self) -> Vec<Document> {
        let ends = self.bucket().and_then(|bucket| Some((bucket, self.first_in_time(bucket)?)));
        let Some((bucket, (direction, limit))) = ends else { return Vec::new() };
        let order = if direction == Direction::Descending { -1 } else { 1 };
        // Of the first one member may be all that is wanted.
        let enough = 1 + (limit - 1).div_ceil(bucket.count.max(1));
        vec![
            doc! { "$sort": { Bucket::LAST: Bson::Int32(order) } },
            doc! { "$limit": enough as i64 },
        ]
    }

    /// From which end of the members of one, and how many, when nothing else is asked.
    fn first_in_time(&self, bucket: &Bucket) -> Option<(Direction, u64)> {
        let question = self.question;
        let limit = question
            .limit
            .filter(|limit| *limit > 0 && !question.groups() && question.is_plain())?;
        let r = &self.model.relations[bucket.relation];
        let (Key::At(at), direction) = question.sort.first()? else { return None };
        let node = at.node;
        let of_time = at.attribute == bucket.time && question.nodes[node].entity == r.from;
        let others = question.nodes.iter().enumerate().all(|(other, to)| {
            other == node || matches!(to.step, Some((from, _, true)) if from == node)
        });
        let surely = self.places.containers.iter().skip(1).all(|container| {
            container.join.as_ref().is_some_and(|join| join.to_one && join.surely)
        });
        let whose = r.attributes.iter().all(|name| {
            question.conditions.iter().any(|demand| {
                demand.is == Operator::Equal
                    && demand.at.node == node
                    && demand.at.attribute == *name
            })
        });
        // A bound at the far end would leave it open how many of a bucket are within.
        let near = question.conditions.iter().all(|demand| {
            let own = demand.at.node == node;
            let of_one = r.attributes.contains(&demand.at.attribute);
            let beyond = match direction {
                Direction::Descending => matches!(demand.is, Operator::Less | Operator::AtMost),
                Direction::Ascending => matches!(demand.is, Operator::Greater | Operator::AtLeast),
            };
            own && (of_one && demand.is == Operator::Equal
                || demand.at.attribute == bucket.time && beyond)
        });
        (of_time && others && surely && whose && near).then_some((*direction, limit))
    }
}
