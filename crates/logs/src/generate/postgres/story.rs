use std::collections::VecDeque;

use marula_core::{EventKind, Timestamp};

use super::super::Random;
use super::Truth;
use super::templates::{TEMPLATES, Template, fill};

/// One session of the made-up server.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub pid: u64,
    pub user: &'static str,
    pub database: &'static str,
    pub application: &'static str,
    pub host: &'static str,
}

/// One entry to be written.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub at: Timestamp,
    /// `None` is a process of the server's own.
    pub session: Option<Session>,
    pub severity: &'static str,
    pub code: &'static str,
    pub message: String,
    pub detail: String,
    pub hint: String,
    pub context: String,
    pub statement: String,
}

/// What happens on the server.
pub(super) struct Story {
    pub random: Random,
    now: i64,
    sessions: Vec<Session>,
    /// A session of which only durations are logged, and one of which only plans are.
    pub special: [Session; 2],
    /// Entries that follow later, by the place of their session.
    pub later: VecDeque<(usize, Entry)>,
    plain: bool,
    pub truth: Truth,
}

const USERS: [&str; 4] = ["app", "web", "report", "batch"];
const APPLICATIONS: [&str; 4] = ["web app", "psql", "PostgreSQL JDBC Driver", ""];
const HOSTS: [&str; 4] = ["10.0.0.1", "10.0.0.2", "192.168.7.12", "[local]"];

impl Story {
    pub fn new(seed: u64, plain: bool) -> Self {
        let mut random = Random::new(seed);
        let mut session = |number: u64| Session {
            pid: 4000 + number * 7,
            user: random.pick(&USERS),
            database: random.pick(&["shop", "crm"]),
            application: random.pick(&APPLICATIONS),
            host: random.pick(&HOSTS),
        };
        let special = [session(100), session(101)];
        let sessions = (0..40).map(session).collect();
        let now = Timestamp::from_civil(2026, 3, 1, 0).0;
        Story {
            random,
            now,
            sessions,
            special,
            later: VecDeque::new(),
            plain,
            truth: Truth::default(),
        }
    }

    pub(super) fn entry(&mut self, session: Option<Session>, message: String) -> Entry {
        self.now += self.random.below(40) as i64;
        Entry {
            at: Timestamp(self.now),
            session,
            severity: "LOG",
            code: "00000",
            message,
            detail: String::new(),
            hint: String::new(),
            context: String::new(),
            statement: String::new(),
        }
    }

    /// A session that has nothing left to tell.
    fn idle(&mut self) -> (usize, Session) {
        loop {
            let place = self.random.below(self.sessions.len() as u64) as usize;
            if self.later.iter().all(|(busy, _)| *busy != place) {
                return (place, self.sessions[place].clone());
            }
        }
    }

    /// The next event.
    pub fn event(&mut self, out: &mut Vec<Entry>) {
        if self.later.len() > 12 || !self.later.is_empty() && self.random.below(3) == 0 {
            self.tell_later(out);
        }
        let (place, session) = self.idle();
        let kind =
            if self.plain && self.random.below(100) != 0 { 0 } else { self.random.below(30) };
        match kind {
            0..10 => self.run(session, out),
            10..13 => self.split_run(place, session, out),
            13..15 => self.planned_run(session, out),
            15..18 => self.error(session, out),
            18 | 19 => self.lock(place, session, out),
            20 => self.temp_file(session, out),
            21 => self.steps(session, out),
            22 => self.alone(out),
            23 => self.plan_only(out),
            _ => self.server(session, out),
        }
    }

    /// What was left to be told.
    pub fn end(&mut self, out: &mut Vec<Entry>) {
        while !self.later.is_empty() {
            self.tell_later(out);
        }
    }

    fn tell_later(&mut self, out: &mut Vec<Entry>) {
        if let Some((_, mut entry)) = self.later.pop_front() {
            self.now += self.random.below(20) as i64;
            entry.at = Timestamp(self.now);
            if entry.message.starts_with("duration: ") {
                self.see_run();
            }
            out.push(entry);
        }
    }

