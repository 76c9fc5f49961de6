//! Histories that the tools themselves made: each runs for real, and what it left is taken over and
//! gone on with. `scripts/setup --all` installs them below `$MARULA_HOME/tools`; a test whose tool is
//! not there says so by name and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

use bson::doc;
use marula_core::{Engine, Version};
use marula_lab::{MongoServer, PostgresServer, StartOptions, discover};

use super::{Eye, Project};

/// The program of a tool; `None`, and a word about it, when it is not installed.
fn tool(folder: &str, name: &str) -> Option<PathBuf> {
    let path = marula_lab::home().join("tools").join(folder).join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: {name} is not installed at {} (scripts/setup --all)", path.display());
    None
}

fn port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn postgres() -> (PostgresServer, Project, Eye, String) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let install = discover::choose_exactly(Engine::Postgres, Some(Version::new(15, 0, 0))).unwrap();
    let options = StartOptions::default().loopback(port());
    let server = runtime.block_on(PostgresServer::start(&install, &options)).unwrap();
    let spec = runtime.block_on(server.create_database()).unwrap();
    let url = format!("postgresql://postgres@127.0.0.1:{}/{}", server.port(), spec.database());
    let project = Project::new(url.clone(), &[]);
    (server, project, Eye::new(&spec), url)
}

/// Takes over what is there, and goes on with one more file.
fn goes_on(project: &Project, eye: &Eye, words: &[&str], next: (&str, &str)) {
    let said = project.expect(&["migrate", "adopt", "t"]);
    for word in words {
        assert!(said.contains(word), "'{word}' is not in {said}");
    }
    write(&project.path().join("migrations"), next.0, next.1);
    let said = project.expect(&["migrate", "apply", "t"]);
    assert!(said.contains("1 migration applied"), "{said}");
    let age =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'age'";
    assert_eq!(eye.number(age), 1);
    project.expect(&["migrate", "verify", "t"]);
}

const NEXT: &str = "-- migrate:up\nALTER TABLE users ADD COLUMN age int;\n-- migrate:down\nALTER TABLE users DROP COLUMN age;\n";

#[test]
fn dbmate_itself() {
    let Some(dbmate) = tool("node/node_modules/.bin", "dbmate") else { return };
    let (_server, project, eye, url) = postgres();
    let folder = project.path().join("migrations");
    let one = "-- migrate:up\nCREATE TABLE users (id int PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE users;\n";
    let two = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY users_id ON users (id);\n\n-- migrate:down\nDROP INDEX users_id;\n";
    write(&folder, "20260101000000_one.sql", one);
    write(&folder, "20260102000000_two.sql", two);
    let said = run(Command::new(dbmate)
        .current_dir(project.path())
        .args(["--url", &format!("{url}?sslmode=disable").replace("postgresql:", "postgres:")])
        .args(["--migrations-dir", "migrations", "--no-dump-schema", "migrate"]));
    assert!(said.contains("Applied: 20260102000000_two.sql"), "{said}");
    let words = ["2 migrations of dbmate", "2 have no checksum there"];
    goes_on(&project, &eye, &words, ("20260103000000_three.sql", NEXT));
    // What dbmate wrote can be taken back, too.
    project.expect(&["migrate", "rollback", "t", "--count", "3"]);
    assert_eq!(eye.number("SELECT count(*) FROM pg_class WHERE relname = 'users'"), 0);
}

#[test]
fn alembic_itself() {
    let Some(alembic) = tool("python/bin", "alembic") else { return };
    let (_server, project, eye, url) = postgres();
    let env = "from alembic import context\nfrom sqlalchemy import create_engine\n\
               with create_engine(context.config.get_main_option('sqlalchemy.url')).connect() as c:\n    \
               context.configure(connection=c)\n    \
               with context.begin_transaction():\n        context.run_migrations()\n";
    let ini = format!(
        "[alembic]\nscript_location = alembic\nsqlalchemy.url = {}\n",
        url.replace("postgresql:", "postgresql+psycopg:")
    );
    let version = "from alembic import op\nrevision = 'ae1027a6acf'\ndown_revision = None\n\
                   def upgrade():\n    op.execute('CREATE TABLE users (id int PRIMARY KEY)')\n\
                   def downgrade():\n    op.execute('DROP TABLE users')\n";
    write(project.path(), "alembic/env.py", env);
    write(project.path(), "alembic/versions/one.py", version);
    write(project.path(), "alembic.ini", &ini);
    run(Command::new(alembic).current_dir(project.path()).args(["upgrade", "head"]));
    let words = ["Alembic", "1 are known by name only"];
    goes_on(&project, &eye, &words, ("20260103000000_three.sql", NEXT));
}

