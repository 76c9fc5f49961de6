use std::collections::HashSet;

use marula_core::ErrorKind;
use marula_core::model::{AccessPath, Query};
use marula_postgres::guard;
use marula_postgres::sql::{self, Node, ParsedStatement};
use pg_query::NodeRef;

use super::super::mistake::{Mistake, Way};
use super::super::sql::access_path;
use super::{Checker, quoted, word};

impl<'a> Checker<'a> {
    pub(super) fn queries(&mut self) {
        let all = Way::root().to("queries");
        let model = self.model;
        self.twice(&all, model.queries.iter().map(|query| query.name.as_str()), "queries");
        for (at, query) in model.queries.iter().enumerate() {
            self.query(&all.item(at), query);
        }
    }

    fn query(&mut self, way: &Way, query: &'a Query) {
        let name = quoted(&query.name);
        let path = match (&query.sql, &query.access) {
            (Some(sql), None) => match self.sql(way, &name, sql) {
                Some(path) => path,
                None => return,
            },
            (None, Some(path)) => {
                if !self.path(way, path) {
                    return;
                }
                path.clone()
            }
            (Some(_), Some(_)) => {
                let what = format!("{name} is said in SQL and as an access path; the SQL counts");
                let mistake = Mistake::new(way.to("access"), what).leave();
                return self.say(mistake.hint("leave one of them out"));
            }
            (None, None) => {
                let what = format!("{name} does not say what is read; left out");
                let hint = "write sql: SELECT …, or access: with from, where and select";
                return self.say(Mistake::new(way.clone(), what).hint(hint).leave());
            }
        };
        if query.p99_ms.is_some_and(|ms| !ms.is_finite() || ms <= 0.0) {
            let what = format!("{name} is given no time at all");
            self.say(Mistake::new(way.to("p99_ms"), what).hint("write milliseconds").leave());
        }
        if query.rate.0 <= 0.0 {
            let what = format!("{name} never runs");
            self.say(Mistake::new(way.clone(), what).hint("write rate: 10/s").low());
        }
        self.draws(way, query, &path);
    }

    /// A query in SQL; `None` when it is left out. One that no path can say has an empty path.
    fn sql(&mut self, way: &Way, name: &str, text: &str) -> Option<AccessPath> {
        if let Ok(parsed) = sql::parse(text)
            && let Some(mistake) = no_question(way.to("sql"), name, &parsed)
        {
            self.say(mistake.leave_at(way.clone()));
            return None;
        }
        let error = match access_path(self.model, text) {
            Ok(path) => return self.operands(way, &path, true).then_some(path),
            Err(error) => error,
        };
        let part = way.to("sql");
        if error.kind() == ErrorKind::Unsupported {
            // PostgreSQL can answer it; but only from what is there.
            let wrong = sql::parse(text).ok().and_then(|parsed| self.unknown(&part, &parsed));
            return match wrong {
                Some(mut mistake) => {
                    mistake.what = format!("in the SQL of {name}: {}; left out", mistake.what);
                    self.say(mistake.leave_at(way.clone()));
                    None
                }
                None => Some(AccessPath::default()),
            };
        }
        let what = match error.kind() {
            ErrorKind::Syntax => format!("the SQL of {name} does not parse: {}", error.message()),
            _ => format!("in the SQL of {name}: {}", error.message()),
        };
        let mut mistake = Mistake::new(part, format!("{what}; left out"));
        mistake.hint = error.hints().first().cloned();
        mistake.word = error.marked().and_then(word);
        self.say(mistake.leave_at(way.clone()));
        None
    }

