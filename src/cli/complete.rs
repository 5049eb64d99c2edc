//! What a shell is told of a word that is being typed: commands and options by their own, and ids as the daemon knows
//! them. Where no daemon answers, files tell those that they can. Nothing here is told of what fails.

mod words;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, Command, CommandFactory};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::CompleteEnv;

use crate::config::{Environment, Home};
use crate::control::client::{AlertFilter, Client, ClientError, Cut};
use crate::model::{PeopleQuery, Person};

use super::table::clean;
use super::{Arguments, socket};

/// The variable by which a shell says that it asks, and which shell it is.
pub(super) const VARIABLE: &str = "EPMS_COMPLETE";

/// Nobody waits for longer when they press a key.
const PATIENCE: Duration = Duration::from_secs(2);

/// So many of a kind are asked for.
const MANY: usize = 1000;

/// An id, and what is said of it.
type Known = (String, String);

/// Answers the shell, where it is one that asks, and ends; else does nothing. Before there are any threads.
pub fn answer_the_shell() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The command line, whose ids complete themselves.
pub(super) fn command() -> Command {
    completed(Arguments::command())
}

fn completed(command: Command) -> Command {
    let verb = command.get_name().to_owned();
    let command = command.mut_args(|argument| of_ids(&verb, argument));
    let verbs: Vec<String> = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    let mut command = command;
    for verb in verbs {
        command = command.mut_subcommand(verb, completed);
    }
    command
}

/// An argument, by its name: what it may be is the same wherever it has that name, but for a `name` and a `kind`, which
/// are those of the verb.
fn of_ids(verb: &str, argument: Arg) -> Arg {
    let is_positional = argument.is_positional();
    let kind = match (verb, argument.get_id().as_str()) {
        // An option of that name is for one that is to be made.
        (_, "name" | "id") if !is_positional => return argument,
        ("test", "name") => Kind::Notifications,
        ("show", "name") | (_, "credential") => Kind::Credentials,
        ("set", "name") => Kind::Secrets,
        ("discover" | "doctor", "name") => Kind::Both,
        ("help", "words") => Kind::Help,
        ("changes", "kind") => Kind::ChangeKinds,
        (_, "kind") => Kind::AlertKinds,
        (_, "integration" | "integrations" | "from" | "old" | "id") => Kind::Integrations,
        (_, "person" | "into") => Kind::People,
        (_, "run") => Kind::Runs,
        (_, "alert") => Kind::Alerts,
        (_, "target") => Kind::Targets,
        _ => return argument,
    };
    let takes_words = argument.get_action().takes_values();
    if !takes_words || argument.get_value_parser().possible_values().is_some() {
        return argument;
    }
    argument.add(ArgValueCompleter::new(move |word: &OsStr| {
        candidates(kind, word)
    }))
}

/// What is called by an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integrations,
    Targets,
    /// An integration, or a target.
    Both,
    People,
    Runs,
    Alerts,
    AlertKinds,
    ChangeKinds,
    Credentials,
    Notifications,
    Secrets,
    /// Commands and topics.
    Help,
}

fn candidates(kind: Kind, word: &OsStr) -> Vec<CompletionCandidate> {
    let Some(word) = word.to_str() else {
        return Vec::new();
    };
    let line: Vec<OsString> = std::env::args_os().collect();
    let known = match kind {
        Kind::AlertKinds => Some(words::alert_kinds()),
        Kind::ChangeKinds => Some(words::change_kinds()),
        Kind::Help => Some(words::of_help(&line)),
        kind => Place::of_line(line).map(|place| place.known(kind)),
    };
    let fits = |(id, _): &Known| id.starts_with(word);
    known
        .into_iter()
        .flatten()
        .filter(fits)
        .map(|(id, says)| CompletionCandidate::new(id).help(Some(clean(&says).into())))
        .collect()
}

/// Where is asked, as the line that is typed says it.
struct Place {
    home: Home,
    socket: PathBuf,
}

impl Place {
    fn of_line(line: impl IntoIterator<Item = OsString>) -> Option<Place> {
        let line: Vec<OsString> = line.into_iter().collect();
        let environment = Environment::of_process().ok()?;
        let home = option(&line, "--home").or_else(|| std::env::var_os("EPMS_HOME"));
        let home = Home::find(home.map(PathBuf::from), &environment);
        let asked = option(&line, "--socket").map(PathBuf::from);
        let (socket, _) = socket(asked, &home, &environment);
        Some(Place { home, socket })
    }

