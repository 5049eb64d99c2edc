//! Dates in the forms that PMSs write and that scripts read, whether the day exists or not, and birthdays of which only the
//! year stays. Pure.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// A text that is a date, and where its parts stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dated {
    /// Day and month stand there, and a year; behind them there may be a time.
    Written {
        day: Range<usize>,
        month: Range<usize>,
        /// Where the date ends, and a time may begin.
        end: usize,
    },
    /// A number since 1970.
    Since1970 {
        /// Where it stands, with its sign.
        number: Range<usize>,
        /// How many of them a second has.
        unit: i64,
    },
}

impl Dated {
    /// The date that a text is. Digits alone are one only in a field that is called like a date.
    pub(super) fn of(text: &str, field: &str) -> Option<Dated> {
        if let Some(inner) = text
            .strip_prefix("/Date(")
            .and_then(|rest| rest.strip_suffix(")/"))
        {
            let digits = inner.strip_prefix('-').unwrap_or(inner);
            let end = digits.find(['+', '-']).unwrap_or(digits.len());
            let (number, zone) = digits.split_at(end);
            let zone = zone.get(1..).unwrap_or_default();
            let from = "/Date(".len();
            let to = from + inner.len() - (digits.len() - end);
            return (is_number(number, 1..=15) && is_number(zone, 0..=4)).then_some(
                Dated::Since1970 {
                    number: from..to,
                    unit: 1_000,
                },
            );
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        if is_number(digits, 8..=16) {
            return says_date(field).then(|| bare(text)).flatten();
        }
        written(text)
    }

    /// The same of another day of the year, in the same form. `chance` decides which.
    pub(super) fn with_another_day(&self, text: &str, chance: u32) -> Option<String> {
        let (day, month) = (1 + chance % 28, 1 + chance / 28 % 12);
        match self {
            Dated::Since1970 { number: at, unit } => {
                let number: i64 = text.get(at.clone())?.parse().ok()?;
                let before = Timestamp::from_second(number.div_euclid(*unit)).ok()?;
                let year = before.to_zoned(TimeZone::UTC).year();
                let other = date(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
                let other = other.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
                let other = other.checked_mul(*unit)?.to_string();
                Some(replaced(text, [(at.clone(), other)]))
            }
            Dated::Written {
                day: day_at,
                month: month_at,
                end,
            } => {
                let day_was = text.get(day_at.clone())?;
                let month_was = text.get(month_at.clone())?;
                let number = |was: &str, number: u32| {
                    // What has one digit stays so.
                    let number = if was.len() == 1 {
                        1 + number % 9
                    } else {
                        number
                    };
                    format!("{number:0width$}", width = was.len())
                };
                let month = if month_was.starts_with(|c: char| c.is_ascii_digit()) {
                    number(month_was, month)
                } else {
                    name(month_was, month)
                };
                // The hour of a birth says more than the day.
                let time: String = text
                    .get(*end..)?
                    .chars()
                    .map(|c| if c.is_ascii_digit() { '0' } else { c })
                    .collect();
                let mut parts = [
                    (day_at.clone(), number(day_was, day)),
                    (month_at.clone(), month),
                ];
                parts.sort_by_key(|(range, _)| range.start);
                Some(replaced(text.get(..*end)?, parts) + &time)
            }
        }
    }
}

/// Whether it is that many digits.
fn is_number(text: &str, digits: std::ops::RangeInclusive<usize>) -> bool {
    digits.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit())
}

/// Whether a field, in lower case, is called like a date.
fn says_date(field: &str) -> bool {
    const DATES: [&str; 12] = [
        "date", "time", "dob", "birth", "born", "move", "lease", "start", "end", "from", "until",
        "since",
    ];
    const NUMBERS: [&str; 6] = ["id", "code", "number", "key", "ref", "no"];
    let says = |words: &[&str]| words.iter().any(|word| field.contains(word));
    says(&DATES) && (field.contains("date") || !NUMBERS.iter().any(|word| field.ends_with(word)))
}

/// Digits alone: year, month and day, or a moment of this century or the last.
fn bare(text: &str) -> Option<Dated> {
    if text.len() == 8 && !text.starts_with('-') {
        let number = |range: Range<usize>| text.get(range)?.parse::<u32>().ok();
        let is_day =
            (1900..2101).contains(&number(0..4)?) && number(4..6)? <= 12 && number(6..8)? <= 31;
        return is_day.then_some(Dated::Written {
            day: 6..8,
            month: 4..6,
            end: 8,
        });
    }
    let number: i64 = text.parse().ok()?;
    let is_near = |unit: &i64| {
        let moment = Timestamp::from_second(number.div_euclid(*unit));
        moment.is_ok_and(|moment| (1900..2101).contains(&moment.to_zoned(TimeZone::UTC).year()))
    };
    let unit = [1, 1_000, 1_000_000].into_iter().find(is_near)?;
    Some(Dated::Since1970 {
        number: 0..text.len(),
        unit,
    })
}

/// Day, month and year in any order, with the month as a number or by its name.
fn written(text: &str) -> Option<Dated> {
    let mut runs = runs(text);
    // Sat, 4 Oct 2026
    if runs
        .first()
        .is_some_and(|run| is_name(text.get(run.clone()).unwrap_or_default(), &DAYS))
    {
        runs.remove(0);
    }
    let [one, two, three, ..] = runs.as_slice() else {
        return None;
    };
    let at = |run: &Range<usize>| text.get(run.clone()).unwrap_or_default();
    let between =
        |one: &Range<usize>, two: &Range<usize>| text.get(one.end..two.start).unwrap_or_default();
    let (first, second) = (between(one, two), between(two, three));
    let is_small = |run: &Range<usize>| is_number(at(run), 1..=2);
    let is_year = |run: &Range<usize>| is_number(at(run), 4..=4);
    let is_short_year = |run: &Range<usize>| is_number(at(run), 2..=2);
    let is_month = |run: &Range<usize>| is_name(at(run), &MONTHS);
    let with_numbers = ["-", "/", "."].contains(&first) && first == second;
    let with_name = [first, second]
        .iter()
        .all(|text| text.chars().count() <= 3 && text.chars().all(|c| " -/.,".contains(c)));
    let (day, month) = if with_numbers && is_year(one) && is_small(two) && is_small(three) {
        (three, two)
    } else if with_numbers
        && is_small(one)
        && is_small(two)
        && (is_year(three) || is_short_year(three))
    {
        // Which of the two is the day does not matter: both go.
        (two, one)
    } else if with_name
        && is_small(one)
        && is_month(two)
        && (is_year(three) || is_short_year(three))
    {
        (one, two)
    } else if with_name && is_month(one) && is_small(two) && is_year(three) {
        (two, one)
    } else if with_name && is_year(one) && is_month(two) && is_small(three) {
        (three, two)
    } else {
        return None;
    };
    is_time(text.get(three.end..)?).then(|| Dated::Written {
        day: day.clone(),
        month: month.clone(),
        end: three.end,
    })
}

/// Runs of digits and of letters.
fn runs(text: &str) -> Vec<Range<usize>> {
    let kind = |c: char| match c {
        c if c.is_ascii_digit() => 1,
        c if c.is_alphabetic() => 2,
        _ => 0,
    };
    let (mut runs, mut before) = (Vec::<Range<usize>>::new(), 0);
    for (at, c) in text.char_indices() {
        let now = kind(c);
        match runs.last_mut() {
            Some(run) if now != 0 && now == before => run.end = at + c.len_utf8(),
            _ if now != 0 => runs.push(at..at + c.len_utf8()),
            _ => {}
        }
        before = now;
    }
    runs
}

/// A name of a month or a day, or the beginning of one.
fn is_name(text: &str, names: &[&str]) -> bool {
    let lower = text.to_lowercase();
    let begins = |name: &str| name == lower || name.get(..3) == Some(lower.as_str());
    names.iter().any(|name| begins(name)) || names == MONTHS && lower == "sept"
}

/// A time of day with its zone, or nothing.
fn is_time(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return true;
    };
    let letters = text.chars().filter(char::is_ascii_alphabetic).count();
    "T ,".contains(first)
        && text.len() <= 40
        && letters <= 6
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " ,:.+-".contains(c))
}

