//! What goes wrong in scripts: with the file, the line, the column and the PMS field, never with a value.

use std::fmt;
use std::path::PathBuf;

use rhai::{Dynamic, Engine, EvalAltResult, ParseErrorType, Position};

use crate::model::{Code, Place, Problem};

use super::about::{About, Absent};
use super::engine::{MAX_ITEMS, MAX_MEMBERS, MAX_OPERATIONS, MAX_TEXT};
use super::used::{self, MOST_MEMORY, MOST_TIME, TooMuch};

/// A script failed on one record. The record is rejected; the run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// The script, or the shared script it was in.
    pub file: PathBuf,
    /// Where in it.
    pub place: Option<Place>,
    /// The field of the PMS's record, or of the resident, that it was about.
    pub field: Option<String>,
    /// What happened, and what to do.
    pub message: String,
    /// That the message is a text the script threw: it may hold what the PMS sent.
    pub thrown: bool,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = Problem {
            file: self.file.clone(),
            place: self.place,
            field: self.field.clone().unwrap_or_default(),
            message: self.message.clone(),
            code: Code::ScriptSyntax,
        };
        problem.fmt(f)
    }
}

impl std::error::Error for ScriptError {}

impl ScriptError {
    /// Where in the scripts it is: `file:line:column`; where only the file is known, the file and the field.
    pub fn at(&self) -> String {
        let file = self.file.display();
        match (self.place, &self.field) {
            (Some(Place { line, column }), _) => format!("{file}:{line}:{column}"),
            (None, Some(field)) => format!("{file}: {field}"),
            (None, None) => file.to_string(),
        }
    }

    /// What is said there, without where.
    pub fn says(&self) -> String {
        match &self.field {
            Some(field) if self.place.is_some() => format!("{field}: {}", self.message),
            _ => self.message.clone(),
        }
    }
}

/// What a helper throws: it knows the field, rhai adds the place.
#[derive(Debug, Clone)]
pub(super) struct FieldError {
    pub(super) field: String,
    pub(super) message: String,
}

impl FieldError {
    #[allow(clippy::unnecessary_box_returns, reason = "rhai's own error type")]
    pub(super) fn thrown(field: &str, message: impl Into<String>) -> Box<EvalAltResult> {
        let error = FieldError {
            field: field.to_owned(),
            message: message.into(),
        };
        EvalAltResult::ErrorRuntime(Dynamic::from(error), Position::NONE).into()
    }
}

/// What scripts call an error that they catch.
const ERROR: &str = "error";

/// What the language needs to know of errors that scripts catch: they read as they are told.
pub(super) fn register_type(engine: &mut Engine) {
    engine.register_type_with_name::<FieldError>(ERROR);
    for name in ["to_string", "to_debug", "print", "debug"] {
        engine.register_fn(name, |error: &mut FieldError| {
            format!("{}: {}", error.field, error.message)
        });
    }
}

/// What scripts call a type.
pub(super) fn type_called(name: &str) -> &str {
    match name.rsplit("::").next() {
        Some("FieldError") => ERROR,
        Some(last) => last,
        None => name,
    }
}

/// What is wrong with an import, as the resolver throws it.
#[derive(Debug, Clone)]
pub(super) struct ImportError {
    pub(super) path: String,
    message: String,
}

impl ImportError {
    #[allow(clippy::unnecessary_box_returns, reason = "rhai's own error type")]
    pub(super) fn thrown(path: &str, message: String, position: Position) -> Box<EvalAltResult> {
        let error = ImportError {
            path: path.to_owned(),
            message,
        };
        EvalAltResult::ErrorRuntime(Dynamic::from(error), position).into()
    }

    /// The import that an error is about; of nothing else.
    pub(super) fn of(error: &EvalAltResult) -> Option<ImportError> {
        match error {
            EvalAltResult::ErrorInFunctionCall(_, _, inner, _)
            | EvalAltResult::ErrorInModule(_, inner, _) => ImportError::of(inner),
            EvalAltResult::ErrorRuntime(value, _) => value.clone().try_cast(),
            _ => None,
        }
    }
}

pub(super) fn place(position: Position) -> Option<Place> {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Some(Place {
        line: number(position.line()?),
        column: number(position.position().unwrap_or(1)),
    })
}

/// The file of a module path, as problems name it.
pub(super) fn file_of(module: &str) -> PathBuf {
    let name = module.strip_suffix(".rhai").unwrap_or(module);
    PathBuf::from("scripts").join(format!("{name}.rhai"))
}

/// The innermost error, with the module it happened in.
pub(super) fn locate(script: &str, error: EvalAltResult) -> ScriptError {
    locate_about(script, error, &About::default())
}

