//! `epms init --upgrade`: what comes with this version of epms, for a home that was made by an earlier one. What was not
//! touched is taken over; what the home changed as well is shown, and written only where it is named. What is decided
//! about a file is in `decided`; what was shipped then lies in `config/.shipped` of the home.

mod decided;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use similar::TextDiff;

use crate::beneath::{Beneath, Kind, Unread};
use crate::config::Home;

use super::init::InitArguments;
use super::shipped::{self, SHIPPED};
use super::status::number;
use super::table::clean;
use super::view::View;
use super::{Exit, Failure, Screen};

use decided::{Decision, decide};

/// A file larger than this is none that came with epms.
const MAX_FILE: u64 = 16 * 1024 * 1024;

#[derive(Serialize)]
struct Upgraded {
    /// That nothing was written, as it was only to be shown.
    dry_run: bool,
    /// Files that came into the home.
    taken: Vec<PathBuf>,
    /// Files that stay, and whose change is done with.
    kept: Vec<PathBuf>,
    /// Files that were not touched and are not shipped any more.
    dropped: Vec<PathBuf>,
    /// Files that the home changed and that are not shipped any more.
    orphaned: Vec<PathBuf>,
    /// Files that were changed on both sides.
    asked: Vec<Asked>,
    /// Files that only the home changed.
    own: usize,
    same: usize,
}

#[derive(Serialize)]
struct Asked {
    file: PathBuf,
    /// Why it is asked, in words.
    why: String,
    /// What changed in what is shipped; where it is not known what was, what would change in the home.
    shipped: String,
    /// That it is no file of the home that could be replaced.
    #[serde(skip)]
    is_elsewhere: bool,
    /// What the home changed, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<String>,
}

