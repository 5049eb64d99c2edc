//! Fields written by hand, stays ended by hand, and every act undone, through the real binary: while nothing that came
//! after stands in the way, and with the reason where it does.

use super::by_hand::House;
use epms::control::client::Cut;
use epms::model::{Field, LeaseStatus, Person};
use reqwest::Method;

/// The act that a command says it did.
fn act_of(said: &str) -> String {
    let first = said.lines().next().unwrap();
    first.split(' ').next().unwrap().to_owned()
}

/// Somebody of the PMS, and somebody made by hand.
async fn house() -> House {
    let house = House::start().await;
    house.move_in("Ida", "Brand", "ida@example.com");
    house.sync().await;
    house
        .epms("people add --first-name Ada --last-name Quill --email ada@example.com --integration elm --unit 9Z")
        .await;
    house
}

async fn is(house: &House, email: &str) -> Person {
    house.person(email).await
}

#[tokio::test]
async fn a_field_that_is_set_by_hand_is_the_pmss_again_unless_it_is_locked() {
    let house = house().await;
    let before = is(&house, "ida@example.com").await;
    let ida = before.id;
    let done = house
        .epms(&format!(
            "people set {ida} first_name=Idunn phone=(415)_555-0123"
        ))
        .await;
    assert!(
        done.contains("Idunn") && done.contains("+14155550123"),
        "{done}"
    );
    let now = is(&house, "ida@example.com").await;
    assert_eq!(
        (now.first_name.as_str(), now.phone.as_deref()),
        ("Idunn", Some("+14155550123"))
    );
    assert_eq!(now.stays, before.stays);
    house.sync().await;
    assert_eq!(
        is(&house, "ida@example.com").await,
        before,
        "the PMS wins (R18)"
    );

    house
        .epms(&format!("people set {ida} first_name=Idunn phone= --lock"))
        .await;
    house.sync().await;
    let now = is(&house, "ida@example.com").await;
    assert_eq!((now.first_name.as_str(), &now.phone), ("Idunn", &None));
    assert!(now.locks.contains(&Field::FirstName) && now.locks.contains(&Field::Phone));
    // The hand goes before the lock, which is against runs.
    house
        .epms(&format!("people set {ida} first_name=Ide"))
        .await;
    house.sync().await;
    assert_eq!(is(&house, "ida@example.com").await.first_name, "Ide");

    let ada = is(&house, "ada@example.com").await.id;
    let told = house
        .fails(&format!("people set {ada} email=IDA@example.com"), 1)
        .await;
    assert!(
        told.contains(&format!("{ida} has this email already")),
        "{told}"
    );
    for (line, says) in [
        (format!("people set {ada} email=nowhere"), "no usable email"),
        (format!("people set {ada} phone=12"), "no valid phone in US"),
        (
            format!("people set {ada} first_name= last_name="),
            "somebody has a name",
        ),
        (format!("people set {ada} first_name=Ada"), "is so already"),
        (
            "people set p99999 first_name=Ada".to_owned(),
            "no person p99999",
        ),
    ] {
        // What is written wrongly is told as such; what cannot be done has failed.
        let is_wrong = says.contains("no usable")
            || says.contains("no valid")
            || says.contains("somebody has a name");
        let told = house.fails(&line, if is_wrong { 2 } else { 1 }).await;
        assert!(told.contains(says), "{line}: {told}");
    }
    for (line, says) in [
        (
            format!("people set {ada} unit=9Z"),
            "cannot be written by hand",
        ),
        (format!("people set {ada} phone"), "FIELD=VALUE"),
        (
            format!("people set {ada} phone=1 phone=2"),
            "stands there twice",
        ),
    ] {
        let told = house.fails(&line, 2).await;
        assert!(told.contains(says), "{line}: {told}");
    }
    house
        .epms(&format!(
            "people set {ada} email=ada.quill@example.com last_name=Quince"
        ))
        .await;
    let now = is(&house, "ada.quill@example.com").await;
    assert_eq!(now.last_name, "Quince");
    let path = format!("/v1/people/{ada}/set");
    let refused = house
        .daemon
        .send(Method::POST, &path, r#"{"status":"past"}"#)
        .await;
    assert_eq!(refused.status, 400, "{}", refused.body);
}

#[tokio::test]
async fn a_stay_that_was_made_by_hand_is_ended_by_hand_and_one_of_the_pms_is_not() {
    let house = house().await;
    let ada = is(&house, "ada@example.com").await;
    let status = |one: &Person| one.stays.values().next().unwrap().status;
    assert_eq!(status(&ada), LeaseStatus::Current);
    let done = house.epms(&format!("people end {}", ada.id)).await;
    assert!(done.contains("closed"), "{done}");
    assert_eq!(
        status(&is(&house, "ada@example.com").await),
        LeaseStatus::Past
    );
    house.sync().await;
    assert_eq!(
        status(&is(&house, "ada@example.com").await),
        LeaseStatus::Past
    );
    let told = house.fails(&format!("people end {}", ada.id), 1).await;
    assert!(
        told.contains("no stay made by hand that is not over"),
        "{told}"
    );
    let told = house
        .fails(&format!("people end {} --integration elm", ada.id), 1)
        .await;
    assert!(told.contains("is over already"), "{told}");
    let told = house
        .fails(&format!("people end {} --integration oak", ada.id), 1)
        .await;
    assert!(told.contains("no stay at `oak`"), "{told}");

    let ida = is(&house, "ida@example.com").await.id;
    let told = house
        .fails(&format!("people end {ida} --integration elm"), 1)
        .await;
    assert!(told.contains("the PMS says when it ends"), "{told}");
    assert!(
        told.contains(&format!("epms people unlink {ida} elm")),
        "{told}"
    );

    house.epms(&format!("people undo {}", act_of(&done))).await;
    assert_eq!(is(&house, "ada@example.com").await, ada);
}

#[tokio::test]
async fn every_act_on_a_person_is_undone_and_stands_in_their_history() {
    let house = house().await;
    let (ida, ada) = (
        is(&house, "ida@example.com").await,
        is(&house, "ada@example.com").await,
    );
    for (line, email, before) in [
        (
            format!("people set {} first_name=Idunn --lock", ida.id),
            "ida@example.com",
            &ida,
        ),
        (
            format!("people lock {} email unit", ida.id),
            "ida@example.com",
            &ida,
        ),
        (format!("people pin {}", ida.id), "ida@example.com", &ida),
        (
            format!("people unlink {} elm {}", ida.id, ida.id),
            "ida@example.com",
            &ida,
        ),
        (format!("people end {}", ada.id), "ada@example.com", &ada),
        (
            format!("people set {} phone=+14155550123", ada.id),
            "ada@example.com",
            &ada,
        ),
    ] {
        let act = act_of(&house.epms(&line).await);
        let history = house.epms(&format!("people history {}", before.id)).await;
        let named = history
            .lines()
            .any(|line| line.split_whitespace().any(|word| word == act));
        assert!(named, "{act} of {line}: {history}");
        let undone = house.epms(&format!("people undo {act}")).await;
        assert_eq!(&is(&house, email).await, before, "{line}: {undone}");
        let again = house.fails(&format!("people undo {act}"), 1).await;
        assert!(again.contains("already"), "{again}");
        let undoing = act_of(&undone);
        let told = house.fails(&format!("people undo {undoing}"), 1).await;
        assert!(told.contains("is not undone itself"), "{told}");
    }
    let links = house.daemon.client.person(ida.id).await.unwrap().links;
    assert_eq!(links.len(), 1, "{links:?}");
    // And the next run finds everything as it would have it.
    house.sync().await;
    assert_eq!(is(&house, "ida@example.com").await, ida);

    // Whoever was made by hand is withdrawn; so is a whole file of them.
    let added = house
        .epms("people add --first-name Zed --last-name Hand --email zed@example.com")
        .await;
    house.epms(&format!("people undo {}", act_of(&added))).await;
    assert!(house.daemon.person_with("zed@example.com").await.is_none());
    let file = house.home.path("people.csv");
    std::fs::write(
        &file,
        "last_name,email\nOne,one@example.com\nTwo,two@example.com\n",
    )
    .unwrap();
    house
        .epms(&format!("people import {}", file.display()))
        .await;
    let two = is(&house, "two@example.com").await.id;
    let history = house
        .daemon
        .client
        .history(two, &Cut::default())
        .await
        .unwrap();
    let act = history.items[0].act.unwrap();
    house.epms(&format!("people undo {act}")).await;
    assert!(house.daemon.person_with("one@example.com").await.is_none());
    assert!(house.daemon.person_with("two@example.com").await.is_none());
    let told = house.fails("people undo x9999", 1).await;
    assert!(told.contains("no act x9999"), "{told}");
    let verified = house.epms("verify").await;
    assert!(!verified.is_empty());
}

#[tokio::test]
async fn what_came_after_an_act_stands_in_the_way_of_undoing_it_and_is_named() {
    let house = house().await;
    let ada = is(&house, "ada@example.com").await.id;
    let first = act_of(
        &house
            .epms(&format!("people set {ada} phone=+14155550123"))
            .await,
    );
    house
        .epms(&format!("people set {ada} phone=+14155550124"))
        .await;
    let told = house.fails(&format!("people undo {first}"), 1).await;
    assert!(told.contains(&format!("{ada} has changed since")), "{told}");
    assert!(told.contains("is newer"), "{told}");

    // An email that was freed, and is somebody else's by now.
    let freed = act_of(
        &house
            .epms(&format!("people set {ada} email=quill@example.com"))
            .await,
    );
    house
        .epms("people add --first-name Bo --last-name Adams --email ada@example.com")
        .await;
    let told = house.fails(&format!("people undo {freed}"), 1).await;
    assert!(told.contains("has the email by now"), "{told}");

    // A link that a run went by, and somebody made by hand who is linked.
    let made = act_of(
        &house
            .epms("people add --first-name Cy --last-name Brand --email cy@example.com")
            .await,
    );
    let cy = is(&house, "cy@example.com").await.id;
    let ida = is(&house, "ida@example.com").await.id;
    let resident = house.daemon.client.person(ida).await.unwrap().links[0]
        .resident
        .clone();
    house
        .epms(&format!("people unlink {ida} elm {resident}"))
        .await;
    let told = house
        .fails(&format!("people link {cy} elm nobody"), 1)
        .await;
    assert!(told.contains("named no resident nobody"), "{told}");
    let told = house
        .fails(&format!("people link {cy} nowhere {resident}"), 1)
        .await;
    assert!(told.contains("no integration `nowhere`"), "{told}");
    let linked = act_of(
        &house
            .epms(&format!("people link {cy} elm {resident}"))
            .await,
    );
    let told = house.fails(&format!("people undo {made}"), 1).await;
    assert!(told.contains("is linked to a resident since"), "{told}");
    house.epms(&format!("people undo {linked}")).await;
    let linked = act_of(
        &house
            .epms(&format!("people link {cy} elm {resident}"))
            .await,
    );
    house.sync().await;
    let told = house.fails(&format!("people undo {linked}"), 1).await;
    assert!(told.contains("a run has written"), "{told}");
}

#[tokio::test]
async fn an_act_on_an_alert_is_undone_by_its_id_too_while_it_is_the_last() {
    let house = house().await;
    house
        .epms("people add --first-name Nora --last-name Quist --email nora@example.com")
        .await;
    house.move_in("Eleanora", "Quist", "nora@example.com");
    house.sync().await;
    let alert = house.daemon.alerts().await;
    let id = alert.iter().find(|one| !one.sides.is_empty()).unwrap().id;
    let dismissed = act_of(&house.epms(&format!("alerts dismiss {id}")).await);
    house.epms(&format!("people undo {dismissed}")).await;
    assert!(house.epms("alerts list").await.contains(&format!("{id} ")));
    let dismissed = act_of(&house.epms(&format!("alerts dismiss {id}")).await);
    house.epms(&format!("alerts undo {id}")).await;
    let told = house.fails(&format!("people undo {dismissed}"), 1).await;
    assert!(told.contains("already"), "{told}");
}
