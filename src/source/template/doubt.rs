//! What is wrong with a template whatever it is given: a filter that does not exist, that gets other arguments than it
//! takes, or that can make nothing of what it stands behind. Gives no text that is sent.

use std::sync::Arc;

use minijinja::value::{Object, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, context};

use crate::config::nearest;

use super::super::filters::{self, ANYTHING, Day, Since, is_certain};
use super::{FUEL, detail};

/// Tries templates with values in the place of those that are only known when a request is made.
#[derive(Debug)]
pub(in crate::source) struct Doubts {
    environment: Environment<'static>,
}

/// A text under every name but one.
#[derive(Debug, Default)]
struct Anything {
    but: Option<String>,
}

impl Object for Anything {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        let is_out = self.but.is_some() && name.as_str() == self.but.as_deref();
        (!is_out).then(|| Value::from(ANYTHING))
    }
}

impl Doubts {
    pub(in crate::source) fn new() -> Doubts {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        filters::add_to_trial(&mut environment);
        Doubts { environment }
    }

    /// What is wrong with a template; none where that hangs on what it is given.
    pub(in crate::source) fn of(&self, text: &str) -> Option<String> {
        let error = self.tried(text, None).err()?;
        let told = detail(&error);
        match error.kind() {
            ErrorKind::UnknownFilter => Some(no_such_filter(&told)),
            ErrorKind::MissingArgument | ErrorKind::TooManyArguments => Some(format!(
                "a filter of the template gets other arguments than it takes ({told}); write {{{{ today | date('%m/%d/%Y') }}}} or {{{{ today | days_ago(30) }}}}"
            )),
            ErrorKind::UnknownTest | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
                Some(format!("the template can give nothing: {told}; correct it"))
            }
            _ => is_certain(&error).then_some(told),
        }
    }

    /// Whether a template gives nothing where an integration does not set this field.
    pub(in crate::source) fn needs(&self, text: &str, field: &str) -> bool {
        let is_unset = |tried: Result<String, Error>| {
            tried.is_err_and(|error| error.kind() == ErrorKind::UndefinedError)
        };
        is_unset(self.tried(text, Some(field))) && !is_unset(self.tried(text, None))
    }

    /// What the template gives of values that are made up, `but` for one of `fields`.
    fn tried(&self, text: &str, but: Option<&str>) -> Result<String, Error> {
        let some = || Value::from_object(Anything::default());
        let but = but.map(str::to_owned);
        let values = context! {
            credential => some(),
            fields => Value::from_object(Anything { but }),
            given => some(),
            record => some(),
            grant => some(),
            event => some(),
            property => "1",
            today => Value::from_object(Day(jiff::civil::date(2026, 2, 28))),
            since => Value::from_object(Since),
            token => "t",
            method => "GET",
            path => "/",
            query => "",
            body => "",
            signature => "s",
            now => context! { seconds => 1_772_236_800, milliseconds => 1_772_236_800_000_u64 },
            page => context! { number => 1, offset => 0, size => 1, cursor => "c" },
        };
        self.environment.template_from_str(text)?.render(values)
    }
}

/// A name in one brace, which is no template where two are. In a body braces may be those of another language, in which
/// words stand alone.
pub(in crate::source) fn in_one_brace(text: &str, is_body: bool) -> Option<&str> {
    let is_name = |name: &str| match name.split_once('.') {
        Some((first, rest)) => {
            let firsts = [
                "credential",
                "fields",
                "page",
                "given",
                "record",
                "now",
                "grant",
                "event",
            ];
            firsts.contains(&first) && !rest.contains(char::is_whitespace)
        }
        None => !is_body && ["property", "today", "since", "token"].contains(&name),
    };
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('{') {
        let closes = [("{", "}}"), ("%", "%}"), ("#", "#}")];
        let opened = closes.iter().find(|(opens, _)| behind.starts_with(opens));
        if let Some((_, closes)) = opened {
            rest = behind.split_once(closes).map_or("", |(_, behind)| behind);
            continue;
        }
        let name = behind.split_once('}').map(|(name, _)| name.trim());
        if let Some(name) = name.filter(|name| is_name(name)) {
            return Some(name);
        }
        rest = behind;
    }
    None
}

