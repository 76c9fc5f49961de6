use marula_postgres::counters::{Counters, Snapshot};

use super::counted::Counted;

/// What ran between two reads, and what may be missing from it.
pub(super) fn delta<'a>(before: &Snapshot, after: &'a Snapshot) -> (Vec<Counted<'a>>, Vec<String>) {
    let mut counted = Vec::new();
    let (mut new, mut again) = (0, 0);
    for (key, now) in &after.counters {
        let one = match before.counters.get(key) {
            Some(then) if goes_on(then, now) => Counted::since(then, now),
            then => {
                match then {
                    Some(_) => again += 1,
                    None => new += 1,
                }
                Counted::whole(now)
            }
        };
        if one.calls > 0 {
            counted.push(one);
        }
    }
    let gone = before.counters.keys().filter(|key| !after.counters.contains_key(key)).count();
    let mut notes = Vec::new();
    let reset = after.reset.zip(before.reset).is_some_and(|(now, then)| now != then);
    if reset {
        notes.push(
            "the counters were reset between the two reads: what ran before that is missing".into(),
        );
    }
    let evicted =
        after.evictions.zip(before.evictions).map_or(0, |(now, then)| now.saturating_sub(then));
    if evicted > 0 {
        notes.push(format!(
            "the server threw the least used statements away {evicted} times between the two reads \
             (pg_stat_statements.max = {}): what those ran is missing",
            after.max
        ));
    }
    if !reset && (again > 0 || gone > 0) {
        notes.push(format!(
            "{} statements were reset or thrown away between the two reads: what they ran before \
             that is missing",
            again + gone
        ));
    }
    if new > 0 {
        notes.push(format!("{new} statements are counted since the first read only: they are new"));
    }
    (counted, notes)
}

/// Whether `now` counts on from `then`.
fn goes_on(then: &Counters, now: &Counters) -> bool {
    now.calls >= then.calls && now.rows >= then.rows && now.since == then.since
}
