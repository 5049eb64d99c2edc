//! Invented names, addresses and telephone numbers. No real person is meant, and nothing here
//! decides who lives where.

use fastrand::Rng;
use unicode_normalization::UnicodeNormalization;

const FIRST: &[&str] = &[
    "Ada", "Adrian", "Alina", "Amara", "Anders", "Anja", "Anselm", "Aoife", "Arlo", "Astrid",
    "Aurora", "Bastian", "Beatriz", "Benedict", "Bram", "Bryn", "Caleb", "Camila", "Carys",
    "Cassia", "Chidi", "Clara", "Clemens", "Cosima", "Dario", "Delphine", "Desmond", "Dilys",
    "Dmitri", "Edda", "Elias", "Elif", "Elowen", "Emeka", "Esme", "Ezra", "Fabian", "Farida",
    "Fern", "Flora", "Frida", "Gareth", "Gideon", "Greta", "Gwen", "Hana", "Harriet", "Hector",
    "Hugo", "Ida", "Imogen", "Ines", "Ivo", "Jasper", "Jonas", "Juno", "Kaito", "Kamala", "Keziah",
    "Kian", "Lars", "Leila", "Leopold", "Linnea", "Lorcan", "Lucia", "Mabel", "Magnus", "Maren",
    "Marisol", "Mateo", "Mei", "Milo", "Mira", "Nadia", "Nell", "Niko", "Noor", "Odette", "Olga",
    "Orla", "Oscar", "Otis", "Paloma", "Percy", "Petra", "Quentin", "Rafael", "Ravi", "Rhea",
    "Rowan", "Rufus", "Sabine", "Salma", "Silas", "Signe", "Suki", "Tamsin", "Teodor", "Thea",
    "Tobias", "Uma", "Una", "Viggo", "Wanda", "Wren", "Xenia", "Yara", "Yusuf", "Zadie", "Zora",
];

const RARE_FIRST: &[&str] = &[
    "José",
    "Zoë",
    "Chloé",
    "Björn",
    "Łucja",
    "Nuño",
    "Søren",
    "Anaïs",
    "Mary Ann",
    "Jean-Luc",
    "Juan Carlos",
    "D'Arcy",
    "Ana Sofía",
    "Jürgen",
    "Siân",
    "Nguyệt",
];

const HEAD: &[&str] = &[
    "Ash", "Bel", "Birch", "Brack", "Bram", "Brier", "Carn", "Clay", "Cor", "Cran", "Dun", "Elder",
    "Fal", "Farn", "Fen", "Glen", "Gren", "Hal", "Haw", "Heath", "Hol", "Kel", "Lang", "Lark",
    "Lin", "Mar", "Mel", "Mill", "Nor", "Oak", "Pem", "Quill", "Rad", "Raven", "Red", "Sel",
    "Shel", "Stan", "Thorn", "Wake", "Wells", "Whit", "Wil", "Win",
];

const TAIL: &[&str] = &[
    "bourne", "bridge", "brook", "bury", "by", "combe", "cott", "croft", "dale", "den", "field",
    "ford", "gate", "ham", "holm", "hurst", "ley", "low", "mere", "moor", "ridge", "shaw", "stead",
    "ton", "ward", "well", "wick", "wood", "worth",
];

const RARE_LAST: &[&str] = &[
    "O'Dunmore",
    "Núñez",
    "Castañeda",
    "D'Albrecht",
    "van der Holm",
    "de la Fuente",
    "Müllerby",
    "Šimková",
    "Øverlid",
    "Nwankwo-Reyes",
    "Le Guern",
    "St. Clairmont",
    "Żelazny",
    "M'Bala",
    "Ferreira-O'Shea",
    "Da Silvaro",
];

const COMPANIES: &[&str] = &[
    "Alderway Staffing LLC",
    "Finch & Marrow, Inc.",
    "Bluewren Travel Nurses",
    "Corbel \"Stay\" Housing Co.",
    "Harrow <Short Term> Lets",
];

