//! The home of a benchmark: the files of `benches/home`, an account for the feed, and a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use epms::catalog::{Catalog, Integration};
use epms::config;
use epms::model::IntegrationId;
use tempfile::TempDir;

/// A home in a temporary folder; it goes when this is dropped.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    /// The files of `benches/home`, and an account for the feed at `url`.
    pub(crate) fn new(url: &str) -> Home {
        let home = Home {
            folder: TempDir::new().unwrap(),
        };
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/home");
        copy(&from, home.root());
        home.write(
            "config/credentials/loopback.yaml",
            &format!("version: 1\nconnector: loopback\nfields: {{ url: \"{url}\" }}\n"),
        );
        home
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// An integration of one building of the feed.
    pub(crate) fn building(&self, number: u64) {
        self.write(
            &format!("config/integrations/b{number}.yaml"),
            &format!(
                "version: 1\nproperty: {{ name: Building {number}, timezone: America/New_York, country: US }}\n\
                 credential: loopback\npms_properties: [b{number}]\nexclude_statuses: [Applicant, Cancelled]\n"
            ),
        );
    }

    /// Takes `all` out: then there are buildings alone.
    pub(crate) fn without_all(self) -> Home {
        std::fs::remove_file(self.path("config/integrations/all.yaml")).unwrap();
        self
    }
}

/// What lies in a home, loaded; nothing may be wrong with it.
pub(crate) fn load(root: &Path) -> Catalog {
    let now = jiff::Timestamp::now();
    let catalog = epms::catalog::load(&config::Home::at(root), None, now);
    assert_eq!(catalog.problems, []);
    for slot in catalog.integrations.values() {
        assert_eq!(slot.problems, []);
    }
    catalog
}

/// The integration of everybody whom the feed has.
pub(crate) fn all(root: &Path) -> Arc<Integration> {
    let slot = &load(root).integrations[&IntegrationId::new("all")];
    slot.current.clone().unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}
