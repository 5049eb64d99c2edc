//! `epms completions`: what a shell needs to complete commands, options and ids: it asks this program, which is in
//! `complete`. It installs nothing.

use clap_complete::Shell;
use clap_complete::env::Shells;

use super::{Exit, Failure, Screen, complete};

pub(super) fn run(shell: Shell, screen: &mut Screen<'_>) -> Result<Exit, Failure> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(&name) else {
        let told = format!("there are no completions for {name}");
        return Err(Failure::other(Exit::Failed, told));
    };
    let mut script = Vec::new();
    shell.write_registration(complete::VARIABLE, "epms", "epms", "epms", &mut script)?;
    screen.out.write_all(&script)?;
    Ok(Exit::Done)
}
