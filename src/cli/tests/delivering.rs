//! Targets and deliveries.

use std::io::BufRead;

use clap::Parser;
use insta::assert_snapshot;

use super::super::arguments::{Arguments, Verb};
use super::super::examples::{delivery, person_detail, problem, target};
use super::super::testing::{Answers, Ran, Server, at, epms, epms_at, plain, view};
use super::super::{Exit, Screen, deliveries};
use crate::control::client::Client;
use crate::control::protocol::{Page, ProblemDocument, Targets};
use crate::model::{
    DeedKind, DeliveriesTouched, Delivery, DeliveryPlan, DeliveryState, PersonId, Tally, TargetId,
    TargetState, TargetStatus, WaitsFor,
};

fn page(items: Vec<Delivery>) -> Page<Delivery> {
    Page { items, next: None }
}

fn targets(items: Vec<TargetStatus>) -> Answers {
    Answers::default().json("GET /v1/targets", &Targets { items })
}

fn no_target() -> ProblemDocument {
    ProblemDocument::no_target(&TargetId::new("oak-door"))
}

/// Grants that stand everywhere: a person who moves, one who left, one who is parked.
fn plan() -> DeliveryPlan {
    let done_to = |person, key: &str, deed, cause: &str, waits_for| Delivery {
        person: PersonId(person),
        state: DeliveryState::Wanted,
        deed: Some(deed),
        cause: Some(cause.into()),
        waits_for: Some(waits_for),
        ..delivery(key)
    };
    let mut ahead = done_to(21, "common", DeedKind::Create, "opens", WaitsFor::Moment);
    ahead.next = Some(at("2026-03-04T12:00:00Z"));
    let mut at_once = done_to(22, "12B-key", DeedKind::Remove, "over", WaitsFor::Target);
    at_once.waits_for = None;
    let mut later = done_to(
        23,
        "7-key",
        DeedKind::Change,
        "later-word",
        WaitsFor::Target,
    );
    later.next = Some(at("2026-03-01T12:04:00Z"));
    DeliveryPlan {
        target: TargetId::new("acme-door"),
        digest: Some("9a51b59873224f2c".into()),
        deeds: vec![
            done_to(17, "14A-key", DeedKind::Create, "opens", WaitsFor::Approval),
            done_to(17, "12B-key", DeedKind::Remove, "moved", WaitsFor::Before),
            done_to(18, "9-key", DeedKind::Remove, "over", WaitsFor::Guard),
            ahead,
            at_once,
            later,
        ],
    }
}

fn of_the_plan() -> Answers {
    Answers::default().json("GET /v1/deliveries/acme-door/preview", &plan())
}

fn touched(count: u64) -> DeliveriesTouched {
    DeliveriesTouched {
        target: TargetId::new("acme-door"),
        count,
    }
}

/// With somebody who answers.
async fn answered(line: &str, answers: Answers, answer: &str) -> Ran {
    let server = Server::start(answers);
    let client = Client::new(&server.socket()).unwrap();
    let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
    let Verb::Deliveries(verb) = &arguments.verb else {
        unreachable!()
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
        view: view(),
        progress: true,
    };
    let mut input = answer.as_bytes();
    let input = Some(&mut input as &mut dyn BufRead);
    let ended = deliveries::run(verb, arguments.json, &client, input, &mut screen).await;
    let (exit, told) = match ended {
        Ok(exit) => (exit, String::new()),
        Err(failure) => (failure.exit(), failure.to_string()),
    };
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap() + &told,
    }
}

