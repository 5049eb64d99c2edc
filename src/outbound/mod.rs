//! The guarded way out: what is asked of other machines, with which credential, how often, and where it may not go.
//! Knows no PMS, no property, no record and no page; whoever asks says what is asked, and reads what comes.

mod account;
mod allowance;
mod budget;
mod echo;
mod egress;
mod error;
mod patience;
mod rate;
mod roots;
mod token;
mod trust;
mod unpack;

pub use account::{Account, AccountError};
pub use allowance::{Ledger, apart, for_the_clock};
pub use egress::Lookup;
pub use error::{OutboundError, Told};
pub use patience::{Patience, Seats, Waits};
pub use roots::Roots;

pub(crate) use account::{Fingerprint, LetIn, SecretValue, Shared};
pub(crate) use budget::{Asks, Late};
pub(crate) use egress::{Refused, Resolver, authority, cause, forbidden, system};
pub(crate) use error::{pause, shorten};
pub(crate) use rate::{refused, used_up};
pub(crate) use token::{Lasts, Token};
pub(crate) use trust::{Asker, Evidence, Place};
pub(crate) use unpack::{Incoming, Unfit};
