//! Files that change under a daemon that runs: what is right is in effect for the next sync, what is wrong
//! changes nothing and is told.

use std::sync::Arc;

use crate::support::{Daemon, Home, eventually, found, pms, shut, told};
use epms::control::protocol::IntegrationState;
use epms::model::{Outcome, ReloadOutcome};
use epms::sandbox::{Kind, Sandbox};
use nix::sys::signal::Signal;

const ELM: &str = "config/integrations/elm.yaml";
const SCRIPT: &str = "scripts/appfolio.rhai";

/// A line of the script, and one that shows in everybody it makes.
const LINE: &str = "first_name: get(name, \"first\"),";
const OTHER_LINE: &str =
    "first_name: if get(name, \"first\") == () { () } else { \"New \" + get(name, \"first\") },";

async fn started() -> (Arc<Sandbox>, Home, Daemon) {
    let pms = pms(Kind::AppFolio, 1, 120).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    (pms, home, daemon)
}

#[tokio::test]
async fn a_changed_exclude_list_is_in_effect_for_the_next_sync() {
    let (_pms, home, daemon) = started().await;
    home.edit(ELM, "exclude_statuses: []", "exclude_statuses: [Notice]");
    let generation = daemon.reloaded("elm", 1).await;
    let report = daemon.sync("elm").await;
    assert_eq!(report.generation, generation);
    assert!(report.excluded_by["status Notice"] > 0, "{report:?}");
    let excluded = |people: &[epms::model::Person]| {
        let mut stays = people.iter().flat_map(|person| person.stays.values());
        stays.any(|stay| stay.excluded)
    };
    assert!(excluded(&daemon.people().await));
    home.edit(ELM, "[Notice]", "[]");
    daemon.reloaded("elm", generation).await;
    let report = daemon.sync("elm").await;
    assert!(
        !report.excluded_by.contains_key("status Notice"),
        "{report:?}"
    );
    assert!(!excluded(&daemon.people().await));
}

#[tokio::test]
async fn a_changed_line_of_a_script_is_in_effect_however_it_is_saved() {
    let (_pms, home, daemon) = started().await;
    home.edit(SCRIPT, LINE, OTHER_LINE);
    let second = daemon.reloaded("elm", 1).await;
    let report = daemon.sync("elm").await;
    assert_eq!(report.generation, second);
    assert!(report.counts.updated > 20, "{report:?}");
    let renamed = async || {
        let people = daemon.people().await;
        people
            .iter()
            .filter(|one| one.first_name.starts_with("New "))
            .count()
    };
    assert_eq!(renamed().await as u64, report.counts.updated);

    home.edit_by_rename(SCRIPT, OTHER_LINE, LINE);
    let third = daemon.reloaded("elm", second).await;
    let report = daemon.sync("elm").await;
    assert_eq!((report.generation, renamed().await), (third, 0));
    // The file that was put there is watched like the one before it.
    home.edit_by_rename(SCRIPT, LINE, OTHER_LINE);
    let fourth = daemon.reloaded("elm", third).await;
    home.edit(SCRIPT, OTHER_LINE, LINE);
    daemon.reloaded("elm", fourth).await;
}

#[tokio::test]
async fn a_changed_library_reloads_those_whose_scripts_import_it_and_no_others() {
    let (elm, oak) = (
        pms(Kind::AppFolio, 1, 30).await,
        pms(Kind::Yardi, 2, 30).await,
    );
    let home = Home::new();
    home.feed("elm", &elm);
    home.feed("oak", &oak);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    home.edit(
        "scripts/lib/voyager.rhai",
        "names::or_none(written), remark",
        "\"New \" + names::or_none(written), remark",
    );
    let generation = daemon.reloaded("oak", 1).await;
    assert_eq!(daemon.generation("elm").await, 1);
    let report = daemon.sync("oak").await;
    assert_eq!(report.generation, generation);
    // The run maps by the new library: another first and last name for everybody, which waits for approval (R27).
    assert_eq!(report.outcome.as_str(), "held", "{report:?}");
    assert!(report.counts.held > 10, "{report:?}");
    home.edit("scripts/lib/contacts.rhai", "first(emails(value))", "()");
    daemon.reloaded("elm", 1).await;
    daemon.reloaded("oak", generation).await;
}

