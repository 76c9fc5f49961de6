//! A disk that is full in the middle: what is done stays, and once there is room the same command goes
//! on. The disk is a small tmpfs, which only root can mount; without it the test says so and passes.

use std::path::Path;
use std::process::Command;

use super::postgres;

/// A file system of that size, gone when dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(megabytes: u32) -> Option<Small> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m,mode=0777");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            println!("SKIPPED: a full disk: this user cannot mount a tmpfs");
            return None;
        }
        Some(Small(folder))
    }

    fn grow(&self, megabytes: u32) {
        let size = format!("remount,size={megabytes}m");
        let done = Command::new("mount").args(["-o", &size]).arg(self.0.path()).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn owned_by_the_server(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // The tablespace's own folder must belong to the server's user.
    let parent = path.parent().unwrap();
    std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).unwrap();
    let user = std::env::var("MARULA_LAB_USER").unwrap_or_else(|_| "postgres".into());
    let given = Command::new("chown").arg(&user).arg(path).status().unwrap();
    assert!(given.success());
}

#[test]
fn a_full_disk_ends_a_migration_that_goes_on_when_there_is_room() {
    let Some(disk) = Small::mount(16) else { return };
    owned_by_the_server(disk.0.path());
    let file = "-- migrate:up transaction:false
CREATE TABLE kept (id int);
INSERT INTO large SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 60000) g;
CREATE INDEX CONCURRENTLY large_note ON large (md5(note));
INSERT INTO kept VALUES (1);
";
    let (project, eye) = postgres(15, &[("1_large.sql", file)]);
    let space = format!("space{}", std::process::id());
    eye.run(&format!("CREATE TABLESPACE {space} LOCATION '{}'", disk.0.path().display()));
    eye.run(&format!(
        "CREATE TABLE large (id int, note text) TABLESPACE {space}; ALTER TABLE large ALTER note SET STORAGE PLAIN"
    ));
    let (code, said) = project.run(&["migrate", "apply", "t"]);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, Some(3), "{said}");
    for word in ["No space left on device", "1_large.sql:3", "1 of its 4 statements are done"] {
        assert!(flat.contains(word), "'{word}' is not in {said}");
    }
    assert_eq!(eye.number("SELECT count(*) FROM large"), 0);
    disk.grow(400);
    let said = project.expect(&["migrate", "apply", "t"]);
    assert!(said.contains("1 migration applied"), "{said}");
    assert_eq!(eye.number("SELECT count(*) FROM large"), 60_000);
    assert_eq!(eye.number("SELECT count(*) FROM kept"), 1, "nothing ran twice");
    assert_eq!(eye.number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
    eye.run("DROP TABLE large");
    eye.run(&format!("DROP TABLESPACE {space}"));
}
