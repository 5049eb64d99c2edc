//! Pages one by one, and whole readings of a PMS that is made up.

#![allow(clippy::single_range_in_vec_init, reason = "a range is a page")]

use serde_json::json;

use super::*;
use crate::config::Next;
use crate::model::Printer;
use crate::testing::searching;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};

fn next() -> Page {
    Page::Next(Next {
        path: "next".into(),
        keep: Keep::Url,
        force: std::collections::BTreeMap::new(),
    })
}

fn prints(records: &[Box<str>]) -> Vec<Print> {
    let plain = Printer::new(0, "", "");
    records.iter().map(|text| plain.print(text)).collect()
}

fn came<'a>(url: &'a Url, around: &'a Value, prints: &'a [Print]) -> Came<'a> {
    Came {
        url,
        around,
        prints,
        ids: &[],
        declared: None,
        link: Ok(None),
        force: &[],
    }
}

fn counted(first: u64, size: u64, until: Until) -> Counted {
    Counted { first, size, until }
}

fn paging(page: Page) -> Paging {
    let path = match &page {
        Page::Next(next) => Path::parse(&next.path).unwrap(),
        Page::Cursor(path) => Path::parse(path).unwrap(),
        _ => Path::default(),
    };
    Paging { page, path }
}

fn records(numbers: std::ops::Range<u64>) -> Vec<Box<str>> {
    numbers.map(|n| n.to_string().into_boxed_str()).collect()
}

#[test]
fn records_without_end_are_given_up() {
    let paging = paging(Page::Offset(counted(0, 2, Until::Short)));
    let url = Url::parse("http://h/x").unwrap();
    let mut pages = Pages::start(Some(&paging), false, 1);
    pages.tally = Tally::of(MAX_RECORDS - 2);
    let mut take = |numbers| {
        let prints = prints(&records(numbers));
        pages.take(Some(&paging), came(&url, &Value::Null, &prints))
    };
    assert!(take(0..2).is_ok());
    assert_eq!(
        take(2..4).unwrap_err(),
        "there are more than 5000000 records"
    );
}

/// What comes after each of these pages, the last one told as text.
fn taken(paging: &Paging, pages: &mut Pages, ranges: &[std::ops::Range<u64>]) -> String {
    let url = Url::parse("http://h/x").unwrap();
    let mut told = String::new();
    for range in ranges {
        let prints = prints(&records(range.clone()));
        told = match pages.take(Some(paging), came(&url, &Value::Null, &prints)) {
            Ok(after) => format!("{after:?}"),
            Err(error) => error,
        };
    }
    told
}

#[test]
fn an_offset_grows_by_what_came_and_behind_a_short_page_there_is_nothing() {
    let paging = paging(Page::Offset(counted(0, 2, Until::Short)));
    let mut pages = Pages::start(Some(&paging), false, 1);
    let told = taken(&paging, &mut pages, &[0..2]);
    assert!(
        told.starts_with("Values(") && told.contains("offset: 2"),
        "{told}"
    );
    assert_eq!(pages.why, Why::BehindFull);
    let told = taken(&paging, &mut pages, &[2..3]);
    assert!(told.contains("offset: 3"), "{told}");
    assert_eq!(pages.why, Why::BehindShort(1));
    assert_eq!(taken(&paging, &mut pages, &[0..0]), "End");
    assert_eq!((pages.count, pages.records()), (3, 3));
}

#[test]
fn a_short_page_with_more_behind_it_is_told_with_its_size() {
    let paging = paging(Page::Number(counted(1, 3, Until::Short)));
    let mut pages = Pages::start(Some(&paging), false, 1);
    let told = taken(&paging, &mut pages, &[0..3, 3..5, 5..8]);
    assert!(
        told.starts_with(
            "page 2 had 2 records where 3 were asked for, and there are more behind it"
        ),
        "{told}"
    );
}

