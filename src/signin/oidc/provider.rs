//! Asks a provider: what it says of itself, its keys, whose code that is, and what it says of them. Remembers the first two for a
//! while, and asks for neither more often than that helps. Judges nothing itself.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::config::{OidcSettings, Proxy, Secret};
use crate::outbound::{Fetch, Fetched, Outbound, Unposted};

use super::claims::Said;
use super::keys::Keys;
use super::metadata::{Metadata, Proof, place};
use super::token::{self, Claims, Expected, Wrong};
use super::ways::{Way, Ways};
use super::{Identity, OidcError};

/// Headers, by name and value, and a form.
type Shown = (Vec<(&'static str, String)>, String);

/// So long one request takes at most, and all of a sign-in.
const PATIENCE: Duration = Duration::from_secs(8);
const IN_ALL: Duration = Duration::from_secs(20);
/// So long what a provider says of itself, and its keys, are taken to be as they were.
const FRESH: Duration = Duration::from_hours(1);
/// So long one that failed is not asked again what it says of itself.
const FAILED: Duration = Duration::from_secs(10);
/// For a key that is not known its keys are fetched anew, and not more often.
const NEW_KEYS: Duration = Duration::from_mins(1);

/// By what a provider is asked.
#[derive(Clone, Copy)]
pub struct Asks<'a> {
    /// The way out.
    pub outbound: &'a Outbound,
    /// The provider.
    pub settings: &'a OidcSettings,
    /// Where it sends people back to.
    pub redirect_uri: &'a str,
    /// What it is asked through, except on loopback.
    pub proxy: Option<&'a Proxy>,
    /// Where files lie.
    pub home: &'a Path,
}

/// What came back with somebody, as it stands in the address.
#[derive(Clone, Default)]
pub struct Came {
    /// `state`.
    pub state: Option<String>,
    /// `code`.
    pub code: Option<String>,
    /// `error`.
    pub error: Option<String>,
    /// `iss` (RFC 9207).
    pub iss: Option<String>,
    /// What the browser shows that left.
    pub binding: Option<String>,
}

/// Somebody who leaves for the provider.
pub struct Leaving {
    /// Where to.
    pub url: String,
    /// What their browser has to show when they come back.
    pub binding: String,
}

/// A provider, and who is away at it.
#[derive(Default)]
pub struct Provider {
    known: tokio::sync::Mutex<Known>,
    ways: Mutex<Ways>,
}

/// What it said of itself last.
#[derive(Default)]
struct Known {
    issuer: String,
    metadata: Option<(Instant, Arc<Metadata>)>,
    failed: Option<(Instant, OidcError)>,
    keys: Option<(Instant, Arc<Keys>)>,
    /// When they were fetched last for a key that was not among them.
    for_a_new_one: Option<Instant>,
}

#[derive(Deserialize)]
struct Granted {
    id_token: Option<String>,
    access_token: Option<String>,
    token_type: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Provider {
    /// What it says of itself: whether it can be asked, and is the one that the settings name.
    pub async fn probe(&self, asks: Asks<'_>) -> Result<(), OidcError> {
        let metadata = self.metadata(asks).await?;
        metadata.proof(asks.settings.secret.is_some())?;
        self.keys(asks, &metadata, None).await?;
        Ok(())
    }

    /// Somebody leaves for it, and wants to go on to `next` afterwards.
    pub async fn leave(
        &self,
        asks: Asks<'_>,
        next: String,
        from: IpAddr,
        chance: [[u8; 32]; 4],
        now: Timestamp,
    ) -> Result<Leaving, OidcError> {
        let metadata = self.metadata(asks).await?;
        let Asks {
            settings,
            redirect_uri,
            ..
        } = asks;
        let taken = {
            let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
            let to = (settings.issuer.as_str(), redirect_uri, next);
            ways.leave(to, from, chance, now)
        };
        let mut scopes = vec!["openid"];
        let more = settings.scopes.iter().map(String::as_str);
        scopes.extend(more.filter(|scope| *scope != "openid"));
        let mut url = metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &taken.state)
            .append_pair("nonce", &taken.nonce)
            .append_pair("code_challenge", &taken.challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Leaving {
            url: url.into(),
            binding: taken.binding,
        })
    }

    /// Somebody came back: who, and where they wanted to go.
    pub async fn came_back(
        &self,
        asks: Asks<'_>,
        came: Came,
        now: fn() -> Timestamp,
    ) -> Result<(Identity, String), OidcError> {
        let settings = asks.settings;
        let way = {
            let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
            let state = came.state.as_deref().unwrap_or_default();
            ways.comes_back(state, came.binding.as_deref(), &settings.issuer, now())?
        };
        let asked = self.asked_who(asks, &came, &way, now);
        let identity = tokio::time::timeout(IN_ALL, asked)
            .await
            .unwrap_or_else(|_| Err(OidcError::Away("it takes too long".to_owned())))?;
        if settings.tiers.of(&identity.groups).is_none() {
            return Err(OidcError::Groupless);
        }
        Ok((identity, way.next))
    }

    /// Where somebody is signed out at the provider itself, where it has such a place.
    pub async fn signs_out_at(&self, asks: Asks<'_>) -> Option<String> {
        let metadata = self.metadata(asks).await.ok()?;
        let mut url = metadata.end_session_endpoint.clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", &asks.settings.client_id);
        Some(url.into())
    }

    async fn asked_who(
        &self,
        asks: Asks<'_>,
        came: &Came,
        way: &Way,
        now: fn() -> Timestamp,
    ) -> Result<Identity, OidcError> {
        let metadata = self.metadata(asks).await?;
        let settings = asks.settings;
        // Whose answer it is comes before what it says: another provider's is not looked at (RFC 9207).
        match came.iss.as_deref() {
            Some(issuer) if issuer != settings.issuer => {
                return Err(distrusted("the answer is another provider's (`iss`)"));
            }
            None if metadata.names_itself => {
                return Err(distrusted(
                    "the answer does not say which provider it is of (`iss`)",
                ));
            }
            _ => {}
        }
        if let Some(error) = came.error.as_deref() {
            return Err(declined(error));
        }
        let code = came.code.as_deref();
        let code = code.ok_or(distrusted("the answer has no `code`"))?;
        let granted = self.exchange(asks, &metadata, code, way).await?;
        let id_token = granted
            .id_token
            .as_deref()
            .ok_or(distrusted("there is no ID token for the code"))?;
        let expected = Expected {
            issuer: &settings.issuer,
            client_id: &settings.client_id,
            nonce: &way.nonce,
            left: way.left,
            now: now(),
        };
        let keys = self.keys(asks, &metadata, None).await?;
        let claims = match token::judged(id_token, &keys, &expected) {
            Err(Wrong::UnknownKey) => {
                // It may sign by another key since.
                let keys = self.keys(asks, &metadata, Some(&keys)).await?;
                token::judged(id_token, &keys, &expected)
            }
            judged => judged,
        };
        let claims = claims.map_err(|wrong| match wrong {
            Wrong::UnknownKey => distrusted("the ID token is signed by no key of the provider"),
            Wrong::Token(why) => distrusted(why),
        })?;
        let subject = claims.get("sub").and_then(|sub| sub.as_str());
        let subject = subject.unwrap_or_default().to_owned();
        let alone = Said {
            token: &claims,
            besides: None,
        };
        let besides = if alone.lacks(&settings.claims) {
            Self::besides(asks, &metadata, &granted, &subject).await?
        } else {
            None
        };
        let said = Said {
            token: &claims,
            besides: besides.as_ref(),
        };
        let mut groups = said.groups(&settings.claims);
        groups.retain(|group| settings.tiers.names(group));
        groups.sort();
        groups.dedup();
        Ok(Identity {
            issuer: settings.issuer.clone(),
            client_id: settings.client_id.clone(),
            name: said.name(&settings.claims, &subject),
            subject,
            groups,
        })
    }

    /// Shows the code, and what proves that it is us who left.
    async fn exchange(
        &self,
        asks: Asks<'_>,
        metadata: &Metadata,
        code: &str,
        way: &Way,
    ) -> Result<Granted, OidcError> {
        let settings = asks.settings;
        let secret = secret(asks).await?;
        let (headers, form) = Self::shown(settings, metadata, code, way, secret.as_ref())?;
        let came = fetch(asks, &metadata.token_endpoint, headers, Some(form)).await?;
        if came.status == 200 {
            return json(&came).ok_or(distrusted("what it gives for the code is not readable"));
        }
        let refused: Option<Refused> = json(&came);
        Err(match refused.as_ref().map(|refused| &*refused.error) {
            Some("invalid_grant") => {
                OidcError::Over("the provider does not take the code, or not a second time")
            }
            Some("invalid_client") => OidcError::Unfit(
                "the provider does not take `client_id` with the secret of `web.oidc`".to_owned(),
            ),
            Some("unauthorized_client" | "invalid_request" | "unsupported_grant_type") => {
                OidcError::Unfit(
                    "the provider does not let this program sign anybody in by a code".to_owned(),
                )
            }
            _ => unexpected(&came, "for the code"),
        })
    }

    /// The headers and the form with which a code is shown.
    fn shown(
        settings: &OidcSettings,
        metadata: &Metadata,
        code: &str,
        way: &Way,
        secret: Option<&Secret>,
    ) -> Result<Shown, OidcError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &way.redirect_uri)
            .append_pair("code_verifier", &way.verifier);
        let mut headers = Vec::new();
        match (metadata.proof(secret.is_some())?, secret) {
            (Proof::Basic, Some(secret)) => {
                // Both are written as in a form (RFC 6749, 2.3.1).
                let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", part(&settings.client_id), part(secret.expose()));
                headers.push(("authorization", format!("Basic {}", STANDARD.encode(pair))));
            }
            (_, secret) => {
                form.append_pair("client_id", &settings.client_id);
                if let Some(secret) = secret {
                    form.append_pair("client_secret", secret.expose());
                }
            }
        }
        Ok((headers, form.finish()))
    }

    /// What it says of somebody besides the token, where it has a place for that.
    async fn besides(
        asks: Asks<'_>,
        metadata: &Metadata,
        granted: &Granted,
        subject: &str,
    ) -> Result<Option<Claims>, OidcError> {
        let kind = granted.token_type.as_deref().unwrap_or_default();
        let (Some(url), Some(token), true) = (
            &metadata.userinfo_endpoint,
            &granted.access_token,
            kind.eq_ignore_ascii_case("bearer"),
        ) else {
            return Ok(None);
        };
        let shown = vec![("authorization", format!("Bearer {token}"))];
        let came = fetch(asks, url, shown, None).await?;
        if came.status != 200 {
            return Err(unexpected(&came, "for what it knows of somebody"));
        }
        let claims: Claims = json(&came).ok_or(OidcError::Unfit(
            "what the provider knows of somebody comes in another form than JSON; let it come unsigned, or in the ID token"
                .to_owned(),
        ))?;
        if claims.get("sub").and_then(|sub| sub.as_str()) != Some(subject) {
            return Err(distrusted(
                "what it says besides the ID token is about somebody else (`sub`)",
            ));
        }
        Ok(Some(claims))
    }

    /// What it says of itself, as it said a while ago or says now. One at a time asks.
    async fn metadata(&self, asks: Asks<'_>) -> Result<Arc<Metadata>, OidcError> {
        let issuer = &asks.settings.issuer;
        let mut known = self.known.lock().await;
        if known.issuer != *issuer {
            *known = Known {
                issuer: issuer.clone(),
                ..Known::default()
            };
        }
        if let Some((at, metadata)) = &known.metadata
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(metadata));
        }
        if let Some((at, error)) = &known.failed
            && at.elapsed() < FAILED
        {
            return Err(error.clone());
        }
        let read = async {
            let came = fetch(asks, &place(issuer)?, Vec::new(), None).await?;
            if came.status != 200 {
                return Err(unexpected(&came, "for what it says of itself"));
            }
            Metadata::read(&came.body, issuer)
        };
        match read.await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((Instant::now(), Arc::clone(&metadata)));
                known.failed = None;
                Ok(metadata)
            }
            Err(error) => {
                known.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Its keys; others than these, where they may be others by now.
    async fn keys(
        &self,
        asks: Asks<'_>,
        metadata: &Metadata,
        than: Option<&Arc<Keys>>,
    ) -> Result<Arc<Keys>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((at, keys)) = &known.keys {
            // Somebody else may have fetched them meanwhile.
            let are_new = than.is_some_and(|than| !Arc::ptr_eq(than, keys));
            let lately = known.for_a_new_one;
            let may_ask =
                than.is_some() && lately.is_none_or(|lately| lately.elapsed() >= NEW_KEYS);
            if at.elapsed() < FRESH && (are_new || !may_ask) {
                return Ok(Arc::clone(keys));
            }
        }
        if than.is_some() {
            known.for_a_new_one = Some(Instant::now());
        }
        let came = fetch(asks, &metadata.jwks_uri, Vec::new(), None).await?;
        if came.status != 200 {
            return Err(unexpected(&came, "for its keys"));
        }
        let keys = Keys::read(&came.body).ok_or(OidcError::Unfit(
            "what the provider gives as its keys is not readable".to_owned(),
        ))?;
        let keys = Arc::new(keys);
        known.keys = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }
}

