//! What templates are given: the values of one request, and of what came before it. Renders nothing.

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use minijinja::Value;
use minijinja::context;

use super::super::filters::{Day, Escaped, in_seconds};
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

impl PageValues {
    /// When it is asked.
    pub(in crate::source) fn moment(&self) -> Timestamp {
        let now = i64::try_from(self.now).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
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
    /// The grant or the event that it is about.
    pub(in crate::source) about: Option<About<'a>>,
}

/// What a request to a target is about.
#[derive(Debug, Clone, Copy)]
pub(in crate::source) struct About<'a> {
    /// What templates call it: `grant` or `event`.
    pub(in crate::source) name: &'static str,
    pub(in crate::source) value: &'a serde_json::Value,
}

impl About<'_> {
    /// Whether a name that a template uses is of it.
    pub(in crate::source) fn is_named_by(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// As a template at this place sees it. A text that is a URL leads elsewhere only where the template begins with it:
    /// elsewhere in a URL it is a segment as any other.
    fn seen_at(&self, place: Place, leads: Option<&str>) -> Value {
        let text = |text: &str, may_lead: bool| match place {
            Place::Url if text.trim().is_empty() => Value::from(()),
            Place::Url if !may_lead && text.contains("://") => {
                Value::from_object(Escaped::of_segment(text))
            }
            _ => Value::from(text),
        };
        let number = |number: &serde_json::Number| {
            let whole = number.as_i64().map(Value::from);
            let whole = whole.or_else(|| number.as_u64().map(Value::from));
            whole.unwrap_or_else(|| Value::from(number.as_f64().unwrap_or_default()))
        };
        let Some(members) = self.value.as_object() else {
            return seen(self.value, &|one| text(one, false), &number);
        };
        let members = members.iter().map(|(name, value)| {
            let rest = leads.and_then(|leads| leads.strip_prefix(self.name)?.strip_prefix('.'));
            let may_lead = rest == Some(name.as_str());
            (
                name.clone(),
                seen(value, &|one| text(one, may_lead), &number),
            )
        });
        Value::from(members.collect::<BTreeMap<String, Value>>())
    }
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
            about: None,
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
    /// The same, as a template at this place sees them that begins with the value `leads`.
    pub(super) fn seen_at(&self, place: Place, leads: Option<&str>) -> Value {
        let about = |name: &str| {
            let about = self.about.filter(|about| about.name == name);
            about.map(|about| about.seen_at(place, leads))
        };
        context! {
            grant => about("grant"),
            event => about("event"),
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
    let text = |text: &str| match place {
        Place::Url if text.trim().is_empty() => Value::from(()),
        _ => Value::from(text),
    };
    // As it is written: no digit is lost.
    seen(value, &text, &|number| Value::from(number.to_string()))
}

/// A value of JSON, for templates, with what its texts and numbers are there.
fn seen(
    value: &serde_json::Value,
    text: &dyn Fn(&str) -> Value,
    number: &dyn Fn(&serde_json::Number) -> Value,
) -> Value {
    match value {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(truth) => Value::from(*truth),
        serde_json::Value::Number(one) => number(one),
        serde_json::Value::String(one) => text(one),
        serde_json::Value::Array(items) => {
            items.iter().map(|item| seen(item, text, number)).collect()
        }
        serde_json::Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), seen(value, text, number)));
            Value::from(members.collect::<BTreeMap<String, Value>>())
        }
    }
}
