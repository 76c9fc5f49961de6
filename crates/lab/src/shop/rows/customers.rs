use super::super::calendar::{DAY, END, START};
use super::super::places::{COUNTRIES, Country};
use super::super::rng::{Rng, Stream};
use super::super::world::Shop;

/// Mail services that can never exist (RFC 2606), the commonest first.
const MAIL: [&str; 5] =
    ["example.com", "mail.example", "example.org", "example.net", "post.example"];

/// Someone who signed up.
pub(in super::super) struct Customer {
    pub(in super::super) id: i32,
    pub(in super::super) email: String,
    pub(in super::super) name: String,
    pub(in super::super) phone: Option<String>,
    /// Whether MongoDB lacks the field where `phone` is NULL.
    pub(in super::super) phone_missing: bool,
    pub(in super::super) country: &'static str,
    pub(in super::super) tier: &'static str,
    pub(in super::super) newsletter: bool,
    /// Days since 1970-01-01.
    pub(in super::super) birth_date: Option<i64>,
    /// Milliseconds since 1970, as all times.
    pub(in super::super) created_at: i64,
    pub(in super::super) last_login_at: Option<i64>,
}

impl Customer {
    /// A customer, counted from 0.
    pub(in super::super) fn of(shop: &Shop, customer: u64) -> Self {
        let mut rng = Rng::of(shop.seed, Stream::Customer, customer);
        let country = country(&mut rng);
        let first = *rng.pick_skewed(country.names.first);
        let last = *rng.pick_skewed(country.names.last);
        let email = email(first, last, customer + 1, &mut rng);
        let phone = rng
            .permille(700)
            .then(|| format!("{}{}", country.dial, 100_000_000 + rng.below(900_000_000)));
        let phone_missing = rng.permille(500);
        let tier = rng.weighted(&[("standard", 82), ("silver", 13), ("gold", 4), ("platinum", 1)]);
        let newsletter = rng.permille(430);
        // From 1940 to 2006, without those who did not say.
        let birth_date = rng.permille(620).then(|| rng.between(-10_957, 13_149));
        let created_at = created_at(shop, customer, &mut rng);
        let last_login_at = rng.permille(880).then(|| {
            let age = END - created_at;
            // Most came back lately.
            END - 1 - rng.between(0, age - 1).min(rng.between(0, age - 1))
        });
        Customer {
            id: customer as i32 + 1,
            email,
            name: format!("{first} {last}"),
            phone,
            phone_missing,
            country: country.code,
            tier,
            newsletter,
            birth_date,
            created_at,
            last_login_at,
        }
    }
}

fn country(rng: &mut Rng) -> &'static Country {
    let total: u64 = COUNTRIES.iter().map(|country| u64::from(country.weight)).sum();
    let mut left = rng.below(total);
    for country in &COUNTRIES {
        let weight = u64::from(country.weight);
        if left < weight {
            return country;
        }
        left -= weight;
    }
    &COUNTRIES[0]
}

/// When a customer signed up: ids grow with time.
fn created_at(shop: &Shop, customer: u64, rng: &mut Rng) -> i64 {
    let early = shop.early_customers();
    if customer < early {
        const BEFORE: i64 = 730 * DAY;
        let step = BEFORE as u64 / early;
        return START - BEFORE + (customer * step + rng.below(step)) as i64;
    }
    shop.calendar.time_of(customer - early, shop.customers - early, rng)
}

