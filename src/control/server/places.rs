//! Places for pages that are kept as things are now: a number in all, and a share for each person, so that nobody's open pages
//! take those of the others. Knows no page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::control::protocol::ProblemDocument;

use super::Peer;
use super::peer::Share;

/// So many pages are live at once: the rest of the connections is for commands.
const MOST: usize = 64;
/// So many of one person; a browser holds fewer connections to one place.
const OF_ONE: usize = 16;

/// The places, and who has them.
#[derive(Debug, Clone, Default)]
pub struct Places(Arc<Mutex<BTreeMap<Share, usize>>>);

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place {
    of: Places,
    whose: Share,
}

impl Places {
    /// Takes one, where there is one for whoever asks.
    pub fn take(&self, peer: &Peer) -> Result<Place, ProblemDocument> {
        let whose = peer.share();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(&whose).copied().unwrap_or_default();
        if own >= OF_ONE {
            return Err(ProblemDocument::busy(
                "too many of your pages are live at once; this one goes on without, load it again to see what is new",
            ));
        }
        if all >= MOST {
            return Err(ProblemDocument::busy(
                "too many pages are live at once; this one goes on without, load it again to see what is new",
            ));
        }
        taken.insert(whose.clone(), own + 1);
        Ok(Place {
            of: self.clone(),
            whose,
        })
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.values().sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(uid: u32) -> Peer {
        Peer {
            uid: Some(uid),
            ..Peer::default()
        }
    }

    #[test]
    fn nobody_has_more_than_their_share_and_what_is_given_back_is_there_again() {
        let places = Places::default();
        let own: Vec<Place> = (0..OF_ONE)
            .map(|_| places.take(&user(1)).unwrap())
            .collect();
        let told = places.take(&user(1)).unwrap_err();
        assert!(told.is_busy() && told.detail.contains("your pages"));
        let others: Vec<Place> = (0..MOST - OF_ONE)
            .map(|count| {
                places
                    .take(&user(2 + u32::try_from(count).unwrap() / 10))
                    .unwrap()
            })
            .collect();
        assert_eq!(places.taken(), MOST);
        assert!(places.take(&user(99)).unwrap_err().is_busy());
        drop(own);
        assert!(places.take(&user(99)).is_ok());
        drop(others);
        assert_eq!(places.taken(), 0);
        assert!(places.0.lock().unwrap().is_empty());
    }
}
