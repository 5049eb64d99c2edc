//! How what was found is written, and how the command ends.

use super::*;
use crate::cli::testing::plain;
use crate::model::{
    AlertDiffers, AlertKind, AlertWould, Counts, Differs, Effect, Field, FieldChange, Foreseen,
    Outcome, PersonId,
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
        "1 integration tried, 1 of them would change",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
}

#[test]
fn a_comment_has_ids_and_fields_and_neither_names_nor_values() {
    let people = vec![one(Effect::Changes, "t|1`")];
    let report = report(vec![tried(held(), people)]);
    let text = markdown::render(&report, false);
    assert!(
        text.starts_with("### epms: 1 of 1 integrations would change\n"),
        "{text}"
    );
    assert!(
        text.contains("| `t\\|1` | changes | R18 | `phone` |"),
        "{text}"
    );
    assert!(text.contains("**held**"), "{text}");
    assert!(text.contains("<details><summary>elm</summary>"), "{text}");
    for personal in ["Ada", "2025550101"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    let text = markdown::render(&report, true);
    assert!(
        text.contains("Ada Quill") && text.contains("+12025550101"),
        "{text}"
    );
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
    let fails = tried(fails, Vec::new());
    assert_eq!(exits(vec![fails]), (Exit::Failed, Exit::Failed));
    let mut wrong = report(vec![held()]);
    wrong.failed.push(Failed {
        integration: IntegrationId::new("oak"),
        why: "scripts/yardi.rhai:1:1: is wrong".into(),
        invalid: true,
    });
    assert_eq!(exit(&wrong, false), Exit::Invalid);
    assert!(markdown::render(&wrong, false).contains("`oak` could not be tried"));
}
