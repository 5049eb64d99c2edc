//! Emails of a recording, and what stands in their place: a name is the same in them as elsewhere, and nobody has their
//! domain.

use super::Pseudonyms;
use super::maker::{Kind, Token, runs, tokens};

impl Pseudonyms<'_> {
    pub(super) fn emails(&mut self, core: &str) -> String {
        let mut made = String::new();
        for part in core.split_inclusive([',', ';', ' ', '\t', '\n']) {
            let text = part.trim_end_matches([',', ';', ' ', '\t', '\n']);
            made += &if text.contains('@') {
                self.email(text)
            } else {
                self.text(text, true)
            };
            made += part.get(text.len()..).unwrap_or_default();
        }
        made
    }

    fn email(&mut self, email: &str) -> String {
        let Some((local, domain)) = email.rsplit_once('@') else {
            return self.text(email, true);
        };
        let lower = email.to_lowercase();
        let own = |local: &str| {
            let any = format!("{}@*", local.to_lowercase());
            self.known
                .placeholders
                .iter()
                .any(|one| one.to_lowercase() == any)
        };
        if self
            .known
            .placeholders
            .iter()
            .any(|one| one.to_lowercase() == lower)
        {
            return email.to_owned();
        }
        let keeps = own(local);
        let domain = self.domain(domain);
        if keeps {
            return format!("{local}@{domain}");
        }
        let mut parts = String::new();
        for token in tokens(local) {
            match token {
                Token::Between(text) => parts += text,
                Token::Word(word) => {
                    for run in runs(word) {
                        parts += &if run.starts_with(|c: char| c.is_ascii_digit()) {
                            self.maker.code(run, false)
                        } else {
                            self.maker.word(run)
                        };
                    }
                }
            }
        }
        // Equal but for case is the same email.
        let whole = self.maker.whole(Kind::Email, &lower, |attempt| {
            let number = if attempt == 0 {
                String::new()
            } else {
                attempt.to_string()
            };
            format!("{}{number}@{}", parts.to_lowercase(), domain.to_lowercase())
        });
        if whole == format!("{parts}@{domain}").to_lowercase() {
            format!("{parts}@{domain}")
        } else {
            whole
        }
    }

    /// A domain that nobody has; those that are kept for examples stay.
    fn domain(&mut self, domain: &str) -> String {
        let lower = domain.to_lowercase();
        let reserved = ["example.com", "example.org", "example.net"].contains(&lower.as_str())
            || [".example", ".test", ".invalid"]
                .iter()
                .any(|end| lower.ends_with(end));
        if reserved || domain.is_empty() {
            return domain.to_owned();
        }
        // Without a dot it is no domain (R13a), and stays none.
        let end = if lower.contains('.') {
            ".example.com"
        } else {
            ""
        };
        let letters: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
        let word = self.maker.code(&format!("domain{letters}"), false);
        let word: String = word.chars().take(8).collect();
        self.maker
            .whole(Kind::Email, &format!("@{lower}"), |attempt| {
                let number = if attempt == 0 {
                    String::new()
                } else {
                    attempt.to_string()
                };
                format!("{word}{number}{end}")
            })
    }
}