/// An address in ASCII with a number that makes it unique; one in six has capitals, as people
/// type them.
fn email(first: &str, last: &str, id: u64, rng: &mut Rng) -> String {
    let mut out = String::with_capacity(48);
    let shape = rng.below(10);
    let mixed = rng.permille(165);
    let mut plain = |name: &str, take: usize| {
        let start = out.len();
        for letter in name.chars().take(take) {
            out.push_str(ascii(letter));
        }
        if mixed {
            return;
        }
        out[start..].make_ascii_lowercase();
    };
    match shape {
        0..=4 => {
            plain(first, usize::MAX);
            plain(".", 1);
            plain(last, usize::MAX);
        }
        5..=7 => {
            plain(first, 1);
            plain(last, usize::MAX);
        }
        _ => {
            plain(last, usize::MAX);
            plain("_", 1);
            plain(first, usize::MAX);
        }
    }
    out.push_str(&id.to_string());
    out.push('@');
    let host = rng.word(&MAIL);
    if mixed && rng.permille(400) {
        out.push_str(&host.to_ascii_uppercase());
    } else {
        out.push_str(host);
    }
    out
}

/// The ASCII letters for one of the letters in the names.
fn ascii(letter: char) -> &'static str {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
    match letter {
        'ä' | 'æ' => "ae",
        'ö' | 'ø' => "oe",
        'ü' => "ue",
        'Å' => "Aa",
        'ß' => "ss",
        'á' | 'ã' | 'â' | 'ą' => "a",
        'é' | 'è' | 'ê' | 'ë' | 'ę' => "e",
        'É' => "E",
        'í' | 'ì' | 'ï' | 'ı' => "i",
        'Á' => "A",
        'ó' | 'ò' | 'ô' => "o",
        'ú' | 'ù' => "u",
        'ñ' | 'ń' => "n",
        'ç' | 'ć' => "c",
        'ł' => "l",
        'Ł' => "L",
        'ş' | 'ś' => "s",
        'ź' | 'ż' => "z",
        _ => match PLAIN.find(letter) {
            Some(at) => &PLAIN[at..at + 1],
            None => "",
        },
    }
}

/// Where a customer gets bills or parcels.
pub(in super::super) struct Address {
    pub(in super::super) id: i32,
    pub(in super::super) customer_id: i32,
    pub(in super::super) kind: &'static str,
    pub(in super::super) street: String,
    pub(in super::super) postal_code: String,
    pub(in super::super) city: &'static str,
    pub(in super::super) country: &'static str,
}

impl Address {
    /// The id of the address a customer's (counted from 0) parcels go to.
    pub(in super::super) fn shipping_id(shop: &Shop, customer: u64) -> i32 {
        customer as i32 * 2 + 1 + i32::from(shop.ships_elsewhere(customer))
    }

    /// The billing address of a customer (counted from 0), and the shipping address of some.
    pub(in super::super) fn all_of(shop: &Shop, customer: u64) -> impl Iterator<Item = Self> {
        let home = country(&mut Rng::of(shop.seed, Stream::Customer, customer));
        let kinds: &[&str] =
            if shop.ships_elsewhere(customer) { &["billing", "shipping"] } else { &["billing"] };
        let seed = shop.seed;
        kinds.iter().enumerate().map(move |(place, kind)| {
            let id = customer * 2 + 1 + place as u64;
            // The generator's row 2·n + 2^40 keeps clear of the one that tells who ships where.
            let mut rng = Rng::of(seed, Stream::Address, (1 << 40) + id);
            // One parcel address in twenty-five is abroad.
            let country = if place == 1 && rng.permille(40) { country(&mut rng) } else { home };
            let total: u64 = country.cities.iter().map(|(_, _, weight)| u64::from(*weight)).sum();
            let mut left = rng.below(total);
            let mut city = &country.cities[0];
            for candidate in country.cities {
                city = candidate;
                let weight = u64::from(candidate.2);
                if left < weight {
                    break;
                }
                left -= weight;
            }
            let street = *rng.pick_skewed(country.streets);
            let number = rng.below(180).min(rng.below(180)) + 1;
            Address {
                id: id as i32,
                customer_id: customer as i32 + 1,
                kind,
                street: if country.number_first {
                    format!("{number} {street}")
                } else {
                    format!("{street} {number}")
                },
                postal_code: format!("{}{:03}", city.1, rng.below(1000)),
                city: city.0,
                country: country.code,
            }
        })
    }
}
