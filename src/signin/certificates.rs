//! The certificate of the page and its key, from their files, read anew when they change. Listens nowhere.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::beneath::{MAX_FILE, Unread, read_anywhere};
use crate::config::{SecretError, read_closed};

/// Why a certificate was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificate could not be read.
    #[error("web.cert: {}: {source}", path.display())]
    Cert {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Unread,
    },
    /// The key could not be read, or others can.
    #[error("web.key: {0}")]
    Key(#[from] SecretError),
    /// There is none in the file.
    #[error("{}: there is no {what} in it; it is a PEM file that has one", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// The two do not belong together, or are of a kind that is not known.
    #[error("{} and its key: {source}", path.display())]
    Unfit {
        /// The certificate.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}

type Stamp = Option<[i64; 5]>;

/// The certificate as it is now.
pub struct Kept {
    cert: PathBuf,
    key: PathBuf,
    now: Mutex<(Arc<ServerConfig>, [Stamp; 2])>,
    failing: Mutex<Option<String>>,
}

impl Kept {
    /// Reads it.
    pub fn new(cert: &Path, key: &Path) -> Result<Kept, CertificateError> {
        let stamps = [stamp(cert), stamp(key)];
        Ok(Kept {
            cert: cert.to_owned(),
            key: key.to_owned(),
            now: Mutex::new((read(cert, key)?, stamps)),
            failing: Mutex::default(),
        })
    }

    /// As it is now. One that does not fit leaves the one before, which is told.
    pub fn now(&self) -> Arc<ServerConfig> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = [stamp(&self.cert), stamp(&self.key)];
        if stamps != now.1 {
            now.1 = stamps;
            match read(&self.cert, &self.key) {
                Ok(config) => {
                    now.0 = config;
                    self.fails(None);
                    tracing::info!(cert = %self.cert.display(), "the page has another certificate");
                }
                Err(error) => {
                    tracing::error!(%error, "the page keeps the certificate that it has");
                    self.fails(Some(format!(
                        "{error}; the page keeps the certificate that it had"
                    )));
                }
            }
        }
        Arc::clone(&now.0)
    }

    /// Why the certificate that lies there now is not the one that is used.
    pub fn failing(&self) -> Option<String> {
        // Nobody may have connected since it changed.
        drop(self.now());
        let failing = self.failing.lock();
        failing.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fails(&self, why: Option<String>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

fn stamp(path: &Path) -> Stamp {
    std::fs::metadata(path).ok().map(super::register::stamp)
}

fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, CertificateError> {
    let text = read_anywhere(cert, MAX_FILE).map_err(|source| CertificateError::Cert {
        path: cert.to_owned(),
        source,
    })?;
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.unwrap_or_default();
    let empty = |path: &Path, what| CertificateError::Empty {
        path: path.to_owned(),
        what,
    };
    if chain.is_empty() {
        return Err(empty(cert, "certificate"));
    }
    let secret = read_closed(key)?;
    let private = PrivateKeyDer::from_pem_slice(secret.as_bytes());
    let private = private.map_err(|_| empty(key, "private key"))?;
    let unfit = |source| CertificateError::Unfit {
        path: cert.to_owned(),
        source,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
