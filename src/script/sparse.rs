//! A record of which only what its script can name is decoded. Whoever looks at more than that is noticed, and gets
//! the whole record instead: what a script makes of a record does not depend on this.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use rhai::{
    AST, ASTNode, Array, Dynamic, Engine, EvalAltResult, Expr, FLOAT, FnPtr, FuncRegistration, INT,
    Identifier, Map, Stmt,
};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::compiled;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Stands in a map from which names were left out. It is another one in each process, so that no record and no script
/// can ask for it.
static MARK: LazyLock<Identifier> =
    LazyLock::new(|| format!("\0{:016x}", fastrand::u64(..)).into());

/// The text of an XML element with attributes, which helpers read without being told.
const TEXT: &str = "#text";

/// The names that a script can ask a record for, as far as they are written out; each among those of its length.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names(Vec<Vec<Box<str>>>);

impl Names {
    /// Of a script and everything it imports, as they are written; none where what a record lacks could go
    /// unnoticed: where an error is caught, or a structure is compared by `switch`.
    pub(super) fn of<'a>(asts: impl IntoIterator<Item = &'a AST>) -> Option<Names> {
        let mut names: BTreeSet<Box<str>> = BTreeSet::from([TEXT.into()]);
        let mut open = true;
        for ast in asts {
            ast.walk(&mut |path| {
                match path.last() {
                    Some(ASTNode::Stmt(Stmt::TryCatch(..) | Stmt::Switch(..))) => open = false,
                    Some(ASTNode::Expr(Expr::Property(property, _))) => {
                        names.insert(property.2.as_str().into());
                    }
                    Some(ASTNode::Expr(Expr::StringConstant(text, _))) => {
                        names.extend(parts(text).map(Box::from));
                    }
                    _ => {}
                }
                true
            });
        }
        let longest = names.iter().map(|name| name.len()).max();
        let mut by_length = vec![Vec::new(); longest.map_or(0, |longest| longest + 1)];
        for name in names {
            if let Some(of_length) = by_length.get_mut(name.len()) {
                of_length.push(name);
            }
        }
        open.then_some(Names(by_length))
    }

    /// The name, if it is among them.
    fn known(&self, name: &str) -> Option<&str> {
        let known = self.0.get(name.len())?.iter();
        known.map(|known| &**known).find(|known| *known == name)
    }
}

/// Every name by which a path may be looked up on its way: a name may have a `/` of its own.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    let behind = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    let rests = std::iter::once(path).chain(behind);
    rests.chain(path.split('/'))
}

/// Decodes of a record what has one of these names.
pub(super) fn decode(json: &str, names: &Names) -> Result<Dynamic, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(json);
    let value = Sparse(names).deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Sparse<'a>(&'a Names);

impl<'de> DeserializeSeed<'de> for Sparse<'_> {
    type Value = Dynamic;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Dynamic, D::Error> {
        json.deserialize_any(self)
    }
}

/// Scalars become what they become of themselves when rhai decodes them.
impl<'de> Visitor<'de> for Sparse<'_> {
    type Value = Dynamic;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Dynamic, E> {
        #[allow(clippy::cast_precision_loss, reason = "as rhai does it")]
        Ok(INT::try_from(value).map_or_else(|_| (value as FLOAT).into(), Dynamic::from))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Dynamic, E> {
        Ok(Dynamic::UNIT)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Dynamic, A::Error> {
        let mut array = Array::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Dynamic, A::Error> {
        let (mut map, mut whole) = (Map::new(), true);
        while let Some(named) = members.next_key_seed(Name(self.0))? {
            if let Some(name) = named {
                map.insert(name.into(), members.next_value_seed(self)?);
            } else {
                members.next_value::<IgnoredAny>()?;
                whole = false;
            }
        }
        if !whole {
            map.insert(MARK.clone(), Dynamic::UNIT);
        }
        Ok(map.into())
    }
}

/// A name of a record: the same among those that the script can ask for, or none.
struct Name<'a>(&'a Names);

impl<'de, 'a> DeserializeSeed<'de> for Name<'a> {
    type Value = Option<&'a str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Option<&'a str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.known(name))
    }
}

