//! What a run would make of one answer that comes alone: what it means, and why the run would be incomplete, in the words
//! of a run. For recorded answers; asks nobody and knows no credential.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::config::{self, Verdict};
use crate::model::{Print, Printer};
use crate::outbound::{Answer, Told, impersonal, shorten};

use super::answer::Judge;
use super::call::subject;
use super::chain::amiss_with_step;
use super::compiled::{Request, Source};
use super::decode::{Decoded, Shape, whole};
use super::fetch::Page;
use super::judged::{Looked, Meaning, Reply, Taken, Wrong};
use super::page::{Came, Pages};
use super::presence::{Amiss, Presence, Wanted};
use super::read::{declared, next_link, prints};
use super::tally::READINGS;
use super::verdict::{refused, unreadable};

/// An answer to judge.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The status code.
    pub status: u16,
    /// Names and values; a name may come again.
    pub headers: &'a [(String, String)],
    /// Its bytes, unpacked.
    pub body: &'a [u8],
}

/// What an answer is the answer to.
#[derive(Debug, Clone, Copy)]
pub struct AnswerTo<'a> {
    /// The request, as the connector names it.
    pub request: &'a str,
    /// The PMS property; empty where it is asked once, or not known.
    pub property: &'a str,
    /// The attached PMS properties.
    pub attached: &'a [String],
    /// The answers' form, where it is another than the connector says.
    pub shape: Option<&'a Shape>,
}

/// Why a run would be incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// As the run says it.
    pub told: Told,
    /// That another number of records came than is declared, and nothing else is amiss: more may stand in other answers.
    pub is_of_number: bool,
}

/// What an answer that comes alone means to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// How it is judged.
    pub meaning: Meaning,
    /// Why the run would be incomplete.
    pub incomplete: Option<Incomplete>,
}

