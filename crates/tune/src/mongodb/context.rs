mod drafts;

use bson::{Bson, Document};
use marula_core::{Collection, DocumentCatalog, Json, NodePath, Plan, PlanNode, Version};

use marula_mongodb::{Command, Operation};

use super::candidates::candidates;
use super::rewrites::{Rewrite, Rewrites, of_command};
use super::shape::{Access, Kind, Role, Shape};
use super::view;
use crate::Proposal;
pub use drafts::{count, draft};

/// Indexes offered for one access; the rest would only take time to prove.
const MAX_OFFERED: usize = 5;

/// What the rules of MongoDB look at.
#[derive(Debug)]
pub struct Context {
    /// The plan, with actual numbers when the command ran.
    pub plan: Plan,
    /// The command as the server takes it, on the collection below when it asks a view; `None`
    /// for a saved plan that does not hold it.
    pub command: Option<Document>,
    /// The stages of the view the command asks, which come before its own.
    pub view: Vec<Document>,
    /// What the command asks of each collection.
    pub shape: Shape,
    /// The collections the command touches; `None` without a server.
    pub catalog: Option<DocumentCatalog>,
    /// The server's version, or the newest the plan could have come from.
    pub version: Version,
    /// The other ways to write its pipeline.
    pub rewrites: Rewrites,
    /// Each rewrite with the new command and the old.
    pub rewritten: Vec<(Rewrite, Command, Command)>,
}

impl Context {
    /// A context over `plan` of `command`.
    pub fn new(
        plan: Plan,
        command: Option<&Command>,
        catalog: Option<DocumentCatalog>,
        version: Option<Version>,
    ) -> Self {
        // A saved plan need not say where it comes from: then nothing is ruled out.
        let version = version.or(plan.version).unwrap_or(Version::new(8, 0, 0));
        let sent = command.map(Command::to_command).or_else(|| planned(&plan));
        let below = command.zip(catalog.as_ref());
        let below = below.and_then(|(command, catalog)| view::below(&command.collection, catalog));
        let sent = match &below {
            Some(below) => sent.map(|sent| below.command(&sent)),
            None => sent,
        };
        let mut context = Context {
            plan,
            shape: sent.as_ref().map(|c| Shape::of(c, version)).unwrap_or_default(),
            command: sent,
            view: below.map(|below| below.stages).unwrap_or_default(),
            catalog,
            version,
            rewrites: Rewrites::default(),
            rewritten: Vec::new(),
        };
        let Some(command) = command else { return context };
        let known = context.collection(&command.collection);
        let rewritten = of_command(command, known, version);
        context.rewrites = rewritten.rewrites;
        for (rewrite, new) in rewritten.commands {
            context.rewritten.push((rewrite, new, command.clone()));
        }
        context
    }

