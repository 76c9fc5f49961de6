//! The scenarios: Markdown that reads like a session, run as it stands. `tests/scenarios/*.md` and
//! the README's own examples. `TRYCMD=overwrite` writes what the program says now; read the
//! difference before you keep it.

use std::path::Path;
use std::time::Duration;

use super::lab::Home;

#[test]
fn every_scenario_says_what_the_program_says() {
    let home = Home::new();
    home.expect(0, &["lab", "up", "shop", "--data", "shop", "--scale", "0.1", "--seed", "1"]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let postgres = home.url("lab/shop/postgres");
    let mongodb = home.url("lab/shop/mongodb");
    set_up(&folder, &postgres, &mongodb);

    super::schema::of_real_reports(&home);

    let cases = trycmd::TestCases::new();
    cases
        .register_bin("marula", Path::new(env!("CARGO_BIN_EXE_marula")))
        .timeout(Duration::from_secs(300))
        .env("MARULA_HOME", home.path().to_str().unwrap())
        .env("MARULA_LAB_PID", std::process::id().to_string())
        .env("XDG_CONFIG_HOME", home.path().to_str().unwrap())
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1");
    for (name, url) in urls(&postgres, &mongodb) {
        cases.env(name, url);
    }
    cases.case(folder.join("*.md"));
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    if readme.exists() {
        cases.case(readme);
    }
    cases.run();
}

/// Targets that go wrong in one way each.
fn urls(postgres: &str, mongodb: &str) -> Vec<(&'static str, String)> {
    let (head, tail) = postgres.split_once("://").unwrap();
    let (_, place) = tail.split_once('@').unwrap();
    vec![
        ("SHOP_URL", postgres.to_string()),
        ("SHOP_MONGODB_URL", mongodb.to_string()),
        ("WRONG_PASSWORD_URL", format!("{head}://postgres:hunter2@{place}")),
        ("NO_RIGHTS_URL", format!("{head}://nobody:nothing@{place}")),
        ("TLS_URL", format!("{postgres}?sslmode=require")),
        ("UNREACHABLE_URL", "postgresql://ann@127.0.0.1:1/shop".into()),
        ("UNREACHABLE_MONGODB_URL", "mongodb://127.0.0.1:1/shop".into()),
    ]
}

/// Runs the blocks marked `sql setup` and `javascript setup` of all scenarios.
fn set_up(folder: &Path, postgres: &str, mongodb: &str) {
    let mut sql = vec!["CREATE ROLE nobody LOGIN PASSWORD 'nothing'".to_string()];
    let mut commands = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    files.sort_by_key(|file| file.path());
    for file in files.iter().filter(|file| file.path().extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(file.path()).unwrap();
        sql.extend(blocks(&text, "```sql setup"));
        for block in blocks(&text, "```javascript setup") {
            commands.extend(block.lines().map(str::to_string).filter(|line| !line.is_empty()));
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let environment = marula_postgres::Environment::default();
        let spec = marula_postgres::ConnectSpec::parse(postgres, &environment).unwrap();
        let options = marula_postgres::SessionOptions::lab();
        let session = marula_postgres::Session::open(&spec, &options).await.unwrap();
        for sql in sql {
            session.client().batch_execute(&sql).await.unwrap();
        }
        let spec = marula_mongodb::ConnectSpec::parse(mongodb).unwrap();
        let options = marula_mongodb::SessionOptions::lab();
        let session = marula_mongodb::Session::open(&spec, &options).await.unwrap();
        for text in commands {
            let command = marula_mongodb::shell::parse(&text).unwrap();
            session.database().run_command(command.to_command()).await.unwrap();
        }
    });
}

fn blocks(text: &str, fence: &str) -> Vec<String> {
    let pieces = text.split(fence).skip(1);
    pieces
        .filter_map(|piece| piece.split("```").next().map(|block| block.trim().to_string()))
        .collect()
}
