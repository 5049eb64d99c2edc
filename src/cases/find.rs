//! Finding all cases of a home. Reading one is `read`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Files, Home, Settings};
use crate::model::{Code, Problem};

use super::case::Case;
use super::read::read;

/// Reads the cases of a home whose name (`yardi/roommates`) contains `filter`, in the order of their names, and tells
/// what is wrong with the others.
pub fn load(home: &Home, filter: Option<&str>) -> (Vec<Case>, Vec<Problem>) {
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    let root = home.scripts().join("tests");
    let placeholders = placeholders(home);
    let mut files = Vec::new();
    for folder in entries(home, &root, &mut problems) {
        let name = home.name(&folder);
        if folder.is_dir() {
            files.extend(entries(home, &folder, &mut problems));
        } else if folder
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
        {
            problems.push(whole(
                &name,
                "is not read here; move it into the folder of its PMS, such as scripts/tests/yardi",
            ));
        }
    }
    for path in files {
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
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("yaml") => match read(&path, &file, &name, folder, &placeholders) {
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
    read(path, &file, &name, folder, &placeholders(home))
}

/// Emails that stand for 'none' in this home; where its settings cannot be read, the usual ones.
pub fn placeholders(home: &Home) -> Arc<[String]> {
    let settings = Files::read_settings(home);
    let settings = settings.map_or_else(|_| Settings::default(), |file| file.value);
    settings.placeholder_emails.into()
}

/// What is in a folder, by name, without what editors leave behind.
fn entries(home: &Home, folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    });
    let mut paths: Vec<PathBuf> = match listed {
        Ok(paths) => paths,
        // A home may have no cases.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(whole(
                &home.name(folder),
                format!("cannot be read: {error}"),
            ));
            return Vec::new();
        }
    };
    paths.retain(|path| text_of(path.file_name()).is_some_and(|name| !name.starts_with('.')));
    paths.sort();
    paths
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
