//! What kinds of households there are, and how often: statuses, relations and traps. No names and
//! no dates.

use fastrand::Rng;

use super::names;
use super::world::{Relation, Status};

/// A record that a careless connector gets wrong. With 26 or more residents a world has each at
/// least once, and one with fewer has the first ones; [`World::trapped`](super::World::trapped) names who carries it.
/// AppFolio lists tenants only, so it shows neither `Guarantor` nor `Minor`; and it tells a
/// `DepartedRoommate` by status `Past`, where Voyager has a move-out date and a mark in the name.
/// In Voyager some of the guarantors and minors bear a mark in the name; nothing tells the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trap {
    /// Left a household that stayed.
    DepartedRoommate,
    /// Has no e-mail address.
    NoEmail,
    /// Has an address that stands for "none".
    PlaceholderEmail,
    /// Has a telephone number that cannot be called, and no other.
    UnusablePhone,
    /// Has the same address as another member of the household.
    SharedEmail,
    /// Is a company without a first name (AppFolio `CompanyName`, Voyager `LastName`).
    Company,
    /// Stands on the pseudo unit `WAIT`.
    PseudoUnit,
    /// Has a lease that ends before it starts.
    LeaseReversed,
    /// Has blanks around the name and the case of name and address mixed up.
    Padded,
    /// Lives there on a lease that is over.
    MonthToMonthOver,
    /// Lives there on a lease without an end.
    MonthToMonthOpen,
    /// Answers for the rent and does not live there.
    Guarantor,
    /// Lives there without being on the lease.
    Minor,
    /// Has accents, apostrophes, hyphens or blanks in the name.
    Accented,
    /// Moved out more than a year ago.
    LongGone,
    /// Lives there and has signed the next lease: in RealPage the same person again on a
    /// `Future Lease`, in Entrata one more lease interval, in ResMan and Rent Manager one more term. Not in the others.
    RenewalAhead,
    /// Is to move to another unit: in RealPage the same person again on a `Future Lease` there. The office is late with
    /// some of them. RealPage only.
    TransferAhead,
    /// Stands on a renewal that was signed before they left. RealPage only.
    RenewalOfLeaver,
    /// Is a minor, which only the label says. RealPage only.
    LabelledMinor,
    /// Has a bed of a unit in which others have beds, on leases of their own. Entrata only.
    Bed,
    /// Has two beds of such a unit on one lease. Entrata only.
    TwoBeds,
    /// Is a model unit that is leased to its own property. Entrata only.
    ModelUnit,
    /// Is a university that rents beds. Entrata only.
    University,
    /// Stands for somebody whom nobody knows yet, beside a university. Entrata only.
    BedHolder,
    /// Has an address that can receive nothing. Entrata only.
    ReservedDomain,
    /// Has a lease that rolled over: it starts the day after it ends. MRI only.
    TermRolled,
    /// Has two unit spaces. Entrata only.
    TwoUnitSpaces,
    /// Is the only customer of a lease that shows one object where a list is due. Entrata only.
    LoneObject,
    /// Has keys with blanks behind them. MRI only.
    PaddedKeys,
    /// Has a one-letter status (`O`, `R`) where others have a word. MRI only.
    ShortStatus,
    /// Has the contacts in lists, `Emails` and `PhoneNumbers`, where others have `Email` and `PhoneNumber`. AppFolio
    /// only.
    ContactLists,
}

/// What a household is made from.
pub(super) struct Recipe {
    pub(super) status: Status,
    pub(super) members: Vec<Relation>,
    pub(super) traps: Vec<Trap>,
}

