//! `epms schema`: JSON Schema of each kind of file, for editors. The schemas come from the types of the files.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use schemars::Schema;

use crate::cases;
use crate::config::{
    Connector, Credential, Integration, SCHEMAS, Settings, Target, schema_line, schema_of,
};

use super::{Exit, Failure, Screen};

/// Of what, and where to.
#[derive(Debug, Args)]
#[command(after_help = "\
editors with the YAML language server read them where a file begins with a
line such as
  # yaml-language-server: $schema=../.schema/integration.json
the files that come with epms and those that it writes have that line; the
schemas lie in config/.schema of the home. after an update of epms, write them
anew

examples
  epms schema connector
  epms schema --out config/.schema")]
pub struct SchemaArguments {
    /// the kind of file
    #[arg(value_enum, required_unless_present = "out")]
    pub kind: Option<Kind>,
    /// write it, or all of them, into this folder as KIND.json
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// config/epms.yaml
    Settings,
    /// config/connectors/*.yaml
    Connector,
    /// config/credentials/*.yaml
    Credential,
    /// config/integrations/*.yaml
    Integration,
    /// config/targets/*.yaml
    Target,
    /// scripts/tests/*/*.yaml
    Case,
}

impl Kind {
    /// All of them, in the order in which people meet them.
    pub(super) const ALL: [Kind; 6] = [
        Kind::Settings,
        Kind::Connector,
        Kind::Credential,
        Kind::Integration,
        Kind::Target,
        Kind::Case,
    ];

    fn name(self) -> &'static str {
        match self {
            Kind::Settings => "settings",
            Kind::Connector => "connector",
            Kind::Credential => "credential",
            Kind::Integration => "integration",
            Kind::Target => "target",
            Kind::Case => "case",
        }
    }

    /// Where such files lie in the home.
    pub(super) fn files(self) -> &'static str {
        match self {
            Kind::Settings => "config/epms.yaml",
            Kind::Connector => "config/connectors/*.yaml",
            Kind::Credential => "config/credentials/*.yaml",
            Kind::Integration => "config/integrations/*.yaml",
            Kind::Target => "config/targets/*.yaml",
            Kind::Case => "scripts/tests/*/*.yaml",
        }
    }

    /// Their schema.
    pub(super) fn schema(self) -> Schema {
        match self {
            Kind::Settings => schema_of::<Settings>("settings"),
            Kind::Connector => schema_of::<Connector>("connector"),
            Kind::Credential => schema_of::<Credential>("credential"),
            Kind::Integration => schema_of::<Integration>("integration"),
            Kind::Target => schema_of::<Target>("target"),
            Kind::Case => cases::schema(),
        }
    }

    /// The line by which an editor finds the schema of such a file in the home.
    pub(super) fn line(self) -> String {
        let up = match self {
            Kind::Settings => ".schema",
            Kind::Connector | Kind::Credential | Kind::Integration | Kind::Target => {
                return schema_line(self.name());
            }
            Kind::Case => "../../../config/.schema",
        };
        format!(
            "# yaml-language-server: $schema={up}/{}.json\n",
            self.name()
        )
    }
}

pub(super) fn run(
    arguments: &SchemaArguments,
    json: bool,
    current: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let Some(folder) = &arguments.out else {
        if let Some(kind) = arguments.kind {
            screen.out.write_all(text(kind).as_bytes())?;
        }
        return Ok(Exit::Done);
    };
    let kinds = arguments
        .kind
        .map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
    let written = write(&current.join(folder), &kinds).map_err(|error| {
        let told = format!("{} cannot be written: {error}", folder.display());
        Failure::other(Exit::Failed, told)
    })?;
    let files: Vec<PathBuf> = written.iter().map(|name| folder.join(name)).collect();
    screen.show(json, &files, |files, _| {
        let lines = files
            .iter()
            .map(|file| format!("wrote {}\n", file.display()));
        lines.collect()
    })?;
    Ok(Exit::Done)
}

/// Writes all schemas into a home, where its files look for them.
pub(super) fn write_all(home: &Path) -> std::io::Result<()> {
    write(&home.join(SCHEMAS), &Kind::ALL).map(drop)
}

fn write(folder: &Path, kinds: &[Kind]) -> std::io::Result<Vec<String>> {
    std::fs::create_dir_all(folder)?;
    let mut names = Vec::new();
    for kind in kinds {
        let name = format!("{}.json", kind.name());
        std::fs::write(folder.join(&name), text(*kind))?;
        names.push(name);
    }
    Ok(names)
}

fn text(kind: Kind) -> String {
    format!("{:#}\n", kind.schema().to_value())
}
