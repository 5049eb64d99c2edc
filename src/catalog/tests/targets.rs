//! Files of targets, edited and loaded again: what runs is the last that was right, whose people a target gets, and what is
//! told of files that are not right.

use super::*;
use crate::catalog::{Target, TargetSlot, check, outcomes_of_targets};
use crate::model::{Holding, TargetId};

/// A connector that speaks to a target.
const DOORS: &str = "version: 1\nscript: doors.rhai\ncredential_fields: { url: plain }\nhosts: [door.example.com]\n\
    target:\n  list: { url: \"{{ credential.url }}/grants/{{ fields.site }}\", format: json, id: id }\n  \
    create: { method: POST, url: \"{{ credential.url }}/grants\", body: { json: { name: \"{{ grant.name }}\" } }, format: json }\n  \
    remove: { method: DELETE, url: \"{{ credential.url }}/grants/{{ grant.id }}\", format: json }\n";

/// Its script.
const WORDS: &str = "fn wanted(person, ctx) { () }\nfn held(record, ctx) { () }\n";

const TARGET: &str = "version: 1\ncredential: doors\nfields: { site: s1 }\n";

/// A home with the integrations `ash`, `elm` and `oak`, and the target `acme-door`.
struct Doors(Disk);

impl Doors {
    fn new() -> Doors {
        let doors = Doors(Disk::new());
        std::fs::create_dir(doors.0.home.config().join("targets")).unwrap();
        doors.write("config/connectors/doors.yaml", DOORS);
        doors.write("scripts/doors.rhai", WORDS);
        let credential =
            "version: 1\nconnector: doors\nfields: { url: https://door.example.com }\n";
        doors.write("config/credentials/doors.yaml", credential);
        doors.write("config/epms.yaml", "version: 1\n");
        doors.target(TARGET);
        doors
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.0.home.root().join(path), text).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.0.home.root().join(path)).unwrap();
    }

    fn target(&self, text: &str) {
        self.write("config/targets/acme-door.yaml", text);
    }

    fn load(&self, before: Option<&Catalog>) -> Catalog {
        load(&self.0.home, before, Timestamp::UNIX_EPOCH)
    }

    /// What is told when the target's file is written so.
    fn told(&self, text: &str) -> Vec<String> {
        self.target(text);
        told(&slot(&self.load(None)))
    }

    /// What `check` tells of a file.
    fn checked(&self, file: &str) -> Vec<String> {
        let found = check(&self.0.home, Timestamp::UNIX_EPOCH).0;
        let found = found.iter().filter(|one| one.file.ends_with(file));
        found.map(ToString::to_string).collect()
    }
}

fn acme() -> TargetId {
    TargetId::new("acme-door")
}

fn slot(catalog: &Catalog) -> TargetSlot {
    catalog.targets[&acme()].clone()
}

fn current(catalog: &Catalog) -> Arc<Target> {
    slot(catalog).current.unwrap()
}

fn told(slot: &TargetSlot) -> Vec<String> {
    slot.problems.iter().map(ToString::to_string).collect()
}

fn outcome(before: &Catalog, after: &Catalog) -> ReloadOutcome {
    outcomes_of_targets(before, after)[0].outcome
}

fn served(target: &Target) -> Vec<&str> {
    target.serves.keys().map(IntegrationId::as_str).collect()
}

#[test]
fn a_target_gets_the_people_of_all_integrations_or_of_those_that_it_names() {
    let doors = Doors::new();
    let first = doors.load(None);
    assert!(first.is_right());
    let all = current(&first);
    assert_eq!(served(&all), ["ash", "elm", "oak"]);
    let elm = IntegrationId::new("elm");
    assert_eq!(all.serves[&elm].iana_name(), Some("America/New_York"));
    assert_eq!(all.names[&elm], "config/integrations/elm.yaml");
    assert_eq!(all.generation, 1);
    doors.target(&format!("{TARGET}from: [oak, ash]\n"));
    let second = doors.load(Some(&first));
    let two = current(&second);
    assert_eq!(served(&two), ["ash", "oak"]);
    assert_eq!(two.generation, 2);
    assert_eq!(outcome(&first, &second), ReloadOutcome::Loaded);
    assert_ne!(two.files(), all.files());
}

