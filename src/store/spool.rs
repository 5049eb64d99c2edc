//! Where a run puts what it cannot keep in memory until it commits: a file beside the store that has no name, so that
//! nobody else opens it, and that is gone when the run ends or the process does.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::model::{Kept, Spool, SpoolError};

use super::Store;
use super::open::private;

/// So many bytes of a run stay in memory before a file is made: most runs have fewer.
const ROOM: usize = if cfg!(test) { 2_000 } else { 4 * 1024 * 1024 };

impl Store {
    /// Where a run puts what it cannot keep in memory.
    pub fn spool(&self) -> Arc<dyn Spool> {
        Arc::new(SpoolFile {
            folder: self.own_folder(),
            file: OnceLock::new(),
            far: Mutex::new(Far {
                room: ROOM,
                end: 0,
                failed: None,
            }),
        })
    }
}

/// The spool of one run.
#[derive(Debug)]
struct SpoolFile {
    /// None where the store lies in no file: then the system says where.
    folder: Option<PathBuf>,
    file: OnceLock<File>,
    far: Mutex<Far>,
}

/// How far it is full.
#[derive(Debug)]
struct Far {
    /// So many bytes may still stay in memory.
    room: usize,
    /// Where the file ends.
    end: u64,
    /// Why something could not be written.
    failed: Option<(io::ErrorKind, String)>,
}

impl SpoolFile {
    /// The file, made when it is needed first.
    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        // What has its name still after a kill goes at the next start.
        let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        let (file, path) = private(&folder)?.into_parts();
        path.close()?;
        Ok(self.file.get_or_init(|| file))
    }

    fn name(&self) -> String {
        let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        format!("what a run puts away in {}", folder.display())
    }
}

impl Spool for SpoolFile {
    fn keep(&self, bytes: Vec<u8>) -> Kept {
        let mut far = self.far.lock().unwrap_or_else(PoisonError::into_inner);
        let length = bytes.len();
        if far.failed.is_some() {
            return Kept::Here(bytes.into());
        }
        if let Some(left) = far.room.checked_sub(length) {
            far.room = left;
            return Kept::Here(bytes.into());
        }
        let at = far.end;
        let written = self.file().and_then(|file| file.write_all_at(&bytes, at));
        match written {
            Ok(()) => {
                far.end += length as u64;
                Kept::Away { at, length }
            }
            Err(error) => {
                far.failed = Some((error.kind(), error.to_string()));
                Kept::Here(bytes.into())
            }
        }
    }

    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), SpoolError> {
        let read = self.file().and_then(|file| file.read_exact_at(into, at));
        read.map_err(|source| SpoolError::Read {
            name: self.name(),
            source,
        })
    }

    fn sound(&self) -> Result<(), SpoolError> {
        let far = self.far.lock().unwrap_or_else(PoisonError::into_inner);
        match &far.failed {
            None => Ok(()),
            Some((kind, said)) => Err(SpoolError::Write {
                name: self.name(),
                source: io::Error::new(*kind, said.clone()),
            }),
        }
    }
}
