//! People who belong to another integration from now on (R46): its file has another name, or a PMS property stands in
//! another file. Who goes where is decided by the files, or said by somebody.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    ActKind, Actor, Alert, AlertKind, AlertState, Attachment, ChangeKind, Done, Feeds, GuardState,
    IntegrationId, Link, Move, PersonId, Ruling, TakenOver,
};
use crate::rules::relocation::{self, Census, Clash};
use crate::store::{History, Store, StoreError, Write};

use super::desk::Desk;
use super::{ActError, Hand};

type Answer<T> = Result<T, ActError>;

/// The rule that everything here follows.
pub(super) const RULE: &str = "R46";

/// Moves people, all of them or nobody. `feeds` is what those read to whom they go. None where nobody is left to be
/// moved: it was done before.
pub fn relocate(
    store: &Store,
    moves: &[Move],
    feeds: &BTreeMap<IntegrationId, Feeds>,
    hand: &Hand,
) -> Answer<Option<Done>> {
    let mut desk = Desk::open(store, ActKind::Rename, hand)?;
    let moves = to_do(desk.store(), moves)?;
    if moves.is_empty() {
        return Ok(None);
    }
    let places: BTreeSet<IntegrationId> = moves
        .iter()
        .flat_map(|one| [one.from.clone(), one.to.clone()])
        .collect();
    let before = census(desk.store(), &places)?;
    let after = relocation::relocate(&moves, &before).map_err(|clash| told(&clash))?;
    desk.moves(&moves);
    // A resident who is linked in both places keeps the link of the one; whoever is new there has none yet.
    let residents: BTreeSet<_> = before.links.keys().chain(after.links.keys()).collect();
    let mut gone: BTreeMap<&IntegrationId, BTreeSet<&str>> = BTreeMap::new();
    for key in residents {
        let (was, is) = (before.links.get(key), after.links.get(key));
        if was != is {
            desk.put_link(&key.0, &key.1, is.cloned())?;
        }
        if was.is_some() && was != is {
            gone.entry(&key.0).or_default().insert(&key.1);
        }
    }
    let moved = people(&mut desk, &moves, &before, &after)?;
    by_hand(&mut desk, &moves, &places)?;
    for one in &moves {
        let residents = gone.get(&one.from).cloned().unwrap_or_default();
        alerts(&mut desk, one, &residents)?;
    }
    for one in moves.iter().filter(|one| one.renamed) {
        give_itself(desk.store(), &one.from, &one.to)?;
    }
    for place in &places {
        forget_counts(desk.store(), place)?;
    }
    attachments(&mut desk, &moves, feeds, &moved)?;
    desk.done().map(Some)
}

/// The moves that find somebody.
fn to_do(write: &Write, moves: &[Move]) -> Answer<Vec<Move>> {
    let mut found = Vec::new();
    for one in moves {
        let attachment = write.attachment(&one.from)?;
        let is_there = match (&attachment, &one.properties) {
            (Some(attachment), Some(all)) => !attachment.properties.is_disjoint(all),
            (Some(attachment), None) if attachment.retired.is_none() => true,
            (_, None) => {
                !write.links(&one.from)?.is_empty() || !write.people_at(&one.from)?.is_empty()
            }
            (None, Some(_)) => false,
        };
        if is_there {
            found.push(one.clone());
        }
    }
    Ok(found)
}

/// The people and links of some integrations.
pub(super) fn census(write: &Write, places: &BTreeSet<IntegrationId>) -> Answer<Census> {
    let mut census = Census::default();
    let mut who: BTreeSet<PersonId> = BTreeSet::new();
    for place in places {
        who.extend(write.people_at(place)?);
        for (resident, link) in write.links(place)? {
            who.insert(link.person);
            census.links.insert((place.clone(), resident), link);
        }
    }
    let people = write.people()?;
    for id in who {
        if let Some(person) = people.person(id)? {
            census.people.insert(id, person);
        }
    }
    Ok(census)
}

fn told(clash: &Clash) -> ActError {
    let Clash {
        resident,
        one,
        other,
    } = clash;
    ActError::Refused(format!(
        "resident {resident} is {} at {} and {} at {}, and one resident is one person: unlink one of the two \
         (`epms people unlink`), or merge them",
        one.0, one.1, other.0, other.1
    ))
}

