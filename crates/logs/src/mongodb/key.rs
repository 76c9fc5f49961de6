//! A name for a command's text with its values left out, made in one walk over the bytes: runs
//! with the same key have the same shape, so that the shape is made once for each. The converse
//! does not hold: a filter's keys in another order give another key, and the same shape.

use super::cursor::{Cursor, Syntax, number_of};

/// How deep a command is followed.
const MAX_DEPTH: usize = 200;

/// What of a value is hashed; as in `marula_mongodb::command::shape`, but coarser contexts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Scalars are literals: filters, updates.
    Literal,
    /// Paths and variables count: expressions, pipelines.
    Path,
    /// Everything counts: sorts, collations.
    Exact,
    /// Everything counts but what is in expressions.
    Project,
    /// Stages: what they are decides.
    Stage,
    /// The fields of a stage that names things.
    Names,
    /// Pipelines by the names of their outputs.
    Facet,
}

/// A hash under way.
#[derive(Clone, Copy)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) fn new() -> Self {
        Hash(0x9e37_79b9_7f4a_7c15)
    }

    #[inline]
    pub(super) fn word(&mut self, word: u64) {
        let wide =
            u128::from(self.0 ^ word).wrapping_mul(0xa076_1d64_78bd_642f_e703_7ed1_a0b4_28db);
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }

    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            self.word(u64::from_le_bytes(*chunk));
        }
        let mut last = [0u8; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last) ^ ((bytes.len() as u64) << 56));
    }

    pub(super) fn finish(self) -> u64 {
        self.0
    }
}

/// The key of a command, or of one statement of a batched write. `operation` is the log's word
/// for it (`update`, `remove`, `command`).
pub(super) fn key<S: Syntax + Copy>(
    namespace: &[u8],
    operation: &[u8],
    command: &[u8],
    cut: bool,
    syntax: S,
) -> u64 {
    let mut hash = Hash::new();
    hash.bytes(namespace);
    hash.bytes(operation);
    hash.word(u64::from(cut) | u64::from(S::TEXT) << 1);
    let mut cursor = Cursor::new(command, syntax);
    if !cursor.eat(b'{') {
        hash.bytes(b"?");
        return hash.finish();
    }
    let mut first = true;
    while let Some(name) = cursor.key() {
        field(&mut cursor, name, &mut hash, first);
        first = false;
    }
    hash.finish()
}

fn field<S: Syntax + Copy>(cursor: &mut Cursor<'_, S>, name: &[u8], hash: &mut Hash, first: bool) {
    let mode = match name {
        b"filter" | b"query" | b"q" | b"u" | b"updateMods" => Mode::Literal,
        b"update" if !first => Mode::Literal,
        b"pipeline" => Mode::Stage,
        b"sort" | b"collation" | b"key" => Mode::Exact,
        b"projection" | b"fields" => Mode::Project,
        b"updates" | b"deletes" if cursor.peek() == b'[' => {
            hash.bytes(name);
            statements(cursor, hash);
            return;
        }
        b"skip" | b"limit" | b"multi" | b"upsert" | b"remove" => {
            let raw = cursor.skip();
            let unset = matches!(raw, b"0" | b"0.0" | b"false" | b"null");
            let set = !unset && number_of(raw) != Some(0);
            hash.bytes(name);
            hash.word(u64::from(set));
            return;
        }
        b"indexes" | b"index" | b"viewOn" | b"capped" | b"timeseries" => Mode::Exact,
        _ if first => {
            // The command's name and, where it is one, the collection's.
            hash.bytes(name);
            if cursor.peek() == b'"' {
                let target = cursor.string();
                hash.bytes(target);
            } else {
                cursor.skip();
            }
            return;
        }
        _ => {
            cursor.skip();
            return;
        }
    };
    hash.bytes(name);
    // What is null is not given.
    if cursor.peek() == b'n' && cursor.rest().starts_with(b"null") {
        hash.word(6);
        cursor.skip();
        return;
    }
    // An update that is a pipeline.
    let mode = match (name, cursor.peek()) {
        (b"u" | b"update" | b"updateMods", b'[') => Mode::Stage,
        _ => mode,
    };
    value(cursor, mode, hash, 0);
}

/// The statements of a batch: each is a command of its own.
fn statements<S: Syntax + Copy>(cursor: &mut Cursor<'_, S>, hash: &mut Hash) {
    cursor.eat(b'[');
    let mut last = None;
    while cursor.item() {
        let mut one = Hash::new();
        if cursor.eat(b'{') {
            while let Some(name) = cursor.key() {
                field(cursor, name, &mut one, false);
            }
        } else {
            cursor.skip();
        }
        if last != Some(one.0) {
            hash.word(one.0);
        }
        last = Some(one.0);
    }
}

