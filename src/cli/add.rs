//! `epms add`: the set-up steps of an integration or a target as questions, each with a flag. It writes new files and changes
//! none that is there.

mod account;
mod answer;
mod ask;
mod look;
mod steps;
mod target;
mod text;

use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use crate::catalog;
use crate::config::{Credential, CredentialValue, Document, Home, SecretReference};
use crate::model::{IntegrationId, Problem, TargetId};

use super::next::{self, Step};
use super::{Exit, Failure, Screen};

use ask::{Dialog, Question};

/// What to add.
#[derive(Debug, Subcommand)]
pub enum AddVerb {
    /// an integration, and the credential that it needs
    Integration(IntegrationArguments),
    /// a target that access is delivered to, and the credential that it needs
    Target(target::TargetArguments),
}

/// Which credential, and what stands in a new one.
#[derive(Debug, Clone, Default, Args)]
pub struct AccountArguments {
    /// the connector, by the name of its file in config/connectors
    #[arg(long, value_name = "NAME")]
    pub connector: Option<String>,
    /// the credential: one that is there, or a new one
    #[arg(long, value_name = "NAME")]
    pub credential: Option<String>,
    /// a field of the new credential; as often as there are fields
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub fields: Vec<String>,
    /// where a secret of the new credential is kept: NAME=file:PATH (as seen from the home), NAME=env:NAME, NAME=credential:NAME or NAME=exec:PROGRAM
    #[arg(long = "secret", value_name = "NAME=PLACE")]
    pub secrets: Vec<String>,
}

/// The answers that are given beforehand.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
asks on a terminal for what no flag says; elsewhere a missing answer ends with
2. nothing that is there is overwritten. a secret is never an answer: only the
place where it is kept is

examples
  epms add integration
  epms add integration --connector appfolio --credential acme --field client_id=c1 \\
    --field developer_id=d1 --secret client_secret=file:secrets/acme --name 'Elm Court' \\
    --timezone America/New_York --pms-property 4f1c --exclude-status Evict --yes")]
pub struct IntegrationArguments {
    /// The credential.
    #[command(flatten)]
    pub account: AccountArguments,
    /// the integration's id, and the name of its file [default: made from --name]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// what people call the property
    #[arg(long)]
    pub name: Option<String>,
    /// its time zone, such as America/New_York
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// its country, by two letters [default: US]
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
    /// the PMS's id of a property that feeds it; as often as there are some
    #[arg(long = "pms-property", value_name = "ID")]
    pub pms_properties: Vec<String>,
    /// a word of status that is never pulled; as often as there are some
    #[arg(long = "exclude-status", value_name = "WORD")]
    pub exclude_statuses: Vec<String>,
    /// leave it switched off
    #[arg(long)]
    pub disabled: bool,
    /// take defaults, and do not ask whether to write
    #[arg(long)]
    pub yes: bool,
}

#[derive(Serialize)]
struct Added {
    id: String,
    files: Vec<PathBuf>,
    /// What `epms check` says of what is new.
    problems: Vec<Problem>,
    /// Problems of other files.
    others: usize,
    /// What to do next.
    next: Vec<Step>,
}

/// What is to be written.
struct Plan {
    /// Of the credential's file, where it is a new one.
    credential: Option<(String, String)>,
    /// The file of what is added.
    file: (PathBuf, String),
    /// Its id.
    id: String,
    /// What its connector says that has to be seen to elsewhere.
    notes: Vec<String>,
    /// What comes next, once it is right.
    next: Vec<Step>,
}

/// Does what `verb` says; `input` is somebody at a terminal, if anybody is.
pub(super) async fn run(
    verb: &AddVerb,
    json: bool,
    home: &Home,
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let mut dialog = Dialog {
        input,
        err: &mut *screen.err,
        yes: match verb {
            AddVerb::Integration(arguments) => arguments.yes,
            AddVerb::Target(arguments) => arguments.yes,
        },
    };
    let plan = match verb {
        AddVerb::Integration(arguments) => {
            Box::pin(steps::plan(arguments, home, &mut dialog)).await?
        }
        AddVerb::Target(arguments) => Box::pin(target::plan(arguments, home, &mut dialog)).await?,
    };
    let files = files(&plan);
    if dialog.is_open() {
        for (name, text) in &files {
            let text = text.replace('\n', "\n  ");
            dialog.say(&format!("\n{}\n\n  {}", name.display(), text.trim_end()))?;
        }
        dialog.say("")?;
        let question = Question {
            flag: "--yes",
            text: "write it",
            default: Some("y"),
        };
        if !dialog.answer(None, question, answer::yes)? {
            return Err(Failure::other(
                Exit::Failed,
                "nothing was written, as you said",
            ));
        }
    }
    write(home, &files)?;
    // The files are right without them; only editors look there.
    let _ = super::schema::write_all(home.root());
    let _ = super::definitions::write_all(home.root());
    let added = added(home, plan, files);
    let exit = if added.problems.is_empty() {
        Exit::Done
    } else {
        Exit::Invalid
    };
    screen.show(json, &added, |added, _| told(added))?;
    Ok(exit)
}

