//! `epms init`: a home to start from, with everything that comes with epms. It writes new files and changes
//! none that is there.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::config::Environment;

use super::next::{self, Step};
use super::{Exit, Failure, Screen, shipped};

/// Where to put the home.
#[derive(Debug, Args)]
#[command(after_help = "\
writes config/epms.yaml with every key and its default, the connectors, their
scripts and mapping tests, a README, and a .gitignore for state/ and secrets/.
what else is in the folder stays; where one of these files is there already,
nothing is written

with --upgrade nothing is made: the home that is there gets the connectors,
scripts and mapping tests that come with this version. Commit the home first,
so that `git diff` shows what came and `git checkout` takes it back. What was
not touched since it was made or upgraded last is taken over, by what
config/.shipped says; of a file that was changed on both sides both
differences are shown, and it is left alone until --take or --keep names it. A
home without config/.shipped, which an earlier version made, is asked about
every file that differs. Settings, credentials and integrations stay

with --system it is the home of the service, /etc/epms unless DIR or --home
names another, with state_dir and socket as the unit has them. What is there
stays as it is, and what the service's user could not read is opened to them:
so it can be run again, such as after a secret was put into secrets/

with --fresh-store nothing of that is written: a store that was lost for good,
by the mark beside it, gets a new one in its place, with nobody in it, whose
numbers go on from those of the lost one. Whoever follows the change log
begins anew. Restore a backup rather, where there is one

examples
  epms init acme
  epms init .
  epms init --upgrade --dry-run
  epms init --upgrade --take scripts/yardi.rhai
  epms init --system
  epms init --fresh-store")]
pub struct InitArguments {
    /// the folder; it is made if it is not there
    #[arg(value_name = "DIR", required_unless_present_any = ["fresh_store", "upgrade", "system"])]
    pub folder: Option<PathBuf>,
    /// the home of the service: made where there is none, and in any case readable by its user
    #[arg(long, conflicts_with_all = ["fresh_store", "upgrade"])]
    pub system: bool,
    /// with --system: the user that the service runs as
    #[arg(long, value_name = "NAME", requires = "system", default_value = "epms")]
    pub user: String,
    /// make a new store, with nobody, where the home's own was lost
    #[arg(long, conflicts_with_all = ["folder", "upgrade"])]
    pub fresh_store: bool,
    /// bring the home's connectors, scripts and tests to this version of epms, where they were not changed
    #[arg(long, conflicts_with = "folder")]
    pub upgrade: bool,
    /// with --upgrade: show what would be done, and write nothing
    #[arg(long, requires = "upgrade")]
    pub dry_run: bool,
    /// with --upgrade: take what is shipped, whatever the home changed in this file
    #[arg(long, value_name = "FILE", requires = "upgrade")]
    pub take: Vec<PathBuf>,
    /// with --upgrade: leave this file as it is, and show its difference no more
    #[arg(long, value_name = "FILE", requires = "upgrade")]
    pub keep: Vec<PathBuf>,
}

pub(super) const IGNORED: &str = "\
# The store and the socket: this machine's alone.
/state/
# Files name secrets only by where they are kept. What is kept in here stays out of version control.
/secrets/
";

pub(super) const README: &str = "\
# A home of epms

    config/epms.yaml        the daemon: schedule, workers, socket, log; every key stands there with its default
    config/connectors/      how each kind of PMS or target is reached; each begins with what to ask the vendor for
    config/credentials/     one file per account at a PMS or a target; secrets only by where they are kept
    config/integrations/    one file per property here, and what of the PMS feeds it; the file's name is its id
    config/targets/         one file per place that access is delivered to; the file's name is its id
    config/.schema/         what editors know of these files; `epms schema --out config/.schema` makes them anew
    config/.definitions/    what editors know of scripts; `epms definitions --out config/.definitions` makes them anew
    config/.shipped/        what came with epms when this home was made; `epms init --upgrade` compares with it
    scripts/                what the records of each PMS mean, and who has what at each target; shared ones in lib/, mapping tests in tests/
    secrets/                a place for secrets in files, one each (0600); out of version control
    state/                  the store and the socket; the daemon makes it; out of version control

All but `secrets/` and `state/` belongs under version control.

    epms add integration    attach a property of a PMS, step by step
    epms add target         a place that access is delivered to, step by step
    epms doctor             whether PMSs, targets, this machine and the daemon are as they should be
    epms check              all files and scripts, offline
    epms test               the mapping tests
    epms map SCRIPT FILE    what a script makes of a recorded answer
    epms web passwd NAME    an account for the web page; with --tier configure for who sets integrations up by clicking
    epms run                the daemon; it reloads what is saved here within a second
    epms sync ID            sync one integration now
    epms --help             everything else

`epms sandbox yardi` is a made-up PMS on this machine to try it with.
";

#[derive(Serialize)]
struct Made {
    home: PathBuf,
    files: Vec<PathBuf>,
    /// What to do next.
    next: Vec<Step>,
}

