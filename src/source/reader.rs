//! Reads the requests of a connector, property after property; what is read of one is in `read`. Maps nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use jiff::civil::Date;
use tokio::sync::mpsc;

use crate::config::Credential;
use crate::model::{Reading, Record};
use crate::outbound::{Account, AccountError, Asking, ClientError, Ledger, Lookup, Outbound};

use super::SourceError;
use super::answer::Judge;
use super::call::Call;
use super::changes::Said;
use super::compiled::Source;
use super::granted::Notes;
use super::known::Known;
use super::presence::Presence;
use super::shared::{Readings, Sharing};

/// What a reading hands over, in its order.
#[derive(Debug)]
pub enum Handed {
    /// What comes now may be read once more from here.
    Begin,
    /// A page of records.
    Page(Vec<Record>),
    /// It is read once more: what was handed over since the last beginning does not count.
    Again,
    /// So many records of a request that is asked once name no PMS property, and were left out.
    Nameless(u64),
}

/// Collects the records of a reading that count.
pub async fn collected(mut handed: mpsc::Receiver<Handed>) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut begun = 0;
    while let Some(handed) = handed.recv().await {
        match handed {
            Handed::Begin => begun = records.len(),
            Handed::Page(page) => records.extend(page),
            Handed::Again => records.truncate(begun),
            Handed::Nameless(_) => {}
        }
    }
    records
}

/// What is asked of a PMS in one run.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The PMS properties, in the order of the integration's file.
    pub properties: Vec<String>,
    /// The integration's `fields`.
    pub fields: BTreeMap<String, String>,
    /// The date at the property.
    pub today: Date,
    /// Says what answers mean where the connector's rules do not.
    pub judge: Option<Arc<dyn Judge>>,
    /// Residents' records that need not be read again.
    pub known: Option<Arc<Known>>,
}

/// Reads PMSs. One for the whole daemon, as its way out keeps what the integrations of a credential share.
pub struct Reader {
    outbound: Outbound,
    pub(super) listener: Option<mpsc::UnboundedSender<Heard>>,
    /// What feeds of changes have said so far.
    pub(super) said: Said,
    /// What was read for all who use a credential.
    pub(super) readings: Readings,
    doubts: Option<mpsc::UnboundedSender<SourceError>>,
}

/// An answer as it came, of which records could be taken.
#[derive(Debug)]
pub struct Heard {
    /// The request that it answers, as the connector names it.
    pub request: String,
    /// The PMS property that was asked for; empty for requests that are asked once.
    pub property: String,
    /// The answer as text, without the secrets that it may quote.
    pub text: String,
    /// Its records, as JSON texts.
    pub records: Vec<Box<str>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    /// A reader with no budgets spent.
    pub fn new() -> Result<Reader, ClientError> {
        Ok(Reader::over(Outbound::new()?))
    }

    /// The same, with another way to resolve names.
    pub fn with_lookup(lookup: Lookup) -> Result<Reader, ClientError> {
        Ok(Reader::over(Outbound::with_lookup(lookup)?))
    }

    fn over(outbound: Outbound) -> Reader {
        Reader {
            outbound,
            listener: None,
            said: Said::default(),
            readings: Readings::default(),
            doubts: None,
        }
    }

    /// The way out that it takes.
    pub fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// The same, with somebody who hears every answer that has records, whole. Answers to a login are not among them.
    #[must_use]
    pub fn heard_by(mut self, listener: mpsc::UnboundedSender<Heard>) -> Reader {
        self.listener = Some(listener);
        self
    }

    /// The same, for somebody who only looks: that another number of records came than the answers declare is told to them,
    /// and ends no reading.
    #[must_use]
    pub fn doubted_by(mut self, doubts: mpsc::UnboundedSender<SourceError>) -> Reader {
        self.doubts = Some(doubts);
        self
    }

    /// Whether somebody heard of it.
    pub(super) fn hears_of(&self, doubt: &SourceError) -> bool {
        let told = |doubts: &mpsc::UnboundedSender<_>| doubts.send(doubt.clone()).is_ok();
        self.doubts.as_ref().is_some_and(told)
    }

