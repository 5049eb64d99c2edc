//! The integrations that read through one connector, by the accounts that they do it with: who reads beside whom, and which
//! PMS properties are one by their names. Pure.

use std::collections::BTreeMap;

use crate::config::{File, Integration};
use crate::model::{Feeds, folded_property};

/// An integration, as it hangs on a connector.
pub(super) struct Attached<'f> {
    pub(super) id: &'f str,
    pub(super) file: &'f File<Integration>,
    pub(super) feeds: Feeds,
}

/// An account: its plain fields, and where its secrets are.
type Account = (String, String);

/// All of a connector.
pub(super) struct Accounts<'f> {
    pub(super) all: Vec<Attached<'f>>,
    /// Those that are switched on.
    by_account: BTreeMap<Account, Vec<usize>>,
    /// Their PMS properties by account and folded name, each with whose it is.
    by_name: BTreeMap<(Account, String), Vec<(usize, String)>>,
}

impl Attached<'_> {
    fn account(&self) -> Account {
        (self.feeds.account.clone(), self.feeds.secrets.clone())
    }
}

impl<'f> Accounts<'f> {
    pub(super) fn of(all: Vec<Attached<'f>>) -> Accounts<'f> {
        let mut accounts = Accounts {
            all,
            by_account: BTreeMap::new(),
            by_name: BTreeMap::new(),
        };
        let on = accounts.all.iter().enumerate();
        for (index, one) in on.filter(|(_, one)| one.file.value.enabled) {
            let of_account = accounts.by_account.entry(one.account()).or_default();
            of_account.push(index);
            for property in &one.feeds.properties {
                let name = (one.account(), folded_property(property));
                let named = accounts.by_name.entry(name).or_default();
                named.push((index, property.clone()));
            }
        }
        accounts
    }

    /// Another one of the same account that attaches a PMS property which this one does not.
    pub(super) fn beside(&self, one: &Attached<'_>) -> Option<&'f str> {
        let indexes = self.by_account.get(&one.account())?;
        let all = indexes.iter().filter_map(|index| self.all.get(*index));
        let all: Vec<_> = all.collect();
        let is_on = all.iter().any(|other| other.id == one.id);
        let has_more = |other: &&&Attached<'_>| {
            let mut theirs = other.feeds.properties.iter();
            theirs.any(|property| !one.feeds.properties.contains(property))
        };
        let other = all.iter().find(has_more).filter(|_| is_on)?;
        Some(other.id)
    }

    /// Another name of a PMS property of this one, with whose it is.
    pub(super) fn twin(&self, one: &Attached<'_>, property: &str) -> Option<(&'f str, &str)> {
        let named = self
            .by_name
            .get(&(one.account(), folded_property(property)))?;
        let named = named
            .iter()
            .filter_map(|(index, name)| Some((self.all.get(*index)?.id, name.as_str())));
        let named: Vec<_> = named.collect();
        let is_on = named.iter().any(|(id, _)| *id == one.id);
        let mut twins = named.into_iter().filter(|(_, name)| *name != property);
        twins.next().filter(|_| is_on)
    }
}
