//! A record of which only what its script can name is decoded. Whoever looks at more than that is noticed, and gets
//! the whole record instead: what a script makes of a record does not depend on this.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, LazyLock};

use rhai::{AST, ASTNode, Array, Dynamic, Engine, EvalAltResult, Expr, Map, Stmt};

use super::decode::decode;
use super::frame::Frames;
use super::seen::{self, Seen};
use super::{engine, said};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

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
    frames: Frames,
}

impl Sparse {
    /// For a script and everything it imports, as they are written; none where what a record lacks could go unnoticed.
    pub(super) fn of<'a>(
        asts: impl IntoIterator<Item = &'a AST>,
        frames: Frames,
    ) -> Option<Sparse> {
        Some(Sparse {
            names: Arc::new(Names::of(asts)?),
            wasted: AtomicI32::new(0),
            frames,
        })
    }

    /// What `call` gives, by this engine, for a record of which only what the script can name is decoded; none where it
    /// looked at more, or failed: then the whole record says what it gives.
    pub(super) fn given(
        &self,
        record: &str,
        call: impl FnOnce(&Engine, &Frames, Dynamic) -> Fallible<Dynamic>,
    ) -> Option<Dynamic> {
        let wasted = self.wasted.load(Ordering::Relaxed);
        if wasted > TOO_OFTEN {
            return None;
        }
        let record = decode(record, Some(&self.names)).ok()?;
        let given = looking(&self.names, || call(noticing(), &self.frames, record));
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
    let given = call().ok().filter(|_| !MISSED.get());
    let given = given.and_then(|mut given| becomes_maps(&mut given, DEEPEST).then_some(given));
    if given.is_none() {
        said::forget(heard);
    }
    given
}

/// The names that a script can ask a record for, as far as they are written out, each with a number; each among those of
/// its length.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    by_length: Vec<Vec<(usize, Box<str>)>>,
    by_number: Vec<Box<str>>,
}

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
        for (number, name) in names.iter().enumerate() {
            if let Some(of_length) = by_length.get_mut(name.len()) {
                of_length.push((number, name.clone()));
            }
        }
        open.then(|| Names {
            by_length,
            by_number: names.into_iter().collect(),
        })
    }

    /// The number of a name, if it is among them.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        let mut known = self.by_length.get(name.len())?.iter();
        let known = known.find(|(_, known)| **known == *name);
        known.map(|(number, _)| *number)
    }

    /// The name with a number.
    pub(super) fn name(&self, number: usize) -> Option<&str> {
        self.by_number.get(number).map(|name| &**name)
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

/// What the record that this thread's script looks at was decoded by; none where it is whole.
pub(super) fn names() -> Option<Arc<Names>> {
    NAMES.with_borrow(Clone::clone)
}

/// The script asked for what may have been left out.
pub(super) fn miss() {
    MISSED.set(true);
}

/// Ends the call; it is made again with the whole record.
pub(super) fn whole<T>() -> Fallible<T> {
    miss();
    Err("the whole record is asked for".into())
}

/// A value nested deeper is not looked into any further.
const DEEPEST: usize = 64;

/// Makes maps of the parts of a record in a value; says whether that could be done: not where something was left out, or
/// where it is nested too deep to see.
fn becomes_maps(value: &mut Dynamic, depth: usize) -> bool {
    let map = value.read_lock::<Seen>().map(|seen| seen.map());
    if let Some(map) = map {
        let Some(map) = map else { return false };
        *value = map.into();
    }
    if let Some(mut map) = value.write_lock::<Map>() {
        let mut values = map.values_mut();
        return depth > 0 && values.all(|value| becomes_maps(value, depth - 1));
    }
    match value.write_lock::<Array>() {
        Some(mut items) => depth > 0 && items.iter_mut().all(|item| becomes_maps(item, depth - 1)),
        None => true,
    }
}

/// A script made a text of a value: all of it should be there.
pub(super) fn told(value: &Dynamic) {
    fn has_seen(value: &Dynamic, depth: usize) -> bool {
        if let Ok(map) = value.as_map_ref() {
            return depth == 0 || map.values().any(|value| has_seen(value, depth - 1));
        }
        if let Ok(items) = value.as_array_ref() {
            return depth == 0 || items.iter().any(|item| has_seen(item, depth - 1));
        }
        value.is::<Seen>()
    }
    if has_seen(value, DEEPEST) {
        miss();
    }
}

/// An engine as every script has one, but that it knows parts of records as well.
fn noticing() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        let mut engine = engine::engine();
        seen::register(&mut engine);
        engine
    });
    &ENGINE
}

#[cfg(test)]
mod tests;
