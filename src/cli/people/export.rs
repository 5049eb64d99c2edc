//! People written to a file, or to standard output: rows of CSV or JSON that an import reads again.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::control::client::{Client, Cut};
use crate::model::{EXPORT_COLUMNS, ExportRow, IntegrationId, PeopleQuery, PersonId, shown_json};

use super::super::view::View;
use super::super::{Exit, Failure, pages};
use super::enrol::Format;

/// What was written where.
#[derive(Debug, Serialize)]
pub(super) struct Exported {
    people: usize,
    rows: usize,
    file: PathBuf,
}

impl Exported {
    pub(super) fn of(rows: &[ExportRow], file: &Path) -> Exported {
        let people: BTreeSet<PersonId> = rows.iter().map(|row| row.person).collect();
        Exported {
            people: people.len(),
            rows: rows.len(),
            file: file.to_owned(),
        }
    }

    pub(super) fn show(&self, _: &View) -> String {
        let (people, rows) = (self.people, self.rows);
        let people_are = if people == 1 { "person" } else { "people" };
        let rows_are = if rows == 1 { "row" } else { "rows" };
        format!(
            "{people} {people_are}, {rows} {rows_are} in {}\n",
            self.file.display()
        )
    }
}

/// Writes a file that only its owner may read: whole, or not at all. One that is there is replaced only by `force`, and only
/// a regular one.
pub(super) fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        let told = format!("cannot write {}: {error}", path.display());
        Failure::other(Exit::OutOfReach, told)
    };
    let there = path.symlink_metadata().ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return Err(failed(&"it is there and is no regular file; name another"));
    }
    let folder = path.parent().filter(|one| !one.as_os_str().is_empty());
    let made = tempfile::Builder::new()
        .prefix(".people-")
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder.unwrap_or(Path::new(".")));
    let mut file: NamedTempFile = made.map_err(|error| failed(&error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| failed(&error))?;
    if force {
        return file
            .persist(path)
            .map(drop)
            .map_err(|error| failed(&error.error));
    }
    file.persist_noclobber(path).map(drop).map_err(|error| {
        if error.error.kind() == std::io::ErrorKind::AlreadyExists {
            let told = format!(
                "{} is there already, and stays as it is; name another file, or let it be replaced by --force",
                path.display()
            );
            return Failure::other(Exit::Failed, told);
        }
        failed(&error.error)
    })
}

/// The rows as CSV or JSON.
pub(super) fn text(rows: &[ExportRow], format: Format, raw: bool) -> Result<String, Failure> {
    match format {
        Format::Json => as_json(rows),
        Format::Csv if raw => as_csv(rows.iter().cloned()),
        Format::Csv => as_csv(rows.iter().cloned().map(ExportRow::for_spreadsheets)),
    }
}

/// The rows of everybody, or of those with a stay at an integration: then of those stays alone.
pub(super) async fn rows(
    client: &Client,
    integration: Option<IntegrationId>,
) -> Result<Vec<ExportRow>, Failure> {
    let filter = PeopleQuery {
        integration: integration.clone(),
        ..PeopleQuery::default()
    };
    let mut cut = Cut {
        limit: Some(1_000),
        cursor: None,
    };
    let mut rows = Vec::new();
    loop {
        let page = client.people(&filter, &cut).await?;
        let of_page = page.items.iter().flat_map(ExportRow::of).filter(|row| {
            integration
                .as_ref()
                .is_none_or(|id| id.as_str() == row.integration)
        });
        rows.extend(of_page);
        cut.cursor = page.next;
        if cut.cursor.is_none() {
            pages::nothing_of(integration.as_ref(), rows.is_empty(), client).await?;
            return Ok(rows);
        }
    }
}

fn failed(error: impl ToString) -> Failure {
    Failure::other(Exit::Failed, error.to_string())
}

fn as_json(rows: &[ExportRow]) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(rows).map_err(failed)?;
    Ok(format!("{}\n", shown_json(&text)))
}

fn as_csv(rows: impl IntoIterator<Item = ExportRow>) -> Result<String, Failure> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record(EXPORT_COLUMNS).map_err(failed)?;
    for row in rows {
        writer.serialize(row).map_err(failed)?;
    }
    String::from_utf8(writer.into_inner().map_err(failed)?).map_err(failed)
}
