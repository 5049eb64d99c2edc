//! What a reading took for granted, because no answer said otherwise: that no page follows, and that nobody is there. Where
//! that is most likely wrong the reading is incomplete; else it is noted.

use std::collections::BTreeMap;

use reqwest::header::LINK;
use serde_json::Value;

use crate::config::{self, Body, Connector, Format};

use super::answer::By;
use super::call::Call;
use super::compiled::Request;
use super::fetch::Page;
use super::judged::Presumed;
use super::page::Trust;
use super::presence::Amiss;
use super::{SourceError, csv};

/// So many records on a page are as many as were asked for only by chance, where there are fewer.
const FULL_FROM: u64 = 5;

/// Notes of a reading, with how often each holds: a kind, and the place in the connector's file that it is about.
pub type Notes = BTreeMap<String, u64>;

/// What the answers to a request said and did not say.
#[derive(Debug, Default)]
pub(super) struct Granted {
    /// What is known of the declared number of records.
    pub(super) trust: Trust,
    /// Answers that say that what was asked for is there no more.
    pub(super) gone: u64,
    /// Details of a record of a list in which there was nobody, without a word about it.
    pub(super) empty_details: u64,
    /// Pages with records that say nothing about a next one, not even that there is none.
    silent: u64,
    /// Whether any page said something about it.
    leads: bool,
    /// The records on a silent page that has as many as were asked for.
    full: Option<u64>,
    nobody: Notes,
    /// Columns of one name, with how many they are.
    twice: Notes,
    /// Those of the list whose details were read.
    of_list: Notes,
}

impl Granted {
    /// Takes an answer in.
    pub(super) fn take(&mut self, call: &Call<'_>, request: &Request, page: &Page) {
        match &page.presumed {
            Some(Presumed::Gone) => self.gone += 1,
            Some(Presumed::Nobody(by)) => {
                let by = match by {
                    By::Rule(at) => request.rule_named(at),
                    By::Judge => "the function `verdict`",
                    By::Usual => "its status",
                };
                let note = format!("taken_for_empty by {by}");
                *self.nobody.entry(note).or_default() += 1;
            }
            None => {}
        }
        self.twice.extend(columns_twice(call, request, page));
        let Ok((_, spec)) = call.spec() else { return };
        self.leads_on(spec, request, page);
    }

    /// Takes in what an answer says about the page behind it.
    pub(super) fn leads_on(&mut self, spec: &config::Request, request: &Request, page: &Page) {
        let Some(leads) = leads(spec, request, page) else {
            return;
        };
        let count = page.decoded.records.len() as u64;
        if leads {
            self.leads = true;
        } else if count > 0 {
            self.silent += 1;
            if count >= FULL_FROM && asks_for(spec, count) {
                self.full = Some(count);
            }
        }
    }

    /// Why what was taken for granted is most likely wrong; none where it may be right.
    pub(super) fn wrong(&self, spec: &config::Request) -> Option<Amiss> {
        let full = self.full.filter(|_| !self.leads)?;
        let place = next_place(spec);
        Some(Amiss {
            what: format!(
                "no answer has anything {place}, where `page` of the connector looks for the next page, and one has just the {full} records that were asked for"
            ),
            remedy: "nothing was written; correct `page` of the request; where the PMS says nothing behind its last page, ask for larger pages, or say by `total` how many records there are".into(),
        })
    }

    /// The notes of a request named `request`.
    pub(super) fn notes(&self, request: &str) -> Notes {
        let mut notes = self.nobody.clone();
        let place = Connector::place_of(request);
        if self.silent > 0 && !self.leads {
            let note = format!("no_next_page at {place}.page");
            notes.insert(note, self.silent);
        }
        for (kind, count) in [("empty", self.empty_details), ("gone", self.gone)] {
            if count > 0 {
                notes.insert(format!("{kind}_details at {place}"), count);
            }
        }
        notes.extend(self.twice.clone());
        notes.extend(self.of_list.clone());
        notes
    }