    fn known(&self, kind: Kind) -> Vec<Known> {
        match kind {
            Kind::Credentials => return words::credentials(&self.home),
            Kind::Notifications => return words::notifications(&self.home),
            Kind::Secrets => return words::secrets(&self.home),
            _ => {}
        }
        let asked = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .ok()
            .and_then(|runtime| {
                runtime
                    .block_on(async { tokio::time::timeout(PATIENCE, self.ask(kind)).await })
                    .ok()?
                    .ok()
            });
        asked.unwrap_or_else(|| self.of_files(kind))
    }

    /// What the daemon knows.
    async fn ask(&self, kind: Kind) -> Result<Vec<Known>, ClientError> {
        let client = Client::new(&self.socket)?;
        let cut = || Cut {
            limit: Some(MANY),
            cursor: None,
        };
        Ok(match kind {
            Kind::Integrations => of_integrations(&client).await?,
            Kind::Targets => of_targets(&client).await?,
            Kind::Both => {
                let mut both = of_integrations(&client).await?;
                both.extend(of_targets(&client).await?);
                both
            }
            Kind::People => {
                let page = client.people(&PeopleQuery::default(), &cut()).await?;
                let who = |person: &Person| format!("{} {}", person.first_name, person.last_name);
                let people = page.items.iter();
                people
                    .map(|person| (person.id.to_string(), who(person)))
                    .collect()
            }
            Kind::Runs => {
                let page = client.runs(None, &cut()).await?;
                let runs = page.items.into_iter();
                runs.map(|run| {
                    let how = run
                        .report
                        .map_or("queued", |report| report.outcome.as_str());
                    (run.id.to_string(), format!("{}, {how}", run.integration))
                })
                .collect()
            }
            Kind::Alerts => {
                let page = client.alerts(&AlertFilter::default(), &cut()).await?;
                let alerts = page.items.into_iter();
                alerts
                    .map(|one| {
                        (
                            one.id.to_string(),
                            format!("{}, {}", one.kind, one.integration),
                        )
                    })
                    .collect()
            }
            Kind::AlertKinds
            | Kind::ChangeKinds
            | Kind::Credentials
            | Kind::Notifications
            | Kind::Secrets
            | Kind::Help => Vec::new(),
        })
    }

    /// What files tell: their names.
    fn of_files(&self, kind: Kind) -> Vec<Known> {
        let folders: &[&str] = match kind {
            Kind::Integrations => &["integrations"],
            Kind::Targets => &["targets"],
            Kind::Both => &["integrations", "targets"],
            _ => &[],
        };
        let mut known = Vec::new();
        for folder in folders {
            let files = std::fs::read_dir(self.home.config().join(folder));
            for file in files.into_iter().flatten().flatten() {
                let path = PathBuf::from(file.file_name());
                let is_yaml = path.extension().is_some_and(|ending| ending == "yaml");
                if let Some(stem) = path.file_stem().and_then(OsStr::to_str).filter(|_| is_yaml) {
                    known.push((stem.to_owned(), String::new()));
                }
            }
        }
        known.sort();
        known
    }
}

async fn of_integrations(client: &Client) -> Result<Vec<Known>, ClientError> {
    let all = client.integrations().await?.into_iter();
    Ok(all.map(|one| (one.id.to_string(), one.property)).collect())
}

async fn of_targets(client: &Client) -> Result<Vec<Known>, ClientError> {
    let all = client.targets().await?.items.into_iter();
    let says = |state: crate::model::TargetState| state.as_str().to_owned();
    Ok(all
        .map(|one| (one.id.to_string(), says(one.state)))
        .collect())
}

/// The value of an option that stands in a line: `--home DIR` or `--home=DIR`.
fn option(line: &[OsString], name: &str) -> Option<OsString> {
    let mut words = line.iter();
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        if text == name {
            return words.next().cloned();
        }
        if let Some(value) = text
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
        {
            return Some(value.into());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_and_the_socket_are_those_of_the_line() {
        let line: Vec<OsString> = [
            "epms",
            "--",
            "epms",
            "--home",
            "/h",
            "status",
            "--socket=/s",
        ]
        .map(OsString::from)
        .to_vec();
        assert_eq!(option(&line, "--home"), Some("/h".into()));
        assert_eq!(option(&line, "--socket"), Some("/s".into()));
        assert_eq!(option(&line, "--json"), None);
    }

    #[test]
    fn the_command_line_is_still_consistent() {
        command().debug_assert();
    }
}
