//! Calls of a script that share a frame: nothing of one record is seen by the next.

use crate::script::{Context, Inputs, Library, Script, listening};

fn ctx() -> Context {
    Context::new(Inputs::default())
}

fn script(texts: &[(&'static str, &'static str)]) -> Script {
    Script::compile(&Library::of(texts.iter().copied()), "pms").unwrap()
}

/// The first name that each of the records gets, or what is wrong.
fn names<const N: usize>(script: &Script, records: [&str; N]) -> [String; N] {
    records.map(|record| match script.residents(record, &ctx()) {
        Ok(mapped) => {
            let mut mapped = mapped.into_iter();
            let one = mapped.next().unwrap().unwrap();
            one.resident.first_name
        }
        Err(error) => error.message,
    })
}

#[test]
fn what_one_call_sets_no_other_sees_and_what_fails_leaves_nothing() {
    let script = script(&[(
        "pms",
        r#"const WORDS = ["a"];
        fn residents(record, ctx) {
            let words = global::WORDS;
            words.push(record.x);
            if record.x == "bad" { throw "bad"; }
            #{ id: 1, status: "current", first_name: `${words}` }
        }"#,
    )]);
    let given = names(
        &script,
        [
            r#"{"x":"b"}"#,
            r#"{"x":"bad"}"#,
            r#"{"x":"c"}"#,
            r#"{"x":"d"}"#,
        ],
    );
    assert_eq!(
        given,
        [r#"["a", "b"]"#, "bad", r#"["a", "c"]"#, r#"["a", "d"]"#]
    );
}

#[test]
fn what_a_script_says_outside_of_its_functions_it_says_of_every_record() {
    let script = script(&[(
        "pms",
        r#"print("once more");
        fn residents(record, ctx) { #{ id: 1, status: "current", first_name: record.x } }"#,
    )]);
    let (given, said) = listening(|| names(&script, [r#"{"x":"a"}"#, r#"{"x":"b"}"#]));
    assert_eq!(given, ["a", "b"]);
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn functions_call_each_other_as_deep_as_they_may() {
    let script = script(&[(
        "pms",
        r#"fn down(n) { if n == 1 { "there" } else { down(n - 1) } }
        fn residents(record, ctx) { #{ id: 1, status: "current", first_name: down(record.n) } }"#,
    )]);
    let given = names(&script, [r#"{"n":32}"#, r#"{"n":33}"#, r#"{"n":32}"#]);
    assert_eq!(given[0], "there");
    assert_ne!(given[1], "there");
    assert_eq!(given[2], "there");
}

/// The language mixes them up within a record.
#[test]
fn where_a_library_has_a_function_of_the_script_s_name_no_record_comes_out_otherwise_than_the_first()
 {
    let script = script(&[
        (
            "pms",
            r#"import "lib/a" as a;
            fn word(x) { `script's ${x}` }
            fn residents(record, ctx) {
                #{ id: 1, status: "current", first_name: `${word(1)}, ${a::words(2)}, ${word(3)}, ${a::words(4)}` }
            }"#,
        ),
        (
            "lib/a",
            r"fn word(x) { `library's ${x}` } fn words(x) { word(x) }",
        ),
    ]);
    let [first, second, third] = names(&script, ["{}", "{}", "{}"]);
    assert!(first.starts_with("script's 1, library's 2"), "{first}");
    assert_eq!((&second, &third), (&first, &first));
}
