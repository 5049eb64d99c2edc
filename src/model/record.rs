//! A record: what the PMS sent, before mapping.

use std::sync::Arc;

/// One object of a PMS's answer, as JSON text whatever form it came in (XML elements become objects:
/// names without their namespace, attributes as `@name`, text beside attributes as `#text`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The request that it answers, as the connector names it.
    pub request: Arc<str>,
    /// The PMS property that was asked for; empty for requests that are asked once.
    pub property: String,
    /// The record.
    pub json: Box<str>,
}

/// Whether everything was read that there is.
#[derive(Debug)]
pub enum Reading<E> {
    /// All of it: what is missing is missing in the PMS.
    Complete {
        /// Pages read.
        pages: u64,
        /// Records read.
        records: u64,
    },
    /// Not all of it. Nothing follows from what is missing, and nothing may be written (R26).
    Partial {
        /// Why.
        reason: E,
    },
}
