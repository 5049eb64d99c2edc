//! Files of a home: opened beneath it alone, wherever links lead, regular ones alone, and read up to a limit. What is
//! in them, and what their folders mean, is for others to say.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};
use rustix::io::Errno;

/// A file of the configuration, a script, or a secret is not larger, in bytes.
pub const MAX_FILE: u64 = 1024 * 1024;

/// What is disturbed by a file that is renamed meanwhile is tried again so often.
const TRIES: usize = 16;

/// Nothing is waited for, and no terminal becomes the process's own.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Why a file was not read. The texts go on behind the file's name, and quote nothing of what is in it.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// There is nothing of that name, or the link leads nowhere.
    #[error("is not there")]
    Absent,
    /// A link leads out of the home.
    #[error(
        "leads out of the home by a link, and only what lies beneath the home is read; put a copy in its place, or link to a file beneath the home"
    )]
    Outside,
    /// It is something else than a file.
    #[error("is {0}, and only regular files are read; put a file in its place, or remove it")]
    Irregular(Kind),
    /// It is larger than it may be.
    #[error("is larger than {}, and no more is read; make it smaller", Size(*.0))]
    TooLarge(u64),
    /// The system refused.
    #[error("cannot be read: {0}")]
    Io(io::Error),
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A named pipe: whoever opens it as a file waits for somebody to write.
    Pipe,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

/// A file as it is, without what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What it is.
    pub kind: Kind,
    /// How long it is, in bytes.
    pub length: u64,
    /// When it was changed, in seconds and nanoseconds.
    pub changed: (i64, u64),
}

/// What lies in a folder.
#[derive(Debug)]
pub struct Entry {
    /// Its path: the folder's with its name.
    pub path: PathBuf,
    /// What it is, where links lead that stay beneath the home.
    pub kind: Result<Kind, Unread>,
}

/// A home, beneath which files are read.
#[derive(Debug, Clone)]
pub struct Beneath {
    root: PathBuf,
}

impl Beneath {
    /// What lies beneath `home`; it may itself be reached by a link.
    pub fn new(home: &Path) -> Beneath {
        Beneath {
            root: home.to_owned(),
        }
    }

    /// Reads a file of at most `limit` bytes. `path` is relative to the home, or begins with it.
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Unread> {
        match self.look(path)?.kind {
            Kind::File => bytes(File::from(self.open(path, READ)?), limit),
            other => Err(Unread::Irregular(other)),
        }
    }

    /// The same as text.
    pub fn read_text(&self, path: &Path, limit: u64) -> Result<String, Unread> {
        let text = String::from_utf8(self.read(path, limit)?);
        text.map_err(|_| not_utf8())
    }

    /// What is there, without opening it.
    pub fn look(&self, path: &Path) -> Result<Look, Unread> {
        look(&self.open(path, OFlags::PATH)?)
    }

    /// What lies in a folder, by name.
    pub fn list(&self, folder: &Path) -> Result<Vec<Entry>, Unread> {
        let opened = self.open(folder, READ.union(OFlags::DIRECTORY))?;
        let mut entries = Vec::new();
        for entry in Dir::new(opened)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let path = folder.join(std::ffi::OsStr::from_bytes(name));
            let kind = match entry.file_type() {
                // Where it leads is seen only by following it; some file systems never say what is there.
                FileType::Symlink | FileType::Unknown => self.look(&path).map(|look| look.kind),
                known => Ok(Kind::of(known)),
            };
            entries.push(Entry { path, kind });
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    fn open(&self, path: &Path, how: OFlags) -> Result<OwnedFd, Unread> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let below = if below.as_os_str().is_empty() {
            Path::new(".")
        } else {
            below
        };
        match opened_beneath(&self.root, below, how, ResolveFlags::BENEATH) {
            // Links of whole paths are refused also where they stay beneath; some kernels and filters do not have
            // the call at all.
            Err(Errno::XDEV | Errno::NOSYS | Errno::PERM) => self.open_by_path(below, how),
            opened => Ok(opened?),
        }
    }

    /// Opens what the path stands for once all links are followed, where that lies beneath the home.
    fn open_by_path(&self, below: &Path, how: OFlags) -> Result<OwnedFd, Unread> {
        let root = self.root.canonicalize().map_err(Unread::of_io)?;
        let real = root.join(below).canonicalize().map_err(Unread::of_io)?;
        let below = real.strip_prefix(&root).map_err(|_| Unread::Outside)?;
        let below = if below.as_os_str().is_empty() {
            Path::new(".")
        } else {
            below
        };
        // A link that was put there since is not followed.
        let strict = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);
        match opened_beneath(&root, below, how, strict) {
            Err(Errno::XDEV | Errno::LOOP) => Err(Unread::Outside),
            Err(Errno::NOSYS | Errno::PERM) => {
                let how = how.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
                Ok(open(&real, how, Mode::empty())?)
            }
            opened => Ok(opened?),
        }
    }
}

