//! `web.proxy` of `config/epms.yaml`: the proxy that says in headers who asks, over the control socket. Looks at no header.

use schemars::JsonSchema;
use serde::Deserialize;

use super::TierGroups;

/// A proxy before the control socket, which signs people in itself and says in headers who asks. What other users of this
/// machine, or anybody over the network, write into these headers says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebProxy {
    /// The user that the proxy runs as, by number (`id -u www-data`), and nothing else does: without the header `user` this
    /// user may do nothing.
    pub uid: u32,
    /// The header with the name of who asks, such as `X-User`. The proxy has to set it itself at every request.
    pub user: String,
    /// The header with their groups, with commas between them, such as `X-Groups`.
    pub groups: String,
    /// How much the members of which groups may do.
    pub tiers: TierGroups,
}

/// Headers that mean something else.
const TAKEN: &[&str] = &[
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "forwarded",
    "host",
    "origin",
    "referer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

impl WebProxy {
    /// What is wrong with it, by field.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut wrong = |field: &str, what: String| found.push((format!("proxy.{field}"), what));
        if self.uid == 0 || self.uid == u32::MAX {
            let told = "is root, who may everything, whatever a header says; run the proxy as a user of its own";
            wrong("uid", told.to_owned());
        }
        for (field, name) in [("user", &self.user), ("groups", &self.groups)] {
            let is_token = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            let lower = name.to_ascii_lowercase();
            if name.is_empty() || !name.bytes().all(is_token) {
                let told = format!(
                    "`{name}` is no name of a header; write letters, digits and `-`, such as X-User"
                );
                wrong(field, told);
            } else if TAKEN.contains(&lower.as_str()) || lower.starts_with("sec-") {
                wrong(
                    field,
                    format!("`{name}` means something else; take another header"),
                );
            }
        }
        if self.user.eq_ignore_ascii_case(&self.groups) {
            wrong(
                "groups",
                "is the header of `user`; take another header".to_owned(),
            );
        }
        if let Some(what) = self.tiers.problem() {
            wrong("tiers", what.to_owned());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_has_a_user_of_its_own_and_two_headers_that_mean_nothing_else() {
        let proxy = |uid, user: &str, groups: &str| WebProxy {
            uid,
            user: user.into(),
            groups: groups.into(),
            tiers: TierGroups {
                observe: vec!["staff".into()],
                ..TierGroups::default()
            },
        };
        assert!(proxy(33, "X-User", "X-Groups").problems().is_empty());
        for (one, field) in [
            (proxy(0, "X-User", "X-Groups"), "proxy.uid"),
            (proxy(33, "X_User", "X-Groups"), "proxy.user"),
            (proxy(33, "", "X-Groups"), "proxy.user"),
            (proxy(33, "X-User", "Cookie"), "proxy.groups"),
            (proxy(33, "X-User", "Sec-Fetch-Site"), "proxy.groups"),
            (proxy(33, "X-User", "x-user"), "proxy.groups"),
        ] {
            let found = one.problems();
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].0, field);
        }
    }
}