#[test]
fn the_page_before_once_more_is_the_end_but_not_the_first_as_the_second() {
    let paging = paging(Page::Number(counted(1, 2, Until::Short)));
    let start = || Pages::start(Some(&paging), false, 1);
    assert_eq!(
        taken(&paging, &mut start(), &[0..2, 2..4, 2..4]),
        "Repeated"
    );
    for ranges in [[0..2, 0..2], [0..1, 0..1]] {
        let told = taken(&paging, &mut start(), &ranges);
        assert!(told.contains("does not heed which page"), "{told}");
    }
    let told = taken(&paging, &mut start(), &[0..2, 2..4, 0..2]);
    assert_eq!(told, "page 3 is the same as one before it");
}

#[test]
fn a_next_link_may_be_a_path_and_ends_when_it_is_null() {
    let paging = paging(next());
    let url = Url::parse("http://h:1/api/x?page=1").unwrap();
    let mut pages = Pages::start(Some(&paging), false, 1);
    let after = pages
        .take(
            Some(&paging),
            came(
                &url,
                &json!({"next": "/api/x?page[n]=2"}),
                &prints(&records(0..1)),
            ),
        )
        .unwrap();
    assert_eq!(
        after,
        After::Url(Url::parse("http://h:1/api/x?page[n]=2").unwrap())
    );
    assert_eq!(
        pages
            .take(
                Some(&paging),
                came(&url, &json!({"next": null}), &prints(&records(1..2)))
            )
            .unwrap(),
        After::End
    );
}

#[test]
fn a_page_that_comes_again_ends_the_reading() {
    let paging = paging(next());
    let url = Url::parse("http://h/x").unwrap();
    let mut pages = Pages::start(Some(&paging), false, 1);
    pages
        .take(
            Some(&paging),
            came(&url, &json!({"next": "/y"}), &prints(&records(0..2))),
        )
        .unwrap();
    let error = pages
        .take(
            Some(&paging),
            came(&url, &json!({"next": "/z"}), &prints(&records(0..2))),
        )
        .unwrap_err();
    assert_eq!(error, "page 2 is the same as one before it");
}

#[test]
fn a_cursor_that_leads_to_itself_ends_the_reading() {
    let paging = paging(Page::Cursor("c".into()));
    let url = Url::parse("http://h/x").unwrap();
    let mut pages = Pages::start(Some(&paging), false, 1);
    assert!(
        pages
            .take(
                Some(&paging),
                came(&url, &json!({"c": "k"}), &prints(&records(0..1)))
            )
            .is_ok()
    );
    assert!(
        pages
            .take(
                Some(&paging),
                came(&url, &json!({"c": "k"}), &prints(&records(1..2)))
            )
            .is_err()
    );
}

#[test]
fn pages_without_records_end_the_reading_when_there_are_too_many_in_a_row() {
    let paging = paging(next());
    let url = Url::parse("http://h/x").unwrap();
    let mut pages = Pages::start(Some(&paging), false, 1);
    let mut number = 0;
    let mut take = |records: std::ops::Range<u64>| {
        number += 1;
        let next = json!({"next": format!("/{number}")});
        let prints = prints(&self::records(records));
        pages.take(Some(&paging), came(&url, &next, &prints))
    };
    for begin in 0..3 {
        assert!(take(begin..begin + 1).is_ok());
        for _ in 0..MAX_EMPTY {
            assert!(take(0..0).is_ok());
        }
    }
    let error = take(0..0).unwrap_err();
    assert_eq!(
        error,
        "after page 203 there are only pages without records, and no end of them"
    );
}

#[test]
fn a_link_that_leads_back_ends_the_reading() {
    let paging = paging(next());
    let url = Url::parse("http://h/x?skip=1").unwrap();
    let mut pages = Pages::start(Some(&paging), false, 1);
    let error = pages
        .take(Some(&paging), came(&url, &json!({"next": "?skip=1"}), &[]))
        .unwrap_err();
    assert_eq!(error, "the link of page 1 leads back to a page before it");
}

