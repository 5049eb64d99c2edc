//! A message on its way to one who is to have it: by mail, to a URL, or to a program. Sent once; whether it is sent again is
//! decided elsewhere.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{Notify, NotifyTo, Proxy, SecretError, tell_program};
use crate::outbound::{Outbound, Unposted, impersonal, shorten};

use super::kept::Letter;
use super::{hook, mail};

/// What messages are sent by.
#[derive(Debug, Clone)]
pub struct Ways {
    /// The way out.
    pub outbound: Arc<Outbound>,
    /// What requests go through that leave this machine.
    pub proxy: Option<Proxy>,
    /// Where files lie that are named without a folder, and where programs run.
    pub home: PathBuf,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Why somebody may not have a message. The texts hold no secret and nobody's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// Nobody has it, and as things are nobody will.
    #[error("{0}")]
    Refused(String),
    /// They may have it, or may get it later.
    #[error("{0}")]
    Unknown(String),
}

impl From<SecretError> for Unsent {
    fn from(error: SecretError) -> Unsent {
        Unsent::Refused(error.to_string())
    }
}

impl From<Unposted> for Unsent {
    fn from(error: Unposted) -> Unsent {
        match error {
            Unposted::NotAllowed(told) | Unposted::Refused(told) => Unsent::Refused(told),
            Unposted::Unknown(told) => Unsent::Unknown(told),
        }
    }
}

/// What somebody else said, short and without addresses.
pub(super) fn said(text: &str) -> String {
    shorten(&impersonal(text))
}

/// All who are to have a message: addresses, or the way itself.
pub fn all_of(notify: &Notify) -> Vec<String> {
    match &notify.to {
        NotifyTo::Smtp(smtp) => smtp.to.iter().map(|to| to.address.clone()).collect(),
        way => vec![way.as_str().to_owned()],
    }
}

/// By which place of the file one of them is told of: nobody's address stands in logs and alerts.
pub(super) fn place_of(notify: &Notify, one: &str) -> String {
    let all = all_of(notify);
    match all.iter().position(|to| to == one) {
        Some(index) if all.len() > 1 => format!("number {} of `to`", index + 1),
        _ => notify.to.as_str().to_owned(),
    }
}

impl Ways {
    /// Sends a message to one of them.
    pub async fn send(&self, notify: &Notify, letter: &Letter, to: &str) -> Result<(), Unsent> {
        match &notify.to {
            NotifyTo::Smtp(smtp) => mail::send(self, smtp, letter, to).await,
            NotifyTo::Webhook(at) => hook::send(self, at, letter).await,
            NotifyTo::Exec(words) => self.tell(words.clone(), letter).await,
        }
    }

    async fn tell(&self, words: Vec<String>, letter: &Letter) -> Result<(), Unsent> {
        let (home, id) = (self.home.clone(), letter.id.clone());
        let text = format!("{}\n\n{}", letter.subject, letter.text);
        let told = tokio::task::spawn_blocking(move || {
            let variables = [("EPMS_MESSAGE_ID", id.as_str())];
            let program = words.first().cloned().unwrap_or_default();
            tell_program(&words, &home, &variables, &text)
                .map_err(|what| format!("the program `{program}` did not take it: {what}"))
        });
        let told = told
            .await
            .map_err(|error| Unsent::Unknown(error.to_string()))?;
        told.map_err(Unsent::Unknown)
    }
}
