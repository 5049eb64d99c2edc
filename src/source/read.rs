//! Reads one request for one PMS property, page after page, and once more where its number of records moved meanwhile.
//! What comes next is decided in `page`.

use std::sync::Arc;

use reqwest::header::LINK;
use serde_json::Value;
use tokio::sync::mpsc;
use url::Url;

use crate::config;
use crate::model::{Print, Printer, Record};
use crate::outbound::Answer;

use super::call::Call;
use super::compiled::{Request, Total};
use super::decode::Decoded;
use super::fetch::{Ask, Page};
use super::known::{Known, Same};
use super::page::{After, Came, Doubtful, Pages, Why};
use super::presence::{Named, Presence, Whose};
use super::reader::{Handed, Heard, Reader};
use super::template::{PageValues, Place};
use super::{SourceError, link, media};

impl Reader {
    /// Reads all of a request for a property; gives the number of pages and of records that count.
    pub(super) async fn read_property(
        &self,
        call: &Call<'_>,
        taker: &mpsc::Sender<Handed>,
        presence: &mut Presence,
    ) -> Result<(u64, u64), SourceError> {
        let Some(request) = call.source.requests.get(call.request) else {
            return Err(SourceError::Stopped);
        };
        let taker = Taker {
            pages: taker,
            request: call.request.into(),
            property: call.property.into(),
        };
        taker.hand(Handed::Begin).await?;
        let mut reading = 1;
        loop {
            let mut once = Once {
                call,
                request,
                reading,
                presence,
                listens: self.listener.is_some(),
                heard: Vec::new(),
                left_out: 0,
                nameless: 0,
            };
            if let Some(pages) = once.read(self, &taker).await? {
                for answer in once.heard {
                    // Whoever listened may have gone.
                    let _ = self.listener.as_ref().map(|listener| listener.send(answer));
                }
                if once.nameless > 0 {
                    taker.hand(Handed::Nameless(once.nameless)).await?;
                }
                return Ok((pages.count, pages.records() - once.left_out));
            }
            tracing::info!(
                request = call.request,
                property = call.property,
                reading,
                "records moved while they were read, and are read again"
            );
            taker.hand(Handed::Again).await?;
            reading += 1;
        }
    }
}

/// Whoever takes the records of a request for a property.
struct Taker<'a> {
    pages: &'a mpsc::Sender<Handed>,
    request: Arc<str>,
    property: Arc<str>,
}

impl Taker<'_> {
    async fn page(&self, decoded: Decoded, whose: Whose) -> Result<(), SourceError> {
        let places = decoded.known.into_iter().chain(std::iter::repeat(None));
        let records = decoded.records.into_iter().zip(places);
        let record = |(json, place): (Box<str>, Option<Same>), property: &Arc<str>| Record {
            request: Arc::clone(&self.request),
            property: Arc::clone(property),
            json,
            known: place.map(|same| same.place),
        };
        let records: Vec<Record> = match whose {
            Whose::Asked => records.map(|one| record(one, &self.property)).collect(),
            Whose::Each(each) => records
                .zip(each)
                .filter_map(|(one, named)| match named {
                    Named::Attached(property) => Some(record(one, &property)),
                    Named::Other(_) | Named::Nobody => None,
                })
                .collect(),
        };
        self.hand(Handed::Page(records)).await
    }

    async fn hand(&self, handed: Handed) -> Result<(), SourceError> {
        let taken = self.pages.send(handed).await;
        taken.map_err(|_| SourceError::Stopped)
    }
}

/// One reading of a property.
struct Once<'a, 'c> {
    call: &'a Call<'c>,
    request: &'a Request,
    /// Which one it is, from 1.
    reading: u32,
    presence: &'a mut Presence,
    /// Whether somebody hears the answers.
    listens: bool,
    heard: Vec<Heard>,
    /// Records that are of no attached PMS property, and those of them that name none.
    left_out: u64,
    nameless: u64,
}

