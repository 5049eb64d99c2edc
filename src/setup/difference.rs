//! What files would be, beside what they are: as lines for whoever looks, as a patch for whoever writes where the daemon may not,
//! and as a digest of exactly that.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use similar::{ChangeTag, TextDiff};

use crate::config::Home;

use super::write::NewText;

/// Lines around a change.
const AROUND: usize = 3;

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether it comes, goes, or stays.
    pub is: Is,
    /// What stands in it.
    pub text: String,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// It is new.
    New,
    /// It goes.
    Gone,
    /// It stays as it is.
    Same,
    /// Lines that stay are left out here.
    LeftOut,
}

/// The lines of a file that change, and some around them.
pub fn lines(file: &NewText) -> Vec<Line> {
    let before = file.before.as_deref().unwrap_or_default();
    let difference = TextDiff::from_lines(before, &file.text);
    let mut lines = Vec::new();
    for group in difference.grouped_ops(AROUND) {
        let from = group.first().map_or(0, |op| op.old_range().start);
        if from > 0 || !lines.is_empty() {
            lines.push(Line {
                is: Is::LeftOut,
                text: String::new(),
            });
        }
        for change in group.iter().flat_map(|op| difference.iter_changes(op)) {
            let is = match change.tag() {
                ChangeTag::Insert => Is::New,
                ChangeTag::Delete => Is::Gone,
                ChangeTag::Equal => Is::Same,
            };
            let text = change.value().trim_end_matches('\n').to_owned();
            lines.push(Line { is, text });
        }
    }
    lines
}

/// The files as `git apply` and `patch -p1` take them, by names from `root`, which is around the home.
pub fn patch(home: &Home, root: &Path, files: &[NewText]) -> String {
    let beneath = home.root().strip_prefix(root).unwrap_or(Path::new(""));
    let mut patch = String::new();
    for file in files {
        let name = beneath.join(&file.name);
        let name = name.display();
        let before = match &file.before {
            Some(_) => format!("a/{name}"),
            None => "/dev/null".to_owned(),
        };
        let text = file.before.as_deref().unwrap_or_default();
        let difference = TextDiff::from_lines(text, &file.text);
        let mut unified = difference.unified_diff();
        patch += &unified
            .context_radius(AROUND)
            .header(&before, &format!("b/{name}"))
            .to_string();
    }
    patch
}

/// What stands for exactly these files, as they were and as they are to be.
pub fn digest(files: &[NewText]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut part = |text: &[u8]| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text);
    };
    for file in files {
        part(file.name.as_os_str().as_encoded_bytes());
        part(&[u8::from(file.before.is_some())]);
        part(file.before.as_deref().unwrap_or_default().as_bytes());
        part(file.text.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

/// The checkout that a home lies in.
pub fn checkout(home: &Home) -> Option<PathBuf> {
    let mut around = home.root().ancestors();
    let found = around.find(|folder| folder.join(".git").symlink_metadata().is_ok());
    found.map(Path::to_owned)
}

/// The first folder or file in which nothing can be written of these, and why.
pub fn unwritable<'n>(home: &Home, names: impl Iterator<Item = &'n Path>) -> Option<String> {
    let mut names = names;
    names.find_map(|name| {
        let path = home.root().join(name);
        let folder = path.parent()?;
        // A folder that is not there yet is made in the one around it.
        let folder = folder.ancestors().find(|folder| folder.exists())?;
        let error = access(folder, Access::WRITE_OK | Access::EXEC_OK).err()?;
        let folder = home.name(folder);
        let error = std::io::Error::from(error);
        Some(format!("{}: {error}", folder.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::write::new;
    use super::*;

    #[test]
    fn a_patch_is_taken_by_git_and_gives_exactly_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("home");
        std::fs::create_dir_all(root.join("config")).unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let long: Vec<String> = (0..30).map(|line| format!("line {line}\n")).collect();
        let long = long.concat();
        let edited = long.replace("line 15\n", "line fifteen\n") + "no end";
        std::fs::write(root.join("config/b.yaml"), &long).unwrap();
        let home = Home::at(&root);
        assert_eq!(checkout(&home).as_deref(), Some(folder.path()));
        let files = [
            new("config/a.yaml", None, "a: 1\nb: 2\n"),
            new("config/b.yaml", Some(&long), &edited),
        ];
        let patch = patch(&home, folder.path(), &files);
        std::fs::write(folder.path().join("x.patch"), &patch).unwrap();
        std::fs::remove_dir(folder.path().join(".git")).unwrap();
        let applied = std::process::Command::new("git")
            .args(["apply", "x.patch"])
            .current_dir(folder.path())
            .output();
        let Ok(applied) = applied else { return };
        assert!(applied.status.success(), "{patch}\n{applied:?}");
        let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
        assert_eq!(read("config/a.yaml"), "a: 1\nb: 2\n");
        assert_eq!(read("config/b.yaml"), edited);
        let shown = lines(&files[1]);
        assert_eq!(shown.iter().filter(|line| line.is == Is::New).count(), 2);
        assert_eq!(shown.iter().filter(|line| line.is == Is::Gone).count(), 1);
        assert!(shown.len() < 16);
    }

    #[test]
    fn a_digest_stands_for_what_was_and_what_is_to_be() {
        let of = |file: NewText| digest(&[file]);
        let one = of(new("a", None, "b"));
        assert_eq!(one, of(new("a", None, "b")));
        for other in [
            new("a", Some(""), "b"),
            new("a", None, "c"),
            new("ab", None, ""),
            new("a", Some("x"), "b"),
        ] {
            assert_ne!(one, of(other));
        }
    }
}