#[test]
fn django_itself() {
    let Some(python) = tool("python/bin", "python") else { return };
    if tool("python/bin", "django-admin").is_none() {
        return;
    }
    let (server, project, eye, _) = postgres();
    let name = eye.session.spec().database().to_string();
    let migration = "from django.db import migrations\nclass Migration(migrations.Migration):\n    \
                     operations = [migrations.RunSQL('CREATE TABLE users (id int PRIMARY KEY)')]\n";
    write(project.path(), "shop/__init__.py", "");
    write(project.path(), "shop/migrations/__init__.py", "");
    write(project.path(), "shop/migrations/0001_initial.py", migration);
    let main = format!(
        "import django\nfrom django.conf import settings\nfrom django.core.management import call_command\n\
         settings.configure(INSTALLED_APPS=['shop'], DATABASES={{'default': {{'ENGINE': \
         'django.db.backends.postgresql', 'NAME': '{name}', 'USER': 'postgres', 'HOST': '127.0.0.1', \
         'PORT': '{}'}}}})\ndjango.setup()\ncall_command('migrate')\n",
        server.port()
    );
    write(project.path(), "migrate.py", &main);
    run(Command::new(python).current_dir(project.path()).arg("migrate.py"));
    let words = ["Django", "1 are known by name only"];
    goes_on(&project, &eye, &words, ("20260103000000_three.sql", NEXT));
}

#[test]
fn migrate_mongo_itself() {
    let Some(migrate_mongo) = tool("node/node_modules/.bin", "migrate-mongo") else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let install = discover::choose_exactly(Engine::Mongodb, Some(Version::new(6, 0, 0))).unwrap();
    let options = StartOptions::default().replica_set().loopback(port());
    let server = runtime.block_on(MongoServer::start(&install, &options)).unwrap();
    for hashes in [true, false] {
        let database = format!("shop{hashes}");
        let project = Project::new(server.url_of(&database), &[]);
        let config = format!(
            "module.exports = {{ mongodb: {{ url: '{}', databaseName: '{database}', options: {{}} }}, \
             migrationsDir: 'migrations', changelogCollectionName: 'changelog', \
             lockCollectionName: 'changelog_lock', lockTtl: 0, migrationFileExtension: '.js', \
             useFileHash: {hashes}, moduleSystem: 'commonjs' }};\n",
            server.url()
        );
        write(project.path(), "migrate-mongo-config.js", &config);
        let folder = project.path().join("migrations");
        let one = "module.exports = {\n  async up(db) {\n    await db.collection('users').createIndex({email: 1}, {name: 'email_1'});\n  },\n  async down(db) {\n    await db.collection('users').dropIndex('email_1');\n  }\n};\n";
        write(&folder, "20260101000000-one.js", one);
        let said = run(Command::new(&migrate_mongo).current_dir(project.path()).arg("up"));
        assert!(said.contains("MIGRATED UP: 20260101000000-one.js"), "{said}");
        let said = project.expect(&["migrate", "adopt", "t"]);
        let sums = if hashes { "1 checksums" } else { "1 have no checksum there" };
        for word in ["1 migrations of migrate-mongo", sums] {
            assert!(said.contains(word), "'{word}' is not in {said}");
        }
        write(&folder, "20260102000000-two.js", &one.replace("email", "name"));
        let said = project.expect(&["migrate", "apply", "t"]);
        assert!(said.contains("1 migration applied"), "{said}");
        // The one migrate-mongo ran is taken back by us.
        project.expect(&["migrate", "rollback", "t", "--count", "2"]);
        let spec = server.spec().with_database(&database);
        let lab = marula_mongodb::SessionOptions::lab();
        let session = runtime.block_on(marula_mongodb::Session::open(&spec, &lab)).unwrap();
        let list = doc! { "listIndexes": "users", "cursor": {} };
        let reply = runtime.block_on(async { session.database().run_command(list).await }).unwrap();
        let left = reply.get_document("cursor").unwrap().get_array("firstBatch").unwrap().len();
        assert_eq!(left, 1, "only _id_ is left");
    }
}

#[test]
fn rails_itself() {
    let library =
        Command::new("ruby").args(["-e", "require 'active_record'; require 'pg'"]).output();
    if !library.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: ruby with ActiveRecord and pg is not installed (scripts/setup --all)");
        return;
    }
    let (_server, project, eye, url) = postgres();
    let migration = |class: &str, change: &str| {
        format!(
            "class {class} < ActiveRecord::Migration[6.1]\n  def change\n    {change}\n  end\nend\n"
        )
    };
    let one = migration("CreateUsers", "create_table :users");
    let two = migration("AddEmailToUsers", "add_column :users, :email, :string");
    write(project.path(), "db/migrate/20260101000000_create_users.rb", &one);
    write(project.path(), "db/migrate/20260102000000_add_email_to_users.rb", &two);
    let main = format!(
        "require 'active_record'\nActiveRecord::Base.establish_connection('{url}')\n\
         history = ActiveRecord::SchemaMigration\n\
         ActiveRecord::MigrationContext.new('db/migrate', history).migrate\n"
    );
    write(project.path(), "migrate.rb", &main);
    run(Command::new("ruby").current_dir(project.path()).arg("migrate.rb"));
    std::fs::create_dir_all(project.path().join("migrations")).unwrap();
    let words = ["Rails", "2 are known by name only"];
    goes_on(&project, &eye, &words, ("20260103000000_three.sql", NEXT));
}
