//! What local PMSs have in common that speak plain JSON over HTTP: the query, answers, errors. Not what they say.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::fault::FaultKind;
use super::serve::{Asked, Reply};

const JSON: &str = "application/json; charset=utf-8";

/// A parameter of the query, decoded; its name in any case.
pub(super) fn query(asked: &Asked, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(asked.query.as_bytes());
    let found = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.into_owned())
}

/// An answer.
pub(super) fn answer(status: u16, body: &Value) -> Reply {
    Reply::new(status, JSON, body.to_string())
}

/// An answer without a body.
pub(super) fn nothing(status: u16) -> Reply {
    Reply::new(status, JSON, String::new())
}

/// The answer to a fault that is not about what is asked for; `failure` says how the PMS words a status.
pub(super) fn refused(faults: &[FaultKind], failure: fn(u16) -> Reply) -> Option<Reply> {
    faults.iter().find_map(|fault| match fault {
        FaultKind::LoginFailed | FaultKind::ExpiredToken => Some(failure(401)),
        FaultKind::TooMany { retry_after } => {
            let reply = failure(429);
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", seconds),
                None => reply,
            })
        }
        FaultKind::ServerError => Some(failure(500)),
        FaultKind::Unavailable => Some(failure(503)),
        FaultKind::Maintenance | FaultKind::Html => Some(Reply::html(200)),
        _ => None,
    })
}

/// Midnight of a day, as .NET writes it; null where there is none.
pub(super) fn midnight(date: Option<Date>) -> Value {
    date.map_or(Value::Null, |date| json!(format!("{date}T00:00:00")))
}

/// Puts what a record has at one name under another.
pub(super) fn rename(record: &mut Value, from: &str, to: &str) {
    if let Some(fields) = record.as_object_mut()
        && let Some(value) = fields.shift_remove(from)
    {
        fields.insert(to.to_owned(), value);
    }
}
