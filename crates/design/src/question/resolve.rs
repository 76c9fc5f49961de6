use marula_core::model::{AccessPath, AttributeType, Condition, Entity, Model, Operator};
use marula_core::{Error, ErrorKind, Result, nearest};

use super::{At, Computation, Demand, Direction, GroupDemand, Key, Node, Operand, Question};

/// The longest chain of steps.
const STEPS: usize = 32;

/// Finds every name of a path in the model.
///
/// # Errors
/// `Usage` for an entity, step or attribute that is not there, a comparison without a value, a
/// value that is compared with nothing, a sort by something that is not in the groups.
pub fn resolve(model: &Model, path: &AccessPath) -> Result<Question> {
    let root = entity(model, &path.from)?;
    let node = Node { entity: root.name.clone(), step: None, optional: false };
    let mut resolver = Resolver { model, nodes: vec![node] };
    for steps in &path.follow {
        resolver.walk(0, steps)?;
    }
    for steps in &path.optional {
        let node = resolver.walk(0, steps)?;
        resolver.nodes[node].optional = true;
    }
    let demands = |resolver: &mut Resolver, conditions: &[Condition]| {
        conditions.iter().map(|condition| resolver.demand(condition)).collect::<Result<Vec<_>>>()
    };
    let conditions = demands(&mut resolver, &path.conditions)?;
    let any = path
        .any
        .iter()
        .map(|conditions| match conditions.is_empty() {
            true => Err(unclear("of no alternatives none can hold".into())
                .hint("take the empty list out of any")),
            false => demands(&mut resolver, conditions),
        })
        .collect::<Result<Vec<_>>>()?;
    let attributes = |resolver: &mut Resolver, names: &[String]| {
        names.iter().map(|name| resolver.attribute(name)).collect::<Result<Vec<_>>>()
    };
    let mut select = attributes(&mut resolver, &path.select)?;
    let group = attributes(&mut resolver, &path.group)?;
    let mut aggregates = Vec::new();
    for aggregate in &path.aggregates {
        let of = aggregate.attribute.as_deref().map(|name| resolver.attribute(name)).transpose()?;
        let times = aggregate.times.as_deref().map(|name| resolver.attribute(name)).transpose()?;
        for at in of.iter().chain(&times) {
            resolver.computable(at, aggregate.function)?;
        }
        aggregates.push(Computation {
            function: aggregate.function,
            of,
            times,
            name: aggregate.name.clone(),
        });
    }
    let groups = !group.is_empty() || !aggregates.is_empty();
    if groups && select.iter().any(|at| !group.contains(at)) {
        return Err(unclear("what is selected beside aggregates must be in the group".into())
            .hint("add it to group, or leave it out of select"));
    }
    if groups {
        select.clear();
    } else if select.is_empty() {
        let all = root.attributes.iter();
        select = all.map(|a| At { node: 0, attribute: a.name.clone() }).collect();
    }
    if !path.having.is_empty() && group.is_empty() {
        return Err(unclear("having asks something of groups, and there are none".into())
            .hint("say by which attributes: group: […]"));
    }
    let having = path.having.iter().map(|condition| of_group(&aggregates, condition));
    let having = having.collect::<Result<Vec<_>>>()?;
    let mut sort = Vec::new();
    for key in &path.sort {
        let direction = if key.descending { Direction::Descending } else { Direction::Ascending };
        let by = match aggregates.iter().position(|aggregate| aggregate.name == key.by) {
            Some(at) => Key::Aggregate(at),
            None => Key::At(resolver.attribute(&key.by)?),
        };
        if let (true, Key::At(at)) = (groups, &by)
            && !group.contains(at)
        {
            return Err(unclear(format!(
                "groups cannot be sorted by {}: it is not in the group",
                key.by
            )));
        }
        sort.push((by, direction));
    }
    resolver.settle(&conditions);
    Ok(Question {
        nodes: resolver.nodes,
        conditions,
        any,
        select,
        group,
        aggregates,
        having,
        sort,
        limit: path.limit,
        held: None,
    })
}

struct Resolver<'m> {
    model: &'m Model,
    nodes: Vec<Node>,
}

