//! Reads the requests of a connector, property after property; what is read of one is in `read`. Maps nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use jiff::civil::Date;
use tokio::sync::mpsc;

use crate::config::{Credential, Per};
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

/// What a reading hands over, in its order.
#[derive(Debug)]
pub enum Handed {
    /// A page of records.
    Page(Vec<Record>),
    /// A PMS property is read once more from its beginning: what was handed over for this request and this property
    /// does not count.
    Again {
        /// The request, as the connector names it.
        request: Arc<str>,
        /// The PMS property; empty for requests that are asked once.
        property: Arc<str>,
    },
    /// So many records of a request that is asked once name no PMS property, and were left out.
    Nameless(u64),
}

/// Collects the records of a reading that count.
pub async fn collected(mut handed: mpsc::Receiver<Handed>) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    while let Some(handed) = handed.recv().await {
        match handed {
            Handed::Page(page) => records.extend(page),
            // A request that is asked once may have records of several properties.
            Handed::Again { request, property } => records.retain(|one| {
                one.request != request || !property.is_empty() && one.property != property
            }),
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
            limits: &connector.limits,
            proxy: connector.proxy.as_ref(),
            used_for: &format!("{connector:?}"),
        };
        self.outbound.account(name, credential, asks, home)
    }

    /// Reads all residents: `residents`, and every request that feeds them. Complete only when all are.
    pub async fn residents(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
        taker: mpsc::Sender<Handed>,
    ) -> Reading<SourceError> {
        let (mut pages, mut records, mut noted) = (0, 0, Notes::new());
        for request in source.feeds() {
            let known = scope.known.as_deref();
            let reading = self.read_beside(source, account, request, scope, taker.clone(), known);
            match reading.await {
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
        self.read_beside(source, account, request, scope, taker, None)
            .await
    }

    async fn read_beside(
        &self,
        source: &Source,
        account: &Account,
        request: &str,
        scope: &Scope,
        taker: mpsc::Sender<Handed>,
        known: Option<&Known>,
    ) -> Reading<SourceError> {
        let once = [String::new()];
        let per = source
            .connector
            .requests
            .get(request)
            .map(|request| request.per);
        let properties = if per == Some(Per::Once) {
            once.as_slice()
        } else {
            &scope.properties
        };
        // Of which property a record is stands in its text.
        let known = known.filter(|_| !source.tells_properties(request));
        let (mut pages, mut records) = (0, 0);
        let mut presence = Presence::default();
        for property in properties {
            let call = Call {
                known,
                ..Call::of(source, account, scope, request, property)
            };
            match self.read_chain(&call, &taker, &mut presence).await {
                Ok((more, came)) => {
                    pages += more;
                    records += came;
                }
                Err(reason) => return Reading::Partial { reason },
            }
        }
        let call = Call::of(source, account, scope, request, "");
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
