//! How a PMS is read, and how a target is asked: request templates, authentication, paging, what answers mean; JSON, XML
//! and CSV to records. What is sent goes out through `outbound`.
//! Knows no PMS and no target by name, maps nothing and stores nothing.

mod path;
mod position;
mod decode;
mod trouble;
mod json;
mod known;
mod skim;
mod xml;
mod csv;
mod filters;
mod leaf;
mod template;
mod within;
mod answer;
mod link;
mod media;
mod tally;
mod page;
mod compiled;
mod compile;
mod call;
mod body;
mod expires;
mod judged;
mod alone;
mod verdict;
mod fetch;
mod auth;
mod presence;
mod granted;
mod read;
mod newest;
mod chain;
mod changes;
mod shared;
mod reader;
mod probe;
mod operate;
mod rewrite;
mod reference;

pub use crate::config::Operation;
pub use crate::outbound::OutboundError as SourceError;

pub use alone::{Alone, AnswerTo, Incomplete, Sample};
pub use answer::{By, Judge, Ruling, Said};
pub use compiled::Source;
pub use decode::Shape;
pub use granted::Notes;
pub use judged::Meaning;
pub use known::Known;
pub use operate::{Acted, Errand};
pub use path::Path;
pub use probe::{Came, Ending, FirstPage, Next, Probed, Sent};
pub use reader::{Handed, Heard, Reader, Scope, collected};
pub use reference::{Described, FILTERS, LETTERS, PATHS};
pub use rewrite::{Rewrite, rewritten};
pub use shared::Sharing;
pub use template::{Place, refused, rendered};

/// Takes one answer apart as a run would, for recorded answers: the records as JSON texts.
pub fn records_of(shape: &Shape, body: &[u8]) -> Result<Vec<Box<str>>, String> {
    match decode::decode(shape, None, body) {
        Ok(decoded) if decoded.found => Ok(decoded.records),
        Ok(decode::Decoded {
            broken: Some(error),
            ..
        })
        | Err(error) => Err(error.to_string()),
        Ok(decoded) => Err(shape.nothing_in(&decoded.around, decoded.records.len()).0),
    }
}
