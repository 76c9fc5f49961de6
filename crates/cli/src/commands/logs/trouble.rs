//! What goes wrong with logs, said so that one knows what to do next.

use std::path::Path;
use std::sync::Arc;

use marula_core::{Digest, Error, ErrorKind, Result, nearest};
use marula_logs::{Filter, Request};

use super::read;
use crate::progress::Terminal;
use crate::render::text;

/// A file beside the missing one that has nearly its name.
pub fn beside(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let names: Vec<String> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .map(|found| found.flatten().map(|f| f.file_name().to_string_lossy().into()).collect())
        .unwrap_or_default();
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    match nearest(&wanted, names.iter().map(String::as_str)).first() {
        Some(near) => {
            format!("did you mean {}?", folder.unwrap_or(Path::new("")).join(near).display())
        }
        None => "name log files or folders; - is stdin".into(),
    }
}

/// An error when nothing that was named is a log.
pub fn recognised(digest: &Digest, request: &Request) -> Result<()> {
    if digest.sources.iter().any(|source| source.format.is_some()) {
        return Ok(());
    }
    let named: Vec<String> = request.inputs.iter().map(|i| i.display().to_string()).collect();
    let place = if named == ["-"] { "stdin".to_string() } else { named.join(", ") };
    // What could not be read at all was no file, a damaged archive, or not ours to read.
    if let [source] = digest.sources.as_slice()
        && let Some(why) = &source.ended
    {
        return Err(Error::new(ErrorKind::Io, format!("cannot be read: {why}")).at(place));
    }
    if digest.sources.iter().all(|source| source.bytes == 0) {
        let what = if digest.sources.len() > 1 { "all files are empty" } else { "is empty" };
        return Err(Error::new(ErrorKind::Usage, what)
            .at(place)
            .hint("check that the server logs there: SHOW log_destination, SHOW log_directory"));
    }
    let what = if digest.sources.len() > 1 {
        format!("none of the {} files is a log of a format that is known", digest.sources.len())
    } else {
        "is not a log of a format that is known".to_string()
    };
    let source = digest.sources.iter().find(|source| source.bytes > 0);
    let lines: Vec<String> = source
        .map(|source| &source.unread_samples)
        .into_iter()
        .flatten()
        .take(3)
        .map(|line| text::cut(&line.text, 60))
        .collect();
    let mut error = Error::new(ErrorKind::Usage, what).at(place);
    if let (false, Some(source)) = (lines.is_empty(), source) {
        let begins = if digest.sources.len() > 1 {
            format!("{} begins", source.name)
        } else {
            "it begins".into()
        };
        error = error.because(format!("{begins}: {}", lines.join(" | ")));
    }
    if request.prefix.is_some() {
        error = error.hint("no line begins as --prefix says; leave it out to have it detected");
    }
    Err(error.hint(
        "known are PostgreSQL's stderr, csvlog, jsonlog and syslog, MongoDB's text and JSON logs, \
         and system.profile as JSON lines or BSON",
    ))
}

/// Why there is no statement to tell of. A name that occurs nowhere is an error.
pub async fn nothing_left(request: &Request, progress: &Arc<Terminal>) -> Result<Vec<String>> {
    let filter = &request.filter;
    let piped = request.inputs.iter().any(|input| input.as_os_str() == "-");
    if *filter == Filter::default() || piped {
        let mut notes = vec![
            "no entry tells how long a statement took; PostgreSQL logs that with \
             log_min_duration_statement, MongoDB with slowms or a profiling level"
                .to_string(),
        ];
        if piped && *filter != Filter::default() {
            notes[0] = "nothing passes the filters".into();
        }
        return Ok(notes);
    }
    let all = Request { filter: Filter::default(), top: 0, ..request.clone() };
    let all = read(&all, progress).await?;
    if let Some(span) = all.span {
        let range = crate::render::spanned(span.from, span.to);
        let early = filter.to.is_some_and(|to| to <= span.from);
        if early || filter.from.is_some_and(|from| from > span.to) {
            let (flag, side) =
                if early { ("--to", "before it begins") } else { ("--from", "after it ends") };
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the log is of {range}, and {flag} is {side}"),
            )
            .hint(format!("choose a time of the log with {flag}, in UTC or with an offset")));
        }
    }
    use marula_core::OriginKind::{Application, Database, User};
    for (flag, kind, wanted) in [
        ("database", Database, &filter.databases),
        ("user", User, &filter.users),
        ("application", Application, &filter.applications),
    ] {
        let known: Vec<&str> = all
            .origins
            .iter()
            .filter(|origin| origin.kind == kind && !origin.name.is_empty())
            .map(|origin| origin.name.as_str())
            .collect();
        if wanted.is_empty() || wanted.iter().any(|name| known.contains(&name.as_str())) {
            continue;
        }
        let error = Error::new(
            ErrorKind::NotFound,
            format!("no statement's {flag} is '{}'", wanted.join("' or '")),
        );
        return Err(if known.is_empty() {
            error.hint(format!("the log does not tell the {flag}: leave --{flag} out"))
        } else {
            let shown: Vec<&str> = known.into_iter().take(8).collect();
            error.hint(format!("the log has: {}", shown.join(", ")))
        });
    }
    let longest = crate::render::numbers::duration(all.totals.max_ms.unwrap_or_default());
    let calls = text::counted(all.totals.calls, "call", "calls");
    Ok(vec![match (all.totals.calls, filter.min_duration) {
        (0, _) => "no entry tells how long a statement took; PostgreSQL logs that with \
                   log_min_duration_statement, MongoDB with slowms or a profiling level"
            .into(),
        (_, Some(least))
            if crate::duration::as_ms(least) > all.totals.max_ms.unwrap_or(f64::INFINITY) =>
        {
            format!("nothing passes the filters: the longest of {calls} took {longest}")
        }
        _ => format!("nothing passes the filters together; without them there are {calls}"),
    }])
}
