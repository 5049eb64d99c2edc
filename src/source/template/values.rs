//! What templates are given: the values of one request, and of what came before it. Renders nothing.

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use minijinja::Value;
use minijinja::context;

use super::super::filters::{Day, in_seconds};
use super::Place;

/// What a page's request may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::source) struct PageValues {
    pub(in crate::source) number: u64,
    pub(in crate::source) offset: u64,
    pub(in crate::source) size: u64,
    pub(in crate::source) cursor: String,
    /// When it is asked, in milliseconds since 1970.
    pub(in crate::source) now: u64,
}

impl PageValues {
    /// The same, as they are asked for now.
    pub(in crate::source) fn as_of_now(&self) -> PageValues {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_millis());
        PageValues {
            now: u64::try_from(now).unwrap_or(u64::MAX),
            ..self.clone()
        }
    }
}

/// A request that is signed, and its signature.
#[derive(Debug, Clone, Default)]
pub(in crate::source) struct Signing<'a> {
    pub(in crate::source) method: &'a str,
    pub(in crate::source) path: &'a str,
    pub(in crate::source) query: &'a str,
    pub(in crate::source) body: &'a str,
    pub(in crate::source) signature: &'a str,
}

/// The values for one request.
#[derive(Debug, Clone)]
pub(in crate::source) struct Values<'a> {
    pub(in crate::source) credential: &'a BTreeMap<String, Value>,
    pub(in crate::source) fields: &'a BTreeMap<String, String>,
    pub(in crate::source) property: &'a str,
    pub(in crate::source) today: Date,
    pub(in crate::source) page: &'a PageValues,
    /// The token of a login, for the header that carries it.
    pub(in crate::source) token: &'a str,
    /// The request, for its signature.
    pub(in crate::source) signing: &'a Signing<'a>,
    /// What came before the request.
    pub(in crate::source) before: Before<'a>,
}

/// None at all.
impl Default for Values<'_> {
    fn default() -> Self {
        static NO_CREDENTIAL: BTreeMap<String, Value> = BTreeMap::new();
        static NO_FIELDS: BTreeMap<String, String> = BTreeMap::new();
        static FIRST: PageValues = PageValues {
            number: 0,
            offset: 0,
            size: 0,
            cursor: String::new(),
            now: 0,
        };
        static UNSIGNED: Signing<'static> = Signing {
            method: "",
            path: "",
            query: "",
            body: "",
            signature: "",
        };
        Values {
            credential: &NO_CREDENTIAL,
            fields: &NO_FIELDS,
            property: "",
            today: Date::ZERO,
            page: &FIRST,
            token: "",
            signing: &UNSIGNED,
            before: Before::default(),
        }
    }
}

/// What came before a request: what others gave it, and the record that it is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::source) struct Before<'a> {
    pub(in crate::source) given: Option<&'a BTreeMap<String, String>>,
    pub(in crate::source) record: Option<&'a serde_json::Value>,
    /// From when on changes are asked for; none where all is.
    pub(in crate::source) since: Option<Timestamp>,
    /// The token that is given back, for the request that does.
    pub(in crate::source) token: Option<&'a str>,
}

impl Values<'_> {
    /// The same, as a template at this place sees them.
    pub(super) fn seen_at(&self, place: Place) -> Value {
        context! {
            credential => self.credential,
            fields => self.fields,
            property => self.property,
            today => Value::from_object(Day(self.today)),
            token => self.token,
            method => self.signing.method,
            path => self.signing.path,
            query => self.signing.query,
            body => self.signing.body,
            signature => self.signing.signature,
            given => self.before.given,
            since => self.before.since.map(in_seconds).unwrap_or_default(),
            since_exactly => self.before.since.map(|since| since.to_string()),
            record => self.before.record.map(|record| of_record(record, place)),
            now => context! {
                seconds => self.page.now / 1000,
                milliseconds => self.page.now,
            },
            page => context! {
                number => self.page.number,
                offset => self.page.offset,
                size => self.page.size,
                cursor => self.page.cursor.as_str(),
            },
        }
    }
}

/// A record of an answer, for templates. In a URL an empty text would lead to something else than the record: there it is
/// as good as none.
fn of_record(value: &serde_json::Value, place: Place) -> Value {
    match value {
        serde_json::Value::String(text) if place == Place::Url && text.trim().is_empty() => {
            Value::from(())
        }
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(truth) => Value::from(*truth),
        // As it is written: no digit is lost.
        serde_json::Value::Number(number) => Value::from(number.to_string()),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => {
            items.iter().map(|item| of_record(item, place)).collect()
        }
        serde_json::Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), of_record(value, place)));
            Value::from(members.collect::<BTreeMap<String, Value>>())
        }
    }
}
