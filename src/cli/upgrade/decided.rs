//! What an upgrade does about a file that comes with epms: decided from what was shipped when the home was made or upgraded
//! last, what is shipped now, and what the home has. Pure.

/// A file as it stands in one of the three places; none where it is not there.
pub(super) type Text<'a> = Option<&'a [u8]>;

/// What is to be done about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing: the home has it as it is shipped now.
    Same,
    /// Nothing: only the home's differs, and what is shipped did not change.
    Own,
    /// It was not touched, or is new: what is shipped now comes into the home.
    Take,
    /// It was not touched, and is not shipped any more. Something may still use it.
    Dropped,
    /// The home changed it, and it is not shipped any more: nobody but the home looks after it.
    Orphaned,
    /// Both changed: somebody has to look.
    Ask,
}

/// What to do about a file. `then` is what was shipped, which is not known of homes that an earlier version made.
pub(super) fn decide(then: Text<'_>, now: Text<'_>, home: Text<'_>) -> Decision {
    match (then, now, home) {
        (_, now, home) if now == home => Decision::Same,
        (Some(then), Some(now), _) if then == now => Decision::Own,
        (None, Some(_), None) => Decision::Take,
        (Some(then), None, Some(home)) if then == home => Decision::Dropped,
        (Some(_), None, Some(_)) => Decision::Orphaned,
        // What is not shipped and was removed, or never was, is the home's own.
        (_, None, _) => Decision::Own,
        (Some(then), Some(_), Some(home)) if then == home => Decision::Take,
        _ => Decision::Ask,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_not_touched_is_taken_and_the_rest_is_asked() {
        let of = |then: &str, now: &str, home: &str| {
            let text = |text: &'static str| (!text.is_empty()).then_some(text.as_bytes());
            let [then, now, home] = [then, now, home].map(|name| match name {
                "a" => text("a"),
                "b" => text("b"),
                "c" => text("c"),
                _ => None,
            });
            decide(then, now, home)
        };
        for (then, now, home, decision) in [
            ("a", "a", "a", Decision::Same),
            ("a", "b", "b", Decision::Same),
            ("", "a", "a", Decision::Same),
            ("a", "a", "c", Decision::Own),
            ("a", "a", "", Decision::Own),
            ("a", "b", "a", Decision::Take),
            ("", "b", "", Decision::Take),
            ("a", "", "a", Decision::Dropped),
            ("a", "", "c", Decision::Orphaned),
            ("", "", "c", Decision::Own),
            ("a", "b", "c", Decision::Ask),
            ("a", "b", "", Decision::Ask),
            ("", "b", "c", Decision::Ask),
        ] {
            assert_eq!(of(then, now, home), decision, "{then} {now} {home}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_somebody_wrote_is_taken_unasked(then: Option<u8>, now: Option<u8>, home: Option<u8>) {
            let [then, now, home] = [then, now, home].map(|one| one.map(|one| vec![one % 3]));
            let [then, now, home] = [&then, &now, &home].map(|one| one.as_deref());
            if decide(then, now, home) == Decision::Take {
                prop_assert!(home == then && now.is_some() && now != home);
            }
        }
    }
}
