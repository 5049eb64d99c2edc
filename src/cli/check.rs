//! `epms check`: all files validated, all scripts compiled, offline. The daemon loads by the same code.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use crate::catalog;
use crate::config::Home;
use crate::model::{Problem, Problems};

use super::{Exit, Failure, Screen};

/// What to check.
#[derive(Debug, Args)]
#[command(after_help = "\
ends with 2 when something is wrong; each problem is one line: file:line:column: field: what to do

examples
  epms check
  epms check config/integrations/123-building-name.yaml")]
pub struct CheckArguments {
    /// Report only what concerns these files or folders [default: all of the home]
    pub paths: Vec<PathBuf>,
}

pub(super) fn run(
    arguments: &CheckArguments,
    json: bool,
    home: &Home,
    current: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let mut found = catalog::check(home, Timestamp::now()).0;
    if !arguments.paths.is_empty() {
        let asked: Vec<PathBuf> = arguments
            .paths
            .iter()
            .map(|path| home.name(&current.join(path)))
            .collect();
        for path in &asked {
            if !home.root().join(path).exists() {
                let told = format!(
                    "there is no {}; paths lie below {}",
                    path.display(),
                    home.root().display()
                );
                return Err(Failure::other(Exit::Invalid, told));
            }
        }
        found.retain(|problem| asked.iter().any(|path| problem.file.starts_with(path)));
    }
    let exit = if found.is_empty() {
        Exit::Done
    } else {
        Exit::Invalid
    };
    screen.show(json, &Problems(found), |found, _| told(&found.0, home))?;
    Ok(exit)
}

fn told(found: &[Problem], home: &Home) -> String {
    if found.is_empty() {
        return format!("everything in {} is right\n", home.root().display());
    }
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    let count = if found.len() == 1 {
        "1 problem".to_owned()
    } else {
        format!("{} problems", found.len())
    };
    format!("{}\n\n{count}\n", lines.join("\n"))
}
