//! Tests of what stays in a recording and what is made up.

use crate::config::Recorded;

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

#[test]
fn nothing_of_a_number_in_parts_stays_wherever_it_stands() {
    let rules = Recorded::default();
    for (path, text) in [
        ("Ssn", "123-45-6789"),
        ("a/Phone", "123-45-6789"),
        ("x", "123 45 6789"),
        ("Notes", "ssn 123-45-6789, cell: 503-555-0177"),
        ("Contact", "cell: (503) 555-0177"),
        ("Contact", "cell: 555-0177"),
        ("Contact", "home 503.555.0177x12; 971 555 0188"),
        ("TaxId", "12-3456789"),
    ] {
        let mut pseudonyms = pseudonyms(&rules);
        let made = pseudonyms.value(path, text);
        let parts = |text: &str| -> Vec<String> {
            let numbers = text.split(|c: char| !c.is_ascii_digit());
            numbers
                .filter(|part| part.len() > 2)
                .map(str::to_owned)
                .collect()
        };
        let (was, is) = (parts(text), parts(&made));
        assert_eq!(was.len(), is.len(), "{text}: {made}");
        // A phone kept for fiction has 555 in its middle.
        let stays = was
            .iter()
            .zip(&is)
            .filter(|(was, is)| was == is && *was != "555");
        assert_eq!(stays.count(), 0, "{text}: {made}");
    }
    let mut pseudonyms = pseudonyms(&rules);
    for text in ["2026-10-04", "12-105", "4.5", "1-2"] {
        assert_eq!(pseudonyms.value("x", text), text);
    }
}

#[test]
fn of_members_that_are_keyed_by_people_nobody_s_name_stays() {
    let rules = Recorded::default();
    let mut pseudonyms = pseudonyms(&rules);
    let moore = pseudonyms.value("Last", "Moore");
    assert_eq!(pseudonyms.name("Moore"), moore);
    let both = pseudonyms.name("Moore, Ana");
    assert!(
        both.starts_with(&format!("{moore}, ")) && !both.contains("Ana"),
        "{both}"
    );
    assert!(!pseudonyms.name("Ana Elm").contains("Elm"));
    // The script or the connector reads it, whoever is called so.
    for name in ["Child", "Ana", "child", "LastName", "Staffing_Id", "@id"] {
        pseudonyms.known.field("Ana");
        assert_eq!(pseudonyms.name(name), name);
    }
}

#[test]
fn a_word_of_the_script_stays_as_the_script_would_compare_it() {
    let rules = Recorded::default();
    let mut pseudonyms = pseudonyms(&rules);
    for text in ["moved-out", "MovedOut", "Moved  out", "L.L.C.", "N/A"] {
        assert_eq!(pseudonyms.value("Kind", text), text);
    }
    let made = pseudonyms.value("Last", "*Moved-Out* Moore");
    assert!(made.starts_with("*Moved-Out* "), "{made}");
}
