use std::ops::Range;

use super::super::rows::{
    Address, Customer, EVENTS_PER_BLOCK, Head, Order, Product, Review, block, categories, items,
    payments,
};
use super::super::world::Shop;
use super::writer::Row;

/// How the rows of a table are made, in parts that can be made apart.
pub(in super::super) struct Table {
    /// Its name.
    pub(in super::super) name: &'static str,
    /// How many units it is made from: customers, orders, blocks of events.
    pub(in super::super) units: fn(&Shop) -> u64,
    /// How many units make a part of about half a megabyte.
    pub(in super::super) part: u64,
    /// Appends the rows of some units in the binary COPY format; returns how many they were.
    pub(in super::super) encode: fn(&Shop, Range<u64>, &mut Vec<u8>) -> u64,
}

/// All tables; the largest first, so that the last to be loaded is a small one.
pub(in super::super) const TABLES: [Table; 9] = [
    Table {
        name: "events",
        units: |shop| shop.events / EVENTS_PER_BLOCK,
        part: 48,
        encode: events,
    },
    Table { name: "order_items", units: |shop| shop.orders, part: 4000, encode: order_items },
    Table { name: "orders", units: |shop| shop.orders, part: 4000, encode: orders },
    Table { name: "payments", units: |shop| shop.orders, part: 5000, encode: order_payments },
    Table { name: "reviews", units: |shop| shop.reviews, part: 2000, encode: reviews },
    Table { name: "customers", units: |shop| shop.customers, part: 3000, encode: customers },
    Table { name: "addresses", units: |shop| shop.customers, part: 4000, encode: addresses },
    Table { name: "products", units: |shop| shop.products, part: 1000, encode: products },
    Table { name: "categories", units: |_| 1, part: 1, encode: all_categories },
];

fn customers(shop: &Shop, units: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, count) = (Row(out), units.end - units.start);
    for unit in units {
        let customer = Customer::of(shop, unit);
        row.begin(10);
        row.int(customer.id);
        row.text(&customer.email);
        row.text(&customer.name);
        row.text_or_null(customer.phone.as_deref());
        row.text(customer.country);
        row.text(customer.tier);
        row.flag(customer.newsletter);
        row.date_or_null(customer.birth_date);
        row.time(customer.created_at);
        row.time_or_null(customer.last_login_at);
    }
    count
}

fn addresses(shop: &Shop, units: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, mut count) = (Row(out), 0);
    for address in units.flat_map(|unit| Address::all_of(shop, unit)) {
        count += 1;
        row.begin(7);
        row.int(address.id);
        row.int(address.customer_id);
        row.text(address.kind);
        row.text(&address.street);
        row.text(&address.postal_code);
        row.text(address.city);
        row.text(address.country);
    }
    count
}

fn all_categories(_: &Shop, _: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, mut count) = (Row(out), 0);
    for category in categories() {
        count += 1;
        row.begin(4);
        row.int(category.id);
        row.int_or_null(category.parent_id);
        row.text(category.name);
        row.text(&category.slug);
    }
    count
}

fn products(shop: &Shop, units: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, count) = (Row(out), units.end - units.start);
    for unit in units {
        let product = Product::of(shop, unit);
        row.begin(12);
        row.int(product.id);
        row.text(&product.sku);
        row.text(&product.name);
        row.text(&product.description);
        row.int(product.category_id);
        row.text(product.brand);
        row.money(product.price);
        row.int(product.stock);
        row.json(|json| product.attributes(json));
        row.texts(&product.tags);
        row.time_or_null(product.discontinued_at);
        row.time(product.created_at);
    }
    count
}

fn orders(shop: &Shop, units: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, count) = (Row(out), units.end - units.start);
    for unit in units {
        let order = Order::of(shop, unit, 0);
        row.begin(9);
        row.long(order.id);
        row.int(order.customer_id);
        row.int(order.shipping_address_id);
        row.text(order.head.status);
        row.text_or_null(order.head.coupon);
        row.money(order.total);
        row.time(order.head.created_at);
        row.time_or_null(order.head.shipped_at);
        row.time_or_null(order.head.delivered_at);
    }
    count
}

fn order_items(shop: &Shop, units: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, mut count) = (Row(out), 0);
    let mut next = shop.before(units.start).0 + 1;
    for unit in units {
        for item in items(shop, unit, next) {
            next += 1;
            count += 1;
            row.begin(5);
            row.long(item.id);
            row.long(item.order_id);
            row.int(item.product_id);
            row.int(item.quantity);
            row.money(item.unit_price);
        }
    }
    count
}

fn order_payments(shop: &Shop, units: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, mut count) = (Row(out), 0);
    let mut next = shop.before(units.start).1 + 1;
    for unit in units {
        for payment in payments(shop, &Head::of(shop, unit), next) {
            next += 1;
            count += 1;
            row.begin(7);
            row.long(payment.id);
            row.long(payment.order_id);
            row.text(payment.method);
            row.text(payment.status);
            row.money(payment.amount);
            row.text_or_null(payment.failure_code);
            row.time(payment.created_at);
        }
    }
    count
}

fn reviews(shop: &Shop, units: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, count) = (Row(out), units.end - units.start);
    for unit in units {
        let review = Review::of(shop, unit);
        row.begin(9);
        row.long(review.id);
        row.int(review.product_id);
        row.int(review.customer_id);
        row.long(review.order_id);
        row.small(review.rating as i16);
        row.text_or_null(review.title);
        row.text(&review.body);
        row.int(review.helpful_votes);
        row.time(review.created_at);
    }
    count
}

fn events(shop: &Shop, units: Range<u64>, out: &mut Vec<u8>) -> u64 {
    let (mut row, mut count) = (Row(out), 0);
    for event in units.flat_map(|unit| block(shop, unit)) {
        count += 1;
        row.begin(7);
        row.long(event.id);
        row.text(event.kind);
        row.uuid(event.session_id);
        row.int_or_null(event.customer_id);
        row.int_or_null(event.product_id);
        row.time(event.created_at);
        row.json(|json| event.payload(json));
    }
    count
}