fn no_such_filter(told: &str) -> String {
    let name = told.split_whitespace().nth(1).unwrap_or_default();
    let names = filters::names();
    let remedy = nearest(name, &names).map_or_else(
        || format!("there are: {}", names.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    format!("the template has no filter `{name}`; {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_filter_can_make_nothing_of_is_told_whatever_the_values() {
        let doubts = Doubts::new();
        for (template, told) in [
            (
                "{{ today | date('YYYY-MM-DD') }}",
                "`YYYY-MM-DD` is no date format",
            ),
            ("{{ today | date('%YYYY') }}", "`%YYYY` is no date format"),
            ("{{ today | date('%m/%dd') }}", "`%m/%dd` is no date format"),
            ("{{ today | date('now') }}", "`now` is no date format"),
            ("{{ today | date('%H:%M') }}", "`%H:%M` is no date format"),
            ("{{ today | date(7) }}", "`date` takes a form in quotes"),
            (
                "{{ today | days_ago('x') }}",
                "`days_ago` takes a whole number of days",
            ),
            (
                "{{ today | days_ago(3.5) }}",
                "`days_ago` takes a whole number of days",
            ),
            ("{{ today | days_ago(fields.days) }}", "fields.days | int"),
            ("{{ property | date('%Y') }}", "`date` is for `today`"),
            ("{{ since | date('%Y') }}", "{{ since | moment("),
            ("{{ since | days_ago(1) }}", "`days_ago` is for `today`"),
            (
                "{{ today | date('%Y') | days_ago(1) }}",
                "`days_ago` is for `today`",
            ),
            ("{{ today | moment('%Y') }}", "`moment` is for `since`"),
            ("{{ since | moment('%Q') }}", "`%Q` is no form of a moment"),
            ("{{ since | moment('%J') }}", "`%J` is no form of a moment"),
            (
                "{{ since | moment('yyyy-MM-dd') }}",
                "`yyyy-MM-dd` is no form of a moment",
            ),
            ("{{ since | host }}", "`host` takes a text"),
            ("{{ today | host }}", "`host` takes a text"),
            ("{{ today | path }}", "`path` takes a text"),
            ("{{ page.number | sha256 }}", "`sha256` takes a text"),
            (
                "{{ given.file | resolve(today) }}",
                "`resolve` takes a text",
            ),
            ("{{ today | number }}", "`number` gives nothing of a date"),
            ("{{ since | boolean }}", "`boolean` gives nothing of a date"),
            ("{{ today | dat('%Y') }}", "did you mean `date`?"),
            ("{{ today | date }}", "other arguments than it takes"),
        ] {
            let doubt = doubts.of(template).unwrap_or_default();
            assert!(doubt.contains(told), "{template}: {doubt}");
        }
    }

    #[test]
    fn what_hangs_on_a_value_is_not_doubted() {
        let doubts = Doubts::new();
        for template in [
            "{{ today }} {{ since }} {{ property }}",
            "{{ today | days_ago(30) | date('%Y-%m-%dT00:00:00Z') }}",
            "{{ today | days_ago(3.0) | date('%d. %B %y') }}",
            "{{ today | days_ago(fields.days | int) }}",
            "{{ since | moment('%s') | number }}",
            "{{ since | moment('%Y-%m-%dT%H:%M:%S.%3fZ') }}",
            "{{ since | moment('%Hh%M') }}",
            "{{ since[:10] }}",
            "{{ since | default('x') }}",
            "{{ given.changed | moment('%Y') }}",
            "{{ today | date(fields.form) }}",
            "{{ since | moment(fields.form) }}",
            "{{ credential.url | host }}",
            "{{ property | number }}",
            "{{ fields.all | boolean }}",
            "{{ page.number | number }}",
            "{{ given.file | resolve(credential.url) }}",
            "{{ since | sha256 }}",
            "{{ record.address.street | path }}",
            "{% if credential.system %}{{ credential.system | upper }}{% endif %}",
        ] {
            assert_eq!(doubts.of(template), None, "{template}");
        }
    }

    #[test]
    fn a_name_in_one_brace_is_no_template() {
        for (text, is_body, name) in [
            ("https://a.example/{property}/x", false, Some("property")),
            ("{{ credential.url }}/${ since }", false, Some("since")),
            ("{credential.url}", true, Some("credential.url")),
            (
                "{{ property }}/{% if today %}{x}{% endif %}{# {property} #}",
                false,
                None,
            ),
            ("query { residents { property } }", true, None),
            ("{page.}{", true, Some("page.")),
            ("{{property}}", false, None),
        ] {
            assert_eq!(in_one_brace(text, is_body), name, "{text}");
        }
    }

    #[test]
    fn a_field_without_a_default_is_needed() {
        let doubts = Doubts::new();
        for (template, needs) in [
            ("{{ fields.zone }}", true),
            ("{{ fields.zone | default('x') }}", false),
            ("{{ fields.zone or 'x' }}", true),
            ("{{ fields.zone | path }}", true),
            (
                "{% if fields.zone is defined %}{{ fields.zone }}{% endif %}",
                false,
            ),
            ("{{ fields.other }}", false),
            ("{{ record.a.b }}{{ fields.zone }}", false),
        ] {
            assert_eq!(doubts.needs(template, "zone"), needs, "{template}");
        }
    }
}
