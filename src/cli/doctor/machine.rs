//! This machine: the daemon's files, the state folder and its rights, the disk, the socket.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Group, Uid, User};

use crate::catalog::Catalog;
use crate::config::{Caller, Settings};
use crate::control::client::{Client, ClientError};
use crate::model::Problems;
use crate::outbound::Roots;

use super::super::Exit;
use super::check::{self, Check};

/// The files that belong to no single integration.
pub(super) fn files(catalog: &Catalog, home: &Path) -> Check {
    let did = format!("read the files of {}", home.display());
    if catalog.problems.is_empty() {
        return Check::ok(
            "files",
            did,
            "those that belong to no single integration are right",
        );
    }
    let saw = Problems(catalog.problems.clone()).to_string();
    Check::fail(
        "files",
        did,
        saw,
        "correct them; `epms check` shows the lines",
    )
    .ends(Exit::Invalid)
}

/// Whether this machine has root certificates, by which PMSs are known.
pub(super) fn roots(roots: Roots) -> Check {
    let did = "looked for the root certificates of this machine";
    match roots {
        Roots::System => Check::ok("roots", did, "there are some, and they are used"),
        Roots::Bundled => Check::warn(
            "roots",
            did,
            "there are none; those that come with epms are used",
            "install them, such as by the package ca-certificates, so that they are kept up to date",
        ),
    }
}

/// That the environment names proxies, which nothing goes through.
pub(super) fn proxies(variables: &[String]) -> Option<Check> {
    let saw = match variables {
        [] => return None,
        [one] => format!("{one} is set, and ignored"),
        several => format!("{} are set, and ignored", several.join(", ")),
    };
    Some(Check::warn(
        "proxy",
        "looked for proxies in the environment",
        saw,
        "where requests shall go through one, write `proxy` into config/epms.yaml or a connector; else unset them",
    ))
}

/// Whether the state folder is there, private, and can be written.
pub(super) fn state(folder: &Path) -> Vec<Check> {
    let shown = folder.display();
    let did = format!("looked at {shown} and wrote a file into it");
    let metadata = match folder.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![not_there(folder)];
        }
        Err(error) => {
            let remedy = "ask as the daemon's user, or correct the rights of the folders above it";
            return vec![Check::fail(
                "state",
                did,
                format!("it cannot be seen: {error}"),
                remedy,
            )];
        }
    };
    if !metadata.is_dir() {
        let remedy = "move it away, or name another folder with `state_dir` in config/epms.yaml";
        return vec![Check::fail("state", did, "it is no folder", remedy)];
    }
    let me = Uid::effective();
    let owner = Uid::from_raw(metadata.uid());
    if owner != me && !me.is_root() {
        let saw = format!("it belongs to {}, and you are {}", user(owner), user(me));
        let remedy = format!(
            "ask as {}: only the daemon's user may look into it",
            user(owner)
        );
        return vec![Check::warn("state", did, saw, remedy)];
    }
    let mut checks = Vec::new();
    let written = tempfile::Builder::new()
        .prefix(".doctor-")
        .tempfile_in(folder);
    checks.push(match written {
        Ok(_) => Check::ok("state", did, format!("it can be written by {}", user(me))),
        Err(error) => Check::fail(
            "state",
            did,
            format!("it cannot be written: {error}"),
            "look at its rights, and whether the disk is full or mounted read-only",
        ),
    });
    checks.push(rights(folder, metadata.mode(), owner));
    checks
}

fn not_there(folder: &Path) -> Check {
    let did = format!("looked for {}", folder.display());
    let above = folder.ancestors().skip(1).find(|above| above.is_dir());
    let writable = above
        .is_some_and(|above| nix::unistd::access(above, nix::unistd::AccessFlags::W_OK).is_ok());
    if writable {
        Check::ok("state", did, "it is not there yet; the daemon makes it")
    } else {
        let above = above.unwrap_or(folder).display();
        let saw = format!(
            "it is not there, and {} may not write into {above}",
            user(Uid::effective())
        );
        let remedy = "make it for the daemon's user with mode 0700, or ask as that user";
        Check::fail("state", did, saw, remedy)
    }
}

