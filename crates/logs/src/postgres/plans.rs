use memchr::memmem;

/// What auto_explain logged of a run.
#[derive(Default)]
pub(super) struct Logged<'a> {
    /// The statement; of JSON with its escapes undone.
    pub text: std::borrow::Cow<'a, [u8]>,
    /// The parameters, when they were logged.
    pub parameters: &'a [u8],
    /// The plan, as text or JSON.
    pub plan: &'a [u8],
    /// Buffers hit and read, and rows, at the root.
    pub reads: Option<u64>,
    pub rows: Option<u64>,
}

/// Takes apart what stands behind `plan:`.
pub(super) fn split(text: &[u8]) -> Option<Logged<'_>> {
    match text.first()? {
        b'{' => json(text),
        _ => plain(text),
    }
}

fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    memmem::find(text, mark).map(|at| &text[at + mark.len()..])
}

fn number(text: &[u8]) -> Option<u64> {
    let end = text.iter().take(18).take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}

/// `Query Text: …`, then `Query Parameters: …`, then the tree from the first line with a cost.
fn plain(text: &[u8]) -> Option<Logged<'_>> {
    let query = text.strip_prefix(b"Query Text: ")?;
    let mut at = 0;
    let mut text_end = None;
    let mut parameters: &[u8] = b"";
    loop {
        let end = memchr::memchr(b'\n', &query[at..]).map(|end| at + end)?;
        at = end + 1;
        let line = &query[at..];
        let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
        let bare = line.trim_ascii_start();
        if let Some(bound) = bare.strip_prefix(b"Query Parameters: ") {
            parameters = bound;
            text_end.get_or_insert(end);
        } else if memmem::find(line, b"  (cost=").is_some()
            || memmem::find(line, b"  (actual ").is_some()
        {
            text_end.get_or_insert(end);
            break;
        }
    }
    let plan = &query[at..];
    let root = &plan[..memmem::find(plan, b"->").unwrap_or(plan.len())];
    let buffers = after(root, b"Buffers: shared").map(|text| {
        let text = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
        let part = |mark| after(text, mark).and_then(number).unwrap_or(0);
        part(b" hit=") + part(b" read=")
    });
    Some(Logged {
        text: query[..text_end.unwrap_or(at - 1)].into(),
        parameters,
        plan,
        reads: buffers,
        rows: after(root, b"(actual ").and_then(|text| after(text, b"rows=")).and_then(number),
    })
}

fn json(text: &[u8]) -> Option<Logged<'_>> {
    let query = after(text, b"\"Query Text\": \"")?;
    let end = super::json::string_end(query)?;
    let statement = super::json::unescape(&query[..end]);
    let rest = &query[end..];
    let root = &rest[..memmem::find(rest, b"\"Plans\":").unwrap_or(rest.len())];
    let field = |name: &[u8]| after(root, name).and_then(number);
    let hit = field(b"\"Shared Hit Blocks\": ");
    Some(Logged {
        text: statement,
        parameters: b"",
        plan: text,
        reads: hit.map(|hit| hit + field(b"\"Shared Read Blocks\": ").unwrap_or(0)),
        rows: field(b"\"Actual Rows\": "),
    })
}