impl Resolver<'_> {
    /// Follows dotted steps from a node; the same steps lead to the same node.
    fn walk(&mut self, from: usize, steps: &str) -> Result<usize> {
        let mut node = from;
        if steps.split('.').count() > STEPS {
            return Err(unclear(format!("{steps} is longer than {STEPS} steps")));
        }
        for name in steps.split('.') {
            let here = self.nodes[node].entity.clone();
            let step = self.model.step(&here, name).ok_or_else(|| self.no_step(&here, name))?;
            let taken = Some((node, step.index, step.to_one));
            node = match self.nodes.iter().position(|n| n.step == taken) {
                Some(known) => known,
                None => {
                    let entity = step.to().to_owned();
                    self.nodes.push(Node { entity, step: taken, optional: false });
                    self.nodes.len() - 1
                }
            };
        }
        Ok(node)
    }

    /// Says of each node whether it need not be there: what is behind one that need not be need not
    /// be either; but what something must hold of has to be there, and all on the way to it.
    fn settle(&mut self, conditions: &[Demand]) {
        // A node comes behind the one it is reached from.
        for at in 1..self.nodes.len() {
            let from = self.nodes[at].step.map(|(from, ..)| from);
            self.nodes[at].optional |= from.is_some_and(|from| self.nodes[from].optional);
        }
        for demand in conditions.iter().filter(|demand| demand.is != Operator::Missing) {
            let mut at = Some(demand.at.node);
            while let Some(node) = at {
                self.nodes[node].optional = false;
                at = self.nodes[node].step.map(|(from, ..)| from);
            }
        }
    }

    /// A condition with its names found.
    fn demand(&mut self, condition: &Condition) -> Result<Demand> {
        let name = &condition.attribute;
        let at = self.attribute(name)?;
        let operand = match (condition.parameter, &condition.value) {
            (Some(0), _) => {
                return Err(unclear(format!("{name}: parameters are numbered from 1")));
            }
            (Some(number), None) => Some(Operand::Parameter(number)),
            (None, Some(value)) => Some(Operand::Value(value.clone())),
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(unclear(format!(
                    "{name} is compared with both a parameter and a value"
                )));
            }
        };
        let alone = matches!(condition.is, Operator::Missing | Operator::Present);
        match (alone, &operand) {
            (false, None) => Err(unclear(format!("{name} is compared with nothing"))
                .hint("give parameter: 1, or value: …")),
            (true, Some(_)) => {
                Err(unclear(format!("{name} is there or not; no value goes with that")))
            }
            _ => Ok(Demand { at, is: condition.is, operand }),
        }
    }

    /// Finds `customer.name`.
    fn attribute(&mut self, path: &str) -> Result<At> {
        let (steps, name) = match path.rsplit_once('.') {
            None => (None, path),
            Some((steps, name)) => (Some(steps), name),
        };
        let root = &self.nodes[0].entity;
        let node = match steps {
            // `orders.status` where the path begins at orders.
            Some(steps) if steps == root && self.model.step(root, steps).is_none() => 0,
            Some(steps) => self.walk(0, steps)?,
            None => 0,
        };
        let entity = entity(self.model, &self.nodes[node].entity)?;
        match entity.attribute(name) {
            Some(_) => Ok(At { node, attribute: name.to_owned() }),
            None => {
                let names = entity.attributes.iter().map(|a| a.name.as_str());
                let error = unclear(format!("{} has no attribute {name}", entity.name));
                Err(match nearest(name, names).first() {
                    Some(near) => error.hint(format!("{near} was meant?")),
                    None => error,
                })
            }
        }
    }

    fn no_step(&self, entity: &str, name: &str) -> Error {
        let relations = || self.model.relations.iter();
        let leading = relations()
            .filter(|r| (r.from == entity && r.to == name) || (r.to == entity && r.from == name));
        if leading.count() > 1 {
            return unclear(format!("several relations lead from {entity} to {name}"))
                .hint("give each a name (and an inverse), and follow that");
        }
        let error = unclear(format!("no relation leads from {entity} to {name}"));
        let ends =
            relations().enumerate().flat_map(|(at, r)| marula_core::model::Step::both(at, r));
        let names: Vec<&str> = ends
            .filter(|step| step.from() == entity)
            .map(|step| step.name().unwrap_or(step.to()))
            .collect();
        match nearest(name, names.iter().copied()).first() {
            Some(near) => error.hint(format!("{near} was meant?")),
            None if names.is_empty() => error,
            None => error.hint(format!("from {entity} one comes to: {}", names.join(", "))),
        }
    }

    fn computable(&self, at: &At, function: marula_core::model::AggregateFunction) -> Result<()> {
        use marula_core::model::AggregateFunction::{Average, Sum};
        let kind = self
            .model
            .entity(&self.nodes[at.node].entity)
            .and_then(|entity| entity.attribute(&at.attribute))
            .map(|attribute| attribute.kind);
        let number = matches!(
            kind,
            Some(
                AttributeType::Integer
                    | AttributeType::Decimal
                    | AttributeType::Money
                    | AttributeType::Float
            )
        );
        if matches!(function, Sum | Average) && !number {
            return Err(unclear(format!("{} is no number and has no sum", at.attribute)));
        }
        Ok(())
    }
}

/// A condition on groups with its aggregate found.
fn of_group(aggregates: &[Computation], condition: &Condition) -> Result<GroupDemand> {
    let name = &condition.attribute;
    let Some(aggregate) = aggregates.iter().position(|aggregate| aggregate.name == *name) else {
        let error = unclear(format!("having: {name} is no aggregate of this path"));
        let near = nearest(name, aggregates.iter().map(|aggregate| aggregate.name.as_str()));
        return Err(match near.first() {
            Some(near) => error.hint(format!("{near} was meant?")),
            None => error.hint("what must hold of an attribute belongs under where"),
        });
    };
    if !compares(condition.is) {
        return Err(unclear(format!("having: {name} is compared with =, <>, <, <=, > or >=")));
    }
    match (&condition.value, condition.parameter) {
        (Some(value), None) if !value.is_null() && !value.is_array() && !value.is_object() => {
            Ok(GroupDemand { aggregate, is: condition.is, value: value.clone() })
        }
        _ => Err(unclear(format!("having: {name} is compared with one value: {name} > 5"))
            .hint("write value: 5; a parameter of a group has no values to be drawn from")),
    }
}

/// Whether an operator compares by order or equality.
pub(crate) fn compares(is: Operator) -> bool {
    use Operator::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
    matches!(is, Equal | NotEqual | Less | AtMost | Greater | AtLeast)
}

fn entity<'m>(model: &'m Model, name: &str) -> Result<&'m Entity> {
    model.entity(name).ok_or_else(|| {
        let error = unclear(format!("there is no entity {name}"));
        match nearest(name, model.entities.iter().map(|entity| entity.name.as_str())).first() {
            Some(near) => error.hint(format!("{near} was meant?")),
            None => error,
        }
    })
}

fn unclear(message: String) -> Error {
    Error::new(ErrorKind::Usage, message)
}
