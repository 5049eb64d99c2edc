//! A walk of a week through ten properties of one account, written as a story: what somebody does each day, what becomes of
//! it, and who hears of it, once. The days are not those of a calendar; nothing waits for a clock.

use std::path::PathBuf;

use crate::support::{Daemon, Home, eventually, said};
use epms::control::client::Which;
use epms::control::protocol::{Health, IntegrationState};
use epms::model::{Outcome, Person, Run};
use epms::sandbox::{FaultKind, Kind, PropertySpec, Sandbox, Settings, World, WorldOptions, today};

const SECRET: &str = "secrets/acme-client_secret";
const ADA: &str = "ada.quill@example.com";
const PHONE: &str = r#"phone: contacts::first_text(record, ["PhoneNumber", "PhoneNumbers", "Phone"], ["Number", "PhoneNumber"]),"#;
const TREES: &str = "Alder Ash Beech Birch Elm Hazel Larch Maple Oak Rowan";

#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_ten_properties_in_which_each_trouble_is_heard_of_once() {
    let week = Week::begins().await;

    // Monday: ten properties are attached from one credential, and all of them run.
    let ada = week
        .pms
        .world()
        .move_in("birch", "Ada", "Quill", Some(ADA), None);
    let ada = ada.unwrap();
    let attach = "add integration --all --credential acme --timezone UTC --yes";
    week.says(attach).await;
    week.says("reload").await;
    week.daemon.settle().await;
    week.all_succeed(10).await;
    assert_eq!(living(&[week.ada().await.unwrap()]), ["birch-court"]);

    // Tuesday: a branch is tried. It would change all ten, and nothing live changes.
    let (people, changes) = (week.daemon.people().await, week.daemon.changes().await);
    let branch = week.branch_without_phones();
    let diff = format!("diff {}", branch.root().display());
    let would = week.says(&diff).await;
    let all = "10 of 10 integrations would change";
    assert!(would.contains(all), "{would}");
    assert_eq!(week.daemon.people().await, people);
    assert_eq!(week.daemon.changes().await, changes);

    // Wednesday: a mass move-out is held, looked at, and rejected; the office puts it right.
    let before = week.pms_moves_everybody_out(4);
    let held = week.daemon.sync("elm-court").await;
    assert!(matches!(held.outcome, Outcome::Held { .. }), "{held:?}");
    week.hears("office", 1, "mass_change_held").await;
    let shown = week.says(&format!("run {}", held.id)).await;
    assert!(shown.contains("what waits: closing"), "{shown}");
    week.says(&format!("reject {}", held.id)).await;
    week.hears("office", 1, "over: mass_change_held").await;
    let again = week.daemon.sync("elm-court").await;
    assert!(matches!(again.outcome, Outcome::Held { .. }), "{again:?}");
    *week.pms.world() = before;
    week.all_succeed(10).await;
    assert_eq!(week.daemon.people().await, people);

    // Thursday: one property gets another name, and its people go along; another is given up.
    std::fs::rename(week.file("birch-court"), week.file("birch-house")).unwrap();
    eventually("Ada went along", async || {
        living(&[week.ada().await.unwrap()]) == ["birch-house"]
    })
    .await;
    std::fs::remove_file(week.file("ash-court")).unwrap();
    eventually("it is gone", async || {
        week.daemon.integration("ash-court").await.state == IntegrationState::Removed
    })
    .await;
    week.says("integration retire ash-court").await;
    eventually("it is given up", async || {
        week.daemon.integration("ash-court").await.health == Health::Retired
    })
    .await;
    let after = week.daemon.people().await;
    assert!(living(&people).contains(&"ash-court") && !living(&after).contains(&"ash-court"));
    assert_eq!(after.len(), people.len());
    week.all_succeed(9).await;

    // Friday: Ada has moved out and asks to be erased. The PMS still has her; she stays away.
    week.pms.world().move_out(ada, today()).unwrap();
    week.daemon.sync("birch-house").await;
    let ada = week.ada().await.unwrap().id;
    week.says(&format!("people erase {ada} --yes")).await;
    let report = week.daemon.sync("birch-house").await;
    assert_eq!(report.excluded_by.get("erased"), Some(&1), "{report:?}");
    assert_eq!(week.ada().await, None);

    // Saturday: the credential is about to expire, and is renewed.
    week.credential_expires_in(3).await;
    week.hears("office", 1, "credential_expires").await;
    week.credential_expires_in(300).await;
    week.hears("office", 1, "over: credential_expires").await;
    week.all_succeed(9).await;

    // Sunday: a night without the PMS. Somebody tries another secret meanwhile, which it refuses when it is back.
    let people = week.daemon.people().await;
    week.pms.fault(FaultKind::Unavailable);
    week.all_fail_twice().await;
    week.hears("night-desk", 9, "incomplete").await;
    let secret = week.home.read(SECRET);
    week.home.write(SECRET, "another");
    week.pms.clear_faults();
    week.all_fail_twice().await;
    week.hears("office", 1, "credential_failing").await;
    week.home.write(SECRET, secret);
    week.all_succeed(9).await;
    week.hears("office", 1, "over: credential_failing").await;
    week.hears("night-desk", 9, "over: incomplete").await;
    assert_eq!(week.daemon.people().await, people);

    // The week is over: each heard what was theirs, once, and the store is sound.
    week.says("verify").await;
    let Week { home, daemon, .. } = week;
    assert_eq!(daemon.stop().await, Some(0));
    let kinds = [
        "mass_change_held",
        "credential_expires",
        "credential_failing",
    ];
    let office = kinds.map(|kind| [kind.to_owned(), format!("over: {kind}")]);
    let night_desk = [["incomplete"; 9], ["over: incomplete"; 9]].concat();
    assert_eq!(heard(&home, "office"), office.concat());
    assert_eq!(heard(&home, "night-desk"), night_desk);
}

