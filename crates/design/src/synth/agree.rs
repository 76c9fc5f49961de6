//! References of one entity that share attributes: a task of a tenant refers to a project and to a
//! member of the same tenant. Who is dealt by chance is dealt anew until they agree.

use std::collections::{BTreeMap, HashSet};

use marula_core::model::Skew;

use super::belonging::Partners;
use super::draw::Dice;
use super::redeal::{Rule, redeal};
use super::shared::{Agreement, Ones, Settled, Shared, referred_first, sharing};
use super::{Member, World, most};
use crate::schema::is_required;

/// How many are drawn for one that suits.
const TRIES: usize = 50;

impl World<'_> {
    /// Deals anew wherever references of a member that share attributes do not agree. What cannot
    /// be made to agree stays as it is.
    pub(super) fn agree(&mut self) {
        self.agreement = Agreement::default();
        for entity in referred_first(self.model) {
            let apart = self.pair(entity).map_or(Vec::new(), |(first, last)| vec![first, last]);
            let order = sharing(self.model, entity, &apart);
            let mut settled: Vec<Settled> = match order.is_empty() {
                true => Vec::new(),
                false => vec![Settled::new(); self.rows(entity) as usize],
            };
            for (place, &relation) in order.iter().enumerate() {
                let shared = self.shared(relation, &order);
                self.agreement.shared.insert(relation, shared);
                match place {
                    0 => self.lead(relation, &order[1..]),
                    _ => self.follow(relation, &settled),
                }
                let shared = &self.agreement.shared[&relation];
                for (row, settled) in settled.iter_mut().enumerate() {
                    if let Some(one) = self.belonging[relation].parent(row as u64) {
                        shared.settle(one, settled);
                    }
                }
            }
            self.agreement.order.insert(entity, order);
        }
    }

    /// What the ones of a relationship have in what it shares with others of `order`.
    fn shared(&mut self, relation: usize, order: &[usize]) -> Shared {
        let r = &self.model.relations[relation];
        let others = || order.iter().filter(|at| **at != relation);
        let shares = |name: &String| {
            others().any(|other| self.model.relations[*other].attributes.contains(name))
        };
        let all = r.attributes.iter().enumerate();
        let names: Vec<(String, usize)> =
            all.filter(|(_, name)| shares(name)).map(|(at, name)| (name.clone(), at)).collect();
        let to = self.index(&r.to).unwrap_or_default();
        let mut of = Vec::with_capacity(self.rows(to) as usize);
        for row in 0..self.rows(to) {
            let key = self.key(&self.member(to, row));
            let numbers = &mut self.agreement.numbers;
            let number = |(_, at): &(String, usize)| {
                let text = key.get(*at).and_then(super::Value::to_text).unwrap_or_default();
                let next = numbers.len() as u32;
                *numbers.entry(text).or_insert(next)
            };
            of.push(names.iter().map(number).collect());
        }
        Shared::new(names, of)
    }

    /// Deals the first of several relationships: to ones with which the required ones of the others
    /// can agree.
    fn lead(&mut self, relation: usize, others: &[usize]) {
        let model = self.model;
        let mut good = vec![true; self.belonging[relation].ones() as usize];
        for &other in others {
            let r = &model.relations[other];
            let own = &model.relations[relation].attributes;
            let names: Vec<&str> =
                r.attributes.iter().filter(|a| own.contains(a)).map(String::as_str).collect();
            if names.is_empty() || r.to == r.from || !is_required(model, r) {
                continue;
            }
            let theirs = self.shared(other, &[relation, other]).groups(&names);
            let theirs: HashSet<Vec<u32>> = theirs.into_iter().collect();
            let groups = self.shared(relation, &[relation, other]).groups(&names);
            for (good, group) in good.iter_mut().zip(groups) {
                *good &= theirs.contains(&group);
            }
        }
        if !good.contains(&false) || !good.contains(&true) {
            return;
        }
        let group = |good: bool| vec![u32::from(good)];
        let groups: Vec<Vec<u32>> = good.into_iter().map(group).collect();
        let wanted = vec![Some(group(true)); self.belonging[relation].rows() as usize];
        self.redeal(relation, &groups, &wanted);
    }

    /// Deals a relationship so that each member's one has what is settled of the member.
    fn follow(&mut self, relation: usize, settled: &[Settled]) {
        let shared = &self.agreement.shared[&relation];
        let known = |name: &str| settled.iter().any(|settled| settled.contains_key(name));
        let names = shared.names.iter().map(|(name, _)| name.clone());
        let names: Vec<String> = names.filter(|name| known(name)).collect();
        let groups = shared.groups(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let wants = |settled: &Settled| -> Option<Vec<u32>> {
            names.iter().map(|name| settled.get(name).copied()).collect()
        };
        let wanted: Vec<Option<Vec<u32>>> = settled.iter().map(wants).collect();
        self.redeal(relation, &groups, &wanted);
    }

    fn redeal(&mut self, relation: usize, groups: &[Vec<u32>], wanted: &[Option<Vec<u32>>]) {
        let r = &self.model.relations[relation];
        let rule = Rule {
            most: most(self.model, r).unwrap_or(u64::MAX),
            optional: !is_required(self.model, r),
            own_kind: r.from == r.to,
        };
        let mut dice = Dice::of(&[self.seed, 0x6167_7265, relation as u64]);
        self.belonging[relation] =
            redeal(&self.belonging[relation], groups, wanted, rule, &mut dice);
    }

    /// Who of the last relationship goes with whom of the first.
    pub(super) fn partners(&self, first: usize, last: usize) -> Partners {
        let of = |relation: usize| self.agreement.shared.get(&relation);
        let lasts = self.belonging[last].ones();
        let alone = || Partners::all(self.belonging[first].ones(), lasts);
        let (Some(one), Some(other)) = (of(first), of(last)) else { return alone() };
        let has = |name: &&str| other.names.iter().any(|(known, _)| known == name);
        let names: Vec<&str> =
            one.names.iter().map(|(name, _)| name.as_str()).filter(has).collect();
        Partners::of(&one.groups(&names), &other.groups(&names))
    }

    /// The ones of a relationship that go with `one`, to whom a member belongs by `by`.
    pub(super) fn that_go_with(&self, relation: usize, by: usize, one: &Member) -> Ones<'_> {
        match self.agreement.shared.get(&relation) {
            Some(shared) => Ones::Some(shared.agreeing(&self.settled(by, one))),
            None => Ones::All(self.belonging[relation].ones()),
        }
    }

    /// The ones of a relationship that agree with all others that a member belongs to.
    pub(super) fn that_agree(&self, member: &Member, relation: usize) -> Ones<'_> {
        let Some(shared) = self.agreement.shared.get(&relation) else {
            return Ones::All(self.belonging[relation].ones());
        };
        let mut settled = Settled::new();
        let others = self.agreement.order.get(&member.entity).into_iter().flatten();
        for other in others.filter(|other| **other != relation) {
            if let Some(one) = self.parent(member, *other) {
                settled.extend(self.settled(*other, &one));
            }
        }
        Ones::Some(shared.agreeing(&settled))
    }

    /// Others that a member can belong to by all relationships among these that share attributes; the
    /// rest stay. Nobody where none agree.
    pub(super) fn others_together(
        &self,
        member: &Member,
        relations: &[usize],
        skew: Skew,
        dice: &mut Dice,
    ) -> Vec<(usize, u64)> {
        let order = self.agreement.order.get(&member.entity).into_iter().flatten().copied();
        let (free, kept): (Vec<usize>, Vec<usize>) = order
            .filter(|at| self.parent(member, *at).is_some())
            .partition(|at| relations.contains(at));
        let mut settled = Settled::new();
        for relation in kept {
            if let Some(one) = self.parent(member, relation) {
                settled.extend(self.settled(relation, &one));
            }
        }
        let mut found = Vec::new();
        for relation in free {
            let shared = &self.agreement.shared[&relation];
            let ones = shared.agreeing(&settled);
            let Some(&one) = ones.get(dice.pick(ones.len() as u64, skew) as usize) else {
                return Vec::new();
            };
            shared.settle(one, &mut settled);
            found.push((relation, one));
        }
        found
    }

    /// What the one of a relationship has in what others share.
    fn settled(&self, relation: usize, one: &Member) -> Settled {
        let mut settled = Settled::new();
        let Some(shared) = self.agreement.shared.get(&relation) else { return settled };
        if one.ordinal.is_none() {
            shared.settle(one.row, &mut settled);
            return settled;
        }
        let key = self.key(one);
        for (name, at) in &shared.names {
            let text = key.get(*at).and_then(super::Value::to_text).unwrap_or_default();
            // What nobody has yet is like nothing that there is.
            let number = self.agreement.numbers.get(&text).copied().unwrap_or(u32::MAX);
            settled.insert(name.clone(), number);
        }
        settled
    }

    /// Lets a member that is added belong to ones that agree: those it is given to stay, and those
    /// that `stay`; the others are drawn anew. `false` where none agree.
    pub(super) fn agreed(
        &self,
        entity: usize,
        given: &BTreeMap<usize, Member>,
        stay: impl Fn(usize) -> bool,
        skew: Skew,
        parents: &mut BTreeMap<usize, u64>,
        dice: &mut Dice,
    ) -> bool {
        let Some(order) = self.agreement.order.get(&entity).filter(|order| !order.is_empty())
        else {
            return true;
        };
        let mut order = order.clone();
        order.sort_by_key(|at| (!given.contains_key(at), !stay(*at)));
        for _ in 0..TRIES {
            if self.agreed_once(&order, given, &stay, skew, parents, dice) {
                return true;
            }
            let first = order[0];
            if given.contains_key(&first) || stay(first) {
                return false;
            }
            let to = self.index(&self.model.relations[first].to).unwrap_or_default();
            parents.insert(first, dice.pick(self.rows(to), skew));
        }
        false
    }

    fn agreed_once(
        &self,
        order: &[usize],
        given: &BTreeMap<usize, Member>,
        stay: &impl Fn(usize) -> bool,
        skew: Skew,
        parents: &mut BTreeMap<usize, u64>,
        dice: &mut Dice,
    ) -> bool {
        let mut settled = Settled::new();
        for &relation in order {
            let shared = &self.agreement.shared[&relation];
            let r = &self.model.relations[relation];
            if let Some(one) = given.get(&relation) {
                settled.extend(self.settled(relation, one));
                continue;
            }
            let Some(&one) = parents.get(&relation) else { continue };
            let most = most(self.model, r).unwrap_or(u64::MAX);
            let suits = |one: u64| {
                let had = self.belonging[relation].children(one).count() as u64;
                let to = self.index(&r.to).unwrap_or_default();
                self.stays(&self.member(to, one)) && had < most
            };
            let mut chosen = Some(one);
            let agrees = shared.of.get(one as usize).is_some_and(|of| shared.agree(of, &settled));
            if !agrees || !stay(relation) && !suits(one) {
                let all = shared.agreeing(&settled);
                let mut drawn = (0..TRIES)
                    .filter_map(|_| all.get(dice.pick(all.len() as u64, skew) as usize).copied());
                chosen = drawn.find(|one| suits(*one));
            }
            match chosen {
                Some(one) => {
                    parents.insert(relation, one);
                    shared.settle(one, &mut settled);
                }
                None if is_required(self.model, r) => return false,
                None => drop(parents.remove(&relation)),
            }
        }
        true
    }
}
