//! What runs decided is kept whole: of the last runs that decided, whatever fails between them, however much changes
//! at once, and however short reports are kept.

use proptest::prelude::*;

use super::*;
use crate::store::inspect;

/// A feed of which something is different every hour.
fn feed(hour: u64) -> Vec<Item> {
    let one = |who: u64| {
        let id = format!("t{who}");
        let email = format!("{id}@x.com");
        let moved = if who == hour % 12 { hour } else { 0 };
        let unit = unit(&format!("{who}-{moved}"));
        let resident = resident(&id, &format!("Max{who}"), "Many", &email);
        Resident { unit, ..resident }.into()
    };
    (0..12).map(one).collect()
}

fn world(store: Store) -> World {
    let mut world = World::on(store);
    world.guard.limit = 1000;
    world
}

/// The settings change: everything is looked at anew, and no earlier decision stands.
fn everything_anew(world: &mut World) {
    world.missing_after = 7 - world.missing_after;
}

/// C1.
#[test]
fn failures_in_a_row_take_nothing_from_what_others_decided_and_a_backup_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world(Store::open(&folder.path().join("state")).unwrap());
    for hour in 0..9 {
        world.run(feed(hour));
    }
    everything_anew(&mut world);
    for hour in 9..28 {
        world.run(feed(hour));
    }
    for _ in 0..5 {
        assert_eq!(world.fails().outcome.as_str(), "failed");
    }
    for hour in 28..36 {
        world.run(feed(hour));
    }
    let view = world.store.read().unwrap();
    let decided = |run: u64| view.decisions(RunId(run)).unwrap().len();
    // Twenty-four runs that decided, and five that failed.
    assert_eq!((13..=41).filter(|run| decided(*run) == 12).count(), 24);
    assert_eq!(decided(12), 0);
    let copy = folder.path().join("copy");
    world.store.copy_to(&copy).unwrap();
    let found = inspect(&copy).unwrap();
    assert_eq!(found.entries["decisions-1"], 25, "and what they stand on");
}

/// What happens in an hour.
#[derive(Debug, Clone, Copy)]
enum Hour {
    Ordinary,
    EverythingAnew,
    Failures(u8),
}

fn hours() -> impl Strategy<Value = Vec<Hour>> {
    let hour = prop_oneof![
        8 => Just(Hour::Ordinary),
        1 => Just(Hour::EverythingAnew),
        1 => (1u8..=10).prop_map(Hour::Failures),
    ];
    prop::collection::vec(hour, 30..60)
}

proptest! {
    #![proptest_config(searching(8))]

    /// C1.
    #[test]
    fn whatever_fails_between_large_changes_what_is_kept_of_reports_is_whole(
        hours in hours(),
        most_runs in 1usize..60,
    ) {
        let mut world = world(Store::in_memory().unwrap());
        world.retention.most_runs = most_runs;
        let mut decided = Vec::new();
        for (hour, what) in hours.into_iter().enumerate() {
            if let Hour::Failures(many) = what {
                for _ in 0..many {
                    world.fails();
                }
                continue;
            }
            if matches!(what, Hour::EverythingAnew) {
                everything_anew(&mut world);
            }
            // It verifies the store.
            decided.push(world.run(feed(hour as u64)).report.id);
            let view = world.store.read().unwrap();
            let kept: Vec<RunId> = decided
                .iter()
                .rev()
                .take(24)
                .copied()
                .filter(|run| view.run(*run).unwrap().is_some())
                .collect();
            for run in &kept {
                prop_assert_eq!(view.decisions(*run).unwrap().len(), 12, "of {}", run);
            }
            let entries = view.verify().unwrap().entries;
            prop_assert!(entries["decisions-1"] <= 48);
            prop_assert!(entries["standing-1"] <= kept.len() as u64);
        }
    }
}
