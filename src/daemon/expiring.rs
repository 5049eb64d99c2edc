//! Credentials that are soon taken no more: told 14 days ahead, until their files, or the answers of the PMS, say a later
//! day. What is due is decided purely.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::catalog::Catalog;
use crate::model::{Expiry, ExpiryBy, IntegrationId};
use crate::source::Source;
use crate::store::{StoreError, View};

use super::runs::{Runs, State};

/// It is told so many days ahead.
const AHEAD: i64 = 14;

/// What is told, by credential: at which integration, and in which words.
pub(super) type Expiring = BTreeMap<String, (IntegrationId, String)>;

/// What answers said of credentials, by name: the last day, by the request.
type Heard = BTreeMap<String, BTreeMap<String, Date>>;

/// Until when a credential is taken, by its file and by what was heard of it. What requests said that tell it no more does not
/// count.
pub(super) fn expiry(
    file: Option<Date>,
    source: &Source,
    heard: Option<&BTreeMap<String, Date>>,
) -> Option<Expiry> {
    let heard = heard.into_iter().flatten();
    let heard = heard.filter(|(request, _)| source.tells_expiry(request));
    Expiry::earliest(file, heard.map(|(_, last)| *last))
}

/// What answers said of the credentials that are in use, where their connectors say where it stands.
fn heard(view: &View, catalog: &Catalog) -> Result<Heard, StoreError> {
    let integrations = catalog.integrations.values();
    let integrations = integrations.filter_map(|slot| slot.running());
    let integrations = integrations.map(|one| (&one.source, &one.config.credential));
    let targets = catalog.targets.values().filter_map(|slot| slot.running());
    let targets = targets.map(|one| (&one.source, &one.config.credential));
    let tell = integrations
        .chain(targets)
        .filter(|(source, _)| source.tells_any_expiry());
    tell.map(|(_, name)| Ok((name.clone(), view.expiries(name)?)))
        .collect()
}

/// The credentials that are taken no more, or not for long. One of a target alone is told at an integration whose people go
/// there.
fn expiring(catalog: &Catalog, heard: &Heard, now: Timestamp) -> Expiring {
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut all = Expiring::new();
    for (id, slot) in &catalog.integrations {
        if let Some(one) = slot.running() {
            let name = &one.config.credential;
            let expiry = expiry(one.credential.expires, &one.source, heard.get(name));
            if let Some(told) = told(name, expiry, today) {
                all.entry(name.clone()).or_insert((id.clone(), told));
            }
        }
    }
    for slot in catalog.targets.values() {
        let Some(one) = slot.running() else { continue };
        let name = &one.config.credential;
        let first = one.serves.keys().next();
        let expiry = expiry(one.credential.expires, &one.source, heard.get(name));
        if let (Some(id), Some(told)) = (first, told(name, expiry, today)) {
            all.entry(name.clone()).or_insert((id.clone(), told));
        }
    }
    all
}

fn told(name: &str, expiry: Option<Expiry>, today: Date) -> Option<String> {
    let expiry = expiry?;
    let Expiry { last, by } = expiry;
    let from = today.checked_add(Span::new().days(AHEAD)).ok()?;
    let is = if last < today { "was" } else { "is" };
    let says = match by {
        ExpiryBy::File => "",
        ExpiryBy::Answer => ", as the answers to it say",
    };
    let remedy = expiry.remedy(name);
    (last <= from)
        .then(|| format!("the credential `{name}` {is} taken until {last}{says}; {remedy}"))
}

impl Runs {
    fn heard(&self, catalog: &Catalog) -> Result<Heard, StoreError> {
        heard(&self.tools.store.read()?, catalog)
    }

    /// Tells of credentials that expire, and of those that do no more.
    pub(super) async fn tell_expiring(&self, state: &mut State) {
        let now = (self.tools.now)();
        let catalog = self.catalog.borrow().clone();
        let heard = match self.heard(&catalog) {
            Ok(heard) => heard,
            Err(error) => {
                tracing::error!(%error, "the store failed; what is told of credentials that expire is written later");
                return;
            }
        };
        let all = expiring(&catalog, &heard, now);
        if state.expiring.as_ref() == Some(&all) {
            return;
        }
        let (store, wanted) = (Arc::clone(&self.tools.store), all.clone());
        let told = tokio::task::spawn_blocking(move || crate::sync::expiring(&store, &wanted, now));
        match told.await {
            Ok(Ok(new)) => {
                for name in new {
                    tracing::warn!(credential = name, "a credential is soon taken no more");
                }
                state.expiring = Some(all);
                self.commits.send_modify(|commits| *commits += 1);
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the store failed; what is told of credentials that expire is written later");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_credential_is_told_fourteen_days_ahead_and_as_long_as_its_day_is_the_same() {
        let today = date(2027, 3, 17);
        let of = |last| told("acme", Expiry::earliest(Some(last), []), today);
        assert!(
            of(date(2027, 3, 31)).is_some_and(|told| told.contains("is taken until 2027-03-31"))
        );
        assert_eq!(of(date(2027, 4, 1)), None);
        assert!(of(date(2027, 3, 16)).is_some_and(|told| told.contains("was taken until")));
        assert_eq!(told("acme", None, today), None);
    }

    #[test]
    fn the_earlier_of_what_the_file_and_the_answers_say_counts_and_says_what_is_to_be_done() {
        let (early, late) = (date(2027, 3, 20), date(2027, 3, 25));
        let of = |file, answers: &[Date]| {
            let expiry = Expiry::earliest(file, answers.iter().copied());
            told("acme", expiry, date(2027, 3, 17)).unwrap()
        };
        for by_file in [of(Some(early), &[late]), of(Some(early), &[early])] {
            assert!(by_file.contains("until 2027-03-20;"), "{by_file}");
            assert!(
                by_file.contains("config/credentials/acme.yaml"),
                "{by_file}"
            );
        }
        for by_answer in [of(Some(late), &[early]), of(None, &[late, early])] {
            let wanted = "until 2027-03-20, as the answers to it say;";
            assert!(by_answer.contains(wanted), "{by_answer}");
            assert!(
                by_answer.ends_with("the next sync hears the new day"),
                "{by_answer}"
            );
        }
    }
}
