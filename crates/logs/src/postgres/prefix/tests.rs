#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn line(prefix: &str, session: bool) -> String {
    let mut line = String::new();
    let mut escapes = prefix.chars();
    while let Some(letter) = escapes.next() {
        if letter != '%' {
            line.push(letter);
            continue;
        }
        let value = match escapes.next().unwrap() {
            'q' if session => "",
            'q' => break,
            'm' => "2026-03-01 12:00:00.250 UTC",
            't' | 's' => "2026-03-01 12:00:00 UTC",
            'n' => "1772366400.250",
            'p' => "4711",
            'l' => "12",
            'c' => "65e1c2a0.1267",
            'v' if session => "3/456",
            'x' | 'P' => "0",
            'Q' => "-8123456789012345678",
            'e' => "00000",
            'u' | 'd' | 'a' | 'r' | 'h' | 'i' if !session => "",
            'u' => "app_user",
            'd' => "shop",
            'a' => "web app - main",
            'r' => "10.0.0.7(51234)",
            'h' => "10.0.0.7",
            'L' => "10.0.0.1",
            'i' => "SELECT",
            'b' => "client backend",
            _ => "",
        };
        line.push_str(value);
    }
    line + "LOG:  duration: 1.5 ms  statement: select 'LOG:  x'"
}

const PREFIXES: [&str; 18] = [
    "%m [%p] ",
    "%t [%p]: ",
    "%n [%p] ",
    "%m [%p] %q%u@%d ",
    "%t:%r:%u@%d:[%p]:",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m %u %d [%p] ",
    "%m|%p|%u|%d|%h|%e|",
    "%m [%p]: [%l-1] %u@%d %h ",
    "%c %m %p ",
    "%t %p %v %x %e ",
    "%m pid=%p db=%d user=%u app=%a host=%r xid=%x ",
    "%m [%p] %e %b ",
    "%m [%p] %Q %i ",
    "user=%u,db=%d %m [%p]: ",
    "%m %s %c [%p] ",
    "[%p] [%m] ",
    "",
];

#[test]
fn any_prefix_is_matched_with_and_without_a_session() {
    for text in PREFIXES {
        let prefix = Prefix::parse(text).unwrap();
        for session in [true, false] {
            let line = line(text, session);
            let (header, _, start) =
                prefix.read(line.as_bytes()).unwrap_or_else(|| panic!("{text}: {line}"));
            assert!(line[start..].starts_with("duration: 1.5"), "{text}: {line}");
            if session {
                let named = |escape: &str, name: &'static str| {
                    if text.contains(escape) { name } else { "" }
                };
                assert_eq!(header.origin.user, named("%u", "app_user").as_bytes(), "{line}");
                assert_eq!(header.origin.database, named("%d", "shop").as_bytes(), "{line}");
                assert_eq!(
                    header.origin.application,
                    named("%a", "web app - main").as_bytes(),
                    "{line}"
                );
            }
            if text.contains("%p") {
                assert_eq!(header.pid, 4711, "{line}");
            }
        }
    }
}

#[test]
fn most_prefixes_are_found_out() {
    for text in PREFIXES {
        let mut head = String::new();
        for number in 0..50 {
            head.push_str(&line(text, number % 5 != 0));
            head.push_str("\n\tfrom t\n");
        }
        let (found, share) = infer(head.as_bytes()).unwrap_or_else(|| panic!("{text}"));
        assert!(share > 0.99, "{text}: {} {share}", found.text);
        let whole = line(text, true);
        let (header, _, _) = found.read(whole.as_bytes()).unwrap();
        let (exact, _, _) = Prefix::parse(text).unwrap().read(whole.as_bytes()).unwrap();
        assert_eq!((header.at, header.pid), (exact.at, exact.pid), "{text}: {}", found.text);
        assert_eq!(header.origin.user, exact.origin.user, "{text}: {}", found.text);
        assert_eq!(header.origin.database, exact.origin.database, "{text}: {}", found.text);
    }
}

#[test]
fn padding_and_unknown_escapes() {
    let prefix = Prefix::parse("%m [%-8p] %10u ").unwrap();
    let line = b"2026-03-01 12:00:00.250 UTC [4711    ]        app LOG:  x";
    let (header, _, _) = prefix.read(line).unwrap();
    assert_eq!((header.pid, header.origin.user), (4711, &b"app"[..]));
    assert!(Prefix::parse("%y").is_err());
    assert!(Prefix::parse("%").is_err());
}
