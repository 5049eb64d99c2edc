//! Names that are no person's: what people type where they know none, remarks, companies, and what stands for nobody. The
//! functions for them that scripts may call. Who is left out for it is the script's to say.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use rhai::{Dynamic, Engine, ImmutableString, Map};

use super::described::Described;
use super::helpers::as_text;

/// What stands where no name is known, in lower case.
const UNKNOWN: [&str; 14] = [
    "*", "**", "-", "--", ".", "?", "n/a", "no name", "noname", "tba", "tbd", "unknown", "xx",
    "xxx",
];

/// What a remark in a name stands between.
const BRACKETS: [(char, char); 3] = [('*', '*'), ('(', ')'), ('[', ']')];

/// What a company deals in: words that are no surnames.
const TRADES: [&str; 23] = [
    "associates",
    "construction",
    "department",
    "foundation",
    "group",
    "holdings",
    "hospital",
    "housing",
    "lets",
    "lettings",
    "lodgings",
    "logistics",
    "management",
    "ministries",
    "nurses",
    "partners",
    "properties",
    "relocation",
    "rentals",
    "services",
    "solutions",
    "staffing",
    "university",
];

/// Forms of companies that are nobody's name, without full stops.
const FORMS: [&str; 11] = [
    "corp",
    "corporation",
    "gmbh",
    "inc",
    "incorporated",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "pllc",
];

/// The same where a first name does not stand beside them: then they are no surnames either.
const FORMS_ALONE: [&str; 2] = ["co", "company"];

/// How the names of companies end in Mexico, without full stops and commas.
const SOCIEDADES: [&str; 4] = [" sa de cv", " sapi de cv", " s de rl", " s de rl de cv"];

