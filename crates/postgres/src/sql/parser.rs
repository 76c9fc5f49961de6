use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use marula_core::{Error, ErrorKind, Fingerprint, Result};
use pg_query::{FingerprintOptions, NodeRef, protobuf as pb};

use super::walk::{depth, walk_all};
use super::{ParsedStatement, nesting, place, relations_of};

/// Levels a tree may have.
const MAX_DEPTH: usize = 600;
/// Nesting that is not even tried.
const MAX_BOUND: usize = 30_000;
/// Stack for what does not depend on the statement, in bytes.
const BASE_STACK: usize = 16 << 20;
/// Stack per level, in bytes; virtual memory, touched only when really needed. Decoding a node
/// is one function over all 271 kinds, with a frame of tens of kilobytes in a debug build.
const LEVEL_STACK: usize = 128 << 10;
/// Trees up to this depth may be dropped on any thread's stack.
const SHALLOW: usize = 50;

/// libpg_query swaps the process's stderr while it parses: two at a time would lose it for good.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `work` alone, on a stack for `levels` levels.
fn on_deep_stack<T: Send>(levels: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("sql".into())
            .stack_size(BASE_STACK + levels.saturating_mul(LEVEL_STACK))
            .spawn_scoped(scope, work)
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "no thread could be started to parse the statement")
                    .because(error)
            })?
            .join()
            .map_err(|_| Error::new(ErrorKind::Internal, "the SQL parser failed"))
    })
}

/// A parse tree that is dropped on a stack of its own when it is deep.
pub(super) struct DeepTree {
    tree: pb::ParseResult,
    depth: usize,
}

impl Deref for DeepTree {
    type Target = pb::ParseResult;
    fn deref(&self) -> &pb::ParseResult {
        &self.tree
    }
}

impl Drop for DeepTree {
    fn drop(&mut self) {
        if self.depth > SHALLOW {
            let tree = std::mem::take(&mut self.tree);
            let size = BASE_STACK + self.depth.saturating_mul(LEVEL_STACK);
            let thread = std::thread::Builder::new().stack_size(size).spawn(move || drop(tree));
            if let Ok(thread) = thread {
                let _ = thread.join();
            }
        }
    }
}

/// One statement inside a script.
struct Parsed {
    statements: Vec<ParsedStatement>,
}

/// Parses a text that holds exactly one statement, of any sort.
///
/// # Errors
/// `Syntax` with the place marked; `Refused` when there are several statements; `Usage` when
/// there is none; `Unsupported` when it nests too deeply.
pub fn parse(text: &str) -> Result<ParsedStatement> {
    let mut all = parse_all(text)?;
    match (all.len(), all.pop()) {
        (1, Some(statement)) => Ok(statement),
        (_, None) => Err(Error::new(ErrorKind::Usage, "there is no statement in the text")
            .hint("write one SELECT statement")),
        (count, Some(_)) => {
            let error = Error::new(
                ErrorKind::Refused,
                format!("there are {count} statements, nothing was sent"),
            )
            .hint("give one statement at a time");
            let second = on_deep_stack(0, || place::second_statement(text))?;
            Err(match second {
                Some(marked) => error.mark(marked),
                None => error,
            })
        }
    }
}

/// Parses a script into its statements.
///
/// # Errors
/// `Syntax` with the place marked; `Unsupported` when it nests too deeply.
pub fn parse_all(text: &str) -> Result<Vec<ParsedStatement>> {
    if let Some(at) = text.find('\0') {
        return Err(Error::new(ErrorKind::Syntax, "the statement holds a zero byte")
            .mark(place::marked(text, at, at + 1)));
    }
    let tokens = on_deep_stack(0, || scan(text))?;
    let bound = tokens.as_ref().map_or(0, |tokens| nesting::bound(tokens));
    if bound > MAX_BOUND {
        return Err(too_deep());
    }
    let parsed = on_deep_stack(bound, || parse_here(text))?;
    match parsed {
        Ok(parsed) => Ok(parsed?.statements),
        Err(error) => Err(syntax_error(text, tokens.as_deref().unwrap_or(&[]), bound, &error)?),
    }
}

/// The text's tokens, comments among them; their ends are bytes.
///
/// # Errors
/// `Syntax` when the text cannot be cut into tokens.
pub fn tokens(text: &str) -> Result<Vec<pb::ScanToken>> {
    on_deep_stack(0, || scan(text))?
        .map_err(|error| Error::new(ErrorKind::Syntax, error.to_string()))
}

/// The scanner's tokens. Of a text without any it gives a null pointer, which pg_query 18.1 makes a
/// slice of, and that ends the program where such things are checked.
pub(super) fn scan(text: &str) -> pg_query::Result<Vec<pb::ScanToken>> {
    if text.bytes().all(|byte| byte.is_ascii_whitespace() || byte == b'\x0b') {
        return Ok(Vec::new());
    }
    pg_query::scan_tokens(text)
}

fn too_deep() -> Error {
    Error::new(ErrorKind::Unsupported, "the statement nests too deeply")
        .hint("write long chains as a list: IN (…), = ANY (…), VALUES (…), concat(…)")
}

