//! The store, as the daemon tells of it: by how much it grows and when its disk is full, and the backups that are made of
//! it. Where no daemon answers, nothing is looked at.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::config::Home;
use crate::control::client::Client;
use crate::model::{BackupsKept, Keeping};

use super::super::view::length;
use super::check::{Check, size};

/// So few days are left until somebody must do something, and until somebody should.
const DAYS: (u64, u64) = (7, 90);

/// What the daemon says of the store.
pub(super) async fn look(
    client: &Client,
    state: &Path,
    home: &Home,
    free: nix::Result<u64>,
) -> Vec<Check> {
    // Why nobody answers is told by another check.
    let Ok(keeping) = client.keeping().await else {
        return Vec::new();
    };
    let together = keeping.backup.as_ref().is_some_and(|kept| {
        let disk = |folder: &Path| folder.metadata().ok().map(|folder| folder.dev());
        let to = disk(&home.root().join(&kept.to));
        to.is_some() && to == disk(state)
    });
    vec![
        growth(&keeping, free.ok()),
        backup(keeping.backup.as_ref(), together),
    ]
}

/// By how much it grows, and for how many days the disk has room.
fn growth(keeping: &Keeping, free: Option<u64>) -> Check {
    let did = "asked the daemon how the store grows";
    let has = format!("it has {}", size(keeping.bytes));
    let Some(growth) = keeping.growth else {
        let saw = format!("{has}; by how much it grows is known once a daemon was up for a day");
        return Check::ok("growth", did, saw);
    };
    let hours = i64::try_from(growth.hours.saturating_mul(3600)).unwrap_or(i64::MAX);
    let saw = format!(
        "{has}, and {} a day come in, as in the last {} that a daemon was up",
        size(growth.per_day),
        length(hours)
    );
    let days = free.and_then(|free| free.checked_div(growth.per_day));
    let Some(days) = days.filter(|days| *days < 36_500) else {
        return Check::ok("growth", did, format!("{saw}: the disk has room for it"));
    };
    let saw =
        format!("{saw}: the disk has room for {days} days, if nothing is forgotten meanwhile");
    let remedy = "make room, keep less with `retention` in config/epms.yaml, or name another folder with `state_dir`";
    match days {
        days if days < DAYS.0 => Check::fail("growth", did, saw, remedy),
        days if days < DAYS.1 => Check::warn("growth", did, saw, remedy),
        _ => Check::ok("growth", did, saw),
    }
}

/// Whether there is a good backup that is new enough. `together` with the store on one disk it goes with it.
fn backup(kept: Option<&BackupsKept>, together: bool) -> Check {
    let Some(kept) = kept else {
        let did = "looked for `backup` in config/epms.yaml";
        let saw = "the daemon makes none; `backup: { to: /var/backups/epms }` lets it, else make them with `epms backup`";
        return Check::skip("backup", did, saw);
    };
    let did = format!("asked the daemon for the backups in {}", kept.to);
    let seconds = |seconds: u64| length(i64::try_from(seconds).unwrap_or(i64::MAX));
    let last = kept.last.as_ref().map(|last| {
        format!(
            "the last good one is {} old and has {}",
            seconds(last.age),
            size(last.bytes)
        )
    });
    let none = || "there is none yet".to_owned();
    if let Some(why) = &kept.failing {
        let saw = format!("{}; the next one failed: {why}", last.unwrap_or_else(none));
        let remedy = "mend it; it is tried again by itself, and at once when `backup` in config/epms.yaml changes";
        return Check::fail("backup", did, saw, remedy);
    }
    let Some(last) = last else {
        let remedy = "wait a little: the first is made when the daemon begins";
        return Check::warn("backup", did, none(), remedy);
    };
    let is_late = kept
        .last
        .as_ref()
        .is_some_and(|last| last.age > kept.every.saturating_mul(2));
    if is_late {
        let saw = format!("{last}, and one is due every {}", seconds(kept.every));
        return Check::fail("backup", did, saw, "look at the daemon's log");
    }
    if together {
        let saw = format!("{last}; it lies on the disk of the store, and is lost with it");
        let remedy = "name a folder on another disk as `backup.to`, or copy them away";
        return Check::warn("backup", did, saw, remedy);
    }
    Check::ok("backup", did, last)
}

#[cfg(test)]
mod tests {
    use super::super::check::Mark;
    use super::*;
    use crate::model::{GoodBackup, StoreGrowth};

    const MIB: u64 = 1 << 20;

    fn grows(per_day: u64, free: u64) -> (Mark, String) {
        let keeping = Keeping {
            bytes: 20 * MIB,
            growth: Some(StoreGrowth {
                per_day,
                hours: 720,
            }),
            backup: None,
        };
        let check = growth(&keeping, Some(free));
        (check.mark, check.saw)
    }

    #[test]
    fn the_days_until_the_disk_is_full_are_told_and_few_of_them_are_a_warning() {
        let (mark, saw) = grows(MIB, 100 * MIB);
        assert_eq!(
            saw,
            "it has 20 MiB, and 1 MiB a day come in, as in the last 30d that a daemon was up: the disk has room for 100 days, if nothing is forgotten meanwhile"
        );
        assert_eq!(mark, Mark::Ok);
        assert_eq!(grows(MIB, 89 * MIB).0, Mark::Warn);
        assert_eq!(grows(MIB, 6 * MIB).0, Mark::Fail);
        assert_eq!(grows(0, 100 * MIB).0, Mark::Ok);
        let young = Keeping {
            bytes: MIB,
            growth: None,
            backup: None,
        };
        let check = growth(&young, Some(1));
        assert_eq!(check.mark, Mark::Ok);
        assert!(check.saw.contains("known once a daemon was up for a day"));
    }

    #[test]
    fn a_backup_that_fails_or_is_late_is_a_failure_and_one_on_the_same_disk_a_warning() {
        let kept = |age: Option<u64>, failing: Option<&str>| BackupsKept {
            to: "/var/backups/epms".into(),
            every: 86_400,
            keep: 14,
            last: age.map(|age| GoodBackup {
                file: "f".into(),
                at: jiff::Timestamp::UNIX_EPOCH,
                age,
                bytes: 3 * MIB,
            }),
            failing: failing.map(str::to_owned),
        };
        let mark = |kept: &BackupsKept, together| backup(Some(kept), together).mark;
        let good = kept(Some(3600), None);
        assert_eq!(mark(&good, false), Mark::Ok);
        assert_eq!(mark(&good, true), Mark::Warn);
        assert_eq!(mark(&kept(Some(180_000), None), false), Mark::Fail);
        assert_eq!(mark(&kept(Some(3600), Some("no room")), false), Mark::Fail);
        assert_eq!(mark(&kept(None, None), false), Mark::Warn);
        assert_eq!(backup(None, false).mark, Mark::Skip);
    }
}