    pub(super) fn see_run(&mut self) {
        let now = self.now;
        let span = self.truth.runs_span.get_or_insert((now, now));
        *span = (span.0.min(now), span.1.max(now));
    }

    /// Counts a run.
    pub(super) fn count(&mut self, session: &Session, shape: &str) -> (u64, String) {
        let micros = self.random.duration();
        let statement = self.truth.statements.entry(shape.to_owned()).or_default();
        statement.durations.push(micros);
        let user = self.truth.users.entry(session.user.to_owned()).or_default();
        user.0 += 1;
        user.1 += u128::from(micros);
        (micros, format!("{}.{:03}", micros / 1000, micros % 1000))
    }

    pub(super) fn happened(&mut self, kind: EventKind, thousandths: u64) {
        let sum = self.truth.events.entry(kind).or_default();
        sum.0 += 1;
        sum.1 += thousandths;
    }

    pub(super) fn template(&mut self) -> (&'static Template, String, String) {
        let template = &TEMPLATES[self.random.below(TEMPLATES.len() as u64) as usize];
        let text = fill(template, &mut self.random);
        let values: Vec<_> = (1..=template.bound)
            .map(|number| match self.random.below(5) {
                0 => format!("${number} = NULL"),
                _ => format!("${number} = 'it''s {}'", self.random.below(1000)),
            })
            .collect();
        let word = if self.random.below(2) == 0 { "parameters" } else { "Parameters" };
        let detail = if values.is_empty() {
            String::new()
        } else {
            format!("{word}: {}", values.join(", "))
        };
        (template, text, detail)
    }

    /// The statement's name as the protocol has it.
    fn name(&mut self, bound: u64) -> &'static str {
        if bound == 0 {
            "statement"
        } else {
            self.random.pick(&["execute <unnamed>", "execute S_12", "execute fetch from S_1/C_2"])
        }
    }

    fn run(&mut self, session: Session, out: &mut Vec<Entry>) {
        let (template, text, detail) = self.template();
        let (_, ms) = self.count(&session, template.shape);
        let name = self.name(template.bound);
        let entry = self.entry(Some(session), format!("duration: {ms} ms  {name}: {text}"));
        self.see_run();
        out.push(Entry { detail, ..entry });
    }

    /// `log_statement` and `log_duration`: the statement first, its duration later.
    fn split_run(&mut self, place: usize, session: Session, out: &mut Vec<Entry>) {
        let (template, text, detail) = self.template();
        let (_, ms) = self.count(&session, template.shape);
        let name = self.name(template.bound);
        let entry = self.entry(Some(session.clone()), format!("{name}: {text}"));
        out.push(Entry { detail, ..entry });
        let later = self.entry(Some(session), format!("duration: {ms} ms"));
        self.later.push_back((place, later));
    }

    /// Parsing and binding, which are no runs, and the run they belong to.
    fn steps(&mut self, session: Session, out: &mut Vec<Entry>) {
        let template = &TEMPLATES[6];
        for step in ["parse <unnamed>", "bind <unnamed>"] {
            let message =
                format!("duration: 0.{:03} ms  {step}: {}", self.random.below(999), template.text);
            let entry = self.entry(Some(session.clone()), message);
            out.push(entry);
        }
        let (_, ms) = self.count(&session, template.shape);
        let message = format!("duration: {ms} ms  execute <unnamed>: {}", template.text);
        let entry = self.entry(Some(session), message);
        self.see_run();
        out.push(Entry { detail: "parameters: $1 = '7', $2 = 'new'".into(), ..entry });
    }

    /// A duration of which nothing else was logged.
    fn alone(&mut self, out: &mut Vec<Entry>) {
        let session = self.special[0].clone();
        let (_, ms) = self.count(&session, "(statement not logged)");
        let entry = self.entry(Some(session), format!("duration: {ms} ms"));
        self.see_run();
        out.push(entry);
    }
}