/// First and last name; about one in twelve has an accent, an apostrophe, a hyphen or a blank.
pub(super) fn person(rng: &mut Rng) -> (String, String) {
    let first = if rng.u8(..12) == 0 {
        pick(rng, RARE_FIRST)
    } else {
        pick(rng, FIRST)
    };
    (first.to_owned(), last(rng))
}

/// A last name.
pub(super) fn last(rng: &mut Rng) -> String {
    match rng.u8(..30) {
        0 | 1 => pick(rng, RARE_LAST).to_owned(),
        2 => format!("{}-{}", surname(rng), surname(rng)),
        _ => surname(rng),
    }
}

fn surname(rng: &mut Rng) -> String {
    format!("{}{}", pick(rng, HEAD), pick(rng, TAIL))
}

/// A name with everything in it that plain names lack.
pub(super) fn accented(rng: &mut Rng) -> (String, String) {
    (
        pick(rng, RARE_FIRST).to_owned(),
        format!("{}-{}", pick(rng, RARE_LAST), surname(rng)),
    )
}

/// A company name.
pub(super) fn company(rng: &mut Rng) -> String {
    pick(rng, COMPANIES).to_owned()
}

/// An address nobody else in the world has, as `number` is the person's own.
pub(super) fn email(rng: &mut Rng, first: &str, last: &str, number: u32) -> String {
    let plain = |text: &str| -> String {
        text.nfd()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase()
    };
    let domain = pick(rng, &["example.com", "example.org", "example.net"]);
    format!("{}.{}{number}@{domain}", plain(first), plain(last))
}

/// A number of the range kept for fiction, in one of the notations people type.
pub(super) fn phone(rng: &mut Rng) -> String {
    let area = pick(
        rng,
        &[
            "206", "214", "312", "415", "503", "612", "717", "808", "904", "972",
        ],
    );
    let line = rng.u8(..100);
    match rng.u8(..6) {
        0 => format!("({area}) 555-01{line:02}"),
        1 => format!("{area}55501{line:02}"),
        2 => format!("{area}-555-01{line:02}"),
        3 => format!("{area}.555.01{line:02}"),
        4 => format!("+1 {area} 555 01{line:02}"),
        _ => format!("1-{area}-555-01{line:02}"),
    }
}

/// Something in the telephone field that cannot be called.
pub(super) fn no_phone(rng: &mut Rng) -> String {
    pick(rng, &["call office", "000-000-0000", "555-01", "n/a"]).to_owned()
}

const NO_EMAIL: [&str; 4] = [
    "none@none.com",
    "none@none.com",
    "noemail@noemail.com",
    "na@na.com",
];

/// An address that stands for "none".
pub(super) fn no_email(rng: &mut Rng) -> String {
    pick(rng, &NO_EMAIL).to_owned()
}

/// Whether an address came from [`no_email`], so that a PMS can show its own instead.
pub(super) fn is_no_email(address: &str) -> bool {
    NO_EMAIL.contains(&address)
}

/// One of `options`, which is never empty here.
pub(super) fn pick<T: Copy>(rng: &mut Rng, options: &[T]) -> T {
    options[rng.usize(..options.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_ascii_whatever_the_name() {
        let mut rng = Rng::with_seed(1);
        let address = email(&mut rng, "Ana Sofía", "Ferreira-O'Shea", 7);
        assert!(
            address.starts_with("anasofia.ferreiraoshea7@example."),
            "{address}"
        );
    }

    #[test]
    fn a_phone_lies_in_the_range_kept_for_fiction() {
        let mut rng = Rng::with_seed(2);
        for _ in 0..200 {
            let digits: String = phone(&mut rng)
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            assert_eq!(
                &digits[digits.len() - 7..digits.len() - 2],
                "55501",
                "{digits}"
            );
        }
    }
}
