//! Files with another name, PMS properties in other files, and files that name the same (R46): who may run, and whose
//! people go where.

use super::*;
use crate::model::{Attachment, Holding};

fn held_by<const N: usize>(all: [(&str, &Feeds, &[&str]); N]) -> Holdings {
    let holding = |(id, feeds, properties): (&str, &Feeds, &[&str])| {
        let attachment = Attachment {
            account: feeds.account.clone(),
            properties: properties.iter().map(ToString::to_string).collect(),
            ..Attachment::default()
        };
        let holding = Holding {
            attachment: Some(attachment),
            linked: 30,
        };
        (IntegrationId::new(id), holding)
    };
    all.map(holding).into()
}

fn only(disk: &mut Disk, files: &[(usize, u8)]) {
    for file in 0..3 {
        disk.apply(&Edit::Delete(file));
    }
    for (file, variant) in files {
        disk.apply(&Edit::Write(*file, *variant, Way::InPlace));
    }
}

/// The PMS property `1` of the account `acme`, in a file's variant.
const ONE: u8 = 0;
/// `2` of the same.
const TWO: u8 = 2;
/// Both of them.
const BOTH: u8 = 4;

fn acme(disk: &Disk) -> Feeds {
    let catalog = load(&disk.home, None, Timestamp::UNIX_EPOCH);
    let mut feeds = catalog
        .integrations
        .values()
        .filter_map(|one| one.feeds.clone());
    feeds.next().unwrap()
}

/// Every file comes into effect.
fn all_run(catalog: &Catalog) -> bool {
    let mut slots = catalog.integrations.values();
    slots.all(|slot| slot.problems.is_empty() && !slot.stopped)
}

/// A12: after a restart the alphabet decided whose a PMS property is.
#[test]
fn r46_after_a_restart_the_property_stays_with_the_integration_whose_people_are_linked() {
    let mut disk = Disk::new();
    only(&mut disk, &[(0, ONE), (1, ONE)]);
    let (ash, elm) = (IntegrationId::new("ash"), IntegrationId::new("elm"));
    let held = held_by([("elm", &acme(&disk), &["1"])]);
    let catalog = load_with(&disk.home, None, &held, Timestamp::UNIX_EPOCH);
    assert_eq!(catalog.moves, []);
    assert!(catalog.integrations[&elm].running().is_some());
    let problem = catalog.integrations[&ash].problems[0].to_string();
    for told in [
        "config/integrations/ash.yaml:4:18",
        "config/integrations/elm.yaml",
        "its people are linked",
        "epms integration rename elm ash",
    ] {
        assert!(problem.contains(told), "{told}: {problem}");
    }
    // A store of a version that did not remember what is read says who is linked at least.
    let mut linked = held;
    linked.get_mut(&elm).unwrap().attachment = None;
    let catalog = load_with(&disk.home, None, &linked, Timestamp::UNIX_EPOCH);
    assert!(catalog.integrations[&elm].running().is_some());
    assert!(catalog.integrations[&ash].running().is_none());
}

/// A12: `check` blamed one of the two, and that was the wrong one.
#[test]
fn r46_check_tells_of_two_files_on_one_property_at_both() {
    let mut disk = Disk::new();
    only(&mut disk, &[(0, ONE), (1, BOTH)]);
    let told: Vec<String> = check(&disk.home, Timestamp::UNIX_EPOCH)
        .0
        .iter()
        .map(ToString::to_string)
        .collect();
    let of = |file: &str, other: &str| {
        let tells = |one: &&String| one.contains(&format!("{file}.yaml:")) && one.contains(other);
        told.iter().filter(tells).count()
    };
    assert_eq!(of("ash", "elm.yaml"), 1, "{told:?}");
    assert_eq!(of("elm", "ash.yaml"), 1, "{told:?}");
}

/// A13: a file with another name, and a PMS property in another file.
#[test]
fn r46_people_go_along_with_a_file_that_has_another_name_and_with_a_property_in_another_file() {
    let mut disk = Disk::new();
    only(&mut disk, &[(2, ONE)]);
    let feeds = acme(&disk);
    let held = held_by([("elm", &feeds, &["1"])]);
    let catalog = load_with(&disk.home, None, &held, Timestamp::UNIX_EPOCH);
    let moved = |properties: Option<&[&str]>, renamed| Move {
        from: IntegrationId::new("elm"),
        to: IntegrationId::new("oak"),
        properties: properties.map(|all| all.iter().map(ToString::to_string).collect()),
        renamed,
    };
    assert_eq!(catalog.moves, [moved(None, true)]);
    assert!(all_run(&catalog));

    only(&mut disk, &[(1, ONE), (2, TWO)]);
    let held = held_by([("elm", &feeds, &["1", "2"])]);
    let catalog = load_with(&disk.home, None, &held, Timestamp::UNIX_EPOCH);
    assert_eq!(catalog.moves, [moved(Some(&["2"]), false)]);
    assert!(all_run(&catalog));

    // Another account is another integration, whatever its properties are called.
    only(&mut disk, &[(2, ONE + 1)]);
    let held = held_by([("elm", &feeds, &["1"])]);
    let catalog = load_with(&disk.home, None, &held, Timestamp::UNIX_EPOCH);
    assert_eq!(catalog.moves, []);
    assert!(catalog.integrations[&IntegrationId::new("elm")].removed);
}

