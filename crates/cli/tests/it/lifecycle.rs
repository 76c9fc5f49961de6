//! Labs come and go, and leave nothing behind.

use std::time::{Duration, Instant};

use super::lab::Home;

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_lab_is_listed_until_it_is_ended() {
    let home = Home::new();
    let up = home.expect(0, &["lab", "up", "one", "--engine", "postgres"]);
    assert!(up.contains("psql 'postgresql://"), "{up}");
    assert!(home.expect(0, &["lab", "list"]).contains("lab/one/postgres"));
    let again = home.expect(0, &["lab", "up", "one", "--engine", "postgres"]);
    assert!(again.contains("one was up already"), "{again}");
    home.expect(2, &["lab", "up", "one", "--engine", "mongodb"]);
    assert!(home.expect(0, &["lab", "down", "one"]).contains("one has ended"));
    assert!(home.expect(0, &["lab", "list"]).contains("No lab runs"));
    home.expect(2, &["lab", "down", "one"]);
    assert_eq!(home.processes(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn kill_9_of_lab_up_leaves_nothing() {
    let home = Home::new();
    // A load that takes long enough to be in the middle of.
    let args = ["lab", "up", "killed", "--data", "shop", "--scale", "3"];
    let mut up = home.marula(&args).spawn().unwrap();
    wait_for("the servers", || home.processes().len() >= 2);
    up.kill().unwrap();
    up.wait().unwrap();
    wait_for("the end of the servers", || home.processes().is_empty());
    assert!(home.expect(0, &["lab", "list"]).contains("No lab runs"));
    let left = |name: &str| {
        let entries = std::fs::read_dir(home.path().join(name));
        entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>()
    };
    assert_eq!(left("labs"), Vec::<std::path::PathBuf>::new());
    assert_eq!(left("run"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_interrupted_explain_ends_with_130() {
    let home = Home::new();
    home.expect(0, &["lab", "up", "slow", "--engine", "postgres"]);
    let before = home.processes().len();
    let sql = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b";
    let mut explain = home.marula(&["explain", "lab/slow/postgres", sql]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let pid = rustix::process::Pid::from_child(&explain);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(explain.wait().unwrap().code(), Some(130));
    wait_for("the end of its servers", || home.processes().len() <= before);
}