pub(super) fn run(
    arguments: &InitArguments,
    json: bool,
    home: &Home,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if !home.config().is_dir() {
        let told = format!(
            "{} is no home: there is no config/ in it; name one with --home, or make one with `epms init DIR`",
            home.root().display()
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    if let Some(link) = leading_out(home) {
        let told = format!(
            "{} leads out of the home by a link, and nothing outside is written; put a folder or a file in its place: nothing was written",
            home.name(&link).display()
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    let files = files(home)?;
    let named = |list: &[PathBuf]| -> Result<BTreeSet<PathBuf>, Failure> {
        let names = list.iter().map(|name| file_named(name, home, &files));
        names.collect()
    };
    let (take, keep) = (named(&arguments.take)?, named(&arguments.keep)?);
    if let Some(both) = take.intersection(&keep).next() {
        let told = format!(
            "{} is named by --take and by --keep; name it by one of them: nothing was written",
            both.display()
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    for (name, file) in take.iter().filter_map(|name| files.get_key_value(name)) {
        if let Err(why) = &file.home {
            let told = format!("{} {why}; nothing was written", name.display());
            return Err(Failure::other(Exit::Invalid, told));
        }
    }
    let mut upgraded = Upgraded {
        dry_run: arguments.dry_run,
        taken: Vec::new(),
        kept: Vec::new(),
        dropped: Vec::new(),
        orphaned: Vec::new(),
        asked: Vec::new(),
        own: 0,
        same: 0,
    };
    for (name, file) in &files {
        let decision = match &file.home {
            Ok(text) => decide(file.then.as_deref(), file.now, text.as_deref()),
            // What somebody said of it with --keep holds until another is shipped.
            Err(_) if file.now.is_some() && file.then.as_deref() != file.now => Decision::Ask,
            Err(_) => Decision::Own,
        };
        let is_named = take.contains(name);
        if let (Some(now), true) = (file.now, is_named || decision == Decision::Take) {
            if is_named && decision == Decision::Same {
                upgraded.same += 1;
                continue;
            }
            if !arguments.dry_run {
                put(home, name, now)?;
                shipped::remember(home.root(), name, now)?;
            }
            upgraded.taken.push(name.clone());
            continue;
        }
        match decision {
            Decision::Ask if keep.contains(name) => {
                if let (Some(now), false) = (file.now, arguments.dry_run) {
                    shipped::remember(home.root(), name, now)?;
                }
                upgraded.kept.push(name.clone());
            }
            Decision::Ask => upgraded.asked.push(file.asked(name)),
            Decision::Dropped => upgraded.dropped.push(name.clone()),
            Decision::Orphaned => upgraded.orphaned.push(name.clone()),
            Decision::Own => upgraded.own += 1,
            Decision::Same | Decision::Take => {
                if let (Some(now), false) = (file.now, arguments.dry_run) {
                    shipped::remember(home.root(), name, now)?;
                }
                upgraded.same += 1;
            }
        }
    }
    if !arguments.dry_run {
        super::schema::write_all(home.root())?;
        super::definitions::write_all(home.root())?;
    }
    screen.show(json, &upgraded, told)?;
    Ok(Exit::Done)
}

/// The link in what an upgrade writes without being asked about each file that leads out of the home, or nowhere.
fn leading_out(home: &Home) -> Option<PathBuf> {
    let root = home.root().canonicalize().ok()?;
    let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|it| it.is_symlink());
    let leads_out = |path: &Path| match path.canonicalize() {
        Ok(end) => !end.starts_with(&root),
        Err(_) => true,
    };
    let written = [SHIPPED, "config/.schema", "config/.definitions"];
    let mut open = vec![home.config()];
    open.extend(written.map(|folder| home.root().join(folder)));
    let mut open: Vec<(PathBuf, bool)> = open.into_iter().zip([false, true, true, true]).collect();
    while let Some((path, is_looked_into)) = open.pop() {
        if is_link(&path) {
            if leads_out(&path) {
                return Some(path);
            }
        } else if is_looked_into && path.is_dir() {
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            open.extend(entries.map(|entry| (entry.path(), true)));
        }
    }
    None
}

/// A file in all three places.
struct File {
    /// As it was shipped when the home was made or upgraded last.
    then: Option<Vec<u8>>,
    now: Option<&'static [u8]>,
    /// As the home has it; an error where it cannot be taken for a file of the home.
    home: Result<Option<Vec<u8>>, String>,
}

/// All files that are shipped, or were.
fn files(home: &Home) -> Result<BTreeMap<PathBuf, File>, Failure> {
    let beneath = home.beneath();
    let mut then = BTreeMap::new();
    remembered(home, &beneath, &mut then)?;
    let now: BTreeMap<PathBuf, &'static [u8]> = shipped::files()
        .into_iter()
        .filter(|(name, _)| shipped::is_upgraded(name))
        .collect();
    let names: BTreeSet<PathBuf> = now.keys().chain(then.keys()).cloned().collect();
    let files = names.into_iter().map(|name| {
        let path = home.root().join(&name);
        let is_link = path
            .symlink_metadata()
            .is_ok_and(|found| found.is_symlink());
        let file = File {
            then: then.remove(&name),
            now: now.get(&name).copied(),
            home: match beneath.read(&path, MAX_FILE) {
                Ok(_) if is_link => Err("is a link, and is not replaced".to_owned()),
                Ok(bytes) => Ok(Some(bytes)),
                Err(Unread::Absent) if !is_link => Ok(None),
                Err(error) => Err(error.to_string()),
            },
        };
        (name, file)
    });
    Ok(files.collect())
}

/// What was shipped when the home was made or upgraded last; nothing of homes that an earlier version made.
fn remembered(
    home: &Home,
    beneath: &Beneath,
    found: &mut BTreeMap<PathBuf, Vec<u8>>,
) -> Result<(), Failure> {
    let root = home.root().join(SHIPPED);
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let unread = |path: &Path, error: &Unread| {
            let told = format!("{} {error}", home.name(path).display());
            Failure::other(Exit::Failed, told)
        };
        let entries = match beneath.list(&folder) {
            Ok(entries) => entries,
            Err(Unread::Absent) => continue,
            Err(error) => return Err(unread(&folder, &error)),
        };
        for entry in entries {
            if matches!(entry.kind, Ok(Kind::Folder)) {
                folders.push(entry.path);
                continue;
            }
            let bytes = beneath
                .read(&entry.path, MAX_FILE)
                .map_err(|error| unread(&entry.path, &error))?;
            if let Ok(name) = entry.path.strip_prefix(&root) {
                found.insert(name.to_owned(), bytes);
            }
        }
    }
    Ok(())
}

/// A file by its name in the home, or by its path.
fn file_named(
    asked: &Path,
    home: &Home,
    files: &BTreeMap<PathBuf, File>,
) -> Result<PathBuf, Failure> {
    let name = home.name(asked);
    let name = name.strip_prefix(".").unwrap_or(&name).to_owned();
    match files.get(&name) {
        Some(file) if file.now.is_some() => Ok(name),
        _ => {
            let told = format!(
                "{} does not come with this epms; name a file as `epms init --upgrade` lists it, such as config/connectors/yardi.yaml",
                asked.display()
            );
            Err(Failure::other(Exit::Invalid, told))
        }
    }
}

/// Puts a file in the place of another, at once.
fn put(home: &Home, name: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let path = home.root().join(name);
    let folder = path.parent().unwrap_or(home.root());
    let written = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut beside = tempfile::Builder::new()
            .prefix(".upgrade-")
            .tempfile_in(folder)?;
        beside.write_all(bytes)?;
        let permissions = match std::fs::metadata(&path) {
            Ok(found) => found.permissions(),
            Err(_) => std::os::unix::fs::PermissionsExt::from_mode(0o644),
        };
        beside.as_file().set_permissions(permissions)?;
        beside.persist(&path)?;
        Ok(())
    };
    written().map_err(|error| {
        let told = format!(
            "{} cannot be written: {error}; look at the folder's rights and its disk, and ask again: what was taken stays",
            name.display()
        );
        Failure::other(Exit::Failed, told)
    })
}

impl File {
    fn asked(&self, name: &Path) -> Asked {
        let text =
            |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let now = text(self.now);
        let (why, shipped, home) = match (&self.then, &self.home) {
            (_, Err(why)) => (why.clone(), String::new(), None),
            (None, Ok(home)) => (
                "differs, and what was shipped when this home was made is not known".to_owned(),
                diff(&text(home.as_deref()), &now, "in this home", "shipped now"),
                None,
            ),
            (Some(then), Ok(None)) => (
                "was removed from this home, and changed in what is shipped".to_owned(),
                diff(&text(Some(then)), &now, "shipped before", "shipped now"),
                None,
            ),
            (Some(then), Ok(Some(home))) => {
                let then = text(Some(then));
                (
                    "was changed in this home, and in what is shipped".to_owned(),
                    diff(&then, &now, "shipped before", "shipped now"),
                    Some(diff(
                        &then,
                        &text(Some(home)),
                        "shipped before",
                        "in this home",
                    )),
                )
            }
        };
        Asked {
            file: name.to_owned(),
            is_elsewhere: self.home.is_err(),
            why,
            shipped,
            home,
        }
    }
}

/// What is different, as `diff -u` tells it.
fn diff(one: &str, other: &str, of_one: &str, of_other: &str) -> String {
    TextDiff::from_lines(one, other)
        .unified_diff()
        .context_radius(2)
        .header(of_one, of_other)
        .to_string()
}

fn told(upgraded: &Upgraded, _: &View) -> String {
    let mut text = String::new();
    let count = |list: &[PathBuf]| {
        let count = u64::try_from(list.len()).unwrap_or(u64::MAX);
        number(count, "file", "files")
    };
    let would = if upgraded.dry_run {
        "would be taken"
    } else {
        "taken"
    };
    let mut list = |files: &[PathBuf], says: &str| {
        if files.is_empty() {
            return;
        }
        let _ = writeln!(text, "{} {says}", count(files));
        for file in files {
            let _ = writeln!(text, "  {}", clean(&file.to_string_lossy()));
        }
    };
    list(&upgraded.taken, would);
    list(&upgraded.kept, "stay as they are in this home");
    list(
        &upgraded.dropped,
        "not shipped any more; remove what nothing uses",
    );
    list(
        &upgraded.orphaned,
        "changed in this home, and not shipped any more: they are the home's own; remove what nothing uses",
    );
    for asked in &upgraded.asked {
        let _ = writeln!(
            text,
            "\n{} {}",
            clean(&asked.file.to_string_lossy()),
            asked.why
        );
        for diff in [Some(&asked.shipped), asked.home.as_ref()]
            .into_iter()
            .flatten()
        {
            for line in diff.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        let file = clean(&asked.file.to_string_lossy());
        if asked.is_elsewhere {
            let _ = writeln!(
                text,
                "  → put a file in its place and ask again; or leave it so: `epms init --upgrade --keep {file}`"
            );
            continue;
        }
        let _ = writeln!(
            text,
            "  → write into it what you want of this, then `epms init --upgrade --keep {file}`; or take what is shipped: `--take {file}`"
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "{} as shipped, {} changed here alone, {} to look at",
        upgraded.same,
        upgraded.own,
        upgraded.asked.len()
    );
    if !upgraded.taken.is_empty() {
        text += if upgraded.dry_run {
            "nothing was written; without --dry-run it is\n"
        } else {
            "next: epms check, epms test, epms preview --all\n"
        };
    }
    text
}
