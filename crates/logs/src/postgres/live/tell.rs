use std::collections::{BTreeMap, BTreeSet};

use marula_core::{
    Count, Digest, Engine, Fingerprint, ObjectDigest, OriginDigest, OriginKind, Sample, SourceRead,
    Span, StatementDigest,
};
use marula_postgres::counters::Snapshot;

use super::counted::{Counted, Summed};
use crate::objects::{in_order, read_by};
use crate::{Request, Shape, SortBy};

/// Names told of each kind.
const NAMES: usize = 20;

/// All counters of one shape.
struct Gathered<'a> {
    shape: Shape,
    text: &'a str,
    sum: Summed,
    users: BTreeMap<&'a str, u64>,
    databases: BTreeMap<&'a str, u64>,
}

/// The digest of what was counted.
pub(super) fn digest(
    mut counted: Vec<Counted<'_>>,
    span: Option<Span>,
    snapshot: &Snapshot,
    name: &str,
    request: &Request,
) -> Digest {
    counted.retain(|one| wanted(one, request));
    // In one order whatever the map's, so that sums of fractions come out the same.
    counted.sort_by_key(|one| one.of.key);
    let mut all = Summed::default();
    let mut shapes: BTreeMap<Fingerprint, Gathered<'_>> = BTreeMap::new();
    let mut places: BTreeMap<(OriginKind, &str), (u64, f64)> = BTreeMap::new();
    for one in &counted {
        all.add(one);
        let text = one.of.text.as_bytes();
        let shape = super::super::text::shape(text, super::super::text::key(text));
        let gathered = shapes.entry(shape.fingerprint.clone()).or_insert_with(|| Gathered {
            shape,
            text: &one.of.text,
            sum: Summed::default(),
            users: BTreeMap::new(),
            databases: BTreeMap::new(),
        });
        gathered.sum.add(one);
        *gathered.users.entry(&one.of.user).or_default() += one.calls;
        *gathered.databases.entry(&one.of.database).or_default() += one.calls;
        for place in [(OriginKind::Database, &one.of.database), (OriginKind::User, &one.of.user)] {
            let sum = places.entry((place.0, place.1)).or_default();
            sum.0 += one.calls;
            sum.1 += one.total_ms;
        }
    }
    let objects = objects(&counted, all.total_ms, snapshot.block);
    let mut statements: Vec<StatementDigest> =
        shapes.into_values().map(|one| statement(one, all.total_ms, snapshot.block)).collect();
    let rank = |one: &StatementDigest| match request.sort {
        SortBy::Total | SortBy::P99 => one.load.total_ms,
        SortBy::Mean => one.load.mean_ms,
        SortBy::Calls => one.load.calls as f64,
        SortBy::Reads => one.load.reads.unwrap_or(0) as f64,
    };
    statements.sort_by(|a, b| {
        rank(b).total_cmp(&rank(a)).then_with(|| a.fingerprint.cmp(&b.fingerprint))
    });
    let left_out = statements.len().saturating_sub(request.top);
    statements.truncate(request.top);
    let mut origins: Vec<OriginDigest> = places
        .into_iter()
        .map(|((kind, name), (calls, total_ms))| OriginDigest {
            kind,
            name: name.to_owned(),
            calls,
            total_ms,
        })
        .collect();
    origins.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| b.total_ms.total_cmp(&a.total_ms)));
    Digest {
        sources: vec![SourceRead {
            name: name.to_owned(),
            format: Some(format!("pg_stat_statements {}", snapshot.version)),
            engine: Some(Engine::Postgres),
            entries: counted.len() as u64,
            ..SourceRead::default()
        }],
        span,
        totals: all.load(snapshot.block),
        statements,
        statements_left_out: left_out as u64,
        timeline: marula_core::Timeline::default(),
        histogram: Vec::new(),
        errors: Vec::new(),
        events: Vec::new(),
        origins,
        objects,
    }
}

/// How long reads of each table take.
fn objects(counted: &[Counted<'_>], all_ms: f64, block: u64) -> Vec<ObjectDigest> {
    let mut sums: BTreeMap<String, (BTreeSet<Fingerprint>, Summed)> = BTreeMap::new();
    for one in counted {
        let text = one.of.text.as_bytes();
        let shape = super::super::text::shape(text, super::super::text::key(text));
        for name in read_by(Engine::Postgres, &shape.operation, &shape.objects) {
            let sum = sums.entry(name.to_owned()).or_default();
            sum.0.insert(shape.fingerprint.clone());
            sum.1.add(one);
        }
    }
    in_order(sums.into_iter().map(|(name, (shapes, sum))| ObjectDigest {
        engine: Engine::Postgres,
        name,
        statements: shapes.len() as u64,
        share: if all_ms > 0.0 { sum.total_ms / all_ms } else { 0.0 },
        load: sum.load(block),
    }))
}

fn wanted(one: &Counted<'_>, request: &Request) -> bool {
    let filter = &request.filter;
    let one_of =
        |wanted: &[String], name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let holds = |text: &String| one.of.text.to_lowercase().contains(&text.to_lowercase());
    one_of(&filter.databases, &one.of.database)
        && one_of(&filter.users, &one.of.user)
        && filter.text.as_ref().is_none_or(holds)
}

fn statement(one: Gathered<'_>, all_ms: f64, block: u64) -> StatementDigest {
    let load = one.sum.load(block);
    StatementDigest {
        fingerprint: one.shape.fingerprint,
        engine: Engine::Postgres,
        shape: one.shape.text,
        operation: one.shape.operation,
        objects: one.shape.objects,
        // The server keeps texts whole; one that does not parse is no less whole for it.
        incomplete: false,
        share: if all_ms > 0.0 { load.total_ms / all_ms } else { 0.0 },
        span: None,
        plans: Vec::new(),
        users: counts(one.users),
        applications: Vec::new(),
        hosts: Vec::new(),
        databases: counts(one.databases),
        timeline: Vec::new(),
        samples: vec![Sample {
            at: None,
            ms: load.max_ms,
            text: one.text.to_owned(),
            parameters: Vec::new(),
            truncated: false,
            plan: None,
        }],
        partial: None,
        load,
    }
}

fn counts(names: BTreeMap<&str, u64>) -> Vec<Count> {
    let mut counts: Vec<Count> =
        names.into_iter().map(|(name, count)| Count { name: name.to_owned(), count }).collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    counts.truncate(NAMES);
    counts
}