fn value<S: Syntax + Copy>(cursor: &mut Cursor<'_, S>, mode: Mode, hash: &mut Hash, depth: usize) {
    match cursor.peek() {
        b'{' if depth < MAX_DEPTH => object(cursor, mode, hash, depth + 1),
        b'[' if depth < MAX_DEPTH => array(cursor, mode, hash, depth + 1),
        b'{' | b'[' => {
            cursor.skip();
        }
        b'"' => {
            let text = cursor.string();
            match mode {
                Mode::Exact | Mode::Project | Mode::Names => hash.bytes(text),
                Mode::Path | Mode::Stage if text.first() == Some(&b'$') => hash.bytes(text),
                _ => hash.word(1),
            }
        }
        _ => {
            let scalar = cursor.scalar();
            match mode {
                Mode::Exact | Mode::Project => hash.bytes(scalar),
                _ => hash.word(1),
            }
        }
    }
}

fn object<S: Syntax + Copy>(cursor: &mut Cursor<'_, S>, mode: Mode, hash: &mut Hash, depth: usize) {
    cursor.eat(b'{');
    hash.word(2);
    let mut first = true;
    while let Some(name) = cursor.key() {
        if first && !S::TEXT && name.first() == Some(&b'$') && is_extended(name) {
            // `{"$date": …}` is a scalar.
            let scalar = cursor.skip();
            match mode {
                Mode::Exact | Mode::Project => hash.bytes(scalar),
                _ => hash.word(1),
            }
            while cursor.key().is_some() {
                cursor.skip();
            }
            return;
        }
        first = false;
        if name == b"$comment" {
            cursor.skip();
            continue;
        }
        hash.bytes(name);
        value(cursor, below(name, mode), hash, depth);
    }
    hash.word(3);
}

fn below(name: &[u8], mode: Mode) -> Mode {
    match mode {
        Mode::Literal if name == b"$expr" => Mode::Path,
        Mode::Project if name == b"$meta" => Mode::Exact,
        Mode::Project if name.first() == Some(&b'$') => Mode::Path,
        Mode::Path if name == b"sortBy" => Mode::Exact,
        Mode::Stage => match name {
            b"$match" => Mode::Literal,
            b"$sort" | b"$unset" => Mode::Exact,
            b"$project" => Mode::Project,
            b"$lookup" | b"$graphLookup" | b"$unionWith" | b"$merge" | b"$out" | b"$unwind"
            | b"$densify" | b"$count" | b"$geoNear" | b"$search" | b"$searchMeta"
            | b"$vectorSearch" | b"$changeStream" => Mode::Names,
            b"$facet" => Mode::Facet,
            _ => Mode::Path,
        },
        Mode::Names => match name {
            b"let" | b"startWith" | b"near" | b"range" => Mode::Path,
            b"restrictSearchWithMatch"
            | b"query"
            | b"filter"
            | b"compound"
            | b"text"
            | b"queryVector" => Mode::Literal,
            b"from" | b"localField" | b"foreignField" | b"as" | b"into" | b"on" | b"coll"
            | b"db" | b"path" | b"key" | b"field" | b"index" | b"connectFromField"
            | b"connectToField" | b"depthField" | b"distanceField" | b"includeArrayIndex"
            | b"partitionByFields" => Mode::Names,
            _ => Mode::Stage,
        },
        Mode::Facet => Mode::Stage,
        same => same,
    }
}

/// Equal neighbours count once: lists have one key whatever their length. Stages are all counted.
fn array<S: Syntax + Copy>(cursor: &mut Cursor<'_, S>, mode: Mode, hash: &mut Hash, depth: usize) {
    cursor.eat(b'[');
    hash.word(4);
    let mut last = None;
    while cursor.item() {
        let mut one = Hash::new();
        value(cursor, mode, &mut one, depth);
        if mode == Mode::Stage || last != Some(one.0) {
            hash.word(one.0);
        }
        last = Some(one.0);
    }
    hash.word(5);
}

/// Whether an object that begins with this key is a scalar in extended JSON.
pub(super) fn is_extended(name: &[u8]) -> bool {
    matches!(
        name,
        b"$date"
            | b"$oid"
            | b"$numberLong"
            | b"$numberInt"
            | b"$numberDouble"
            | b"$numberDecimal"
            | b"$uuid"
            | b"$binary"
            | b"$timestamp"
            | b"$regularExpression"
            | b"$minKey"
            | b"$maxKey"
            | b"$code"
            | b"$symbol"
            | b"$undefined"
            | b"$dbPointer"
    )
}
