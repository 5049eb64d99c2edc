//! What a lane does next, case by case.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::deliver::{
    Answer, Cause, Deed, Found, Grant, GrantState, Held, Lane, Permit, Planned, Step, Timing,
    Waits, Wish, permit, plan,
};

const TIMING: Timing = Timing {
    confirm: Duration::from_secs(2),
    settle: Duration::from_mins(2),
    fresh: Duration::from_mins(1),
    pause: Duration::from_secs(5),
    longest: Duration::from_hours(1),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap()
}

fn grant(key: &str) -> Grant {
    let fields = json!({ "door": key });
    Grant {
        key: key.to_owned(),
        fields: fields.as_object().unwrap().clone(),
    }
}

fn held(key: &str) -> Held {
    Held {
        grant: grant(key),
        id: format!("id-{key}"),
        is_others: false,
        needs_visit: false,
        is_off: false,
    }
}

fn wish(wanted: &[Grant]) -> Wish<'_> {
    Wish {
        wanted,
        keeps: false,
        is_over: wanted.is_empty(),
        can_change: true,
        files: 1,
    }
}

fn next(lane: &Lane, wish: &Wish<'_>, now: i64) -> Step {
    lane.next(&plan(wish, lane), |_| true, &TIMING, at(now))
}

/// Does what is next, which is an act.
fn act(lane: &mut Lane, wish: &Wish<'_>, answer: Answer, now: i64) -> Deed {
    let Step::Act(planned) = next(lane, wish, now) else {
        panic!("{:?}", next(lane, wish, now))
    };
    lane.sends(&planned, wish.files, &TIMING, at(now));
    lane.answered(&planned.deed, answer, &TIMING, at(now), 0.5);
    planned.deed
}

fn look(lane: &mut Lane, wish: &Wish<'_>, held: &[Held], now: i64) -> Vec<Found> {
    assert_eq!(next(lane, wish, now), Step::Look);
    lane.looked(wish, held, &TIMING, at(now))
}

#[test]
fn a_grant_is_looked_for_before_it_is_made_and_after() {
    let wanted = [grant("lobby")];
    let wish = wish(&wanted);
    let mut lane = Lane::default();
    look(&mut lane, &wish, &[], 0);
    let deed = act(&mut lane, &wish, Answer::Done(None), 0);
    assert_eq!(deed, Deed::Create(grant("lobby")));
    assert_eq!(next(&lane, &wish, 1), Step::Rest { until: Some(at(2)) });
    look(&mut lane, &wish, &[held("lobby")], 2);
    assert_eq!(lane.grants["lobby"].state, GrantState::Confirmed);
    assert_eq!(lane.grants["lobby"].id.as_deref(), Some("id-lobby"));
    assert_eq!(next(&lane, &wish, 3), Step::Rest { until: None });
}

#[test]
fn what_a_target_shows_late_is_not_sent_twice() {
    let wanted = [grant("lobby")];
    let wish = wish(&wanted);
    let mut lane = Lane::default();
    look(&mut lane, &wish, &[], 0);
    act(&mut lane, &wish, Answer::Done(None), 0);
    for now in [2, 10, 60] {
        look(&mut lane, &wish, &[], now);
        assert_eq!(
            next(&lane, &wish, now),
            Step::Rest {
                until: Some(at(now + 2))
            }
        );
    }
    look(&mut lane, &wish, &[held("lobby")], 70);
    assert_eq!(lane.grants["lobby"].state, GrantState::Confirmed);
}

#[test]
fn what_is_taken_away_late_is_not_asked_for_twice() {
    let wanted = [grant("lobby")];
    let mut lane = Lane::default();
    look(&mut lane, &wish(&wanted), &[held("lobby")], 0);
    let past = wish(&[]);
    act(&mut lane, &past, Answer::Done(None), 10);
    look(&mut lane, &past, &[held("lobby")], 12);
    assert_eq!(
        next(&lane, &past, 13),
        Step::Rest {
            until: Some(at(14))
        }
    );
    look(&mut lane, &past, &[], 14);
    assert!(lane.grants.is_empty());
}

#[test]
fn what_a_look_did_not_find_is_not_taken_away_and_is_over_once_it_is_not_wanted() {
    let wanted = [grant("lobby"), grant("d1")];
    let mut lane = Lane::default();
    look(&mut lane, &wish(&wanted), &[held("lobby"), held("d1")], 0);
    // As after a restore: the target has lost one, which by the backup is wanted still.
    lane.forget_look();
    look(&mut lane, &wish(&wanted), &[held("lobby")], 10);
    assert_eq!(lane.grants["d1"].id, None);
    let past = wish(&[]);
    let planned = plan(&past, &lane);
    let deeds: Vec<&Deed> = planned.iter().map(|one| &one.deed).collect();
    let key = "lobby".to_owned();
    assert_eq!(deeds, [&Deed::Remove { key }]);
    lane.heed(&past);
    assert_eq!(lane.grants.keys().collect::<Vec<_>>(), ["lobby"]);
}

