//! Scripts of targets that are called: what comes out, and what is refused.

use serde_json::json;

use super::super::{Coverage, Inputs, Library};
use super::*;

const HELD: &str = "fn held(record, ctx) { () }";
const WANTED: &str = "fn wanted(person, ctx) { () }";

fn ctx() -> Context {
    Context::new(Inputs {
        today: jiff::civil::date(2026, 3, 1),
        ..Default::default()
    })
}

fn library(text: String) -> Library {
    Library::of([("door", Box::leak(text.into_boxed_str()) as &str)])
}

fn compile(text: impl Into<String>) -> Result<Script, Vec<String>> {
    Script::compile(&library(text.into()), "door.rhai")
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// The script with this body of `wanted`.
fn wanting(body: &str) -> Script {
    compile(format!("fn wanted(person, ctx) {{\n{body}\n}}\n{HELD}")).unwrap()
}

fn holding(body: &str) -> Script {
    compile(format!("{WANTED}\nfn held(record, ctx) {{\n{body}\n}}")).unwrap()
}

fn wants(body: &str) -> String {
    let refused = wanting(body).wanted("{}", &ctx()).unwrap_err();
    refused.to_string()
}

fn holds(body: &str) -> String {
    holding(body).held("{}", &ctx()).unwrap_err().to_string()
}

#[test]
fn a_person_is_given_none_one_or_several_grants_with_all_that_json_has() {
    let script = wanting(
        r#"if person.is_over { return; }
           if person.openings.is_empty() { return #{ key: 7, day: ctx.today }; }
           let openings = person.openings;
           openings.map(|opening| #{ key: `${person.id}/${opening.place}`, place: opening.place, last: 1.5, whole: 2.0, no: (),
               yes: true, list: [1, "a", #{ b: [] }], email: person.email })"#,
    );
    let wanted = |person: &str| script.wanted(person, &ctx()).unwrap();
    assert_eq!(wanted(r#"{"is_over":true}"#), []);
    let one = wanted(r#"{"is_over":false,"openings":[]}"#);
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].key, "7");
    assert_eq!(
        Value::from(one[0].fields.clone()),
        json!({ "day": "2026-03-01" })
    );
    let person = r#"{"id":"p1","is_over":false,"email":null,"openings":[{"place":18446744073709551617},{"place":"b"}]}"#;
    let several = wanted(person);
    let keys: Vec<&str> = several.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["p1/18446744073709551617", "p1/b"]);
    assert_eq!(
        Value::from(several[1].whole()),
        json!({ "key": "p1/b", "place": "b", "last": 1.5, "whole": 2.0, "no": null, "yes": true, "list": [1, "a", { "b": [] }],
                "email": null })
    );
}

#[test]
fn what_was_read_back_is_a_grant_or_none_of_ours() {
    let script = holding(
        r#"if record.kind != "door" { return; }
           #{ key: record.ext, id: record.uuid, name: record.name, others: record.by == "USER", off: (), visit: false }"#,
    );
    let held = |record: Value| script.held(&record.to_string(), &ctx()).unwrap();
    assert_eq!(held(json!({ "kind": "lamp" })), None);
    let ours =
        held(json!({ "kind": "door", "ext": "p1/b", "uuid": 12, "name": "Ana", "by": "PARTNER" }));
    let ours = ours.unwrap();
    assert_eq!((ours.key.as_str(), ours.id.as_str()), ("p1/b", "12"));
    assert_eq!(Value::from(ours.fields.clone()), json!({ "name": "Ana" }));
    assert!(!ours.others && !ours.visit && !ours.off);
    assert_eq!(
        Value::from(ours.whole()),
        json!({ "key": "p1/b", "id": "12", "name": "Ana" })
    );
    let theirs = held(json!({ "kind": "door", "ext": "x", "uuid": "u", "name": (), "by": "USER" }));
    assert!(theirs.unwrap().others);
}

#[test]
fn what_no_grant_may_have_is_refused_where_it_is_given() {
    for (body, told) in [
        (
            "7",
            "1:24: `wanted` gives maps #{ key: … }, a list of them, or (), not i64",
        ),
        (
            "[#{ key: 1 }, [2]]",
            "1:24: `wanted` gives maps #{ key: … }, a list of them, or (), not array",
        ),
        (
            "#{ place: 1 }",
            "1:24: key: is missing; it tells a person's grants apart, and `held` gives the same one for what was read back",
        ),
        ("#{ place: 1,\nkey: [] }", "3:1: key: is a text, not array"),
        (
            "#{ key: \" \" }",
            "2:4: key: is empty; give a text that stays the same",
        ),
        (
            "#{ key: \"a\\nb\" }",
            "2:4: key: has a control character, such as a line break; give one without",
        ),
        (
            "let key = \"\"; key.pad(201, 'x'); #{ key: key }",
            "2:37: key: is longer than 200 characters; give one that is shorter",
        ),
        (
            "[#{ key: \"a\" }, #{ key: \"b\" },\n#{ key: \"a\" }]",
            "2:5: key: `a` is the key of two grants of one person; give each one of its own (`key` is given in \
             scripts/door.rhai:2 and in scripts/door.rhai:3 too)",
        ),
        (
            "#{ key: 1,\nid: 2 }",
            "3:1: id: is what `held` tells of a record, and no field of what is wanted; call the field other than `id`, or \
             leave it out",
        ),
        (
            "#{ key: 1,\nopens: |x| x }",
            "3:1: opens: is Fn; a field of a grant has texts, numbers, true and false, (), and lists and maps of these",
        ),
        (
            "#{ key: 1, doors: [#{ name: \"a\" },\n#{ pin: 'x' }] }",
            "3:4: doors.1.pin: is char; a field of a grant has texts, numbers, true and false, (), and lists and maps of these",
        ),
        (
            "#{ key: 1, part: 0.0 / 0.0 }",
            "2:12: part: is no number that can be written; look at what it is computed of",
        ),
        (
            "let day = to_date(#{ d: \"31.02.26\" }, \"d\", \"%d.%m.%y\");\n#{ key: 1, day: day }",
            "3:12: day: is a date that cannot be read; ask is_unreadable(…) first, and give () in its place",
        ),
        // What is put in by a name that is computed stands nowhere.
        (
            "let map = #{ key: 1 }; map[\"a\" + \"b\"] = 'x'; map",
            "1:24: ab: is char; a field of a grant has texts, numbers, true and false, (), and lists and maps of these",
        ),
    ] {
        assert_eq!(wants(body), format!("scripts/door.rhai:{told}"), "{body}");
    }
    let deep = wants("let deep = 1; for i in 0..33 { deep = [deep]; }\n#{ key: 1, deep: deep }");
    assert!(
        deep.starts_with("scripts/door.rhai:3:12: deep.0."),
        "{deep}"
    );
    assert!(
        deep.contains("is nested deeper than 32; give less of it"),
        "{deep}"
    );
    for (body, told) in [
        (
            "[#{ key: 1, id: 2 }]",
            "2:22: `held` gives a map #{ key: …, id: … }, or (), not array",
        ),
        (
            "#{ id: 2 }",
            "2:22: key: is missing; it is the one that `wanted` gives the same grant",
        ),
        (
            "#{ key: 2 }",
            "2:22: id: is missing; it is what the target calls the grant by",
        ),
        (
            "#{ key: 2, id: 1,\nothers: \"yes\" }",
            "4:1: others: is true or false, not string",
        ),
    ] {
        assert_eq!(holds(body), format!("scripts/door.rhai:{told}"), "{body}");
    }
}

/// The place of a field that both functions give is that of the function that was called.
#[test]
fn a_field_is_located_in_the_function_that_gave_it() {
    let text = "fn held(record, ctx) {\n  #{ key: 1, id: 2, start: 'a' }\n}\nfn wanted(person, ctx) {\n  #{ key: 1, start: 'b' }\n}";
    let script = compile(text).unwrap();
    let held = script.held("{}", &ctx()).unwrap_err().to_string();
    assert!(
        held.starts_with("scripts/door.rhai:2:21: start: is char"),
        "{held}"
    );
    let wanted = script.wanted("{}", &ctx()).unwrap_err().to_string();
    assert!(
        wanted.starts_with("scripts/door.rhai:5:14: start: is char"),
        "{wanted}"
    );
}

#[test]
fn two_hundred_grants_for_one_person_are_the_most() {
    let script = wanting("let all = []; for i in 0..person.count { all.push(#{ key: i }); } all");
    let wanted = |count: usize| script.wanted(&json!({ "count": count }).to_string(), &ctx());
    assert_eq!(wanted(200).unwrap().len(), 200);
    let told = wanted(201).unwrap_err().to_string();
    let begins =
        "scripts/door.rhai:1:24: `wanted` gave 201 grants for one person, and 200 are the most";
    assert!(told.starts_with(begins), "{told}");
}

#[test]
fn what_a_closure_took_hold_of_is_a_value_as_any_other() {
    let script = wanting(
        r#"let doors = []; let key = "a"; let map = #{};
           ["x", "y"].for_each(|| { doors.push(this); key += this; map.last = this; });
           #{ key: key, doors: doors, map: map }"#,
    );
    let grant = script.wanted("{}", &ctx()).unwrap().remove(0);
    assert_eq!(
        Value::from(grant.whole()),
        json!({ "key": "axy", "doors": ["x", "y"], "map": { "last": "y" } })
    );
}

#[test]
fn a_script_of_a_target_that_lacks_a_function_says_what_to_add_and_where() {
    for (text, told) in [
        (
            "fn wanted(person, ctx) { () }",
            ":1:24: there is no function `held`; add `fn held(record, ctx) { … }` beside `wanted`: it gives the `key` and the \
             `id` of a grant that was read back, or () for what is none of ours",
        ),
        (
            "fn other() { 1 }\nfn held(record, ctx) { () }",
            ":2:22: there is no function `wanted`; add `fn wanted(person, ctx) { … }` beside `held`: it gives the grants that \
             somebody should have there, each a map with a `key`",
        ),
        (
            "fn wantd(person, ctx) { () }\nfn held(record, ctx) { () }",
            ":1:23: there is no function `wanted`; rename `wantd`, if that is it",
        ),
        (
            "fn wanted(person) { () }\nfn held(record, ctx) { () }",
            ":1:19: `wanted` takes two parameters, such as `fn wanted(person, ctx)`",
        ),
        (
            "fn wanted(person, ctx) { () }\nfn held(record) { () }",
            ":2:17: `held` takes two parameters, such as `fn held(record, ctx)`",
        ),
        (
            "fn other() { 1 }",
            ": there is no function `residents`; add `fn residents(record, ctx) { … }`, or for a target `fn wanted(person, ctx) \
             { … }` and `fn held(record, ctx) { … }`",
        ),
        (
            "fn residents(record, ctx) { () }\nfn wanted(person, ctx) { () }",
            ":2:24: `residents` is there too: a script is either one of a PMS, with `residents`, or one of a target, with \
             `wanted` and `held`; move these two into a script of their own",
        ),
    ] {
        let problems = compile(text).unwrap_err();
        assert_eq!(problems, [format!("scripts/door.rhai{told}")], "{text}");
    }
}

#[test]
fn a_script_is_one_of_a_target_or_one_of_a_pms() {
    let target = compile(format!("{WANTED}\n{HELD}")).unwrap();
    assert!(target.is_of_target());
    let error = target.residents("{}", &ctx()).unwrap_err().to_string();
    assert_eq!(
        error,
        "scripts/door.rhai: the script is one of a target, and gives no residents"
    );
    // Functions of one's own may be called so.
    let pms = compile(
        "fn held(lease) { 1 }\nfn wanted(word) { word }\nfn residents(record, ctx) { wanted(held(1)); () }",
    )
    .unwrap();
    assert!(!pms.is_of_target());
    for error in [
        pms.wanted("{}", &ctx()).unwrap_err(),
        pms.held("{}", &ctx()).unwrap_err(),
    ] {
        let error = error.to_string();
        let told = "scripts/door.rhai: the script is one of a PMS, and has no function `";
        assert!(error.starts_with(told), "{error}");
    }
}

/// A grant may have an id and names as a resident has, and other fields than one.
#[test]
fn what_looks_like_a_resident_is_none_in_the_script_of_a_target() {
    let text = r#"fn wanted(person, ctx) { #{ key: person.id, first_name: person.first_name, status: "active", relationship: "tenant" } }
fn held(record, ctx) { #{ key: record.ext, id: record.id, first_name: record.name, status: "active", unit: #{ floor: 1 } } }"#;
    let script = compile(text).unwrap();
    assert_eq!(script.warnings(), []);
    let held = script.held(r#"{"ext":"p1","id":1,"name":"Ana"}"#, &ctx());
    assert_eq!(held.unwrap().unwrap().key, "p1");
    assert!(
        script.names_read().contains_key("ext"),
        "{:?}",
        script.names_read()
    );
    let pms = text
        .replace("fn wanted", "fn residents")
        .replace("fn held", "fn other");
    assert_eq!(compile(pms).unwrap_err().len(), 3);
}

#[test]
fn what_no_person_has_is_told_before_the_script_runs() {
    let text = format!(
        "fn wanted(person, ctx) {{\n  name(person) + person.opening.len() + ctx.tody\n}}\nfn name(person) {{ person.frist_name }}\n{HELD}"
    );
    let script = compile(text).unwrap();
    let told: Vec<String> = script.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "scripts/door.rhai:2:45: `ctx` has no `tody`; did you mean `today`?",
            "scripts/door.rhai:2:25: a person has no `opening`; did you mean `openings`?",
            "scripts/door.rhai:4:26: a person has no `frist_name`; did you mean `first_name`?",
        ]
    );
    assert!(script.warnings().iter().all(|one| one.code.is_warning()));
}

#[test]
fn the_script_of_a_target_judges_answers_and_its_functions_are_counted() {
    let text = format!(
        "{WANTED}\n{HELD}\nfn verdict(answer, ctx) {{ if answer.status == 409 {{ \"conflict\" }} }}\nfn never() {{ 1 }}"
    );
    let (script, coverage) = Coverage::of(&library(text), "door").unwrap();
    assert!(script.judges() && script.is_of_target());
    let verdict = script.verdict(&json!({ "status": 409 }), &ctx()).unwrap();
    assert_eq!(verdict, Some(("conflict".to_owned(), None)));
    let ran = || -> Vec<&str> {
        let ran = coverage.functions().filter(|(_, ran)| *ran);
        ran.map(|(function, _)| function.signature.as_str())
            .collect()
    };
    assert_eq!(ran(), ["verdict(answer, ctx)"]);
    script.wanted("{}", &ctx()).unwrap();
    assert_eq!(ran(), ["wanted(person, ctx)", "verdict(answer, ctx)"]);
    script.held("{}", &ctx()).unwrap();
    assert_eq!(ran().len(), 3);
}

#[test]
fn a_word_of_rhai_s_own_as_a_name_is_told_with_how_to_write_it() {
    let of = |body: &str| compile(format!("fn wanted(person, ctx) {{ {body} }}\n{HELD}"));
    let needed = "the name of a property is needed here; a word of Rhai's own, as `until` is, is written as a text, \
                  #{ \"until\": … }, and read with get(record, \"until\")";
    let reserved = "`shared` is a word of Rhai's own; in a map it is written as a text, #{ \"shared\": … }, elsewhere take another";
    for (body, told) in [
        ("person.until", needed),
        ("#{ key: 1, until: 2 }", needed),
        ("#{ key: 1, shared: 2 }", reserved),
    ] {
        let problems = of(body).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].ends_with(told), "{problems:?}");
    }
    // What openings have is none.
    let right = of("#{ key: 1, \"until\": person.end, start: 1, place: 1 }").unwrap();
    let wanted = right.wanted(r#"{"end":"soon"}"#, &ctx()).unwrap().remove(0);
    let until = json!({ "until": "soon", "start": 1, "place": 1 });
    assert_eq!(Value::from(wanted.fields), until);
}

/// Rhai calls it a data race, and says no place.
#[test]
fn a_list_of_a_person_that_its_closure_looks_at_again_is_told_with_the_remedy() {
    let script = wanting("person.places.map(|place| #{ key: person.id + place })");
    let told = script
        .wanted(r#"{"id":"p1","places":["a"]}"#, &ctx())
        .unwrap_err();
    assert_eq!(
        told.to_string(),
        "scripts/door.rhai:1:24: `map` is called on a part of what the function that it gets looks at too; put that part into a \
         variable first: `let all = x.all; all.map(…)`"
    );
    let other =
        wanting("let places = person.places; places.map(|place| #{ key: person.id + place })");
    assert_eq!(
        other
            .wanted(r#"{"id":"p1","places":["a"]}"#, &ctx())
            .unwrap()[0]
            .key,
        "p1a"
    );
}

#[test]
fn an_error_of_the_script_and_a_limit_are_told_with_their_place() {
    let thrown = wanting("let x = person.email;\nx.len()");
    let told = thrown.wanted(r#"{"email":null}"#, &ctx()).unwrap_err();
    assert!(
        told.to_string()
            .starts_with("scripts/door.rhai:3:3: `x` is absent here"),
        "{told}"
    );
    let endless = holding("loop { let x = 1; }");
    let told = endless.held("{}", &ctx()).unwrap_err();
    assert!(
        told.to_string().contains("scripts/door.rhai:3:") && told.message.contains("the limit"),
        "{told}"
    );
    let unread = endless.held("{", &ctx()).unwrap_err();
    assert_eq!(
        unread.message,
        "the record is not readable: it is nested too deep, or no JSON"
    );
}
