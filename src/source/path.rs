//! Paths into an answer: `data`, `Residents/Resident`, `@tCode`, `**/Message[@type=Error]`, `people/*`.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

/// Names separated by `/`. `*` is any name or any element of a list, `**` any depth. `name[member=text]`
/// is only those elements of that name whose member has that text, without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Name(String),
    /// Elements of a name, with a member of a certain text.
    Having {
        name: String,
        member: String,
        text: String,
    },
    Any,
    Deep,
}

impl Path {
    /// Parses a path. An empty one is the answer itself.
    pub fn parse(text: &str) -> Result<Path, String> {
        if text.is_empty() {
            return Ok(Path::default());
        }
        let segments: Vec<Segment> = text
            .split('/')
            .map(|name| match name {
                "" => Err(format!(
                    "`{text}` has an empty name between two `/`; remove one"
                )),
                "*" => Ok(Segment::Any),
                "**" => Ok(Segment::Deep),
                name => segment(name),
            })
            .collect::<Result<_, _>>()?;
        if segments.last() == Some(&Segment::Deep) {
            return Err(format!(
                "`{text}` ends in `**`; write the name that is looked for behind it"
            ));
        }
        Ok(Path(segments))
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether it leads to one place, by names alone.
    pub(super) fn is_names(&self) -> bool {
        self.0.iter().all(|one| matches!(one, Segment::Name(_)))
    }

    /// Why records cannot stand at this path: they are taken in one pass, without looking back.
    pub(super) fn not_for_records(&self) -> Option<String> {
        let plain = |segment: &Segment| matches!(segment, Segment::Name(_) | Segment::Any);
        (!self.0.iter().all(plain)).then(|| {
            format!("`{self}` has `**` or a condition; write the names down to the records, or `*` for any one")
        })
    }

    /// The first value at the path that is not null.
    pub fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        first(&self.0, value)
    }

    /// The first value at the path as text; absent, null, empty and structures are none.
    pub fn text<'a>(&self, value: &'a Value) -> Option<Cow<'a, str>> {
        text_of(self.first(value)?)
    }

    /// Every value at the path that is a text, in the order of the answer.
    pub(super) fn texts<'a>(&self, value: &'a Value) -> Vec<Cow<'a, str>> {
        let mut texts = Vec::new();
        each(&self.0, value, &mut |found| texts.extend(text_of(found)));
        texts
    }
}

fn segment(text: &str) -> Result<Segment, String> {
    let Some((name, condition)) = text.split_once('[') else {
        return Ok(Segment::Name(text.to_owned()));
    };
    let condition = condition
        .strip_suffix(']')
        .and_then(|condition| condition.split_once('='));
    match condition {
        Some((member, text)) if !name.is_empty() && !member.is_empty() && !text.is_empty() => {
            Ok(Segment::Having {
                name: name.to_owned(),
                member: member.to_owned(),
                text: text.to_owned(),
            })
        }
        _ => Err(format!(
            "`{text}` is no condition; write one such as `Message[@type=Error]`"
        )),
    }
}

fn text_of(found: &Value) -> Option<Cow<'_, str>> {
    match found.get("#text").unwrap_or(found) {
        Value::String(text) => Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(Cow::Borrowed),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        _ => None,
    }
}

fn has(element: &Value, member: &str, text: &str) -> bool {
    element
        .get(member)
        .and_then(text_of)
        .is_some_and(|found| found.to_lowercase() == text.to_lowercase())
}

/// Calls `take` with everything at the path; a list at its end is taken element by element.
fn each<'a>(segments: &[Segment], value: &'a Value, take: &mut dyn FnMut(&'a Value)) {
    let Some((head, rest)) = segments.split_first() else {
        elements(value).iter().for_each(take);
        return;
    };
    match (head, value) {
        (Segment::Deep, _) => {
            each(rest, value, take);
            for inner in elements(value).iter().filter_map(Value::as_object) {
                for inner in inner.values() {
                    each(segments, inner, take);
                }
            }
        }
        (Segment::Any, Value::Array(items)) => {
            for item in items {
                each(rest, item, take);
            }
        }
        (_, Value::Array(items)) => {
            for item in items {
                each(segments, item, take);
            }
        }
        (Segment::Any, Value::Object(object)) => {
            for inner in object.values() {
                each(rest, inner, take);
            }
        }
        (Segment::Name(name), Value::Object(object)) => {
            if let Some(found) = object.get(name) {
                each(rest, found, take);
            }
        }
        (Segment::Having { name, member, text }, Value::Object(object)) => {
            for element in object.get(name).map_or(&[][..], elements) {
                if has(element, member, text) {
                    each(rest, element, take);
                }
            }
        }
        _ => {}
    }
}

