//! Scripts that are compiled and called: what comes out, and what is refused.

use std::time::{Duration, Instant};

use super::super::Mapped;
use super::super::output::MAX_RESIDENTS;
use super::*;

fn ctx() -> Context {
    Context::new(super::super::Inputs {
        today: jiff::civil::date(2026, 3, 1),
        ..Default::default()
    })
}

fn compile(text: &'static str) -> Result<Script, Vec<String>> {
    Script::compile(&Library::of([("pms", text)]), "pms.rhai")
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn fails(body: &str, record: &str) -> String {
    let text: &'static str =
        Box::leak(format!("fn residents(record, ctx) {{\n{body}\n}}").into_boxed_str());
    compile(text)
        .unwrap()
        .residents(record, &ctx())
        .unwrap_err()
        .to_string()
}

fn all_right(script: &Script, record: &str) -> Vec<Mapped> {
    let residents = script.residents(record, &ctx()).unwrap();
    residents.into_iter().map(Result::unwrap).collect()
}

#[test]
fn a_record_makes_none_one_or_several_residents() {
    let script = compile(
        r#"fn residents(record, ctx) {
                list(record, "people").map(|p| #{ id: p.id, status: "current", unit: ctx.today })
            }"#,
    )
    .unwrap();
    let residents = all_right(&script, r#"{"people":[{"id":"a"},{"id":7}]}"#);
    let ids: Vec<_> = residents
        .iter()
        .map(|mapped| mapped.resident.id.as_str())
        .collect();
    assert_eq!(ids, ["a", "7"]);
    assert_eq!(
        residents[0].resident.unit.as_ref().unwrap().label,
        "2026-03-01"
    );
    assert!(script.residents("{}", &ctx()).unwrap().is_empty());
}

/// A8: a household was lost with its member.
#[test]
fn r12_what_is_wrong_with_one_member_of_a_household_is_that_member_s_alone() {
    let script = compile(
        r#"fn residents(record, ctx) {
                [#{ id: "a", status: "current" }, #{ id: "b", status: "current", lease_end: "31.12.2026" },
                 #{ status: "current" }, 7, #{ id: "c", status: "current", move_in: "2026-03-01" }]
            }"#,
    )
    .unwrap();
    let told: Vec<String> = script
        .residents("{}", &ctx())
        .unwrap()
        .into_iter()
        .map(|one| match one {
            Ok(mapped) => mapped.resident.id,
            Err(wrong) => format!("{} {:?} {}", wrong.place, wrong.id, wrong.error),
        })
        .collect();
    assert_eq!(
        told,
        [
            "a",
            "2 Some(\"b\") scripts/pms.rhai:2:82: lease_end: is no date written YYYY-MM-DD; use to_date(record, field, format)",
            "3 None scripts/pms.rhai:2:21: id: is missing; it is the PMS's stable id of the person (`id` is given in \
             scripts/pms.rhai:2 and in scripts/pms.rhai:3 too)",
            "4 None scripts/pms.rhai:1:27: `residents` gives maps #{ … }, a list of them, or (), not i64",
            "c",
        ]
    );
}

#[test]
fn r12_a_date_that_cannot_be_costs_that_date_alone() {
    let script = compile(
        r#"fn residents(record, ctx) {
                #{ id: "a", status: "past", lease_start: to_date(record, "s", "%m/%d/%Y"), lease_end: to_date(record, "e", "%m/%d/%Y"),
                   move_in: "0000-00-00", move_out: to_date(record, "o", ["%m/%d/%Y"]) }
            }
            fn exclude(resident, ctx) { if is_unreadable(resident.lease_start) { "seen" } }"#,
    )
    .unwrap();
    let one = all_right(
        &script,
        r#"{"s":"13/45/2026","e":"00/00/0000","o":"11/20/2026"}"#,
    )
    .remove(0);
    let resident = &one.resident;
    let unreadable: Vec<_> = resident.unreadable.iter().copied().collect();
    assert_eq!(unreadable, [crate::model::Field::LeaseStart]);
    let dates = [
        resident.lease_start,
        resident.lease_end,
        resident.move_in,
        resident.move_out,
    ];
    assert_eq!(
        dates,
        [None, None, None, Some(jiff::civil::date(2026, 11, 20))]
    );
    let excluded = script.exclude(&one, &ctx()).unwrap();
    assert_eq!(excluded.as_deref(), Some("seen"));
}

