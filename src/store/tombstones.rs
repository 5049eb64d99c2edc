//! Who was erased, as keyed hashes: enough to know them again when they come back, and not to say who they were. They lie
//! in a file beside the store, so that they outlast a restore. Asks no table.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicase::UniCase;

use crate::model::PersonId;

use super::open::private;
use super::{OpenError, name_key};

/// The name of the file in the state folder.
pub(super) const TOMBSTONES: &str = "epms.erased";

/// A keyed hash of something that said who somebody was.
pub(super) type Hash = String;

/// What is kept of one erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tombstone {
    /// Which store the people were in.
    pub(super) store: String,
    /// Who was erased: one human, who may have been several people of the store.
    pub(super) people: BTreeSet<PersonId>,
    /// When.
    pub(super) at: Timestamp,
    /// Of their PMS ids.
    #[serde(default)]
    pub(super) ids: BTreeSet<Hash>,
    /// Of their emails.
    #[serde(default)]
    pub(super) emails: BTreeSet<Hash>,
    /// Of their names, first and last together.
    #[serde(default)]
    pub(super) names: BTreeSet<Hash>,
    /// Of their emails, phones and whole names, as a lookup of a PMS may have them.
    #[serde(default)]
    pub(super) texts: BTreeSet<Hash>,
    /// Of their first and last names, each for itself.
    #[serde(default)]
    pub(super) parts: BTreeSet<Hash>,
    /// Of the PMS ids under which somebody lets them in again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) admitted: BTreeSet<Hash>,
}

impl Tombstone {
    /// Adds what is known of the same human by another copy of the store.
    fn add(&mut self, other: Tombstone) {
        self.people.extend(other.people);
        self.ids.extend(other.ids);
        self.emails.extend(other.emails);
        self.names.extend(other.names);
        self.texts.extend(other.texts);
        self.parts.extend(other.parts);
    }
}

/// Everybody who was erased.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tombstones {
    /// 32 bytes, in hexadecimal; none before anybody was erased.
    #[serde(default)]
    key: String,
    #[serde(default)]
    pub(super) erased: Vec<Tombstone>,
    /// Where a hash of an id, an email or a name stands.
    #[serde(skip)]
    places: HashMap<Hash, Vec<usize>>,
}

/// What is known of somebody, as it is compared with those who were erased.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The PMS id.
    pub id: &'a str,
    /// Email, in the form of R10.
    pub email: Option<&'a str>,
    /// First name, in the form of R10.
    pub first_name: &'a str,
    /// Last name, in the form of R10.
    pub last_name: &'a str,
}

impl Tombstones {
    /// Whether nobody was ever erased.
    pub fn is_empty(&self) -> bool {
        self.erased.is_empty()
    }

    /// Whether this is somebody who was erased, and whom nobody let in again: of PMS id, email and name two are theirs. An id
    /// alone may be somebody else's by now, and so may an email.
    pub fn covers(&self, known: Known<'_>) -> bool {
        self.of(known).is_some()
    }

    /// When somebody of this PMS id was erased last, who was not let in again.
    pub fn when(&self, resident: &str) -> Option<Timestamp> {
        if self.is_empty() {
            return None;
        }
        let id = self.hash("id", resident);
        let stones = self.erased.iter();
        let theirs =
            stones.filter(|stone| stone.ids.contains(&id) && !stone.admitted.contains(&id));
        theirs.map(|stone| stone.at).max()
    }

    /// The tombstone of somebody.
    pub(super) fn of(&self, known: Known<'_>) -> Option<&Tombstone> {
        if self.is_empty() {
            return None;
        }
        let id = self.hash("id", known.id);
        let hits = self.hits(&id, known).into_iter();
        let stones = hits.filter(|(_, hits)| *hits > 1);
        let mut stones = stones.filter_map(|(place, _)| self.erased.get(place));
        stones.find(|stone| !stone.admitted.contains(&id))
    }

    /// How many of the three are theirs, by tombstone.
    fn hits(&self, id: &Hash, known: Known<'_>) -> BTreeMap<usize, u8> {
        let name = name_of(known.first_name, known.last_name);
        let hashes = std::iter::once(id.clone())
            .chain(known.email.map(|email| self.hash("email", email)))
            .chain(name.map(|name| self.hash("name", &name)));
        let mut hits = BTreeMap::new();
        for place in hashes.filter_map(|hash| self.places.get(&hash)).flatten() {
            *hits.entry(*place).or_insert(0) += 1;
        }
        hits
    }

