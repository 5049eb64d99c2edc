//! `epms man`: manual pages, made from the command line itself. It installs nothing.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::config::Environment;

use super::{Arguments, Exit, Failure, Screen};

/// Which pages, and where to.
#[derive(Debug, Args)]
#[command(after_help = "\
examples
  epms man | man -l -
  epms man --out /usr/local/share/man/man1")]
pub struct ManArguments {
    /// write the page of epms and one for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &ManArguments,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let command = Arguments::command().disable_help_subcommand(true);
    let Some(out) = &arguments.out else {
        clap_mangen::Man::new(command).render(&mut screen.out)?;
        return Ok(Exit::Done);
    };
    let folder = environment.current.join(out);
    let written =
        std::fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(command, &folder));
    written.map_err(|error| {
        let told = format!(
            "the pages cannot be written into {}: {error}; name another folder",
            out.display()
        );
        Failure::other(Exit::Failed, told)
    })?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::View;

    #[test]
    fn every_command_has_a_page_that_says_what_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment {
            current: folder.path().to_owned(),
            ..Environment::default()
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut screen = Screen {
            out: &mut out,
            err: &mut err,
            view: View::of_process(),
            progress: false,
        };
        let mut arguments = ManArguments { out: None };
        run(&arguments, &environment, &mut screen).unwrap();
        arguments.out = Some("man".into());
        run(&arguments, &environment, &mut screen).unwrap();
        let page = |name: &str| {
            let path = folder.path().join("man").join(format!("{name}.1"));
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        assert_eq!(String::from_utf8(out).unwrap(), page("epms"));
        for verb in Arguments::command().get_subcommands() {
            let text = page(&format!("epms-{}", verb.get_name()));
            let about = verb.get_about().unwrap().to_string();
            let words: Vec<&str> = about.split_whitespace().take(3).collect();
            assert!(text.contains(&words.join(" ")), "{text}");
        }
        assert!(page("epms-add-integration").contains("exclude"));
    }
}
