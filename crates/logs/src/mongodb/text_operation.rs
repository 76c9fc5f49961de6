//! An operation in a text log:
//! `command shop.orders appName: "web" command: find { … } planSummary: COLLSCAN keysExamined:0 … 9ms`.

use super::cursor::{Cursor, Text, number};
use super::operation::Operation;
use super::text::{Line, word};
use super::waits;

/// What stands before an entry whose middle was cut out, and in the place of the middle.
const OVERLONG: &[u8] = b"warning: log line attempted (";
const BEGINS: &[u8] = b"printing beginning and end ... ";
const MIDDLE: &[u8] = b" .......... ";

/// An operation, and the command made up for the forms older than 3.6, which have none.
pub(super) struct Told<'a> {
    read: Operation<'a>,
    made_up: Vec<u8>,
}

/// Where an entry ends whose first line ends at `first`: an operation with a line break in one of
/// its strings goes on to the line that tells its time.
pub(super) fn end(entry: &[u8], first: usize) -> usize {
    let begins = &entry[..first];
    if first == entry.len()
        || duration(begins).is_some()
        || super::text::line(begins).is_none_or(|line| kind(line.message).is_none())
    {
        return first;
    }
    memchr::memchr_iter(b'\n', entry)
        .chain([entry.len()])
        .skip(1)
        .find(|end| duration(&entry[..*end]).is_some())
        .unwrap_or(first)
}

fn kind(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (kind, rest) = word(message);
    let known: &[&[u8]] = &[b"command", b"query", b"getmore", b"update", b"remove", b"insert"];
    known.contains(&kind).then_some((kind, rest))
}

/// `… 9ms` at the end.
fn duration(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii_end().strip_suffix(b"ms")?;
    let start = memchr::memrchr(b' ', text)? + 1;
    number(&text[start..])
}

impl<'a> Told<'a> {
    /// Reads an operation; `None` when the line tells something else.
    pub(super) fn read(line: &Line<'a>, offset: u64) -> Option<Self> {
        let mut message = line.message;
        let mut cut = false;
        let mut tail = None;
        if message.starts_with(OVERLONG)
            && let Some(begins) = memchr::memmem::find(message, BEGINS)
        {
            cut = true;
            message = &message[begins + BEGINS.len()..];
            let middle = memchr::memmem::rfind(message, MIDDLE)?;
            tail = Some(behind_the_cut(&message[middle..]));
            message = &message[..middle];
        }
        let (kind, rest) = kind(message)?;
        let micros = duration(tail.unwrap_or(message))?.saturating_mul(1000);
        let (namespace, rest) = word(rest);
        let operation =
            Operation { at: line.at, offset, kind, namespace, micros, cut, ..Operation::default() };
        let mut told = Told { read: operation, made_up: Vec::new() };
        let mut older = Older::default();
        told.fields(rest, &mut older);
        if let Some(tail) = tail {
            told.fields(tail, &mut older);
        }
        if told.read.command.is_empty() {
            told.made_up = older.command(kind, namespace);
        }
        Some(told)
    }

    /// The operation.
    pub(super) fn operation(&self) -> Operation<'_> {
        let mut operation = self.read;
        if operation.command.is_empty() {
            operation.command = &self.made_up;
        }
        operation
    }

    fn fields(&mut self, text: &'a [u8], older: &mut Older<'a>) {
        let mut cursor = Cursor::new(text, Text);
        while !cursor.ended() {
            cursor.peek();
            let rest = cursor.rest();
            let Some(end) = rest.iter().position(|byte| matches!(byte, b':' | b' ')) else { break };
            let name = &rest[..end];
            cursor.forward(end + 1);
            if rest[end] == b' ' {
                continue;
            }
            self.field(name, &mut cursor, older);
        }
    }

    fn field(&mut self, name: &[u8], cursor: &mut Cursor<'a, Text>, older: &mut Older<'a>) {
        let found = &mut self.read;
        match name {
            b"appName" => found.application = quoted(cursor),
            b"command" | b"originatingCommand" => {
                // The command's name stands before its document.
                if cursor.peek() != b'{' {
                    let rest = cursor.rest();
                    let open = memchr::memchr(b'{', rest).unwrap_or(rest.len());
                    cursor.forward(open);
                }
                let document = cursor.skip();
                if name == b"command" {
                    found.command = document;
                } else {
                    found.originating = document;
                }
            }
            b"query" => older.query = cursor.skip(),
            b"update" | b"updateobj" => older.update = cursor.skip(),
            b"planSummary" => found.plan_summary = plan_summary(cursor),
            b"hasSortStage" | b"scanAndOrder" => {
                found.sorts = matches!(simple(cursor), b"1" | b"true")
            }
            b"locks" => found.waited = waits::waited(cursor.skip(), Text),
            b"usedDisk" => found.spilled = matches!(simple(cursor), b"1" | b"true"),
            b"keysExamined" | b"nscanned" => found.keys = number(simple(cursor)),
            b"docsExamined" | b"nscannedObjects" => found.documents = number(simple(cursor)),
            b"nreturned" | b"ninserted" | b"ndeleted" | b"nMatched" => {
                found.returned = number(simple(cursor));
            }
            // Before 4.4: `upsert:1`.
            b"nUpserted" | b"upsert" => found.upserted = number(simple(cursor)),
            b"errName" => found.error = simple(cursor),
            b"errCode" | b"code" => found.error_code = simple(cursor),
            b"errMsg" => found.message = quoted(cursor),
            b"exception" => {
                cursor.peek();
                let rest = cursor.rest();
                let end = memchr::memmem::find(rest, b" code:").unwrap_or(rest.len());
                found.message = &rest[..end];
                cursor.forward(end);
            }
            _ => match cursor.rest().first() {
                Some(b'{') => {
                    cursor.skip();
                }
                Some(b'"') => {
                    quoted(cursor);
                }
                // A word, or a space before the value.
                Some(b' ') => {}
                _ => {
                    simple(cursor);
                }
            },
        }
    }
}