    /// A name in a statement that the model does not have.
    fn unknown(&self, way: &Way, parsed: &ParsedStatement) -> Option<Mistake> {
        let relations = parsed.relations();
        for relation in &relations {
            if self.entity(&relation.name).is_none() {
                let text = parsed.text();
                let before = text.find(&relation.name).unwrap_or(0);
                let marked = marula_core::Marked {
                    name: String::new(),
                    text: text.into(),
                    start: before,
                    end: before + relation.name.len(),
                };
                let mut mistake = self.no_entity(way.clone(), &relation.name);
                mistake.word = word(&marked).filter(|_| text.contains(&relation.name));
                return Some(mistake);
            }
        }
        let mut known: HashSet<&str> = HashSet::new();
        for relation in &relations {
            if let Some(entity) = self.entity(&relation.name) {
                known.extend(super::names(&entity.attributes));
                known.insert(entity.name.as_str());
            }
        }
        let root = parsed.root()?;
        // Names the statement itself gives.
        let mut opaque = false;
        let _ = sql::walk(root.to_ref(), |node| match node {
            NodeRef::ResTarget(target) => {
                known.insert(target.name.as_str());
            }
            NodeRef::Alias(alias) => {
                known.insert(alias.aliasname.as_str());
                known.extend(alias.colnames.iter().filter_map(string));
            }
            NodeRef::CommonTableExpr(cte) => {
                known.insert(cte.ctename.as_str());
                known.extend(cte.aliascolnames.iter().filter_map(string));
            }
            NodeRef::FuncCall(call) => {
                known.extend(call.funcname.iter().filter_map(string));
            }
            NodeRef::RangeFunction(_) | NodeRef::RangeTableFunc(_) | NodeRef::JsonTable(_) => {
                opaque = true;
            }
            _ => {}
        });
        if opaque {
            return None;
        }
        let mut wrong = None;
        let _ = sql::walk(root.to_ref(), |node| {
            if let NodeRef::ColumnRef(reference) = node
                && let Some(name) = reference.fields.last().and_then(string)
                && !known.contains(name)
                && wrong.is_none()
            {
                let what = format!("no entity that is read has an attribute {}", quoted(name));
                let mistake = Mistake::new(way.clone(), what);
                let mut mistake = self.near(mistake, name, known.iter().copied());
                mistake.word = parsed.mark(reference.location).as_ref().and_then(word);
                wrong = Some(mistake);
            }
        });
        wrong
    }

    /// Where the parameters come from.
    fn draws(&mut self, way: &Way, query: &Query, path: &AccessPath) {
        let conditions = path.conditions.iter().chain(path.any.iter().flatten());
        let used = conditions.filter_map(|condition| condition.parameter).max();
        let many = used.unwrap_or(0) as usize;
        let name = quoted(&query.name);
        for (at, draw) in query.parameters.iter().enumerate() {
            let way = way.to("parameters").item(at);
            if let Some(of) = &draw.of {
                let known = of
                    .rsplit_once('.')
                    .and_then(|(entity, attribute)| Some((self.entity(entity)?, attribute)));
                let mistake = match known {
                    None => {
                        let what = format!("{} is no attribute of an entity", quoted(of));
                        Some(Mistake::new(way.to("of"), what).hint("write entity.attribute"))
                    }
                    Some((entity, attribute)) if entity.attribute(attribute).is_none() => {
                        Some(self.no_attribute(way.to("of"), entity, attribute))
                    }
                    Some(_) => None,
                };
                if let Some(mistake) = mistake {
                    self.say(mistake.leave());
                }
            }
            if !path.from.is_empty()
                && at >= many
                && query.sql.as_ref().is_none_or(|sql| !sql.contains(&format!("${}", at + 1)))
            {
                let what = format!("{name} has no parameter ${}", at + 1);
                self.say(Mistake::new(way, what).leave());
            }
        }
    }
}

/// What a query does other than ask.
fn no_question(way: Way, name: &str, parsed: &ParsedStatement) -> Option<Mistake> {
    let guard::Trouble { location, what, reads } = guard::trouble(parsed).ok().flatten()?;
    let what = what.strip_suffix(" is not allowed").unwrap_or(&what);
    let (what, hint) = match reads {
        false => (
            format!("{name} is no question, but {what}; left out"),
            "a query is a SELECT; what changes rows belongs under writes: \
             {name: …, does: insert, update or delete, entity: …, rate: …}",
        ),
        true => (
            format!("{name} does more than read: {what}; left out"),
            "a query only reads; what changes rows belongs under writes:",
        ),
    };
    let mut mistake = Mistake::new(way, what).hint(hint);
    mistake.word = parsed.mark(location).as_ref().and_then(word);
    Some(mistake)
}

fn string(node: &pg_query::Node) -> Option<&str> {
    match &node.node {
        Some(Node::String(text)) => Some(&text.sval),
        _ => None,
    }
}
