//! Questions to the store: whatever is asked, all pages together have exactly who fits, in their order; what an index finds
//! reads little, and what none finds stops and says so.

use std::collections::BTreeSet;

use super::*;
use crate::model::{
    Actor, AfterAlert, Alert, AlertId, AlertKind, AlertQuery, AlertState, Behind, Change,
    ChangeKind, LeaseStatus, Link, OutcomeAsked, PeopleQuery, PeopleSort, RunQuery, Side,
    StateAsked, Stay, Unit,
};

const FIRST: [&str; 5] = ["Ada", "ada", "Bo", "Zoë", ""];
const LAST: [&str; 4] = ["Quill", "quince", "Adams", "Ö"];
const PLACES: [&str; 3] = ["elm", "oak", "ash"];
const STATUSES: [LeaseStatus; 3] = [
    LeaseStatus::Current,
    LeaseStatus::Pending,
    LeaseStatus::Past,
];

/// So many people.
const MANY: u64 = 600;

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(second.cast_signed()).unwrap()
}

fn stay(i: u64) -> Stay {
    let label = format!("{}B", i % 40);
    Stay {
        status: STATUSES[usize::try_from(i % 3).unwrap()],
        unit: Some(Unit {
            id: format!("u{label}"),
            label,
            formerly: None,
        }),
        more_units: Vec::new(),
        lease_start: None,
        lease_end: None,
        move_in: None,
        move_out: None,
        notice: false,
        eviction: false,
        excluded: i.is_multiple_of(7),
    }
}