/// Writes the people, and counts those who came from each integration.
fn people(
    desk: &mut Desk<'_>,
    moves: &[Move],
    before: &Census,
    after: &Census,
) -> Answer<BTreeMap<IntegrationId, u64>> {
    let mut linked: BTreeMap<PersonId, BTreeSet<&IntegrationId>> = BTreeMap::new();
    for ((at, resident), link) in &before.links {
        if after.links.get(&(at.clone(), resident.clone())) != Some(link) {
            linked.entry(link.person).or_default().insert(at);
        }
    }
    let mut counted = BTreeMap::new();
    for (id, was) in &before.people {
        let Some(is) = after.people.get(id) else {
            continue;
        };
        let left = |one: &&Move| {
            let stay = was.stays.get(&one.from);
            let went = stay.is_some() && stay != is.stays.get(&one.from);
            went || linked.get(id).is_some_and(|from| from.contains(&one.from))
        };
        let Some(by) = moves.iter().find(left) else {
            continue;
        };
        *counted.entry(by.from.clone()).or_default() += 1;
        let between = (&by.from, &by.to);
        desk.put_moved(was.clone(), is.clone(), ChangeKind::Moved, between, RULE)?;
    }
    Ok(counted)
}

/// What was said by hand of residents and units goes along.
fn by_hand(desk: &mut Desk<'_>, moves: &[Move], places: &BTreeSet<IntegrationId>) -> Answer<()> {
    let (mut rulings, mut units) = (BTreeMap::new(), BTreeMap::new());
    for place in places {
        let of = |resident: String| (place.clone(), resident);
        let all = desk.store().rulings(place)?;
        rulings.extend(all.into_iter().map(|(resident, one)| (of(resident), one)));
        let all = desk.store().units(place)?;
        units.extend(all.into_iter().map(|(unit, here)| (of(unit), here)));
    }
    let both = |one: &Ruling, other: &Ruling| Ruling {
        apart: one.apart.union(&other.apart).copied().collect(),
        together: one.together || other.together,
    };
    let after = relocation::relocate_kept(moves, &rulings, both);
    for key in rulings.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        if rulings.get(key) != after.get(key) {
            desk.put_ruling(&key.0, &key.1, after.get(key).cloned())?;
        }
    }
    let after = relocation::relocate_kept(moves, &units, |here, _| here.clone());
    for key in units.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        if units.get(key) != after.get(key) {
            desk.put_unit(&key.0, &key.1, after.get(key).cloned())?;
        }
    }
    Ok(())
}

/// Alerts about the residents who went go along, and with a new name all of them. That they were left behind is over.
fn alerts(desk: &mut Desk<'_>, one: &Move, residents: &BTreeSet<&str>) -> Answer<()> {
    let now = desk.hand().now;
    let is_of = |property: &str| {
        let mut all = one.properties.iter().flatten();
        one.properties.is_none() || all.any(|of| format!("property {of}") == property)
    };
    for ((kind, subject), alert) in desk.store().alerts(&one.from)? {
        let about_them = || {
            let sides = alert.sides.iter();
            residents.contains(subject.as_str())
                || sides
                    .filter_map(|side| side.resident.as_deref())
                    .any(|resident| residents.contains(resident))
        };
        if kind == AlertKind::LeftBehind {
            if alert.state == AlertState::Open && is_of(&subject) {
                desk.store().put_alert(&Alert {
                    state: AlertState::AutoClosed,
                    last_seen: now,
                    ..alert
                })?;
            }
        } else if one.renamed || (!kind.is_of_the_feed() && about_them()) {
            desk.move_alert(alert, &one.to)?;
        }
    }
    Ok(())
}

/// Gives what belongs to an integration itself to the one that it is called now: its runs, what its guard knows, its
/// lookups.
pub(super) fn give_itself(
    write: &Write,
    from: &IntegrationId,
    to: &IntegrationId,
) -> Result<(), StoreError> {
    write.give_runs(from, to)?;
    write.give_lookups(from, to)?;
    write.give_outdated(from, to)?;
    let (old, there) = (write.take_history(from)?, write.history(to)?);
    let paused = old.paused || there.paused;
    let pause = there.pause.clone().or(old.pause.clone());
    let history = if there.last_run.is_none() { old } else { there };
    let history = History {
        paused,
        pause,
        ..history
    };
    write.put_history(to, &history)?;
    let (old, there) = (write.take_guard(from)?, write.guard(to)?);
    write.put_guard(to, &guards(old, there))
}

/// What the guard knows of an integration that two became: what passed in either counts.
fn guards(old: GuardState, there: GuardState) -> GuardState {
    if there == GuardState::default() {
        return old;
    }
    let mut both = there;
    both.passed.extend(old.passed);
    both.passed.sort_by_key(|one| one.at);
    both.admitted.extend(old.admitted);
    both.admitted.sort_by_key(|one| one.at);
    both.came.extend(old.came);
    both.came.sort_by_key(|one| one.at);
    both.approved.extend(old.approved);
    both.approved.sort_by_key(|one| one.at);
    both.month.extend(old.month);
    both.month.sort_by_key(|one| one.at);
    // One of them may be of a version that did not keep it.
    both.attached = both.attached.zip(old.attached).map(|(mut all, others)| {
        all.extend(others);
        all
    });
    both
}

