//! What a month took, few at a time: told, never held. Pure.

use jiff::SignedDuration;

use crate::config::Guard;
use crate::model::{GuardState, PersonId, TakenFrom};

/// How long a month is here.
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many lost something within a month, of how many linked people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drain {
    /// At least so many people.
    pub(crate) people: usize,
    /// Of so many.
    pub(crate) linked: usize,
    /// It is too much.
    pub(crate) is_too_much: bool,
}

/// Adds those from whom a run took something, and judges the month. `linked` is asked where it could matter: how many
/// are linked, with those who were within the month.
pub(super) fn judge<E>(
    state: &mut GuardState,
    limits: &Guard,
    now: jiff::Timestamp,
    taken: impl IntoIterator<Item = PersonId>,
    linked: impl FnOnce(&[TakenFrom]) -> Result<usize, E>,
) -> Result<Drain, E> {
    let mut month = std::mem::take(&mut state.month);
    let mut taken: Vec<PersonId> = taken.into_iter().collect();
    taken.sort_unstable();
    taken.dedup();
    month.retain(|one| {
        now.duration_since(one.at) < MONTH && taken.binary_search(&one.person).is_err()
    });
    let asks = !taken.is_empty();
    month.extend(
        taken
            .into_iter()
            .map(|person| TakenFrom { at: now, person }),
    );
    // More of them say nothing more.
    let limit = usize::try_from(limits.month).unwrap_or(usize::MAX);
    let most = limit.saturating_add(1);
    month.drain(..month.len().saturating_sub(most));
    let people = month.len();
    let few = usize::try_from(limits.limit).unwrap_or(usize::MAX);
    if asks && people > few && people <= limit {
        state.month_of = linked(&month)? as u64;
    }
    state.month = month;
    let linked = usize::try_from(state.month_of).unwrap_or(usize::MAX);
    Ok(Drain {
        people,
        linked,
        // So few as may go in a day are no drain of a month, however small the building.
        is_too_much: people > limit || people > few && people * 2 > linked,
    })
}
