//! Values of a recording and what stands in their place: made up where they may be about somebody, themselves where
//! they say nothing but how things stand. Reads no answer and writes none.
//!
//! Everything is made up but: words that the script writes out (it compares with them), words of status, yes and no,
//! dates, numbers of up to three digits, texts of fields named as a status or a type, placeholders for emails, and what
//! the connector keeps. A word of the script stays no word of it where somebody bears it as a name. Letters become
//! letters, digits digits; what stands between them, capitals and accents stay; so do remarks such as `*Moved Out*` and
//! forms of companies such as LLC. Of a birthday only the year stays. Digits alone are a date only in a field that is
//! called like one.

mod dated;
mod maker;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Recorded;
use crate::source::Rewrite;

use dated::Dated;
use maker::{Kind, Maker, Token, runs, tokens};

/// What is known before anything is made up.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    /// Words that stay, in lower case.
    words: BTreeSet<String>,
    /// First and last names, in lower case.
    names: BTreeSet<String>,
    /// The words in them.
    name_words: BTreeSet<String>,
    rules: Option<&'a Recorded>,
    placeholders: &'a [String],
}

impl<'a> Known<'a> {
    pub(super) fn new(
        words: impl IntoIterator<Item = String>,
        rules: &'a Recorded,
        placeholders: &'a [String],
    ) -> Known<'a> {
        let words = words.into_iter().map(|word| word.trim().to_lowercase());
        Known {
            words: words.filter(|word| !word.is_empty()).collect(),
            rules: Some(rules),
            placeholders,
            ..Known::default()
        }
    }

    /// Learns how somebody is called.
    pub(super) fn name(&mut self, name: &str) {
        let name = name.trim().to_lowercase();
        for token in tokens(&name) {
            if let Token::Word(word) = token
                && word.chars().count() > 1
            {
                self.name_words.insert(word.to_owned());
            }
        }
        if !name.is_empty() {
            self.names.insert(name);
        }
    }

    /// Learns a word that says how things stand.
    pub(super) fn word(&mut self, word: &str) {
        self.words.insert(word.trim().to_lowercase());
    }
}

/// Looks at a recording before it is written anew.
pub(super) struct Survey<'a> {
    known: Known<'a>,
    maker: Maker,
    /// How many values a path has, and how many of them are names.
    paths: BTreeMap<String, (usize, usize)>,
}

impl<'a> Survey<'a> {
    pub(super) fn new(known: Known<'a>, key: [u8; 32]) -> Survey<'a> {
        Survey {
            known,
            maker: Maker::new(key),
            paths: BTreeMap::new(),
        }
    }

    pub(super) fn ended(self) -> Pseudonyms<'a> {
        let named =
            |(path, (all, names)): (String, (usize, usize))| (names * 2 > all).then_some(path);
        Pseudonyms {
            known: self.known,
            maker: self.maker,
            name_paths: self.paths.into_iter().filter_map(named).collect(),
        }
    }
}

impl Rewrite for Survey<'_> {
    fn value(&mut self, path: &str, text: &str) -> String {
        self.maker.avoid(text);
        let lower = text.trim().to_lowercase();
        if !lower.is_empty() {
            let (all, names) = self.paths.entry(path.to_owned()).or_default();
            *all += 1;
            *names += usize::from(self.known.names.contains(&lower));
        }
        text.to_owned()
    }

    fn name(&mut self, name: &str) -> String {
        name.to_owned()
    }
}

/// Writes a recording anew.
pub(super) struct Pseudonyms<'a> {
    known: Known<'a>,
    maker: Maker,
    /// Where names stand.
    name_paths: BTreeSet<String>,
}

impl Rewrite for Pseudonyms<'_> {
    fn value(&mut self, path: &str, text: &str) -> String {
        let core = text.trim();
        let (before, after) = text.split_once(core).unwrap_or_default();
        if core.is_empty() {
            return text.to_owned();
        }
        let field = path.rsplit('/').next().unwrap_or(path);
        let field = field.strip_prefix('@').unwrap_or(field);
        let listed = |list: &[String]| list.iter().any(|name| name == field);
        let rules = self.known.rules;
        if rules.is_some_and(|rules| listed(&rules.keep)) {
            return text.to_owned();
        }
        if rules.is_some_and(|rules| listed(&rules.personal)) {
            return format!("{before}{}{after}", self.whole(&field.to_lowercase(), core));
        }
        let personal = self.name_paths.contains(path);
        let made = self.made(&field.to_lowercase(), &path.to_lowercase(), core, personal);
        format!("{before}{made}{after}")
    }

    /// Names with digits are ids that something is keyed by; any other is the PMS's own word.
    fn name(&mut self, name: &str) -> String {
        let long =
            runs(name).any(|run| run.len() > 3 && run.starts_with(|c: char| c.is_ascii_digit()));
        if long || name.contains('@') && name.len() > 1 && !name.starts_with('@') {
            self.value("", name)
        } else {
            name.to_owned()
        }
    }
}

