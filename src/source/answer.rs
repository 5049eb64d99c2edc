//! What an answer means: the connector's rules first, then whoever judges beyond them, then the usual
//! reading of HTTP. Pure.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::config::{AnswerRule, Format, HeaderRule, Verdict};

use super::decode::{DecodeError, Decoded};
use super::path::Beside;
use super::within::{There, Way, there};
use super::{Path, Shape};

/// A rule with its paths compiled.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Where it stands in the connector's file, such as `errors.0`.
    pub(super) at: String,
    /// How whoever wrote it knows it: its condition, and its place in the file.
    pub(super) named: String,
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
    /// How many records came with it.
    pub records: usize,
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

/// Who decided about an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A rule of the connector, by its place in the file, such as `requests.residents.errors.0`.
    Rule(String),
    /// The script's function `verdict`.
    Judge,
    /// The usual reading of HTTP and SOAP.
    Usual,
}

/// What was decided about an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// What the PMS said, where the rule looked.
    pub(super) said: Option<String>,
    /// What to do, from the rule.
    pub(super) hint: Option<String>,
    pub(super) by: By,
}

/// Whether text stands in a text, whatever the case.
fn holds(text: &str, wanted: Option<&String>) -> bool {
    wanted.is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()))
}

/// Whether a text is this one, whatever the case.
fn is(text: &str, wanted: Option<&String>) -> bool {
    wanted.is_none_or(|wanted| text.trim().to_lowercase() == wanted.trim().to_lowercase())
}

/// Whether a header says what the rule wants, in any of its values.
fn header_fits(headers: &HeaderMap, rule: &HeaderRule) -> bool {
    headers.get_all(rule.name.as_str()).iter().any(|value| {
        let value = String::from_utf8_lossy(value.as_bytes());
        holds(&value, rule.text.as_ref()) && is(&value, rule.equals.as_ref())
    })
}

/// The content of an answer, as rules look at it. Records are cut out of it while it is read; where a rule asks for
/// something among them, the answer is read once more, as a whole.
pub(super) struct Content<'a> {
    /// What stands around the records, where the answer could be read.
    around: Option<&'a Value>,
    text: &'a str,
    /// Where the records would stand, in an answer that is looked at as a whole.
    place: Option<Path>,
    cut: Option<Cut<'a>>,
}

/// Records that were cut out of an answer.
struct Cut<'a> {
    decoded: &'a Decoded,
    shape: &'a Shape,
    place: Path,
    whole: OnceCell<Option<Value>>,
}

