//! People, alerts and changes.

use insta::assert_snapshot;

use super::super::Exit;
use super::super::examples::{alert, change, person, person_detail, side};
use super::super::testing::{Answers, Server, epms, epms_at, plain};
use crate::control::protocol::Page;
use crate::model::{AlertKind, Change, Field};

fn page<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None }
}

#[tokio::test]
async fn people_are_listed_with_their_stay() {
    let mut long = person();
    long.first_name = "Maximiliane Wilhelmina".into();
    long.last_name = "Freifrau von und zu Oberammergau-Unterwössen".into();
    long.email = Some("maximiliane.wilhelmina.von.und.zu.oberammergau@example.com".into());
    let mut bare = person();
    bare.email = None;
    bare.stays.clear();
    let answers =
        Answers::default().json("GET /v1/people?limit=50", &page(vec![person(), long, bare]));
    let ran = epms("people list", answers).await;
    assert_eq!(ran.exit, Exit::Done);
    assert_snapshot!(ran.out, @"");
}

#[tokio::test]
async fn people_are_found_by_text_and_property() {
    let asked = "GET /v1/people?limit=50&integration=123-building-name&q=o%27neil";
    let answers = Answers::default().json(asked, &page::<crate::model::Person>(Vec::new()));
    let ran = epms(
        "people list o'neil --integration 123-building-name",
        answers,
    )
    .await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, "nobody fits\n"));
}

#[tokio::test]
async fn off_a_terminal_lists_are_plain_lines() {
    let server =
        Server::start(Answers::default().json("GET /v1/people?limit=50", &page(vec![person()])));
    let ran = epms_at("people list", &server.socket(), plain()).await;
    assert_snapshot!(ran.out, @"");
}

#[tokio::test]
async fn a_person_is_shown_with_stays_links_alerts_and_changes() {
    let answers = Answers::default().json("GET /v1/people/p17", &person_detail());
    assert_snapshot!(epms("people show p17", answers).await.out, @"");
}

#[tokio::test]
async fn json_is_what_the_daemon_said() {
    let answers = Answers::default().json("GET /v1/people/p17", &person_detail());
    let ran = epms("people show p17 --json", answers).await;
    assert_eq!(
        ran.out,
        serde_json::to_string_pretty(&person_detail()).unwrap() + "\n"
    );
}

#[tokio::test]
async fn alerts_are_listed_by_state_kind_and_integration() {
    let asked =
        "GET /v1/alerts?limit=50&state=all&kind=name_mismatch&integration=123-building-name";
    let answers = Answers::default().json(asked, &page(vec![alert()]));
    let line = "alerts list --state all --kind name_mismatch --integration 123-building-name";
    assert_snapshot!(epms(line, answers).await.out, @"");
}

#[tokio::test]
async fn an_unknown_kind_of_alert_is_answered_with_the_known_ones() {
    let ran = epms("alerts list --kind name", Answers::default()).await;
    assert_eq!(ran.exit, Exit::Invalid);
    assert!(ran.err.contains("`name_mismatch`"), "{}", ran.err);
}

#[tokio::test]
async fn an_alert_shows_both_sides_and_marks_what_differs() {
    let answers = Answers::default().json("GET /v1/alerts/a5", &alert());
    assert_snapshot!(epms("alerts show a5", answers).await.out, @"");
}

#[tokio::test]
async fn an_alert_with_many_sides_sets_the_first_against_two_at_a_time() {
    let mut alert = alert();
    alert.kind = AlertKind::DuplicateAccounts;
    let name = [(Field::FirstName, "Ada")];
    alert.sides.push(side(None, Some(18), &name));
    alert.sides.push(side(None, Some(19), &name));
    let answers = Answers::default().json("GET /v1/alerts/a5", &alert);
    let out = epms("alerts show a5", answers).await.out;
    assert_eq!(out.matches("resident t0003 of").count(), 2);
    assert_eq!(out.matches("person p19 of").count(), 1);
    assert!(out.lines().all(|line| line.chars().count() <= 80));
}

#[tokio::test]
async fn changes_are_lines_of_json() {
    let answers = Answers::default().lines(
        "GET /v1/changes?after=120&follow=true",
        &[change(), change()],
    );
    let ran = epms("changes --after 120 --follow", answers).await;
    assert_eq!(ran.exit, Exit::Done);
    let lines: Vec<Change> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, [change(), change()]);
}
