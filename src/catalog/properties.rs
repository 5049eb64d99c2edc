//! A PMS property feeds one integration: which one, where several files name it, and whose people go along when it
//! stands in another file than before (R46). Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Attachment, Feeds, Holding, IntegrationId, Move};

/// What lies on disk under the name of an integration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum OnDisk {
    /// Nothing.
    #[default]
    Gone,
    /// A file that is not right.
    Unreadable,
    /// A file that is right: what it reads, and the name of its credential.
    Right(Feeds, String),
}

/// What is known of an integration when files are loaded.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    /// What lies on disk.
    pub(super) disk: OnDisk,
    /// What runs reads, and the name of its credential; none where nothing does.
    pub(super) running: Option<(Feeds, String)>,
    /// What the store knows of it.
    pub(super) holding: Holding,
}

/// Why a file is turned down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// Another integration, whose file is there, has it.
    Taken {
        /// Which one.
        by: IntegrationId,
        /// Whether people of that PMS property are linked there, or may be.
        with_people: bool,
    },
    /// Its people are those of an integration whose file does not name it any more, and more than one file does.
    Several {
        /// Whose people they are.
        of: IntegrationId,
        /// The other files.
        rivals: Vec<IntegrationId>,
    },
    /// Its people went there, and were given back by hand.
    GivenBack {
        /// To whom.
        to: IntegrationId,
    },
}

/// A file that is turned down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Whose.
    pub(super) id: IntegrationId,
    /// The PMS property.
    pub(super) property: String,
    /// Why.
    pub(super) why: Why,
}

/// What may run, and who goes where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settled {
    /// Files that do not come into effect.
    pub(super) refused: Vec<Refusal>,
    /// Integrations that do not go on with what ran before either.
    pub(super) stopped: BTreeSet<IntegrationId>,
    /// Whose people go along with a file.
    pub(super) moves: Vec<Move>,
}

/// Turns files down until every PMS property feeds one integration. Whoever is turned down goes on with what ran
/// before, unless that is another's now; what goes on may in turn keep others from what they claim.
pub(super) fn settle(claims: &BTreeMap<IntegrationId, Claim>) -> Settled {
    let mut table = Table::of(claims);
    let mut settled = Settled::default();
    loop {
        let refused = table.refusals();
        if refused.is_empty() {
            break;
        }
        let losers: BTreeSet<IntegrationId> = refused.iter().map(|one| one.id.clone()).collect();
        for id in losers {
            if table.turned_down.insert(id.clone()) {
                continue;
            }
            settled.stopped.insert(id.clone());
            table.stopped.insert(id);
        }
        // Whoever is stopped has been told why.
        let told = |one: &Refusal| !settled.refused.contains(one);
        let new: Vec<Refusal> = refused.into_iter().filter(told).collect();
        settled.refused.extend(new);
    }
    settled.moves = table.moves();
    settled
}

/// A PMS property of an account.
type Key<'a> = (&'a str, &'a str);

/// How good a claim is; the least is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    /// Its people are linked to it.
    People,
    /// It reads it already.
    Runs,
    /// Somebody is linked to it, and nobody knows from where: an earlier version did not remember that.
    Linked,
    /// It stands in its file.
    File,
}

struct Table<'a> {
    claims: &'a BTreeMap<IntegrationId, Claim>,
    /// Those whose file does not come into effect.
    turned_down: BTreeSet<IntegrationId>,
    /// Those who do not run at all.
    stopped: BTreeSet<IntegrationId>,
}

