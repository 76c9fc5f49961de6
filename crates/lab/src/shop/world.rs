use std::sync::Arc;

use marula_core::{Error, ErrorKind, Result};

use super::calendar::Calendar;
use super::counts::{Counts, Scale};
use super::rng::{Rng, Stream};
use super::rows::{EVENTS_PER_BLOCK, Head, categories, item_count, payment_count, price};
use super::words::CATEGORIES;
use super::zipf::Zipf;

/// Rows at scale 1.
const CUSTOMERS: u32 = 100_000;
const PRODUCTS: u32 = 20_000;
const ORDERS: u32 = 400_000;
const REVIEWS: u32 = 150_000;
const EVENTS: u32 = 2_000_000;

/// How flat the top of the popularity is: without it the first product alone would have a tenth
/// of all items.
const PRODUCT_FLATNESS: f64 = 10.0;
const CUSTOMER_FLATNESS: f64 = 50.0;

/// Customers of a hundred who were there before the first order.
const EARLY_CUSTOMERS: u64 = 40;

/// Items and payments are numbered without gaps: this many orders share one stored count.
const ORDERS_PER_BLOCK: u64 = 128;

/// The shop and its counts, made in a thread of their own: at the largest scale that takes most
/// of a second.
pub(super) async fn prepare(scale: Scale, seed: u64) -> Result<(Arc<Shop>, Counts)> {
    let made = tokio::task::spawn_blocking(move || {
        let shop = Arc::new(Shop::new(scale, seed));
        let counts = shop.counts();
        (shop, counts)
    });
    made.await.map_err(|error| {
        Error::new(ErrorKind::Internal, "the generation of shop failed").because(error)
    })
}

/// What all rows are made from: seed, sizes, popularity and calendar.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) seed: u64,
    pub(super) calendar: Calendar,
    pub(super) customers: u64,
    pub(super) products: u64,
    pub(super) orders: u64,
    pub(super) reviews: u64,
    /// A whole number of blocks.
    pub(super) events: u64,
    by_customer: Zipf,
    by_product: Zipf,
    /// The price of every product, in cents.
    prices: Vec<i64>,
    /// Items and payments before every block of orders, and after the last.
    before: Vec<(u64, u64)>,
}

impl Shop {
    pub(super) fn new(scale: Scale, seed: u64) -> Self {
        let (customers, products) = (scale.of(CUSTOMERS), scale.of(PRODUCTS));
        let mut shop = Shop {
            seed,
            calendar: Calendar::new(),
            customers: customers.into(),
            products: products.into(),
            orders: scale.of(ORDERS).into(),
            reviews: scale.of(REVIEWS).into(),
            events: u64::from(scale.of(EVENTS)).next_multiple_of(EVENTS_PER_BLOCK),
            by_customer: Zipf::new(customers, CUSTOMER_FLATNESS, seed),
            by_product: Zipf::new(products, PRODUCT_FLATNESS, seed),
            prices: (1..=products).map(|id| price(seed, id.into())).collect(),
            before: Vec::new(),
        };
        shop.before = shop.count_blocks();
        shop
    }

    fn count_blocks(&self) -> Vec<(u64, u64)> {
        let (mut items, mut payments) = (0, 0);
        let mut before = vec![(0, 0)];
        for order in 0..self.orders {
            items += item_count(self, order);
            payments += payment_count(self, &Head::of(self, order));
            if (order + 1) % ORDERS_PER_BLOCK == 0 || order + 1 == self.orders {
                before.push((items, payments));
            }
        }
        before
    }

    /// The rows of every PostgreSQL table.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let (items, payments) = self.before.last().copied().unwrap_or_default();
        let shipping = (0..self.customers).filter(|customer| self.ships_elsewhere(*customer));
        counts.add("customers", self.customers);
        counts.add("addresses", self.customers + shipping.count() as u64);
        counts.add("categories", categories().count() as u64);
        counts.add("products", self.products);
        counts.add("orders", self.orders);
        counts.add("order_items", items);
        counts.add("payments", payments);
        counts.add("reviews", self.reviews);
        counts.add("events", self.events);
        counts
    }

    /// How many items and payments all orders before `order` (counted from 0) have.
    pub(super) fn before(&self, order: u64) -> (u64, u64) {
        let block = order / ORDERS_PER_BLOCK;
        let (mut items, mut payments) =
            self.before.get(block as usize).copied().unwrap_or_default();
        for earlier in block * ORDERS_PER_BLOCK..order {
            items += item_count(self, earlier);
            payments += payment_count(self, &Head::of(self, earlier));
        }
        (items, payments)
    }

    /// The price of a product (counted from 0), in cents.
    pub(super) fn price(&self, product: u64) -> i64 {
        self.prices.get(product as usize).copied().unwrap_or_default()
    }

    /// A product, counted from 0; a few are drawn much more often than the rest.
    pub(super) fn draw_product(&self, rng: &mut Rng) -> u64 {
        self.by_product.draw(rng).into()
    }

    /// A customer, counted from 0, who had signed up when the `index`-th of `count` things
    /// happened; a few are drawn much more often than the rest.
    pub(super) fn draw_customer(&self, index: u64, count: u64, rng: &mut Rng) -> u64 {
        let early = self.early_customers();
        let later = u128::from(self.customers - early) * u128::from(index);
        let known = (early + (later / u128::from(count.max(1))) as u64).max(1);
        for _ in 0..8 {
            let customer = u64::from(self.by_customer.draw(rng));
            if customer < known {
                return customer;
            }
        }
        rng.below(known)
    }

    /// Customers who signed up before the first order, in two years.
    pub(super) fn early_customers(&self) -> u64 {
        (self.customers * EARLY_CUSTOMERS / 100).max(1)
    }

    /// Whether a customer (counted from 0) has a second address, for shipping.
    pub(super) fn ships_elsewhere(&self, customer: u64) -> bool {
        Rng::of(self.seed, Stream::Address, customer).permille(350)
    }

    /// The category a product may be in: ids of the second level come after the first level.
    pub(super) fn leaf_categories() -> u64 {
        CATEGORIES.iter().map(|(_, below, _)| below.len() as u64).sum()
    }
}
