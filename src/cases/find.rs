//! Finding all cases of a home. Reading one is `read`'s.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;

use crate::beneath::{Beneath, Entry, Kind, Unread};
use crate::config::{Files, Home, Settings};
use crate::model::{Code, Problem};
use crate::source::Source;

use super::case::Case;
use super::read::{About, read};

/// Reads the cases of a home whose name (`yardi/roommates`) contains `filter`, in the order of their names, and tells
/// what is wrong with the others.
pub fn load(home: &Home, filter: Option<&str>) -> (Vec<Case>, Vec<Problem>) {
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    let root = home.scripts().join("tests");
    let beneath = home.beneath();
    let placeholders = placeholders(home);
    let connectors = Connectors::of(home);
    let mut files = Vec::new();
    for Entry { path: folder, kind } in entries(home, &root, &mut problems) {
        let name = home.name(&folder);
        match kind {
            Ok(Kind::Folder) => files.extend(entries(home, &folder, &mut problems)),
            Ok(_) if matches!(ending(&folder), Some("yaml" | "yml")) => problems.push(whole(
                &name,
                "is not read here; move it into the folder of its PMS, such as scripts/tests/yardi",
            )),
            Err(error @ Unread::Outside) => problems.push(whole(&name, error.to_string())),
            Ok(_) | Err(_) => {}
        }
    }
    for Entry { path, .. } in files {
        let file = home.name(&path);
        let (Some(stem), Some(folder)) = (
            text_of(path.file_stem()),
            text_of(path.parent().and_then(Path::file_name)),
        ) else {
            continue;
        };
        let name = format!("{folder}/{stem}");
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        match ending(&path) {
            Some("yaml") => match read(
                &beneath,
                &path,
                About {
                    file: &file,
                    name: &name,
                    folder,
                },
                &placeholders,
                &connectors,
            ) {
                Ok(case) => cases.push(case),
                Err(found) => problems.extend(found),
            },
            Some("yml") => problems.push(whole(&file, "is not read; rename it to end in .yaml")),
            _ => {}
        }
    }
    (cases, problems)
}

/// Reads one case of a home by the path of its file.
pub fn open(home: &Home, path: &Path) -> Result<Case, Vec<Problem>> {
    let file = home.name(path);
    let folder = text_of(path.parent().and_then(Path::file_name)).unwrap_or_default();
    let stem = text_of(path.file_stem()).unwrap_or_default();
    let name = format!("{folder}/{stem}");
    let placeholders = placeholders(home);
    // It is named by whoever asks, and what it names lies beside it.
    let beneath = if file == path {
        Beneath::new(path.parent().unwrap_or(Path::new("/")))
    } else {
        home.beneath()
    };
    let about = About {
        file: &file,
        name: &name,
        folder,
    };
    read(&beneath, path, about, &placeholders, &Connectors::of(home))
}

/// The connectors of a home, read when a case asks for one.
pub(super) struct Connectors<'a> {
    home: &'a Home,
    files: OnceCell<Files>,
}

impl Connectors<'_> {
    fn of(home: &Home) -> Connectors<'_> {
        Connectors {
            home,
            files: OnceCell::new(),
        }
    }

    /// One of them, compiled, or why there is none.
    pub(super) fn named(&self, name: &str) -> Result<Arc<Source>, String> {
        let files = self.files.get_or_init(|| Files::read(self.home));
        let source = match files.connectors.get(name) {
            None => {
                let known: Vec<&str> = files.connectors.keys().map(String::as_str).collect();
                return Err(format!(
                    "there is no connector `{name}`; there are: {}",
                    known.join(", ")
                ));
            }
            Some(Ok(file)) => Source::compile(file),
            Some(Err(problems)) => Err(problems.clone()),
        };
        source.map(Arc::new).map_err(|problems| {
            let first = problems.first().map(ToString::to_string);
            format!(
                "the connector `{name}` is not right: {}",
                first.unwrap_or_default()
            )
        })
    }
}

/// Emails that stand for 'none' in this home; where its settings cannot be read, the usual ones.
pub fn placeholders(home: &Home) -> Arc<[String]> {
    let settings = Files::read_settings(home);
    let settings = settings.map_or_else(|_| Settings::default(), |file| file.value);
    settings.placeholder_emails.into()
}

/// What is in a folder, by name, without what editors leave behind.
fn entries(home: &Home, folder: &Path, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut entries = match home.beneath().list(folder) {
        Ok(entries) => entries,
        // A home may have no cases.
        Err(Unread::Absent) => return Vec::new(),
        Err(error) => {
            problems.push(whole(&home.name(folder), error.to_string()));
            return Vec::new();
        }
    };
    entries.retain(|one| text_of(one.path.file_name()).is_some_and(|name| !name.starts_with('.')));
    entries
}

fn ending(path: &Path) -> Option<&str> {
    text_of(path.extension())
}

fn text_of(name: Option<&std::ffi::OsStr>) -> Option<&str> {
    name.and_then(std::ffi::OsStr::to_str)
}

/// A problem of a file as a whole.
pub(super) fn whole(file: &Path, message: impl Into<String>) -> Problem {
    Problem {
        file: file.to_owned(),
        place: None,
        field: String::new(),
        message: message.into(),
        code: Code::File,
    }
}
