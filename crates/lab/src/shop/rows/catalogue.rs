use super::super::calendar::{DAY, END, START};
use super::super::rng::{Rng, Stream};
use super::super::text;
use super::super::words::{ADJECTIVES, BRANDS, CATEGORIES, COLOURS, MATERIALS, SIZES, TAGS};
use super::super::world::Shop;
use super::Fields;

/// A shelf of the shop; the first level has no parent.
pub(in super::super) struct Category {
    pub(in super::super) id: i32,
    pub(in super::super) parent_id: Option<i32>,
    pub(in super::super) name: &'static str,
    pub(in super::super) slug: String,
}

/// All categories: the first level, then the second.
pub(in super::super) fn categories() -> impl Iterator<Item = Category> {
    let first = CATEGORIES.iter().map(|(name, _, _)| (None, *name));
    let second = CATEGORIES.iter().enumerate().flat_map(|(top, (_, below, _))| {
        below.iter().map(move |(name, _)| (Some(top as i32 + 1), *name))
    });
    first.chain(second).enumerate().map(|(place, (parent_id, name))| Category {
        id: place as i32 + 1,
        parent_id,
        name,
        slug: slug(name),
    })
}

fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

/// Something the shop sells.
pub(in super::super) struct Product {
    pub(in super::super) id: i32,
    pub(in super::super) sku: String,
    pub(in super::super) name: String,
    pub(in super::super) description: String,
    pub(in super::super) category_id: i32,
    pub(in super::super) brand: &'static str,
    /// Cents.
    pub(in super::super) price: i64,
    pub(in super::super) stock: i32,
    pub(in super::super) tags: Vec<&'static str>,
    pub(in super::super) discontinued_at: Option<i64>,
    pub(in super::super) created_at: i64,
    /// The first level of its category decides which attributes it has.
    top: usize,
    rng: Rng,
}

/// The first level and the noun of a product's category, its id, and the generator after it.
fn category(seed: u64, product: u64) -> (usize, &'static str, i32, Rng) {
    let mut rng = Rng::of(seed, Stream::Product, product);
    let mut leaf = rng.below(Shop::leaf_categories()) as usize;
    let id = (CATEGORIES.len() + leaf + 1) as i32;
    for (top, (_, below, _)) in CATEGORIES.iter().enumerate() {
        if leaf < below.len() {
            return (top, below[leaf].1, id, rng);
        }
        leaf -= below.len();
    }
    (0, CATEGORIES[0].0, 1, rng)
}

/// What a product (counted from 0) is: `Camera`.
pub(super) fn noun_of(shop: &Shop, product: u64) -> &'static str {
    category(shop.seed, product).1
}

/// The price of the product with this id, in cents: cheap ones are common.
pub(in super::super) fn price(seed: u64, id: u64) -> i64 {
    let (top, _, _, mut rng) = category(seed, id - 1);
    priced(top, &mut rng)
}

fn priced(top: usize, rng: &mut Rng) -> i64 {
    let (low, high) = CATEGORIES[top].2;
    let cents = (0..3).map(|_| rng.between(low, high)).min().unwrap_or(low);
    // Prices end in 99, 50 or 00.
    cents / 100 * 100 + rng.weighted(&[(99, 6), (50, 2), (0, 2)])
}

impl Product {
    /// A product, counted from 0.
    pub(in super::super) fn of(shop: &Shop, product: u64) -> Self {
        let (top, noun, category_id, mut rng) = category(shop.seed, product);
        let price = priced(top, &mut rng);
        let brand = rng.word(&BRANDS);
        let adjective = *rng.pick(&ADJECTIVES);
        let name = format!("{brand} {adjective} {noun} {}", 100 + rng.below(900));
        let description = text::description(adjective, noun, &mut rng);
        let stock = if rng.permille(60) { 0 } else { rng.between(1, 400) as i32 };
        let mut tags: Vec<&str> = Vec::new();
        for _ in 0..rng.below(5) {
            let tag = rng.word(&TAGS);
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        // Everything was there before the first order.
        let created_at = START - 1 - rng.between(0, 900 * DAY);
        let discontinued_at = rng.permille(80).then(|| rng.between(START, END - 1));
        Product {
            id: product as i32 + 1,
            sku: format!("{}-{:06}", &CATEGORIES[top].0[..2].to_uppercase(), product + 1),
            name,
            description,
            category_id,
            brand,
            price,
            stock,
            tags,
            discontinued_at,
            created_at,
            top,
            rng,
        }
    }

    /// Writes `attributes`: what they are depends on the category, and few products have all.
    pub(in super::super) fn attributes(&self, out: &mut impl Fields) {
        let mut rng = self.rng.clone();
        out.text("colour", rng.word(&COLOURS));
        if rng.permille(700) {
            out.text("material", rng.word(&MATERIALS));
        }
        match self.top {
            0 => {
                out.int("warranty_months", rng.weighted(&[(24, 7), (12, 2), (36, 1)]));
                out.flag("bluetooth", rng.permille(400));
                out.texts(
                    "ports",
                    rng.weighted(&[(&["usb-c"][..], 5), (&["usb-c", "hdmi"], 3), (&[], 2)]),
                );
            }
            2 => {
                out.text("size", rng.word(&SIZES));
                out.text("fit", rng.weighted(&[("regular", 6), ("slim", 3), ("loose", 1)]));
            }
            4 => {
                out.int("pages", rng.between(48, 900) as i32);
                out.text("language", rng.weighted(&[("en", 5), ("de", 3), ("fr", 2), ("es", 1)]));
                out.flag("hardcover", rng.permille(350));
            }
            6 => out.int("age_from", rng.weighted(&[(3, 5), (6, 4), (10, 2), (14, 1)])),
            _ => {}
        }
        out.int("weight_g", rng.between(40, 12_000).min(rng.between(40, 12_000)) as i32);
        if rng.permille(450) {
            out.open("dimensions");
            out.int("width_mm", rng.between(20, 1200) as i32);
            out.int("height_mm", rng.between(20, 1200) as i32);
            out.int("depth_mm", rng.between(5, 600) as i32);
            out.close();
        }
    }
}
