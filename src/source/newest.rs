//! Which of several records is the newest, by a date, a number, or a name with one in it. Pure. What cannot be compared with
//! certainty is told: the wrong file would be read without a word.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;

/// The place of the newest, or of all that are the newest alike. None where there is none; an error says what cannot be
/// compared, as something is nothing, or is no date from the year on, no number and no name like the others.
pub(super) fn newest(keys: &[Option<&str>]) -> Result<Vec<usize>, String> {
    if let [_] = keys {
        return Ok(vec![0]);
    }
    let mut texts = Vec::with_capacity(keys.len());
    for (number, key) in keys.iter().enumerate() {
        let Some(key) = key.map(str::trim).filter(|key| !key.is_empty()) else {
            return Err(format!("record {} has nothing there", number + 1));
        };
        texts.push(key);
    }
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let order = if are_backward(&texts) {
        None
    } else {
        order(&texts, |text| text.parse::<u128>().ok())
            .or_else(|| order(&texts, decimal))
            .or_else(|| order(&texts, instant))
            .or_else(|| order(&texts, |text| text.parse::<DateTime>().ok()))
            .or_else(|| by_numbers(&texts))
    };
    let order = order.ok_or(
        "the records cannot be compared there: it must be a number, a date from the year on, or a name in which only numbers differ, the most important first, in all of them alike",
    )?;
    let mut newest = Vec::new();
    for (place, order) in order.into_iter().enumerate() {
        match order {
            Ordering::Greater => newest = vec![place],
            Ordering::Equal => newest.push(place),
            Ordering::Less => {}
        }
    }
    Ok(newest)
}

/// For each text how it compares with the greatest before it; none where one of them is not of the kind.
fn order<T: PartialOrd>(texts: &[&str], kind: impl Fn(&str) -> Option<T>) -> Option<Vec<Ordering>> {
    let values: Vec<T> = texts.iter().map(|text| kind(text)).collect::<Option<_>>()?;
    let mut greatest: Option<&T> = None;
    let mut order = Vec::with_capacity(values.len());
    for value in &values {
        let compared = match greatest {
            None => Ordering::Greater,
            Some(greatest) => value.partial_cmp(greatest)?,
        };
        if compared == Ordering::Greater {
            greatest = Some(value);
        }
        order.push(compared);
    }
    Some(order)
}

/// A number with a point, with a sign, or in groups of three digits.
fn decimal(text: &str) -> Option<f64> {
    let (whole, rest) = text.find('.').map_or((text, ""), |at| text.split_at(at));
    let digits = whole.trim_start_matches(['-', '+']);
    let mut groups = digits.split(',');
    let first = groups.next()?;
    let is_grouped = digits.contains(',');
    let fits = (!is_grouped || first.len() <= 3) && groups.all(|group| group.len() == 3);
    let is_number = !first.is_empty()
        && fits
        && (digits.chars().chain(rest.chars().skip(1))).all(|c| c.is_ascii_digit() || c == ',')
        && !rest.contains(',');
    is_number
        .then(|| format!("{}{rest}", whole.replace(',', "")).parse().ok())
        .flatten()
}

/// A moment with its distance from UTC.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        // `2026-03-01 10:00:00 +0200`
        let (moment, offset) = text.rsplit_once(' ')?;
        offset
            .starts_with(['+', '-'])
            .then(|| format!("{moment}{offset}").parse().ok())?
    })
}

/// Names in which only numbers differ are compared by those, from the left.
fn by_numbers(texts: &[&str]) -> Option<Vec<Ordering>> {
    let (first, rest) = texts.split_first()?;
    let parts = parts(first);
    let has_numbers = parts.iter().any(|part| is_number(part));
    let is_alike = rest.iter().all(|text| {
        let others = self::parts(text);
        let alike = |(one, other): (&&str, &&str)| {
            is_number(one) && is_number(other) || one.eq_ignore_ascii_case(other)
        };
        others.len() == parts.len() && parts.iter().zip(&others).all(alike)
    });
    if !has_numbers || !is_alike || has_a_zone(first) {
        return None;
    }
    order(texts, |text| {
        let numbers = self::parts(text).into_iter().filter(|part| is_number(part));
        let numbers = numbers.map(|number| number.parse::<u128>().ok());
        numbers.collect::<Option<Vec<u128>>>()
    })
}

/// A text, cut where digits begin and end.
fn parts(text: &str) -> Vec<&str> {
    text.as_bytes()
        .chunk_by(|one, other| one.is_ascii_digit() == other.is_ascii_digit())
        .scan(0, |at, chunk| {
            let from = *at;
            *at += chunk.len();
            text.get(from..*at)
        })
        .collect()
}

