//! The nouns of a sentence.

use super::catalogue::ALL;
use crate::names::singular;

/// What a sentence names.
#[derive(Debug, Default, PartialEq)]
pub struct Named {
    /// Indexes of blueprints that are named as a whole, each as often as it is.
    pub wholes: Vec<usize>,
    /// Parts that are known: the word, and each place it may mean.
    pub parts: Vec<Part>,
    /// Things that no blueprint knows.
    pub unknown: Vec<String>,
    /// What the whole is called, where no blueprint knows it: `zoo`.
    pub whole: Option<String>,
    /// Words that nothing was made of.
    pub unused: Vec<String>,
}

/// A word for an entity.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// The word, as it was written.
    pub word: String,
    /// The blueprint and the entity's name, for each that knows the word.
    pub places: Vec<(usize, &'static str)>,
    /// What was probably meant, where the word was mistyped.
    pub meant: Option<String>,
}

/// Words that name nothing that is kept.
const EMPTY: &[&str] = &[
    "a",
    "an",
    "the",
    "our",
    "my",
    "their",
    "its",
    "his",
    "her",
    "some",
    "many",
    "few",
    "several",
    "all",
    "any",
    "each",
    "every",
    "other",
    "own",
    "this",
    "that",
    "these",
    "those",
    "which",
    "who",
    "whom",
    "it",
    "we",
    "i",
    "you",
    "they",
    "them",
    "is",
    "are",
    "be",
    "has",
    "have",
    "had",
    "can",
    "could",
    "should",
    "would",
    "will",
    "must",
    "may",
    "do",
    "does",
    "to",
    "in",
    "on",
    "at",
    "by",
    "from",
    "into",
    "about",
    "like",
    "using",
    "use",
    "based",
    "also",
    "then",
    "so",
    "not",
    "no",
    "please",
    "need",
    "needs",
    "want",
    "wants",
    "design",
    "create",
    "build",
    "make",
    "write",
    "develop",
    "schema",
    "database",
    "db",
    "model",
    "mongodb",
    "postgresql",
    "postgres",
    "sql",
    "platform",
    "system",
    "application",
    "app",
    "website",
    "site",
    "portal",
    "service",
    "tool",
    "software",
    "solution",
    "product",
    "backend",
    "engine",
    "program",
    "project",
    "simple",
    "small",
    "large",
    "big",
    "modern",
    "online",
    "web",
    "mobile",
    "proper",
    "new",
    "good",
    "basic",
    "full",
    "complete",
    "support",
    "management",
    "data",
    "information",
    "etc",
    "more",
    "stuff",
    "where",
    "when",
    "there",
    "their",
    "people",
    "manage",
    "manages",
    "managing",
    "keep",
    "keeps",
    "track",
    "tracks",
    "store",
    "stores",
    "save",
    "saves",
    "me",
    "us",
    "one",
    "two",
    "three",
    "very",
    "proper",
    "normalization",
    "foreign",
    "keys",
];

/// Words that the parts of the whole follow.
const LEADS: &[&str] = &[
    "with",
    "of",
    "for",
    "including",
    "includes",
    "having",
    "has",
    "have",
    "where",
    "storing",
    "tracking",
    "containing",
    "contains",
    "that",
    "which",
    "holding",
    "between",
    "manages",
    "managing",
    "stores",
    "tracks",
    "keeps",
    "to",
];

/// Words that one more thing follows.
const MORE: &[&str] = &["plus", "and", "or", "as", "well", "by"];

/// Reads a sentence.
pub fn read(sentence: &str) -> Named {
    let mut named = Named::default();
    let (phrases, described) = phrases(sentence);
    for (at, words) in phrases.iter().enumerate() {
        phrase(words, at == 0 && described, &mut named);
    }
    named
}

/// The sentence cut at commas and small words, in lower case; and whether its first piece says what
/// the whole is, of which the others are the parts: `zoo with animals`, but not `zoos, animals`.
fn phrases(sentence: &str) -> (Vec<Vec<String>>, bool) {
    let mut phrases: Vec<Vec<String>> = vec![Vec::new()];
    let mut described = false;
    let lower: String = sentence.chars().take(2000).collect::<String>().to_lowercase();
    for piece in lower.split_inclusive(|c: char| c.is_whitespace() || ",;:.!?()/&+\"".contains(c)) {
        let word: String =
            piece.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect();
        let word = word.trim_matches('-').replace('_', " ");
        let cuts = piece.ends_with(|c: char| ",;:.!?()/&+".contains(c));
        if !word.is_empty() {
            let leads = LEADS.contains(&word.as_str());
            let cut = (leads || MORE.contains(&word.as_str())) && !is_inner(&phrases, &word);
            let begun = phrases.iter().filter(|words| !words.is_empty()).count();
            described |= cut && leads && begun == 1;
            match (cut, phrases.last_mut()) {
                (true, _) => phrases.push(Vec::new()),
                (false, Some(last)) => last.extend(word.split(' ').map(str::to_string)),
                (false, None) => {}
            }
        }
        if cuts {
            let begun = phrases.iter().filter(|words| !words.is_empty()).count();
            described |= piece.ends_with(':') && begun == 1;
            phrases.push(Vec::new());
        }
    }
    phrases.retain(|words| !words.is_empty());
    described &= phrases.len() > 1;
    (phrases, described)
}

