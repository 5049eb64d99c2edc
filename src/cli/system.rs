//! `epms init --system`: the home of a service. It is made where there is none, and what the service's user could not read
//! is opened to them. It can be run again at any time: no file's content is changed, and nothing is started. Which rights
//! something gets is decided in `rights`; `opened` looks at what is there and gives them.

mod opened;
mod rights;

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Group, User};
use serde::Serialize;

use crate::config::{CredentialValue, Files, Home, SecretReference};

use super::init::{IGNORED, README};
use super::next::{self, Step};
use super::table::clean;
use super::{Exit, Failure, Screen, shipped};

use opened::{Given, Left};
use rights::Service;

/// Where the service of a package has its home, its store and its socket: what `packaging/epms.service` says.
const HOME: &str = "/etc/epms";
const STATE: &str = "/var/lib/epms";
const SOCKET: &str = "/run/epms/epms.sock";
/// Who is in it may use the socket. Nothing else is theirs: secrets are for the service's own group.
const OPERATORS: &str = "epms-ops";

/// The settings that come with epms, and what a service has in the place of two lines of them.
const STATE_LINE: &str = "# state_dir: /var/lib/epms";
const SOCKET_LINE: &str = "socket: { mode: \"0660\" }";

#[derive(Debug, Serialize)]
struct System {
    home: PathBuf,
    user: String,
    /// Files and folders that were made, as seen from the home; empty where the home was there.
    made: Vec<PathBuf>,
    /// What was opened to the service's user, with what it has now.
    opened: Vec<Given>,
    /// What that user cannot read, and why it was left so.
    left: Vec<Left>,
    /// What the settings of a home that was there do not name, as lines for `config/epms.yaml`.
    unnamed: Vec<String>,
    /// For each credential that systemd passes its line for the unit.
    load_credentials: Vec<LoadCredential>,
    next: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct LoadCredential {
    /// The file in `config/credentials`.
    credential: String,
    line: String,
}

pub(super) fn run(
    folder: Option<PathBuf>,
    user: &str,
    json: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let home = Home::at(folder.unwrap_or_else(|| HOME.into()));
    let (service, group) = service(user)?;
    let made = make(
        &home,
        Group::from_name(OPERATORS).is_ok_and(|it| it.is_some()),
    )?;
    let (opened, left) = opened::open(home.root(), &service, &group);
    let credentials = load_credentials(&home);
    let system = System {
        unnamed: unnamed(&home),
        next: steps(&made, &credentials),
        home: home.root().to_owned(),
        user: user.to_owned(),
        made,
        opened,
        left,
        load_credentials: credentials,
    };
    screen.show(json, &system, |system, _| told(system))?;
    Ok(match system.left.as_slice() {
        [] => Exit::Done,
        _ => Exit::Failed,
    })
}

/// The service's user, and the name of their group.
fn service(name: &str) -> Result<(Service, String), Failure> {
    let invalid = |told: String| Failure::other(Exit::Invalid, told);
    let Ok(Some(user)) = User::from_name(name) else {
        return Err(invalid(format!(
            "there is no user `{name}` for the service; make them by `systemd-sysusers /usr/lib/sysusers.d/epms.conf` or \
             `useradd --system --home-dir {STATE} --shell /usr/sbin/nologin {name}`, or name another with --user"
        )));
    };
    let group = Group::from_gid(user.gid).ok().flatten();
    let group = group.map_or_else(|| user.gid.to_string(), |group| group.name);
    let groups = std::ffi::CString::new(name)
        .ok()
        .and_then(|name| nix::unistd::getgrouplist(&name, user.gid).ok())
        .unwrap_or_default();
    let service = Service {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
        groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
    };
    Ok((service, group))
}

/// The folders of a home, with their modes.
const FOLDERS: [(&str, u32); 6] = [
    ("", 0o755),
    ("config", 0o755),
    ("config/credentials", 0o755),
    ("config/integrations", 0o755),
    ("config/targets", 0o755),
    ("secrets", 0o750),
];

/// Makes what is not there, and names it. The settings are written last: where they are, the home is whole, and what
/// somebody removed from it stays away.
fn make(home: &Home, has_operators: bool) -> Result<Vec<PathBuf>, Failure> {
    let root = home.root();
    let is_new = root.join("config/epms.yaml").symlink_metadata().is_err();
    let mut made = Vec::new();
    for (name, mode) in FOLDERS {
        let name = Path::new(name);
        if folder(&root.join(name), mode).map_err(|error| unmade(root, name, &error))? {
            made.push(name.to_owned());
        }
    }
    if is_new {
        made.extend(files(root, has_operators)?);
    }
    Ok(made)
}

/// Writes the files of a new home.
fn files(root: &Path, has_operators: bool) -> Result<Vec<PathBuf>, Failure> {
    let mut made = Vec::new();
    let mut write = |name: &Path, bytes: &[u8]| {
        if file(root, name, bytes).map_err(|error| unmade(root, name, &error))? {
            made.push(name.to_owned());
        }
        Ok::<_, Failure>(())
    };
    let shipped = shipped::files().into_iter();
    for (name, bytes) in shipped.filter(|(name, _)| shipped::is_upgraded(name)) {
        write(&name, bytes)?;
    }
    write(Path::new(".gitignore"), IGNORED.as_bytes())?;
    write(Path::new("README.md"), README.as_bytes())?;
    shipped::remember_all(root)?;
    super::schema::write_all(root)?;
    super::definitions::write_all(root)?;
    let settings = settings_of_service(has_operators);
    write(Path::new("config/epms.yaml"), settings.as_bytes())?;
    Ok(made)
}

fn unmade(root: &Path, name: &Path, error: &std::io::Error) -> Failure {
    let told = format!(
        "{} cannot be made: {error}; run it as root, and look at the disk",
        root.join(name).display()
    );
    Failure::other(Exit::Failed, told)
}

/// Makes a folder with this mode, whatever the process takes away from new ones; false where it is there.
fn folder(path: &Path, mode: u32) -> std::io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    let mut builder = DirBuilder::new();
    builder.mode(mode).create(path)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
    Ok(true)
}

