//! Delivery by the real daemon to doors on loopback: what people may open follows where they live, whatever the doors do.

use std::time::Duration;

use epms::model::{Alert, AlertState};
use nix::sys::signal::Signal;

use crate::support::{Daemon, Doors, Home, Mishap, eventually, said};

const AUTOMATIC: &str = "mode: automatic\nstart_delay: 0s\n";

/// A home with a roll and doors, and these lines in the target's file.
async fn begin(target: &str) -> (Home, Doors) {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, target);
    (home, doors)
}

async fn comes_to(doors: &Doors, open: &[&str]) {
    eventually(&format!("{open:?}, not {:?}", doors.open()), async || {
        doors.open() == open
    })
    .await;
}

/// Nothing is under way any more, and nothing waits for anything but somebody.
async fn rests(home: &Home) {
    eventually("deliveries rest", async || {
        let told = home.epms(&["targets", "doors", "--json"]).await;
        let status: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap_or_default();
        let grants = &status["grants"];
        grants["sent"] == 0
            && grants["unknown"] == 0
            && grants["wanted"] == grants["waiting"]
            && status["behind"] == 0
            && status["read_back"].is_string()
    })
    .await;
}

#[tokio::test]
async fn r40_a_move_in_a_unit_change_and_a_move_out_arrive_at_the_doors() {
    let (home, doors) = begin(AUTOMATIC).await;
    doors.lives(1, "1A", "current");
    doors.lives(2, "2B", "pending");
    doors.granted_by_hand("guest@example.com", "lobby");
    let guest = "guest@example.com lobby";
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    comes_to(
        &doors,
        &["ada1@example.com d1", "ada1@example.com lobby", guest],
    )
    .await;
    rests(&home).await;

    doors.lives(1, "3C", "current");
    daemon.sync("elm").await;
    comes_to(
        &doors,
        &["ada1@example.com d3", "ada1@example.com lobby", guest],
    )
    .await;
    let asked = doors.known().asked.clone();
    let at = |what: &str| asked.iter().rposition(|one| one.starts_with(what));
    assert!(at("CREATE") < at("REMOVE"), "{asked:?}");

    doors.lives(1, "3C", "past");
    daemon.sync("elm").await;
    comes_to(&doors, &[guest]).await;
    assert!(doors.known().created.values().all(|times| *times == 1));
    // What somebody else granted is left alone, and told.
    assert_eq!(status(&home).await["others"], 1);
    let told = said(&home.epms(&["targets", "doors"]).await, 0);
    assert!(told.contains("1, which somebody else granted"), "{told}");
    let log = daemon.log();
    assert_eq!(log.matches("somebody else granted").count(), 1, "{log}");
}

#[tokio::test]
async fn what_opens_waits_for_approval_of_exactly_that() {
    let (home, doors) = begin("start_delay: 0s\n").await;
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("it waits", async || {
        let told = home.epms(&["targets", "doors", "--json"]).await;
        let status: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap_or_default();
        status["grants"]["waiting"] == 2
    })
    .await;
    let preview = home
        .epms(&["deliveries", "preview", "doors", "--json"])
        .await;
    let plan: serde_json::Value = serde_json::from_slice(&preview.stdout).unwrap();
    let digest = plan["digest"].as_str().unwrap().to_owned();

    // Somebody moved since: what was shown is not what waits.
    doors.lives(1, "2B", "current");
    daemon.sync("elm").await;
    eventually("another plan waits", async || {
        let preview = home
            .epms(&["deliveries", "preview", "doors", "--json"])
            .await;
        let plan: serde_json::Value = serde_json::from_slice(&preview.stdout).unwrap();
        plan["digest"] != digest.as_str()
    })
    .await;
    let refused = home
        .epms(&["deliveries", "approve", "doors", "--digest", &digest])
        .await;
    let text = said(&refused, 1);
    assert!(text.contains("is not what was shown"), "{text}");
    assert_eq!(doors.open(), [] as [String; 0]);

    let preview = home
        .epms(&["deliveries", "preview", "doors", "--json"])
        .await;
    let plan: serde_json::Value = serde_json::from_slice(&preview.stdout).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    said(
        &home
            .epms(&["deliveries", "approve", "doors", "--digest", digest])
            .await,
        0,
    );
    comes_to(&doors, &["ada1@example.com d2", "ada1@example.com lobby"]).await;

    // Whoever is past loses it at once.
    doors.lives(1, "2B", "past");
    daemon.sync("elm").await;
    comes_to(&doors, &[]).await;
}