#[test]
fn what_is_sent_twice_and_never_is_so_is_parked_and_told_once() {
    let wanted = [grant("lobby")];
    let wish = wish(&wanted);
    let mut lane = Lane::default();
    let other = Held {
        grant: Grant {
            fields: json!({ "door": "another" }).as_object().unwrap().clone(),
            ..grant("lobby")
        },
        ..held("lobby")
    };
    look(&mut lane, &wish, std::slice::from_ref(&other), 0);
    act(&mut lane, &wish, Answer::Done(None), 0);
    assert_eq!(
        look(&mut lane, &wish, std::slice::from_ref(&other), 130),
        []
    );
    act(&mut lane, &wish, Answer::Done(None), 130);
    let found = look(&mut lane, &wish, std::slice::from_ref(&other), 260);
    assert_eq!(found, [Found::NotConverging("lobby".to_owned())]);
    assert_eq!(next(&lane, &wish, 9999), Step::Rest { until: None });
}

#[test]
fn a_target_that_is_busy_uses_up_no_try() {
    let wanted = [grant("lobby")];
    let wish = wish(&wanted);
    let mut lane = Lane::default();
    look(&mut lane, &wish, &[], 0);
    let mut now = 0;
    for _ in 0..20 {
        act(&mut lane, &wish, Answer::Later(None), now);
        now += 4000;
        look(&mut lane, &wish, &[], now);
    }
    act(&mut lane, &wish, Answer::Done(None), now);
    look(&mut lane, &wish, &[held("lobby")], now + 2);
    assert_eq!(lane.grants["lobby"].state, GrantState::Confirmed);
}

#[test]
fn a_refusal_is_tried_again_when_the_person_changes_and_not_before() {
    let mut wanted = [grant("lobby")];
    let mut lane = Lane::default();
    look(&mut lane, &wish(&wanted), &[], 0);
    act(
        &mut lane,
        &wish(&wanted),
        Answer::Refused("no email".into()),
        0,
    );
    lane.heed(&wish(&wanted));
    assert_eq!(
        next(&lane, &wish(&wanted), 9999),
        Step::Rest { until: None }
    );
    wanted[0]
        .fields
        .insert("email".into(), "a@example.com".into());
    lane.heed(&wish(&wanted));
    look(&mut lane, &wish(&wanted), &[], 9999);
    act(&mut lane, &wish(&wanted), Answer::Done(None), 9999);
}

#[test]
fn what_is_lost_is_put_back_once_and_then_told() {
    let wanted = [grant("lobby")];
    let wish = wish(&wanted);
    let mut lane = Lane::default();
    look(&mut lane, &wish, &[held("lobby")], 0);
    lane.forget_look();
    assert_eq!(look(&mut lane, &wish, &[], 100), []);
    act(&mut lane, &wish, Answer::Done(None), 100);
    look(&mut lane, &wish, &[held("lobby")], 102);
    lane.forget_look();
    let found = look(&mut lane, &wish, &[], 9999);
    assert_eq!(found, [Found::Less("lobby".to_owned())]);
    assert_eq!(next(&lane, &wish, 99_999), Step::Rest { until: None });
}

#[test]
fn what_is_found_and_nobody_wanted_waits_for_somebody_in_every_mode() {
    let mut lane = Lane::default();
    let wanted = [grant("lobby")];
    let wish = wish(&wanted);
    let found = look(&mut lane, &wish, &[held("lobby"), held("roof")], 0);
    assert_eq!(found, [Found::More("roof".to_owned())]);
    let planned = plan(&wish, &lane);
    let [planned] = planned.as_slice() else {
        panic!("{planned:?}")
    };
    assert_eq!(planned.cause, Cause::Found);
    for waits in [Waits::Automatic, Waits::Approve, Waits::ApproveAll] {
        assert_eq!(permit(planned, waits, false, false, false), Permit::Waits);
        assert_eq!(permit(planned, waits, true, false, false), Permit::Goes);
    }
}

#[test]
fn r37_who_is_past_loses_access_at_once_and_what_opens_waits() {
    let planned = |deed, cause| Planned { deed, cause };
    let removes = planned(
        Deed::Remove {
            key: "lobby".into(),
        },
        Cause::Over,
    );
    let creates = planned(Deed::Create(grant("lobby")), Cause::Opens);
    let cases = [
        (&removes, Waits::Approve, Permit::Goes),
        (&removes, Waits::ApproveAll, Permit::Waits),
        (&removes, Waits::Automatic, Permit::Goes),
        (&creates, Waits::Approve, Permit::Waits),
        (&creates, Waits::ApproveAll, Permit::Waits),
        (&creates, Waits::Automatic, Permit::Goes),
    ];
    for (planned, waits, expected) in cases {
        assert_eq!(permit(planned, waits, false, false, false), expected);
    }
    let held = permit(&removes, Waits::Automatic, false, true, false);
    assert_eq!(held, Permit::Held);
    let named = permit(&removes, Waits::Automatic, false, true, true);
    assert_eq!(named, Permit::Goes);
}

