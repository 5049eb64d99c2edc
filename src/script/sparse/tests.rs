//! What a script makes of a record, sparse and whole.

use crate::testing::searching;
use proptest::prelude::*;
use serde_json::{Map as Object, Value, json};

use super::super::helpers::get;
use super::super::{Context, Inputs, Library, Script};
use super::*;

/// What scripts do with records that they can name all of.
const NAMED: &[&str] = &[
    r#"text(record, "a")"#,
    r#"text(record, "a/b")"#,
    r#"text(get(record, "l/0"), "b")"#,
    r#"list(record, "l").map(|one| text(one, "b")).len().to_string()"#,
    r#"if flag(record, "a/k") { "yes" }"#,
    r#"("a" in record).to_string()"#,
    r#"if type_of(record) == "map" && record.contains("l") { text(record.l) }"#,
    r#"let seen = []; for one in list(record, "l") { seen += type_of(one); } seen.len().to_string()"#,
    r#"#{ "b": "x" }.keys().len().to_string()"#,
    r#"text_in(record, ["a", "l"], ["b"])"#,
    r#"if type_of(record.l) == "array" { record.l.len().to_string() }"#,
    r#"if type_of(record.a) == "map" { text(record["a"].b) }"#,
    r#"let all = ""; for one in list(record, "l") { all += text(one, "b"); } all"#,
    r#"let wanted = "k"; list(record, "l").filter(|one| one == wanted || text(record, "k") == wanted).len().to_string()"#,
];

/// What they do that may look at more.
const MORE: &[&str] = &[
    r"record.keys().len().to_string()",
    r"record.values().len().to_string()",
    r"record.len().to_string()",
    r#"get(record, "l/0").len().to_string()"#,
    r"record.a.is_empty().to_string()",
    r"record.to_json().len().to_string()",
    r"record.to_string().len().to_string()",
    r"`${record}`.len().to_string()",
    r#"("" + record).len().to_string()"#,
    r#"let all = "x"; all += record; all.len().to_string()"#,
    r"[record].to_string().len().to_string()",
    r"(record == record).to_string()",
    r#"(get(record, "a") != get(record, "q")).to_string()"#,
    r"([record] == [record]).to_string()",
    r#"list(record, "l").contains(#{ "b": 1 }).to_string()"#,
    r#"list(record, "l").index_of(#{ "b": 1 }).to_string()"#,
    r#"(record + #{ "x": 1 }).len().to_string()"#,
    r#"record.mixin(#{ "x": 1 }); record.len().to_string()"#,
    r#"record.fill_with(#{ "z": 1 }); record.z.to_string()"#,
    r#"const TABLE = #{ "b": 1 }; TABLE.remove("b").to_string()"#,
    r#"record.remove("q" + "q"); record.len().to_string()"#,
    r"record.clear(); record.len().to_string()",
    r"record.filter(|name, value| value == 1).len().to_string()",
    r"record.retain(|name, value| value == 1); record.len().to_string()",
    r"record.map(|name, value| 1).len().to_string()",
    r#"let name = "z"; name += "z"; text(record, name)"#,
    r#"text(record, text(record, "k"))"#,
    r#"record[text(record, "k")].to_string()"#,
    r#"(text(record, "k") in record).to_string()"#,
    r#"try { record[text(record, "k")].to_string() } catch { "none" }"#,
    r#"switch get(record, "a") { #{} => "empty", _ => "full" }"#,
    r#"to_status("b", record)"#,
    r#"ctx.lookup("units", get(record, "a")).to_string()"#,
    r"throw record",
    r#"throw `${get(record, "a")}`"#,
    r"record.a",
    r"let all = #{ all: record }; all.all.len().to_string()",
    r"let of = |r| r.len(); of.call(record).to_string()",
    r#"debug(record); print(record); "x""#,
    r#"record.l.push(1); list(record, "l").len().to_string()"#,
    "record.l[0] = 5; record.l[0].to_string()",
    r#"record.l[0].b = 5; text(record, "l/0/b")"#,
    "record.l[0] += 5; record.l[0].to_string()",
    r#"record.a.b = 2; text(record, "a/b")"#,
    r#"record.a.b += 2; text(record, "a/b")"#,
    r#"record["k"] = "z"; text(record, "k")"#,
    r#"let other = record; other.k = "z"; text(record, "k") + text(other, "k")"#,
    r#"let other = record.a; other.b = "z"; text(record, "a/b") + text(other, "b")"#,
    "record.k.make_upper(); record.k",
    "record.k.len().to_string()",
    "record.tag.to_string()",
    "record.tag = 1; record.tag.to_string()",
    "(record < record).to_string()",
    "(record.a >= record.a).to_string()",
    r#"(record.a == #{ "b": 1 }).to_string()"#,
    r#"(#{ "b": 1 } != record.a).to_string()"#,
    "let all = #{ all: record }; all.to_json()",
    "let all = [record, record]; all.dedup(); all.len().to_string()",
    "let all = [record.a, record.q]; all.sort(); type_of(all[0])",
    "let all = [record]; all += record; all.len().to_string()",
    "let key = || record.k; key.call()",
    r#"let put = || record.k = "z"; put.call(); record.k"#,
    r#"record.l.sort(|one, other| if one.b < other.b { -1 } else { 1 }); text(record, "l/0/b")"#,
    "record.l.map(|one| one.b).len().to_string()",
    "record?.a?.b.to_string()",
    r#"(record.a ?? "none").to_string()"#,
    r#"let f = |r| { r.k = "z"; r.k }; f.call(record) + record.k"#,
    "why_nobody(record)",
    "name_of_company(record, record.a)",
    "days_between(record, record.a).to_string()",
    r#"to_date(record, "a", "%Y").to_string()"#,
    r#"first([record, "x"]).k"#,
    "same(record, record).to_string()",
];

