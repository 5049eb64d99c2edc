//! A record of which only what its script can name is decoded. Whoever looks at more than that is noticed, and gets
//! the whole record instead: what a script makes of a record does not depend on this.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, LazyLock};

use rhai::{
    AST, ASTNode, Array, Dynamic, Engine, EvalAltResult, Expr, FnPtr, FuncRegistration, INT,
    Identifier, Map, Stmt,
};

use super::decode::decode;
use super::{engine, said};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Stands in a map from which names were left out. It is another one in each process, so that no record and no script
/// can ask for it.
pub(super) static MARK: LazyLock<Identifier> =
    LazyLock::new(|| format!("\0{:016x}", fastrand::u64(..)).into());

/// The text of an XML element with attributes, which helpers read without being told.
const TEXT: &str = "#text";

/// Sparse records that were not enough, less those that were: with more of them a script gets whole ones alone.
const TOO_OFTEN: i32 = 32;

/// How a script gets sparse records.
#[derive(Debug)]
pub(super) struct Sparse {
    names: Arc<Names>,
    /// How much oftener than not a record was not enough.
    wasted: AtomicI32,
}

impl Sparse {
    /// For a script and everything it imports, as they are written; none where what a record lacks could go unnoticed.
    pub(super) fn of<'a>(asts: impl IntoIterator<Item = &'a AST>) -> Option<Sparse> {
        Some(Sparse {
            names: Arc::new(Names::of(asts)?),
            wasted: AtomicI32::new(0),
        })
    }

    /// What `call` gives, by this engine, for a record of which only what the script can name is decoded; none where it
    /// looked at more, or failed: then the whole record says what it gives.
    pub(super) fn given(
        &self,
        record: &str,
        call: impl FnOnce(&Engine, Dynamic) -> Fallible<Dynamic>,
    ) -> Option<Dynamic> {
        let wasted = self.wasted.load(Ordering::Relaxed);
        if wasted > TOO_OFTEN {
            return None;
        }
        let record = decode(record, Some(&self.names)).ok()?;
        let given = looking(&self.names, || call(noticing(), record));
        match &given {
            None => drop(self.wasted.fetch_add(1, Ordering::Relaxed)),
            Some(_) if wasted > 0 => drop(self.wasted.fetch_sub(1, Ordering::Relaxed)),
            Some(_) => {}
        }
        given
    }
}

/// What is given while a sparse record is looked at; nothing where what was left out may matter.
fn looking(names: &Arc<Names>, call: impl FnOnce() -> Fallible<Dynamic>) -> Option<Dynamic> {
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
    let heard = said::so_far();
    let given = call()
        .ok()
        .filter(|given| !MISSED.get() && !has_mark(given));
    if given.is_none() {
        said::forget(heard);
    }
    given
}

/// The names that a script can ask a record for, as far as they are written out; each among those of its length.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names(Vec<Vec<Box<str>>>);

impl Names {
    /// Of a script and everything it imports, as they are written; none where what a record lacks could go
    /// unnoticed: where an error is caught, or a structure is compared by `switch`.
    fn of<'a>(asts: impl IntoIterator<Item = &'a AST>) -> Option<Names> {
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
    pub(super) fn known(&self, name: &str) -> Option<&str> {
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

thread_local! {
    /// What the record that this thread's script looks at was decoded by.
    static NAMES: RefCell<Option<Arc<Names>>> = const { RefCell::new(None) };
    /// It asked for more than that.
    static MISSED: Cell<bool> = const { Cell::new(false) };
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
fn noticing() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        let mut engine = engine::engine();
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
        // What may be called on a constant may be called on it here.
        let function_of = FuncRegistration::new(name).in_global_namespace();
        let changes = ["remove", "+=", "mixin", "fill_with", "drain", "retain"];
        function_of
            .with_purity(!changes.contains(&name))
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
mod tests;
