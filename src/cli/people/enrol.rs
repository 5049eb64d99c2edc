//! People in and out by hand: added, imported from a file, exported to one. Files are read and written here;
//! the daemon never sees a path.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::control::client::Client;
use crate::model::{Enrolment, Imported, IntegrationId};

use super::super::view::View;
use super::super::{Exit, Failure, Screen, done};
use super::export::{self, Exported};

/// A person to make.
#[derive(Debug, Args)]
#[command(after_help = "\
examples
  epms people add --first-name Ada --last-name Lovelace --email ada@example.com
  epms people add --last-name Hall --integration 123-building-name --unit 12B --lease-end 2027-03-31")]
pub struct AddArguments {
    /// first name
    #[arg(long, default_value = "", hide_default_value = true)]
    pub first_name: String,
    /// last name
    #[arg(long, default_value = "", hide_default_value = true)]
    pub last_name: String,
    /// email; it belongs to one person
    #[arg(long, default_value = "", hide_default_value = true)]
    pub email: String,
    /// phone
    #[arg(long, default_value = "", hide_default_value = true)]
    pub phone: String,
    /// the integration of the property they live at
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ID")]
    pub integration: String,
    /// the unit they live in
    #[arg(long, default_value = "", hide_default_value = true)]
    pub unit: String,
    /// first day of the lease
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "DATE"
    )]
    pub lease_start: String,
    /// last day of the lease
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "DATE"
    )]
    pub lease_end: String,
    /// day of moving in
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "DATE"
    )]
    pub move_in: String,
    /// day of moving out
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "DATE"
    )]
    pub move_out: String,
    /// current, pending or past
    #[arg(long, default_value = "current")]
    pub status: String,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// a header, then a line for each lease
    Csv,
    /// a list of objects with the same names
    Json,
}

/// People in and out.
#[derive(Debug, Subcommand)]
pub enum EnrolVerb {
    /// make a person by hand
    Add(Box<AddArguments>),
    /// make the people of a file by hand: all of them, or none when a line is wrong
    ///
    /// CSV, whose first line names the columns, those of `epms people export` in any order; or the
    /// JSON of an export. Rows of one `person` are one person's stays. Whose email somebody has
    /// already is left as they are.
    #[command(verbatim_doc_comment)]
    Import {
        /// the file; - reads standard input
        file: PathBuf,
        /// tell what would be made; make nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// people and their leases, to a file or to standard output
    ///
    /// The columns are always these, in this order: first_name, last_name, email, phone, lease_start,
    /// lease_end, move_in, move_out, unit; then integration, status, notice, eviction, excluded,
    /// more_units, unit_id, person, origin, locks. In CSV what a spreadsheet would take for a formula
    /// stands behind an apostrophe, which an import takes away again. An import makes the same people
    /// of it; further units have their label as their id there.
    #[command(verbatim_doc_comment)]
    Export {
        /// the form
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        /// values of CSV as they are, for programs: a spreadsheet may run what begins with =
        #[arg(long)]
        raw: bool,
        /// only people with a stay at the property of this integration
        #[arg(long, value_name = "ID", value_parser = super::super::integration_id)]
        integration: Option<IntegrationId>,
        /// the file, instead of standard output; only you can read it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// take the place of a file that is there
        #[arg(long, requires = "out")]
        force: bool,
    },
}

pub(super) async fn run(
    verb: &EnrolVerb,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    match verb {
        EnrolVerb::Add(arguments) => {
            let done = client.add_person(&told(arguments)).await?;
            screen.show(json, &done, done::show)?;
        }
        EnrolVerb::Import { file, dry_run } => {
            let text = read(file)?;
            let imported = client.import_people(text, *dry_run).await?;
            screen.show(json, &imported, report)?;
            if !imported.problems.is_empty() {
                return Ok(Exit::Failed);
            }
        }
        EnrolVerb::Export {
            format,
            raw,
            integration,
            out,
            force,
        } => {
            let format = if json { Format::Json } else { *format };
            let rows = export::rows(client, integration.clone()).await?;
            let text = export::text(&rows, format, *raw)?;
            match out {
                Some(path) => {
                    export::write(path, &text, *force)?;
                    let written = Exported::of(&rows, path);
                    screen.show(json, &written, Exported::show)?;
                }
                // Somebody looks at it.
                None if screen.view.width.is_some() => screen.tell(&text)?,
                None => screen.out.write_all(text.as_bytes())?,
            }
        }
    }
    Ok(Exit::Done)
}

fn told(arguments: &AddArguments) -> Enrolment {
    Enrolment {
        first_name: arguments.first_name.clone(),
        last_name: arguments.last_name.clone(),
        email: arguments.email.clone(),
        phone: arguments.phone.clone(),
        lease_start: arguments.lease_start.clone(),
        lease_end: arguments.lease_end.clone(),
        move_in: arguments.move_in.clone(),
        move_out: arguments.move_out.clone(),
        unit: arguments.unit.clone(),
        integration: arguments.integration.clone(),
        status: arguments.status.clone(),
    }
}

fn read(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    let read = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).map(String::into_bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| {
        let told = format!("cannot read {}: {error}", file.display());
        Failure::other(Exit::OutOfReach, told)
    })
}

fn report(imported: &Imported, _: &View) -> String {
    let mut text = String::new();
    for problem in &imported.problems {
        text += &format!("{problem}\n");
    }
    let lines = |count: usize| if count == 1 { "line is" } else { "lines are" };
    if !imported.problems.is_empty() {
        // One line may have several faults.
        let wrong: BTreeSet<u64> = imported.problems.iter().map(|one| one.line).collect();
        let wrong = wrong.len();
        text += &format!("\nnothing was imported: {wrong} {} wrong\n", lines(wrong));
    } else if imported.dry_run {
        text += &format!(
            "{} people would be made, {} are there already; nothing was written\n",
            imported.new,
            imported.there.len()
        );
    } else {
        text += &format!(
            "{} people were made, {} were there already and stay as they are\n",
            imported.made.len(),
            imported.there.len()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::plain;
    use super::*;
    use crate::model::LineProblem;

    #[test]
    fn lines_are_counted_and_not_what_is_wrong_in_them() {
        let problem = |line, column: &str| LineProblem {
            line,
            column: column.to_owned(),
            message: "is none".to_owned(),
        };
        let mut imported = Imported {
            problems: vec![problem(2, "email"), problem(2, "phone")],
            ..Imported::default()
        };
        let text = report(&imported, &plain());
        assert!(
            text.ends_with("nothing was imported: 1 line is wrong\n"),
            "{text}"
        );
        imported.problems.push(problem(3, "email"));
        let text = report(&imported, &plain());
        assert!(text.ends_with(": 2 lines are wrong\n"), "{text}");
    }
}
