//! Whether something in an answer tells of an error, by its names and its texts. Judges no status and knows no rule. Pure.

use serde_json::Value;

/// What stands beside `error` where there was none.
const NONE: [&str; 10] = [
    "no",
    "n",
    "none",
    "null",
    "nil",
    "ok",
    "success",
    "successful",
    "no error",
    "no errors",
];

/// Whether a text is as good as 0 or false: `0.00` and `000` are.
pub(super) fn is_zero(text: &str) -> bool {
    let text = text.trim();
    let is_number = text.contains('0') && text.matches('.').count() <= 1;
    let zeros = is_number && text.chars().all(|c| matches!(c, '0' | '.'));
    zeros || text.eq_ignore_ascii_case("false")
}

/// Whether something that stands around the records, or in their place, tells of an error.
pub(super) fn tells_an_error(around: &Value) -> bool {
    match around {
        Value::Array(items) => items.iter().any(tells_an_error),
        Value::Object(members) => members.iter().any(|(name, value)| {
            let name = name.to_lowercase();
            let failed = name == "success" && is_false(value);
            failed || is_of_errors(&name) && is_something(value) || tells_an_error(value)
        }),
        _ => false,
    }
}

/// Whether a name, in lower case, is one of errors. `defaultSort` is none of faults.
fn is_of_errors(name: &str) -> bool {
    let is_fault = name.contains("fault") && !name.contains("default");
    is_fault || name.contains("error") || name.contains("exception")
}

fn is_false(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => !truth,
        Value::String(text) => text.trim().eq_ignore_ascii_case("false"),
        _ => false,
    }
}

/// `{"code": 0, "message": "OK"}` is nothing.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => {
            let text = text.trim().to_lowercase();
            !text.is_empty() && !is_zero(&text) && !NONE.contains(&text.as_str())
        }
        Value::Array(items) => items.iter().any(is_something),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| !name.ends_with("nil") && is_something(value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_told_by_its_name_and_by_what_it_says() {
        for error in [
            json!({"error": "Timeout"}),
            json!({"error": {"code": 5}}),
            json!({"errors": ["Timeout"]}),
            json!({"meta": {"errorCode": 17}}),
            json!({"@error": "x"}),
            json!({"Fault": {"Reason": "x"}}),
            json!({"success": false}),
            json!({"Success": "false"}),
        ] {
            assert!(tells_an_error(&error), "{error}");
        }
        for none in [
            json!({"error": null, "errors": [], "fault": {}}),
            json!({"error": {"code": 0, "message": "OK"}}),
            json!({"error": "none", "errorCode": "000", "hasErrors": "False"}),
            json!({"errors": [null, {}, ""], "success": true}),
            json!({"Errors": {"@nil": "true"}}),
            json!({"defaultSort": "name", "rows": null}),
            json!(["error"]),
        ] {
            assert!(!tells_an_error(&none), "{none}");
        }
    }

    #[test]
    fn a_text_of_zeros_is_as_good_as_zero() {
        for zero in ["0", "000", "0.00", " 0 ", "False"] {
            assert!(is_zero(zero), "{zero}");
        }
        for other in ["", ".", "0.0.0", "0.01", "5", "00A", "no"] {
            assert!(!is_zero(other), "{other}");
        }
    }
}
