//! However a program ends, its servers end with it and nothing stays on disk.

use crate::world::{Holder, Home, command_line};

fn pids(said: &serde_json::Value) -> Vec<u32> {
    said["pids"].as_array().unwrap().iter().map(|pid| pid.as_u64().unwrap() as u32).collect()
}

fn nothing_is_left(how: &str, end: impl Fn(&mut Holder)) {
    let home = Home::new();
    let mut holder = Holder::start(&home, &[how]);
    let said = holder.says();
    for pid in pids(&said) {
        // Else the check below would find nothing whatever happens.
        assert!(command_line(pid).contains(&home.path().display().to_string()));
    }
    assert_eq!(home.leftovers().len(), 2, "a folder and its lock: {:?}", home.leftovers());
    end(&mut holder);
    holder.child.wait().unwrap();
    home.assert_nothing_left();
}

#[test]
fn after_a_panic() {
    nothing_is_left("panic", Holder::go_on);
}

#[test]
fn after_an_exit_without_destructors() {
    nothing_is_left("exit", Holder::go_on);
}

#[test]
fn after_ctrl_c() {
    nothing_is_left("interrupt", |holder| holder.signal("-INT"));
    // A program that does not handle its signal; an interrupt may be ignored from the start.
    nothing_is_left("sleep", |holder| holder.signal("-TERM"));
}

#[test]
fn after_kill_9() {
    nothing_is_left("sleep", |holder| holder.signal("-KILL"));
}

#[test]
fn after_kill_9_while_a_backend_is_busy() {
    nothing_is_left("busy", |holder| {
        std::thread::sleep(std::time::Duration::from_millis(300));
        holder.signal("-KILL");
    });
}

#[test]
fn of_shared_servers_that_are_never_dropped() {
    nothing_is_left("shared", Holder::go_on);
}

#[test]
fn when_even_the_janitor_is_killed_the_next_program_clears_up() {
    let home = Home::new();
    let mut holder = Holder::start(&home, &["sleep"]);
    let folders = holder.says()["folders"].clone();
    let janitor = home.processes().into_iter().find(|(_, line)| line.contains("marula-janitor"));
    let (janitor, _) = janitor.unwrap();
    let kill =
        |pid: u32| std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(kill(janitor).unwrap().success());
    holder.signal("-KILL");
    holder.child.wait().unwrap();
    let folder = std::path::PathBuf::from(folders[0].as_str().unwrap());
    assert!(folder.exists(), "nobody is left to remove it");

    let mut next = Holder::start(&home, &["interrupt"]);
    next.says();
    assert!(!folder.exists());
    next.signal("-INT");
    next.child.wait().unwrap();
    home.assert_nothing_left();
}