fn distrusted(why: &str) -> OidcError {
    OidcError::Distrusted(why.to_owned())
}

/// What an error in the answer means (RFC 6749, 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6). Another text is not told.
fn declined(error: &str) -> OidcError {
    OidcError::Declined(match error {
        "access_denied" => "they did not agree, or may not (access_denied)",
        "login_required" | "interaction_required" | "account_selection_required" => {
            "they have to sign in there first"
        }
        "consent_required" => "they have to agree there first",
        "invalid_scope" => {
            return OidcError::Unfit(
                "the provider does not know one of `web.oidc.scopes`".to_owned(),
            );
        }
        "unauthorized_client" | "invalid_request" | "unsupported_response_type" => {
            return OidcError::Unfit(
                "the provider does not let this program sign anybody in; see what is registered there"
                    .to_owned(),
            );
        }
        "temporarily_unavailable" | "server_error" => {
            return OidcError::Away("it says that it cannot now".to_owned());
        }
        _ => "it says why in no word that is known",
    })
}

fn unexpected(came: &Fetched, what: &str) -> OidcError {
    let status = came.status;
    let told = format!("it answered with status {status} {what}");
    match status {
        408 | 425 | 429 | 500.. => OidcError::Away(told),
        _ => OidcError::Unfit(format!("the provider is not as `web.oidc` has it: {told}")),
    }
}

