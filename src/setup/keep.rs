//! Keeps a secret in a file of the home. It is never shown, and no error says anything of it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

/// Keeps a secret in a file of the home that only its owner may read, in the place of the one before; whether there was one.
/// A reader sees the one before or this one, and never a part.
pub fn keep(home: &Path, file: &Path, secret: &str) -> io::Result<bool> {
    let path = home.join(file);
    let folder = path.parent().unwrap_or(home);
    if !folder.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        if let Ok(owner) = home.metadata() {
            give(&File::open(folder)?, owner.uid(), owner.gid());
        }
    }
    let before = path.metadata().ok();
    let owner = match &before {
        Some(before) => (before.uid(), before.gid()),
        None => folder.metadata().map(|owner| (owner.uid(), owner.gid()))?,
    };
    // In the home of a service root writes for the group of the service's user, whom alone the folder is open to.
    let mode = match folder.metadata()?.mode() & 0o057 {
        0o050 => 0o640,
        _ => 0o600,
    };
    let new = folder.join(format!(".{}.new", fastrand::u64(..)));
    let written = write(&new, secret, owner, mode).and_then(|()| std::fs::rename(&new, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written.map(|()| before.is_some())
}

fn write(path: &Path, secret: &str, (user, group): (u32, u32), mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    give(&file, user, group);
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(secret.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Gives what root makes to whom the rest belongs; whoever else makes it is that user.
fn give(file: &File, user: u32, group: u32) {
    let _ = fchown(file, Some(user), Some(group));
}