/// A3: ids 2^64 and 2^64 + 1 were one person.
#[test]
fn r21_an_id_is_a_text_whatever_the_pms_writes_it_as() {
    let script = compile(
        r#"fn residents(record, ctx) {
                let unit = ctx.lookup("units", get(record, "u"));
                #{ id: get(record, "id"), lease_id: text(record, "id"), household: `${get(record, "id")}`, status: "current",
                   unit: if unit == () { () } else { unit.name }, status_word: digits(get(record, "id")) }
            }"#,
    )
    .unwrap();
    let mut lookups = super::super::Lookups::new();
    let unit = r#"{"name":18446744073709551617}"#;
    lookups.put("units", "", "7".to_owned(), unit.to_owned());
    let inputs = super::super::Inputs {
        lookups: std::sync::Arc::new(lookups),
        ..Default::default()
    };
    let ctx = Context::new(inputs);
    for (written, id) in [
        ("1001", "1001"),
        ("1001.0", "1001"),
        ("18446744073709551616", "18446744073709551616"),
        ("18446744073709551617", "18446744073709551617"),
        ("9223372036854775808", "9223372036854775808"),
        ("9007199254740993.0", "9007199254740993"),
        ("2125550100.0", "2125550100"),
        ("\"0091\"", "0091"),
    ] {
        for rest in ["\"u\":7.0", "\"u\":7,\"rest\":[1.5,{}]"] {
            let record = format!("{{\"id\":{written},{rest}}}");
            let one = script
                .residents(&record, &ctx)
                .unwrap()
                .remove(0)
                .unwrap()
                .resident;
            let ids = [
                Some(one.id),
                one.lease_id,
                one.household,
                Some(one.status_word),
            ];
            assert_eq!(ids, [(); 4].map(|()| Some(id.to_owned())), "{written}");
            assert_eq!(one.unit.unwrap().id, "18446744073709551617");
        }
    }
}

/// D3.
#[test]
fn a_household_is_as_large_as_is_promised_and_a_limit_says_which_it_is() {
    let script = compile(
        r#"fn residents(record, ctx) {
                let main = #{ unit: #{ id: "Bldg A - 12B", label: "12B" }, lease_start: "2026-01-01", lease_end: "2026-12-31" };
                let household = [];
                for one in list(record, "people") {
                    let resident = main;
                    resident.id = text(one, "id");
                    resident.lease_id = "l";
                    resident.household = "l";
                    resident.relationship = "co_resident";
                    resident.first_name = text(one, "name");
                    resident.last_name = text(one, "name");
                    resident.email = `${text(one, "id")}@example.com`;
                    resident.phone = "+14155550100";
                    resident.move_in = "2026-01-01";
                    resident.move_out = ();
                    resident.status = "current";
                    resident.status_word = "Current";
                    resident.notice = false;
                    resident.eviction = false;
                    household.push(resident);
                }
                household
            }"#,
    )
    .unwrap();
    let record = |people: usize| {
        let people: Vec<String> = (0..people)
            .map(|number| format!("{{\"id\":{number},\"name\":\"{}\"}}", "N".repeat(40)))
            .collect();
        format!("{{\"people\":[{}]}}", people.join(","))
    };
    assert_eq!(
        all_right(&script, &record(MAX_RESIDENTS)).len(),
        MAX_RESIDENTS
    );
    let error = script
        .residents(&record(MAX_RESIDENTS + 1), &ctx())
        .unwrap_err();
    assert!(error.message.contains("more than 100 residents"), "{error}");
    let grows = "let l = [#{ a: 1, b: 2, c: 3, d: 4, e: 5 }]; loop { l += l; }";
    let limit = "the limit `map_members` is 10000 members of a map";
    assert!(fails(grows, "{}").contains(limit), "{}", fails(grows, "{}"));
    let limit = "the limit `text_bytes` is 65536 bytes of text";
    assert!(fails("let s = \"x\"; loop { s += s; }", "{}").contains(limit));
    let limit = "the limit `list_items` is 10000 items of a list";
    assert!(fails("let a = [1]; loop { a += a; }", "{}").contains(limit));
}