/// The name of a month, as long as another and with its capitals.
fn name(was: &str, month: u32) -> String {
    let index = usize::try_from(month.saturating_sub(1)).unwrap_or_default();
    let full = MONTHS.get(index).copied().unwrap_or(MONTHS[0]);
    let is_full =
        was.len() > 4 || was.eq_ignore_ascii_case("june") || was.eq_ignore_ascii_case("july");
    let plain = if is_full {
        full
    } else {
        full.get(..3).unwrap_or(full)
    };
    let mut capitals = was.chars().map(char::is_uppercase);
    let first = capitals.next().unwrap_or(false);
    let rest = capitals.next().unwrap_or(false);
    plain
        .char_indices()
        .map(|(at, c)| {
            if if at == 0 { first } else { rest } {
                c.to_ascii_uppercase()
            } else {
                c
            }
        })
        .collect()
}

/// A text with other parts, in their order.
fn replaced(text: &str, parts: impl IntoIterator<Item = (Range<usize>, String)>) -> String {
    let (mut made, mut from) = (String::new(), 0);
    for (range, part) in parts {
        made += text.get(from..range.start).unwrap_or_default();
        made += &part;
        from = range.end;
    }
    made + text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMS: [&str; 22] = [
        "2026-02-30T00:00:00",
        "02/28/2026 00:00:00 MST",
        "Mar  1 2026 12:00AM",
        "7/4/26",
        "04-OCT-2026 00:00:00",
        "4 October 2026",
        "04-Oct-26",
        "Jul 4, 2026 12:00 AM",
        "July 4, 2026",
        "Sept. 4, 2026",
        "Sat, 04 Oct 2026 00:00:00 GMT",
        "04.10.2026",
        "2026.10.04",
        "2026/10/4",
        "2026-Oct-04",
        "20261004",
        "/Date(1790000000000)/",
        "/Date(-86400000-0500)/",
        "1790000000",
        "1790000000000",
        "-86400000000",
        "2026-10-04T22:15:00.123+02:00",
    ];

    #[test]
    fn every_form_that_scripts_read_is_a_date() {
        for text in FORMS {
            assert!(Dated::of(text, "movedate").is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "123-45-6789",
            "10 Main Street",
            "12 May Street 2026",
            "May Winters",
            "1-2",
            "20261304",
            "2026-10-04 for Ana Ruiz of 12B",
            "12.5.1.2",
            "/Date(x)/",
            "99999999999999999",
            "",
        ] {
            assert_eq!(Dated::of(text, "movedate"), None, "{text}");
        }
        for field in ["tenantid", "phone", "leaseid", ""] {
            assert_eq!(Dated::of("20261004", field), None, "{field}");
            assert_eq!(Dated::of("1790000000", field), None, "{field}");
        }
    }

    #[test]
    fn of_a_birthday_only_the_year_and_the_form_stay() {
        let other = |text: &str| {
            let dated = Dated::of(text, "birthdate").unwrap();
            dated.with_another_day(text, 28 * 2 + 16).unwrap()
        };
        for (text, made) in [
            ("1980-07-04", "1980-03-17"),
            ("7/4/80", "4/9/80"),
            ("04-OCT-1980 07:15:00", "17-MAR-1980 00:00:00"),
            ("October 04, 1980", "March 17, 1980"),
            ("19800704", "19800317"),
            ("/Date(331560000000)/", "/Date(322099200000)/"),
            ("331560000", "322099200"),
        ] {
            assert_eq!(other(text), made);
        }
    }

    proptest! {
        #[test]
        fn another_day_is_a_date_of_the_same_form(at in 0..FORMS.len(), chance: u32) {
            let text = FORMS[at];
            let dated = Dated::of(text, "birthdate").unwrap();
            let made = dated.with_another_day(text, chance).unwrap();
            prop_assert!(Dated::of(&made, "birthdate").is_some(), "{} {}", text, made);
        }

        #[test]
        fn no_text_is_too_odd(text in "(\\PC|[0-9/. -]){0,24}", field in "[a-z]{0,8}", chance: u32) {
            if let Some(dated) = Dated::of(&text, &field) {
                dated.with_another_day(&text, chance);
            }
        }
    }
}
