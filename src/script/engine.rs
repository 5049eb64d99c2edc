//! The engine of scripts, with every limit set and nothing that reaches out.

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Position};

use crate::model::float_text;

use super::error::{self, file_of, place};
use super::frame;
use super::{
    context, dates, helpers, instants, names, nobody, patterns, places, said, units, used,
};

/// How many bytes a text of a script may have.
pub(super) const MAX_TEXT: usize = 64 * 1024;

/// How many operations a script may do for one record. A record takes some hundreds.
pub(super) const MAX_OPERATIONS: u64 = 1_000_000;

/// How many items a list may have, and all lists within it together.
pub(super) const MAX_ITEMS: usize = 10_000;

/// How many members a map may have, and all maps within it or within a list together. A household of as many residents as
/// there may be takes a fifth.
pub(super) const MAX_MEMBERS: usize = 10_000;

/// How deep functions may call each other.
const MAX_DEPTH: usize = 32;

/// An engine with every limit set and nothing that reaches out.
pub(super) fn engine() -> Engine {
    // What is evaluated while a script is compiled counts from here.
    used::begin();
    let mut engine = Engine::new();
    engine
        .set_max_operations(MAX_OPERATIONS)
        .set_max_call_levels(MAX_DEPTH + frame::DEPTH)
        .set_max_expr_depths(64, 64)
        .set_max_string_size(MAX_TEXT)
        .set_max_array_size(MAX_ITEMS)
        .set_max_map_size(MAX_MEMBERS)
        .set_max_variables(500)
        .set_max_functions(500)
        .set_max_modules(50)
        // The interner of a shared engine makes its threads wait for each other.
        .set_max_strings_interned(0)
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        .disable_symbol("eval")
        .on_print(said::say)
        .on_debug(|text, module, position| {
            let file = module.map(|module| file_of(module).display().to_string());
            let at = place(position).map(|at| format!(":{}:{}", at.line, at.column));
            let at = file.map(|file| format!("{file}{}: ", at.unwrap_or_default()));
            said::say(&format!("{}{text}", at.unwrap_or_default()));
        })
        .on_progress(|_| used::is_too_much().then_some(Dynamic::UNIT));
    // `sleep` is counted by no limit, and disabling the name does not stop it: it is replaced.
    engine
        .register_fn("sleep", |_: rhai::INT| -> Result<(), Box<EvalAltResult>> {
            Err("scripts do not sleep".into())
        })
        .register_fn(
            "sleep",
            |_: rhai::FLOAT| -> Result<(), Box<EvalAltResult>> {
                Err("scripts do not sleep".into())
            },
        );
    // The limit on texts is held against what came out: by then two texts within it could be gigabytes.
    engine
        .register_fn(
            "replace",
            |text: &mut ImmutableString, find: &str, put: &str| replace(text, find, put),
        )
        .register_fn(
            "replace",
            |text: &mut ImmutableString, find: char, put: &str| {
                replace(text, find.encode_utf8(&mut [0; 4]), put)
            },
        );
    // Rhai writes 1001.0 where an id may be meant, which is 1001.
    engine.register_fn("to_string", |float: &mut rhai::FLOAT| float_text(*float));
    dates::register_type(&mut engine);
    error::register_type(&mut engine);
    helpers::register(&mut engine);
    dates::register(&mut engine);
    instants::register(&mut engine);
    names::register(&mut engine);
    nobody::register(&mut engine);
    places::register(&mut engine);
    units::register(&mut engine);
    patterns::register(&mut engine);
    context::register(&mut engine);
    engine
}

fn replace(text: &mut ImmutableString, find: &str, put: &str) -> Result<(), Box<EvalAltResult>> {
    let found = text.matches(find).count();
    let length = text.len() + found.saturating_mul(put.len());
    if length.saturating_sub(found * find.len()) > MAX_TEXT {
        return Err(Box::new(EvalAltResult::ErrorDataTooLarge(
            "Length of string".into(),
            Position::NONE,
        )));
    }
    *text = text.replace(find, put).into();
    Ok(())
}
