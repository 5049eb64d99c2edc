//! Looks at the home of a service, and gives what its user cannot read the rights that `rights` decides. Links are not
//! followed; where others than root may put something, nothing is changed, and what is not readable there is told.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};
use serde::Serialize;

use super::rights::{Decision, Rights, Service, Use, decide};

/// Something that was opened.
#[derive(Debug, Serialize)]
pub(super) struct Given {
    path: PathBuf,
    group: String,
    /// In octal, four digits.
    mode: String,
}

/// Something that was not.
#[derive(Debug, Serialize)]
pub(super) struct Left {
    path: PathBuf,
    /// Why, and what to do.
    why: String,
}

/// What is looked at, from the home: its own folder alone, and all that is in the others.
const PARTS: [(&str, Use); 4] = [
    ("", Use::Open),
    ("config", Use::Open),
    ("scripts", Use::Open),
    ("secrets", Use::Secret),
];

struct Opening<'a> {
    service: &'a Service,
    group: &'a str,
    given: Vec<Given>,
    left: Vec<Left>,
}

/// Opens what is there to the service's user, whose group is called `group`.
pub(super) fn open(root: &Path, service: &Service, group: &str) -> (Vec<Given>, Vec<Left>) {
    let mut opening = Opening {
        service,
        group,
        given: Vec::new(),
        left: Vec::new(),
    };
    for (name, of) in PARTS {
        let path = root.join(name);
        if path.symlink_metadata().is_ok() {
            // Whoever may write into the home may put another folder in the place of this one.
            let is_ours = name.is_empty() || path.parent().is_some_and(is_ours);
            opening.look(&path, of, is_ours, !name.is_empty());
        }
    }
    opening
        .given
        .sort_by(|one, other| one.path.cmp(&other.path));
    opening.left.sort_by(|one, other| one.path.cmp(&other.path));
    (opening.given, opening.left)
}

/// Whether only root and who runs this may put something into a folder.
fn is_ours(folder: &Path) -> bool {
    folder.symlink_metadata().is_ok_and(|found| {
        let owner = Uid::from_raw(found.uid());
        let writes = found.mode() & 0o022;
        found.is_dir() && (owner.is_root() || owner == Uid::effective()) && writes == 0
    })
}

impl Opening<'_> {
    /// Looks at one, and at what is in it.
    fn look(&mut self, path: &Path, of: Use, is_ours_above: bool, goes_on: bool) {
        let Ok(found) = path.symlink_metadata() else {
            return;
        };
        // Where a link leads is judged there, if it is in the home at all.
        if !(found.is_file() || found.is_dir()) {
            return;
        }
        match decide(rights(&found), of, self.service) {
            Decision::Fits => {}
            Decision::Leave => self.leave(path, &found, of, "is for another group"),
            Decision::Give(..) if !is_ours_above => {
                self.leave(path, &found, of, "lies where others may write");
            }
            Decision::Give(gid, mode) => self.give(path, of, gid, mode),
        }
        if found.is_dir() && goes_on {
            let is_ours = is_ours_above && is_ours(path);
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            for entry in entries {
                self.look(&entry.path(), of, is_ours, true);
            }
        }
    }

    /// Gives it what was decided, if it still is what was looked at.
    fn give(&mut self, path: &Path, of: Use, gid: u32, mode: u32) {
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
            .open(path);
        let changed = opened.and_then(|file| {
            let found = file.metadata()?;
            if decide(rights(&found), of, self.service) != Decision::Give(gid, mode) {
                return Err(std::io::Error::other("it changed meanwhile"));
            }
            // Another name of a file may lie anywhere.
            if found.is_file() && found.nlink() > 1 {
                return Err(std::io::Error::other("it has another name as well"));
            }
            change(&file, &found, gid, mode)
        });
        match changed {
            Ok(()) => self.given.push(Given {
                path: path.to_owned(),
                group: group_name(gid),
                mode: format!("{mode:04o}"),
            }),
            Err(error) => {
                let why = format!("{error}; {}", remedy(path, of, self.group));
                self.left.push(Left {
                    path: path.to_owned(),
                    why,
                });
            }
        }
    }

    fn leave(&mut self, path: &Path, found: &Metadata, of: Use, what: &str) {
        let why = format!(
            "{}:{} {:04o} {what}; {}",
            user_name(found.uid()),
            group_name(found.gid()),
            found.mode() & 0o7777,
            remedy(path, of, self.group)
        );
        self.left.push(Left {
            path: path.to_owned(),
            why,
        });
    }
}

fn rights(found: &Metadata) -> Rights {
    Rights {
        uid: found.uid(),
        gid: found.gid(),
        mode: found.mode() & 0o7777,
        is_folder: found.is_dir(),
    }
}

/// The group first: to give it away takes bits of the mode.
fn change(file: &File, found: &Metadata, gid: u32, mode: u32) -> std::io::Result<()> {
    if found.gid() != gid {
        fchown(file, None, Some(gid))?;
    }
    file.set_permissions(PermissionsExt::from_mode(mode))
}

fn remedy(path: &Path, of: Use, group: &str) -> String {
    let shut = match of {
        Use::Open => "g+rX",
        Use::Secret => "g=rX,o=",
    };
    format!(
        "open it by hand: chgrp {group} {0} && chmod {shut} {0}",
        path.display()
    )
}

fn user_name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

fn group_name(gid: u32) -> String {
    let group = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    group.map_or_else(|| gid.to_string(), |group| group.name)
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (group {}, {})",
            self.path.display(),
            self.group,
            self.mode
        )
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.why)
    }
}