/// Makes a file that everybody may read, with the folders above it; false where there is one.
fn file(root: &Path, name: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    let above: Vec<&Path> = name.ancestors().skip(1).collect();
    for above in above.into_iter().rev() {
        folder(&root.join(above), 0o755)?;
    }
    let path = root.join(name);
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        opened => opened?,
    };
    file.write_all(bytes)?;
    file.set_permissions(PermissionsExt::from_mode(0o644))?;
    Ok(true)
}

/// The settings that come with epms, with the places of the service. So commands find them without the unit's variables.
fn settings_of_service(has_operators: bool) -> String {
    let group = if has_operators {
        format!(", group: {OPERATORS}")
    } else {
        String::new()
    };
    let socket = format!("socket: {{ path: {SOCKET}, mode: \"0660\"{group} }}");
    shipped::SETTINGS
        .replacen(SOCKET_LINE, &socket, 1)
        .replacen(STATE_LINE, &format!("state_dir: {STATE}"), 1)
}

/// The lines that settings lack, so that commands find what the unit gives the daemon.
fn unnamed(home: &Home) -> Vec<String> {
    let Ok(file) = Files::read_settings(home) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if file.value.state_dir.is_none() {
        lines.push(format!("state_dir: {STATE}"));
    }
    if file.value.socket.path.is_none() {
        lines.push(format!("socket: {{ path: {SOCKET} }}"));
    }
    lines
}

/// What the unit has to pass, by what the credentials name.
fn load_credentials(home: &Home) -> Vec<LoadCredential> {
    let files = Files::read(home);
    let mut found = Vec::new();
    for (credential, file) in &files.credentials {
        let Ok(file) = file else { continue };
        for value in file.value.fields.values() {
            if let CredentialValue::Secret(SecretReference::Credential(name)) = value {
                found.push(LoadCredential {
                    credential: credential.clone(),
                    line: format!("LoadCredential={name}:/etc/credstore/{name}"),
                });
            }
        }
    }
    found
}

fn steps(made: &[PathBuf], credentials: &[LoadCredential]) -> Vec<Step> {
    let mut steps = Vec::new();
    if !credentials.is_empty() {
        steps.push(Step::new(
            "systemctl edit epms",
            "the lines above below [Service]; then restart it",
        ));
    }
    if made
        .iter()
        .any(|name| name == Path::new("config/epms.yaml"))
    {
        steps.push(Step::new(
            "epms add integration",
            "attach a property of a PMS, step by step",
        ));
        steps.push(Step::new(
            "epms init --system",
            "again, once a secret was put into secrets/",
        ));
    }
    steps
}

fn told(system: &System) -> String {
    let home = clean(&system.home.to_string_lossy());
    let user = clean(&system.user);
    let mut text = match system.made.as_slice() {
        [] => format!("the home of the service is in {home}\n"),
        made => format!(
            "made {} files and folders of the service's home in {home}; the user {user} may read them\n",
            made.len()
        ),
    };
    for given in &system.opened {
        text += &format!("opened to {user}: {}\n", clean(&given.to_string()));
    }
    for left in &system.left {
        text += &format!("not opened to {user}: {}\n", clean(&left.to_string()));
    }
    if !system.unnamed.is_empty() {
        text += "commands find the service's store and socket once config/epms.yaml has\n";
        text += &indented(system.unnamed.iter());
    }
    if !system.load_credentials.is_empty() {
        text += "systemd passes the secrets of credentials by these lines of the unit; the files are for root alone (0600)\n";
        text += &indented(system.load_credentials.iter().map(|one| &one.line));
    }
    if !system.next.is_empty() {
        text += &next::told(&system.next);
    }
    text
}

fn indented<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    lines
        .flat_map(|line| ["  ".to_owned(), clean(line), "\n".to_owned()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Document, Settings};

    #[test]
    fn the_settings_of_a_service_are_the_defaults_with_its_own_places() {
        let read = |has_operators| -> Settings {
            let text = settings_of_service(has_operators);
            let document = Document::parse(Path::new("epms.yaml"), &text).unwrap();
            document.read().unwrap()
        };
        let mut expected = Settings {
            state_dir: Some(STATE.into()),
            ..Settings::default()
        };
        expected.socket.path = Some(SOCKET.into());
        assert_eq!(read(false), expected);
        expected.socket.group = Some(OPERATORS.into());
        assert_eq!(read(true), expected);
    }
}
