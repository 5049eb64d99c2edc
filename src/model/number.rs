//! Numbers of JSON where they are ids: none loses a digit, and `1001` and `1001.0` are one (R21).

use std::borrow::Cow;

use serde_json::Number;

/// Whole numbers up to here are told apart when they are held as floating point.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A longer whole number is written with an exponent, and is no id.
const LONGEST: f64 = 1e21;

/// A number as text.
pub fn number_text(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) => float_text(float),
        None => number.to_string(),
    }
}

/// A number with floating point as text: a whole one as its digits.
pub fn float_text(float: f64) -> String {
    if float.fract() == 0.0 && float.abs() < LONGEST {
        // Zero has no sign.
        format!("{:.0}", float + 0.0)
    } else {
        Number::from_f64(float).map_or_else(|| float.to_string(), |number| number.to_string())
    }
}

/// Whether a whole number may have lost digits when it was read as floating point.
pub fn may_be_inexact(float: f64) -> bool {
    float.abs() >= EXACT
}

/// A JSON text in which every whole number that would lose digits is a text of them.
pub fn exact(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut written = String::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = behind_text(bytes, at),
            b'-' | b'0'..=b'9' => {
                let length = number_length(bytes.get(at..).unwrap_or_default());
                let end = at + length.max(1);
                if let Some(digits) = json.get(at..end).and_then(too_long) {
                    written += json.get(copied..at).unwrap_or_default();
                    written.push('"');
                    written += digits;
                    written.push('"');
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    written += json.get(copied..).unwrap_or_default();
    Cow::Owned(written)
}

/// Where the text ends that begins at `at`.
fn behind_text(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn number_length(bytes: &[u8]) -> usize {
    let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    bytes.iter().take_while(is_part).count()
}

/// The digits of a whole number that is not held exactly.
fn too_long(number: &str) -> Option<&str> {
    let (digits, zeros) = number.split_once('.').unwrap_or((number, ""));
    let all = |text: &str, of: fn(u8) -> bool| text.bytes().all(of);
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    if !all(unsigned, |byte| byte.is_ascii_digit()) || !all(zeros, |byte| byte == b'0') {
        return None;
    }
    let is_held = if zeros.is_empty() {
        digits.parse::<i64>().is_ok()
    } else {
        number
            .parse::<f64>()
            .is_ok_and(|float| !may_be_inexact(float))
    };
    (!is_held).then_some(digits)
}

#[cfg(test)]
mod tests {
    use crate::testing::searching;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// A3: two people became one where their ids differ beyond 64 bits.
    #[test]
    fn a_number_that_64_bits_do_not_hold_keeps_its_digits() {
        let text = r#"{"a":18446744073709551616,"b":[18446744073709551617, -9223372036854775809],"c":9007199254740993.0,
            "d":"18446744073709551616 \" 18446744073709551617","e":9223372036854775807,"f":1.50,"g":1e300,"h":12345678901234567890.5}"#;
        let value: Value = serde_json::from_str(&exact(text)).unwrap();
        assert_eq!(value["a"], json!("18446744073709551616"));
        assert_eq!(
            value["b"],
            json!(["18446744073709551617", "-9223372036854775809"])
        );
        assert_eq!(value["c"], json!("9007199254740993"));
        assert_eq!(
            value["d"],
            json!("18446744073709551616 \" 18446744073709551617")
        );
        assert_eq!(value["e"], json!(i64::MAX));
        assert_eq!((&value["f"], &value["g"]), (&json!(1.5), &json!(1e300)));
        assert!(value["h"].is_f64());
    }

    #[test]
    fn a_whole_number_is_its_digits_however_it_is_written() {
        for (text, wanted) in [
            ("1001", "1001"),
            ("1001.0", "1001"),
            ("1001.00", "1001"),
            ("400000000000005.00", "400000000000005"),
            ("-7.0", "-7"),
            ("-0.0", "0"),
            ("1e3", "1000"),
            ("1e20", "100000000000000000000"),
            ("3.5", "3.5"),
            ("1e300", "1e+300"),
            ("9223372036854775808", "9223372036854775808"),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(number_text(&number), wanted, "{text}");
        }
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn whole_numbers_of_any_length_are_told_apart(digits in "[1-9][0-9]{0,40}", zeros in "(\\.0{1,3})?", text in "\\PC{0,8}") {
            let json = format!("[{}, {digits}{zeros}]", Value::from(text.clone()));
            let value: Value = serde_json::from_str(&exact(&json)).unwrap();
            prop_assert_eq!(&value[0], &Value::from(text));
            let told = match &value[1] {
                Value::Number(number) => number_text(number),
                other => other.as_str().unwrap().to_owned(),
            };
            prop_assert_eq!(told, digits);
        }

        #[test]
        fn what_holds_no_long_number_stays_as_it_is(number in any::<i64>(), float in -1e9..1e9_f64, text in "\\PC{0,8}") {
            let json = json!({ "n": number, "f": float, "t": text }).to_string();
            let same = matches!(exact(&json), Cow::Borrowed(same) if same == json);
            prop_assert!(same);
        }
    }
}
