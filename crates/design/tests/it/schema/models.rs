//! Models as people write them.

use marula_core::model::Model;
use marula_design::structure::{KeyOrder, Layout, Placement, Structure, WantedIndex};

/// A model with the structure it is tried in.
pub struct Case {
    pub model: Model,
    pub structure: Structure,
    pub wanted: Vec<WantedIndex>,
}

impl Case {
    pub fn of(text: &str) -> Self {
        let model: Model = serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{text}\n{e}"));
        let structure = Structure::normalised(&model);
        Case { model, structure, wanted: Vec::new() }
    }

    /// With a relationship placed in another way; it is named by its two entities.
    pub fn placed(mut self, from: &str, to: &str, placement: Placement) -> Self {
        let at = self.model.relations.iter().position(|r| r.from == from && r.to == to).unwrap();
        self.structure.placements[at] = placement;
        assert!(self.structure.is_sound(&self.model));
        self
    }

    pub fn wanting(mut self, store: &str, keys: &[(&str, bool)]) -> Self {
        let keys =
            keys.iter().map(|(name, down)| ((*name).to_owned(), KeyOrder::sorted(*down))).collect();
        let why = "the test asks for it".into();
        self.wanted.push(WantedIndex {
            store: store.into(),
            keys,
            unique: false,
            given: false,
            why,
        });
        self
    }

    pub fn layout(&self) -> Layout {
        Layout::new(&self.model, &self.structure)
    }
}

