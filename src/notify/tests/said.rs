//! What messages say: with and without personal data, by the templates that come with epms and by those of a file.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::json;

use crate::config::{Notify, RunEnd};
use crate::model::{
    Alert, AlertId, AlertKind, AlertState, Cause as RunCause, Field, IntegrationId, Outcome, Run,
    RunId, Side,
};
use crate::notify::due::News;
use crate::notify::kept::{Cause, Trouble};
use crate::notify::text::{Matter, line, written};

fn notify(more: serde_json::Value) -> Notify {
    let mut all = json!({ "runs": ["failed"], "to": { "exec": ["x"] } });
    all.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn alert() -> Alert {
    Alert {
        id: AlertId(5),
        kind: AlertKind::NameMismatch,
        integration: IntegrationId::new("elm"),
        subject: "t1".into(),
        state: AlertState::Open,
        sides: vec![Side {
            resident: Some("t1".into()),
            person: None,
            values: BTreeMap::from([
                (Field::FirstName, "Ada".to_owned()),
                (Field::LastName, "Quill & <b>".to_owned()),
            ]),
            mapped: None,
            beside: None,
        }],
        detail: "the names differ".into(),
        confidence: None,
        count: None,
        examples: Vec::new(),
        suggestion: None,
        raised_by: RunId(3),
        first_seen: "2026-03-01T08:00:00Z".parse().unwrap(),
        last_seen: "2026-03-01T09:00:00Z".parse().unwrap(),
        acts: Vec::new(),
        assigned: None,
        comments: Vec::new(),
    }
}

fn run() -> Run {
    let began = "2026-03-01T08:00:00Z".parse().unwrap();
    let of = IntegrationId::new("elm");
    let reason =
        "`residents`: the server is busy (it said: Ada Quill moved out); the next run tries again";
    Run {
        outcome: Outcome::Failed {
            reason: reason.to_owned(),
        },
        ..Run::begun(RunId(7), of, RunCause::Schedule, 1, began)
    }
}

fn matter(personal: bool) -> Matter {
    let zone = TimeZone::get("America/New_York").unwrap();
    let elm = IntegrationId::new("elm");
    let trouble = |cause: Cause, ended: Option<&str>| Trouble {
        kind: matches!(cause, Cause::Alert(_)).then_some(AlertKind::NameMismatch),
        run: matches!(cause, Cause::Runs(..)).then_some(RunId(7)),
        cause,
        integration: elm.clone(),
        began: "2026-03-01T08:00:00Z".parse().unwrap(),
        ended: ended.map(|at| at.parse().unwrap()),
        told: false,
    };
    let (alert, run) = (alert(), run());
    let of_alert = trouble(Cause::Alert(AlertId(5)), None);
    let of_runs = trouble(
        Cause::Runs(elm.clone(), RunEnd::Failed),
        Some("2026-03-01T10:00:00Z"),
    );
    let closed = Alert {
        state: AlertState::Dismissed,
        ..alert.clone()
    };
    let over = trouble(Cause::Alert(AlertId(5)), Some("2026-03-01T11:00:00Z"));
    Matter {
        integration: "elm".into(),
        property: "Elm Court".into(),
        says: vec![
            (
                News::New,
                line(&of_alert, Some(&alert), None, personal, &zone),
            ),
            (
                News::Over,
                line(&over, Some(&closed), None, personal, &zone),
            ),
            (
                News::Passed,
                line(&of_runs, None, Some(&run), personal, &zone),
            ),
        ],
        is_test: false,
    }
}

#[test]
fn a_message_says_what_is_wrong_since_when_and_what_to_do_and_nothing_of_people() {
    let written = written(&notify(json!({})), &matter(false));
    assert_eq!(written.wrong, None);
    assert_eq!(written.subject, "epms: elm: name_mismatch");
    insta::assert_snapshot!(written.text, @r"
    Elm Court (elm)

    name_mismatch, since 2026-03-01 03:00 EST: a person has the resident's email under another name
      the names differ
      what to do: merge takes the name of the PMS; create-separate makes somebody new, where the mailbox was handed on; or correct it in the PMS, and it closes itself; `epms alerts show a5` says more

    over: name_mismatch, since 2026-03-01 06:00 EST: dismissed

    over already: failed, from 2026-03-01 03:00 EST to 2026-03-01 05:00 EST: runs of elm are `failed`; a run succeeded
      `residents`: the server is busy; the next run tries again
    ");
    assert!(
        !written.data.to_string().contains("Ada"),
        "{}",
        written.data
    );
}

#[test]
fn whom_it_is_about_is_said_where_it_is_asked_for_and_nothing_of_it_is_escaped() {
    let written = written(&notify(json!({ "personal": true })), &matter(true));
    assert!(
        written.text.contains("about: Ada Quill & <b>\n"),
        "{}",
        written.text
    );
    assert!(
        written.text.contains("(it said: Ada Quill moved out)"),
        "{}",
        written.text
    );
}

/// What is said of an alert of this kind, without personal data.
fn detail_of(kind: AlertKind, subject: &str, detail: &str, count: Option<u64>) -> String {
    let alert = Alert {
        kind,
        subject: subject.into(),
        detail: detail.into(),
        count,
        examples: vec!["ada@example.com".into()],
        suggestion: Some("Quill".into()),
        ..alert()
    };
    let trouble = Trouble {
        kind: Some(kind),
        run: None,
        cause: Cause::Alert(AlertId(5)),
        integration: alert.integration.clone(),
        began: alert.first_seen,
        ended: None,
        told: false,
    };
    let line = line(&trouble, Some(&alert), None, false, &TimeZone::UTC);
    let all = serde_json::to_string(&line).unwrap();
    for word in ["Ada", "Quill", "example.com"] {
        assert!(!all.contains(word), "{kind}: {all}");
    }
    line.detail
}

#[test]
fn nothing_that_a_pms_or_a_script_said_is_told_of_an_alert_unless_personal_data_is_asked_for() {
    let busy = "no run has succeeded since yesterday; the last one said: `residents`: the server is busy (it said: Ada \
                Quill moved out); the next run tries again";
    assert_eq!(
        detail_of(AlertKind::SyncStale, "feed", busy, None),
        "no run has succeeded since yesterday; the last one said: `residents`: the server is busy; the next run tries \
         again"
    );
    let refused = "`login`: the PMS refuses the login (it said: Ada Quill has left)";
    assert_eq!(
        detail_of(AlertKind::CredentialFailing, "acme", refused, None),
        "`login`: the PMS refuses the login"
    );
    let threw = "Ada Quill (Ada@example.com) has no date; the run does not understand its records";
    let (kind, place) = (AlertKind::RecordsRejected, "scripts/acme.rhai:3:9");
    assert_eq!(
        detail_of(kind, place, threw, Some(7)),
        "7: at scripts/acme.rhai:3:9"
    );
    assert_eq!(detail_of(AlertKind::MappingFailed, "t1", threw, None), "");
    let word = "the mapping does not know the status word `Quill`; add it to the script";
    assert_eq!(detail_of(AlertKind::UnknownStatus, "Quill", word, None), "");
    let left_out = "`moved with Ada Quill` leaves out linked people";
    assert_eq!(
        detail_of(AlertKind::ExcludedLinked, "Ada", left_out, Some(2)),
        "2"
    );
}

#[test]
fn of_a_run_that_is_not_understood_it_is_said_how_many_records_and_not_what_the_script_says() {
    let reason =
        "none of the 4 records could be mapped; 4 at scripts/acme.rhai:3:9: Ada Quill has no date";
    let mut run = run();
    run.outcome = Outcome::NotUnderstood {
        reason: reason.into(),
        digest: "d".into(),
    };
    (run.counts.seen, run.counts.rejected) = (4, 4);
    let elm = IntegrationId::new("elm");
    let trouble = Trouble {
        kind: None,
        run: Some(RunId(7)),
        cause: Cause::Runs(elm.clone(), RunEnd::NotUnderstood),
        integration: elm,
        began: run.started,
        ended: None,
        told: false,
    };
    let detail = |personal: bool| line(&trouble, None, Some(&run), personal, &TimeZone::UTC).detail;
    assert_eq!(
        detail(false),
        "4 of 4 could not be mapped, and nothing was written: correct the script, or the records in the PMS"
    );
    assert_eq!(detail(true), reason);
}

#[test]
fn a_file_s_own_templates_are_taken_and_where_one_fails_those_that_come_with_epms() {
    let own = notify(json!({
        "subject": "{{ property }}\r\nBcc: {{ new | length }}",
        "text": "{% for one in new %}{{ one.alert }} {{ one.kind }}{% endfor %}",
    }));
    let said = written(&own, &matter(false));
    assert_eq!(said.subject, "Elm Court Bcc: 1");
    assert_eq!(said.text, "a5 name_mismatch");
    for wrong in [
        "{{ 1 / 0 }}",
        "{{ new | nothing }}",
        "{% include 'text' %}",
        "{% macro m() %}{% endmacro %}",
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    ] {
        let said = written(&notify(json!({ "text": wrong })), &matter(false));
        assert!(said.wrong.is_some(), "{wrong}");
        assert!(said.text.contains("the names differ"), "{wrong}");
    }
}

#[test]
fn many_troubles_are_counted() {
    let mut matter = matter(false);
    let one = matter.says[0].clone();
    matter.says.extend(std::iter::repeat_n(one, 40));
    let said = written(&notify(json!({})), &matter);
    assert!(
        said.text.ends_with(
            "and 21 more: `epms alerts list --all --integration elm` lists all that are open\n"
        ),
        "{}",
        said.text
    );
    assert_eq!(said.data["in_all"], 43);
}

#[test]
fn a_test_says_that_it_is_one() {
    let matter = Matter {
        is_test: true,
        ..Matter::default()
    };
    let said = written(&notify(json!({ "name": "office" })), &matter);
    assert_eq!(said.subject, "epms: a test of office");
    assert_eq!(
        said.text,
        "This is a test by epms: whoever gets it is told by `office` when something is wrong.\n"
    );
}
