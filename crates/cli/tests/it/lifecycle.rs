//! Labs come and go, and leave nothing behind.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::lab::{Home, processes_of};

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
    // The last of its processes leaves a moment after the command has answered.
    wait_for("the end of its processes", || home.processes().is_empty());
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
    assert_eq!(left("labs"), Vec::<PathBuf>::new());
    assert_eq!(left("run"), Vec::<PathBuf>::new());
    // The same again begins anew.
    home.expect(0, &["lab", "up", "killed", "--data", "shop", "--scale", "0.001"]);
    home.expect(0, &["inspect", "lab/killed/postgres", "orders"]);
}

#[test]
fn what_the_disk_has_no_room_for_is_not_begun() {
    let home = Home::new();
    let up = ["lab", "up", "large", "--data", "shop", "--scale", "0.01"];
    let output = home.marula(&up).env("MARULA_LAB_KEEP_FREE", "1000000G").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("the disk has no room for shop at scale 0.01: it takes"), "{stderr}");
    assert!(stderr.contains("MARULA_HOME") && stderr.contains("smaller --scale"), "{stderr}");
    assert_eq!(home.processes(), Vec::<PathBuf>::new());

    // Without a copy nothing is proved, and the findings are told all the same.
    home.expect(0, &up);
    for (engine, text) in [
        ("postgres", "SELECT * FROM orders WHERE customer_id = 42"),
        ("mongodb", "db.orders.find({ customer_id: 42 })"),
    ] {
        let url = home.url(&format!("lab/large/{engine}"));
        let mut explain = home.marula(&["explain", "env:URL", text, "--analyze"]);
        explain.args(["--format", "json"]).env("URL", url).env("MARULA_LAB_KEEP_FREE", "1000000G");
        let output = explain.output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        assert!(stdout.contains("the disk has no room for a copy"), "{stdout}");
    }
}

#[test]
fn an_interrupted_explain_ends_with_130() {
    let home = Home::new();
    home.expect(0, &["lab", "up", "slow", "--engine", "postgres"]);
    let before = home.processes().len();
    let sql = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b";
    let mut explain = home.marula(&["explain", "lab/slow/postgres", sql]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    rustix::process::kill_process(Pid::from_child(&explain), Signal::INT).unwrap();
    assert_eq!(explain.wait().unwrap().code(), Some(130));
    wait_for("the end of its servers", || home.processes().len() <= before);
}

#[test]
fn a_lab_ends_after_the_time_it_was_given() {
    let home = Home::new();
    let up = home.expect(0, &["lab", "up", "brief", "--engine", "postgres", "--ttl", "2s"]);
    assert!(up.contains("It ends in 1 min, or with"), "{up}");
    wait_for("the lab's end", || home.processes().is_empty());
    assert!(home.expect(0, &["lab", "list"]).contains("No lab runs"));
    home.expect(2, &["lab", "up", "brief", "--ttl", "2"]);
}

#[test]
fn a_lab_in_the_foreground_ends_with_ctrl_c_or_kill_9_of_its_command() {
    let home = Home::new();
    let args = ["lab", "up", "here", "--engine", "postgres", "--foreground"];
    for signal in [Signal::INT, Signal::KILL] {
        let mut up = home.marula(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(up.stdout.take().unwrap()).lines();
        let until = said.find(|line| line.as_ref().unwrap().starts_with("It ends in")).unwrap();
        assert!(until.unwrap().contains("with Ctrl-C here"));
        assert!(home.expect(0, &["lab", "list"]).contains("lab/here/postgres"));
        rustix::process::kill_process(Pid::from_child(&up), signal).unwrap();
        let ended = up.wait().unwrap();
        assert!(signal != Signal::INT || ended.code() == Some(130), "{ended}");
        wait_for("the lab's end", || home.processes().is_empty());
    }
    // What runs in the background is not taken over.
    home.expect(0, &["lab", "up", "here", "--engine", "postgres"]);
    home.expect(2, &args);
}

#[test]
fn a_lab_ends_when_its_home_is_removed() {
    let home = Home::new();
    home.expect(0, &["lab", "up", "homeless", "--engine", "postgres"]);
    std::fs::remove_dir_all(home.path().join("labs")).unwrap();
    wait_for("the lab's end", || home.processes().is_empty());
}

#[test]
fn a_lab_ends_with_the_process_it_is_tied_to() {
    let home = Home::new();
    let mut sleep = Command::new("sleep").arg("600").spawn().unwrap();
    let pid = sleep.id().to_string();
    home.expect(0, &["lab", "up", "tied", "--engine", "postgres", "--pid", &pid]);
    sleep.kill().unwrap();
    sleep.wait().unwrap();
    wait_for("the lab's end", || home.processes().is_empty());
    home.expect(2, &["lab", "up", "tied", "--pid", &pid]);
}

/// What the test below kills: a test in the middle of its work, with a lab that is up.
#[test]
#[ignore = "is run and killed by another test"]
#[allow(clippy::print_stdout)]
fn stands_for_a_test_that_hangs() {
    let home = Home::new();
    home.expect(0, &["lab", "up", "left", "--engine", "postgres"]);
    println!("home {}", home.path().display());
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn kill_9_of_a_test_leaves_no_server() {
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "lifecycle::stands_for_a_test_that_hangs", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(test.stdout.take().unwrap()).lines().map_while(Result::ok);
    let home = lines.filter_map(|line| Some(PathBuf::from(line.strip_prefix("home ")?))).next();
    let home = home.unwrap();
    assert!(processes_of(&home).len() > 1, "a supervisor and a server");
    test.kill().unwrap();
    test.wait().unwrap();
    wait_for("the end of what it started", || processes_of(&home).is_empty());
    std::fs::remove_dir_all(home).unwrap();
}
