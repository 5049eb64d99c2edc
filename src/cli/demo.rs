//! `epms demo`: local PMSs, a home with the shipped connectors and scripts, a daemon, a first sync, and what
//! to try next. Nothing here is done in another way than outside the demo, but that the PMSs are local.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::config::{Environment, Home};
use crate::control::client::{Client, Cut};
use crate::control::protocol::RunState;
use crate::daemon::{self, Signals, Start};
use crate::model::PeopleQuery;
use crate::sandbox::{Kind, Sandbox, Settings};

use super::demo_home::{self, Demo};
use super::{Arguments, Exit, Failure, Screen, demo_doors, sandbox, sync};

/// How large a demo, and where.
#[derive(Debug, Args)]
#[command(after_help = "\
nothing outside this machine is reached, and all people are made up

examples
  epms demo
  epms demo --once --residents 40 --seed 7")]
pub struct DemoArguments {
    /// Leave after the first sync instead of staying until Ctrl-C
    #[arg(long)]
    pub once: bool,
    /// Where to put the home; it must be empty or new [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// How many residents to make up, per PMS
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(24..=100_000))]
    pub residents: u32,
    /// The same seed makes up the same residents
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
}

pub(super) async fn run(
    arguments: &DemoArguments,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let leave = leave()?;
    let (folder, temporary) = folder(arguments, environment)?;
    let pmss = pmss(arguments).await?;
    let Some(first) = pmss.first() else {
        return Err(Failure::other(Exit::Failed, "there is no local PMS"));
    };
    let doors = demo_doors::start(first, arguments.seed).await?;
    let demo = demo_home::make(&folder, &pmss, &doors)?;
    writeln!(screen.out, "home        {}", folder.display())?;
    for pms in &pmss {
        writeln!(screen.out, "{:11} {}", pms.kind().to_string(), pms.url())?;
    }
    writeln!(screen.out, "{:11} {}", "opendoor", doors.url())?;

    let stop = CancellationToken::new();
    // Bound to this scope, so that the daemon ends with the demo also where something fails.
    let guard = stop.clone().drop_guard();
    let (_reload, reload) = mpsc::channel(1);
    let start = Start {
        home: Home::at(&folder),
        environment: Environment {
            current: environment.current.clone(),
            ..Environment::default()
        },
        socket: None,
    };
    let (ready, socket) = oneshot::channel();
    let mut daemon = tokio::spawn(daemon::run(start, Signals { stop, reload }, |socket| {
        // Whoever waits for it is below.
        let _ = ready.send(socket);
    }));
    let Ok(socket) = socket.await else {
        let ended = (&mut daemon).await.map_err(std::io::Error::other)?;
        ended?;
        return Err(Failure::other(
            Exit::Failed,
            "the daemon ended before it was ready",
        ));
    };
    writeln!(screen.out, "socket      {}\n", socket.display())?;
    screen.out.flush()?;
    let shown = async {
        let client = Client::new(&socket)?;
        let exit = first_sync(&client, &demo, &socket, environment, screen).await?;
        to_the_doors(&client, first, &socket, environment, screen).await?;
        if !arguments.once {
            next(&demo, &folder, screen)?;
            stay(&pmss, screen).await?;
        }
        Ok(exit)
    };
    let ended = tokio::select! {
        ended = shown => ended,
        // What was asked for has not come to its end.
        () = leave.cancelled() => Ok(if arguments.once { Exit::Failed } else { Exit::Done }),
    };
    // However it ended: the daemon goes before the folder in which it writes.
    drop(guard);
    daemon.await.map_err(std::io::Error::other)??;
    drop(temporary);
    ended
}

/// Is cancelled by Ctrl-C and SIGTERM; from here on neither ends the process by itself, and with it leaves
/// the folder behind.
pub(super) fn leave() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let leave = CancellationToken::new();
    tokio::spawn({
        let leave = leave.clone();
        async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            leave.cancel();
        }
    });
    Ok(leave)
}

/// One PMS of each kind. Voyager has three properties: one of its own integration, two that feed one.
async fn pmss(arguments: &DemoArguments) -> Result<Vec<Sandbox>, Failure> {
    let mut pmss = Vec::new();
    for (place, kind) in Kind::ALL.into_iter().enumerate() {
        let seed = arguments.seed + place as u64;
        let size = arguments.residents;
        let (size, properties): (u32, &[(&str, &str)]) = match kind {
            Kind::AppFolio => (size, &[("elm", "Elm Court")]),
            Kind::Yardi => (
                size.saturating_mul(3),
                &[
                    ("harbor", "Harbor View"),
                    ("north", "North Tower"),
                    ("south", "South Tower"),
                ],
            ),
            Kind::RealPage => (size, &[("4120101", "Mill Yard")]),
            Kind::Entrata => (size, &[("641201", "Quay House")]),
            Kind::Mri => (size, &[("ORCH", "Orchard Row")]),
            Kind::ResMan => (size, &[("linden", "Linden Lofts")]),
            Kind::RentManager => (size, &[("31", "Vale Court")]),
        };
        let settings = Settings {
            // Former residents by the thousand are for `epms sandbox`; here they would hide the others.
            former: 2,
            // As where a customer did not ask for all of it.
            withheld: vec!["MoveInOn"],
            ..Settings::default()
        };
        pmss.push(sandbox::start(kind, (seed, size), properties, settings).await?);
    }
    Ok(pmss)
}

