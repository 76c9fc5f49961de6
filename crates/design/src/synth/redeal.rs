//! Dealing anew to those whose one is not of the group they want.

use std::collections::HashMap;

use super::belonging::Belonging;
use super::draw::Dice;

/// How many are drawn for one that has room.
const TRIES: usize = 50;

/// What holds of who belongs to whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// How many belong to one at most.
    pub most: u64,
    /// Whether one may belong to nobody.
    pub optional: bool,
    /// Whether they refer to their own kind: to those before them.
    pub own_kind: bool,
}

/// Deals anew to the members whose one is of another of the `groups` than they want, by the same
/// fan-out within the group; nobody where an optional one finds none. Who wants nothing, belongs to
/// nobody, or finds none, stays.
pub(super) fn redeal(
    dealt: &Belonging,
    groups: &[Vec<u32>],
    wanted: &[Option<Vec<u32>>],
    rule: Rule,
    dice: &mut Dice,
) -> Belonging {
    let group_of = |one: u64| groups.get(one as usize);
    let wants = |row: u64| wanted.get(row as usize).and_then(Option::as_ref);
    let is_content =
        |row: u64, one: u64| wants(row).is_none_or(|group| group_of(one) == Some(group));
    let mut table =
        Table { rule, had: HashMap::new(), places: HashMap::new(), all: HashMap::new() };
    for (one, group) in groups.iter().enumerate() {
        table.all.entry(group).or_default().push(one as u64);
    }
    for row in 0..dealt.rows() {
        let Some(one) = dealt.parent(row) else { continue };
        match group_of(one) {
            _ if is_content(row, one) => table.take(one),
            Some(group) => table.places.entry(group).or_default().push(one),
            None => {}
        }
    }
    let each = (0..dealt.rows()).map(|row| {
        let one = dealt.parent(row)?;
        match wants(row).filter(|_| !is_content(row, one)) {
            None => Some(one),
            Some(group) => table.find(row, group, dice).or((!rule.optional).then_some(one)),
        }
    });
    let parents: Vec<Option<u64>> = each.collect();
    Belonging::of(&parents, dealt.ones())
}

/// Who can be had.
struct Table<'g> {
    rule: Rule,
    /// How many each one has.
    had: HashMap<u64, u64>,
    /// The ones that were dealt to those who want others, by their group: as often as they were.
    places: HashMap<&'g Vec<u32>, Vec<u64>>,
    /// All ones of a group.
    all: HashMap<&'g Vec<u32>, Vec<u64>>,
}

impl Table<'_> {
    fn take(&mut self, one: u64) {
        *self.had.entry(one).or_default() += 1;
    }

    fn has_room(&self, row: u64, one: u64) -> bool {
        let had = self.had.get(&one).copied().unwrap_or_default();
        had < self.rule.most && !(self.rule.own_kind && one >= row)
    }

    /// One of a group for a member.
    fn find(&mut self, row: u64, group: &Vec<u32>, dice: &mut Dice) -> Option<u64> {
        let found = self.place(row, group, dice).or_else(|| {
            let all = self.all.get(group)?;
            let mut drawn =
                (0..TRIES).filter_map(|_| all.get(dice.below(all.len() as u64) as usize).copied());
            let has_room = |one: &u64| self.has_room(row, *one);
            drawn.find(has_room).or_else(|| all.iter().copied().find(has_room))
        })?;
        self.take(found);
        Some(found)
    }

    /// One of those that others gave back.
    fn place(&mut self, row: u64, group: &Vec<u32>, dice: &mut Dice) -> Option<u64> {
        for _ in 0..TRIES {
            let places = self.places.get_mut(group).filter(|places| !places.is_empty())?;
            let one = places.swap_remove(dice.below(places.len() as u64) as usize);
            if self.has_room(row, one) {
                return Some(one);
            }
        }
        None
    }
}
