//! Dates as PMSs write them: the functions for them that scripts may call. No clock is asked, and no zone (R12).

use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map};

use crate::model::{is_sentinel, is_sentinel_text};

use super::described::Described;
use super::error::FieldError;
use super::helpers::{as_text, get, is_record};

/// A date that stands in the PMS and cannot be: what is known of it stays (R12). It equals nothing, and is neither
/// before nor after anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unreadable;

/// What scripts call it.
pub(super) const UNREADABLE: &str = "unreadable";

/// What the language needs to know of a date that is unreadable.
pub(super) fn register_type(engine: &mut Engine) {
    engine.register_type_with_name::<Unreadable>(UNREADABLE);
    for name in ["to_string", "to_debug", "print", "debug"] {
        engine.register_fn(name, |_: &mut Unreadable| UNREADABLE);
    }
    for name in ["==", "<", "<=", ">", ">="] {
        engine.register_fn(name, |_: Unreadable, _: Unreadable| false);
    }
    engine.register_fn("!=", |_: Unreadable, _: Unreadable| true);
}

pub(super) fn register(engine: &mut Engine) {
    let record = "record: Map";
    let path = "path: &str";
    Described(engine)
        .function(
            "to_date",
            &[record, path, "format: &str", "Dynamic"],
            "A date as `YYYY-MM-DD`; `()` where it is absent or stands for none, such as 01/01/1900 or 00/00/0000 (R12). A \
             time behind the date is ignored, and words there are not: what stands there may say that the date is none. A year has four \
             digits and is none before 1000, unless the format has %y. What is no date of the \
             format is unreadable: given as a date of a resident it costs that date alone, of which what is known stays, and \
             the run counts it.
             to_date(#{ d: \"02/28/2026 12:00 AM\" }, \"d\", \"%m/%d/%Y\") → \"2026-02-28\"
             to_date(#{ d: \"00/00/0000\" }, \"d\", \"%m/%d/%Y\") → ()
             is_unreadable(to_date(#{ d: \"13/45/2026\" }, \"d\", \"%m/%d/%Y\")) → true
             is_unreadable(to_date(#{ d: \"02/28/2026 cancelled\" }, \"d\", \"%m/%d/%Y\")) → true",
            |record: &mut Map, path: &str, format: ImmutableString| {
                to_date(&get(record, path), std::iter::once(format))
            },
        )
        .function(
            "to_date",
            &[record, path, "formats: Array", "Dynamic"],
            "Of several formats the first that fits.
             to_date(#{ d: \"2026-02-28T00:00:00\" }, \"d\", [\"%m/%d/%Y\", \"%Y-%m-%d\"]) → \"2026-02-28\"",
            |record: &mut Map, path: &str, formats: Array| {
                to_date(&get(record, path), texts(formats))
            },
        )
        .function(
            "is_unreadable",
            &["value", "bool"],
            "Whether it is a date that to_date found in the record and could not read.
             is_unreadable(\"2026-02-28\") → false",
            |value: Dynamic| value.is::<Unreadable>(),
        )
        .function(
            "parse_date",
            &[record, path, "format: &str", "Dynamic"],
            "As to_date, for dates without which a record is worth nothing: what is no date of the format rejects the record.
             parse_date(#{ d: \"02/28/2026\" }, \"d\", \"%m/%d/%Y\") → \"2026-02-28\"
             parse_date(#{ d: \"01/01/1900\" }, \"d\", \"%m/%d/%Y\") → ()
             parse_date(#{ d: \"02/30/2026\" }, \"d\", \"%m/%d/%Y\") → error: d: is no date of the form %m/%d/%Y",
            |record: &mut Map, path: &str, format: ImmutableString| {
                parse_date(&get(record, path), path, &[format])
            },
        )
        .function(
            "parse_date",
            &[record, path, "formats: Array", "Dynamic"],
            "Of several formats the first that fits.
             parse_date(#{ d: \"2026-02-28T00:00:00\" }, \"d\", [\"%m/%d/%Y\", \"%Y-%m-%d\"]) → \"2026-02-28\"",
            |record: &mut Map, path: &str, formats: Array| {
                let formats: Vec<ImmutableString> = texts(formats).collect();
                parse_date(&get(record, path), path, &formats)
            },
        );
}

pub(super) fn texts(formats: Array) -> impl Iterator<Item = ImmutableString> {
    let formats = formats.into_iter();
    formats.filter_map(|format| format.into_immutable_string().ok())
}

pub(super) fn to_date(value: &Dynamic, formats: impl Iterator<Item = ImmutableString>) -> Dynamic {
    read(value, formats).unwrap_or_else(|| Dynamic::from(Unreadable))
}

pub(super) fn parse_date(
    value: &Dynamic,
    path: &str,
    formats: &[ImmutableString],
) -> Result<Dynamic, Box<EvalAltResult>> {
    read(value, formats.iter().cloned()).ok_or_else(|| {
        // The value stays out of the message: it may be a birthday.
        FieldError::thrown(
            path,
            format!("is no date of the form {}", formats.join(" or ")),
        )
    })
}

/// A date, written `YYYY-MM-DD`; `()` where it is absent or stands for none; nothing where it is no date of any format.
fn read(value: &Dynamic, formats: impl Iterator<Item = ImmutableString>) -> Option<Dynamic> {
    let text = match written(value)? {
        Some(text) if !is_sentinel_text(&text) => text,
        _ => return Some(Dynamic::UNIT),
    };
    let date = formats
        .into_iter()
        .find_map(|format| date_of(&text, &format))?;
    Some(given(date))
}

/// What is written for a date; no text where it is absent, nothing where it is a structure, which is no date.
#[allow(
    clippy::option_option,
    reason = "a date that is absent is not one that cannot be"
)]
pub(super) fn written(value: &Dynamic) -> Option<Option<ImmutableString>> {
    let text = as_text(value);
    let is_empty_list = || value.as_array_ref().is_ok_and(|list| list.is_empty());
    let is_absent = || value.is_unit() || value.is_string() || is_record(value) || is_empty_list();
    (text.is_some() || is_absent()).then_some(text)
}

/// A date as scripts get it: `YYYY-MM-DD`, `()` for one that stands for none.
pub(super) fn given(date: Date) -> Dynamic {
    if is_sentinel(date) {
        Dynamic::UNIT
    } else {
        date.to_string().into()
    }
}

/// The number that some digits are; none where one is no digit.
fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0_i16, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| i16::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// The date at the beginning of a text by one of the two forms that nearly all PMSs write, without taking the form apart; or
/// that there is none. Nothing where that takes a closer look.
#[allow(
    clippy::option_option,
    reason = "that there is no date is not that nobody knows"
)]
fn at_a_glance(text: &str, format: &str) -> Option<Option<Date>> {
    let behind = text.get(10..).unwrap_or_default();
    let text = text.as_bytes();
    let is_iso = match format {
        "%Y-%m-%d" => true,
        "%m/%d/%Y" => false,
        _ => return None,
    };
    let (iso, american) = (text.get(4) == Some(&b'-'), text.get(2) == Some(&b'/'));
    let parts = match (is_iso, iso, american) {
        (true, true, _) => [0..4, 5..7, 8..10],
        (false, _, true) => [6..10, 0..2, 3..5],
        // The digits of one form are none of the other.
        (true, _, true) => return number(text.get(0..2)?).map(|_| None),
        (false, true, _) => return number(text.get(0..4)?).map(|_| None),
        _ => return None,
    };
    let (between, sign) = if is_iso { (7, b'-') } else { (5, b'/') };
    if !is_time(behind) || text.get(between) != Some(&sign) {
        return None;
    }
    let [year, month, day] = parts.map(|part| number(text.get(part)?));
    let (year, month, day) = (year?, i8::try_from(month?).ok()?, i8::try_from(day?).ok()?);
    // What a year of three digits means is not at a glance.
    (year >= 1000).then(|| Date::new(year, month, day).ok())
}

/// A date that is written `YYYY-MM-DD` and nothing else.
pub(super) fn day(text: &str) -> Option<Date> {
    if text.len() == 10
        && let Some(Some(day)) = at_a_glance(text, "%Y-%m-%d")
    {
        return Some(day);
    }
    text.parse().ok().filter(|day| is_of_a_calendar(*day))
}

/// Whether a year may be meant: 26 for 2026, which comes as `0026`, is none. Some of those that stand for none are so early.
pub(super) fn is_of_a_calendar(date: Date) -> bool {
    date.year() >= 1000 || is_sentinel(date)
}

/// The date at the beginning of a text; what stands behind it may be a time.
fn date_of(text: &str, format: &str) -> Option<Date> {
    at_a_glance(text, format).unwrap_or_else(|| date_by_form(text, format))
}

fn date_by_form(text: &str, format: &str) -> Option<Date> {
    let (parts, end) = BrokenDownTime::parse_prefix(format, text).ok()?;
    if !is_time(text.get(end..)?) {
        return None;
    }
    let date = parts.to_date().ok()?;
    // `%Y` takes 26 for the year 26: what was meant is not for us to say.
    let has_year = date.year() >= 1000 || text.contains(&format!("{:04}", date.year()));
    (has_year && is_of_a_calendar(date)).then_some(date)
}

/// What may stand behind a time or a date: the half of a day, and words for time zones.
const BEHIND_TIMES: [&str; 30] = [
    "am", "pm", "a.m.", "p.m.", "a", "p", "h", "uhr", "z", "utc", "gmt", "est", "edt", "cst",
    "cdt", "mst", "mdt", "pst", "pdt", "akst", "akdt", "hst", "ast", "adt", "cet", "cest", "bst",
    "ist", "wet", "eet",
];

/// Days of the week, as far as each is told from the others.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Whether what stands behind a date is nothing but a time, with what goes with one.
fn is_time(behind: &str) -> bool {
    if behind.is_empty() {
        return true;
    }
    let Some(behind) = behind.strip_prefix([' ', 'T', 't']) else {
        return false;
    };
    let behind = behind.trim_start();
    let is_clock = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',');
    let end = behind.find(|c| !is_clock(c)).unwrap_or(behind.len());
    let (clock, rest) = behind.split_at(end);
    let rest = rest.trim();
    // `2026-02-28 2027-02-27` has no time.
    let rest = match rest.strip_prefix(['+', '-']) {
        Some(offset) if clock.contains(':') => offset.trim_start_matches(is_clock).trim_start(),
        _ => rest,
    };
    // `[America/New_York]`, `(Coordinated Universal Time)`
    let named = |open: char, close: char| {
        let inside = rest.strip_suffix(close)?;
        let (before, name) = inside.split_once(open)?;
        let is_name = |c: char| c.is_alphabetic() || matches!(c, ' ' | '/' | '_');
        (clock.contains(':') && name.chars().all(is_name)).then_some(before)
    };
    let rest = named('[', ']').or_else(|| named('(', ')')).unwrap_or(rest);
    rest.split_whitespace().all(|word| {
        let word = word.to_lowercase();
        let is_day = |day: &&'static str| {
            word.starts_with(day) && (word.len() <= 4 || word.len() <= 9 && word.ends_with("day"))
        };
        BEHIND_TIMES.contains(&word.as_str()) || WEEKDAYS.iter().any(is_day)
    })
}

/// Whether no date is of this form: it has a part that is none, or not all that a date needs.
pub(super) fn never_fits(format: &str) -> bool {
    let day = jiff::civil::date(2026, 2, 28);
    let Ok(moment) = day.at(13, 45, 59, 0).to_zoned(jiff::tz::TimeZone::UTC) else {
        return false;
    };
    let written = jiff::fmt::strtime::format(format, &moment);
    written.map_or(true, |text| date_of(&text, format) != Some(day))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::searching;

    #[test]
    fn a_form_that_no_date_has_is_known_beforehand() {
        for format in [
            "%m/%d/%Y",
            "%Y-%m-%d",
            "%d-%b-%Y",
            "%b %d, %Y",
            "%m/%d/%y",
            "%A, %d %B %Y",
            "%Y%m%d",
            "%Y-%m-%dT%H:%M:%S",
            "%m/%d/%Y %I:%M %p",
            "%F",
            "%D",
        ] {
            assert!(!never_fits(format), "{format}");
        }
        for format in [
            "MM/dd/yyyy",
            "%m/%d",
            "%Y",
            "%H:%M",
            "%Q/%m/%d",
            "%m/%m/%Y",
            "",
        ] {
            assert!(never_fits(format), "{format}");
        }
    }

    fn eval(script: &str) -> Result<String, String> {
        let mut engine = Engine::new();
        super::super::helpers::register(&mut engine);
        register_type(&mut engine);
        register(&mut engine);
        match engine.eval::<Dynamic>(script) {
            Ok(value) => Ok(value.to_string()),
            Err(error) => {
                let error = crate::script::error::locate("test", *error);
                Err(format!(
                    "{}: {}",
                    error.field.unwrap_or_default(),
                    error.message
                ))
            }
        }
    }

    fn to_date(text: &str, format: &str) -> String {
        eval(&format!(
            r#"`${{to_date(#{{ d: "{text}" }}, "d", "{format}")}}`"#
        ))
        .unwrap()
    }

    #[test]
    fn r12_a_date_is_a_day_or_none_or_unreadable() {
        for (text, format, wanted) in [
            ("02/28/2026", "%m/%d/%Y", "2026-02-28"),
            ("2/8/2026", "%m/%d/%Y", "2026-02-08"),
            ("2026-02-28T00:00:00.0000000", "%Y-%m-%d", "2026-02-28"),
            ("2026-02-28T23:00:00Z", "%Y-%m-%d", "2026-02-28"),
            ("10/19/2025 10:35:00 MDT", "%m/%d/%Y", "2025-10-19"),
            ("04-OCT-2026 00:00:00", "%d-%b-%Y", "2026-10-04"),
            ("Jul 4, 2026 12:00 AM", "%b %d, %Y", "2026-07-04"),
            ("Jul  4, 2026", "%b %d, %Y", "2026-07-04"),
            ("7/4/26", "%m/%d/%y", "2026-07-04"),
            ("", "%m/%d/%Y", ""),
            (" ", "%m/%d/%Y", ""),
            ("01/01/1900", "%m/%d/%Y", ""),
            ("1970-01-01", "%Y-%m-%d", ""),
            ("1970-01-01T00:00:00Z", "%Y-%m-%d", ""),
            ("0001-01-01T00:00:00", "%Y-%m-%d", ""),
            ("9999-12-31", "%Y-%m-%d", ""),
            ("00/00/0000", "%m/%d/%Y", ""),
            ("0000-00-00", "%Y-%m-%d", ""),
            ("0000-00-00 00:00:00", "%m/%d/%Y", ""),
            ("0000-05-12", "%Y-%m-%d", ""),
            ("05/12/0000", "%m/%d/%Y", ""),
            ("0", "%m/%d/%Y", ""),
            ("13/45/2026", "%m/%d/%Y", "unreadable"),
            ("02/30/2026", "%m/%d/%Y", "unreadable"),
            ("2026-02-281", "%Y-%m-%d", "unreadable"),
            ("28.02.2026", "%m/%d/%Y", "unreadable"),
            ("7/4/26", "%m/%d/%Y", "unreadable"),
            ("7/4/2026", "%m/%d/%y", "unreadable"),
            ("soon", "%m/%d/%Y", "unreadable"),
            ("-", "%m/%d/%Y", "unreadable"),
            // What stands behind a date is a time, or may say anything.
            ("02/28/2026 12:00 a.m. EST", "%m/%d/%Y", "2026-02-28"),
            (
                "2026-02-28T00:00:00-05:00[America/New_York]",
                "%Y-%m-%d",
                "2026-02-28",
            ),
            (
                "2026-02-28 00:00:00 +0000 (Coordinated Universal Time)",
                "%Y-%m-%d",
                "2026-02-28",
            ),
            ("28.02.2026 12:00 Uhr", "%d.%m.%Y", "2026-02-28"),
            ("02/28/2026 Saturday", "%m/%d/%Y", "2026-02-28"),
            ("02/28/2026 (cancelled)", "%m/%d/%Y", "unreadable"),
            ("02/28/2026 estimated", "%m/%d/%Y", "unreadable"),
            ("02/28/2026 3 days late", "%m/%d/%Y", "unreadable"),
            ("2026-02-28 to 2027-02-27", "%Y-%m-%d", "unreadable"),
            ("2026-02-28 2027-02-27", "%Y-%m-%d", "unreadable"),
            ("28-Feb-2026 void", "%d-%b-%Y", "unreadable"),
            // The year 26 is not meant.
            ("02/28/0026", "%m/%d/%Y", "unreadable"),
            ("0026-02-28", "%Y-%m-%d", "unreadable"),
            ("0026-02-28T00:00:00", "%Y-%m-%d", "unreadable"),
        ] {
            assert_eq!(to_date(text, format), wanted, "{text} as {format}");
        }
        assert_eq!(eval(r#"`${to_date(#{}, "d", "%Y")}`"#).unwrap(), "");
        assert_eq!(
            eval(r#"is_unreadable(to_date(#{ d: [1] }, "d", "%Y"))"#).unwrap(),
            "true"
        );
    }

    proptest! {
        #![proptest_config(searching(2_000))]

        #[test]
        fn a_date_at_a_glance_is_the_date_by_its_form(
            text in "([0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}|0[1-9][-/][0-3][0-9][-/][12][0-9]{3}|[12][0-9]{3}-0[0-9]-[0-3][0-9])([ Tt].{0,8}|[0-9]?)|.{0,12}",
        ) {
            for format in ["%Y-%m-%d", "%m/%d/%Y"] {
                if let Some(found) = at_a_glance(&text, format) {
                    prop_assert_eq!(found, date_by_form(&text, format), "{} as {}", text, format);
                }
            }
            let parsed: Option<Date> = text.parse().ok();
            prop_assert_eq!(day(&text), parsed.filter(|day| is_of_a_calendar(*day)));
        }
    }

    #[test]
    fn r12_parse_date_goes_on_failing_where_to_date_does_not() {
        let of_several =
            r#"parse_date(#{ d: "2026-02-28T00:00:00" }, "d", ["%m/%d/%Y", "%Y-%m-%d"])"#;
        assert_eq!(eval(of_several).unwrap(), "2026-02-28");
        assert_eq!(
            eval(r#"`${parse_date(#{ d: "01/01/1900" }, "d", "%m/%d/%Y")}`"#).unwrap(),
            ""
        );
        let wrong = r#"parse_date(#{ d: "02/30/2026" }, "d", ["%m/%d/%Y", "%Y-%m-%d"])"#;
        assert_eq!(
            eval(wrong).unwrap_err(),
            "d: is no date of the form %m/%d/%Y or %Y-%m-%d"
        );
    }

    #[test]
    fn what_is_unreadable_is_neither_before_nor_after_anything() {
        let script = r#"let u = to_date(#{ d: "x" }, "d", "%Y"); let v = to_date(#{ d: "y" }, "d", "%Y");
            [u == (), u != (), u < "2026-01-01", u > "2026-01-01", u == v, u != v, u < v, u >= v, first([(), u, "a"]) != "a", type_of(u)]"#;
        assert_eq!(
            eval(script).unwrap(),
            r#"[false, true, false, false, false, true, false, false, true, "unreadable"]"#
        );
    }
}
