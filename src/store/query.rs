//! Questions as values, answered by the tables: a page of what fits, found by an index where there is one, and else looked
//! for among so many and no more. Decides nothing.

mod alerts;
mod fits;
mod names;
mod people;
mod runs;

/// So many are looked at for one page where no index finds what is asked for.
const MOST: usize = 10_000;

/// A page of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T, C> {
    /// What fits, in the order asked for.
    pub items: Vec<T>,
    /// Behind what the next page begins; none where there is nothing more.
    pub next: Option<C>,
    /// How many were looked at, where the page ended because they were so many, and not because it was full.
    pub stopped: Option<usize>,
    /// How many entries of tables were read.
    pub rows: usize,
}

/// A page that fills.
struct Page<T, C> {
    items: Vec<T>,
    size: usize,
    most: usize,
    looked: usize,
    /// Behind the last one that was looked at, and behind the last one that is on the page.
    seen: Option<C>,
    last: Option<C>,
    is_more: bool,
}

impl<T, C: Clone> Page<T, C> {
    fn new(size: usize, most: usize) -> Page<T, C> {
        Page {
            items: Vec::new(),
            size,
            most,
            looked: 0,
            seen: None,
            last: None,
            is_more: false,
        }
    }

    /// Whether one more may be looked at.
    fn has_room(&self) -> bool {
        !self.is_more && self.looked < self.most
    }

    /// One was looked at, and fits or not.
    fn look(&mut self, at: C, fits: Option<T>) {
        self.looked += 1;
        if let Some(item) = fits {
            if self.items.len() >= self.size {
                self.is_more = true;
                return;
            }
            self.items.push(item);
            self.last = Some(at.clone());
        }
        self.seen = Some(at);
    }

    /// The page, where `rows` entries were read, and everything was looked at or not.
    fn end(self, is_all: bool, rows: usize) -> Found<T, C> {
        let is_stopped = !is_all && !self.is_more;
        Found {
            next: match (self.is_more, is_all) {
                (true, _) => self.last,
                (false, true) => None,
                (false, false) => self.seen,
            },
            stopped: is_stopped.then_some(self.looked),
            items: self.items,
            rows,
        }
    }
}
