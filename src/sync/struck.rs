//! What a script says of a record that it cannot map, without the person in it: in the place of a name, an email, a
//! phone, a unit or an address stands the field it came from. Pure.

use serde_json::Value;

/// Parts of the names of fields that hold what is personal, in lower case.
const PERSONAL: [&str; 12] = [
    "name", "mail", "phone", "mobile", "fax", "unit", "apart", "address", "street", "birth", "ssn",
    "contact",
];
/// Shorter values than this are as often no value at all.
const SHORTEST: usize = 2;

/// The message, with the field in the place of each personal value of the record: `‹FirstName›`.
pub(super) fn struck(message: &str, record: &str) -> String {
    let Ok(record) = serde_json::from_str(record) else {
        return message.to_owned();
    };
    let mut found = Vec::new();
    gather(&record, "", false, &mut found);
    // A value that holds another one first: what is left of it would be found by nobody.
    found.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then(one.cmp(other)));
    let mut text = message.to_owned();
    for (value, field) in found {
        text = replaced(&text, &value, &field);
    }
    text
}

/// The texts below personal fields, each with the name of the field nearest to it.
fn gather(value: &Value, field: &str, personal: bool, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let lower = name.to_lowercase();
                let of_nobody = ["status", "property"]
                    .iter()
                    .any(|part| lower.contains(part));
                let named = PERSONAL.iter().any(|part| lower.contains(part)) && !of_nobody;
                let personal = personal || named;
                gather(member, name, personal, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                gather(item, field, personal, found);
            }
        }
        Value::String(text) if personal => {
            let whole = text.trim();
            // A message may hold a part of it: the last name, or the local part of an email.
            let words = whole.split(|c: char| c.is_whitespace() || ",;@".contains(c));
            for part in std::iter::once(whole).chain(words) {
                if part.chars().count() >= SHORTEST {
                    found.push((part.to_owned(), field.to_owned()));
                }
            }
        }
        Value::Number(number) if personal => {
            gather(&Value::String(number.to_string()), field, true, found);
        }
        _ => {}
    }
}

/// `value` in whole words, in any case of its letters. What was put in before stays.
fn replaced(text: &str, value: &str, field: &str) -> String {
    let (lower, wanted) = (text.to_lowercase(), value.to_lowercase());
    // Where lower case is longer than what it stands for, places would not fit.
    if lower.len() != text.len() || wanted.is_empty() {
        return text.replace(value, &format!("‹{field}›"));
    }
    let mut made = String::new();
    let mut rest = 0;
    for (at, _) in lower.match_indices(&wanted) {
        let end = at + wanted.len();
        let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let inside = joins(lower[..at].chars().next_back()) || joins(lower[end..].chars().next());
        let before = &text[..at];
        let put_in = before.rfind('‹') > before.rfind('›');
        if at < rest || inside || put_in {
            continue;
        }
        made += &text[rest..at];
        made += &format!("‹{field}›");
        rest = end;
    }
    made + &text[rest..]
}

#[cfg(test)]
mod tests {
    use crate::testing::searching;
    use proptest::prelude::*;

    use super::*;

    const RECORD: &str = r#"{"id":"t7","FirstName":"Ana Maria","LastName":"Ortiz","Email":"Ana.O@example.com",
        "Phones":[{"Number":"(212) 555-0100"}],"Unit":{"Id":"12B"},"StatusName":"Current","LeaseFrom":"03/44/2026"}"#;

    #[test]
    fn in_the_place_of_what_is_personal_stands_its_field() {
        for (message, told) in [
            (
                "`Ortiz, Ana Maria` is no name",
                "`‹LastName›, ‹FirstName›` is no name",
            ),
            ("who is ANA?", "who is ‹FirstName›?"),
            ("ana.o@example.com is taken", "‹Email› is taken"),
            ("call (212) 555-0100 of 12b", "call ‹Number› of ‹Id›"),
            // What is nobody's name helps whoever corrects the script.
            (
                "`03/44/2026` is no date of `Current` t7",
                "`03/44/2026` is no date of `Current` t7",
            ),
            ("banana", "banana"),
        ] {
            assert_eq!(struck(message, RECORD), told);
        }
        assert_eq!(struck("as it is", "no JSON"), "as it is");
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn nothing_personal_is_left_of_any_message(
            name in "[A-Za-zßİÅé]{2,9}",
            around in "[ .,:`a-z]{0,12}",
        ) {
            let record = serde_json::json!({ "lastName": name }).to_string();
            let told = struck(&format!("{around} {name}: {name} {around}"), &record);
            prop_assert!(!told.contains(&format!(" {name}:")), "{told}");
            prop_assert!(told.matches("‹lastName›").count() >= 2, "{told}");
        }
    }
}
