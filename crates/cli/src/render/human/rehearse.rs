//! `marula migrate rehearse`: what each statement did to those who went on working.

use marula_core::{
    Behind, Blocks, ClientImpact, Depth, Engine, MigrationForm, MigrationWork, Rehearsal,
    RehearsalRun, RehearsedStatement, Report, Severity,
};

use super::super::{Look, statement};
use super::grid::{grid, numbers, words};
use super::numbers::{bytes, duration, grouped, percent};
use super::paint::Ink;
use super::{heading, notes, paragraph, text};

/// Clients that are shown of each statement.
const CLIENTS: usize = 4;
/// Locks that are shown of each statement.
const LOCKS: usize = 4;

/// A rehearsal.
pub fn rehearsal(report: &Report, rehearsal: &Rehearsal, look: &Look) -> String {
    let wrapped = text::wrap(&sentence(rehearsal), paragraph(look), "", "");
    let mut out = look.paint.ink(Ink::Strong, wrapped.trim_end());
    out.push('\n');
    out.push_str(&text::wrap(&ground(report, rehearsal), paragraph(look), "", ""));
    if rehearsal.runs.len() > 1 {
        out.push('\n');
        overview(rehearsal, look, &mut out);
    }
    for run in &rehearsal.runs {
        one(run, rehearsal.server.engine, look, &mut out);
    }
    notes(report, look, &mut out);
    out
}

/// The result in one line.
pub fn sentence(rehearsal: &Rehearsal) -> String {
    let longest = |form: MigrationForm| {
        let own = rehearsal.runs.iter().filter(|run| run.form == form);
        own.map(|run| run.longest_stall_ms).reduce(f64::max)
    };
    let written = longest(MigrationForm::Written).unwrap_or(0.0);
    if let Some(failure) = rehearsal.runs.iter().find_map(|run| run.failure.as_ref()) {
        return format!("the migration fails: {}", text::flat(&failure.message));
    }
    let mut all = match written {
        0.0 => "no client was stalled".to_owned(),
        ms => format!("clients were stalled for up to {}", duration(ms)),
    };
    if let Some(safe) = longest(MigrationForm::Safe) {
        all.push_str(&match safe {
            0.0 => "; by the safe form nobody was".to_owned(),
            ms => format!("; by the safe form up to {}", duration(ms)),
        });
    }
    let lost = |run: &RehearsalRun| run.way_back.as_ref().is_some_and(|back| !back.restored);
    if rehearsal.runs.iter().any(lost) {
        all.push_str("; the way back does not restore what was there");
    }
    all
}

/// How much a rehearsal's longest stall matters; `None` when nobody was stalled and all is well.
pub fn severity(rehearsal: &Rehearsal) -> Option<Severity> {
    let own = rehearsal.runs.iter().filter(|run| run.form == MigrationForm::Written);
    own.filter_map(|run| {
        let lost = run.way_back.as_ref().is_some_and(|back| !back.restored);
        match run.longest_stall_ms {
            _ if run.failure.is_some() => Some(Severity::High),
            ms if ms >= 1000.0 => Some(Severity::High),
            ms if ms >= 200.0 || lost => Some(Severity::Medium),
            ms if ms > 0.0 || run.failed > 0 => Some(Severity::Low),
            _ => None,
        }
    })
    .max()
}

