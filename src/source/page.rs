//! From one page to the next, whether the last one is the last, and the guards against pages that never end. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use crate::config::{Counted, Keep, Page, Until};
use crate::model::Print;

use super::Path;
use super::tally::{READINGS, Sum, Tally};
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

/// Why a page is asked for, where pages are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Why {
    /// It is the first, or the answer before says that it is there.
    #[default]
    There,
    /// The page before was full, so there may be one more.
    BehindFull,
    /// The page before had only so many records, so there should be none.
    BehindShort(u64),
    /// As many records came as are declared, on one page: should that be the number of each page, there is one more.
    BehindAll,
}

/// What is known of the declared number of records from what a request was asked for so far: some PMSs declare the number of
/// each page, which is that of all on every page that is alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Trust {
    /// An answer declared more than stood on it.
    is_of_all: bool,
    /// The most records on a page behind which there was nothing: pages have so many at least.
    alone: u64,
}

/// A page that came, and what its successor depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came<'a> {
    /// What was asked.
    pub(super) url: &'a Url,
    pub(super) around: &'a Value,
    /// What tells its records from others: by their texts, and by their ids where these are known.
    pub(super) prints: &'a [Print],
    pub(super) ids: &'a [Print],
    /// The number of records in all, as the answer declares it.
    pub(super) declared: Option<u64>,
    /// The link of the `Link` header, or why there is none although it may have one.
    pub(super) link: Result<Option<&'a str>, &'a str>,
    /// Query parameters that every further page is asked with; an empty one is left out.
    pub(super) force: &'a [(String, String)],
}

/// What comes after a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Nothing: all of it is here.
    End,
    /// The same, and this page is the one before once more: nothing of it counts.
    Repeated,
    /// All of it, once more from the beginning: what came so far does not count.
    Again,
    /// One more request from the template, with these values.
    Values(PageValues),
    /// One more request to this URL.
    Url(Url),
}

/// The pages of one reading of a PMS property, as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) values: PageValues,
    pub(super) count: u64,
    /// Why the next page is asked for.
    pub(super) why: Why,
    /// Which reading it is, from 1.
    reading: u32,
    tally: Tally,
    seen: BTreeSet<[u8; 32]>,
    printed: BTreeSet<Print>,
    last: Option<Print>,
    /// Pages in a row without a record.
    empty: u64,
    /// What is known of the declared number.
    trust: Trust,
    /// What would have come had the number of records been right; none while nothing speaks against it.
    doubtful: Option<Doubtful>,
}

/// How a reading ends whose number of records is not the declared one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubtful {
    /// With the page that came.
    End,
    /// With the page before: this one is the same.
    Repeated,
}

