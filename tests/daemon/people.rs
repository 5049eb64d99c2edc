//! People as they are asked for: lists by what is known of them, page by page, and who is meant where one is explained.

use super::by_hand::House;
use crate::support::{Daemon, Doors, Home, eventually, said};
use epms::control::protocol::PeoplePage;
use epms::model::{Person, PersonId};

/// The ids of a list that a command gives.
async fn listed(home: &Home, line: &str) -> Vec<PersonId> {
    let words: Vec<&str> = line.split(' ').collect();
    let output = home.epms(&[&words[..], &["--json"]].concat()).await;
    let page: PeoplePage = serde_json::from_slice(&output.stdout).unwrap();
    // That nobody fits ends with 1.
    let code = i32::from(page.items.is_empty());
    assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
    page.items.iter().map(|one| one.id).collect()
}

fn ids<'p>(people: impl IntoIterator<Item = &'p Person>) -> Vec<PersonId> {
    people.into_iter().map(|one| one.id).collect()
}

#[tokio::test]
async fn people_are_listed_by_what_is_asked_of_them_and_in_the_order_of_their_names() {
    let house = House::start().await;
    house.move_in("Ada", "Quill", "ada.quill@example.com");
    house.sync().await;
    // The name of this one is another's: an alert about both.
    house
        .epms("people add --first-name Nora --last-name Quist --email nora@example.com")
        .await;
    house.move_in("Eleanora", "Quist", "nora@example.com");
    house.sync().await;
    let people = house.daemon.people().await;
    let ada = house.person("ada.quill@example.com").await;
    let nora = house.person("nora@example.com").await;
    let of = |status: &str| {
        let fits = move |one: &&Person| {
            let mut stays = one.stays.values();
            stays.any(|stay| stay.status.as_str() == status)
        };
        ids(people.iter().filter(fits))
    };
    for status in ["current", "pending", "past"] {
        let line = format!("people list --limit 500 --status {status}");
        assert_eq!(listed(&house.home, &line).await, of(status), "{status}");
    }
    for (line, one) in [
        ("people list --name ADA", &ada),
        (
            "people list --name ada.quill --limit 9 --email ada.q",
            &nora,
        ),
        ("people list --email ada.q --integration elm", &ada),
        ("people list --alert", &nora),
        ("people list --sort name --alert --name nora", &nora),
    ] {
        let found = listed(&house.home, line).await;
        if line.contains("ada.quill") {
            assert_eq!(found, [], "{line}");
        } else {
            assert!(found.contains(&one.id), "{line}: {found:?}");
        }
    }
    assert_eq!(listed(&house.home, "people list --alert").await, [nora.id]);
    let resident = resident_of(&house, ada.id).await;
    let line = format!("people list --resident {resident}");
    assert_eq!(listed(&house.home, &line).await, [ada.id]);

    // Page by page over the socket, and the same as a whole.
    let mut named: Vec<&Person> = people.iter().collect();
    let key = |one: &Person| format!("{}\u{1f}{}", one.first_name, one.last_name).to_lowercase();
    named.sort_by_key(|one| (key(one), one.id));
    let all = listed(&house.home, "people list --sort name --limit 500").await;
    assert_eq!(all, ids(named));
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/people?sort=name&limit=7{cursor}");
        let page: PeoplePage =
            serde_json::from_value(house.daemon.get(&path).await.json()).unwrap();
        found.extend(ids(&page.items));
        let Some(next) = page.next else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, all);

    // What was written last.
    let changes = house.daemon.changes().await;
    let of_ada = changes.iter().filter(|change| change.person == ada.id);
    let since = of_ada.map(|change| change.at).max().unwrap();
    let since = since + std::time::Duration::from_millis(1);
    let fresh = listed(&house.home, &format!("people list --updated-since {since}")).await;
    assert_eq!(fresh, [nora.id]);
    assert_eq!(
        listed(&house.home, "people list --updated-since 1d --limit 500")
            .await
            .len(),
        people.len()
    );

    for (line, says) in [
        ("people list --updated-since yesterday", "is no moment"),
        ("people list --status gone", "possible values"),
        ("people list --target-state gone", "possible values"),
    ] {
        let told = house.fails(line, 2).await;
        assert!(told.contains(says), "{line}: {told}");
    }
    let told = house.fails("people list --target oak-door", 1).await;
    assert!(told.contains("no target `oak-door`"), "{told}");
    let refused = house.daemon.get("/v1/people?cursor=a5").await.problem();
    assert!(
        refused.detail.contains("it looks like `p17`"),
        "{refused:?}"
    );
}

