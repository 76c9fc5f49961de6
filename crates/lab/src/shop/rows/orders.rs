use super::super::calendar::{DAY, END, HOUR, SECOND};
use super::super::rng::{Rng, Stream};
use super::super::world::Shop;
use super::Address;

/// What can be told of an order without its items.
pub(in super::super) struct Head {
    /// Counted from 0.
    order: u64,
    /// Counted from 0.
    pub(in super::super) customer: u64,
    pub(in super::super) status: &'static str,
    pub(in super::super) created_at: i64,
    pub(in super::super) shipped_at: Option<i64>,
    pub(in super::super) delivered_at: Option<i64>,
    pub(in super::super) coupon: Option<&'static str>,
}

impl Head {
    /// An order, counted from 0.
    pub(in super::super) fn of(shop: &Shop, order: u64) -> Self {
        let mut rng = Rng::of(shop.seed, Stream::Order, order);
        let created_at = shop.calendar.time_of(order, shop.orders, &mut rng);
        let customer = shop.draw_customer(order, shop.orders, &mut rng);
        let fate = rng.below(1000);
        let shipped_at = created_at + rng.between(3 * HOUR, 3 * DAY) / SECOND * SECOND;
        let delivered_at = shipped_at + rng.between(DAY, 6 * DAY) / SECOND * SECOND;
        let status = match fate {
            0..=44 => "cancelled",
            _ if shipped_at >= END && fate < 400 => "pending",
            _ if shipped_at >= END => "processing",
            _ if delivered_at >= END => "shipped",
            45..=57 => "refunded",
            _ => "delivered",
        };
        let shipped = matches!(status, "shipped" | "delivered" | "refunded");
        let delivered = matches!(status, "delivered" | "refunded");
        const COUPONS: [&str; 5] = ["WELCOME10", "SPRING", "BLACKFRIDAY", "VIP", "FRIENDS"];
        let coupon = rng.permille(70).then(|| rng.word(&COUPONS));
        Head {
            order,
            customer,
            status,
            created_at,
            shipped_at: shipped.then_some(shipped_at),
            delivered_at: delivered.then_some(delivered_at),
            coupon,
        }
    }
}

/// An order with its items.
pub(in super::super) struct Order {
    pub(in super::super) head: Head,
    pub(in super::super) id: i64,
    pub(in super::super) customer_id: i32,
    pub(in super::super) shipping_address_id: i32,
    /// The sum of the items, in cents.
    pub(in super::super) total: i64,
    pub(in super::super) items: Vec<Item>,
}

impl Order {
    /// An order (counted from 0) whose items' ids begin with `first_item`.
    pub(in super::super) fn of(shop: &Shop, order: u64, first_item: u64) -> Self {
        let head = Head::of(shop, order);
        let items = items(shop, order, first_item);
        Order {
            id: order as i64 + 1,
            customer_id: head.customer as i32 + 1,
            shipping_address_id: Address::shipping_id(shop, head.customer),
            total: items.iter().map(|item| i64::from(item.quantity) * item.unit_price).sum(),
            items,
            head,
        }
    }
}

/// One line of an order.
pub(in super::super) struct Item {
    pub(in super::super) id: i64,
    pub(in super::super) order_id: i64,
    pub(in super::super) product_id: i32,
    pub(in super::super) quantity: i32,
    /// Cents; what the product cost at that time.
    pub(in super::super) unit_price: i64,
}

/// How many lines an order (counted from 0) has: 2.5 in the mean.
pub(in super::super) fn item_count(shop: &Shop, order: u64) -> u64 {
    const LINES: [(u64, u32); 9] =
        [(1, 34), (2, 27), (3, 17), (4, 10), (5, 5), (6, 3), (7, 2), (8, 1), (10, 1)];
    let mut rng = Rng::of(shop.seed, Stream::ItemCount, order);
    rng.weighted(&LINES).min(shop.products)
}

