//! A home in a temporary folder, with the connectors and scripts of the repository.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use epms::sandbox::{Kind, Sandbox};
use tempfile::TempDir;

/// A home, and a folder beside it for logs. Both go when it is dropped.
pub struct Home {
    folder: TempDir,
    beside: TempDir,
}

impl Home {
    /// The repository's files. Only the pace of the connectors is another: no limits, and one repetition at
    /// once, so that a PMS that fails is given up quickly.
    pub fn new() -> Home {
        let home = Home {
            folder: TempDir::new().unwrap(),
            beside: TempDir::new().unwrap(),
        };
        home.copy(Path::new(env!("CARGO_MANIFEST_DIR")), "config/epms.yaml");
        home.copy(Path::new(env!("CARGO_MANIFEST_DIR")), "config/connectors");
        home.copy(Path::new(env!("CARGO_MANIFEST_DIR")), "scripts");
        for pms in Kind::ALL {
            let name = format!("config/connectors/{pms}.yaml");
            let mut limits = false;
            let text: String = home
                .read(&name)
                .lines()
                .filter(|line| {
                    limits = line.starts_with("limits:") || limits && line.starts_with(' ');
                    !limits
                })
                .flat_map(|line| [line, "\n"])
                .collect();
            home.write(
                &name,
                text + "\nretry: { attempts: 2, pause: 0s, longest: 3s }\n",
            );
        }
        for name in [
            "config/credentials",
            "config/integrations",
            "config/targets",
            "secrets",
        ] {
            std::fs::create_dir_all(home.path(name)).unwrap();
        }
        home
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A folder outside the home, on the same disk.
    pub fn beside(&self) -> &Path {
        self.beside.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn socket(&self) -> PathBuf {
        self.path("state/epms.sock")
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: impl AsRef<str>) {
        std::fs::write(self.path(name), text.as_ref()).unwrap();
        if name.starts_with("secrets/") {
            std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
        }
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// Puts `to` in the place of `from`, which must be there, and gives what was there before.
    pub fn edit(&self, name: &str, from: &str, to: &str) -> String {
        let (before, after) = self.edited(name, from, to);
        self.write(name, after);
        before
    }

    /// As an editor saves: a new file is put in the place of the old one.
    pub fn edit_by_rename(&self, name: &str, from: &str, to: &str) {
        let (_, after) = self.edited(name, from, to);
        let path = self.path(name);
        let swap = path.with_extension("swp");
        std::fs::write(&swap, after).unwrap();
        std::fs::rename(swap, path).unwrap();
    }

    /// Without any event in the watched folders: through another name of the same file, elsewhere.
    pub fn edit_silently(&self, name: &str, from: &str, to: &str) {
        let (_, after) = self.edited(name, from, to);
        let other = self.beside.path().join("other-name");
        std::fs::hard_link(self.path(name), &other).unwrap();
        std::fs::write(&other, after).unwrap();
        std::fs::remove_file(other).unwrap();
    }

    fn edited(&self, name: &str, from: &str, to: &str) -> (String, String) {
        let before = self.read(name);
        assert!(before.contains(from), "`{from}` is not in {name}");
        let after = before.replacen(from, to, 1);
        (before, after)
    }

    /// A line of `config/epms.yaml` in place of the one that begins alike.
    pub fn set(&self, line: &str) {
        let key = line.split_inclusive(':').next().unwrap();
        let mut text: String = self
            .read("config/epms.yaml")
            .lines()
            .filter(|old| !old.starts_with(key))
            .flat_map(|old| [old, "\n"])
            .collect();
        text += line;
        self.write("config/epms.yaml", text + "\n");
    }

    /// A credential and an integration for a local PMS; the credential is called `id` with `-account`.
    pub fn feed(&self, id: &str, pms: &Sandbox) {
        let account = format!("{id}-account");
        self.credential(&account, pms);
        self.integration(id, &account, pms);
    }

    pub fn credential(&self, name: &str, pms: &Sandbox) {
        let mut text = format!("version: 1\nconnector: {}\nfields:\n", pms.kind());
        for (field, value) in pms.credential() {
            if Sandbox::SECRETS.contains(&field) {
                let file = format!("secrets/{name}-{field}");
                self.write(&file, value);
                writeln!(text, "  {field}: {{ file: {file} }}").unwrap();
            } else {
                writeln!(text, "  {field}: {}", serde_json::Value::String(value)).unwrap();
            }
        }
        self.write(&format!("config/credentials/{name}.yaml"), text);
    }

    pub fn integration(&self, id: &str, credential: &str, pms: &Sandbox) {
        let property = pms.property_id(0);
        self.write(
            &format!("config/integrations/{id}.yaml"),
            format!(
                "version: 1
property: {{ name: The {id}, timezone: America/New_York, country: US }}
credential: {credential}
pms_properties: [{property}]
exclude_statuses: []
enabled: true
"
            ),
        );
    }

    /// Runs a command of the program on this home to its end.
    pub async fn epms(&self, words: &[&str]) -> Output {
        let mut command = super::epms();
        command
            .args(["--home".as_ref(), self.root().as_os_str()])
            .args(words);
        super::output(command).await
    }

    /// Gives everything in it to another user, as only root can.
    pub fn give_to(&self, user: u32) {
        let mut paths = vec![self.root().to_owned()];
        while let Some(path) = paths.pop() {
            std::os::unix::fs::lchown(&path, Some(user), Some(user)).unwrap();
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).unwrap();
                paths.extend(entries.map(|entry| entry.unwrap().path()));
            }
        }
    }

    /// Copies a file or a folder of `from` under the same name.
    pub fn copy(&self, from: &Path, name: &str) {
        let (source, target) = (from.join(name), self.path(name));
        if source.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            for entry in std::fs::read_dir(source).unwrap() {
                let entry = entry.unwrap().file_name();
                self.copy(from, &format!("{name}/{}", entry.to_str().unwrap()));
            }
        } else {
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(source, target).unwrap();
        }
    }
}
