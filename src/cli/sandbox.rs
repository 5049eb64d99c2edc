//! `epms sandbox`: the local PMSs and doors alone, until Ctrl-C, with what attaches them to a home.

mod doors;

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::config::{Environment, Home};
use crate::sandbox::{FaultKind, Kind, PropertySpec, Sandbox, Settings, WAYS, World, WorldOptions};

use super::table::Table;
use super::view::View;
use super::{Exit, Failure, Screen, demo, life, shipped};

/// The property that each of them has.
const CODE: &str = "elm";
const NAME: &str = "Elm Court";

/// Which PMSs to be.
#[derive(Debug, Args)]
#[command(after_help = "\
prints what `epms add integration` asks for, and serves until Ctrl-C. the same
seed and port have the same residents and the same credential. secrets are put
into files, as a credential names them. `opendoor` is a place to deliver to: it
has a key for each unit of the PMSs' property

examples
  epms sandbox
  epms sandbox yardi --residents 5000
  epms sandbox appfolio --port 7001 --secrets secrets
  epms sandbox entrata mri --life 30 --faults drip,expired-token
  epms sandbox yardi opendoor")]
pub struct SandboxArguments {
    /// which kinds of PMS, second ways to one, or `opendoor` [default: all but second ways]
    #[arg(value_parser = way, value_name = "KIND")]
    pub kinds: Vec<Way>,
    /// how many residents to make up, per PMS
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub residents: u32,
    /// the same seed makes up the same residents
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// people move, renew and change their names: about this many events a minute
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub life: Option<f64>,
    /// what goes wrong from the start, commas between
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = fault)]
    pub faults: Vec<FaultKind>,
    /// the port of the first PMS; each further one has the next [default: any that is free]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// where to put the secrets, one file each [default: a folder that goes with the sandbox]
    #[arg(long, value_name = "DIR")]
    pub secrets: Option<PathBuf>,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=60_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("must be between 0.01 and 60000 events a minute".to_owned())
    }
}

fn fault(text: &str) -> Result<FaultKind, String> {
    text.parse().map_err(|_| {
        let known = FaultKind::NAMED.map(|(name, _)| name).join(", ");
        format!("there is no such fault; write one of: {known}")
    })
}

/// What is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    Pms(Kind),
    /// OpenDOOR, which no PMS is.
    Doors,
}

/// A PMS or the doors, and the connector by which they are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    served: Served,
    connector: String,
}

impl From<Kind> for Way {
    fn from(kind: Kind) -> Way {
        Way {
            served: Served::Pms(kind),
            connector: kind.to_string(),
        }
    }
}

impl Way {
    fn doors() -> Way {
        Way {
            served: Served::Doors,
            connector: doors::CONNECTOR.to_owned(),
        }
    }

    /// Each PMS by its first way, and the doors.
    fn all() -> Vec<Way> {
        let kinds = Kind::ALL.into_iter().map(Way::from);
        kinds.chain([Way::doors()]).collect()
    }

    fn shows(&self, fault: FaultKind) -> bool {
        match self.served {
            Served::Pms(kind) => fault.shows_on(kind),
            Served::Doors => fault.shows_on_opendoor(),
        }
    }
}

fn way(text: &str) -> Result<Way, String> {
    if let Some((connector, kind)) = WAYS.iter().find(|(name, _)| *name == text) {
        return Ok(Way {
            served: Served::Pms(*kind),
            connector: (*connector).to_owned(),
        });
    }
    let mut all = Way::all();
    let named = all.iter().position(|way| way.connector == text);
    named.map(|at| all.swap_remove(at)).ok_or_else(|| {
        let first = Way::all().into_iter().map(|way| way.connector);
        let ways = WAYS.iter().map(|(name, _)| (*name).to_owned());
        let known: Vec<String> = first.chain(ways).collect();
        format!("there is no such PMS; write one of: {}", known.join(", "))
    })
}

#[derive(Serialize)]
struct Running {
    kind: String,
    residents: u32,
    credential: BTreeMap<&'static str, String>,
    /// Where the secrets among them are kept, as `--secret` takes it.
    secrets: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pms_properties: Vec<String>,
    /// Of doors, the key of each unit by its label, and that of what all share.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    places: BTreeMap<String, String>,
}

