//! The command line: one file per verb. What a verb decides, it decides elsewhere: here are arguments,
//! tables and exit codes.

mod arguments;
mod excerpt;
mod exit;
mod screen;
mod view;
mod table;
mod pages;

mod life;
mod run;
mod daemon;
mod sync;
mod status;
mod credentials;
mod watch;
mod watched;
mod runs;
mod reload;
mod people;
mod targets;
mod deliveries;
mod alerts;
mod approve;
mod held;
mod preview;
mod branch;
mod diff;
mod explain;
mod pause;
mod integration;
mod notify;
mod done;
mod next;
mod quoted;
mod there;
mod changes;
mod care;
mod offline;
mod backup;
mod restore;
mod verify;
mod compact;
mod init;
mod system;
mod upgrade;
mod check;
mod test;
mod map;
mod record;
mod again;
mod discover;
mod probe;
mod doctor;
mod add;
mod secret;
mod web;
mod hidden;
mod demo;
mod demo_doors;
mod demo_home;
mod shipped;
mod sandbox;
mod complete;
mod completions;
mod man;
mod schema;
mod definitions;
mod fresh;
mod help;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;

pub use arguments::{Arguments, Verb};
pub use complete::answer_the_shell;
pub use exit::{Exit, Failure};
pub use screen::Screen;
pub use view::View;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Parser;

use crate::config::{Environment, Files, Home};
use crate::control::client::{Client, ClientError};
use crate::model::{IntegrationId, Problem, TargetId};

/// Does what the command line of this process says.
pub async fn of_process() -> Exit {
    let mut screen = Screen {
        out: &mut std::io::stdout(),
        err: &mut std::io::stderr(),
        view: View::of_process(),
        progress: std::io::stderr().is_terminal(),
    };
    match Environment::of_process() {
        Ok(environment) => run_line(std::env::args_os(), &environment, &mut screen).await,
        Err(error) => {
            let told = format!("the current folder is out of reach: {error}; go to another");
            finish(Err(Failure::other(Exit::OutOfReach, told)), &mut screen)
        }
    }
}