    pub(super) fn hash(&self, kind: &str, text: &str) -> Hash {
        let mut key = [0; 32];
        for (place, byte) in key.iter_mut().enumerate() {
            let digits = self.key.get(2 * place..2 * place + 2);
            *byte = digits.map_or(0, |digits| u8::from_str_radix(digits, 16).unwrap_or(0));
        }
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher
            .update(kind.as_bytes())
            .update(&[0])
            .update(text.as_bytes());
        hasher.finalize().to_hex()[..32].to_owned()
    }

    /// The same with a key, where there is none yet.
    pub(super) fn with_key(mut self) -> io::Result<Tombstones> {
        if self.key.is_empty() {
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(io::Error::other)?;
            self.key = blake3::Hash::from_bytes(key).to_hex().to_string();
        }
        Ok(self)
    }

    /// The same with more of them. Whoever is erased again, out of an older copy, has both; who came in again meanwhile, and
    /// is erased as somebody new, is not let in by what was said before.
    pub(super) fn with(mut self, more: Vec<Tombstone>) -> Tombstones {
        for stone in more {
            let is_same = |before: &&mut Tombstone| {
                before.store == stone.store && !before.people.is_disjoint(&stone.people)
            };
            if let Some(before) = self.erased.iter_mut().find(is_same) {
                before.add(stone);
                continue;
            }
            for before in &mut self.erased {
                before.admitted.retain(|id| !stone.ids.contains(id));
            }
            self.erased.push(stone);
        }
        self.indexed()
    }

    /// The same where a PMS id is let in again, or is not any more.
    pub(super) fn admitting(mut self, resident: &str, admitted: bool) -> Tombstones {
        let id = self.hash("id", resident);
        for stone in &mut self.erased {
            if admitted {
                stone.admitted.insert(id.clone());
            } else {
                stone.admitted.remove(&id);
            }
        }
        self
    }

    fn indexed(mut self) -> Tombstones {
        self.places.clear();
        for (place, stone) in self.erased.iter().enumerate() {
            for hash in stone.ids.iter().chain(&stone.emails).chain(&stone.names) {
                self.places.entry(hash.clone()).or_default().push(place);
            }
        }
        self
    }

    /// The tombstones in `folder`; none where there is no file of them.
    pub(super) fn read(folder: &Path) -> Result<Tombstones, OpenError> {
        let path = folder.join(TOMBSTONES);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Tombstones::default());
            }
            Err(source) => return Err(OpenError::Io { path, source }),
        };
        let read: Tombstones =
            serde_json::from_slice(&text).map_err(|_| OpenError::Tombstones(path))?;
        Ok(read.indexed())
    }

    /// Puts them into `folder`, in the place of those that are there.
    fn put(&self, folder: &Path) -> io::Result<()> {
        let mut file = private(folder)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.as_file().sync_all()?;
        file.persist(folder.join(TOMBSTONES))?;
        File::open(folder)?.sync_all()
    }
}

/// Closes the file to others, and says so.
fn close(path: &Path) -> Result<Option<String>, OpenError> {
    let failed = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let mode = match std::fs::metadata(path) {
        Ok(file) => file.permissions().mode() & 0o7777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if mode & !0o700 == 0 {
        return Ok(None);
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    let shown = path.display();
    Ok(Some(format!(
        "others could look into {shown} (mode {mode:04o}), which has the key of who was erased; its mode is 0600 now. Whoever \
         read it can tell whether somebody they know was erased"
    )))
}

/// A name as it is hashed; none of somebody of whom no whole name is known.
pub(super) fn name_of(first: &str, last: &str) -> Option<String> {
    let has_both = !first.is_empty() && !last.is_empty();
    has_both.then(|| name_key(first, last))
}

/// A text of a lookup as it is hashed.
pub(super) fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    UniCase::unicode(words.join(" ")).to_folded_case()
}

/// The digits of a phone by which it is known, however it is written; none where there are too few.
pub(super) fn digits(text: &str) -> Option<String> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let is_phone = text
        .chars()
        .all(|c| c.is_ascii_digit() || "+-(). /".contains(c));
    let from = digits.len().checked_sub(10).filter(|_| is_phone)?;
    digits.get(from..).map(|last| last.iter().collect())
}

/// The tombstones of a store that is open, and where they lie.
#[derive(Debug, Default)]
pub(super) struct Graveyard {
    /// The folder; none of a store that lies in no file of its own.
    folder: Option<PathBuf>,
    now: Mutex<Arc<Tombstones>>,
}