fn script(text: String) -> Script {
    let text: &'static str = Box::leak(text.into_boxed_str());
    Script::compile(&Library::of([("pms", text)]), "pms").unwrap()
}

fn bodies() -> impl Iterator<Item = String> {
    let names = NAMED.iter().chain(MORE).map(|what| {
        format!(
            "fn residents(record, ctx) {{ let found = {{ {what} }}; #{{ id: \"x\", status: \"current\", first_name: found }} }}"
        )
    });
    let whole = [
        "record",
        "[record]",
        "#{ id: \"x\", status: \"current\", unit: get(record, \"a\") }",
        "#{ id: \"x\", status: \"current\", last_name: get(record, \"a\") }",
    ];
    let whole = whole.map(|what| format!("fn residents(record, ctx) {{ {what} }}"));
    names.chain(whole)
}

fn ctx() -> Context {
    Context::new(Inputs::default())
}

/// As if no sparse record had been wasted yet.
fn forgive(script: &Script) {
    if let Some(sparse) = &script.sparse {
        sparse.wasted.store(0, Ordering::Relaxed);
    }
}

/// Whether a record need not be decoded whole.
fn is_enough(script: &Script, record: &str) -> bool {
    script.of_sparse(record, &ctx()).is_some()
}

/// What comes out, told in full.
fn out(script: &Script, record: &str) -> String {
    match script.residents(record, &ctx()) {
        Ok(mapped) => format!("{mapped:?}"),
        Err(error) => format!("{error:?}"),
    }
}

fn any_record() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "a", "b", "k", "l", "q", "z", "zz", "qq", "id", "label", "a/b", "#text", "\0",
    ]);
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(u64::MAX)),
        Just(json!(1)),
        Just(json!(1.5)),
        name.clone().prop_map(Value::from),
    ];
    let value = scalar.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            members(name.clone(), inner),
        ]
    });
    let name = prop::sample::select(vec!["a", "b", "k", "l", "q", "z", "zz", "\0"]);
    members(name, value)
}

