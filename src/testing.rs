//! How property tests search, those of this crate and those of the test crates: the same cases every time, or as many others as `EPMS_CASES` says.

use proptest::test_runner::{Config, RngSeed};

/// Tries `usual` cases, few enough for every landing and the same on every machine; or, where `EPMS_CASES` is set, so
/// many by chance. What a long search finds becomes a test of its own.
pub(crate) fn searching(usual: u32) -> Config {
    let asked = std::env::var("EPMS_CASES").ok();
    let asked = asked.map(|asked| asked.parse().expect("EPMS_CASES is a number"));
    Config {
        cases: asked.unwrap_or(usual),
        rng_seed: asked.map_or(RngSeed::Fixed(42), |_| RngSeed::Random),
        failure_persistence: None,
        ..Config::default()
    }
}
