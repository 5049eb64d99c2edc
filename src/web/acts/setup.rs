//! The answers to the steps of a set-up, as forms have them. A secret is read here and handed on; no page gets it back.

use crate::control::server::{Answer, Backend};
use crate::control::setup::{SetupAnswer, SetupDetails, SetupStep, Typed};

use super::super::Next;
use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::pages::setup::{of, step, word};
use super::super::said::then;
use super::part;

pub(super) async fn answer<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let id = asked.name("id").to_owned();
    let base = match id.as_str() {
        "" => "/integrations/new".to_owned(),
        id => format!("/integrations/{}/settings", part(id)),
    };
    let answer = answered(&fields)?;
    let done = asked
        .backend()
        .set_up(of(&fields, &id), answer, asked.peer());
    let done = done.await?;
    Ok(match (done.written, done.draft) {
        (Some(written), _) => match written.as_slice() {
            [only] => {
                let page = format!("/integrations/{}", part(only.as_str()));
                let said = if id.is_empty() { "set-up" } else { "settings" };
                then(&page, said, "")
            }
            _ => then("/", "set-ups", ""),
        },
        (None, Some(draft)) => Next(format!(
            "{base}?draft={}&step={}",
            part(&draft),
            word(done.step)
        )),
        (None, None) if id.is_empty() => Next("/".to_owned()),
        (None, None) => Next(format!("/integrations/{}", part(&id))),
    })
}

fn answered(fields: &Fields) -> Answer<SetupAnswer> {
    let of = |name: &str| fields.get(name).unwrap_or_default().to_owned();
    let all = |name: &str| fields.all(name).map(str::to_owned).collect();
    match fields.get("do") {
        Some("drop") => return Ok(SetupAnswer::Drop),
        Some("ask") => return Ok(SetupAnswer::Ask(step(fields)?)),
        Some("look") if step(fields)? == SetupStep::Preview => return Ok(SetupAnswer::Foresee),
        _ => {}
    }
    Ok(match step(fields)? {
        SetupStep::Pms => SetupAnswer::Pms(of("connector")),
        SetupStep::Credential => match fields.get("credential") {
            Some(name) => SetupAnswer::Known(name.to_owned()),
            None => SetupAnswer::New {
                name: of("name"),
                fields: fields
                    .beginning("field.")
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                secrets: fields
                    .beginning("secret.")
                    .map(|(name, value)| (name.to_owned(), Typed(value.to_owned())))
                    .collect(),
            },
        },
        SetupStep::Properties => SetupAnswer::Properties {
            ids: all("property"),
            typed: of("typed"),
            each: of("each") == "yes",
        },
        SetupStep::Details => SetupAnswer::Details {
            look: fields.get("do") == Some("look"),
            details: SetupDetails {
                name: of("name"),
                id: of("id"),
                timezone: of("timezone"),
                country: of("country"),
                enabled: match fields.get("enabled") {
                    Some("yes") => Some(true),
                    Some("no") => Some(false),
                    _ => None,
                },
                every: of("every"),
                limit: of("limit"),
                percent: of("percent"),
                window: of("window"),
                newcomers: of("newcomers"),
            },
        },
        SetupStep::Statuses => SetupAnswer::Statuses {
            words: all("word"),
            typed: of("typed"),
            shown: fields.ticked("shown"),
        },
        SetupStep::Preview => SetupAnswer::Write {
            digest: of("digest"),
            enabled: match fields.get("do") {
                Some("write-off") => Some(false),
                Some("write-on") => Some(true),
                _ => None,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SetupAnswer {
        answered(&Fields::read(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_secret_of_a_form_stands_in_no_debugging_text() {
        let answer = read("step=credential&name=acme&field.url=https://h&secret.password=hunter2");
        let told = format!("{answer:?}");
        assert!(
            told.contains("https://h") && !told.contains("hunter2"),
            "{told}"
        );
        let SetupAnswer::New { secrets, .. } = answer else {
            panic!("{told}");
        };
        assert_eq!(
            secrets,
            [("password".to_owned(), Typed("hunter2".to_owned()))]
        );
    }

    #[test]
    fn an_answer_is_of_the_step_of_its_form() {
        assert_eq!(
            read("step=properties&property=b1&property=b2&typed=b3&each=yes"),
            SetupAnswer::Properties {
                ids: vec!["b1".into(), "b2".into()],
                typed: "b3".into(),
                each: true,
            }
        );
        assert_eq!(
            read("step=preview&do=write-off&digest=ab"),
            SetupAnswer::Write {
                digest: "ab".into(),
                enabled: Some(false),
            }
        );
        assert_eq!(
            read("step=statuses&do=ask"),
            SetupAnswer::Ask(SetupStep::Statuses)
        );
        assert_eq!(read("do=drop"), SetupAnswer::Drop);
        assert_eq!(read("step=preview&do=look"), SetupAnswer::Foresee);
        // Whoever looks at the difference has written something first.
        let answer = read("step=details&do=look&name=Oak");
        let SetupAnswer::Details { details, look } = answer else {
            panic!("{answer:?}");
        };
        assert_eq!((details.name.as_str(), look), ("Oak", true));
        assert_eq!(answered(&Fields::default()).unwrap_err().status, 400);
    }
}
