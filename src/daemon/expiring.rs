//! Credentials that are soon taken no more: told 14 days ahead, until their files say a later day. What is due is decided
//! purely.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::catalog::Catalog;
use crate::model::IntegrationId;

use super::runs::{Runs, State};

/// It is told so many days ahead.
const AHEAD: i64 = 14;

/// What is told, by credential: at which integration, and in which words.
pub(super) type Expiring = BTreeMap<String, (IntegrationId, String)>;

/// The credentials that are taken no more, or not for long. One of a target alone is told at an integration whose people go
/// there.
pub(super) fn expiring(catalog: &Catalog, now: Timestamp) -> Expiring {
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut all = Expiring::new();
    for (id, slot) in &catalog.integrations {
        if let Some(one) = slot.running() {
            let name = &one.config.credential;
            if let Some(told) = told(name, one.credential.expires, today) {
                all.entry(name.clone()).or_insert((id.clone(), told));
            }
        }
    }
    for slot in catalog.targets.values() {
        let Some(one) = slot.running() else { continue };
        let name = &one.config.credential;
        let first = one.serves.keys().next();
        if let (Some(id), Some(told)) = (first, told(name, one.credential.expires, today)) {
            all.entry(name.clone()).or_insert((id.clone(), told));
        }
    }
    all
}

fn told(name: &str, expires: Option<Date>, today: Date) -> Option<String> {
    let expires = expires?;
    let from = today.checked_add(Span::new().days(AHEAD)).ok()?;
    let is = if expires < today { "was" } else { "is" };
    (expires <= from).then(|| {
        format!(
            "the credential `{name}` {is} taken until {expires}; ask whoever gave it for the next one, put its secret in the place of the old one, as `epms secret set` does, and write the new day into `expires` of config/credentials/{name}.yaml"
        )
    })
}

impl Runs {
    /// Tells of credentials that expire, and of those that do no more.
    pub(super) async fn tell_expiring(&self, state: &mut State) {
        let now = (self.tools.now)();
        let all = expiring(&self.catalog.borrow(), now);
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
        let of = |expires| told("acme", Some(expires), date(2027, 3, 17));
        assert!(
            of(date(2027, 3, 31)).is_some_and(|told| told.contains("is taken until 2027-03-31"))
        );
        assert_eq!(of(date(2027, 4, 1)), None);
        assert!(of(date(2027, 3, 16)).is_some_and(|told| told.contains("was taken until")));
        assert_eq!(told("acme", None, date(2027, 3, 17)), None);
    }
}
