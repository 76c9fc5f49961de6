//! What a deletion does to those that belong to what goes.

use marula_core::model::OnDelete;

use super::effect::Effect;
use super::record::Tree;
use super::{effects, held};
use crate::schema::{fate, nullable};
use crate::structure::{Placement, Structure};
use crate::synth::{Member, Value, World};

/// What follows of a member's going, once it is taken away itself: its own go with it or refer to
/// nobody, and what is kept of all that go is kept of those that stay.
pub(super) fn follows(world: &World<'_>, structure: &Structure, member: &Member) -> Vec<Effect> {
    let going = world.going(member);
    let mut effects = left(world, structure, &going);
    let mut kept = Vec::new();
    for one in &going {
        kept.extend(effects::tallies(world, structure, &Tree::alone(one.clone()), -1));
        kept.extend(held::refills(world, structure, one));
    }
    kept.extend(nulled(world, structure, &going));
    let goes = |relation: usize, key: &[Value]| {
        let to = &world.model.relations[relation].to;
        going.iter().any(|gone| world.entity(gone).name == *to && world.key(gone) == key)
    };
    kept.retain(|effect| match effect {
        Effect::Tally { computed, one, .. } => !goes(structure.computed[*computed].relation, one),
        Effect::Refill { subset, one } => !goes(structure.subsets[*subset].relation, one),
        _ => true,
    });
    for effect in kept {
        let again = matches!(effect, Effect::Refill { .. }) && effects.contains(&effect);
        if !again {
            effects.push(effect);
        }
    }
    effects
}

/// The many of all that go, where they are not kept within them.
fn left(world: &World<'_>, structure: &Structure, going: &[Member]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (at, relation) in world.model.relations.iter().enumerate() {
        let fate = fate(world.model, relation);
        if structure.placements[at] == Placement::Embed || fate == OnDelete::Restrict {
            continue;
        }
        let ones = going.iter().filter(|gone| world.entity(gone).name == relation.to);
        let ones: Vec<Vec<Value>> = ones.map(|gone| world.key(gone)).collect();
        if !ones.is_empty() {
            effects.push(Effect::Leave { relation: at, ones, fate });
        }
    }
    effects
}

/// The first of the many are read anew where what is kept of them is set to null.
fn nulled(world: &World<'_>, structure: &Structure, going: &[Member]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (at, relation) in world.model.relations.iter().enumerate() {
        if fate(world.model, relation) != OnDelete::SetNull {
            continue;
        }
        let names = nullable(world.model, relation);
        let held = |name: &&str| structure.subsets.iter().any(|subset| subset.keeps(name));
        if !names.iter().any(held) {
            continue;
        }
        for gone in going.iter().filter(|gone| world.entity(gone).name == relation.to) {
            for child in world.children(gone, at).iter().filter(|child| !going.contains(child)) {
                effects.extend(held::refills(world, structure, child));
            }
        }
    }
    effects
}