#[test]
fn the_same_files_are_the_same_generation() {
    let doors = Doors::new();
    let first = doors.load(None);
    let second = doors.load(Some(&first));
    assert!(Arc::ptr_eq(&current(&first), &current(&second)));
    assert_eq!(outcome(&first, &second), ReloadOutcome::Unchanged);
    let anew = current(&doors.load(None));
    assert_eq!(anew.fingerprint(), current(&first).fingerprint());
    assert_eq!(anew.files(), current(&first).files());
}

#[test]
fn what_says_what_is_wanted_is_the_target_its_connector_and_its_script_alone() {
    let doors = Doors::new();
    let mut before = doors.load(None);
    let edits: [(&str, &str, &str, bool); 4] = [
        ("config/connectors/doors.yaml", DOORS, "/grants/", true),
        ("scripts/doors.rhai", WORDS, "()", true),
        (
            "config/credentials/doors.yaml",
            "version: 1\nconnector: doors\nfields: { url: \"https://door.example.com/()\" }\n",
            "()",
            false,
        ),
        (
            "config/integrations/elm.yaml",
            &right(1, 2),
            "America/New_York",
            false,
        ),
    ];
    for (file, text, what, wants_else) in edits {
        let instead = match what {
            "/grants/" => "/accesses/",
            "America/New_York" => "America/Chicago",
            _ => "[]",
        };
        assert!(text.contains(what));
        doors.write(file, &text.replace(what, instead));
        let after = doors.load(Some(&before));
        let (old, new) = (current(&before), current(&after));
        assert_eq!(new.generation, old.generation + 1, "{file}");
        assert_ne!(new.fingerprint(), old.fingerprint(), "{file}");
        assert_eq!(new.files() != old.files(), wants_else, "{file}");
        before = after;
    }
}

#[test]
fn a_file_that_is_not_right_leaves_what_runs_and_is_told() {
    let doors = Doors::new();
    let first = doors.load(None);
    doors.target(&format!("{TARGET}read_back: 1m\nlate: 12h\n"));
    let second = doors.load(Some(&first));
    assert!(!second.is_right());
    assert_eq!(
        told(&slot(&second)),
        [
            "config/targets/acme-door.yaml:4:12: read_back: `1m` is out of range; write `5m` or more, such as `24h`",
            "config/targets/acme-door.yaml:5:7: late: `12h` is no whole number of days, and a day is one at the property; write `1d`",
        ]
    );
    assert!(Arc::ptr_eq(&current(&first), &current(&second)));
    assert!(slot(&second).running().is_some());
    assert_eq!(outcome(&first, &second), ReloadOutcome::Rejected);
    assert_eq!(doors.checked("acme-door.yaml"), told(&slot(&second)));
    doors.target(TARGET);
    let third = doors.load(Some(&second));
    assert!(Arc::ptr_eq(&current(&first), &current(&third)));
    // Its integrations go on, whatever is wrong with it.
    let mut slots = second.integrations.values();
    assert!(slots.all(|slot| slot.problems.is_empty()));
}

#[test]
fn what_was_never_right_does_not_run_and_is_forgotten_with_its_file() {
    let doors = Doors::new();
    doors.target("version: 1\ncredential: doors\nmode: never\nfields: { site: s1 }\n");
    let first = doors.load(None);
    assert!(slot(&first).current.is_none());
    assert_eq!(
        told(&slot(&first)),
        [
            "config/targets/acme-door.yaml:3:7: mode: `never` is not known here; write one of: approve, approve_all, automatic"
        ]
    );
    doors.remove("config/targets/acme-door.yaml");
    assert!(doors.load(Some(&first)).targets.is_empty());
}

