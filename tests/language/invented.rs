//! Two PMSs of our own invention, whole homes in `tests/fixtures`, with the most unlikely words of the language together:
//! reports that are ordered, waited for and fetched as a zip with CSV in windows-1252; and signed JSON behind a cookie, of
//! which most hours tell no change.

use crate::support::invented::{Beacon, Bureau, Trouble};
use crate::support::{Daemon, Home, eventually, said};
use epms::model::{LeaseStatus, Outcome, Person};
use jiff::civil::date;

const BUREAU: &str = "config/connectors/bureau.yaml";
const BEACON: &str = "config/connectors/beacon.yaml";

/// `check` and `test` find nothing.
async fn is_clean(home: &Home, pms: &str, cases: &str) {
    said(&home.epms(&["check"]).await, 0);
    let tested = said(&home.epms(&["test", &format!("{pms}/")]).await, 0);
    assert!(tested.contains(cases), "{tested}");
}

/// What a command says, which ends well.
async fn asked(home: &Home, words: &[&str]) -> String {
    said(&home.epms(words).await, 0)
}

async fn with(daemon: &Daemon, email: &str) -> Person {
    let found = daemon.person_with(email).await;
    found.unwrap_or_else(|| panic!("nobody has {email}"))
}

#[tokio::test]
async fn reports_are_checked_tested_mapped_and_looked_at_before_a_daemon_reads_them() {
    let bureau = Bureau::start(6).await;
    let home = &bureau.home;
    is_clean(home, "bureau", "3 passed").await;

    let list = home.path("scripts/tests/bureau/list.csv");
    let list = list.to_str().unwrap();
    let mapped = asked(home, &["map", "bureau", list, "--country", "AT"]).await;
    assert!(
        mapped.contains("Žofie Škoda") && mapped.contains("+436601234567"),
        "{mapped}"
    );
    let zip = home.path("list.zip");
    std::fs::write(&zip, bureau.zip("H-7")).unwrap();
    let mapped = asked(home, &["map", "bureau", zip.to_str().unwrap()]).await;
    assert!(mapped.contains("6 residents"), "{mapped}");
    let wrong = home
        .epms(&["map", "bureau", list, "--encoding", "utf-8"])
        .await;
    assert!(said(&wrong, 1).contains("not valid UTF-8"));

    let doctor = asked(home, &["doctor", "sonnenhof"]).await;
    for house in ["H-7", "H-9"] {
        let page = format!("read the first page of residents of {house}");
        assert!(doctor.contains(&page), "{doctor}");
    }
    assert_eq!(doctor.matches("6 records").count(), 2, "{doctor}");
    let found = asked(home, &["discover", "sonnenhof"]).await;
    assert!(found.contains("Aufrecht"), "{found}");

    let probed = asked(home, &["probe", "sonnenhof", "--all"]).await;
    for shown in [
        "first, `auth.oauth2`, which logs in",
        "first, `order`, which comes before it",
        "first, `wait`, which comes before it",
        "answer 202",
        "answer 303",
        "x-proof: proof-",
        "Hausverwaltung Œttl & Söhne – Mieterliste",
        "records    6 on this page",
    ] {
        assert!(probed.contains(shown), "{shown}: {probed}");
    }
    assert!(
        !probed.contains("bureau-token") && !probed.contains("b&reau"),
        "{probed}"
    );
    // A step is asked behind those before it.
    let probed = asked(home, &["probe", "sonnenhof", "wait"]).await;
    assert!(
        probed.contains("first, `order`, which comes before it"),
        "{probed}"
    );
}

#[tokio::test]
async fn a_recording_of_reports_is_about_nobody_and_runs_as_a_test() {
    let bureau = Bureau::start(6).await;
    let home = &bureau.home;
    let folder = home.path("scripts/tests/bureau");
    let folder = folder.to_str().unwrap();
    asked(home, &["record", "sonnenhof", "--out", folder]).await;
    let tested = asked(home, &["test", "bureau/recorded"]).await;
    assert!(tested.contains("2 passed"), "{tested}");
    let answer = home.read("scripts/tests/bureau/recorded-residents-1.csv");
    for word in ["Šelm", "Žofie", "mieter.10", "0660 / 12"] {
        assert!(!answer.contains(word), "{word}: {answer}");
    }
}

