//! What is read from outside, thrown at what reads it: one function for each fuzz target. Each takes any bytes
//! whatever, and panics where something does not hold. `tests/hostile/corpus.rs` calls the same functions with everything
//! in `corpus/`, without a fuzzer.

mod answers;
mod dates;
mod files;
mod people;
mod socket;

pub use answers::{csv_answer, json, template, verdict, xml};
pub use dates::dates;
pub use files::{script_result, yaml};
pub use people::{people_csv, record};
pub use socket::socket;

/// A function that takes any bytes.
pub type Target = fn(&[u8]);

/// Every target, by the name of its folder in `corpus/`.
pub const TARGETS: [(&str, Target); 11] = [
    ("yaml", yaml),
    ("script_result", script_result),
    ("json", json),
    ("xml", xml),
    ("csv_answer", csv_answer),
    ("verdict", verdict),
    ("dates", dates),
    ("template", template),
    ("socket", socket),
    ("people_csv", people_csv),
    ("record", record),
];

/// The part before the first line break, and the rest; without one, all and nothing.
fn line_and_rest(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}