#[test]
fn an_exclusion_gives_its_reason() {
    let script = compile(
        r#"fn residents(record, ctx) { #{ id: record.id, status: "current", unit: "WAIT" } }
               fn exclude(resident, ctx) { if resident.unit == "WAIT" { "waiting list" } }"#,
    )
    .unwrap();
    let mapped = all_right(&script, r#"{"id":"a"}"#);
    assert_eq!(
        script.exclude(&mapped[0], &ctx()).unwrap().as_deref(),
        Some("waiting list")
    );
}

#[test]
fn a_script_error_names_file_line_column_and_field() {
    assert_eq!(
        fails(
            "#{ id: record.id,\n   status: record.stauts }",
            r#"{"id":"a"}"#
        ),
        "scripts/pms.rhai:3:19: stauts: there is no `stauts`; if the PMS may leave it out, read it with \
         get(record, \"stauts\")"
    );
    assert_eq!(
        fails(
            r#"#{ id: "a", status: "current", lease_end: parse_date(record, "LeaseTo", "%m/%d/%Y") }"#,
            r#"{"LeaseTo":"31.12.2026"}"#
        ),
        "scripts/pms.rhai:2:43: LeaseTo: is no date of the form %m/%d/%Y"
    );
    assert_eq!(
        fails(
            r#"let one = #{ id: "a", status: "current" }; one.emial = "x"; one"#,
            "{}"
        ),
        "scripts/pms.rhai:2:48: emial: a resident has no such field; did you mean `email`?"
    );
    assert_eq!(
        fails(r#"#{ id: "a", status: "Cur" + "rent" }"#, "{}"),
        "scripts/pms.rhai:2:13: status: `Current` is no status; it is one of: current, pending, past, applicant, void, unknown"
    );
    assert_eq!(
        fails(r#"throw "no household""#, "{}"),
        "scripts/pms.rhai:2:1: no household"
    );
}

#[test]
fn what_cannot_be_called_is_refused_when_loaded() {
    assert_eq!(
        compile("fn residents(record, ctx) {\n  let x = txet(record, \"a\");\n  digits(1, 2)\n}")
            .unwrap_err(),
        [
            "scripts/pms.rhai:2:11: there is no function `txet`; did you mean `text`?",
            "scripts/pms.rhai:3:3: `digits` takes 1 arguments, not 2",
        ]
    );
    assert_eq!(
        compile("fn resident(record, ctx) { [] }").unwrap_err(),
        [
            "scripts/pms.rhai:1:26: there is no function `residents`; rename `resident`, if that is it"
        ]
    );
    assert_eq!(
        compile("fn people(record, ctx) { [] }").unwrap_err(),
        [
            "scripts/pms.rhai: there is no function `residents`; add `fn residents(record, ctx) { … }`, or for a target `fn wanted(person, ctx) { … }` and `fn held(record, ctx) { … }`"
        ]
    );
    assert_eq!(
        compile("fn residents(record) { [] }").unwrap_err(),
        [
            "scripts/pms.rhai:1:22: `residents` takes two parameters, such as `fn residents(record, ctx)`"
        ]
    );
    let error = compile("fn residents(record, ctx) {\n  let a = b;\n}").unwrap_err();
    assert!(error[0].starts_with("scripts/pms.rhai:2:11: "), "{error:?}");
    assert!(compile("fn residents(record, ctx) { eval(\"1\") }").is_err());
}

#[test]
fn what_is_absent_is_told_in_words_with_its_name() {
    let record = r#"{"status":null,"lease":{"unit":null},"n":1}"#;
    for (body, told) in [
        (
            "record.status.to_lower()",
            "2:15: `record.status` is absent here, (), and `to_lower` cannot be done with it: ask for `record.status != ()` first, \
             or put something in its place with first([record.status, \"\"])",
        ),
        (
            "let status = text(record, \"status\");\nstatus.to_lower()",
            "3:8: `status` is absent here, (), and `to_lower` cannot be done with it: ask for `status != ()` first, or put \
             something in its place with first([status, \"\"])",
        ),
        (
            "1 - text(record, \"Unit Name\")",
            "2:3: `text(record, \"Unit Name\")` is absent here, (), and `-` cannot be done with it: ask for `text(record, \"Unit \
             Name\") != ()` first, or put something in its place with first([text(record, \"Unit Name\"), \"\"])",
        ),
        (
            "record.lease.unit.name",
            "2:19: `record.lease.unit` is absent here, (), and has no `name`: read it with get(record, \"lease/unit/name\")",
        ),
        (
            "let unit = get(record, \"unit\"); unit.name",
            "2:38: `unit` is absent here, (), and has no `name`: ask for `unit != ()` first",
        ),
        (
            "get(text(record, \"unit\"), \"name\")",
            "2:1: `text(record, \"unit\")` is absent here, (), and `get` cannot be done with it: ask for `text(record, \"unit\") != \
             ()` first, or put something in its place with first([text(record, \"unit\"), \"\"])",
        ),
        (
            "if record.status { 1 }",
            "2:10: what stands is absent here, (), where true or false is needed: use flag(record, …), or ask whether it is () first",
        ),
        (
            "record.status[0]",
            "what stands is absent here, (), and has no elements: read it with list(record, …), or ask whether it is () first",
        ),
    ] {
        let found = fails(body, record);
        assert!(found.ends_with(told), "{body}\n{found}\n{told}");
        assert!(found.starts_with("scripts/pms.rhai:"), "{found}");
    }
}

#[test]
fn what_is_wrong_with_a_field_of_the_returned_map_is_told_where_it_is_given() {
    assert_eq!(
        fails(
            "let one = #{\n  id: record.id,\n  status: 7 };\none",
            r#"{"id":"a"}"#
        ),
        "scripts/pms.rhai:4:3: status: `7` is no status; it is one of: current, pending, past, applicant, void, unknown"
    );
    assert_eq!(
        fails(
            "let one = #{ id: 1, status: \"past\" };\nif record.a { one.unit = [] } else { one.unit = 1.5; }\none",
            r#"{"a":false}"#
        ),
        "scripts/pms.rhai:3:19: unit: is text or (), not f64; the script gave the wrong thing (`unit` is given in \
         scripts/pms.rhai:3 too)"
    );
    // Of an imported script too.
    let library = Library::of([
        (
            "pms",
            "import \"lib/who\" as who;\nfn residents(record, ctx) { who::one(record) }",
        ),
        (
            "lib/who",
            "fn one(record) {\n  #{ id: (), status: \"past\" }\n}",
        ),
    ]);
    let script = Script::compile(&library, "pms").unwrap();
    assert_eq!(
        script.residents("{}", &ctx()).unwrap_err().to_string(),
        "scripts/lib/who.rhai:2:6: id: is missing; it is the PMS's stable id of the person"
    );
}

#[test]
fn a_pattern_that_is_none_is_refused_when_loaded_and_told_when_it_is_made_later() {
    let refused = |body: &str| {
        let text = format!("fn residents(record, ctx) {{\n{body}\n}}");
        compile(Box::leak(text.into_boxed_str())).unwrap_err()
    };
    let told = "`(a` is no pattern: unclosed group";
    assert_eq!(
        refused(r#"matches(record.a, "(a")"#),
        [format!("scripts/pms.rhai:2:19: {told}")]
    );
    assert_eq!(
        refused(r#"record.a.matches("(a")"#),
        [format!("scripts/pms.rhai:2:18: {told}")]
    );
    assert_eq!(
        fails(r#"matches("a", "(" + "a")"#, "{}"),
        format!("scripts/pms.rhai:2:1: matches: {told}")
    );
}

#[test]
fn a_unit_of_time_that_is_none_is_refused_when_loaded_and_a_zone_when_it_is_used() {
    let text = "fn residents(record, ctx) {\n  epoch_date(record, \"d\", \"sec\")\n}";
    assert_eq!(
        compile(text).unwrap_err(),
        [
            "scripts/pms.rhai:2:27: `sec` is no unit of time since 1970; write s for seconds, ms for milliseconds, or us \
             for microseconds"
        ]
    );
    assert_eq!(
        fails(r#"epoch_date(record, "d", "s" + "ec")"#, "{}"),
        "scripts/pms.rhai:2:1: d: `sec` is no unit of time since 1970; write s for seconds, ms for milliseconds, or us \
         for microseconds"
    );
    assert_eq!(
        fails(r#"instant_date(record, "d", "Amercia/Chicago")"#, "{}"),
        "scripts/pms.rhai:2:1: d: `Amercia/Chicago` is no time zone; give ctx.timezone, or one such as America/New_York"
    );
    assert_eq!(
        fails(r#"days_between("03/01/2026", ctx.today)"#, "{}"),
        "scripts/pms.rhai:2:1: days_between: takes two dates written YYYY-MM-DD, as to_date gives them"
    );
}

#[test]
fn imports_come_from_the_library_alone_and_never_in_a_circle() {
    let library = Library::of([
        (
            "pms",
            "import \"lib/names\" as names;\nfn residents(record, ctx) { names::one(record) }",
        ),
        (
            "lib/names",
            "fn one(record) { #{ id: text(record, \"id\"), status: \"current\" } }",
        ),
        (
            "bad",
            "import \"../secret\" as s;\nfn residents(record, ctx) { s::x() }",
        ),
        (
            "round",
            "import \"lib/a\" as a;\nfn residents(record, ctx) { [] }",
        ),
        ("lib/a", "import \"lib/b\" as b;"),
        ("lib/b", "import \"lib/a\" as a;"),
        (
            "typo",
            "import \"lib/names\" as names;\nfn residents(record, ctx) { names::onee(record) }",
        ),
    ]);
    let script = Script::compile(&library, "pms").unwrap();
    assert_eq!(all_right(&script, r#"{"id":"x"}"#)[0].resident.id, "x");
    assert_eq!(
        Script::closure(&library, "pms")
            .into_iter()
            .collect::<Vec<_>>(),
        ["lib/names", "pms"]
    );
    let refused = |name: &str| Script::compile(&library, name).unwrap_err()[0].to_string();
    assert!(
        refused("bad").contains("there is no script `../secret` to import"),
        "{}",
        refused("bad")
    );
    assert!(
        refused("round").contains("the imports run in a circle"),
        "{}",
        refused("round")
    );
    assert_eq!(
        refused("typo"),
        "scripts/typo.rhai:2:36: there is no function `onee`; did you mean `one`?"
    );
}

#[test]
fn a_script_that_never_ends_or_grows_without_end_is_stopped() {
    for body in [
        "loop {}",
        "fn f(x) { f(x + 1) } f(1)",
        "let s = \"x\"; loop { s += s; }",
        "let a = [1]; loop { a += a; }",
        "let m = #{}; let i = 0; loop { m[i.to_string()] = i; i += 1; }",
    ] {
        let text: &'static str = if body.starts_with("fn f") {
            "fn f(x) { f(x + 1) }\nfn residents(record, ctx) { f(1) }"
        } else {
            Box::leak(format!("fn residents(record, ctx) {{ {body} }}").into_boxed_str())
        };
        let script = compile(text).unwrap();
        let begun = Instant::now();
        assert!(script.residents("{}", &ctx()).is_err(), "{body}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{body}");
    }
}

#[test]
fn scripts_reach_no_clock_and_do_not_sleep() {
    assert_eq!(
        fails("Fn(\"sleep\").call(1)", "{}"),
        "scripts/pms.rhai:2:13: scripts do not sleep"
    );
    assert!(compile("fn residents(record, ctx) { sleep(1) }").is_err());
    assert!(compile("fn residents(record, ctx) { timestamp() }").is_err());
}

#[test]
fn a_script_says_which_lookups_it_asks_for() {
    let asks = |body: &str| {
        let text = format!("fn residents(record, ctx) {{ {body} }}");
        let script = compile(Box::leak(text.into_boxed_str())).unwrap();
        ["units", "rooms"].map(|lookup| script.asks(lookup))
    };
    assert_eq!(asks("[]"), [false, false]);
    assert_eq!(asks("ctx.lookup(\"units\", record.u); []"), [true, false]);
    assert_eq!(
        asks("if true { let r = lookup(ctx, \"rooms\", 1); } []"),
        [false, true]
    );
    assert_eq!(asks("ctx.lookup(record.kind, 1); []"), [true, true]);
    // A function as a value may be that one only where it was made of its name.
    for other in [
        "let of = |one| one; [of.call(record)]; []",
        "Fn(\"text\").call(record, \"id\"); []",
        "[1].map(|one| one + 1); []",
    ] {
        assert_eq!(asks(other), [false, false], "{other}");
    }
    for lookup in [
        "Fn(\"lookup\").call(ctx, \"units\", 1); []",
        "let all = [#{ of: Fn(\"lookup\") }]; all[0].of.call(ctx, \"units\", 1); []",
        "let of = Fn(\"look\" + record.up); of.call(ctx, \"units\", 1); []",
    ] {
        assert_eq!(asks(lookup), [true, true], "{lookup}");
    }
    assert_eq!(
        asks("let of = |key| ctx.lookup(\"units\", key); of.call(1); []"),
        [true, false]
    );
}

#[test]
fn an_error_of_a_limit_stands_where_the_function_goes_beyond_it() {
    let fails = |body: &str| fails(body, "{}");
    for (body, lines) in [
        ("let n = 0;\n  while true { n += 1; }", 3..=3),
        ("let s = \"x\";\nloop {\n  s += s;\n}", 4..=4),
        ("let a = [1];\nloop { a += a; }", 3..=3),
        (
            "let m = #{};\nlet n = 0;\nloop {\n  m[`${n}`] = n;\n  n += 1;\n}",
            4..=6,
        ),
    ] {
        let told = fails(body);
        assert!(told.contains("the limit `"), "{told}");
        let mut places = lines.map(|line| format!("scripts/pms.rhai:{line}:"));
        // Where the time is over, the language may be between two places.
        let is_placed = places.any(|place| told.starts_with(&place));
        assert!(is_placed || told.contains("the limit `time`"), "{told}");
    }
    // Of what it calls, it is the call.
    let library = Library::of([
        ("lib/long", "fn wait(n) { loop { n += 1; } }"),
        (
            "pms",
            "import \"lib/long\" as long;\n// Long.\nfn here(r) { long::wait(1) }\n\
             fn residents(of, ctx) {\n  let a = 1 + 1;\n  here(of)\n}\n\
             fn exclude(resident, ctx) { long::wait(resident.id) }",
        ),
    ]);
    let script = Script::compile(&library, "pms").unwrap();
    let error = script.residents("{}", &ctx()).unwrap_err().to_string();
    assert!(error.starts_with("scripts/pms.rhai:6:3: "), "{error}");
    assert!(
        error.ends_with(" (in `here`, which is called here)"),
        "{error}"
    );
    let one = compile("fn residents(r, ctx) { #{ id: 1, status: \"current\" } }").unwrap();
    let error = script.exclude(&all_right(&one, "{}")[0], &ctx());
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("scripts/pms.rhai:8:35: "), "{error}");
    assert!(
        error.ends_with(" (in `long::wait`, which is called here)"),
        "{error}"
    );
}

#[test]
fn what_is_printed_before_a_limit_is_met_is_printed_once() {
    let script =
        compile("fn residents(r, ctx) { print(\"one\"); let s = \"a\"; loop { s += s; } }")
            .unwrap();
    let (ended, heard) = super::super::listening(|| script.residents("{}", &ctx()));
    assert!(ended.unwrap_err().message.contains("the limit `"));
    assert_eq!(heard, ["one"]);
}

#[test]
fn what_a_function_gives_wrongly_is_told_where_it_begins_and_a_word_where_it_stands() {
    let script = compile(
        "fn residents(record, ctx) {\n  if record.all { return 7; }\n  #{ id: 1, status: \"current\" }\n}\n\
         fn exclude(resident, ctx) { 5 }\n\
         fn verdict(answer, ctx) {\n  if answer.odd { 7 } else { \"fatel\" }\n}",
    )
    .unwrap();
    let places = [
        script.residents("{\"all\":true}", &ctx()).unwrap_err(),
        script
            .exclude(&all_right(&script, "{\"all\":false}")[0], &ctx())
            .unwrap_err(),
        script
            .verdict(&serde_json::json!({ "odd": true }), &ctx())
            .unwrap_err(),
        script.wrong_verdict("fatel", "no".into()),
        script.wrong_verdict("made", "no".into()),
    ];
    let places = places.map(|error| error.at());
    let of = |place: &str| format!("scripts/pms.rhai:{place}");
    assert_eq!(places, ["1:27", "5:27", "6:25", "7:30", "6:25"].map(of));
}

#[test]
fn an_error_that_a_script_catches_reads_as_it_is_told() {
    let caught = |does: &str| {
        fails(
            &format!("try {{ phones(\"x\", \"XXX\"); }} catch (e) {{ {does} }}"),
            "{}",
        )
    };
    for does in ["throw `failed: ${e}`;", "throw \"failed: \" + e;"] {
        let told = caught(does);
        assert!(
            told.contains("failed: phone: `XXX` is no ISO 3166 country code"),
            "{told}"
        );
    }
    let given = "return #{ id: 1, last_name: e, status: \"current\" };";
    let told = caught(given);
    assert!(told.contains("is text or (), not error"), "{told}");
    assert!(caught("return e;").contains("or (), not error"));
}

/// rhai 1.27 keeps which function a name means beyond the script that it was called in.
#[test]
fn functions_of_one_name_in_a_script_and_what_it_imports_are_told() {
    let warnings = |script: &'static str, library: &'static str| -> Vec<String> {
        let library = Library::of([("pms", script), ("lib/a", library)]);
        let script = Script::compile(&library, "pms.rhai").unwrap();
        script.warnings().iter().map(ToString::to_string).collect()
    };
    let script =
        "import \"lib/a\" as a;\nfn tidy(x) { \"own\" + x }\nfn residents(record, ctx) { [] }";
    assert_eq!(
        warnings(script, "fn tidy(x) { x }\nfn both(x) { tidy(x) }"),
        [
            "scripts/pms.rhai:2:12: a function `tidy` with as many parameters is in scripts/lib/a.rhai too, and rhai may call that one here; rename one of them",
            "scripts/lib/a.rhai:1:12: a function `tidy` with as many parameters is in scripts/pms.rhai too, and rhai may call that one here; rename one of them",
        ]
    );
    assert_eq!(warnings(script, "fn tidy(x, y) { x + y }"), [""; 0]);
}
