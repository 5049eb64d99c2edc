//! The files that come with epms, for a home that is made anew: settings, connectors, scripts and their
//! mapping tests. They are the same that lie in `config/` and `scripts/` of the project.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::config::Document;

pub(super) const SETTINGS: &str = include_str!("../../config/epms.yaml");
static CONNECTORS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/connectors");
static SCRIPTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scripts");

/// Where a home has what was shipped when it was made or upgraded last: under version control, so that every checkout of it
/// can be upgraded.
pub(super) const SHIPPED: &str = "config/.shipped";

/// Whether an upgrade is about it: connectors, scripts and their tests. Settings are the home's own.
pub(super) fn is_upgraded(name: &Path) -> bool {
    name != Path::new("config/epms.yaml")
}

/// Keeps a file as what was shipped.
pub(super) fn remember(home: &Path, name: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let path = home.join(SHIPPED).join(name);
    if std::fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes)
}

/// Keeps all of them as what was shipped.
pub(super) fn remember_all(home: &Path) -> std::io::Result<()> {
    for (name, bytes) in files() {
        if is_upgraded(&name) {
            remember(home, &name, bytes)?;
        }
    }
    Ok(())
}

/// All of them, by their names in a home.
pub(super) fn files() -> Vec<(PathBuf, &'static [u8])> {
    let mut all = vec![(PathBuf::from("config/epms.yaml"), SETTINGS.as_bytes())];
    let mut folders = vec![("config/connectors", &CONNECTORS), ("scripts", &SCRIPTS)];
    while let Some((name, folder)) = folders.pop() {
        let files = folder.files();
        all.extend(files.map(|file| (Path::new(name).join(file.path()), file.contents())));
        // Paths in a folder below begin at the top, too.
        folders.extend(folder.dirs().map(|below| (name, below)));
    }
    all.sort();
    all
}

/// The file of a connector, with its places.
pub(super) fn connector(name: &str) -> Option<Document> {
    let file = CONNECTORS.get_file(format!("{name}.yaml"))?;
    Document::parse(file.path(), file.contents_utf8()?).ok()
}

/// Writes them into `home`; what is there under the same name is overwritten.
pub(super) fn write(home: &Path) -> std::io::Result<()> {
    for (name, bytes) in files() {
        let path = home.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, bytes)?;
    }
    remember_all(home)?;
    super::schema::write_all(home)?;
    super::definitions::write_all(home)
}
