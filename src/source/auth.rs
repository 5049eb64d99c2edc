//! Tokens: fetched by a login or from an OAuth2 server, one at a time for all integrations of a credential.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::config::{Auth, ClientStyle, Format, Grant, Method, OAuth2, Retry, Secret, Span};
use crate::outbound::{Account, Answer, Exchange, Lasts, Left, Prepared, Shows, Token};

use super::SourceError;
use super::call::Call;
use super::compiled::Source;
use super::reader::{Reader, Scope};
use super::template::{Before, PageValues, Place};

/// How errors name the request of an OAuth2 token.
pub(super) const OAUTH2: &str = "auth.oauth2";

/// Nobody waits longer for the answer to a log-out.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(5);

/// What a log-out says of the credential: nothing, as the token may be over.
const LOGOUT: Shows = Shows {
    secret: false,
    last: false,
    is_login: false,
};

/// What a login proves itself with.
const LOGIN: Shows = Shows {
    secret: true,
    last: true,
    is_login: true,
};

impl Reader {
    /// The token for a request: the kept one, unless it is the one that was `refused`, or a new one. None
    /// where the connector needs none.
    pub(super) async fn token(
        &self,
        call: &Call<'_>,
        refused: Option<u64>,
    ) -> Result<Option<Token>, SourceError> {
        if call.source.tokens.is_none() {
            return Ok(None);
        }
        let fetched = |useless: Vec<Left>| async move {
            for left in useless {
                self.give_back(call, left).await?;
            }
            self.new_token(call).await
        };
        call.account.token(refused, fetched).await.map(Some)
    }

    /// Gives the token of a credential back, where one is kept and the connector says how. For whoever asks nothing more:
    /// the error is worth a word, and no more than that.
    pub async fn log_out(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
    ) -> Result<(), SourceError> {
        if !source.logs_out() {
            return Ok(());
        }
        let call = Call::for_token(source, account, scope);
        for left in account.leave().await {
            self.give_back(&call, left).await?;
        }
        Ok(())
    }

    /// Gives one token back. One that may not serve any more is no loss.
    async fn give_back(&self, call: &Call<'_>, left: Left) -> Result<(), SourceError> {
        let Some(request) = call.source.logout() else {
            return Ok(());
        };
        let call = Call {
            request,
            property: "",
            known: None,
            before: Before {
                token: Some(left.secret.expose()),
                ..Before::default()
            },
            ..*call
        };
        let token = Token {
            secret: left.secret.clone(),
            serial: 0,
            kept: true,
        };
        let once = Exchange {
            retry: Retry {
                attempts: 1,
                longest: Span::seconds(GIVEN_BACK_WITHIN.as_secs()),
                ..Retry::default()
            },
            ..call.exchange()
        };
        let asked = once.run(
            || call.logout(&token),
            LOGOUT,
            |answer| call.is_logged_out(answer),
        );
        let asked = tokio::time::timeout(GIVEN_BACK_WITHIN, asked).await;
        let ended = if let Ok(ended) = asked {
            ended.map(drop).map_err(|failure| failure.error)
        } else {
            let what = format!("no answer within {} s", GIVEN_BACK_WITHIN.as_secs());
            let remedy = "the PMS ends the login when it is idle";
            Err(SourceError::Unavailable(call.told(&what, None, remedy)))
        };
        match ended {
            Err(error) if left.is_doubtful => {
                tracing::debug!(%error, "a token that may not serve any more was not taken back");
                Ok(())
            }
            ended => ended,
        }
    }

    async fn new_token(&self, call: &Call<'_>) -> Result<(String, Lasts), SourceError> {
        let (Some(reading), Some(auth)) = (&call.source.tokens, &call.source.connector.auth) else {
            return Err(SourceError::Stopped);
        };
        let call = Call {
            request: call.source.login().unwrap_or(OAUTH2),
            property: "",
            known: None,
            before: Before::default(),
            ..*call
        };
        match auth {
            Auth::Login(login) => {
                let (_, spec) = call.spec()?;
                let request = call.source.requests.get(call.request);
                let rules = request.map_or(&[][..], |request| &request.rules);
                let encoding = request.and_then(|request| request.shape.encoding);
                let ((token, _), answer) = call
                    .exchange()
                    .run(
                        || call.login(),
                        LOGIN,
                        |answer| call.token_of(spec.format, reading, rules, encoding, answer),
                    )
                    .await
                    .map_err(|failure| failure.error)?;
                call.hear_until(&answer, None).await;
                let lasts = Lasts {
                    idle: login.idle.map(|idle| idle.0),
                    lifetime: login.lifetime.map(|lifetime| lifetime.0),
                };
                Ok((token, lasts))
            }
            Auth::OAuth2(oauth2) => {
                let own = call.own_refresh_token(oauth2)?;
                if own.is_some() && !call.account.keeps_refresh_tokens() {
                    let what = "nothing was asked: the refresh token may count only once, and the one that would come for it is not kept here";
                    let told = call.told(what, None, ASK_THE_DAEMON);
                    return Err(SourceError::NotAllowed(told));
                }
                let refresh = match &own {
                    Some(own) => Some(call.account.refresh_token(own.clone()).await),
                    None => None,
                };
                let refresh = refresh.as_ref().map(Secret::expose);
                let ((token, next), _) = call
                    .exchange()
                    .run(
                        || call.grant(oauth2, refresh),
                        LOGIN,
                        |answer| {
                            let token =
                                call.token_of(Format::Json, reading, &reading.rules, None, answer)?;
                            Ok((token, next_refresh_token(answer)))
                        },
                    )
                    .await
                    .map_err(|failure| failure.error)?;
                if let (Some(own), Some(next)) = (own, next)
                    && refresh != Some(next.as_str())
                {
                    call.account.keep_refresh_token(&own, next).await;
                }
                Ok(token)
            }
            Auth::Basic { .. } | Auth::Bearer { .. } => Err(SourceError::Stopped),
        }
    }
}