/// The lines of an order (counted from 0), with ids from `first_item` on; no product twice.
pub(in super::super) fn items(shop: &Shop, order: u64, first_item: u64) -> Vec<Item> {
    const QUANTITIES: [(i32, u32); 9] =
        [(1, 620), (2, 200), (3, 80), (4, 45), (5, 22), (6, 18), (10, 10), (12, 4), (20, 1)];
    let mut rng = Rng::of(shop.seed, Stream::Item, order);
    let count = item_count(shop, order);
    let mut lines: Vec<Item> = Vec::with_capacity(count as usize);
    for line in 0..count {
        let mut product = shop.draw_product(&mut rng);
        while lines.iter().any(|line| line.product_id as u64 == product + 1) {
            product = (product + 1) % shop.products;
        }
        let price = shop.price(product);
        // Things were up to a tenth cheaper in the past.
        let unit_price = if rng.permille(300) { price * rng.between(90, 99) / 100 } else { price };
        lines.push(Item {
            id: (first_item + line) as i64,
            order_id: order as i64 + 1,
            product_id: product as i32 + 1,
            quantity: rng.weighted(&QUANTITIES),
            unit_price,
        });
    }
    lines
}

/// Money that came in or went back, or did not.
pub(in super::super) struct Payment {
    pub(in super::super) id: i64,
    pub(in super::super) order_id: i64,
    pub(in super::super) method: &'static str,
    pub(in super::super) status: &'static str,
    /// Cents; negative for a refund.
    pub(in super::super) amount: i64,
    pub(in super::super) failure_code: Option<&'static str>,
    pub(in super::super) created_at: i64,
}

/// The generator of an order's payments, and whether a first attempt failed.
fn attempts(shop: &Shop, head: &Head) -> (Rng, bool) {
    let mut rng = Rng::of(shop.seed, Stream::Payment, head.order);
    let share = if head.status == "cancelled" { 550 } else { 45 };
    let failed = rng.permille(share);
    (rng, failed)
}

/// How many payments an order has.
pub(in super::super) fn payment_count(shop: &Shop, head: &Head) -> u64 {
    match head.status {
        "pending" => 0,
        "cancelled" => attempts(shop, head).1.into(),
        "refunded" => 2 + u64::from(attempts(shop, head).1),
        _ => 1 + u64::from(attempts(shop, head).1),
    }
}

/// The payments of an order, with ids from `first_payment` on.
pub(in super::super) fn payments(shop: &Shop, head: &Head, first_payment: u64) -> Vec<Payment> {
    const FAILURES: [&str; 4] =
        ["insufficient_funds", "card_declined", "expired_card", "3ds_failed"];
    if head.status == "pending" {
        return Vec::new();
    }
    let total: i64 = items(shop, head.order, 0)
        .iter()
        .map(|item| i64::from(item.quantity) * item.unit_price)
        .sum();
    let (mut rng, failed) = attempts(shop, head);
    let method = rng.weighted(&[
        ("card", 58),
        ("paypal", 24),
        ("invoice", 9),
        ("bank_transfer", 6),
        ("gift_card", 3),
    ]);
    let mut made = Vec::with_capacity(3);
    let mut add = |status, amount, failure_code, created_at: i64| {
        made.push(Payment {
            id: (first_payment + made.len() as u64) as i64,
            order_id: head.order as i64 + 1,
            method,
            status,
            amount,
            failure_code,
            created_at: created_at.min(END - 1),
        });
    };
    let mut at = head.created_at + rng.between(5, 90) * SECOND;
    if failed {
        add("failed", total, Some(rng.word(&FAILURES)), at);
        at += rng.between(20, 600) * SECOND;
    }
    if head.status != "cancelled" {
        add("captured", total, None, at);
    }
    if let ("refunded", Some(delivered_at)) = (head.status, head.delivered_at) {
        add("refunded", -total, None, delivered_at + rng.between(HOUR, 20 * DAY));
    }
    made
}