async fn resident_of(house: &House, person: PersonId) -> String {
    let detail = house.daemon.client.person(person).await.unwrap();
    detail.links[0].resident.clone()
}

#[tokio::test]
async fn people_are_listed_by_their_exclusion_and_by_what_they_have_at_a_target() {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, "mode: automatic\nstart_delay: 0s\n");
    doors.lives(1, "1A", "current");
    doors.lives(2, "2B", "pending");
    doors.lives(3, "2B", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let person = async |email: &str| daemon.person_with(email).await.unwrap().id;
    let one = person("ada1@example.com").await;
    let three = person("ada3@example.com").await;
    eventually("what is open was read back", async || {
        let line = "people list --target doors --target-state confirmed";
        listed(&home, line).await == [one, three]
    })
    .await;
    let line = "people list --target-state confirmed --sort name --unit 2b";
    assert_eq!(listed(&home, line).await, [three]);
    assert_eq!(listed(&home, "people list --target-state parked").await, []);

    let generation = daemon.generation("elm").await;
    let file = "config/integrations/elm.yaml";
    let text = home.read(file);
    home.write(
        file,
        format!("{text}exclude_statuses: [current]\nguard: {{ limit: 200 }}\n"),
    );
    daemon.reloaded("elm", generation).await;
    daemon.sync("elm").await;
    assert_eq!(listed(&home, "people list --excluded").await, [one, three]);
    let rest = daemon.get("/v1/people?excluded=false").await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1, "{rest}");
}

#[tokio::test]
async fn a_resident_is_explained_by_the_beginning_of_the_id_and_by_whom_they_are_linked_to() {
    let house = House::start().await;
    house.move_in("Ada", "Quill", "ada.quill@example.com");
    house.move_in("Ada", "Quince", "ada.quince@example.com");
    house.sync().await;
    let ada = house.person("ada.quill@example.com").await;
    let id = resident_of(&house, ada.id).await;
    let others: Vec<String> = {
        let people = house.daemon.people().await;
        let mut all = Vec::new();
        for one in people.iter().filter(|one| one.id != ada.id) {
            all.push(resident_of(&house, one.id).await);
        }
        all
    };
    let is_alone = |begin: &&str| others.iter().all(|other| !other.starts_with(*begin));
    let begins = (1..id.len()).map(|end| &id[..end]);
    let begin = begins.clone().find(|begin| is_alone(begin)).unwrap();
    let explain = async |whom: &str| {
        let output = house.home.epms(&["explain", "elm", whom]).await;
        said(&output, 0)
    };
    for whom in [
        id.as_str(),
        begin,
        &ada.id.to_string(),
        "Ada.Quill@example.com",
        "ada quill",
        "Quill",
    ] {
        let told = explain(whom).await;
        assert!(
            told.contains(&format!("resident {id} of elm")),
            "{whom}: {told}"
        );
        assert!(told.contains("ada.quill@example.com"), "{whom}: {told}");
    }
    let quince = resident_of(&house, house.person("ada.quince@example.com").await.id).await;
    let told = said(&house.home.epms(&["explain", "elm", "Ada Qu"]).await, 1);
    for says in [
        "may be 2 residents of `elm`",
        &id,
        &quince,
        "name one by its id",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
    let told = said(
        &house.home.epms(&["explain", "elm", "Nobody Here"]).await,
        1,
    );
    assert!(told.contains("not linked to anybody"), "{told}");
    // Nobody of the PMS.
    house
        .epms("people add --first-name Zed --last-name Hand --email zed@example.com")
        .await;
    said(
        &house
            .home
            .epms(&["explain", "elm", "zed@example.com"])
            .await,
        1,
    );
}