    /// The same, with somebody who keeps what was asked of a day and a month beyond this process (R43).
    #[must_use]
    pub fn kept_by(self, ledger: Arc<dyn Ledger>) -> Reader {
        Reader {
            outbound: self.outbound.kept_by(ledger),
            ..self
        }
    }

    /// Reads the secrets of a credential, and finds what all its integrations share.
    pub fn account(
        &self,
        name: &str,
        credential: &Credential,
        source: &Source,
        home: &FilePath,
    ) -> Result<Account, AccountError> {
        let connector = &source.connector;
        let asks = Asking {
            fields: &connector.credential_fields,
            hosts: &connector.hosts,
            limits: &connector.limits,
            proxy: connector.proxy.as_ref(),
            used_for: &format!("{connector:?}"),
        };
        self.outbound.account(name, credential, asks, home)
    }

    /// Reads all residents: `residents`, and every request that feeds them. Complete only when all are. With `sharing`, a
    /// reading that another integration began may serve.
    pub async fn residents(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
        sharing: Option<&Sharing>,
        taker: mpsc::Sender<Handed>,
    ) -> Reading<SourceError> {
        let (mut pages, mut records, mut noted) = (0, 0, Notes::new());
        for request in source.feeds() {
            let call = Call::of(source, account, scope, request, "");
            let reading = if let Some(sharing) = sharing.filter(|_| call.may_share()) {
                self.read_shared(&call, sharing, &taker).await
            } else {
                let of = Of::Attached(scope.known.as_deref());
                self.read_alone(&call, of, &taker).await
            };
            match reading {
                Reading::Complete {
                    pages: more,
                    records: came,
                    notes,
                } => {
                    pages += more;
                    records += came;
                    noted.extend(notes);
                }
                partial @ Reading::Partial { .. } => return partial,
            }
        }
        Reading::Complete {
            pages,
            records,
            notes: noted,
        }
    }

    /// Reads all of `request` and hands the records over page by page. The reading is complete only when
    /// every page of every property was read and taken.
    pub async fn read(
        &self,
        source: &Source,
        account: &Account,
        request: &str,
        scope: &Scope,
        taker: mpsc::Sender<Handed>,
    ) -> Reading<SourceError> {
        let call = Call::of(source, account, scope, request, "");
        self.read_alone(&call, Of::Attached(None), &taker).await
    }

    /// Reads all of a request, and takes no reading of others.
    pub(super) async fn read_alone(
        &self,
        call: &Call<'_>,
        of: Of<'_>,
        taker: &mpsc::Sender<Handed>,
    ) -> Reading<SourceError> {
        let (source, request) = (call.source, call.request);
        let once = [String::new()];
        let properties = if source.is_asked_once(request) {
            once.as_slice()
        } else {
            &call.scope.properties
        };
        let known = match of {
            // Of which property a record is stands in its text.
            Of::Attached(known) => known.filter(|_| !source.tells_properties(request)),
            Of::All => None,
        };
        let (mut pages, mut records) = (0, 0);
        let mut presence = Presence::default();
        for property in properties {
            let call = Call {
                property,
                known,
                takes_all: matches!(of, Of::All),
                ..*call
            };
            presence.goes_on_to_another();
            match self.read_chain(&call, taker, &mut presence).await {
                Ok((more, came)) => {
                    let wrong = call.missing_here(&presence);
                    if let Some(reason) = wrong.filter(|_| properties.len() > 1) {
                        return Reading::Partial { reason };
                    }
                    pages += more;
                    records += came;
                }
                Err(reason) => return Reading::Partial { reason },
            }
        }
        let wrong = call.missing(&presence);
        match wrong.or_else(|| call.not_granted(&presence.granted)) {
            Some(reason) => Reading::Partial { reason },
            None => Reading::Complete {
                pages,
                records,
                notes: presence.granted.notes(request),
            },
        }
    }
}

/// Which records of a reading count.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    /// Those of attached PMS properties; some of them may be known.
    Attached(Option<&'a Known>),
    /// All of them.
    All,
}
