use marula_core::model::{Deed, Model, Write};

use super::Structure;
use crate::schema::{loses, nulled};

/// The first of the many in an order, kept with the one as an array beside the store of all of
/// them: the subset pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subset {
    /// The relationship's index in the model.
    pub relation: usize,
    /// The attributes of the many that tell which come first, each with whether the greatest does.
    /// The many's key is among them or implied by whose they are, so that no two are alike.
    pub order: Vec<(String, bool)>,
    /// How many are kept at most.
    pub count: u64,
    /// The attributes of the many that are kept.
    pub attributes: Vec<String>,
    /// What is shown of others the many refer to: the relationship and the other's attribute. It is
    /// kept along where the many have copies of it.
    pub shown: Vec<(usize, String)>,
    /// The field that holds them.
    pub name: String,
}

impl Subset {
    /// Whether a write takes members out or moves them, so that the array is filled anew from the
    /// store of all.
    pub fn is_refilled(&self, model: &Model) -> bool {
        model.writes.iter().any(|write| self.refills(model, write))
    }

    /// Whether this write does.
    pub fn refills(&self, model: &Model, write: &Write) -> bool {
        let ordered = |name: &String| self.order.iter().any(|(by, _)| by == name);
        match write.does {
            Deed::Insert => false,
            Deed::Update => {
                write.entity == model.relations[self.relation].from
                    && write.set.iter().chain(&write.increment).any(ordered)
            }
            Deed::Delete => {
                let nulled = nulled(model, write, self.relation);
                loses(model, write, self.relation) || nulled.iter().any(|name| self.keeps(name))
            }
        }
    }

    /// Whether an attribute of the many is kept, or tells their order.
    pub fn keeps(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|name| name == attribute)
            || self.order.iter().any(|(name, _)| name == attribute)
    }

    /// The field that every write of a refilled array counts up, so that two of them that meet are
    /// told apart by the server even where one of them changes nothing else.
    pub fn turn(&self) -> String {
        format!("{}_turn", self.name)
    }

    /// What is kept of others and a write changes: the relationship and the attribute.
    pub fn recopied<'a>(
        &'a self,
        model: &'a Model,
        structure: &'a Structure,
    ) -> impl Iterator<Item = &'a (usize, String)> {
        self.shown.iter().filter(|(relation, attribute)| {
            let to = &model.relations[*relation].to;
            structure.copies(*relation).contains(attribute)
                && model.writes.iter().any(|write| {
                    write.entity == *to
                        && write.does == Deed::Update
                        && (write.set.contains(attribute) || write.increment.contains(attribute))
                })
        })
    }
}
