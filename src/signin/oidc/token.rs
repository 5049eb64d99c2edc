//! An ID token (OpenID Connect Core 1.0, 3.1.3.7; RFC 7515): whether the provider signed it, for us, for this sign-in, just now.
//! Pure: the moment is an argument.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::outbound::Signing;

use super::keys::Keys;

/// So long is a token at most, in bytes.
const MOST: usize = 64 * 1024;
/// By so many seconds two clocks may differ.
const LEEWAY: i64 = 60;
/// So long is who somebody is at most (OpenID Connect Core 1.0, 2).
const MOST_SUBJECT: usize = 255;

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// When somebody left for the provider.
    pub(super) left: Timestamp,
    pub(super) now: Timestamp,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It names a key that is not among those that are known: there may be new ones.
    UnknownKey,
    /// It is not what it should be.
    Token(&'static str),
}

/// What a token says.
pub(super) type Claims = Map<String, Value>;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Takes a token apart, and judges it.
pub(super) fn judged(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, Wrong> {
    let wrong = Wrong::Token;
    if token.len() > MOST {
        return Err(wrong("the ID token is too long"));
    }
    let (content, signature) = token.rsplit_once('.').ok_or(wrong(NO_TOKEN))?;
    let (header, claims) = content.split_once('.').ok_or(wrong(NO_TOKEN))?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong(NO_TOKEN));
    let header: Header =
        serde_json::from_slice(&part(header)?).map_err(|_| wrong("the ID token has no header"))?;
    // What it says of itself is not believed: it only names one of what is taken in any case.
    let Some(signing) = Signing::named(&header.alg) else {
        return Err(wrong(
            "the ID token is not signed, or in a way that is not taken (`alg`)",
        ));
    };
    if header.crit.is_some() {
        return Err(wrong(
            "the ID token asks for something that is not known (`crit`)",
        ));
    }
    let (claims, signature) = (part(claims)?, part(signature)?);
    let mut any = false;
    let by_one = keys
        .that_fit(header.kid.as_deref(), &header.alg, signing)
        .inspect(|_| any = true)
        .any(|key| key.has_signed(signing, content.as_bytes(), &signature));
    match (by_one, any) {
        (true, _) => {}
        (false, true) => return Err(wrong("the ID token is not signed by a key of the provider")),
        (false, false) => return Err(Wrong::UnknownKey),
    }
    let claims: Claims =
        serde_json::from_slice(&claims).map_err(|_| wrong("the ID token says nothing"))?;
    fits(&claims, expected).map_err(wrong)?;
    Ok(claims)
}

const NO_TOKEN: &str = "the ID token is none";

fn fits(claims: &Claims, expected: &Expected<'_>) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err("the ID token is of another provider (`iss`)");
    }
    let ours = expected.client_id;
    let (is_for_us, is_for_others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == ours, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one == ours), all.len() > 1),
        _ => (false, false),
    };
    if !is_for_us {
        return Err("the ID token is for another program (`aud`)");
    }
    match claims.get("azp") {
        None if is_for_others => {
            return Err("the ID token is for several programs, and does not say for which (`azp`)");
        }
        Some(party) if party != ours => {
            return Err("the ID token was asked for by another program (`azp`)");
        }
        _ => {}
    }
    let moment = |name: &str| claims.get(name).and_then(seconds);
    let now = expected.now.as_second();
    match moment("exp") {
        Some(end) if end.saturating_add(LEEWAY) > now => {}
        Some(_) => return Err("the ID token is over (`exp`); is the clock right, here and there?"),
        None => return Err("the ID token does not say until when it holds (`exp`)"),
    }
    let left = expected.left.as_second();
    match moment("iat") {
        Some(at) if at.saturating_sub(LEEWAY) > now => {
            return Err(
                "the ID token is of the future (`iat`); is the clock right, here and there?",
            );
        }
        Some(at) if at.saturating_add(LEEWAY) < left => {
            return Err(
                "the ID token is older than this sign-in (`iat`); is the clock right, here and there?",
            );
        }
        Some(_) => {}
        None => return Err("the ID token does not say when it was made (`iat`)"),
    }
    if claims.contains_key("nbf") && moment("nbf").is_none_or(|at| at.saturating_sub(LEEWAY) > now)
    {
        return Err("the ID token does not hold yet (`nbf`)");
    }
    if text("nonce") != Some(expected.nonce) {
        return Err("the ID token is of another sign-in (`nonce`)");
    }
    match text("sub") {
        Some(subject) if (1..=MOST_SUBJECT).contains(&subject.len()) => Ok(()),
        _ => Err("the ID token does not say who it is about (`sub`)"),
    }
}

