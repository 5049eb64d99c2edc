//! The neutral model of one PMS's data: properties, units, households and their people. It knows
//! no wire format, makes up no data (`seed`), finds nothing (`find`), lets nothing happen (`life`).

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::recipe::Trap;

/// Names one person for as long as the world exists; renaming or moving does not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u32);

/// Names one household, which is also its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HouseholdId(pub u32);

/// Names one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(pub u32);

/// Where a tenancy stands. Each wire format has its own word for it, or leaves the record out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Asked for a lease, has none.
    Applicant,
    /// Lease signed, not yet moved in.
    Future,
    /// Lives there.
    Current,
    /// Lives there and has given notice.
    Notice,
    /// Lives there, under eviction.
    Eviction,
    /// Moved out.
    Past,
    /// Withdrew before moving in.
    Canceled,
    /// Was refused.
    Denied,
    /// A word nobody has told the connector about; rendered as it is.
    Other(&'static str),
}

impl Status {
    /// Every status a seeded world contains.
    pub const ALL: [Status; 8] = [
        Self::Applicant,
        Self::Future,
        Self::Current,
        Self::Notice,
        Self::Eviction,
        Self::Past,
        Self::Canceled,
        Self::Denied,
    ];

    /// Whether the household lives in its unit now.
    pub fn lives_there(self) -> bool {
        matches!(self, Self::Current | Self::Notice | Self::Eviction)
    }
}

/// Why a household left that did not leave as agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leaving {
    /// Was put out.
    Evicted,
    /// Left without a word.
    Skipped,
}

/// What a person is to the household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The tenant the lease is kept under; one for each household.
    Primary,
    /// On the lease, lives there.
    Roommate,
    /// Answers for the rent, does not live there.
    Guarantor,
    /// Lives there without being on the lease, often a minor.
    Occupant,
}

/// What a telephone number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhoneKind {
    /// At work.
    Office,
    /// At home.
    Home,
    /// Fax.
    Fax,
    /// Mobile.
    Cell,
}

/// One person as the PMS knows them. Values are as somebody typed them, padded and odd included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Stable name of the person in this world.
    pub id: PersonId,
    /// What they are to the household.
    pub relation: Relation,
    /// First name; empty for a company.
    pub first: String,
    /// Last name; empty for a company.
    pub last: String,
    /// Set when the tenant is a company.
    pub company: Option<String>,
    /// E-mail address, usable or not.
    pub email: Option<String>,
    /// Telephone numbers in the notation somebody typed.
    pub phones: Vec<(PhoneKind, String)>,
    /// When this person moved in.
    pub move_in: Option<Date>,
    /// When this person left a household that stayed.
    pub move_out: Option<Date>,
    /// Which departure of the world this was, counted from 0.
    pub departure: Option<u32>,
}

impl Person {
    /// The person's Voyager code: a t-code for a primary, an r-code for everyone else. It changes
    /// when a roommate is promoted, as it does there.
    pub fn code(&self) -> String {
        let letter = if self.relation == Relation::Primary {
            't'
        } else {
            'r'
        };
        format!("{letter}{:07}", 12_000 + self.id.0)
    }

    /// First and last name, or the company's.
    pub fn name(&self) -> String {
        match &self.company {
            Some(company) => company.clone(),
            None => format!("{} {}", self.first.trim(), self.last.trim()),
        }
    }
}

/// One tenancy: a lease on a unit and the people under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    /// Stable name of the household and of its lease.
    pub id: HouseholdId,
    /// The tenancy this one was split from when its primary left; otherwise its own number.
    pub occupancy: u32,
    /// Index into [`World::properties`].
    pub property: usize,
    /// The unit; may be a pseudo unit.
    pub unit: UnitId,
    /// Where the tenancy stands.
    pub status: Status,
    /// First day of the lease.
    pub lease_start: Option<Date>,
    /// Last day of the lease; none when it is open-ended.
    pub lease_end: Option<Date>,
    /// When it was last renewed.
    pub renewed: Option<Date>,
    /// First and last day of a renewal that is signed and has not begun.
    pub next_lease: Option<(Date, Date)>,
    /// The unit that it is to move to, and from which day, as long as the office has not made it so.
    pub moving_to: Option<(UnitId, Date)>,
    /// The beds that it has, counted from 0, of a unit that is let by the bed; none where it has all of the unit.
    pub beds: Vec<u32>,
    /// Which lease of its unit this is, counted from 1.
    pub lease: u32,
    /// Day of moving in, past or expected.
    pub move_in: Option<Date>,
    /// Day of moving out, past or expected.
    pub move_out: Option<Date>,
    /// When notice was given.
    pub notice: Option<Date>,
    /// Why they left, where it was not of their own accord and as agreed.
    pub leaving: Option<Leaving>,
    /// Which unit of the same property they lived in before they were transferred, and until when.
    pub transferred: Option<(UnitId, Date)>,
    /// The people, primary first. Empty once all have been deleted.
    pub members: Vec<Person>,
    /// Last change of the household or anyone in it.
    pub updated: Timestamp,
}

impl Household {
    /// The member the lease is kept under.
    pub fn primary(&self) -> Option<&Person> {
        self.members
            .iter()
            .find(|person| person.relation == Relation::Primary)
    }

    /// The status of one member: a departed roommate is past though the household stays.
    pub fn status_of(&self, person: &Person, today: Date) -> Status {
        if self.status.lives_there() && person.move_out.is_some_and(|day| day <= today) {
            Status::Past
        } else {
            self.status
        }
    }

    /// Whether the lease runs from month to month.
    pub fn monthly(&self, today: Date) -> bool {
        self.status.lives_there() && self.lease_end.is_none_or(|end| end < today)
    }
}

/// One unit, or a pseudo unit such as `WAIT` that only holds records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Stable name of the unit.
    pub id: UnitId,
    /// Index into [`World::properties`].
    pub property: usize,
    /// What is on the door.
    pub label: String,
    /// The building, where the property has several.
    pub building: Option<String>,
    /// Whether nobody can live here.
    pub pseudo: bool,
    /// Number of bedrooms.
    pub bedrooms: u32,
    /// By how many beds it is let; 0 where it is let as a whole.
    pub beds: u32,
    /// Rent in whole dollars.
    pub rent: u32,
    /// How many leases there were, those that are over included.
    pub leases: u32,
}

/// One property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The code, by which Voyager knows it.
    pub code: String,
    /// The marketing name.
    pub name: String,
    /// Street line.
    pub street: String,
    /// City.
    pub city: &'static str,
    /// Two-letter state.
    pub state: &'static str,
    /// Postal code.
    pub postal: String,
}

/// What can carry a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A property, by index.
    Property,
    /// A unit, by id.
    Unit,
    /// A person, by id.
    Person,
    /// An occupancy, by number.
    Occupancy,
    /// A lease, by household id.
    Lease,
    /// One answered request, by count.
    Request,
}

/// All that one PMS knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    pub(super) seed: u64,
    pub(super) today: Date,
    pub(super) properties: Vec<Property>,
    pub(super) units: Vec<Unit>,
    pub(super) households: Vec<Household>,
    pub(super) traps: BTreeMap<Trap, Vec<PersonId>>,
    pub(super) next_person: u32,
    pub(super) departures: u32,
}
