//! Lists that are too long for memory: their items lie as bytes, in parts that a spool keeps. What a spool is, is for
//! others to say; nothing here opens a file.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;

use minicbor::{Decode, Encode};

/// So many bytes are handed to the spool at once, or somewhat more. Tests have lists of many parts.
const PART: usize = if cfg!(test) { 300 } else { 64 * 1024 };

/// Keeps bytes for as long as somebody has it.
pub trait Spool: fmt::Debug + Send + Sync {
    /// Keeps these bytes. Where they cannot be put away they stay in memory, and [`sound`](Spool::sound) says so.
    fn keep(&self, bytes: Vec<u8>) -> Kept;

    /// Reads what was put away.
    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), SpoolError>;

    /// Whether everything could be put away so far.
    fn sound(&self) -> Result<(), SpoolError>;
}

/// Where bytes are that were given to a spool.
#[derive(Debug, Clone)]
pub enum Kept {
    /// In memory.
    Here(Arc<[u8]>),
    /// Put away.
    Away {
        /// Where they begin.
        at: u64,
        /// How many they are.
        length: usize,
    },
}

/// What was spooled is not there.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// There is no room for it, or the disk failed.
    #[error("{name} cannot be written: {source}; look at its folder and at its disk")]
    Write {
        /// What the spool is called.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be read again.
    #[error("{name} cannot be read again: {source}; look at its disk")]
    Read {
        /// What the spool is called.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what was written.
    #[error(
        "what was put away while a run was planned does not fit; look at the disk of the state folder"
    )]
    Form,
}

impl From<std::convert::Infallible> for SpoolError {
    fn from(never: std::convert::Infallible) -> SpoolError {
        match never {}
    }
}

/// A list whose items are kept as bytes. Every item that is read is decoded anew.
pub struct Spooled<T> {
    /// None where everything stays in memory.
    spool: Option<Arc<dyn Spool>>,
    parts: Vec<Part>,
    /// Where each item begins in its part.
    begins: Vec<u32>,
    /// The part that is not full yet, and its first item.
    open: Vec<u8>,
    first_open: usize,
    of: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone)]
struct Part {
    /// The first item in it.
    first: usize,
    kept: Kept,
}

impl<T> Spooled<T> {
    /// An empty list, whose items go to a spool.
    pub fn to(spool: &Arc<dyn Spool>) -> Spooled<T> {
        Spooled::with(Some(Arc::clone(spool)))
    }

    fn with(spool: Option<Arc<dyn Spool>>) -> Spooled<T> {
        Spooled {
            spool,
            parts: Vec::new(),
            begins: Vec::new(),
            open: Vec::new(),
            first_open: 0,
            of: PhantomData,
        }
    }

    /// An empty list, whose items go where those of this one go.
    pub fn beside<U>(&self) -> Spooled<U> {
        Spooled::with(self.spool.clone())
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.begins.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.begins.is_empty()
    }

    fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        self.begins.push(begin);
        write(&mut self.open);
        if self.open.len() < PART {
            return;
        }
        let bytes = std::mem::take(&mut self.open);
        let kept = match &self.spool {
            Some(spool) => spool.keep(bytes),
            None => Kept::Here(bytes.into()),
        };
        let first = std::mem::replace(&mut self.first_open, self.begins.len());
        self.parts.push(Part { first, kept });
    }

    /// The part in which an item is; none for the one that is open.
    fn part_of(&self, place: usize) -> Option<usize> {
        if place >= self.first_open {
            return None;
        }
        let after = self.parts.partition_point(|part| part.first <= place);
        after.checked_sub(1)
    }

    /// Where an item lies in its part; no end for the last one in it.
    fn bounds(&self, place: usize, part: Option<usize>) -> Option<(usize, Option<usize>)> {
        let next = match part {
            None => self.begins.len(),
            Some(part) => self
                .parts
                .get(part + 1)
                .map_or(self.first_open, |next| next.first),
        };
        let at = |place: usize| self.begins.get(place).map(|begin| *begin as usize);
        let end = (place + 1 < next).then(|| at(place + 1)).flatten();
        Some((at(place)?, end))
    }

    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), SpoolError> {
        let spool = self.spool.as_ref().ok_or(SpoolError::Form)?;
        spool.read(at, into)
    }

    /// The bytes of an item.
    fn bytes(&self, place: usize) -> Result<Vec<u8>, SpoolError> {
        let part = self.part_of(place);
        let (begin, end) = self.bounds(place, part).ok_or(SpoolError::Form)?;
        let slice = |all: &[u8]| {
            let found = all.get(begin..end.unwrap_or(all.len()));
            found.map(<[u8]>::to_vec).ok_or(SpoolError::Form)
        };
        let Some(part) = part else {
            return slice(&self.open);
        };
        match &self.parts.get(part).ok_or(SpoolError::Form)?.kept {
            Kept::Here(bytes) => slice(bytes),
            Kept::Away { at, length } => {
                let long = end.unwrap_or(*length).checked_sub(begin);
                let mut bytes = vec![0; long.ok_or(SpoolError::Form)?];
                self.read(at + begin as u64, &mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// The items as bytes, in order.
    pub fn raw(&self) -> Raw<'_, T> {
        Raw {
            list: self,
            place: 0,
            part: None,
            read: Vec::new(),
        }
    }

    /// Keeps the first items alone.
    pub fn truncate(&mut self, length: usize) -> Result<(), SpoolError> {
        if length >= self.len() {
            return Ok(());
        }
        let mut shorter = self.beside::<T>();
        let part = self.part_of(length);
        let first = match part {
            Some(part) => self.parts.get(part).map_or(0, |part| part.first),
            None => self.first_open,
        };
        // What of its last part stays is open again.
        for place in first..length {
            let bytes = self.bytes(place)?;
            shorter.put(|open| open.extend(&bytes));
        }
        self.parts.truncate(part.unwrap_or(self.parts.len()));
        self.begins.truncate(first);
        let moved = |part: &Part| Part {
            first: first + part.first,
            kept: part.kept.clone(),
        };
        self.parts.extend(shorter.parts.iter().map(moved));
        self.begins.append(&mut shorter.begins);
        self.open = shorter.open;
        self.first_open = first + shorter.first_open;
        Ok(())
    }
}

impl<T: Encode<()>> Spooled<T> {
    /// Appends an item.
    pub fn push(&mut self, item: &T) {
        self.put(|bytes| {
            let begin = bytes.len();
            if minicbor::encode(item, &mut *bytes).is_err() {
                // It is told when it is read.
                bytes.truncate(begin);
            }
        });
    }
}

impl<T: for<'b> Decode<'b, ()>> Spooled<T> {
    /// The item at a place.
    pub fn get(&self, place: usize) -> Result<T, SpoolError> {
        decode(&self.bytes(place)?)
    }

    /// The items, in order.
    pub fn iter(&self) -> Items<'_, T> {
        Items(self.raw())
    }

    /// The items one by one, by their places: cheap where they are asked for in order.
    pub fn in_order(&self) -> InOrder<'_, T> {
        InOrder {
            items: self.iter(),
            next: 0,
        }
    }

    /// All of them, in memory.
    pub fn to_vec(&self) -> Result<Vec<T>, SpoolError> {
        self.iter().collect()
    }

    /// Drops items.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) -> Result<(), SpoolError> {
        let mut kept = self.beside();
        let mut all = self.raw();
        while let Some(bytes) = all.next()? {
            if keep(&decode(bytes)?) {
                kept.put(|open| open.extend(bytes));
            }
        }
        *self = kept;
        Ok(())
    }

    /// Puts another item in the place of each.
    pub fn replace(&mut self, mut with: impl FnMut(T) -> T) -> Result<(), SpoolError>
    where
        T: Encode<()>,
    {
        let mut replaced = self.beside();
        for item in self.iter() {
            replaced.push(&with(item?));
        }
        *self = replaced;
        Ok(())
    }
}

fn decode<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, SpoolError> {
    minicbor::decode(bytes).map_err(|_| SpoolError::Form)
}

