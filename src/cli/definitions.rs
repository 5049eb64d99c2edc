//! `epms definitions`: what the language server of Rhai must know of the functions that scripts may call.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::script;

use super::{Exit, Failure, Screen};

/// Where they lie in a home. Scripts are not looked for there.
const FOLDER: &str = "config/.definitions";

/// Where to.
#[derive(Debug, Args)]
#[command(after_help = "\
the language server reads every file that ends in .d.rhai below the folder
that the editor has open: open the home, and completions and hovers know the
helpers. those that come with a home that epms made lie in
config/.definitions; after an update of epms, write them anew

examples
  epms definitions
  epms definitions --out config/.definitions")]
pub struct DefinitionsArguments {
    /// write them into this folder, with those of the language itself
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &DefinitionsArguments,
    json: bool,
    current: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let files = script::definitions();
    let Some(folder) = &arguments.out else {
        let ours = files.iter().filter(|(name, _)| name == script::DEFINED);
        for (_, text) in ours {
            writeln!(screen.out, "{text}")?;
        }
        return Ok(Exit::Done);
    };
    write(&current.join(folder), &files).map_err(|error| {
        let told = format!("{} cannot be written: {error}", folder.display());
        Failure::other(Exit::Failed, told)
    })?;
    let names: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    screen.show(json, &names, |names, _| {
        let lines = names
            .iter()
            .map(|name| format!("wrote {}\n", name.display()));
        lines.collect()
    })?;
    Ok(Exit::Done)
}

/// Writes them into a home, where an editor finds them.
pub(super) fn write_all(home: &Path) -> std::io::Result<()> {
    write(&home.join(FOLDER), &script::definitions())
}

fn write(folder: &Path, files: &[(String, String)]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in files {
        std::fs::write(folder.join(name), format!("{text}\n"))?;
    }
    Ok(())
}
