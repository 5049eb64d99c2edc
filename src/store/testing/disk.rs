//! A disk in memory that fails, fills up, or loses its power, when it is told to. It keeps what would lie on a
//! real one: what was synced, and what was written since.

use std::io::{self, Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

/// Sectors are written whole or not at all; pages of redb need not be.
const SECTOR: usize = 512;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The n-th step fails, and every one after it; a write is half done by then.
    From(u64),
    /// The n-th step fails, and no other.
    Once(u64),
    /// There is no room for more than so many bytes.
    Full(usize),
}

/// What a power cut leaves of what was written since the last sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing.
    All,
    /// Everything.
    Nothing,
    /// Some of it, sector by sector, by chance.
    Some(u64),
}

/// Steps are reads, writes, changes of length and syncs, counted from 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Clone, Default)]
struct State {
    now: Vec<u8>,
    synced: Vec<u8>,
    since: Vec<(usize, Vec<u8>)>,
    /// The shortest that it was since: what lies behind that is gone, whatever was written there again.
    shortest: usize,
    steps: u64,
    fault: Option<Fault>,
    failures: u64,
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What the store is opened on, any number of times.
    pub(crate) fn medium(
        &self,
    ) -> impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + use<> {
        let disk = self.clone();
        move || Ok(Box::new(disk.clone()))
    }

    /// Another disk with the same on it, whole and with its steps counted anew.
    pub(crate) fn copy(&self) -> Disk {
        Disk::of(self.state().now.clone())
    }

    /// A disk with this on it, synced.
    fn of(bytes: Vec<u8>) -> Disk {
        Disk(Arc::new(Mutex::new(State {
            shortest: bytes.len(),
            synced: bytes.clone(),
            now: bytes,
            ..State::default()
        })))
    }

    /// What goes wrong from now on. Steps are counted anew.
    pub(crate) fn set(&self, fault: Option<Fault>) {
        let mut state = self.state();
        (state.fault, state.steps, state.failures) = (fault, 0, 0);
    }

    /// Steps since the fault was set.
    pub(crate) fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Whether the fault was met.
    pub(crate) fn failed(&self) -> bool {
        self.state().failures > 0
    }

    /// How many bytes there are.
    pub(crate) fn size(&self) -> usize {
        self.state().now.len()
    }

    /// How many bytes of memory it takes.
    pub(crate) fn holds(&self) -> usize {
        let state = self.state();
        let since: usize = state.since.iter().map(|(_, data)| data.len()).sum();
        state.now.len() + state.synced.len() + since
    }

    /// The disk after a power cut.
    pub(crate) fn after_power_cut(&self, loss: Loss) -> Disk {
        let state = self.state();
        let left = match loss {
            Loss::Nothing => state.now.clone(),
            Loss::All => state.synced.clone(),
            Loss::Some(seed) => {
                let mut random = fastrand::Rng::with_seed(seed);
                let mut left = state.synced.clone();
                let longest = left.len().max(state.now.len());
                let grown = random.bool();
                left.resize(if grown { longest } else { left.len() }, 0);
                for (offset, data) in &state.since {
                    // Now and then a write is lost whole, or kept whole.
                    let keep = random.u8(0..4);
                    for (at, sector) in data.chunks(SECTOR).enumerate() {
                        let start = offset + at * SECTOR;
                        let lost = keep == 0 || (keep < 3 && random.bool());
                        if let (false, Some(place)) =
                            (lost, left.get_mut(start..start + sector.len()))
                        {
                            place.copy_from_slice(sector);
                        }
                    }
                }
                left
            }
        };
        Disk::of(left)
    }
}

impl State {
    fn step(&mut self) -> io::Result<()> {
        let step = self.steps;
        self.steps += 1;
        let fails = match self.fault {
            Some(Fault::From(at)) => step >= at,
            Some(Fault::Once(at)) => step == at,
            Some(Fault::Full(_)) | None => false,
        };
        if fails {
            self.failures += 1;
            return Err(Error::other("the disk failed"));
        }
        Ok(())
    }

    fn room(&mut self, wanted: usize) -> io::Result<()> {
        match self.fault {
            Some(Fault::Full(size)) if wanted > size.max(self.synced.len()) => {
                self.failures += 1;
                Err(Error::from(ErrorKind::StorageFull))
            }
            _ => Ok(()),
        }
    }

    /// What was written since is synced. A disk is large, and what is written to it in a commit is not.
    fn settle(&mut self) {
        let State {
            now, synced, since, ..
        } = self;
        synced.truncate(self.shortest);
        synced.resize(now.len(), 0);
        for (offset, data) in since.drain(..) {
            let end = now.len().min(offset + data.len());
            if offset < end {
                synced[offset..end].copy_from_slice(&now[offset..end]);
            }
        }
        self.shortest = now.len();
    }

    fn put(&mut self, offset: usize, data: &[u8]) {
        self.now[offset..offset + data.len()].copy_from_slice(data);
        self.since.push((offset, data.to_vec()));
    }
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let start = size(offset);
        let from = state.now.get(start..start + out.len());
        out.copy_from_slice(from.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.room(size(len))?;
        state.now.resize(size(len), 0);
        state.shortest = state.shortest.min(size(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.settle();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let start = size(offset);
        if let Err(error) = state.step() {
            state.put(start, &data[..data.len() / 2]);
            return Err(error);
        }
        state.put(start, data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::searching;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn what_is_synced_is_what_was_there(
            steps in prop::collection::vec((0u8..4, 0usize..64, any::<u8>()), 0..60),
        ) {
            let disk = Disk::default();
            let mut synced = Vec::new();
            for (step, place, byte) in steps {
                let length = disk.size();
                match step {
                    0 => disk.set_len(place as u64).unwrap(),
                    1 => {
                        disk.sync_data().unwrap();
                        synced = disk.state().now.clone();
                    }
                    _ if place < length => {
                        let data = vec![byte; (length - place).min(9)];
                        disk.write(place as u64, &data).unwrap();
                    }
                    _ => {}
                }
                prop_assert_eq!(&disk.state().synced, &synced);
            }
        }
    }
}
