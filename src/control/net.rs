//! The page's listener over the network: TCP, with TLS where there is a certificate. Speaks no HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// Gives the certificate as it is now: it is asked at every connection.
pub trait Certificates: Send + Sync + 'static {
    /// What TLS is spoken with.
    fn now(&self) -> Arc<ServerConfig>;
}

/// An address that is listened on.
pub struct NetListening {
    listener: TcpListener,
    certificates: Option<Arc<dyn Certificates>>,
}

/// A connection: in the clear on loopback, or by TLS.
pub type Plain = TcpStream;
/// By TLS.
pub type Secured = TlsStream<TcpStream>;

/// Listens on `address`, by TLS where there are certificates.
pub async fn listen_on(
    address: SocketAddr,
    certificates: Option<Arc<dyn Certificates>>,
) -> io::Result<NetListening> {
    let listener = TcpListener::bind(address).await?;
    Ok(NetListening {
        listener,
        certificates,
    })
}

impl NetListening {
    /// Where it listens: with the port that the system chose where none was named.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whether it is by TLS.
    pub fn is_secured(&self) -> bool {
        self.certificates.is_some()
    }

    /// The next who connects, and from where.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = self.listener.accept().await?;
        // Answers are written whole: there is nothing to gather.
        let _ = stream.set_nodelay(true);
        Ok((stream, address))
    }

    /// What is greeted with, for one connection.
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        let certificates = self.certificates.as_ref()?;
        Some(TlsAcceptor::from(certificates.now()))
    }
}