    /// Takes in what the reading of a list took for granted; there is one for each PMS property.
    pub(super) fn of_list(&mut self, notes: Notes) {
        for (note, count) in notes {
            *self.of_list.entry(note).or_default() += count;
        }
    }

    /// How many answers said that there is nobody, or nobody any more.
    pub(super) fn answered_nobody(&self) -> u64 {
        self.gone + self.nobody.values().sum::<u64>()
    }
}

/// The columns of one name on a page of CSV with records, each as a note with how many there are.
fn columns_twice(call: &Call<'_>, request: &Request, page: &Page) -> Notes {
    if !request.shape.is_of(Format::Csv) || page.decoded.records.is_empty() {
        return Notes::new();
    }
    let around = &page.decoded.around;
    let around = match request.shape.inner() {
        Some((_, path)) => path.first(around),
        None => Some(around),
    };
    let twice = around.map(csv::twice).unwrap_or_default();
    let place = Connector::place_of(call.request);
    let note = |name: &str| format!("column_twice:{name} at {place}");
    twice
        .into_iter()
        .map(|(name, count)| (note(name), count))
        .collect()
}

/// Whether an answer says anything about the next page where the connector looks, be it that there is none; none where it
/// looks nowhere, or the number of records tells whether all came.
fn leads(spec: &config::Request, request: &Request, page: &Page) -> Option<bool> {
    if request.total.is_some() {
        return None;
    }
    let around = &page.decoded.around;
    let path = &request.paging.as_ref()?.path;
    match &spec.page {
        Some(config::Page::Next(_) | config::Page::Cursor(_)) => {
            Some(path.first(around).is_some() || path.is_null(around))
        }
        Some(config::Page::Link(_)) => Some(page.answer.headers.contains_key(LINK)),
        _ => None,
    }
}

/// Whether a request asks for so many records, in words that are the same each time.
fn asks_for(spec: &config::Request, count: u64) -> bool {
    let is_it = |text: &str| text.trim().parse() == Ok(count);
    let in_url = spec.url.split_once('?').is_some_and(|(_, query)| {
        let mut values = query.split('&').filter_map(|pair| pair.split_once('='));
        values.any(|(_, value)| is_it(value))
    });
    let in_body = match &spec.body {
        Some(Body::Form(members)) => members.values().any(|value| is_it(value)),
        Some(Body::Json(value)) => has_leaf(value, &is_it),
        Some(Body::Xml(_) | Body::Soap(_)) | None => false,
    };
    in_url || in_body || spec.query.values().any(|value| is_it(value))
}

fn has_leaf(value: &Value, is_it: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Number(number) => is_it(&number.to_string()),
        Value::String(text) => is_it(text),
        Value::Array(items) => items.iter().any(|item| has_leaf(item, is_it)),
        Value::Object(members) => members.values().any(|item| has_leaf(item, is_it)),
        Value::Null | Value::Bool(_) => false,
    }
}

impl Call<'_> {
    /// Why what was taken for granted is most likely wrong; none where it may be right.
    pub(super) fn not_granted(&self, granted: &Granted) -> Option<SourceError> {
        let (_, spec) = self.spec().ok()?;
        Some(self.amiss(&granted.wrong(spec)?))
    }

    /// What was taken for granted although no answer says it, in words; none where all was said.
    pub(super) fn silence(&self, granted: &Granted) -> Option<String> {
        let (_, spec) = self.spec().ok()?;
        (granted.silent > 0 && !granted.leads).then(|| {
            format!(
                "the answer has nothing {}, not even that there is none: this is all, or `page` of the connector looks at the wrong place",
                next_place(spec)
            )
        })
    }
}

/// Where the next page is looked for.
fn next_place(spec: &config::Request) -> String {
    match &spec.page {
        Some(config::Page::Next(next)) => format!("at `{}`", next.path),
        Some(config::Page::Cursor(path)) => format!("at `{path}`"),
        Some(config::Page::Link(link)) => format!("in the header `Link` for `{}`", link.rel),
        _ => String::new(),
    }
}