/// The same, of a script of which is known what it is about.
pub(super) fn locate_about(script: &str, error: EvalAltResult, about: &About) -> ScriptError {
    let mut module = script.to_owned();
    let mut error = error;
    // Where the call stands that failed: not in the module that is called.
    let mut outer = (module.clone(), error.position());
    loop {
        match error {
            EvalAltResult::ErrorInFunctionCall(_, source, inner, position) => {
                outer = (module.clone(), position);
                if !source.is_empty() {
                    module.clone_from(&source);
                }
                error = *inner;
            }
            EvalAltResult::ErrorInModule(name, inner, position) => {
                outer = (module, position);
                module = name;
                error = *inner;
            }
            other => {
                error = other;
                break;
            }
        }
    }
    let (module, position) = if error.position().is_none() && !outer.1.is_none() {
        outer
    } else {
        let position = error.position();
        (module, position)
    };
    let thrown = matches!(&error, EvalAltResult::ErrorRuntime(value, _) if value.is_string());
    let (file, place) = (file_of(&module), place(position));
    let (field, message) = match Absent::of(&error) {
        Some(absent) => {
            let what = place.and_then(|place| about.argument(&file, place, absent.argument));
            (None, absent.told(what))
        }
        None => say(&mut error),
    };
    ScriptError {
        file,
        place,
        field,
        message,
        thrown,
    }
}

fn say(error: &mut EvalAltResult) -> (Option<String>, String) {
    match error {
        EvalAltResult::ErrorRuntime(value, _) => match value.clone().try_cast::<FieldError>() {
            Some(FieldError { field, message }) => (Some(field), message),
            None if value.is::<ImportError>() => {
                let of = value.clone().try_cast::<ImportError>();
                (None, of.map(|of| of.message).unwrap_or_default())
            }
            None => (
                None,
                value
                    .clone()
                    .into_string()
                    .unwrap_or_else(|_| "the script threw an error".into()),
            ),
        },
        EvalAltResult::ErrorPropertyNotFound(name, _) => (
            Some(name.clone()),
            format!(
                "there is no `{name}`; if the PMS may leave it out, read it with get(record, \"{name}\")"
            ),
        ),
        EvalAltResult::ErrorDataRace(what, _) => {
            let called = what.split('\'').nth(1).unwrap_or("map");
            let message = format!(
                "`{called}` is called on a part of what the function that it gets looks at too; put that part into a variable \
                 first: `let all = x.all; all.{called}(…)`"
            );
            (None, message)
        }
        EvalAltResult::ErrorTooManyOperations(_) => {
            let message = format!(
                "the script runs too long for one record: the limit `operations` is {MAX_OPERATIONS}; look for a loop that does not end"
            );
            (None, message)
        }
        EvalAltResult::ErrorTerminated(..) => (None, ended(used::why())),
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            let (name, limit, of) = match what.as_str() {
                what if what.contains("map") => ("map_members", MAX_MEMBERS, "members of a map"),
                what if what.contains("array") => ("list_items", MAX_ITEMS, "items of a list"),
                _ => ("text_bytes", MAX_TEXT, "bytes of text"),
            };
            let message = format!(
                "the limit `{name}` is {limit} {of}, with all that stands within it; this is more: look for a loop that \
                 gathers too much of one record"
            );
            (None, message)
        }
        EvalAltResult::ErrorParsing(ParseErrorType::VariableUndefined(name), _) => {
            let message = format!(
                "there is no variable `{name}`; declare it with let, or write #{{ {name}: … }} if a map is meant"
            );
            (None, message)
        }
        EvalAltResult::ErrorParsing(ParseErrorType::MissingToken(token, _), _) => {
            let message = format!(
                "a `{token}` is missing here, or a bracket or brace before this is not closed"
            );
            (None, message)
        }
        EvalAltResult::ErrorParsing(ParseErrorType::PropertyExpected, _) => {
            let message = "the name of a property is needed here; a word of Rhai's own, as `until` is, is written as a text, \
                           #{ \"until\": … }, and read with get(record, \"until\")";
            (None, message.to_owned())
        }
        EvalAltResult::ErrorParsing(ParseErrorType::Reserved(word), _) => {
            let message = format!(
                "`{word}` is a word of Rhai's own; in a map it is written as a text, #{{ \"{word}\": … }}, elsewhere take another"
            );
            (None, message)
        }
        EvalAltResult::ErrorParsing(kind, _) => (None, lower(&kind.to_string())),
        other => {
            other.clear_position();
            (None, lower(&other.to_string()))
        }
    }
}

/// Why a script was ended from outside.
fn ended(why: Option<TooMuch>) -> String {
    match why {
        Some(TooMuch::Memory) => format!(
            "the script holds too much for one record: the limit `memory` is {MOST_MEMORY} MB; look for a loop that gathers too much of one record"
        ),
        Some(TooMuch::Time) | None => format!(
            "the script runs too long for one record: the limit `time` is {} ms of a processor; look for a loop that does not end",
            MOST_TIME.as_millis()
        ),
    }
}

/// Our messages begin in lower case and end without a full stop.
pub(super) fn lower(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if text.chars().nth(1).is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}