#[tokio::test]
async fn people_of_reports_come_change_and_leave() {
    let bureau = Bureau::start(12).await;
    let daemon = Daemon::start(&bureau.home).await;
    daemon.settle().await;
    assert_eq!(daemon.people().await.len(), 24);
    let one = with(&daemon, "mieter.1003@example.com").await;
    assert_eq!(
        (&*one.first_name, &*one.last_name),
        ("Žofie", "D'Šelm baad")
    );
    assert_eq!(one.phone.as_deref(), Some("+436601200003"));
    let stay = one.stays.values().next().unwrap();
    assert_eq!(stay.lease_start, Some(date(2025, 4, 5)));
    assert_eq!(&*stay.unit.as_ref().unwrap().label, "Top 3");
    // One job for each house: ordered, asked for three times, and fetched.
    let asked = std::mem::take(&mut bureau.state().asked);
    let count = |what: &str| asked.iter().filter(|one| one.starts_with(what)).count();
    assert_eq!(
        (
            count("POST /oauth"),
            count("POST /reports"),
            count("GET /reports"),
            count("GET /files")
        ),
        (1, 2, 6, 2),
        "{asked:?}"
    );
    assert_eq!(daemon.sync("sonnenhof").await.outcome, Outcome::Unchanged);

    bureau.put("H-9", 2099, "Aufrecht");
    bureau.put("H-7", 1003, "Gekündigt");
    bureau.put("H-7", 1004, "Ausgezogen");
    let report = daemon.sync("sonnenhof").await;
    assert_eq!(
        (report.counts.created, report.counts.updated),
        (1, 2),
        "{report:?}"
    );
    let noticed = with(&daemon, "mieter.1003@example.com").await;
    let stay = noticed.stays.values().next().unwrap();
    assert!(
        stay.notice && stay.status == LeaseStatus::Current,
        "{stay:?}"
    );
    let left = with(&daemon, "mieter.1004@example.com").await;
    let stay = left.stays.values().next().unwrap();
    assert_eq!(
        (stay.status, stay.move_out),
        (LeaseStatus::Past, Some(date(2026, 1, 31)))
    );
    with(&daemon, "mieter.2099@example.com").await;
    assert_eq!(daemon.sync("sonnenhof").await.outcome, Outcome::Unchanged);
    assert!(!daemon.log().contains("bureau-token"));
}

