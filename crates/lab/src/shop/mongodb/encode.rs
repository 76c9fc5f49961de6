use std::ops::Range;

use super::super::rows::{
    Address, Customer, EVENTS_PER_BLOCK, Fields, Head, Order, Product, Review, block, categories,
    payments,
};
use super::super::world::Shop;
use super::writer::Bson;

/// How the documents of a collection are made, in parts that can be made apart.
pub(in super::super) struct Collection {
    /// Its name.
    pub(in super::super) name: &'static str,
    /// How many units it is made from: customers, orders, blocks of events.
    pub(in super::super) units: fn(&Shop) -> u64,
    /// How many units make a part: one insert of about a megabyte.
    pub(in super::super) part: u64,
    /// Writes the documents of some units into an array; returns how many they were.
    encode: fn(&Shop, Range<u64>, &mut Bson) -> usize,
}

impl Collection {
    /// The insert command for the documents of some units, and how many they are. The server
    /// may do them in any order and acknowledges them when they are in memory: a load that the
    /// machine does not survive is begun again anyway.
    pub(in super::super) fn insert(&self, shop: &Shop, units: Range<u64>) -> (Vec<u8>, u64) {
        let mut out = Bson::with_capacity(1 << 20);
        out.text("insert", self.name);
        out.flag("ordered", false);
        out.open("writeConcern");
        out.int("w", 1);
        out.close();
        out.array("documents");
        let count = (self.encode)(shop, units, &mut out);
        (out.finish(), count as u64)
    }
}

/// All collections.
pub(in super::super) const COLLECTIONS: [Collection; 7] = [
    Collection {
        name: "events",
        units: |shop| shop.events / EVENTS_PER_BLOCK,
        part: 64,
        encode: events,
    },
    Collection { name: "orders", units: |shop| shop.orders, part: 2500, encode: orders },
    Collection { name: "payments", units: |shop| shop.orders, part: 6000, encode: order_payments },
    Collection { name: "reviews", units: |shop| shop.reviews, part: 3000, encode: reviews },
    Collection { name: "customers", units: |shop| shop.customers, part: 2500, encode: customers },
    Collection { name: "products", units: |shop| shop.products, part: 1500, encode: products },
    Collection { name: "categories", units: |_| 1, part: 1, encode: all_categories },
];

fn customers(shop: &Shop, units: Range<u64>, out: &mut Bson) -> usize {
    let mut place = 0;
    for unit in units {
        let customer = Customer::of(shop, unit);
        out.element(place);
        place += 1;
        out.int("_id", customer.id);
        out.text("email", &customer.email);
        out.text("name", &customer.name);
        match &customer.phone {
            Some(phone) => out.text("phone", phone),
            None if customer.phone_missing => {}
            None => out.null("phone"),
        }
        out.text("country", customer.country);
        out.text("tier", customer.tier);
        out.flag("newsletter", customer.newsletter);
        if let Some(days) = customer.birth_date {
            out.date("birth_date", days);
        }
        out.array("addresses");
        for (place, address) in Address::all_of(shop, unit).enumerate() {
            out.element(place);
            out.int("id", address.id);
            out.text("kind", address.kind);
            out.text("street", &address.street);
            out.text("postal_code", &address.postal_code);
            out.text("city", address.city);
            out.text("country", address.country);
            out.close();
        }
        out.close();
        out.time("created_at", customer.created_at);
        out.time_or_null("last_login_at", customer.last_login_at);
        out.close();
    }
    place
}

fn all_categories(_: &Shop, _: Range<u64>, out: &mut Bson) -> usize {
    let mut place = 0;
    for category in categories() {
        out.element(place);
        place += 1;
        out.int("_id", category.id);
        match category.parent_id {
            Some(parent) => out.int("parent_id", parent),
            None => out.null("parent_id"),
        }
        out.text("name", category.name);
        out.text("slug", &category.slug);
        out.close();
    }
    place
}

