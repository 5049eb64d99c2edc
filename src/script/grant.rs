//! What a target's script gives, checked: the grants that somebody should have, and what was read back. Knows no target.

use rhai::{Dynamic, Expr};
use serde_json::{Map, Value};

use crate::model::float_text;

use super::error::type_called;
use super::literals::{Members, members};
use super::output::Complaint;
use super::target::{HeldRecord, Worded};
use super::values::json;

/// More grants than this for one person are a mistake of the script.
pub(super) const MAX_GRANTS: usize = 200;

/// A key has so many characters at most.
const MAX_KEY: usize = 200;

/// The target's id of a grant has so many characters at most.
const MAX_ID: usize = 400;

/// What `held` tells of a record besides its fields, each true or left out.
const FLAGS: [&str; 3] = ["others", "visit", "off"];

/// A grant that somebody should have.
pub(super) fn worded(map: &rhai::Map) -> Result<Worded, Complaint> {
    if let Some(name) = map.keys().find(|name| is_of_held(name)) {
        return Err((name.to_string(), of_held(name)));
    }
    Ok(Worded {
        key: named(map, "key", KEY_OF_WANTED, MAX_KEY)?,
        fields: fields(map, |name| name != "key")?,
    })
}

/// What was read back.
pub(super) fn held(map: &rhai::Map) -> Result<HeldRecord, Complaint> {
    let [others, visit, off] = FLAGS.map(|name| flag(map, name));
    Ok(HeldRecord {
        key: named(
            map,
            "key",
            "is missing; it is the one that `wanted` gives the same grant",
            MAX_KEY,
        )?,
        id: named(
            map,
            "id",
            "is missing; it is what the target calls the grant by",
            MAX_ID,
        )?,
        fields: fields(map, |name| name != "key" && !is_of_held(name))?,
        others: others?,
        visit: visit?,
        off: off?,
    })
}

const KEY_OF_WANTED: &str = "is missing; it tells a person's grants apart, and `held` gives the same one for what was read back";

/// Whether `held` tells something of a record by this name.
fn is_of_held(name: &str) -> bool {
    name == "id" || FLAGS.contains(&name)
}

fn of_held(name: &str) -> String {
    format!(
        "is what `held` tells of a record, and no field of what is wanted; call the field other than `{name}`, or leave it out"
    )
}

fn fields(
    map: &rhai::Map,
    is_field: impl Fn(&str) -> bool,
) -> Result<Map<String, Value>, Complaint> {
    let fields = map.iter().filter(|(name, _)| is_field(name));
    fields
        .map(|(name, value)| Ok((name.to_string(), json(name, value)?)))
        .collect()
}

/// A text that a grant is called by. Numbers are taken as texts of their digits, as ids often are some.
fn named(map: &rhai::Map, name: &str, missing: &str, most: usize) -> Result<String, Complaint> {
    let complain = |message: String| Err((name.to_owned(), message));
    let given = map.get(name).map(Dynamic::flatten_clone);
    let given = given.unwrap_or(Dynamic::UNIT);
    let text = if let Ok(text) = given.as_immutable_string_ref() {
        text.to_string()
    } else if let Ok(number) = given.as_int() {
        number.to_string()
    } else if let Ok(number) = given.as_float()
        && number.fract() == 0.0
    {
        float_text(number)
    } else if given.is_unit() {
        return complain(missing.to_owned());
    } else {
        let found = type_called(given.type_name());
        return complain(format!("is a text, not {found}"));
    };
    match of_text(&text, most) {
        Ok(()) => Ok(text),
        Err(message) => complain(message),
    }
}

fn of_text(text: &str, most: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("is empty; give a text that stays the same".into());
    }
    if text.chars().count() > most {
        return Err(format!(
            "is longer than {most} characters; give one that is shorter"
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("has a control character, such as a line break; give one without".into());
    }
    Ok(())
}

fn flag(map: &rhai::Map, name: &str) -> Result<bool, Complaint> {
    let given = map.get(name).map(Dynamic::flatten_clone);
    match given {
        None => Ok(false),
        Some(given) if given.is_unit() => Ok(false),
        Some(given) => given.as_bool().map_err(|found| {
            let found = type_called(found);
            (name.to_owned(), format!("is true or false, not {found}"))
        }),
    }
}

/// The members of a map that is written as a grant.
pub(super) fn members_of_grant(expr: &Expr) -> Option<Members<'_>> {
    members(expr).filter(|members| members.iter().any(|(name, ..)| *name == "key"))
}
