//! Moments as PMSs write them, to the day that it was at the property: numbers since 1970, `/Date(…)/`, ISO 8601 with `Z`
//! or an offset. And how many days lie between two dates. No clock is asked. What has no zone is `dates`' to read.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};
use rhai::{Dynamic, Engine, EvalAltResult, INT, Map};

use crate::model::{is_sentinel, is_sentinel_text};

use super::dates::{Unreadable, given, is_of_a_calendar, written};
use super::described::Described;
use super::error::FieldError;
use super::helpers::{as_text, get};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// How many of a unit are a second; or which units there are.
pub(super) fn unit_of(unit: &str) -> Result<i64, String> {
    match unit {
        "s" => Ok(1),
        "ms" => Ok(1_000),
        "us" => Ok(1_000_000),
        _ => Err(format!(
            "`{unit}` is no unit of time since 1970; write s for seconds, ms for milliseconds, or us for microseconds"
        )),
    }
}

pub(super) fn register(engine: &mut Engine) {
    let record = "record: Map";
    let path = "path: &str";
    let zone = "timezone: &str";
    Described(engine)
        .function(
            "epoch_date",
            &[record, path, "unit: &str", "Dynamic"],
            "The day, in UTC, of a number of seconds (`s`), milliseconds (`ms`) or microseconds (`us`) since 1970, as \
             `YYYY-MM-DD`; of `/Date(…)/` too, which counts milliseconds whatever the unit, where its own offset says, if it has one. Absent and \
             unreadable as to_date has them; 0 stands for none.
             epoch_date(#{ d: 1772323200 }, \"d\", \"s\") → \"2026-03-01\"
             epoch_date(#{ d: \"/Date(1772323200000)/\" }, \"d\", \"ms\") → \"2026-03-01\"
             epoch_date(#{ d: 0 }, \"d\", \"s\") → ()
             is_unreadable(epoch_date(#{ d: \"soon\" }, \"d\", \"s\")) → true",
            |record: &mut Map, path: &str, unit: &str| epoch_date(&get(record, path), path, unit, None),
        )
        .function(
            "epoch_date",
            &[record, path, "unit: &str", zone, "Dynamic"],
            "With a time zone, the day that it was there.
             epoch_date(#{ d: 1772323200 }, \"d\", \"s\", ctx.timezone) → \"2026-02-28\"",
            |record: &mut Map, path: &str, unit: &str, zone: &str| {
                epoch_date(&get(record, path), path, unit, Some(zone))
            },
        )
        .function(
            "instant_date",
            &[record, path, zone, "Dynamic"],
            "The day that it was in a time zone, mostly ctx.timezone, at a moment written by ISO 8601 with `Z` or an offset, or as `/Date(…)/`; \
             of what has neither, the day as it is written. For moments only: a PMS that writes a day as its midnight in UTC means that day, which \
             to_date takes. Absent and unreadable as to_date has them.
             instant_date(#{ d: \"2026-03-01T03:30:00Z\" }, \"d\", ctx.timezone) → \"2026-02-28\"
             instant_date(#{ d: \"2026-03-01T23:30:00-05:00\" }, \"d\", \"Europe/Berlin\") → \"2026-03-02\"
             instant_date(#{ d: \"2026-03-01T03:30:00\" }, \"d\", ctx.timezone) → \"2026-03-01\"",
            |record: &mut Map, path: &str, zone: &str| {
                instant_date(&get(record, path), path, zone)
            },
        )
        .function(
            "days_between",
            &["from", "to", "Dynamic"],
            "How many days lie between two dates as to_date gives them, below 0 where the second comes first; `()` where either \
             is absent or unreadable.
             days_between(\"2026-02-27\", \"2026-03-01\") → 2
             days_between(ctx.today, \"2026-02-27\") → -2
             days_between((), ctx.today) → ()",
            |from: Dynamic, to: Dynamic| days_between(&from, &to),
        );
}

/// A time zone by its name.
fn known(path: &str, zone: &str) -> Fallible<TimeZone> {
    TimeZone::get(zone).map_err(|_| {
        let message =
            format!("`{zone}` is no time zone; give ctx.timezone, or one such as America/New_York");
        FieldError::thrown(path, message)
    })
}

pub(super) fn epoch_date(
    value: &Dynamic,
    path: &str,
    unit: &str,
    zone: Option<&str>,
) -> Fallible<Dynamic> {
    let zone = zone.map(|zone| known(path, zone)).transpose()?;
    let in_second = unit_of(unit).map_err(|message| FieldError::thrown(path, message))?;
    Ok(day_of(value, |text| match json_date(text) {
        Some((seconds, offset)) => day_at(seconds, zone.clone().or(offset)),
        None => day_at(number(text)?.div_euclid(in_second), zone.clone()),
    }))
}

pub(super) fn instant_date(value: &Dynamic, path: &str, zone: &str) -> Fallible<Dynamic> {
    let zone = known(path, zone)?;
    Ok(day_of(value, |text| {
        if let Some((seconds, _)) = json_date(text) {
            return day_at(seconds, Some(zone.clone()));
        }
        // What stands for no day need be no moment: the last day of 9999 is beyond them.
        let written = text.get(..10).and_then(|day| day.parse::<Date>().ok());
        if let Some(none) = written.filter(|day| is_sentinel(*day)) {
            return Some(none);
        }
        let moment = iso(text).parse::<Timestamp>();
        moment.map_or_else(
            |_| text.parse::<DateTime>().ok().map(DateTime::date),
            |moment| day_at(moment.as_second(), Some(zone.clone())),
        )
    }))
}

/// What a script gets for what is written, by how its text is read: one that cannot be read is unreadable.
fn day_of(value: &Dynamic, read: impl FnOnce(&str) -> Option<Date>) -> Dynamic {
    let day = match written(value) {
        Some(None) => return Dynamic::UNIT,
        Some(Some(text)) if is_sentinel_text(&text) => return Dynamic::UNIT,
        Some(Some(text)) => read(&text).filter(|day| is_of_a_calendar(*day)),
        None => None,
    };
    day.map_or_else(|| Dynamic::from(Unreadable), given)
}

/// The day at a second since 1970, in UTC where there is no zone. Where it stands for none in UTC it does so everywhere.
fn day_at(seconds: i64, zone: Option<TimeZone>) -> Option<Date> {
    const DAY: i64 = 24 * 60 * 60;
    let days = Span::new().try_days(seconds.div_euclid(DAY)).ok()?;
    let day = date(1970, 1, 1).checked_add(days).ok()?;
    match zone {
        Some(zone) if !is_sentinel(day) => {
            let moment = Timestamp::from_second(seconds).ok()?;
            Some(moment.to_zoned(zone).date())
        }
        _ => Some(day),
    }
}

/// A number, without what is behind its point.
fn number(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_number = rest.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| whole.parse().ok()).flatten()
}

/// The seconds of `/Date(1772323200000-0500)/`, and the offset where it has one.
fn json_date(text: &str) -> Option<(i64, Option<TimeZone>)> {
    let inside = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let at = inside
        .rfind(['+', '-'])
        .filter(|at| *at > 0)
        .unwrap_or(inside.len());
    let (milliseconds, offset) = inside.split_at_checked(at)?;
    let seconds = milliseconds.parse::<i64>().ok()?.div_euclid(1_000);
    let offset = match offset {
        "" => None,
        offset => Some(TimeZone::fixed(offset_of(offset)?)),
    };
    Some((seconds, offset))
}

/// `-0500`.
fn offset_of(text: &str) -> Option<Offset> {
    let (sign, digits) = text.split_at_checked(1)?;
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let seconds = (number / 100) * 60 * 60 + (number % 100) * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// A moment by ISO 8601, also where a blank stands before its offset or `UTC` for `Z`.
fn iso(text: &str) -> Cow<'_, str> {
    match text.rsplit_once(' ') {
        Some((moment, "UTC" | "GMT" | "Z")) => format!("{moment}Z").into(),
        Some((moment, offset)) if offset.starts_with(['+', '-']) => {
            format!("{moment}{offset}").into()
        }
        _ => text.into(),
    }
}

fn days_between(from: &Dynamic, to: &Dynamic) -> Fallible<Dynamic> {
    let (Some(from), Some(to)) = (as_text(from), as_text(to)) else {
        return Ok(Dynamic::UNIT);
    };
    let day = |text: &str| {
        text.parse::<Date>().map_err(|_| {
            FieldError::thrown(
                "days_between",
                "takes two dates written YYYY-MM-DD, as to_date gives them",
            )
        })
    };
    let (from, to) = (day(&from)?, day(&to)?);
    let days = from.until(to).map_or(0, |span| span.get_days());
    Ok(INT::from(days).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::searching;

    const NEW_YORK: &str = "America/New_York";

    fn epoch(value: impl Into<Dynamic>, unit: &str, name: &str) -> String {
        let day = epoch_date(
            &value.into(),
            "d",
            unit,
            Some(name).filter(|name| !name.is_empty()),
        )
        .unwrap();
        if day.is::<Unreadable>() {
            return "unreadable".into();
        }
        day.to_string()
    }

    fn instant(text: &str, name: &str) -> String {
        let day = instant_date(&text.into(), "d", name).unwrap();
        if day.is::<Unreadable>() {
            return "unreadable".into();
        }
        day.to_string()
    }

    #[test]
    fn r12_a_number_since_1970_is_a_day_in_utc_or_at_the_property() {
        for (value, unit, zone, wanted) in [
            (Dynamic::from(1_772_323_200_i64), "s", "", "2026-03-01"),
            (
                Dynamic::from(1_772_323_200_i64),
                "s",
                NEW_YORK,
                "2026-02-28",
            ),
            (Dynamic::from(1_772_323_200_999_i64), "ms", "", "2026-03-01"),
            (Dynamic::from(1_772_323_200.5), "s", "", "2026-03-01"),
            (
                Dynamic::from(1_772_323_200_000_000_i64),
                "us",
                "",
                "2026-03-01",
            ),
            ("1772323200".into(), "s", "", "2026-03-01"),
            (" -86400 ".into(), "s", "", "1969-12-31"),
            ("/Date(1772323200000)/".into(), "ms", "", "2026-03-01"),
            ("/Date(1772323200000)/".into(), "s", NEW_YORK, "2026-02-28"),
            ("/Date(1772323200000-0500)/".into(), "ms", "", "2026-02-28"),
            ("/Date(1772323200000+0530)/".into(), "ms", "", "2026-03-01"),
            ("/Date(-62135596800000)/".into(), "ms", NEW_YORK, ""),
            (Dynamic::from(0_i64), "s", NEW_YORK, ""),
            (Dynamic::from(253_402_300_799_i64), "s", NEW_YORK, ""),
            (Dynamic::UNIT, "s", "", ""),
            (" ".into(), "s", "", ""),
            // Milliseconds that are taken for seconds.
            (Dynamic::from(1_772_323_200_000_i64), "s", "", "unreadable"),
            ("soon".into(), "s", "", "unreadable"),
            ("1.5e9".into(), "s", "", "unreadable"),
            ("/Date(x)/".into(), "ms", "", "unreadable"),
            ("/Date(1772323200000-05)/".into(), "ms", "", "unreadable"),
            (Dynamic::from(i64::MAX), "s", "", "unreadable"),
            (vec![Dynamic::ONE].into(), "s", "", "unreadable"),
        ] {
            let told = format!("{value:?} as {unit} in {zone}");
            assert_eq!(epoch(value, unit, zone), wanted, "{told}");
        }
        let error = epoch_date(&1_i64.into(), "d", "days", None).unwrap_err();
        assert!(error.to_string().contains("FieldError"), "{error}");
    }

    /// B8: the last evening of October in UTC is the first of November in Berlin.
    #[test]
    fn r12_a_moment_is_the_day_that_it_was_at_the_property() {
        for (text, zone, wanted) in [
            ("2026-10-31T23:00:00Z", "Europe/Berlin", "2026-11-01"),
            ("2026-10-31T23:00:00Z", NEW_YORK, "2026-10-31"),
            (
                "2026-10-31t23:00:00.1234567z",
                "Europe/Berlin",
                "2026-11-01",
            ),
            ("2026-10-31 23:00:00 UTC", "Europe/Berlin", "2026-11-01"),
            ("2026-10-31 23:00:00 +0000", "Europe/Berlin", "2026-11-01"),
            ("2026-10-31T23:00:00+0100", NEW_YORK, "2026-10-31"),
            ("2026-11-01T00:30:00+01:00", NEW_YORK, "2026-10-31"),
            ("/Date(1772323200000-0800)/", NEW_YORK, "2026-02-28"),
            ("2026-10-31T23:00:00", "Europe/Berlin", "2026-10-31"),
            ("2026-10-31", "Europe/Berlin", "2026-10-31"),
            ("1970-01-01T00:00:00Z", NEW_YORK, ""),
            ("1899-12-31T19:00:00-05:00", NEW_YORK, ""),
            ("9999-12-31T23:59:59Z", NEW_YORK, ""),
            ("0001-01-01T00:00:00Z", NEW_YORK, ""),
            ("0000-00-00T00:00:00Z", NEW_YORK, ""),
            ("", NEW_YORK, ""),
            ("2026-13-31T23:00:00Z", NEW_YORK, "unreadable"),
            ("10/31/2026", NEW_YORK, "unreadable"),
            ("0026-10-31T23:00:00Z", NEW_YORK, "unreadable"),
            ("0026-10-31", NEW_YORK, "unreadable"),
            ("soon", NEW_YORK, "unreadable"),
        ] {
            assert_eq!(instant(text, zone), wanted, "{text} in {zone}");
        }
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn whatever_is_written_for_a_moment_is_a_day_or_none_or_unreadable(text in "(/Date\\(-?[0-9]{0,20}[+-]?[0-9]{0,5}\\)/|[0-9T:Z+. -]{0,32}|\\PC{0,16})") {
            for unit in ["s", "ms", "us"] {
                for zone in ["", NEW_YORK] {
                    let day = epoch(text.as_str(), unit, zone);
                    prop_assert!(day.is_empty() || day == "unreadable" || day.parse::<Date>().is_ok());
                }
            }
            let day = instant(&text, NEW_YORK);
            prop_assert!(day.is_empty() || day == "unreadable" || day.parse::<Date>().is_ok());
        }

        #[test]
        fn a_moment_is_the_same_day_however_it_is_written(seconds in 86_400_i64..4_000_000_000) {
            let moment = Timestamp::from_second(seconds).unwrap();
            let day = instant(&moment.to_string(), NEW_YORK);
            prop_assert_eq!(&epoch(seconds, "s", NEW_YORK), &day);
            prop_assert_eq!(&epoch(seconds * 1_000, "ms", NEW_YORK), &day);
            prop_assert_eq!(&epoch(format!("/Date({})/", seconds * 1_000), "ms", NEW_YORK), &day);
            prop_assert_eq!(day, moment.to_zoned(TimeZone::get(NEW_YORK).unwrap()).date().to_string());
        }
    }
}