#[tokio::test]
async fn whatever_happens_to_a_request_each_grant_is_there_once_in_the_end() {
    let (home, doors) = begin(AUTOMATIC).await;
    doors.known().mishaps.extend([
        Mishap::DoneAndFailed,
        Mishap::DoneAndSilent,
        Mishap::Refused(503),
        Mishap::Refused(429),
        Mishap::DoneAndFailed,
    ]);
    doors.lives(1, "1A", "current");
    doors.lives(2, "2B", "current");
    doors.lives(3, "3C", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    comes_to(
        &doors,
        &[
            "ada1@example.com d1",
            "ada1@example.com lobby",
            "ada2@example.com d2",
            "ada2@example.com lobby",
            "ada3@example.com d3",
            "ada3@example.com lobby",
        ],
    )
    .await;
    rests(&home).await;
    drop(daemon);
    assert!(doors.known().created.values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_target_that_is_down_loses_nothing_and_goes_on_where_it_was() {
    let (home, doors) = begin(AUTOMATIC).await;
    doors.lives(1, "1A", "current");
    doors.known().is_down = true;
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("it is told", async || {
        let alerts = daemon.alerts().await;
        alerts
            .iter()
            .any(|alert| alert.kind.as_str() == "delivery_failed")
    })
    .await;
    doors.known().is_down = false;
    said(&home.epms(&["deliveries", "retry", "doors"]).await, 0);
    comes_to(&doors, &["ada1@example.com d1", "ada1@example.com lobby"]).await;
    eventually("the alert closes", async || {
        let alerts = daemon.alerts().await;
        alerts.iter().all(|alert| {
            alert.kind.as_str() != "delivery_failed" || alert.state.to_string() == "auto_closed"
        })
    })
    .await;
}

#[tokio::test]
async fn r47_after_a_restore_no_door_opens_or_shuts_until_the_feed_was_read() {
    let (home, doors) = begin(AUTOMATIC).await;
    doors.lives(1, "1A", "current");
    doors.lives(2, "2B", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let both = [
        "ada1@example.com d1",
        "ada1@example.com lobby",
        "ada2@example.com d2",
        "ada2@example.com lobby",
    ];
    comes_to(&doors, &both).await;
    rests(&home).await;
    let file = home.beside().join("backup.redb");
    let path = file.to_str().unwrap();
    said(&home.epms(&["backup", path]).await, 0);
    // Since the backup one left, and one came.
    doors.lives(1, "1A", "past");
    doors.lives(3, "3C", "current");
    daemon.sync("elm").await;
    let since = [
        "ada2@example.com d2",
        "ada2@example.com lobby",
        "ada3@example.com d3",
        "ada3@example.com lobby",
    ];
    comes_to(&doors, &since).await;
    rests(&home).await;
    assert_eq!(daemon.stop().await, Some(0));

    said(&home.epms(&["restore", path]).await, 0);
    doors.known().roll_is_down = true;
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("the target was read back", async || {
        let status = status(&home).await;
        status["read_back"].is_string() && status["behind"] == 0
    })
    .await;
    let told = said(&home.epms(&["deliveries", "list", "--json"]).await, 0);
    assert!(told.contains(r#""waits_for": "sync""#), "{told}");
    let plan = said(
        &home
            .epms(&["deliveries", "preview", "doors", "--json"])
            .await,
        0,
    );
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert!(plan["digest"].is_null(), "nobody can approve it: {plan}");
    assert_eq!(doors.open(), since);

    doors.known().roll_is_down = false;
    daemon.sync("elm").await;
    rests(&home).await;
    assert_eq!(doors.open(), since);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn what_is_there_and_ours_and_nobody_s_is_told_and_waits() {
    let (home, doors) = begin(AUTOMATIC).await;
    doors.lives(1, "1A", "current");
    {
        let mut known = doors.known();
        let stray = serde_json::json!({ "id": 77, "holder": "old@example.com", "door": "d2", "by": "feed", "label": "x" });
        known.grants.insert(77, stray);
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let all = [
        "ada1@example.com d1",
        "ada1@example.com lobby",
        "old@example.com d2",
    ];
    comes_to(&doors, &all).await;
    eventually("it is told", async || {
        let alerts = daemon.alerts().await;
        alerts
            .iter()
            .any(|alert| alert.kind.as_str() == "found_at_target")
    })
    .await;
    rests(&home).await;
    assert_eq!(doors.open(), all);
    let plan = home
        .epms(&["deliveries", "preview", "doors", "--json"])
        .await;
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    said(
        &home
            .epms(&["deliveries", "approve", "doors", "--digest", digest])
            .await,
        0,
    );
    comes_to(&doors, &all[..2]).await;
}

/// `EPMS_KILLS=300` kills so often.
#[tokio::test]
async fn a_daemon_killed_while_it_delivers_grants_nothing_twice_and_loses_nothing() {
    let kills = std::env::var("EPMS_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let (home, doors) = begin(AUTOMATIC).await;
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..kills {
        let who = round % 40;
        let unit = ["1A", "2B", "3C"][rng.usize(0..3)];
        doors.lives(who, unit, "current");
        let daemon = Daemon::start(&home).await;
        let _ = daemon.begin("elm").await;
        tokio::time::sleep(Duration::from_millis(rng.u64(0..400))).await;
        daemon.signal(Signal::SIGKILL);
        drop(daemon);
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    // The run before may have been killed: the next by itself is due in an hour.
    daemon.sync("elm").await;
    eventually("everybody has what they should have, once", async || {
        let open = doors.open();
        let known = doors.known();
        let wanted = known.roll.len() * 2;
        let mut once = open.clone();
        once.dedup();
        open.len() == wanted && once.len() == open.len()
    })
    .await;
    drop(daemon);
}

/// `EPMS_DELIVERED=5000` delivers to so many, and says how fast.
#[tokio::test(flavor = "multi_thread")]
async fn many_people_arrive_at_once_and_what_was_sent_is_seen_in_lists_and_not_one_by_one() {
    let people = std::env::var("EPMS_DELIVERED").map_or(200, |people| people.parse().unwrap());
    let (home, doors) = begin(AUTOMATIC).await;
    for id in 0..people {
        doors.lives(id, "1A", "current");
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let begun = std::time::Instant::now();
    eventually("everybody has arrived", async || {
        let told = home.epms(&["targets", "doors", "--json"]).await;
        let status: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap_or_default();
        status["grants"]["confirmed"] == people * 2
    })
    .await;
    let took = begun.elapsed();
    println!("{people} people, {} grants in {took:?}", people * 2);
    let known = doors.known();
    assert!(known.created.values().all(|times| *times == 1));
    let count = |what: &str| known.asked.iter().filter(|one| *one == what).count();
    // One list after the other, and not one for each that is due.
    let lists = usize::try_from(took.as_secs()).unwrap() + 6;
    assert!(count("LIST") <= lists, "{} lists", count("LIST"));
    // Each grant is looked for before it is sent, and what was sent is seen in the lists.
    let finds = usize::try_from(people).unwrap() * 3;
    assert!(count("FIND") <= finds, "{} looks", count("FIND"));
}

#[tokio::test]
async fn a_target_s_file_of_another_name_takes_nothing_away_of_those_who_live_here() {
    let (home, doors) = begin("mode: automatic\nstart_delay: 0s\n").await;
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let open = ["ada1@example.com d1", "ada1@example.com lobby"];
    comes_to(&doors, &open).await;
    rests(&home).await;
    // By the new file everybody is new, and would begin in an hour.
    let text = home.read("config/targets/doors.yaml");
    home.write(
        "config/targets/front.yaml",
        text.replace("start_delay: 0s", "start_delay: 1h"),
    );
    home.remove("config/targets/doors.yaml");
    eventually("the new one has looked", async || {
        let told = home.epms(&["targets", "front", "--json"]).await;
        let status: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap_or_default();
        status["grants"]["confirmed"] == 2
    })
    .await;
    assert_eq!(doors.open(), open);
    let plan = home
        .epms(&["deliveries", "preview", "front", "--json"])
        .await;
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["deeds"], serde_json::json!([]), "{plan}");
}

#[tokio::test]
async fn files_of_a_target_that_are_not_right_are_an_alert_until_they_are() {
    let (home, doors) = begin(AUTOMATIC).await;
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let is_told = async |open: bool| {
        eventually("the alert is open, or closed", async || {
            let alerts = daemon.alerts().await;
            let is_of_files =
                |alert: &Alert| alert.subject == "doors files" && alert.state == AlertState::Open;
            alerts.iter().any(is_of_files) == open
        })
        .await;
    };
    let right = home.edit(
        "config/targets/doors.yaml",
        "version: 1",
        "version: 1\nfrom: [oak]",
    );
    is_told(true).await;
    home.write("config/targets/doors.yaml", right);
    is_told(false).await;
}

/// How long it takes is printed; that it is two seconds at most on a machine of its own is said nowhere else.
#[tokio::test]
async fn a_target_that_is_down_holds_up_none_that_is_well() {
    let (home, doors) = begin(AUTOMATIC).await;
    let down = Doors::start().await;
    down.known().is_down = true;
    home.write(
        "config/credentials/down.yaml",
        format!(
            "version: 1\nconnector: doors\nfields: {{ url: \"{}\" }}\n",
            down.url
        ),
    );
    let text = home.read("config/targets/doors.yaml");
    home.write(
        "config/targets/down.yaml",
        text.replace("credential: doors", "credential: down"),
    );
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    rests(&home).await;
    let mut longest = Duration::ZERO;
    for id in 2..8 {
        doors.lives(id, "1A", "current");
        daemon.sync("elm").await;
        let seen = std::time::Instant::now();
        let door = format!("ada{id}@example.com d1");
        eventually("who moved in may open", async || {
            doors.open().contains(&door)
        })
        .await;
        longest = longest.max(seen.elapsed());
    }
    println!("the longest of six took {longest:?}");
    assert!(longest < Duration::from_secs(10), "{longest:?}");
    assert_eq!(down.open(), [] as [String; 0]);
}

/// What the daemon tells of the target.
async fn status(home: &Home) -> serde_json::Value {
    let told = home.epms(&["targets", "doors", "--json"]).await;
    serde_json::from_slice(&told.stdout).unwrap_or_default()
}

/// The digest of what waits.
async fn digest(home: &Home) -> String {
    let plan = home
        .epms(&["deliveries", "preview", "doors", "--json"])
        .await;
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    plan["digest"].as_str().unwrap().to_owned()
}

async fn approves(home: &Home) {
    let digest = digest(home).await;
    let words = ["deliveries", "approve", "doors", "--digest", &digest];
    said(&home.epms(&words).await, 0);
}

#[tokio::test]
async fn r27_what_is_taken_from_more_than_the_guard_lets_through_waits_also_in_automatic() {
    let (home, doors) = begin(&format!("{AUTOMATIC}guard: {{ limit: 1, percent: 10 }}\n")).await;
    for id in 1..=6 {
        doors.lives(id, "1A", "current");
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("all have it", async || doors.open().len() == 12).await;
    rests(&home).await;
    // One is let through, and with the next it is too much.
    doors.lives(1, "1A", "past");
    daemon.sync("elm").await;
    eventually("one lost it", async || doors.open().len() == 10).await;
    doors.lives(2, "1A", "past");
    daemon.sync("elm").await;
    eventually("it is held", async || {
        let alerts = daemon.alerts().await;
        let is_held = |alert: &Alert| alert.kind.as_str() == "revocations_held";
        status(&home).await["state"] == "held" && alerts.iter().any(is_held)
    })
    .await;
    assert_eq!(doors.open().len(), 10);
    approves(&home).await;
    eventually("it is let through", async || doors.open().len() == 8).await;
}

#[tokio::test]
async fn r27_what_the_approval_of_a_run_named_is_not_held_again() {
    let (home, doors) = begin(&format!("{AUTOMATIC}guard: {{ limit: 1, percent: 1 }}\n")).await;
    for id in 1..=12 {
        doors.lives(id, "1A", "current");
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("all have it", async || doors.open().len() == 24).await;
    rests(&home).await;
    for id in 1..=8 {
        doors.lives(id, "1A", "past");
    }
    let run = daemon.sync("elm").await;
    assert_eq!(run.outcome.as_str(), "held");
    let run = run.id.to_string();
    said(&home.epms(&["approve", &run]).await, 0);
    eventually("whom the approval named lost it", async || {
        doors.open().len() == 8
    })
    .await;
}

#[tokio::test]
async fn what_only_an_edit_of_the_file_takes_away_waits_and_what_is_switched_off_keeps_it() {
    let (home, doors) = begin(AUTOMATIC).await;
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let open = ["ada1@example.com d1", "ada1@example.com lobby"];
    comes_to(&doors, &open).await;
    rests(&home).await;
    let file = "config/targets/doors.yaml";
    home.edit(file, "common: [lobby]", "common: []");
    eventually("it waits", async || {
        status(&home).await["grants"]["waiting"] == 1
    })
    .await;
    assert_eq!(doors.open(), open);
    approves(&home).await;
    comes_to(&doors, &open[..1]).await;

    home.write(file, home.read(file) + "enabled: false\n");
    eventually("it is off", async || status(&home).await["state"] == "off").await;
    doors.lives(1, "1A", "past");
    daemon.sync("elm").await;
    assert_eq!(doors.open(), open[..1]);
    home.edit(file, "enabled: false", "enabled: true");
    comes_to(&doors, &[]).await;
}

#[tokio::test]
async fn whoever_becomes_one_with_another_has_what_the_other_has_and_nothing_twice() {
    let (home, doors) = begin(AUTOMATIC).await;
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for email in ["one@example.com", "other@example.com"] {
        let words = [
            "people",
            "add",
            "--first-name",
            "Ada",
            "--last-name",
            "Quill 9",
            "--integration",
            "elm",
            "--unit",
            "2B",
            "--email",
            email,
        ];
        said(&home.epms(&words).await, 0);
    }
    let of_both = ["one@example.com lobby", "other@example.com lobby"];
    eventually("both have it", async || {
        let open = doors.open();
        of_both.iter().all(|one| open.contains(&(*one).to_owned()))
    })
    .await;
    rests(&home).await;
    doors.lives(9, "2B", "current");
    daemon.sync("elm").await;
    let alerts = daemon.alerts().await;
    let of_both = alerts
        .iter()
        .find(|alert| alert.kind.as_str() == "duplicate_accounts");
    let alert = of_both.unwrap().id.to_string();
    let one = daemon
        .person_with("one@example.com")
        .await
        .unwrap()
        .id
        .to_string();
    let words = ["alerts", "resolve", &alert, "merge", "--into", &one];
    said(&home.epms(&words).await, 0);
    daemon.sync("elm").await;
    rests(&home).await;
    let person = daemon
        .people()
        .await
        .into_iter()
        .find(|person| person.id.to_string() == one);
    let email = person.unwrap().email.unwrap();
    let lobby = |who: &str| format!("{who} lobby");
    eventually("only one of them has it", async || {
        let open = doors.open();
        let has = |who: &str| open.contains(&lobby(who));
        has(&email)
            && ["one@example.com", "other@example.com", "ada9@example.com"]
                .iter()
                .all(|who| *who == email || !has(who))
    })
    .await;
}
