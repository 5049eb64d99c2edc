//! People, alerts and changes.

use insta::assert_snapshot;

use super::super::Exit;
use super::super::examples::{alert, change, integration, person, person_detail, side};
use super::super::testing::{Answers, Server, epms, epms_at, plain};
use crate::control::protocol::{LogLine, Page, ProblemDocument};
use crate::model::{AlertId, AlertKind, Confidence, Field};

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
    assert_snapshot!(ran.out, @r"
    ID   NAME                  EMAIL                PROPERTY           UNIT  STATUS
    ────────────────────────────────────────────────────────────────────────────────
    p17  Ada Lovelace          ada@example.com      123-building-name  12B   current
    p17  Maximiliane Wilhelm…  maximiliane.wilhel…  123-building-name  12B   current
    p17  Ada Lovelace
    ");
}

#[tokio::test]
async fn people_are_found_by_text_and_property() {
    let asked = "GET /v1/people?limit=50&integration=123-building-name&q=o%27neil";
    let answers = Answers::default()
        .json(asked, &page::<crate::model::Person>(Vec::new()))
        .json(
            "GET /v1/integrations/123-building-name",
            &integration("123-building-name"),
        );
    let ran = epms(
        "people list o'neil --integration 123-building-name",
        answers,
    )
    .await;
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (Exit::Failed, "nobody fits\n")
    );
}