impl Once<'_, '_> {
    /// Page after page; none where all of it has to be read again.
    async fn read(
        &mut self,
        reader: &Reader,
        taker: &Taker<'_>,
    ) -> Result<Option<Pages>, SourceError> {
        let (call, request) = (self.call, self.request);
        let paging = request.paging.as_ref();
        let mut pages = Pages::start(paging, request.total.is_some(), self.reading)
            .trusting(self.presence.granted.trust);
        let mut values = pages.values.clone();
        let mut next: Option<Url> = None;
        loop {
            let first = call.url(&values.as_of_now())?;
            let url = next.as_ref().unwrap_or(&first);
            let ask = Ask {
                first: &first,
                url,
                values: &values,
                why: pages.why,
                // The first reading goes by the texts of records alone.
                keeps_texts: self.reading > 1,
                is_first: self.reading == 1 && pages.count == 0,
            };
            let page = match reader.fetch(call, request, &ask).await {
                Ok(page) => Some(page),
                Err(error) if shows_nothing(&error, pages.why) => None,
                Err(error) => return Err(error),
            };
            let after = self.call.after(
                request,
                &mut pages,
                page.as_ref(),
                url,
                |decoded, prints| self.ids(decoded, prints),
            );
            self.presence.granted.trust = pages.trust();
            let after = match (after, pages.doubtful()) {
                (Err(error), Some(doubtful)) if reader.hears_of(&error) => match doubtful {
                    Doubtful::End => After::End,
                    Doubtful::Repeated => After::Repeated,
                },
                (after, _) => after?,
            };
            match after {
                After::Again => return Ok(None),
                After::Repeated => return Ok(Some(pages)),
                After::End | After::Values(_) | After::Url(_) => {}
            }
            if let Some(page) = page {
                self.presence.granted.take(call, request, &page);
                let Page {
                    decoded, answer, ..
                } = page;
                let whose = self.whose(&decoded)?;
                self.hear(&decoded, &answer);
                taker.page(decoded, whose).await?;
            }
            match after {
                After::Values(after) => values = after,
                After::Url(url) => next = Some(url),
                After::End | After::Repeated | After::Again => return Ok(Some(pages)),
            }
        }
    }

    /// Whose the records of a page are. Of a feed of changes that is asked once all of them count: one may have gone to
    /// another property, and be there no more.
    fn whose(&mut self, decoded: &Decoded) -> Result<Whose, SourceError> {
        let (_, spec) = self.call.spec()?;
        let whose = self.presence.look(self.call, self.request, decoded)?;
        if spec.since.is_some() || self.call.takes_all {
            return Ok(Whose::Asked);
        }
        if let Whose::Each(each) = &whose {
            let count = |is: fn(&Named) -> bool| each.iter().filter(|one| is(one)).count() as u64;
            self.left_out += count(|one| !matches!(one, Named::Attached(_)));
            self.nameless += count(|one| *one == Named::Nobody);
        }
        Ok(whose)
    }

    /// What tells the records from others by their ids, from the second reading on; those without one by their texts.
    fn ids(&self, decoded: &Decoded, prints: &[Print]) -> Vec<Print> {
        if self.reading == 1 || self.request.total.is_none() {
            return Vec::new();
        }
        let plain = Printer::new(0, "", "");
        let records = decoded.records.iter().zip(prints);
        let id = |json: &str| self.call.source.record_id(self.call.request, json);
        records
            .map(|(json, print)| id(json).map_or(*print, |id| plain.print(&id)))
            .collect()
    }

    fn hear(&mut self, decoded: &Decoded, answer: &Answer) {
        if !self.listens || decoded.records.is_empty() {
            return;
        }
        let shape = &self.request.shape;
        let Ok(body) = shape.unpacked(&answer.body) else {
            return;
        };
        let charset = media::charset(&answer.headers);
        let text = shape.text(&body, charset.as_deref());
        self.heard.push(Heard {
            request: self.call.request.to_owned(),
            property: self.call.property.to_owned(),
            text: self.call.account.strike(&text.unwrap_or_default()),
            records: decoded.records.clone(),
        });
    }
}

/// Whether a question that need not have an answer was refused, so that there is no more.
fn shows_nothing(error: &SourceError, why: Why) -> bool {
    match why {
        Why::There | Why::BehindFull => false,
        Why::BehindShort(_) => matches!(error, SourceError::Unexpected(_)),
        Why::BehindAll => matches!(
            error,
            SourceError::Unexpected(_) | SourceError::Unavailable(_)
        ),
    }
}

