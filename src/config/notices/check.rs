//! What is wrong with `notify:`, by field: kinds, names, hosts, addresses, and templates as far as they can be looked at
//! without a message.

use std::collections::BTreeSet;
use std::net::IpAddr;

use minijinja::Environment;

use crate::model::time_zone;

use super::super::files::is_name;
use super::super::statements::stands_alone;
use super::super::{CredentialValue, Span};
use super::{Hook, HookForm, Notify, NotifyTo, Smtp, SmtpTls, hook_url};

/// What templates may name.
pub const NAMES: [&str; 9] = [
    "notification",
    "integration",
    "property",
    "new",
    "over",
    "passed",
    "more",
    "personal",
    "test",
];

type Found = Vec<(String, String)>;

/// What is wrong with all of them.
pub(in crate::config) fn problems(all: &[Notify]) -> Found {
    let mut found = Found::new();
    let mut names = BTreeSet::new();
    for (index, one) in all.iter().enumerate() {
        let of = |field: &str| format!("notify.{index}.{field}");
        if !is_name(one.name()) {
            let told = "is no name; use lower-case letters, digits, `-`, `_` and `.` only";
            found.push((of("name"), told.to_owned()));
        } else if !names.insert(one.name()) {
            let told = format!(
                "a second one is called `{}`; give each a `name` of its own",
                one.name()
            );
            let field = if one.name.is_some() { "name" } else { "to" };
            found.push((of(field), told));
        }
        found.extend(
            of_one(one)
                .into_iter()
                .map(|(field, told)| (of(field), told)),
        );
        let way = match &one.to {
            NotifyTo::Smtp(smtp) => of_smtp(smtp),
            NotifyTo::Webhook(hook) => of_hook(hook),
            NotifyTo::Exec(words) => of_program(words),
        };
        let way = way.into_iter().map(|(field, told)| {
            let at = format!("to.{}{field}", one.to.as_str());
            (of(&at), told)
        });
        found.extend(way);
    }
    found
}

fn of_one(one: &Notify) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if one.alerts.is_empty() && one.runs.is_empty() {
        let told = "names nothing to tell; write kinds into `alerts`, such as `mass_change_held`, or ends into `runs`, such as `failed`";
        found.push(("alerts", told.to_owned()));
    }
    if one.fold > Span::seconds(86_400) {
        found.push((
            "fold",
            format!("{} is too long; write `0s` to `1d`", one.fold),
        ));
    }
    if let Some(Err(told)) = one.timezone.as_deref().map(time_zone) {
        found.push(("timezone", told));
    }
    for (field, template) in [("subject", &one.subject), ("text", &one.text)] {
        if let Some(Err(told)) = template.as_deref().map(template_is_right) {
            found.push((field, told));
        }
    }
    found
}

/// A template that can be read, and names nothing that there is not.
fn template_is_right(template: &str) -> Result<(), String> {
    stands_alone(template).map_err(|told| format!("is no template: {told}"))?;
    let environment = Environment::new();
    let read = environment.template_from_str(template);
    let read = read.map_err(|error| {
        let line = error
            .line()
            .map_or(String::new(), |line| format!(" (line {line} of it)"));
        format!(
            "is no template: {}{line}; see docs/notify.md",
            super::without_line(&error)
        )
    })?;
    let used = read.undeclared_variables(false);
    let mut strange = used.iter().filter(|name| !NAMES.contains(&name.as_str()));
    match strange.next() {
        None => Ok(()),
        Some(name) => Err(format!(
            "names `{name}`, which a message does not have; it has: {}",
            NAMES.join(", ")
        )),
    }
}

/// Below the way; the field begins with a dot.
type OfWay = Vec<(String, String)>;

