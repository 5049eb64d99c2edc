//! From one page to the next, and the guards against pages that never end. Pure.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use crate::config::Page;

use super::Path;
use super::template::PageValues;

/// More pages than this are no answer.
const MAX_PAGES: u64 = 100_000;
/// More pages in a row without a record than this lead nowhere. Some PMSs filter after they cut pages, so
/// that a few of them are nothing odd.
const MAX_EMPTY: u64 = 100;

/// How a request pages, with its paths compiled.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    pub(super) page: Page,
    pub(super) path: Path,
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
        url: &Url,
        around: &Value,
        records: &[Box<str>],
    ) -> Result<After, String> {
        let count = records.len() as u64;
        self.count += 1;
        self.records += count;
        if count > 0 && !self.is_new(records) {
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
        let Some(Paging { page, path }) = paging else {
            return Ok(After::End);
        };
        let told = path.text(around);
        match page {
            Page::Next(_) => match told {
                None => Ok(After::End),
                Some(link) => url
                    .join(&link)
                    .map(After::Url)
                    .map_err(|_| format!("the link to page {} is no URL", self.count + 1)),
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

    fn is_new(&mut self, records: &[Box<str>]) -> bool {
        let mut hasher = blake3::Hasher::new();
        for record in records {
            hasher.update(&(record.len() as u64).to_le_bytes());
            hasher.update(record.as_bytes());
        }
        self.seen.insert(*hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Counted;

    fn paging(page: Page) -> Paging {
        let path = match &page {
            Page::Next(path) | Page::Cursor(path) => Path::parse(path).unwrap(),
            _ => Path::default(),
        };
        Paging { page, path }
    }

    fn records(numbers: std::ops::Range<u64>) -> Vec<Box<str>> {
        numbers.map(|n| n.to_string().into_boxed_str()).collect()
    }

    #[test]
    fn an_offset_grows_until_a_short_page() {
        let paging = paging(Page::Offset(Counted { first: 0, size: 2 }));
        let url = Url::parse("http://h/x").unwrap();
        let mut pages = Pages::start(Some(&paging));
        let after = pages
            .take(Some(&paging), &url, &Value::Null, &records(0..2))
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
                .take(Some(&paging), &url, &Value::Null, &records(2..3))
                .unwrap(),
            After::End
        );
        assert_eq!((pages.count, pages.records), (2, 3));
    }

    #[test]
    fn a_next_link_may_be_a_path_and_ends_when_it_is_null() {
        let paging = paging(Page::Next("next".into()));
        let url = Url::parse("http://h:1/api/x?page=1").unwrap();
        let mut pages = Pages::start(Some(&paging));
        let after = pages
            .take(
                Some(&paging),
                &url,
                &json!({"next": "/api/x?page[n]=2"}),
                &records(0..1),
            )
            .unwrap();
        assert_eq!(
            after,
            After::Url(Url::parse("http://h:1/api/x?page[n]=2").unwrap())
        );
        assert_eq!(
            pages
                .take(Some(&paging), &url, &json!({"next": null}), &records(1..2))
                .unwrap(),
            After::End
        );
    }

    #[test]
    fn a_page_that_comes_again_ends_the_reading() {
        let paging = paging(Page::Next("next".into()));
        let url = Url::parse("http://h/x").unwrap();
        let mut pages = Pages::start(Some(&paging));
        pages
            .take(Some(&paging), &url, &json!({"next": "/y"}), &records(0..2))
            .unwrap();
        let error = pages
            .take(Some(&paging), &url, &json!({"next": "/z"}), &records(0..2))
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
                .take(Some(&paging), &url, &json!({"c": "k"}), &records(0..1))
                .is_ok()
        );
        assert!(
            pages
                .take(Some(&paging), &url, &json!({"c": "k"}), &records(1..2))
                .is_err()
        );
    }

    #[test]
    fn pages_without_records_end_the_reading_when_there_are_too_many_in_a_row() {
        let paging = paging(Page::Next("next".into()));
        let url = Url::parse("http://h/x").unwrap();
        let mut pages = Pages::start(Some(&paging));
        let mut take = |records: std::ops::Range<u64>| {
            let next = json!({"next": "/y"});
            pages.take(Some(&paging), &url, &next, &self::records(records))
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
}
