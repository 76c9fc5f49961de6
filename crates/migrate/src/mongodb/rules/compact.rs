use super::support::*;

/// compact rewrites a collection's files on one member
pub static RULE: Rule<Context> = rule(
    29,
    "compact",
    "compact rewrites a collection's files on one member",
    Severity::Medium,
    None,
    "compact is not replicated: it works on the member it is sent to, moves the collection's data \
     within its files for as long as that takes, and gives room back only where it finds some at \
     the end. From 4.4 reads and writes go on meanwhile, but indexes and options of the collection \
     cannot be changed; before 4.4 the whole database is locked. Up to 5.0 it needs the \
     collection exclusively for a moment first, and a primary refuses it without force.\n\n\
     It is maintenance and no migration: run it on one secondary after the other, step the \
     primary down last.",
    &[
        bad(
            "on the primary",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"compact\": \"users\", \"force\": true}]",
        ),
        good(
            "a look at its size",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"collStats\": \"users\"}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    if !context.is("compact") {
        return Vec::new();
    }
    let name = context.collection();
    let old = context.version < Version::new(4, 4, 0);
    let why = if old {
        "The database is locked till it is done, and only this member is compacted: run it on one \
         secondary after the other, outside of migrations."
    } else {
        "Only this member is compacted, and indexes and options of the collection cannot change \
         meanwhile: run it on one secondary after the other, outside of migrations."
    };
    let title = format!("{name} is moved together in its files, on this member alone");
    let mut draft = found(context, Severity::Medium, title, why).work(Work::Rewrite);
    draft.blocks = if old { Blocks::All } else { Blocks::Nothing };
    if !old && context.version < Version::new(6, 0, 0) {
        // For a moment at its beginning; behind an open transaction writes wait behind it.
        draft.lock = Some("X");
        draft.blocks = Blocks::Writes;
    }
    vec![draft]
}
