//! Where the files of an installation lie.

use std::path::{Path, PathBuf};

use crate::beneath::Beneath;

use super::Settings;

/// The folder with `config/`, `scripts/` and, unless told otherwise, `state/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// What the environment of the process says about places. Taken once, in `main`.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The current folder.
    pub current: PathBuf,
    /// `$STATE_DIRECTORY`, as systemd sets it.
    pub state_directory: Option<PathBuf>,
    /// `$RUNTIME_DIRECTORY`, as systemd sets it.
    pub runtime_directory: Option<PathBuf>,
    /// The variables about proxies that are set, which other programs heed and this one does not.
    pub proxies: Vec<String>,
}

/// What other programs take a proxy from, in capitals and not.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

/// The names of variables about proxies, of those that are set.
fn proxies(is_set: impl Fn(&str) -> bool) -> Vec<String> {
    let names = PROXIES.map(|name| [name.to_owned(), name.to_ascii_lowercase()]);
    let names = names.into_iter().flatten();
    names.filter(|name| is_set(name)).collect()
}

impl Environment {
    /// Of this process.
    pub fn of_process() -> std::io::Result<Environment> {
        Ok(Environment {
            current: std::env::current_dir()?,
            state_directory: std::env::var_os("STATE_DIRECTORY").map(PathBuf::from),
            runtime_directory: std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from),
            proxies: proxies(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())),
        })
    }
}

impl Home {
    /// A home at `root`.
    pub fn at(root: impl Into<PathBuf>) -> Home {
        Home { root: root.into() }
    }

    /// The home that was asked for, else the current folder when it holds `config/epms.yaml`, else
    /// `/etc/epms`.
    pub fn find(asked: Option<PathBuf>, environment: &Environment) -> Home {
        let root = asked.unwrap_or_else(|| {
            let here = &environment.current;
            if here.join("config/epms.yaml").exists() {
                here.clone()
            } else {
                "/etc/epms".into()
            }
        });
        Home {
            root: environment.current.join(root),
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `config/`.
    pub fn config(&self) -> PathBuf {
        self.root.join("config")
    }

    /// `scripts/`.
    pub fn scripts(&self) -> PathBuf {
        self.root.join("scripts")
    }

    /// What is read of it: nothing out of it.
    pub fn beneath(&self) -> Beneath {
        Beneath::new(&self.root)
    }

    /// `path` as messages name it: relative to the home.
    pub fn name(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    /// The folder of the store.
    pub fn state(&self, settings: &Settings, environment: &Environment) -> PathBuf {
        match (&settings.state_dir, &environment.state_directory) {
            (Some(folder), _) => self.root.join(folder),
            (None, Some(folder)) => folder.clone(),
            (None, None) => self.root.join("state"),
        }
    }

    /// The control socket.
    pub fn socket(&self, settings: &Settings, environment: &Environment) -> PathBuf {
        match (&settings.socket.path, &environment.runtime_directory) {
            (Some(path), _) => self.root.join(path),
            (None, Some(folder)) => folder.join("epms.sock"),
            (None, None) => self.state(settings, environment).join("epms.sock"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_about_proxies_are_known_in_capitals_and_not() {
        let set = ["no_proxy", "HTTP_PROXY", "https_proxy", "PROXY"];
        let found = proxies(|name| set.contains(&name));
        assert_eq!(found, ["HTTP_PROXY", "https_proxy", "no_proxy"]);
    }

    #[test]
    fn the_socket_and_the_state_follow_settings_then_systemd_then_the_home() {
        let home = Home::at("/h");
        let mut settings = Settings::default();
        let bare = Environment::default();
        let service = Environment {
            current: "/".into(),
            state_directory: Some("/var/lib/epms".into()),
            runtime_directory: Some("/run/epms".into()),
            proxies: Vec::new(),
        };
        assert_eq!(
            home.socket(&settings, &bare),
            Path::new("/h/state/epms.sock")
        );
        assert_eq!(home.state(&settings, &service), Path::new("/var/lib/epms"));
        assert_eq!(
            home.socket(&settings, &service),
            Path::new("/run/epms/epms.sock")
        );
        settings.state_dir = Some("data".into());
        settings.socket.path = Some("/x.sock".into());
        assert_eq!(home.state(&settings, &service), Path::new("/h/data"));
        assert_eq!(home.socket(&settings, &service), Path::new("/x.sock"));
    }
}
