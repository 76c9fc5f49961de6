use marula_core::model::OnDelete;

use super::record::Tree;
use crate::synth::Value;

/// One thing a write does to the stores.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Members of one entity are added to its store.
    Insert {
        /// The members, with those that are embedded in them.
        trees: Vec<Tree>,
    },
    /// A member is added to the array of the one it is embedded in.
    Push {
        /// The relationship it is embedded by.
        relation: usize,
        /// The key of the one.
        one: Vec<Value>,
        /// The member.
        tree: Tree,
    },
    /// Members are changed where they are.
    Change {
        /// The entity's index.
        entity: usize,
        /// What finds them.
        by: Vec<(String, Value)>,
        /// What is set.
        set: Vec<(String, Value)>,
        /// What is added to.
        add: Vec<(String, Value)>,
    },
    /// Copies of the one's attributes are brought in step.
    Recopy {
        /// The relationship whose many have the copies.
        relation: usize,
        /// The key of the one.
        one: Vec<Value>,
        /// The copied attributes and what they are set to.
        set: Vec<(String, Value)>,
    },
    /// A value over the many is brought in step.
    Tally {
        /// Its index in the structure.
        computed: usize,
        /// The key of the one.
        one: Vec<Value>,
        /// What it grows by.
        by: Value,
    },
    /// A member is added to the first of the many kept with the one, if it is among them.
    Hold {
        /// The subset's index in the structure.
        subset: usize,
        /// The key of the one.
        one: Vec<Value>,
        /// The member.
        tree: Tree,
    },
    /// A member is changed among the first of the many, if it is among them.
    Rehold {
        /// The subset's index in the structure.
        subset: usize,
        /// The key of the one.
        one: Vec<Value>,
        /// The member's key.
        key: Vec<(String, Value)>,
        /// What is set.
        set: Vec<(String, Value)>,
        /// What is added to.
        add: Vec<(String, Value)>,
    },
    /// The first of the many are read anew from where all of them are.
    Refill {
        /// The subset's index in the structure.
        subset: usize,
        /// The key of the one.
        one: Vec<Value>,
    },
    /// Copies of another's attributes are brought in step among the first of the many.
    RecopyHeld {
        /// The subset's index in the structure.
        subset: usize,
        /// The relationship by which the many refer to the other.
        relation: usize,
        /// The key of the other.
        one: Vec<Value>,
        /// The copied attributes and what they are set to.
        set: Vec<(String, Value)>,
    },
    /// A member is added to the buckets of its one.
    Append {
        /// Their index in the structure.
        bucket: usize,
        /// The member.
        tree: Tree,
    },
    /// Ones have gone: what becomes of their many that are kept elsewhere. A foreign key may do it.
    Leave {
        /// The relationship of the many.
        relation: usize,
        /// The keys of the ones.
        ones: Vec<Vec<Value>>,
        /// What becomes of them.
        fate: OnDelete,
    },
    /// Members are taken away.
    Remove {
        /// The entity's index.
        entity: usize,
        /// What finds them.
        by: Vec<(String, Value)>,
    },
}
