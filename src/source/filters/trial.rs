//! The filters as a template is tried with them before anything is known: texts may be anything, and an error is one
//! whatever they are. Pure.

use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use minijinja::value::{Object, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::{Day, NO_DATE_FORM};

/// What a form of moments is that is none, as the filter says it.
const NO_FORM_OF_A_MOMENT: &str = "is no form of a moment; write one such as %Y-%m-%d %H:%M:%S";

/// What `since` is in a trial: a moment.
#[derive(Debug)]
pub(in crate::source) struct Since;

/// When it is.
const SINCE: &str = "2026-02-28T00:00:00Z";

/// A text in the place of one that is only known when a request is made: it may be anything.
pub(in crate::source) const ANYTHING: &str = "https://pms.example.com/1";

impl Object for Since {
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SINCE)
    }
}

/// What tells an error that comes whatever the values are.
#[derive(Debug)]
struct Certain;

impl fmt::Display for Certain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whatever the values are")
    }
}

impl std::error::Error for Certain {}

/// Whether an error comes whatever the values are.
pub(in crate::source) fn is_certain(error: &Error) -> bool {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = at {
        if error.is::<Certain>() {
            return true;
        }
        at = error.source();
    }
    false
}

fn never(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into()).with_source(Certain)
}

/// Lets templates be tried with them.
pub(in crate::source) fn add_to_trial(environment: &mut Environment<'static>) {
    environment.add_filter("date", date);
    environment.add_filter("days_ago", days_ago);
    environment.add_filter("moment", moment);
    environment.add_filter("host", |value: &Value| text("host", value));
    environment.add_filter("path", |value: &Value| text("path", value));
    environment.add_filter("resolve", |value: &Value, base: &Value| {
        text("resolve", base).and_then(|_| text("resolve", value))
    });
    environment.add_filter("sha256", |value: &Value| {
        if is_since(value) {
            return Ok(SINCE.to_owned());
        }
        text("sha256", value)
    });
    environment.add_filter("number", |value: &Value| no_day("number", value));
    environment.add_filter("boolean", |value: &Value| no_day("boolean", value));
    environment.add_filter("json", |value: &Value| is_there(value).map(|()| ANYTHING));
    // What is not set is left out.
    environment.add_filter("optional", |value: &Value| match is_there(value) {
        Ok(()) => value.clone(),
        Err(_) => Value::from(ANYTHING),
    });
}

/// Fails where there is nothing, as templates fail without filters.
fn is_there(value: &Value) -> Result<(), Error> {
    if value.is_undefined() || value.is_none() {
        return Err(ErrorKind::UndefinedError.into());
    }
    Ok(())
}

fn is_since(value: &Value) -> bool {
    value.downcast_object_ref::<Since>().is_some()
}

fn day_of(filter: &str, value: &Value) -> Result<Date, Error> {
    is_there(value)?;
    if let Some(day) = value.downcast_object_ref::<Day>() {
        return Ok(day.0);
    }
    let remedy = if is_since(value) {
        "; write {{ since | moment('%Y-%m-%d') }}"
    } else {
        ", and for what `days_ago` gives"
    };
    Err(never(format!("`{filter}` is for `today`{remedy}")))
}

fn date(day: &Value, form: &Value) -> Result<String, Error> {
    let day = day_of("date", day)?;
    let Some(form) = in_quotes("date", form, "%m/%d/%Y")? else {
        return Ok(ANYTHING.into());
    };
    let format = |day: Date| jiff::fmt::strtime::format(form, day).ok();
    // Of another year, month, day and day of the week.
    let other = day.checked_sub(jiff::Span::new().years(7).months(3).days(5));
    let other = other.ok().and_then(format);
    match format(day).filter(|text| other.as_ref() != Some(text) && !has_foreign_letters(form)) {
        Some(text) => Ok(text),
        None => Err(never(format!("`{form}` {NO_DATE_FORM}"))),
    }
}

