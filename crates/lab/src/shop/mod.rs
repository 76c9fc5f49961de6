//! `shop`: the demo data, the same in both engines.
//!
//! A web shop over three years (2023-10-01 to 2026-10-01): customers with addresses, products in
//! categories, orders with items and payments, reviews, and a stream of events. At scale 1 it
//! has about a million order items and two million events.
//!
//! | PostgreSQL    | MongoDB                    | rows at scale 1 | notes |
//! |---------------|----------------------------|-----------------|-------|
//! | `customers`   | `customers`                | 100,000         | older customers have lower ids; `phone`, `birth_date`, `last_login_at` may be NULL; mixed-case `email` |
//! | `addresses`   | `customers.addresses[]`    | 135,000         | `city` decides `country`: correlated columns |
//! | `categories`  | `categories`               | 56              | two levels; does not grow with the scale |
//! | `products`    | `products`                 | 20,000          | `attributes` is jsonb / a nested document, `tags` an array |
//! | `orders`      | `orders`                   | 400,000         | 93 % delivered, 1 % refunded; `total` is the sum of the items |
//! | `order_items` | `orders.items[]`           | 1,015,000       | `id` is kept in MongoDB |
//! | `payments`    | `payments`                 | 414,000         | refunds are negative; failed attempts stay |
//! | `reviews`     | `reviews`                  | 150,000         | free text; only of products the customer ordered |
//! | `events`      | `events`                   | 2,000,000       | anonymous visitors have no customer; `payload` is jsonb / a nested document |
//!
//! **Keys.** `id` in PostgreSQL is `_id` in MongoDB. There are primary keys and nothing else: no
//! other index, no foreign key. Every reference finds its row all the same. `addresses` leaves
//! ids out: a customer's billing address is 2·id − 1 and the shipping address, when there is
//! one, 2·id.
//!
//! **Types.** `integer` is Int32, `bigint` Int64, `numeric` Decimal128 with the same number of
//! decimals, `timestamp` (UTC by convention) and `timestamptz` Date, `date` Date at midnight UTC,
//! `uuid` Binary of subtype 4, `jsonb` a nested document, `text[]` an array.
//!
//! **NULL.** A NULL `phone` is null in one half of the customers and missing in the other, as
//! data of several releases of an application are. `last_login_at`, `shipped_at`,
//! `delivered_at` and `parent_id` are null. All other NULLs (`birth_date`, `coupon`,
//! `discontinued_at`, `failure_code`, `title`, `customer_id` and `product_id` of events) are
//! missing fields.
//!
//! **Skew.** Customers and products are drawn by the Zipf–Mandelbrot law; the busiest 1 % of
//! the products have two fifths of the items. Orders and events grow over the years and
//! follow season, weekday and hour. Older orders have lower ids.
//!
//! **Same seed, same bytes.** Every row is a function of seed, scale, table and id, so the
//! number of tasks and their order do not matter. No clock and no library decides about a byte.

mod calendar;
mod counts;
mod digest;
mod mongodb;
mod places;
mod postgres;
mod rng;
mod rows;
mod text;
mod words;
mod world;
mod zipf;

pub use counts::{Counts, Scale, TABLES};
pub use digest::{Generated, generate};
pub use mongodb::load_mongodb;
pub use postgres::load_postgres;