#[test]
fn of_a_link_only_the_query_may_count_and_parameters_are_forced() {
    let url = Url::parse("https://h:8/api.asp?$api=A&$format=json").unwrap();
    let to = |link: &str, force: &[(&str, &str)]| {
        let force: Vec<_> = force
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        target(&url, link, Keep::Query, &force).map(String::from)
    };
    assert_eq!(
        to("http://other/x?$api=A&$skip=301#f", &[]).as_deref(),
        Some("https://h:8/api.asp?$api=A&$skip=301")
    );
    assert_eq!(
        to("$skip=301", &[]).as_deref(),
        Some("https://h:8/api.asp?$skip=301")
    );
    assert_eq!(
        to(
            "?%24skip=301&%24format=xml",
            &[("$format", "json"), ("x", "")]
        )
        .as_deref(),
        Some("https://h:8/api.asp?%24skip=301&%24format=json")
    );
    for nothing in ["https://h:8/api.asp", "/api.asp?", "/api.asp"] {
        assert_eq!(to(nothing, &[]), None, "{nothing}");
    }
}

/// What a made-up PMS answers to a question behind its last page.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Behind {
    Nothing,
    LastPage,
}

/// Somebody moves in or out, at this place of the list.
#[derive(Debug, Clone, Copy)]
enum Change {
    In(usize),
    Out(usize),
}

/// A PMS that is made up: it has a list of people, and answers with pages of it in one of many ways.
#[derive(Debug, Clone)]
struct Pms {
    people: Vec<u64>,
    /// It sends no more on one page, whatever it is asked for.
    cap: u64,
    /// Where a page begins it counts in pages of the size that was asked for, and not of its own.
    counts_as_asked: bool,
    /// It hears which page is asked for.
    heeds: bool,
    behind: Behind,
    /// It declares how many people there are.
    declares: bool,
    /// It leaves out everybody at the so-manyeth places of the list, after it has cut a page; never all of a page.
    hides: Option<usize>,
    /// What happens before each question, from the second on; then nothing more.
    changes: VecDeque<Option<Change>>,
}

impl Pms {
    fn hidden(&self, place: usize) -> bool {
        self.hides.is_some_and(|each| place % each == each - 1)
    }

    fn visible(&self) -> BTreeSet<u64> {
        let people = self.people.iter().enumerate();
        let people = people.filter(|(place, _)| !self.hidden(*place));
        people.map(|(_, one)| *one).collect()
    }

    fn change(&mut self) {
        let places = self.people.len();
        match self.changes.pop_front().flatten() {
            Some(Change::In(place)) => {
                let new = 1000 + self.changes.len() as u64;
                self.people.insert(place % (places + 1), new);
            }
            Some(Change::Out(place)) if places > 0 => {
                self.people.remove(place % places);
            }
            Some(Change::Out(_)) | None => {}
        }
    }

    fn answer(&self, page: &Page, values: &PageValues) -> Vec<u64> {
        let size = self.cap.min(values.size);
        let step = if self.counts_as_asked {
            values.size
        } else {
            size
        };
        let all = self.people.len() as u64;
        let mut begin = match page {
            Page::Offset(counted) => values.offset - counted.first,
            Page::Number(counted) => (values.number - counted.first) * step,
            _ => 0,
        };
        if !self.heeds {
            begin = 0;
        }
        if begin >= all && self.behind == Behind::LastPage {
            begin = all.saturating_sub(1) / step * step;
        }
        let end = (begin + size).min(all);
        let places = (begin.min(end)..end).map(|place| usize::try_from(place).unwrap());
        let seen = places.filter(|place| !self.hidden(*place));
        seen.map(|place| self.people[place]).collect()
    }
}

/// Reads a PMS as a run does. Everybody who was read where that is complete, and who was there all the time.
fn reading(pms: &mut Pms, page: &Page) -> Result<(BTreeSet<u64>, BTreeSet<u64>), String> {
    let (paging, url) = (paging(page.clone()), Url::parse("http://h/x").unwrap());
    let mut stayed = pms.visible();
    for reading in 1..=READINGS {
        let mut pages = Pages::start(Some(&paging), pms.declares, reading);
        let (mut values, mut read) = (pages.values.clone(), BTreeSet::new());
        loop {
            let people = pms.answer(page, &values);
            let declared = pms.declares.then(|| pms.visible().len() as u64);
            let prints: Vec<Print> = people.iter().map(|one| Print(u128::from(*one))).collect();
            let ids = if reading > 1 {
                prints.clone()
            } else {
                Vec::new()
            };
            let came = Came {
                declared,
                ids: &ids,
                ..came(&url, &Value::Null, &prints)
            };
            let after = pages.take(Some(&paging), came)?;
            if after == After::Again {
                break;
            }
            if after == After::Repeated {
                return Ok((read, stayed));
            }
            read.extend(people);
            match after {
                After::Values(after) => values = after,
                _ => return Ok((read, stayed)),
            }
            pms.change();
            stayed = stayed.intersection(&pms.visible()).copied().collect();
        }
        pms.change();
        stayed = stayed.intersection(&pms.visible()).copied().collect();
    }
    Err("read again and again".into())
}