fn folder(
    arguments: &DemoArguments,
    environment: &Environment,
) -> Result<(PathBuf, Option<tempfile::TempDir>), Failure> {
    let Some(asked) = &arguments.dir else {
        let temporary = tempfile::Builder::new().prefix("epms-demo-").tempdir()?;
        return Ok((temporary.path().to_owned(), Some(temporary)));
    };
    let folder = environment.current.join(asked);
    if std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let told = format!("{} is not empty; name a new folder", folder.display());
        return Err(Failure::other(Exit::Invalid, told));
    }
    std::fs::create_dir_all(&folder)?;
    Ok((folder, None))
}

/// The daemon makes up for runs that it missed, and it has missed all of them: the first sync is under way.
async fn first_sync(
    client: &Client,
    demo: &Demo,
    socket: &Path,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let mut runs = Vec::new();
    for integration in &demo.integrations {
        let run = loop {
            let status = client.integration(integration).await?;
            let begun = client
                .runs(
                    Some(integration),
                    &Cut {
                        limit: Some(1),
                        cursor: None,
                    },
                )
                .await?;
            if let Some(run) = status.running.or(begun.items.first().map(|run| run.id)) {
                break run;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        runs.push(RunState {
            id: run,
            integration: integration.clone(),
            report: None,
            progress: None,
        });
    }
    let exit = sync::follow(runs, false, client, screen).await?;
    let lines = [
        &["people", "list", "--limit", "12"][..],
        &["alerts", "list", "--limit", "20"],
        &["alerts", "list", "--kind", "bad_dates"],
        &["runs"],
    ];
    show(&lines, socket, environment, screen).await?;
    Ok(exit)
}

/// What people may open has arrived at the doors; then a move-in, a move within the building and a move-out do.
async fn to_the_doors(
    client: &Client,
    pms: &Sandbox,
    socket: &Path,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    demo_doors::arrived(client, screen).await?;
    show(&[&["targets"]], socket, environment, screen).await?;
    writeln!(screen.out)?;
    for line in demo_doors::happen(pms) {
        writeln!(screen.out, "{line}")?;
    }
    // What comes is of one run, and over before it could be drawn.
    screen.progress = false;
    show(&[&["sync", "elm-court"]], socket, environment, screen).await?;
    demo_doors::arrived(client, screen).await?;
    let target = demo_doors::TARGET;
    let lines = [
        &["targets"][..],
        &["deliveries", "list", "--target", target, "--limit", "12"],
    ];
    show(&lines, socket, environment, screen).await?;
    let filter = PeopleQuery {
        q: Some(demo_doors::NEWCOMER.into()),
        ..PeopleQuery::default()
    };
    let found = client.people(&filter, &Cut::default()).await?;
    if let Some(person) = found.items.first() {
        let id = person.id.to_string();
        let lines = [&["deliveries", "show", target, &id][..]];
        show(&lines, socket, environment, screen).await?;
    }
    Ok(())
}

/// Does what these commands do, and shows it.
async fn show(
    lines: &[&[&str]],
    socket: &Path,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    for line in lines {
        writeln!(screen.out, "\n$ epms {}", line.join(" "))?;
        screen.out.flush()?;
        // Each is told as it would be by a command of its own.
        screen.view.now = Timestamp::now();
        let words: Vec<OsString> = ["epms".into(), "--socket".into(), socket.into()]
            .into_iter()
            .chain(line.iter().map(OsString::from))
            .collect();
        let arguments = Arguments::try_parse_from(words)
            .map_err(|error| Failure::other(Exit::Failed, error.to_string()))?;
        Box::pin(super::dispatch(arguments, environment, screen)).await?;
    }
    Ok(())
}

fn next(demo: &Demo, folder: &Path, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let folder = folder.display();
    // Whoever runs it by cargo has no `epms` on the path.
    let program = std::env::current_exe().unwrap_or_else(|_| "epms".into());
    let program = program.display();
    let first = demo
        .integrations
        .first()
        .map_or_else(String::new, ToString::to_string);
    write!(
        screen.out,
        "
try in another terminal
  alias epms={program}
  export EPMS_HOME={folder}
  epms status
  epms sync {first}          nothing has changed, and it says so
  epms alerts show a1         both sides, and the commands that would resolve it
  epms alerts dismiss a1      … and `epms alerts undo a1` takes it back
  epms preview {first}       what the next run would do
  curl --unix-socket $EPMS_HOME/state/epms.sock \\
    -X POST http://epms/v1/integrations/{first}/sync

then change a line in $EPMS_HOME
  config/integrations/{first}.yaml    such as exclude_statuses
  scripts/yardi.rhai                     such as a word of the status table
it is in effect within a second, for the next sync; break it, and the one before
goes on while `epms status` says what is wrong

Enter lets something happen in the PMSs, Ctrl-C ends the demo
"
    )?;
    screen.out.flush()?;
    Ok(())
}

/// For ever. Each line of input is some life in the PMSs.
async fn stay(pmss: &[Sandbox], screen: &mut Screen<'_>) -> Result<(), Failure> {
    let (sender, mut lines) = mpsc::channel(1);
    // Reading a terminal cannot be given up: the thread ends with the process.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            if line.is_err() || sender.blocking_send(()).is_err() {
                break;
            }
        }
    });
    let mut chance = fastrand::Rng::new();
    while lines.recv().await.is_some() {
        for pms in pmss {
            let happened = pms.world().live(&mut chance);
            if let Some(happening) = happened {
                writeln!(screen.out, "{}: {}", pms.kind(), happening.what)?;
            }
        }
        screen.out.flush()?;
    }
    // There is no more input, as where it runs in the background.
    std::future::pending().await
}
