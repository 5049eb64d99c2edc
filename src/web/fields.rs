//! Names and values as forms and addresses have them. An empty value is none, as browsers send every field.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::control::protocol::ProblemDocument;
use crate::control::server::Answer;

/// What somebody filled in, or what stands behind `?`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `name=value&…`; what is not UTF-8 becomes the sign for that.
    pub(super) fn read(text: &[u8]) -> Fields {
        let pairs = form_urlencoded::parse(text).into_owned();
        Fields(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The first value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let of = self.0.iter().filter(move |(of, _)| of == name);
        of.map(|(_, value)| value.as_str())
    }

    /// A value that has to be there.
    pub(super) fn needed(&self, name: &str) -> Answer<&str> {
        self.get(name)
            .ok_or_else(|| ProblemDocument::bad_request(format!("`{name}` is empty; fill it in")))
    }

    /// A value that is read from its text.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Answer<Option<T>> {
        let parsed = self.get(name).map(str::parse).transpose();
        parsed.map_err(|error: T::Err| ProblemDocument::bad_request(format!("`{name}`: {error}")))
    }

    /// A value that is one of a few words, as JSON has them.
    pub(super) fn word<T: DeserializeOwned>(&self, name: &str) -> Answer<Option<T>> {
        self.get(name).map(|text| word(name, text)).transpose()
    }

    /// All values of a name that are words.
    pub(super) fn words<T: DeserializeOwned>(&self, name: &str) -> Answer<Vec<T>> {
        self.all(name).map(|text| word(name, text)).collect()
    }

    /// Names that begin so, without that, and their values.
    pub(super) fn beginning(&self, with: &str) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.filter_map(move |(name, value)| Some((name.strip_prefix(with)?, value.as_str())))
    }

    /// Whether a box is ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The address of the same with another value of a name, or without it.
    pub(super) fn with(&self, name: &str, value: Option<&str>) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (of, value) in &self.0 {
            if of != name && !PASSING.contains(&of.as_str()) {
                text.append_pair(of, value);
            }
        }
        if let Some(value) = value {
            text.append_pair(name, value);
        }
        format!("?{}", text.finish())
    }
}

/// What is of one look alone and in no address that is made of it: what was said, and the place in a list.
const PASSING: [&str; 3] = ["done", "of", "cursor"];

fn word<T: DeserializeOwned>(name: &str, text: &str) -> Answer<T> {
    serde_json::from_value(serde_json::Value::from(text))
        .map_err(|error| ProblemDocument::bad_request(format!("`{name}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LeaseStatus, PersonId};

    #[test]
    fn what_is_empty_is_none_and_the_rest_is_read_from_its_text() {
        let fields = Fields::read(b"q=&status=current&id=p7&box=on&f=email&f=phone&x=%ff%3C");
        assert_eq!(fields.get("q"), None);
        assert_eq!(fields.get("x"), Some("\u{fffd}<"));
        assert_eq!(
            fields.word::<LeaseStatus>("status"),
            Ok(Some(LeaseStatus::Current))
        );
        assert_eq!(fields.parsed::<PersonId>("id"), Ok(Some(PersonId(7))));
        assert_eq!(fields.all("f").count(), 2);
        assert!(fields.ticked("box") && !fields.ticked("q"));
        let wrong = Fields::read(b"status=gone").word::<LeaseStatus>("status");
        let detail = wrong.unwrap_err().detail;
        assert!(
            detail.starts_with("`status`: unknown variant `gone`"),
            "{detail}"
        );
        assert_eq!(fields.needed("q").unwrap_err().status, 400);
    }

    #[test]
    fn an_address_keeps_what_is_asked_but_not_the_place_in_the_list() {
        let fields = Fields::read(b"q=ada%20%26%20co&sort=id&cursor=p9&done=pinned");
        assert_eq!(fields.with("sort", Some("name")), "?q=ada+%26+co&sort=name");
        assert_eq!(fields.with("q", None), "?sort=id");
        assert_eq!(
            fields.with("cursor", Some("p9.61")),
            "?q=ada+%26+co&sort=id&cursor=p9.61"
        );
    }
}
