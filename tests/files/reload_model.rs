//! A daemon under random edits, breakages and runs, beside a small model of what must run: always the last that was
//! right; a run ends on the generation it began with; what was refused has no effect on anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{Daemon, Home, pms, shut};
use epms::model::{Person, Run};
use epms::sandbox::{Kind, Sandbox};

const IDS: [&str; 2] = ["elm", "oak"];
const SCRIPT: &str = "scripts/appfolio.rhai";
const LIBRARY: &str = "scripts/lib/contacts.rhai";
const LINE: &str = "first_name: get(name, \"first\"),";
const STATUSES: [&str; 3] = ["Nobody", "Notice", "Evict"];

/// What lies on disk; none where it is not right.
#[derive(Debug, Clone, PartialEq)]
struct Disk {
    script: Option<u8>,
    library: bool,
    excluded: BTreeMap<&'static str, Option<usize>>,
}

/// What must run.
#[derive(Debug, Clone, PartialEq)]
struct Running {
    generation: u64,
    script: u8,
    excluded: usize,
}

struct Model {
    disk: Disk,
    running: BTreeMap<&'static str, Running>,
}

impl Model {
    fn new() -> Model {
        let first = Running {
            generation: 1,
            script: 0,
            excluded: 0,
        };
        Model {
            disk: Disk {
                script: Some(0),
                library: true,
                excluded: IDS.map(|id| (id, Some(0))).into(),
            },
            running: IDS.map(|id| (id, first.clone())).into(),
        }
    }

    /// A load: whoever is right moves on, the others stay.
    fn load(&mut self) {
        for (id, running) in &mut self.running {
            if let (Some(script), true, Some(excluded)) =
                (self.disk.script, self.disk.library, self.disk.excluded[id])
                && (script, excluded) != (running.script, running.excluded)
            {
                *running = Running {
                    generation: running.generation + 1,
                    script,
                    excluded,
                };
            }
        }
    }

    fn is_right(&self, id: &str) -> bool {
        self.disk.script.is_some() && self.disk.library && self.disk.excluded[id].is_some()
    }
}

struct Scene {
    home: Home,
    daemon: Daemon,
    pms: BTreeMap<&'static str, Arc<Sandbox>>,
    model: Model,
    script: String,
    library: String,
    integrations: BTreeMap<&'static str, String>,
}

impl Scene {
    async fn new() -> Scene {
        let home = Home::new();
        let mut all = BTreeMap::new();
        for (seed, id) in IDS.into_iter().enumerate() {
            let pms = pms(Kind::AppFolio, seed as u64, 60).await;
            home.feed(id, &pms);
            all.insert(id, pms);
        }
        let name = |id: &str| format!("config/integrations/{id}.yaml");
        for id in IDS {
            home.edit(
                &name(id),
                "exclude_statuses: []",
                "exclude_statuses: [Nobody]",
            );
        }
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        Scene {
            script: home.read(SCRIPT),
            library: home.read(LIBRARY),
            integrations: IDS.map(|id| (id, home.read(&name(id)))).into(),
            home,
            daemon,
            pms: all,
            model: Model::new(),
        }
    }

    fn save(&self, name: &str, text: &str, random: &mut fastrand::Rng) {
        if random.bool() {
            self.home.write(name, text);
        } else {
            let path = self.home.path(name);
            let swap = path.with_extension("swp");
            std::fs::write(&swap, text).unwrap();
            std::fs::rename(swap, path).unwrap();
        }
    }

    /// One random edit, on disk and in the model.
    fn edit(&mut self, random: &mut fastrand::Rng) {
        let breaks = random.u8(0..3) == 0;
        match random.u8(0..5) {
            0 => {
                self.model.disk.library = !breaks;
                let text = if breaks { "fn broken( {\n" } else { "" };
                self.save(LIBRARY, &(self.library.clone() + text), random);
            }
            1 | 2 => {
                let variant = random.u8(0..4);
                self.model.disk.script = (!breaks).then_some(variant);
                let line = match variant {
                    _ if breaks => "first_name: nmae.first,".to_owned(),
                    0 => LINE.to_owned(),
                    _ => format!(
                        "first_name: if get(name, \"first\") == () {{ () }} else {{ \"V{variant} \" + get(name, \"first\") }},"
                    ),
                };
                self.save(SCRIPT, &self.script.replace(LINE, &line), random);
            }
            _ => {
                let id = IDS[random.usize(0..2)];
                let variant = random.usize(0..3);
                self.model
                    .disk
                    .excluded
                    .insert(id, (!breaks).then_some(variant));
                let key = if breaks {
                    "exclude_status"
                } else {
                    "exclude_statuses"
                };
                let list = format!("{key}: [{}]", STATUSES[variant]);
                let text = self.integrations[id].replace("exclude_statuses: [Nobody]", &list);
                self.save(&format!("config/integrations/{id}.yaml"), &text, random);
            }
        }
    }

    /// Has the daemon look at the disk, and compares what it says.
    async fn reload(&mut self) {
        let reply = self.daemon.client.reload().await.unwrap();
        self.model.load();
        for one in reply.integrations {
            let expected = &self.model.running[one.id.as_str()];
            assert_eq!(one.generation, Some(expected.generation), "{one:?}");
            assert_eq!(
                one.problems.is_empty(),
                self.model.is_right(one.id.as_str()),
                "{one:?}"
            );
        }
    }

    /// What a run did, and what it left behind, is what `expected` makes.
    async fn made(&self, id: &str, report: &Run, expected: &Running) {
        assert_eq!(report.generation, expected.generation, "{report:?}");
        assert!(report.outcome.is_success(), "{report:?}");
        let key = format!("status {}", STATUSES[expected.excluded]);
        let others = report
            .excluded_by
            .keys()
            .filter(|one| one.starts_with("status ") && **one != key);
        assert_eq!(others.count(), 0, "{report:?}");
        for person in self.people_of(id).await {
            let stay = person.stays.values().next().unwrap();
            if !stay.excluded {
                let prefix = person
                    .first_name
                    .split_once(' ')
                    .map_or("", |(first, _)| first);
                let variant: u8 = prefix
                    .strip_prefix('V')
                    .map_or(0, |v| v.parse().unwrap_or(0));
                assert_eq!(variant, expected.script, "{id}: {person:?}");
            }
        }
    }

    async fn people_of(&self, id: &str) -> Vec<Person> {
        let people = self.daemon.people().await;
        let is_of = |person: &Person| person.stays.keys().any(|stay| stay.as_str() == id);
        people.into_iter().filter(is_of).collect()
    }
}

#[tokio::test]
async fn what_runs_is_always_the_last_that_was_right_also_under_runs() {
    for seed in 0..3 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut scene = Scene::new().await;
        for _ in 0..16 {
            let id = IDS[random.usize(0..2)];
            if random.bool() {
                // A run is under way while files change.
                let began_with = scene.model.running[id].clone();
                let gate = shut(&scene.pms[id]);
                let run = scene.daemon.begin(id).await;
                for _ in 0..random.u8(1..4) {
                    scene.edit(&mut random);
                    scene.reload().await;
                }
                drop(gate);
                let report = scene.daemon.client.follow(run, |_| {}).await.unwrap();
                scene.made(id, &report, &began_with).await;
            } else {
                scene.edit(&mut random);
                scene.reload().await;
            }
            let report = scene.daemon.sync(id).await;
            scene.made(id, &report, &scene.model.running[id]).await;
        }
        assert_eq!(scene.daemon.stop().await, Some(0));
    }
}
