//! A digest as one HTML file: it opens from a disk, a mail or a ticket, asks no server for
//! anything, and runs no script but its own.
//!
//! What a log holds may be hostile. It goes into the page as JSON in which no `<` is left, the
//! script turns it into text nodes only, and the policy names the script's and the style's hashes:
//! even if something broke out, the browser would not run it.

use base64::Engine as _;
use marula_core::{Error, ErrorKind, Report, Result};
use sha2::{Digest as _, Sha256};

const PAGE: &str = include_str!("page.html");

/// The script's parts, in the order they build on each other.
const SCRIPTS: [&str; 16] = [
    include_str!("dom.js"),
    include_str!("numbers.js"),
    include_str!("state.js"),
    include_str!("sql.js"),
    include_str!("mongo.js"),
    include_str!("code.js"),
    include_str!("scale.js"),
    include_str!("panels.js"),
    include_str!("tip.js"),
    include_str!("timeline.js"),
    include_str!("table.js"),
    include_str!("detail.js"),
    include_str!("statements.js"),
    include_str!("sections.js"),
    include_str!("compare.js"),
    include_str!("main.js"),
];

const STYLES: [&str; 3] =
    [include_str!("base.css"), include_str!("charts.css"), include_str!("table.css")];
/// The dark colours; they stand in the page twice, for the system's choice and for the reader's.
const DARK: &str = include_str!("dark.css");

/// The report as a page.
pub fn report(report: &Report) -> Result<String> {
    let summary = super::human::headline(report);
    let (script, style) = (script(), style());
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(&style)
    );
    let data = data(report)?;
    let title = escaped(&format!("marula: {summary}"));
    let summary = escaped(&summary);
    let mut page = String::with_capacity(PAGE.len() + script.len() + style.len() + data.len());
    // In one pass: what is put in is never looked at for places to fill.
    let mut pieces = PAGE.split("{{");
    page.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        page.push_str(match name {
            "policy" => &policy,
            "version" => env!("CARGO_PKG_VERSION"),
            "title" => &title,
            "style" => &style,
            "summary" => &summary,
            "data" => &data,
            "script" => &script,
            _ => "",
        });
        page.push_str(rest);
    }
    Ok(page)
}

/// The whole script, closed in itself.
fn script() -> String {
    format!("\"use strict\";\n(() => {{\n{}}})();\n", SCRIPTS.concat())
}

fn style() -> String {
    let dark = format!(
        ":root[data-theme=\"dark\"] {{\n{DARK}}}\n@media (prefers-color-scheme: dark) {{ \
         :root:not([data-theme=\"light\"]) {{\n{DARK}}} }}"
    );
    STYLES.concat().replace("/* DARK */", &dark)
}

/// What the policy calls a text by.
fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
}

/// The report as JSON that cannot end the element it stands in: `<` is written as its code, and
/// so are the letters that turn the direction of a text around in an editor.
fn data(report: &Report) -> Result<String> {
    let json = serde_json::to_string(report).map_err(|error| {
        Error::new(ErrorKind::Internal, "the report cannot be written as JSON").because(error)
    })?;
    let mut out = String::with_capacity(json.len() + json.len() / 64);
    for letter in json.chars() {
        match letter {
            // Outside of strings JSON has none of these, inside \u says the same.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
    Ok(out)
}

/// Text for an element or an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(statement: &str) -> String {
        let mut report = Report::new("logs");
        report.notes.push(statement.into());
        super::report(&report).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn nothing_in_a_log_ends_the_element_it_stands_in() {
        let hostile = "</script><img src=x onerror=alert(1)> <!--<script> {{script}} ]]>\u{202e}";
        let page = page(hostile);
        assert_eq!(page.matches("</script").count(), 2, "the data's and the script's own");
        assert_eq!(page.matches("<script").count(), 2);
        assert!(!page.contains("<img") && !page.contains("<!--") && !page.contains('\u{202e}'));
        let from = page.find("id=\"data\">").unwrap_or_default() + 10;
        let to = from + page[from..].find('<').unwrap_or_default();
        let read: Report = serde_json::from_str(&page[from..to]).unwrap_or_else(|error| {
            let mut report = Report::new("unreadable");
            report.notes.push(error.to_string());
            report
        });
        assert_eq!(read.notes, [hostile]);
    }

    #[test]
    fn the_page_asks_nobody_for_anything() {
        let page = page("");
        for reference in ["src=", "url(", "@import", "fetch(", "XMLHttp", "import(", "innerHTML"] {
            assert!(!page.contains(reference), "{reference}");
        }
        let links = page.matches("http").count();
        let known = page.matches("http-equiv").count() + page.matches("http://www.w3.org/").count();
        assert_eq!(links, known, "nothing but the name of SVG");
    }
}
