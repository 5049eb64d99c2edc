//! From one page to the next, and the guards against pages that never end. Pure.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use crate::config::{Keep, Page};
use crate::model::Print;

use super::Path;
use super::template::PageValues;

/// More pages than this are no answer.
const MAX_PAGES: u64 = 100_000;
/// More records of one property than this are no property.
const MAX_RECORDS: u64 = 5_000_000;
/// More pages in a row without a record than this lead nowhere. Some PMSs filter after they cut pages, so
/// that a few of them are nothing odd.
const MAX_EMPTY: u64 = 100;

/// How a request pages, with its paths compiled.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    pub(super) page: Page,
    pub(super) path: Path,
}

/// A page that came, and what its successor depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came<'a> {
    /// What was asked.
    pub(super) url: &'a Url,
    pub(super) around: &'a Value,
    /// How many records it has, and what tells them from those of another page.
    pub(super) count: u64,
    pub(super) print: Print,
    /// The link of the `Link` header.
    pub(super) link: Option<&'a str>,
    /// Query parameters that every further page is asked with; an empty one is left out.
    pub(super) force: &'a [(String, String)],
}

/// What comes after a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    End,
    /// One more request from the template, with these values.
    Values(PageValues),
    /// One more request to this URL.
    Url(Url),
}

/// The pages of one property, as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) values: PageValues,
    pub(super) count: u64,
    pub(super) records: u64,
    seen: BTreeSet<[u8; 32]>,
    printed: BTreeSet<Print>,
    /// Pages in a row without a record.
    empty: u64,
}

impl Pages {
    pub(super) fn start(paging: Option<&Paging>) -> Pages {
        let values = match paging.map(|paging| &paging.page) {
            Some(Page::Offset(counted)) => PageValues {
                offset: counted.first,
                size: counted.size,
                ..PageValues::default()
            },
            Some(Page::Number(counted)) => PageValues {
                number: counted.first,
                size: counted.size,
                ..PageValues::default()
            },
            _ => PageValues::default(),
        };
        Pages {
            values,
            ..Pages::default()
        }
    }

    /// Takes a page in and says what comes next; an error says why the pages cannot be trusted.
    pub(super) fn take(
        &mut self,
        paging: Option<&Paging>,
        came: Came<'_>,
    ) -> Result<After, String> {
        let Came {
            url,
            around,
            count,
            print,
            link,
            force,
        } = came;
        self.count += 1;
        self.records += count;
        if count > 0 && !self.printed.insert(print) {
            return Err(format!("page {} is the same as one before it", self.count));
        }
        self.empty = if count == 0 { self.empty + 1 } else { 0 };
        if self.empty > MAX_EMPTY {
            return Err(format!(
                "after page {} there are only pages without records, and no end of them",
                self.count - self.empty
            ));
        }
        if self.count >= MAX_PAGES {
            return Err(format!("there are more than {MAX_PAGES} pages"));
        }
        if self.records > MAX_RECORDS {
            return Err(format!("there are more than {MAX_RECORDS} records"));
        }
        let Some(Paging { page, path }) = paging else {
            return Ok(After::End);
        };
        let told = path.text(around);
        match page {
            Page::Next(next) => match told {
                None => Ok(After::End),
                Some(link) => self.follow(url, &link, next.keep, force),
            },
            Page::Link(next) => match link {
                None => Ok(After::End),
                Some(link) => self.follow(url, link, next.keep, force),
            },
            Page::Cursor(_) => match told {
                None => Ok(After::End),
                Some(cursor) if cursor == self.values.cursor => {
                    Err(format!("the cursor of page {} leads to itself", self.count))
                }
                Some(cursor) => {
                    self.values.cursor = cursor.into_owned();
                    Ok(After::Values(self.values.clone()))
                }
            },
            Page::Offset(counted) if count >= counted.size => {
                self.values.offset += count;
                Ok(After::Values(self.values.clone()))
            }
            Page::Number(counted) if count >= counted.size => {
                self.values.number += 1;
                Ok(After::Values(self.values.clone()))
            }
            Page::Offset(_) | Page::Number(_) => Ok(After::End),
        }
    }

    fn follow(
        &mut self,
        url: &Url,
        link: &str,
        keep: Keep,
        force: &[(String, String)],
    ) -> Result<After, String> {
        let next = target(url, link, keep, force).ok_or_else(|| {
            let what = match keep {
                Keep::Url => "is no URL",
                Keep::Query => "has no query",
            };
            format!("the link to page {} {what}", self.count + 1)
        })?;
        for asked in [url, &next] {
            let is_new = self
                .seen
                .insert(*blake3::hash(asked.as_str().as_bytes()).as_bytes());
            if asked == &next && !is_new {
                return Err(format!(
                    "the link of page {} leads back to a page before it",
                    self.count
                ));
            }
        }
        Ok(After::Url(next))
    }
}

