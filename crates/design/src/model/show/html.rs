use std::fmt::Write as _;

use marula_core::model::Model;

use super::svg::escaped;
use super::{count, roles, shown_type, svg};

const STYLE: &str = "
:root{color-scheme:light dark}
body{margin:0;font:15px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
header,section{padding:12px 24px}h1{margin:0;font-size:22px}h2{font-size:17px;margin:8px 0}
p{margin:4px 0;max-width:70ch}.picture{overflow:auto;border-block:1px solid #8885}
.picture svg{display:block}table{border-collapse:collapse;margin:4px 0 14px}
th,td{text-align:left;padding:3px 14px 3px 0;border-bottom:1px solid #8883;vertical-align:top}
td.number{text-align:right}code{font:13px ui-monospace,monospace;white-space:pre-wrap}
summary{cursor:pointer;font-weight:600}.faint{opacity:.7}
";

/// The model as a page that stands by itself: the picture, the entities, the work.
pub fn html(model: &Model) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{0}</title>\n<style>{STYLE}</style></head><body>\n<header><h1>{0}</h1>\n",
        escaped(&model.name)
    );
    if let Some(description) = &model.description {
        let _ = writeln!(out, "<p>{}</p>", escaped(description));
    }
    let _ = writeln!(
        out,
        "<p class=\"faint\">{} entities, {} relations, {} queries, {} writes</p></header>\n\
         <div class=\"picture\" tabindex=\"0\" role=\"region\" aria-label=\"Diagram\">{}</div>",
        model.entities.len(),
        model.relations.len(),
        model.queries.len(),
        model.writes.len(),
        svg(model)
    );
    out.push_str("<section><h2>Entities</h2>\n");
    for entity in &model.entities {
        let rows = match entity.rows.0 {
            0 => String::new(),
            rows => format!(" <span class=\"faint\">{} rows</span>", count(rows as f64)),
        };
        let _ = writeln!(out, "<details><summary>{}{rows}</summary>", escaped(&entity.name));
        if let Some(description) = &entity.description {
            let _ = writeln!(out, "<p>{}</p>", escaped(description));
        }
        out.push_str("<table>\n");
        for attribute in &entity.attributes {
            let mut notes: Vec<String> = attribute.description.iter().cloned().collect();
            if !attribute.values.is_empty() {
                notes.push(attribute.values.join(" | "));
            }
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&attribute.name),
                escaped(&shown_type(attribute)),
                roles(model, entity, attribute).join(" "),
                if attribute.required { "required" } else { "" },
                escaped(&notes.join("; "))
            );
        }
        out.push_str("</table></details>\n");
    }
    out.push_str("</section>\n");
    work(&mut out, model);
    out.push_str("</body></html>\n");
    out
}

fn work(out: &mut String, model: &Model) {
    if !model.queries.is_empty() {
        out.push_str("<section><h2>What is read</h2><table>\n");
        for query in &model.queries {
            let text = match (&query.sql, &query.access) {
                (Some(sql), _) => sql.clone(),
                (None, Some(access)) => serde_json::to_string(access).unwrap_or_default(),
                (None, None) => String::new(),
            };
            row(out, &query.name, query.rate.0, query.p99_ms, &text);
        }
        out.push_str("</table></section>\n");
    }
    if !model.writes.is_empty() {
        out.push_str("<section><h2>What is written</h2><table>\n");
        for write in &model.writes {
            let does = format!("{:?} {}", write.does, write.entity).to_lowercase();
            row(out, &write.name, write.rate.0, write.p99_ms, &does);
        }
        out.push_str("</table></section>\n");
    }
}

fn row(out: &mut String, name: &str, rate: f64, goal: Option<f64>, text: &str) {
    let goal = goal.map(|ms| format!("p99 {ms} ms")).unwrap_or_default();
    let _ = writeln!(
        out,
        "<tr><td>{}</td><td class=\"number\">{}/s</td><td>{goal}</td><td><code>{}</code></td></tr>",
        escaped(name),
        (rate * 100.0).round() / 100.0,
        escaped(text)
    );
}