/// The items of a list as bytes: what [`Spooled::raw`] gives.
pub struct Raw<'a, T> {
    list: &'a Spooled<T>,
    place: usize,
    /// The part that was read last.
    part: Option<usize>,
    /// What of it was put away.
    read: Vec<u8>,
}

impl<T> Raw<'_, T> {
    /// The next item.
    #[allow(
        clippy::should_implement_trait,
        reason = "what it gives lies in itself"
    )]
    pub fn next(&mut self) -> Result<Option<&[u8]>, SpoolError> {
        let list = self.list;
        if self.place >= list.len() {
            return Ok(None);
        }
        let place = self.place;
        self.place += 1;
        let part = match self.part {
            // Items come in order: it is the same part, or the next one.
            Some(last)
                if place
                    < list
                        .parts
                        .get(last + 1)
                        .map_or(list.first_open, |next| next.first) =>
            {
                Some(last)
            }
            _ => list.part_of(place),
        };
        let (begin, end) = list.bounds(place, part).ok_or(SpoolError::Form)?;
        let all: &[u8] = match part {
            None => &list.open,
            Some(number) => match &list.parts.get(number).ok_or(SpoolError::Form)?.kept {
                Kept::Here(bytes) => bytes,
                Kept::Away { at, length } => {
                    if self.part != part {
                        self.read.resize(*length, 0);
                        list.read(*at, &mut self.read)?;
                    }
                    &self.read
                }
            },
        };
        self.part = part;
        let item = all.get(begin..end.unwrap_or(all.len()));
        item.map(Some).ok_or(SpoolError::Form)
    }
}

/// The items of a list: what [`Spooled::iter`] gives.
pub struct Items<'a, T>(Raw<'a, T>);

impl<T: for<'b> Decode<'b, ()>> Items<'_, T> {
    /// The next item, with its bytes.
    pub fn with_bytes(&mut self) -> Result<Option<(T, &[u8])>, SpoolError> {
        match self.0.next()? {
            Some(bytes) => Ok(Some((decode(bytes)?, bytes))),
            None => Ok(None),
        }
    }
}

impl<T: for<'b> Decode<'b, ()>> Iterator for Items<'_, T> {
    type Item = Result<T, SpoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.0.next().transpose()?;
        Some(item.and_then(decode))
    }
}

impl<'a, T: for<'b> Decode<'b, ()>> IntoIterator for &'a Spooled<T> {
    type Item = Result<T, SpoolError>;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

/// The items of a list by their places: what [`Spooled::in_order`] gives.
pub struct InOrder<'a, T> {
    items: Items<'a, T>,
    /// The place that comes next in order.
    next: usize,
}

impl<T: for<'b> Decode<'b, ()>> InOrder<'_, T> {
    /// The item at a place.
    pub fn get(&mut self, place: usize) -> Result<T, SpoolError> {
        if place != self.next {
            return self.items.0.list.get(place);
        }
        self.next += 1;
        self.items.next().ok_or(SpoolError::Form)?
    }
}

impl<T> Default for Spooled<T> {
    fn default() -> Spooled<T> {
        Spooled::with(None)
    }
}

impl<T> Clone for Spooled<T> {
    fn clone(&self) -> Spooled<T> {
        Spooled {
            spool: self.spool.clone(),
            parts: self.parts.clone(),
            begins: self.begins.clone(),
            open: self.open.clone(),
            first_open: self.first_open,
            of: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Spooled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} spooled items", self.len())
    }
}

impl<T: for<'b> Decode<'b, ()> + PartialEq> PartialEq for Spooled<T> {
    fn eq(&self, other: &Spooled<T>) -> bool {
        let mut both = self.iter().zip(other.iter());
        self.len() == other.len()
            && both.all(|both| matches!(both, (Ok(one), Ok(other)) if one == other))
    }
}

