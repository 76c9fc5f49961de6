//! Sentences, and what they become.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{ALL, from_sentence, models};
use crate::model::{check, read};

#[test]
fn every_blueprint_is_a_sound_and_whole_model() {
    for blueprint in &ALL {
        let read = read(blueprint.text, "blueprint.yaml").unwrap();
        assert!(read.mistakes.is_empty(), "{}: {:#?}", blueprint.name, read.mistakes);
        let model = &read.model;
        assert!(model.queries.len() >= 6, "{}", blueprint.name);
        assert!(!model.writes.is_empty() && !model.transactions.is_empty(), "{}", blueprint.name);
        for entity in &model.entities {
            assert!(entity.rows.0 > 0 && entity.description.is_some(), "{}", entity.name);
        }
        for relation in &model.relations {
            assert!(relation.fanout.is_some_and(|known| known.average > 0.0), "{relation:?}");
        }
        let rate: f64 = model.queries.iter().map(|query| query.rate.0).sum();
        assert!((1.0..500.0).contains(&rate), "{}: {rate}/s", blueprint.name);
        for query in &model.queries {
            let sql = query.sql.as_ref().unwrap();
            if let Err(error) = crate::model::sql::access_path(model, sql) {
                panic!("{}: {}: {error}", blueprint.name, query.name);
            }
        }
        for (entity, _) in blueprint.nouns {
            assert!(model.entity(entity).is_some(), "{}: {entity}", blueprint.name);
        }
    }
    assert_eq!(models().len(), ALL.len());
}

