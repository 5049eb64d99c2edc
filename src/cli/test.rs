//! `epms test`: the mapping tests in `scripts/tests`.

use std::path::PathBuf;

use clap::Args;

use crate::config::Home;

use super::{Exit, Failure, Screen};

#[derive(Debug, Args)]
#[command(after_help = "\
a test is a file scripts/tests/PMS/CASE.yaml: a record, and what the script must make of it

examples
  epms test
  epms test yardi/")]
pub struct TestArguments {
    /// only tests whose PMS/CASE contains this
    pub filter: Option<String>,
    /// also write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &TestArguments,
    json: bool,
    home: &Home,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let _ = (arguments, json, home, screen);
    Err(Failure::other(Exit::Failed, "not built yet"))
}
