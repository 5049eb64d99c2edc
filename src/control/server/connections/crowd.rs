//! All connections at once: who comes in, and who goes for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::peer::{Peer, Share};
use super::line::Line;

/// The connections there are.
pub(super) struct Crowd {
    most: usize,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    next: u64,
    all: BTreeMap<u64, Arc<Line>>,
}

impl Crowd {
    pub(super) fn new(most: usize) -> Crowd {
        Crowd {
            most,
            lines: Mutex::default(),
        }
    }

    /// A place for a new connection; none when all are taken by requests that are being answered.
    pub(super) fn enter(&self, peer: &Peer) -> Option<Arc<Line>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.all.len() >= self.most {
            lines.make_room()?;
        }
        let id = lines.next;
        lines.next += 1;
        let line = Arc::new(Line::new(id, peer.share()));
        lines.all.insert(id, Arc::clone(&line));
        Some(line)
    }

    /// Ends a connection that waits for its caller; says whether there was one.
    pub(super) fn make_room(&self) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.make_room().is_some()
    }

    pub(super) fn leave(&self, line: &Line) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.all.remove(&line.id);
    }
}

impl Lines {
    /// Of the user with the most connections, the one that has waited longest for its caller.
    fn make_room(&mut self) -> Option<()> {
        let mut of_user: BTreeMap<&Share, usize> = BTreeMap::new();
        for line in self.all.values() {
            *of_user.entry(&line.share).or_default() += 1;
        }
        let waiting = self
            .all
            .values()
            .filter_map(|line| Some((line, line.waits_since()?)));
        let (line, _) = waiting.min_by_key(|(line, since)| {
            let crowd = of_user.get(&line.share).copied().unwrap_or_default();
            (std::cmp::Reverse(crowd), *since)
        })?;
        line.let_go();
        let id = line.id;
        self.all.remove(&id);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(uid: u32) -> Peer {
        Peer {
            uid: Some(uid),
            ..Peer::default()
        }
    }

    #[test]
    fn who_waits_longest_of_the_user_with_the_most_connections_goes() {
        let crowd = Crowd::new(4);
        let others = crowd.enter(&peer(1)).unwrap();
        let busy = crowd.enter(&peer(2)).unwrap();
        let answering = busy.answers();
        let idle = crowd.enter(&peer(2)).unwrap();
        let young = crowd.enter(&peer(2)).unwrap();
        assert!(crowd.enter(&peer(3)).is_some());
        let gone = [&others, &busy, &idle, &young].map(|line| line.is_let_go());
        assert_eq!(gone, [false, false, true, false]);
        drop(answering);
    }

    #[test]
    fn nobody_goes_whose_request_is_being_answered() {
        let crowd = Crowd::new(2);
        let lines = [
            crowd.enter(&peer(1)).unwrap(),
            crowd.enter(&peer(1)).unwrap(),
        ];
        let answering = lines.each_ref().map(Line::answers);
        assert!(crowd.enter(&peer(2)).is_none());
        assert!(!crowd.make_room());
        drop(answering);
        assert!(crowd.enter(&peer(2)).is_some());
        crowd.leave(&lines[0]);
        crowd.leave(&lines[1]);
        assert!(crowd.enter(&peer(3)).is_some());
    }
}
