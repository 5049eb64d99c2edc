//! The helpers about names that are no person's, held against the library of scripts that said it before.

use proptest::prelude::*;

use super::*;
use crate::script::{Context, Inputs, Library, Script};
use crate::testing::searching;

#[test]
fn every_pattern_compiles() {
    assert!(is_university("Elm University 7"));
    assert!(is_of_a_unit("MODEL Unit 7"));
    assert!(is_no_persons("Bed #12"));
}

/// The library of scripts that did this before in the language of the scripts: homes may still have it, and what it says
/// is what these functions must say.
const BEFORE: &str = include_str!("before.rhai");

const ASKS: &str = r#"
    import "lib/names" as before;
    fn residents(record, ctx) {
        let first = get(record, "first");
        let last = get(record, "last");
        let resident = #{ first_name: text(first), last_name: text(last) };
        let split = name_and_remark(first);
        let now = [if stands_for_none(first) { () } else { text(first) }, split.name, split.remark, name_of_company(first, last), name_of_company((), last), why_nobody(resident)];
        let was = before::split_remark(first);
        let was = [before::or_none(first), was.name, was.remark, before::company(first, last), before::company((), last), before::nobody(resident)];
        if now != was { throw `${first} ${last}: ${now} and not ${was}`; }
        []
    }
"#;

fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => proptest::sample::select(vec![
            "Ana", "Elm", "Ortiz", "model", "MODEL", "unit", "Suite", "A", "7", "#12", "vacant", "Resident", "bed", "Place",
            "Holder", "placeholder", "Fees", "charges", "LLC", "l.l.c.", "Inc.", "Co", "co.", "Company", "S.A.", "de", "C.V.",
            "sapi", "S", "RL", "R.L.", "Group", "group.", "Universidad", "University", "university,", "TBD", "n/a", "No", "name",
            "Unknown", "un\u{212a}nown", "-", "*", "**", "*Moved", "Out*", "(Bob)", "[", "]", "(", ")", "Ångström", "\u{17f}uite",
            "Gue\u{17f}t", "İ", "Σ", "GmbH", "holdings", "x", "xxx", "",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ];
    proptest::collection::vec(word, 0..5).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(searching(2_000))]

    #[test]
    fn the_helpers_say_what_the_library_of_scripts_said(first in words(), last in words()) {
        thread_local! {
            static SCRIPT: Script =
                Script::compile(&Library::of([("pms", ASKS), ("lib/names", BEFORE)]), "pms").unwrap();
        }
        let record = serde_json::json!({ "first": first, "last": last }).to_string();
        let given = SCRIPT.with(|script| script.residents(&record, &Context::new(Inputs::default())));
        let wrong = given.map(drop).map_err(|error| error.to_string());
        prop_assert_eq!(wrong, Ok(()));
    }
}
