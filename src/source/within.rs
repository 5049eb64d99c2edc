//! What of an answer a rule finds at a path: a text, or the texts in an object, a list or an element there. Judges nothing.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use serde_json::Value;

use super::Path;
use super::path::{Segment, elements, text_of};
use super::trouble::is_zero;

/// So many texts of what stands at a path are told.
const TOLD: usize = 5;

/// Something that stands at a path.
#[derive(Debug)]
pub(super) struct There<'a> {
    /// Its text, or the texts in it.
    pub(super) texts: Vec<Cow<'a, str>>,
    /// Whether it says anything. A text of its own does.
    pub(super) says: bool,
}

/// What lies on the way to the records, and these: a rule about an answer looks into none of it.
#[derive(Debug, Default)]
pub(super) struct Way<'a> {
    to: Option<(&'a Path, &'a Value)>,
    known: OnceCell<Steps>,
}

#[derive(Debug, Default)]
struct Steps(HashSet<*const Value>);

impl<'a> Way<'a> {
    /// To this place in an answer, as far as it leads.
    pub(super) fn to(place: &'a Path, answer: &'a Value) -> Way<'a> {
        Way {
            to: Some((place, answer)),
            known: OnceCell::new(),
        }
    }

    fn has(&self, value: &Value) -> bool {
        let Some((place, answer)) = self.to else {
            return false;
        };
        let steps = self.known.get_or_init(|| {
            let mut steps = Steps::default();
            steps.go(place.segments(), answer);
            steps
        });
        steps.0.contains(&std::ptr::from_ref(value))
    }
}

impl Steps {
    fn go(&mut self, place: &[Segment], value: &Value) {
        self.0.insert(value);
        let Some((head, rest)) = place.split_first() else {
            self.0
                .extend(elements(value).iter().map(std::ptr::from_ref));
            return;
        };
        match (head, value) {
            (Segment::Any, Value::Array(items)) => {
                for item in items {
                    self.go(rest, item);
                }
            }
            (_, Value::Array(items)) => items.iter().for_each(|item| self.go(place, item)),
            (Segment::Any, Value::Object(object)) => {
                object.values().for_each(|inner| self.go(rest, inner));
            }
            (Segment::Name(name), Value::Object(object)) => {
                if let Some(inner) = object.get(name) {
                    self.go(rest, inner);
                }
            }
            // Records stand at names alone.
            _ => {}
        }
    }
}

/// Everything at a path that is a text or holds one.
pub(super) fn there<'a>(path: &Path, answer: &'a Value, way: &Way<'_>) -> Vec<There<'a>> {
    let mut all = Vec::new();
    path.each(answer, &mut |found| {
        let one = There::of(found, way);
        if !one.texts.is_empty() {
            all.push(one);
        }
    });
    all
}

impl<'a> There<'a> {
    fn of(found: &'a Value, way: &Way<'_>) -> There<'a> {
        let mut there = There {
            texts: Vec::new(),
            says: false,
        };
        if let Some(text) = text_of(found) {
            there.texts.push(text);
            there.says = true;
        } else if !way.has(found) {
            there.look_into(found);
        }
        there
    }

    fn look_into(&mut self, value: &'a Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look_into(item)),
            Value::Object(members) if !is_nil(members) => {
                for (name, inner) in members {
                    let says = self.says;
                    // How some write that an element is a list.
                    if name != "@type" || inner != "array" {
                        self.look_into(inner);
                    }
                    if is_of_form(name, inner) {
                        self.says = says;
                    }
                }
            }
            leaf => {
                let Some(text) = text_of(leaf) else { return };
                // `{"code": 0, "failed": false}` says that there is none.
                self.says |= !is_zero(&text);
                self.texts.push(text);
            }
        }
    }

    /// Whether it says anything but false and 0.
    pub(super) fn is_yes(&self) -> bool {
        self.says && !self.texts.iter().all(|text| is_zero(text))
    }

    /// What it says, for whoever reads of it.
    pub(super) fn told(&self) -> String {
        let texts: Vec<&str> = self.texts.iter().take(TOLD).map(AsRef::as_ref).collect();
        texts.join("; ")
    }
}