thread_local! {
    /// What the record that this thread's script looks at was decoded by.
    static NAMES: RefCell<Option<Arc<Names>>> = const { RefCell::new(None) };
    /// It asked for more than that.
    static MISSED: Cell<bool> = const { Cell::new(false) };
}

/// What a script gives that looks at a sparse record; nothing where it failed, or where what was left out may matter.
pub(super) fn given(
    names: &Arc<Names>,
    call: impl FnOnce() -> Fallible<Dynamic>,
) -> Option<Dynamic> {
    /// The thread looks at other records afterwards, also when the script made it panic.
    struct Looked;
    impl Drop for Looked {
        fn drop(&mut self) {
            NAMES.set(None);
        }
    }
    NAMES.set(Some(Arc::clone(names)));
    MISSED.set(false);
    let _looked = Looked;
    let given = call().ok()?;
    (!MISSED.get() && !has_mark(&given)).then_some(given)
}

/// A value nested deeper is not looked into any further.
const DEEPEST: usize = 64;

/// Whether something was left out of a value, or of what is in it; or may have been, where it is nested too deep.
fn has_mark(value: &Dynamic) -> bool {
    fn within(value: &Dynamic, depth: usize) -> bool {
        if let Ok(map) = value.as_map_ref() {
            let mut values = map.values();
            return depth == 0
                || map.contains_key(&*MARK)
                || values.any(|value| within(value, depth - 1));
        }
        let items = value.as_array_ref();
        items.is_ok_and(|items| depth == 0 || items.iter().any(|item| within(item, depth - 1)))
    }
    within(value, DEEPEST)
}

/// A script asked for a name, and there is none in this map: it may have been left out.
pub(super) fn missed(map: &Map, name: &str) {
    if map.contains_key(&*MARK)
        && NAMES.with_borrow(|names| {
            names
                .as_ref()
                .is_some_and(|names| names.known(name).is_none())
        })
    {
        MISSED.set(true);
    }
}

/// A map is read from its first name to its last.
pub(super) fn read(map: &Map) {
    if map.contains_key(&*MARK) {
        MISSED.set(true);
    }
}

/// A script made a text of a value: all of it should be there.
pub(super) fn told(value: &Dynamic) {
    if has_mark(value) {
        MISSED.set(true);
    }
}

/// An engine as every script has one, but that it notices who looks at a map as a whole.
pub(super) fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        let mut engine = compiled::engine();
        notice(&mut engine);
        engine
    });
    &ENGINE
}

/// Ends the call; it is made again with the whole record.
fn whole<T>() -> Fallible<T> {
    MISSED.set(true);
    Err("the whole record is asked for".into())
}

fn unless_sparse<T>(map: &Map, then: impl FnOnce(&Map) -> T) -> Fallible<T> {
    if map.contains_key(&*MARK) {
        return whole();
    }
    Ok(then(map))
}

