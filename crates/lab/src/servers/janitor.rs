use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

/// Waits for the end of its standard input, which comes when this program ends in whatever way,
/// then removes the program's folders. Servers may need a moment to end, hence the rounds.
const SCRIPT: &str = r#"
trap '' HUP INT TERM QUIT
while read -r _; do :; done
round=0
while [ $round -lt 100 ]; do
    rm -rf -- "$1" "$2" && [ ! -e "$1" ] && [ ! -e "$2" ] && break
    sleep 0.1
    round=$((round + 1))
done
rm -f -- "$1.lock"
"#;

/// A small process that outlives this program for as long as it takes to remove its folders.
pub(super) struct Janitor {
    /// Open as long as this program lives.
    _pipe: Option<ChildStdin>,
}

impl Janitor {
    pub(super) fn start(folder: &Path, short: &Path) -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "marula-janitor"])
            .args([folder, short])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of Ctrl-C.
            .process_group(0)
            .spawn()?;
        Ok(Janitor { _pipe: child.stdin.take() })
    }
}
