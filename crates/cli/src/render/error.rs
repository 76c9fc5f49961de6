//! Errors for people: what happened, where, what to do next.

use std::error::Error as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use marula_core::{Error, ErrorKind, Marked, redact};

use super::Look;

/// The error as text for stderr.
pub fn error(error: &Error, look: &Look) -> String {
    let title = redact(&error.to_string());
    let window = error.marked().map(|marked| Window::of(marked, look.width));
    let mut group = Group::with_title(Level::ERROR.primary_title(title.as_str()));
    if let Some(window) = &window {
        let annotation = AnnotationKind::Primary.span(window.start..window.end);
        group = group.element(
            Snippet::source(window.text.as_str())
                .line_start(window.line)
                .path(window.name.as_str())
                .annotation(annotation.label("here")),
        );
    }
    let mut notes = causes(error);
    if error.kind() == ErrorKind::Internal {
        notes.push("this is a defect of marula, not yours".into());
    }
    for note in &notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    let hints: Vec<String> = error.hints().iter().map(|hint| redact(hint)).collect();
    for hint in &hints {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let renderer = if look.paint.0 { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(look.width.max(40));
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

/// What lies below the error, without repeating what is said already.
fn causes(error: &Error) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut below = error.source();
    while let Some(cause) = below {
        let text = redact(&cause.to_string());
        if !text.is_empty() && !said.contains(&text) && causes.len() < 4 {
            said.push_str(&text);
            causes.push(text);
        }
        below = cause.source();
    }
    causes
}

/// The lines around the place, and of a line that is too long the part around the place.
struct Window {
    name: String,
    text: String,
    line: usize,
    start: usize,
    end: usize,
}

impl Window {
    fn of(marked: &Marked, width: usize) -> Window {
        let text = &marked.text;
        let start = floor(text, marked.start);
        let end = floor(text, marked.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        // Two lines before, for context; the marked one; the rest of what is marked is cut.
        let first = text[..line_start].rmatch_indices('\n').nth(2).map_or(0, |(at, _)| at + 1);
        let room = width.saturating_sub(12).max(30);
        let mut out = String::new();
        for before in text[first..line_start].lines() {
            out.push_str(&window(before, 0, room).0);
            out.push('\n');
        }
        let line = &text[line_start..line_end];
        let (shown, left_out) = window(line, start - line_start, room);
        let at = out.len() + (start - line_start) - left_out.0 + left_out.1;
        let length = end.min(line_end) - start;
        out.push_str(&shown);
        let limit = out.len();
        // A place at the very end is marked on a blank, so that there is something to point at.
        if at >= limit {
            out.push(' ');
        }
        let end = floor(&out, at + length.max(1)).clamp(at, out.len());
        let end = if end > at { end } else { ceil(&out, at + 1) };
        let name = redact(&marked.name);
        Window { name, line: 1 + text[..first].matches('\n').count(), start: at, end, text: out }
    }
}

/// At most about `room` characters of the line around `at`; and how many bytes were left out and
/// put in before it. Control characters become blanks.
fn window(line: &str, at: usize, room: usize) -> (String, (usize, usize)) {
    let clean: String =
        line.chars().map(|c| if c.is_control() && c.len_utf8() == 1 { ' ' } else { c }).collect();
    if clean.chars().count() <= room {
        return (clean, (0, 0));
    }
    let begin = floor(&clean, at.saturating_sub(room / 2));
    let end = clean[begin..].char_indices().nth(room).map_or(clean.len(), |(n, _)| begin + n);
    let ahead = if begin > 0 { "…" } else { "" };
    let behind = if end < clean.len() { "…" } else { "" };
    (format!("{ahead}{}{behind}", &clean[begin..end]), (begin, ahead.len()))
}

/// The nearest character boundary at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The nearest character boundary at or above `at`.
fn ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Paint;

    fn shown(text: &str, start: usize, end: usize, width: usize) -> String {
        let marked = Marked { name: "query".into(), text: text.into(), start, end };
        let look = Look { width, paint: Paint(false), verbose: false, file: None };
        let trouble = Error::new(ErrorKind::Syntax, "syntax error at or near \"FORM\"")
            .mark(marked)
            .hint("write FROM");
        error(&trouble, &look)
    }

    #[test]
    fn the_place_is_marked() {
        let expected = "\
error: syntax error at or near \"FORM\"
 --> query:1:10
  |
1 | SELECT * FORM orders
  |          ^^^^ here
  |
  = help: write FROM
";
        assert_eq!(shown("SELECT * FORM orders", 9, 13, 80), expected);
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let text = format!("SELECT {} FORM x {}", "a, ".repeat(5000), "b ".repeat(5000));
        let at = text.find("FORM").unwrap_or_default();
        let shown = shown(&text, at, at + 4, 80);
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert!(shown.contains("FORM x") && shown.contains("^^^^ here"), "{shown}");
    }

    #[test]
    fn any_place_in_any_text_is_shown_without_a_panic() {
        for text in ["", "é", "日本\n語 x", "a\tb\u{1b}[31m", "x\n\n\n\ny\n"] {
            for start in 0..=text.len() + 2 {
                for end in start..=text.len() + 3 {
                    assert!(shown(text, start, end, 40).contains("error"));
                }
            }
        }
    }
}