/// Everything that rhai does with a map as a whole. What is done with a literal now and then is done here too; the
/// rest is rare enough to be done again with the whole record.
fn notice(engine: &mut Engine) {
    fn put<A: 'static, const N: usize, const X: bool, R, const F: bool>(
        engine: &mut Engine,
        name: &'static str,
        function: impl rhai::RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) where
        R: rhai::Variant + Clone,
    {
        let function_of = FuncRegistration::new(name).in_global_namespace();
        function_of
            .with_purity(true)
            .register_into_engine(engine, function);
    }
    put(engine, "len", |map: &mut Map| {
        unless_sparse(map, |map| INT::try_from(map.len()).unwrap_or(INT::MAX))
    });
    put(engine, "is_empty", |map: &mut Map| {
        unless_sparse(map, Map::is_empty)
    });
    put(engine, "keys", |map: &mut Map| {
        unless_sparse(map, |map| -> Array {
            map.keys().map(|name| name.as_str().into()).collect()
        })
    });
    put(engine, "values", |map: &mut Map| {
        unless_sparse(map, |map| -> Array { map.values().cloned().collect() })
    });
    put(engine, "contains", |map: &mut Map, name: &str| {
        let there = map.contains_key(name);
        if !there {
            missed(map, name);
        }
        there
    });
    put(engine, "remove", |map: &mut Map, name: &str| {
        let value = map.remove(name);
        if value.is_none() {
            missed(map, name);
        }
        value.unwrap_or(Dynamic::UNIT)
    });
    for name in ["to_string", "to_debug", "print", "debug", "to_json"] {
        put(engine, name, |_: &mut Map| whole::<String>());
    }
    for name in ["==", "!="] {
        put(engine, name, |_: &mut Map, _: Map| whole::<bool>());
    }
    for name in ["+", "+=", "mixin", "fill_with"] {
        put(engine, name, |_: &mut Map, _: Map| whole::<Map>());
    }
    for name in ["map", "filter", "drain", "retain"] {
        put(engine, name, |_: &mut Map, _: FnPtr| whole::<Map>());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map as Object, Value, json};

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
        proptest!(|(record in any_record())| {
            let record = record.to_string();
            for (body, sparse, whole) in &scripts {
                sparse.forgive();
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
            assert!(script.is_sparse_enough_for(&record.to_string()), "{what}");
        }
    }

    #[test]
    fn names_that_no_script_can_ask_for_are_left_out() {
        let script = script(
            r#"fn residents(record, ctx) { #{ id: record.id, status: "current", unit: text(record, "u/n") } }"#.into(),
        );
        let names = script.names().unwrap();
        let value = decode(
            r#"{"id":7,"u":{"n":"12B","m":[1]},"born":"1990-01-01"}"#,
            names,
        );
        assert_eq!(
            format!("{:?}", value.unwrap()),
            format!(
                r#"#{{{MARK:?}: (), "id": 7, "u": #{{{MARK:?}: (), "n": "12B"}}}}"#,
                MARK = &**MARK
            )
        );
    }

    #[test]
    fn what_is_nested_deep_is_not_looked_into_to_its_end() {
        let nested = |depth: usize| {
            let nest = format!("let nest = []; for turn in 0..{depth} {{ nest = [nest]; }}");
            script(format!(
                "fn residents(record, ctx) {{ {nest} #{{ id: \"x\", status: \"current\", first_name: nest }} }}"
            ))
        };
        assert!(nested(50).is_sparse_enough_for("{}"));
        assert!(!nested(200).is_sparse_enough_for("{}"));
    }

    #[test]
    fn a_script_that_often_asks_for_more_gets_whole_records_at_once() {
        let script = script(
            r#"fn residents(record, ctx) { #{ id: record.len(), status: "current" } }"#.into(),
        );
        for _ in 0..100 {
            assert_eq!(out(&script, r#"{"a":1,"b":2}"#).matches("\"2\"").count(), 1);
        }
        assert!(!script.is_sparse_enough_for("{}"));
    }

    #[test]
    fn every_function_that_takes_a_map_is_known_here() {
        let engine = Engine::new();
        let mut unknown = BTreeSet::new();
        for signature in engine.gen_fn_signatures(true) {
            let Some((name, rest)) = signature.split_once('(') else {
                continue;
            };
            if rest
                .split(" -> ")
                .next()
                .is_some_and(|takes| takes.contains(": map") || takes.contains("&mut map"))
            {
                unknown.insert(name.to_owned());
            }
        }
        // `get`, `set` and `clear` see no more than they are told.
        let known = [
            "!=",
            "+",
            "+=",
            "==",
            "clear",
            "contains",
            "debug",
            "drain",
            "fill_with",
            "filter",
            "get",
            "is_empty",
            "keys",
            "len",
            "map",
            "mixin",
            "print",
            "remove",
            "retain",
            "set",
            "to_debug",
            "to_json",
            "to_string",
            "values",
        ];
        assert_eq!(unknown.into_iter().collect::<Vec<_>>(), known);
    }
}
