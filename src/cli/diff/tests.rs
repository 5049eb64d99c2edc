//! How what was found is written, and how the command ends.

use super::*;
use crate::cli::testing::plain;
use crate::model::{
    AlertDiffers, AlertKind, AlertWould, Counts, Differs, Effect, Field, FieldChange, Foreseen,
    Outcome, PersonId, Switch,
};

fn foreseen(outcome: Outcome) -> Foreseen {
    Foreseen {
        outcome,
        counts: Counts::default(),
        notes: std::collections::BTreeMap::new(),
    }
}

fn held() -> Outcome {
    Outcome::Held {
        reason: "closing 30 of 57".into(),
        digest: "d".into(),
    }
}

fn one(effect: Effect, resident: &str) -> Differs {
    Differs {
        resident: resident.into(),
        person: Some(PersonId(7)),
        name: "Ada Quill".into(),
        effect,
        rule: "R18".into(),
        reason: String::new(),
        fields: vec![FieldChange {
            field: Field::Phone,
            before: Some("+12025550101".into()),
            after: None,
        }],
    }
}

fn tried(with: Outcome, people: Vec<Differs>) -> Tried {
    let said = crate::model::Tried {
        same: false,
        switch: None,
        untried: vec!["the requests are not tried".into()],
    };
    Tried {
        records: None,
        difference: Difference {
            integration: IntegrationId::new("elm"),
            tried: said,
            now: Some(foreseen(Outcome::Unchanged)),
            with: Some(foreseen(with)),
            people,
            alerts: vec![AlertDiffers {
                kind: AlertKind::UnknownStatus,
                subject: "Evicted | now".into(),
                would: AlertWould::Open,
                detail: "the word is not known".into(),
            }],
        },
    }
}

fn report(tried: Vec<Tried>) -> Report {
    Report {
        integrations: tried,
        ..Report::default()
    }
}