#[tokio::test]
async fn targets_are_listed_and_below_them_what_is_not_well_and_what_to_do() {
    let mut waiting = target("acme-door");
    waiting.state = TargetState::Waiting;
    waiting.digest = Some("9a51b59873224f2c".into());
    waiting.grants.waiting = 12;
    waiting.grants.parked = 1;
    waiting.grants.visit = 2;
    waiting.oldest_wanted = Some(at("2026-03-01T11:20:00Z"));
    let mut held = target("oak-street-apartments-door");
    held.state = TargetState::Held;
    held.mode = "automatic".into();
    held.digest = Some("1a2b".into());
    held.grants.held = 40;
    let mut failing = target("mill-door");
    failing.state = TargetState::Failing;
    failing.error = Some("the target refuses the login; check the credential `mill`".into());
    failing.failing_since = Some(at("2026-03-01T09:00:00Z"));
    failing.late = 7_300;
    let mut broken = target("new-door");
    broken.state = TargetState::Broken;
    broken.problems = vec![problem("unknown field; did you mean `script`?")];
    (broken.people, broken.grants, broken.read_back) = (0, Tally::default(), None);
    let mut off = target("off-door");
    off.state = TargetState::Off;
    let mut removed = target("gone-door");
    removed.state = TargetState::Removed;
    let all = vec![
        target("ok-door"),
        waiting,
        held,
        failing,
        broken,
        off,
        removed,
    ];
    let ran = epms("targets", targets(all)).await;
    assert_eq!(ran.exit, Exit::Done);
    assert_snapshot!(ran.out, @r"
    TARGET                      STATE    MODE       PEOPLE  CONF  WAIT  PARK  VISIT  LAG  READ
    ────────────────────────────────────────────────────────────────────────────────────────────
    ok-door                     ok       approve       312   598     0     0      0    –  9h ago
    acme-door                   waiting  approve       312   598    12     1      2  40m  9h ago
    oak-street-apartments-door  held     automatic     312   598    40     0      0    –  9h ago
    mill-door                   failing  approve       312   598     0     0      0    –  9h ago
    new-door                    broken   approve         0     0     0     0      0    –  –
    off-door                    off      approve       312   598     0     0      0    –  9h ago
    gone-door                   removed  approve       312   598     0     0      0    –  9h ago

    acme-door: 12 wait for approval
      epms deliveries preview acme-door
      epms deliveries approve acme-door --digest 9a51b59873224f2c

    acme-door: 1 is parked; see why, then try again
      epms deliveries list --target acme-door --state parked
      epms deliveries retry acme-door

    acme-door: somebody must go to the doors of 2 grants, which have not heard of
    them
      epms deliveries list --target acme-door --state visit

    oak-street-apartments-door: the guard holds 40, more than may be taken away at
    once; an approval lets it through
      epms deliveries preview oak-street-apartments-door
      epms deliveries approve oak-street-apartments-door --digest 1a2b

    mill-door: failing since 3h ago (2026-03-01 09:00:00): the target refuses the
    login; check the credential `mill`. Nothing is lost: what is wanted is sent once
    it goes again

    mill-door: the latest moment was missed by 2h; where no daemon ran then, nothing
    is to be done

    new-door: its file is not right and never was, so that nothing is delivered
      config/integrations/123-building-name.yaml:9:1: scrpt: unknown field; did you
      mean `script`?

    off-door: switched off, and what was granted stays; `enabled: true` in
    config/targets/off-door.yaml switches it on

    gone-door: its file is gone, and what was granted stays;
    config/targets/gone-door.yaml in its place goes on with it
    ");
}

#[tokio::test]
async fn where_there_is_room_the_heads_of_targets_are_whole_words() {
    let server = Server::start(targets(vec![target("acme-door")]));
    let ran = epms_at("targets", &server.socket(), plain()).await;
    assert_snapshot!(ran.out, @r"
    TARGET     STATE  MODE     PEOPLE  CONFIRMED  WAITING  PARKED  VISIT  LAG  READ BACK
    acme-door  ok     approve     312        598        0       0      0    –  9h ago
    ");
}

#[tokio::test]
async fn a_home_without_targets_says_where_they_come_from() {
    let ran = epms("targets", targets(Vec::new())).await;
    let says = "no targets; put a file into config/targets\n";
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, says));
}