impl<'a> Content<'a> {
    /// Of an answer without records.
    pub(super) fn plain(around: Option<&'a Value>, text: &'a str) -> Content<'a> {
        Content {
            around,
            text,
            place: None,
            cut: None,
        }
    }

    /// Of an answer that may have records, of which none is taken.
    pub(super) fn uncut(around: Option<&'a Value>, shape: &Shape, text: &'a str) -> Content<'a> {
        Content {
            place: Some(shape.place()),
            ..Content::plain(around, text)
        }
    }

    /// Of an answer whose records were cut out, where it could be read.
    pub(super) fn of(
        decoded: &'a Result<Decoded, DecodeError>,
        shape: &'a Shape,
        text: &'a str,
    ) -> Content<'a> {
        match decoded {
            Ok(decoded) => Content::cut(decoded, shape, text),
            Err(_) => Content::plain(None, text),
        }
    }

    /// Of an answer whose records were cut out.
    pub(super) fn cut(decoded: &'a Decoded, shape: &'a Shape, text: &'a str) -> Content<'a> {
        Content {
            around: Some(&decoded.around),
            text,
            place: None,
            cut: Some(Cut {
                place: shape.place(),
                decoded,
                shape,
                whole: OnceCell::new(),
            }),
        }
    }

    /// What stands around the records.
    pub(super) fn around(&self) -> Option<&'a Value> {
        self.around
    }

    /// The answer's text.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// How many records came with the answer. One object that is the whole answer may be a record or an error: it is
    /// none before a rule has looked at it.
    pub(super) fn records(&self) -> usize {
        let Some(cut) = &self.cut else { return 0 };
        let count = cut.decoded.records.len();
        if count == 1 && cut.is_the_answer() {
            0
        } else {
            count
        }
    }

    /// What is at a path, for a rule that `seeks` a text there or only whether there is anything. None where the answer
    /// could not be read.
    fn there(&self, path: &Path, seeks: bool) -> Option<Vec<There<'_>>> {
        let around = self.around?;
        let cut = self
            .cut
            .as_ref()
            .filter(|cut| cut.is_seen_by(path, self.text));
        let value = cut.and_then(|cut| cut.whole(self.text)).unwrap_or(around);
        Some(there(path, value, &self.way(value, seeks)))
    }

    /// What of an answer has the records in it, and is no word about them.
    fn way<'v>(&'v self, value: &'v Value, seeks: bool) -> Way<'v> {
        match (&self.cut, &self.place) {
            // Where no records are, what should hold them may be what there is in their place; its texts may be of anything.
            (Some(cut), _) if !seeks && !cut.decoded.found => Way::default(),
            (Some(cut), _) => Way::to(&cut.place, value),
            (None, Some(place)) => Way::to(place, value),
            (None, None) => Way::default(),
        }
    }

    /// Whether there is nothing at a path; none where the answer could not be read.
    fn is_absent(&self, path: &Path) -> Option<bool> {
        let around = self.around?;
        let Some(cut) = &self.cut else {
            return Some(path.first(around).is_none());
        };
        let is_there = match path.beside(&cut.place) {
            Beside::Elsewhere => false,
            Beside::Around => !cut.decoded.records.is_empty(),
            // An empty list is something, an empty element is not.
            Beside::At => {
                !cut.decoded.records.is_empty()
                    || cut.decoded.found && cut.shape.is_of(Format::Json)
            }
            Beside::Within => {
                let whole = cut
                    .is_seen_by(path, self.text)
                    .then(|| cut.whole(self.text));
                whole
                    .flatten()
                    .is_some_and(|whole| path.first(whole).is_some())
            }
        };
        Some(!is_there && path.first(around).is_none())
    }
}

impl Cut<'_> {
    fn whole(&self, text: &str) -> Option<&Value> {
        let whole = self.whole.get_or_init(|| self.shape.whole(text));
        whole.as_ref()
    }

    /// Whether a path may lead to something in the records.
    fn is_seen_by(&self, path: &Path, text: &str) -> bool {
        if self.decoded.records.is_empty() || self.shape.is_of(Format::Csv) {
            return false;
        }
        match path.beside(&self.place) {
            Beside::Elsewhere | Beside::Around => false,
            // Only a record that is no object and no list is a text.
            Beside::At => {
                let mut records = self.decoded.records.iter();
                records.any(|record| !record.is_empty() && !record.starts_with(['{', '[']))
            }
            Beside::Within => path
                .last_name()
                .is_none_or(|name| text.contains(name.trim_start_matches('@'))),
        }
    }

    /// Whether the records are the answer itself and not something in it.
    fn is_the_answer(&self) -> bool {
        match self.shape.format() {
            Format::Json => self.place.is_root() && !self.decoded.around.is_null(),
            Format::Xml => self.decoded.around.is_null(),
            Format::Soap | Format::Csv => false,
        }
    }
}

/// What the connector's rules say.
pub(super) fn by_rules(
    rules: &[Rule],
    status: u16,
    headers: &HeaderMap,
    content: &Content<'_>,
) -> Option<Judgement> {
    decided(rules, status, headers, content, |there| there.says)
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is of one lifetime, and any is asked for"
)]
/// Whether an answer is ready: for `{ path: ready }` false and 0 say that it is not.
pub(super) fn is_ready(
    until: &[Rule],
    status: u16,
    headers: &HeaderMap,
    content: &Content<'_>,
) -> bool {
    let ready = decided(until, status, headers, content, |there| there.is_yes());
    until.is_empty() || ready.is_some()
}

