//! Until when a credential is taken, as answers tell it: where it stands, and how it is written. Pure; tells nobody.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::model::{is_sentinel, is_sentinel_text};
use crate::outbound::Answer;

use super::Path;

/// Numbers from here on are milliseconds since 1970, and not seconds: in seconds it is the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;

/// Numbers below are no seconds since 1970 that anybody means: they end in 1973.
const SECONDS: i64 = 100_000_000;

/// Words for a credential that does not expire.
const NEVER: [&str; 5] = ["never", "none", "null", "no", "-"];

/// Where it stands, and how it is written.
#[derive(Debug)]
pub(super) struct Expires {
    pub(super) at: At,
    pub(super) form: Form,
}

/// Where it stands.
#[derive(Debug)]
pub(super) enum At {
    Path(Path),
    Header(String),
}

/// How it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A date, a moment, or a number since 1970.
    Plain,
    /// How many days are left.
    Days,
    /// How many seconds are left.
    Seconds,
    /// As `strftime` has it.
    Of(String),
}

/// What an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing, or that it does not expire.
    Nothing,
    /// The last day, in UTC, on which the credential is taken. Of a moment it is the last day that is over before it.
    Until(Date),
    /// Something that is no date.
    Unreadable,
}

impl Expires {
    /// Whether it stands in the answer itself, and not in a header.
    pub(super) fn is_in_answer(&self) -> bool {
        matches!(self.at, At::Path(_))
    }

    /// What an answer tells that has this around its records.
    pub(super) fn told(&self, answer: &Answer, around: &Value, now: Timestamp) -> Told {
        let text = match &self.at {
            At::Path(path) => path.text(around),
            At::Header(name) => answer.header(name).map(Into::into),
        };
        text.map_or(Told::Nothing, |text| self.form.read(&text, now))
    }
}

impl Form {
    /// Whether it says how much is left.
    fn counts(&self) -> bool {
        matches!(self, Form::Days | Form::Seconds)
    }

    fn read(&self, text: &str, now: Timestamp) -> Told {
        let text = text.trim();
        let is_never = text.is_empty()
            || !self.counts() && is_sentinel_text(text)
            || NEVER.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is_never {
            return Told::Nothing;
        }
        let last = match self {
            Form::Plain => plain(text),
            Form::Days => left(text, 86_400, now).map(utc),
            Form::Seconds => left(text, 1, now).and_then(before),
            Form::Of(form) => written(form, text),
        };
        match last {
            Some(day) if is_sentinel(day) => Told::Nothing,
            Some(day) => Told::Until(day),
            None => Told::Unreadable,
        }
    }
}

fn utc(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// The last day that is over, or as good as over, before a moment.
fn before(moment: Timestamp) -> Option<Date> {
    moment
        .checked_sub(SignedDuration::from_secs(1))
        .ok()
        .map(utc)
}

/// The same of a moment that says no zone.
fn before_civil(moment: DateTime) -> Option<Date> {
    let zoned = moment.to_zoned(TimeZone::UTC).ok()?;
    before(zoned.timestamp())
}

/// The moment at which so many of a unit are over.
fn left(text: &str, unit: i64, now: Timestamp) -> Option<Timestamp> {
    let count: f64 = text.parse().ok()?;
    // Of days that are counted in fractions the whole ones are left.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a longer time is out of range below"
    )]
    let seconds = (count.floor() as i64).checked_mul(unit)?;
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

fn plain(text: &str) -> Option<Date> {
    if let Ok(number) = text.parse::<i64>() {
        return match number {
            // A day may be written as `20270331`.
            ..SECONDS if text.len() == 8 => day("%Y%m%d", text),
            ..SECONDS => None,
            SECONDS..MILLISECONDS => before(Timestamp::from_second(number).ok()?),
            MILLISECONDS.. => before(Timestamp::from_millisecond(number).ok()?),
        };
    }
    // A date alone, before `DateTime` takes it for its first moment.
    if let Some(day) = day("%Y-%m-%d", text) {
        return Some(day);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return before(moment);
    }
    if let Ok(moment) = rfc2822::parse(text) {
        return before(moment.timestamp());
    }
    // `2027-03-31 00:00:00 UTC`, and `2027-03-31 00:00:00 +0200`
    let zoned = text.strip_suffix(" UTC").or(text.strip_suffix(" GMT"));
    let zoned = zoned.map(|moment| format!("{moment} +0000"));
    let zoned = strtime::parse("%Y-%m-%d %H:%M:%S %z", zoned.as_deref().unwrap_or(text));
    if let Ok(moment) = zoned.and_then(|read| read.to_timestamp()) {
        return before(moment);
    }
    text.parse::<DateTime>().ok().and_then(before_civil)
}

