//! People and records through a target's script: what somebody should have there, what was read back, and what is different
//! between that and what a case expects. Reaches no target.

use serde_json::{Map, Value};

use crate::script::{Context, Script, ScriptError, Worded, listening};

use super::difference::compare_errors;
use super::flow::flow;
use super::mapped::{Printed, Unmapped, print};
use super::recording::error_values;
use super::written::{Expect, ExpectedError};

/// A grant, as the script gives it.
type Grant = Map<String, Value>;

/// What a target's script makes of a person, or of records that were read back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Granted {
    /// What somebody should have there.
    pub wanted: Vec<Grant>,
    /// What is there.
    pub held: Vec<Grant>,
    /// How many records are none of ours.
    pub passed_over: usize,
    /// What the script cannot take.
    pub errors: Vec<Unmapped>,
    /// What it printed.
    pub printed: Vec<Printed>,
}

/// What a person, given as JSON, should have there.
pub fn wanted(script: &Script, person: &str, ctx: &Context) -> Granted {
    let mut granted = Granted::default();
    let (wanted, said) = listening(|| script.wanted(person, ctx));
    print(&mut granted.printed, 1, said);
    match wanted {
        Ok(wanted) => granted.wanted = wanted.iter().map(Worded::whole).collect(),
        Err(error) => granted.errors.push(unmapped(0, error)),
    }
    granted
}

/// What records that were read back are, given as JSON.
pub fn held<'a>(script: &Script, records: impl Iterator<Item = &'a str>, ctx: &Context) -> Granted {
    let mut granted = Granted::default();
    for (record, json) in records.enumerate() {
        let (held, said) = listening(|| script.held(json, ctx));
        print(&mut granted.printed, record + 1, said);
        match held {
            Ok(Some(held)) => granted.held.push(held.whole()),
            Ok(None) => granted.passed_over += 1,
            Err(error) => granted.errors.push(unmapped(record, error)),
        }
    }
    granted
}

fn unmapped(record: usize, error: ScriptError) -> Unmapped {
    Unmapped {
        record,
        resident: None,
        error,
    }
}

/// The grants that a case expects to be held: one, several, or none.
pub(super) fn expected_held(held: Option<&Value>) -> Vec<Grant> {
    match held {
        Some(Value::Object(one)) => vec![normal(one)],
        Some(Value::Array(several)) => {
            let maps = several.iter().filter_map(Value::as_object);
            maps.map(normal).collect()
        }
        _ => Vec::new(),
    }
}

/// A grant as a script gives it: a key and an id are texts, and what is not so is left out.
fn normal(written: &Grant) -> Grant {
    let members = written.iter().filter(|(name, value)| {
        let is_flag = ["others", "visit", "off"].contains(&name.as_str());
        !is_flag || **value != Value::Bool(false)
    });
    let members = members.map(|(name, value)| {
        let value = match (name.as_str(), value) {
            ("key" | "id", Value::Number(number)) => number.to_string().into(),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    members.collect()
}

/// The lines that differ, under a heading for each grant; none if nothing does. The order of the grants does not matter.
pub(super) fn difference(expect: &Expect, found: &Granted) -> Vec<String> {
    let mut lines = Vec::new();
    let wanted = expect.wanted.iter().flatten().map(normal).collect();
    compare(&mut lines, "wanted", "key", wanted, &found.wanted);
    let held = expected_held(expect.held.as_ref());
    compare(&mut lines, "held", "id", held, &found.held);
    let errors: Vec<&ExpectedError> = expect.error.iter().chain(&expect.errors).collect();
    compare_errors(&mut lines, &errors, &found.errors);
    lines
}

/// Compares those of the same name, which stands in the member `by`; of several, the n-th with the n-th.
fn compare(lines: &mut Vec<String>, what: &str, by: &str, expected: Vec<Grant>, found: &[Grant]) {
    let heading = |one: &Grant| {
        let name = one.get(by).map(|name| match name {
            Value::String(name) => name.clone(),
            other => flow(other),
        });
        format!("{what} {}", name.unwrap_or_default())
    };
    let mut strangers: Vec<&Grant> = found.iter().collect();
    let mut missing = Vec::new();
    for one in expected {
        match strangers
            .iter()
            .position(|other| other.get(by) == one.get(by))
        {
            Some(at) => section(lines, &heading(&one), &one, strangers.remove(at)),
            None => missing.push(one),
        }
    }
    // The only one that is left on each side is told as that one, with another name.
    if let ([one], [other]) = (missing.as_slice(), strangers.as_slice()) {
        return section(lines, &heading(one), one, other);
    }
    for one in missing {
        lines.push(format!("{}: did not come", heading(&one)));
    }
    for one in strangers {
        lines.push(format!("{}: came, and is not expected", heading(one)));
        let members = one.iter();
        lines.extend(members.map(|(name, value)| format!("  + {name}: {}", flow(value))));
    }
}

fn section(lines: &mut Vec<String>, heading: &str, expected: &Grant, found: &Grant) {
    let before = lines.len();
    for (name, value) in expected {
        let came = found.get(name);
        if came.is_some_and(|came| is_same(value, came)) {
            continue;
        }
        lines.push(format!("  - {name}: {}", flow(value)));
        lines.extend(came.map(|came| format!("  + {name}: {}", flow(came))));
    }
    let others = found
        .iter()
        .filter(|(name, _)| !expected.contains_key(*name));
    lines.extend(others.map(|(name, value)| format!("  + {name}: {}", flow(value))));
    if lines.len() > before {
        lines.insert(before, format!("{heading}:"));
    }
}

/// Whether a value that was written is the one that came. A number with a fraction is read as a text, as the files of a home
/// have none.
fn is_same(written: &Value, came: &Value) -> bool {
    match (written, came) {
        (Value::Array(written), Value::Array(came)) => {
            let mut pairs = written.iter().zip(came);
            written.len() == came.len() && pairs.all(|(written, came)| is_same(written, came))
        }
        (Value::Object(written), Value::Object(came)) => {
            let mut members = written.iter();
            let is_there = |(name, value): (&String, &Value)| {
                came.get(name).is_some_and(|came| is_same(value, came))
            };
            written.len() == came.len() && members.all(is_there)
        }
        (Value::String(written), Value::Number(came)) if came.is_f64() => {
            *written == came.to_string()
        }
        (Value::Number(written), Value::Number(came)) if came.is_f64() => {
            written.as_f64() == came.as_f64()
        }
        (written, came) => written == came,
    }
}

/// What came out, as a case says it.
pub(super) fn expectations(granted: &Granted, of_person: bool, of_one: bool) -> String {
    let mut text = "expect:\n".to_owned();
    let mut list = |name: &str, items: Vec<Value>| {
        text += &format!("  {name}:\n");
        for item in items {
            text += &format!("    - {}\n", flow(&item));
        }
    };
    let all = |grants: &[Grant]| {
        grants
            .iter()
            .cloned()
            .map(Value::Object)
            .collect::<Vec<_>>()
    };
    let errors = error_values(&granted.errors);
    match (granted.wanted.as_slice(), granted.held.as_slice()) {
        ([], []) if !errors.is_empty() => {}
        ([], _) if of_person => text += "  wanted: []\n",
        (wanted, _) if of_person => list("wanted", all(wanted)),
        (_, []) => text += "  held: null\n",
        (_, [one]) if of_one => text += &format!("  held: {}\n", flow(&one.clone().into())),
        (_, held) => list("held", all(held)),
    }
    if !errors.is_empty() {
        text += "  errors:\n";
        for error in errors {
            text += &format!("    - {}\n", flow(&error));
        }
    }
    text
}
