//! Notifications, as far as a look tells: whether the secrets can be read that they need, and whether those that sign can.
//! Nobody is told anything: `epms notify test` does that.

use std::path::Path;

use crate::config::{CredentialValue, Hook, HookForm, Notify, NotifyTo, SecretReference, Smtp};

use super::check::Check;
use super::pms::{signs, there};

/// Looks at the secrets of each.
pub(super) fn look(all: &[Notify], home: &Path) -> Vec<Check> {
    let of_one = |one: &Notify| match &one.to {
        NotifyTo::Smtp(smtp) => of_smtp(smtp, one.name(), home),
        NotifyTo::Webhook(hook) => of_hook(hook, one.name(), home),
        NotifyTo::Exec(_) => Vec::new(),
    };
    all.iter().flat_map(of_one).collect()
}

fn of_smtp(smtp: &Smtp, name: &str, home: &Path) -> Vec<Check> {
    let password = smtp.password.iter();
    password
        .map(|reference| secret("password", name, reference, home, false))
        .collect()
}

fn of_hook(hook: &Hook, name: &str, home: &Path) -> Vec<Check> {
    let url = match &hook.url {
        CredentialValue::Secret(reference) => Some(secret("url", name, reference, home, false)),
        CredentialValue::Plain(_) => None,
    };
    let signs = hook.form == HookForm::Standard;
    let key = hook.secret.iter();
    let key = key.map(|reference| secret("secret", name, reference, home, signs));
    url.into_iter().chain(key).collect()
}

fn secret(field: &str, of: &str, reference: &SecretReference, home: &Path, key: bool) -> Check {
    let did = format!("read {field} of the notification {of} from {reference}");
    match reference.read(home) {
        Ok(secret) if key => signs(&secret, did, there(reference, home)),
        Ok(_) => Check::ok("secret", did, there(reference, home)),
        Err(error) => {
            let remedy =
                "the daemon may have it where you have not: see what `epms notify test` says";
            Check::warn("secret", did, error.to_string(), remedy)
        }
    }
}