#[test]
fn a_table_names_everybody_and_says_what_was_not_tried() {
    let people = vec![one(Effect::Goes, "t1"), one(Effect::Changes, "t2")];
    let text = table::render(&report(vec![tried(Outcome::Committed, people)]), &plain());
    for told in [
        "elm: goes 1, changes 1",
        "not tried: the requests are not tried",
        "p7 Ada Quill",
        "phone +12025550101 → –",
        "unknown_status",
        "1 of 1 integration would change",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
}

#[test]
fn a_comment_counts_and_has_nothing_of_a_record_a_script_or_the_store() {
    let mut who = one(Effect::Changes, "t|1`");
    who.reason = "the script: ada@mail.com asked".into();
    let mut other = one(Effect::Changes, "t2");
    other.reason = "Quill left".into();
    let mut tried = tried(held(), vec![who, other, one(Effect::Goes, "t3")]);
    tried.difference.alerts[0].detail = "Ada Quill of unit 7".into();
    let report = report(vec![tried]);
    let text = markdown::render(&report, false);
    assert!(
        text.starts_with("### epms: 1 of 1 integration would change\n"),
        "{text}"
    );
    for told in [
        "| changes | R18 | `phone` | 2 |",
        "| goes | R18 | `phone` | 1 |",
        "| `unknown_status` | is raised | 1 |",
        "**held**",
        "<details><summary>elm</summary>\n\nheld\n",
        "- not tried: the requests are not tried",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    for personal in [
        "Ada",
        "Quill",
        "2025550101",
        "mail.com",
        "t2",
        "t3",
        "Evicted",
        "unit 7",
        "closing 30",
    ] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    let text = markdown::render(&report, true);
    for told in [
        "| `t\\|1` Ada Quill | changes | R18 | the script: ada&#64;mail.com asked, `phone +12025550101 → –` |",
        "Ada Quill of unit 7",
        "held: closing 30 of 57",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
}

#[test]
fn a_comment_stays_below_the_largest_size_of_one() {
    let people = |_| {
        (0..2000)
            .map(|n| one(Effect::ComesIn, &format!("resident-{n}")))
            .collect()
    };
    let all: Vec<Tried> = (0..100)
        .map(|n| tried(Outcome::Committed, people(n)))
        .collect();
    let text = markdown::render(&report(all), true);
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(
        text.contains("and 1950 more") && text.contains("does not fit"),
        "{text}"
    );
}

#[test]
fn the_exit_code_counts_only_where_it_is_asked_for_and_what_failed_always() {
    let calm = || {
        let mut calm = tried(Outcome::Unchanged, Vec::new());
        calm.difference.alerts.clear();
        calm
    };
    let changed = || tried(Outcome::Committed, vec![one(Effect::Goes, "t1")]);
    let held = || tried(held(), Vec::new());
    let exits = |all: Vec<Tried>| {
        let report = report(all);
        (exit(&report, false), exit(&report, true))
    };
    assert_eq!(exits(vec![calm()]), (Exit::Done, Exit::Done));
    assert_eq!(exits(vec![calm(), changed()]), (Exit::Done, Exit::Failed));
    assert_eq!(exits(vec![changed(), held()]), (Exit::Done, Exit::Held));
    let fails = Outcome::NotUnderstood {
        reason: String::new(),
        digest: "d".into(),
    };
    let fails = || tried(fails.clone(), Vec::new());
    assert_eq!(exits(vec![fails()]), (Exit::Failed, Exit::Failed));
    let mut alike = fails();
    alike.difference.alerts.clear();
    alike.difference.now.clone_from(&alike.difference.with);
    let text = table::render(&report(vec![alike]), &plain());
    assert!(
        text.contains("elm: nothing would change\n  not_understood"),
        "{text}"
    );
    let mut alike = fails();
    alike.difference.alerts.clear();
    alike.difference.now.clone_from(&alike.difference.with);
    assert_eq!(exits(vec![alike]), (Exit::Done, Exit::Done));
    let mut off = calm();
    off.difference.tried.switch = Some(Switch::Off);
    assert_eq!(exits(vec![off]), (Exit::Done, Exit::Failed));
    let mut wrong = report(vec![held()]);
    wrong.failed.push(Failed {
        integration: IntegrationId::new("oak"),
        why: "scripts/yardi.rhai:1:1: is wrong".into(),
        invalid: true,
    });
    assert_eq!(exit(&wrong, false), Exit::Invalid);
    assert!(markdown::render(&wrong, false).contains("`oak` could not be tried"));
}

#[test]
fn the_heading_says_all_that_would_be_otherwise() {
    let mut calm = tried(Outcome::Unchanged, Vec::new());
    calm.difference.alerts.clear();
    let heading = |report: &Report| {
        let text = markdown::render(report, false);
        text.lines().next().unwrap().to_owned()
    };
    let mut report = report(vec![calm]);
    assert_eq!(heading(&report), "### epms: nothing would change");
    report.new.push(IntegrationId::new("oak"));
    assert_eq!(
        heading(&report),
        "### epms: 0 of 1 integration would change, 1 is new"
    );
    report.integrations[0].difference.tried.switch = Some(Switch::Off);
    report.gone = vec![IntegrationId::new("ash"), IntegrationId::new("fir")];
    assert_eq!(
        heading(&report),
        "### epms: 1 of 1 integration would change, 1 is new, 2 would be gone"
    );
    let text = table::render(&report, &plain());
    assert!(text.starts_with("elm: would be switched off\n"), "{text}");
}

#[test]
fn recordings_are_counted_apart_from_the_integrations_that_they_are_of() {
    let of = |name: &str| Tried {
        records: Some(name.into()),
        ..tried(Outcome::Committed, Vec::new())
    };
    let report = report(vec![of("page-1"), of("page-2")]);
    assert_eq!(
        report.total(),
        "1 of 1 integration would change, on 2 recordings"
    );
}
