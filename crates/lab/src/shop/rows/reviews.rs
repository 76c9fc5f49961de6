use super::super::calendar::{DAY, END, HOUR};
use super::super::rng::{Rng, Stream};
use super::super::text;
use super::super::world::Shop;
use super::catalogue::noun_of;
use super::{Head, items};

/// What a customer wrote about a product of an order.
pub(in super::super) struct Review {
    pub(in super::super) id: i64,
    pub(in super::super) product_id: i32,
    pub(in super::super) customer_id: i32,
    pub(in super::super) order_id: i64,
    pub(in super::super) rating: i32,
    pub(in super::super) title: Option<&'static str>,
    pub(in super::super) body: String,
    pub(in super::super) helpful_votes: i32,
    pub(in super::super) created_at: i64,
}

impl Review {
    /// A review, counted from 0. Later reviews are of later orders.
    pub(in super::super) fn of(shop: &Shop, review: u64) -> Self {
        let mut rng = Rng::of(shop.seed, Stream::Review, review);
        let place = |review| review * shop.orders / shop.reviews.max(1);
        let (from, to) = (place(review), place(review + 1).min(shop.orders));
        let mut order = from + rng.below(to.saturating_sub(from));
        let mut head = Head::of(shop, order);
        for _ in 0..3 {
            if head.delivered_at.is_some() {
                break;
            }
            order = from + rng.below(to.saturating_sub(from));
            head = Head::of(shop, order);
        }
        let lines = items(shop, order, 0);
        let line = rng.pick(&lines);
        let rating = rng.weighted(&[(5, 52), (4, 22), (3, 9), (2, 6), (1, 11)]);
        let title = rng.permille(800).then(|| text::title(rating as u8, &mut rng));
        let noun = noun_of(shop, line.product_id as u64 - 1);
        let body = text::review(rating as u8, noun, &mut rng);
        let helpful_votes =
            if rng.permille(700) { 0 } else { rng.below(60).min(rng.below(60)) as i32 };
        let known = head.delivered_at.unwrap_or(head.created_at);
        let created_at = (known + rng.between(HOUR, 30 * DAY)).min(END - 1);
        Review {
            id: review as i64 + 1,
            product_id: line.product_id,
            customer_id: head.customer as i32 + 1,
            order_id: order as i64 + 1,
            rating,
            title,
            body,
            helpful_votes,
            created_at,
        }
    }
}
