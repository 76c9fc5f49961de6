//! Conditions joined by OR: what every side asks, and what each asks of one relation.

use std::collections::HashSet;

use pg_query::Node;

use super::super::ast;
use super::predicate::Predicate;
use super::read::Reader;
use super::scope::Found;

/// One side of an OR after the other, with what each asks of one relation.
type Sides = Vec<Vec<(Found, Predicate)>>;

impl Reader<'_> {
    /// `a = 1 OR b = 2`: for each relation that every side asks something of, what each asks.
    pub(super) fn either(&mut self, args: &[Node], only: Option<&[usize]>) {
        if self.side_of_or.is_some() {
            return;
        }
        self.common(args, only);
        let mut sides: Sides = Vec::new();
        for arg in args {
            self.side_of_or = Some(Vec::new());
            for part in ast::conjuncts(arg) {
                self.condition(part, only);
            }
            sides.extend(self.side_of_or.take());
        }
        let Some(first) = sides.first() else { return };
        let mut about: Vec<Found> = Vec::new();
        for (found, _) in first {
            let everywhere =
                sides.iter().all(|side| side.iter().any(|(other, _)| other.same_use(found)));
            if everywhere && !about.iter().any(|known| known.same_use(found)) {
                about.push(found.clone());
            }
        }
        for found in about {
            let of = |side: &Vec<(Found, Predicate)>| {
                let own = side.iter().filter(|(other, _)| other.same_use(&found));
                own.map(|(_, predicate)| predicate.clone()).collect()
            };
            let branches: Vec<Vec<Predicate>> = sides.iter().map(of).collect();
            let block = self.shape.blocks.get_mut(found.block);
            if let Some(used) = block.and_then(|block| block.uses.get_mut(found.number)) {
                used.either.push(branches);
            }
        }
    }

    /// What every side of an OR asks holds for the whole: the server finds that, too.
    fn common(&mut self, args: &[Node], only: Option<&[usize]>) {
        let Some((first, others)) = args.split_first().filter(|(_, others)| !others.is_empty())
        else {
            return;
        };
        let texts = |arg: &Node| ast::conjuncts(arg).into_iter().filter_map(ast::sql).collect();
        let others: Vec<HashSet<String>> = others.iter().map(texts).collect();
        for part in ast::conjuncts(first) {
            let text = ast::sql(part);
            if text.is_some_and(|text| others.iter().all(|side| side.contains(&text))) {
                self.condition(part, only);
            }
        }
    }
}
