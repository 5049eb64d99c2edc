//! The guarded way out: what is asked of other machines, with which credential, how often, and where it may not go.
//! Knows no PMS, no property, no record and no page; whoever asks says what is asked, and reads what comes.

mod account;
mod allowance;
mod budget;
mod clients;
mod echo;
mod egress;
mod error;
mod exchange;
mod fetch;
mod patience;
mod post;
mod proxy;
mod rate;
mod redact;
mod roots;
mod send;
mod sign;
mod token;
mod trust;
mod unpack;
mod usage;
mod unreached;
mod verify;
mod watch;
mod way;

pub use account::{Account, AccountError};
pub use allowance::{Ledger, apart, for_the_clock};
pub use clients::{ClientError, Outbound};
pub use egress::Lookup;
pub use error::{OutboundError, Told, without_said};
pub use fetch::{Fetch, Fetched};
pub use patience::{Patience, Seats, Waits};
pub use post::{Post, Unposted};
pub use redact::{Redacted, RedactedHeader};
pub use roots::Roots;
pub use usage::{SecretsSeen, budgets};
pub use way::{Answered, Endpoint, Unreached};

pub(crate) use account::Fingerprint;
pub(crate) use clients::Asking;
pub(crate) use egress::{Host, Permitted, authority};
pub(crate) use error::{impersonal, pause, shorten};
pub(crate) use exchange::{CHECK_IT, Exchange, Failure, NOT_QUOTED, Prepared, Shows};
pub(crate) use send::Answer;
pub(crate) use sign::{is_signed, sha256, signed, standard_key};
pub(crate) use token::{Lasts, Left, Token};
pub(crate) use unpack::{from_gzip, from_zip};
#[cfg(test)]
pub(crate) use verify::Signer;
pub(crate) use verify::{PublicKey, Signing, challenge};
pub(crate) use watch::{Exchanged, Watch};
