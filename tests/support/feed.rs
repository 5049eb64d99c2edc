//! Whole runs of one integration without a daemon: a home, a local PMS, a store.

use std::sync::Arc;

use epms::catalog::{self, Integration};
use epms::model::{Alert, AlertKind, AlertState, Cause, IntegrationId, Person, Run, RunId};
use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};
use epms::source::Reader;
use epms::store::{Store, Uptime};
use epms::sync::{Job, Tools, Workers, run};
use jiff::Timestamp;

use super::Home;

const ID: &str = "elm-court";

/// A home with one integration, the PMS it feeds from, and a store.
pub struct Feed {
    pub home: Home,
    pub pms: Sandbox,
    pub tools: Tools,
    runs: u64,
}

/// What runs need, with a store in memory.
pub fn tools() -> Tools {
    Tools {
        reader: Arc::new(Reader::new().unwrap()),
        store: Arc::new(Store::in_memory().unwrap()),
        now: Timestamp::now,
        up: || Uptime {
            process: 1,
            seconds: 0,
        },
        workers: Workers::default(),
    }
}

impl Feed {
    /// In small pages, so that there are several.
    pub async fn start(kind: Kind) -> Feed {
        let world = World::seeded(WorldOptions {
            seed: 5,
            properties: vec![PropertySpec {
                code: "elm".into(),
                name: "Elm Court".into(),
            }],
            residents: 90,
            today: epms::sandbox::today(),
        });
        Feed::over(kind, world, Timestamp::now).await
    }

    /// In small pages, from a world of its own, at the time that a clock says.
    pub async fn over(kind: Kind, world: World, now: fn() -> Timestamp) -> Feed {
        // A page of Entrata's is as large as the connector asks for.
        let page_size = if kind == Kind::Entrata { 1000 } else { 20 };
        let settings = Settings {
            page_size,
            former: 1,
            ..Settings::default()
        };
        let pms = Sandbox::start(kind, world, settings).await.unwrap();
        let home = Home::new();
        home.feed(ID, &pms);
        if kind == Kind::Entrata {
            let name = "config/connectors/entrata.yaml";
            home.write(name, home.read(name).replace("size: 500", "size: 20"));
        }
        Feed {
            home,
            pms,
            tools: Tools { now, ..tools() },
            runs: 0,
        }
    }

    fn integration(&self) -> Arc<Integration> {
        let home = epms::config::Home::at(self.home.root());
        let catalog = catalog::load(&home, None, Timestamp::now());
        assert!(catalog.problems.is_empty(), "{:?}", catalog.problems);
        let slot = &catalog.integrations[&IntegrationId::new(ID)];
        assert!(slot.problems.is_empty(), "{:?}", slot.problems);
        Arc::clone(slot.current.as_ref().unwrap())
    }

    /// One run, asked for by hand: the clock would not ask again with a login that was refused.
    pub async fn run(&mut self) -> Run {
        self.runs += 1;
        let job = Job {
            integration: self.integration(),
            run: RunId(self.runs),
            cause: Cause::Manual,
        };
        run(job, self.tools.clone(), Arc::new(|_| ()))
            .await
            .unwrap()
    }

    /// Everybody.
    pub fn people(&self) -> Vec<Person> {
        let view = self.tools.store.read().unwrap();
        view.people(None, usize::MAX, |_| true).unwrap()
    }

    /// What the open alerts of a kind say.
    pub fn open(&self, kind: AlertKind) -> Vec<String> {
        let view = self.tools.store.read().unwrap();
        let open = |alert: &Alert| alert.kind == kind && alert.state == AlertState::Open;
        let alerts = view.alerts(None, usize::MAX, open).unwrap();
        alerts.into_iter().map(|alert| alert.detail).collect()
    }
}