/// Whether an attribute says of which form an element is, and nothing about it: `xsi:type="ArrayOfError"`,
/// `e:arrayType="Error[0]"`. A prefix that stands is that of a namespace of forms; where it is left out the value tells
/// them from `type="Timeout"`.
fn is_of_form(name: &str, value: &Value) -> bool {
    let Some(name) = name.strip_prefix('@') else {
        return false;
    };
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let value = value.as_str().unwrap_or_default().trim().to_lowercase();
    let is_name = !value.contains(char::is_whitespace);
    let is_list = ["array", "listof"]
        .iter()
        .any(|word| value.starts_with(word))
        || ["array", "list", "collection", "]"]
            .iter()
            .any(|word| value.ends_with(word));
    match local {
        "arrayType" => true,
        "type" => !prefix.is_empty() || is_name && (is_list || value.contains(':')),
        _ => false,
    }
}

/// `xsi:nil="true"`: an element that is there and says that it is nothing.
fn is_nil(members: &serde_json::Map<String, Value>) -> bool {
    let nil = members.get("@nil").and_then(Value::as_str);
    nil.is_some_and(|nil| nil == "true" || nil == "1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(path: &str, answer: &Value, place: &str) -> Vec<(String, bool)> {
        let place = Path::parse(place).unwrap();
        let way = Way::to(&place, answer);
        let all = there(&Path::parse(path).unwrap(), answer, &way);
        all.iter().map(|one| (one.told(), one.says)).collect()
    }

    #[test]
    fn an_object_says_what_stands_in_it_and_nothing_where_that_is_nothing() {
        for (error, told) in [
            (json!({"code": 5}), Some(("5", true))),
            (json!({"a": [{"b": {"c": " no "}}]}), Some(("no", true))),
            (json!({"@code": "7"}), Some(("7", true))),
            (json!({"@type": "Error", "#text": "no"}), Some(("no", true))),
            (json!("no"), Some(("no", true))),
            (json!(0), Some(("0", true))),
            (
                json!({"code": 0, "failed": false}),
                Some(("0; false", false)),
            ),
            (json!({"@count": "0"}), Some(("0", false))),
            (json!({"@total": "0.00"}), Some(("0.00", false))),
            (json!({"@code": "000"}), Some(("000", false))),
            (
                json!({"@type": "ArrayOfError"}),
                Some(("ArrayOfError", false)),
            ),
            (
                json!({"@arrayType": "Error[0]", "@type": "e:Array"}),
                Some(("Error[0]; e:Array", false)),
            ),
            (
                json!({"@e:type": "Errors", "@type": "Timeout"}),
                Some(("Errors; Timeout", true)),
            ),
            (
                json!({"@type": "ArrayOfError", "Error": "no"}),
                Some(("ArrayOfError; no", true)),
            ),
            (json!({"@type": "Timeout"}), Some(("Timeout", true))),
            (json!({"type": "a:b"}), Some(("a:b", true))),
            (json!({"@nil": "true", "@code": "7"}), None),
            (json!({"@type": "array"}), None),
            (json!({"code": null, "text": " ", "of": [{}]}), None),
            (json!({}), None),
            (json!(null), None),
        ] {
            let answer = json!({"error": error});
            let told: Vec<_> = told
                .into_iter()
                .map(|(text, says)| (text.to_owned(), says))
                .collect();
            assert_eq!(at("error", &answer, "data"), told, "{answer}");
        }
        let list = json!({"errors": [{"code": 5}, {"code": 0}]});
        let told = [("5".to_owned(), true), ("0".to_owned(), false)];
        assert_eq!(at("errors", &list, "data"), told);
    }

    #[test]
    fn what_holds_the_records_and_these_are_not_looked_into() {
        let answer =
            json!({"r": {"list": {"p": [{"id": 1, "error": {"code": 5}}]}, "other": {"n": 1}}});
        for path in ["", "r", "*", "r/list", "*/*/p", "r/list/p", "**/p"] {
            assert!(at(path, &answer, "r/list/p").is_empty(), "{path}");
        }
        for (path, said) in [("r/other", "1"), ("*/*", "1"), ("**/error", "5")] {
            assert_eq!(
                at(path, &answer, "r/list/p"),
                [(said.to_owned(), true)],
                "{path}"
            );
        }
    }
}
