//! The shell's parser, the guard and addresses under damaged and nested input: no panic, no leak,
//! nothing forbidden passes.

use std::time::{Duration, Instant};

use marula_core::ErrorKind;
use marula_mongodb::{ConnectSpec, guard, shell};
use proptest::prelude::*;

use crate::attack_set::{HARMLESS, NOT_COMMANDS, REFUSED};
use crate::mangle::mangled;

fn commands() -> Vec<String> {
    let refused = REFUSED.iter().map(|(text, _)| *text);
    let all = refused.chain(NOT_COMMANDS.iter().copied()).chain(HARMLESS.iter().copied());
    all.map(str::to_owned).collect()
}

/// Stages that must not run, wherever they stand.
fn forbidden() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "{$out: 'stolen'}",
        "{'$out': {db: 'x', coll: 'stolen'}}",
        "{\"\\u0024merge\": {into: 'stolen'}}",
        "{$match: {$where: 'sleep(9)'}}",
        "{$match: {a: {$not: {$elemMatch: {$where: 'sleep(9)'}}}}}",
        "{$project: {a: {$function: {body: 'x', args: [], lang: 'js'}}}}",
        "{$set: {a: {$map: {input: '$b', in: {$function: {body: 'x', args: [], lang: 'js'}}}}}}",
        "{$group: {_id: 1, n: {$accumulator: {init: 'x', accumulate: 'y', lang: 'js'}}}}",
        "{$match: {$expr: {$eq: [1, {$function: {body: 'x', args: [], lang: 'js'}}]}}}",
        "{$listSessions: {}}",
        "{$currentOp: {}}",
    ])
    .prop_map(str::to_owned)
}

/// A stage with something forbidden in it, some levels down.
fn hidden() -> impl Strategy<Value = String> {
    forbidden().prop_recursive(5, 16, 1, |inner| {
        (inner, 0usize..6).prop_map(|(stage, how)| match how {
            0 => format!("{{$facet: {{fine: [{{$count: 'n'}}], other: [{stage}]}}}}"),
            1 => format!("{{$lookup: {{from: 'a', pipeline: [{{$limit: 1}}, {stage}], as: 'x'}}}}"),
            2 => format!("{{$unionWith: {{coll: 'a', pipeline: [{stage}]}}}}"),
            3 => format!(
                "{{$lookup: {{from: 'a', let: {{b: '$c'}}, pipeline: [{stage}], as: 'x'}}}}"
            ),
            4 => format!("{{ '$facet' : {{ x : [ {stage} , ] }} }}"),
            _ => format!("{{$unionWith: {{pipeline: [{{$match: {{}}}}, {stage}], coll: 'a'}}}}"),
        })
    })
}

const SECRET: &str = "h-u-s-h";

fn addresses() -> Vec<String> {
    [
        "mongodb://ann:h-u-s-h@db.example.com:27017/shop?authSource=admin&tls=true",
        "mongodb://ann:h-u-s-h@a:1,b:2,[::1]:3/shop?replicaSet=rs0&readPreference=secondary",
        "mongodb+srv://ann:h-u-s-h@cluster.example.com/shop?retryWrites=false",
        "mongodb://ann:h-u-s-h@%2Ftmp%2Fmongodb-27017.sock/shop?connectTimeoutMS=300",
    ]
    .map(str::to_owned)
    .to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn damaged_commands_never_panic_and_what_passes_means_the_same_when_printed(
        text in mangled(commands())
    ) {
        let started = Instant::now();
        match shell::parse(&text) {
            Ok(command) => if guard::check(&command).is_ok() {
                let printed = command.to_shell();
                let again = shell::parse(&printed);
                prop_assert!(again.is_ok(), "{text:?} is printed as {printed:?}: {again:?}");
                let again = again.map(|again| again.to_command()).ok();
                prop_assert_eq!(again, Some(command.to_command()), "{:?}", text);
            },
            Err(error) => if let Some(marked) = error.marked() {
                prop_assert!(marked.text.get(marked.start..marked.end).is_some(), "{error:?}");
            },
        }
        prop_assert!(started.elapsed() < Duration::from_secs(2), "{text:?}");
    }

    #[test]
    fn what_is_forbidden_is_found_however_deep_it_is(stage in hidden(), form in 0usize..3) {
        let text = match form {
            0 => format!("db.orders.aggregate([{stage}])"),
            1 => format!("db.orders.aggregate([{{$match: {{a: 1}}}}, {stage}, {{$limit: 1}}])"),
            _ => format!("db.getCollection('orders').aggregate([{{$sort: {{a: 1}}}}, {stage}])"),
        };
        let refused = shell::parse(&text).and_then(|command| guard::check(&command));
        prop_assert!(refused.is_err(), "{text}");
        let kind = refused.err().map(|error| error.kind());
        prop_assert_eq!(kind, Some(ErrorKind::Refused), "{}", text);
    }

    #[test]
    fn damaged_addresses_neither_panic_nor_tell_the_password(text in mangled(addresses())) {
        let said = match ConnectSpec::parse(&text) {
            Ok(spec) => format!("{spec} {spec:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        // Where the damage left it what is to be kept: no word of it is shown.
        let begins = ["mongodb://ann:", "mongodb+srv://ann:"]
            .iter()
            .any(|head| text.starts_with(&format!("{head}{SECRET}@")));
        let whole = begins && text.matches(SECRET).count() == 1;
        prop_assert!(!whole || !said.contains(SECRET), "{text:?}: {said}");
    }
}

/// Found by the test above: extended JSON took a name that is refused when it is printed.
#[test]
fn a_null_character_in_a_name_is_refused_in_json_too() {
    let text = r#"{"find": "orders", "filter": {"a": {"\u0000$scope": {}}}}"#;
    let error = shell::parse(text).unwrap_err();
    assert!(error.to_string().contains("cannot hold a null character"), "{error}");
    shell::parse(r#"{"find": "orders", "filter": {"a": "\u0000"}}"#).unwrap();
}

/// Found by the test above: the driver cut such a name in the middle of a letter.
#[test]
fn a_percent_sign_before_a_letter_of_many_bytes_is_refused() {
    for text in
        ["mongodb://%\0\u{10000}ann:pw@db.example.com/shop", "mongodb://a:%é@h/", "mongodb://h/%"]
    {
        let error = ConnectSpec::parse(text).unwrap_err();
        assert!(error.to_string().contains("two hexadecimal digits"), "{error}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
}