pub(super) async fn run(
    arguments: &SandboxArguments,
    json: bool,
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let ways = match arguments.kinds.as_slice() {
        [] => Way::all(),
        kinds => kinds.to_vec(),
    };
    for told in unseen(&ways, &arguments.faults)? {
        writeln!(screen.err, "{told}")?;
    }
    if arguments.life.is_some() && ways.iter().all(|way| way.served == Served::Doors) {
        let told = "--life: nobody lives at doors; name a PMS beside them";
        return Err(Failure::other(Exit::Invalid, told));
    }
    let leave = demo::leave()?;
    let temporary = tempfile::Builder::new().prefix("epms-sandbox-").tempdir()?;
    let folder = match &arguments.secrets {
        Some(folder) => &environment.current.join(folder),
        None => temporary.path(),
    };
    let people = (arguments.seed, arguments.residents);
    let (mut sandboxes, mut doors) = (Vec::new(), Vec::new());
    let mut running = Vec::new();
    for (port, way) in (arguments.port.unwrap_or(0)..).zip(&ways) {
        let mut settings = Settings {
            // Its second way is there for properties that have no other.
            unlicensed: match way.connector.as_str() {
                "yardi-billing" => vec![0],
                _ => Vec::new(),
            },
            ..Settings::default()
        };
        settings.addr.set_port(arguments.port.map_or(0, |_| port));
        let mut one = match way.served {
            Served::Pms(kind) => {
                let sandbox = start(kind, people, &[(CODE, NAME)], settings).await?;
                for &fault in &arguments.faults {
                    sandbox.fault(fault);
                }
                let one = Running::of(way, &sandbox, arguments.residents);
                sandboxes.push(sandbox);
                one
            }
            Served::Doors => {
                let door = doors::start(people, settings.addr).await?;
                for &fault in &arguments.faults {
                    door.fault(fault);
                }
                let one = doors::running(&door);
                doors.push(door);
                one
            }
        };
        one.secrets = keep_secrets(&way.connector, &one.credential, folder, home)?;
        running.push(one);
    }
    screen.show(json, &running, |running, view| told(running, view))?;
    screen.out.flush()?;
    let Some(rate) = arguments.life else {
        leave.cancelled().await;
        return Ok(Exit::Done);
    };
    tokio::select! {
        () = leave.cancelled() => {}
        broken = life::go_on(&sandboxes, rate, arguments.seed, json, screen) => broken?,
    }
    Ok(Exit::Done)
}

impl Running {
    fn of(way: &Way, sandbox: &Sandbox, residents: u32) -> Running {
        let connector = &way.connector;
        Running {
            kind: connector.clone(),
            residents,
            secrets: BTreeMap::new(),
            credential: sandbox.credential_by(connector).unwrap_or_default(),
            pms_properties: vec![sandbox.property_id_by(connector, 0)],
            places: BTreeMap::new(),
        }
    }

    fn is_doors(&self) -> bool {
        self.kind == doors::CONNECTOR
    }
}

/// Puts the secrets into files of their own, and gives their places as a credential of `home` names them.
fn keep_secrets(
    connector: &str,
    credential: &BTreeMap<&'static str, String>,
    folder: &Path,
    home: &Home,
) -> Result<BTreeMap<&'static str, String>, Failure> {
    let mut places = BTreeMap::new();
    for (&field, value) in credential {
        if !Sandbox::SECRETS.contains(&field) {
            continue;
        }
        let path = folder.join(format!("{connector}-{field}"));
        if std::fs::read(&path).ok().as_deref() != Some(value.as_bytes()) {
            keep(&path, value).map_err(|error| {
                let path = path.display();
                let told = match error.kind() {
                    std::io::ErrorKind::AlreadyExists => format!(
                        "{path} is there already, with something else in it; name another folder with --secrets"
                    ),
                    _ => format!("{path} cannot be written: {error}; name another folder with --secrets"),
                };
                Failure::other(Exit::Failed, told)
            })?;
        }
        places.insert(field, format!("file:{}", home.name(&path).display()));
    }
    Ok(places)
}

fn keep(path: &Path, value: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    std::io::Write::write_all(&mut file, value.as_bytes())
}

/// What to say of faults that some of them cannot have; one that none of them can have is an error.
fn unseen(ways: &[Way], faults: &[FaultKind]) -> Result<Vec<String>, Failure> {
    let mut notes = Vec::new();
    for &fault in faults {
        let without = ways.iter().filter(|way| !way.shows(fault));
        let without: Vec<&str> = without.map(|way| way.connector.as_str()).collect();
        let told = format!(
            "--faults: `{fault}` does not show on {}",
            without.join(", ")
        );
        if without.len() == ways.len() {
            let shows = Way::all().into_iter().filter(|way| way.shows(fault));
            let shows: Vec<String> = shows.map(|way| way.connector).collect();
            let told = format!("{told}; it does on {}", shows.join(", "));
            return Err(Failure::other(Exit::Invalid, told));
        }
        if !without.is_empty() {
            notes.push(told);
        }
    }
    Ok(notes)
}

