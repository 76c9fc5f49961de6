//! Members that others are like in what has to tell them apart, or that break a check over what they
//! refer to, belong to others: a reference may have a part of a key only, such as a group's name
//! without its organization; a match is between two different teams. Pairs of whole references are
//! told apart before.

use std::collections::{BTreeMap, HashMap, HashSet};

use marula_core::model::{Deed, Model, Skew};

use super::added::Turn;
use super::belonging::Belonging;
use super::checks::attributes;
use super::draw::Dice;
use super::holds::holds;
use super::{Member, World, most, within, words};
use crate::schema::condition::{Condition, read};
use crate::schema::is_required;

/// How many are drawn for one with which a member is right.
const TRIES: usize = 200;
/// The same for one that is added while the clock runs.
const TRIES_ADDED: usize = 60;
/// Every so many tries all that share attributes are drawn anew.
const TOGETHER: usize = 4;
/// How many ones are looked at for one with values of its own.
const LOOKED_AT: usize = 2_000;
/// After so many that nothing makes right, and more than half of all, the rest is left as it is.
const ENOUGH: u64 = 10;
/// How many additions to an entity are planned.
pub(super) const PLANNED: usize = 1_000;

/// What has to be right of whom the members of an entity belong to.
#[derive(Debug)]
pub(super) struct Rules<'m> {
    /// Attributes that no two members share.
    sets: Vec<Vec<&'m str>>,
    /// Checks with attributes that refer.
    checks: Vec<(Condition, Vec<String>)>,
    /// The relationships that can be dealt anew.
    relations: Vec<usize>,
    /// For each set the relationship whose many are counted, or compared.
    owners: Vec<Option<usize>>,
}

/// What a member is told by: the number of a set, and the values.
type Told = (usize, String);

/// By which relationships a member is to belong to whom; to nobody where there is none.
type Drawn = Vec<(usize, Option<u64>)>;

impl<'m> Rules<'m> {
    /// The rules of every entity that has any which dealing its references by pairs does not keep.
    pub(super) fn of(model: &'m Model) -> BTreeMap<usize, Self> {
        let each = (0..model.entities.len()).filter_map(|at| Some((at, Self::of_one(model, at)?)));
        each.collect()
    }

    fn of_one(model: &'m Model, entity: usize) -> Option<Self> {
        let entity = &model.entities[entity];
        let of_it = |at: &usize| model.relations[*at].from == entity.name;
        let own: Vec<usize> = (0..model.relations.len()).filter(of_it).collect();
        let refers = |name: &str| {
            own.iter().any(|at| model.relations[*at].attributes.iter().any(|own| own == name))
        };
        let sets: Vec<Vec<&str>> = std::iter::once(entity.key())
            .chain(entity.unique.iter().map(|set| words(set)))
            .filter(|set| set.iter().any(|name| refers(name)))
            .collect();
        let check = |text: &String| {
            let condition = read(text).ok()?;
            let mut names = Vec::new();
            attributes(&condition, &mut names);
            names.iter().any(|name| refers(name)).then_some((condition, names))
        };
        let checks: Vec<(Condition, Vec<String>)> =
            entity.checks.iter().filter_map(check).collect();
        let wholes: Vec<Vec<usize>> = sets.iter().map(|set| within(model, entity, set)).collect();
        // Who is counted among those of one is not given to another: its number would be another.
        let counts = |set: &Vec<&str>| set.iter().any(|name| !refers(name));
        let counted: Vec<usize> = sets
            .iter()
            .zip(&wholes)
            .filter(|(set, _)| counts(set))
            .filter_map(|(_, whole)| whole.first().copied())
            .collect();
        let has = |at: &usize, set: &[&str]| {
            let names = &model.relations[*at].attributes;
            let inside = names.iter().filter(|name| set.contains(&name.as_str())).count();
            (inside > 0, inside == names.len())
        };
        let partly =
            own.iter().any(|at| sets.iter().any(|set| matches!(has(at, set), (true, false))));
        let pairs = wholes.iter().filter(|whole| whole.len() > 1).count();
        if !partly && checks.is_empty() && pairs < 2 {
            return None;
        }
        let touched = |at: &usize| {
            sets.iter().any(|set| has(at, set).0)
                || checks.iter().any(|(_, names)| has(at, &words(names)).0)
        };
        let relations =
            own.iter().copied().filter(|at| touched(at) && !counted.contains(at)).collect();
        let owners = wholes.iter().map(|whole| whole.first().copied()).collect();
        Some(Rules { sets, checks, relations, owners })
    }
}