fn day(form: &str, text: &str) -> Option<Date> {
    strtime::parse(form, text)
        .and_then(|read| read.to_date())
        .ok()
}

/// A text in a form of `strftime`; without a zone it is in UTC.
fn written(form: &str, text: &str) -> Option<Date> {
    let read = BrokenDownTime::parse(form, text).ok()?;
    if let Ok(moment) = read.to_timestamp() {
        return before(moment);
    }
    match read.to_datetime() {
        Ok(moment) if read.hour().is_some() => before_civil(moment),
        _ => read.to_date().ok(),
    }
}

/// Whether a day can be read back from what the form makes of it.
pub(super) fn is_form(form: &str) -> bool {
    let days = [
        jiff::civil::date(2027, 3, 31),
        jiff::civil::date(2031, 11, 4),
    ];
    days.iter().all(|day| {
        let Ok(moment) = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC) else {
            return false;
        };
        let text = strtime::format(form, &moment);
        text.is_ok_and(|text| written(form, &text) == Some(*day))
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2027-03-17T10:30:00Z".parse().unwrap()
    }

    #[test]
    fn a_day_is_told_as_it_is_and_of_a_moment_the_last_day_before_it() {
        let of = |text: &str| Form::Plain.read(text, now());
        let until = |day| Told::Until(date(2027, 3, day));
        for (text, wanted) in [
            ("2027-03-31", until(31)),
            ("20270331", until(31)),
            ("2027-03-31T00:00:00Z", until(30)),
            ("2027-03-31T00:00:00+02:00", until(30)),
            ("2027-03-31T23:59:59Z", until(31)),
            ("2027-03-31T12:00:00", until(31)),
            ("2027-03-31T00:00:00", until(30)),
            ("2027-03-31 12:00:00 UTC", until(31)),
            ("2027-03-31 01:00:00 +0200", until(30)),
            ("Wed, 31 Mar 2027 12:00:00 GMT", until(31)),
            ("1806451200", until(30)),
            ("1806451201", until(31)),
            ("1806451201000", until(31)),
            (" 2027-03-31 ", until(31)),
        ] {
            assert_eq!(of(text), wanted, "{text}");
        }
        for never in [
            "",
            " ",
            "0",
            "never",
            "Never",
            "9999-12-31",
            "0001-01-01T00:00:00Z",
            "null",
        ] {
            assert_eq!(of(never), Told::Nothing, "{never}");
        }
        for unreadable in ["soon", "31.03.2027", "03/31/2027", "2027-02-30", "12"] {
            assert_eq!(of(unreadable), Told::Unreadable, "{unreadable}");
        }
    }

    #[test]
    fn what_is_left_is_counted_from_now_and_another_form_is_read_as_it_is_said() {
        let day = |day| Told::Until(date(2027, 3, day));
        let days = |text: &str| Form::Days.read(text, now());
        assert_eq!(days("14"), day(31));
        assert_eq!(days("0"), day(17));
        assert_eq!(days("-2"), day(15));
        assert_eq!(days("1.9"), day(18));
        assert_eq!(days("soon"), Told::Unreadable);
        assert_eq!(days("1e300"), Told::Unreadable);
        assert_eq!(Form::Seconds.read("86400", now()), day(18));
        let of = |form: &str, text: &str| Form::Of(form.into()).read(text, now());
        assert_eq!(of("%m/%d/%Y", "03/31/2027"), day(31));
        assert_eq!(of("%d.%m.%Y", "31.3.2027"), day(31));
        assert_eq!(of("%m/%d/%Y %H:%M", "03/31/2027 00:00"), day(30));
        assert_eq!(of("%m/%d/%Y", "31.3.2027"), Told::Unreadable);
        for (form, fits) in [
            ("%m/%d/%Y", true),
            ("%d %b %Y %H:%M:%S", true),
            ("%Y-%m-%dT%H:%M:%S%z", true),
            ("%m/%d", false),
            ("%H:%M", false),
            ("date", false),
            ("%Q", false),
        ] {
            assert_eq!(is_form(form), fits, "{form}");
        }
    }

    proptest! {
        #[test]
        fn whatever_an_answer_has_there_is_read_or_not_and_nothing_breaks(
            text in ".{0,40}",
            number in any::<i64>(),
        ) {
            for form in [Form::Plain, Form::Days, Form::Seconds, Form::Of("%m/%d/%Y".into())] {
                form.read(&text, now());
                form.read(&number.to_string(), now());
            }
        }
    }
}
