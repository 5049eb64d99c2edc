//! The records of a feed as a run took them, in the order of the feed: those that are known by their place among what is
//! remembered, the others as what mapping made of them, which lies as bytes where the run spools.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::model::{InOrder, Print, Spool, SpoolError, Spooled};
use crate::store::StoreError;

use super::Made;
use super::gather::{decode, first_half, halves};

/// A record of the feed, as a run took it.
#[derive(Debug, Clone, Copy)]
pub(in crate::sync) enum Taken {
    /// It is the same as this one of the run before.
    Known(usize),
    /// It was mapped: what was made of it is the one at this place.
    Made(u32),
}

/// What was made of a record, as bytes.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(array)]
pub(super) struct Packed {
    #[cbor(n(0), with = "minicbor::bytes")]
    print: [u8; 16],
    /// The length of the record's text in bytes.
    #[n(1)]
    length: u64,
    /// As the first half of what is remembered.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(super) bytes: Vec<u8>,
}

impl Packed {
    /// The bytes of something that was made and remembered.
    pub(super) fn of(print: Print, length: usize, bytes: Vec<u8>) -> Packed {
        Packed {
            print: print.0.to_le_bytes(),
            length: length as u64,
            bytes,
        }
    }

    pub(super) fn made(self) -> Result<Made, StoreError> {
        let (made, _) = halves(&self.bytes)?;
        let mut made: Made = decode(made)?;
        made.print = Print(u128::from_le_bytes(self.print));
        made.length = usize::try_from(self.length).unwrap_or(usize::MAX);
        made.bytes = self.bytes;
        Ok(made)
    }
}

/// All records of a feed.
#[derive(Debug, Clone, Default)]
pub(in crate::sync) struct Takings {
    pub(super) order: Vec<Taken>,
    pub(super) made: Spooled<Packed>,
}

impl Takings {
    /// None yet.
    pub(in crate::sync) fn to(spool: &Arc<dyn Spool>) -> Takings {
        Takings {
            order: Vec::new(),
            made: Spooled::to(spool),
        }
    }

    pub(in crate::sync) fn len(&self) -> usize {
        self.order.len()
    }

    /// Takes a record that is known.
    pub(in crate::sync) fn know(&mut self, place: usize) {
        self.order.push(Taken::Known(place));
    }

    /// Takes a record that was mapped.
    pub(in crate::sync) fn make(&mut self, mut made: Made) {
        let place = u32::try_from(self.made.len()).unwrap_or(u32::MAX);
        self.order.push(Taken::Made(place));
        if made.bytes.is_empty() {
            // What cannot be encoded is told when it is read.
            made.bytes = first_half(&made).unwrap_or_default();
        }
        let packed = Packed::of(made.print, made.length, made.bytes);
        self.made.push(&packed);
    }

    /// Keeps the first records alone.
    pub(in crate::sync) fn truncate(&mut self, length: usize) -> Result<(), SpoolError> {
        let gone = self.order.get(length..).unwrap_or_default();
        let gone = gone.iter().filter(|one| matches!(one, Taken::Made(_)));
        let made = self.made.len() - gone.count();
        self.order.truncate(length);
        self.made.truncate(made)
    }

    /// What was made of the records that are not known, in order.
    pub(in crate::sync) fn each_made(&self) -> impl Iterator<Item = Result<Made, StoreError>> {
        let made = self.made.iter();
        made.map(|packed| packed.map_err(StoreError::from)?.made())
    }
}

/// What was made of the record at a place.
pub(super) fn made_at(made: &mut InOrder<'_, Packed>, place: u32) -> Result<Made, StoreError> {
    made.get(place as usize)?.made()
}

impl FromIterator<Made> for Takings {
    fn from_iter<I: IntoIterator<Item = Made>>(all: I) -> Takings {
        let mut takings = Takings::default();
        for made in all {
            takings.make(made);
        }
        takings
    }
}