/// The households every world starts with: 26 people, every status, every trap.
pub(super) fn first_households() -> Vec<Recipe> {
    use Relation::{Guarantor, Occupant, Roommate};
    use Status::{Applicant, Canceled, Current, Denied, Eviction, Future, Notice, Past};
    let recipe = |status, members: &[Relation], traps: &[Trap]| Recipe {
        status,
        members: members.to_vec(),
        traps: traps.to_vec(),
    };
    vec![
        recipe(Current, &[Roommate], &[Trap::DepartedRoommate]),
        recipe(Notice, &[], &[]),
        recipe(Eviction, &[], &[]),
        recipe(Future, &[], &[]),
        recipe(Past, &[], &[]),
        recipe(Applicant, &[], &[]),
        recipe(Current, &[Roommate], &[Trap::SharedEmail]),
        recipe(Current, &[Roommate, Guarantor], &[Trap::MonthToMonthOver]),
        recipe(Current, &[], &[Trap::Company]),
        recipe(Future, &[], &[Trap::PseudoUnit]),
        recipe(Canceled, &[], &[]),
        recipe(Denied, &[], &[]),
        recipe(
            Current,
            &[Roommate],
            &[
                Trap::MonthToMonthOpen,
                Trap::DepartedRoommate,
                Trap::UnusablePhone,
            ],
        ),
        recipe(Current, &[Occupant], &[Trap::Padded]),
        recipe(Current, &[], &[Trap::LeaseReversed]),
        recipe(Current, &[Roommate], &[Trap::Accented]),
        recipe(Past, &[], &[Trap::LongGone]),
        recipe(Current, &[], &[Trap::NoEmail]),
        recipe(Current, &[], &[Trap::PlaceholderEmail]),
    ]
}

/// Traps of which a household has at most one, as they are about the same value.
const EXCLUSIVE: [&[Trap]; 3] = [
    &[Trap::NoEmail, Trap::PlaceholderEmail, Trap::SharedEmail],
    &[
        Trap::LeaseReversed,
        Trap::MonthToMonthOver,
        Trap::MonthToMonthOpen,
    ],
    &[Trap::Company, Trap::Padded],
];

/// A household as they come in a large world.
pub(super) fn any_household(rng: &mut Rng) -> Recipe {
    let status = match rng.u16(..1000) {
        0..770 => Status::Current,
        770..820 => Status::Notice,
        820..835 => Status::Eviction,
        835..875 => Status::Future,
        875..950 => Status::Past,
        950..980 => Status::Applicant,
        980..992 => Status::Canceled,
        _ => Status::Denied,
    };
    let mut members = vec![Relation::Roommate; names::pick(rng, &[0, 0, 0, 0, 1, 1, 1, 2, 2, 3])];
    if rng.u8(..50) == 0 {
        members.push(Relation::Guarantor);
    }
    if rng.u8(..25) == 0 {
        members.push(Relation::Occupant);
    }
    let waiting = matches!(status, Status::Future | Status::Applicant);
    let candidates = [
        (
            status.lives_there() && members.first() == Some(&Relation::Roommate),
            30,
            Trap::DepartedRoommate,
        ),
        (true, 40, Trap::NoEmail),
        (true, 12, Trap::PlaceholderEmail),
        (true, 10, Trap::UnusablePhone),
        (
            members.first() == Some(&Relation::Roommate),
            25,
            Trap::SharedEmail,
        ),
        (
            status == Status::Current && members.is_empty(),
            6,
            Trap::Company,
        ),
        (waiting, 40, Trap::PseudoUnit),
        (status == Status::Current, 2, Trap::LeaseReversed),
        (true, 8, Trap::Padded),
        (status == Status::Current, 70, Trap::MonthToMonthOver),
        (status == Status::Current, 50, Trap::MonthToMonthOpen),
        (status == Status::Past, 300, Trap::LongGone),
    ];
    let mut traps = Vec::new();
    for (possible, per_thousand, trap) in candidates {
        let clash = EXCLUSIVE
            .iter()
            .any(|group| group.contains(&trap) && group.iter().any(|other| traps.contains(other)));
        if possible && rng.u16(..1000) < per_thousand && !clash {
            traps.push(trap);
        }
    }
    Recipe {
        status,
        members,
        traps,
    }
}
