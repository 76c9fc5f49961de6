//! The programs people use, on the same lines.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use marula_core::Result;

use super::PREFIX;
use super::measure::Took;

/// Seconds a peer may take.
const PATIENCE: u32 = 600;

/// pgBadger, or why not.
pub fn pgbadger(path: &Path) -> Result<std::result::Result<Took, String>> {
    timed(
        "command -v pgbadger >/dev/null || exit 127; \
         timeout \"$PATIENCE\" pgbadger --pid-dir \"$(dirname \"$LOG\")\" -q -f stderr -p \"$PREFIX\" -x json -o \"$LOG.json\" \"$LOG\" >&2",
        path,
    )
}

/// mtools' mloginfo, or why not. It reads a file only where it is at a terminal.
pub fn mloginfo(path: &Path) -> Result<std::result::Result<Took, String>> {
    timed(
        "if [ -x \"$MTOOLS/bin/mloginfo\" ]; then export PYTHONPATH=$MTOOLS; tool=$MTOOLS/bin/mloginfo; \
         else tool=$(command -v mloginfo) || exit 127; fi; \
         script -qec \"timeout $PATIENCE $tool --queries $LOG\" /dev/null >/dev/null 2>&1",
        path,
    )
}

/// Runs a script by the shell, which counts its children's time.
fn timed(script: &str, path: &Path) -> Result<std::result::Result<Took, String>> {
    let start = Instant::now();
    let output = Command::new("bash")
        .args(["-c", &format!("{script} || exit; times")])
        .env("PATIENCE", PATIENCE.to_string())
        .env("PREFIX", PREFIX)
        .env("LOG", path)
        .env("MTOOLS", marula_lab::home().join("cache/mtools"))
        .output()?;
    let clock = start.elapsed().as_secs_f64();
    Ok(match output.status.code() {
        Some(0) => {
            let text = String::from_utf8_lossy(&output.stdout);
            let cpu: f64 = text.lines().nth(1).unwrap_or("").split(' ').filter_map(seconds).sum();
            Ok(Took { cpu: cpu.max(0.01), clock, memory: 0.0, told: (0, 0) })
        }
        Some(127) => Err("it is not installed; scripts/setup --bench gets it".into()),
        Some(124) => Err(format!("it took longer than {PATIENCE} s")),
        _ => Err(format!("it failed: {}", String::from_utf8_lossy(&output.stderr).trim())),
    })
}

/// `0m1.234s`.
fn seconds(time: &str) -> Option<f64> {
    let (minutes, seconds) = time.trim_end_matches('s').split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
}
