//! A secret that somebody pastes into a dialog: until everything else is written it lies in memory only, where a look into the
//! PMS finds it as a file.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

use crate::config::{Home, SecretReference, Zeroizing};

/// A secret, and the file of the home that it is to be kept in.
pub struct Pasted {
    /// The file, by its name in the home.
    pub file: PathBuf,
    /// What is to lie there.
    pub secret: Zeroizing<String>,
    memory: File,
}

impl Pasted {
    /// Puts it where it is found while the dialog lasts.
    pub fn new(file: PathBuf, secret: Zeroizing<String>) -> io::Result<Pasted> {
        let memory = memfd_create("secret", MemfdFlags::CLOEXEC)?;
        fchmod(&memory, Mode::RUSR | Mode::WUSR)?;
        let mut memory = File::from(memory);
        memory.write_all(secret.as_bytes())?;
        memory.write_all(b"\n")?;
        Ok(Pasted {
            file,
            secret,
            memory,
        })
    }

    /// Where it is while the dialog lasts.
    pub fn now(&self) -> SecretReference {
        let file = format!("/proc/self/fd/{}", self.memory.as_raw_fd());
        SecretReference::File(file.into())
    }
}

/// A file for a secret that is not there yet.
pub fn new_file(home: &Home, credential: &str, field: &str) -> PathBuf {
    let file = |end: String| PathBuf::from(format!("secrets/{credential}-{field}{end}"));
    let is_free = |file: &PathBuf| home.root().join(file).symlink_metadata().is_err();
    let ends = std::iter::once(String::new()).chain((2..).map(|number| format!("-{number}")));
    let mut files = ends.map(file);
    files.find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pasted_is_read_as_a_secret_and_lies_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Zeroizing::new("hunter2".to_owned());
        let pasted = Pasted::new("secrets/acme-key".into(), secret).unwrap();
        for _ in 0..2 {
            let read = pasted.now().read(folder.path()).unwrap();
            assert_eq!(read.expose(), "hunter2");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_there_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        std::fs::create_dir(folder.path().join("secrets")).unwrap();
        assert_eq!(new_file(&home, "a", "key"), PathBuf::from("secrets/a-key"));
        std::fs::write(folder.path().join("secrets/a-key"), "x").unwrap();
        assert_eq!(
            new_file(&home, "a", "key"),
            PathBuf::from("secrets/a-key-2")
        );
    }
}
