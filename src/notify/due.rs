//! What is told now, and when there is something next: folded by integration and time, and nothing in quiet hours. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::IntegrationId;

use super::kept::{Cause, Kept, Letter, Trouble};

/// What is said of a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum News {
    /// That it is there.
    New,
    /// That it is over.
    Over,
    /// That it was there, and is over: there was no moment to tell it while it lasted.
    Passed,
}

impl Trouble {
    /// What is to be said of it, if anything.
    pub(super) fn news(&self) -> Option<News> {
        match (self.told, self.ended) {
            (false, None) => Some(News::New),
            (false, Some(_)) => Some(News::Passed),
            (true, Some(_)) => Some(News::Over),
            (true, None) => None,
        }
    }
}

/// What one message says about an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    /// The integration.
    pub integration: IntegrationId,
    /// What is said of each trouble.
    pub says: Vec<(News, Trouble)>,
}

/// When nothing is told.
pub(super) trait Hours {
    /// The end of the quiet hours that a moment is in, where it is in some.
    fn quiet_until(&self, integration: &IntegrationId, at: Timestamp) -> Option<Timestamp>;
}

/// What comes within this time is one message.
pub(super) type Fold = SignedDuration;

impl Kept {
    /// When something may be told about an integration; `now` where nothing is in its way. None while a message about it
    /// waits that nobody has: what comes meanwhile is told with the next.
    fn may_be_told(
        &self,
        integration: &IntegrationId,
        fold: Fold,
        hours: &dyn Hours,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let waits = |letter: &Letter| letter.integration == *integration && letter.has.is_empty();
        if self.letters.iter().any(waits) {
            return None;
        }
        // A moment that is ahead was told by a clock that was set since.
        let last = self.last.get(integration).filter(|last| **last <= now);
        let folded = last.and_then(|last| last.checked_add(fold).ok());
        let at = folded.map_or(now, |at| at.max(now));
        Some(hours.quiet_until(integration, at).unwrap_or(at))
    }

    fn with_news(&self) -> BTreeMap<&IntegrationId, Vec<(News, &Trouble)>> {
        let mut by_integration: BTreeMap<&IntegrationId, Vec<_>> = BTreeMap::new();
        for trouble in &self.troubles {
            if let Some(news) = trouble.news() {
                let says = by_integration.entry(&trouble.integration).or_default();
                says.push((news, trouble));
            }
        }
        by_integration
    }

    /// What is told now: a message for each integration.
    pub(super) fn due(&self, fold: Fold, hours: &dyn Hours, now: Timestamp) -> Vec<Due> {
        let news = self.with_news().into_iter();
        let due = news.filter(|(integration, _)| {
            self.may_be_told(integration, fold, hours, now)
                .is_some_and(|at| at <= now)
        });
        due.map(|(integration, says)| {
            let mut says: Vec<(News, Trouble)> = says
                .into_iter()
                .map(|(news, one)| (news, one.clone()))
                .collect();
            says.sort_by_key(|(news, trouble)| (*news, trouble.kind, trouble.began));
            Due {
                integration: integration.clone(),
                says,
            }
        })
        .collect()
    }

    /// When something is due next, of what is known now.
    pub(super) fn next(&self, fold: Fold, hours: &dyn Hours, now: Timestamp) -> Option<Timestamp> {
        let news = self.with_news().into_keys();
        news.filter_map(|integration| self.may_be_told(integration, fold, hours, now))
            .min()
    }

    /// Notes that a message says all that is due of an integration.
    pub(super) fn write(&mut self, due: &Due, letter: Letter) {
        let said: BTreeMap<&Cause, News> = due
            .says
            .iter()
            .map(|(news, one)| (&one.cause, *news))
            .collect();
        self.troubles
            .retain_mut(|trouble| match said.get(&trouble.cause) {
                None => true,
                Some(News::New) => {
                    trouble.told = true;
                    true
                }
                // Whom the trouble was told to has heard of its end; it is as if it had never been.
                Some(News::Over | News::Passed) => false,
            });
        self.last.insert(due.integration.clone(), letter.made);
        self.letters.push(letter);
    }

    /// Forgets when a message was written where it does not matter any more.
    pub(super) fn forget(&mut self, fold: Fold, now: Timestamp) {
        self.last.retain(|_, last| {
            let until = last.checked_add(fold).unwrap_or(Timestamp::MAX);
            until > now && *last <= now
        });
    }
}