fn of_smtp(smtp: &Smtp) -> OfWay {
    let mut found = OfWay::new();
    let mut wrong = |field: &str, told: &str| found.push((format!(".{field}"), told.to_owned()));
    if !is_host(&smtp.host) {
        wrong(
            "host",
            "is no host; write its name or address alone, such as `mail.example.com`, and its port into `port`",
        );
    } else if smtp.tls == SmtpTls::None && !is_this_machine(&smtp.host) {
        wrong(
            "tls",
            "`none` goes to this machine only, as everybody between could read along; write `starttls` or `tls`",
        );
    }
    if smtp.port == Some(0) {
        wrong("port", "is out of range; write 1 to 65535");
    }
    match (&smtp.username, &smtp.password) {
        (Some(_), None) => wrong(
            "username",
            "has no password beside it; write `password: { file: PATH }`",
        ),
        (None, Some(_)) => wrong("password", "is nobody's; write the user into `username`"),
        _ => {}
    }
    if smtp.to.is_empty() {
        wrong("to", "is empty; write at least one address");
    }
    let mut seen = BTreeSet::new();
    for (index, to) in smtp.to.iter().enumerate() {
        if !seen.insert(to.address.to_lowercase()) {
            wrong(&format!("to.{index}"), "stands here twice; keep one");
        }
    }
    found.extend(of_timeout(smtp.timeout));
    found
}

fn of_hook(hook: &Hook) -> OfWay {
    let mut found = OfWay::new();
    let mut wrong = |field: &str, told: &str| found.push((format!(".{field}"), told.to_owned()));
    if let CredentialValue::Plain(text) = &hook.url {
        match hook_url(text) {
            Err(told) => wrong("url", told),
            Ok(url) if url.scheme() == "http" && !url.host_str().is_some_and(is_this_machine) => {
                wrong(
                    "url",
                    "goes over plain http; only what stays on this machine may: write `https://`",
                );
            }
            Ok(_) => {}
        }
    }
    match (hook.form, &hook.secret) {
        (HookForm::Standard, None) => wrong(
            "secret",
            "is missing: messages of the form `standard` are signed; write `secret: { file: PATH }`, or another `form`",
        ),
        (HookForm::Slack | HookForm::Teams, Some(_)) => {
            wrong(
                "secret",
                "is for nothing, as this form is not signed; remove it",
            );
        }
        _ => {}
    }
    found.extend(of_timeout(hook.timeout));
    found
}

fn of_program(words: &[String]) -> OfWay {
    match words.first().map(|word| word.trim().is_empty()) {
        None | Some(true) => {
            let told = "names no program; write [PROGRAM, ARGUMENT]";
            vec![(String::new(), told.to_owned())]
        }
        Some(false) => Vec::new(),
    }
}

fn of_timeout(timeout: Span) -> OfWay {
    let (least, most) = (Span::seconds(1), Span::seconds(300));
    if timeout >= least && timeout <= most {
        return OfWay::new();
    }
    let told = format!("{timeout} is out of range; write `1s` to `5m`");
    vec![(".timeout".to_owned(), told)]
}

fn is_host(text: &str) -> bool {
    let is_name = |text: &str| {
        text.len() <= 253
            && text.trim_end_matches('.').split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            })
    };
    text.parse::<IpAddr>().is_ok() || is_name(text)
}