impl<'a> Table<'a> {
    fn of(claims: &'a BTreeMap<IntegrationId, Claim>) -> Table<'a> {
        Table {
            claims,
            turned_down: BTreeSet::new(),
            stopped: BTreeSet::new(),
        }
    }

    /// What will run.
    fn next(&self, id: &IntegrationId) -> Option<(&'a Feeds, &'a str)> {
        if self.stopped.contains(id) {
            return None;
        }
        let claim = self.claims.get(id)?;
        match &claim.disk {
            OnDisk::Right(feeds, credential) if !self.turned_down.contains(id) => {
                Some((feeds, credential.as_str()))
            }
            _ => claim
                .running
                .as_ref()
                .map(|(feeds, credential)| (feeds, credential.as_str())),
        }
    }

    /// Those that will run and read a PMS property, whatever account of it they mean.
    fn readers(&self, key: Key<'a>) -> impl Iterator<Item = (&'a IntegrationId, &'a Feeds)> {
        let all = self.claims.keys();
        let next = all.filter_map(|id| Some((id, self.next(id)?.0)));
        next.filter(move |(_, feeds)| reads(feeds, key))
    }

    fn right(&self, id: &IntegrationId, key: Key<'_>) -> Right {
        let Some(claim) = self.claims.get(id) else {
            return Right::File;
        };
        let attachment = claim.holding.attachment.as_ref();
        if attachment.is_some_and(|one| one.holds(key.0, key.1)) {
            return Right::People;
        }
        if claim
            .running
            .as_ref()
            .is_some_and(|(feeds, _)| reads(feeds, key))
        {
            return Right::Runs;
        }
        if attachment.is_none() && claim.holding.linked > 0 {
            return Right::Linked;
        }
        Right::File
    }

    /// Those whose people of a PMS property are linked to them although nothing of theirs reads it any more.
    fn left_by(&self, key: Key<'_>) -> impl Iterator<Item = (&'a IntegrationId, &'a Attachment)> {
        let all = self.claims.iter();
        all.filter_map(move |(id, claim)| {
            let attachment = claim.holding.attachment.as_ref()?;
            let holds = attachment.holds(key.0, key.1);
            (holds && !self.names(id, key)).then_some((id, attachment))
        })
    }

    /// Whether what lies on disk, or what will run, names a PMS property. A file that nobody can read still does.
    fn names(&self, id: &IntegrationId, key: Key<'_>) -> bool {
        let Some(claim) = self.claims.get(id) else {
            return false;
        };
        let on_disk = match &claim.disk {
            OnDisk::Gone => false,
            OnDisk::Unreadable => claim.running.is_none(),
            OnDisk::Right(feeds, _) => reads(feeds, key),
        };
        on_disk || self.next(id).is_some_and(|(feeds, _)| reads(feeds, key))
    }

    /// Those that do not run, and whose people and file say that a PMS property is theirs all the same.
    fn keepers(
        &self,
        key: Key<'a>,
        alike: impl Fn(&Feeds) -> bool,
    ) -> impl Iterator<Item = &'a IntegrationId> {
        let all = self.claims.iter();
        let kept = all.filter(move |(id, claim)| {
            let is_alike = match &claim.disk {
                OnDisk::Gone => false,
                OnDisk::Unreadable => true,
                OnDisk::Right(theirs, _) => alike(theirs),
            };
            is_alike && self.right(id, key) == Right::People && self.names(id, key)
        });
        kept.map(|(id, _)| id)
    }

