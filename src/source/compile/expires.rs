//! Where answers tell until when the credential is taken: the place and the form. Reads no answer.

use crate::config::{self, ExpiresAt};

use super::super::expires::{At, Expires, Form, is_form};
use super::Compile;

impl Compile<'_> {
    pub(super) fn expires(&mut self, field: &str, spec: &config::Expires) -> Expires {
        let at = match &spec.at {
            ExpiresAt::Path(path) => At::Path(self.path(field, path)),
            ExpiresAt::Header(name) => {
                self.header_name(field, name);
                At::Header(name.clone())
            }
        };
        let form = match spec.form.as_deref() {
            None => Form::Plain,
            Some("days") => Form::Days,
            Some("seconds") => Form::Seconds,
            Some(form) => {
                if !is_form(form) {
                    self.problem(
                        field,
                        format!("`{form}` is no form of a date; write one such as `%m/%d/%Y`, or `days` or `seconds` where a number says how many are left"),
                    );
                }
                Form::Of(form.to_owned())
            }
        };
        Expires { at, form }
    }
}