/// What was remembered of a feed, and of how many were there, was remembered of other people.
pub(super) fn forget_counts(write: &Write, place: &IntegrationId) -> Result<(), StoreError> {
    write.forget_feed(place)?;
    write.settle_stirred(place)?;
    let state = write.guard(place)?;
    if state.at_least.is_some() {
        let at_least = None;
        write.put_guard(place, &GuardState { at_least, ..state })?;
    }
    Ok(())
}

fn attachments(
    desk: &mut Desk<'_>,
    moves: &[Move],
    feeds: &BTreeMap<IntegrationId, Feeds>,
    moved: &BTreeMap<IntegrationId, u64>,
) -> Answer<()> {
    let mut after: BTreeMap<&IntegrationId, Option<Attachment>> = BTreeMap::new();
    let mut came: Vec<(&Move, BTreeSet<String>)> = Vec::new();
    for one in moves {
        let known = desk.store().attachment(&one.from)?.unwrap_or_default();
        came.push((one, one.properties.clone().unwrap_or(known.properties)));
        for place in [&one.from, &one.to] {
            let known = desk.store().attachment(place)?;
            after.entry(place).or_insert(known);
        }
    }
    for one in moves {
        if let Some(Some(old)) = after.get_mut(&one.from) {
            match &one.properties {
                Some(all) => old.properties.retain(|property| !all.contains(property)),
                None => old.properties.clear(),
            }
            old.apart.remove(&one.to);
        }
        if one.renamed {
            after.insert(&one.from, None);
        }
    }
    let now = desk.hand().now;
    let act = desk.act_id();
    for (one, came) in came {
        let new = after.entry(&one.to).or_default();
        let new = new.get_or_insert_default();
        if let Some(feeds) = feeds.get(&one.to) {
            let came = came.into_iter();
            let came = came.filter(|property| feeds.names(property));
            new.properties.extend(came);
            new.account.clone_from(&feeds.account);
        }
        new.retired = None;
        new.took_over = Some(TakenOver {
            from: one.from.clone(),
            properties: one.properties.clone(),
            people: moved.get(&one.from).copied().unwrap_or(0),
            at: now,
            act,
        });
    }
    for (place, attachment) in after {
        desk.put_attachment(place, attachment)?;
    }
    Ok(())
}

/// Remembers what integrations read, so that their people are found again under another name. People of a PMS property
/// that one does not read any more stay its own while they are linked.
pub fn remember(
    store: &Store,
    running: &BTreeMap<IntegrationId, (Feeds, bool)>,
) -> Result<(), StoreError> {
    let known = store.read()?.holdings()?;
    let news = |id: &IntegrationId, (feeds, enabled): &(Feeds, bool)| {
        let attachment = known.get(id).and_then(|one| one.attachment.as_ref());
        attachment.is_none_or(|one| match one.retired {
            // What is switched off stays retired.
            Some(_) => *enabled,
            None => one.account != feeds.account || one.properties != feeds.properties,
        })
    };
    let news: Vec<_> = running.iter().filter(|(id, one)| news(id, one)).collect();
    if news.is_empty() {
        return Ok(());
    }
    let write = store.write()?;
    let mut changed = false;
    for (id, (feeds, _)) in news {
        let before = write.attachment(id)?;
        let old = before.clone().unwrap_or_default();
        let mut properties = feeds.properties.clone();
        if old.account == feeds.account && old.retired.is_none() {
            let left: BTreeSet<_> = old.properties.difference(&feeds.properties).collect();
            if !left.is_empty() {
                let links = write.links(id)?;
                let of = |link: &Link| link.property.clone().filter(|one| left.contains(one));
                properties.extend(links.values().filter_map(of));
            }
        }
        let after = Attachment {
            account: feeds.account.clone(),
            properties,
            apart: BTreeSet::new(),
            retired: None,
            ..old
        };
        if before.as_ref() != Some(&after) {
            write.put_attachment(id, Some(&after))?;
            changed = true;
        }
    }
    if changed {
        write.commit()?;
    }
    Ok(())
}

impl Hand {
    /// Nobody's hand: what follows from the files.
    pub fn of_the_files(now: jiff::Timestamp) -> Hand {
        Hand {
            by: Actor::Sync,
            now,
        }
    }
}
