use marula_core::model::{AttributeType as T, Model};

use super::{entity, inferred, read, read_again};

/// Orders as an application keeps them: the customer within, the lines in an array.
fn orders() -> String {
    let mut out = String::new();
    for order in 0..400_u32 {
        let customer = order * 7 % 50;
        let lines: Vec<String> = (0..1 + order % 3)
            .map(|line| {
                let product = (order * 13 + line * 5) % 40;
                format!(
                    r#"{{"sku": "SKU-{product:03}", "title": "Thing no. {product}", "qty": {}, "price": {}.50}}"#,
                    1 + line,
                    10 + product % 7
                )
            })
            .collect();
        let note = if order % 4 == 0 { r#", "note": null"# } else { "" };
        out.push_str(&format!(
            r#"{{"_id": {{"$oid": "64b7f0c2a1b2c3d4e5f{order:05x}"}}, "customer": {{"id": {customer}, "name": "Customer {customer}", "country": "{}"}}, "status": "{}", "placed": "2026-01-{:02}T10:00:00Z", "tags": ["a{}", "b"], "lines": [{}]{note}}}"#,
            ["DE", "FR", "PL"][customer as usize % 3],
            ["open", "paid", "sent"][order as usize % 3],
            1 + order % 28,
            order % 5,
            lines.join(", ")
        ));
        out.push('\n');
    }
    out
}

#[tokio::test]
async fn documents_become_entities_with_references() {
    let inferred = inferred(vec![read("orders.jsonl", orders())], true).await;
    let model = read_again(&inferred);
    let names: Vec<&str> = model.entities.iter().map(|entity| entity.name.as_str()).collect();
    assert_eq!(names, ["orders", "customers", "orders_tags", "orders_lines", "skus"], "{model:#?}");
    let customers = entity(&model, "customers");
    assert_eq!((customers.key(), customers.rows.0), (vec!["id"], 50));
    assert_eq!(customers.attribute("name").unwrap().kind, T::Text);
    let orders = entity(&model, "orders");
    assert_eq!(orders.key(), ["_id"]);
    assert_eq!(orders.attribute("placed").unwrap().kind, T::Timestamp);
    assert_eq!(orders.attribute("status").unwrap().kind, T::Enumeration);
    let lines = entity(&model, "orders_lines");
    assert_eq!(lines.key(), ["order_id", "position"]);
    assert_eq!(lines.attribute("price").map(|price| price.kind), None);
    assert_eq!(entity(&model, "skus").attribute("price").unwrap().kind, T::Money);
    let owned = model.relations.iter().find(|r| r.from == "orders_lines" && r.to == "orders");
    let owned = owned.unwrap();
    assert!(owned.owned && owned.at_least_one);
    assert_eq!(owned.fanout.unwrap().max, Some(3));
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
    assert_eq!(inferred.rejoined.len(), 3);
}

#[tokio::test]
async fn a_reference_leads_from_one_file_to_another() {
    let customers: String = std::iter::once("id,email,name\n".to_string())
        .chain((1..=60).map(|id| format!("{id},c{id}@example.org,Name {}\n", id % 50)))
        .collect();
    let orders: String = std::iter::once("order_no;customer_id;total\n".to_string())
        .chain((1..=200).map(|no| format!("A{no:05};{};{}.90\n", 1 + no % 60, no % 37)))
        .collect();
    let reads = vec![read("customers.csv", customers), read("orders.csv", orders)];
    let model = read_again(&inferred(reads, true).await);
    let [relation] = model.relations.as_slice() else { panic!("{:#?}", model.relations) };
    assert_eq!((relation.from.as_str(), relation.to.as_str()), ("orders", "customers"));
    assert_eq!(relation.attributes, ["customer_id"]);
    assert!(relation.guess);
    assert_eq!(entity(&model, "orders").key(), ["order_no"]);
    assert_eq!(entity(&model, "orders").attribute("total").unwrap().kind, T::Money);
}

#[tokio::test]
async fn rows_that_are_all_alike_are_kept_under_a_number() {
    let text = "city,weather\nBerlin,rain\nBerlin,rain\nKyiv,sun\nBerlin,rain\n";
    let inferred = inferred(vec![read("weather.csv", text)], true).await;
    let model = read_again(&inferred);
    let weather = entity(&model, "weather");
    assert!(weather.guess && weather.attribute("id").is_some());
    assert_eq!(weather.rows.0, 4);
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
}

/// A number and a text that says the same number are one value, also in a key.
#[tokio::test]
async fn a_value_in_two_forms_is_one_value() {
    let mut text = String::new();
    for n in 0..200 {
        let shop = match n % 20 {
            0 => "\"7\"".to_string(),
            some => some.to_string(),
        };
        let name = if n % 20 == 0 { 7 } else { n % 20 };
        text.push_str(&format!(
            "{{\"id\": {n}, \"shop_id\": {shop}, \"shop_name\": \"Shop {name}\"}}\n"
        ));
    }
    let inferred = inferred(vec![read("sales.jsonl", text)], true).await;
    assert_eq!(entity(&inferred.model, "shops").rows.0, 19, "{:#?}", inferred.model);
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
}

/// Two columns that agree because there is little data are no table.
#[tokio::test]
async fn chance_is_no_dependency() {
    let mut text = String::from("id,colour,size\n");
    for (id, (colour, size)) in
        [("red", 1), ("red", 1), ("blue", 2), ("green", 3)].iter().enumerate()
    {
        text.push_str(&format!("{id},{colour},{size}\n"));
    }
    let model = inferred(vec![read("shirts.csv", text)], false).await.model;
    assert_eq!(model.entities.len(), 1, "{model:#?}");
}

/// Orders with two or three lines each: an order is a thing of its own, though a table of it saves
/// little; and what else tells the lines apart is said.
#[tokio::test]
async fn a_thing_that_its_key_names_is_found_where_it_comes_again_but_twice() {
    let mut text = String::from(
        "order_id,line,customer_id,customer_name,customer_city,sku,title,price,qty,placed\n",
    );
    for order in 0..400_u32 {
        let customer = order * 11 % 60;
        for line in 1..=[1, 2, 3, 4][(order * 7 % 4) as usize] {
            let product = ((order.wrapping_mul(2_654_435_761) >> 20) + line * 7) % 30;
            text.push_str(&format!(
                "{order},{line},{customer},Cust {customer},{},P{product:03},Prod {product},{}.{:02},{},\
                 2026-{:02}-{:02}T10:00:00Z\n",
                ["Bern", "Oslo", "Rome"][customer as usize % 3],
                10 + product * 3,
                product * 7 % 100,
                1 + (order + line) % 5,
                1 + order / 28 % 12,
                1 + order % 28,
            ));
        }
    }
    let inferred = inferred(vec![read("wide.csv", text)], true).await;
    let model = read_again(&inferred);
    let orders = entity(&model, "orders");
    assert_eq!((orders.key(), orders.rows.0), (vec!["order_id"], 400));
    assert_eq!(orders.attribute("order_id").unwrap().kind, T::Id);
    assert!(orders.attribute("placed").is_some() && orders.attribute("customer_id").is_some());
    let wide = entity(&model, "wide");
    assert_eq!(wide.key(), ["order_id", "line"]);
    assert_eq!(wide.attribute("order_id").unwrap().kind, T::Id);
    assert_eq!(wide.unique, [["order_id", "sku"]]);
    let to: Vec<(&str, &str)> =
        model.relations.iter().map(|r| (r.from.as_str(), r.to.as_str())).collect();
    for pair in [("wide", "orders"), ("wide", "skus"), ("orders", "customers")] {
        assert!(to.contains(&pair), "{to:?}");
    }
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
}

/// A column that repeats another is said to; one with a single value is said to have that.
#[tokio::test]
async fn a_column_that_repeats_another_is_no_constant() {
    let text: String = std::iter::once("id,copy,again,kind\n".to_string())
        .chain((1..=50).map(|id| format!("{id},{id},{id},x\n")))
        .collect();
    let inferred = inferred(vec![read("things.csv", text)], false).await;
    let yaml = inferred.report.data.as_ref().unwrap()["yaml"].as_str().unwrap();
    assert!(yaml.contains("in every row copy, again hold the same and are left out"), "{yaml}");
    assert!(yaml.contains("# one value in every row"), "{yaml}");
}

/// What has the name of a key must be different in all; of names and titles that is but said.
#[tokio::test]
async fn names_that_are_all_different_are_no_rule() {
    let text: String = std::iter::once("id,email,name\n".to_string())
        .chain((1..=50).map(|id| format!("{id},p{id}@example.org,Person {id}\n")))
        .collect();
    let inferred = inferred(vec![read("people.csv", text)], false).await;
    assert_eq!(entity(&inferred.model, "people").unique, [["email"]]);
    let yaml = inferred.report.data.as_ref().unwrap()["yaml"].as_str().unwrap();
    assert!(yaml.contains("# different in all 50\n"), "{yaml}");
}

/// What is shortened in the name of a table is what is shortened in the name of an attribute.
#[tokio::test]
async fn short_names_are_followed_on_both_sides() {
    let depts: String = (1..=20).map(|id| format!("{id},Dept {}\n", id * 7 % 20)).collect();
    let employees: String =
        (1..=400).map(|id| format!("{},Person {id},{}\n", 1000 + id, 1 + id * 3 % 20)).collect();
    let reads = vec![
        read("depts.csv", format!("id,title\n{depts}")),
        read("employees.csv", format!("id,name,dept_id\n{employees}")),
    ];
    let model = read_again(&inferred(reads, false).await);
    let [one] = &model.relations[..] else { panic!("{model:#?}") };
    assert_eq!(
        (one.attributes.as_slice(), one.to.as_str()),
        (&["dept_id".to_owned()][..], "depts")
    );
}

/// The references of a model as `from.attributes > to`, in order.
fn references(model: &Model) -> Vec<String> {
    let each = model.relations.iter();
    let mut all: Vec<String> =
        each.map(|one| format!("{}.{} > {}", one.from, one.attributes.join("+"), one.to)).collect();
    all.sort();
    all
}

/// A manager is an employee, for departments and for employees; a reply is to a comment.
#[tokio::test]
async fn roles_lead_to_people_and_to_their_own_kind() {
    let employees: String = (1..=300)
        .map(|id| {
            let manager = if id == 1 { String::new() } else { (id / 7 + 1).to_string() };
            format!("{id},Person {},{manager},{}\n", id * 17 % 300, 1 + id % 12)
        })
        .collect();
    let departments: String =
        (1..=12).map(|id| format!("{id},Department {id},{}\n", id * 3)).collect();
    let comments: String = (1..=500)
        .map(|id| {
            let reply = if id % 3 == 0 { (id / 2).to_string() } else { String::new() };
            format!("{id},{},{reply},text {}\n", 1 + id * 7 % 300, id % 90)
        })
        .collect();
    let reads = vec![
        read("employees.csv", format!("id,name,manager_id,department_id\n{employees}")),
        read("departments.csv", format!("id,title,manager_id\n{departments}")),
        read("comments.csv", format!("id,written_by,in_reply_to,body\n{comments}")),
    ];
    let inferred = inferred(reads, true).await;
    assert_eq!(
        references(&read_again(&inferred)),
        [
            "comments.in_reply_to > comments",
            "comments.written_by > employees",
            "departments.manager_id > employees",
            "employees.department_id > departments",
            "employees.manager_id > employees",
        ]
    );
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
}

/// A flight is told by carrier, number and day; a match has two teams, by their codes.
#[tokio::test]
async fn days_are_parts_of_references_and_codes_need_no_id_in_their_name() {
    let flights: String = (0..120)
        .map(|at| {
            format!(
                "{},{},2026-03-{:02},{}\n",
                ["AA", "BB", "CC"][at % 3],
                100 + at / 12,
                1 + at / 3 % 4,
                at * at * 31 / 7 % 50
            )
        })
        .collect();
    let bookings: String = (0..300)
        .map(|at| {
            let flight = at * 7 % 120;
            format!(
                "P{at:04},{},{},2026-03-{:02}\n",
                ["AA", "BB", "CC"][flight % 3],
                100 + flight / 12,
                1 + flight / 3 % 4
            )
        })
        .collect();
    let teams: String = (0..20).map(|at| format!("T{at:02},City {}\n", at % 9)).collect();
    let matches: String = (0..150)
        .map(|at| format!("{at},T{:02},T{:02}\n", at % 20, (at * at + at / 7) % 20))
        .collect();
    let reads = vec![
        read("flights.csv", format!("carrier,flight_no,day,gates\n{flights}")),
        read("bookings.csv", format!("pnr,carrier,flight_no,day\n{bookings}")),
        read("teams.csv", format!("code,city\n{teams}")),
        read("matches.csv", format!("match_no,home_team,away_team\n{matches}")),
    ];
    let inferred = inferred(reads, true).await;
    assert_eq!(
        references(&read_again(&inferred)),
        [
            "bookings.carrier+flight_no+day > flights",
            "matches.away_team > teams",
            "matches.home_team > teams",
        ]
    );
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
}

/// Who it is of several kinds of people is not guessed.
#[tokio::test]
async fn a_role_that_several_kinds_of_people_can_have_is_told_and_left() {
    let people = |count: i32| -> String { (1..=count).map(|id| format!("{id},P{id}\n")).collect() };
    let posts: String = (1..=90).map(|id| format!("{id},{},T{id}\n", 1 + id % 40)).collect();
    let reads = vec![
        read("users.csv", format!("id,name\n{}", people(50))),
        read("customers.csv", format!("id,name\n{}", people(60))),
        read("posts.csv", format!("id,author_id,title\n{posts}")),
    ];
    let inferred = inferred(reads, false).await;
    assert_eq!(references(&read_again(&inferred)), Vec::<String>::new());
    let told = format!("{:?}", inferred.report);
    assert!(told.contains("posts.author_id may refer to users or to customers"), "{told}");
}

/// A key of several columns is found in another file under its names; a category's number, small as
/// it is, is nobody's.
#[tokio::test]
async fn a_reference_of_several_columns_leads_to_another_file() {
    let lines: String = (0..400)
        .map(|at| format!("{},{},{},{}\n", 1 + at / 4, 1 + at % 4, 10 + at % 23, 1 + at % 6))
        .collect();
    let shipped: String = (0..400)
        .filter(|at| at % 3 != 0)
        .map(|at| format!("S{at:04},{},{},2026-01-{:02}\n", 1 + at / 4, 1 + at % 4, 1 + at % 28))
        .collect();
    let reads = vec![
        read("order_lines.csv", format!("order_no,line_no,quantity,category_id\n{lines}")),
        read("shipments.csv", format!("shipment_no,order_no,line_no,shipped_on\n{shipped}")),
    ];
    let inferred = inferred(reads, true).await;
    let model = read_again(&inferred);
    assert_eq!(references(&model), ["shipments.order_no+line_no > order_lines"]);
    assert_eq!(entity(&model, "order_lines").key(), ["order_no", "line_no"]);
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
}
