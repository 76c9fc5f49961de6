use super::super::Random;
use super::story::{Entry, Session, Story};

/// A plan as auto_explain logs it, in text or JSON.
fn plan(random: &mut Random, text: &str, rows: u64, hit: u64, read: u64) -> String {
    if random.below(2) == 0 {
        return format!(
            "Query Text: {text}\nNested Loop  (cost=0.29..16.34 rows=1 width=8) (actual time=0.020..0.022 rows={rows} loops=1)\n  Buffers: shared hit={hit} read={read}\n  ->  Seq Scan on t  (cost=0.00..1.01 rows=1 width=4) (actual time=0.010..0.011 rows=1 loops=1)\n        Buffers: shared hit=1"
        );
    }
    let mut text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text = text.replace('\n', "\\n").replace('\t', "\\t");
    format!(
        "{{\n  \"Query Text\": \"{text}\",\n  \"Plan\": {{\n    \"Node Type\": \"Nested Loop\",\n    \"Actual Rows\": {rows},\n    \"Shared Hit Blocks\": {hit},\n    \"Shared Read Blocks\": {read},\n    \"Plans\": [\n      {{\n        \"Node Type\": \"Seq Scan\",\n        \"Actual Rows\": 7,\n        \"Shared Hit Blocks\": 3\n      }}\n    ]\n  }}\n}}"
    )
}

impl Story {
    /// A run that only auto_explain logs.
    pub(super) fn plan_only(&mut self, out: &mut Vec<Entry>) {
        let session = self.special[1].clone();
        self.planned(&session, out);
    }

    /// A run that is logged with its plan, and then once more with its duration, a little longer.
    pub(super) fn planned_run(&mut self, session: Session, out: &mut Vec<Entry>) {
        let (text, micros, shape) = self.planned(&session, out);
        let more = micros + 3;
        let ms = format!("{}.{:03}", more / 1000, more % 1000);
        let entry =
            self.entry(Some(session.clone()), format!("duration: {ms} ms  statement: {text}"));
        self.see_run();
        out.push(entry);
        let statement = self.truth.statements.get_mut(shape);
        if let Some(last) = statement.and_then(|statement| statement.durations.last_mut()) {
            *last = more;
        }
        if let Some(user) = self.truth.users.get_mut(session.user) {
            user.1 += 3;
        }
    }

    /// Logs a plan; gives the text, the duration and the shape.
    fn planned(&mut self, session: &Session, out: &mut Vec<Entry>) -> (String, u64, &'static str) {
        let (template, text, _) = self.template();
        let (micros, ms) = self.count(session, template.shape);
        let (rows, hit, read) =
            (self.random.below(1000), self.random.below(500), self.random.below(50));
        let statement = self.truth.statements.entry(template.shape.to_owned()).or_default();
        statement.returned += rows;
        statement.reads += hit + read;
        let plan = plan(&mut self.random, &text, rows, hit, read);
        let entry = self.entry(Some(session.clone()), format!("duration: {ms} ms  plan:\n{plan}"));
        self.see_run();
        out.push(entry);
        (text, micros, template.shape)
    }
}
