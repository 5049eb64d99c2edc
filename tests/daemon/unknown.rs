//! Ids that nobody has, and filters that nothing fits: every verb says so, and ends with 1.

use crate::support::{Daemon, Home, pms, said};
use epms::sandbox::Kind;

/// What is asked, and what is said of it.
const UNKNOWN: [(&str, &str); 51] = [
    ("status nope", "no such integration"),
    ("sync nope", "there is no integration `nope`"),
    ("sync elm nope", "no such integration"),
    ("preview nope", "there is no integration `nope`"),
    ("preview elm --resident nope", "the resident `nope`"),
    ("explain nope t1", "there is no integration `nope`"),
    ("explain elm nope", "decided nothing about this id"),
    ("pause nope", "there is no integration `nope`"),
    ("resume nope", "there is no integration `nope`"),
    ("integration rename nope elm", "`nope`"),
    ("integration rename elm nope", "nope.yaml"),
    ("integration retire nope --yes", "`nope`"),
    ("integration undo nope", "`nope`"),
    ("doctor nope", "`nope`"),
    ("discover nope", "`nope`"),
    ("probe nope", "`nope`"),
    ("record nope --out OUT", "`nope`"),
    ("run r999", "there is no run r999"),
    ("runs --integration nope", "there is no integration `nope`"),
    ("approve r999 --yes", "r999"),
    ("reject r999", "r999"),
    ("people show p999", "there is no person p999"),
    ("people history p999", "there is no person p999"),
    ("people link p999 elm t1", "p999"),
    ("people link p1 nope t1", "there is no integration `nope`"),
    ("people link p1 elm nope", "named no resident nope"),
    ("people unlink p999 elm t1", "p999"),
    ("people unlink p1 elm nope", "is not linked to p1"),
    ("people unlink p1 nope t1", "is not linked to p1"),
    ("people lock p999 email", "p999"),
    ("people unlock p999 email", "p999"),
    ("people pin p999", "p999"),
    ("people unpin p999", "p999"),
    ("people list nobodyhasthisname", "nobody fits"),
    (
        "people list --integration nope",
        "there is no integration `nope`",
    ),
    (
        "people export --integration nope",
        "there is no integration `nope`",
    ),
    ("alerts show a999", "there is no alert a999"),
    ("alerts resolve a999 merge", "a999"),
    ("alerts dismiss a999", "a999"),
    ("alerts undo a999", "a999"),
    (
        "alerts list --integration nope",
        "there is no integration `nope`",
    ),
    ("alerts list --kind visit_needed", "no alerts fit"),
    ("targets nope", "there is no target `nope`"),
    ("deliveries list --target nope", "there is no target `nope`"),
    ("deliveries list --person p999", "nothing fits"),
    ("deliveries show nope p1", "there is no target `nope`"),
    ("deliveries preview nope", "there is no target `nope`"),
    (
        "deliveries approve nope --digest 00",
        "there is no target `nope`",
    ),
    ("deliveries retry nope", "there is no target `nope`"),
    ("changes --person p999", "there is no person p999"),
    (
        "changes --integration nope",
        "there is no integration `nope`",
    ),
];

/// What needs no daemon.
const OF_FILES: [(&str, &str); 1] = [("test nope", "nope")];

/// D6.
#[tokio::test]
async fn an_id_that_nobody_has_and_a_filter_that_nothing_fits_end_with_1_and_say_so() {
    let pms = pms(Kind::AppFolio, 91, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let out = home.beside().join("out");
    let mut wrong = Vec::new();
    for (line, told) in UNKNOWN.iter().chain(&OF_FILES) {
        let line = line.replace("OUT", out.to_str().unwrap());
        let words: Vec<&str> = line.split(' ').collect();
        let output = home.epms(&words).await;
        let text = crate::support::told(&output);
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if output.status.code() != Some(1) || !flat.contains(told) {
            wrong.push(format!("epms {line}: {:?}\n{text}", output.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A word that is none at all is a matter of the line.
    let text = said(&home.epms(&["alerts", "list", "--kind", "nope"]).await, 2);
    assert!(text.contains("visit_needed"), "{text}");
}

/// What is there is found with the same filters.
#[tokio::test]
async fn what_is_there_ends_with_0_also_where_there_is_little_of_it() {
    let pms = pms(Kind::AppFolio, 92, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for line in [
        "runs --integration elm",
        "people list --integration elm",
        "people history p1",
        "alerts list --state all --integration elm",
        "changes --person p1",
        "changes --person p1 --kind unlinked",
        "deliveries",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        said(&home.epms(&words).await, 0);
    }
    assert_eq!(daemon.stop().await, Some(0));
}
