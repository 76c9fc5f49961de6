//! Every fix leads to the same schema, clears what it was made for, and keeps nobody waiting.

use marula_core::{Finding, Severity};
use marula_migrate::lint::LintOptions;
use marula_migrate::postgres::{fix, lint};
use tokio_postgres::Client;

use super::cases::cases;
use super::probe::{Probe, migration};

pub const CATALOGUE: &str = "
SELECT c.oid::regclass::text || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ||
       ' ' || a.attnotnull::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || a.attidentity::text || a.attgenerated::text
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'v')
UNION ALL
SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated::text
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
UNION ALL
SELECT pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid::text FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT inhrelid::regclass::text || ' of ' || inhparent::regclass::text FROM pg_inherits
ORDER BY 1";

async fn catalogue(client: &Client) -> Vec<String> {
    client.query(CATALOGUE, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_gives_the_same_schema_and_keeps_nobody_waiting() {
    let mut faults = Vec::new();
    let mut least = i32::MAX;
    for major in [15, 18] {
        let probe = Probe::start(major).await;
        let (mut heavy, mut fixes) = (0, 0);
        for case in cases() {
            if !case.runs_on(major) {
                continue;
            }
            let at = format!("{major} #{} {}", case.number, case.name);
            let parsed = migration(&case.sql);
            let schema = lint::schema_of(std::path::Path::new("setup.sql"), &case.setup).unwrap();
            let fixed = fix::fix(&parsed, &schema, probe.version).unwrap();
            probe.reset(&case.setup).await;
            let before = probe.run(&parsed).await;
            let blocked = before.iter().any(|seen| seen.grows_while_blocking());
            heavy += i32::from(blocked);
            let Some(fixed) = fixed else {
                if blocked {
                    println!("no fix: {at}");
                }
                continue;
            };
            fixes += i32::from(blocked);
            let wanted = catalogue(probe.client()).await;
            let safe = migration(&fixed.text);
            let options = LintOptions { version: Some(probe.version) };
            let again =
                lint::lint(std::slice::from_ref(&safe), schema, &options).remove(0).findings;
            let left = |f: &Finding| f.severity > Severity::Info && fixed.mended.contains(&f.rule);
            if again.iter().any(left) {
                faults.push(format!("{at}: not cleared: {:?}\n{}", fixed.mended, fixed.text));
            }
            probe.reset(&case.setup).await;
            let after = probe.run(&safe).await;
            if let Some(failed) = after.iter().find_map(|seen| seen.failed.clone()) {
                faults.push(format!("{at}: the fix fails: {failed}\n{}", fixed.text));
                continue;
            }
            let found = catalogue(probe.client()).await;
            if found != wanted && !before.iter().any(|seen| seen.failed.is_some()) {
                let gone: Vec<_> = wanted.iter().filter(|line| !found.contains(line)).collect();
                let new: Vec<_> = found.iter().filter(|line| !wanted.contains(line)).collect();
                faults
                    .push(format!("{at}: another schema: {gone:?} became {new:?}\n{}", fixed.text));
            }
            if blocked && after.iter().any(|seen| seen.grows_while_blocking()) {
                faults.push(format!("{at}: still keeps somebody waiting\n{}", fixed.text));
            }
        }
        println!("PostgreSQL {major}: {fixes} of {heavy} hazards have a fix, and each was proved");
        least = least.min(fixes);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(least >= 30, "{least} fixes");
}
