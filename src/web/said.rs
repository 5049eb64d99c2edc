//! What is said after an act, on the page that follows: one of a few sentences by its word in the address, so that nobody
//! makes the page say something else.

use serde::Serialize;

use crate::model::{ActId, RunId};

use super::fields::Fields;

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Said {
    /// The sentence.
    text: &'static str,
    /// The run that it is about.
    run: Option<RunId>,
    /// The act, which may be undone.
    act: Option<ActId>,
}

/// A word and its sentence.
const SENTENCES: &[(&str, &str)] = &[
    ("sync", "A sync was asked for."),
    (
        "syncs",
        "A sync of every integration that is switched on was asked for.",
    ),
    (
        "paused",
        "It is paused: nothing is synced until it resumes.",
    ),
    ("resumed", "It is resumed."),
    ("approved", "The plan is approved; a run carries it out."),
    (
        "rejected",
        "The plan is rejected: it waits, and nobody is told of it again.",
    ),
    ("resolved", "The alert is resolved."),
    (
        "dismissed",
        "The alert is dismissed until either side changes.",
    ),
    (
        "dismissed-all",
        "Those alerts are dismissed until either side changes.",
    ),
    ("commented", "Your comment stands below."),
    ("assigned", "It is assigned."),
    ("unassigned", "Nobody looks after it any more."),
    ("undone", "It is as it was before."),
    ("set", "It is written."),
    ("nothing", "Nothing was different: nothing is written."),
    ("ended", "The stay is ended."),
    ("linked", "The resident is linked to this person."),
    (
        "unlinked",
        "The resident is not linked to this person any more.",
    ),
    ("locked", "No sync writes those fields."),
    ("unlocked", "Syncs write those fields again."),
    ("pinned", "No sync writes to this person."),
    ("unpinned", "Syncs write to this person again."),
    ("added", "They are added."),
    ("renamed", "The people have gone to this integration."),
    (
        "retired",
        "It is retired: the stays of its people have ended.",
    ),
    ("given-back", "The last renaming or retirement is undone."),
    (
        "set-up",
        "It is set up: its files are written. Below stands what runs by them, or what is wrong with them.",
    ),
    (
        "set-ups",
        "They are set up: their files are written. Below stands what runs by them, or what is wrong with them.",
    ),
    (
        "settings",
        "Its file is written. Below stands the generation that has it, or what is wrong with it.",
    ),
    ("deliveries-approved", "What waited is let through."),
    ("retried", "What was parked is tried again."),
];

/// What the address says was done.
pub(super) fn said(query: &Fields) -> Option<Said> {
    let word = query.get("done")?;
    let (_, text) = SENTENCES.iter().find(|(of, _)| *of == word)?;
    let of = query.get("of").unwrap_or_default();
    Some(Said {
        text,
        run: of.parse().ok(),
        act: of.parse().ok(),
    })
}

/// The address of a page on which that is said.
pub(super) fn then(page: &str, word: &str, of: impl ToString) -> super::Next {
    debug_assert!(SENTENCES.iter().any(|(known, _)| *known == word), "{word}");
    let of = of.to_string();
    let joined = if page.contains('?') { '&' } else { '?' };
    let of = if of.is_empty() {
        of
    } else {
        format!("&of={of}")
    };
    super::Next(format!("{page}{joined}done={word}{of}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_here_is_said() {
        let of = |query: &str| said(&Fields::read(query.as_bytes()));
        let told = of("done=sync&of=r12").unwrap();
        assert_eq!(
            (told.text, told.run, told.act),
            ("A sync was asked for.", Some(RunId(12)), None)
        );
        assert_eq!(of("done=pinned&of=x4").unwrap().act, Some(ActId(4)));
        assert_eq!(of("done=Call+0900+123"), None);
        assert_eq!(of("done=sync&of=%3Cb%3E").unwrap().run, None);
        assert_eq!(then("/", "sync", RunId(3)).0, "/?done=sync&of=r3");
        assert_eq!(then("/a?b=c", "set", "").0, "/a?b=c&done=set");
    }
}
