//! Local servers that speak the wire formats of PMSs and keep seeded, changeable people. They
//! reach nothing outside the process and know nothing of the rest of this program.
//!
//! A further PMS is one more [`Kind`] and a file with three functions: `secrets` makes up its
//! credential, `seen` says what a request asks for, `answer` renders the world. Where its people are
//! unlike other PMSs' people, a fourth one, `prepare`, makes the world so.

mod appfolio;
mod chance;
mod doors;
mod entrata;
mod fault;
mod find;
mod grow;
mod life;
mod mri;
mod names;
mod office;
pub mod opendoor;
mod realpage;
mod recipe;
mod rentmanager;
mod resman;
mod rest;
mod seed;
mod serve;
mod soap;
mod world;
mod yardi;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use chance::Happening;
pub use fault::{Fault, FaultKind};
pub use life::NoSuch;
pub use office::{Act, OFFICE, Step};
pub use recipe::Trap;
pub use seed::{PropertySpec, WorldOptions};
pub use serve::Seen;
pub use world::{
    Entity, Household, HouseholdId, Leaving, Person, PersonId, PhoneKind, Property, Relation,
    Status, Unit, UnitId, World,
};

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use serve::Shared;

/// A PMS the sandbox can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// AppFolio Stack API v0.
    AppFolio,
    /// Yardi Voyager 7, interfaces `ItfResidentData` and `ItfResidentTransactions20`.
    Yardi,
    /// RealPage Exchange (OneSite).
    RealPage,
    /// Entrata's API behind its gateway.
    Entrata,
    /// MRI's residential API.
    Mri,
    /// ResMan's partner API, version 2.
    ResMan,
    /// Rent Manager's web API, version 12.
    RentManager,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Kind; 7] = [
        Self::AppFolio,
        Self::Yardi,
        Self::RealPage,
        Self::Entrata,
        Self::Mri,
        Self::ResMan,
        Self::RentManager,
    ];

    /// The id under which this PMS knows a property; empty if there is none.
    fn property_id(self, world: &World, index: usize) -> String {
        let Some(property) = world.properties().get(index) else {
            return String::new();
        };
        let code = &property.code;
        let digits = !code.is_empty() && code.bytes().all(|sign| sign.is_ascii_digit());
        let number = |first: usize| {
            if digits {
                code.clone()
            } else {
                (first + index).to_string()
            }
        };
        match self {
            Self::AppFolio | Self::ResMan => world.property_uuid(index),
            Self::Yardi => code.clone(),
            Self::RealPage => number(4_120_101),
            Self::Entrata => number(641_201),
            Self::Mri => code.to_uppercase(),
            Self::RentManager => number(12),
        }
    }

    /// The id under which this PMS knows a person.
    fn person_id(self, world: &World, person: &Person) -> String {
        let number = person.id.0;
        match self {
            Self::AppFolio | Self::ResMan => world.uuid(Entity::Person, number),
            Self::Yardi => person.code(),
            Self::RealPage => number.to_string(),
            Self::Entrata => (86_190_000 + number).to_string(),
            Self::Mri if number.is_multiple_of(9) => format!("WF{number:08}"),
            Self::Mri => format!("{number:010}"),
            Self::RentManager => (70_000 + number).to_string(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::AppFolio => "appfolio",
            Self::Yardi => "yardi",
            Self::RealPage => "realpage",
            Self::Entrata => "entrata",
            Self::Mri => "mri",
            Self::ResMan => "resman",
            Self::RentManager => "rentmanager",
        })
    }
}

impl FromStr for Kind {
    type Err = NoSuch;

    fn from_str(name: &str) -> Result<Self, NoSuch> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.to_string() == name)
            .ok_or(NoSuch("kind of PMS"))
    }
}

/// The second ways to a PMS, by the names of their connectors.
pub const WAYS: [(&str, Kind); 3] = [
    ("appfolio-reports", Kind::AppFolio),
    ("mri-xml", Kind::Mri),
    ("yardi-billing", Kind::Yardi),
];

/// A request budget; each number is at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests in any second.
    pub per_second: usize,
    /// Requests in any minute.
    pub per_minute: usize,
    /// Requests in any hour.
    pub per_hour: usize,
}

impl Limits {
    /// AppFolio's own.
    pub const APPFOLIO: Limits = Limits {
        per_second: 8,
        per_minute: 256,
        per_hour: 4096,
    };
}

/// How a sandbox runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub addr: SocketAddr,
    /// The most rows on a page, and the number when a request names none.
    pub page_size: usize,
    /// The client in an address: Voyager's path, RealPage's partner, Entrata's organisation.
    pub client: String,
    /// The host in MRI's next links, when it is not the host of the request.
    pub link_host: Option<String>,
    /// How many former people RealPage has for each current one, in its list of everybody who ever
    /// lived there. They are added to the world, ten thousand at most.
    pub former: usize,
    /// Of how many leases in a hundred somebody is the guarantor in Entrata. They are added to
    /// the world.
    pub guarantors: u8,
    /// The fields for which AppFolio's credential has no entitlement: it leaves them out of every record.
    pub withheld: Vec<&'static str>,
    /// The properties, by index, whose residents the licence does not cover: RealPage's sites without it, and Yardi's
    /// properties that license Billing & Payments alone.
    pub unlicensed: Vec<usize>,
    /// The request budget; none means no limit.
    pub limits: Option<Limits>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            page_size: 1000,
            client: "acme".to_owned(),
            link_host: None,
            former: 15,
            guarantors: 70,
            withheld: Vec::new(),
            unlicensed: Vec::new(),
            limits: None,
        }
    }
}

