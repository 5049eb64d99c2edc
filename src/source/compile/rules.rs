//! Rules about answers, compiled; and those of them that can never decide, or that decide about every answer. Reads no
//! answer.

use crate::config::{AnswerRule, Document, HeaderRule, Statuses, Verdict};
use crate::model::Code;

use super::super::answer::Rule;
use super::Compile;

/// What rules may look at in the answers that they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Names and their values.
    Named,
    /// The same, from inside the Body of an envelope.
    Soap,
    /// Rows, in which nothing has a path.
    Rows,
}

impl Compile<'_> {
    /// Rules of which the first that matches decides.
    pub(super) fn rules(&mut self, field: &str, rules: &[AnswerRule], form: Form) -> Vec<Rule> {
        let mut compiled: Vec<Rule> = Vec::with_capacity(rules.len());
        for (index, rule) in rules.iter().enumerate() {
            let at = format!("{field}.{index}");
            let rule = self.rule(&at, rule, form);
            let before = compiled
                .iter()
                .position(|before| covers(&before.spec, &rule.spec));
            if let Some(before) = before {
                let message = format!(
                    "never decides: `{field}.{before}`, which stands before it, fits every answer that it fits; put it first, or remove it"
                );
                self.warn(&at, message, Code::Rule);
            }
            compiled.push(rule);
        }
        compiled
    }

    /// One rule, which stands at this place of the file.
    pub(super) fn rule(&mut self, at: &str, rule: &AnswerRule, form: Form) -> Rule {
        if let Some(header) = &rule.header {
            self.header_name(&format!("{at}.header.name"), &header.name);
        }
        let looks_elsewhere = rule.status.is_some()
            || rule.header.is_some()
            || rule.path.is_some()
            || rule.absent.is_some();
        if !looks_elsewhere && rule.text.is_none() && rule.equals.is_none() {
            self.problem(
                at,
                "matches every answer; add `status`, `header`, `path`, `absent`, `text` or `equals`",
            );
        } else if !looks_elsewhere && rule.equals.is_none() && rule.text.as_deref() == Some("") {
            let message = "is empty, and so stands in every answer; write what such an answer says, or remove it";
            self.warn(&format!("{at}.text"), message, Code::Rule);
        }
        if rule.is == Verdict::Empty && is_every_success(rule) {
            let message = "fits every answer without records, so that nobody is there where `records` leads nowhere; add `path`, `absent`, `header`, `text` or `equals`, by which an answer says that nobody is there";
            self.warn(at, message, Code::Rule);
        }
        let named = named(rule, self.document, at);
        let mut path = |key: &str, path: &Option<String>| {
            path.as_deref()
                .map(|path| self.path(&format!("{at}.{key}"), path))
        };
        let compiled = Rule {
            at: at.to_owned(),
            named,
            path: path("path", &rule.path),
            absent: path("absent", &rule.absent),
            spec: rule.clone(),
        };
        if let Some((key, why)) = contradiction(rule, form) {
            self.warn(
                &format!("{at}.{key}"),
                format!("no answer can fit the rule: {why}"),
                Code::Rule,
            );
        }
        compiled
    }
}

/// A rule as whoever wrote it knows it: what it looks for, and where that stands.
fn named(rule: &AnswerRule, document: &Document, at: &str) -> String {
    let file = document.file().file_name().unwrap_or_default();
    let line = document.place(at).line;
    format!("{} ({}:{line})", rule.condition(), file.to_string_lossy())
}

/// Why no answer can fit a rule, with the key that says so.
fn contradiction(rule: &AnswerRule, form: Form) -> Option<(&'static str, String)> {
    let AnswerRule {
        status,
        header,
        path,
        absent,
        text,
        equals,
        ..
    } = rule;
    let without_body = status.as_ref().is_some_and(is_without_body);
    for (key, path) in [("path", path), ("absent", absent)] {
        let Some(path) = path else { continue };
        if form == Form::Rows {
            let why = "rows of CSV have no paths; write `text` or `header`";
            return Some((key, why.into()));
        }
        // Nothing is there, whatever the answer.
        if form == Form::Soap && path.split('/').next() == Some("Envelope") {
            let why = "for SOAP, paths begin inside the Body; leave what is around it out";
            return Some((key, why.into()));
        }
    }
    if without_body && (path.is_some() || text.is_some() || equals.is_some()) {
        let key = if path.is_some() { "path" } else { "text" };
        let why = "an answer of status 204 or 304 has no body; leave what it should say out";
        return Some((key, why.into()));
    }
    if let (Some(path), Some(absent)) = (path, absent)
        && (path == absent || path.starts_with(&format!("{absent}/")))
    {
        let why = format!(
            "where there is nothing at `{absent}`, there is nothing at `{path}`; remove one of them"
        );
        return Some(("absent", why));
    }
    let contradicts = |text: &Option<String>, equals: &Option<String>| match (text, equals) {
        (Some(text), Some(equals)) => !is_in(text, equals),
        _ => false,
    };
    if contradicts(text, equals) {
        let why = "`text` does not stand in `equals`; keep one of them";
        return Some(("text", why.into()));
    }
    if let Some(HeaderRule { text, equals, .. }) = header
        && contradicts(text, equals)
    {
        let why = "`text` does not stand in `equals`; keep one of them";
        return Some(("header", why.into()));
    }
    if path.is_some()
        && equals
            .as_ref()
            .is_some_and(|equals| equals.trim().is_empty())
    {
        let why = "what is empty is not there; write `absent` in place of `path` and `equals`";
        return Some(("equals", why.into()));
    }
    None
}