/// The files by their names in the home. The credential comes first: what names it is never there without it.
fn files(plan: &Plan) -> Vec<(PathBuf, String)> {
    let credential = plan.credential.iter().map(|(name, text)| {
        let name = format!("config/credentials/{name}.yaml");
        (PathBuf::from(name), text.clone())
    });
    credential.chain([plan.file.clone()]).collect()
}

/// Writes all of them, or none.
fn write(home: &Home, files: &[(PathBuf, String)]) -> Result<(), Failure> {
    for (at, (name, text)) in files.iter().enumerate() {
        if let Err(error) = create(&home.root().join(name), text) {
            for (name, _) in files.iter().take(at) {
                // It was made a moment ago; where it stays, the message of the next try names it.
                let _ = std::fs::remove_file(home.root().join(name));
            }
            let (exit, told) = match error.kind() {
                std::io::ErrorKind::AlreadyExists => (
                    Exit::Invalid,
                    format!(
                        "{} is there already and is not overwritten; give another name",
                        name.display()
                    ),
                ),
                _ => (
                    Exit::Failed,
                    format!(
                        "{} cannot be written: {error}; look at the folder's rights",
                        name.display()
                    ),
                ),
            };
            return Err(Failure::other(exit, told));
        }
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file is worse than none.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// The same check as that of `epms check`, and what is left to do.
fn added(home: &Home, plan: Plan, files: Vec<(PathBuf, String)>) -> Added {
    let now = Timestamp::now();
    let id = plan.id;
    let names: Vec<PathBuf> = files.into_iter().map(|(name, _)| name).collect();
    let all = catalog::check(home, now).0;
    let mut catalog = catalog::load(home, None, now);
    let mut problems = if plan.file.0.starts_with("config/targets") {
        let slot = catalog.targets.remove(&TargetId::new(&id));
        slot.map(|slot| slot.problems)
    } else {
        let slot = catalog.integrations.remove(&IntegrationId::new(&id));
        slot.map(|slot| slot.problems)
    }
    .unwrap_or_default();
    let (of_files, rest): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(|problem| !problems.contains(problem))
        .partition(|problem| names.contains(&problem.file));
    problems.extend(of_files);
    let credential = plan.credential.as_ref();
    let mut next = credential
        .map(|(_, text)| secrets(home, text))
        .unwrap_or_default();
    // Whoever gave flags was not told of them before.
    next.extend(plan.notes.into_iter().map(|note| Step::new(note, "")));
    if problems.is_empty() {
        next.extend(plan.next);
    } else {
        next.push(Step::new("correct the files, then `epms check`", ""));
    }
    Added {
        id,
        files: names,
        problems,
        others: rest.len(),
        next,
    }
}

/// What must be done so that the daemon finds the secrets.
fn secrets(home: &Home, credential: &str) -> Vec<Step> {
    let read = Document::parse(Path::new("credential.yaml"), credential)
        .and_then(|document| document.read::<Credential>());
    let fields = read.map(|credential| credential.fields).unwrap_or_default();
    let steps = fields.iter().filter_map(|(name, value)| match value {
        CredentialValue::Secret(SecretReference::File(path)) => {
            let missing = !home.root().join(path).exists();
            missing.then(|| {
                format!(
                    "put {name} into {}, which only the daemon's user may read",
                    home.root().join(path).display()
                )
            })
        }
        CredentialValue::Secret(SecretReference::Env(variable)) => {
            Some(format!("set {variable} to {name} for the daemon"))
        }
        CredentialValue::Secret(SecretReference::Credential(credential)) => Some(format!(
            "add LoadCredential={credential} with {name} to the daemon's unit"
        )),
        CredentialValue::Secret(SecretReference::Exec(words)) => Some(format!(
            "see that the daemon's user may run {}, which gives {name}",
            words.first().map_or("", String::as_str)
        )),
        CredentialValue::Plain(_) => None,
    });
    steps.map(|step| Step::new(step, "")).collect()
}

fn told(added: &Added) -> String {
    let mut text = String::new();
    for file in &added.files {
        text += &format!("wrote {}\n", file.display());
    }
    for problem in &added.problems {
        text += &format!("{problem}\n");
    }
    if added.others > 0 {
        text += &format!(
            "{} problems in other files; `epms check` shows them\n",
            added.others
        );
    }
    text + &next::told(&added.next)
}