impl Graveyard {
    /// Those in `folder`; and what is to be said of their file, which has a key in it and is its owner's alone.
    pub(super) fn open(folder: &Path) -> Result<(Graveyard, Option<String>), OpenError> {
        let closed = close(&folder.join(TOMBSTONES))?;
        let graveyard = Graveyard {
            folder: Some(folder.to_owned()),
            now: Mutex::new(Arc::new(Tombstones::read(folder)?)),
        };
        Ok((graveyard, closed))
    }

    pub(super) fn now(&self) -> Arc<Tombstones> {
        Arc::clone(&self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where they lie, for errors.
    pub(super) fn path(&self) -> PathBuf {
        let folder = self.folder.clone().unwrap_or_default();
        folder.join(TOMBSTONES)
    }

    /// Keeps these from now on, on the disk first.
    pub(super) fn keep(&self, tombstones: Arc<Tombstones>) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            tombstones.put(folder)?;
        }
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = tombstones;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stones() -> Tombstones {
        let empty = Tombstones::default().with_key().unwrap();
        let one = |kind: &str, text: &str| BTreeSet::from([empty.hash(kind, text)]);
        let stone = Tombstone {
            store: "s".into(),
            people: BTreeSet::from([PersonId(17)]),
            at: Timestamp::UNIX_EPOCH,
            ids: one("id", "t1"),
            emails: one("email", "ada@example.com"),
            names: one("name", &name_of("Ada", "Quill").unwrap()),
            texts: BTreeSet::new(),
            parts: BTreeSet::new(),
            admitted: BTreeSet::new(),
        };
        empty.with(vec![stone])
    }

    fn known<'a>(id: &'a str, email: Option<&'a str>, last_name: &'a str) -> Known<'a> {
        Known {
            id,
            email,
            first_name: "ADA",
            last_name,
        }
    }

    #[test]
    fn two_of_id_email_and_name_are_somebody_who_was_erased_and_one_is_not() {
        let stones = stones();
        let mail = Some("ada@example.com");
        for (known, covered) in [
            (known("t1", mail, "Quill"), true),
            (known("t1", None, "quill"), true),
            (known("t1", mail, "Other"), true),
            (known("t9", mail, "Quill"), true),
            (known("t1", Some("bea@example.com"), "Other"), false),
            (known("t9", mail, "Other"), false),
            (known("t9", None, "Quill"), false),
        ] {
            assert_eq!(stones.covers(known), covered, "{known:?}");
        }
        assert!(!Tombstones::default().covers(known("t1", mail, "Quill")));
    }

    #[test]
    fn who_is_let_in_again_is_covered_no_more_until_they_are_erased_anew() {
        let mail = Some("ada@example.com");
        let admitted = stones().admitting("t1", true);
        assert!(!admitted.covers(known("t1", mail, "Quill")));
        assert!(admitted.covers(known("t9", mail, "Quill")));
        assert!(
            admitted
                .clone()
                .admitting("t1", false)
                .covers(known("t1", mail, "Quill"))
        );
        let again = Tombstone {
            people: BTreeSet::from([PersonId(40)]),
            admitted: BTreeSet::new(),
            ..admitted.erased[0].clone()
        };
        assert!(
            admitted
                .with(vec![again])
                .covers(known("t1", mail, "Quill"))
        );
    }

    #[test]
    fn the_file_says_nothing_of_whom_it_is_about_and_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let stones = stones();
        stones.put(folder.path()).unwrap();
        let path = folder.path().join(TOMBSTONES);
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        for word in ["ada", "quill", "example.com", "t1"] {
            assert!(!text.contains(&format!("\"{word}")), "{word}: {text}");
        }
        assert!(
            !text.contains("quill") && !text.contains("example"),
            "{text}"
        );
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&path).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        let read = Tombstones::read(folder.path()).unwrap();
        assert!(read.covers(known("t1", None, "Quill")));
        std::fs::write(&path, "rubble").unwrap();
        assert!(matches!(
            Tombstones::read(folder.path()),
            Err(OpenError::Tombstones(_))
        ));
    }

    #[test]
    fn a_phone_is_known_by_its_last_ten_digits_however_it_is_written() {
        for text in ["+12125550142", "(212) 555-0142", "212.555.0142"] {
            assert_eq!(digits(text).as_deref(), Some("2125550142"), "{text}");
        }
        assert_eq!(digits("12B"), None);
        assert_eq!(digits("unit 2125550142"), None);
    }
}