impl Pseudonyms<'_> {
    /// What stands for a text wherever it stands.
    pub(super) fn of(&mut self, text: &str) -> String {
        self.value("", text)
    }

    fn made(&mut self, field: &str, path: &str, core: &str, personal: bool) -> String {
        if core.contains('@') {
            return self.emails(core);
        }
        if self.stays(field, core, personal) {
            return core.to_owned();
        }
        if let Some(dated) = Dated::of(core, field) {
            let births = ["birth", "dob", "born"];
            return if births.iter().any(|word| field.contains(word)) {
                self.birthday(&dated, core)
            } else {
                core.to_owned()
            };
        }
        if is_uuid(core) {
            return self.maker.code(core, true);
        }
        if is_phone(path, core) {
            return self.phone(core);
        }
        if let Some(number) = self.number(core) {
            return number;
        }
        self.text(core, personal)
    }

    /// What stands for a text of which nothing may stay, whatever it is.
    fn whole(&mut self, field: &str, core: &str) -> String {
        if core.contains('@') {
            return self.emails(core);
        }
        if let Some(dated) = Dated::of(core, field) {
            return self.birthday(&dated, core);
        }
        let mut made = String::new();
        for token in tokens(core) {
            made += &match token {
                Token::Between(text) => text.to_owned(),
                Token::Word(word) if word.chars().all(|c| c.is_ascii_digit()) => {
                    self.maker.digits(word)
                }
                Token::Word(word) if !word.contains(|c: char| c.is_ascii_digit()) => {
                    self.maker.word(word)
                }
                Token::Word(word) => self.maker.code(word, false),
            };
        }
        made
    }

    /// Whether it says nothing about anybody.
    fn stays(&self, field: &str, core: &str, personal: bool) -> bool {
        let lower = core.to_lowercase();
        if personal && self.known.names.contains(&lower) {
            return false;
        }
        let single = core.chars().count() == 1 && !personal;
        let yes_or_no = ["true", "false", "yes", "no"].contains(&lower.as_str());
        if single || yes_or_no || self.known.words.contains(&lower) {
            return true;
        }
        // Free text that was put into such a field may name somebody.
        let clean = tokens(&lower).all(|token| match token {
            Token::Word(word) => {
                let long = runs(word)
                    .any(|run| run.len() > 3 && run.starts_with(|c: char| c.is_ascii_digit()));
                !long && !self.known.name_words.contains(word)
            }
            Token::Between(_) => true,
        });
        let said = field.contains("status") || field.contains("type");
        said && !personal && clean && core.chars().count() <= 60
    }

    fn emails(&mut self, core: &str) -> String {
        let mut made = String::new();
        for part in core.split_inclusive([',', ';', ' ', '\t', '\n']) {
            let text = part.trim_end_matches([',', ';', ' ', '\t', '\n']);
            made += &if text.contains('@') {
                self.email(text)
            } else {
                self.text(text, true)
            };
            made += part.get(text.len()..).unwrap_or_default();
        }
        made
    }

    fn email(&mut self, email: &str) -> String {
        let Some((local, domain)) = email.rsplit_once('@') else {
            return self.text(email, true);
        };
        let lower = email.to_lowercase();
        let own = |local: &str| {
            let any = format!("{}@*", local.to_lowercase());
            self.known
                .placeholders
                .iter()
                .any(|one| one.to_lowercase() == any)
        };
        if self
            .known
            .placeholders
            .iter()
            .any(|one| one.to_lowercase() == lower)
        {
            return email.to_owned();
        }
        let keeps = own(local);
        let domain = self.domain(domain);
        if keeps {
            return format!("{local}@{domain}");
        }
        let mut parts = String::new();
        for token in tokens(local) {
            match token {
                Token::Between(text) => parts += text,
                Token::Word(word) => {
                    for run in runs(word) {
                        parts += &if run.starts_with(|c: char| c.is_ascii_digit()) {
                            self.maker.code(run, false)
                        } else {
                            self.maker.word(run)
                        };
                    }
                }
            }
        }
        // Equal but for case is the same email.
        let whole = self.maker.whole(Kind::Email, &lower, |attempt| {
            let number = if attempt == 0 {
                String::new()
            } else {
                attempt.to_string()
            };
            format!("{}{number}@{}", parts.to_lowercase(), domain.to_lowercase())
        });
        if whole == format!("{parts}@{domain}").to_lowercase() {
            format!("{parts}@{domain}")
        } else {
            whole
        }
    }

    /// A domain that nobody has; those that are kept for examples stay.
    fn domain(&mut self, domain: &str) -> String {
        let lower = domain.to_lowercase();
        let reserved = ["example.com", "example.org", "example.net"].contains(&lower.as_str())
            || [".example", ".test", ".invalid"]
                .iter()
                .any(|end| lower.ends_with(end));
        if reserved || domain.is_empty() {
            return domain.to_owned();
        }
        // Without a dot it is no domain (R13a), and stays none.
        let end = if lower.contains('.') {
            ".example.com"
        } else {
            ""
        };
        let letters: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
        let word = self.maker.code(&format!("domain{letters}"), false);
        let word: String = word.chars().take(8).collect();
        self.maker
            .whole(Kind::Email, &format!("@{lower}"), |attempt| {
                let number = if attempt == 0 {
                    String::new()
                } else {
                    attempt.to_string()
                };
                format!("{word}{number}{end}")
            })
    }

    /// The notation stays. What nobody can be called by stays so.
    fn phone(&mut self, core: &str) -> String {
        let end = core.find(['x', 'X', '#', ';']).unwrap_or(core.len());
        let (number, extension) = core.split_at(end);
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let national = match digits.len() {
            11 if digits.starts_with('1') => digits.get(1..),
            10 => Some(digits.as_str()),
            _ => None,
        };
        let first = digits.chars().next();
        if digits.chars().all(|digit| Some(digit) == first) {
            return core.to_owned();
        }
        let made = match national {
            Some(national) if is_nanp(national) => self.maker.phone(national),
            Some(national) => self.maker.digits(national),
            // The country stays.
            None => {
                let kept = digits.len().saturating_sub(7).min(2);
                let (country, rest) = digits.split_at(kept);
                format!("{country}{}", self.maker.digits(rest))
            }
        };
        let made = format!(
            "{}{made}",
            national.map_or("", |national| {
                digits.strip_suffix(national).unwrap_or_default()
            })
        );
        let mut made = made.chars();
        let number: String = number
            .chars()
            .map(|c| {
                if c.is_ascii_digit() {
                    made.next().unwrap_or(c)
                } else {
                    c
                }
            })
            .collect();
        format!("{number}{}", self.text(extension, false))
    }

    /// Short numbers say nothing; of longer ones the digits change.
    fn number(&mut self, core: &str) -> Option<String> {
        let unsigned = core.trim_start_matches(['-', '+', '$']);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let plain: String = whole.chars().filter(|c| *c != ',').collect();
        let all = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if plain.is_empty() || !all(&plain) || !all(fraction) {
            return None;
        }
        if plain.len() <= 3 {
            return Some(core.to_owned());
        }
        let made = self.maker.digits(&plain);
        let mut digits = made.chars();
        let mut written: String = whole
            .chars()
            .map(|c| {
                if c == ',' {
                    c
                } else {
                    digits.next().unwrap_or('0')
                }
            })
            .collect();
        written.extend(digits);
        let sign = core.strip_suffix(unsigned).unwrap_or_default();
        let rest = unsigned.strip_prefix(whole).unwrap_or_default();
        Some(format!("{sign}{written}{rest}"))
    }

    /// The year says how old somebody is; the day is made up.
    fn birthday(&mut self, dated: &Dated, core: &str) -> String {
        let random = self.maker.code(&format!("birthday{core}"), false);
        let chance = random.bytes().fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        match dated.with_another_day(core, chance) {
            Some(made) => made,
            None => self.text(core, true),
        }
    }

    /// Words, codes and short numbers; between them everything stays.
    fn text(&mut self, core: &str, personal: bool) -> String {
        let (link, rest) = match core.find("://") {
            Some(at) => core.split_at(at + 3),
            None => ("", core),
        };
        let mut made = link.to_owned();
        let words = tokens(rest)
            .filter(|token| matches!(token, Token::Word(_)))
            .count();
        let mut number = 0;
        let mut at = 0;
        for token in tokens(rest) {
            let word = match token {
                Token::Between(text) => {
                    made += text;
                    at += text.len();
                    continue;
                }
                Token::Word(word) => word,
            };
            number += 1;
            let lower = word.to_lowercase();
            let form = words > 1 && number == words && !self.known.names.contains(&lower);
            if link.is_empty() && self.is_remark(rest, at)
                || form && self.known.words.contains(&lower)
            {
                made += word;
            } else {
                made += &self.part(word, personal);
            }
            at += word.len();
        }
        made
    }

    /// Whether the word at `at` stands in a remark that the script knows: `*Moved Out*`, `(former)`.
    fn is_remark(&self, text: &str, at: usize) -> bool {
        [("*", "*"), ("(", ")"), ("[", "]")]
            .iter()
            .any(|(opens, closes)| {
                let (before, after) = text.split_at(at);
                let remark = before.rsplit_once(opens).and_then(|(_, inside)| {
                    let (rest, _) = after.split_once(closes)?;
                    Some(format!("{inside}{rest}").trim().to_lowercase())
                });
                remark.is_some_and(|remark| {
                    self.known.words.contains(&remark) && !self.known.names.contains(&remark)
                })
            })
    }

    fn part(&mut self, word: &str, personal: bool) -> String {
        let is_digit = |c: char| c.is_ascii_digit();
        if word.chars().all(is_digit) {
            return if word.len() > 3 || personal {
                self.maker.digits(word)
            } else {
                word.to_owned()
            };
        }
        if !word.contains(is_digit) {
            return self.maker.word(word);
        }
        // A letter beside a number: t0012345, 12B.
        let mut letters = word.chars().filter(|c| !is_digit(*c));
        let (letter, more) = (letters.next(), letters.next());
        let middle = word.trim_matches(|c: char| !is_digit(c));
        if more.is_none() && letter.is_some_and(|c| c.is_ascii()) && middle.chars().all(is_digit) {
            let (before, after) = word.split_once(middle).unwrap_or_default();
            let made = if middle.len() > 3 {
                self.maker.digits(middle)
            } else {
                middle.to_owned()
            };
            return format!("{before}{made}{after}");
        }
        let known = |run: &&str| run.len() > 3 && self.known.words.contains(&run.to_lowercase());
        let first = runs(word).next();
        match first.filter(known) {
            Some(known) => {
                let rest = word.strip_prefix(known).unwrap_or_default();
                format!("{known}{}", self.maker.code(rest, false))
            }
            None => self.maker.code(word, false),
        }
    }
}