pub(super) fn register(engine: &mut Engine) {
    Described(engine)
        .function(
            "stands_for_none",
            &["value", "bool"],
            "Whether a text is what people type where they know no name: TBD, TBA, n/a, Unknown, No Name, XXX, -, ., ?, *.
             stands_for_none(\" Tbd \") → true
             stands_for_none(\"Ana\") → false
             stands_for_none(()) → false",
            |value: Dynamic| stands_for_none(&value),
        )
        .function(
            "name_and_remark",
            &["value", "Map"],
            "A name, and the remark that stands in it between `*…*`, `(…)` or `[…]`, in lower case. Which remarks mean anything is the \
             script's to say: a nickname is one too.
             name_and_remark(\"*Moved Out* Elm\") → #{\"name\": \"Elm\", \"remark\": \"moved out\"}
             name_and_remark(\"Robert (Bob)\") → #{\"name\": \"Robert\", \"remark\": \"bob\"}
             name_and_remark(\"Elm\") → #{\"name\": \"Elm\", \"remark\": ()}",
            |value: Dynamic| name_and_remark(&value),
        )
        .function(
            "name_of_company",
            &["first_name", "last_name", "Dynamic"],
            "The whole name of a company that stands where a person's is expected, `()` for a person's. With one name alone it ends as \
             a company's, or says what the company deals in; one word is a surname. With both, more must be said than a surname \
             could: Co is one.
             name_of_company((), \"Bluewren Travel Nurses\") → \"Bluewren Travel Nurses\"
             name_of_company(\"Alder\", \"Staffing LLC\") → \"Alder Staffing LLC\"
             name_of_company(\"S.A. de C.V.\", \"Alderway\") → \"Alderway S.A. de C.V.\"
             name_of_company(\"Ana\", \"Co\") → ()",
            |first: Dynamic, last: Dynamic| {
                let name = name_of_company(as_text(&first), as_text(&last));
                name.map_or(Dynamic::UNIT, Dynamic::from)
            },
        )
        .function(
            "why_nobody",
            &["resident: Map", "Dynamic"],
            "Why a resident is left out who is nobody: `no name`, or `placeholder` for a name that stands for nobody who lives anywhere. \
             That is what an office books under a resident's name, a model unit that is leased to its own property, a bed that is let \
             before anybody knows to whom, and several words that are the first and the last name. `()` for everybody else.
             why_nobody(#{ first_name: \"Online application\", last_name: \"Late fees\" }) → \"placeholder\"
             why_nobody(#{ first_name: \"Resident\", last_name: \"Resident 7\" }) → \"placeholder\"
             why_nobody(#{ first_name: (), last_name: () }) → \"no name\"
             why_nobody(#{ first_name: \"Ana\", last_name: \"Model\" }) → ()",
            |resident: &mut Map| match why_nobody(resident) {
                Some(why) => Dynamic::from(ImmutableString::from(why)),
                None => Dynamic::UNIT,
            },
        );
}

/// Whether a text is a word of plain small letters but for case.
fn is_word(text: &str, word: &str) -> bool {
    if text.is_ascii() {
        return text.eq_ignore_ascii_case(word);
    }
    text.chars().flat_map(char::to_lowercase).eq(word.chars())
}

/// Whether a text is a word of a list but for case and full stops.
fn is_among(text: &str, words: &[&str]) -> bool {
    let plain = if text.contains('.') {
        Cow::Owned(text.replace('.', ""))
    } else {
        Cow::Borrowed(text)
    };
    words.iter().any(|word| is_word(&plain, word))
}

/// Whether a text stands where no name is known.
fn stands_for_none(value: &Dynamic) -> bool {
    as_text(value).is_some_and(|name| UNKNOWN.iter().any(|unknown| is_word(&name, unknown)))
}

/// Trimmed, or `()` where nothing stays.
fn trimmed(text: &str) -> Dynamic {
    match text.trim() {
        "" => Dynamic::UNIT,
        text => text.into(),
    }
}

/// A name and the remark in it.
fn name_and_remark(value: &Dynamic) -> Map {
    let name = as_text(value);
    let split = |name: Dynamic, remark: Dynamic| {
        Map::from([("name".into(), name), ("remark".into(), remark)])
    };
    let Some(name) = name else {
        return split(Dynamic::UNIT, Dynamic::UNIT);
    };
    for (open, close) in BRACKETS {
        let Some((before, rest)) = name.split_once(open) else {
            continue;
        };
        if let Some((remark, behind)) = rest.split_once(close) {
            let name = trimmed(&format!("{before}{behind}"));
            return split(name, trimmed(&remark.to_lowercase()));
        }
    }
    split(name.into(), Dynamic::UNIT)
}

/// The name of a company in the place of a person's.
fn name_of_company(
    first: Option<ImmutableString>,
    last: Option<ImmutableString>,
) -> Option<ImmutableString> {
    let (first, last) = match (first, last) {
        (Some(first), Some(last)) => (first, last),
        (one, other) => {
            let only = one.or(other)?;
            return (is_company(&only) || is_sociedad(&[&only])).then_some(only);
        }
    };
    // A university rents beds by the dozen, and numbers them in its own name.
    if is_university(&first) || is_university(&last) {
        return Some(format!("{first} {last}").into());
    }
    let ends = last.rsplit(' ').next().unwrap_or_default();
    if is_among(&first, &FORMS) || is_sociedad(&[&last, " ", &first]) {
        Some(format!("{last} {first}").into())
    } else if is_among(ends, &FORMS) || is_sociedad(&[&first, " ", &last]) {
        Some(format!("{first} {last}").into())
    } else {
        None
    }
}

/// Whether a name of several words ends like a company's, or says what the company deals in.
fn is_company(name: &str) -> bool {
    let Some((words, last)) = name.rsplit_once(' ') else {
        return false;
    };
    let is_trade = |word: &str| TRADES.iter().any(|trade| is_word(word, trade));
    words.split(' ').any(is_trade)
        || is_among(last, &TRADES)
        || is_among(last, &FORMS)
        || is_among(last, &FORMS_ALONE)
}

/// Whether a name ends like a company's in Mexico, S.A. de C.V. and its like.
fn is_sociedad(name: &[&str]) -> bool {
    // All of them end so; most names do not.
    let mut ends = name.iter().rev().flat_map(|part| part.chars().rev());
    let ends = ends.find(|c| !matches!(c, '.' | ','));
    if !ends.is_some_and(|end| matches!(end, 'v' | 'V' | 'l' | 'L')) {
        return false;
    }
    let letters = name.iter().flat_map(|part| part.chars());
    let letters = letters.filter(|c| !matches!(c, '.' | ','));
    let plain: String = letters.flat_map(char::to_lowercase).collect();
    SOCIEDADES.iter().any(|form| plain.ends_with(form))
}

/// Whether a text begins with a word, of plain letters, in any case.
fn begins(text: &str, word: &str) -> bool {
    let begun = text.as_bytes().get(..word.len());
    begun.is_some_and(|begun| begun.eq_ignore_ascii_case(word.as_bytes()))
}

/// The same of its end.
fn ends(text: &str, word: &str) -> bool {
    let from = text.len().checked_sub(word.len());
    let end = from.and_then(|from| text.as_bytes().get(from..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a word stands anywhere in a text of plain letters, in any case.
fn holds(text: &str, word: &str) -> bool {
    let mut windows = text.as_bytes().windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// A pattern of ours, without regard to case.
#[allow(
    clippy::expect_used,
    reason = "they are written here, and a test compiles them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(&format!("(?i){text}")).expect("a pattern of ours")
}

// Letters beyond ASCII may be others' small or capital ones: only the pattern knows. Of other texts few may fit it, and it
// is asked of those alone.

fn is_university(name: &str) -> bool {
    static UNIVERSITY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\buniversity\b"));
    (!name.is_ascii() || holds(name, "university")) && UNIVERSITY.is_match(name)
}

/// A unit that is leased to its own property.
fn is_of_a_unit(whole: &str) -> bool {
    const BEGINS: [&str; 6] = ["model", "vacant", "down", "courtesy", "office", "guest"];
    static UNIT: LazyLock<Regex> = LazyLock::new(|| {
        let begins = BEGINS.join("|");
        pattern(&format!(r"^({begins}) (unit|apartment|apt|suite)\b"))
    });
    let may_be = !whole.is_ascii() || BEGINS.iter().any(|word| begins(whole, word));
    may_be && UNIT.is_match(whole)
}

/// A model unit, a numbered bed, or what an office books.
fn is_no_persons(name: &str) -> bool {
    const NUMBERED: [&str; 9] = [
        "resident",
        "student",
        "tenant",
        "occupant",
        "roommate",
        "guest",
        "bed",
        "placeholder",
        "place holder",
    ];
    const BOOKED: [&str; 5] = ["fees", "income", "deposits", "charges", "revenue"];
    static NO_PERSONS: LazyLock<Regex> = LazyLock::new(|| {
        let (numbered, booked) = (NUMBERED.join("|"), BOOKED.join("|"));
        pattern(&format!(
            r"^model (unit|home|#? ?\d{{1,4}}|[a-z])$|^({numbered}) *#? *\d+$| ({booked})$"
        ))
    });
    let may_be = !name.is_ascii()
        || begins(name, "model")
        || NUMBERED.iter().any(|word| begins(name, word))
        || BOOKED.iter().any(|word| ends(name, word));
    may_be && NO_PERSONS.is_match(name)
}

/// Why a resident is nobody.
fn why_nobody(resident: &Map) -> Option<&'static str> {
    let name = |field: &str| resident.get(field).filter(|value| !value.is_unit());
    let (first, last) = (name("first_name"), name("last_name"));
    let (given, family) = (first.and_then(as_text), last.and_then(as_text));
    if let (Some(given), Some(family)) = (&given, &family)
        && given.contains(' ')
        && unicase::eq(given.as_str(), family.as_str())
    {
        return Some("placeholder");
    }
    let both;
    let whole: &str = match (&given, &family) {
        (Some(given), Some(family)) => {
            both = format!("{given} {family}");
            &both
        }
        (one, other) => one.as_ref().or(other.as_ref()).map_or("", |one| one),
    };
    let is_placeholder = is_of_a_unit(whole)
        || [&given, &family]
            .into_iter()
            .flatten()
            .any(|name| is_no_persons(name));
    if is_placeholder {
        return Some("placeholder");
    }
    (first.is_none() && last.is_none()).then_some("no name")
}

#[cfg(test)]
mod tests;