fn json<T: DeserializeOwned>(came: &Fetched) -> Option<T> {
    serde_json::from_slice(&came.body).ok()
}

/// What proves that this program is itself; it may be a program's to tell.
async fn secret(asks: Asks<'_>) -> Result<Option<Secret>, OidcError> {
    let Some(reference) = asks.settings.secret.clone() else {
        return Ok(None);
    };
    let home = asks.home.to_owned();
    let read = tokio::task::spawn_blocking(move || reference.read(&home)).await;
    match read {
        Ok(Ok(secret)) => Ok(Some(secret)),
        Ok(Err(error)) => Err(OidcError::Unfit(format!("web.oidc.secret: {error}"))),
        Err(_) => Err(OidcError::Unfit("web.oidc.secret: it ended".to_owned())),
    }
}

async fn fetch(
    asks: Asks<'_>,
    url: &Url,
    headers: Vec<(&'static str, String)>,
    form: Option<String>,
) -> Result<Fetched, OidcError> {
    let fetch = Fetch {
        url,
        headers,
        form,
        timeout: PATIENCE,
        proxy: asks.proxy,
        ca_file: asks.settings.ca_file.as_deref(),
        home: asks.home,
    };
    asks.outbound
        .fetch(fetch)
        .await
        .map_err(|error| match error {
            Unposted::NotAllowed(what) | Unposted::Refused(what) => OidcError::Unfit(what),
            Unposted::Unknown(what) => OidcError::Away(what),
        })
}