/// A running server. It ends when dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    addr: SocketAddr,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Where the invented buildings stand: the time zone of the properties that a sandbox feeds.
pub const TIMEZONE: &str = "America/New_York";

/// The date there, which decides who is current.
pub fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::now();
    now.in_tz(TIMEZONE).map_or_else(
        |_| now.to_zoned(jiff::tz::TimeZone::UTC).date(),
        |there| there.date(),
    )
}

impl Sandbox {
    /// Starts a server of `kind` over `world`.
    pub async fn start(kind: Kind, world: World, settings: Settings) -> std::io::Result<Sandbox> {
        let listener = TcpListener::bind(settings.addr).await?;
        let addr = listener.local_addr()?;
        let world = match kind {
            Kind::AppFolio => appfolio::prepare(world),
            Kind::Yardi => world,
            Kind::RealPage => realpage::prepare(world, &settings),
            Kind::Entrata => entrata::prepare(world, &settings),
            Kind::Mri => mri::prepare(world),
            Kind::ResMan => resman::prepare(world),
            Kind::RentManager => rentmanager::prepare(world),
        };
        let secrets = match kind {
            Kind::AppFolio => appfolio::secrets(&world),
            Kind::Yardi => yardi::secrets(&world),
            Kind::RealPage => realpage::secrets(&world),
            Kind::Entrata => entrata::secrets(&world),
            Kind::Mri => mri::secrets(&world),
            Kind::ResMan => resman::secrets(&world),
            Kind::RentManager => rentmanager::secrets(&world),
        };
        let shared = Arc::new(Shared {
            kind,
            world: RwLock::new(world),
            settings,
            secrets: secrets.into_iter().collect(),
            faults: fault::Faults::default(),
            seen: std::sync::Mutex::default(),
            asked: 0.into(),
            busy: 0.into(),
            peak: 0.into(),
            recent: std::sync::Mutex::default(),
        });
        let router = Router::new()
            .fallback(serve::handle)
            .with_state(Arc::clone(&shared));
        let (end, ended) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            // Resolves when told to end and when the sandbox is dropped.
            let until = async { drop(ended.await) };
            if let Err(error) = axum::serve(listener, router)
                .with_graceful_shutdown(until)
                .await
            {
                tracing::error!(%error, "sandbox ended");
            }
        });
        Ok(Sandbox {
            shared,
            addr,
            end,
            task,
        })
    }

    /// What goes into a credential's `url`.
    pub fn url(&self) -> String {
        let client = &self.shared.settings.client;
        let path = match self.shared.kind {
            Kind::AppFolio | Kind::Mri | Kind::ResMan | Kind::RentManager => String::new(),
            Kind::Yardi => format!("/{client}"),
            Kind::RealPage => realpage::path(client),
            Kind::Entrata => format!("/ext/orgs/{client}"),
        };
        format!("http://{}{path}", self.addr)
    }

    /// The id under which the PMS knows the property with this index; empty if there is none.
    pub fn property_id(&self, index: usize) -> String {
        self.shared.kind.property_id(&self.world(), index)
    }

    /// The id under which the PMS knows a person, unless deleted.
    pub fn person_id(&self, id: PersonId) -> Option<String> {
        let world = self.world();
        let (_, person) = world.person(id)?;
        Some(self.shared.kind.person_id(&world, person))
    }

    /// Which PMS it is.
    pub fn kind(&self) -> Kind {
        self.shared.kind
    }

    /// The fields of credentials that are secrets, whatever the kind.
    pub const SECRETS: [&'static str; 6] = [
        "password",
        "client_secret",
        "interface_license",
        "license_key",
        "api_key",
        "partner_key",
    ];

    /// All fields of a credential that is let in, secrets included. The same world has the same.
    pub fn credential(&self) -> BTreeMap<&'static str, String> {
        let mut fields = self.shared.secrets.clone();
        fields.insert("url", self.url());
        fields
    }

    /// The same of a way to the PMS, by the name of its connector; none where it has no such way.
    pub fn credential_by(&self, connector: &str) -> Option<BTreeMap<&'static str, String>> {
        let kind = self.shared.kind;
        let is_way = kind.to_string() == connector || WAYS.contains(&(connector, kind));
        let mut fields = self.credential();
        match connector {
            "appfolio-reports" => drop(fields.remove("developer_id")),
            "yardi-billing" => {
                let licence = yardi::billing_license(&self.world());
                fields.insert("interface_license", licence);
            }
            _ => {}
        }
        is_way.then_some(fields)
    }

    /// The id under which the PMS knows the property with this index on a second way to it.
    pub fn property_id_by(&self, connector: &str, index: usize) -> String {
        match (self.shared.kind, connector) {
            (Kind::AppFolio, "appfolio-reports") => appfolio::report_property(index).to_string(),
            _ => self.property_id(index),
        }
    }

    /// The world, to look at or to let life happen in. Answers wait while the guard is held.
    pub fn world(&self) -> RwLockWriteGuard<'_, World> {
        self.shared
            .world
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// All requests so far, in the order they came.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Forgets the requests so far and the peak.
    pub fn forget_requests(&self) {
        self.shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.shared.peak.store(0, Ordering::Relaxed);
    }

    /// The most requests that were being answered at once.
    pub fn peak(&self) -> usize {
        self.shared.peak.load(Ordering::Relaxed)
    }

    /// Puts a fault in force, beside those there are.
    pub fn fault(&self, fault: impl Into<Fault>) {
        self.shared.faults.add(fault.into());
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// Ends the server; answers being sent have a second to finish.
    pub async fn stop(self) {
        let Self { end, mut task, .. } = self;
        drop(end);
        let second = std::time::Duration::from_secs(1);
        if tokio::time::timeout(second, &mut task).await.is_err() {
            task.abort();
        }
    }
}