/// The elements of a list; one value is as good as the list of it.
fn elements(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn first<'a>(segments: &[Segment], value: &'a Value) -> Option<&'a Value> {
    let Some((head, rest)) = segments.split_first() else {
        return (!value.is_null()).then_some(value);
    };
    match (head, value) {
        (Segment::Name(name), Value::Object(object)) => first(rest, object.get(name)?),
        (Segment::Having { name, member, text }, Value::Object(object)) => {
            elements(object.get(name)?)
                .iter()
                .filter(|element| has(element, member, text))
                .find_map(|element| first(rest, element))
        }
        // One element is as good as the list of it: XML cannot tell them apart.
        (Segment::Name(_) | Segment::Having { .. }, Value::Array(items)) => {
            items.iter().find_map(|item| first(segments, item))
        }
        (Segment::Any, Value::Object(object)) => object.values().find_map(|item| first(rest, item)),
        (Segment::Any, Value::Array(items)) => items.iter().find_map(|item| first(rest, item)),
        (Segment::Deep, _) => first(rest, value).or_else(|| match value {
            Value::Object(object) => object.values().find_map(|item| first(segments, item)),
            Value::Array(items) => items.iter().find_map(|item| first(segments, item)),
            _ => None,
        }),
        _ => None,
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            match segment {
                Segment::Name(name) => f.write_str(name)?,
                Segment::Having { name, member, text } => write!(f, "{name}[{member}={text}]")?,
                Segment::Any => f.write_str("*")?,
                Segment::Deep => f.write_str("**")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(path: &str, value: &Value) -> Option<String> {
        Path::parse(path).unwrap().text(value).map(Cow::into_owned)
    }

    #[test]
    fn a_path_finds_names_any_element_and_any_depth() {
        let value = json!({"a": {"b": [{"c": null}, {"c": " x "}]}, "n": 7, "e": "", "t": {"@k": "1", "#text": "y"}});
        assert_eq!(text("a/b/c", &value).as_deref(), Some("x"));
        assert_eq!(text("a/b/*/c", &value).as_deref(), Some("x"));
        assert_eq!(text("**/c", &value).as_deref(), Some("x"));
        assert_eq!(text("n", &value).as_deref(), Some("7"));
        assert_eq!(text("t", &value).as_deref(), Some("y"));
        assert_eq!(text("t/@k", &value).as_deref(), Some("1"));
        assert_eq!(text("e", &value), None);
        assert_eq!(text("a/x", &value), None);
    }

    #[test]
    fn a_condition_picks_among_elements_of_a_name() {
        let one = json!({"R": {"Ms": {"M": {"@t": "Error", "#text": "a"}}}});
        let many = json!({"R": {"Ms": {"M": [{"@t": "FYI", "#text": "a"}, {"@t": "error", "#text": "b"}]}}});
        assert_eq!(text("**/M[@t=Error]", &one).as_deref(), Some("a"));
        assert_eq!(text("**/M[@t=Error]", &many).as_deref(), Some("b"));
        assert_eq!(text("R/Ms/M[@t=Warning]", &many), None);
        let path = Path::parse("R/Ms/M[@t=Error]").unwrap();
        assert_eq!(path.to_string(), "R/Ms/M[@t=Error]");
        assert!(path.not_for_records().is_some());
        for wrong in ["M[@t]", "M[@t=]", "[@t=x]", "M[@t=x"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn all_texts_at_a_path_are_found_each_once() {
        let many = json!({"R": {"Ms": {"M": [{"@t": "FYI", "#text": "a"}, "b", null]}, "M": "c"}, "L": [{"M": 1}]});
        for (path, found) in [
            ("**/M", vec!["c", "a", "b", "1"]),
            ("R/Ms/M", vec!["a", "b"]),
            ("R/*", vec!["c"]),
        ] {
            assert_eq!(Path::parse(path).unwrap().texts(&many), found, "{path}");
        }
    }

    #[test]
    fn a_path_that_cannot_be_meant_is_refused() {
        assert!(Path::parse("a//b").is_err());
        assert!(Path::parse("a/**").is_err());
        assert_eq!(Path::parse("a/*/b").unwrap().to_string(), "a/*/b");
    }
}