fn days_ago(day: &Value, days: &Value) -> Result<Value, Error> {
    let day = day_of("days_ago", day)?;
    is_there(days)?;
    let Ok(days) = i64::try_from(days.clone()) else {
        let what = match days.kind() {
            ValueKind::String => {
                "and not a text; write {{ today | days_ago(30) }}, or {{ today | days_ago(fields.days | int) }}"
            }
            _ => "and nothing else; write {{ today | days_ago(30) }}",
        };
        return Err(never(format!(
            "`days_ago` takes a whole number of days, {what}"
        )));
    };
    super::days_ago(&Value::from_object(Day(day)), days)
}

fn moment(value: &Value, form: &Value) -> Result<String, Error> {
    is_there(value)?;
    if value.as_str().is_none() && !is_since(value) {
        return Err(never(
            "`moment` is for `since`; of `today` write {{ today | date('%Y-%m-%d') }}",
        ));
    }
    let Some(form) = in_quotes("moment", form, "%Y-%m-%d %H:%M:%S")? else {
        return Ok(ANYTHING.into());
    };
    let format = |moment: DateTime| {
        let moment = moment.to_zoned(TimeZone::UTC).ok()?;
        jiff::fmt::strtime::format(form, &moment).ok()
    };
    // Nothing of the one is in the other.
    let one = format(jiff::civil::date(2026, 2, 28).at(7, 5, 9, 123_000_000));
    let other = format(jiff::civil::date(2018, 11, 23).at(20, 41, 36, 654_000_000));
    match one.filter(|text| other.as_ref() != Some(text) && !has_foreign_letters(form)) {
        Some(text) => Ok(text),
        None => Err(never(format!("`{form}` {NO_FORM_OF_A_MOMENT}"))),
    }
}

/// A form that is written out; none where it hangs on a value.
fn in_quotes<'v>(filter: &str, form: &'v Value, such: &str) -> Result<Option<&'v str>, Error> {
    is_there(form)?;
    match form.as_str() {
        Some(form) => Ok((!form.contains(ANYTHING)).then_some(form)),
        None => Err(never(format!(
            "`{filter}` takes a form in quotes, such as {filter}('{such}')"
        ))),
    }
}

fn text(filter: &str, value: &Value) -> Result<String, Error> {
    is_there(value)?;
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(never(format!(
            "`{filter}` takes a text, and no date or number"
        ))),
    }
}

/// A number, or what may be one.
fn no_day(filter: &str, value: &Value) -> Result<String, Error> {
    is_there(value)?;
    if is_since(value) || value.downcast_object_ref::<Day>().is_some() {
        return Err(never(format!(
            "`{filter}` gives nothing of a date; leave it out"
        )));
    }
    Ok(ANYTHING.into())
}

/// Whether a form has letters as other systems write dates: `YYYY`, `dd`, and `%mm`.
fn has_foreign_letters(form: &str) -> bool {
    let mut characters = form.chars().peekable();
    // Letters that stand together; the first may be that of a part.
    let mut run = String::new();
    let is_foreign = |run: &str| {
        let mut pairs = run.as_bytes().windows(2);
        run.chars().all(|letter| "YyMmDdHhSs".contains(letter))
            && pairs.any(|pair| pair.first() == pair.last())
    };
    while let Some(character) = characters.next() {
        if character.is_ascii_alphabetic() {
            run.push(character);
            continue;
        }
        if is_foreign(&run) {
            return true;
        }
        run.clear();
        if character == '%' {
            // Flags and widths stand before the letter.
            while characters
                .next_if(|c| !c.is_ascii_alphabetic() && *c != '%')
                .is_some()
            {}
            run.extend(characters.next().filter(char::is_ascii_alphabetic));
        }
    }
    is_foreign(&run)
}

#[cfg(test)]
mod tests {
    use super::super::super::reference::FILTERS;

    #[test]
    fn every_filter_is_tried_by_one_of_its_name() {
        let here = include_str!("trial.rs");
        for one in FILTERS {
            let name = one.form.split('(').next().unwrap();
            assert!(here.contains(&format!("add_filter(\"{name}\"")), "{name}");
        }
    }
}
