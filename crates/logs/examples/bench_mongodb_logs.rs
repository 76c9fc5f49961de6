//! Prints how fast MongoDB's logs are digested, with mtools' mloginfo beside it on the text logs,
//! the only ones it reads: `bench_mongodb_logs [MEGABYTES [MLOGINFO]]`, 200 by default.
//!
//! Times are processor seconds of the whole process, as the kernel counts them; every figure is
//! of a process of its own.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, missing_docs)]

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use marula_core::Quiet;
use marula_logs::generate::mongodb::{Flavour, Options, write};
use marula_logs::{Request, digest};

const FLAVOURS: [(&str, Flavour); 6] = [
    ("json 4.4", Flavour::Json(4)),
    ("json 6.0", Flavour::Json(6)),
    ("json 8.0", Flavour::Json(8)),
    ("text 4.2", Flavour::Text),
    ("profile json", Flavour::Profile),
    ("profile bson", Flavour::ProfileBson),
];

/// What one run took: processor seconds, seconds on the clock, megabytes of memory.
struct Took {
    cpu: f64,
    clock: f64,
    memory: f64,
    calls: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--digest") {
        return one(&arguments[1], arguments[2].parse().unwrap());
    }
    let megabytes = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(200);
    let mloginfo = arguments.get(1).map_or("mloginfo", String::as_str);
    let folder = std::env::temp_dir().join(format!("marula-bench-mongodb-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, flavour) in FLAVOURS {
        let log = folder.join("mongod.log");
        compare(name, flavour, megabytes, &log);
        if flavour == Flavour::Text {
            // It would take minutes for the whole.
            let log = folder.join("short.log");
            compare("text 4.2, short", flavour, megabytes.min(10), &log);
            peer(mloginfo, &log);
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn compare(name: &str, flavour: Flavour, megabytes: u64, log: &Path) {
    let mut out = BufWriter::new(File::create(log).unwrap());
    let options = Options { seed: 1, flavour, operations: u64::MAX, bytes: megabytes * 1_000_000 };
    let truth = write(&mut out, &options).unwrap();
    out.flush().unwrap();
    drop(out);
    let bytes = std::fs::metadata(log).unwrap().len() as f64 / 1e6;
    let start = Instant::now();
    let mut all = Vec::new();
    File::open(log).unwrap().read_to_end(&mut all).unwrap();
    let lines = all.iter().filter(|byte| **byte == b'\n').count();
    let limit = bytes / start.elapsed().as_secs_f64();
    drop(all);
    println!("{name}: {bytes:.0} MB, {lines} lines; to read it and count them: {limit:.0} MB/s");
    let [one, two] = [1, 2].map(|threads| ours(log, threads));
    for (threads, took) in [(1, &one), (2, &two)] {
        println!(
            "  marula, {threads} thread(s): {:.0} MB per processor second, {:.0} MB/s on the clock, {:.0} MB of memory, {} runs{}",
            bytes / took.cpu,
            bytes / took.clock,
            took.memory,
            took.calls,
            if took.calls == truth.calls() { " (exact)" } else { " (WRONG)" },
        );
    }
    println!("  two threads over one: {:.2}× on the clock", one.clock / two.clock);
}

/// Digests a file and prints what it took.
fn one(path: &str, threads: usize) {
    let start = Instant::now();
    let request = Request { inputs: vec![path.into()], threads, ..Request::default() };
    let digest = digest(&request, &Quiet).unwrap();
    let clock = start.elapsed().as_secs_f64();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: f64 = memory.trim().trim_end_matches(" kB").trim().parse().unwrap();
    println!("{} {clock} {} {}", ticks / 100.0, kilobytes / 1000.0, digest.totals.calls);
}

fn ours(path: &Path, threads: usize) -> Took {
    // The best of three: others use the machine, too.
    let runs = (0..3).map(|_| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--digest", path.to_str().unwrap(), &threads.to_string()])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut words = text.split_whitespace().map(|word| word.parse::<f64>().unwrap());
        let mut number = || words.next().unwrap();
        Took { cpu: number(), clock: number(), memory: number(), calls: number() as u64 }
    });
    runs.min_by(|a, b| a.cpu.total_cmp(&b.cpu)).unwrap()
}

/// mloginfo on the same file, by the shell's own count of its children's time.
fn peer(mloginfo: &str, path: &Path) {
    // It reads a file only where it is at a terminal.
    let script = format!(
        "script -qec \"{mloginfo} --queries {}\" /dev/null > /dev/null 2>&1 && times",
        path.display()
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let seconds = |time: &str| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    let Some(cpu) =
        text.lines().nth(1).map(|line| line.split_whitespace().filter_map(seconds).sum::<f64>())
    else {
        println!("  {mloginfo} is not there, or failed: pip install mtools");
        return;
    };
    let (bytes, one) = (std::fs::metadata(path).unwrap().len() as f64 / 1e6, ours(path, 1));
    println!(
        "  mloginfo --queries: {:.2} MB per processor second; marula {:.0}×",
        bytes / cpu,
        cpu / one.cpu
    );
}
