use super::super::calendar::{END, SECOND};
use super::super::rng::{Rng, Stream};
use super::super::world::Shop;
use super::{Fields, Head, items};

/// Events are made in blocks of this many: visits never reach over the end of a block.
pub(in super::super) const EVENTS_PER_BLOCK: u64 = 64;

/// One thing a visitor did.
pub(in super::super) struct Event {
    pub(in super::super) id: i64,
    pub(in super::super) kind: &'static str,
    pub(in super::super) session_id: u128,
    pub(in super::super) customer_id: Option<i32>,
    pub(in super::super) product_id: Option<i32>,
    pub(in super::super) created_at: i64,
    visit: Visit,
    detail: Detail,
}

/// What all events of a visit share.
#[derive(Clone, Copy)]
struct Visit {
    device: &'static (&'static str, &'static str, &'static str),
    campaign: Option<&'static (&'static str, &'static str, &'static str)>,
    session_id: u128,
    customer_id: Option<i32>,
}

/// What one event has besides.
enum Detail {
    Page(&'static str),
    Product { price: i64, position: i32 },
    Search { query: (&'static str, &'static str), results: i32 },
    Cart { quantity: i32, value: i64 },
    Order { id: i64, total: i64, lines: i32 },
    Fault(i32),
}

/// Type, system and browser, the commonest first.
const DEVICES: [(&str, &str, &str); 10] = [
    ("mobile", "Android", "Chrome"),
    ("mobile", "iOS", "Safari"),
    ("desktop", "Windows", "Chrome"),
    ("desktop", "macOS", "Safari"),
    ("desktop", "Windows", "Edge"),
    ("mobile", "Android", "Firefox"),
    ("desktop", "Linux", "Firefox"),
    ("tablet", "iPadOS", "Safari"),
    ("tablet", "Android", "Chrome"),
    ("tv", "Tizen", "Samsung Internet"),
];

/// Source, medium and campaign, the commonest first.
const CAMPAIGNS: [(&str, &str, &str); 8] = [
    ("google", "cpc", "brand"),
    ("newsletter", "email", "weekly"),
    ("instagram", "social", "spring"),
    ("google", "cpc", "shoes"),
    ("facebook", "social", "retargeting"),
    ("affiliate", "referral", "partners"),
    ("newsletter", "email", "winback"),
    ("tiktok", "social", "summer"),
];

const PAGES: [&str; 8] = [
    "/",
    "/sale",
    "/account/orders",
    "/help/shipping",
    "/help/returns",
    "/about",
    "/stores",
    "/imprint",
];

const QUERY_FIRST: [&str; 10] =
    ["black", "cheap", "wireless", "gift", "kids", "large", "vintage", "eco", "best", "red"];
const QUERY_SECOND: [&str; 14] = [
    "headphones",
    "running shoes",
    "coffee grinder",
    "backpack",
    "lamp",
    "puzzle",
    "grill",
    "jacket",
    "sun cream",
    "knife",
    "yoga mat",
    "novel",
    "tent",
    "watch",
];

const KINDS: [(&str, u32); 8] = [
    ("product_view", 420),
    ("page_view", 290),
    ("search", 150),
    ("add_to_cart", 80),
    ("remove_from_cart", 22),
    ("wishlist_add", 20),
    ("login", 14),
    ("error", 4),
];

/// What buyers do before they buy.
const PATH: [&str; 4] = ["product_view", "add_to_cart", "checkout", "purchase"];

/// The events of a block (counted from 0), in the order in which they happened.
pub(in super::super) fn block(shop: &Shop, block: u64) -> Vec<Event> {
    let first = block * EVENTS_PER_BLOCK;
    let mut events = Vec::with_capacity(EVENTS_PER_BLOCK as usize);
    while (events.len() as u64) < EVENTS_PER_BLOCK {
        let left = EVENTS_PER_BLOCK - events.len() as u64;
        let index = first + events.len() as u64;
        visit(shop, index, left, &mut events);
    }
    events.sort_by_key(|event| event.created_at);
    for (event, id) in events.iter_mut().zip(first + 1..) {
        event.id = id as i64;
    }
    events
}

fn visit(shop: &Shop, index: u64, left: u64, events: &mut Vec<Event>) {
    let mut rng = Rng::of(shop.seed, Stream::Session, index);
    const LENGTHS: [(u64, u32); 9] =
        [(1, 22), (2, 14), (3, 12), (5, 14), (7, 12), (10, 11), (14, 8), (20, 5), (30, 2)];
    let length = rng.weighted(&LENGTHS).min(left);
    let session_id = uuid(&mut rng);
    let device = rng.pick_skewed(&DEVICES);
    let campaign = rng.permille(380).then(|| rng.pick_skewed(&CAMPAIGNS));
    if length >= 5 && rng.permille(280) {
        // The order that was placed about then: every order is bought in one visit at most.
        let order = (index * shop.orders / shop.events).min(shop.orders - 1);
        let head = Head::of(shop, order);
        let customer_id = Some(head.customer as i32 + 1);
        let visit = Visit { device, campaign, session_id, customer_id };
        return buy(shop, order, &head, visit, length, &mut rng, events);
    }
    let customer_id =
        rng.permille(560).then(|| shop.draw_customer(index, shop.events, &mut rng) as i32 + 1);
    let visit = Visit { device, campaign, session_id, customer_id };
    let mut at = shop.calendar.time_of(index, shop.events, &mut rng);
    for _ in 0..length {
        let kind = rng.weighted(&KINDS);
        let product = shop.draw_product(&mut rng);
        events.push(event(shop, visit, kind, product, at.min(END - 1), &mut rng));
        at += rng.between(SECOND, 150 * SECOND);
    }
}

/// A visit that ends with the order.
fn buy(
    shop: &Shop,
    order: u64,
    head: &Head,
    visit: Visit,
    length: u64,
    rng: &mut Rng,
    events: &mut Vec<Event>,
) {
    let lines = items(shop, order, 0);
    let mut at = head.created_at;
    for step in 0..length {
        let kind = *PATH.iter().rev().nth(step as usize).unwrap_or(&"product_view");
        let line = rng.pick(&lines);
        let product = line.product_id as u64 - 1;
        let mut made = event(shop, visit, kind, product, at, rng);
        if kind == "purchase" {
            made.detail = Detail::Order {
                id: order as i64 + 1,
                total: lines.iter().map(|line| i64::from(line.quantity) * line.unit_price).sum(),
                lines: lines.len() as i32,
            };
        }
        events.push(made);
        at -= rng.between(SECOND, 150 * SECOND);
    }
}

fn event(
    shop: &Shop,
    visit: Visit,
    kind: &'static str,
    product: u64,
    created_at: i64,
    rng: &mut Rng,
) -> Event {
    let price = shop.price(product);
    let detail = match kind {
        "product_view" | "wishlist_add" => {
            Detail::Product { price, position: rng.below(48).min(rng.below(48)) as i32 + 1 }
        }
        "add_to_cart" | "remove_from_cart" => {
            let quantity = rng.weighted(&[(1, 8), (2, 2), (5, 1)]);
            Detail::Cart { quantity, value: price * i64::from(quantity) }
        }
        "search" => Detail::Search {
            query: (rng.word(&QUERY_FIRST), rng.word(&QUERY_SECOND)),
            results: if rng.permille(90) { 0 } else { rng.between(1, 480) as i32 },
        },
        "error" => Detail::Fault(rng.weighted(&[(404, 7), (500, 2), (503, 1)])),
        "login" => Detail::Page("/account/login"),
        "checkout" => Detail::Page("/checkout"),
        _ => Detail::Page(rng.word(&PAGES)),
    };
    let product_id = matches!(detail, Detail::Product { .. } | Detail::Cart { .. })
        .then_some(product as i32 + 1);
    Event {
        id: 0,
        kind,
        session_id: visit.session_id,
        customer_id: visit.customer_id,
        product_id,
        created_at,
        visit,
        detail,
    }
}

/// A random UUID (version 4).
fn uuid(rng: &mut Rng) -> u128 {
    let bits = (u128::from(rng.next()) << 64) | u128::from(rng.next());
    let version = (bits & !(0xf << 76)) | (4 << 76);
    (version & !(0b11 << 62)) | (0b10 << 62)
}

impl Event {
    /// Writes `payload`.
    pub(in super::super) fn payload(&self, out: &mut impl Fields) {
        let (kind, os, browser) = self.visit.device;
        out.open("device");
        out.text("type", kind);
        out.text("os", os);
        out.text("browser", browser);
        out.close();
        if let Some((source, medium, campaign)) = self.visit.campaign {
            out.open("utm");
            out.text("source", source);
            out.text("medium", medium);
            out.text("campaign", campaign);
            out.close();
        }
        match &self.detail {
            Detail::Page(url) => out.text("url", url),
            Detail::Product { price, position } => {
                out.money("price", *price);
                out.int("position", *position);
            }
            Detail::Search { query: (first, second), results } => {
                out.open("search");
                out.texts("terms", &[first, second]);
                out.int("results", *results);
                out.close();
            }
            Detail::Cart { quantity, value } => {
                out.open("cart");
                out.int("quantity", *quantity);
                out.money("value", *value);
                out.close();
            }
            Detail::Order { id, total, lines } => {
                out.open("order");
                out.long("id", *id);
                out.money("total", *total);
                out.int("lines", *lines);
                out.close();
            }
            Detail::Fault(code) => {
                out.text("url", "/error");
                out.int("code", *code);
            }
        }
    }
}
