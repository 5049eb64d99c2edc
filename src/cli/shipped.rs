//! The files that come with epms, for a home that is made anew: settings, connectors, scripts and their
//! mapping tests. They are the same that lie in `config/` and `scripts/` of the project.

use std::path::Path;

use include_dir::{Dir, include_dir};

const SETTINGS: &str = include_str!("../../config/epms.yaml");
static CONNECTORS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/connectors");
static SCRIPTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scripts");

/// Writes them into `home`; what is there under the same name is overwritten.
pub(super) fn write(home: &Path) -> std::io::Result<()> {
    for (name, folder) in [("config/connectors", &CONNECTORS), ("scripts", &SCRIPTS)] {
        let path = home.join(name);
        std::fs::create_dir_all(&path)?;
        folder.extract(path)?;
    }
    std::fs::write(home.join("config/epms.yaml"), SETTINGS)
}
