//! Who asks through the proxy before the control socket: it says so in headers, which count of its own user alone, and of that
//! user nothing else counts. Decides no tier.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::control::protocol::ProblemDocument;
use crate::model::{NamedBy, Signed, Tier};

use super::gate::bare;
use super::site::is_of_this_machine;
use super::{App, Backend, Peer};

/// So many characters has a name at most.
const MOST_NAME: usize = 128;
/// So many bytes have all groups at most.
const MOST_GROUPS: usize = 16 * 1024;

/// How much somebody may do who is in these groups.
pub type TierOf = Box<dyn Fn(&[String]) -> Option<Tier> + Send + Sync>;

/// The proxy whose user that is.
pub struct Front {
    /// The header with the name of who asks.
    pub user: String,
    /// The header with their groups, with commas between them.
    pub groups: String,
    /// Under which names it is asked, besides those of this machine.
    pub hosts: Vec<String>,
    /// How much somebody may do who is in these groups.
    pub tier: TierOf,
}

/// Why nobody is known by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Nobody,
    Twice,
    NoName,
    Groupless,
}

impl Unknown {
    fn told(self, front: &Front) -> String {
        let Front { user, groups, .. } = front;
        match self {
            Unknown::Nobody => format!(
                "the proxy before this page does not say who asks: its header `{user}` is missing"
            ),
            Unknown::Twice => format!(
                "the proxy before this page says twice who asks, in `{user}` or `{groups}`: it has to take out what came, and to set its own"
            ),
            Unknown::NoName => {
                format!("what the proxy before this page says in `{user}` is no name")
            }
            Unknown::Groupless => format!(
                "nobody may do anything here by the groups that the proxy before this page tells in `{groups}`; see `web.proxy.tiers` in config/epms.yaml"
            ),
        }
    }
}

/// Lets through whom the proxy names, as themselves; whoever does not come by it, as who they are.
pub(super) async fn fronted<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(front) = peer.uid.and_then(|uid| app.backend.front(uid)) else {
        return next.run(request).await;
    };
    let headers = request.headers();
    if !is_of_this_machine(headers) && !is_known(headers, &front.hosts) {
        return ProblemDocument::misdirected().into_response();
    }
    let known = who(headers, &front);
    app.backend.counted(NamedBy::Proxy, known.is_ok());
    match known {
        Ok(signed) => {
            request.extensions_mut().insert(ConnectInfo(Peer {
                signed: Some(Arc::new(signed)),
                ..peer
            }));
            next.run(request).await
        }
        Err(why) => {
            tracing::warn!(uid = peer.uid, ?why, "the proxy names nobody who may ask");
            ProblemDocument::denied(why.told(&front)).into_response()
        }
    }
}

fn is_known(headers: &HeaderMap, hosts: &[String]) -> bool {
    let mut all = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (all.next(), all.next()) else {
        return false;
    };
    let host = bare(host.to_str().unwrap_or_default());
    hosts.iter().any(|known| known.eq_ignore_ascii_case(&host))
}

/// Whom the headers name.
fn who(headers: &HeaderMap, front: &Front) -> Result<Signed, Unknown> {
    let name = one(headers, &front.user)?.ok_or(Unknown::Nobody)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(Unknown::Nobody);
    }
    if name.chars().count() > MOST_NAME || name.chars().any(char::is_control) {
        return Err(Unknown::NoName);
    }
    let groups = one(headers, &front.groups)?.unwrap_or_default();
    if groups.len() > MOST_GROUPS {
        return Err(Unknown::Groupless);
    }
    let groups = groups.split(',').map(|group| group.trim().to_owned());
    let groups: Vec<String> = groups.filter(|group| !group.is_empty()).collect();
    let tier = (front.tier)(&groups).ok_or(Unknown::Groupless)?;
    Ok(Signed {
        name: name.to_owned(),
        by: NamedBy::Proxy,
        tier,
    })
}

/// What a header says that may stand there once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Unknown> {
    let mut all = headers.get_all(name).iter();
    let (first, second) = (all.next(), all.next());
    if second.is_some() {
        return Err(Unknown::Twice);
    }
    match first.map(|value| std::str::from_utf8(value.as_bytes())) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(Unknown::NoName),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn front() -> Front {
        Front {
            user: "X-User".into(),
            groups: "X-Groups".into(),
            hosts: vec!["epms.example.org".into()],
            tier: Box::new(|groups| {
                let leads = groups.iter().any(|group| group == "leads");
                leads.then_some(Tier::Approve)
            }),
        }
    }

    fn of(headers: &[(&str, &str)]) -> Result<Signed, Unknown> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        who(&map, &front())
    }

    #[test]
    fn somebody_is_who_the_proxy_says_once_by_its_own_headers_alone() {
        let ada = of(&[("x-user", "ada"), ("x-groups", "staff, leads")]).unwrap();
        assert_eq!(
            (&*ada.name, ada.by, ada.tier),
            ("ada", NamedBy::Proxy, Tier::Approve)
        );
        assert_eq!(
            of(&[("x-user", "Zoë"), ("x-groups", "leads")])
                .unwrap()
                .name,
            "Zoë"
        );
        let long = "x".repeat(129);
        for (why, headers) in [
            (Unknown::Nobody, vec![]),
            (Unknown::Nobody, vec![("x-groups", "leads")]),
            (
                Unknown::Nobody,
                vec![("x-user", " "), ("x-groups", "leads")],
            ),
            (
                Unknown::Nobody,
                vec![("remote-user", "ada"), ("x_user", "ada")],
            ),
            (
                Unknown::Twice,
                vec![("x-user", "ada"), ("x-user", "ada"), ("x-groups", "leads")],
            ),
            (
                Unknown::Twice,
                vec![
                    ("x-user", "ada"),
                    ("x-groups", "leads"),
                    ("x-groups", "staff"),
                ],
            ),
            (
                Unknown::NoName,
                vec![("x-user", &long), ("x-groups", "leads")],
            ),
            (
                Unknown::NoName,
                vec![("x-user", "a\tb"), ("x-groups", "leads")],
            ),
            (Unknown::Groupless, vec![("x-user", "ada")]),
            (
                Unknown::Groupless,
                vec![("x-user", "ada"), ("x-groups", "lead;leads")],
            ),
        ] {
            assert_eq!(of(&headers), Err(why), "{headers:?}");
        }
    }
}