#[test]
fn an_edit_of_the_files_takes_nothing_away_by_itself_and_a_move_after_it_does() {
    let wanted = [grant("lobby"), grant("u1")];
    let mut lane = Lane::default();
    look(&mut lane, &wish(&wanted), &[held("lobby"), held("u1")], 0);
    // The new file names no place for the unit.
    let fewer = [grant("lobby")];
    let edited = Wish {
        files: 2,
        ..wish(&fewer)
    };
    assert_eq!(plan(&edited, &lane)[0].cause, Cause::Files);
    // Read back under the new files, both are wanted; then the person moves.
    let after = Wish {
        files: 2,
        ..wish(&wanted)
    };
    lane.forget_look();
    look(&mut lane, &after, &[held("lobby"), held("u1")], 10);
    assert_eq!(plan(&edited, &lane)[0].cause, Cause::Moved);
}

#[test]
fn an_approval_is_of_what_was_shown_and_of_nothing_later() {
    let one = [grant("u1")];
    let other = [grant("u2")];
    let mut lane = Lane::default();
    look(&mut lane, &wish(&one), &[], 0);
    let planned = plan(&wish(&one), &lane);
    lane.approved
        .extend(planned.iter().map(|one| one.deed.print()));
    // They are to live elsewhere, and then there after all.
    lane.forget_approvals(&plan(&wish(&other), &lane));
    lane.forget_approvals(&plan(&wish(&one), &lane));
    assert!(lane.approved.is_empty());
}

#[test]
fn a_lane_is_read_as_it_was_written() {
    let wanted = [grant("lobby"), grant("u1")];
    let mut lane = Lane::default();
    look(&mut lane, &wish(&wanted), &[held("u1"), held("roof")], 0);
    act(&mut lane, &wish(&wanted), Answer::Refused("no".into()), 0);
    lane.approved.insert(Deed::Create(grant("lobby")).print());
    let text = serde_json::to_string(&lane).unwrap();
    assert_eq!(serde_json::from_str::<Lane>(&text).unwrap(), lane);
}

#[test]
fn what_other_files_want_too_is_no_matter_of_theirs_when_it_is_taken_away_later() {
    let wanted = [grant("a")];
    let mut lane = Lane::default();
    lane.looked(&wish(&wanted), &[held("a")], &TIMING, at(0));
    let edited = |wanted| Wish {
        files: 2,
        is_over: false,
        ..wish(wanted)
    };
    lane.heed(&edited(&wanted));
    let causes = |wanted| {
        plan(&edited(wanted), &lane)
            .into_iter()
            .map(|one| one.cause)
            .collect::<Vec<_>>()
    };
    assert_eq!(causes(&[]), [Cause::Moved]);
}

#[test]
fn what_is_there_and_off_is_made_another_where_it_is_wanted_and_nothing_to_take_away_where_it_is_not()
 {
    let wanted = [grant("a")];
    let off = Held {
        is_off: true,
        ..held("a")
    };
    let mut lane = Lane::default();
    lane.looked(&wish(&wanted), std::slice::from_ref(&off), &TIMING, at(0));
    let planned = plan(&wish(&wanted), &lane);
    assert!(
        matches!(&planned[..], [Planned { deed: Deed::Change(one), .. }] if *one == grant("a"))
    );

    let mut lane = Lane::default();
    lane.looked(&wish(&[]), &[off], &TIMING, at(0));
    assert_eq!(plan(&wish(&[]), &lane), []);
    assert!(lane.grants.is_empty());
}

#[test]
fn what_is_taken_away_at_a_door_that_has_not_heard_wants_a_visit_until_somebody_says_that_they_went()
 {
    let unheard = Held {
        needs_visit: true,
        ..held("a")
    };
    let mut lane = Lane::default();
    lane.looked(&wish(&[grant("a")]), &[unheard], &TIMING, at(0));
    assert_eq!(lane.grants["a"].state, GrantState::Visit);
    let nothing = wish(&[]);
    act(&mut lane, &nothing, Answer::Done(None), 1);
    lane.looked(&nothing, &[], &TIMING, at(4));
    assert!(lane.grants["a"].is_left_at_a_door());
    assert_eq!(plan(&nothing, &lane), []);
    lane.looked(&nothing, &[], &TIMING, at(90_000));
    assert!(lane.grants["a"].is_left_at_a_door());
    lane.unpark();
    assert!(lane.grants.is_empty());
}