prop_compose! {
    fn any_pms()(
        people in 0..30_u64,
        cap in prop_oneof![Just(100_u64), 2..8_u64],
        (counts_as_asked, heeds) in (any::<bool>(), prop::bool::weighted(0.8)),
        behind in prop::sample::select(&[Behind::Nothing, Behind::LastPage][..]),
        declares in any::<bool>(),
        hides in prop::option::weighted(0.2, Just(9_usize)),
        changes in prop::collection::vec(prop::option::weighted(0.4, prop_oneof![
            (0..30_usize).prop_map(Change::In),
            (0..30_usize).prop_map(Change::Out),
        ]), 0..12),
    ) -> Pms {
        Pms {
            people: (0..people).collect(),
            cap,
            counts_as_asked,
            heeds,
            behind,
            declares,
            hides,
            // What is not declared is not seen to move, and who hides people by their places hides others then.
            changes: if declares && hides.is_none() { changes.into() } else { VecDeque::new() },
        }
    }
}

prop_compose! {
    fn any_paging(declares: bool)(
        numbered in any::<bool>(),
        first in 0..2_u64,
        size in 2..8_u64,
        until in prop::sample::select(if declares {
            vec![Until::Short, Until::Empty, Until::Total]
        } else {
            vec![Until::Short, Until::Empty]
        }),
    ) -> Page {
        let counted = counted(first, size, until);
        if numbered { Page::Number(counted) } else { Page::Offset(counted) }
    }
}

fn any_case() -> impl Strategy<Value = (Pms, Page)> {
    any_pms().prop_flat_map(|pms| {
        let page = any_paging(pms.declares);
        (Just(pms), page)
    })
}

fn counted_of(page: &Page) -> Counted {
    match page {
        Page::Offset(counted) | Page::Number(counted) => *counted,
        _ => unreachable!("pages are counted here"),
    }
}

proptest! {
    #![proptest_config(searching(1000))]

    /// R42, B2.
    #[test]
    fn a_complete_reading_has_everybody_who_was_there_all_the_time((mut pms, page) in any_case()) {
        let counted = counted_of(&page);
        // Whoever writes `until: empty` says that pages may have any size, but not that some people are on none. Nor is it
        // to be seen where nothing is behind the first page.
        let skips = pms.counts_as_asked && pms.cap < counted.size && !pms.declares;
        let is_seen = counted.until != Until::Empty && pms.people.len() as u64 > counted.size;
        prop_assume!(!skips || is_seen);
        if let Ok((read, stayed)) = reading(&mut pms, &page) {
            let missed: Vec<&u64> = stayed.difference(&read).collect();
            prop_assert!(missed.is_empty(), "{missed:?} of {stayed:?} were not read, but {read:?}");
        }
    }

    /// R42, E5.
    #[test]
    fn a_pms_that_answers_as_asked_is_read_to_its_end((pms, page) in any_case(), change in any::<bool>()) {
        let counted = counted_of(&page);
        let mut pms = Pms { heeds: true, hides: None, ..pms };
        if counted.until == Until::Short || pms.counts_as_asked {
            pms.cap = 100;
        }
        // One change moves the number once, wherever it comes; what is not declared does not change here.
        pms.changes.truncate(usize::from(change));
        let one_page = (pms.people.len() as u64) <= counted.size.min(pms.cap);
        prop_assume!(pms.declares && counted.until != Until::Empty || !one_page || pms.behind == Behind::Nothing);
        let read = reading(&mut pms, &page);
        let visible = pms.visible();
        prop_assert_eq!(read.map(|(read, _)| read.intersection(&visible).copied().collect()), Ok(visible));
    }
}