/// What it ran on, and beside whom.
pub fn ground(report: &Report, rehearsal: &Rehearsal) -> String {
    let engine = rehearsal.server.engine.title();
    let rows = if rehearsal.server.engine == Engine::Postgres { "rows" } else { "documents" };
    let count = grouped(rehearsal.dataset.rows);
    let of =
        report.target.as_ref().map(|target| format!(" of {}", target.name)).unwrap_or_default();
    let data = match rehearsal.dataset.depth {
        Depth::Full => format!("a full copy{of}, {count} {rows}"),
        Depth::Sample => {
            format!("a sample{of}, {} of the {rows}: {count}", percent(rehearsal.dataset.share))
        }
        _ => format!("{count} {rows} made up for it"),
    };
    let load = &rehearsal.load;
    let who = match load.operations.is_empty() {
        true => "no client".to_owned(),
        false => format!("{} clients at {:.0} operations a second", load.clients, load.rate),
    };
    let what = if load.from_workload { " of the workload" } else { "" };
    let mut standing = Vec::new();
    if load.reader_ms > 0.0 {
        standing.push(format!("a reader with a snapshot of {}", duration(load.reader_ms)));
    }
    if load.writer_ms > 0.0 {
        standing.push(format!("a writer idle in its transaction for {}", duration(load.writer_ms)));
    }
    let standing = match standing.is_empty() {
        true => String::new(),
        false => format!("; before each statement began {}", standing.join(" and ")),
    };
    format!("{engine} {}, {data}; {who}{what}{standing}", rehearsal.server.version)
}

fn overview(rehearsal: &Rehearsal, look: &Look, out: &mut String) {
    let mut rows: Vec<Vec<String>> = rehearsal.runs.iter().map(row).collect();
    let several = rows.iter().any(|row| row.first() != rows[0].first());
    // What stands below of each run gives way: log, disk, lag; where it is really narrow, time.
    let left_out: &[usize] = match (look.width, several) {
        (..80, true) => &[5, 6, 7, 8],
        (..80, false) => &[0, 6, 7, 8],
        (80..104, true) => &[6, 7],
        (_, true) => &[],
        (_, false) => &[0],
    };
    for row in &mut rows {
        for at in left_out {
            row[*at].clear();
        }
    }
    let columns = [
        words("migration"),
        words("form"),
        numbers("stall"),
        numbers("stalled"),
        numbers("failed"),
        numbers("took"),
        numbers("log"),
        numbers("disk"),
        numbers("lag"),
        words("way back"),
    ];
    grid(&columns, &rows, look, out);
}

/// A run in cells: file, form, longest stall, stalled, failed, took, log, what the disk took
/// besides, replication lag, way back.
pub fn row(run: &RehearsalRun) -> Vec<String> {
    let name = run.file.rsplit('/').next().unwrap_or_default().to_owned();
    let form = if run.form == MigrationForm::Safe { "safe" } else { "written" };
    let back = match &run.way_back {
        None => "none",
        Some(back) if back.failed.is_some() => "fails",
        Some(back) if back.restored => "restores",
        Some(_) => "loses",
    };
    vec![
        name,
        form.into(),
        if run.longest_stall_ms > 0.0 { duration(run.longest_stall_ms) } else { "none".into() },
        grouped(run.stalled),
        grouped(run.failed),
        duration(run.duration_ms),
        bytes(run.log_bytes),
        format!("+{}", bytes(run.disk_peak_bytes.saturating_sub(run.disk_before_bytes))),
        run.replication_lag_ms.map(duration).unwrap_or_default(),
        if run.failure.is_some() { "".into() } else { back.into() },
    ]
}

fn one(run: &RehearsalRun, engine: Engine, look: &Look, out: &mut String) {
    let form = if run.form == MigrationForm::Safe { ", the safe form" } else { "" };
    heading(&format!("{}{form}", run.file), look, out);
    for statement in &run.statements {
        one_statement(statement, engine, look, out);
    }
    if let Some(failure) = &run.failure {
        let what = format!("It ends here: {}", text::flat(&failure.message));
        let wrapped = text::wrap(&what, paragraph(look), "  ", "  ");
        out.push_str(&look.paint.ink(Ink::Bad, wrapped.trim_end()));
        out.push('\n');
    }
    let log = if engine == Engine::Postgres { "WAL" } else { "oplog" };
    let mut facts = vec![
        format!("took {}", duration(run.duration_ms)),
        format!("{} of {log}", bytes(run.log_bytes)),
        format!(
            "disk at most {} (before it {})",
            bytes(run.disk_peak_bytes),
            bytes(run.disk_before_bytes)
        ),
    ];
    let follower = if engine == Engine::Postgres { "the standby" } else { "the secondary" };
    facts.push(match run.replication_lag_ms {
        Some(lag) => format!("{follower} was up to {} behind", duration(lag)),
        None => "replication lag not measured".into(),
    });
    let line = format!("All: {}", facts.join("; "));
    out.push('\n');
    out.push_str(&text::wrap(&line, paragraph(look), "  ", "    "));
    way_back(run, look, out);
}