#[test]
fn a_target_whose_file_is_gone_rests_and_runs_again_when_it_is_back() {
    let doors = Doors::new();
    let bell = "config/targets/bell-door.yaml";
    doors.write(bell, TARGET);
    let first = doors.load(None);
    doors.remove("config/targets/acme-door.yaml");
    let second = doors.load(Some(&first));
    assert!(slot(&second).removed && slot(&second).running().is_none());
    assert!(Arc::ptr_eq(&current(&first), &current(&second)));
    assert_eq!(outcome(&first, &second), ReloadOutcome::Removed);
    assert!(second.is_right());
    // What is not right starts nothing.
    doors.target("version: 1\n");
    let third = doors.load(Some(&second));
    assert!(slot(&third).running().is_none());
    assert_eq!(outcome(&second, &third), ReloadOutcome::Rejected);
    doors.target(TARGET);
    let fourth = doors.load(Some(&third));
    assert!(slot(&fourth).running().is_some());
    assert_eq!(outcome(&third, &fourth), ReloadOutcome::Loaded);
}

#[test]
fn a_folder_of_targets_that_is_gone_is_an_accident_and_what_runs_goes_on() {
    let doors = Doors::new();
    let first = doors.load(None);
    let folder = doors.0.home.config().join("targets");
    let away = doors.0.home.root().join("away");
    std::fs::rename(&folder, &away).unwrap();
    let second = doors.load(Some(&first));
    assert!(slot(&second).running().is_some());
    assert_eq!(
        second
            .problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["config/targets: the folder is gone; put it back. What runs goes on meanwhile"]
    );
    std::fs::rename(&away, &folder).unwrap();
    doors.remove("config/targets/acme-door.yaml");
    let third = doors.load(Some(&second));
    assert!(slot(&third).removed);
    // Where none is left there, nobody misses the folder.
    std::fs::remove_dir(&folder).unwrap();
    assert!(doors.load(Some(&third)).is_right());
    assert!(doors.load(None).is_right());
}

#[test]
fn an_integration_that_rests_goes_on_being_served_and_one_that_is_unknown_is_named() {
    let mut doors = Doors::new();
    doors.target(&format!("{TARGET}from: [ash, elm]\n"));
    let first = doors.load(None);
    doors.0.apply(&Edit::Delete(1));
    let second = doors.load(Some(&first));
    assert!(second.integrations[&IntegrationId::new("elm")].removed);
    assert!(Arc::ptr_eq(&current(&first), &current(&second)));
    // After a restart it is known by its people alone.
    let elm = IntegrationId::new("elm");
    let holding = Holding {
        attachment: None,
        linked: 30,
    };
    let holdings = Holdings::from([(elm.clone(), holding)]);
    let anew = load_with(&doors.0.home, None, &holdings, Timestamp::UNIX_EPOCH);
    let target = current(&anew);
    assert_eq!(served(&target), ["ash"]);
    assert_eq!(target.unread, BTreeSet::from([elm]));
    // One whose file was never right is there all the same.
    doors.0.apply(&Edit::Break(1, 0));
    let target = current(&doors.load(None));
    assert_eq!((served(&target).len(), target.unread.len()), (1, 1));
}

#[test]
fn a_name_that_no_integration_has_is_told_with_the_one_that_was_meant() {
    let doors = Doors::new();
    assert_eq!(
        doors.told(&format!("{TARGET}from: [oakk, elm, nowhere]\n")),
        [
            "config/targets/acme-door.yaml:4:8: from.0: there is no integration `oakk`; did you mean `oak`?",
            "config/targets/acme-door.yaml:4:19: from.2: there is no integration `nowhere`; there are: ash, elm, oak",
        ]
    );
}