/// Where a link leads from a page.
fn target(url: &Url, link: &str, keep: Keep, force: &[(String, String)]) -> Option<Url> {
    let mut next = match keep {
        Keep::Url => url.join(link).ok()?,
        Keep::Query => {
            let query = match link.split_once('?') {
                Some((_, query)) => query,
                None if link.contains("://") || link.starts_with('/') => return None,
                None => link,
            };
            let query = query.split('#').next().filter(|query| !query.is_empty())?;
            let mut next = url.clone();
            next.set_query(Some(query));
            next
        }
    };
    if !force.is_empty() {
        let forced = |name: &str| force.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
        let kept: Vec<(String, String)> = next
            .query_pairs()
            .filter(|(name, _)| !forced(name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let added = force.iter().filter(|(_, value)| !value.is_empty());
        next.query_pairs_mut()
            .clear()
            .extend_pairs(kept.iter().chain(added));
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{Counted, Next};
    use crate::model::Printer;

    fn next() -> Page {
        Page::Next(Next {
            path: "next".into(),
            keep: Keep::Url,
            force: std::collections::BTreeMap::new(),
        })
    }

    fn came<'a>(url: &'a Url, around: &'a Value, records: &'a [Box<str>]) -> Came<'a> {
        Came {
            url,
            around,
            count: records.len() as u64,
            print: Print::of_page(
                records
                    .iter()
                    .map(|text| Printer::new(0, "", "").print(text)),
            ),
            link: None,
            force: &[],
        }
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
        let paging = paging(Page::Offset(Counted { first: 0, size: 2 }));
        let url = Url::parse("http://h/x").unwrap();
        let mut pages = Pages::start(Some(&paging));
        pages.records = MAX_RECORDS - 2;
        let mut take = |numbers| {
            let records = records(numbers);
            pages.take(Some(&paging), came(&url, &Value::Null, &records))
        };
        assert!(take(0..2).is_ok());
        assert_eq!(
            take(2..4).unwrap_err(),
            "there are more than 5000000 records"
        );
    }

    #[test]
    fn an_offset_grows_until_a_short_page() {
        let paging = paging(Page::Offset(Counted { first: 0, size: 2 }));
        let url = Url::parse("http://h/x").unwrap();
        let mut pages = Pages::start(Some(&paging));
        let after = pages
            .take(Some(&paging), came(&url, &Value::Null, &records(0..2)))
            .unwrap();
        assert_eq!(
            after,
            After::Values(PageValues {
                offset: 2,
                size: 2,
                ..PageValues::default()
            })
        );
        assert_eq!(
            pages
                .take(Some(&paging), came(&url, &Value::Null, &records(2..3)))
                .unwrap(),
            After::End
        );
        assert_eq!((pages.count, pages.records), (2, 3));
    }

    #[test]
    fn a_next_link_may_be_a_path_and_ends_when_it_is_null() {
        let paging = paging(next());
        let url = Url::parse("http://h:1/api/x?page=1").unwrap();
        let mut pages = Pages::start(Some(&paging));
        let after = pages
            .take(
                Some(&paging),
                came(&url, &json!({"next": "/api/x?page[n]=2"}), &records(0..1)),
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
                    came(&url, &json!({"next": null}), &records(1..2))
                )
                .unwrap(),
            After::End
        );
    }

    #[test]
    fn a_page_that_comes_again_ends_the_reading() {
        let paging = paging(next());
        let url = Url::parse("http://h/x").unwrap();
        let mut pages = Pages::start(Some(&paging));
        pages
            .take(
                Some(&paging),
                came(&url, &json!({"next": "/y"}), &records(0..2)),
            )
            .unwrap();
        let error = pages
            .take(
                Some(&paging),
                came(&url, &json!({"next": "/z"}), &records(0..2)),
            )
            .unwrap_err();
        assert_eq!(error, "page 2 is the same as one before it");
    }

    #[test]
    fn a_cursor_that_leads_to_itself_ends_the_reading() {
        let paging = paging(Page::Cursor("c".into()));
        let url = Url::parse("http://h/x").unwrap();
        let mut pages = Pages::start(Some(&paging));
        assert!(
            pages
                .take(
                    Some(&paging),
                    came(&url, &json!({"c": "k"}), &records(0..1))
                )
                .is_ok()
        );
        assert!(
            pages
                .take(
                    Some(&paging),
                    came(&url, &json!({"c": "k"}), &records(1..2))
                )
                .is_err()
        );
    }

    #[test]
    fn pages_without_records_end_the_reading_when_there_are_too_many_in_a_row() {
        let paging = paging(next());
        let url = Url::parse("http://h/x").unwrap();
        let mut pages = Pages::start(Some(&paging));
        let mut number = 0;
        let mut take = |records: std::ops::Range<u64>| {
            number += 1;
            let next = json!({"next": format!("/{number}")});
            pages.take(Some(&paging), came(&url, &next, &self::records(records)))
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
        let mut pages = Pages::start(Some(&paging));
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
}