#[tokio::test]
async fn one_target_is_shown_with_every_count() {
    let mut one = target("acme-door");
    one.state = TargetState::Waiting;
    one.grants.waiting = 1;
    one.problems = vec![problem("unknown field")];
    let answers = Answers::default().json("GET /v1/targets/acme-door", &one);
    assert_snapshot!(epms("targets acme-door", answers).await.out, @r"
    acme-door

    state      waiting
    connector  opendoor
    mode       approve
    from       123-building-name
    people     312
    read back  9h ago (2026-03-01 03:00:00)

    GRANTS
    ──────────────────────────────────────────────────────────
    wanted       0  to be granted, changed or taken away
      waiting    1  of those, for approval
      held       0  of those, by the guard
    sent         0  the target took it; not read back yet
    confirmed  598  read back, as it was sent
    unknown      0  whether the target did it: to be looked at
    parked       0  refused, or never as it was sent
    visit        0  a door has not heard of it yet

    acme-door: 1 waits for approval
      epms deliveries preview acme-door
      epms deliveries approve acme-door

    acme-door: the files on disk were refused; what was loaded before still holds
      config/integrations/123-building-name.yaml:9:1: scrpt: unknown field
    ");
}

#[tokio::test]
async fn deliveries_are_listed_and_what_is_parked_says_why() {
    let mut items = plan().deeds;
    items.push(delivery("12B-key"));
    items.push(Delivery {
        state: DeliveryState::Parked,
        why: Some("PASSCODE_TYPE_CANT_BE_REVOKED: this kind of code cannot be taken away from afar; go to the door".into()),
        ..delivery("5-key")
    });
    let list = "GET /v1/deliveries?limit=50";
    let ran = epms(
        "deliveries",
        Answers::default().json(list, &page(items.clone())),
    )
    .await;
    assert_eq!(ran.exit, Exit::Done);
    assert_snapshot!(ran.out, @r"
    TARGET     PERSON  GRANT    STATE      SINCE   TO DO      WAITS FOR
    ───────────────────────────────────────────────────────────────────
    acme-door  p17     14A-key  wanted     2d ago  open       approval
    acme-door  p17     12B-key  wanted     2d ago  take away  before
    acme-door  p18     9-key    wanted     2d ago  take away  guard
    acme-door  p21     common   wanted     2d ago  open       in 3d
    acme-door  p22     12B-key  wanted     2d ago  take away  –
    acme-door  p23     7-key    wanted     2d ago  change     target
    acme-door  p17     12B-key  confirmed  2d ago  –          –
    acme-door  p17     5-key    parked     2d ago  –          –
          PASSCODE_TYPE_CANT_BE_REVOKED: this kind of code cannot be taken away from
          afar; go to the door
    ");
    let server = Server::start(Answers::default().json(list, &page(items)));
    let ran = epms_at("deliveries list", &server.socket(), plain()).await;
    assert_snapshot!(ran.out, @r"
    TARGET     PERSON  GRANT    STATE      SINCE   TO DO      WAITS FOR  WHY
    acme-door  p17     14A-key  wanted     2d ago  open       approval
    acme-door  p17     12B-key  wanted     2d ago  take away  before
    acme-door  p18     9-key    wanted     2d ago  take away  guard
    acme-door  p21     common   wanted     2d ago  open       in 3d
    acme-door  p22     12B-key  wanted     2d ago  take away  –
    acme-door  p23     7-key    wanted     2d ago  change     target
    acme-door  p17     12B-key  confirmed  2d ago  –          –
    acme-door  p17     5-key    parked     2d ago  –          –          PASSCODE_TYPE_CANT_BE_REVOKED: this kind of code cannot be taken away from afar; go to the door
    ");
}

#[tokio::test]
async fn deliveries_are_found_by_target_person_and_state_with_and_without_the_word_list() {
    let asked = "GET /v1/deliveries?limit=50&target=acme-door&person=p17&state=parked";
    for verb in ["deliveries", "deliveries list"] {
        let line = format!("{verb} --target acme-door --person p17 --state parked");
        let found = Answers::default().json(asked, &page(vec![delivery("12B-key")]));
        assert_eq!(epms(&line, found).await.exit, Exit::Done);
        let nothing = || Answers::default().json(asked, &page(Vec::new()));
        let ran = epms(&line, nothing()).await;
        assert_eq!(
            (ran.exit, ran.out.as_str()),
            (Exit::Failed, "nothing fits\n")
        );
        let ran = epms(&format!("{line} --json"), nothing()).await;
        let items = serde_json::from_str::<Page<Delivery>>(&ran.out).unwrap();
        assert_eq!((ran.exit, items), (Exit::Failed, page(Vec::new())));
    }
    let all = Answers::default().json("GET /v1/deliveries?limit=50", &page(Vec::new()));
    assert_eq!(epms("deliveries", all).await.exit, Exit::Done);
}

#[tokio::test]
async fn what_is_asked_in_front_of_a_verb_is_refused_and_so_is_an_unknown_state() {
    for line in [
        "deliveries --target acme-door list",
        "deliveries --limit 3 preview acme-door",
    ] {
        let ran = epms(line, Answers::default()).await;
        assert_eq!(ran.exit, Exit::Invalid, "{line}: {}", ran.err);
        assert!(ran.err.contains("stands behind `list`"), "{}", ran.err);
    }
    let ran = epms("deliveries --state park", Answers::default()).await;
    assert_eq!(ran.exit, Exit::Invalid);
    assert!(ran.err.contains("parked"), "{}", ran.err);
}

#[tokio::test]
async fn what_a_person_has_at_a_target_is_shown_grant_by_grant() {
    let asked = "GET /v1/deliveries?limit=1000&target=acme-door&person=p17";
    let mut waiting = plan().deeds.remove(0);
    waiting.next = Some(at("2026-03-01T12:15:00Z"));
    let items = vec![delivery("12B-key"), waiting];
    let answers = Answers::default().json(asked, &page(items));
    let ran = epms("deliveries show acme-door p17", answers).await;
    assert_eq!(ran.exit, Exit::Done);
    assert_snapshot!(ran.out, @r"
    p17 at acme-door

    12B-key
      state     confirmed, since 2d ago (2026-02-27 12:00:00)
      id there  ac-4711

    14A-key
      state      wanted, since 2d ago (2026-02-27 12:00:00)
      to do      open
      because    they are to have it now
      waits for  approval
      next       in 15m (2026-03-01 12:15:00)
      id there   ac-4711
    ");
    let answers = Answers::default().json(asked, &page(Vec::new()));
    let ran = epms("deliveries show acme-door p17", answers).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(
        ran.out.starts_with("p17 has nothing at acme-door"),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn a_preview_says_for_whom_why_and_what_it_waits_for_and_how_to_let_it_through() {
    let ran = epms("deliveries preview acme-door", of_the_plan()).await;
    assert_eq!(ran.exit, Exit::Held);
    assert_snapshot!(ran.out, @r"
    acme-door: opens 2, changes 1, is taken away 3; 2 wait for approval

    PERSON  WHAT           GRANT    WHY                      WAITS FOR
    ────────────────────────────────────────────────────────────────────────────────
    p17     opens          14A-key  they are to have it now  approval
            is taken away  12B-key  they live elsewhere now  what comes before it
    p18     is taken away  9-key    every stay of theirs is  approval: the guard
                                    over                     holds it
    p21     opens          common   they are to have it now  its moment, in 3d
    p22     is taken away  12B-key  every stay of theirs is  nothing
                                    over
    p23     changes        7-key    later-word               the target, tried in 4m

    digest 9a51b59873224f2c: this lets exactly what waits through
      epms deliveries approve acme-door --digest 9a51b59873224f2c
    ");
}

#[tokio::test]
async fn a_preview_of_which_nothing_waits_ends_with_0() {
    for (deeds, says) in [
        (Vec::new(), "nothing is to be done at acme-door\n"),
        (
            plan().deeds.split_off(4),
            "acme-door: changes 1, is taken away 1\n",
        ),
    ] {
        let plan = DeliveryPlan {
            digest: None,
            deeds,
            ..plan()
        };
        let answers = Answers::default().json("GET /v1/deliveries/acme-door/preview", &plan);
        let ran = epms("deliveries preview acme-door", answers).await;
        assert_eq!(ran.exit, Exit::Done);
        assert!(ran.out.starts_with(says), "{}", ran.out);
        assert!(!ran.out.contains("approve"), "{}", ran.out);
    }
}

#[tokio::test]
async fn an_approval_on_a_terminal_shows_what_waits_and_asks() {
    let approve = r#"POST /v1/deliveries/acme-door/approve {"digest":"9a51b59873224f2c"}"#;
    let answers = || of_the_plan().json(approve, &touched(2));
    let line = "epms deliveries approve acme-door";
    let ran = answered(line, answers(), "yes\n").await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    assert_snapshot!(ran.out, @r"
    acme-door: opens 1, is taken away 1, waiting for approval

    PERSON  WHAT           GRANT    WHY                      WAITS FOR
    ────────────────────────────────────────────────────────────────────────────────
    p17     opens          14A-key  they are to have it now  approval
    p18     is taken away  9-key    every stay of theirs is  approval: the guard
                                    over                     holds it

    approve it [y/N]: 2 are let through at acme-door; `epms targets acme-door` says how far they have
    come
    ");
    // Without the answer to an approval, which would be missed were one asked for.
    for answer in ["\n", "no\n", ""] {
        let ran = answered(line, of_the_plan(), answer).await;
        assert_eq!(ran.exit, Exit::Held, "{}", ran.err);
        assert!(ran.out.ends_with("not approved: it waits\n"), "{}", ran.out);
    }
    let mut nothing = plan();
    nothing.digest = None;
    let answers = Answers::default().json("GET /v1/deliveries/acme-door/preview", &nothing);
    let ran = answered(line, answers, "yes\n").await;
    let says = "nothing waits for approval at acme-door\n";
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, says));
}

#[tokio::test]
async fn an_approval_without_anybody_to_ask_needs_a_digest() {
    let approve = r#"POST /v1/deliveries/acme-door/approve {"digest":"1a2b"}"#;
    let answers = || of_the_plan().json(approve, &touched(1));
    let ran = epms("deliveries approve acme-door", answers()).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Invalid, ""));
    assert!(ran.err.contains("--digest DIGEST"), "{}", ran.err);
    // A program that reads JSON is nobody to ask.
    let ran = answered(
        "epms deliveries approve acme-door --json",
        answers(),
        "yes\n",
    )
    .await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Invalid, ""));
    let ran = epms("deliveries approve acme-door --digest 1a2b", answers()).await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    let says = "1 is let through at acme-door; `epms targets acme-door` says how far";
    assert!(ran.out.starts_with(says), "{}", ran.out);
    let changed = ProblemDocument::conflict("another plan waits; look at it");
    let refused = Answers::default().problem(approve, &changed);
    let ran = epms("deliveries approve acme-door --digest 1a2b", refused).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("another plan waits"), "{}", ran.err);
}

#[tokio::test]
async fn what_is_parked_is_tried_again_for_all_or_for_one() {
    let (all, one) = ("{}", r#"{"person":"p17"}"#);
    for (line, told, count, exit, says) in [
        ("acme-door", all, 3, Exit::Done, "3 grants are tried again"),
        ("acme-door", all, 0, Exit::Done, "nothing is parked"),
        (
            "acme-door p17",
            one,
            1,
            Exit::Done,
            "1 grant of p17 is tried again",
        ),
        (
            "acme-door p17",
            one,
            0,
            Exit::Failed,
            "nothing of p17 is parked",
        ),
    ] {
        let retry = format!("POST /v1/deliveries/acme-door/retry {told}");
        let answers = Answers::default().json(&retry, &touched(count));
        let ran = epms(&format!("deliveries retry {line}"), answers).await;
        let says = format!("{says} at acme-door\n");
        assert_eq!((ran.exit, ran.out), (exit, says));
    }
}

#[tokio::test]
async fn a_target_that_is_not_there_ends_every_verb_with_1() {
    for (line, asked) in [
        ("targets oak-door", "GET /v1/targets/oak-door"),
        (
            "deliveries --target oak-door",
            "GET /v1/deliveries?limit=50&target=oak-door",
        ),
        (
            "deliveries show oak-door p17",
            "GET /v1/deliveries?limit=1000&target=oak-door&person=p17",
        ),
        (
            "deliveries preview oak-door",
            "GET /v1/deliveries/oak-door/preview",
        ),
        (
            "deliveries approve oak-door --digest 1",
            "POST /v1/deliveries/oak-door/approve",
        ),
        (
            "deliveries retry oak-door",
            "POST /v1/deliveries/oak-door/retry",
        ),
    ] {
        let ran = epms(line, Answers::default().problem(asked, &no_target())).await;
        assert_eq!(ran.exit, Exit::Failed, "{line}: {}", ran.out);
        assert!(
            ran.err.contains("there is no target `oak-door`"),
            "{}",
            ran.err
        );
    }
}

#[tokio::test]
async fn json_of_targets_and_deliveries_is_what_the_daemon_said() {
    let ran = epms("targets --json", targets(vec![target("acme-door")])).await;
    let told: Targets = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told.items, [target("acme-door")]);
    let ran = epms("deliveries preview acme-door --json", of_the_plan()).await;
    assert_eq!(
        serde_json::from_str::<DeliveryPlan>(&ran.out).unwrap(),
        plan()
    );
    assert_eq!(ran.exit, Exit::Held);
    let retry = "POST /v1/deliveries/acme-door/retry";
    let answers = Answers::default().json(retry, &touched(3));
    let ran = epms("deliveries retry acme-door --json", answers).await;
    let told: DeliveriesTouched = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told, touched(3));
}