pub const SHOP: &str = "
name: shop
description: a shop on the web
entities:
  - name: customers
    description: who buys
    rows: 100k
    attributes:
      - {name: id, type: id, required: true}
      - {name: email, type: text, required: true, unique: true, max_length: 320}
      - {name: name, type: text, required: true, description: \"the customer's full name\"}
      - {name: country, type: enumeration, required: true, values: [DE, AT, CH, FR, IT, ES, NL, BE, PL, CZ, DK, SE, NO, FI]}
      - {name: created_at, type: timestamp, required: true, default: now}
  - name: products
    rows: 20k
    attributes:
      - {name: id, type: uuid_v7, required: true}
      - {name: sku, type: text, required: true, unique: true}
      - {name: title, type: text, required: true, search: words}
      - {name: price, type: money, required: true, min: 0.1}
      - {name: tags, type: list, of: text, length: {average: 3, max: 5}}
      - {name: details, type: json}
      - {name: deleted_at, type: timestamp}
  - name: orders
    rows: 400k
    growth: 5%/month
    checks: [\"paid <= total\"]
    attributes:
      - {name: id, type: id, required: true}
      - {name: customer_id, type: id, required: true}
      - {name: status, type: enumeration, required: true, values: [open, paid, sent], default: open}
      - {name: placed_at, type: timestamp, required: true}
      - {name: total, type: money, required: true, min: 0}
      - {name: paid, type: money}
  - name: order_lines
    rows: 1M
    key: [order_id, line_no]
    attributes:
      - {name: order_id, type: id, required: true}
      - {name: line_no, type: integer, required: true, min: 1, max: 1000}
      - {name: product_id, type: uuid, required: true}
      - {name: quantity, type: integer, required: true, min: 1, max: 999}
      - {name: unit_price, type: money, required: true, min: 0}
  - name: reviews
    rows: 150k
    unique: [[product_id, customer_id]]
    attributes:
      - {name: id, type: id, required: true}
      - {name: product_id, type: uuid, required: true}
      - {name: customer_id, type: id, required: true}
      - {name: stars, type: integer, required: true, min: 1, max: 5}
      - {name: body, type: text, max_length: 20}
      - {name: moderator_id, type: id}
relations:
  - {from: orders, attributes: [customer_id], to: customers, name: customer, inverse: orders, fanout: {average: 4, p99: 40, max: 2000}}
  - {from: order_lines, attributes: [order_id], to: orders, name: order, inverse: lines, owned: true, fanout: {average: 3, p99: 20, max: 100}}
  - {from: order_lines, attributes: [product_id], to: products, name: product}
  - {from: reviews, attributes: [product_id], to: products, name: product, inverse: reviews, owned: true, fanout: {average: 8, p99: 300}}
  - {from: reviews, attributes: [customer_id], to: customers, name: customer}
  - {from: reviews, attributes: [moderator_id], to: customers, name: moderator}
queries:
  - {name: orders_of_customer, rate: 100/s, access: {from: orders, where: [{attribute: customer_id, parameter: 1}], sort: [{by: placed_at, descending: true}], limit: 20}}
  - {name: order, rate: 50/s, access: {from: orders, where: [{attribute: id, parameter: 1}]}}
writes:
  - {name: place_order, does: insert, entity: orders, with: [order_lines], rate: 10/s}
  - {name: pay_order, does: update, entity: orders, set: [status, paid], rate: 10/s}
  - {name: rename_customer, does: update, entity: customers, set: [name], rate: 1/min}
  - {name: write_review, does: insert, entity: reviews, rate: 1/s}
transactions:
  - {name: checkout, writes: [place_order, pay_order], rate: 5/s}
";

pub const SERVICE: &str = "
name: service
tenant: tenants
entities:
  - name: tenants
    attributes: [{name: id, type: id, required: true}, {name: name, type: text, required: true}]
  - name: projects
    attributes:
      - {name: id, type: id, required: true}
      - {name: tenant_id, type: id, required: true}
      - {name: title, type: text, required: true}
  - name: tasks
    attributes:
      - {name: id, type: id, required: true}
      - {name: project_id, type: id, required: true}
      - {name: title, type: text, required: true}
      - {name: before_id, type: id}
      - {name: label_id, type: id}
  - name: labels
    attributes:
      - {name: id, type: id, required: true}
      - {name: tenant_id, type: id, required: true}
  - name: plans
    attributes: [{name: id, type: id, required: true}, {name: title, type: text, required: true}]
relations:
  - {from: projects, attributes: [tenant_id], to: tenants}
  - {from: tasks, attributes: [project_id], to: projects, owned: true}
  - {from: tasks, attributes: [before_id], to: tasks}
  - {from: labels, attributes: [tenant_id], to: tenants, owned: true}
  - {from: tasks, attributes: [label_id], to: labels}
";

pub const TREE: &str = "
name: tree
entities:
  - name: categories
    attributes:
      - {name: id, type: id, required: true}
      - {name: parent_id, type: id}
      - {name: title, type: text, required: true}
relations:
  - {from: categories, attributes: [parent_id], to: categories, name: parent, inverse: children}
";

pub const SCHOOL: &str = "
name: school
entities:
  - name: students
    attributes: [{name: id, type: id, required: true}, {name: name, type: text, required: true}]
  - name: courses
    attributes: [{name: id, type: id, required: true}, {name: title, type: text, required: true}]
  - name: enrolments
    key: [student_id, course_id]
    attributes:
      - {name: student_id, type: id, required: true}
      - {name: course_id, type: id, required: true}
      - {name: mark, type: decimal, precision: 3, scale: 1, min: 1, max: 6}
  - name: desks
    attributes: [{name: id, type: id, required: true}, {name: student_id, type: id, required: true}]
relations:
  - {from: enrolments, attributes: [student_id], to: students, owned: true}
  - {from: enrolments, attributes: [course_id], to: courses}
  - {from: desks, attributes: [student_id], to: students, owned: true, fanout: {average: 1, max: 1}}
";

pub const CIRCLE: &str = "
name: circle
entities:
  - name: teams
    attributes: [{name: id, type: id, required: true}, {name: leader_id, type: id, required: true}]
  - name: people
    attributes: [{name: id, type: id, required: true}, {name: team_id, type: id, required: true}]
relations:
  - {from: teams, attributes: [leader_id], to: people, name: leader}
  - {from: people, attributes: [team_id], to: teams, name: team}
";

pub const BOOKING: &str = "
name: booking
entities:
  - name: rooms
    attributes:
      - {name: id, type: id, required: true}
      - {name: place, type: point, required: true}
      - {name: opens, type: time}
      - {name: cleaning, type: duration}
      - {name: photo, type: binary}
      - {name: area, type: float, min: 0}
      - {name: closed, type: boolean, required: true, default: false}
  - name: bookings
    unique: [[room_id, period]]
    attributes:
      - {name: id, type: uuid, required: true}
      - {name: room_id, type: id, required: true}
      - {name: period, type: timestamp_range, required: true}
      - {name: guests, type: integer, required: true, min: 1, max: 20}
      - {name: price_band, type: number_range}
relations:
  - {from: bookings, attributes: [room_id], to: rooms, name: room}
";

pub const SENSORS: &str = "
name: sensors
entities:
  - name: sensors
    rows: 1000
    attributes: [{name: id, type: id, required: true}, {name: label, type: text, required: true}]
  - name: readings
    rows: 80M
    append_only: true
    keep_days: 90
    attributes:
      - {name: id, type: id, required: true}
      - {name: sensor_id, type: id, required: true}
      - {name: measured_at, type: timestamp, required: true}
      - {name: value, type: float, required: true}
  - name: alarms
    rows: 10k
    keep_days: 30
    attributes:
      - {name: id, type: id, required: true}
      - {name: sensor_id, type: id, required: true}
      - {name: raised_at, type: timestamp, required: true}
relations:
  - {from: readings, attributes: [sensor_id], to: sensors, name: sensor}
  - {from: alarms, attributes: [sensor_id], to: sensors, name: sensor, owned: true}
writes:
  - {name: measure, does: insert, entity: readings, rate: 10/s}
";

pub const LIBRARY: &str = "
name: library
entities:
  - name: books
    attributes:
      - {name: id, type: id, required: true}
      - {name: title, type: text, required: true, search: words}
      - {name: blurb, type: text, search: words}
      - {name: author, type: text, required: true, search: part}
      - {name: shelf, type: text, required: true, search: prefix}
      - {name: language, type: text, required: true}
";

/// Everything in it wants to be something else.
pub fn hostile() -> Model {
    let bad = "x\"; DROP TABLE victims; --";
    let worse = "it's \\ $$ $partitions$ `${1}` */ \n\u{2028}DROP TABLE victims;//";
    let mut case = Case::of(TREE);
    let model = &mut case.model;
    model.name = format!("{bad}\n{worse}");
    model.description = Some(worse.into());
    model.entities[0].name = bad.into();
    model.entities[0].description = Some(worse.into());
    model.entities[0].checks = vec![
        "1 = 1); DROP TABLE victims; --".into(),
        "title <> '' /* ) */ -- )".into(),
        "pg_sleep(1) IS NULL".into(),
        "(SELECT count(*) FROM victims) > 0".into(),
        "nothing > 1".into(),
    ];
    let title = &mut model.entities[0].attributes[2];
    title.name = "t'\"i\\tle".into();
    title.description = Some(worse.into());
    title.default = Some(worse.replace('\n', " ").into());
    title.search = Some(marula_core::model::Search::Words);
    let mut kind = title.clone();
    model.entities[0].checks.push("\"t'\"\"i\\tle\" <> ''".into());
    kind.kind = marula_core::model::AttributeType::Enumeration;
    kind.name = "select".into();
    kind.search = None;
    kind.required = false;
    kind.default = None;
    kind.values = (0..20).map(|n| format!("{worse}{n}")).collect();
    model.entities[0].attributes.push(kind);
    model.relations[0].from = bad.into();
    model.relations[0].to = bad.into();
    case.model
}

/// A script with its comments in one line each.
pub fn flat(script: &str) -> String {
    script.replace("\n-- ", " ").replace("\n// ", " ")
}

/// One attribute of each kind, and a list of each.
pub fn zoo() -> Case {
    const KINDS: &str = "id uuid uuid_v7 integer decimal money float boolean text enumeration date \
                         time timestamp duration binary json point date_range timestamp_range \
                         number_range";
    let mut text = String::from(
        "name: zoo\nentities:\n  - name: animals\n    rows: 500\n    attributes:\n      - {name: id, type: uuid_v7, required: true}\n",
    );
    let values = "values: [low, high], precision: 8, scale: 3";
    for kind in KINDS.split_whitespace() {
        text.push_str(&format!(
            "      - {{name: a_{kind}, type: {kind}, required: true, {values}}}\n"
        ));
        text.push_str(&format!(
            "      - {{name: o_{kind}, type: {kind}, {values}, missing: 0.3}}\n"
        ));
        text.push_str(&format!("      - {{name: l_{kind}, type: list, of: {kind}, {values}, length: {{average: 3, max: 10}}}}\n"));
    }
    let case = Case::of(&text);
    assert_eq!(case.model.entities[0].attributes.len(), 61);
    case
}
