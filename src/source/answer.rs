//! What an answer means: the connector's rules first, then whoever judges beyond them, then the usual
//! reading of HTTP. Pure.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::config::{AnswerRule, HeaderRule, Verdict};

use super::Path;

/// A rule with its paths compiled.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) spec: AnswerRule,
    pub(super) path: Option<Path>,
    pub(super) absent: Option<Path>,
}

/// An answer, for whoever judges where no rule matched.
#[derive(Debug)]
pub struct Said<'a> {
    /// The request it answers, as the connector names it.
    pub request: &'a str,
    /// The PMS property that was asked for; empty for a login.
    pub property: &'a str,
    /// The status code.
    pub status: u16,
    /// The headers, their names in lower case; several values of one name stand behind each other, with
    /// commas between.
    pub headers: BTreeMap<String, String>,
    /// What stands around the records, where the answer could be read.
    pub body: Option<&'a Value>,
    /// How the answer begins, as text.
    pub text: &'a str,
}

/// How much of an answer's text is shown to a judge, in bytes.
pub(super) const BEGINNING: usize = 4096;

/// Judges answers about which the connector's rules say nothing.
pub trait Judge: fmt::Debug + Send + Sync {
    /// What the answer means; none when the status decides as usual. An error says what is wrong with the
    /// judge, and repeats nothing of the answer.
    fn judge(&self, said: &Said<'_>) -> Result<Option<Ruling>, String>;
}

/// What a judge decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What it means.
    pub verdict: Verdict,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What was decided about an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// What the PMS said, where the rule looked.
    pub(super) said: Option<String>,
    /// What to do, from the rule.
    pub(super) hint: Option<String>,
}

/// Whether text stands in a text, whatever the case.
fn holds(text: &str, wanted: Option<&String>) -> bool {
    wanted.is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()))
}

/// Whether a header says what the rule wants, in any of its values.
fn header_fits(headers: &HeaderMap, rule: &HeaderRule) -> bool {
    headers.get_all(rule.name.as_str()).iter().any(|value| {
        holds(
            &String::from_utf8_lossy(value.as_bytes()),
            rule.text.as_ref(),
        )
    })
}

/// What the connector's rules say. `around` is there when the answer could be decoded.
pub(super) fn by_rules(
    rules: &[Rule],
    status: u16,
    headers: &HeaderMap,
    around: Option<&Value>,
    text: &str,
) -> Option<Judgement> {
    for Rule { spec, path, absent } in rules {
        if let Some(statuses) = &spec.status
            && !statuses.contains(status)
        {
            continue;
        }
        if let Some(header) = &spec.header
            && !header_fits(headers, header)
        {
            continue;
        }
        if let Some(absent) = absent
            && around.is_none_or(|around| absent.first(around).is_some())
        {
            continue;
        }
        let fits = |place: &str| holds(place, spec.text.as_ref());
        // A PMS may say several things at once: one that fits is enough.
        let said = match (path, around) {
            (Some(path), Some(around)) => {
                match path.texts(around).into_iter().find(|said| fits(said)) {
                    Some(said) => Some(said.into_owned()),
                    None => continue,
                }
            }
            (None, _) if fits(text) => None,
            _ => continue,
        };
        return Some(Judgement {
            verdict: spec.is,
            said,
            hint: spec.hint.clone(),
        });
    }
    None
}

