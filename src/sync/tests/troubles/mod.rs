//! What went wrong for people who ran such syncs, each as a test: a feed that lies, and what may come of it; and
//! ordinary mornings that look like a lie, and must pass. The number in a test's comment is that of the report.

mod by_hand;
mod identities;
mod leavers;
mod lies;
mod mornings;
mod two_feeds;

use super::*;

/// Everybody, after `change` came over them; the place in the list comes with each.
pub(super) fn all_with(
    people: &[Resident],
    change: impl Fn(usize, Resident) -> Resident,
) -> Vec<Resident> {
    let people = people.iter().cloned().enumerate();
    people.map(|(place, one)| change(place, one)).collect()
}

/// The neighbour of a place, where the last one's is the first.
fn next(people: &[Resident], place: usize) -> &Resident {
    &people[(place + 1) % people.len()]
}

impl World {
    /// A run that commits, holds nothing, and after which no alert is open.
    #[track_caller]
    pub(super) fn is_ordinary<I: Into<Item>>(
        &mut self,
        items: impl IntoIterator<Item = I>,
    ) -> Seen {
        let seen = self.run(items);
        assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
        assert_eq!(seen.kinds(), NO_ALERTS);
        seen
    }

    /// A run that is held. Nobody is changed, nobody comes; that somebody was not named may be counted.
    #[track_caller]
    pub(super) fn holds<I: Into<Item>>(&mut self, items: impl IntoIterator<Item = I>) -> Seen {
        let people = self.people();
        let seen = self.run(items);
        assert_eq!(seen.report.outcome.as_str(), "held", "{:?}", seen.report);
        assert!(seen.kinds().contains(&AlertKind::MassChangeHeld));
        assert_eq!(self.people(), people);
        seen
    }

    /// The only person with this email.
    #[track_caller]
    pub(super) fn with_the_email(&self, email: &str) -> Person {
        let people = self.people();
        let found = people
            .iter()
            .find(|one| one.email.as_deref() == Some(email));
        found
            .unwrap_or_else(|| panic!("nobody has {email}: {people:#?}"))
            .clone()
    }
}

impl Seen {
    /// How many alerts of a kind are open.
    pub(super) fn count(&self, kind: AlertKind) -> usize {
        self.alerts
            .iter()
            .filter(|alert| alert.kind == kind)
            .count()
    }

    /// Whether the report tells of something, in a note whose name contains this.
    pub(super) fn notes(&self, what: &str) -> bool {
        self.report.notes.keys().any(|kind| kind.contains(what))
    }
}
