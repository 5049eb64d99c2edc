//! The functions that a script must have: one of a PMS gives residents, one of a target what is wanted there and what is held.
//! Calls none of them.

use rhai::{AST, Position};

use super::lint::{Arities, nearest};
use super::literals::function;

/// Of a target: each function, what it takes, and what it gives.
const OF_TARGET: [(&str, &str, &str); 2] = [
    (
        "wanted",
        "person",
        "it gives the grants that somebody should have there, each a map with a `key`",
    ),
    (
        "held",
        "record",
        "it gives the `key` and the `id` of a grant that was read back, or () for what is none of ours",
    ),
];

/// Whether a script is one of a target.
pub(super) fn is_of_target(functions: &Arities) -> bool {
    let has = |name: &str| functions.contains_key(name);
    let is_meant = || {
        nearest("residents", functions.keys()).is_none()
            && nearest("wanted", functions.keys()).is_some()
    };
    !has("residents") && (has("wanted") || has("held") || is_meant())
}

/// Functions that are missing, take other parameters, or do not go together.
pub(super) fn wrong(ast: &AST, functions: &Arities) -> Vec<(Position, String)> {
    let mut found = Vec::new();
    if is_of_target(functions) {
        for (name, takes, gives) in OF_TARGET {
            found.extend(missing(ast, functions, name, takes, gives));
            found.extend(parameters(ast, functions, name, takes));
        }
    } else {
        found.extend(no_residents(ast, functions));
        found.extend(parameters(ast, functions, "residents", "record"));
        found.extend(both(ast, functions));
    }
    found.extend(parameters(ast, functions, "exclude", "resident"));
    found.extend(parameters(ast, functions, "verdict", "answer"));
    found
}

fn at(ast: &AST, name: &str) -> Position {
    function(ast, name).unwrap_or(Position::NONE)
}

fn no_residents(ast: &AST, functions: &Arities) -> Option<(Position, String)> {
    if functions.contains_key("residents") {
        return None;
    }
    let (at, remedy) = match nearest("residents", functions.keys()) {
        Some(near) => (at(ast, near), format!("rename `{near}`, if that is it")),
        None => (
            Position::NONE,
            "add `fn residents(record, ctx) { … }`, or for a target `fn wanted(person, ctx) { … }` and \
             `fn held(record, ctx) { … }`"
                .to_owned(),
        ),
    };
    Some((at, format!("there is no function `residents`; {remedy}")))
}

/// One of a target's two, where the other is there.
fn missing(
    ast: &AST,
    functions: &Arities,
    name: &str,
    takes: &str,
    gives: &str,
) -> Option<(Position, String)> {
    if functions.contains_key(name) {
        return None;
    }
    let known = |name: &&String| !OF_TARGET.iter().any(|(other, ..)| other == name);
    if let Some(near) = nearest(name, functions.keys().filter(known)) {
        let message = format!("there is no function `{name}`; rename `{near}`, if that is it");
        return Some((at(ast, near), message));
    }
    let mut others = OF_TARGET.iter().map(|(other, ..)| *other);
    let other = others.find(|other| functions.contains_key(*other));
    let beside = other.map_or_else(String::new, |other| format!(" beside `{other}`"));
    let message = format!(
        "there is no function `{name}`; add `fn {name}({takes}, ctx) {{ … }}`{beside}: {gives}"
    );
    Some((
        other.map_or(Position::NONE, |other| at(ast, other)),
        message,
    ))
}

fn parameters(
    ast: &AST,
    functions: &Arities,
    name: &str,
    first: &str,
) -> Option<(Position, String)> {
    let takes = functions.get(name)?;
    let message = || format!("`{name}` takes two parameters, such as `fn {name}({first}, ctx)`");
    (!takes.contains(&2)).then(|| (at(ast, name), message()))
}

/// A script is of a PMS or of a target. A function of another number of parameters is one of the script's own.
fn both(ast: &AST, functions: &Arities) -> Option<(Position, String)> {
    let has = |name: &str| functions.get(name).is_some_and(|takes| takes.contains(&2));
    let message = "`residents` is there too: a script is either one of a PMS, with `residents`, or one of a target, with \
                   `wanted` and `held`; move these two into a script of their own";
    (has("residents") && has("wanted")).then(|| (at(ast, "wanted"), message.to_owned()))
}
