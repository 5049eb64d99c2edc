//! A part of a record of which only what its script can name was decoded: what scripts read of it as of a map, without that
//! any call walks or copies it. Whoever does something else with it gets the whole record instead: that is `sparse`'s to see.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FuncRegistration, ImmutableString, Map};

use super::helpers::Record;
use super::sparse::{Names, miss, whole};
use super::{dates, helpers, instants, places};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// The members of an object that have names which the script can ask for.
#[derive(Debug, Clone)]
pub(super) struct Seen(Arc<Members>);

#[derive(Debug)]
pub(super) struct Members {
    names: Arc<Names>,
    /// By the number of the name.
    values: Vec<(usize, Dynamic)>,
    /// There are no others.
    all: bool,
}

impl Members {
    pub(super) fn new(names: Arc<Names>) -> Members {
        Members {
            names,
            values: Vec::new(),
            all: true,
        }
    }

    /// Puts a value in; of those of one name the last is it.
    pub(super) fn put(&mut self, name: usize, value: Dynamic) {
        match self.values.iter_mut().find(|(one, _)| *one == name) {
            Some((_, there)) => *there = value,
            None => self.values.push((name, value)),
        }
    }

    /// Something was left out.
    pub(super) fn leave_out(&mut self) {
        self.all = false;
    }

    pub(super) fn seen(self) -> Dynamic {
        Dynamic::from(Seen(Arc::new(self)))
    }
}

impl Record for Seen {
    fn member(&self, name: &str) -> Option<&Dynamic> {
        let known = self.0.names.number(name);
        if known.is_none() && !self.0.all {
            miss();
        }
        let known = known?;
        let mut values = self.0.values.iter();
        values
            .find(|(one, _)| *one == known)
            .map(|(_, value)| value)
    }
}

impl Seen {
    /// As the map that it is; none where something was left out.
    pub(super) fn map(&self) -> Option<Map> {
        let Members { names, values, all } = &*self.0;
        let named = values
            .iter()
            .map(|(name, value)| Some((names.name(*name)?.into(), value.clone())));
        if *all { named.collect() } else { None }
    }
}

/// What scripts do with a record, and what they may not notice to be another than with a map.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Seen>("map");
    read(engine);
    engine.register_indexer_get(|seen: &mut Seen, name: ImmutableString| member(seen, &name));
    engine.register_indexer_set(|seen: &mut Seen, name: ImmutableString, value: Dynamic| {
        put_back(seen, &name, &value)
    });
    // Every value has a tag of its own, but that of a map is its member.
    engine.register_get("tag", |seen: &mut Seen| member(seen, "tag"));
    engine.register_set("tag", |seen: &mut Seen, value: Dynamic| {
        put_back(seen, "tag", &value)
    });
    for name in ["to_string", "to_debug", "print", "debug"] {
        put(engine, name, |_: &mut Seen| whole::<ImmutableString>());
    }
    put(engine, "to_json", |_: &mut Map| whole::<ImmutableString>());
    for name in ["==", "!=", "<", "<=", ">", ">="] {
        put(engine, name, |_: &mut Seen, _: Seen| whole::<bool>());
        put(engine, name, |_: &mut Seen, _: Map| whole::<bool>());
        put(engine, name, |_: &mut Map, _: Seen| whole::<bool>());
    }
}

fn member(seen: &Seen, name: &str) -> Fallible<Dynamic> {
    // Of one that is not there the whole record says what is wrong with that.
    seen.member(name).cloned().map_or_else(whole, Ok)
}

/// What a method was called on is put back afterwards, whether it was changed or not.
fn put_back(seen: &Seen, name: &str, value: &Dynamic) -> Fallible<()> {
    match seen.member(name) {
        Some(there) if is_same(there, value) => Ok(()),
        _ => whole(),
    }
}

fn put<A: 'static, const N: usize, const X: bool, R, const F: bool>(
    engine: &mut Engine,
    name: &'static str,
    function: impl rhai::RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
) where
    R: rhai::Variant + Clone,
{
    let registration = FuncRegistration::new(name).in_global_namespace();
    registration.register_into_engine(engine, function);
}

/// What helpers read of it.
fn read(engine: &mut Engine) {
    engine
        .register_fn("contains", |seen: &mut Seen, name: &str| {
            seen.member(name).is_some()
        })
        .register_fn("get", |seen: &mut Seen, path: &str| {
            helpers::get(seen, path)
        })
        .register_fn("text", |seen: &mut Seen, path: &str| {
            helpers::text(&helpers::get(seen, path))
        })
        .register_fn("list", |seen: &mut Seen, path: &str| {
            helpers::list(helpers::get(seen, path))
        })
        .register_fn("flag", |seen: &mut Seen, path: &str| {
            helpers::flag(&helpers::get(seen, path))
        })
        .register_fn(
            "text_in",
            |seen: &mut Seen, paths: Array, members: Array| places::text_in(seen, &paths, &members),
        )
        .register_fn(
            "to_date",
            |seen: &mut Seen, path: &str, format: ImmutableString| {
                dates::to_date(&helpers::get(seen, path), std::iter::once(format))
            },
        )
        .register_fn("to_date", |seen: &mut Seen, path: &str, formats: Array| {
            dates::to_date(&helpers::get(seen, path), dates::texts(formats))
        })
        .register_fn(
            "parse_date",
            |seen: &mut Seen, path: &str, format: ImmutableString| {
                dates::parse_date(&helpers::get(seen, path), path, &[format])
            },
        )
        .register_fn(
            "parse_date",
            |seen: &mut Seen, path: &str, formats: Array| {
                let formats: Vec<ImmutableString> = dates::texts(formats).collect();
                dates::parse_date(&helpers::get(seen, path), path, &formats)
            },
        )
        .register_fn("epoch_date", |seen: &mut Seen, path: &str, unit: &str| {
            instants::epoch_date(&helpers::get(seen, path), path, unit, None)
        })
        .register_fn(
            "epoch_date",
            |seen: &mut Seen, path: &str, unit: &str, zone: &str| {
                instants::epoch_date(&helpers::get(seen, path), path, unit, Some(zone))
            },
        )
        .register_fn("instant_date", |seen: &mut Seen, path: &str, zone: &str| {
            instants::instant_date(&helpers::get(seen, path), path, zone)
        });
}

/// Whether a value is the one that was there, or a copy of it. Numbers with a fraction are taken for others.
fn is_same(there: &Dynamic, value: &Dynamic) -> bool {
    if let (Ok(there), Ok(value)) = (there.as_array_ref(), value.as_array_ref()) {
        let mut pairs = there.iter().zip(value.iter());
        return there.len() == value.len() && pairs.all(|(there, value)| is_same(there, value));
    }
    if let (Some(there), Some(value)) = (there.read_lock::<Seen>(), value.read_lock::<Seen>()) {
        return Arc::ptr_eq(&there.0, &value.0);
    }
    if let (Ok(there), Ok(value)) = (
        there.as_immutable_string_ref(),
        value.as_immutable_string_ref(),
    ) {
        return there.as_str() == value.as_str();
    }
    there.is_unit() && value.is_unit()
        || there.is_int() && there.as_int() == value.as_int()
        || there.is_bool() && there.as_bool() == value.as_bool()
}
