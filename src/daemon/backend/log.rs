//! The change log as it is asked for: from a place on, and why one is no place to go on from. Reads, and waits for nothing.

use crate::control::protocol::{Place, ProblemDocument};
use crate::control::server::{Answer, ChangeFilter, Changes};
use crate::store::{StoreError, View};

/// Of the next so many changes after a place those that are asked for.
pub(super) fn changes(
    view: &View,
    after: Place,
    filter: &ChangeFilter,
    among: usize,
) -> Result<Answer<Changes>, StoreError> {
    let epoch = view.identity()?.epoch;
    let (from, end) = (view.changes_from()?, view.last_change()?);
    if let Some(why) = is_no_place(after, epoch, from, end) {
        return Ok(Err(ProblemDocument::gone(why)));
    }
    let mut changes = view.changes(after.seq, among)?;
    let last = changes.last().map(|change| change.seq);
    changes.retain(|change| filter.keeps(change));
    Ok(Ok(Changes {
        epoch,
        seq: last.unwrap_or(after.seq),
        is_more: last.is_some(),
        changes,
    }))
}

/// Why nobody can go on from a place: what lies between would be missed without a word.
fn is_no_place(after: Place, epoch: u64, from: u64, end: u64) -> Option<String> {
    let anew = format!(
        "take everybody from /v1/people, and go on after the `epoch` and `seq` of its first page, {epoch}:{end} now"
    );
    if let Some(asked) = after.epoch.filter(|asked| *asked != epoch) {
        return Some(format!(
            "{after} is a place of epoch {asked}, and the store is in epoch {epoch}: it was restored or made anew since; {anew}"
        ));
    }
    if after.seq > end {
        return Some(format!(
            "{after} lies beyond the end of the change log, {end}: it is of another store, or of one that was restored since; {anew}"
        ));
    }
    // Whoever goes on where they ended must hear that something between was forgotten.
    if after.seq > 0 && after.seq.saturating_add(1) < from {
        return Some(format!(
            "changes up to {} are not kept any more; {anew}",
            from - 1
        ));
    }
    None
}

/// The place before the last so many changes that are asked for.
pub(super) fn tail(view: &View, filter: &ChangeFilter, count: usize) -> Result<Place, StoreError> {
    let epoch = Some(view.identity()?.epoch);
    let before = |seq: u64| Place { epoch, seq };
    if count == 0 {
        return Ok(before(view.last_change()?));
    }
    let first = view.latest_change(count, |change| filter.keeps(change))?;
    // Where there are fewer, it begins with what is kept.
    let start = view.changes_from()?.saturating_sub(1);
    Ok(before(first.map_or(start, |seq| seq.saturating_sub(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(after: &str) -> Option<String> {
        is_no_place(after.parse().unwrap(), 2, 100, 250)
    }

    #[test]
    fn a_place_from_which_something_would_be_missed_is_refused() {
        for place in ["2:251", "251", "2:98", "98", "1:200", "3:200"] {
            let why = why(place).expect(place);
            assert!(why.ends_with("2:250 now"), "{why}");
        }
        for place in ["0", "2:0", "99", "2:99", "250", "2:250", "150"] {
            assert_eq!(why(place), None, "{place}");
        }
    }
}
