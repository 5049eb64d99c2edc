//! How a PMS is read: request templates, authentication, paging, limits, retries; JSON, XML and CSV to
//! records.
//! Knows no PMS by name, maps nothing and stores nothing.

mod path;
mod position;
mod decode;
mod json;
mod known;
mod skim;
mod xml;
mod csv;
mod template;
mod answer;
mod link;
mod media;
mod tally;
mod page;
mod rate;
mod allowance;
mod budget;
mod patience;
mod egress;
mod trust;
mod token;
mod echo;
mod account;
mod error;
mod compiled;
mod compile;
mod call;
mod body;
mod send;
mod unpack;
mod verdict;
mod fetch;
mod auth;
mod presence;
mod read;
mod reader;
mod roots;
mod probe;
mod rewrite;

pub use account::{Account, AccountError};
pub use allowance::{Ledger, apart, for_the_clock};
pub use answer::{Judge, Ruling, Said};
pub use compiled::Source;
pub use decode::Shape;
pub use egress::Lookup;
pub use error::{SourceError, Told};
pub use known::Known;
pub use path::Path;
pub use patience::{Patience, Seats, Waits};
pub use probe::{Answered, Endpoint, FirstPage, Unreached};
pub use reader::{ClientError, Handed, Heard, Reader, Scope, collected};
pub use rewrite::{Rewrite, rewritten};
pub use roots::Roots;
pub use template::{Place, rendered};

/// `host`, or `host:port` where the URL names a port. None for anything but http and https.
fn authority(url: &url::Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Takes one answer apart as a run would, for recorded answers: the records as JSON texts.
pub fn records_of(shape: &Shape, body: &[u8]) -> Result<Vec<Box<str>>, String> {
    match decode::decode(shape, None, body) {
        Ok(decoded) if decoded.found => Ok(decoded.records),
        Ok(decode::Decoded {
            broken: Some(error),
            ..
        })
        | Err(error) => Err(error.to_string()),
        Ok(_) => Err(format!(
            "there is nothing at `{}` in the answer",
            shape.records
        )),
    }
}
