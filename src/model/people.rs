//! What the rules ask about the people of a store. Who keeps them answers; the rules know no store.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{IntegrationId, Person, PersonId, SpoolError};

/// The people of the store, as a run or an act of one integration asks for them.
pub trait People {
    /// Why a question could not be answered, or a long list could not be read.
    type Error: From<SpoolError>;
    /// A person.
    fn person(&self, id: PersonId) -> Result<Option<Person>, Self::Error>;
    /// A person who must be there, because a link or an index names them.
    fn named_elsewhere(&self, id: PersonId) -> Result<Person, Self::Error>;
    /// The person with an email in the form of R10.
    fn person_with_email(&self, email: &str) -> Result<Option<PersonId>, Self::Error>;
    /// The people of this property with these names, without regard to case.
    fn people_named(&self, first: &str, last: &str) -> Result<Vec<PersonId>, Self::Error>;
    /// Since when a person is linked, by integration: the earliest link that is not over, or the earliest of all.
    fn linked_since(&self, id: PersonId)
    -> Result<BTreeMap<IntegrationId, Timestamp>, Self::Error>;
    /// An id that no person ever had.
    fn new_person_id(&self) -> Result<PersonId, Self::Error>;
}
