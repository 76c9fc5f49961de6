//! Real inputs, damaged in a few random places: what every parser of outside input has to bear.
//! The tests of MongoDB use it, too.

use proptest::prelude::*;
use proptest::sample::Index;

/// One of `seeds` with up to four edits: a span cut out, doubled, or replaced by a few characters
/// or by a piece of another seed.
pub fn mangled(seeds: Vec<String>) -> impl Strategy<Value = String> {
    let edit = (any::<Index>(), 0usize..30, 0u8..4, pieces(), any::<Index>(), any::<Index>());
    let edits = prop::collection::vec(edit, 1..5);
    (any::<Index>(), edits).prop_map(move |(which, edits)| {
        let mut text = which.get(&seeds).clone();
        for (at, long, how, piece, other, from) in edits {
            let (start, end) = span(&text, at, long);
            let cut = text[start..end].to_owned();
            let put = match how {
                0 => String::new(),
                1 => cut.repeat(2),
                2 => piece,
                _ => {
                    let other = other.get(&seeds);
                    let (start, end) = span(other, from, 40);
                    other[start..end].to_owned()
                }
            };
            text.replace_range(start..end, &put);
        }
        text
    })
}

/// What parsers stumble over, or anything.
fn pieces() -> impl Strategy<Value = String> {
    let odd = [
        "'",
        "\"",
        "$$",
        "\\",
        "--",
        "/*",
        "*/",
        ";",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "\0",
        "\u{feff}",
        "\r\n",
        "\t",
        "é",
        "𝄞",
        "%",
        "%zz",
        "@",
        "//",
        "1e999",
        "-0",
        "NaN",
        "`",
        "=",
        "9999999999999999999",
        "\\u0000",
        "…",
        "null",
        "->",
        "=>",
        "...",
    ];
    prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        ".{0,6}".prop_map(|text: String| text),
    ]
}

/// A span of about `long` bytes that begins somewhere, between characters.
fn span(text: &str, at: Index, long: usize) -> (usize, usize) {
    if text.is_empty() {
        return (0, 0);
    }
    let between = |mut place: usize| {
        while !text.is_char_boundary(place) {
            place -= 1;
        }
        place
    };
    let start = between(at.index(text.len()));
    (start, between((start + long).min(text.len())).max(start))
}
