//! All scripts of a home, read once: what is compiled later is what was read, and nothing else can be
//! imported.

use std::collections::BTreeMap;
use std::path::Path;

use crate::beneath::{Beneath, Entry, Kind, MAX_FILE, Unread};
use crate::model::{Code, Problem};

/// The folder of scripts in a home.
const FOLDER: &str = "scripts";

/// Where a home keeps them as they were shipped.
const SHIPPED: &str = "config/.shipped/scripts";

/// Folders in folders are looked into so deep.
const DEEPEST: usize = 4;

/// The texts of all scripts, by their path below `scripts/` without the ending: `yardi`, `lib/names`.
#[derive(Debug, Clone, Default)]
pub struct Library {
    texts: BTreeMap<String, String>,
    /// What is there and was not read: scripts by name, folders by name with a slash, all of them by nothing.
    refused: BTreeMap<String, Problem>,
}

impl Library {
    /// Reads every `*.rhai` below `scripts/` of a home. What cannot be read is no script, and says why wherever it is
    /// asked for.
    pub fn read(home: &Path) -> Library {
        let mut library = Library::default();
        library.read_folder(&Beneath::new(home), Path::new(FOLDER), "", 0);
        library
    }

    /// The scripts of a home as they were shipped when it was made or upgraded last.
    pub fn shipped(home: &Path) -> Library {
        let mut library = Library::default();
        library.read_folder(&Beneath::new(home), Path::new(SHIPPED), "", 0);
        library
    }

    /// A library of texts that are no files, by name.
    pub fn of(texts: impl IntoIterator<Item = (&'static str, &'static str)>) -> Library {
        Library {
            texts: texts
                .into_iter()
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
            refused: BTreeMap::new(),
        }
    }

    /// A library of texts that are no files here, by name. One that is larger than a file may be is no script, and says why.
    pub fn of_texts(texts: &BTreeMap<String, String>) -> Library {
        let mut library = Library::default();
        for (name, text) in texts {
            if text.len() as u64 > MAX_FILE {
                let path = Path::new(FOLDER).join(format!("{name}.rhai"));
                library.refuse(name.clone(), &path, &Unread::TooLarge(MAX_FILE));
            } else {
                library.put(name, text.clone());
            }
        }
        library
    }

    fn read_folder(&mut self, home: &Beneath, folder: &Path, prefix: &str, depth: usize) {
        let entries = match home.list(folder) {
            Ok(entries) => entries,
            // A home may have no scripts yet.
            Err(Unread::Absent) => return,
            Err(error) => return self.refuse(prefix.to_owned(), folder, &error),
        };
        for Entry { path, kind } in entries {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            match (name.strip_suffix(".rhai"), kind) {
                (_, Ok(Kind::Folder)) if depth < DEEPEST => {
                    self.read_folder(home, &path, &format!("{prefix}{name}/"), depth + 1);
                }
                (Some(stem), _) => self.read_file(home, &path, format!("{prefix}{stem}")),
                // Behind the link may be a folder of scripts, which are missed.
                (None, Err(error @ Unread::Outside)) if !name.contains('.') => {
                    self.refuse(format!("{prefix}{name}/"), &path, &error);
                }
                (None, _) => {}
            }
        }
    }

    fn read_file(&mut self, home: &Beneath, path: &Path, name: String) {
        match home.read_text(path, MAX_FILE) {
            Ok(text) => {
                self.texts.insert(name, text);
            }
            // The editor may have removed it since it was listed.
            Err(Unread::Absent) => {}
            Err(error) => self.refuse(name, path, &error),
        }
    }

    fn refuse(&mut self, name: String, path: &Path, why: &Unread) {
        let problem = Problem {
            file: path.to_owned(),
            place: None,
            field: String::new(),
            message: why.to_string(),
            code: Code::File,
        };
        self.refused.insert(name, problem);
    }

    /// The text of a script.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts
            .get(name.strip_suffix(".rhai").unwrap_or(name))
            .map(String::as_str)
    }

    /// Why a script was not read although something of its name is there.
    pub(super) fn why_not(&self, name: &str) -> Option<&Problem> {
        let name = name.strip_suffix(".rhai").unwrap_or(name);
        let folders = name.match_indices('/').map(|(at, _)| &name[..=at]);
        let mut refused = ["", name].into_iter().chain(folders);
        refused.find_map(|name| self.refused.get(name))
    }

    /// What is there and was not read, whether something asks for it or not.
    pub fn refused(&self) -> impl Iterator<Item = &Problem> {
        self.refused.values()
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

#[cfg(test)]
mod tests {
    use super::super::Script;
    use super::*;

    /// A home with these files below `scripts/`.
    fn home(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = home.path().join("scripts").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        home
    }

    fn refused(home: &Path, script: &str) -> String {
        let problems = Script::compile(&Library::read(home), script).unwrap_err();
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}")
        };
        problem.to_string()
    }

    const IMPORTS: &[u8] = b"import \"lib/names\" as names;\nfn residents(record, ctx) { [] }\n";

    /// D9.
    #[test]
    fn a_script_that_was_not_read_says_why_instead_of_that_there_is_none() {
        let large = vec![b' '; 1024 * 1024 + 1];
        let home = home(&[
            ("a.rhai", &large),
            ("b.rhai", b"// caf\xe9"),
            ("c.rhai", b""),
        ]);
        std::fs::create_dir(home.path().join("scripts/d.rhai")).unwrap();
        for (name, why) in [
            ("a", "scripts/a.rhai: is larger than 1 MiB"),
            ("b.rhai", "scripts/b.rhai: cannot be read: it is not UTF-8"),
            (
                "none",
                "scripts/none.rhai: there is no such script; there are: c",
            ),
        ] {
            let told = refused(home.path(), name);
            assert!(told.starts_with(why), "{told}");
        }
        let library = Library::read(home.path());
        assert_eq!(library.refused().count(), 2);
    }

    #[test]
    fn an_import_that_was_not_read_says_why_where_it_is_imported() {
        let names = vec![b' '; 1024 * 1024 + 1];
        let home = home(&[("a.rhai", IMPORTS), ("lib/names.rhai", &names)]);
        let told = refused(home.path(), "a");
        let why = "`lib/names` cannot be imported: scripts/lib/names.rhai: is larger than 1 MiB";
        assert!(
            told.starts_with("scripts/a.rhai:1:") && told.contains(why),
            "{told}"
        );
    }

    /// D8.
    #[test]
    fn a_folder_of_scripts_that_leads_out_of_the_home_is_told_with_nothing_of_what_is_there() {
        let other = home(&[("names.rhai", b"hunter2 = ;")]);
        let elsewhere = other.path().join("scripts");
        let home = home(&[("a.rhai", IMPORTS)]);
        let lib = home.path().join("scripts/lib");
        std::os::unix::fs::symlink(&elsewhere, &lib).unwrap();
        let told = refused(home.path(), "a");
        assert!(
            told.contains("`lib/names` cannot be imported: scripts/lib: leads out of the home"),
            "{told}"
        );
        std::fs::remove_dir_all(home.path().join("scripts")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, home.path().join("scripts")).unwrap();
        let told = refused(home.path(), "names");
        assert!(told.starts_with("scripts: leads out of the home"), "{told}");
    }
}