/// Who keeps the refresh token that counts.
const ASK_THE_DAEMON: &str =
    "the daemon keeps it: sync, `epms preview` and `epms explain --live` log in with it";

impl Call<'_> {
    /// The request that gives a token back.
    fn logout(&self, token: &Token) -> Result<Prepared, SourceError> {
        let values = PageValues::default().as_of_now();
        let url = self.url(&values)?;
        self.prepare(&url, &url, &values, Some(token))
    }

    /// The request that answers with a token.
    fn login(&self) -> Result<Prepared, SourceError> {
        let values = PageValues::default().as_of_now();
        let url = self.url(&values)?;
        self.prepare(&url, &url, &values, None)
    }

    /// The refresh token that the credential names, where it is asked with one.
    fn own_refresh_token(&self, oauth2: &OAuth2) -> Result<Option<String>, SourceError> {
        if oauth2.grant != Grant::RefreshToken {
            return Ok(None);
        }
        let values = PageValues::default();
        self.render(Place::Plain, "auth.oauth2.refresh_token", &values)
            .map(Some)
    }

    /// The request for a token (RFC 6749: 4.3.2, 4.4.2, 6).
    fn grant(&self, oauth2: &OAuth2, refresh: Option<&str>) -> Result<Prepared, SourceError> {
        let values = PageValues::default().as_of_now();
        let plain =
            |field: &str| self.render(Place::Plain, &format!("auth.oauth2.{field}"), &values);
        let url = self.render(Place::Url, "auth.oauth2.token_url", &values)?;
        let url = Url::parse(&url).map_err(|_| {
            let remedy = "correct the connector or the credential";
            SourceError::NotAllowed(self.told("what `token_url` gives is no URL", None, remedy))
        })?;
        let mut form = Serializer::new(String::new());
        match oauth2.grant {
            Grant::ClientCredentials => {
                form.append_pair("grant_type", "client_credentials");
            }
            Grant::Password => {
                form.append_pair("grant_type", "password");
                form.append_pair("username", &plain("username")?);
                form.append_pair("password", &plain("password")?);
            }
            Grant::RefreshToken => {
                form.append_pair("grant_type", "refresh_token");
                form.append_pair("refresh_token", refresh.unwrap_or_default());
            }
        }
        for (name, asked) in [("scope", &oauth2.scope), ("audience", &oauth2.audience)] {
            if asked.is_some() {
                form.append_pair(name, &plain(name)?);
            }
        }
        let (id, secret) = (plain("client_id")?, plain("client_secret")?);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, kind);
        match oauth2.style {
            // Both are form-encoded before they are joined (2.3.1).
            ClientStyle::Basic if secret.is_empty() => {
                form.append_pair("client_id", &id);
            }
            ClientStyle::Basic => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                headers.insert(AUTHORIZATION, self.basic(&encoded(&id), &encoded(&secret))?);
            }
            ClientStyle::Body => {
                form.append_pair("client_id", &id);
                if !secret.is_empty() {
                    form.append_pair("client_secret", &secret);
                }
            }
        }
        Ok(Prepared {
            method: Method::Post,
            url: self.permitted(&url)?,
            headers,
            body: Some(form.finish()),
            // A refresh token may be used up by a request whose answer did not come.
            repeatable: oauth2.grant != Grant::RefreshToken,
            redirects: Vec::new(),
        })
    }
}

/// The refresh token for the next time, where the answer brings one.
fn next_refresh_token(answer: &Answer) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let token = value.get("refresh_token")?.as_str()?.trim();
    (!token.is_empty()).then(|| token.to_owned())
}
