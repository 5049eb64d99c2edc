//! One thing that was looked at: what was done, what was seen, what to do. Pure.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::super::Exit;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// As it should be.
    Ok,
    /// It goes on, but somebody should look.
    Warn,
    /// It does not go on like this.
    Fail,
    /// Could not be looked at, because something else failed or there is nothing to see.
    Skip,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// Its name, which stays.
    #[serde(rename = "check")]
    pub(super) name: &'static str,
    pub(super) mark: Mark,
    /// What was done.
    pub(super) did: String,
    /// What was seen.
    pub(super) saw: String,
    /// What to do.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
    /// How the command ends with this one failed.
    #[serde(skip)]
    pub(super) exit: Exit,
}

impl Check {
    fn new(
        name: &'static str,
        mark: Mark,
        did: impl Into<String>,
        saw: impl Into<String>,
    ) -> Check {
        Check {
            name,
            mark,
            did: did.into(),
            saw: saw.into(),
            remedy: None,
            exit: Exit::Failed,
        }
    }

    pub(super) fn ok(check: &'static str, did: impl Into<String>, saw: impl Into<String>) -> Check {
        Check::new(check, Mark::Ok, did, saw)
    }

    pub(super) fn skip(
        check: &'static str,
        did: impl Into<String>,
        saw: impl Into<String>,
    ) -> Check {
        Check::new(check, Mark::Skip, did, saw)
    }

    pub(super) fn warn(
        check: &'static str,
        did: impl Into<String>,
        saw: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Check {
        Check {
            remedy: Some(remedy.into()),
            ..Check::new(check, Mark::Warn, did, saw)
        }
    }

    pub(super) fn fail(
        check: &'static str,
        did: impl Into<String>,
        saw: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Check {
        Check {
            remedy: Some(remedy.into()),
            ..Check::new(check, Mark::Fail, did, saw)
        }
    }

    /// Whether it does not go on like this.
    pub(super) fn is_failure(&self) -> bool {
        self.mark == Mark::Fail
    }

    /// With another end than that of a thing that went wrong.
    pub(super) fn ends(self, exit: Exit) -> Check {
        Check { exit, ..self }
    }
}

/// Their clock against ours: `Date` headers have whole seconds, and come a moment after they were made.
pub(super) fn clock(host: &str, theirs: Option<SystemTime>, ours: SystemTime) -> Check {
    const CLOSE: Duration = Duration::from_secs(30);
    const FAR: Duration = Duration::from_mins(5);
    let did = format!("compared with the Date header of {host}");
    let Some(theirs) = theirs else {
        return Check::skip("clock", did, "it sends none");
    };
    let (apart, word) = match ours.duration_since(theirs) {
        Ok(apart) => (apart, "ahead"),
        Err(error) => (error.duration(), "behind"),
    };
    let saw = match apart.as_secs() {
        0..=5 => "the same time".to_owned(),
        seconds => format!("this machine is {seconds} s {word}"),
    };
    let remedy =
        "let a time service set this machine's clock; `timedatectl` shows whether one does";
    if apart <= CLOSE {
        Check::ok("clock", did, saw)
    } else if apart <= FAR {
        Check::warn("clock", did, saw, remedy)
    } else {
        // Tokens are over before they are used, and days begin at another time.
        Check::fail("clock", did, saw, remedy)
    }
}

/// What is left on a disk, in bytes, beside the size of the store.
pub(super) fn space(folder: &str, free: u64, store: u64) -> Check {
    const FULL: u64 = 64 << 20;
    const SCARCE: u64 = 1 << 30;
    let did = format!("looked at the disk of {folder}");
    let saw = format!("{} free, the store has {}", size(free), size(store));
    let remedy = "make room, or name another folder with `state_dir` in config/epms.yaml";
    // To compact a store takes as much again, and so does what a run puts away that is about everybody.
    if free < FULL {
        Check::fail("disk", did, saw, remedy)
    } else if free < SCARCE.max(store.saturating_mul(3)) {
        Check::warn("disk", did, saw, remedy)
    } else {
        Check::ok("disk", did, saw)
    }
}

/// Bytes in their largest unit.
pub(super) fn size(bytes: u64) -> String {
    let mut units = ["bytes", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let (mut whole, mut unit) = (bytes, units.next().unwrap_or_default());
    for next in units {
        if whole < 1024 {
            break;
        }
        (whole, unit) = (whole / 1024, next);
    }
    format!("{whole} {unit}")
}

/// A time that something took.
pub(super) fn took(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..10_000 => format!("{millis} ms"),
        millis => format!("{} s", millis / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_apart_are_told_with_how_far_and_which_way() {
        let ours = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let told = |theirs: i64| {
            let theirs = Duration::from_secs(u64::try_from(1_000_000 + theirs).unwrap());
            let check = clock("h", Some(SystemTime::UNIX_EPOCH + theirs), ours);
            (check.mark, check.saw)
        };
        assert_eq!(told(-1), (Mark::Ok, "the same time".to_owned()));
        assert_eq!(
            told(20),
            (Mark::Ok, "this machine is 20 s behind".to_owned())
        );
        assert_eq!(
            told(-40),
            (Mark::Warn, "this machine is 40 s ahead".to_owned())
        );
        assert_eq!(told(301).0, Mark::Fail);
        assert_eq!(clock("h", None, ours).mark, Mark::Skip);
    }

    #[test]
    fn a_disk_is_scarce_below_a_gibibyte_or_three_times_the_store() {
        let mark = |free, store| space("state", free, store).mark;
        assert_eq!(mark(2 << 30, 1 << 20), Mark::Ok);
        assert_eq!(mark(1 << 29, 0), Mark::Warn);
        assert_eq!(mark(8 << 30, 3 << 30), Mark::Warn);
        assert_eq!(mark(9 << 30, 3 << 30), Mark::Ok);
        assert_eq!(mark(1 << 20, 0), Mark::Fail);
        assert_eq!(
            (size(1023), size(2048), size(5 << 30)),
            ("1023 bytes".into(), "2 KiB".into(), "5 GiB".into())
        );
    }
}
