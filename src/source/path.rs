//! Paths into an answer: `data`, `Residents/Resident`, `@tCode`, `**/Message`, `people/*`.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

/// Names separated by `/`. `*` is any name or any element of a list, `**` any depth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Name(String),
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
                name => Ok(Segment::Name(name.to_owned())),
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

    /// The first value at the path that is not null.
    pub fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        first(&self.0, value)
    }

    /// The first value at the path as text; absent, null, empty and structures are none.
    pub fn text<'a>(&self, value: &'a Value) -> Option<Cow<'a, str>> {
        let found = self.first(value)?;
        let found = found.get("#text").unwrap_or(found);
        match found {
            Value::String(text) => Some(text.trim())
                .filter(|text| !text.is_empty())
                .map(Cow::Borrowed),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
            _ => None,
        }
    }
}

fn first<'a>(segments: &[Segment], value: &'a Value) -> Option<&'a Value> {
    let Some((head, rest)) = segments.split_first() else {
        return (!value.is_null()).then_some(value);
    };
    match (head, value) {
        (Segment::Name(name), Value::Object(object)) => first(rest, object.get(name)?),
        // One element is as good as the list of it: XML cannot tell them apart.
        (Segment::Name(_), Value::Array(items)) => {
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
            f.write_str(match segment {
                Segment::Name(name) => name,
                Segment::Any => "*",
                Segment::Deep => "**",
            })?;
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
    fn a_path_that_cannot_be_meant_is_refused() {
        assert!(Path::parse("a//b").is_err());
        assert!(Path::parse("a/**").is_err());
        assert_eq!(Path::parse("a/*/b").unwrap().to_string(), "a/*/b");
    }
}