/// Whether what goes there does not leave this machine.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: serde_json::Value) -> Vec<String> {
        let all: Vec<Notify> = serde_json::from_value(value).unwrap();
        let told = problems(&all)
            .into_iter()
            .map(|(field, told)| format!("{field}: {told}"));
        told.collect()
    }

    fn mail(smtp: serde_json::Value) -> Vec<String> {
        let mut all = serde_json::json!({ "host": "mail.example.com", "from": "epms@example.com", "to": ["ada@example.com"] });
        all.as_object_mut()
            .unwrap()
            .extend(smtp.as_object().unwrap().clone());
        told(serde_json::json!([{ "runs": ["failed"], "to": { "smtp": all } }]))
    }

    #[test]
    fn what_goes_over_plain_connections_stays_on_this_machine() {
        use serde_json::json;
        assert!(mail(json!({})).is_empty());
        for host in ["localhost", "127.0.0.1", "127.3.0.1", "::1", "localhost."] {
            assert!(
                mail(json!({ "host": host, "tls": "none" })).is_empty(),
                "{host}"
            );
        }
        for host in [
            "mail.example.com",
            "10.0.0.5",
            "localhost.example.com",
            "127.0.0.1.example.com",
        ] {
            let told = mail(json!({ "host": host, "tls": "none" }));
            assert!(
                told[0].starts_with("notify.0.to.smtp.tls: `none` goes to this machine only"),
                "{told:?}"
            );
        }
        let hook = |url: &str| {
            told(
                json!([{ "runs": ["failed"], "to": { "webhook": { "url": url, "form": "slack" } } }]),
            )
        };
        assert!(hook("http://127.0.0.1:8080/x").is_empty());
        assert!(hook("http://[::1]:8080/x").is_empty());
        assert!(hook("https://hooks.example.com/x").is_empty());
        assert!(hook("http://hooks.example.com/x")[0].contains("plain http"));
        for wrong in [
            "hooks.example.com",
            "ftp://example.com",
            "https://ana:s3cret@example.com/",
        ] {
            let told = hook(wrong);
            assert_eq!(told.len(), 1, "{wrong}");
            assert!(!told[0].contains("s3cret"));
        }
    }

    #[test]
    fn what_cannot_be_told_is_told_by_its_field() {
        use serde_json::json;
        for (smtp, field) in [
            (json!({ "host": "mail.example.com:25" }), "host"),
            (json!({ "host": "" }), "host"),
            (json!({ "port": 0 }), "port"),
            (json!({ "username": "epms" }), "username"),
            (json!({ "password": { "env": "X" } }), "password"),
            (json!({ "to": [] }), "to"),
            (
                json!({ "to": ["ada@example.com", "ADA@example.com"] }),
                "to.1",
            ),
            (json!({ "timeout": "6m" }), "timeout"),
        ] {
            let told = mail(smtp);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(
                told[0].starts_with(&format!("notify.0.to.smtp.{field}: ")),
                "{told:?}"
            );
        }
        let exec = json!({ "exec": ["x"] });
        for (one, field) in [
            (json!({ "to": exec }), "alerts"),
            (
                json!({ "runs": ["failed"], "to": { "exec": [] } }),
                "to.exec",
            ),
            (
                json!({ "runs": ["failed"], "to": exec, "fold": "2d" }),
                "fold",
            ),
            (
                json!({ "runs": ["failed"], "to": exec, "timezone": "Mars" }),
                "timezone",
            ),
            (
                json!({ "runs": ["failed"], "to": exec, "name": "The office" }),
                "name",
            ),
            (
                json!({ "runs": ["failed"], "to": exec, "subject": "{{ integration" }),
                "subject",
            ),
            (
                json!({ "runs": ["failed"], "to": exec, "text": "{{ integratoin }}" }),
                "text",
            ),
            (
                json!({ "runs": ["failed"], "to": exec, "text": "{% macro m() %}{% endmacro %}" }),
                "text",
            ),
            (
                json!({ "runs": ["failed"], "to": exec, "subject": "{% include 'text' %}" }),
                "subject",
            ),
            (
                json!({ "runs": ["failed"], "to": { "webhook": { "url": "https://example.com" } } }),
                "to.webhook.secret",
            ),
        ] {
            let told = told(json!([one]));
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(
                told[0].starts_with(&format!("notify.0.{field}: ")),
                "{told:?}"
            );
        }
        let twice =
            told(json!([{ "runs": ["failed"], "to": exec }, { "runs": ["held"], "to": exec }]));
        assert!(
            twice[0].starts_with("notify.1.to: a second one is called `exec`"),
            "{twice:?}"
        );
    }
}