/// Seconds since 1970; parts of one are left out.
fn seconds(value: &Value) -> Option<i64> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "what is beyond all moments becomes the first or the last"
    )]
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::signing::Signer;
    use super::*;

    const LEFT: i64 = 1_800_000_000;
    const NOW: i64 = LEFT + 20;

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://id.example.org",
            client_id: "epms",
            nonce: "n-1",
            left: Timestamp::from_second(LEFT).unwrap(),
            now: Timestamp::from_second(NOW).unwrap(),
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://id.example.org", "aud": "epms", "nonce": "n-1", "sub": "u1",
            "iat": NOW - 1, "exp": NOW + 300,
        })
    }

    fn of(token: &str, signer: &Signer) -> Result<Claims, Wrong> {
        judged(token, &signer.keys("k1"), &expected())
    }

    #[test]
    fn a_token_of_the_provider_for_us_and_this_sign_in_is_taken() {
        let signer = Signer::new();
        let header = json!({ "alg": "ES256", "kid": "k1" });
        let mut more = claims();
        for (name, value) in [
            ("aud", json!(["epms"])),
            ("azp", json!("epms")),
            ("iat", json!(1_800_000_020.5)),
            ("exp", json!(NOW - 59)),
            ("nbf", json!(NOW + 60)),
        ] {
            more[name] = value;
        }
        let mut several = claims();
        several["aud"] = json!(["other", "epms"]);
        several["azp"] = json!("epms");
        for claims in [claims(), more, several] {
            let token = signer.signs(&header, &claims);
            assert_eq!(of(&token, &signer).unwrap()["sub"], "u1", "{claims}");
        }
        // Without a key's name every key of the kind is tried.
        let token = signer.signs(&json!({ "alg": "ES256" }), &claims());
        assert!(of(&token, &signer).is_ok());
    }

    #[test]
    fn a_token_that_is_for_others_of_others_or_of_another_time_is_not() {
        let signer = Signer::new();
        let header = json!({ "alg": "ES256", "kid": "k1" });
        for (told, name, value) in [
            ("`iss`", "iss", json!("https://id.example.org/")),
            ("`iss`", "iss", json!(["https://id.example.org"])),
            ("`aud`", "aud", json!("other")),
            ("`aud`", "aud", json!([])),
            ("`aud`", "aud", json!("epms2")),
            ("`aud`", "aud", Value::Null),
            ("`azp`", "aud", json!(["epms", "other"])),
            ("`azp`", "azp", json!("other")),
            ("`azp`", "azp", Value::Null),
            ("`exp`", "exp", json!(NOW - 60)),
            ("`exp`", "exp", json!("2099")),
            ("`exp`", "exp", json!(f64::MIN)),
            ("`iat`", "iat", json!(NOW + 61)),
            ("`iat`", "iat", json!(LEFT - 61)),
            ("`iat`", "iat", Value::Null),
            ("`nbf`", "nbf", json!(NOW + 61)),
            ("`nbf`", "nbf", json!("soon")),
            ("`nonce`", "nonce", json!("n-2")),
            ("`nonce`", "nonce", Value::Null),
            ("`sub`", "sub", json!("")),
            ("`sub`", "sub", json!("x".repeat(256))),
            ("`sub`", "sub", json!(7)),
        ] {
            let mut claims = claims();
            claims[name] = value;
            let token = signer.signs(&header, &claims);
            let Err(Wrong::Token(why)) = of(&token, &signer) else {
                panic!("taken: {claims}");
            };
            assert!(why.contains(told), "{claims}: {why}");
        }
    }

    #[test]
    fn a_token_that_nobody_or_somebody_else_signed_is_not() {
        let (signer, other) = (Signer::new(), Signer::new());
        let header = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid });
        let good = signer.signs(&header("ES256", "k1"), &claims());
        let of_other = other.signs(&header("ES256", "k1"), &claims());
        assert_eq!(
            of(&of_other, &signer).unwrap_err(),
            Wrong::Token("the ID token is not signed by a key of the provider")
        );
        let unknown = signer.signs(&header("ES256", "k2"), &claims());
        assert_eq!(of(&unknown, &signer).unwrap_err(), Wrong::UnknownKey);
        for alg in ["none", "None", "", "HS256", "HS384", "es256"] {
            let token = signer.signs(&header(alg, "k1"), &claims());
            let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
            for token in [token, unsigned] {
                let Err(Wrong::Token(why)) = of(&token, &signer) else {
                    panic!("taken: {alg}");
                };
                assert!(why.contains("`alg`"), "{why}");
            }
        }
        // One that says that it is of another kind than its key.
        let token = signer.signs(&header("RS256", "k1"), &claims());
        assert_eq!(of(&token, &signer).unwrap_err(), Wrong::UnknownKey);
        let mut asks = header("ES256", "k1");
        asks["crit"] = json!(["exp"]);
        assert!(of(&signer.signs(&asks, &claims()), &signer).is_err());
        // What was signed is all of it.
        let mut others = claims();
        others["sub"] = json!("u2");
        let changed = signer.signs(&header("ES256", "k1"), &others);
        let (content, _) = changed.rsplit_once('.').unwrap();
        let (_, signature) = good.rsplit_once('.').unwrap();
        for token in [
            format!("{content}.{signature}"),
            format!("{good}x"),
            format!("{good}."),
            good.replace('.', ""),
            String::new(),
            "..".to_owned(),
            "a.b.c".to_owned(),
        ] {
            assert!(of(&token, &signer).is_err(), "{token}");
        }
        assert!(of(&good, &signer).is_ok());
    }
}