    /// The files that name a PMS property of which they have nobody yet, whether they come into effect or not.
    fn files(&self, key: Key<'_>) -> Vec<&'a IntegrationId> {
        let all = self.claims.iter();
        let named = all.filter(|(id, claim)| match &claim.disk {
            OnDisk::Right(feeds, _) => reads(feeds, key) && self.right(id, key) != Right::People,
            OnDisk::Gone | OnDisk::Unreadable => false,
        });
        named.map(|(id, _)| id).collect()
    }

    fn refusals(&self) -> Vec<Refusal> {
        let mut found = Vec::new();
        for id in self.claims.keys() {
            let Some((feeds, credential)) = self.next(id) else {
                continue;
            };
            for property in &feeds.properties {
                let why = self.objection(id, feeds, credential, (&feeds.account, property));
                found.extend(why.map(|why| Refusal {
                    id: id.clone(),
                    property: property.clone(),
                    why,
                }));
            }
        }
        found
    }

    /// What speaks against an integration's reading a PMS property.
    fn objection(
        &self,
        id: &IntegrationId,
        feeds: &'a Feeds,
        credential: &str,
        key: Key<'a>,
    ) -> Option<Why> {
        let right = self.right(id, key);
        // Two credentials may look alike and be of two accounts: then their secrets lie in different places.
        let alike = |theirs: &Feeds| theirs.secrets == feeds.secrets;
        let readers = self.readers(key).filter(|(_, theirs)| alike(theirs));
        let keepers = self.keepers(key, alike).filter(|_| right != Right::People);
        let others = readers.map(|(other, _)| other).chain(keepers);
        let others = others.filter(|other| *other != id);
        let best = others.map(|other| (self.right(other, key), other)).min();
        if right != Right::People && best.is_none_or(|(right, _)| right != Right::People) {
            let left: Vec<_> = self.left_by(key).collect();
            if let Some((of, _)) = left.iter().find(|(_, one)| one.apart.contains(id)) {
                return Some(Why::GivenBack { to: (*of).clone() });
            }
            let files = self.files(key);
            if let Some((of, _)) = left.first()
                && right != Right::Runs
                && files.len() > 1
            {
                let rivals = files.into_iter().filter(|one| *one != id).cloned();
                return Some(Why::Several {
                    of: (*of).clone(),
                    rivals: rivals.collect(),
                });
            }
        }
        let (theirs, by) = best?;
        if (right, id) < (theirs, by) {
            return None;
        }
        // An earlier version let both run, because their credentials have different names, or as they write the property
        // otherwise.
        let let_both_run = self.next(by).is_some_and(|(feeds, theirs)| {
            theirs != credential || !feeds.properties.contains(key.1)
        });
        if right == theirs && right != Right::File && let_both_run {
            return None;
        }
        Some(Why::Taken {
            by: by.clone(),
            with_people: matches!(theirs, Right::People | Right::Linked),
        })
    }

    /// Whose people go where: those of a PMS property that an integration does not name any more, to the one that
    /// reads it now.
    fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        for (from, claim) in self.claims {
            let Some(attachment) = &claim.holding.attachment else {
                continue;
            };
            let mut going: BTreeMap<&IntegrationId, BTreeSet<String>> = BTreeMap::new();
            for property in &attachment.properties {
                let key = (attachment.account.as_str(), property.as_str());
                if !attachment.holds(key.0, key.1) || self.names(from, key) {
                    continue;
                }
                // Who has people of it has it as another account's.
                let new = |id: &&IntegrationId| self.right(id, key) != Right::People;
                let mut readers = self.readers(key).map(|(id, _)| id).filter(new);
                if let (Some(to), None) = (readers.next(), readers.next())
                    && !attachment.apart.contains(to)
                {
                    going.entry(to).or_default().insert(property.clone());
                }
            }
            for (to, properties) in going {
                let all = properties == attachment.properties;
                moves.push(Move {
                    from: from.clone(),
                    to: to.clone(),
                    properties: (!all).then_some(properties),
                    renamed: all && claim.disk == OnDisk::Gone,
                });
            }
        }
        moves
    }
}

fn reads(feeds: &Feeds, key: Key<'_>) -> bool {
    feeds.account == key.0 && feeds.names(key.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(property: &str, holds: Option<&str>) -> Claim {
        let feeds = Feeds {
            account: "acme".into(),
            secrets: "here".into(),
            properties: BTreeSet::from([property.to_owned()]),
        };
        let attachment = holds.map(|holds| Attachment {
            account: "acme".into(),
            properties: BTreeSet::from([holds.to_owned()]),
            ..Attachment::default()
        });
        Claim {
            disk: OnDisk::Right(feeds, "acme".into()),
            running: None,
            holding: Holding {
                linked: u64::from(holds.is_some()),
                attachment,
            },
        }
    }

    fn settled(ash: Claim, elm: Claim) -> Settled {
        let claims = [("ash", ash), ("elm", elm)];
        let claims = claims.map(|(id, claim)| (IntegrationId::new(id), claim));
        settle(&claims.into())
    }

    #[test]
    fn r46_a_property_feeds_one_integration_in_whatever_case_it_is_written() {
        let new = settled(claim("oak", None), claim(" OAK", None));
        assert_eq!(new.refused.len(), 1, "{new:?}");
        assert_eq!(new.refused[0].id, IntegrationId::new("elm"));
        // It stays with the people that it has, and they do not go for it.
        let linked = settled(claim("OAK", None), claim("oak", Some("oak")));
        assert_eq!(linked.refused[0].id, IntegrationId::new("ash"));
        let rewritten = settled(claim("ash", None), claim("OAK", Some("oak")));
        assert_eq!(rewritten, Settled::default());
        // What an earlier version let run goes on.
        let both = settled(claim("oak", Some("oak")), claim("OAK", Some("OAK")));
        assert_eq!(both, Settled::default());
    }
}