/// Does what `line` says; its first word is the program's name.
pub async fn run_line(
    line: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Exit {
    let line: Vec<OsString> = line.into_iter().collect();
    let asks = |word: &str| line.iter().any(|one| one == word);
    let is_watched = asks("status") && asks("--exit-code");
    match Arguments::try_parse_from(&line) {
        Ok(arguments) => Box::pin(run(arguments, environment, screen)).await,
        // A monitor reads 2 as critical.
        Err(told) if told.use_stderr() && is_watched => {
            let text = told.to_string();
            let why = text.lines().next().unwrap_or_default();
            let why = why.strip_prefix("error: ").unwrap_or(why);
            let ended = status::unknown(why, asks("--json"), screen);
            finish(ended, screen)
        }
        Err(told) => {
            let text = told.render();
            let text = if screen.view.color {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            let (written, exit) = if told.use_stderr() {
                (screen.err.write_all(text.as_bytes()), Exit::Invalid)
            } else {
                (screen.out.write_all(text.as_bytes()), Exit::Done)
            };
            finish(written.map(|()| exit).map_err(Failure::from), screen)
        }
    }
}

/// Does what `arguments` say.
pub async fn run(arguments: Arguments, environment: &Environment, screen: &mut Screen<'_>) -> Exit {
    let is_watched = matches!(&arguments.verb, Verb::Status(verb) if verb.exit_code);
    let json = arguments.json;
    let ended = match dispatch(arguments, environment, screen).await {
        Err(failure) if is_watched && !failure.is_closed_pipe() => {
            status::unknown(&failure.to_string(), json, screen)
        }
        ended => ended,
    };
    finish(ended, screen)
}

async fn dispatch(
    arguments: Arguments,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let home = Home::find(arguments.home.clone(), environment);
    let json = arguments.json;
    if arguments.offline {
        offline::only_looks(&arguments.verb)?;
    }
    // What needs no daemon comes first; what is left asks one.
    match &arguments.verb {
        Verb::Demo(verb) => return demo::run(verb, environment, screen).await,
        Verb::Sandbox(verb) => return sandbox::run(verb, json, &home, environment, screen).await,
        Verb::Init(verb) if verb.upgrade => return upgrade::run(verb, json, &home, screen),
        Verb::Init(verb) if verb.system => {
            let folder = verb.folder.clone().or(arguments.home);
            let folder = folder.map(|folder| environment.current.join(folder));
            return system::run(folder, &verb.user, json, screen);
        }
        Verb::Init(verb) => {
            if let Some(folder) = &verb.folder {
                return init::run(folder, json, environment, screen);
            }
        }
        Verb::Check(verb) => return check::run(verb, json, &home, &environment.current, screen),
        Verb::Test(verb) => {
            return test::run(verb, json, &home, &environment.current, screen).await;
        }
        Verb::Map(verb) => return map::run(verb, json, &home, environment, screen).await,
        Verb::Record(verb) => {
            return record::run(verb, json, &home, &environment.current, screen).await;
        }
        Verb::Discover(verb) => {
            let (socket, _) = socket(arguments.socket, &home, environment);
            let client = Client::new(&socket)?;
            return discover::run(verb, json, &home, &client, screen).await;
        }
        Verb::Diff(verb) => {
            if let Some(records) = &verb.records {
                let current = &environment.current;
                return diff::on_records(verb, records, json, &home, current, screen);
            }
        }
        Verb::Probe(verb) => return probe::run(verb, json, &home, screen).await,
        Verb::Doctor(verb) => {
            let socket = arguments.socket;
            return doctor::run(verb, json, &home, socket, environment, screen).await;
        }
        Verb::Add { what } => {
            let mut input = std::io::BufReader::new(std::io::stdin());
            let input = answers(screen).then_some(&mut input as &mut dyn std::io::BufRead);
            return add::run(what, json, &home, input, screen).await;
        }
        Verb::Secret { what } => {
            let mut input = std::io::BufReader::new(std::io::stdin());
            let asked = answers(screen);
            return secret::run(what, json, &home, asked, &mut input, screen);
        }
        Verb::Web { what } => {
            let mut input = std::io::BufReader::new(std::io::stdin());
            let (asked, around) = (answers(screen), (&home, environment));
            return web::run(what, json, around, asked, &mut input, screen);
        }
        Verb::Compact => return compact::run(json, &home, environment, screen),
        Verb::Completions { shell } => return completions::run(*shell, screen),
        Verb::Man(verb) => return man::run(verb, environment, screen),
        Verb::Help(verb) => return help::run(verb, screen),
        Verb::Schema(verb) => return schema::run(verb, json, &environment.current, screen),
        Verb::Definitions(verb) => {
            return definitions::run(verb, json, &environment.current, screen);
        }
        Verb::Run(verb) if verb.run.is_none() => {
            return daemon::run(&home, arguments.socket, environment).await;
        }
        _ => {}
    }
    let offline = if arguments.offline {
        Some(offline::open(&home, environment, screen).await?)
    } else {
        None
    };
    let (socket, doubts) = match &offline {
        Some(offline) => (offline.socket().to_owned(), Vec::new()),
        None => socket(arguments.socket, &home, environment),
    };
    let client = Client::new(&socket)?;
    // A terminal that is drawn on shows in its picture what is waited for.
    let draws = matches!(&arguments.verb, Verb::Status(verb) if verb.watch);
    let client = if screen.progress && !draws {
        client.telling(screen::waits_for)
    } else {
        client
    };
    let ended = match &arguments.verb {
        Verb::Init(_) => fresh::run(json, &client, &home, environment, screen).await,
        Verb::Sync(verb) => sync::run(verb, json, &client, screen).await,
        Verb::Status(verb) => status::run(verb, json, &client, screen).await,
        Verb::Runs(verb) => runs::run(verb, json, &client, screen).await,
        Verb::Run(verb) => run::run(verb, json, &client, screen).await,
        Verb::Reload => reload::run(json, &client, screen).await,
        Verb::People { verb } => {
            let list = people::PeopleVerb::List(people::ListArguments::default());
            let verb = verb.as_ref().unwrap_or(&list);
            people::run(verb, json, &client, screen).await
        }
        Verb::Alerts { verb } => {
            let list = alerts::AlertsVerb::List(alerts::ListArguments::default());
            let verb = verb.as_ref().unwrap_or(&list);
            let mut input = std::io::BufReader::new(std::io::stdin());
            let input = answers(screen).then_some(&mut input as &mut dyn std::io::BufRead);
            alerts::run(verb, json, &client, input, screen).await
        }
        Verb::Targets(verb) => targets::run(verb, json, &client, screen).await,
        Verb::Deliveries(verb) => {
            let mut input = std::io::BufReader::new(std::io::stdin());
            let input = answers(screen).then_some(&mut input as &mut dyn std::io::BufRead);
            deliveries::run(verb, json, &client, input, screen).await
        }
        Verb::Changes(verb) => changes::run(verb, &client, screen).await,
        Verb::Preview(verb) => {
            preview::run(verb, json, &environment.current, &client, screen).await
        }
        Verb::Diff(verb) => diff::run(verb, json, &environment.current, &client, screen).await,
        Verb::Credentials(verb) => credentials::run(verb, json, &client, screen).await,
        Verb::Explain(verb) => explain::run(verb, json, &client, screen).await,
        Verb::Approve(verb) => {
            let mut input = std::io::BufReader::new(std::io::stdin());
            let input = answers(screen).then_some(&mut input as &mut dyn std::io::BufRead);
            approve::run(verb, json, &client, input, screen).await
        }
        Verb::Reject(verb) => approve::reject(verb, json, &client, screen).await,
        Verb::Pause(verb) => pause::run(verb, json, &client, screen).await,
        Verb::Resume(verb) => pause::resume(verb, json, &client, screen).await,
        Verb::Integration { verb } => integration::run(verb, json, &client, screen).await,
        Verb::Notify { verb } => self::notify::run(verb, json, &client, screen).await,
        Verb::Backup(verb) => backup::run(verb, json, &client, &home, environment, screen).await,
        Verb::Restore(verb) => {
            let mut input = std::io::BufReader::new(std::io::stdin());
            let input = answers(screen).then_some(&mut input as &mut dyn std::io::BufRead);
            let input = input.filter(|_| !verb.yes && !json);
            restore::run(verb, json, (&client, &home, environment), input, screen).await
        }
        Verb::Verify(verb) => verify::run(verb, json, &client, &home, environment, screen).await,
        Verb::Demo(_)
        | Verb::Compact
        | Verb::Sandbox(_)
        | Verb::Check(_)
        | Verb::Test(_)
        | Verb::Map(_)
        | Verb::Record(_)
        | Verb::Discover(_)
        | Verb::Probe(_)
        | Verb::Doctor(_)
        | Verb::Add { .. }
        | Verb::Secret { .. }
        | Verb::Web { .. }
        | Verb::Help(_)
        | Verb::Schema(_)
        | Verb::Definitions(_)
        | Verb::Completions { .. }
        | Verb::Man(_) => Ok(Exit::Done),
    };
    ended.map_err(|failure| match failure {
        Failure::Client {
            error: error @ ClientError::NotRunning { .. },
            ..
        } => Failure::Client { error, doubts },
        other => other,
    })
}

/// Whether somebody answers: only where the questions can be seen.
fn answers(screen: &Screen<'_>) -> bool {
    screen.progress && std::io::stdin().is_terminal()
}

/// The socket to ask, and what is wrong with the file that would have named it. With a wrong file the
/// daemon may still run, and then says itself what is wrong.
fn socket(
    asked: Option<PathBuf>,
    home: &Home,
    environment: &Environment,
) -> (PathBuf, Vec<Problem>) {
    if let Some(path) = asked {
        return (environment.current.join(path), Vec::new());
    }
    match Files::read_settings(home) {
        Ok(file) => (home.socket(&file.value, environment), Vec::new()),
        Err(problems) => (
            home.socket(&crate::config::Settings::default(), environment),
            problems,
        ),
    }
}

/// Tells what failed. The daemon's answers go to `out`, errors to `err`.
fn finish(ended: Result<Exit, Failure>, screen: &mut Screen<'_>) -> Exit {
    let ended = ended.and_then(|exit| {
        screen.out.flush()?;
        Ok(exit)
    });
    match ended {
        Ok(exit) => exit,
        Err(failure) if failure.is_closed_pipe() => Exit::Done,
        Err(failure) => {
            // Where even this cannot be written, the exit code is all there is.
            let _ = screen.complain(&format!("epms: {failure}"));
            failure.exit()
        }
    }
}

/// An integration's id as an argument: anything that can stand in an address.
fn integration_id(text: &str) -> Result<IntegrationId, String> {
    if !may_name_a_file(text) {
        return Err(
            "is no integration; write the name of a file in config/integrations without .yaml"
                .into(),
        );
    }
    Ok(IntegrationId::new(text))
}

/// A target's id as an argument.
fn target_id(text: &str) -> Result<TargetId, String> {
    if !may_name_a_file(text) {
        return Err(
            "is no target; write the name of a file in config/targets without .yaml".into(),
        );
    }
    Ok(TargetId::new(text))
}

fn may_name_a_file(text: &str) -> bool {
    !(text.is_empty() || text == "." || text == ".." || text.contains('/'))
}