/// Whether a small word belongs to a name: `internet of things`, `software as a service`.
fn is_inner(phrases: &[Vec<String>], word: &str) -> bool {
    let last = phrases.last().and_then(|words| words.last()).map(String::as_str);
    matches!(
        (last, word),
        (Some("internet"), "of") | (Some("software"), "as") | (Some("event"), "tracking")
    )
}

/// The names in one phrase; the first phrase of several says what the whole is, and what is
/// unknown there is no thing that is kept.
fn phrase(words: &[String], first: bool, named: &mut Named) {
    let mut rest: Vec<Option<&str>> = words.iter().map(|word| Some(word.as_str())).collect();
    let mut wholes = 0;
    // Long names come before short ones: `order line` before `order`.
    for length in (1..=4usize).rev() {
        for start in 0..words.len().saturating_sub(length - 1) {
            let run = &rest[start..start + length];
            let Some(run) = run.iter().copied().collect::<Option<Vec<&str>>>() else { continue };
            let text = normal(&run);
            let whole = ALL.iter().position(|blueprint| blueprint.words.contains(&text.as_str()));
            let places = places(&text);
            let written = run.join(" ");
            let name = length == words.len() || start + length == words.len();
            // `hotel` names a whole at the start, and a thing in a list.
            if let Some(whole) = whole.filter(|_| first || places.is_empty()) {
                named.wholes.push(whole);
                wholes += 1;
            } else if !places.is_empty() && (name || !EMPTY.contains(&written.as_str())) {
                if EMPTY.contains(&written.as_str()) && length == 1 {
                    continue;
                }
                named.parts.push(Part { word: written, places, meant: None });
            } else {
                continue;
            }
            rest[start..start + length].iter_mut().for_each(|word| *word = None);
        }
    }
    let left: Vec<&str> =
        rest.iter().copied().flatten().filter(|word| !EMPTY.contains(word)).collect();
    let known = left.len() < words.len() && rest.iter().any(Option::is_none);
    if left.is_empty() {
        return;
    }
    // A known thing with an unknown word before it is that thing.
    let mut unknown: Vec<&str> = Vec::new();
    for word in &left {
        match mistyped(word) {
            Some((whole, places, meant)) if !known || places.is_empty() => {
                named.wholes.extend(whole);
                if !places.is_empty() {
                    let word = (*word).to_string();
                    named.parts.push(Part { word, places, meant: Some(meant) });
                }
                return;
            }
            _ => unknown.push(word),
        }
    }
    // `invoices paid`: what was done with them is no part of their name.
    while unknown.len() > 1 && unknown.last().is_some_and(|word| is_participle(word)) {
        named.unused.extend(unknown.pop().map(str::to_string));
    }
    let thing = unknown.join(" ");
    let is_thing = unknown.len() <= 3 && thing.chars().any(char::is_alphabetic);
    if known || wholes > 0 || !is_thing {
        named.unused.extend(unknown.iter().map(|word| (*word).to_string()));
    } else if first {
        named.whole = Some(thing);
    } else if !named.unknown.contains(&thing) {
        named.unknown.push(thing);
    }
}

/// Whether a word says what is done with the one before it.
fn is_participle(word: &str) -> bool {
    word.ends_with("ed") || ["paid", "made", "written", "sold", "bought", "sent"].contains(&word)
}

/// A name as the catalogue writes it: its last word in the singular.
fn normal(words: &[&str]) -> String {
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_string()).collect();
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    words.join(" ")
}

/// The entities that a name means.
fn places(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (at, blueprint) in ALL.iter().enumerate() {
        for (entity, nouns) in blueprint.nouns {
            let own = singular(entity).replace('_', " ");
            if own == text || nouns.contains(&text) {
                found.push((at, *entity));
            }
        }
    }
    found
}

/// What a word was meant to be: a whole, parts of blueprints, and the word itself.
type Meant = (Option<usize>, Vec<(usize, &'static str)>, String);

/// What a mistyped word was meant to be: one letter wrong, or two in a long word.
fn mistyped(word: &str) -> Option<Meant> {
    let word = singular(word);
    let letters = word.chars().count();
    if letters < 5 {
        return None;
    }
    let limit = if letters >= 9 { 2 } else { 1 };
    let mut best: Option<(usize, String)> = None;
    let mut look = |known: &str| {
        if known.contains(' ') || known.chars().count() < 4 {
            return;
        }
        let apart = distance(&word, known);
        if apart > 0 && apart <= limit && best.as_ref().is_none_or(|(least, _)| apart < *least) {
            best = Some((apart, known.to_string()));
        }
    };
    for blueprint in &ALL {
        blueprint.words.iter().for_each(|word| look(word));
        for (entity, nouns) in blueprint.nouns {
            look(&singular(entity));
            nouns.iter().for_each(|noun| look(noun));
        }
    }
    let (_, meant) = best?;
    let whole = ALL.iter().position(|blueprint| blueprint.words.contains(&meant.as_str()));
    Some((whole, places(&meant), meant))
}

/// Letters put in, left out, changed, or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 2 || a.len() > 40 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}
