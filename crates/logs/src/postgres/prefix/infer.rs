use std::collections::BTreeMap;

use super::Prefix;
use super::matching::{Header, backend};
use crate::postgres::entry::label;
use crate::postgres::time::{epoch, timestamp};

/// Prefixes seen most: defaults of PostgreSQL, of distributions, of providers, and those that
/// other tools recommend.
const KNOWN: [&str; 16] = [
    "%m [%p] ",
    "%m [%p] %q%u@%d ",
    "%t [%p]: ",
    "%t:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] db=%d,user=%u ",
    "%m [%p] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p-%l] %q%u@%d ",
    "%m [%p] %q[user=%u,db=%d,app=%a] ",
    "%m [%p] %u@%d ",
    "%t-%c-",
    "",
];

/// Lines of a head that are looked at.
const LINES: usize = 2000;

/// The prefix that most lines of `head` have, and the share of lines that have it; continued
/// lines are left out.
pub(in crate::postgres) fn infer(head: &[u8]) -> Option<(Prefix, f64)> {
    let lines = lines(head);
    let mut best: Option<(Prefix, (f64, u64))> = None;
    // Of prefixes that as many lines have, the one that tells most.
    let mut consider = |text: &str| {
        let Ok(prefix) = Prefix::parse(text) else { return };
        let fit = fit(&prefix, &lines);
        if fit.0 > 0.0 && best.as_ref().is_none_or(|(_, known)| fit > *known) {
            best = Some((prefix, fit));
        }
    };
    for text in KNOWN {
        consider(text);
    }
    let mut drafts = BTreeMap::<String, usize>::new();
    for line in lines.iter().take(400) {
        if let Some(start) = label_start(line)
            && let Some(draft) = draft(&line[..start])
        {
            *drafts.entry(draft).or_default() += 1;
        }
    }
    let mut drafts: Vec<_> = drafts.into_iter().collect();
    drafts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| b.0.len().cmp(&a.0.len())));
    for (draft, _) in drafts.into_iter().take(12) {
        consider(&draft);
        for (at, _) in draft.match_indices('%') {
            consider(&format!("{}%q{}", &draft[..at], &draft[at..]));
        }
    }
    best.map(|(prefix, (share, _))| (prefix, share))
}

/// The lines that should have a prefix.
fn lines(head: &[u8]) -> Vec<&[u8]> {
    // The last line may be half.
    let whole = memchr::memrchr(b'\n', head).map_or(head, |end| &head[..end]);
    whole
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty() && !line.starts_with(b"\t"))
        .take(LINES)
        .collect()
}

/// The share of a head's lines that have a prefix.
pub(in crate::postgres) fn share_of(prefix: &Prefix, head: &[u8]) -> f64 {
    fit(prefix, &lines(head)).0
}

/// The share of lines that have a prefix, and how many things it tells of them.
fn fit(prefix: &Prefix, lines: &[&[u8]]) -> (f64, u64) {
    let (mut read, mut told) = (0u32, 0);
    for line in lines {
        if let Some((header, _, _)) = prefix.read(line).filter(|read| plausible(&read.0)) {
            read += 1;
            let origin = header.origin;
            let texts = [origin.user, origin.database, origin.application, origin.host];
            told += u64::from(header.at.is_some()) + u64::from(header.pid > 0);
            told += texts.iter().filter(|text| !text.is_empty()).count() as u64;
            told += u64::from(!header.code.is_empty()) + u64::from(!header.tag.is_empty());
        }
    }
    (f64::from(read) / lines.len().max(1) as f64, told)
}

/// Whether the names are such as people give: a pattern that fits by taking half the prefix for
/// a name does not fit.
fn plausible(header: &Header<'_>) -> bool {
    let clean = |name: &[u8]| !name.iter().any(|byte| matches!(byte, b' ' | b'=' | b',' | b'['));
    clean(header.origin.user)
        && clean(header.origin.database)
        && (clean(header.origin.host) || header.origin.host == b"[local]")
}

/// Where the label stands: at the beginning, or behind something that ends a word.
fn label_start(line: &[u8]) -> Option<usize> {
    (0..line.len().min(500)).find(|at| {
        let apart = *at == 0 || !line[at - 1].is_ascii_alphanumeric();
        apart && line[*at].is_ascii_uppercase() && label(&line[*at..]).is_some()
    })
}

/// What a key in a prefix stands for.
fn named(key: &str) -> Option<char> {
    Some(match key {
        "user" | "usr" | "u" | "username" | "role" => 'u',
        "db" | "database" | "d" | "dbname" => 'd',
        "app" | "application" | "application_name" | "a" | "appname" => 'a',
        "client" | "host" | "h" | "remote" | "addr" | "ip" | "r" => 'h',
        "pid" | "p" => 'p',
        "xid" | "txid" | "x" | "tx" => 'x',
        "vxid" | "v" => 'v',
        "session" | "sess" | "sid" | "c" => 'c',
        "line" | "l" | "seq" => 'l',
        "e" | "code" | "sqlstate" | "state" | "error" => 'e',
        "query_id" | "qid" | "queryid" => 'Q',
        "cmd" | "command" | "tag" | "i" => 'i',
        "backend" | "backend_type" | "b" => 'b',
        _ => return None,
    })
}