#[test]
fn r46_of_two_files_that_fit_none_runs_until_one_is_gone() {
    let mut disk = Disk::new();
    only(&mut disk, &[(0, ONE), (2, BOTH)]);
    let (ash, oak) = (IntegrationId::new("ash"), IntegrationId::new("oak"));
    let held = held_by([("elm", &acme(&disk), &["1"])]);
    let catalog = load_with(&disk.home, None, &held, Timestamp::UNIX_EPOCH);
    assert_eq!(catalog.moves, []);
    for (id, other) in [(&ash, "oak.yaml"), (&oak, "ash.yaml")] {
        let slot = &catalog.integrations[id];
        assert!(slot.running().is_none());
        let problem = slot.problems[0].to_string();
        assert!(
            problem.contains("`elm`") && problem.contains(other),
            "{problem}"
        );
    }
    disk.apply(&Edit::Delete(0));
    let catalog = load_with(&disk.home, Some(&catalog), &held, Timestamp::UNIX_EPOCH);
    assert_eq!(catalog.moves.len(), 1);
    assert!(catalog.integrations[&oak].running().is_some());
}

#[test]
fn r46_while_the_old_file_is_there_the_new_one_does_not_run() {
    let mut disk = Disk::new();
    only(&mut disk, &[(1, ONE)]);
    let held = held_by([("elm", &acme(&disk), &["1"])]);
    let (elm, oak) = (IntegrationId::new("elm"), IntegrationId::new("oak"));
    let before = load_with(&disk.home, None, &held, Timestamp::UNIX_EPOCH);
    disk.apply(&Edit::Write(2, ONE, Way::InPlace));
    let both = load_with(&disk.home, Some(&before), &held, Timestamp::UNIX_EPOCH);
    assert!(both.integrations[&elm].running().is_some());
    assert!(both.integrations[&oak].running().is_none());
    // A file that nobody can read is there, too.
    disk.apply(&Edit::Break(1, 0));
    for earlier in [Some(&both), None] {
        let broken = load_with(&disk.home, earlier, &held, Timestamp::UNIX_EPOCH);
        assert!(broken.integrations[&oak].running().is_none());
        assert_eq!(broken.moves, []);
    }
    // Somebody said that the people are the new one's: the old one stops, although it ran.
    let given = held_by([("oak", &acme(&disk), &["1"])]);
    disk.apply(&Edit::Write(1, ONE, Way::InPlace));
    let after = load_with(&disk.home, Some(&both), &given, Timestamp::UNIX_EPOCH);
    assert!(after.integrations[&oak].running().is_some());
    assert!(after.integrations[&elm].running().is_none());
    let problem = after.integrations[&elm].problems[0].to_string();
    assert!(problem.contains("oak.yaml"), "{problem}");
}

#[test]
fn r46_whoever_was_given_back_is_not_moved_again() {
    let mut disk = Disk::new();
    only(&mut disk, &[(2, ONE)]);
    let mut held = held_by([("elm", &acme(&disk), &["1"])]);
    let (elm, oak) = (IntegrationId::new("elm"), IntegrationId::new("oak"));
    let before = load_with(&disk.home, None, &held, Timestamp::UNIX_EPOCH);
    let attachment = held.get_mut(&elm).unwrap().attachment.as_mut().unwrap();
    attachment.apart.insert(oak.clone());
    for earlier in [Some(&before), None] {
        let catalog = load_with(&disk.home, earlier, &held, Timestamp::UNIX_EPOCH);
        assert_eq!(catalog.moves, []);
        assert!(catalog.integrations[&oak].running().is_none());
        let problem = catalog.integrations[&oak].problems[0].to_string();
        assert!(problem.contains("given back to `elm` by hand"), "{problem}");
    }
}

#[test]
fn r46_two_files_that_swap_their_properties_swap_their_people() {
    let mut disk = Disk::new();
    only(&mut disk, &[(1, TWO), (2, ONE)]);
    let feeds = acme(&disk);
    let held = held_by([("elm", &feeds, &["1"]), ("oak", &feeds, &["2"])]);
    let catalog = load_with(&disk.home, None, &held, Timestamp::UNIX_EPOCH);
    let moves: Vec<_> = catalog
        .moves
        .iter()
        .map(|one| (one.from.as_str(), one.renamed))
        .collect();
    assert_eq!(moves, [("elm", false), ("oak", false)]);
    assert!(all_run(&catalog));
}