/// Whatever is to be done, whoever still has something is said to have it.
#[tokio::test]
async fn a_person_is_shown_with_what_they_may_open_and_what_is_to_be_done_about_it() {
    let mut detail = person_detail();
    (detail.links, detail.alerts, detail.changes) = (Vec::new(), Vec::new(), Vec::new());
    detail.person.stays.clear();
    let with = |state, deed, waits_for| Delivery {
        state,
        deed,
        waits_for,
        why: (state == DeliveryState::Parked).then(|| "the user is blocked there".to_owned()),
        ..delivery("12B-key")
    };
    let ways = [
        None,
        Some(DeedKind::Create),
        Some(DeedKind::Change),
        Some(DeedKind::Remove),
    ];
    for state in DeliveryState::ALL {
        for deed in ways {
            detail.deliveries.push(with(state, deed, None));
        }
    }
    let waits = with(
        DeliveryState::Wanted,
        Some(DeedKind::Create),
        Some(WaitsFor::Approval),
    );
    detail.deliveries.push(waits);
    let held = with(
        DeliveryState::Confirmed,
        Some(DeedKind::Remove),
        Some(WaitsFor::Guard),
    );
    detail.deliveries.push(held);
    let answers = Answers::default().json("GET /v1/people/p17", &detail);
    assert_snapshot!(epms("people show p17", answers).await.out, @r"
    p17 Ada Lovelace

    first_name  Ada
    last_name   Lovelace
    email       ada@example.com
    phone       +12125550123 (locked: no sync writes it)
    created     by a sync, 2d ago (2026-02-27 12:00:00)

    no stays

    acme-door 12B-key: to be opened
    acme-door 12B-key: to be opened
    may open: acme-door 12B-key still; to be changed
    may open: acme-door 12B-key still; to be taken away
    may open: acme-door 12B-key since 2026-02-27 12:00:00, not read back yet
    may open: acme-door 12B-key since 2026-02-27 12:00:00, not read back yet
    may open: acme-door 12B-key since 2026-02-27 12:00:00, not read back yet
    acme-door 12B-key: taken away 2026-02-27 12:00:00, not read back yet
    may open: acme-door 12B-key since 2026-02-27 12:00:00 confirmed
    may open: acme-door 12B-key since 2026-02-27 12:00:00 confirmed
    may open: acme-door 12B-key since 2026-02-27 12:00:00 confirmed; to be changed
    may open: acme-door 12B-key since 2026-02-27 12:00:00 confirmed; to be taken
    away
    acme-door 12B-key: whether the target did what was sent is not known; it is
    looked at
    acme-door 12B-key: whether the target did what was sent is not known; it is
    looked at
    acme-door 12B-key: whether the target did what was sent is not known; it is
    looked at; to be changed
    acme-door 12B-key: whether the target did what was sent is not known; it is
    looked at; to be taken away
    acme-door 12B-key: parked since 2026-02-27 12:00:00: the user is blocked there
    acme-door 12B-key: parked since 2026-02-27 12:00:00: the user is blocked there
    may open: acme-door 12B-key still; to be changed, parked since 2026-02-27
    12:00:00: the user is blocked there
    may open: acme-door 12B-key still; to be taken away, parked since 2026-02-27
    12:00:00: the user is blocked there
    acme-door 12B-key: the target has it since 2026-02-27 12:00:00, and a door has
    not heard of it: somebody must go there
    acme-door 12B-key: the target has it since 2026-02-27 12:00:00, and a door has
    not heard of it: somebody must go there
    acme-door 12B-key: the target has it since 2026-02-27 12:00:00, and a door has
    not heard of it: somebody must go there; to be changed
    acme-door 12B-key: the target has it since 2026-02-27 12:00:00, and a door has
    not heard of it: somebody must go there; to be taken away
    acme-door 12B-key: waits for approval
    may open: acme-door 12B-key since 2026-02-27 12:00:00 confirmed; to be taken
    away, waits for approval: the guard holds it
    ");
}

#[tokio::test]
async fn an_explanation_goes_on_to_what_the_resident_may_open() {
    let told = serde_json::json!({
        "integration": "elm", "resident": "t7",
        "deliveries": [delivery("12B-key")],
    });
    let asked = "GET /v1/integrations/elm/residents/t7?live=false";
    let ran = epms("explain elm t7", Answers::default().json(asked, &told)).await;
    let says = "may open: acme-door 12B-key since 2026-02-27 12:00:00 confirmed\n";
    assert!(ran.out.contains(says), "{}{}", ran.out, ran.err);
}