impl Pages {
    /// The `reading`th reading of a property; `declares` where the connector says where the number of records stands.
    pub(super) fn start(paging: Option<&Paging>, declares: bool, reading: u32) -> Pages {
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
            reading,
            tally: Tally::new(declares),
            ..Pages::default()
        }
    }

    /// The same, with what is known of the declared number.
    pub(super) fn trusting(self, trust: Trust) -> Pages {
        Pages { trust, ..self }
    }

    /// What is known of the declared number now.
    pub(super) fn trust(&self) -> Trust {
        self.trust
    }

    /// How many records came.
    pub(super) fn records(&self) -> u64 {
        self.tally.records()
    }

    /// Whether the only fault is that another number of records came than is declared, and how the reading would end.
    pub(super) fn doubtful(&self) -> Option<Doubtful> {
        self.doubtful
    }

    /// Takes a page in and says what comes next; an error says why the pages cannot be trusted.
    pub(super) fn take(
        &mut self,
        paging: Option<&Paging>,
        came: Came<'_>,
    ) -> Result<After, String> {
        self.count += 1;
        let count = came.prints.len() as u64;
        let counted = match paging.map(|paging| &paging.page) {
            Some(Page::Offset(counted) | Page::Number(counted)) => Some(*counted),
            _ => None,
        };
        let print = Print::of_page(came.prints.iter().copied());
        if count > 0 && !self.printed.insert(print) {
            return match counted {
                Some(_) if self.last == Some(print) => self.repeated(came.declared),
                _ => Err(format!("page {} is the same as one before it", self.count)),
            };
        }
        self.last = (count > 0).then_some(print);
        self.tally.take(came.declared, came.prints, came.ids);
        self.trust.is_of_all |= count > 0 && came.declared.is_some_and(|declared| declared > count);
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
        if self.records() > MAX_RECORDS {
            return Err(format!("there are more than {MAX_RECORDS} records"));
        }
        if self.tally.moved() && self.reading < READINGS {
            return Ok(After::Again);
        }
        let Some(paging) = paging else {
            return self.end();
        };
        match counted {
            Some(counted) => self.counted(&paging.page, counted, count),
            None => self.led(paging, came),
        }
    }

    /// The page before, once more. Some PMSs answer so to the question behind their last page; one that answers so to
    /// the question for the second page does not hear which page it is asked for.
    fn repeated(&mut self, declared: Option<u64>) -> Result<After, String> {
        if self.tally.is_another(declared) && self.reading < READINGS {
            return Ok(After::Again);
        }
        if self.count == 2 && !self.tally.is_met() {
            return Err(
                "page 2 is the same as one before it: the PMS does not heed which page it is asked for; correct the request, or leave `page` out where all of it comes at once"
                    .into(),
            );
        }
        let end = self.end();
        if end.is_err() {
            self.doubtful = Some(Doubtful::Repeated);
        }
        Ok(match end? {
            After::End => After::Repeated,
            after => after,
        })
    }

    /// What comes after a page whose successor is counted.
    fn counted(&mut self, page: &Page, counted: Counted, count: u64) -> Result<After, String> {
        if count == 0 {
            if self.why == Why::BehindAll {
                self.trust.alone = self.trust.alone.max(self.records());
            }
            return self.end();
        }
        if let Why::BehindShort(came) = self.why {
            return Err(format!(
                "page {} had {came} records where {} were asked for, and there are more behind it: the PMS caps its pages, or leaves some records out; write `size: {came}` where its pages are never larger, or `until: empty` where they have any size",
                self.count - 1,
                counted.size
            ));
        }
        let met = self.tally.is_met();
        let full = count >= counted.size;
        self.why = match counted.until {
            Until::Total if !self.tally.is_declared() => return self.end(),
            Until::Short | Until::Total
                if met && self.count == 1 && (full || self.may_be_of_the_page(count)) =>
            {
                Why::BehindAll
            }
            Until::Short | Until::Total if met => return self.end(),
            Until::Short if full => Why::BehindFull,
            Until::Short if self.tally.is_exceeded() => return self.end(),
            Until::Short => Why::BehindShort(count),
            Until::Empty | Until::Total => Why::BehindFull,
        };
        match page {
            Page::Offset(_) => self.values.offset += count,
            _ => self.values.number += 1,
        }
        Ok(After::Values(self.values.clone()))
    }

    /// Whether the number that a page declares, which is that of its records, may be that of this page alone.
    fn may_be_of_the_page(&self, count: u64) -> bool {
        !self.trust.is_of_all && count >= self.trust.alone
    }

    /// What comes after a page that leads to its successor.
    fn led(&mut self, paging: &Paging, came: Came<'_>) -> Result<After, String> {
        let Came {
            url,
            around,
            link,
            force,
            ..
        } = came;
        let told = match paging.page {
            Page::Next(_) | Page::Cursor(_) => lead(&paging.path, around)?,
            _ => None,
        };
        match &paging.page {
            Page::Next(next) => match told {
                None => self.end(),
                Some(link) => self.follow(url, &link, next.keep, force),
            },
            Page::Link(next) => match link.map_err(str::to_owned)? {
                None => self.end(),
                Some(link) => self.follow(url, link, next.keep, force),
            },
            Page::Cursor(_) => match told {
                None => self.end(),
                Some(cursor) if cursor == self.values.cursor => {
                    Err(format!("the cursor of page {} leads to itself", self.count))
                }
                Some(cursor) => {
                    self.values.cursor = cursor.into_owned();
                    Ok(After::Values(self.values.clone()))
                }
            },
            Page::Offset(_) | Page::Number(_) => self.end(),
        }
    }

    /// No further page is asked for.
    fn end(&mut self) -> Result<After, String> {
        match self.tally.sum(self.reading) {
            Sum::Complete => Ok(After::End),
            Sum::Again => Ok(After::Again),
            Sum::Wrong(what) => {
                self.doubtful = Some(Doubtful::End);
                Err(what)
            }
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

/// What leads on, as text; none where nothing is there, or what says that there is no more. An error where something else is.
fn lead<'a>(path: &Path, around: &'a Value) -> Result<Option<Cow<'a, str>>, String> {
    let Some(found) = path.first(around) else {
        return Ok(None);
    };
    let is_nothing = match found {
        Value::Bool(truth) => !truth,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => {
            let is_nil = members.get("@nil").and_then(Value::as_str);
            members.is_empty() || matches!(is_nil, Some("true" | "1"))
        }
        _ => false,
    };
    if is_nothing {
        return Ok(None);
    }
    if !found.is_boolean()
        && let Some(text) = path.text(around)
    {
        return Ok(Some(text));
    }
    let members = found.as_object().into_iter().flatten();
    let mut texts = members.filter(|(_, value)| value.is_string());
    let remedy = match texts.next() {
        Some((name, _)) => format!("did you mean `{path}/{name}`?"),
        None => "write the path of the text down to its end".to_owned(),
    };
    Err(format!(
        "what is at `{path}`, where `page` of the connector looks, is no text; {remedy}"
    ))
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
mod tests;