#[test]
fn what_a_target_names_and_is_not_there_is_told_where_it_is_named() {
    let doors = Doors::new();
    assert_eq!(
        doors.told("version: 1\ncredential: door\nfrom: [elmm]\n"),
        [
            "config/targets/acme-door.yaml:2:13: credential: there is no credential `door`; did you mean `doors`?",
            "config/targets/acme-door.yaml:3:8: from.0: there is no integration `elmm`; did you mean `elm`?",
        ]
    );
    assert_eq!(
        doors.told("version: 1\ncredential: acme\n"),
        [
            "config/targets/acme-door.yaml:2:13: credential: the connector `letterbox` of the credential `acme` reads a PMS: it has no `target`, and nothing can be delivered by it; name a credential of a connector that has one"
        ]
    );
    doors.remove("scripts/doors.rhai");
    assert_eq!(
        doors.told(TARGET),
        [
            "config/connectors/doors.yaml:2:9: script: there is no script `doors.rhai`; there are: letterbox"
        ]
    );
    doors.remove("config/connectors/doors.yaml");
    assert_eq!(
        doors.told(TARGET),
        [
            "config/credentials/doors.yaml:2:12: connector: there is no connector `doors`; there are: letterbox"
        ]
    );
}

#[test]
fn a_field_that_templates_ask_for_in_vain_is_doubtful_and_in_version_2_an_error() {
    let doors = Doors::new();
    doors.target("version: 1\ncredential: doors\nfields: { sites: s1 }\n");
    assert!(slot(&doors.load(None)).running().is_some());
    let unset = [
        "config/targets/acme-door.yaml:3:1: fields: there is no `site`, and `target.list.url` of the connector `doors` cannot be asked without; is `sites` meant?",
    ];
    assert_eq!(doors.checked("acme-door.yaml"), unset);
    let strict = DOORS.replace("version: 1", "version: 2");
    doors.write("config/connectors/doors.yaml", &strict);
    let slot = slot(&doors.load(None));
    assert_eq!(told(&slot), unset);
    assert!(slot.running().is_none());
}

#[test]
fn what_nobody_asks_of_a_connector_of_version_2_keeps_its_targets_from_loading() {
    let doors = Doors::new();
    let unasked =
        "requests: { people: { url: \"{{ credential.url }}/p\", format: json, id: id } }\n";
    let file = "config/connectors/doors.yaml";
    doors.write(file, &format!("{DOORS}{unasked}"));
    let first = doors.load(None);
    assert!(slot(&first).problems.is_empty());
    let strict = format!("{DOORS}{unasked}").replace("version: 1", "version: 2");
    doors.write(file, &strict);
    let second = doors.load(Some(&first));
    let told = told(&slot(&second));
    assert!(
        told.len() == 1 && told[0].contains("requests.people: nobody asks for it"),
        "{told:?}"
    );
    assert!(Arc::ptr_eq(&current(&first), &current(&second)));
}

#[test]
fn a_budget_that_reading_back_uses_up_is_told_where_the_credential_has_it() {
    let doors = Doors::new();
    doors.target(&format!("{TARGET}read_back: 5m\n"));
    let credential = "version: 1\nconnector: doors\nfields: { url: https://door.example.com }\nlimits: { per_day: 300 }\n";
    doors.write("config/credentials/doors.yaml", credential);
    assert_eq!(
        doors.checked("credentials/doors.yaml"),
        [
            "config/credentials/doors.yaml:4:20: limits.per_day: 1 target of this credential is read back 288 times a day, with a request each time at least, and `per_day` is 300, of which a tenth is kept for what is done by hand: nothing is left to deliver with; make `read_back` longer, or ask the target's owner for more requests"
        ]
    );
    let first = current(&doors.load(None));
    assert_eq!(first.limits().per_day, Some(300));
    doors.target(&format!("{TARGET}read_back: 10m\n"));
    assert_eq!(doors.checked("credentials/doors.yaml"), [""; 0]);
}
