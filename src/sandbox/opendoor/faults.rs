//! What goes wrong at a local OpenDOOR as it does at PMSs: answers in the place of those that were asked for, and lists that
//! are otherwise than they should be. Answers nothing itself.

use serde_json::{Value, json};

use super::super::fault::FaultKind;
use super::super::serve::{Reply, Seen};
use super::Shared;

/// What a request is about, for the faults.
pub(super) fn seen(path: &str) -> Seen {
    let names = ["token", "accesses", "buildings", "doors", "keys", "users"];
    let mut parts = path.rsplit('/');
    // A user's door is the user's affair.
    let operation = if path.contains("/users") {
        Some("users")
    } else {
        parts.find(|part| names.contains(part))
    };
    Seen {
        operation: operation.unwrap_or_default().to_owned(),
        property: None,
        page: None,
        target: path.to_owned(),
    }
}

/// What is answered in the place of what was asked for.
pub(super) fn instead(shared: &Shared, faults: &[FaultKind], is_token: bool) -> Option<Reply> {
    let message = |status, code: &str| {
        let body = json!({ "message": code }).to_string();
        Some(Reply::new(status, "application/json", body))
    };
    faults.iter().find_map(|fault| match fault {
        FaultKind::LoginFailed => message(401, "UNAUTHORIZED"),
        FaultKind::ExpiredToken if !is_token => {
            shared.state().token += 1;
            message(401, "UNAUTHORIZED")
        }
        FaultKind::TooMany { retry_after } => {
            let refused = Reply::new(429, "", String::new());
            Some(match retry_after {
                Some(seconds) => refused.with("retry-after", seconds),
                None => refused,
            })
        }
        FaultKind::ServerError => message(500, "INTERNAL_SERVER_ERROR"),
        FaultKind::Unavailable => Some(Reply::new(503, "", String::new())),
        FaultKind::Maintenance | FaultKind::Html => Some(Reply::html(200)),
        _ => None,
    })
}

/// The entries of a list, as the faults have them.
pub(super) fn faulty(mut items: Vec<Value>, faults: &[FaultKind]) -> Vec<Value> {
    if faults.contains(&FaultKind::Empty) {
        items.clear();
    }
    if faults.contains(&FaultKind::ChangedField) {
        let members = items.iter_mut().filter_map(Value::as_object_mut);
        for members in members {
            if let Some(granter) = members.remove("granter") {
                members.insert("grantedBy".to_owned(), granter);
            }
        }
    }
    items
}
