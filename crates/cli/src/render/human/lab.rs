//! Labs, and what they are made of.

use marula_core::Json;

use super::super::Look;
use super::grid::{grid, words};
use super::paint::Ink;
use super::{heading, text};

/// The result of a `marula lab` command.
pub fn lab(command: &str, data: &Json, look: &Look) -> String {
    let mut out = String::new();
    match command {
        "lab up" => up(data, look, &mut out),
        "lab list" => list(data, look, &mut out),
        "lab down" => out.push_str(&format!("{} has ended.\n", word(&data["ended"]))),
        _ => doctor(data, look, &mut out),
    }
    out
}

fn up(data: &Json, look: &Look, out: &mut String) {
    for lab in items(&data["labs"]) {
        let name = word(&lab["name"]);
        let state = if data["existed"] == true { "was up already" } else { "is up" };
        out.push_str(&look.paint.ink(Ink::Strong, &format!("{name} {state}{}", filling(lab))));
        out.push('\n');
        for server in items(&lab["servers"]) {
            let (program, title) = programs(server);
            out.push_str(&format!(
                "\n  {} ({title} {})\n    {program} '{}'\n",
                word(&server["target"]),
                word(&server["version"]),
                word(&server["url"])
            ));
        }
        let until = hours(lab);
        let here = if data["foreground"] == true { ", with Ctrl-C here" } else { "" };
        out.push_str(&format!("\nIt ends {until}{here}, or with: marula lab down {name}\n"));
    }
}

fn list(data: &Json, look: &Look, out: &mut String) {
    let labs: Vec<&Json> = items(&data["labs"]).collect();
    if labs.is_empty() {
        out.push_str("No lab runs. Start one with: marula lab up NAME\n");
        return;
    }
    let rows: Vec<Vec<String>> = labs
        .iter()
        .flat_map(|lab| items(&lab["servers"]).map(move |server| (lab, server)))
        .map(|(lab, server)| {
            let data = filling(lab);
            vec![
                word(&server["target"]).into(),
                format!("{} {}", programs(server).1, word(&server["version"])),
                if lab["ready"] == true {
                    data.trim_start_matches(", with ").into()
                } else {
                    "loading".into()
                },
                hours(lab),
                word(&server["url"]).into(),
            ]
        })
        .collect();
    let columns = [words("target"), words("server"), words("data"), words("ends"), words("URL")];
    // A URL is there to be copied, and so never cut.
    let wide = Look { width: usize::MAX, ..look.clone() };
    grid(&columns, &rows, &wide, out);
}

fn doctor(data: &Json, look: &Look, out: &mut String) {
    let servers: Vec<&Json> = items(&data["servers"]).collect();
    heading_first(if servers.is_empty() { "No server was found" } else { "Found" }, look, out);
    let rows: Vec<Vec<String>> = servers
        .iter()
        .map(|server| {
            let title = programs(server).1;
            vec![
                format!("{title} {}", word(&server["version"])),
                word(&server["program"]).into(),
                word(&server["origin"]).into(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        grid(&[words("server"), words("program"), words("found through")], &rows, look, out);
    }
    for (at, broken) in items(&data["broken"]).enumerate() {
        if at == 0 {
            heading("There, but does not run", look, out);
        }
        let line = format!("{}: {}", word(&broken["program"]), word(&broken["why"]));
        out.push_str(&text::wrap(&line, look.width, "  ", "    "));
    }
    for (at, missing) in items(&data["missing"]).enumerate() {
        if at == 0 {
            heading("Missing", look, out);
        }
        let line = format!("{}: without it {}", word(&missing["what"]), word(&missing["why"]));
        out.push_str(&text::wrap(&line, look.width, "  ", "    "));
        for how in items(&missing["how"]) {
            let line = format!("{}: {}", word(&how["on"]), word(&how["do"]));
            out.push_str(&text::wrap(&line, look.width, "    ", "      "));
        }
    }
    if items(&data["missing"]).next().is_none() {
        out.push_str("\nNothing is missing.\n");
    }
    let places: Vec<&str> = items(&data["looked_in"]).filter_map(Json::as_str).collect();
    if servers.is_empty() || look.verbose {
        heading("Looked in", look, out);
        for place in places {
            out.push_str(&format!("  {place}\n"));
        }
    }
}

fn heading_first(title: &str, look: &Look, out: &mut String) {
    heading(title, look, out);
    out.drain(..1);
}

/// The client to open a server with, and the engine's name.
fn programs(server: &Json) -> (&'static str, &'static str) {
    if server["engine"] == "postgres" { ("psql", "PostgreSQL") } else { ("mongosh", "MongoDB") }
}

fn filling(lab: &Json) -> String {
    match lab["data"]["name"].as_str() {
        Some(name) => {
            format!(", with {name} at scale {}, seed {}", lab["data"]["scale"], lab["data"]["seed"])
        }
        None => String::new(),
    }
}

fn hours(lab: &Json) -> String {
    let minutes = lab["ends_in_seconds"].as_u64().unwrap_or(0).div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("in {minutes} min"),
        (hours, 0) => format!("in {hours} h"),
        (hours, minutes) => format!("in {hours} h {minutes} min"),
    }
}

fn items(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

fn word(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}
