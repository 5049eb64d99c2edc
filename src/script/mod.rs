//! The only module that names `rhai`: limits, helpers, compiling, calling, errors with their place. A
//! script is a pure function of the record and `ctx`; it reaches no clock, file, network or randomness.

mod error;
mod about;
mod said;
mod library;
mod context;
mod lookups;
mod helpers;
mod dates;
mod instants;
mod names;
mod nobody;
mod places;
mod units;
mod patterns;
mod decode;
mod described;
mod output;
mod lint;
mod literals;
mod meant;
mod resolver;
mod room;
mod engine;
mod used;
mod limits;
mod sparse;
mod seen;
mod frame;
mod compiled;
mod verdict;
mod coverage;

pub use compiled::{Asked, Mapped, Script, Wrong};
pub use context::{Context, Inputs, missed};
pub use coverage::{Coverage, Function};
pub use described::{DEFINED, Helper, definitions, described};
pub use error::ScriptError;
pub use library::Library;
pub use lookups::{Keyed, Lookups};
pub use room::{STACK, with_room};
pub use said::listening;