fn one(i: u64) -> Person {
    let pick = |from: &[&'static str], by: u64| from[usize::try_from(by).unwrap() % from.len()];
    let mut person = Person {
        first_name: pick(&FIRST, i * 7 / 3).to_owned(),
        last_name: pick(&LAST, i * 5 / 2).to_owned(),
        ..person(i, None)
    };
    if !i.is_multiple_of(11) {
        let place = IntegrationId::new(pick(&PLACES, i));
        person.stays.insert(place, Box::new(stay(i)));
        person.email = Some(format!("a{i}@example.com"));
    }
    if i.is_multiple_of(10) {
        let place = IntegrationId::new(pick(&PLACES, i + 1));
        person.stays.insert(place, Box::new(stay(i + 1)));
    }
    person
}

fn change(i: u64) -> Change {
    Change {
        seq: 0,
        at: at(i),
        person: PersonId(i),
        kind: ChangeKind::Created,
        integration: None,
        from: None,
        resident: None,
        run: None,
        rule: "R17".into(),
        fields: Vec::new(),
        actor: Actor::Sync,
        act: None,
    }
}

fn alert(id: u64, person: u64, state: AlertState) -> Alert {
    let kinds = [
        AlertKind::EmailMismatch,
        AlertKind::NameMismatch,
        AlertKind::MissingEmail,
    ];
    let index = usize::try_from(id % 3).unwrap();
    Alert {
        id: AlertId(id),
        kind: kinds[index],
        integration: IntegrationId::new(PLACES[index * 2 % 3]),
        subject: format!("t{id}"),
        state,
        sides: vec![Side {
            resident: None,
            person: Some(PersonId(person)),
            values: BTreeMap::new(),
            mapped: None,
            beside: None,
        }],
        detail: String::new(),
        confidence: None,
        count: None,
        examples: Vec::new(),
        suggestion: None,
        assigned: None,
        comments: Vec::new(),
        raised_by: RunId(1),
        first_seen: at(0),
        last_seen: at(0),
        acts: Vec::new(),
    }
}

/// A store of many people, with alerts and runs.
fn filled() -> Store {
    let store = Store::in_memory().unwrap();
    let write = store.write().unwrap();
    let new = (1..=MANY).map(|_| write.new_person_id().unwrap().0);
    let people: Vec<Person> = new.map(one).collect();
    write.people().unwrap().put(&people).unwrap();
    for person in &people {
        let i = person.id.0;
        write.append_change(change(i)).unwrap();
        for place in person.stays.keys() {
            let link = Link::new(person.id, at(0));
            write.put_link(place, &format!("t{i}"), &link).unwrap();
        }
    }
    for id in 1..=60 {
        let state = match id % 4 {
            0 => AlertState::Dismissed,
            1 => AlertState::AutoClosed,
            _ => AlertState::Open,
        };
        assert_eq!(write.new_alert_id().unwrap(), AlertId(id));
        write.put_alert(&alert(id, id * 9, state)).unwrap();
    }
    for id in 1..=50 {
        let place = PLACES[usize::try_from(id % 3).unwrap()];
        let place = IntegrationId::new(place);
        let mut run = Run::begun(RunId(id), place, Cause::Manual, 1, at(0));
        run.outcome = if id.is_multiple_of(9) {
            Outcome::Interrupted
        } else {
            Outcome::Unchanged
        };
        write.put_run(&run).unwrap();
    }
    write.commit().unwrap();
    store
}

/// Everybody who fits, looked for without any index.
fn expected(view: &View, query: &PeopleQuery) -> Vec<PersonId> {
    let alerts: BTreeSet<PersonId> = view
        .open_alerts(None)
        .unwrap()
        .iter()
        .filter_map(|alert| alert.sides[0].person)
        .collect();
    let begins = |asked: &Option<String>, text: &str| {
        let asked = asked.as_deref().map(str::to_lowercase);
        asked.is_none_or(|asked| text.to_lowercase().starts_with(&asked))
    };
    let fits = |one: &Person| {
        let name = format!("{} {}", one.first_name, one.last_name);
        let stays = one.stays.iter().any(|(place, stay)| {
            let unit = stay.unit.as_ref().unwrap();
            query.integration.as_ref().is_none_or(|id| id == place)
                && query.status.is_none_or(|status| status == stay.status)
                && query
                    .excluded
                    .is_none_or(|excluded| excluded == stay.excluded)
                && (begins(&query.unit, &unit.label) || begins(&query.unit, &unit.id))
        });
        let asks_of_stays = query.integration.is_some()
            || query.status.is_some()
            || query.excluded.is_some()
            || query.unit.is_some();
        let is_here =
            |place: &IntegrationId| query.integration.as_ref().is_none_or(|id| id == place);
        let linked =
            one.stays.keys().any(is_here) && begins(&query.resident, &format!("t{}", one.id.0));
        (stays || !asks_of_stays)
            && begins(&query.name, name.trim())
            && begins(&query.email, one.email.as_deref().unwrap_or_default())
            && (linked || query.resident.is_none())
            && query
                .alert
                .is_none_or(|wanted| alerts.contains(&one.id) == wanted)
            && query
                .updated_since
                .is_none_or(|since| at(one.id.0) >= since)
            && query
                .q
                .as_deref()
                .is_none_or(|q| name.to_lowercase().contains(q))
    };
    let mut people = view.people(None, usize::MAX, fits).unwrap();
    if query.sort == Some(PeopleSort::Name) {
        people.sort_by_cached_key(|one| (name_key(&one.first_name, &one.last_name), one.id));
    }
    people.into_iter().map(|one| one.id).collect()
}

/// All pages of an answer, how many of them stopped, and the most entries that one of them read.
fn pages(view: &View, query: &PeopleQuery, most: usize) -> (Vec<PersonId>, usize, usize) {
    let (mut all, mut stopped, mut rows, mut behind) = (Vec::new(), 0, 0, None::<Behind>);
    for _ in 0..=MANY {
        let page = view
            .find_people_among(query, behind.as_ref(), &mut |_| Ok(true), most)
            .unwrap();
        rows = rows.max(page.rows);
        stopped += usize::from(page.stopped.is_some());
        assert!(page.items.len() <= query.size());
        all.extend(page.items.iter().map(|one| one.id));
        // As it goes over the socket.
        let Some(next) = page.next else {
            return (all, stopped, rows);
        };
        behind = Some(next.to_string().parse().unwrap());
    }
    panic!("it does not end: {query:?}");
}

fn questions() -> Vec<PeopleQuery> {
    let text = |text: &str| Some(text.to_owned());
    let none = PeopleQuery::default;
    let elm = Some(IntegrationId::new("elm"));
    vec![
        none(),
        PeopleQuery {
            integration: elm.clone(),
            ..none()
        },
        PeopleQuery {
            name: text("ada"),
            ..none()
        },
        PeopleQuery {
            name: text("Ada Qui"),
            ..none()
        },
        PeopleQuery {
            name: text("quill"),
            ..none()
        },
        PeopleQuery {
            name: text("zoë ö"),
            integration: elm.clone(),
            ..none()
        },
        PeopleQuery {
            email: text("A59"),
            ..none()
        },
        PeopleQuery {
            email: text("a5"),
            status: Some(LeaseStatus::Past),
            ..none()
        },
        PeopleQuery {
            resident: text("t1"),
            ..none()
        },
        PeopleQuery {
            resident: text("t12"),
            integration: elm.clone(),
            ..none()
        },
        PeopleQuery {
            alert: Some(true),
            ..none()
        },
        PeopleQuery {
            alert: Some(false),
            integration: elm.clone(),
            ..none()
        },
        PeopleQuery {
            updated_since: Some(at(595)),
            ..none()
        },
        PeopleQuery {
            updated_since: Some(at(100)),
            excluded: Some(true),
            ..none()
        },
        PeopleQuery {
            updated_since: Some(at(9_999)),
            ..none()
        },
        PeopleQuery {
            unit: text("3"),
            integration: elm.clone(),
            ..none()
        },
        PeopleQuery {
            unit: text("u39"),
            ..none()
        },
        PeopleQuery {
            status: Some(LeaseStatus::Pending),
            excluded: Some(true),
            ..none()
        },
        PeopleQuery {
            excluded: Some(false),
            integration: elm,
            ..none()
        },
        PeopleQuery {
            q: text("quin"),
            ..none()
        },
        PeopleQuery {
            name: text("nobody"),
            ..none()
        },
        PeopleQuery {
            integration: Some(IntegrationId::new("nowhere")),
            ..none()
        },
        PeopleQuery {
            integration: Some(IntegrationId::new("")),
            ..none()
        },
    ]
}

#[test]
fn all_pages_together_have_exactly_who_fits_in_the_order_that_is_asked_for() {
    let store = filled();
    let view = store.read().unwrap();
    assert_eq!(view.verify().unwrap().flaws, []);
    for query in questions() {
        for sort in [PeopleSort::Id, PeopleSort::Name] {
            for (limit, most) in [(7, 10_000), (1_000, 10_000), (7, 50), (3, 1)] {
                let query = PeopleQuery {
                    sort: Some(sort),
                    limit: Some(limit),
                    ..query.clone()
                };
                let (found, ..) = pages(&view, &query, most);
                assert_eq!(found, expected(&view, &query), "{query:?}, {most} at most");
            }
        }
    }
}

#[test]
fn what_an_index_finds_reads_little_and_what_none_finds_stops_and_says_so() {
    let store = filled();
    let view = store.read().unwrap();
    let text = |text: &str| Some(text.to_owned());
    let none = || PeopleQuery {
        limit: Some(5),
        ..PeopleQuery::default()
    };
    let by_name = |query: PeopleQuery| PeopleQuery {
        sort: Some(PeopleSort::Name),
        ..query
    };
    for (query, rows) in [
        (none(), 6),
        (by_name(none()), 40),
        (
            by_name(PeopleQuery {
                name: text("ada qu"),
                ..none()
            }),
            60,
        ),
        (
            by_name(PeopleQuery {
                integration: Some(IntegrationId::new("oak")),
                ..none()
            }),
            20,
        ),
        (
            PeopleQuery {
                email: text("a59"),
                ..none()
            },
            25,
        ),
        (
            by_name(PeopleQuery {
                email: text("a59"),
                ..none()
            }),
            40,
        ),
        (
            PeopleQuery {
                resident: text("t59"),
                ..none()
            },
            45,
        ),
        (
            PeopleQuery {
                alert: Some(true),
                ..none()
            },
            50,
        ),
        (
            PeopleQuery {
                updated_since: Some(at(596)),
                ..none()
            },
            40,
        ),
    ] {
        let (_, stopped, read) = pages(&view, &query, 10_000);
        assert_eq!(stopped, 0, "{query:?}");
        assert!(read <= rows, "{query:?}: {read} entries");
    }
    // Somebody far behind, and nothing that leads there.
    let query = PeopleQuery {
        unit: text("39B"),
        q: text("nobody"),
        ..none()
    };
    let page = view
        .find_people_among(&query, None, &mut |_| Ok(true), 100)
        .unwrap();
    assert_eq!((page.items.len(), page.stopped), (0, Some(100)));
    assert_eq!(page.next.unwrap().to_string(), "p100");
    assert!(page.rows <= 110, "{}", page.rows);
    let (found, stopped, _) = pages(&view, &query, 100);
    assert_eq!((found.len(), stopped), (0, 6));
}

#[test]
fn nobody_is_left_out_who_is_renamed_between_two_pages() {
    let store = filled();
    let query = PeopleQuery {
        sort: Some(PeopleSort::Name),
        limit: Some(50),
        ..PeopleQuery::default()
    };
    let view = store.read().unwrap();
    let all = expected(&view, &query);
    let first = view.find_people(&query, None, &mut |_| Ok(true)).unwrap();
    let last = first.items.last().unwrap().clone();
    let write = store.write().unwrap();
    write
        .put_person(&Person {
            first_name: "Zzz".into(),
            ..last
        })
        .unwrap();
    write.commit().unwrap();
    let view = store.read().unwrap();
    let second = view
        .find_people(&query, first.next.as_ref(), &mut |_| Ok(true))
        .unwrap();
    let ids: Vec<PersonId> = second.items.iter().map(|one| one.id).collect();
    assert_eq!(ids, all[50..100]);
}

#[test]
fn alerts_come_page_by_page_the_open_ones_by_kind_and_the_others_latest_first() {
    let store = filled();
    let view = store.read().unwrap();
    let all = view.alerts(None, usize::MAX, |_| true).unwrap();
    for state in [
        StateAsked::Open,
        StateAsked::Dismissed,
        StateAsked::AutoClosed,
        StateAsked::Resolved,
        StateAsked::All,
    ] {
        for kind in [None, Some(AlertKind::NameMismatch)] {
            for place in [None, Some(IntegrationId::new("ash"))] {
                let query = AlertQuery {
                    state: Some(state),
                    kind,
                    integration: place.clone(),
                    limit: Some(4),
                    cursor: None,
                };
                let fits = |alert: &&Alert| {
                    state.state().is_none_or(|state| state == alert.state)
                        && kind.is_none_or(|kind| kind == alert.kind)
                        && place.as_ref().is_none_or(|id| *id == alert.integration)
                };
                let fitting = all.iter().filter(fits);
                let (mut open, mut closed): (Vec<&Alert>, Vec<&Alert>) =
                    fitting.partition(|alert| alert.state == AlertState::Open);
                open.sort_by_key(|alert| (alert.kind, alert.id));
                closed.reverse();
                open.append(&mut closed);
                let expected: Vec<AlertId> = open.iter().map(|alert| alert.id).collect();
                for most in [10_000, 3] {
                    let mut after = None::<AfterAlert>;
                    let mut found = Vec::new();
                    loop {
                        let page = view.find_alerts_among(&query, after, most).unwrap();
                        found.extend(page.items.iter().map(|alert| alert.id));
                        let Some(next) = page.next else { break };
                        after = Some(next.to_string().parse().unwrap());
                    }
                    assert_eq!(found, expected, "{query:?}, {most} at most");
                }
            }
        }
    }
}

#[test]
fn runs_come_page_by_page_latest_first() {
    let store = filled();
    let view = store.read().unwrap();
    for (place, outcome, expected) in [
        (None, None, 50),
        (Some("elm"), None, 16),
        (None, Some(OutcomeAsked::Interrupted), 5),
        (Some("elm"), Some(OutcomeAsked::Interrupted), 5),
        (Some("oak"), Some(OutcomeAsked::Interrupted), 0),
        (Some("fir"), None, 0),
    ] {
        let query = RunQuery {
            integration: place.map(IntegrationId::new),
            outcome,
            limit: Some(4),
            cursor: None,
        };
        for most in [10_000, 3] {
            let (mut found, mut before) = (Vec::new(), None);
            loop {
                let page = view.find_runs_among(&query, before, most).unwrap();
                found.extend(page.items.iter().map(|run| run.id));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(found.len(), expected, "{query:?}");
            assert!(found.is_sorted_by(|one, other| one > other), "{found:?}");
        }
    }
}

#[test]
fn open_alerts_are_found_by_whom_they_are_about_until_they_are_not_open_or_about_somebody_else() {
    let store = filled();
    let about = |person: u64| {
        let view = store.read().unwrap();
        assert_eq!(view.verify().unwrap().flaws, []);
        let alerts = view.open_alerts_about(PersonId(person)).unwrap();
        alerts.iter().map(|alert| alert.id.0).collect::<Vec<_>>()
    };
    let put = |alert: &Alert| {
        let write = store.write().unwrap();
        write.put_alert(alert).unwrap();
        write.commit().unwrap();
    };
    assert_eq!((about(18), about(19)), (vec![2], Vec::new()));
    put(&alert(2, 19, AlertState::Open));
    assert_eq!((about(18), about(19)), (Vec::new(), vec![2]));
    put(&alert(2, 19, AlertState::Resolved));
    assert!(about(19).is_empty());
}

#[test]
fn a_store_of_an_earlier_version_finds_people_without_a_stay_and_those_whom_open_alerts_are_about()
{
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let write = store.write().unwrap();
    let id = write.new_person_id().unwrap();
    write
        .put_person(&person(id.0, Some("ana@example.com")))
        .unwrap();
    write.new_alert_id().unwrap();
    write
        .put_alert(&alert(1, id.0, AlertState::AutoClosed))
        .unwrap();
    write.new_alert_id().unwrap();
    write.put_alert(&alert(2, id.0, AlertState::Open)).unwrap();
    // As it was before.
    let by_name = write.transaction.open_table(super::tables::PEOPLE_BY_NAME);
    by_name.unwrap().retain(|_, ()| false).unwrap();
    let by_person = super::tables::OPEN_ALERTS_BY_PERSON;
    write.transaction.delete_table(by_person).unwrap();
    write.put_schema(14).unwrap();
    write.commit().unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let view = store.read().unwrap();
    assert_eq!(view.verify().unwrap().flaws, []);
    let query = PeopleQuery {
        sort: Some(PeopleSort::Name),
        alert: Some(true),
        ..PeopleQuery::default()
    };
    assert_eq!(pages(&view, &query, 10_000).0, [id]);
    let everybody = PeopleQuery {
        alert: None,
        ..query
    };
    assert_eq!(pages(&view, &everybody, 10_000).0, [id]);
}
