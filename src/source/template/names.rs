//! What templates may name: values by where the template stands, and what is wrong with a name that is none. Renders
//! nothing.

use crate::config::nearest;

/// What a template may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Uses {
    /// Everything about the request at hand.
    All,
    /// The same where there is no PMS property.
    Target,
    /// Only what is the same for all integrations of a credential.
    Credential,
    /// That, and the token of the login.
    Token,
    /// The request that is signed.
    Signed,
    /// Its signature.
    Signature,
}

impl Uses {
    /// The names, `credential.*` and `fields.*` apart.
    fn names(self) -> &'static [&'static str] {
        match self {
            Uses::All => &[
                "property",
                "today",
                "now.seconds",
                "now.milliseconds",
                "page.number",
                "page.offset",
                "page.size",
                "page.cursor",
                "fields",
            ],
            Uses::Target => &[
                "today",
                "now.seconds",
                "now.milliseconds",
                "page.number",
                "page.offset",
                "page.size",
                "page.cursor",
                "fields",
            ],
            Uses::Credential => &["today", "now.seconds", "now.milliseconds"],
            Uses::Token => &["today", "now.seconds", "now.milliseconds", "token"],
            Uses::Signed => &[
                "today",
                "now.seconds",
                "now.milliseconds",
                "method",
                "path",
                "query",
                "body",
            ],
            Uses::Signature => &["today", "now.seconds", "now.milliseconds", "signature"],
        }
    }

    /// Whether a template may name this.
    fn takes(self, variable: &str) -> bool {
        self.names().contains(&variable) || self.is_all() && variable.starts_with("fields.")
    }

    /// Whether it is everything that there is.
    fn is_all(self) -> bool {
        matches!(self, Uses::All | Uses::Target)
    }
}

/// Whether it is something else for each PMS property, or integration.
pub(super) fn is_of_property(variable: &str) -> bool {
    variable == "property" || variable.starts_with("fields.")
}

/// Why a template cannot have a name that it uses; none where it can. `before` is what may come before its request.
pub(super) fn unknown(
    variable: &str,
    credential_fields: &[&str],
    uses: Uses,
    before: &[String],
) -> Option<String> {
    if let Some(field) = variable.strip_prefix("credential.") {
        if credential_fields.contains(&field) {
            return None;
        }
        let near = nearest(field, credential_fields).map_or_else(
            || format!("`credential_fields` has: {}", credential_fields.join(", ")),
            |near| format!("did you mean `credential.{near}`?"),
        );
        return Some(format!(
            "the template uses `{variable}`, which is no credential field; {near}"
        ));
    }
    let comes_before = |name: &String| {
        variable == *name || name.ends_with('.') && variable.starts_with(name.as_str())
    };
    if before.iter().any(comes_before) || uses.takes(variable) {
        return None;
    }
    let why = if variable == "property" && uses == Uses::Target {
        "is of a PMS, and not of a target"
    } else if Uses::All.takes(variable) {
        "is not the same for all integrations of the credential, which share this"
    } else {
        "does not exist"
    };
    let names = uses.names();
    let heads = before.iter().filter_map(|name| name.strip_suffix('.'));
    let is_head = |name: &String| heads.clone().any(|head| head == name);
    let there = if uses.is_all() {
        let before = before.iter().filter(|name| !is_head(name));
        let before = before.map(|name| match name.strip_suffix('.') {
            Some(name) => format!(", {name}.…"),
            None => format!(", {name}"),
        });
        let before: String = before.collect();
        let names: Vec<&str> = names
            .iter()
            .copied()
            .filter(|one| *one != "fields")
            .collect();
        format!("fields.…, {}{before}", names.join(", "))
    } else {
        names.join(", ")
    };
    if let Some(near) = misspelt(variable, heads.clone()) {
        return Some(format!(
            "the template uses `{variable}`, which {why}; did you mean `{near}`?"
        ));
    }
    Some(format!(
        "the template uses `{variable}`, which {why}; there are: credential.…, {there}"
    ))
}

/// The name that is meant where what came before a request, or what it is about, is misspelt.
fn misspelt<'a>(variable: &str, heads: impl Iterator<Item = &'a str>) -> Option<String> {
    let (head, rest) = variable.split_once('.')?;
    let heads: Vec<&str> = heads.collect();
    nearest(head, &heads).map(|near| format!("{near}.{rest}"))
}