/// Opens a regular file that may lie anywhere.
pub fn open_anywhere(path: &Path) -> Result<File, Unread> {
    let seen = open(path, OFlags::PATH.union(OFlags::CLOEXEC), Mode::empty())?;
    let opened = match look(&seen)?.kind {
        Kind::File => open(path, READ.union(OFlags::CLOEXEC), Mode::empty())?,
        other => return Err(Unread::Irregular(other)),
    };
    match look(&opened)?.kind {
        Kind::File => Ok(File::from(opened)),
        other => Err(Unread::Irregular(other)),
    }
}

/// Reads a regular file of at most `limit` bytes that may lie anywhere.
pub fn read_anywhere(path: &Path, limit: u64) -> Result<Vec<u8>, Unread> {
    bytes(open_anywhere(path)?, limit)
}

/// What is in a file that is open, where it is a regular one of at most `limit` bytes.
pub fn bytes(file: File, limit: u64) -> Result<Vec<u8>, Unread> {
    let seen = look(&file)?;
    if seen.kind != Kind::File {
        return Err(Unread::Irregular(seen.kind));
    }
    if seen.length > limit {
        return Err(Unread::TooLarge(limit));
    }
    // Room for all of it, so that what may be a secret is not left behind in memory that was too small.
    let mut bytes = Vec::with_capacity(usize::try_from(seen.length).unwrap_or_default() + 1);
    // It may grow while it is read.
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    match read.map_err(Unread::of_io)? as u64 {
        length if length > limit => Err(Unread::TooLarge(limit)),
        _ => Ok(bytes),
    }
}

/// A file that is no text.
pub fn not_utf8() -> Unread {
    let error = io::Error::new(
        io::ErrorKind::InvalidData,
        "it is not UTF-8; save it as UTF-8",
    );
    Unread::Io(error)
}

fn opened_beneath(
    root: &Path,
    below: &Path,
    how: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let folder = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    let root = open(root, folder, Mode::empty())?;
    let how = how.union(OFlags::CLOEXEC);
    let mut tried = 0;
    loop {
        tried += 1;
        match openat2(&root, below, how, Mode::empty(), resolve) {
            Err(Errno::AGAIN) if tried < TRIES => {}
            opened => return opened,
        }
    }
}

fn look(file: &impl std::os::fd::AsFd) -> Result<Look, Unread> {
    let found = fstat(file)?;
    Ok(Look {
        kind: Kind::of(FileType::from_raw_mode(found.st_mode)),
        length: u64::try_from(found.st_size).unwrap_or_default(),
        changed: (found.st_mtime, found.st_mtime_nsec),
    })
}

impl Kind {
    fn of(kind: FileType) -> Kind {
        match kind {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Fifo => Kind::Pipe,
            FileType::Socket => Kind::Socket,
            _ => Kind::Device,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::File => "a file",
            Kind::Folder => "a folder",
            Kind::Pipe => "a named pipe",
            Kind::Socket => "a socket",
            Kind::Device => "a device",
        })
    }
}

impl Unread {
    fn of_io(error: io::Error) -> Unread {
        match error.kind() {
            io::ErrorKind::NotFound => Unread::Absent,
            _ => Unread::Io(error),
        }
    }
}

impl From<Errno> for Unread {
    fn from(error: Errno) -> Unread {
        Unread::of_io(error.into())
    }
}

