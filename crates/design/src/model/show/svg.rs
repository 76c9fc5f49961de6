use std::fmt::Write as _;

use marula_core::model::{Entity, Model, Relationship};

use super::layout::{HEAD, LETTER, LINE, Layout, MOST_SHOWN, Placed, layout};
use super::{count, fanout, mandatory, roles, shown_type};

const STYLE: &str = "
.paper{fill:#fff}.box{fill:#fff;stroke:#9aa5b1}.head{fill:#e8eef6}.guess .head{fill:#fff3d6}
.name{font-weight:600;fill:#17202b}.rows,.type{fill:#5b6875}.attribute{fill:#17202b}
.key{font-weight:600}.role{fill:#2563a8}.edge{fill:none;stroke:#64748b;stroke-width:1.4}
.loose{stroke-dasharray:5 4}.label{fill:#46515d;font-size:11px}
.back{stroke:#fff;stroke-width:4;paint-order:stroke;stroke-linejoin:round}
@media(prefers-color-scheme:dark){.paper{fill:#14181d}.box{fill:#1b2129;stroke:#4c5865}
.head{fill:#263241}.guess .head{fill:#43391d}.name,.attribute{fill:#e6ebf0}
.rows,.type,.label{fill:#a3afbb}.role{fill:#7fb2ea}.edge{stroke:#8594a5}.back{stroke:#14181d}}
";

/// The model as an SVG picture, for light and dark screens.
pub fn svg(model: &Model) -> String {
    let drawn = layout(model);
    let (width, height) = (drawn.width, drawn.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" \
         font-size=\"12\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n",
        escaped(&format!("Entities of {} and how they hang together", model.name))
    );
    let at = |name: &str| model.entities.iter().position(|entity| entity.name == name);
    let mut labels = String::new();
    for relation in &model.relations {
        if let (Some(one), Some(many)) = (at(&relation.to), at(&relation.from)) {
            edge(&mut out, &mut labels, model, &drawn, relation, one, many);
        }
    }
    for (entity, place) in model.entities.iter().zip(&drawn.entities) {
        boxed(&mut out, model, entity, place);
    }
    out.push_str(&labels);
    out.push_str("</svg>\n");
    out
}

fn boxed(out: &mut String, model: &Model, entity: &Entity, place: &Placed) {
    let Placed { x, y, width, height, .. } = *place;
    let class = if entity.guess { " class=\"guess\"" } else { "" };
    let _ = writeln!(out, "<g{class}>");
    if let Some(description) = &entity.description {
        let _ = writeln!(out, "<title>{}</title>", escaped(description));
    }
    let _ = writeln!(
        out,
        "<rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\" rx=\"6\"/>\n<path class=\"head\" d=\"M{x:.1} {:.1}v-{:.1}a6 6 0 0 \
         1 6 -6h{:.1}a6 6 0 0 1 6 6v{:.1}z\"/>",
        y + HEAD,
        HEAD - 6.0,
        width - 12.0,
        HEAD - 6.0
    );
    let base = y + HEAD / 2.0 + 4.0;
    let name = cut(&entity.name, ((width - 20.0) / LETTER) as usize);
    let _ = writeln!(
        out,
        "<text class=\"name\" x=\"{:.1}\" y=\"{base:.1}\">{}</text>",
        x + 10.0,
        escaped(&name)
    );
    if entity.rows.0 > 0 {
        let _ = writeln!(
            out,
            "<text class=\"rows\" x=\"{:.1}\" y=\"{base:.1}\" text-anchor=\"end\">{}</text>",
            x + width - 10.0,
            count(entity.rows.0 as f64)
        );
    }
    for (line, attribute) in entity.attributes.iter().take(MOST_SHOWN).enumerate() {
        let base = row(place, line) + 4.0;
        let roles = roles(model, entity, attribute);
        let key = if roles.contains(&"PK") { " key" } else { "" };
        let mark = if attribute.required || !key.is_empty() { "" } else { "?" };
        let kind = shown_type(attribute);
        let kind = cut(&kind, 24);
        let role = roles.join(" ");
        let used = role.chars().count() + kind.chars().count() + 5;
        let room = ((width / LETTER) as usize).saturating_sub(used).max(6);
        let _ = writeln!(
            out,
            "<text class=\"attribute{key}\" x=\"{:.1}\" y=\"{base:.1}\">{}{mark}<tspan \
             class=\"role\" dx=\"8\" font-size=\"9\">{role}</tspan></text><text class=\"type\" \
             x=\"{:.1}\" y=\"{base:.1}\" text-anchor=\"end\">{}</text>",
            x + 10.0,
            escaped(&cut(&attribute.name, room)),
            x + width - 10.0,
            escaped(&kind)
        );
    }
    if entity.attributes.len() > MOST_SHOWN {
        let _ = writeln!(
            out,
            "<text class=\"type\" x=\"{:.1}\" y=\"{:.1}\">and {} more</text>",
            x + 10.0,
            row(place, MOST_SHOWN) + 4.0,
            entity.attributes.len() - MOST_SHOWN
        );
    }
    out.push_str("</g>\n");
}

/// The middle of an attribute's line.
fn row(place: &Placed, line: usize) -> f64 {
    place.y + HEAD + 4.0 + LINE * (line as f64 + 0.5)
}

/// A line from the one's key to the many's attribute, with a crow's foot at the many.
fn edge(
    out: &mut String,
    labels: &mut String,
    model: &Model,
    drawn: &Layout,
    relation: &Relationship,
    one: usize,
    many: usize,
) {
    let line = |entity: usize, name: Option<&str>| {
        let attributes = &model.entities[entity].attributes;
        let at = attributes.iter().position(|attribute| Some(attribute.name.as_str()) == name);
        row(&drawn.entities[entity], at.unwrap_or(0).min(MOST_SHOWN))
    };
    let (a, b) = (&drawn.entities[one], &drawn.entities[many]);
    let key = model.entities[one].key().first().map(|key| (*key).to_string());
    let y1 = line(one, key.as_deref());
    let y2 = line(many, relation.attributes.first().map(String::as_str));
    let x1 = a.x + a.width;
    // What stands in the same column, or further left, is reached around its right side.
    let ahead = b.column > a.column;
    let (x2, way) = if ahead { (b.x, -1.0) } else { (b.x + b.width, 1.0) };
    let path = match ahead {
        true => {
            let bend = ((x2 - x1) / 2.0).max(40.0);
            let (c1, c2, end) = (x1 + bend, x2 - bend, x2 - 12.0);
            format!("M{x1:.1} {y1:.1}C{c1:.1} {y1:.1} {c2:.1} {y2:.1} {end:.1} {y2:.1}H{x2:.1}")
        }
        false => {
            let out = x1.max(x2) + 46.0;
            let end = x2 + 12.0;
            format!("M{x1:.1} {y1:.1}C{out:.1} {y1:.1} {out:.1} {y2:.1} {end:.1} {y2:.1}H{x2:.1}")
        }
    };
    let loose = if relation.owned { "" } else { " loose" };
    let _ = writeln!(out, "<path class=\"edge{loose}\" d=\"{path}\"/>");
    // The foot: three toes for many; a bar at the one that must be there, a ring where it need not.
    let toe = x2 + way * 11.0;
    let _ = writeln!(
        out,
        "<path class=\"edge\" d=\"M{toe:.1} {y2:.1}L{x2:.1} {:.1}M{toe:.1} {y2:.1}L{x2:.1} {:.1}\"/>",
        y2 - 6.0,
        y2 + 6.0
    );
    let bar = x1 + 7.0;
    let _ = match mandatory(model, relation) {
        true => writeln!(out, "<path class=\"edge\" d=\"M{bar:.1} {:.1}v12\"/>", y1 - 6.0),
        false => writeln!(out, "<circle class=\"edge\" cx=\"{bar:.1}\" cy=\"{y1:.1}\" r=\"4\"/>"),
    };
    if let Some(known) = &relation.fanout {
        let (x, anchor) = if ahead { (x2 - 15.0, "end") } else { (x2 + 15.0, "start") };
        let _ = writeln!(
            labels,
            "<text class=\"label back\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">×{}\
             <title>{}</title></text>",
            y2 - 6.0,
            count(known.average),
            escaped(&format!("{} of one of {}: {}", relation.from, relation.to, fanout(known)))
        );
    }
}

/// At most `room` letters.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.into();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    kept + "…"
}

/// A text inside XML; what XML cannot hold is left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}