/// The link to the page behind this one, or why it cannot be told whether there is one.
pub(super) fn next_link(answer: &Answer, rel: &str) -> Result<Option<String>, String> {
    let links = answer.headers.get_all(LINK).iter();
    let links: Vec<_> = links
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    link::target(links.iter().map(AsRef::as_ref), rel)
}

/// The number of records in all, as an answer declares it.
pub(super) fn declared(request: &Request, page: &Page) -> Option<u64> {
    let number = |text: &str| {
        let text = text.trim();
        let text = text.strip_suffix(".0").unwrap_or(text);
        text.parse().ok().or_else(|| of_thousands(text))
    };
    match request.total.as_ref()? {
        Total::Path(path) => number(&path.text(&page.decoded.around)?),
        Total::Header(name) => number(page.answer.header(name)?),
    }
}

/// A number that is written for people: `1,003`.
fn of_thousands(text: &str) -> Option<u64> {
    let (first, rest) = text.split_once(',')?;
    let is_digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let is_one = (1..=3).contains(&first.len())
        && is_digits(first)
        && rest
            .split(',')
            .all(|part| part.len() == 3 && is_digits(part));
    is_one.then(|| text.replace(',', "").parse().ok())?
}

/// Pages are compared with each other, whatever else is known of their records.
fn known_or_plain(call: &Call<'_>) -> Printer {
    let of = |known: &Known| known.printer(call.request, call.property);
    call.known.map_or(Printer::new(0, "", ""), of)
}

pub(super) fn prints(decoded: &Decoded, printer: Printer) -> Vec<Print> {
    let places = decoded.known.iter().map(Option::as_ref);
    let places = places.chain(std::iter::repeat(None));
    let records = decoded.records.iter().zip(places);
    records
        .map(|(text, place)| match place {
            Some(place) => place.print,
            None => printer.print(text),
        })
        .collect()
}

impl Call<'_> {
    /// Takes a page in, and says what comes after it. `ids` tells its records from others by their ids, where this is known.
    pub(super) fn after(
        &self,
        request: &Request,
        pages: &mut Pages,
        page: Option<&Page>,
        url: &Url,
        ids: impl FnOnce(&Decoded, &[Print]) -> Vec<Print>,
    ) -> Result<After, SourceError> {
        let (_, spec) = self.spec()?;
        let link = match (&spec.page, page) {
            (Some(config::Page::Link(link)), Some(page)) => next_link(&page.answer, &link.rel),
            _ => Ok(None),
        };
        let prints = page.map(|page| prints(&page.decoded, known_or_plain(self)));
        let prints = prints.unwrap_or_default();
        let ids = page.map(|page| ids(&page.decoded, &prints));
        let force = self.forced(&pages.values)?;
        let after = pages.take(
            request.paging.as_ref(),
            Came {
                url,
                around: page.map_or(&Value::Null, |page| &page.decoded.around),
                prints: &prints,
                ids: &ids.unwrap_or_default(),
                declared: page.and_then(|page| declared(request, page)),
                link: link.as_ref().map(Option::as_deref).map_err(String::as_str),
                force: &force,
            },
        );
        after.map_err(|what| {
            let remedy = "nothing was written; the next run tries again";
            SourceError::Unexpected(self.told(&what, None, remedy))
        })
    }

    /// The query parameters that a link's page is asked with, whatever the link says.
    fn forced(&self, values: &PageValues) -> Result<Vec<(String, String)>, SourceError> {
        let (_, spec) = self.spec()?;
        let (kind, force) = match &spec.page {
            Some(config::Page::Next(next)) => ("next", &next.force),
            Some(config::Page::Link(link)) => ("link", &link.force),
            _ => return Ok(Vec::new()),
        };
        force
            .keys()
            .map(|name| {
                let field = self.at(&format!("page.{kind}.force.{name}"));
                Ok((name.clone(), self.render(Place::Plain, &field, values)?))
            })
            .collect()
    }
}