/// A length in the largest unit that it is a whole number of.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes.is_multiple_of(1 << 20) => write!(f, "{} MiB", bytes >> 20),
            bytes if bytes.is_multiple_of(1 << 10) => write!(f, "{} KiB", bytes >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    /// A home in a folder, with a file of the home and one beside it that holds a secret.
    fn home() -> (tempfile::TempDir, Beneath) {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir_all(home.join("config/sub")).unwrap();
        std::fs::write(home.join("config/a.yaml"), "inside").unwrap();
        std::fs::write(folder.path().join("secret"), "hunter2").unwrap();
        (folder, Beneath::new(&home))
    }

    /// What both ways of opening make of a path; they must be of one mind.
    fn read(home: &Beneath, path: &str) -> Result<String, String> {
        let path = Path::new(path);
        let by_call = home.read_text(path, 100);
        let by_path =
            home.open_by_path(path, OFlags::PATH)
                .and_then(|seen| match look(&seen)?.kind {
                    Kind::File => bytes(File::from(home.open_by_path(path, READ)?), 100),
                    other => Err(Unread::Irregular(other)),
                });
        let by_path = by_path.map(|bytes| String::from_utf8(bytes).unwrap());
        let told = |read: Result<String, Unread>| read.map_err(|error| error.to_string());
        let (by_call, by_path) = (told(by_call), told(by_path));
        assert_eq!(by_call, by_path);
        by_call
    }

    #[test]
    fn a_link_that_stays_beneath_the_home_is_followed_however_it_is_written() {
        let (folder, home) = home();
        let link = |target: &Path, name: &str| symlink(target, home.root.join(name)).unwrap();
        link(Path::new("../config/a.yaml"), "config/relative.yaml");
        link(&home.root.join("config/a.yaml"), "config/whole.yaml");
        link(Path::new("config"), "other");
        for name in [
            "config/a.yaml",
            "config/relative.yaml",
            "config/whole.yaml",
            "other/a.yaml",
            "config/sub/../a.yaml",
        ] {
            assert_eq!(read(&home, name), Ok("inside".into()), "{name}");
        }
        // The home itself is wherever it was said to be.
        symlink(&home.root, folder.path().join("current")).unwrap();
        let home = Beneath::new(&folder.path().join("current"));
        assert_eq!(read(&home, "config/whole.yaml"), Ok("inside".into()));
        let path = folder.path().join("current/config/a.yaml");
        assert_eq!(home.read(&path, 6).unwrap(), b"inside");
    }

    #[test]
    fn what_leads_out_of_the_home_is_not_read_and_not_quoted() {
        let (folder, home) = home();
        let link = |target: &Path, name: &str| symlink(target, home.root.join(name)).unwrap();
        link(Path::new("../../secret"), "config/relative.yaml");
        link(&folder.path().join("secret"), "config/whole.yaml");
        link(folder.path(), "config/folder");
        link(Path::new("whole.yaml"), "config/chain.yaml");
        let outside = Unread::Outside.to_string();
        for name in [
            "config/relative.yaml",
            "config/whole.yaml",
            "config/folder/secret",
            "config/chain.yaml",
            "../secret",
            "config/../../secret",
            "/etc/passwd",
        ] {
            assert_eq!(read(&home, name), Err(outside.clone()), "{name}");
        }
        let listed = home.list(Path::new("config/folder"));
        assert!(matches!(listed, Err(Unread::Outside)), "{listed:?}");
    }

    #[test]
    fn what_is_no_regular_file_is_told_and_keeps_nobody_waiting() {
        let (_folder, home) = home();
        let path = |name: &str| home.root.join(name);
        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        symlink("pipe", path("to-a-pipe")).unwrap();
        for (name, what) in [
            ("pipe", "a named pipe"),
            ("to-a-pipe", "a named pipe"),
            ("socket", "a socket"),
            ("config", "a folder"),
        ] {
            let told = read(&home, name).unwrap_err();
            assert!(told.starts_with(&format!("is {what}, and only")), "{told}");
        }
        let anywhere = |name: &str| read_anywhere(Path::new(name), 100).unwrap_err();
        assert!(anywhere("/dev/null").to_string().contains("is a device"));
        assert!(matches!(
            read_anywhere(&path("pipe"), 100),
            Err(Unread::Irregular(Kind::Pipe))
        ));
        assert!(matches!(
            home.read(Path::new("none"), 100),
            Err(Unread::Absent)
        ));
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_which_is_named() {
        let (_folder, home) = home();
        let path = Path::new("config/a.yaml");
        assert_eq!(home.read(path, 6).unwrap(), b"inside");
        let told = |limit| home.read(path, limit).unwrap_err().to_string();
        assert_eq!(
            told(5),
            "is larger than 5 bytes, and no more is read; make it smaller"
        );
        assert_eq!(Size(MAX_FILE).to_string(), "1 MiB");
        assert_eq!(Size(64 << 10).to_string(), "64 KiB");
        std::fs::write(home.root.join(path), b"caf\xe9").unwrap();
        let told = home.read_text(path, 100).unwrap_err().to_string();
        assert!(told.contains("not UTF-8"), "{told}");
    }

    #[test]
    fn a_folder_is_listed_by_name_with_what_each_is_where_links_lead() {
        let (folder, home) = home();
        symlink("a.yaml", home.root.join("config/b.yaml")).unwrap();
        symlink(
            folder.path().join("secret"),
            home.root.join("config/c.yaml"),
        )
        .unwrap();
        symlink("nowhere", home.root.join("config/d.yaml")).unwrap();
        let listed = home.list(&home.root.join("config")).unwrap();
        let told = |entry: &Entry| {
            let name = entry.path.file_name().unwrap().to_str().unwrap();
            let kind = entry.kind.as_ref().map(ToString::to_string);
            format!(
                "{name}: {}",
                kind.unwrap_or_else(|error| format!("{error:?}"))
            )
        };
        let listed: Vec<String> = listed.iter().map(told).collect();
        assert_eq!(
            listed,
            [
                "a.yaml: a file",
                "b.yaml: a file",
                "c.yaml: Outside",
                "d.yaml: Absent",
                "sub: a folder"
            ]
        );
    }
}
