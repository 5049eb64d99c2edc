//! The rules by which it is decided who comes in, who changes and who leaves: a sentence for each, in one place. What a
//! rule does is elsewhere.

/// The rules, and what keeps somebody from all of them.
pub const RULES: [(&str, &str); 52] = [
    ("R1", "a PMS is only read; nothing is ever written there"),
    (
        "R2",
        "each integration that is switched on syncs once an hour at least, and each at its own moment",
    ),
    (
        "R3",
        "a sync can be asked for at any time; one that is asked for during a run joins the next",
    ),
    (
        "R4",
        "when each integration began, succeeded and failed last can be seen",
    ),
    (
        "R5",
        "only the PMS properties that a file names are looked at",
    ),
    (
        "R6",
        "a status on the exclude list, or a script's exclusion, leaves the resident out",
    ),
    (
        "R7",
        "a new person comes in only with the status pending or current",
    ),
    (
        "R8",
        "a linked person who is excluded now stays, and is not updated; one who is past is closed",
    ),
    (
        "R9",
        "files may change at any time; a run that has begun ends with those that it began with",
    ),
    (
        "R10",
        "names are compared without case, emails in lower case; what is empty is absent",
    ),
    (
        "R11",
        "a phone that is none is left out, and an email that stands for none counts as absent",
    ),
    (
        "R12",
        "a date that cannot be costs that date, of which what is known stays; what cannot be mapped is left out",
    ),
    ("R13", "the same email and name is the same person: linked"),
    (
        "R13a",
        "an email is a whole address that can receive something, or it is absent",
    ),
    (
        "R13b",
        "who lives at two properties is called by the one that linked them first; the other writes its own stay only",
    ),
    (
        "R14",
        "the same email under another name is for somebody to decide",
    ),
    (
        "R15",
        "the same name at the property under another email is for somebody to decide",
    ),
    (
        "R16",
        "residents with the same email are not taken in until the PMS is corrected",
    ),
    (
        "R17",
        "a resident whom nobody fits becomes a person; one without an email does not",
    ),
    (
        "R18",
        "every changed field of the nine is written, but for locked ones",
    ),
    (
        "R19",
        "an email that changed in the PMS waits for somebody; what takes access away does not",
    ),
    (
        "R20",
        "an email that went away in the PMS stays here; one that was no address there is removed at the upgrade",
    ),
    (
        "R21",
        "of several leases the current one counts, then the pending, then the latest",
    ),
    (
        "R21a",
        "a record with another first and last name and not the same email is somebody else's: nothing of it is written",
    ),
    (
        "R22",
        "a new PMS id with the same email and name is the same person",
    ),
    ("R23", "who is deleted in the PMS stays here"),
    (
        "R24",
        "a lease that is over ends access by its end or the move-out; the person stays",
    ),
    ("R25", "absence proves nothing"),
    (
        "R26",
        "a run writes all of its changes or none, and none where the PMS was not read to its end",
    ),
    (
        "R27",
        "a run that takes away from too many at once waits for approval",
    ),
    (
        "R28",
        "a PMS that fails is asked ever more rarely, and one that refuses a login is not asked with it again",
    ),
    (
        "R29",
        "alerts are listed by kind, those that need somebody most first",
    ),
    (
        "R30",
        "there is one alert for each cause, and it closes by itself when the cause is gone",
    ),
    ("R31", "somebody resolved it by hand"),
    ("R32", "an alert shows both sides, field by field"),
    ("R33", "units come in with people"),
    (
        "R34",
        "a unit of the PMS goes by its id there, and is mapped to a unit here once",
    ),
    (
        "R35",
        "a unit that is not on the list costs its people their unit, until somebody maps it",
    ),
    (
        "R36",
        "who lives where has changes of its own in the log, as others act on an empty unit",
    ),
    (
        "R37",
        "what opens and what changes at doors may wait for an approval; what is taken away after a move-out does not",
    ),
    (
        "R38",
        "somebody current has access, after a unit change to the new one before the old is taken away; somebody past has none",
    ),
    (
        "R39",
        "the status decides on access, not the calendar, and neither notice nor eviction takes it away",
    ),
    (
        "R40",
        "access is delivered until the target has what people should have, whatever fails between",
    ),
    (
        "R41",
        "a run that cannot map too many of the records writes nothing, and waits",
    ),
    (
        "R42",
        "an answer of a PMS of which something may be missing is not taken for all of it",
    ),
    ("R43", "a run that waits for its PMS keeps no other waiting"),
    (
        "R44",
        "a refusal counts for what was refused and for nothing wider",
    ),
    ("R45", "a clock that is set makes nothing due, late or old"),
    (
        "R46",
        "an integration that gets another name keeps its people, and one that is given up houses nobody",
    ),
    (
        "R47",
        "the store knows itself: no number is given twice, and an earlier copy is not taken for it",
    ),
    (
        "erased",
        "somebody erased this person: nothing of them is taken in",
    ),
    ("pin", "somebody keeps this person from every run"),
];

/// What a rule says, in a sentence; empty for one that has none.
pub fn rule_text(rule: &str) -> &'static str {
    let known = RULES.iter().find(|(name, _)| *name == rule);
    known.map_or("", |(_, says)| says)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The rules that stand as texts in the sources below `folder`.
    fn named(folder: &Path, rules: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, rules);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let quoted = text.split('"').skip(1).step_by(2);
            rules.extend(quoted.filter(|text| is_rule(text)).map(String::from));
        }
    }

    fn is_rule(text: &str) -> bool {
        let number = text.strip_prefix('R').unwrap_or_default();
        let number = number.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit())
    }

    #[test]
    fn each_rule_stands_there_once_in_order_and_in_one_short_sentence() {
        let number = |name: &str| {
            let digits = name.trim_start_matches('R');
            let digits = digits.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
            digits.parse::<u32>().unwrap()
        };
        let names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
        let (rules, last) = names.split_at(names.len() - 2);
        assert_eq!(last, ["erased", "pin"]);
        assert!(
            rules.is_sorted_by_key(|name| (number(name), name.len())),
            "{rules:?}"
        );
        let numbers: BTreeSet<u32> = rules.iter().map(|name| number(name)).collect();
        assert!(numbers.into_iter().eq(1..=47));
        let once: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(once.len(), names.len());
        for (name, says) in RULES {
            assert!(says.len() < 130 && !says.ends_with('.'), "{name}: {says}");
        }
    }

    /// Also those that comments, texts and names of tests call by their numbers.
    #[test]
    fn every_rule_that_the_sources_name_is_among_them() {
        fn look(folder: &Path, unknown: &mut BTreeSet<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    look(&path, unknown);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
                    let rules = words.filter(|word| is_rule(word) && rule_text(word).is_empty());
                    unknown.extend(rules.map(|rule| format!("{rule} in {}", path.display())));
                }
            }
        }
        let mut unknown = BTreeSet::new();
        look(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut unknown,
        );
        assert_eq!(unknown, BTreeSet::new());
    }

    #[test]
    fn every_rule_that_a_decision_names_has_a_sentence() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut rules = BTreeSet::from(["R13b", "R24"].map(String::from));
        named(&sources.join("rules"), &mut rules);
        named(&sources.join("acts"), &mut rules);
        assert!(rules.len() > 15, "{rules:?}");
        for rule in rules {
            assert_ne!(rule_text(&rule), "", "{rule}");
        }
    }
}