fn is_uuid(core: &str) -> bool {
    let parts: Vec<usize> = core.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && core.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// By the name of its field, or by how it is written.
fn is_phone(path: &str, core: &str) -> bool {
    let end = core.find(['x', 'X', '#']).unwrap_or(core.len());
    let number = core.get(..end).unwrap_or(core);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let signs = |c: char| c.is_ascii_digit() || " ()-.+/".contains(c);
    if !(7..=15).contains(&digits) || !number.chars().all(signs) {
        return false;
    }
    let named = ["phone", "fax", "cell", "mobile", "telephone"]
        .iter()
        .any(|word| path.contains(word));
    let dots = number.matches('.').count();
    let written = number.contains(['(', '-', ' ']) && dots == 0 || dots > 1;
    named || digits > 9 && written && !number.contains('/')
}

/// As R11 has it.
fn is_nanp(national: &str) -> bool {
    let digit = |index: usize| national.as_bytes().get(index).copied().unwrap_or_default();
    let opens = |index: usize| (b'2'..=b'9').contains(&digit(index));
    opens(0) && digit(1) != b'9' && opens(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudonyms(rules: &Recorded) -> Pseudonyms<'_> {
        const PLACEHOLDERS: &[String] = &[];
        let words = [
            "moved out",
            "former",
            "llc",
            "cell",
            "child",
            "n/a",
            "Current",
        ];
        let mut known = Known::new(words.map(String::from), rules, PLACEHOLDERS);
        for name in ["Ana", "Child", "Moore", "Alderway Staffing LLC"] {
            known.name(name);
        }
        let mut survey = Survey::new(known, [3; 32]);
        for (path, text) in [("Last", "Moore"), ("Last", "Child"), ("Status", "Current")] {
            survey.value(path, text);
        }
        survey.ended()
    }

    #[test]
    fn what_says_how_things_stand_stays() {
        let rules = Recorded::default();
        let mut pseudonyms = pseudonyms(&rules);
        for (path, text) in [
            ("Status", "Current"),
            ("Status", " current "),
            ("P/@PhoneType", "cell"),
            ("LeaseType", "First Lease"),
            ("Last", "n/a"),
            ("Start", "2026-02-30T00:00:00"),
            ("Start", "02/28/2026 00:00:00 MST"),
            ("Start", "Mar  1 2026 12:00AM"),
            ("Start", "04-OCT-2026 00:00:00"),
            ("Start", "Jul 4, 2026 12:00 AM"),
            ("Start", "04.10.2026"),
            ("MoveInDate", "20261004"),
            ("Start", "/Date(1790000000000-0500)/"),
            ("MoveInDate", "1790000000"),
            ("Beds", "2"),
            ("Flag", "TRUE"),
            ("Flag", "Y"),
            ("Unit", "105"),
            ("Unit", "12B"),
            ("x", ""),
            ("Phone", "000-000-0000"),
        ] {
            assert_eq!(pseudonyms.value(path, text), text, "{path}");
        }
    }

    #[test]
    fn everything_else_is_made_up_and_keeps_its_form() {
        let rules = Recorded::default();
        let mut pseudonyms = pseudonyms(&rules);
        let mut shape = |path: &str, text: &str| -> String {
            let made = pseudonyms.value(path, text);
            assert_ne!(made, text, "{path}");
            let sign = |c: char| match c {
                c if c.is_ascii_digit() => '9',
                c if c.is_uppercase() => 'A',
                c if c.is_alphabetic() => 'a',
                c => c,
            };
            made.chars().map(sign).collect()
        };
        assert_eq!(shape("Last", "Moore"), "Aaaaa");
        // The script knows the word, and somebody is called so.
        assert_eq!(shape("Last", "Child"), "Aaaaa");
        assert_eq!(shape("First", "  ANA"), "  AAA");
        assert_eq!(
            shape("Street", "712 Birchdale Street"),
            "999 Aaaaaaaaa Aaaaaa"
        );
        assert_eq!(shape("Zip", "97201"), "99999");
        assert_eq!(shape("Id", "t0012345"), "a9999999");
        assert_eq!(shape("Phone", "(503) 555-0177"), "(999) 999-9999");
        assert_eq!(shape("x", "+1 503 555 0177"), "+9 999 999 9999");
        assert_eq!(
            shape("Email", " Ana.Moore7@Example.com "),
            " Aaa.Aaaaa9@Aaaaaaa.aaa "
        );
        assert_eq!(
            shape("Email", "a@b.com; c@d.org"),
            "a@aaaaaaaa.aaaaaaa.aaa; a@aaaaaaaa.aaaaaaa.aaa"
        );
        assert_eq!(shape("leaseStatusNote", "Ana pays late"), "Aaa aaaa aaaa");
        assert_eq!(shape("Born", "1990-12-31"), "9999-99-99");
        assert_eq!(shape("Rent", "1,450.00"), "9,999.99");
        assert!(pseudonyms.value("Feet", "1050.000000").ends_with(".000000"));
    }

    #[test]
    fn remarks_and_forms_of_companies_stay_and_an_email_belongs_to_its_name() {
        let rules = Recorded::default();
        let mut pseudonyms = pseudonyms(&rules);
        let moore = pseudonyms.value("Last", "Moore");
        assert_eq!(
            pseudonyms.value("Last", "*Moved Out* Moore"),
            format!("*Moved Out* {moore}")
        );
        assert_eq!(
            pseudonyms.value("Last", "(former) Moore"),
            format!("(former) {moore}")
        );
        assert!(!pseudonyms.value("Last", "(Ana) Moore").contains("Ana"));
        assert!(
            pseudonyms
                .value("Last", "Alderway Staffing LLC")
                .ends_with(" LLC")
        );
        // Julia Child is no company.
        assert!(!pseudonyms.value("Name", "Julia Child").contains("Child"));
        let email = pseudonyms.value("Email", "moore@example.com");
        assert_eq!(email, format!("{}@example.com", moore.to_lowercase()));
        assert_eq!(
            pseudonyms.value("x", "MOORE@Example.com").to_lowercase(),
            email
        );
        assert_eq!(
            pseudonyms.value("a/Phone", "503.555.0177").replace('.', ""),
            pseudonyms.value("Cell", "5035550177")
        );
    }

    #[test]
    fn a_connector_may_say_otherwise() {
        let rules = Recorded {
            personal: vec!["Status".into()],
            keep: vec!["Plan".into()],
        };
        let mut pseudonyms = pseudonyms(&rules);
        assert_eq!(pseudonyms.value("a/Plan", "Gold 20000"), "Gold 20000");
        assert_ne!(pseudonyms.value("a/@Status", "late again"), "late again");
        for said in [
            "x7",
            "A12",
            "12B",
            "17",
            "2020-01-02",
            "1/2/2020",
            "yes",
            "Current",
            "K",
        ] {
            assert_ne!(pseudonyms.value("a/Status", said), said);
        }
    }
}
