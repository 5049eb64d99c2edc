//! The dialogs of `epms add` on a pseudo-terminal: a secret that is pasted, a step back, an answer that is changed.

use crate::support::{Home, Terminal, pms, told};
use epms::sandbox::Kind;

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_pasted_and_serves_the_look_into_the_pms_before_anything_is_written() {
    let pms = pms(Kind::AppFolio, 7, 40).await;
    let home = Home::new();
    std::fs::remove_dir(home.path("secrets")).unwrap();
    let fields = pms.credential();
    let mut terminal = Terminal::run(100, home.root(), &["add", "integration"]);
    terminal.answers("connector (", "appfolio");
    terminal.answers("credential [appfolio]: ", "acme");
    // What somebody else has to give comes first.
    terminal.shows("what you need for it:");
    terminal.answers("url [", &fields["url"]);
    terminal.answers("client_id: ", &fields["client_id"]);
    terminal.answers("credential:NAME): ", "paste");
    terminal.shows("client_secret (it is not shown): ");
    terminal.types(&format!("{}\r", fields["client_secret"]));
    terminal.answers("developer_id: ", &fields["developer_id"]);
    terminal.shows("Elm Court");
    assert!(!home.path("secrets").exists());
    terminal.answers(&format!("[{}]: ", pms.property_id(0)), "");
    terminal.answers("[Elm Court]: ", "");
    terminal.answers("[elm-court]: ", "");
    terminal.answers("such as America/New_York: ", "America/New_York");
    terminal.answers("[US]: ", "");
    terminal.answers("(empty: none): ", "");
    terminal.answers("switch it on [y]: ", "");
    terminal.shows("write it [y]: ");
    terminal.types("\n");
    let shown = terminal.all();
    assert!(
        shown.contains("wrote secrets/acme-client_secret"),
        "{shown}"
    );
    assert!(!shown.contains(&fields["client_secret"]), "{shown}");
    let kept = home.read("secrets/acme-client_secret");
    assert_eq!(kept.trim_end(), fields["client_secret"]);
    let credential = home.read("config/credentials/acme.yaml");
    assert!(
        credential.contains("client_secret: { file: secrets/acme-client_secret }"),
        "{credential}"
    );
    let doctor = home.epms(&["doctor", "elm-court"]).await;
    assert!(told(&doctor).contains("login"), "{}", told(&doctor));
    assert!(!told(&doctor).contains("fail  login"), "{}", told(&doctor));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_back_asks_the_question_before_again_and_a_number_changes_that_answer_alone() {
    let pms = pms(Kind::AppFolio, 7, 40).await;
    let home = Home::new();
    home.credential("acme", &pms);
    let before = pms.requests().len();
    let words = ["add", "integration", "--credential", "acme"];
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.answers(&format!("[{}]: ", pms.property_id(0)), "<");
    terminal.shows("this is the first question");
    terminal.answers(&format!("[{}]: ", pms.property_id(0)), "");
    terminal.answers("[Elm Court]: ", "Elm Cuort");
    terminal.answers("[elm-cuort]: ", "<");
    // What was answered is proposed, and nothing before it is asked again.
    terminal.answers("name of the property here [Elm Cuort]: ", "Elm Court");
    terminal.answers("[elm-court]: ", "");
    terminal.answers("such as America/New_York: ", "America/Chicago");
    terminal.answers("[US]: ", "");
    terminal.answers("(empty: none): ", "Evict");
    let looked = pms.requests().len();
    terminal.answers("switch it on [y]: ", "");
    terminal.shows("   4  time zone of the property, such as America/New_York: America/Chicago");
    terminal.answers("write it [y]: ", "4");
    terminal.answers("[America/Chicago]: ", "America/Denver");
    terminal.shows("timezone: America/Denver");
    terminal.answers("write it [y]: ", "y");
    terminal.shows("wrote config/integrations/elm-court.yaml");
    assert_eq!(terminal.ends(), Some(0));
    let written = home.read("config/integrations/elm-court.yaml");
    assert!(
        written.contains("name: Elm Court, timezone: America/Denver"),
        "{written}"
    );
    assert!(written.contains("exclude_statuses: [Evict]"), "{written}");
    // What the PMS showed once it is not asked for again.
    assert!(looked > before);
    assert_eq!(pms.requests().len(), looked);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gives_up_while_a_secret_is_pasted_leaves_nothing_behind() {
    let home = Home::new();
    let words = [
        "add",
        "target",
        "doors",
        "--connector",
        "opendoor",
        "--credential",
        "doors",
    ];
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.answers("url [", "");
    terminal.answers("client_id: ", "c-1");
    terminal.answers("credential:NAME): ", "paste");
    terminal.shows("(it is not shown): ");
    terminal.types("\u{3}");
    assert_eq!(terminal.ends(), Some(2));
    assert_eq!(std::fs::read_dir(home.path("secrets")).unwrap().count(), 0);
    let credentials = std::fs::read_dir(home.path("config/credentials")).unwrap();
    assert_eq!(credentials.count(), 0);
}
