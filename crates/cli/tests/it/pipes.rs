//! Files that are pipes.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::lab::Home;

const MODEL: &str = "name: m\nentities: [{name: a, attributes: [{name: id, type: id}]}]\n";

/// Nobody writes to the pipe: a signal ends the wait, and does so soon.
#[test]
fn a_signal_ends_the_wait_for_a_pipe() {
    let home = Home::new();
    let pipe = home.path().join("fifo.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let path = pipe.to_str().unwrap();
    for (args, signal) in [
        (&["model", "check", path][..], Signal::TERM),
        (&["model", "infer", path], Signal::INT),
        (&["model", "from", path], Signal::TERM),
        (&["design", path], Signal::INT),
        (&["choose", path], Signal::TERM),
    ] {
        let mut waiting = home.marula(args).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        assert!(waiting.try_wait().unwrap().is_none(), "{args:?} did not wait");
        rustix::process::kill_process(Pid::from_child(&waiting), signal).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        let code = loop {
            if let Some(status) = waiting.try_wait().unwrap() {
                break status.code();
            }
            if Instant::now() > until {
                waiting.kill().unwrap();
                panic!("{args:?} goes on waiting after {signal:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(code, Some(130), "{args:?}");
    }
}

/// What comes through a pipe is read as a file's content is.
#[test]
fn a_pipe_is_read() {
    let home = Home::new();
    let pipe = home.path().join("fifo.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.to_str().unwrap(), "-", "/dev/stdin"] {
        let mut check = home.marula(&["model", "check", path]);
        let mut check = check.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        match path {
            "-" | "/dev/stdin" => {
                check.stdin.take().unwrap().write_all(MODEL.as_bytes()).unwrap();
            }
            _ => std::fs::write(&pipe, MODEL).unwrap(),
        }
        let output = check.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 entity"), "{path}: {said}");
    }
}
