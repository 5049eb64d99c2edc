//! A message as an email to one mailbox. What is not permanent is an unknown outcome: the same message goes out again under
//! the same Message-ID.

use std::time::SystemTime;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::config::{self, Secret, Smtp, SmtpTls};

use super::kept::Letter;
use super::send::{Unsent, Ways, said};

/// Tells programs that answer mail that nobody wrote it (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Sends it, once, within the time that the file gives it.
pub(super) async fn send(
    ways: &Ways,
    smtp: &Smtp,
    letter: &Letter,
    to: &str,
) -> Result<(), Unsent> {
    let Some(to) = smtp.to.iter().find(|one| one.address == to) else {
        return Err(Unsent::Refused(
            "nobody of this address is told any more".into(),
        ));
    };
    let message = message(smtp, to, letter).map_err(Unsent::Refused)?;
    let sent = async {
        let transport = transport(ways, smtp).await?;
        transport
            .send(message)
            .await
            .map_err(|error| unsent(&error))
    };
    match tokio::time::timeout(smtp.timeout.0, sent).await {
        Ok(sent) => sent.map(drop),
        Err(_) => Err(Unsent::Unknown(format!(
            "{} did not take it within {}",
            smtp.host, smtp.timeout
        ))),
    }
}

/// What is not permanent may have been taken.
fn unsent(error: &Error) -> Unsent {
    let told = said(&error.to_string());
    let told = format!("the mail server did not take it: {told}");
    if error.is_permanent() {
        Unsent::Refused(told)
    } else {
        Unsent::Unknown(told)
    }
}

async fn transport(ways: &Ways, smtp: &Smtp) -> Result<AsyncSmtpTransport<Tokio1Executor>, Unsent> {
    let (outbound, home) = (ways.outbound.clone(), ways.home.clone());
    let (reference, encryption) = (smtp.password.clone(), smtp.tls);
    let (ca_file, host) = (smtp.ca_file.clone(), smtp.host.clone());
    // A secret may be a program's, and certificates are many.
    let read = tokio::task::spawn_blocking(move || {
        let password = reference
            .map(|reference| reference.read(&home))
            .transpose()?;
        let tls = match encryption {
            SmtpTls::None => Tls::None,
            encryption => {
                let authorities = outbound.authorities(ca_file.as_deref(), &home);
                let parameters = parameters(host, authorities.map_err(Unsent::Refused)?)?;
                match encryption {
                    SmtpTls::Tls => Tls::Wrapper(parameters),
                    _ => Tls::Required(parameters),
                }
            }
        };
        Ok::<(Option<Secret>, Tls), Unsent>((password, tls))
    });
    let (password, tls) = read
        .await
        .map_err(|error| Unsent::Unknown(error.to_string()))??;
    let port = smtp.port.unwrap_or(match smtp.tls {
        SmtpTls::Starttls => 587,
        SmtpTls::Tls => 465,
        SmtpTls::None => 25,
    });
    let host = smtp.host.trim_start_matches('[').trim_end_matches(']');
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port)
        .tls(tls)
        .hello_name(ClientId::Domain(domain(&smtp.from).to_owned()))
        .timeout(Some(smtp.timeout.0));
    if let (Some(name), Some(password)) = (&smtp.username, password) {
        let login = Credentials::new(name.clone(), password.expose().to_owned());
        builder = builder.credentials(login);
    }
    Ok(builder.build())
}

/// Trusts these authorities and no others.
fn parameters(host: String, authorities: Vec<Vec<u8>>) -> Result<TlsParameters, Unsent> {
    let wrong = |error: Error| Unsent::Refused(format!("no TLS can be set up: {error}"));
    let mut builder = TlsParameters::builder(host).certificate_store(CertificateStore::None);
    for der in authorities {
        builder = builder.add_root_certificate(Certificate::from_der(der).map_err(wrong)?);
    }
    builder.build_rustls().map_err(wrong)
}

fn domain(mailbox: &config::Mailbox) -> &str {
    mailbox.address.rsplit('@').next().unwrap_or_default()
}

/// Of a name and an address, never of one text.
fn mailbox(of: &config::Mailbox) -> Result<Mailbox, String> {
    let (local, domain) = of.address.rsplit_once('@').unwrap_or_default();
    let address = Address::new(local, domain);
    let address = address.map_err(|error| format!("an address cannot be used: {error}"))?;
    Ok(Mailbox::new(of.name.clone(), address))
}

fn message(smtp: &Smtp, to: &config::Mailbox, letter: &Letter) -> Result<Message, String> {
    let builder: MessageBuilder = Message::builder()
        .message_id(Some(message_id(smtp, to, letter)))
        .date(SystemTime::from(letter.made))
        .from(mailbox(&smtp.from)?)
        .to(mailbox(to)?)
        .subject(letter.subject.clone())
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN);
    let message = builder.body(letter.text.clone());
    message.map_err(|error| format!("no mail can be made of it: {error}"))
}

/// The same for the same message to the same mailbox, however often it is sent.
fn message_id(smtp: &Smtp, to: &config::Mailbox, letter: &Letter) -> String {
    let print = blake3::hash(to.address.as_bytes()).to_hex();
    let print: String = print.chars().take(16).collect();
    format!("<{}.{print}@{}>", letter.id, domain(&smtp.from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp() -> Smtp {
        let value = serde_json::json!({
            "host": "mail.example.com",
            "from": { "name": "epms, of \"Acme\"", "address": "epms@example.com" },
            "to": [{ "name": "Ada Quill <boss@example.com>", "address": "ada@example.com" }, "bob@example.com"],
        });
        serde_json::from_value(value).unwrap()
    }

    fn letter(subject: &str) -> Letter {
        Letter {
            id: "m1".into(),
            integration: crate::model::IntegrationId::new("elm"),
            made: "2026-03-01T08:00:00Z".parse().unwrap(),
            subject: subject.to_owned(),
            text: "Zürich & <b>\n.\nend".to_owned(),
            data: serde_json::Value::Null,
            has: std::collections::BTreeSet::new(),
        }
    }

    #[test]
    fn a_message_has_the_same_id_and_date_however_often_it_is_made_and_another_for_each_mailbox() {
        let smtp = smtp();
        let made = |to: usize| {
            let message = message(&smtp, &smtp.to[to], &letter("x")).unwrap();
            String::from_utf8(message.formatted()).unwrap()
        };
        assert_eq!(made(0), made(0));
        let id = |text: String| {
            text.lines()
                .find(|line| line.starts_with("Message-ID:"))
                .map(str::to_owned)
        };
        assert!(id(made(0)).unwrap().starts_with("Message-ID: <m1."));
        assert_ne!(id(made(0)), id(made(1)));
        assert!(made(0).contains("Auto-Submitted: auto-generated\r\n"));
        assert!(made(0).contains("Date: Sun, 01 Mar 2026 08:00:00 +0000\r\n"));
    }

    #[test]
    fn nothing_of_a_name_or_a_subject_becomes_a_header_or_another_mailbox() {
        let smtp = smtp();
        let message = message(&smtp, &smtp.to[0], &letter("x\r\nBcc: eve@example.com")).unwrap();
        let to: Vec<String> = message
            .envelope()
            .to()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(to, ["ada@example.com"]);
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(!text.to_lowercase().contains("\r\nbcc:"), "{text}");
    }
}
