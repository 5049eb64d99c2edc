//! `epms completions`: what a shell needs to complete commands. It installs nothing.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Arguments, Exit, Failure, Screen};

pub(super) fn run(shell: Shell, screen: &mut Screen<'_>) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "epms", &mut script);
    screen.out.write_all(&script)?;
    Ok(Exit::Done)
}
