//! What a server refuses: which trouble ends a trial, and what is left out of it for the rest to go
//! on.

use std::collections::BTreeSet;

use marula_core::{Error, ErrorKind, LeftOut, SetAside, SetAsideKind};

/// The most of a server's message that is told, in characters.
const LONGEST: usize = 400;

/// Whether nothing can be done after it: the server is gone, or the user has enough. Everything else
/// is an answer to the one thing that was asked.
pub(super) fn ends_all(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unreachable
            | ErrorKind::Denied
            | ErrorKind::ServerDied
            | ErrorKind::Lab
            | ErrorKind::Interrupted
            | ErrorKind::Io
    )
}

/// A server's message without the statement, which may be long, but with what it adds.
pub(super) fn said(error: &Error) -> String {
    let mut text = error.message().to_owned();
    if let Some(code) = error.server_code() {
        text.push_str(&format!(" ({code})"));
    }
    let added = error.hints().iter().find_map(|hint| hint.strip_prefix("the server adds: "));
    if let Some(added) = added {
        text.push_str(&format!(": {added}"));
    }
    cut(&text, LONGEST)
}

/// At most so many characters of a text.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A constraint that was set aside.
pub(super) fn constraint(name: String, error: &Error) -> SetAside {
    SetAside { kind: SetAsideKind::Constraint, name, reason: said(error) }
}

/// A design that was set aside.
pub(super) fn design(name: &str, reason: String) -> SetAside {
    SetAside { kind: SetAsideKind::Design, name: name.to_owned(), reason }
}

/// An operation that was left out.
pub(super) fn left_out(name: &str, reason: String) -> LeftOut {
    LeftOut { statement: name.to_owned(), calls: 0, reason }
}

/// The end of a trial that has nothing left to measure.
pub(super) fn nothing_left(aside: &[SetAside]) -> Error {
    let each = aside.iter().filter(|one| one.kind == SetAsideKind::Design);
    let each: Vec<String> = each.map(|one| format!("{}: {}", one.name, one.reason)).collect();
    let what = format!("the lab's server took none of the designs; {}", each.join("; "));
    Error::new(ErrorKind::Lab, what)
        .hint("take out of the model what the messages name, or try another --seed or --rows")
}

/// The runs of one operation on one structure that failed.
#[derive(Debug, Default, Clone)]
pub(super) struct Failed {
    /// Which runs.
    pub(super) runs: BTreeSet<u64>,
    /// What was said to the first of them.
    pub(super) first: Option<String>,
}

impl Failed {
    pub(super) fn add(&mut self, run: u64, error: &Error) {
        self.runs.insert(run);
        self.first.get_or_insert_with(|| said(error));
    }
}

/// What of a trial goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sifted {
    /// For each structure, why it is set aside.
    pub(super) structures: Vec<Option<String>>,
    /// For each operation, why it is left out.
    pub(super) operations: Vec<Option<String>>,
}

/// What goes on when some structures could not do some operations: `refused` says why, by the
/// structure and the operation.
///
/// What none can do is left out, and so is what the `plain` structure cannot: it keeps all rules of the
/// model, and who does it nevertheless breaks one. What some can do is what the others lack: these are
/// set aside, since with less to do they would seem quicker. Where none would be left that can do all,
/// what not all can do is left out.
pub(super) fn sift(
    names: &[&str],
    refused: &[Vec<Option<String>>],
    plain: Option<usize>,
) -> Sifted {
    let count = names.len();
    let fails = |at: usize| refused.iter().filter_map(move |of| of[at].as_ref());
    let wrong = |at: usize| plain.and_then(|plain| refused[plain][at].as_ref());
    let none = |at: usize| fails(at).count() == refused.len() || wrong(at).is_some();
    let whole = |of: &Vec<Option<String>>| (0..count).all(|at| of[at].is_none() || none(at));
    let some = refused.iter().any(whole);
    let operations = (0..count)
        .map(|at| wrong(at).or_else(|| fails(at).next()).filter(|_| none(at) || !some).cloned())
        .map(|why| why.map(|why| format!("the server refuses it: {why}")))
        .collect();
    let structures = refused.iter().map(|of| {
        let lacks = (0..count).find_map(|at| Some((at, of[at].as_ref().filter(|_| !none(at))?)));
        let (at, why) = lacks.filter(|_| some)?;
        Some(format!("the server refuses its {}, which others can do: {why}", names[at]))
    });
    Sifted { structures: structures.collect(), operations }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(rows: &[&[u8]]) -> Vec<Vec<Option<String>>> {
        let one = |fails: &u8| (*fails == 1).then(|| "no".to_owned());
        rows.iter().map(|row| row.iter().map(one).collect()).collect()
    }

    fn outcome(rows: &[&[u8]]) -> (Vec<bool>, Vec<bool>) {
        let names = ["a", "b", "c"];
        let sifted = sift(&names[..rows[0].len()], &refused(rows), None);
        let told = |all: Vec<Option<String>>| all.iter().map(Option::is_some).collect();
        (told(sifted.structures), told(sifted.operations))
    }

    #[test]
    fn what_lacks_an_operation_is_not_compared_with_what_does_it() {
        assert_eq!(outcome(&[&[0, 0], &[0, 1]]), (vec![false, true], vec![false, false]));
    }

    #[test]
    fn what_nobody_can_do_is_left_out_and_nobody_is_set_aside_for_it() {
        assert_eq!(outcome(&[&[1, 0], &[1, 0]]), (vec![false, false], vec![true, false]));
        assert_eq!(outcome(&[&[1, 0], &[1, 1]]), (vec![false, true], vec![true, false]));
        assert_eq!(outcome(&[&[1]]), (vec![false], vec![true]));
    }

    /// A second passenger for a seat is no merit of who does not look.
    #[test]
    fn what_the_normalised_design_refuses_is_left_out_and_no_reason_to_set_it_aside() {
        let sifted = sift(&["a", "b"], &refused(&[&[0, 0], &[1, 0]]), Some(1));
        assert_eq!(sifted.structures, [None, None]);
        assert!(sifted.operations[0].is_some() && sifted.operations[1].is_none());
    }

    #[test]
    fn where_each_lacks_another_they_are_compared_by_what_all_can_do() {
        assert_eq!(
            outcome(&[&[1, 0, 0], &[0, 1, 0]]),
            (vec![false, false], vec![true, true, false])
        );
    }
}
