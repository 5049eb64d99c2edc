//! The page over the network: who gets in, its certificate, whether somebody listens, and whether the provider of identities
//! answers. Signs nobody in.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::{
    OidcSettings, Settings, WebFileError, WebSettings, read_accounts, read_tokens,
};
use crate::outbound::Outbound;
use crate::signin::{Asks, Kept, OidcError, Provider};

use super::super::Exit;
use super::check::Check;

/// So long a connection to this machine takes at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at what `web` of the settings names; nothing where there is none.
pub(super) async fn look(
    settings: &Settings,
    home: &Path,
    outbound: &Outbound,
    now: Timestamp,
) -> Vec<Check> {
    let Some(web) = &settings.web else {
        return Vec::new();
    };
    let mut checks = Vec::new();
    checks.extend(accounts(web, home));
    checks.extend(tokens(web, home, now));
    checks.extend(certificate(web, home));
    if let Some(listen) = web.listen {
        checks.push(listener(listen).await);
    }
    if let (Some(oidc), Some(listen)) = (&web.oidc, web.listen) {
        let redirect_uri = oidc.sends_back_to(listen, web.cert.is_some(), &web.hosts);
        let asks = Asks {
            outbound,
            settings: oidc,
            redirect_uri: &redirect_uri,
            proxy: settings.proxy.as_ref(),
            home,
        };
        checks.push(secret(oidc, home));
        checks.push(Box::pin(provider(asks)).await);
    }
    checks
}

fn secret(oidc: &OidcSettings, home: &Path) -> Check {
    let Some(reference) = &oidc.secret else {
        return Check::ok(
            "web",
            "looked for the secret of web.oidc",
            "there is none: epms is a public client there",
        );
    };
    let did = format!("read the secret of web.oidc: {reference}");
    match reference.read(home) {
        Ok(_) => Check::ok("web", did, "it is there"),
        Err(error) => {
            let remedy = "write what the provider gave for `client_id` there: epms secret set";
            Check::fail("web", did, error.to_string(), remedy).ends(Exit::Invalid)
        }
    }
}

async fn provider(asks: Asks<'_>) -> Check {
    let did = format!(
        "asked the provider of identities {} what it says of itself, and for its keys",
        asks.settings.issuer
    );
    match Provider::default().probe(asks).await {
        Ok(()) => {
            let saw = format!(
                "it answers; registered there has to be {}",
                asks.redirect_uri
            );
            Check::ok("web", did, saw)
        }
        Err(OidcError::Away(what)) => {
            let remedy = "look at it, and at the way there; the other ways to sign in go on";
            Check::fail("web", did, what, remedy)
        }
        Err(error) => {
            let remedy = "correct web.oidc in config/epms.yaml, or the provider";
            Check::fail("web", did, error.to_string(), remedy).ends(Exit::Invalid)
        }
    }
}

fn accounts(web: &WebSettings, home: &Path) -> Option<Check> {
    let path = home.join(web.accounts.as_ref()?);
    let did = format!("read the accounts of the page in {}", path.display());
    Some(match read_accounts(&path) {
        Ok(accounts) if accounts.is_empty() => Check::warn(
            "web",
            did,
            "there is none",
            "make one: epms web passwd NAME",
        ),
        Ok(accounts) => {
            let hashes = accounts.values().map(|account| &account.password);
            let odd = hashes
                .filter(|hash| !hash.starts_with("$argon2id$"))
                .count();
            if odd > 0 {
                let saw = format!("{odd} of {} have no hash of a password", accounts.len());
                Check::fail("web", did, saw, "set them anew: epms web passwd NAME")
            } else {
                Check::ok("web", did, counted(accounts.len(), "account"))
            }
        }
        Err(error) => unread(did, &error, "epms web passwd NAME"),
    })
}

fn tokens(web: &WebSettings, home: &Path, now: Timestamp) -> Option<Check> {
    let path = home.join(web.tokens.as_ref()?);
    let did = format!("read the tokens of programs in {}", path.display());
    Some(match read_tokens(&path) {
        Ok(tokens) => {
            let over = |(name, entry): (&String, &crate::config::TokenEntry)| {
                let is_over = entry.expires.is_some_and(|expires| expires <= now);
                is_over.then(|| name.clone())
            };
            let over: Vec<String> = tokens.iter().filter_map(over).collect();
            if over.is_empty() {
                Check::ok("web", did, counted(tokens.len(), "token"))
            } else {
                let saw = format!("past their time: {}", over.join(", "));
                let remedy = "make another: epms web token NAME; or remove it with --remove";
                Check::warn("web", did, saw, remedy)
            }
        }
        Err(error) => unread(did, &error, "epms web token NAME"),
    })
}

fn unread(did: String, error: &WebFileError, makes: &str) -> Check {
    let remedy = format!("close it to others, or write it: {makes}");
    Check::fail("web", did, error.to_string(), remedy).ends(Exit::Invalid)
}

fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

fn certificate(web: &WebSettings, home: &Path) -> Option<Check> {
    let (cert, key) = (web.cert.as_ref()?, web.key.as_ref()?);
    let did = format!("read the certificate {} and its key", cert.display());
    Some(match Kept::new(&home.join(cert), &home.join(key)) {
        Ok(_) => Check::ok("web", did, "the two belong together"),
        Err(error) => {
            let remedy = "correct the files; the page takes them at the next connection";
            Check::fail("web", did, error.to_string(), remedy).ends(Exit::Invalid)
        }
    })
}

async fn listener(address: SocketAddr) -> Check {
    let did = format!("connected to {address}");
    let connected = tokio::net::TcpStream::connect(address);
    match tokio::time::timeout(PATIENCE, connected).await {
        Ok(Ok(_)) => Check::ok("web", did, "somebody listens there"),
        Ok(Err(error)) => Check::warn(
            "web",
            did,
            format!("nobody listens there: {error}"),
            "is the daemon running? its log says why the page is not on the network",
        ),
        Err(_) => Check::warn(
            "web",
            did,
            "nobody answered in time",
            "look at the firewall of this machine",
        ),
    }
}
