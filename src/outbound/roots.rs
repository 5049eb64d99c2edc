//! Who is trusted to say which host is which: the system's root certificates, and those that come with the program where
//! the system has none. Judges no host itself.

use reqwest::{Certificate, ClientBuilder};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Where root certificates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// From the system.
    System,
    /// From the program: the system has none.
    Bundled,
}

impl Roots {
    /// Those of this machine, as it is now.
    pub(super) fn found() -> Roots {
        Roots::of(rustls_native_certs::load_native_certs().certs.len())
    }

    fn of(certificates: usize) -> Roots {
        match certificates {
            0 => Roots::Bundled,
            _ => Roots::System,
        }
    }

    /// Their certificates, in DER.
    pub(super) fn certificates(self) -> Vec<Vec<u8>> {
        match self {
            Roots::System => usable(rustls_native_certs::load_native_certs().certs),
            Roots::Bundled => usable(webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec()),
        }
    }

    /// A client that trusts these roots, and `others` besides.
    pub(super) fn trusted(
        self,
        client: ClientBuilder,
        others: Vec<Certificate>,
    ) -> Result<ClientBuilder, reqwest::Error> {
        match self {
            Roots::System => Ok(client.tls_certs_merge(others)),
            Roots::Bundled => {
                let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
                let mut all = bundled
                    .map(|der| Certificate::from_der(der))
                    .collect::<Result<Vec<_>, _>>()?;
                all.extend(others);
                Ok(client.tls_certs_only(all))
            }
        }
    }
}

/// The certificates of a PEM file, in DER.
pub(super) fn of_pem(pem: &[u8]) -> Vec<Vec<u8>> {
    usable(CertificateDer::pem_slice_iter(pem).flatten())
}

/// Those that can be trusted at all: one that cannot be read would spoil the others.
fn usable(all: impl IntoIterator<Item = CertificateDer<'static>>) -> Vec<Vec<u8>> {
    let mut store = RootCertStore::empty();
    let all = all.into_iter();
    let usable = all.filter(|one| store.add(one.clone()).is_ok());
    usable.map(|one| one.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C7.
    #[test]
    fn a_machine_without_roots_gets_those_of_the_program() {
        assert_eq!(
            (Roots::of(0), Roots::of(1)),
            (Roots::Bundled, Roots::System)
        );
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Roots::Bundled.trusted(reqwest::Client::builder(), Vec::new());
        assert!(client.unwrap().build().is_ok());
        assert!(webpki_root_certs::TLS_SERVER_ROOT_CERTS.len() > 100);
    }
}