/// The PMS, and the home with its daemon.
struct Week {
    pms: Sandbox,
    home: Home,
    daemon: Daemon,
}

/// What somebody was told up to now: the subjects, without the names that they begin with.
fn heard(home: &Home, who: &str) -> Vec<String> {
    let text = std::fs::read_to_string(home.beside().join(who)).unwrap_or_default();
    let what = |line: &str| line.splitn(3, ": ").last().unwrap().to_owned();
    text.lines().map(what).collect()
}

/// Where somebody lives, once for each who does.
fn living(people: &[Person]) -> Vec<&str> {
    let stays = people.iter().flat_map(|one| &one.stays);
    let open = stays.filter(|(_, stay)| !stay.is_closed());
    open.map(|(at, _)| at.as_str()).collect()
}

impl Week {
    /// The office is told of alerts, and the night desk of runs that are incomplete; each writes the subjects down.
    async fn begins() -> Week {
        let property = |name: &str| PropertySpec {
            code: name.to_lowercase(),
            name: format!("{name} Court"),
        };
        let world = World::seeded(WorldOptions {
            seed: 5,
            properties: TREES.split(' ').map(property).collect(),
            residents: 300,
            today: today(),
        });
        let pms = Sandbox::start(Kind::AppFolio, world, Settings::default()).await;
        let (pms, home) = (pms.unwrap(), Home::new());
        home.credential("acme", &pms);
        // It reads to the end: a program that does not is told again.
        home.write("tell.sh", "sed -n 1p >> \"$1\"\n");
        let to = |who: &str| {
            let folder = home.beside().display();
            format!("name: {who}, fold: 0s, to: {{ exec: [sh, tell.sh, \"{folder}/{who}\"] }}")
        };
        home.set(&format!(
            "notify: [{{ alerts: [mass_change_held, credential_expires, credential_failing], {} }}, {{ runs: [incomplete], {} }}]",
            to("office"),
            to("night-desk")
        ));
        let daemon = Daemon::start(&home).await;
        Week { pms, home, daemon }
    }

    /// What a command of the program says, which succeeds.
    async fn says(&self, words: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        said(&self.home.epms(&words).await, 0)
    }

    async fn ada(&self) -> Option<Person> {
        self.daemon.person_with(ADA).await
    }

    /// Everybody leaves a property; gives the world as it was before.
    fn pms_moves_everybody_out(&self, property: usize) -> World {
        let mut world = self.pms.world();
        let before = world.clone();
        let homes = before.households().iter();
        let left = homes.filter(|one| one.property == property && one.status.lives_there());
        for one in left.flat_map(|one| &one.members) {
            world.move_out(one.id, today()).unwrap();
        }
        before
    }

    /// A checkout, with no credential in it, whose script forgets telephone numbers.
    fn branch_without_phones(&self) -> Home {
        let branch = Home::new();
        branch.copy(self.home.root(), "config/integrations");
        std::fs::remove_dir_all(branch.path("config/credentials")).unwrap();
        branch.edit("scripts/appfolio.rhai", PHONE, "phone: (),");
        branch
    }

    fn file(&self, integration: &str) -> PathBuf {
        self.home
            .path(&format!("config/integrations/{integration}.yaml"))
    }

    async fn credential_expires_in(&self, days: i64) {
        let name = "config/credentials/acme.yaml";
        let text = self.home.read(name);
        let day = today().saturating_add(jiff::Span::new().days(days));
        let kept = text.split("expires:").next().unwrap();
        self.home.write(name, format!("{kept}expires: {day}\n"));
        self.says("reload").await;
    }

    /// A sync of all that are switched on.
    async fn all(&self) -> Vec<Run> {
        let reply = self.daemon.client.sync(Which::All, true).await.unwrap();
        let runs = reply.runs.into_iter();
        runs.map(|run| run.report.unwrap()).collect()
    }

    async fn all_succeed(&self, count: usize) {
        let runs = self.all().await;
        let right = runs.iter().filter(|run| run.outcome.is_success());
        assert_eq!((right.count(), runs.len()), (count, count), "{runs:#?}");
    }

    async fn all_fail_twice(&self) {
        for run in [self.all().await, self.all().await].concat() {
            assert!(!run.outcome.is_success(), "{run:#?}");
        }
    }

    async fn hears(&self, who: &str, times: usize, what: &str) {
        eventually(what, async || {
            let heard = heard(&self.home, who);
            heard.iter().filter(|one| *one == what).count() == times
        })
        .await;
    }
}
