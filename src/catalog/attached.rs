//! The integrations that read through one connector, by the accounts that they do it with: who reads beside whom. Pure.

use std::collections::BTreeMap;

use crate::config::{File, Integration};
use crate::model::Feeds;

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
}

impl Attached<'_> {
    fn account(&self) -> Account {
        (self.feeds.account.clone(), self.feeds.secrets.clone())
    }
}

impl<'f> Accounts<'f> {
    pub(super) fn of(all: Vec<Attached<'f>>) -> Accounts<'f> {
        let mut by_account: BTreeMap<Account, Vec<usize>> = BTreeMap::new();
        let on = all.iter().enumerate();
        for (index, one) in on.filter(|(_, one)| one.file.value.enabled) {
            by_account.entry(one.account()).or_default().push(index);
        }
        Accounts { all, by_account }
    }

    /// Another one of the same account that attaches a PMS property which this one does not.
    pub(super) fn beside(&self, one: &Attached<'_>) -> Option<&'f str> {
        let indexes = self.by_account.get(&one.account())?;
        let all = || indexes.iter().filter_map(|index| self.all.get(*index));
        let is_on = all().any(|other| other.id == one.id);
        let has_more = |other: &&Attached<'_>| {
            let mut theirs = other.feeds.properties.iter();
            theirs.any(|property| !one.feeds.names(property))
        };
        let other = all().find(has_more).filter(|_| is_on)?;
        Some(other.id)
    }
}
