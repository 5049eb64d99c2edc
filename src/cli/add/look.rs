//! What the PMS or the target has, shown before it is asked for, and looked at once. One that is out of reach keeps nobody
//! from going on.

use crate::config::Credential;
use crate::setup::{Draft, asking};

/// More lines than this are no help.
const SHOWN: usize = 200;

/// What an account showed: as text, and by id and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) told: String,
    known: Vec<(String, String)>,
}

/// What accounts showed so far.
#[derive(Default)]
pub(super) struct Seen(Vec<(Credential, Vec<String>, Listing)>);

impl Listing {
    /// Lines of what there is, or that there is nothing.
    pub(super) fn new(
        known: Vec<(String, String)>,
        line: impl Fn(&(String, String)) -> String,
        none: &str,
    ) -> Listing {
        Listing {
            told: listed(known.iter().map(line).collect(), none),
            known,
        }
    }

    /// That there is nothing to be seen now, and why.
    pub(super) fn unseen(why: &str) -> Listing {
        Listing {
            told: format!("  it cannot be seen now: {why}"),
            known: Vec::new(),
        }
    }

    /// What there is, by id and name.
    pub(super) fn known(&self) -> Vec<(&str, &str)> {
        let known = self.known.iter();
        known
            .map(|(id, name)| (id.as_str(), name.as_str()))
            .collect()
    }

    /// What the only one of these is called, where it was seen.
    pub(super) fn name_of(&self, ids: &[String]) -> Option<String> {
        let [id] = ids else { return None };
        let (_, name) = self.known.iter().find(|(known, _)| known == id)?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }
}

impl Seen {
    /// What the account showed of this before.
    pub(super) fn of(&self, credential: &Credential, what: &[String]) -> Option<Listing> {
        let mut all = self.0.iter();
        all.find(|(of, known, _)| of == credential && known == what)
            .map(|(_, _, listing)| listing.clone())
    }

    /// Keeps what the account showed.
    pub(super) fn keep(&mut self, credential: &Credential, what: &[String], listing: &Listing) {
        self.0
            .push((credential.clone(), what.to_vec(), listing.clone()));
    }
}

/// The PMS's properties, or why they cannot be seen.
pub(super) async fn properties(draft: Draft<'_>, seen: &mut Seen) -> Listing {
    if let Some(listing) = seen.of(draft.credential, &[]) {
        return listing;
    }
    let asked = draft.ask(&[], async |asking, reader| {
        let listed = asking::properties(asking, reader).await;
        listed.map_err(|unlisted| unlisted.told)
    });
    let listing = match asked.await {
        Ok(found) => Listing::new(
            found.into_iter().map(|one| (one.id, one.name)).collect(),
            |(id, name)| format!("  {id}  {name}"),
            "the PMS lists no properties; it knows their ids",
        ),
        Err(told) => Listing {
            told: format!("  they cannot be seen now: {told}"),
            ..Listing::default()
        },
    };
    seen.keep(draft.credential, &[], &listing);
    listing
}

/// The statuses of the residents of these properties, or why they cannot be seen.
pub(super) async fn statuses(draft: Draft<'_>, properties: &[String], seen: &mut Seen) -> Listing {
    if let Some(listing) = seen.of(draft.credential, properties) {
        return listing;
    }
    let asked = draft.ask(properties, async |asking, reader| {
        asking::shown(asking, reader).await
    });
    let listing = match asked.await {
        Ok(shown) => {
            let lines = shown.statuses.iter().map(|one| {
                let (word, status) = (&one.word, one.status.as_str());
                format!("  {word}: {} ({status})", one.residents)
            });
            let none = "there are no residents in these properties";
            Listing {
                told: listed(lines.collect(), none),
                known: shown
                    .statuses
                    .into_iter()
                    .map(|one| (one.word, String::new()))
                    .collect(),
            }
        }
        Err(told) => Listing {
            told: format!("  they cannot be seen now: {told}"),
            ..Listing::default()
        },
    };
    seen.keep(draft.credential, properties, &listing);
    listing
}

/// Lines of what there is, or that there is nothing.
fn listed(mut lines: Vec<String>, none: &str) -> String {
    if lines.is_empty() {
        return format!("  {none}");
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}