fn products(shop: &Shop, units: Range<u64>, out: &mut Bson) -> usize {
    let mut place = 0;
    for unit in units {
        let product = Product::of(shop, unit);
        out.element(place);
        place += 1;
        out.int("_id", product.id);
        out.text("sku", &product.sku);
        out.text("name", &product.name);
        out.text("description", &product.description);
        out.int("category_id", product.category_id);
        out.text("brand", product.brand);
        out.money("price", product.price);
        out.int("stock", product.stock);
        out.open("attributes");
        product.attributes(out);
        out.close();
        out.texts("tags", &product.tags);
        if let Some(at) = product.discontinued_at {
            out.time("discontinued_at", at);
        }
        out.time("created_at", product.created_at);
        out.close();
    }
    place
}

fn orders(shop: &Shop, units: Range<u64>, out: &mut Bson) -> usize {
    let mut place = 0;
    let mut next = shop.before(units.start).0 + 1;
    for unit in units {
        let order = Order::of(shop, unit, next);
        next += order.items.len() as u64;
        out.element(place);
        place += 1;
        out.long("_id", order.id);
        out.int("customer_id", order.customer_id);
        out.int("shipping_address_id", order.shipping_address_id);
        out.text("status", order.head.status);
        if let Some(coupon) = order.head.coupon {
            out.text("coupon", coupon);
        }
        out.money("total", order.total);
        out.array("items");
        for (place, item) in order.items.iter().enumerate() {
            out.element(place);
            out.long("id", item.id);
            out.int("product_id", item.product_id);
            out.int("quantity", item.quantity);
            out.money("unit_price", item.unit_price);
            out.close();
        }
        out.close();
        out.time("created_at", order.head.created_at);
        out.time_or_null("shipped_at", order.head.shipped_at);
        out.time_or_null("delivered_at", order.head.delivered_at);
        out.close();
    }
    place
}

fn order_payments(shop: &Shop, units: Range<u64>, out: &mut Bson) -> usize {
    let mut place = 0;
    let mut next = shop.before(units.start).1 + 1;
    for unit in units {
        for payment in payments(shop, &Head::of(shop, unit), next) {
            next += 1;
            out.element(place);
            place += 1;
            out.long("_id", payment.id);
            out.long("order_id", payment.order_id);
            out.text("method", payment.method);
            out.text("status", payment.status);
            out.money("amount", payment.amount);
            if let Some(code) = payment.failure_code {
                out.text("failure_code", code);
            }
            out.time("created_at", payment.created_at);
            out.close();
        }
    }
    place
}

fn reviews(shop: &Shop, units: Range<u64>, out: &mut Bson) -> usize {
    let mut place = 0;
    for unit in units {
        let review = Review::of(shop, unit);
        out.element(place);
        place += 1;
        out.long("_id", review.id);
        out.int("product_id", review.product_id);
        out.int("customer_id", review.customer_id);
        out.long("order_id", review.order_id);
        out.int("rating", review.rating);
        if let Some(title) = review.title {
            out.text("title", title);
        }
        out.text("body", &review.body);
        out.int("helpful_votes", review.helpful_votes);
        out.time("created_at", review.created_at);
        out.close();
    }
    place
}

fn events(shop: &Shop, units: Range<u64>, out: &mut Bson) -> usize {
    let mut place = 0;
    for event in units.flat_map(|unit| block(shop, unit)) {
        out.element(place);
        place += 1;
        out.long("_id", event.id);
        out.text("type", event.kind);
        out.uuid("session_id", event.session_id);
        if let Some(customer_id) = event.customer_id {
            out.int("customer_id", customer_id);
        }
        if let Some(product_id) = event.product_id {
            out.int("product_id", product_id);
        }
        out.time("created_at", event.created_at);
        out.open("payload");
        event.payload(out);
        out.close();
        out.close();
    }
    place
}
