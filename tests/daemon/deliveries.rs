//! The routes of targets and deliveries: what they refuse.

use crate::support::{Daemon, Home, told};
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_there_is_named_by_every_route_that_asks_for_it() {
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    for (method, path, body) in [
        (Method::GET, "/v1/targets/oak-door", ""),
        (Method::GET, "/v1/deliveries?target=oak-door", ""),
        (Method::GET, "/v1/deliveries/oak-door/preview", ""),
        (Method::POST, "/v1/deliveries/oak-door/approve", ""),
        (Method::POST, "/v1/deliveries/oak-door/approve", "{}"),
        (
            Method::POST,
            "/v1/deliveries/oak-door/approve",
            r#"{"digest":"1a2b"}"#,
        ),
        (Method::POST, "/v1/deliveries/oak-door/retry", ""),
        (
            Method::POST,
            "/v1/deliveries/oak-door/retry",
            r#"{"person":"p17"}"#,
        ),
    ] {
        let answer = daemon.send(method, path, body).await;
        assert_eq!(answer.status, 404, "{path} {body}: {answer:?}");
        assert_eq!(
            answer.problem().detail,
            "there is no target `oak-door`; `epms targets` lists them"
        );
    }
    for line in [
        "targets oak-door",
        "deliveries --target oak-door",
        "deliveries show oak-door p1",
        "deliveries preview oak-door",
        "deliveries approve oak-door --digest 1a2b",
        "deliveries retry oak-door",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let output = home.epms(&words).await;
        assert_eq!(output.status.code(), Some(1), "{line}: {}", told(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_deliveries_in_a_wrong_way_is_refused_with_the_reason() {
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    for (method, path, body, says) in [
        (Method::GET, "/v1/deliveries?state=gone", "", "`confirmed`"),
        (
            Method::GET,
            "/v1/deliveries?person=17",
            "",
            "it looks like `p17`",
        ),
        (Method::GET, "/v1/deliveries?limit=many", "", "limit"),
        (
            Method::GET,
            "/v1/deliveries?integration=elm",
            "",
            "`target`",
        ),
        (
            Method::POST,
            "/v1/deliveries/oak-door/approve",
            r#"{"digset":"1"}"#,
            "`digest`",
        ),
        (
            Method::POST,
            "/v1/deliveries/oak-door/approve",
            r#"{"digest":1}"#,
            "digest",
        ),
        (
            Method::POST,
            "/v1/deliveries/oak-door/retry",
            r#"{"person":"a5"}"#,
            "it looks like `p17`",
        ),
        (
            Method::POST,
            "/v1/deliveries/oak-door/retry",
            "p17",
            "column 1",
        ),
        (Method::GET, "/v1/targets/%ff", "", "UTF-8"),
    ] {
        let answer = daemon.send(method, path, body).await;
        let problem = answer.problem();
        assert_eq!(problem.status, 400, "{path} {body}: {problem:?}");
        assert!(problem.detail.contains(says), "{path} {body}: {problem:?}");
    }
}
