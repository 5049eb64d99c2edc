//! Words of the model as people read them on a page: which matter, and what they mean. The words themselves are the model's.

/// How much a word of a state matters, as a class of the style sheet. The word stands there as well: no colour says anything
/// alone.
pub(super) fn tone(word: &str) -> &'static str {
    match word {
        "ok" | "committed" | "unchanged" | "confirmed" | "current" | "created" | "linked" => "good",
        "held" | "waiting" | "stale" | "postponed" | "incomplete" | "warning" | "unknown"
        | "left_behind" | "paused" | "visit" | "flagged" | "high" | "interrupted" => "warn",
        "failing" | "broken" | "failed" | "not_understood" | "critical" | "parked" | "rejected"
        | "refused" => "bad",
        "syncing" | "running" | "queued" | "pending" | "sent" | "wanted" | "updated" | "open" => {
            "busy"
        }
        _ => "calm",
    }
}

/// What a word means, in a few words; the word itself where that is all.
pub(super) fn says(word: &str) -> String {
    let told = match word {
        // How an integration stands.
        "ok" => "well",
        "waiting" => "does not run yet",
        "held" => "waits for approval",
        "failing" => "the last run failed",
        "stale" => "nothing came in for too long",
        "broken" => "its files are not right",
        "off" => "switched off",
        "left_behind" => "its file is gone, its people are not",
        // How a run ended.
        "not_understood" => "records not understood",
        "committed" => "changes written",
        "unchanged" => "nothing to change",
        // What becomes of a grant.
        "create" => "open",
        "remove" => "take away",
        // Why.
        "opens" => "they are to have it now",
        "changes" => "they are to have another one",
        "over" => "every stay of theirs is over",
        "moved" => "they live elsewhere now",
        "files" => "the files say otherwise",
        "found" => "it is there, and nobody here knows of it",
        "twice" => "it is there twice",
        // What it waits for.
        "guard" => "approval: the guard holds it",
        "moment" => "its moment",
        "before" => "what comes before it",
        "target" => "the target",
        // Who may what.
        "schedule" => "by schedule",
        "start" => "at the start",
        "manual" => "asked for",
        other => return other.replace('_', " "),
    };
    told.to_owned()
}

/// A number with its thousands apart.
pub(super) fn number(of: u64) -> String {
    let digits = of.to_string();
    let mut told = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// So many of something: `1 page`, `2 pages`.
pub(super) fn many(of: u64, what: &str) -> String {
    let number = number(of);
    match (of, what) {
        (1, what) => format!("{number} {what}"),
        (_, "person") => format!("{number} people"),
        (_, "property") => format!("{number} properties"),
        (_, what) => format!("{number} {what}s"),
    }
}

/// A text that begins with a capital letter; the rest stays as it is.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.as_str().chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (of, told) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(number(of), told);
        }
    }

    #[test]
    fn texts_are_put_into_sentences() {
        assert_eq!(
            many(1, "page") + ", " + &many(2_000, "record"),
            "1 page, 2,000 records"
        );
        assert_eq!(sentence("correct it in the PMS"), "Correct it in the PMS");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn a_word_that_needs_no_explanation_is_told_as_it_is() {
        assert_eq!(says("unmapped_unit"), "unmapped unit");
        assert_eq!(tone("unmapped_unit"), "calm");
        assert_eq!(says("not_understood"), "records not understood");
    }
}
