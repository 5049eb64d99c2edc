//! `epms add`: the set-up steps of an integration or a target as questions, each with a flag. It writes new files and changes
//! none that is there.

mod account;
mod ask;
mod look;
mod many;
mod steps;
mod target;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use crate::catalog;
use crate::config::{Credential, CredentialValue, Document, Home, SecretReference};
use crate::model::{IntegrationId, Problem, TargetId};
use crate::setup::{self, NewText, Pasted, Unwritten};

use super::next::{self, Step};
use super::{Exit, Failure, Screen};

use ask::{Dialog, Verdict};

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
2. nothing that is there is overwritten. a secret is never a flag: only the
place where it is kept is; on a terminal it can be pasted, without being shown.
there `<` goes a step back, and before anything is written each answer can be
changed

--all makes an integration of each property of the account that feeds none yet,
called as the PMS calls it: all of them are written, or none

examples
  epms add integration
  epms add integration --all --credential acme
  epms add integration --all --only 4f1c --only 5a2d --credential acme --yes
  epms add integration --connector appfolio --credential acme --field client_id=c1 \\
    --field developer_id=d1 --secret client_secret=file:secrets/acme --name 'Elm Court' \\
    --timezone America/New_York --pms-property 4f1c --exclude-status Evict --yes")]
pub struct IntegrationArguments {
    /// The credential.
    #[command(flatten)]
    pub account: AccountArguments,
    /// each property of the account that feeds no integration yet: a file for each
    #[arg(long, conflicts_with_all = ["id", "name", "pms_properties"])]
    pub all: bool,
    /// of --all, only this one, by the PMS's id; as often as there are some
    #[arg(long, value_name = "ID", requires = "all")]
    pub only: Vec<String>,
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
    /// Where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Where all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<String>>,
    files: Vec<PathBuf>,
    /// What `epms check` says of what is new.
    problems: Vec<Problem>,
    /// Problems of other files.
    others: usize,
    /// What to do next.
    next: Vec<Step>,
}

/// A file of what is added.
struct NewFile {
    id: String,
    /// Its name in the home.
    name: PathBuf,
    text: String,
}

/// What is to be written.
struct Plan {
    /// Of the credential's file, where it is a new one.
    credential: Option<(String, String)>,
    /// Secrets that are kept in the home from now on.
    secrets: Vec<Pasted>,
    files: Vec<NewFile>,
    /// That one thing is added, and not as many as there are.
    is_one: bool,
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
    let yes = match verb {
        AddVerb::Integration(arguments) => arguments.yes,
        AddVerb::Target(arguments) => arguments.yes,
    };
    let mut dialog = Dialog::new(input, &mut *screen.err, yes);
    let plan = Box::pin(agreed(verb, home, &mut dialog)).await?;
    let files = files(&plan);
    let new: Vec<NewText> = files
        .iter()
        .map(|(name, text)| NewText {
            name: name.clone(),
            before: None,
            text: text.clone(),
        })
        .collect();
    let secrets: Vec<&Pasted> = plan.secrets.iter().collect();
    setup::write(home, &secrets, &new).map_err(unwritten)?;
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

/// Goes the way of questions until somebody says that what comes out of it is to be written.
async fn agreed(verb: &AddVerb, home: &Home, dialog: &mut Dialog<'_, '_>) -> Result<Plan, Failure> {
    if dialog.is_open() {
        dialog.say("`<` in the place of an answer goes a step back")?;
    }
    loop {
        dialog.begin();
        let plan = match verb {
            AddVerb::Integration(arguments) => Box::pin(steps::plan(arguments, home, dialog)).await,
            AddVerb::Target(arguments) => Box::pin(target::plan(arguments, home, dialog)).await,
        };
        let plan = match plan {
            Err(_) if dialog.goes_again() => continue,
            plan => plan?,
        };
        if !dialog.is_open() {
            return Ok(plan);
        }
        dialog.arrived();
        for (name, text) in &files(&plan) {
            let text = text.replace('\n', "\n  ");
            dialog.say(&format!("\n{}\n\n  {}", name.display(), text.trim_end()))?;
        }
        dialog.say("")?;
        match dialog.verdict() {
            Ok(Verdict::Write) => return Ok(plan),
            Ok(Verdict::Change) => {}
            Ok(Verdict::Drop) => {
                let told = "nothing was written, as you said";
                return Err(Failure::other(Exit::Failed, told));
            }
            Err(_) if dialog.goes_again() => {}
            Err(failure) => return Err(failure),
        }
    }
}

/// The files by their names in the home. The credential comes first: what names it is never there without it.
fn files(plan: &Plan) -> Vec<(PathBuf, String)> {
    let credential = plan.credential.iter().map(|(name, text)| {
        let name = format!("config/credentials/{name}.yaml");
        (PathBuf::from(name), text.clone())
    });
    let others = plan.files.iter();
    let others = others.map(|file| (file.name.clone(), file.text.clone()));
    credential.chain(others).collect()
}

fn unwritten(unwritten: Unwritten) -> Failure {
    let exit = match unwritten {
        Unwritten::IsThere(_) | Unwritten::Changed(_) => Exit::Invalid,
        Unwritten::Secret { .. } | Unwritten::File { .. } => Exit::Failed,
    };
    Failure::other(exit, unwritten.to_string())
}

/// The same check as that of `epms check`, and what is left to do.
fn added(home: &Home, plan: Plan, files: Vec<(PathBuf, String)>) -> Added {
    let now = Timestamp::now();
    let kept = plan.secrets.iter().map(|pasted| pasted.file.clone());
    let names = kept.chain(files.into_iter().map(|(name, _)| name));
    let names: Vec<PathBuf> = names.collect();
    let all = catalog::check(home, now).0;
    let mut catalog = catalog::load(home, None, now);
    let mut problems: Vec<Problem> = Vec::new();
    for NewFile { id, name, .. } in &plan.files {
        let found = if name.starts_with("config/targets") {
            let slot = catalog.targets.remove(&TargetId::new(id));
            slot.map(|slot| slot.problems)
        } else {
            let slot = catalog.integrations.remove(&IntegrationId::new(id));
            slot.map(|slot| slot.problems)
        };
        let found = found.unwrap_or_default().into_iter();
        // What is wrong with a credential is told once for all.
        let new: Vec<Problem> = found.filter(|one| !problems.contains(one)).collect();
        problems.extend(new);
    }
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
    let mut ids: Vec<String> = plan.files.into_iter().map(|file| file.id).collect();
    let id = if plan.is_one { ids.pop() } else { None };
    Added {
        ids: id.is_none().then_some(ids),
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