/// What the rules say; `says` is whether what is at a path alone meets it.
fn decided(
    rules: &[Rule],
    status: u16,
    headers: &HeaderMap,
    content: &Content<'_>,
    says: impl Fn(&There<'_>) -> bool,
) -> Option<Judgement> {
    for rule in rules {
        let Rule {
            spec, path, absent, ..
        } = rule;
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
            && content.is_absent(absent) != Some(true)
        {
            continue;
        }
        let fits =
            |place: &str| holds(place, spec.text.as_ref()) && is(place, spec.equals.as_ref());
        let seeks = spec.text.is_some() || spec.equals.is_some();
        let said_in = |there: &There<'_>| {
            if !seeks {
                return says(there).then(|| there.told());
            }
            // One that fits is enough.
            let said = there.texts.iter().find(|said| fits(said));
            said.map(|said| said.clone().into_owned())
        };
        // A PMS may say several things at once.
        let said = match path.as_ref().map(|path| content.there(path, seeks)) {
            Some(Some(there)) => match there.iter().find_map(said_in) {
                Some(said) => Some(said),
                None => continue,
            },
            None if fits(content.text) => None,
            _ => continue,
        };
        return Some(Judgement {
            verdict: spec.is,
            said,
            hint: spec.hint.clone(),
            by: By::Rule(rule.at.clone()),
        });
    }
    None
}