/// Nobody but the daemon's user looks into the folder or its store.
fn rights(folder: &Path, mode: u32, owner: Uid) -> Check {
    let did = "looked at the rights of the state folder and the store";
    let store = folder.join("epms.redb");
    let mut open = Vec::new();
    let mut saw = vec![format!("{:04o}", mode & 0o7777)];
    // Whoever only passes through, to a socket in it, sees nothing of the store.
    if mode & 0o066 != 0 {
        open.push(format!("chmod 700 {}", folder.display()));
    }
    if let Ok(metadata) = store.metadata() {
        saw.push(format!("{:04o}", metadata.mode() & 0o7777));
        if metadata.mode() & 0o077 != 0 {
            open.push(format!("chmod 600 {}", store.display()));
        }
        if Uid::from_raw(metadata.uid()) != owner {
            open.push(format!("chown {} {}", user(owner), store.display()));
        }
    }
    let saw = format!("{}, of {}", saw.join(" and "), user(owner));
    if open.is_empty() {
        Check::ok("rights", did, saw)
    } else {
        Check::fail("rights", did, saw, open.join("; "))
    }
}

/// What is free on the disk of the state folder, in bytes; the system's error where it does not tell.
pub(super) fn free(folder: &Path) -> nix::Result<u64> {
    let there = folder
        .ancestors()
        .find(|there| there.exists())
        .unwrap_or(folder);
    let disk = nix::sys::statvfs::statvfs(there)?;
    Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

/// The space on the disk of the state folder.
pub(super) fn disk(folder: &Path, free: nix::Result<u64>) -> Check {
    let store = folder
        .join("epms.redb")
        .metadata()
        .map_or(0, |store| store.len());
    match free {
        Ok(free) => check::space(&folder.display().to_string(), free, store),
        Err(error) => Check::skip(
            "disk",
            format!("looked at the disk of {}", folder.display()),
            format!("the system does not tell: {error}"),
        ),
    }
}

/// Whether a daemon answers, and who asks it.
pub(super) async fn socket(client: &Client, settings: &Settings) -> Check {
    let socket = client.socket();
    let me = user(Uid::effective());
    let did = format!("asked the daemon on {}", socket.display());
    match client.status().await {
        Ok(status) if status.version != env!("CARGO_PKG_VERSION") => Check::warn(
            "socket",
            did,
            format!(
                "it is epms {}, and this is {}",
                status.version,
                env!("CARGO_PKG_VERSION")
            ),
            "start the daemon anew, so that both are of one version",
        ),
        Ok(status) => {
            let integrations = match status.integrations.len() {
                1 => "1 integration".to_owned(),
                many => format!("{many} integrations"),
            };
            let opened = socket.metadata().map_or_else(
                |_| String::new(),
                |socket| {
                    let group = Gid::from_raw(socket.gid());
                    let group = Group::from_gid(group)
                        .ok()
                        .flatten()
                        .map(|group| group.name);
                    let group = group.unwrap_or_else(|| socket.gid().to_string());
                    format!(
                        "; the socket is {:04o}, group {group}",
                        socket.mode() & 0o777
                    )
                },
            );
            Check::ok(
                "socket",
                did,
                format!(
                    "epms {} answers, with {integrations}; you are {me}, and may {}{opened}",
                    status.version,
                    tier(client.socket(), settings)
                ),
            )
        }
        Err(ClientError::NotRunning { .. }) => Check::warn(
            "socket",
            did,
            "nobody answers",
            "start the daemon with `epms run`; until then nothing is synced",
        ),
        Err(ClientError::Denied(told)) => {
            let group = settings.socket.group.as_deref();
            let remedy = group.map_or_else(
                || "ask as the daemon's user, or name a group of yours as `socket.group` in config/epms.yaml".to_owned(),
                |group| format!("ask as the daemon's user, or let {me} join the group {group}"),
            );
            Check::fail("socket", did, told, remedy).ends(Exit::Denied)
        }
        Err(error) => Check::fail("socket", did, error.to_string(), "look at the daemon's log"),
    }
}

/// What the settings let this process do over the socket of the daemon.
fn tier(socket: &Path, settings: &Settings) -> String {
    let me = Uid::effective();
    let owner = socket.metadata().map_or(0, |socket| socket.uid());
    match &settings.socket.tiers {
        Some(tiers) if !me.is_root() && me.as_raw() != owner => {
            match Caller::known(me.as_raw(), Gid::effective().as_raw()) {
                Ok(caller) => tiers
                    .of(&caller)
                    .map_or("do nothing".to_owned(), |tier| tier.to_string()),
                Err(error) => format!("what the system does not tell ({error})"),
            }
        }
        _ => "do everything".to_owned(),
    }
}

/// A user by name and number.
pub(super) fn user(uid: Uid) -> String {
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => format!("uid {uid}"),
    }
}