/// What HTTP, and a SOAP fault, mean as usual.
pub(super) fn by_status(status: u16, around: Option<&Value>) -> Judgement {
    let fault = around.and_then(|around| around.get("Fault")).map(|fault| {
        fault
            .get("faultstring")
            .or_else(|| fault.get("Reason"))
            .unwrap_or(fault)
    });
    let verdict = match status {
        _ if fault.is_some() => Verdict::Fatal,
        200..=299 => Verdict::Ok,
        401 => Verdict::LoginFailed,
        403 => Verdict::Denied,
        429 => Verdict::RateLimited,
        408 | 425 | 500..=599 => Verdict::Retry,
        _ => Verdict::Fatal,
    };
    let said = fault.and_then(|fault| {
        Path::default()
            .text(fault)
            .map(std::borrow::Cow::into_owned)
    });
    Judgement {
        verdict,
        said,
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge(
        rules: &[Rule],
        status: u16,
        headers: &HeaderMap,
        around: Option<&Value>,
        text: &str,
    ) -> Judgement {
        by_rules(rules, status, headers, around, text).unwrap_or_else(|| by_status(status, around))
    }

    fn rules(yaml: &str) -> Vec<Rule> {
        let text = format!("rules:\n{yaml}");
        let document =
            crate::config::Document::parse(std::path::Path::new("r.yaml"), &text).unwrap();
        let mut read: std::collections::BTreeMap<String, Vec<AnswerRule>> =
            document.read().unwrap();
        let rules = read.remove("rules").unwrap();
        rules
            .into_iter()
            .map(|rule| Rule {
                path: rule.path.as_deref().map(|path| Path::parse(path).unwrap()),
                absent: rule
                    .absent
                    .as_deref()
                    .map(|path| Path::parse(path).unwrap()),
                spec: rule,
            })
            .collect()
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let rules = rules(concat!(
            "  - { path: '**/Message', text: login failed, is: login_failed, hint: check it }\n",
            "  - { path: '**/Message', is: fatal }\n",
            "  - { status: [533, 5xx], is: maintenance }\n",
            "  - { text: '<html', is: maintenance }\n",
        ));
        let message = |text: &str| json!({"R": {"Messages": {"Message": {"@messageType": "Error", "#text": text}}}});
        let judged = judge(
            &rules,
            200,
            &HeaderMap::new(),
            Some(&message("Login failed. Try again")),
            "",
        );
        assert_eq!(judged.verdict, Verdict::LoginFailed);
        assert_eq!(judged.said.as_deref(), Some("Login failed. Try again"));
        assert_eq!(judged.hint.as_deref(), Some("check it"));
        assert_eq!(
            judge(&rules, 200, &HeaderMap::new(), Some(&message("Other")), "").verdict,
            Verdict::Fatal
        );
        assert_eq!(
            judge(&rules, 533, &HeaderMap::new(), None, "").verdict,
            Verdict::Maintenance
        );
        assert_eq!(
            judge(&rules, 200, &HeaderMap::new(), None, "<HTML>down").verdict,
            Verdict::Maintenance
        );
        assert_eq!(
            judge(&rules, 200, &HeaderMap::new(), Some(&json!({})), "{}").verdict,
            Verdict::Ok
        );
    }

    #[test]
    fn of_several_messages_the_one_that_fits_decides() {
        let rules = rules(concat!(
            "  - { path: '**/Message', text: login failed, is: login_failed }\n",
            "  - { path: '**/Message[@messageType=Error]', is: fatal }\n",
        ));
        let message = |kind: &str, text: &str| json!({"@messageType": kind, "#text": text});
        let judged = |messages: Value| {
            let around = json!({"R": {"Messages": {"Message": messages}}});
            let judged = judge(&rules, 200, &HeaderMap::new(), Some(&around), "");
            (judged.verdict, judged.said)
        };
        assert_eq!(
            judged(json!([
                message("FYI", "Hello"),
                message("Error", "Login failed.")
            ])),
            (Verdict::LoginFailed, Some("Login failed.".into()))
        );
        assert_eq!(
            judged(json!([message("FYI", "Hello"), message("Error", "Bad")])),
            (Verdict::Fatal, Some("Bad".into()))
        );
        assert_eq!(judged(message("FYI", "Hello")), (Verdict::Ok, None));
    }

    #[test]
    fn what_is_absent_can_decide_where_the_answer_is_readable() {
        let rules = rules("  - { absent: '*/*', is: fatal, hint: no result }\n");
        let verdict = |around: Option<Value>| {
            judge(&rules, 200, &HeaderMap::new(), around.as_ref(), "").verdict
        };
        assert_eq!(verdict(Some(json!({"R": null}))), Verdict::Fatal);
        assert_eq!(
            verdict(Some(json!({"R": {"Result": null}}))),
            Verdict::Fatal
        );
        assert_eq!(
            verdict(Some(json!({"R": {"Result": {"List": null}}}))),
            Verdict::Ok
        );
        assert_eq!(verdict(None), Verdict::Ok);
    }

    #[test]
    fn without_a_rule_http_is_read_as_usual() {
        for (status, verdict) in [
            (200, Verdict::Ok),
            (302, Verdict::Fatal),
            (400, Verdict::Fatal),
            (401, Verdict::LoginFailed),
            (403, Verdict::Denied),
            (429, Verdict::RateLimited),
            (503, Verdict::Retry),
        ] {
            assert_eq!(
                judge(&[], status, &HeaderMap::new(), None, "").verdict,
                verdict,
                "{status}"
            );
        }
        let fault = json!({"Fault": {"faultcode": "s:x", "faultstring": "No such action"}});
        let judged = judge(&[], 500, &HeaderMap::new(), Some(&fault), "");
        assert_eq!(
            (judged.verdict, judged.said.as_deref()),
            (Verdict::Fatal, Some("No such action"))
        );
    }

    #[test]
    fn a_header_decides_by_being_there_or_by_what_one_of_its_values_says() {
        let rules = rules(concat!(
            "  - { header: { name: X-Quota, text: exhausted }, is: rate_limited }\n",
            "  - { status: 200, header: { name: x-maintenance }, is: maintenance }\n",
        ));
        let verdict = |status: u16, said: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in said {
                headers.append(*name, value.parse().unwrap());
            }
            judge(&rules, status, &headers, Some(&json!({})), "").verdict
        };
        assert_eq!(
            verdict(200, &[("x-quota", "ok"), ("x-quota", "Daily: EXHAUSTED")]),
            Verdict::RateLimited
        );
        assert_eq!(verdict(200, &[("x-quota", "ok")]), Verdict::Ok);
        assert_eq!(verdict(200, &[("x-maintenance", "")]), Verdict::Maintenance);
        assert_eq!(verdict(401, &[("x-maintenance", "")]), Verdict::LoginFailed);
    }
}
