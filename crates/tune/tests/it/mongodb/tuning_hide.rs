//! Indexes that a workload does without.

use super::tuning::{SHOP, tuned, tuning, ups};

#[tokio::test(flavor = "multi_thread")]
async fn superfluous_indexes_are_hidden_and_those_with_a_duty_stay() {
    let setup = format!(
        "{SHOP}db.orders.createIndex({{customer: 1}})\n\
         db.orders.createIndex({{customer: 1, at: 1}})\n\
         db.orders.createIndex({{number: 1}}, {{unique: true}})\n\
         db.orders.createIndex({{number: 1, at: 1}})\n\
         db.orders.createIndex({{city: 1}})\n\
         db.orders.createIndex({{kind: 1}})"
    );
    let report = tuned(
        &setup,
        &[
            ("db.orders.find({customer: 7})", 10),
            ("db.orders.find({kind: 3}).hint({kind: 1})", 10),
            ("db.orders.find({number: 3}).sort({at: 1})", 10),
        ],
    )
    .await;
    let hidden: Vec<&str> = report.changes.iter().map(|change| change.title.as_str()).collect();
    assert!(
        hidden.iter().any(|title| title.contains("hide the index customer_1 of")),
        "{hidden:?}"
    );
    assert!(hidden.iter().any(|title| title.contains("hide the index city_1 of")), "{hidden:?}");
    for stays in ["number_1 of", "kind_1 of", "customer_1_at_1 of"] {
        assert!(!hidden.iter().any(|title| title.contains(stays)), "{stays}: {hidden:?}");
    }
    let said = |part: &str| report.notes.iter().any(|note| note.contains(part));
    assert!(said("number_1 of orders stays"), "{:?}", report.notes);
    let hazards = report.changes.iter().flat_map(|change| &change.hazards);
    assert!(hazards.into_iter().any(|hazard| hazard.contains("young")));
    assert!(tuning(&report).storage.freed > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_duty_keeps_an_index_and_disuse_alone_hides_the_rest() {
    let setup = format!(
        "{SHOP}db.orders.createIndex({{city: 1}}, {{sparse: true}})\n\
         db.orders.createIndex({{kind: 1}}, {{partialFilterExpression: {{status: 'open'}}}})\n\
         db.orders.createIndex({{status: 1}}, {{name: 'insensitive', collation: {{locale: 'en', strength: 2}}}})\n\
         db.orders.createIndex({{number: 'hashed'}})\n\
         db.orders.createIndex({{when: 1}}, {{expireAfterSeconds: 1000000}})\n\
         db.orders.createIndex({{note: 'text'}})\n\
         db.orders.createIndex({{place: '2dsphere'}})\n\
         db.orders.createIndex({{customer: 1}})\n\
         db.orders.createIndex({{customer: 1, 'items.sku': 1}})\n\
         db.orders.createIndex({{at: 1}}, {{sparse: true}})\n\
         db.orders.createIndex({{at: 1, city: 1}})"
    );
    let statements =
        [("db.orders.find({customer: 7})", 10), ("db.orders.find({at: 7}).sort({city: 1})", 10)];
    let report = tuned(&setup, &statements).await;
    let hides = |name: &str| ups(&report).iter().any(|up| up.contains(&format!("\"{name}\"")));
    let said = |part: &str| report.notes.iter().any(|note| note.contains(part));
    for gone in ["city_1", "kind_1", "insensitive", "number_hashed"] {
        assert!(hides(gone), "{gone}: {:?} {:?}", ups(&report), report.notes);
    }
    for (stays, why) in [
        ("when_1", "TTL"),
        ("note_text", "refuses statements with $text"),
        ("place_2dsphere", "refuses statements with $near"),
        // Twice as many keys by the longer one, one for each item.
        ("customer_1", "without it a statement examines"),
        ("at_1", "it is sparse"),
    ] {
        assert!(!hides(stays), "{stays}: {:?}", ups(&report));
        assert!(said(&format!("the index {stays} of orders stays")), "{stays}: {:?}", report.notes);
        assert!(said(why), "{stays}: {why}: {:?}", report.notes);
    }
    assert!(!hides("_id_"));
    assert!(tuning(&report).storage.freed > 0);
}