impl Source {
    /// What an answer to the first page of a request means. An error says that there is no such request, that a header
    /// cannot be, or what is wrong with the judge.
    pub fn alone(
        &self,
        asked: AnswerTo<'_>,
        judge: Option<&dyn Judge>,
        sample: Sample<'_>,
    ) -> Result<Alone, String> {
        let headers = headers(sample.headers)?;
        let reply = Reply {
            status: sample.status,
            headers: &headers,
            of_part: false,
        };
        let asked = AnswerTo {
            // Nobody asked for one.
            property: if self.is_asked_once(asked.request) {
                ""
            } else {
                asked.property
            },
            ..asked
        };
        let looked = self.looked(asked, judge, reply, sample.body)?;
        let meaning = looked.meaning.clone();
        let (Some(request), Some(spec)) = (
            self.requests.get(asked.request),
            self.connector.request(asked.request),
        ) else {
            return Err(format!("the connector has no request `{}`", asked.request));
        };
        let answer = Answer {
            status: sample.status,
            headers: headers.clone(),
            body: Vec::new(),
            of_part: false,
        };
        let of = Of {
            source: self,
            asked,
            spec,
            request,
        };
        Ok(Alone {
            incomplete: of.incomplete(looked, answer),
            meaning,
        })
    }
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{name}` is no name of a header"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("the value of `{name}` is none that a header can have"))?;
        headers.append(key, value);
    }
    Ok(headers)
}

/// The request that is answered.
struct Of<'a> {
    source: &'a Source,
    asked: AnswerTo<'a>,
    spec: &'a config::Request,
    request: &'a Request,
}

impl Of<'_> {
    fn incomplete(&self, looked: Looked, answer: Answer) -> Option<Incomplete> {
        let Looked {
            meaning,
            judgement,
            taken,
            raw,
        } = looked;
        let told = |what: &str, remedy: &str| {
            let said = judgement.said.as_deref();
            Some(Incomplete {
                told: Told {
                    request: self.asked.request.to_owned(),
                    subject: subject(self.asked.property),
                    what: what.to_owned(),
                    said: said.map(|said| shorten(&impersonal(said))),
                    remedy: remedy.to_owned(),
                },
                is_of_number: false,
            })
        };
        let hint = judgement.hint.as_deref();
        match taken {
            None if meaning.verdict == Verdict::Accepted && self.spec.poll.is_some() => {
                let what = "it is not ready";
                told(what, "a run asks again until `poll.at_most` is over")
            }
            None if meaning.verdict == Verdict::Ok => {
                let amiss = self.amiss_before(&answer, &raw)?;
                told(&amiss.what, &amiss.remedy)
            }
            None if self.source.logout() == Some(self.asked.request) => None,
            Some(Ok(taken)) => self.amiss(taken, answer),
            None | Some(Err(Wrong::Refused)) => match meaning.verdict {
                // These end a run in their own way.
                Verdict::LoginFailed | Verdict::Denied => None,
                verdict => {
                    let (what, remedy) = refused(self.source.whose(), verdict, answer.status);
                    told(&what, hint.unwrap_or(remedy))
                }
            },
            Some(Err(Wrong::Unreadable(error))) => {
                let remedy = unreadable(self.shape(), &raw);
                told(&error.to_string(), hint.unwrap_or(&remedy))
            }
            Some(Err(Wrong::Unexpected { what, remedy })) => {
                let remedy = format!("{remedy}{}", judgement.place(self.request));
                told(&what, hint.unwrap_or(&remedy))
            }
        }
    }

    /// What is amiss with an answer that has no records: of a login, or of a step before another request.
    fn amiss_before(&self, answer: &Answer, raw: &str) -> Option<Amiss> {
        let around = whole(self.shape().format(), raw).ok();
        if self.source.login() == Some(self.asked.request) {
            let place = &self.source.tokens.as_ref()?.place;
            let around = around.unwrap_or_default();
            let token = place.token(&around, raw, &answer.headers);
            return token.is_none().then(|| place.missing());
        }
        amiss_with_step(
            self.request,
            answer.status,
            &answer.headers,
            around.as_ref(),
            raw,
        )
    }

    fn shape(&self) -> &Shape {
        self.asked.shape.unwrap_or(&self.request.shape)
    }

    /// What is amiss with records that could be taken. What no record of any PMS property has is told of none.
    fn amiss(&self, taken: Taken, answer: Answer) -> Option<Incomplete> {
        let page = Page {
            decoded: taken.decoded,
            answer,
            presumed: taken.presumed,
        };
        let mut presence = Presence::default();
        let wanted = Wanted {
            property: self.asked.property,
            attached: self.asked.attached,
        };
        // In the order of a run: pages first, then whose their records are, then what none had.
        if let Some((amiss, is_of_number)) = self.pages(&page) {
            return Some(self.told(amiss, self.asked.property, is_of_number));
        }
        if let Err(amiss) = presence.take_in(self.request, &page.decoded, wanted) {
            return Some(self.told(amiss, self.asked.property, false));
        }
        presence.granted.leads_on(self.spec, self.request, &page);
        let amiss = presence.leads_nowhere(self.request);
        let amiss = amiss.or_else(|| presence.granted.wrong(self.spec))?;
        Some(self.told(amiss, "", false))
    }

    fn told(&self, amiss: Amiss, property: &str, is_of_number: bool) -> Incomplete {
        Incomplete {
            told: Told {
                request: self.asked.request.to_owned(),
                subject: subject(property),
                what: amiss.what,
                said: None,
                remedy: amiss.remedy,
            },
            is_of_number,
        }
    }

    /// What is amiss with the pages, were this the first of them. Where more follow, nothing is known of them.
    fn pages(&self, page: &Page) -> Option<(Amiss, bool)> {
        let link = match &self.spec.page {
            Some(config::Page::Link(link)) => next_link(&page.answer, &link.rel),
            _ => Ok(None),
        };
        let prints = prints(&page.decoded, Printer::new(0, "", ""));
        let ids = self.ids(&page.decoded, &prints);
        let declares = self.request.total.is_some();
        // Another reading would come to the same.
        let mut pages = Pages::start(self.request.paging.as_ref(), declares, READINGS);
        let came = Came {
            url: &Url::parse("https://pms.invalid/").ok()?,
            around: &page.decoded.around,
            prints: &prints,
            ids: &ids,
            declared: declared(self.request, page),
            link: link.as_ref().map(Option::as_deref).map_err(String::as_str),
            force: &[],
        };
        let what = pages.take(self.request.paging.as_ref(), came).err()?;
        let remedy = "nothing was written; the next run tries again".into();
        Some((Amiss { what, remedy }, pages.doubtful().is_some()))
    }

    fn ids(&self, decoded: &Decoded, prints: &[Print]) -> Vec<Print> {
        let plain = Printer::new(0, "", "");
        let id = |json: &str| self.source.record_id(self.asked.request, json);
        let records = decoded.records.iter().zip(prints);
        records
            .map(|(json, print)| id(json).map_or(*print, |id| plain.print(&id)))
            .collect()
    }
}