/// Parses on this thread. Outer error: of the parser; inner error: of ours.
fn parse_here(text: &str) -> Result<Result<Parsed>, pg_query::Error> {
    let mut result = pg_query::parse(text, 0)?.protobuf;
    let version = result.version;
    let single = result.stmts.len() == 1;
    let mut statements = Vec::with_capacity(result.stmts.len());
    for mut raw in std::mem::take(&mut result.stmts) {
        let start = usize::try_from(raw.stmt_location).unwrap_or(0);
        let length = usize::try_from(raw.stmt_len).unwrap_or(0);
        let end = if length == 0 { text.len() } else { start + length };
        // Locations in the tree count from the start of the whole text; a single statement keeps
        // what stands before it so that they stay true, others are parsed again by themselves.
        let Some(own) = text.get(if single { 0 } else { start }..end) else {
            return Ok(Err(Error::new(ErrorKind::Internal, "the parser cut a character in two")));
        };
        if single {
            raw.stmt_location = 0;
            raw.stmt_len = 0;
            let tree = pb::ParseResult { version, stmts: vec![raw] };
            match finish(own, tree) {
                Ok(statement) => statements.push(statement),
                Err(error) => return Ok(Err(error)),
            }
        } else {
            let tree = pg_query::parse(own, 0)?.protobuf;
            match finish(own, tree) {
                Ok(statement) => statements.push(statement),
                Err(error) => return Ok(Err(error)),
            }
        }
    }
    Ok(Ok(Parsed { statements }))
}

fn finish(text: &str, tree: pb::ParseResult) -> Result<ParsedStatement> {
    let root = tree.stmts.first().and_then(|raw| raw.stmt.as_ref()).and_then(|s| s.node.as_ref());
    let root = root.map(pg_query::NodeEnum::to_ref);
    let levels = root.map_or(0, |root| depth(root, MAX_DEPTH));
    if levels > MAX_DEPTH {
        return Err(too_deep());
    }
    let mut parameters = 0;
    if let Some(root) = root {
        walk_all(root, |node| {
            if let NodeRef::ParamRef(parameter) = node {
                parameters = parameters.max(usize::try_from(parameter.number).unwrap_or(0));
            }
        });
    }
    // Aliases must not stand for the names of tables, or `a t` and `b t` would be one shape.
    let fingerprint =
        pg_query::fingerprint(text, 0, FingerprintOptions::RANGEVAR_PG17_COMPAT).map(|f| f.hex);
    let fingerprint = fingerprint.map_or_else(|_| String::new(), |hex| named(hex, root));
    Ok(ParsedStatement {
        text: text.trim_end().into(),
        tree: Arc::new(DeepTree { tree, depth: levels }),
        fingerprint: Fingerprint(fingerprint),
        parameters,
        stripped_explain: false,
    })
}

/// libpg_query leaves the digits of relations' names out, so that `orders_2023` and `orders_2024`,
/// but `t1` and `t2` as well, would be one. A relation has its own plans and indexes whatever its
/// name, and the server counts it by itself: each is a shape of its own, partitions named directly
/// too. Shapes without such names keep libpg_query's fingerprint.
fn named(hex: String, root: Option<NodeRef<'_>>) -> String {
    let mut relations = root.map(relations_of).unwrap_or_default();
    relations.retain(|relation| relation.name.bytes().any(|byte| byte.is_ascii_digit()));
    if relations.is_empty() || hex.is_empty() {
        return hex;
    }
    // FNV-1a: names of shapes are kept in files, so they may never change.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut mix = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    };
    mix(hex.as_bytes());
    for relation in relations {
        mix(b"\0");
        mix(relation.name.as_bytes());
    }
    format!("{hash:016x}")
}

fn syntax_error(
    text: &str,
    tokens: &[pb::ScanToken],
    bound: usize,
    error: &pg_query::Error,
) -> Result<Error> {
    let message = match error {
        pg_query::Error::Parse(message) | pg_query::Error::Scan(message) => message.clone(),
        other => return Ok(Error::new(ErrorKind::Internal, other.to_string())),
    };
    if message.contains("memory exhausted") || message.contains("stack depth limit") {
        return Ok(too_deep());
    }
    let fails = |end: usize| {
        text.get(..end).is_some_and(|prefix| {
            matches!(pg_query::parse(prefix, 0),
                Err(pg_query::Error::Parse(found)) if found == message)
        })
    };
    let marked = on_deep_stack(bound, || place::of_error(text, &message, tokens, fails))?;
    let error = Error::new(ErrorKind::Syntax, message).mark(marked);
    Ok(if text.trim_start().starts_with('\\') {
        error.hint("leave out psql's backslash commands")
    } else if text.trim_start().starts_with("db.") {
        error.hint("this looks like MongoDB's shell: use a MongoDB target")
    } else {
        error.hint("mend the statement at the mark")
    })
}

/// Writes a tree back as SQL, on one line.
///
/// # Errors
/// `Internal` when the tree cannot be written.
pub fn deparse(tree: &pb::ParseResult) -> Result<String> {
    on_deep_stack(MAX_DEPTH, || pg_query::deparse(tree, pg_query::DeparseOptions::default()))?
        .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot write SQL: {error}")))
}
