//! Keeps in the store what was asked of a PMS with a credential (R43), the refresh token that came for it, and until when
//! it is taken. Decides nothing about what may be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::config::Secret;
use crate::outbound::Ledger;
use crate::store::{Store, StoreError};

/// A ledger in the store.
pub(super) struct Kept {
    pub(super) store: Arc<Store>,
    pub(super) now: fn() -> Timestamp,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl Ledger for Kept {
    fn asked(&self, credential: &str) -> BTreeMap<i64, u32> {
        let asked = self.store.read().and_then(|view| view.requests(credential));
        asked.unwrap_or_else(|error| {
            tracing::error!(credential, %error, "the store failed: what was asked before is not counted");
            BTreeMap::new()
        })
    }

    fn now(&self) -> Timestamp {
        (self.now)()
    }

    fn keep(&self, credential: &str, hour: i64, requests: u32) {
        let keep = || -> Result<(), StoreError> {
            let write = self.store.write()?;
            write.put_requests(credential, hour, requests)?;
            write.commit()
        };
        if let Err(error) = keep() {
            tracing::error!(credential, %error, "the store failed: a restart would forget some of what was asked");
        }
    }

    fn refresh_token(&self, credential: &str) -> Option<([u8; 32], Secret)> {
        let view = self.store.read();
        let found = view.and_then(|view| view.refresh_token(credential));
        let found = found.unwrap_or_else(|error| {
            tracing::error!(credential, %error, "the store failed: a refresh token that it may have is not used");
            None
        });
        found.map(|(own, token)| (own, Secret::new(token)))
    }

    fn keep_refresh_token(&self, credential: &str, own: [u8; 32], token: &Secret) {
        let keep = || -> Result<(), StoreError> {
            let write = self.store.write()?;
            write.put_refresh_token(credential, own, token.expose())?;
            write.commit()
        };
        if let Err(error) = keep() {
            tracing::error!(credential, %error, "the store failed: a restart would forget the refresh token that came, and the credential need another");
        }
    }
    fn keep_expiry(&self, credential: &str, request: &str, last: Option<Date>) {
        let keep = || -> Result<(), StoreError> {
            if self.store.read()?.expiries(credential)?.get(request) == last.as_ref() {
                return Ok(());
            }
            let write = self.store.write()?;
            write.put_expiry(credential, request, last)?;
            write.commit()
        };
        if let Err(error) = keep() {
            tracing::error!(credential, request, %error, "the store failed: that the credential expires is told when the PMS says it again");
        }
    }
}
