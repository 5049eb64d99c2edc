//! For those who read instead: a snapshot of people and the change log join without a gap, and a place from which something
//! would be missed is refused.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{Daemon, Home, pms, said, told};
use epms::sandbox::Kind;
use serde_json::Value;

/// The lines that `epms changes` gives with these words.
async fn lines(home: &Home, words: &str) -> Vec<Value> {
    let words: Vec<&str> = std::iter::once("changes")
        .chain(words.split_whitespace())
        .collect();
    let output = home.epms(&words).await;
    assert!(output.status.success(), "{words:?}: {}", told(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn seq(line: &Value) -> u64 {
    line["seq"].as_u64().unwrap()
}

#[tokio::test]
async fn a_snapshot_and_the_log_join_without_a_gap() {
    let pms = pms(Kind::AppFolio, 2, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let first = daemon.get("/v1/people?limit=10").await.json();
    let all = lines(&home, "").await;
    assert_eq!(first["seq"].as_u64(), all.last().map(seq));
    assert!(all.iter().all(|line| line["epoch"] == first["epoch"]));
    // Something happens between the first page and the last.
    let person = daemon.people().await[0].id.to_string();
    let locked = home.epms(&["people", "lock", &person, "phone"]).await;
    assert!(locked.status.success(), "{}", told(&locked));
    let place = format!("{}:{}", first["epoch"], first["seq"]);
    let after = lines(&home, &format!("--after {place}")).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert_eq!(
        (&after[0]["person"], &after[0]["kind"]),
        (&person.as_str().into(), &"locked".into())
    );
}

#[tokio::test]
async fn what_is_asked_for_of_the_log_comes_and_nothing_else() {
    let pms = pms(Kind::AppFolio, 2, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let all = lines(&home, "").await;
    let last = seq(all.last().unwrap());
    let kinds: BTreeSet<&str> = all
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    for kind in kinds {
        let of_kind: Vec<&Value> = all.iter().filter(|line| line["kind"] == kind).collect();
        let told = lines(&home, &format!("--kind {kind} --integration elm")).await;
        assert!(told.iter().eq(of_kind), "{kind}");
    }
    let misspelt = home.epms(&["changes", "--integration", "oak"]).await;
    assert!(said(&misspelt, 1).contains("there is no integration `oak`"));
    assert_eq!(lines(&home, "--limit 3").await, all[..3]);
    assert_eq!(lines(&home, "--tail 3").await, all[all.len() - 3..]);
    let person = all[all.len() / 2]["person"].as_str().unwrap();
    let theirs: Vec<&Value> = all.iter().filter(|line| line["person"] == person).collect();
    let tail = lines(&home, &format!("--person {person} --tail 1")).await;
    assert!(tail.iter().eq(theirs.last().copied()));
    assert_eq!(lines(&home, "--tail 0").await, [] as [Value; 0]);
    assert_eq!(
        lines(&home, &format!("--after {last}")).await,
        [] as [Value; 0]
    );
    // From there something would be missed without a word.
    for place in [format!("{}", last + 1), format!("7:{last}")] {
        let output = home.epms(&["changes", "--after", &place]).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(
            told(&output).contains("take everybody from /v1/people"),
            "{}",
            told(&output)
        );
        let answer = daemon.get(&format!("/v1/changes?after={place}")).await;
        assert_eq!(answer.status, 410);
    }
    for wrong in ["x", "1:", ":1", "-1"] {
        assert_eq!(
            daemon
                .get(&format!("/v1/changes?after={wrong}"))
                .await
                .status,
            400
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_log_goes_on_over_a_restart_of_the_daemon() {
    let pms = pms(Kind::AppFolio, 2, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let mut command = crate::support::epms();
    command.arg("--home").arg(home.root());
    command.args(["changes", "--follow", "--tail", "1"]);
    let mut follower = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&told.next().unwrap().unwrap()).unwrap() };
    let first = tokio::task::block_in_place(&mut next);
    assert_eq!(daemon.stop().await, Some(0));
    let daemon = Daemon::start(&home).await;
    let person = daemon.people().await[0].id.to_string();
    let locked = home.epms(&["people", "lock", &person, "phone"]).await;
    assert!(locked.status.success());
    let line = tokio::task::block_in_place(&mut next);
    assert_eq!(seq(&line), seq(&first) + 1);
    assert_eq!(line["kind"], "locked");
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[tokio::test]
async fn who_follows_hears_that_nothing_has_happened_and_up_to_where() {
    let pms = pms(Kind::AppFolio, 2, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let last = daemon.get("/v1/people").await.json()["seq"].clone();
    // Of another property nothing happens; the place moves on all the same.
    let path = "/v1/changes?follow=true&heartbeat=1&integration=oak&after=0";
    let line = daemon.first_line(path).await;
    assert_eq!((&line["heartbeat"], &line["seq"]), (&true.into(), &last));
}