/// What HTTP, and a SOAP fault, mean as usual. A part of an answer is one only where it was asked for.
pub(super) fn by_status(status: u16, asked_for_part: bool, around: Option<&Value>) -> Judgement {
    let fault = around.and_then(|around| around.get("Fault")).map(|fault| {
        fault
            .get("faultstring")
            .or_else(|| fault.get("Reason"))
            .unwrap_or(fault)
    });
    let verdict = match status {
        _ if fault.is_some() => Verdict::Fatal,
        206 if !asked_for_part => Verdict::Fatal,
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
        by: By::Usual,
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
        by_rules(rules, status, headers, &Content::plain(around, text))
            .unwrap_or_else(|| by_status(status, false, around))
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
                at: String::new(),
                named: String::new(),
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
    fn what_is_false_or_zero_is_not_ready() {
        let ready = |rule: &str, answer: Value| {
            let content = Content::plain(Some(&answer), "");
            is_ready(&rules(rule), 200, &HeaderMap::new(), &content)
        };
        let alone = "  - { path: ready, is: ok }\n";
        for wait in [
            json!(false),
            json!("False"),
            json!(0),
            json!("0"),
            json!(0.0),
            json!(""),
            json!(null),
            json!({"@type": "bool", "#text": "false"}),
            json!({"done": 0}),
        ] {
            assert!(!ready(alone, json!({"ready": wait})), "{wait}");
        }
        for yes in [json!(true), json!(1), json!("http://h/1"), json!({"id": 7})] {
            assert!(ready(alone, json!({"ready": yes})), "{yes}");
        }
        assert!(!ready(alone, json!({})));
        // Who asks for it gets it.
        let zero = "  - { path: ready, equals: '0', is: ok }\n";
        assert!(ready(zero, json!({"ready": 0})));
        // A rule of errors is met by it as ever.
        let error = rules("  - { path: error, is: fatal }\n");
        let around = json!({"error": false});
        let judged = judge(&error, 200, &HeaderMap::new(), Some(&around), "");
        assert_eq!(judged.verdict, Verdict::Fatal);
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
            (206, Verdict::Fatal),
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

    #[test]
    fn rules_see_the_records_as_well_as_what_stands_around_them() {
        let rules = rules(concat!(
            "  - { absent: r/data, is: empty }\n",
            "  - { path: r/data/error, is: fatal }\n",
            "  - { path: r/data, text: closed, is: maintenance }\n",
            "  - { path: '**/Message', text: login, is: login_failed }\n",
            "  - { absent: r, is: denied }\n",
        ));
        let judged = |format: Format, text: &str| {
            let shape = Shape::new(format, Path::parse("r/data").unwrap());
            let decoded = super::super::decode::decode(&shape, None, text.as_bytes()).unwrap();
            let content = Content::cut(&decoded, &shape, text);
            by_rules(&rules, 200, &HeaderMap::new(), &content).map(|judged| judged.verdict)
        };
        for (text, verdict) in [
            (r#"{"r":{"data":[{"id":1}]}}"#, None),
            (r#"{"r":{"data":[]}}"#, None),
            (r#"{"r":{"data":null}}"#, Some(Verdict::Empty)),
            (r#"{"r":{"rows":[]}}"#, Some(Verdict::Empty)),
            (r#"{"r":{"data":[{"error":"no"}]}}"#, Some(Verdict::Fatal)),
            (r#"{"r":{"data":{"error":"no"}}}"#, Some(Verdict::Fatal)),
            (r#"{"r":{"data":[{"error":null}]}}"#, None),
            (r#"{"r":{"data":["closed"]}}"#, Some(Verdict::Maintenance)),
            (
                r#"{"r":{"data":[{"a":[{"Message":"Login?"}]}]}}"#,
                Some(Verdict::LoginFailed),
            ),
        ] {
            assert_eq!(judged(Format::Json, text), verdict, "{text}");
        }
        for (text, verdict) in [
            ("<r><data><id>1</id></data></r>", None),
            ("<r><x/></r>", Some(Verdict::Empty)),
            (
                "<r><data><error>no</error></data></r>",
                Some(Verdict::Fatal),
            ),
            ("<r><data>Closed</data></r>", Some(Verdict::Maintenance)),
        ] {
            assert_eq!(judged(Format::Xml, text), verdict, "{text}");
        }
    }

    /// What rules say of an answer of which records are taken.
    fn by(rules: &[Rule], format: Format, records: &str, text: &str) -> Option<Verdict> {
        let shape = Shape::new(format, Path::parse(records).unwrap());
        let decoded = super::super::decode::decode(&shape, None, text.as_bytes()).unwrap();
        let content = Content::cut(&decoded, &shape, text);
        by_rules(rules, 200, &HeaderMap::new(), &content).map(|judged| judged.verdict)
    }

    #[test]
    fn a_path_sees_objects_lists_of_them_and_elements_within_elements() {
        let rules = rules(concat!(
            "  - { path: error, text: denied, is: denied }\n",
            "  - { path: error, equals: '7', is: retry }\n",
            "  - { path: error, is: fatal }\n",
            "  - { path: r/Errors, is: maintenance }\n",
        ));
        for (text, verdict) in [
            (r#"{"error":{"code":5}}"#, Some(Verdict::Fatal)),
            (r#"{"error":[{"a":{"b":"x"}}]}"#, Some(Verdict::Fatal)),
            (r#"{"error":{"a":{"b":"Denied!"}}}"#, Some(Verdict::Denied)),
            (r#"{"error":{"code":7}}"#, Some(Verdict::Retry)),
            (r#"{"error":{"code":0,"text":""}}"#, None),
            (r#"{"error":{}}"#, None),
            (r#"{"error":null,"data":[{"error":{"code":5}}]}"#, None),
        ] {
            assert_eq!(by(&rules, Format::Json, "data", text), verdict, "{text}");
        }
        for (text, verdict) in [
            (
                "<r><Errors><Error><Code>5</Code></Error></Errors></r>",
                Some(Verdict::Maintenance),
            ),
            (
                "<r><Errors><Error code='5'/></Errors></r>",
                Some(Verdict::Maintenance),
            ),
            ("<r><Errors count='0'/><p><id>1</id></p></r>", None),
        ] {
            assert_eq!(by(&rules, Format::Xml, "r/p", text), verdict, "{text}");
        }
    }

    #[test]
    fn what_holds_the_records_is_no_word_about_them() {
        let rules = rules(concat!(
            "  - { path: '*/*', text: '-1', is: denied }\n",
            "  - { path: r, is: fatal }\n",
        ));
        let with = r#"{"r":{"data":{"p":[{"zip":"80202-1234"}],"zip":"80202-1"}}}"#;
        assert_eq!(by(&rules, Format::Json, "r/data/p", with), None);
        let said = r#"{"r":{"data":"-1"}}"#;
        let denied = Some(Verdict::Denied);
        assert_eq!(by(&rules, Format::Json, "r/data/p", said), denied);
        // In their place it may be one, whatever else stands in it.
        let without = r#"{"r":{"data":{"zip":"80202-1"}}}"#;
        let fatal = Some(Verdict::Fatal);
        assert_eq!(by(&rules, Format::Json, "r/data/p", without), fatal);
    }
}