pub(super) fn run(
    folder: &Path,
    json: bool,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let home = environment.current.join(folder);
    let mut files = shipped::files();
    files.push((".gitignore".into(), IGNORED.as_bytes()));
    files.push(("README.md".into(), README.as_bytes()));
    refuse(&home, folder, &files)?;
    for (name, bytes) in &files {
        write(&home.join(name), bytes).map_err(|error| {
            let told = format!(
                "{} cannot be written: {error}; look at the folder's rights and its disk",
                home.join(name).display()
            );
            Failure::other(Exit::Failed, told)
        })?;
    }
    shipped::remember_all(&home)?;
    super::schema::write_all(&home)?;
    super::definitions::write_all(&home)?;
    for name in [
        "config/credentials",
        "config/integrations",
        "config/targets",
    ] {
        std::fs::create_dir_all(home.join(name))?;
    }
    let mut private = std::fs::DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(home.join("secrets"))?;
    let made = Made {
        next: steps(folder, environment),
        files: files.into_iter().map(|(name, _)| name).collect(),
        home,
    };
    screen.show(json, &made, |made, _| told(made, folder))?;
    Ok(Exit::Done)
}

/// Nothing is written where anything would be overwritten.
fn refuse(home: &Path, asked: &Path, files: &[(PathBuf, &[u8])]) -> Result<(), Failure> {
    let invalid = |told: String| Err(Failure::other(Exit::Invalid, told));
    if home.symlink_metadata().is_ok() && !home.is_dir() {
        return invalid(format!("{} is no folder; name another", asked.display()));
    }
    let there: Vec<&PathBuf> = files
        .iter()
        .map(|(name, _)| name)
        .filter(|name| home.join(name).symlink_metadata().is_ok())
        .collect();
    match there.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => {
            let more = match rest.len() {
                0 => String::new(),
                1 => " and 1 more".to_owned(),
                more => format!(" and {more} more"),
            };
            invalid(format!(
                "{}{more} would be overwritten, so nothing was written; name a new folder, or move them away",
                asked.join(first).display()
            ))
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)
}

fn steps(asked: &Path, environment: &Environment) -> Vec<Step> {
    let current = &environment.current;
    let here = current.join(asked).canonicalize().ok() == current.canonicalize().ok();
    let go = (!here).then(|| Step::new(format!("cd {}", asked.display()), ""));
    let steps = [
        (
            "epms sandbox yardi",
            "a made-up PMS to try it with, in another terminal",
        ),
        (
            "epms add integration",
            "attach a property of a PMS, step by step",
        ),
        ("epms run", "the daemon, in another terminal"),
        ("epms sync --all", "sync now, and see what came"),
    ];
    go.into_iter()
        .chain(steps.map(|(step, why)| Step::new(step, why)))
        .collect()
}

fn told(made: &Made, asked: &Path) -> String {
    let among = |folder: &str, ending: &str| {
        let within = made.files.iter().filter(|name| {
            name.parent() == Some(Path::new(folder))
                && name.extension().is_some_and(|found| found == ending)
        });
        within.count()
    };
    let cases = made.files.iter().filter(|name| {
        name.starts_with("scripts/tests") && name.extension().is_some_and(|found| found == "yaml")
    });
    format!(
        "made a home in {}: config/epms.yaml, {} connectors, their scripts and {} mapping tests\n{}",
        asked.display(),
        among("config/connectors", "yaml"),
        cases.count(),
        next::told(&made.next)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Document, Settings};

    #[test]
    fn the_settings_that_come_with_epms_name_every_key_and_are_the_defaults() {
        let files = shipped::files();
        let (name, bytes) = files
            .iter()
            .find(|(name, _)| name.ends_with("epms.yaml"))
            .unwrap();
        let text = str::from_utf8(bytes).unwrap();
        let read: Settings = Document::parse(name, text).unwrap().read().unwrap();
        assert_eq!(read, Settings::default());
        let Settings {
            version: _,
            schedule: _,
            workers: _,
            socket: _,
            log: _,
            reload: _,
            state_dir: _,
            placeholder_emails: _,
            retention: _,
            store: _,
            backup: _,
            deadline: _,
            grace: _,
            proxy: _,
            notify: _,
            web: _,
        } = read;
        for key in [
            "version: 1",
            "schedule: { every: 1h, jitter: 5m }",
            "workers: 2",
            "socket: { mode: \"0660\" }",
            "log: { format: text, level: info }",
            "reload: { require_tests: false }",
            "state_dir: ",
            "store: { cache: 32MiB }",
            "backup: { every: 24h, to: ",
            "alerts: 366d",
            "placeholder_emails:",
            "deadline: 1h",
            "grace: 30s",
            "proxy: ",
            "notify: []",
            "web: { listen: ",
            "`path`",
            "`group`",
            "`tiers`",
        ] {
            assert!(text.contains(key), "{key}");
        }
    }
}
