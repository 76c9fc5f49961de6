//! How long reads of each collection or table take.

use marula_core::{Digest, Engine, Load};

use super::super::grid::{grid, numbers, words};
use super::super::numbers::short;
use super::{Look, compact, examined, few, heading, known, share, text};

/// So many are shown unless the reader wants everything.
const SHOWN: usize = 10;

/// `Read latency by collection, the slowest first`.
pub fn title(digest: &Digest) -> &'static str {
    let has = |engine| digest.objects.iter().any(|one| one.engine == engine);
    match (has(Engine::Postgres), has(Engine::Mongodb)) {
        (true, true) => "Read latency by table and collection, the slowest first",
        (true, false) => "Read latency by table, the slowest first",
        _ => "Read latency by collection, the slowest first",
    }
}

/// How many keys were examined for each document returned.
pub fn keys_examined(load: &Load) -> Option<f64> {
    Some(load.keys? as f64 / load.returned?.max(1) as f64)
}

/// One line a collection or table.
pub fn table(digest: &Digest, look: &Look, out: &mut String) {
    if digest.objects.is_empty() {
        return;
    }
    heading(title(digest), look, out);
    let columns = [
        words("name"),
        numbers("reads"),
        numbers("mean"),
        numbers("p95"),
        numbers("total"),
        numbers("share"),
        numbers("read/row"),
        numbers("keys/row"),
    ];
    let most = if look.verbose { usize::MAX } else { SHOWN };
    let rows: Vec<Vec<String>> = digest
        .objects
        .iter()
        .take(most)
        .map(|one| {
            let load = &one.load;
            vec![
                one.name.clone(),
                short(load.calls),
                compact(load.mean_ms),
                known(load.p95_ms, compact),
                compact(load.total_ms),
                share(one.share),
                examined(load).map(few).unwrap_or_default(),
                keys_examined(load).map(few).unwrap_or_default(),
            ]
        })
        .collect();
    grid(&columns, &rows, look, out);
    if digest.objects.len() > rows.len() {
        let more = digest.objects.len() - rows.len();
        text::push_line(out, &format!("  and {more} faster ones; -v shows them"));
    }
}