fn way_back(run: &RehearsalRun, look: &Look, out: &mut String) {
    let Some(back) = &run.way_back else {
        if run.failure.is_none() {
            text::push_line(out, "  Way back: there is none in the file");
        }
        return;
    };
    let (ink, line) = match (&back.failed, back.restored) {
        (Some(error), _) => (Ink::Bad, format!("Way back: fails: {}", text::flat(error))),
        (None, true) => (
            Ink::Good,
            format!("Way back: {}; schema and data are as before", duration(back.duration_ms)),
        ),
        (None, false) => {
            (Ink::Bad, format!("Way back: {}; not all is as before", duration(back.duration_ms)))
        }
    };
    let wrapped = text::wrap(&line, paragraph(look), "  ", "    ");
    out.push_str(&look.paint.ink(ink, wrapped.trim_end()));
    out.push('\n');
    for difference in back.differences.iter().take(10) {
        out.push_str(&text::wrap(difference, paragraph(look), "    - ", "      "));
    }
}

fn one_statement(told: &RehearsedStatement, engine: Engine, look: &Look, out: &mut String) {
    out.push('\n');
    let room = look.width.saturating_sub(4);
    let lines = statement::laid_out(&told.text, engine, room);
    for line in lines.iter().take(if look.verbose { usize::MAX } else { 6 }) {
        text::push_line(out, &format!("    {}", look.paint.ink(Ink::Code, &text::cut(line, room))));
    }
    let ink = match told.longest_stall_ms {
        ms if ms >= 200.0 => Ink::Bad,
        ms if ms > 0.0 => Ink::Warn,
        _ => Ink::Good,
    };
    let line = text::wrap(&headline(told, engine), paragraph(look), "  ", "    ");
    out.push_str(&look.paint.ink(ink, line.trim_end()));
    out.push('\n');
    for fact in facts(told, look.verbose) {
        out.push_str(&text::wrap(&fact, paragraph(look), "    ", "      "));
    }
    let shown = if look.verbose { usize::MAX } else { CLIENTS };
    let troubled: Vec<&ClientImpact> = told
        .clients
        .iter()
        .filter(|c| look.verbose || c.stalled > 0 || c.failed > 0)
        .take(shown)
        .collect();
    if !troubled.is_empty() {
        let mut rows: Vec<Vec<String>> = troubled.iter().map(|c| client(c)).collect();
        for row in &mut rows {
            // Where they stood is told below: it would be the widest column.
            row.pop();
            if look.width < 76 {
                row[2].clear();
                row[3].clear();
            }
        }
        let columns = [
            words("clients"),
            numbers("operations"),
            numbers("half"),
            numbers("99 %"),
            numbers("longest"),
            numbers("stalled"),
            numbers("failed"),
        ];
        grid(&columns, &rows, look, out);
        for line in behind(&troubled) {
            out.push_str(&text::wrap(&line, paragraph(look), "    ", "      "));
        }
    }
    for client in troubled.iter().filter(|client| client.failed > 0) {
        let error = client.error.as_deref().unwrap_or_default();
        let line = format!("the {} failed: {}", client.latency.operation, text::flat(error));
        out.push_str(&text::wrap(&line, paragraph(look), "    ", "      "));
    }
}

/// Where clients stood, in a line for each place.
fn behind(troubled: &[&ClientImpact]) -> Vec<String> {
    let mut places: Vec<(&Behind, Vec<String>)> = Vec::new();
    for client in troubled {
        let Some(place) = &client.behind else { continue };
        let who = format!("{} {}", client.latency.operation, client.latency.object);
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, all)) => all.push(who),
            None => places.push((place, vec![who])),
        }
    }
    let line = |(place, who): &(&Behind, Vec<String>)| {
        let does = if place.held { "holds" } else { "waits for" };
        let number = place.statement + 1;
        let all = who.join(", ");
        format!("{all}: behind {} on {}, which statement {number} {does}", place.lock, place.object)
    };
    places.iter().map(line).collect()
}