#[tokio::test]
async fn off_a_terminal_lists_are_plain_lines() {
    let server =
        Server::start(Answers::default().json("GET /v1/people?limit=50", &page(vec![person()])));
    let ran = epms_at("people list", &server.socket(), plain()).await;
    assert_snapshot!(ran.out, @r"
    ID   NAME          EMAIL            PROPERTY           UNIT  STATUS
    p17  Ada Lovelace  ada@example.com  123-building-name  12B   current
    ");
}

#[tokio::test]
async fn a_person_is_shown_with_stays_links_alerts_and_changes() {
    let answers = Answers::default().json("GET /v1/people/p17", &person_detail());
    assert_snapshot!(epms("people show p17", answers).await.out, @r"
    p17 Ada Lovelace

    first_name  Ada
    last_name   Lovelace
    email       ada@example.com
    phone       +12125550123 (locked: no sync writes it)
    created     by a sync, 2d ago (2026-02-27 12:00:00)

    stay at 123-building-name
      status       current, notice given
      unit         12B
      lease_start  2025-06-01
      lease_end    2026-05-31
      move_in      2025-06-03
      move_out     –

    links
    INTEGRATION        RESIDENT  SINCE   MISSED
    ───────────────────────────────────────────
    123-building-name  t0001     2d ago  1 run

    open alerts
    ID  KIND           INTEGRATION        ABOUT             SINCE
    ──────────────────────────────────────────────────────────────
    a5  name_mismatch  123-building-name  Augusta Lovelace  3h ago
          a resident has the email of a person whose name is another

    latest changes
     NO  WHEN    WHAT     RULE  BY  ACT  FIELDS
    ─────────────────────────────────────────────────────────────
    121  4m ago  updated  R18   r3       move_out: 2026-05-31 → –
    ");
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
    assert_snapshot!(epms(line, answers).await.out, @r"
    ID  KIND           INTEGRATION        ABOUT             SINCE
    ──────────────────────────────────────────────────────────────
    a5  name_mismatch  123-building-name  Augusta Lovelace  3h ago
          a resident has the email of a person whose name is another
    ");
}

#[tokio::test]
async fn probable_namesakes_are_listed_apart() {
    let mut low = alert();
    low.id = AlertId(6);
    low.kind = AlertKind::EmailMismatch;
    low.confidence = Some(Confidence::Low);
    let answers = Answers::default().json(
        "GET /v1/alerts?limit=50&state=open",
        &page(vec![low, alert()]),
    );
    let out = epms("alerts list --all", answers).await.out;
    let (above, below) = out.split_once("\nprobably namesakes\n").unwrap();
    assert!(above.contains("a5") && !above.contains("a6"), "{out}");
    assert!(below.contains("a6") && !below.contains("a5"), "{out}");
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
    assert_snapshot!(epms("alerts show a5", answers).await.out, @r"
    a5 name_mismatch at 123-building-name: open
      a resident has the email of a person whose name is another

    raised     3h ago (2026-03-01 09:00:00) by r3
    last seen  4m ago (2026-03-01 11:55:42)

                   resident t0003 of the PMS  person p17 of the store
    ≠  first_name  Augusta                    Ada
       last_name   Lovelace                   Lovelace
       email       ada@example.com            ada@example.com
    ≠  unit        –                          12B

    what to do: merge takes the name of the PMS; create-separate makes somebody new,
    where the mailbox was handed on; or correct it in the PMS, and it closes itself
      epms alerts resolve a5 merge
          take the PMS's name, and link
      epms alerts dismiss a5
          hear no more of it until either side changes
    ");
}

#[tokio::test]
async fn an_alert_names_only_what_can_be_done_about_it() {
    for (kind, says, may_be_dismissed) in [
        (
            AlertKind::DuplicateEmails,
            "correct the email in the PMS",
            true,
        ),
        (
            AlertKind::CredentialFailing,
            "correct the credential",
            false,
        ),
        (AlertKind::SyncStale, "`epms sync` tries at once", false),
        (AlertKind::MassChangeHeld, "`epms approve`", false),
        (AlertKind::MappingFailed, "correct the script", true),
    ] {
        let mut alert = alert();
        alert.kind = kind;
        let answers = Answers::default().json("GET /v1/alerts/a5", &alert);
        let out = epms("alerts show a5", answers).await.out;
        let (_, what) = out.split_once("what to do").unwrap();
        assert!(what.contains(says), "{kind}: {what}");
        assert_eq!(what.contains("epms alerts dismiss a5"), may_be_dismissed);
        assert!(!what.contains("epms alerts resolve"), "{kind}: {what}");
    }
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
    let line = || LogLine::Change {
        epoch: 1,
        change: Box::new(change()),
    };
    let asked = "GET /v1/changes?after=1%3A120&follow=false&limit=2&person=p17&kind=created";
    let answers = Answers::default().lines(asked, &[line(), line()]);
    let words = "changes --after 1:120 --limit 2 --person p17 --kind created";
    let ran = epms(words, answers).await;
    assert_eq!(ran.exit, Exit::Done);
    let lines = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    assert_eq!(lines.collect::<Vec<LogLine>>(), [line(), line()]);
}

#[tokio::test]
async fn a_record_that_could_not_be_mapped_is_shown_as_the_pms_sent_it() {
    let told = serde_json::json!({
        "integration": "elm", "resident": "t7",
        "live": {
            "outcome": "unchanged",
            "steps": [{
                "request": "residents", "property": "p1",
                "record": { "Id": "t7", "Rent": "a\u{1b}[2Jb", "Dates": [] },
                "residents": [],
                "error": "scripts/pms.rhai:3:9: Dates: is a list",
            }],
            "considered": [], "decisions": [], "changes": [], "raised": [],
        },
    });
    let asked = "GET /v1/integrations/elm/residents/t7?live=true";
    let ran = epms(
        "explain elm t7 --live",
        Answers::default().json(asked, &told),
    )
    .await;
    let (_, shown) = ran.out.split_once("record 1 of 1").unwrap();
    let (shown, _) = shown.split_once("\nno run").unwrap();
    assert_snapshot!(shown, @r#"
    : request `residents`, PMS property p1
      the script could not map it
        scripts/pms.rhai:3:9: Dates: is a list
      the record, as the PMS sent it
        {
          "Id": "t7",
          "Rent": "a\u001b[2Jb",
          "Dates": []
        }
    "#);
}

#[tokio::test]
async fn an_exclusion_that_fails_passes_nobody_and_no_run_is_named_that_is_not_there() {
    let told = serde_json::json!({
        "integration": "elm", "resident": "t7",
        "live": {
            "outcome": "not_understood",
            "reason": "1 of 1 records could not be mapped; `epms approve r0` goes on without them",
            "digest": "d",
            "steps": [{
                "request": "residents", "property": "p1", "record": { "Id": "t7" },
                "residents": [{
                    "mapped": { "id": "t7", "first_name": "", "last_name": "Elm", "status": "current", "status_word": "Current" },
                    "exclusions": [{
                        "rule": "the script's exclude", "saw": "the resident as mapped",
                        "error": "scripts/pms.rhai:9:5: Rent: is not there",
                    }],
                }],
            }],
            "considered": [], "decisions": [], "changes": [], "raised": [],
        },
    });
    let asked = "GET /v1/integrations/elm/residents/t7?live=true";
    let ran = epms(
        "explain elm t7 --live",
        Answers::default().json(asked, &told),
    )
    .await;
    let shown = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for says in [
        "fails: not mapped",
        "scripts/pms.rhai:9:5: Rent: is not there",
        "`epms approve RUN`",
    ] {
        assert!(shown.contains(says), "{says}: {shown}{}", ran.err);
    }
    for never in ["passes", " r0"] {
        assert!(!shown.contains(never), "{never}: {shown}");
    }
}

#[tokio::test]
async fn a_list_of_an_integration_that_is_not_there_is_refused_and_one_of_nothing_is_not() {
    let there_is_none =
        ProblemDocument::not_found("there is no integration `oak`; see `epms status`");
    let none: Page<String> = Page {
        items: Vec::new(),
        next: None,
    };
    for (verb, list) in [
        (
            "runs --integration oak",
            "GET /v1/runs?limit=50&integration=oak",
        ),
        (
            "people list --integration oak",
            "GET /v1/people?limit=50&integration=oak",
        ),
        (
            "alerts list --all --integration oak",
            "GET /v1/alerts?limit=50&state=open&integration=oak",
        ),
    ] {
        let answers = || Answers::default().json(list, &none);
        let refused = answers().problem("GET /v1/integrations/oak", &there_is_none);
        let ran = epms(verb, refused).await;
        assert_eq!(ran.exit, Exit::Failed, "{verb}: {}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("there is no integration `oak`"),
            "{}",
            ran.err
        );
        let there = answers().json("GET /v1/integrations/oak", &integration("oak"));
        assert_eq!(epms(verb, there).await.exit, Exit::Done, "{verb}");
    }
}