#[tokio::test]
async fn a_report_that_is_late_cut_off_or_another_s_costs_nobody() {
    let bureau = Bureau::start(6).await;
    let home = &bureau.home;
    home.edit(BUREAU, "at_most: 10m", "at_most: 1s");
    let daemon = Daemon::start(home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    assert_eq!(people.len(), 12);
    for (trouble, told) in [
        (
            Trouble::NeverReady,
            "`wait` of PMS property `H-7`: it is not ready after 1 s",
        ),
        (Trouble::Aborted, "ask the bureau for a right"),
        (Trouble::RowMissing, "its footer says 6 rows, and 5 came"),
        (
            Trouble::CutOff,
            "no footer that begins with `Summe`, and may have been cut off",
        ),
        (Trouble::NoArchive, "HTML"),
        (Trouble::OtherHouse, "H-8"),
        (Trouble::Nightly, "maintenance"),
    ] {
        bureau.state().trouble = trouble;
        let report = daemon.sync("sonnenhof").await;
        assert!(
            matches!(report.outcome, Outcome::Incomplete { .. }),
            "{report:?}"
        );
        let reason = report.outcome.reason().unwrap();
        assert!(reason.contains(told), "{trouble:?}: {reason}");
        assert_eq!(daemon.people().await, people, "{trouble:?}");
    }
    bureau.state().trouble = Trouble::Nothing;
    home.write("secrets/bureau", "another one");
    let report = daemon.sync("sonnenhof").await;
    let reason = report.outcome.reason().unwrap();
    assert!(
        reason.contains("refuses the login of the credential `bureau`"),
        "{reason}"
    );
    assert_eq!(daemon.people().await, people);
}

#[tokio::test]
async fn signed_json_is_checked_tested_mapped_and_looked_at_and_every_command_logs_out() {
    let beacon = Beacon::start(30).await;
    let home = &beacon.home;
    is_clean(home, "beacon", "5 passed").await;
    home.write(
        "answer.json",
        r#"{"status": "ok", "result/people": {"p-1": {"who": "Bo Elm", "house": "harbour", "word": "in"}}, "result/count": 1}"#,
    );
    let answer = home.path("answer.json");
    let mapped = asked(home, &["map", "beacon", answer.to_str().unwrap()]).await;
    assert!(
        mapped.contains("p-1") && mapped.contains("Bo Elm"),
        "{mapped}"
    );

    let is_left = || beacon.state().sessions.is_empty();
    let doctor = asked(home, &["doctor", "harbour"]).await;
    assert!(
        doctor.contains("read the first page of residents of harbour"),
        "{doctor}"
    );
    assert!(doctor.contains("gave the token of beacon back"), "{doctor}");
    assert!(is_left());
    let found = asked(home, &["discover", "harbour", "--units"]).await;
    for shown in ["Harbour Street", "Pier 7", "in"] {
        assert!(found.contains(shown), "{found}");
    }
    assert!(is_left());
    let probed = asked(home, &["probe", "harbour"]).await;
    for shown in [
        "first, `login`, which logs in",
        "answer 303",
        "cookie: beacon_sid=***",
        "x-beacon-signature: v1;epms;",
        "records    20 on this page, of 30",
        "with page.cursor 20",
    ] {
        assert!(probed.contains(shown), "{shown}: {probed}");
    }
    assert!(!probed.contains("beacon-session-"), "{probed}");
    assert!(is_left());
    let probed = asked(home, &["probe", "harbour", "logout"]).await;
    assert!(
        probed.contains("DELETE ") && probed.contains("answer 204"),
        "{probed}"
    );
    assert!(!probed.contains("beacon-session-") && is_left(), "{probed}");
    // What is not taken back is told, and nothing fails for it.
    beacon.state().keeps_sessions = true;
    let doctor = asked(home, &["doctor", "harbour"]).await;
    assert!(
        doctor.contains("correct `logout` of the connector"),
        "{doctor}"
    );
    let found = asked(home, &["discover", "harbour"]).await;
    assert!(
        found.contains("the token was not given back: `logout`"),
        "{found}"
    );
    let probed = asked(home, &["probe", "harbour"]).await;
    assert!(probed.contains("log-out    failed: `logout`"), "{probed}");
    beacon.state().keeps_sessions = false;
    beacon.state().sessions.clear();
    let folder = home.path("scripts/tests/beacon");
    asked(
        home,
        &["record", "harbour", "--out", folder.to_str().unwrap()],
    )
    .await;
    asked(home, &["test", "beacon/recorded"]).await;
    assert!(is_left());
}

#[tokio::test]
async fn people_come_change_and_leave_by_what_has_changed_and_an_hour_without_a_change_is_ordinary()
{
    let beacon = Beacon::start(30).await;
    let home = &beacon.home;
    home.edit(BEACON, "overlap: 5m", "overlap: 0s");
    let daemon = Daemon::start(home).await;
    daemon.settle().await;
    assert_eq!(daemon.people().await.len(), 30);
    // All of it, by two pages.
    assert_eq!(beacon.asked_since(), ["", ""]);
    let one = with(&daemon, "maren.7@example.com").await;
    assert_eq!((&*one.first_name, &*one.last_name), ("Maren", "Holmh Jr."));
    assert_eq!(one.phone.as_deref(), Some("+15035550107"));
    let stay = one.stays.values().next().unwrap();
    assert_eq!(&*stay.unit.as_ref().unwrap().label, "Pier 7");
    assert_eq!(stay.lease_start, Some(date(2025, 2, 19)));

    let report = daemon.sync("harbour").await;
    assert_eq!(report.outcome, Outcome::Unchanged);
    assert_eq!((report.counts.seen, report.counts.unchanged), (30, 30));
    let since = beacon.asked_since();
    assert!(since.len() == 1 && since[0].ends_with('Z'), "{since:?}");

    beacon.put(30, "in");
    beacon.put(7, "notice");
    beacon.put(8, "gone");
    // Who is taken out without a word is not seen to be gone by what has changed.
    beacon.state().people.remove("p-9");
    let report = daemon.sync("harbour").await;
    assert_eq!(
        (
            report.counts.seen,
            report.counts.created,
            report.counts.updated
        ),
        (31, 1, 2),
        "{report:?}"
    );
    let noticed = with(&daemon, "maren.7@example.com").await;
    assert!(noticed.stays.values().next().unwrap().notice);
    let left = with(&daemon, "maren.8@example.com").await;
    let stay = left.stays.values().next().unwrap();
    assert_eq!(
        (stay.status, stay.move_out),
        (LeaseStatus::Past, Some(date(2026, 3, 2)))
    );
    with(&daemon, "maren.30@example.com").await;
    assert_eq!(daemon.sync("harbour").await.outcome, Outcome::Unchanged);

    // All is read once more where anything is another: then it is seen, and still nobody goes for it at once.
    beacon.asked_since();
    let before = daemon.generation("harbour").await;
    home.edit(BEACON, "full: 24h", "full: 12h");
    daemon.reloaded("harbour", before).await;
    let report = daemon.sync("harbour").await;
    assert_eq!(report.counts.seen, 30, "{report:?}");
    assert_eq!(beacon.asked_since(), ["", ""]);
    let missed = with(&daemon, "maren.9@example.com").await;
    assert_eq!(
        missed.stays.values().next().unwrap().status,
        LeaseStatus::Current
    );
}

#[tokio::test]
async fn a_cookie_that_is_over_is_fetched_again_and_given_back_when_the_daemon_stops() {
    let beacon = Beacon::start(12).await;
    let daemon = Daemon::start(&beacon.home).await;
    daemon.settle().await;
    let logins = || {
        let asked = &beacon.state().asked;
        asked.iter().filter(|one| *one == "POST /session").count()
    };
    daemon.sync("harbour").await;
    assert_eq!(logins(), 1, "it is kept from run to run");
    beacon.state().sessions.clear();
    assert!(daemon.sync("harbour").await.outcome.is_success());
    assert_eq!(logins(), 2);
    // One that may not serve any more is given back before the next is asked for.
    beacon.state().is_stale = true;
    let report = daemon.sync("harbour").await;
    let reason = report.outcome.reason().unwrap();
    assert!(reason.contains("set the clock of this machine"), "{reason}");
    beacon.state().is_stale = false;
    assert!(daemon.sync("harbour").await.outcome.is_success());
    assert_eq!(beacon.state().sessions.len(), 1);
    assert_eq!(daemon.stop().await, Some(0));
    assert!(beacon.state().sessions.is_empty());
}

#[tokio::test]
async fn a_cookie_is_given_back_when_the_files_say_that_nothing_uses_it_any_more() {
    let beacon = Beacon::start(12).await;
    let daemon = Daemon::start(&beacon.home).await;
    daemon.settle().await;
    assert_eq!(beacon.state().sessions.len(), 1);
    // What says nothing about it leaves it.
    let file = "config/integrations/harbour.yaml";
    let before = daemon.generation("harbour").await;
    beacon
        .home
        .edit(file, "version: 1", "version: 1\nmissing_after: 9");
    let before = daemon.reloaded("harbour", before).await;
    daemon.sync("harbour").await;
    assert_eq!(beacon.state().sessions.len(), 1);
    beacon
        .home
        .edit(file, "version: 1", "version: 1\nenabled: false");
    daemon.reloaded("harbour", before).await;
    eventually("it is given back", async || {
        beacon.state().sessions.is_empty()
    })
    .await;
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_token_that_is_not_taken_back_is_told_once_and_the_daemon_stops_all_the_same() {
    let beacon = Beacon::start(12).await;
    let daemon = Daemon::start(&beacon.home).await;
    daemon.settle().await;
    beacon.state().keeps_sessions = true;
    let log = beacon.home.beside().join("daemon.log");
    assert_eq!(daemon.stop().await, Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    let told = "the token could not be given back to the PMS";
    assert_eq!(log.matches(told).count(), 1, "{log}");
    assert!(!log.contains("beacon-session-"), "{log}");
}

#[tokio::test]
async fn a_wrong_signature_costs_nobody_and_shows_no_key() {
    let beacon = Beacon::start(12).await;
    let home = &beacon.home;
    let daemon = Daemon::start(home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    assert_eq!(people.len(), 12);
    let right = home.read("secrets/beacon");
    for (key, told) in [
        (
            "YW5vdGhlciBrZXkgYWx0b2dldGhlcg==",
            "check key_id and secret of the credential",
        ),
        (
            "no base64 at all!",
            "the key is not written as `key_is` says",
        ),
    ] {
        home.write("secrets/beacon", key);
        let report = daemon.sync("harbour").await;
        let reason = report.outcome.reason().unwrap();
        assert!(
            !report.outcome.is_success() && reason.contains(told),
            "{reason}"
        );
        assert!(
            !reason.contains(key) && !daemon.log().contains(key),
            "{reason}"
        );
        assert_eq!(daemon.people().await, people);
    }
    home.write("secrets/beacon", right);
    assert!(daemon.sync("harbour").await.outcome.is_success());
    assert_eq!(daemon.people().await, people);
}