/// Whether a rule looks at the status alone, and fits answers with a body to ordinary questions.
fn is_every_success(rule: &AnswerRule) -> bool {
    !looks_closer(rule) && rule.absent.is_none() && rule.status.as_ref().is_some_and(is_success)
}

/// Whether a rule looks at something that an answer says.
pub(super) fn looks_closer(rule: &AnswerRule) -> bool {
    rule.header.is_some() || rule.path.is_some() || rule.text.is_some() || rule.equals.is_some()
}

/// Whether there are answers with a body to ordinary questions among them.
pub(super) fn is_success(statuses: &Statuses) -> bool {
    let with_body = |status: &u16| !matches!(status, 204 | 205);
    let mut successes = (200..300).filter(with_body);
    successes.any(|status| statuses.contains(status))
}

/// Whether all of the statuses are those of answers without a body.
fn is_without_body(statuses: &Statuses) -> bool {
    Statuses::of(&[204, 304]).covers(statuses)
}

/// Whether a text stands in another one, as rules compare them.
fn is_in(text: &str, other: &str) -> bool {
    other.to_lowercase().contains(&text.to_lowercase())
}

/// Whether every answer that fits a rule fits one before it as well.
fn covers(before: &AnswerRule, rule: &AnswerRule) -> bool {
    let status = match (&before.status, &rule.status) {
        (None, _) => true,
        (Some(before), Some(rule)) => before.covers(rule),
        (Some(_), None) => false,
    };
    let header = before.header.is_none() || before.header == rule.header;
    let absent = before.absent.is_none() || before.absent == rule.absent;
    let says = before.text.is_some() || before.equals.is_some();
    // What stands at a path and what stands in the answer are two texts.
    let path = before.path == rule.path || before.path.is_none() && !says;
    let stands = |before: &String| {
        let of_rule = [&rule.text, &rule.equals];
        let mut of_rule = of_rule.into_iter().flatten();
        of_rule.any(|one| is_in(before, one))
    };
    let text = before.text.as_ref().is_none_or(stands);
    let equals = before.equals.as_ref().is_none_or(|before| {
        let same = |rule: &String| rule.trim().to_lowercase() == before.trim().to_lowercase();
        rule.equals.as_ref().is_some_and(same)
    });
    status && header && absent && path && text && equals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(yaml: &str) -> AnswerRule {
        let document = crate::config::Document::parse(
            std::path::Path::new("r.yaml"),
            &format!("{{ {yaml}, is: fatal }}"),
        );
        document.unwrap().read().unwrap()
    }

    #[test]
    fn a_rule_that_contradicts_itself_is_found() {
        for (yaml, form, key) in [
            ("path: a, absent: a", Form::Named, "absent"),
            ("path: a/b, absent: a", Form::Named, "absent"),
            ("path: a, equals: ' '", Form::Named, "equals"),
            ("text: yes, equals: no", Form::Named, "text"),
            (
                "header: { name: x, text: yes, equals: no }",
                Form::Named,
                "header",
            ),
            ("status: 204, text: gone", Form::Named, "text"),
            ("status: [204, 304], path: a", Form::Named, "path"),
            ("path: Envelope/Body/Fault", Form::Soap, "path"),
            ("path: a", Form::Rows, "path"),
            ("absent: a", Form::Rows, "absent"),
        ] {
            let found = contradiction(&rule(yaml), form).map(|(key, _)| key);
            assert_eq!(found, Some(key), "{yaml}");
        }
        for (yaml, form) in [
            ("path: a, absent: b", Form::Named),
            ("path: ab, absent: a", Form::Named),
            ("path: a, absent: a/b", Form::Named),
            ("text: no, equals: Nobody", Form::Named),
            ("equals: ''", Form::Named),
            ("status: [200, 204], text: gone", Form::Named),
            ("status: 204", Form::Rows),
            ("text: a", Form::Rows),
            ("path: Fault", Form::Soap),
            ("path: Envelope", Form::Named),
        ] {
            assert_eq!(contradiction(&rule(yaml), form), None, "{yaml}");
        }
    }

    #[test]
    fn a_rule_covers_what_wants_more() {
        for (before, later) in [
            ("status: 5xx", "status: 503"),
            ("status: 503", "status: 503, text: night"),
            ("text: Closed", "text: closed for the night"),
            ("path: m, text: closed", "path: m, equals: it is CLOSED"),
            ("path: m", "path: m, text: closed"),
            ("absent: m", "absent: m, status: 200"),
            ("header: { name: x }", "header: { name: x }, text: y"),
            ("equals: ok", "equals: ' OK '"),
        ] {
            assert!(covers(&rule(before), &rule(later)), "{before}: {later}");
            assert!(
                before == "equals: ok" || !covers(&rule(later), &rule(before)),
                "{later}: {before}"
            );
        }
        for (before, later) in [
            ("status: 503", "text: closed"),
            ("path: m", "text: closed"),
            ("text: closed", "path: m, text: closed"),
            ("path: m, text: closed", "path: n, text: closed"),
            ("status: [500, 502]", "status: 5xx"),
            ("header: { name: x }", "header: { name: y }"),
            ("equals: closed", "text: closed"),
        ] {
            assert!(!covers(&rule(before), &rule(later)), "{before}: {later}");
        }
    }
}
