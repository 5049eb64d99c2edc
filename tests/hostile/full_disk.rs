//! A disk that is full, a real one: nothing is lost, reading goes on, and once there is room so do syncs, all in
//! the same process. Needs to mount a small file system; where it may not, it says so and shows nothing.

#![allow(clippy::print_stderr, reason = "a test that cannot be run says so")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Daemon, Home, plain, pms, told};
use epms::model::Outcome;
use epms::sandbox::Kind;

/// A file system of a few megabytes in memory; it goes when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<SmallDisk> {
        std::fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "epms-test"]);
        let mounted = mount.arg(at).output();
        match mounted {
            Ok(ended) if ended.status.success() => Some(SmallDisk(at.to_owned())),
            other => {
                eprintln!("skipped: no file system can be mounted here ({other:?})");
                None
            }
        }
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        while file.write_all(&[7]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_no_reason_to_start_anew() {
    let pms = pms(Kind::AppFolio, 61, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let Some(disk) = SmallDisk::mount(&home.path("state"), "8m") else {
        return;
    };
    // So many move in that the disk has no room for them.
    let file = "config/integrations/elm.yaml";
    home.write(
        file,
        format!("{}guard: {{ newcomers: 3000 }}\n", home.read(file)),
    );
    let mut daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let before = plain(&daemon.people().await);
    disk.fill();
    let move_in = |from: u32, to: u32| {
        for n in from..to {
            let email = format!("full{n}@example.com");
            let (first, last) = (format!("Fay{n}"), "Full");
            pms.world()
                .move_in("elm", &first, last, Some(&email), None)
                .unwrap();
        }
    };
    move_in(0, 2000);
    let report = daemon.sync("elm").await;
    let Outcome::Failed { reason } = &report.outcome else {
        panic!("{report:?}");
    };
    assert!(reason.contains("No space left on device"), "{reason}");
    // Reading goes on, again and again.
    for _ in 0..3 {
        assert_eq!(plain(&daemon.people().await), before);
        assert!(!daemon.sync("elm").await.outcome.is_success());
    }
    let shown = home.epms(&["status"]).await;
    assert_eq!(shown.status.code(), Some(0), "{}", told(&shown));
    assert!(daemon.runs_still(), "{}", daemon.log());

    // So does a daemon that comes to a full disk.
    daemon.kill();
    let mut daemon = Daemon::start(&home).await;
    assert_eq!(plain(&daemon.people().await), before);

    disk.make_room();
    let report = daemon.sync("elm").await;
    assert_eq!(report.outcome, Outcome::Committed, "{report:?}");
    assert_eq!(report.counts.created, 2000);
    assert!(daemon.runs_still());
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}