/// A string between fields: quotes inside of it are left as they are, and the one that ends it
/// has a field behind it, or nothing.
fn quoted<'a>(cursor: &mut Cursor<'a, Text>) -> &'a [u8] {
    if !cursor.eat(b'"') {
        return simple(cursor);
    }
    let rest = cursor.rest();
    let ends = |behind: &[u8]| {
        let (name, _) = word(behind.strip_prefix(b" ").unwrap_or(b"?"));
        behind.is_empty() || name.contains(&b':') || duration(behind).is_some()
    };
    let end = memchr::memchr_iter(b'"', rest).find(|end| ends(&rest[end + 1..]));
    cursor.forward(end.map_or(rest.len(), |end| end + 1));
    &rest[..end.unwrap_or(rest.len())]
}

/// A word up to the next space.
fn simple<'a>(cursor: &mut Cursor<'a, Text>) -> &'a [u8] {
    let (found, _) = word(cursor.rest());
    cursor.forward(found.len());
    found
}

/// `IXSCAN { status: 1, at: -1 }, IXSCAN { customer: 1 }`.
fn plan_summary<'a>(cursor: &mut Cursor<'a, Text>) -> &'a [u8] {
    cursor.peek();
    let start = cursor.at();
    let mut end;
    loop {
        let name = simple(cursor);
        end = cursor.at();
        if name.ends_with(b",") {
            cursor.peek();
            continue;
        }
        if cursor.rest().starts_with(b" {") {
            cursor.skip();
            end = cursor.at();
            if cursor.rest().starts_with(b", ") {
                cursor.forward(2);
                continue;
            }
        }
        break;
    }
    cursor.walked().get(start..end).unwrap_or_default()
}

/// The fields after the cut: what is left of the command is passed over.
fn behind_the_cut(text: &[u8]) -> &[u8] {
    let marks: &[&[u8]] =
        &[b" planSummary: ", b" keysExamined:", b" ninserted:", b" ndeleted:", b" numYields:"];
    marks
        .iter()
        .find_map(|mark| memchr::memmem::rfind(text, mark))
        .map_or(text, |place| &text[place..])
}

/// What logs older than 3.6 tell instead of a command.
#[derive(Default)]
struct Older<'a> {
    query: &'a [u8],
    update: &'a [u8],
}

impl Older<'_> {
    fn command(&self, kind: &[u8], namespace: &[u8]) -> Vec<u8> {
        let dot = memchr::memchr(b'.', namespace).map_or(0, |dot| dot + 1);
        let collection = &namespace[dot..];
        let query = if self.query.is_empty() { b"{}" } else { self.query };
        match kind {
            b"update" if self.update.is_empty() => [b"{ q: ", query, b" }"].concat(),
            b"update" => [b"{ q: ", query, b", u: ", self.update, b" }"].concat(),
            b"remove" => [b"{ q: ", query, b" }"].concat(),
            b"insert" => [b"{ insert: \"", collection, b"\" }"].concat(),
            _ => {
                let (filter, sort) = wrapped(query);
                let sort = if sort.is_empty() { Vec::new() } else { [b", sort: ", sort].concat() };
                [b"{ find: \"", collection, b"\", filter: ", filter, &sort, b" }"].concat()
            }
        }
    }
}

/// `{ $query: …, $orderby: … }`, and the same without dollars.
fn wrapped(query: &[u8]) -> (&[u8], &[u8]) {
    let (mut filter, mut sort) = (query, &b""[..]);
    let mut cursor = Cursor::new(query, Text);
    cursor.eat(b'{');
    while let Some(key) = cursor.key() {
        let value = cursor.skip();
        match key {
            b"$query" | b"query" if value.first() == Some(&b'{') => filter = value,
            b"$orderby" | b"orderby" if value.first() == Some(&b'{') => sort = value,
            _ => {}
        }
    }
    (filter, sort)
}
