//! Files of people that are made by hand, and the values of the store.

use epms::acts::{Forms, Hand, import};
use epms::model::{
    Act, Actor, Alert, Change, Decision, Enrolment, Explanation, IntegrationId, Person, Run,
};
use epms::store::{History, Lookup, Store};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A CSV file of people: what a trial finds new is what is then made, and the store stays sound.
pub fn people_csv(data: &[u8]) {
    let Ok(csv) = std::str::from_utf8(data) else {
        return;
    };
    let country = |id: &IntegrationId| (id.as_str() == "elm").then(|| "US".to_owned());
    let placeholders = ["none@example.com".to_owned()];
    let forms = Forms {
        country: &country,
        placeholders: &placeholders,
    };
    let hand = Hand {
        by: Actor::User(0),
        now: Timestamp::UNIX_EPOCH,
    };
    let store = Store::in_memory().expect("a store in memory");
    let Ok(trial) = import(&store, csv, true, &forms, &hand) else {
        return;
    };
    assert!(trial.made.is_empty(), "a trial makes nobody");
    let count = || {
        let view = store.read().expect("the store can be read");
        view.count_people().expect("the store can be read")
    };
    assert_eq!(count(), 0);
    let done = import(&store, csv, false, &forms, &hand).expect("it was tried");
    assert_eq!((done.new, &done.problems), (trial.new, &trial.problems));
    let made = if done.problems.is_empty() {
        done.new
    } else {
        0
    };
    assert_eq!(
        (done.made.len() as u64, count()),
        (made, made),
        "all of a file, or nothing"
    );
    if made > 0 {
        let soundness = store.read().and_then(|view| view.verify());
        let flaws = soundness.expect("the store can be read").flaws;
        assert!(flaws.is_empty(), "{flaws:?}");
    }
}

/// A value of the store or of the socket: what can be read is written as something that reads the same.
pub fn record(data: &[u8]) {
    again::<Person>(data);
    again::<Alert>(data);
    again::<Change>(data);
    again::<Run>(data);
    again::<Act>(data);
    again::<Decision>(data);
    again::<History>(data);
    again::<Lookup>(data);
    again::<Enrolment>(data);
    again::<Explanation>(data);
}

fn again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(data: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(data) {
        let text = serde_json::to_vec(&value).expect("what was read can be written");
        let read: T = serde_json::from_slice(&text).expect("what was written can be read");
        assert_eq!(read, value);
    }
}
