//! References whose name does not say what they lead to but what it is to them: a manager, an author,
//! what was replied to.

use rustc_hash::FxHashSet;

use super::inclusion::{Inclusion, included, naming_class, refers, values};
use super::naming::{singular, stem};
use super::world::{Origin, Reference, World};
use crate::names;

/// What something of one's own kind is to one.
const OF_ITS_KIND: [&str; 28] = [
    "ancestor",
    "boss",
    "corrects",
    "dam",
    "duplicate_of",
    "father",
    "in_reply_to",
    "manager",
    "mgr",
    "mother",
    "next",
    "original",
    "parent",
    "predecessor",
    "prev",
    "previous",
    "referred_by",
    "referrer",
    "replaced_by",
    "replaces",
    "replied_to",
    "reply_to",
    "reports_to",
    "sire",
    "successor",
    "superior",
    "superseded_by",
    "supervisor",
];

/// What somebody is to something, as the last word.
const OF_PEOPLE: [&str; 31] = [
    "agent",
    "approver",
    "assignee",
    "author",
    "boss",
    "buyer",
    "coach",
    "creator",
    "doctor",
    "editor",
    "followee",
    "follower",
    "guest",
    "host",
    "instructor",
    "leader",
    "manager",
    "mgr",
    "owner",
    "payee",
    "payer",
    "receiver",
    "recipient",
    "reporter",
    "requester",
    "reviewer",
    "seller",
    "sender",
    "supervisor",
    "teacher",
    "uploader",
];

/// What is done by people, besides words that end with `ed`.
const DONE_BY: [&str; 8] = ["lent", "led", "made", "paid", "sent", "sold", "won", "written"];

/// What is done to people.
const DONE_TO: [&str; 10] = [
    "addressed",
    "assigned",
    "billed",
    "given",
    "granted",
    "lent",
    "paid",
    "sent",
    "shipped",
    "sold",
];

/// What people are called, as one of many.
const PEOPLE: [&str; 12] = [
    "account", "contact", "customer", "employee", "member", "people", "person", "profile", "staff",
    "student", "user", "worker",
];

/// Finds references by their roles, and adds them: all values must be keys of what they lead to, and
/// of people only where nobody else's are.
pub fn find(world: &mut World) {
    let mut found = Vec::new();
    let mut notes = Vec::new();
    for from in 0..world.entities.len() {
        for at in 0..world.entities[from].attributes.len() {
            let entity = &world.entities[from];
            if entity.key == [at] || refers(world, from, at) {
                continue;
            }
            let name = &entity.attributes[at].name;
            let all = |targets: Vec<usize>| -> Vec<usize> {
                let of_class = targets.into_iter().filter(|to| leads(world, from, at, *to));
                of_class.collect()
            };
            let own = if is_of_its_kind(name) { all(vec![from]) } else { Vec::new() };
            let people = if is_of_people(name) { all(people(world)) } else { Vec::new() };
            // A department's manager is an employee, an employee's is one, too.
            let targets = match own.is_empty() || !people.is_empty() && !people.contains(&from) {
                true => people,
                false => own,
            };
            match targets.as_slice() {
                [] => {}
                [to] => found.push((from, at, *to)),
                several => {
                    let several: Vec<&str> =
                        several.iter().map(|to| world.entities[*to].name.as_str()).collect();
                    let whom = several.join(" or to ");
                    notes.push(format!("{}.{name} may refer to {whom}", entity.name));
                }
            }
        }
    }
    for (from, at, to) in found {
        let attributes = vec![at];
        let fanout = world.fanout(from, &attributes, to);
        let origin = Origin::Inclusion;
        world.references.push(Reference {
            from,
            attributes,
            to,
            origin,
            fanout,
            at_least_one: false,
        });
    }
    world.notes.extend(notes);
}

fn is_of_its_kind(name: &str) -> bool {
    let stem = stem(name);
    OF_ITS_KIND.iter().any(|role| stem == *role || stem.ends_with(&format!("_{role}")))
}

fn is_of_people(name: &str) -> bool {
    let words = names::words(&stem(name));
    let Some(last) = words.last() else { return false };
    let done = words.len().checked_sub(2).map(|before| words[before].as_str());
    match (last.as_str(), done) {
        ("by", Some(done)) => done.ends_with("ed") || DONE_BY.contains(&done),
        ("to", Some(done)) => DONE_TO.contains(&done),
        (last, _) => OF_PEOPLE.contains(&last),
    }
}

/// The entities that are people.
fn people(world: &World) -> Vec<usize> {
    let is = |at: &usize| {
        let words = names::words(&singular(&world.entities[*at].name));
        words.last().is_some_and(|last| PEOPLE.contains(&last.as_str()))
    };
    (0..world.entities.len()).filter(is).collect()
}

/// Whether all values of an attribute are keys of an entity.
fn leads(world: &World, from: usize, at: usize, to: usize) -> bool {
    let target = &world.entities[to];
    let [key] = target.key.as_slice() else { return false };
    let class = naming_class(world, from, at);
    if class.is_none() || class != naming_class(world, to, *key) {
        return false;
    }
    let keys: FxHashSet<Vec<&str>> =
        (0..target.rows.len()).filter_map(|row| values(world, to, &target.key, row)).collect();
    matches!(included(world, from, &[at], to, &keys), Inclusion::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_something_is_to_one() {
        for name in ["manager_id", "parentId", "reports_to", "in_reply_to", "mgr", "root_parent_id"]
        {
            assert!(is_of_its_kind(name), "{name}");
        }
        for name in ["author_id", "created_by", "ownerId", "assigned_to", "sales_manager_id"] {
            assert!(is_of_people(name), "{name}");
        }
        for name in
            ["by", "to", "parents", "authority", "apparent_size", "order_id", "sorted", "valid_to"]
        {
            assert!(!is_of_its_kind(name) && !is_of_people(name), "{name}");
        }
    }
}
