//! What only a terminal shows: the program on a pseudo-terminal, and somebody who reads and answers.

use crate::support::{Daemon, Home, Terminal, pms, shut, told};
use epms::sandbox::{Kind, Relation, Status};

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_is_added_by_answers_at_a_terminal() {
    let pms = pms(Kind::AppFolio, 7, 40).await;
    let home = Home::new();
    let fields = pms.credential();
    home.write("secrets/acme", &fields["client_secret"]);
    let mut terminal = Terminal::run(100, home.root(), &["add", "integration"]);
    terminal.answers("connector (", "appfolio");
    terminal.answers("credential [appfolio]: ", "acme");
    terminal.answers("url [", &fields["url"]);
    terminal.answers("client_id: ", &fields["client_id"]);
    terminal.answers("credential:NAME): ", "secrets/acme");
    terminal.answers("developer_id: ", &fields["developer_id"]);
    // The PMS is asked for what there is before the answer is asked for.
    terminal.shows("Elm Court");
    // There is only one.
    terminal.answers(&format!("[{}]: ", pms.property_id(0)), "");
    terminal.answers("[Elm Court]: ", "");
    terminal.answers("[elm-court]: ", "");
    terminal.answers("such as America/New_York: ", "America/New_York");
    terminal.answers("[US]: ", "");
    let current = {
        let world = pms.world();
        let tenants = world.people().filter(|(home, person)| {
            matches!(person.relation, Relation::Primary | Relation::Roommate)
                && home.status_of(person, world.today()) == Status::Current
        });
        tenants.count()
    };
    terminal.shows(&format!("  Current: {current} (current)"));
    terminal.answers("(empty: none): ", "Evict");
    terminal.answers("switch it on [y]: ", "");
    terminal.answers("write it [y]: ", "");
    terminal.shows("wrote config/integrations/elm-court.yaml");
    assert_eq!(terminal.ends(), Some(0));
    let checked = home.epms(&["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
    let written = home.read("config/integrations/elm-court.yaml");
    assert!(written.contains("exclude_statuses: [Evict]"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_gives_up_half_way_has_written_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::run(100, home.root(), &["add", "integration"]);
    terminal.answers("connector (", "mri");
    // The end of the input, as Ctrl-D types it.
    terminal.answers("credential [mri]: ", "\u{4}");
    terminal.shows("\n");
    assert_eq!(terminal.ends(), Some(2));
    for folder in ["config/credentials", "config/integrations"] {
        assert_eq!(std::fs::read_dir(home.path(folder)).unwrap().count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_is_watched_at_work_until_a_key_ends_it() {
    let pms = pms(Kind::AppFolio, 7, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let mut terminal = Terminal::run(100, home.root(), &["status", "--watch"]);
    terminal.shows("elm");
    terminal.shows("next runs");
    // A run that begins is seen without being asked for.
    let gate = shut(&pms);
    let run = daemon.begin("elm").await;
    terminal.shows(&format!("{run} of elm for "));
    drop(gate);
    daemon.client.follow(run, |_| {}).await.unwrap();
    terminal.types("q");
    assert_eq!(terminal.ends(), Some(0));
}

#[tokio::test]
async fn to_watch_without_a_terminal_is_refused_with_what_to_do() {
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    let output = home.epms(&["status", "--watch"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told(&output).contains("`epms status --json`"),
        "{}",
        told(&output)
    );
    assert_eq!(daemon.stop().await, Some(0));
}
