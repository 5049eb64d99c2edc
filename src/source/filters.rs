//! The filters of templates: what a value is made into before it is escaped for where it stands. Pure.

mod trial;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Environment, Error, ErrorKind, State};
use url::Url;

use crate::outbound::{authority, sha256};

use super::reference::FILTERS;

pub(super) use trial::{ANYTHING, Since, add_to_trial, is_certain};

/// A day: what `today` is.
#[derive(Debug)]
pub(super) struct Day(pub(super) Date);

impl Object for Day {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A part of a URL that is escaped already.
#[derive(Debug)]
pub(super) struct Escaped(String);

impl Escaped {
    /// A text as one segment of a path.
    pub(super) fn of_segment(text: &str) -> Escaped {
        Escaped(segment(text))
    }
}

/// A text as one segment of a path: all but letters and digits is escaped.
pub(super) fn segment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

impl Object for Escaped {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What they are called, as the reference has them.
pub(super) fn names() -> Vec<&'static str> {
    let forms = FILTERS.iter().map(|one| one.form);
    forms
        .map(|form| form.split('(').next().unwrap_or(form))
        .collect()
}

/// What a form of dates is that is none.
const NO_DATE_FORM: &str = "is no date format; write one such as %m/%d/%Y";

/// Lets templates use them. The reference has what they do.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("host", host);
    environment.add_filter("path", path);
    environment.add_filter("resolve", resolve);
    environment.add_filter("sha256", |text: &str| sha256(text));
    environment.add_filter("moment", moment);
    environment.add_filter("number", number);
    environment.add_filter("boolean", boolean);
    environment.add_filter("date", date);
    environment.add_filter("days_ago", days_ago);
    environment.add_filter("json", json);
    environment.add_filter("optional", optional);
}

/// Fails where there is nothing, as templates fail without filters.
fn is_set(value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    Ok(())
}

/// A value as JSON writes it.
fn json(value: &Value) -> Result<String, Error> {
    is_set(value)?;
    serde_json::to_string(value).map_err(|_| wrong("the value cannot be written as JSON"))
}

/// The value, or the error by which a leaf alone is left out.
fn optional(value: &Value) -> Result<Value, Error> {
    if value.is_none() {
        return Err(ErrorKind::UndefinedError.into());
    }
    is_set(value).map(|()| value.clone())
}

fn wrong(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

fn date(day: &Value, format: &str) -> Result<String, Error> {
    let day = to_day(day)?;
    jiff::fmt::strtime::format(format, day).map_err(|_| wrong(format!("`{format}` {NO_DATE_FORM}")))
}

fn days_ago(day: &Value, days: i64) -> Result<Value, Error> {
    to_day(day)?
        .checked_sub(jiff::Span::new().days(days.clamp(-100_000, 100_000)))
        .map(|day| Value::from_object(Day(day)))
        .map_err(|_| wrong("the date is out of range"))
}

/// Where a link leads that may be a path alone, seen from another URL. It is a URL as a whole: nothing of it is escaped, and
/// the host is judged as ever.
fn resolve(link: &str, base: &str) -> Result<String, Error> {
    let base = Url::parse(base).map_err(|_| wrong("what it is seen from is no URL"))?;
    let url = base.join(link).map_err(|_| wrong("the value is no link"))?;
    Ok(url.into())
}

/// A path of several segments, with its query where it has one, for a URL. It begins with `/`, and leads nowhere but down.
fn path(text: &str) -> Result<Value, Error> {
    let (path, query) = match text.trim().split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text.trim(), None),
    };
    let wrong = |what: &'static str| Error::new(ErrorKind::InvalidOperation, what);
    if path.contains("://") || path.starts_with("//") {
        return Err(wrong("the value is a URL or a host, and no path"));
    }
    let mut escaped = String::new();
    for segment in path.trim_start_matches('/').split('/') {
        let dots = segment.to_lowercase().replace("%2e", ".");
        if matches!(dots.as_str(), "." | "..") {
            return Err(wrong("a value of dots alone would walk up the path"));
        }
        escaped.push('/');
        kept(segment, b"-_.~!$&'()*+,;=:@", &mut escaped);
    }
    if let Some(query) = query {
        escaped.push('?');
        kept(query, b"-_.~!$&'()*+,;=:@/?", &mut escaped);
    }
    Ok(Value::from_object(Escaped(escaped)))
}

/// A text of a URL, in which letters, digits, these characters and what is escaped stay.
fn kept(text: &str, characters: &[u8], into: &mut String) {
    for (at, byte) in text.bytes().enumerate() {
        let is_escaped = || {
            let digits = text.as_bytes().get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        if byte.is_ascii_alphanumeric()
            || characters.contains(&byte)
            || byte == b'%' && is_escaped()
        {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn to_day(value: &Value) -> Result<Date, Error> {
    value
        .downcast_object_ref::<Day>()
        .map(|day| day.0)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "only `today` is a date here"))
}

/// `host` or `host:port` of a URL: what `hosts` lists.
fn host(url: &str) -> Result<String, Error> {
    Url::parse(url)
        .ok()
        .and_then(|url| authority(&url))
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the value is no http(s) URL"))
}

/// Where the filters find `since` with its fractions; no template can name it.
pub(super) const SINCE_EXACTLY: &str = "since_exactly";

/// A moment as `since` is written: in whole seconds, as nearly every PMS reads one, and none is too late.
pub(super) fn in_seconds(moment: Timestamp) -> String {
    let seconds = Timestamp::from_second(moment.as_second());
    seconds.unwrap_or(moment).to_string()
}

/// A moment such as `since`, in another form and in UTC; where there is none, nothing.
fn moment(state: &State<'_, '_>, moment: &str, format: &str) -> Result<String, Error> {
    if moment.is_empty() {
        return Ok(String::new());
    }
    let wrong = |what: String| Error::new(ErrorKind::InvalidOperation, what);
    // In a form of one's own `since` may have its fractions.
    let exact = state.lookup(SINCE_EXACTLY).map(|exact| exact.to_string());
    let exact = exact.and_then(|exact| exact.parse().ok());
    let exact = exact.filter(|exact| in_seconds(*exact) == moment);
    let moment: Timestamp = match exact {
        Some(exact) => exact,
        None => moment
            .parse()
            .map_err(|_| wrong("the value is no moment".into()))?,
    };
    jiff::fmt::strtime::format(format, &moment.to_zoned(TimeZone::UTC)).map_err(|_| {
        wrong(format!(
            "`{format}` is no form of a moment; write one such as %Y-%m-%d %H:%M:%S"
        ))
    })
}

/// A number, as JSON writes it.
fn number(value: &Value) -> Result<String, Error> {
    let text = value.to_string();
    let text = text.trim();
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Number(_)) => Ok(text.to_owned()),
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            "the value is no number",
        )),
    }
}

/// `true` or `false`.
fn boolean(value: &Value) -> Result<String, Error> {
    match value.to_string().trim().to_lowercase().as_str() {
        "true" | "yes" | "1" => Ok("true".into()),
        "false" | "no" | "0" => Ok("false".into()),
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            "the value is neither true nor false",
        )),
    }
}