fn members(
    name: impl Strategy<Value = &'static str>,
    value: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Value> {
    prop::collection::vec((name, value), 0..6).prop_map(|members| {
        let members = members.into_iter();
        let named = members.map(|(name, value)| (name.to_owned(), value));
        Value::Object(named.collect::<Object<String, Value>>())
    })
}

#[test]
fn what_a_script_makes_of_a_record_does_not_depend_on_how_much_of_it_is_decoded() {
    let scripts: Vec<(String, Script, Script)> = bodies()
        .map(|body| {
            let whole = script(body.clone()).of_whole_records();
            (body.clone(), script(body), whole)
        })
        .collect();
    proptest!(searching(256), |(record in any_record())| {
        let record = record.to_string();
        for (body, sparse, whole) in &scripts {
            forgive(sparse);
            prop_assert_eq!(out(sparse, &record), out(whole, &record), "{}", body);
        }
    });
}

#[test]
fn a_script_that_names_what_it_reads_gets_no_more_of_a_record() {
    let record = json!({
        "a": { "b": 1, "k": "y", "q": [1, 2, { "z": 1 }] }, "l": [{ "b": 2, "q": 3 }, { "b": 4 }], "q": {}, "zz": "x",
    });
    for what in NAMED {
        let body = format!(
            "fn residents(record, ctx) {{ let found = {{ {what} }}; #{{ id: \"x\", status: \"current\", first_name: found }} }}"
        );
        let script = script(body);
        assert!(is_enough(&script, &record.to_string()), "{what}");
    }
}

#[test]
fn names_that_no_script_can_ask_for_are_left_out() {
    let script = script(
        r#"fn residents(record, ctx) { #{ id: record.id, status: "current", unit: text(record, "u/n") } }"#.into(),
    );
    let names = &script.sparse.as_ref().unwrap().names;
    let record = r#"{"id":7,"u":{"n":"12B","m":[1]},"born":"1990-01-01"}"#;
    let value = decode(record, Some(names)).unwrap();
    let seen = value.read_lock::<Seen>().unwrap();
    assert!(seen.map().is_none());
    MISSED.set(false);
    assert_eq!(get(&*seen, "u/n").to_string(), "12B");
    assert!(!MISSED.get());
    assert!(get(&*seen, "born").is_unit() && MISSED.get());
    MISSED.set(false);
}

#[test]
fn what_is_nested_deep_is_not_looked_into_to_its_end() {
    let nested = |depth: usize| {
        let nest = format!("let nest = []; for turn in 0..{depth} {{ nest = [nest]; }}");
        script(format!(
            "fn residents(record, ctx) {{ {nest} #{{ id: \"x\", status: \"current\", first_name: nest }} }}"
        ))
    };
    assert!(is_enough(&nested(50), "{}"));
    assert!(!is_enough(&nested(200), "{}"));
}

#[test]
fn a_script_that_often_asks_for_more_gets_whole_records_at_once() {
    let script =
        script(r#"fn residents(record, ctx) { #{ id: record.len(), status: "current" } }"#.into());
    for _ in 0..100 {
        assert_eq!(out(&script, r#"{"a":1,"b":2}"#).matches("\"2\"").count(), 1);
    }
    assert!(!is_enough(&script, "{}"));
}

/// Others do not take a part of a record for a map, and then the whole record is asked.
#[test]
fn every_function_that_takes_whatever_it_is_given_is_known_here() {
    let engine = Engine::new();
    let mut unknown = BTreeSet::new();
    for signature in engine.gen_fn_signatures(true) {
        let Some((name, rest)) = signature.split_once('(') else {
            continue;
        };
        let takes = rest.split(" -> ").next().unwrap_or_default();
        if takes.contains('?') || takes.contains(": _") || takes.contains("Dynamic") {
            unknown.insert(name.to_owned());
        }
    }
    // Those that look at what they are given compare it or make a text of it; `get$tag` and `set$tag` are others for a record.
    let known = [
        "+",
        "+=",
        "append",
        "contains",
        "debug",
        "exit",
        "get$tag",
        "index_of",
        "insert",
        "pad",
        "print",
        "push",
        "reduce",
        "reduce_rev",
        "set",
        "set$tag",
        "set_tag",
        "tag",
        "take",
        "to_debug",
        "to_string",
    ];
    assert_eq!(unknown.into_iter().collect::<Vec<_>>(), known);
}