#[test]
fn sentences_pick_and_join_parts_of_blueprints() {
    let mut faults = Vec::new();
    for (sentence, there, guesses) in SENTENCES {
        let made = from_sentence(sentence).unwrap();
        let all: Vec<&str> = made.model.entities.iter().map(|e| e.name.as_str()).collect();
        for entity in *there {
            if !all.contains(entity) {
                faults.push(format!("{sentence}: no {entity} in {all:?}"));
            }
        }
        let guessed: Vec<&str> = made
            .model
            .entities
            .iter()
            .filter(|entity| entity.guess)
            .map(|entity| entity.name.as_str())
            .collect();
        if guessed != *guesses {
            faults.push(format!("{sentence}: guessed {guessed:?} beside {all:?}"));
        }
        // The file is read back as the model.
        let back = read(&made.written(), "made.yaml").unwrap();
        let wrong = check(&made.model).into_iter().chain(back.mistakes);
        faults.extend(wrong.map(|one| format!("{sentence}: {}", one.what)));
        if back.model != made.model {
            faults.push(format!("{sentence}: is read back otherwise"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(SENTENCES.len() >= 30);
}

type Sentence = (&'static str, &'static [&'static str], &'static [&'static str]);

const SENTENCES: &[Sentence] = &[
    (
        "e-commerce platform with products, users, orders and reviews",
        &["products", "users", "orders", "order_lines", "reviews", "categories"],
        &[],
    ),
    (
        "Design a MongoDB schema for an e-commerce platform with products, users, orders and reviews.",
        &["products", "users", "orders", "reviews"],
        &[],
    ),
    ("online shop", &["products", "payments", "cart_items"], &[]),
    ("an online store with prodcuts and cusotmers", &["products", "users"], &[]),
    ("webshop with products, coupons and gift cards", &["products"], &["coupons", "gift_cards"]),
    ("a blog", &["articles", "comments", "users"], &[]),
    ("blog with posts, comments and tags", &["articles", "comments", "topics"], &[]),
    (
        "CMS with articles, authors, revisions and images",
        &["articles", "users", "revisions", "media"],
        &[],
    ),
    ("wiki with pages and versions", &["articles", "revisions"], &[]),
    ("multi-tenant SaaS with projects and tasks", &["organizations", "projects", "tasks"], &[]),
    (
        "project management tool with teams, tasks and milestones",
        &["tasks", "organizations"],
        &["teams", "milestones"],
    ),
    ("SaaS", &["organizations", "subscriptions", "audit_entries"], &[]),
    (
        "financial ledger with accounts, postings and transfers",
        &["accounts", "postings", "journal_entries", "transfers"],
        &[],
    ),
    (
        "banking app: customers, accounts, transactions",
        &["customers", "accounts", "journal_entries", "postings"],
        &[],
    ),
    (
        "ERP with suppliers, warehouses, stock levels and purchase orders",
        &["suppliers", "warehouses", "stock_levels", "purchase_orders", "purchase_lines", "items"],
        &[],
    ),
    ("inventory management", &["items", "stock_moves", "supplier_items"], &[]),
    (
        "IoT telemetry with devices, sensors and measurements",
        &["devices", "sensors", "readings", "sites"],
        &[],
    ),
    ("internet of things platform", &["devices", "readings", "alarms"], &[]),
    ("smart home with devices and rules", &["devices"], &["rules"]),
    (
        "social network with users, posts, likes and followers",
        &["users", "posts", "likes", "follows"],
        &[],
    ),
    ("social feed", &["posts", "replies", "notifications"], &[]),
    (
        "chat app with rooms, messages and reactions",
        &["conversations", "messages", "reactions", "participants"],
        &[],
    ),
    ("a messenger", &["conversations", "messages", "attachments"], &[]),
    (
        "web analytics with visitors, sessions and page views",
        &["visitors", "sessions", "events", "websites"],
        &[],
    ),
    ("event tracking", &["events", "daily_totals"], &[]),
    (
        "hotel booking system with rooms, guests and reservations",
        &["resources", "users", "bookings", "venues"],
        &[],
    ),
    ("appointment scheduling for patients", &["users"], &[]),
    ("restaurant with tables, reservations and menus", &["resources", "bookings"], &["menus"]),
    (
        "shop with products, orders and chat messages",
        &["products", "orders", "order_lines", "messages", "conversations", "users"],
        &[],
    ),
    ("users, orders and invoices", &["users", "orders"], &["invoices"]),
    ("library with books and loans", &[], &["books", "loans"]),
    ("marketplace with vendors, products and reviews", &["suppliers", "products", "reviews"], &[]),
    (
        "Create a PostgreSQL schema for a shop with categories, products and shopping carts",
        &["categories", "products", "cart_items"],
        &[],
    ),
    ("community with posts and badges", &["posts", "users"], &["badges"]),
    ("invoices and dragons", &[], &["invoices", "dragons"]),
    ("invoices paid by customers", &["users"], &["invoices"]),
    ("blog posts, unicorns and invoices", &["articles"], &["unicorns", "invoices"]),
    ("hotel booking with rooms and guests", &["resources", "users", "bookings"], &[]),
    ("IoT telemetry with devices and alarms", &["devices", "alarms", "readings"], &[]),
    ("inventory with warehouses", &["warehouses", "items", "stock_levels"], &[]),
    ("zoo with animals and keepers", &[], &["animals", "keepers"]),
];

#[test]
fn what_a_whole_is_called_is_the_models_name_and_unused_words_are_said() {
    let zoo = from_sentence("zoo with animals and keepers").unwrap();
    assert_eq!(zoo.model.name, "zoo");
    let made = from_sentence("shop with fancy products and reviews written in blood").unwrap();
    assert!(
        made.notes.iter().any(|note| note.ends_with("fancy, written, blood")),
        "{:?}",
        made.notes
    );
    assert!(made.written().contains("# Nothing was made of: fancy, written, blood."));
}

#[test]
fn a_sentence_that_names_nothing_is_refused() {
    for sentence in ["", "a simple system", "   ", "!!!"] {
        assert!(from_sentence(sentence).is_err(), "{sentence}");
    }
}

proptest::proptest! {
    #[test]
    fn any_sentence_becomes_a_model_or_an_error(words in proptest::collection::vec("[a-zé日-]{1,9}|with|and|,|orders|shop", 0..12)) {
        if let Ok(made) = from_sentence(&words.join(" ")) {
            proptest::prop_assert!(!made.model.entities.is_empty());
        }
    }
}
