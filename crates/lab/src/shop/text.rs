//! Sentences people could have written.

use super::rng::Rng;

const DESCRIPTIONS: [&str; 14] = [
    "Made for everyday use and built to last.",
    "A favourite of our customers for years.",
    "Designed in Copenhagen, tested in the rain.",
    "Easy to clean, easy to store.",
    "Comes in a plastic-free box with a short manual.",
    "The second generation, quieter and lighter than the first.",
    "Every piece is checked by hand before it leaves the workshop.",
    "Fits in any bag and weighs next to nothing.",
    "Spare parts are available for at least ten years.",
    "Please read the safety notes before first use.",
    "Pairs well with the other items of the series.",
    "A thoughtful gift for people who have everything.",
    "Certified by independent laboratories.",
    "Assembly takes about ten minutes and needs no tools.",
];

/// What a product's page says.
pub(super) fn description(adjective: &str, noun: &str, rng: &mut Rng) -> String {
    let mut out = format!("{noun}, {}, for demanding people.", adjective.to_lowercase());
    for _ in 0..1 + rng.below(3) {
        out.push(' ');
        out.push_str(rng.pick::<&str>(&DESCRIPTIONS));
    }
    out
}

const GOOD: [&str; 18] = [
    "Absolutely love it.",
    "Exactly what I was looking for, and it arrived a day early.",
    "The quality is excellent for the price.",
    "My second one, the first is still going strong after three years.",
    "Bought it as a gift for my sister and she was thrilled.",
    "Sturdy, well made and surprisingly light.",
    "Works perfectly straight out of the box.",
    "The colour is even nicer than in the pictures.",
    "Would buy again without thinking twice.",
    "Customer service answered within minutes.",
    "Five stars, would recommend to anyone.",
    "Best purchase I have made this year!",
    "We use it every single day.",
    "Fits like a glove.",
    "Great value, fast shipping, no complaints.",
    "The battery lasts much longer than I expected.",
    "Beautifully packaged, no plastic anywhere.",
    "Does what it says, quietly and well.",
];

const FAIR: [&str; 12] = [
    "It is okay, nothing special.",
    "Does the job but feels a bit cheap.",
    "Smaller than I imagined from the photos.",
    "Good product, but the delivery took two weeks.",
    "The manual is hard to understand.",
    "Decent for occasional use.",
    "I expected more at this price.",
    "The zipper gets stuck now and then.",
    "Colour differs slightly from the picture.",
    "Not bad, not great.",
    "After a month there are first signs of wear.",
    "Sizing runs small, order one size up.",
];

const BAD: [&str; 14] = [
    "Broke after two weeks.",
    "Arrived damaged and the box was already open.",
    "Waste of money, do not buy.",
    "I asked for a refund and am still waiting.",
    "Stopped working after the first wash.",
    "The smell is terrible, even after airing it for days.",
    "Completely different from the description.",
    "Customer service never answered my emails.",
    "Missing screws, had to buy them myself.",
    "Very disappointed, returned it the same day.",
    "The strap snapped on the first day.",
    "Battery died within an hour.",
    "Looks used, there were scratches everywhere.",
    "Worst quality I have seen in a long time.",
];

const ASIDES: [&str; 12] = [
    "I use it mostly on weekends.",
    "My kids took it over immediately.",
    "Ordered on Monday, it came on Thursday.",
    "I compared several brands before deciding.",
    "We moved last month, so I needed a new one.",
    "Note that batteries are not included.",
    "I am 1.84 m tall for reference.",
    "The dog likes it too.",
    "Update: still the same opinion after six months.",
    "Used it on a trip to Portugal.",
    "My neighbour has the older model.",
    "I wish there was a version in dark green.",
];

const TITLES: [(&str, u8); 16] = [
    ("Love it!", 5),
    ("Great value", 5),
    ("Highly recommended", 5),
    ("Perfect gift", 5),
    ("Very happy", 4),
    ("Good but not perfect", 4),
    ("Solid", 4),
    ("It's okay", 3),
    ("Average", 3),
    ("Could be better", 3),
    ("Disappointed", 2),
    ("Not as described", 2),
    ("Hm.", 2),
    ("Broken on arrival", 1),
    ("Do NOT buy", 1),
    ("Never again", 1),
];

/// The title of a review with that many stars.
pub(super) fn title(rating: u8, rng: &mut Rng) -> &'static str {
    let start = rng.below(TITLES.len() as u64) as usize;
    let around = TITLES.iter().cycle().skip(start).take(TITLES.len());
    around.into_iter().find(|(_, stars)| *stars == rating).map_or("Review", |(title, _)| title)
}

/// The text of a review with that many stars: what the customer thinks, and what else comes to
/// mind; one in seventy is shouted.
pub(super) fn review(rating: u8, noun: &str, rng: &mut Rng) -> String {
    let mut out = String::with_capacity(160);
    for place in 0..1 + rng.below(4) {
        if place > 0 {
            out.push(' ');
        }
        let sentence = match (rating, rng.below(10)) {
            (_, 0 | 1) => *rng.pick(&ASIDES),
            (5, _) | (4, 2..=7) => *rng.pick(&GOOD),
            (1, _) | (2, 2..=7) => *rng.pick(&BAD),
            _ => *rng.pick(&FAIR),
        };
        out.push_str(sentence);
    }
    if rng.permille(250) {
        out.push_str(" So much for the ");
        out.push_str(&noun.to_lowercase());
        out.push('.');
    }
    if rng.permille(14) {
        out.make_ascii_uppercase();
    }
    out
}