fn is_number(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

/// A time with a distance from UTC beside what could be read: moments are not compared by their digits.
fn has_a_zone(text: &str) -> bool {
    let parts = parts(text);
    let has_time = parts.contains(&":");
    has_time && parts.iter().any(|part| matches!(*part, "+" | " +" | " -"))
}

/// Whether there are dates in them all that do not begin with the year: `12/31/2025`, `31.12.25`, `12312025`.
fn are_backward(texts: &[&str]) -> bool {
    texts.iter().all(|text| {
        let parts = parts(text);
        let number = |at: usize| parts.get(at).copied().filter(|part| is_number(part));
        (0..parts.len()).any(|at| {
            let Some(one) = number(at) else { return false };
            if let [day @ .., _, _, _, _] = one.as_bytes()
                && day.len() == 4
            {
                return is_day_and_month(one);
            }
            let separated = parts
                .get(at + 1)
                .filter(|by| matches!(**by, "/" | "-" | "."));
            let (Some(by), Some(two), Some(year)) = (separated, number(at + 2), number(at + 4))
            else {
                return false;
            };
            let is_short = one.len() <= 2 && two.len() <= 2 && parts.get(at + 3) == Some(by);
            let is_year = year.len() == 4 || year.len() == 2 && (*by == "/" || one.len() == 2);
            is_short && is_year
        })
    })
}

/// Eight digits of which the year is the last, and not the first.
fn is_day_and_month(digits: &str) -> bool {
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse().ok());
    let (Some(one), Some(two), Some(year)) = (number(0, 2), number(2, 4), number(4, 8)) else {
        return false;
    };
    let (one, two, year): (u16, u16, u16) = (one, two, year);
    let is_date = (1..=31).contains(&one) && (1..=31).contains(&two) && one.min(two) <= 12;
    is_date && (1990..=2099).contains(&year) && !(1990..=2099).contains(&(one * 100 + two))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(keys: &[&'a str]) -> Result<&'a str, String> {
        let some: Vec<_> = keys.iter().copied().map(Some).collect();
        newest(&some).map(|places| keys[places[0]])
    }

    #[test]
    fn numbers_go_by_their_value_and_dates_by_their_moment() {
        for (keys, wanted) in [
            (&["9", "10", "8"][..], "10"),
            (&["9,000", "10,000", "999"], "10,000"),
            (&["9.5", "10.25", "-11"], "10.25"),
            (&["20251231", "20260102"], "20260102"),
            (
                &["18446744073709551617", "18446744073709551616"],
                "18446744073709551617",
            ),
            (&["2026-02-28", "2026-03-01", "2025-12-31"], "2026-03-01"),
            (
                &["2026-03-01T10:00:00+02:00", "2026-03-01T09:30:00Z"],
                "2026-03-01T09:30:00Z",
            ),
            (
                &["2026-03-01 10:00:00 +0200", "2026-03-01 09:30:00 +0000"],
                "2026-03-01 09:30:00 +0000",
            ),
            (
                &["2026-03-01T9:30:00", "2026-03-01T10:00:00"],
                "2026-03-01T10:00:00",
            ),
            (
                &["2026-03-01", "2026-03-01T10:00:00"],
                "2026-03-01T10:00:00",
            ),
        ] {
            assert_eq!(of(keys).as_deref(), Ok(wanted));
        }
    }

    #[test]
    fn names_in_which_only_numbers_differ_go_by_those() {
        for (keys, wanted) in [
            (&["report-9", "report-10"][..], "report-10"),
            (&["report_10.csv", "report_9.csv"], "report_10.csv"),
            (
                &["r_2026-03-01.csv", "r_2026-02-28.csv", "r_2025-12-31.csv"],
                "r_2026-03-01.csv",
            ),
            (&["2026/2/28", "2026/11/1"], "2026/11/1"),
            (&["v1.9.2", "v1.10.0"], "v1.10.0"),
            (
                &["Elm 20260301T0900", "elm 20260301T1000"],
                "elm 20260301T1000",
            ),
        ] {
            assert_eq!(of(keys).as_deref(), Ok(wanted));
        }
    }

    #[test]
    fn what_cannot_be_compared_is_told() {
        for keys in [
            &["12/31/2025", "01/02/2026"][..],
            &["31.12.2025", "02.01.2026"],
            &["12/31/25", "1/2/26"],
            &["report_12-31-2025.csv", "report_01-02-2026.csv"],
            &["12312025", "01022026"],
            &["a", "b"],
            &["report-9", "final-10"],
            &["9", "2026-01-01"],
            &["2026-03-01", "2026-03-01T10:00:00Z"],
            &["31 Dec 2025", "2 Jan 2026"],
            &["9:00 PM", "10:00 AM"],
        ] {
            let told = of(keys).unwrap_err();
            assert!(told.contains("cannot be compared"), "{keys:?}: {told}");
        }
        let told = newest(&[Some("1"), None]).unwrap_err();
        assert_eq!(told, "record 2 has nothing there");
        assert_eq!(newest(&[]), Ok(vec![]));
        assert_eq!(newest(&[None]), Ok(vec![0]));
    }

    #[test]
    fn all_that_are_the_newest_alike_are_given() {
        for (keys, wanted) in [
            (&["2026-03-01", "2026-02-28", "2026-03-01"][..], &[0, 2][..]),
            (&["9", "10", "10.0"], &[1, 2]),
            (&["report_1.csv", "report_01.csv"], &[0, 1]),
            (&["1", "1", "2"], &[2]),
        ] {
            let some: Vec<_> = keys.iter().copied().map(Some).collect();
            assert_eq!(newest(&some).as_deref(), Ok(wanted), "{keys:?}");
        }
    }
}
