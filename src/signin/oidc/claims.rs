//! What a provider says of somebody: what they are called, and their groups. Pure.

use serde_json::Value;

use crate::config::OidcClaims;

use super::token::Claims;

/// So many characters has a name at most.
const MOST_NAME: usize = 128;

/// Where a claim stands: in the token, or else in what the provider says besides.
pub(super) struct Said<'a> {
    pub(super) token: &'a Claims,
    pub(super) besides: Option<&'a Claims>,
}

impl Said<'_> {
    fn claim(&self, name: &str) -> Option<&Value> {
        let all = [Some(self.token), self.besides].into_iter().flatten();
        let mut said = all.filter_map(|claims| claims.get(name));
        said.find(|value| !value.is_null())
    }

    /// Of an address it counts only that somebody proved to the provider that it is theirs.
    fn counts(&self, name: &str) -> bool {
        let is_true = |value: &Value| value == true || value == "true";
        name != "email" || self.claim("email_verified").is_some_and(is_true)
    }

    /// Whether the provider may have more to say.
    pub(super) fn lacks(&self, claims: &OidcClaims) -> bool {
        let names = [&claims.name, &claims.groups];
        let lacks = |name: &&String| self.claim(name).is_none() || !self.counts(name);
        names.iter().any(lacks)
    }

    /// What somebody is called; who they are where that is not said, or is no name.
    pub(super) fn name(&self, claims: &OidcClaims, subject: &str) -> String {
        let said = self.claim(&claims.name).and_then(Value::as_str);
        let said = said.filter(|_| self.counts(&claims.name));
        let said = said.map(str::trim).filter(|name| {
            let fits = (1..=MOST_NAME).contains(&name.chars().count());
            fits && !name.chars().any(char::is_control)
        });
        said.unwrap_or(subject).to_owned()
    }

    /// Their groups.
    pub(super) fn groups(&self, claims: &OidcClaims) -> Vec<String> {
        if !self.counts(&claims.groups) {
            return Vec::new();
        }
        match self.claim(&claims.groups) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => {
                let texts = all.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(of: Value) -> Claims {
        serde_json::from_value(of).unwrap()
    }

    #[test]
    fn what_the_token_says_counts_before_what_is_said_besides() {
        let wanted = OidcClaims::default();
        let token = claims(json!({ "preferred_username": " ada ", "groups": null }));
        let besides = claims(json!({ "preferred_username": "eve", "groups": ["staff", 7, null] }));
        let alone = Said {
            token: &token,
            besides: None,
        };
        assert!(alone.lacks(&wanted));
        assert_eq!(alone.groups(&wanted), [""; 0]);
        let both = Said {
            token: &token,
            besides: Some(&besides),
        };
        assert!(!both.lacks(&wanted));
        assert_eq!(both.name(&wanted, "u1"), "ada");
        assert_eq!(both.groups(&wanted), ["staff"]);
    }

    #[test]
    fn who_has_no_name_that_can_be_one_is_called_by_who_they_are() {
        let wanted = OidcClaims::default();
        let long = "x".repeat(129);
        for odd in [json!(""), json!("  "), json!("a\nb"), json!(7), json!(long)] {
            let token = claims(json!({ "preferred_username": odd }));
            let said = Said {
                token: &token,
                besides: None,
            };
            assert_eq!(said.name(&wanted, "u1"), "u1", "{token:?}");
        }
    }

    #[test]
    fn an_address_that_is_not_proven_is_no_name_and_no_group() {
        let wanted = OidcClaims {
            name: "email".into(),
            groups: "email".into(),
        };
        for (verified, counts) in [
            (json!(true), true),
            (json!("true"), true),
            (json!(false), false),
            (json!(1), false),
            (Value::Null, false),
        ] {
            let token = claims(json!({ "email": "ada@example.com", "email_verified": verified }));
            let said = Said {
                token: &token,
                besides: None,
            };
            assert_eq!(said.groups(&wanted).is_empty(), !counts, "{token:?}");
            let name = if counts { "ada@example.com" } else { "u1" };
            assert_eq!(said.name(&wanted, "u1"), name);
        }
    }
}
