//! Random histories of a building whose feed lies now and then: whatever happens, and whatever is said, nobody becomes
//! somebody else, nobody is closed who lives there, nobody is kept who has left. It says nothing of what is written of
//! those who stay.

use proptest::prelude::*;

use super::building::Building;
use super::lies::{self, Lie};
use super::*;

/// What happens, to whom, and with which value.
type Event = (u8, usize, usize);

/// A morning: what happens before it, whether a day has gone by, and which lie begins: its kind, of how many records,
/// for how many runs.
type Morning = (Vec<Event>, bool, Option<(u8, usize, usize)>);

const EVENTS: u8 = 23;

fn happens(building: &mut Building, (kind, who, value): Event) {
    let living = building.living();
    if kind < 3 || living.is_empty() {
        let unit = building.a_vacant_one();
        let status = [LeaseStatus::Pending, LeaseStatus::Current][value.min(1)];
        building.move_in(unit, 1 + value % 3, status);
        return;
    }
    let human = living[who % living.len()];
    let (is_even, unit) = (value % 2 == 0, building.a_vacant_one());
    match kind {
        3 | 4 => building.leave(human),
        5 => {
            let household = building.humans[human].household;
            for one in building.members(household) {
                building.leave(one);
            }
        }
        6 => building.transfer(human, unit, false, is_even),
        7 | 8 => building.transfer(human, unit, true, is_even),
        9 => building.renew(human, is_even),
        10 => {
            building.marry(human);
            building.renew(human, is_even);
        }
        11 => building.new_email(human),
        12 => building.renumber(human),
        13 => building.arrive(human),
        14 => {
            // One of their ids, an old one too.
            let rows = building.rows.iter().enumerate();
            let rows: Vec<usize> = rows
                .filter(|(_, row)| row.human == human)
                .map(|(place, _)| place)
                .collect();
            building.hide(rows[value % rows.len()]);
        }
        15 | 16 => (0..building.humans.len()).for_each(|one| building.turn(one, true)),
        17 => building.join(human),
        18 => {
            let number = who % building.units.len();
            building.rename(number, is_even);
        }
        19 => building.forget(building.today),
        21 => {
            let other = who.wrapping_mul(7) % building.humans.len();
            building.join_with_email(human, other);
        }
        // Whoever left comes back, under the same id or a new one.
        20 => {
            let former = building.former();
            let Some(human) = former.get(who % former.len().max(1)).copied() else {
                return;
            };
            let old = building.humans[human].ids.last().cloned().unwrap();
            let id = if is_even { building.new_id() } else { old };
            building.lease(human, &id, unit, LeaseStatus::Current);
        }
        // The word for past is put on the exclude list, as people do, or taken from it.
        _ => {
            let status = [LeaseStatus::Past, LeaseStatus::Past, LeaseStatus::Pending][value % 3];
            if !building.excluded.remove(&status) {
                building.excluded.insert(status);
            }
        }
    }
}

/// Whether two stores believe the same.
fn believes(one: &World, other: &World) -> Result<(), String> {
    let differ = |what: &str, one: String, other: String| {
        (one != other).then(|| format!("{what}: {one}\n and {other}"))
    };
    let alerts = |world: &World| -> Vec<(AlertKind, String)> {
        let alerts = world.open_alerts().into_iter();
        alerts.map(|alert| (alert.kind, alert.subject)).collect()
    };
    let people = differ(
        "people",
        format!("{:#?}", one.people()),
        format!("{:#?}", other.people()),
    );
    let links = || {
        differ(
            "links",
            format!("{:#?}", one.links()),
            format!("{:#?}", other.links()),
        )
    };
    let alerts = || {
        let alerts = [alerts(one), alerts(other)].map(|all| format!("{all:?}"));
        let [one, other] = alerts;
        differ("alerts", one, other)
    };
    people.or_else(links).or_else(alerts).map_or(Ok(()), Err)
}

fn a_morning() -> impl Strategy<Value = Morning> {
    let events = prop::collection::vec((0..EVENTS, 0usize..40, 0usize..6), 0..4);
    let lie = (0..lies::KINDS, 0usize..7, 1usize..4);
    (events, any::<bool>(), prop::option::weighted(0.4, lie))
}

proptest! {
    #![proptest_config(searching(32))]

    #[test]
    fn whatever_a_feed_says_nobody_becomes_another_nobody_who_lives_here_is_closed_and_nobody_who_left_is_kept(
        households in prop::collection::vec(1usize..4, 3..20),
        history in prop::collection::vec(a_morning(), 3..10),
        hold_email in any::<bool>(),
    ) {
        let mut world = World::new();
        let mut other = World::new();
        other.forgetful = true;
        for world in [&mut world, &mut other] {
            world.missing_after = 2;
            if hold_email {
                world.email_change = EmailChange::HoldEmail;
            }
        }
        let mut building = Building::new(households.len(), day_of(world.now));
        for (unit, count) in households.into_iter().enumerate() {
            building.move_in(unit, count, LeaseStatus::Current);
        }
        let mut watch = Watch::default();
        let mut lie: Option<(Lie, usize)> = None;
        let first = building.feed();
        let seen = world.runs(first.clone());
        other.runs(first.clone());
        watch.looks(&world, &building, (&first, &first), &seen).map_err(TestCaseError::fail)?;
        for (events, a_day_later, begins) in history {
            if a_day_later {
                world.now += SignedDuration::from_hours(24);
                other.now = world.now;
            }
            building.today = day_of(world.now);
            for event in events {
                happens(&mut building, event);
            }
            if let (None, Some((kind, many, runs))) = (&lie, begins) {
                lie = Some((Lie::begin(kind, many, &mut building), runs));
            }
            let truth = building.feed();
            let told = match &mut lie {
                Some((lie, left)) if *left > 0 => {
                    *left -= 1;
                    let links = world.links();
                    lie.tell(truth.clone(), |id| links.contains_key(id), &mut building)
                }
                _ => {
                    lie = None;
                    truth.clone()
                }
            };
            let seen = world.runs(told.clone());
            let all = other.runs(told.clone());
            watch.looks(&world, &building, (&truth, &told), &seen).map_err(TestCaseError::fail)?;
            prop_assert_eq!(seen.report.outcome.as_str(), all.report.outcome.as_str());
            believes(&world, &other).map_err(TestCaseError::fail)?;
        }
    }
}
