//! Our own processes and what they take.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use marula_core::{Error, ErrorKind, Quiet, Result};
use marula_logs::{Request, digest};

/// Rounds of one thread, two threads, and two processes at once; the machine has others to serve.
const ROUNDS: usize = 5;

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Processor seconds.
    pub cpu: f64,
    /// Seconds on the clock.
    pub clock: f64,
    /// Most memory, in megabytes.
    pub memory: f64,
    /// Runs it told, and their microseconds.
    pub told: (u64, u64),
}

fn broken(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, format!("the benchmark cannot go on: {what}"))
}

/// Digests a file and prints what was counted and taken.
pub fn one(path: &str, threads: usize) -> Result<()> {
    let start = Instant::now();
    let request = Request { inputs: vec![path.into()], threads, ..Request::default() };
    let digest = digest(&request, &Quiet)?;
    let clock = start.elapsed().as_secs_f64();
    // Nanoseconds of all threads, those that ended too.
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok());
    let ticks = ticks(11).zip(ticks(12)).map(|(user, system)| user + system);
    let status = std::fs::read_to_string("/proc/self/status")?;
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let memory = memory.and_then(|text| text.trim().split(' ').next()?.parse::<f64>().ok());
    let (ticks, memory) = ticks.zip(memory).ok_or_else(|| broken("/proc is not Linux's"))?;
    let micros = (digest.totals.total_ms * 1000.0).round() as u64;
    println!("{} {clock} {} {} {micros}", ticks / 100.0, memory / 1000.0, digest.totals.calls);
    Ok(())
}

fn start(path: &Path, threads: usize) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--digest").arg(path).arg(threads.to_string());
    Ok(command.stdout(Stdio::piped()).spawn()?)
}

fn end(child: Child) -> Result<Took> {
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [cpu, clock, memory, calls, micros] = words[..] else {
        return Err(broken(format!("a process of it ended with {}", output.status)));
    };
    Ok(Took { cpu: cpu.max(0.005), clock, memory, told: (calls as u64, micros as u64) })
}

/// One run of ours.
pub fn ours(path: &Path, threads: usize) -> Result<Took> {
    end(start(path, threads)?)
}

/// What all rounds took, the quickest of each.
pub struct Figures {
    pub one: Took,
    pub two: Took,
    /// Twice the work in two processes at once, over once: what two cores of this machine can do.
    pub both: f64,
}

impl Figures {
    pub fn of(log: &Path) -> Result<Self> {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        let mut both = Vec::new();
        for _ in 0..ROUNDS {
            one.push(ours(log, 1)?);
            two.push(ours(log, 2)?);
            let (first, second) = (start(log, 1)?, start(log, 1)?);
            let (first, second) = (end(first)?, end(second)?);
            both.push(first.clock.max(second.clock));
        }
        let quickest = |all: Vec<Took>| {
            all.into_iter()
                .min_by(|a, b| a.clock.total_cmp(&b.clock))
                .ok_or_else(|| broken("no rounds"))
        };
        let (one, two) = (quickest(one)?, quickest(two)?);
        let least = both.into_iter().fold(f64::INFINITY, f64::min);
        Ok(Figures { both: 2.0 * one.clock / least, one, two })
    }

    pub fn tell(&self, bytes: f64, truth: (u64, u64)) {
        for (threads, took) in [("1 thread", &self.one), ("2 threads", &self.two)] {
            println!(
                "  marula, {threads}: {:.0} MB per processor second, {:.0} MB/s on the clock, {:.0} MB of memory, {}",
                bytes / took.cpu,
                bytes / took.clock,
                took.memory,
                if took.told == truth { "runs and time exact" } else { "runs or time WRONG" },
            );
        }
        println!(
            "  two threads over one: {:.2}× (the goal is 1.7×; two processes at once: {:.2}×, all the machine had to give)",
            self.one.clock / self.two.clock,
            self.both
        );
    }
}

/// The machine's load, over the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}