impl<T: Encode<()>> FromIterator<T> for Spooled<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Spooled<T> {
        let mut list = Spooled::default();
        for item in items {
            list.push(&item);
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::searching;

    /// Puts every other part away.
    #[derive(Debug, Default)]
    struct Half(Mutex<(bool, Vec<u8>)>);

    impl Spool for Half {
        fn keep(&self, bytes: Vec<u8>) -> Kept {
            let mut half = self.0.lock().unwrap();
            half.0 = !half.0;
            if half.0 {
                return Kept::Here(bytes.into());
            }
            let (at, length) = (half.1.len() as u64, bytes.len());
            half.1.extend(bytes);
            Kept::Away { at, length }
        }

        fn read(&self, at: u64, into: &mut [u8]) -> Result<(), SpoolError> {
            let at = usize::try_from(at).unwrap();
            into.copy_from_slice(&self.0.lock().unwrap().1[at..at + into.len()]);
            Ok(())
        }

        fn sound(&self) -> Result<(), SpoolError> {
            Ok(())
        }
    }

    proptest! {
        #![proptest_config(searching(64))]

        #[test]
        fn a_spooled_list_is_the_list_whatever_is_done_to_it(
            sizes in proptest::collection::vec(0_usize..400, 0..60),
            more in proptest::collection::vec(0_usize..400, 0..20),
            cut in 0_usize..70,
            factor in 1_usize..4,
        ) {
            let spool: Arc<dyn Spool> = Arc::new(Half::default());
            let item = |size: &usize| "x".repeat(*size);
            let mut plain: Vec<String> = sizes.iter().map(item).collect();
            let mut spooled = Spooled::to(&spool);
            for one in &plain {
                spooled.push(one);
            }
            let all: Vec<String> = (0..plain.len()).map(|place| spooled.get(place).unwrap()).collect();
            prop_assert_eq!(&all, &plain);
            prop_assert_eq!(&spooled.to_vec().unwrap(), &plain);
            let mut in_order = spooled.in_order();
            for (place, one) in plain.iter().enumerate().filter(|(place, _)| place % 7 != factor) {
                prop_assert_eq!(&in_order.get(place).unwrap(), one);
            }

            let before = spooled.clone();
            spooled.truncate(cut).unwrap();
            plain.truncate(cut);
            for one in &more {
                plain.push(item(one));
                spooled.push(&item(one));
            }
            let all: Vec<String> = (0..plain.len()).map(|place| spooled.get(place).unwrap()).collect();
            prop_assert_eq!(&all, &plain);
            prop_assert_eq!(&spooled.to_vec().unwrap(), &plain);
            prop_assert_eq!(before.len(), sizes.len());
            prop_assert!(before.iter().eq_by_size(&sizes));

            spooled.retain(|one| one.len() % factor == 0).unwrap();
            plain.retain(|one| one.len() % factor == 0);
            spooled.replace(|one| one + "y").unwrap();
            for one in &mut plain {
                one.push('y');
            }
            prop_assert_eq!(&spooled, &plain.into_iter().collect());
        }
    }

    trait EqBySize {
        fn eq_by_size(self, sizes: &[usize]) -> bool;
    }

    impl<I: Iterator<Item = Result<String, SpoolError>>> EqBySize for I {
        fn eq_by_size(self, sizes: &[usize]) -> bool {
            self.map(|one| one.unwrap().len()).eq(sizes.iter().copied())
        }
    }

    #[test]
    fn what_was_put_away_and_is_not_there_is_an_error_and_no_shorter_list() {
        #[derive(Debug)]
        struct Gone;
        impl Spool for Gone {
            fn keep(&self, bytes: Vec<u8>) -> Kept {
                let length = bytes.len();
                Kept::Away { at: 0, length }
            }
            fn read(&self, _: u64, _: &mut [u8]) -> Result<(), SpoolError> {
                Err(SpoolError::Form)
            }
            fn sound(&self) -> Result<(), SpoolError> {
                Ok(())
            }
        }
        let spool: Arc<dyn Spool> = Arc::new(Gone);
        let mut list = Spooled::to(&spool);
        for number in 0..1000_u32 {
            list.push(&number);
        }
        assert_eq!(list.len(), 1000);
        assert!(list.get(0).is_err() && list.to_vec().is_err());
        assert!(list.get(999).is_ok());
        assert!(list != list.clone());
    }
}