/// A PMS with these properties, each by code and name.
pub(super) async fn start(
    kind: Kind,
    (seed, residents): (u64, u32),
    properties: &[(&str, &str)],
    settings: Settings,
) -> Result<Sandbox, Failure> {
    Sandbox::start(kind, world((seed, residents), properties), settings)
        .await
        .map_err(|error| {
            let text = format!("cannot start a local {kind}: {error}");
            Failure::other(Exit::OutOfReach, text)
        })
}

fn world((seed, residents): (u64, u32), properties: &[(&str, &str)]) -> World {
    let properties = properties.iter().map(|(code, name)| PropertySpec {
        code: (*code).into(),
        name: (*name).into(),
    });
    World::seeded(WorldOptions {
        seed,
        properties: properties.collect(),
        residents: residents as usize,
        today: crate::sandbox::today(),
    })
}

fn told(running: &[Running], view: &View) -> String {
    let mut text = String::new();
    for one in running {
        if one.is_doors() {
            text += &doors::told(one, view);
            continue;
        }
        text += &format!("{} with {} residents in {NAME}\n", one.kind, one.residents);
        let mut table = Table::of_pairs(2);
        table.pair("connector", &one.kind);
        for (field, value) in in_order(one) {
            table.pair(field, one.secrets.get(field).unwrap_or(value));
        }
        table.pair("PMS property", one.pms_properties.join(", "));
        text += &table.render(view);
        text.push('\n');
    }
    let mut pmss = running.iter().filter(|one| !one.is_doors());
    if let Some(first) = pmss.next() {
        text += "the page of a daemon asks for these; a secret is pasted there, as it stands in its file\n\n";
        text += "attach it to a home that `epms init` made: `epms add integration` asks for these, or\n\n";
        match pmss.next() {
            None => text += &attach(first),
            Some(_) => {
                text += "  epms sandbox yardi     prints the command that attaches one of them\n";
            }
        }
        text.push('\n');
    }
    if let Some(doors) = running.iter().find(|one| one.is_doors()) {
        text += &doors::attach(doors);
        text.push('\n');
    }
    text + "serving until Ctrl-C\n"
}

/// The fields of the credential as `epms add integration` asks for them: in the order of the connector's file.
fn in_order(one: &Running) -> Vec<(&'static str, &String)> {
    let mut fields: Vec<_> = one
        .credential
        .iter()
        .map(|(name, value)| (*name, value))
        .collect();
    let connector = shipped::connector(&one.kind);
    if let Some(connector) = connector {
        fields.sort_by_key(|(name, _)| connector.place(&format!("credential_fields.{name}")));
    }
    fields
}

/// The command that attaches it, for a shell.
fn attach(one: &Running) -> String {
    let mut lines = vec![format!(
        "  epms add integration --yes --connector {0} --credential sandbox-{0}",
        one.kind
    )];
    lines.extend(fields(one));
    let properties = one.pms_properties.iter();
    lines.extend(properties.map(|id| format!("--pms-property {}", quoted(id))));
    lines.push(format!(
        "--name {} --timezone {}",
        quoted(NAME),
        crate::sandbox::TIMEZONE
    ));
    lines.join(" \\\n    ") + "\n"
}

/// The fields of its credential, as flags.
fn fields(one: &Running) -> Vec<String> {
    let fields = in_order(one).into_iter();
    let flags = fields.map(|(field, value)| match one.secrets.get(field) {
        Some(place) => format!("--secret {}", quoted(&format!("{field}={place}"))),
        None => format!("--field {}", quoted(&format!("{field}={value}"))),
    });
    flags.collect()
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_a_pms_cannot_have_is_told_and_one_that_none_can_have_refused() {
        let faults = [FaultKind::Html, FaultKind::RepeatedPage];
        assert_eq!(
            unseen(&Way::all(), &faults).unwrap(),
            ["--faults: `repeated-page` does not show on yardi, realpage, resman"]
        );
        let ways = |kinds: &[Kind]| kinds.iter().copied().map(Way::from).collect::<Vec<_>>();
        assert!(unseen(&ways(&[Kind::Mri]), &faults).unwrap().is_empty());
        let mut without = ways(&[Kind::Yardi, Kind::Mri]);
        without.push(Way::doors());
        let refused = unseen(&without, &[FaultKind::WrongTotal]).unwrap_err();
        assert_eq!(refused.exit(), Exit::Invalid);
        assert_eq!(
            refused.to_string(),
            "--faults: `wrong-total` does not show on yardi, mri, opendoor; it does on entrata, rentmanager"
        );
    }
}