impl World<'_> {
    /// Deals anew to members of whom the rules do not hold.
    pub(super) fn set_right(&mut self) {
        let mut all = std::mem::take(&mut self.rules);
        for (entity, rules) in &mut all {
            if !self.set_entity_right(*entity, rules) {
                // What those that are there cannot keep is not asked of those that are added.
                rules.checks.clear();
            }
        }
        self.rules = all;
    }

    /// Whether the rules can be kept.
    fn set_entity_right(&mut self, entity: usize, rules: &Rules<'_>) -> bool {
        let mut dice = Dice::of(&[self.seed, 0x7269_6768, entity as u64]);
        let mut seen: HashSet<Told> = HashSet::new();
        let mut had: BTreeMap<usize, HashMap<u64, u64>> = BTreeMap::new();
        for &relation in &rules.relations {
            let had = had.entry(relation).or_default();
            let dealt = &self.belonging[relation];
            let ones = (0..dealt.rows()).filter_map(|row| dealt.parent(row));
            ones.for_each(|one| *had.entry(one).or_default() += 1);
        }
        let mut given_up = 0;
        for row in 0..self.rows(entity) {
            let member = self.member(entity, row);
            // What most cannot keep is not tried for all.
            if given_up >= ENOUGH && given_up * 2 > row {
                break;
            }
            for attempt in 0..=TRIES {
                if attempt == TRIES {
                    given_up += 1;
                    break;
                }
                let told = self.told_by(&member, rules);
                if self.keeps(&member, rules) && told.iter().all(|told| !seen.contains(told)) {
                    break;
                }
                let drawn =
                    self.others(&member, &rules.relations, attempt, Skew::Uniform, &mut dice);
                let has_room = |(relation, one): &(usize, Option<u64>)| {
                    let most = most(self.model, &self.model.relations[*relation]);
                    let had = one.and_then(|one| had.get(relation)?.get(&one));
                    had.is_none_or(|had| *had < most.unwrap_or(u64::MAX))
                };
                if !drawn.iter().all(has_room) {
                    continue;
                }
                for (relation, one) in drawn {
                    let had = had.entry(relation).or_default();
                    if let Some(before) = self.belonging[relation].parent(row) {
                        had.entry(before).and_modify(|had| *had -= 1);
                    }
                    if let Some(one) = one {
                        *had.entry(one).or_default() += 1;
                    }
                    self.belonging[relation].give(row, one);
                }
            }
            seen.extend(self.told_by(&member, rules));
        }
        for &relation in &rules.relations {
            let dealt = &self.belonging[relation];
            let parents: Vec<Option<u64>> =
                (0..dealt.rows()).map(|row| dealt.parent(row)).collect();
            self.belonging[relation] = Belonging::of(&parents, dealt.ones());
        }
        given_up < ENOUGH
    }

    /// Whether the checks hold of a member.
    fn keeps(&self, member: &Member, rules: &Rules<'_>) -> bool {
        let entity = self.entity(member);
        rules.checks.iter().all(|(condition, names)| {
            let index = |name: &String| entity.attributes.iter().position(|a| a.name == *name);
            let row =
                names.iter().filter_map(|name| Some((index(name)?, self.value(member, name))));
            holds(entity, condition, &row.collect()) != Some(false)
        })
    }

    /// What a member is told by, with the number of the set; those aside in which a value is missing.
    fn told_by(&self, member: &Member, rules: &Rules<'_>) -> Vec<Told> {
        let told = rules.sets.iter().enumerate().filter_map(|(at, names)| {
            let values = names.iter().map(|name| self.value(member, name).to_text());
            let values: Option<Vec<String>> = values.collect();
            Some((at, values?.join("\u{0}")))
        });
        told.collect()
    }

    /// Others that a member can belong to: by one of the relationships, with all else as it is, and
    /// every so often by all of them that share attributes.
    fn others(
        &self,
        member: &Member,
        relations: &[usize],
        attempt: usize,
        skew: Skew,
        dice: &mut Dice,
    ) -> Drawn {
        let Some(&relation) = relations.get(dice.below(relations.len() as u64) as usize) else {
            return Vec::new();
        };
        if attempt % TOGETHER == TOGETHER - 1 {
            let drawn = self.others_together(member, relations, skew, dice).into_iter();
            return drawn.map(|(relation, one)| (relation, Some(one))).collect();
        }
        let r = &self.model.relations[relation];
        // A check may ask that somebody or nobody is referred to.
        let has_one = self.parent(member, relation).is_some();
        if has_one && !is_required(self.model, r) && dice.below(2) == 0 {
            return vec![(relation, None)];
        }
        let ones = self.that_agree(member, relation);
        let one = ones.around(dice.pick(ones.count(), skew)).next();
        // Of its own kind one refers to those before it.
        let one = one.filter(|one| r.from != r.to || *one < member.row);
        one.map(|one| (relation, Some(one))).into_iter().collect()
    }

    /// Lets a member that is added belong to others until the rules hold of it. Of those that are
    /// there it is compared with those of the ones it belongs to.
    pub(super) fn set_added_right(
        &self,
        member: &mut Member,
        turn: Turn,
        skew: Skew,
        dice: &mut Dice,
    ) {
        let Some(rules) = self.rules.get(&member.entity) else { return };
        let free = self.free(member, rules);
        // Those that come along with one differ by their place there: the first of what they belong to
        // beside does, and the rest agrees with it.
        if turn.group.is_some() {
            let order = self.agreement.order.get(&member.entity).into_iter().flatten();
            let mut beside: Vec<usize> =
                free.iter().copied().filter(|at| !rules.owners.contains(&Some(*at))).collect();
            beside.sort_by_key(|at| order.clone().position(|other| other == at));
            let before: Vec<Option<u64>> =
                beside.iter().map(|at| member.parents.remove(at)).collect();
            for (number, (&relation, before)) in beside.iter().zip(before).enumerate() {
                let placed = match number {
                    0 => self.in_its_place(member, turn, rules, relation),
                    _ => None,
                };
                let ones = self.that_agree(member, relation);
                let to = self.index(&self.model.relations[relation].to).unwrap_or_default();
                let stays = |one: &u64| self.stays(&self.member(to, *one));
                let any = || ones.around(dice.pick(ones.count(), skew)).find(stays);
                let one = before.and_then(|before| placed.or_else(any).or(Some(before)));
                member.parents.extend(one.map(|one| (relation, one)));
            }
        }
        self.set_one_right(member, rules, &free, skew, dice, |world, member| {
            let others = |(at, owner): (usize, &Option<usize>)| {
                let owner = (*owner)?;
                let children = world.children(&world.parent(member, owner)?, owner);
                let told = world.told_by(member, rules);
                let own = told.into_iter().find(|(set, _)| *set == at)?;
                let mut theirs = children.iter().flat_map(|child| world.told_by(child, rules));
                theirs.any(|told| told == own).then_some(())
            };
            rules.owners.iter().enumerate().any(|owner| others(owner).is_some())
        });
    }

    /// The one of a relationship for a member that comes along with others: as many have other values
    /// before it as members come before this one.
    fn in_its_place(
        &self,
        member: &Member,
        turn: Turn,
        rules: &Rules<'_>,
        relation: usize,
    ) -> Option<u64> {
        let ones = self.that_agree(member, relation);
        let start = Dice::of(&[self.seed, turn.group.unwrap_or_default()]).below(ones.count());
        let to = self.index(&self.model.relations[relation].to)?;
        let names = &self.model.relations[relation].attributes;
        let told = |one: &u64| {
            let key = self.key(&self.member(to, *one)).into_iter().zip(names);
            let inside =
                key.filter(|(_, name)| rules.sets.iter().any(|set| set.contains(&name.as_str())));
            format!("{:?}", inside.map(|(value, _)| value).collect::<Vec<_>>())
        };
        let mut seen = HashSet::new();
        let stays = |one: &u64| self.stays(&self.member(to, *one));
        let mut others =
            ones.around(start).take(LOOKED_AT).filter(stays).filter(|one| seen.insert(told(one)));
        others.nth(turn.place as usize)
    }

    /// Draws anew until the rules hold of a member and no other `is_like` it; whether they do.
    fn set_one_right(
        &self,
        member: &mut Member,
        rules: &Rules<'_>,
        free: &[usize],
        skew: Skew,
        dice: &mut Dice,
        is_like: impl Fn(&Self, &Member) -> bool,
    ) -> bool {
        for attempt in 0..TRIES_ADDED {
            if self.keeps(member, rules) && !is_like(self, member) {
                return true;
            }
            let drawn = self.others(member, free, attempt, skew, dice);
            let stays = |(relation, one): &(usize, Option<u64>)| {
                let to = self.index(&self.model.relations[*relation].to).unwrap_or_default();
                one.is_none_or(|one| self.stays(&self.member(to, one)))
            };
            if !drawn.iter().all(stays) {
                continue;
            }
            for (relation, one) in drawn {
                match one {
                    Some(one) => member.parents.insert(relation, one),
                    None => member.parents.remove(&relation),
                };
            }
        }
        false
    }

    /// The relationships by which a member that is added can belong to another one.
    fn free(&self, member: &Member, rules: &Rules<'_>) -> Vec<usize> {
        let each = rules.relations.iter().copied();
        each.filter(|at| !member.added.contains_key(at) && !self.room.in_turns(*at)).collect()
    }

    /// Plans to whom those belong that are added by themselves to entities with rules, so that they
    /// differ from all that are there and from each other.
    pub(super) fn plan(&mut self) {
        let inserts = |entity: &usize| {
            let name = &self.model.entities[*entity].name;
            let mut writes = self.model.writes.iter();
            writes.find(|write| write.does == Deed::Insert && write.entity == *name)
        };
        let mut plans = BTreeMap::new();
        for (entity, rules) in &self.rules {
            let Some(write) = inserts(entity) else { continue };
            let mut dice = Dice::of(&[self.seed, 0x706c_616e, *entity as u64]);
            let there = (0..self.rows(*entity)).map(|row| self.member(*entity, row));
            let mut seen: HashSet<Told> =
                there.flat_map(|member| self.told_by(&member, rules)).collect();
            let mut planned = Vec::new();
            for place in 0..PLANNED as u64 {
                let (turn, none) = (Turn::alone(place), BTreeMap::new());
                let Some(mut member) = self.added(*entity, turn, write.skew, &none, &mut dice)
                else {
                    break;
                };
                let free = self.free(&member, rules);
                let right = self.set_one_right(
                    &mut member,
                    rules,
                    &free,
                    write.skew,
                    &mut dice,
                    |world, member| {
                        world.told_by(member, rules).iter().any(|told| seen.contains(told))
                    },
                );
                if !right {
                    break;
                }
                seen.extend(self.told_by(&member, rules));
                planned.push(member.parents);
            }
            plans.insert(*entity, planned);
        }
        self.plans = plans;
    }
}