/// What a statement meant, in one line.
pub fn headline(told: &RehearsedStatement, engine: Engine) -> String {
    let mut parts = Vec::new();
    parts.push(match told.longest_stall_ms {
        0.0 => format!("line {}: nobody was stalled", told.line),
        ms => format!("line {}: clients were stalled for up to {}", told.line, duration(ms)),
    });
    let mut took = format!("took {}", duration(told.duration_ms));
    if told.waited_ms >= 1.0 {
        took.push_str(&format!(", of which it waited {} for locks", duration(told.waited_ms)));
    }
    if told.tries > 1 {
        took.push_str(&format!(", in {} tries", told.tries));
    }
    parts.push(took);
    let log = if engine == Engine::Postgres { "WAL" } else { "oplog" };
    if told.log_bytes > 64 * 1024 {
        parts.push(format!("{} of {log}", bytes(told.log_bytes)));
    }
    if let Some(error) = &told.failed {
        parts.push(format!("failed: {}", text::flat(error)));
    }
    parts.join("; ")
}

/// Locks, work, and what that comes to on the target, in a line each.
pub fn facts(told: &RehearsedStatement, verbose: bool) -> Vec<String> {
    let mut all = Vec::new();
    let stops = |blocks: Blocks| match blocks {
        Blocks::All => "stops reads and writes",
        Blocks::Writes => "stops writes",
        Blocks::Nothing => "stops nobody",
    };
    let shown: Vec<_> = told
        .locks
        .iter()
        .filter(|lock| verbose || lock.blocks != Blocks::Nothing)
        .take(if verbose { usize::MAX } else { LOCKS })
        .collect();
    for lock in &shown {
        let held = match lock.held_ms {
            ms if ms >= 1.0 => format!(" for {}", duration(ms)),
            _ => " for a moment".to_owned(),
        };
        all.push(format!("lock: {} on {}{held}, {}", lock.lock, lock.object, stops(lock.blocks)));
    }
    if shown.is_empty() {
        match told.locks.first() {
            Some(lock) => {
                all.push(format!("lock: {} on {}, stops nobody", lock.lock, lock.object));
            }
            None if told.failed.is_none() => all.push("lock: none on what was there before".into()),
            None => {}
        }
    }
    for done in &told.work {
        let what = match done.work {
            MigrationWork::Scan => "read all of",
            MigrationWork::Build => "built an index on",
            MigrationWork::Rewrite => "wrote anew all of",
            MigrationWork::None => continue,
        };
        all.push(format!("work: {what} {} ({} rows)", done.object, grouped(done.rows)));
    }
    if let Some(there) = &told.at_target {
        let blocked = match there.blocked_ms {
            ms if ms >= 1.0 => format!(", others kept out for {}", duration(ms)),
            _ => String::new(),
        };
        let took = duration(there.duration_ms);
        all.push(format!("on the target: about {took}{blocked} ({})", there.how));
    }
    all
}

/// A client's row: what, operations, half, 99 %, longest, stalled, failed, behind.
pub fn client(client: &ClientImpact) -> Vec<String> {
    let latency = &client.latency;
    let behind = client.behind.as_ref().map(|behind| {
        let how = if behind.held { "" } else { "waiting " };
        format!("{how}{} on {} (statement {})", behind.lock, behind.object, behind.statement + 1)
    });
    let count = |number: u64| if number == 0 { String::new() } else { grouped(number) };
    vec![
        format!("{} {}", latency.operation, latency.object),
        grouped(latency.operations),
        duration(latency.p50_ms),
        duration(latency.p99_ms),
        duration(latency.longest_ms),
        count(client.stalled),
        count(client.failed),
        behind.unwrap_or_default(),
    ]
}
