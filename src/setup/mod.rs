//! The set-up of an integration, for the command and the page alike: what an answer must be, looks into the PMS on the way, the
//! texts of the files that come of it, and writing them. Asks nobody, and shows nothing.

pub mod account;
pub mod answer;
pub mod asking;
pub mod difference;
pub mod draft;
pub mod edit;
mod keep;
mod names;
mod of_account;
mod pasted;
pub mod text;
mod write;

pub use draft::Draft;
pub use keep::keep;
pub use names::{called, common_zone, free_id};
pub use of_account::{OfAccount, listed};
pub use pasted::{Pasted, new_file};
pub use text::{NewCredential, NewIntegration, NewTarget};
pub use write::{NewText, Unwritten, write};
