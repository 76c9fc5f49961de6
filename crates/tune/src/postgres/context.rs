use marula_core::{NodePath, Plan, PlanNode, Relation, RelationalCatalog, Severity};
use pg_query::Node;

use super::candidates::{Candidate, Purpose, candidates, of_rewritten};
use super::rewrites::{Rewritten, Session, rewrites};
use super::shape::{Shape, Use};
use super::{ast, cost};
use crate::Proposal;

/// What the rules of PostgreSQL look at.
#[derive(Debug)]
pub struct Context {
    /// The plan, with actual numbers when the statement ran.
    pub plan: Plan,
    /// The relations the statement touches; `None` for a saved plan without a server.
    pub catalog: Option<RelationalCatalog>,
    /// The statement, where it is known.
    pub statement: Option<Node>,
    /// What the statement asks of each relation.
    pub shape: Shape,
    /// Indexes that could serve it, best first.
    pub candidates: Vec<Candidate>,
    /// Other ways to write it.
    pub rewrites: Vec<Rewritten>,
    /// The nodes' paths, parents before children, with their parents' numbers.
    places: Vec<(NodePath, Option<usize>)>,
}

/// A plan's node and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// Its path.
    pub path: &'a NodePath,
    /// The node.
    pub node: &'a PlanNode,
    /// The node above it.
    pub parent: Option<&'a PlanNode>,
}

impl Context {
    /// Everything that can be told of a plan. Whatever is not known is left out, and the rules
    /// that need it stay quiet.
    pub fn new(
        plan: Plan,
        catalog: Option<RelationalCatalog>,
        statement: Option<Node>,
        session: &Session,
    ) -> Self {
        let statement = statement.filter(|statement| !ast::too_deep(statement));
        let shape = match &statement {
            Some(statement) => Shape::read(statement, catalog.as_ref()),
            None => Shape::of_plan(&plan, catalog.as_ref()),
        };
        let mut candidates =
            catalog.as_ref().map_or_else(Vec::new, |catalog| candidates(&shape, &plan, catalog));
        let rewrites = match (&statement, &catalog) {
            (Some(statement), Some(catalog)) => rewrites(statement, catalog, session),
            _ => Vec::new(),
        };
        if let Some(catalog) = &catalog {
            // What combines several comes first, and asks for what each of them does.
            for rewritten in rewrites.iter().take(1) {
                let parsed = marula_postgres::sql::parse(&rewritten.proposal.up.concat()).ok();
                let root = parsed.as_ref().and_then(|parsed| parsed.root()).cloned();
                let shape = Shape::read(&Node { node: root }, Some(catalog));
                let asked = (&shape, rewritten.proposal.title.as_str());
                let further = of_rewritten(&candidates, asked, &plan, catalog);
                candidates.extend(further);
            }
        }
        let places = places(&plan.tree);
        Context { plan, catalog, statement, shape, candidates, rewrites, places }
    }

    /// Every node, parents before children.
    pub fn nodes(&self) -> impl Iterator<Item = At<'_>> {
        self.places.iter().filter_map(|(path, parent)| {
            let node = self.plan.tree.at(path)?;
            let parent = parent.and_then(|number| self.plan.tree.at(&self.places[number].0));
            Some(At { path, node, parent })
        })
    }

    /// The nodes whose operation is one of `operations`, in whatever form: parallel, backward, an
    /// outer or a semi-join.
    pub fn operations<'a>(&'a self, operations: &'a [&'a str]) -> impl Iterator<Item = At<'a>> {
        self.nodes().filter(move |at| operations.contains(&cost::operation(at.node)))
    }

    /// Whether the whole statement is so quick that nothing in it matters.
    pub fn trivial(&self) -> bool {
        match cost::total_ms(&self.plan) {
            Some(ms) => ms < 1.0,
            None => cost::number(&self.plan.tree, "Total Cost").unwrap_or(0.0) < 100.0,
        }
    }

    /// The node's own share of the statement.
    pub fn share(&self, node: &PlanNode) -> f64 {
        cost::share(&self.plan, node)
    }

    /// The node's share with its inputs.
    pub fn share_below(&self, node: &PlanNode) -> f64 {
        cost::share_below(&self.plan, node)
    }

    /// How much something matters that takes `share` of the statement.
    pub fn severity(&self, share: f64) -> Severity {
        match share {
            s if s >= 0.4 => Severity::High,
            s if s >= 0.1 => Severity::Medium,
            _ => Severity::Low,
        }
    }

    /// The relation a scan reads, from the catalogue.
    pub fn relation(&self, node: &PlanNode) -> Option<&Relation> {
        self.catalog.as_ref()?.find(node.relation.as_deref()?)
    }

    /// What the statement asks of the relation a scan reads.
    pub fn used(&self, node: &PlanNode) -> Option<&Use> {
        self.shape.of_scan(node).map(|(_, used)| used)
    }

    /// The indexes that would serve a scan for any of `purposes`, best first.
    pub fn indexes(&self, node: &PlanNode, purposes: &[Purpose]) -> Vec<Proposal> {
        let Some((_, used)) = self.shape.of_scan(node) else { return Vec::new() };
        self.candidates
            .iter()
            .filter(|candidate| candidate.relation == used.relation)
            .filter(|candidate| candidate.purposes.iter().any(|p| purposes.contains(p)))
            .map(|candidate| candidate.proposal.clone())
            .collect()
    }

    /// The indexes that would serve any scan below `node`.
    pub fn indexes_below(&self, node: &PlanNode, purposes: &[Purpose]) -> Vec<Proposal> {
        let mut found: Vec<Proposal> = Vec::new();
        for (_, scan) in node.walk() {
            for proposal in self.indexes(scan, purposes) {
                if !found.contains(&proposal) {
                    found.push(proposal);
                }
            }
        }
        found
    }

    /// The rewrites that mend what `rule` finds.
    pub fn rewrites(&self, rule: &str) -> Vec<Proposal> {
        self.rewrites
            .iter()
            .filter(|rewritten| rewritten.clears.contains(&rule))
            .map(|rewritten| rewritten.proposal.clone())
            .collect()
    }
}

fn places(root: &PlanNode) -> Vec<(NodePath, Option<usize>)> {
    let mut found: Vec<(NodePath, Option<usize>)> = Vec::new();
    let mut open = vec![(NodePath::new(), None, root)];
    while let Some((path, parent, node)) = open.pop() {
        let own = found.len();
        for (number, child) in node.children.iter().enumerate().rev() {
            let mut below = path.clone();
            below.push(number);
            open.push((below, Some(own), child));
        }
        found.push((path, parent));
    }
    found
}
