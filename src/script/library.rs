//! All scripts of a home, read once: what is compiled later is what was read, and nothing else can be
//! imported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The texts of all scripts, by their path below `scripts/` without the ending: `yardi`, `lib/names`.
#[derive(Debug, Clone, Default)]
pub struct Library {
    texts: BTreeMap<String, String>,
}

/// A script folder could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct LibraryError {
    path: PathBuf,
    source: std::io::Error,
}

/// A script larger than this is none.
const MAX_BYTES: u64 = 1024 * 1024;

impl Library {
    /// Reads every `*.rhai` below `folder`, following links. Files that are not UTF-8 are left out, and so
    /// are unknown when something names them.
    pub fn read(folder: &Path) -> Result<Library, LibraryError> {
        let mut library = Library::default();
        if folder.exists() {
            library.read_folder(folder, "", 0)?;
        }
        Ok(library)
    }

    /// A library of texts that are no files, by name.
    pub fn of(texts: impl IntoIterator<Item = (&'static str, &'static str)>) -> Library {
        Library {
            texts: texts
                .into_iter()
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
        }
    }

    fn read_folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), LibraryError> {
        let failed = |path: &Path, source| LibraryError {
            path: path.to_owned(),
            source,
        };
        for entry in std::fs::read_dir(folder).map_err(|error| failed(folder, error))? {
            let path = entry.map_err(|error| failed(folder, error))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            // The editor may have removed it since it was listed.
            let Ok(metadata) = std::fs::metadata(&path) else {
                continue;
            };
            if metadata.is_dir() {
                if depth < 4 {
                    self.read_folder(&path, &format!("{prefix}{name}/"), depth + 1)?;
                }
            } else if let Some(stem) = name.strip_suffix(".rhai")
                && metadata.len() <= MAX_BYTES
            {
                match std::fs::read(&path) {
                    Ok(bytes) => {
                        if let Ok(text) = String::from_utf8(bytes) {
                            self.texts.insert(format!("{prefix}{stem}"), text);
                        }
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(&path, error)),
                }
            }
        }
        Ok(())
    }

    /// The text of a script.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts
            .get(name.strip_suffix(".rhai").unwrap_or(name))
            .map(String::as_str)
    }

    /// Puts a text in the place of a script's.
    pub(super) fn put(&mut self, name: &str, text: String) {
        self.texts.insert(name.to_owned(), text);
    }

    /// The names of all scripts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }
}