#[tokio::test]
async fn a_broken_script_is_told_with_its_place_and_the_generation_before_goes_on() {
    let (pms, home, daemon) = started().await;
    let good = home.edit(SCRIPT, LINE, "first_name: name.frist(,");
    let line = 1 + good.lines().position(|line| line.contains(LINE)).unwrap();
    let problem = found("the problem is told", async || {
        daemon.integration("elm").await.problems.first().cloned()
    })
    .await;
    assert_eq!(problem.file.to_str(), Some(SCRIPT));
    let place = problem.place.unwrap();
    assert_eq!(place.line as usize, line);
    let output = home.epms(&["status"]).await;
    assert!(output.status.success());
    let shown = told(&output);
    let expected = format!("{SCRIPT}:{}:{}", place.line, place.column);
    assert!(shown.contains(&expected), "{expected}: {shown}");

    pms.world()
        .move_in("elm", "Ada", "Still", Some("ada.still@example.com"), None)
        .unwrap();
    let report = daemon.sync("elm").await;
    assert_eq!((report.generation, report.counts.created), (1, 1));
    let output = home.epms(&["reload"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");

    home.write(SCRIPT, good);
    eventually("the repair heals", async || {
        daemon.integration("elm").await.problems.is_empty()
    })
    .await;
    assert!(daemon.sync("elm").await.outcome.is_success());
    let shown = told(&home.epms(&["status"]).await);
    assert!(!shown.contains(SCRIPT), "{shown}");
    assert_eq!(home.epms(&["reload"]).await.status.code(), Some(0));
}

#[tokio::test]
async fn a_misspelt_name_in_a_script_is_refused_like_one_that_cannot_be_read() {
    let (_pms, home, daemon) = started().await;
    home.edit(
        SCRIPT,
        "text(record, \"Status\")",
        "txet(record, \"Status\")",
    );
    let problem = found("the problem is told", async || {
        daemon.integration("elm").await.problems.first().cloned()
    })
    .await;
    assert!(problem.message.contains("txet"), "{problem}");
    assert!(problem.place.is_some(), "{problem}");
    assert_eq!(daemon.generation("elm").await, 1);
}

#[tokio::test]
async fn a_new_integration_is_taken_in_and_synced_without_being_asked() {
    let (_pms, home, daemon) = started().await;
    let count = daemon.people().await.len();
    let oak = pms(Kind::Yardi, 2, 30).await;
    home.feed("oak", &oak);
    eventually("the first sync of the new one has ended", async || {
        let status = daemon.client.status().await.unwrap();
        status
            .integrations
            .iter()
            .any(|one| one.id.as_str() == "oak" && one.last_success.is_some())
    })
    .await;
    assert!(daemon.people().await.len() > count + 10);
    assert_eq!(daemon.generation("elm").await, 1);
}

#[tokio::test]
async fn a_deleted_integration_is_paused_and_its_people_stay() {
    let (_pms, home, daemon) = started().await;
    let people = daemon.people().await;
    let text = home.read(ELM);
    home.remove(ELM);
    eventually("it is paused", async || {
        daemon.integration("elm").await.state == IntegrationState::Removed
    })
    .await;
    assert_eq!(daemon.people().await, people);
    assert_eq!(daemon.integration("elm").await.next, None);
    let problem = daemon.post("/v1/integrations/elm/sync").await.problem();
    assert_eq!(problem.status, 409);
    assert!(problem.detail.contains("put it back"), "{problem}");
    assert_eq!(
        daemon.post("/v1/sync").await.json()["runs"],
        serde_json::json!([])
    );

    home.write(ELM, text);
    eventually("it is taken up again", async || {
        daemon.integration("elm").await.state == IntegrationState::Idle
    })
    .await;
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    assert_eq!(daemon.people().await, people);
}

#[tokio::test]
async fn people_of_an_integration_that_was_deleted_stay_over_a_restart() {
    let (_pms, home, daemon) = started().await;
    let people = daemon.people().await;
    assert_eq!(daemon.stop().await, Some(0));
    let text = home.read(ELM);
    home.remove(ELM);
    let daemon = Daemon::start(&home).await;
    assert_eq!(daemon.people().await, people);
    home.write(ELM, text);
    eventually("it is taken up again", async || {
        daemon.integration("elm").await.state == IntegrationState::Idle
    })
    .await;
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    assert_eq!(daemon.people().await, people);
}

#[tokio::test]
async fn a_broken_integration_keeps_no_other_from_its_reload() {
    let (elm, oak) = (
        pms(Kind::AppFolio, 1, 30).await,
        pms(Kind::Yardi, 2, 30).await,
    );
    let home = Home::new();
    home.feed("elm", &elm);
    home.feed("oak", &oak);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let good = home.edit(ELM, "exclude_statuses", "exclude_statusses");
    let oak = "config/integrations/oak.yaml";
    home.edit(oak, "exclude_statuses: []", "exclude_statuses: [Notice]");
    daemon.reloaded("oak", 1).await;
    let elm = daemon.integration("elm").await;
    assert_eq!(elm.generation, Some(1));
    let problem = elm.problems[0].to_string();
    assert!(
        problem.starts_with(&format!("{ELM}:5:1: exclude_statusses:"))
            && problem.contains("did you mean `exclude_statuses`?"),
        "{problem}"
    );
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    assert!(daemon.sync("oak").await.excluded_by["status Notice"] > 0);
    home.write(ELM, good);
    eventually("the repair heals", async || {
        daemon.integration("elm").await.problems.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_reload_that_is_asked_for_answers_for_each_integration() {
    let home = Home::new();
    let mut all = Vec::new();
    for (seed, id) in ["loaded", "rejected", "removed", "unchanged"]
        .into_iter()
        .enumerate()
    {
        let pms = pms(Kind::AppFolio, seed as u64, 24).await;
        home.feed(id, &pms);
        all.push(pms);
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    home.edit(
        "config/integrations/rejected.yaml",
        "version: 1",
        "version: 7",
    );
    home.remove("config/integrations/removed.yaml");
    let (mut from, mut to) = ("[]", "[Notice]");
    // The watcher may be the first to see a change; then it is `unchanged` for who asks.
    let reply = found("a reload that loads", async || {
        home.edit_silently("config/integrations/loaded.yaml", from, to);
        std::mem::swap(&mut from, &mut to);
        let reply = daemon.client.reload().await.unwrap();
        (reply.integrations[0].outcome == ReloadOutcome::Loaded).then_some(reply)
    })
    .await;
    let outcomes: Vec<(&str, ReloadOutcome)> = reply
        .integrations
        .iter()
        .map(|one| (one.id.as_str(), one.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("loaded", ReloadOutcome::Loaded),
            ("rejected", ReloadOutcome::Rejected),
            ("removed", ReloadOutcome::Removed),
            ("unchanged", ReloadOutcome::Unchanged),
        ]
    );
    let rejected = &reply.integrations[1];
    assert_eq!(rejected.generation, Some(1));
    assert!(
        rejected.problems[0]
            .to_string()
            .contains("rejected.yaml:1:")
    );
    assert_eq!(
        daemon.generation("loaded").await,
        reply.integrations[0].generation.unwrap()
    );
    let again = daemon.post("/v1/reload").await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json()["integrations"][0]["outcome"], "unchanged");
}

#[tokio::test]
async fn a_hangup_reloads_also_what_made_no_noise() {
    let (_pms, home, daemon) = started().await;
    home.edit_silently(ELM, "exclude_statuses: []", "exclude_statuses: [Notice]");
    daemon.signal(Signal::SIGHUP);
    daemon.reloaded("elm", 1).await;
    assert!(daemon.log().contains("integration loaded"));
}

#[tokio::test]
async fn a_run_under_way_ends_on_the_generation_it_began_with() {
    let (pms, home, daemon) = started().await;
    let gate = shut(&pms);
    let run = daemon.begin("elm").await;
    home.edit(ELM, "exclude_statuses: []", "exclude_statuses: [Notice]");
    home.edit(SCRIPT, LINE, OTHER_LINE);
    found("the new generation is there", async || {
        let now = daemon.integration("elm").await;
        assert_eq!(now.running, Some(run));
        (now.generation > Some(1)).then_some(())
    })
    .await;
    drop(gate);
    let report = daemon.client.follow(run, |_| {}).await.unwrap();
    assert_eq!((report.generation, report.outcome), (1, Outcome::Unchanged));
    let report = daemon.sync("elm").await;
    assert!(
        report.generation > 1 && report.excluded_by["status Notice"] > 0,
        "{report:?}"
    );
}

#[tokio::test]
async fn an_integration_that_is_switched_off_and_on_runs_no_more_and_again() {
    let (_pms, home, daemon) = started().await;
    home.edit(ELM, "enabled: true", "enabled: false");
    eventually("it is off", async || {
        daemon.integration("elm").await.state == IntegrationState::Disabled
    })
    .await;
    assert_eq!(daemon.post("/v1/integrations/elm/sync").await.status, 409);
    home.edit(ELM, "enabled: false", "enabled: true");
    eventually("it is on", async || {
        daemon.integration("elm").await.state == IntegrationState::Idle
    })
    .await;
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn a_new_secret_is_read_by_the_next_run() {
    let (_pms, home, daemon) = started().await;
    let secret = "secrets/elm-account-client_secret";
    let right = home.read(secret);
    home.write(secret, "wrong");
    let report = daemon.sync("elm").await;
    assert!(
        matches!(report.outcome, Outcome::Failed { .. }),
        "{report:?}"
    );
    home.write(secret, right);
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn a_folder_that_is_replaced_whole_is_watched_like_the_one_before() {
    let (_pms, home, daemon) = started().await;
    let (scripts, other) = (home.path("scripts"), home.path("scripts-new"));
    for (from, to) in [(LINE, OTHER_LINE), (OTHER_LINE, LINE)] {
        let generation = daemon.generation("elm").await;
        std::fs::create_dir(&other).unwrap();
        copy(&scripts, &other);
        let script = other.join("appfolio.rhai");
        let text = std::fs::read_to_string(&script).unwrap();
        std::fs::write(&script, text.replacen(from, to, 1)).unwrap();
        let old = home.beside().join(format!("old-{generation}"));
        std::fs::rename(&scripts, &old).unwrap();
        std::fs::rename(&other, &scripts).unwrap();
        daemon.reloaded("elm", generation).await;
        eventually("it is right", async || {
            daemon.integration("elm").await.problems.is_empty()
        })
        .await;
    }
    let generation = daemon.generation("elm").await;
    home.edit(SCRIPT, LINE, OTHER_LINE);
    daemon.reloaded("elm", generation).await;
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A Kubernetes volume: files are links into `..data`, itself a link that is switched; no event names a file.
#[tokio::test]
async fn links_that_are_switched_as_a_whole_are_seen() {
    let (_pms, home, daemon) = started().await;
    let folder = home.path("config/integrations");
    let text = home.read(ELM);
    let version = |name: &str, text: &str| {
        std::fs::create_dir(folder.join(name)).unwrap();
        std::fs::write(folder.join(name).join("elm.yaml"), text).unwrap();
        let link = folder.join("..data_tmp");
        std::os::unix::fs::symlink(name, &link).unwrap();
        std::fs::rename(link, folder.join("..data")).unwrap();
    };
    version("..2026_01", &text);
    let link = folder.join("elm.tmp");
    std::os::unix::fs::symlink("..data/elm.yaml", &link).unwrap();
    std::fs::rename(link, home.path(ELM)).unwrap();
    let mut generation = daemon.generation("elm").await;
    for (name, status) in [("..2026_02", "Notice"), ("..2026_03", "Evict")] {
        let list = format!("exclude_statuses: [{status}]");
        version(name, &text.replace("exclude_statuses: []", &list));
        generation = daemon.reloaded("elm", generation).await;
        let report = daemon.sync("elm").await;
        assert_eq!(report.generation, generation);
    }
    assert!(daemon.integration("elm").await.problems.is_empty());
}

#[tokio::test]
async fn a_link_to_the_whole_configuration_that_is_switched_is_seen() {
    let pms = pms(Kind::AppFolio, 1, 24).await;
    let home = Home::new();
    home.feed("elm", &pms);
    std::fs::rename(home.path("config"), home.path("config-1")).unwrap();
    std::os::unix::fs::symlink("config-1", home.path("config")).unwrap();
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    std::fs::create_dir(home.path("config-2")).unwrap();
    copy(&home.path("config-1"), &home.path("config-2"));
    let other = "config-2/integrations/elm.yaml";
    home.edit(other, "exclude_statuses: []", "exclude_statuses: [Notice]");
    std::os::unix::fs::symlink("config-2", home.path("config-tmp")).unwrap();
    std::fs::rename(home.path("config-tmp"), home.path("config")).unwrap();
    let second = daemon.reloaded("elm", 1).await;
    // What lies behind the new link is watched like what lay behind the old one.
    home.edit(other, "[Notice]", "[Evict]");
    daemon.reloaded("elm", second).await;
}

#[tokio::test]
async fn a_file_that_is_written_in_pieces_is_taken_once_it_is_whole() {
    let (_pms, home, daemon) = started().await;
    let text = home.read(SCRIPT).replace(LINE, OTHER_LINE);
    let mut file = std::fs::File::create(home.path(SCRIPT)).unwrap();
    for piece in text.as_bytes().chunks(200) {
        std::io::Write::write_all(&mut file, piece).unwrap();
        std::io::Write::flush(&mut file).unwrap();
        assert!(daemon.client.healthz().await.is_ok());
    }
    drop(file);
    daemon.reloaded("elm", 1).await;
    let status = daemon.integration("elm").await;
    assert!(status.problems.is_empty(), "{status:?}");
    assert!(daemon.sync("elm").await.counts.updated > 20);
}

#[tokio::test]
async fn a_burst_of_five_hundred_files_is_one_reload_or_a_few() {
    let (pms, home, daemon) = started().await;
    for number in 0..500 {
        let text = home
            .read(ELM)
            .replace(&pms.property_id(0), &format!("none-{number}"))
            .replace("enabled: true", "enabled: false");
        home.write(&format!("config/integrations/n{number}.yaml"), text);
        home.write(
            &format!("scripts/lib/n{number}.rhai"),
            "fn nothing() { () }\n",
        );
    }
    eventually("all are there", async || {
        daemon.client.status().await.unwrap().integrations.len() == 501
    })
    .await;
    let status = daemon.client.status().await.unwrap();
    let generations: u64 = status
        .integrations
        .iter()
        .filter_map(|one| one.generation)
        .sum();
    assert_eq!(generations, 501, "each was loaded once");
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn a_folder_that_vanishes_pauses_nobody_and_is_watched_again_when_it_returns() {
    let (_pms, home, daemon) = started().await;
    for name in ["config/integrations", "scripts", "config"] {
        let generation = daemon.generation("elm").await;
        let away = home.beside().join("away");
        std::fs::rename(home.path(name), &away).unwrap();
        eventually("it is told", async || {
            let status = daemon.client.status().await.unwrap();
            !status.problems.is_empty() || !status.integrations[0].problems.is_empty()
        })
        .await;
        let elm = daemon.integration("elm").await;
        assert_eq!(elm.state, IntegrationState::Idle, "{name}: {elm:?}");
        assert_eq!(daemon.sync("elm").await.generation, generation, "{name}");

        std::fs::rename(&away, home.path(name)).unwrap();
        eventually("it is right again", async || {
            let status = daemon.client.status().await.unwrap();
            status.problems.is_empty() && status.integrations[0].problems.is_empty()
        })
        .await;
        assert_eq!(daemon.generation("elm").await, generation, "{name}");
        let text = home.read(ELM);
        home.write(ELM, text + "# edited\n");
        daemon.reloaded("elm", generation).await;
    }
}
