//! Words by number, without meaning: what matters is how long they are and how often they repeat.

use super::draw::Dice;

const BEGINNINGS: [&str; 16] = [
    "ba", "ce", "di", "fo", "gu", "ha", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu", "ze",
];
const ENDINGS: [&str; 16] =
    ["l", "n", "r", "s", "t", "k", "m", "nd", "rt", "st", "lo", "na", "ri", "sa", "te", "ko"];

/// The `number`-th word. Small numbers, which are drawn most often, are short.
pub(super) fn word(mut number: u64) -> String {
    let mut text = String::new();
    loop {
        text.push_str(BEGINNINGS[(number % 16) as usize]);
        number /= 16;
        text.push_str(ENDINGS[(number % 16) as usize]);
        number /= 16;
        if number == 0 {
            return text;
        }
        number -= 1;
    }
}

/// Words from a vocabulary of 5,000, some much more often than others, of about `length` bytes.
pub(super) fn words(dice: &mut Dice, length: usize) -> String {
    let mut text = String::with_capacity(length + 8);
    while text.len() < length {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&word(dice.rank(5_000)));
    }
    text
}

/// Cuts a text to at most `limit` characters.
pub(super) fn cut(mut text: String, limit: Option<u32>) -> String {
    if let Some((at, _)) = limit.and_then(|limit| text.char_indices().nth(limit as usize)) {
        text.truncate(at);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_word_of_its_own() {
        let words: std::collections::HashSet<String> = (0..20_000).map(word).collect();
        assert!(words.len() > 19_000, "{}", words.len());
        assert_eq!(cut("déjà vu".into(), Some(4)), "déjà");
    }
}
