use marula_core::{
    Digest, Engine, Parameter, Sample, Statement, StatementDigest, WeightedStatement, Workload,
};

/// The statements of `engine` as a workload that other capabilities take, most time first, and how
/// many were left out because the log had cut every run of them short.
pub fn workload(digest: &Digest, engine: Engine) -> (Workload, u64) {
    let mut own: Vec<&StatementDigest> =
        digest.statements.iter().filter(|one| one.engine == engine).collect();
    own.sort_by(|a, b| b.load.total_ms.total_cmp(&a.load.total_ms));
    let all = own.len();
    let statements: Vec<WeightedStatement> = own.into_iter().filter_map(weighted).collect();
    let left_out = (all - statements.len()) as u64;
    (Workload { engine, statements }, left_out)
}

fn weighted(one: &StatementDigest) -> Option<WeightedStatement> {
    // A run that can be run again: whole, and of all such runs the slowest.
    let whole = |sample: &&Sample| !sample.truncated && !sample.text.trim().is_empty();
    let sample = one.samples.iter().find(whole)?;
    let samples: Vec<Vec<Parameter>> = one
        .samples
        .iter()
        .filter(|other| !other.truncated && other.text == sample.text)
        .map(|other| other.parameters.clone())
        .filter(|parameters| !parameters.is_empty())
        .collect();
    Some(WeightedStatement {
        statement: Statement {
            engine: one.engine,
            text: sample.text.clone(),
            fingerprint: Some(one.fingerprint.clone()),
            parameters: sample.parameters.clone(),
        },
        calls: one.load.calls,
        total_ms: Some(one.load.total_ms),
        goal_ms: None,
        samples,
    })
}
