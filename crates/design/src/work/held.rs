//! What writes do to the first of the many that are kept with the one.

use marula_core::model::Write;

use super::effect::Effect;
use super::record::Tree;
use crate::structure::{Structure, Subset};
use crate::synth::{Member, Value, World};

/// The subsets of which a member is one of the many.
fn subsets<'s>(
    world: &World<'_>,
    structure: &'s Structure,
    member: &Member,
) -> impl Iterator<Item = (usize, &'s Subset)> {
    let entity = &world.entity(member).name;
    let relations = &world.model.relations;
    let of_it = move |subset: &Subset| relations[subset.relation].from == *entity;
    structure.subsets.iter().enumerate().filter(move |(_, subset)| of_it(subset))
}

/// What adding a member does to the first of the many of those it belongs to.
pub(super) fn holds(world: &World<'_>, structure: &Structure, tree: &Tree) -> Vec<Effect> {
    let hold = |(at, subset): (usize, &Subset)| {
        let one = world.key(&world.parent(&tree.member, subset.relation)?);
        Some(Effect::Hold { subset: at, one, tree: Tree::alone(tree.member.clone()) })
    };
    subsets(world, structure, &tree.member).filter_map(hold).collect()
}

fn refill(
    world: &World<'_>,
    structure: &Structure,
    subset: usize,
    member: &Member,
) -> Option<Effect> {
    let one = world.parent(member, structure.subsets[subset].relation)?;
    Some(Effect::Refill { subset, one: world.key(&one) })
}

/// What changing a member does to the first of the many it is one of.
pub(super) fn reholds(
    world: &World<'_>,
    structure: &Structure,
    write: &Write,
    member: &Member,
    [set, add]: [&[(String, Value)]; 2],
) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (at, subset) in subsets(world, structure, member) {
        let relation = &world.model.relations[subset.relation];
        let kept = |pairs: &[(String, Value)]| -> Vec<(String, Value)> {
            pairs.iter().filter(|(name, _)| subset.attributes.contains(name)).cloned().collect()
        };
        if subset.refills(world.model, write) {
            effects.extend(refill(world, structure, at, member));
            continue;
        }
        let (set, add) = (kept(set), kept(add));
        if let (false, Some(one)) =
            (set.is_empty() && add.is_empty(), world.parent(member, subset.relation))
        {
            let key = world.entity(member).key().into_iter();
            let key = key
                .filter(|name| !relation.attributes.iter().any(|implied| implied == name))
                .map(|name| (name.to_owned(), world.value(member, name)))
                .collect();
            effects.push(Effect::Rehold { subset: at, one: world.key(&one), key, set, add });
        }
    }
    effects
}

/// What taking a member away does to the first of the many it was one of.
pub(super) fn refills(world: &World<'_>, structure: &Structure, member: &Member) -> Vec<Effect> {
    subsets(world, structure, member)
        .filter_map(|(subset, _)| refill(world, structure, subset, member))
        .collect()
}

/// What changing another does to the copies that the first of the many have of it.
pub(super) fn recopies(
    structure: &Structure,
    relation: usize,
    one: &[Value],
    set: &[(String, Value)],
) -> Vec<Effect> {
    let recopy = |(subset, kept): (usize, &Subset)| {
        let shown =
            |name: &String| kept.shown.iter().any(|(by, shown)| *by == relation && shown == name);
        let set: Vec<_> = set.iter().filter(|(name, _)| shown(name)).cloned().collect();
        let one = one.to_vec();
        (!set.is_empty()).then_some(Effect::RecopyHeld { subset, relation, one, set })
    };
    structure.subsets.iter().enumerate().filter_map(recopy).collect()
}
