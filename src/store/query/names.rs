//! People in the order of their names, of one integration or of all: the places of the index by name, merged. Reads nobody.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Bound;

use redb::{Range, ReadOnlyTable};
use unicase::UniCase;

use crate::model::IntegrationId;
use crate::store::write::Done;

pub(super) type ByName = ReadOnlyTable<(&'static str, &'static str, u64), ()>;

/// Between first and last name in the index.
const BETWEEN: char = '\u{1f}';

/// So many readings of the blanks in a name that is asked for are looked for.
const READINGS: usize = 8;

/// A name as it is compared, and whose it is.
pub(super) type Place = (String, u64);

/// The places of one integration with one beginning.
struct Stream {
    range: Range<'static, (&'static str, &'static str, u64), ()>,
    integration: String,
    begins: String,
}

/// The places of several, in the order of names.
pub(super) struct Names {
    streams: Vec<Stream>,
    heads: BinaryHeap<Reverse<(Place, usize)>>,
    before: Option<Place>,
    rows: usize,
}

/// How a name that begins so may stand in the index: each of its blanks may be the one between first and last name, and
/// whoever has no first name begins with that.
fn beginnings(asked: &str) -> Vec<String> {
    let words: Vec<&str> = asked.split_whitespace().collect();
    let asked = UniCase::unicode(words.join(" ")).to_folded_case();
    let blanks = asked.match_indices(' ').map(|(at, _)| {
        let (first, last) = asked.split_at(at);
        format!("{first}{BETWEEN}{}", last.trim_start())
    });
    let mut all = vec![asked.clone(), format!("{BETWEEN}{asked}")];
    all.extend(blanks.take(READINGS - 2));
    all
}

/// Whether a name as it stands in the index begins as it is asked for.
pub(super) fn begins(key: &str, asked: &str) -> bool {
    beginnings(asked).iter().any(|begin| key.starts_with(begin))
}

/// The integrations at which anybody has a stay, and nowhere.
fn integrations(table: &ByName, rows: &mut usize) -> Done<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    loop {
        // No name of an integration is another's and this character behind it.
        let next = all.last().map_or(String::new(), |last| format!("{last}\0"));
        let mut range = table.range((next.as_str(), "", 0)..)?;
        *rows += 1;
        match range.next().transpose()? {
            Some((key, _)) => all.push(key.value().0.to_owned()),
            None => return Ok(all),
        }
    }
}

impl Names {
    /// The names of an integration, or of everybody, that begin as it is asked for, behind a place.
    pub(super) fn of(
        table: &ByName,
        integration: Option<&IntegrationId>,
        asked: Option<&str>,
        behind: Option<&Place>,
    ) -> Done<Names> {
        let mut names = Names {
            streams: Vec::new(),
            heads: BinaryHeap::new(),
            before: None,
            rows: 0,
        };
        let places = match integration {
            Some(id) => vec![id.as_str().to_owned()],
            None => integrations(table, &mut names.rows)?,
        };
        let begins = asked.map_or_else(|| vec![String::new()], beginnings);
        for integration in &places {
            for begins in &begins {
                names.open(table, integration, begins, behind)?;
            }
        }
        Ok(names)
    }

    fn open(
        &mut self,
        table: &ByName,
        integration: &str,
        begins: &str,
        behind: Option<&Place>,
    ) -> Done<()> {
        let behind = behind.filter(|(key, _)| key.as_str() >= begins);
        let from = match behind {
            Some((key, id)) => Bound::Excluded((integration, key.as_str(), *id)),
            None => Bound::Included((integration, begins, 0)),
        };
        let range = table.range::<(&str, &str, u64)>((from, Bound::Unbounded))?;
        self.streams.push(Stream {
            range,
            integration: integration.to_owned(),
            begins: begins.to_owned(),
        });
        self.advance(self.streams.len() - 1)
    }

    fn advance(&mut self, which: usize) -> Done<()> {
        let Some(stream) = self.streams.get_mut(which) else {
            return Ok(());
        };
        self.rows += 1;
        let Some((key, _)) = stream.range.next().transpose()? else {
            return Ok(());
        };
        let (integration, key, id) = key.value();
        if integration == stream.integration && key.starts_with(&stream.begins) {
            self.heads.push(Reverse(((key.to_owned(), id), which)));
        }
        Ok(())
    }

    /// The next place; whoever has several stays has one.
    pub(super) fn next(&mut self) -> Done<Option<Place>> {
        while let Some(Reverse((place, which))) = self.heads.pop() {
            self.advance(which)?;
            if self.before.as_ref() != Some(&place) {
                self.before = Some(place.clone());
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// How many entries were read.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }
}