/// The prefix that one line's text suggests.
fn draft(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let mut draft = String::new();
    let mut used = String::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let (literal, escape, length) = if let Some((escape, length)) = moment(rest, &used) {
            ("", escape, length)
        } else if let Some(length) = query_id(rest) {
            ("", 'Q', length)
        } else if letter.is_ascii_alphanumeric() || letter == '_' || rest.starts_with('[') {
            if let Some((escape, length)) = word(rest, &used) {
                ("", escape, length)
            } else if let Some((key, escape, length)) = pair(rest) {
                (key, escape, key.len() + length)
            } else if letter == '[' {
                draft.push('[');
                at += 1;
                continue;
            } else {
                let guess = ['u', 'd', 'a'].into_iter().find(|known| !used.contains(*known))?;
                ("", guess, word_length(rest))
            }
        } else {
            draft.push_str(if letter == '%' { "%" } else { "" });
            draft.push(letter);
            at += letter.len_utf8();
            continue;
        };
        draft.push_str(literal);
        draft.push('%');
        draft.push(escape);
        used.push(escape);
        at += length;
    }
    Some(draft)
}

/// A date and time.
fn moment(text: &str, used: &str) -> Option<(char, usize)> {
    if let Some((_, length)) = timestamp(text.as_bytes()) {
        let fraction = text.as_bytes().get(19) == Some(&b'.');
        let first = !used.contains(['m', 't', 'n']);
        return Some((
            if !first {
                's'
            } else if fraction {
                'm'
            } else {
                't'
            },
            length,
        ));
    }
    let (_, length) = epoch(text.as_bytes())?;
    (length > 12).then_some(('n', length))
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'))
        .unwrap_or(text.len())
        .max(1)
}

/// A query's id: a number too long to be anything else, perhaps below zero.
fn query_id(text: &str) -> Option<usize> {
    let sign = usize::from(text.starts_with('-'));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    let ends = !text[sign + digits..].starts_with(|c: char| c.is_alphanumeric() || c == '.');
    (digits >= 13 && ends).then_some(sign + digits)
}

/// A value that its form gives away.
fn word(text: &str, used: &str) -> Option<(char, usize)> {
    for (mark, length) in [("[local]", 7), ("[unknown]", 9)] {
        if text.starts_with(mark) {
            let free = if mark == "[local]" {
                'h'
            } else {
                ['u', 'd', 'a'].into_iter().find(|c| !used.contains(*c))?
            };
            return Some((free, length));
        }
    }
    if let Some(length) = backend(text.as_bytes()).filter(|_| !used.contains('b')) {
        return Some(('b', length));
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let length = word_length(text);
    let (bare, behind) = text.split_at(length);
    if bare.split('.').count() == 4 && bare.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        let port = behind.strip_prefix('(').and_then(|port| Some(port.find(')')? + 2));
        return Some((if port.is_some() { 'r' } else { 'h' }, length + port.unwrap_or(0)));
    }
    if let Some((start, number)) = bare.split_once('.')
        && start.len() >= 6
        && !number.is_empty()
        && bare.bytes().all(|b| b.is_ascii_hexdigit() || b == b'.')
    {
        return Some(('c', length));
    }
    let tags = ["SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT", "PARSE", "BIND", "idle"];
    if tags.contains(&bare) {
        return Some(('i', length));
    }
    let whole = digits(text);
    if whole > 0 && (whole == length || bare.as_bytes()[whole] == b'-') {
        let slash = behind.strip_prefix('/').map(digits).filter(|_| whole == length);
        return Some(match slash {
            Some(more) if more > 0 => ('v', whole + 1 + more),
            _ if whole == 5 && bare == "00000" => ('e', 5),
            _ if !used.contains('p') => ('p', whole),
            _ if !used.contains('l') => ('l', whole),
            _ => ('x', whole),
        });
    }
    None
}

/// `user=app`: the key with its sign, the escape, and how long the value is.
fn pair(text: &str) -> Option<(&str, char, usize)> {
    let key = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    if !matches!(text.as_bytes().get(key), Some(b'=' | b':')) || key == 0 {
        return None;
    }
    let escape = named(&text[..key].to_ascii_lowercase())?;
    let value = &text[key + 1..];
    // The value goes on to the next pair, or to the end; else to what cannot stand in a name.
    let next = value.char_indices().find(|(at, sign)| {
        matches!(sign, ',' | ';' | '|' | ' ')
            && is_key(value[*at..].trim_start_matches([',', ';', '|', ' ']))
    });
    let whole = value.trim_end_matches([' ', ':', ']', ')', ',', '>', '|', ';']);
    // A name may hold blanks, but an SQLSTATE behind it is one.
    let whole = whole.strip_suffix(" 00000").unwrap_or(whole);
    let length = match next {
        Some((at, _)) => at,
        None if !whole.contains(['[', ':', '|', ',']) => whole.len(),
        None => value.find([',', ';', '|', ')', ']', ' ']).unwrap_or(value.len()),
    };
    let escape = if escape == 'h' && value[..length].contains('(') { 'r' } else { escape };
    Some((&text[..=key], escape, length))
}

/// Whether a text begins with a key and its sign.
fn is_key(text: &str) -> bool {
    let key = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    match text.as_bytes().get(key) {
        Some(b'=') => text.starts_with(|first: char| first.is_ascii_alphabetic()),
        Some(b':') => named(&text[..key].to_ascii_lowercase()).is_some(),
        _ => false,
    }
}