    /// What is known of a collection.
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        self.catalog.as_ref()?.find(name)
    }

    /// Every node of the plan with its path.
    pub fn nodes(&self) -> Vec<(NodePath, &PlanNode)> {
        self.plan.tree.walk()
    }

    /// The share of the statement's work a node does by itself, from 0 to 1.
    pub fn share(&self, node: &PlanNode) -> f64 {
        let total = self.plan.execution_ms.unwrap_or(0.0);
        // The server counts whole milliseconds: of a few of them nothing can be told.
        if let Some(ms) = node.self_ms.filter(|_| total >= 20.0) {
            return (ms / total).clamp(0.0, 1.0);
        }
        let summary = &self.plan.summary;
        let all = (summary.reads.unwrap_or(0) + summary.keys.unwrap_or(0)) as f64;
        let own = (node.reads.unwrap_or(0) + node.keys.unwrap_or(0)) as f64;
        if all > 0.0 { (own / all).clamp(0.0, 1.0) } else { 0.5 }
    }

    /// The accesses of the command that `wanted` takes.
    pub fn accesses(&self, wanted: impl Fn(&Access) -> bool) -> Vec<&Access> {
        self.shape.accesses.iter().filter(|access| wanted(access)).collect()
    }

    /// The command's own read of a collection, or its write.
    pub fn main(&self) -> Option<&Access> {
        self.shape.main().filter(|access| matches!(access.role, Role::Main | Role::Write))
    }

    /// Indexes that might serve the accesses `wanted` takes.
    pub fn indexes(&self, share: f64, wanted: impl Fn(&Access) -> bool) -> Vec<Proposal> {
        self.indexes_of(&self.shape, share, wanted)
    }

    fn indexes_of(
        &self,
        shape: &Shape,
        share: f64,
        wanted: impl Fn(&Access) -> bool,
    ) -> Vec<Proposal> {
        let mut offered: Vec<Proposal> = Vec::new();
        for access in shape.accesses.iter().filter(|access| wanted(access)) {
            let found =
                candidates(access, self.collection(&access.collection), shape.collation.as_ref());
            for candidate in found.into_iter().take(MAX_OFFERED) {
                let proposal = candidate.proposal(share);
                if !offered.iter().any(|other| other.up == proposal.up) {
                    offered.push(proposal);
                }
            }
        }
        offered
    }

    /// Indexes for the command's own collection.
    pub fn main_indexes(&self, share: f64) -> Vec<Proposal> {
        self.indexes(share, |access| matches!(access.role, Role::Main | Role::Write | Role::Union))
    }

    /// What is to be done about a read that no index serves: `with` when indexes are proposed, or
    /// else why none are.
    pub fn remedy(&self, with: &str, proposals: &[Proposal]) -> String {
        let Some(main) = self.main().filter(|_| proposals.is_empty()) else { return with.into() };
        let text = |node: &PlanNode| {
            native(node, "filter").is_some_and(|filter| filter.to_string().contains("\"$expr\""))
        };
        let asks = |wanted: fn(&Kind) -> bool| {
            main.filter.predicates().iter().any(|predicate| wanted(&predicate.kind))
        };
        let why = if asks(|kind| *kind == Kind::Regex) {
            "No index bounds a regular expression that is not anchored or ignores case: anchor it \
             and keep the case, compare with a collation of strength 2, or use a text index."
        } else if asks(|kind| *kind == Kind::Negation) {
            "No index helps to find all but some values: name the wanted ones with $in where they \
             are few, or add a condition that narrows the read."
        } else if self.nodes().iter().any(|(_, node)| text(node)) {
            "No index bounds an $expr that computes or compares fields with each other: keep its \
             answer in a field of its own, and look for that."
        } else if main.filter.is_empty() {
            "No condition is looked for in an index, so everything is read."
        } else {
            "No ordinary index bounds these conditions: add one that compares a field with a \
             value or a range."
        };
        why.into()
    }

    /// Indexes for the command's own reads and writes of one collection.
    pub fn indexes_on(&self, collection: Option<&str>, share: f64) -> Vec<Proposal> {
        self.indexes(share, |access| {
            matches!(access.role, Role::Main | Role::Write | Role::Union)
                && collection.is_none_or(|name| name == access.collection)
        })
    }

    /// The rewrites of which `id` is a part, and the indexes that only they can use.
    pub fn rewrites(&self, id: &str, share: f64) -> Vec<Proposal> {
        let mut offered = Vec::new();
        for (rewrite, new, old) in &self.rewritten {
            if !rewrite.ids.contains(&id) {
                continue;
            }
            // The combined one does all that each alone does.
            let gain = share * if rewrite.ids.len() > 1 { 1.0 } else { 0.95 };
            offered.push(Proposal {
                kind: marula_core::ChangeKind::Rewrite,
                title: rewrite.title.clone(),
                relation: self.main().map(|main| main.collection.clone()),
                up: vec![new.to_shell()],
                down: vec![old.to_shell()],
                hazards: Vec::new(),
                conditions: rewrite.conditions.clone(),
                gain,
            });
            let Some(command) = &self.command else { continue };
            let command = match new.operation {
                Operation::Aggregate(_) => {
                    let pipeline: Vec<Document> =
                        self.view.iter().chain(&rewrite.pipeline).cloned().collect();
                    with_pipeline(command, &pipeline)
                }
                _ if self.view.is_empty() => new.to_command(),
                _ => continue,
            };
            let shape = Shape::of(&command, self.version);
            // Those the statement can use as it stands belong to other findings.
            let own = self.main_indexes(share);
            let indexes = self.indexes_of(&shape, share, |access| access.role == Role::Main);
            let only = indexes.into_iter().filter(|index| !own.iter().any(|o| o.up == index.up));
            for index in only {
                if !offered.iter().any(|other: &Proposal| other.up == index.up) {
                    offered.push(index);
                }
            }
        }
        offered
    }
}

/// What the plan tells of a command it does not hold: the collection, the filter, the order.
fn planned(plan: &Plan) -> Option<Document> {
    let nodes = plan.tree.walk();
    let (_, root) = nodes.iter().find(|(_, node)| node.native.get("queryPlanner").is_some())?;
    let planner = root.native.get("queryPlanner")?;
    let (_, collection) = planner.get("namespace")?.as_str()?.split_once('.')?;
    let document = |json: &Json| match Bson::try_from(json.clone()) {
        Ok(Bson::Document(document)) => Some(document),
        _ => None,
    };
    let filter = planner.get("parsedQuery").and_then(document).unwrap_or_default();
    let writes = nodes.iter().any(|(_, node)| matches!(node.op.as_str(), "UPDATE" | "DELETE"));
    if writes {
        return Some(bson::doc! {"delete": collection, "deletes": [{"q": filter, "limit": 0}]});
    }
    let mut find = bson::doc! {"find": collection, "filter": filter};
    let sort = nodes.iter().find_map(|(_, node)| document(node.native.get("sortPattern")?));
    if let Some(sort) = sort {
        find.insert("sort", sort);
    }
    let limit = nodes.iter().find_map(|(_, node)| native_number(node, "limitAmount"));
    if let Some(limit) = limit {
        find.insert("limit", limit as i64);
    }
    Some(find)
}

/// The same command with other stages.
pub fn with_pipeline(command: &Document, pipeline: &[Document]) -> Document {
    let mut changed = command.clone();
    changed.insert("pipeline", pipeline.to_vec());
    changed
}

/// A field of the engine's own node: of the stage, or beside it.
pub fn native<'a>(node: &'a PlanNode, key: &str) -> Option<&'a Json> {
    node.native.get(key).or_else(|| node.native.get(&node.op).and_then(|stage| stage.get(key)))
}

/// A number of the engine's own node.
pub fn native_number(node: &PlanNode, key: &str) -> Option<f64> {
    number(native(node, key)?)
}

/// A number in plain or extended JSON.
pub fn number(value: &Json) -> Option<f64> {
    value.as_f64().or_else(|| {
        let (kind, text) = value.as_object()?.iter().next()?;
        matches!(kind.as_str(), "$numberLong" | "$numberInt" | "$numberDouble")
            .then(|| text.as_str()?.parse().ok())?
    })
}
