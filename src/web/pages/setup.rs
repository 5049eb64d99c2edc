//! The set-up of an integration step by step, and the settings of one that is there: where it stands, and what it would write.

use minijinja::context;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend};
use crate::control::setup::{Setup, SetupOf, SetupStep};
use crate::model::IntegrationId;

use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::look::{Page, value};

/// The steps of a new one: what the address calls them, and what people do.
const NEW: [(SetupStep, &str, &str); 6] = [
    (SetupStep::Pms, "pms", "PMS"),
    (SetupStep::Credential, "credential", "Credential"),
    (SetupStep::Properties, "properties", "Properties"),
    (SetupStep::Details, "details", "Name and place"),
    (SetupStep::Statuses, "statuses", "Statuses"),
    (SetupStep::Preview, "preview", "Preview"),
];

/// The same of one that is there.
const THERE: [(SetupStep, &str, &str); 4] = [
    (SetupStep::Details, "details", "Settings"),
    (SetupStep::Properties, "properties", "Properties"),
    (SetupStep::Statuses, "statuses", "Statuses"),
    (SetupStep::Preview, "preview", "Preview"),
];

/// Which set-up is meant.
pub(in crate::web) fn of(fields: &Fields, id: &str) -> SetupOf {
    SetupOf {
        draft: fields.get("draft").map(str::to_owned),
        integration: (!id.is_empty()).then(|| IntegrationId::new(id)),
    }
}

pub(super) async fn show<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let of = of(&asked.query, asked.name("id"));
    let is_there = of.integration.is_some();
    let step: Option<SetupStep> = asked.query.word("step")?;
    let setup = asked.backend().setup(of, asked.peer()).await?;
    let steps = if is_there {
        THERE.as_slice()
    } else {
        NEW.as_slice()
    };
    let first = steps.first().map_or(SetupStep::Pms, |(first, ..)| *first);
    let is_one = |step: &SetupStep| {
        let known = steps.iter().any(|(of, ..)| of == step);
        known && *step <= setup.reached
    };
    Ok(page(&setup, step.filter(is_one).unwrap_or(first)))
}

fn page(setup: &Setup, step: SetupStep) -> Page {
    let steps = match &setup.integration {
        Some(_) => THERE.as_slice(),
        None => NEW.as_slice(),
    };
    let at = steps.iter().position(|(of, ..)| *of == step);
    let steps: Vec<_> = steps
        .iter()
        .enumerate()
        .map(|(index, (of, word, told))| {
            let is_reached = *of <= setup.reached && setup.draft.is_some();
            (index + 1, *word, *told, is_reached, Some(index) == at)
        })
        .collect();
    let trouble = setup.trouble.as_ref().filter(|(of, _)| *of == step);
    let name = steps
        .iter()
        .find(|(.., is_at)| *is_at)
        .map_or("", |(_, _, told, ..)| told);
    let title = match &setup.integration {
        Some(id) => format!("{name} of {id}"),
        None => format!("New integration: {name}"),
    };
    let before = at
        .and_then(|at| at.checked_sub(1))
        .and_then(|before| steps.get(before))
        .map(|(_, word, ..)| *word);
    Page {
        title,
        part: "integrations",
        template: "set-up.html",
        values: context! {
            setup => value(setup),
            steps => value(&steps),
            step => value(&step),
            before => before,
            trouble => trouble.map(|(_, told)| told.as_str()),
        },
    }
}

/// The step that a form answers.
pub(in crate::web) fn step(fields: &Fields) -> Answer<SetupStep> {
    let step = fields.word("step")?;
    step.ok_or_else(|| ProblemDocument::bad_request("`step` is empty; answer the form of the page"))
}

/// What an address calls a step.
pub(in crate::web) fn word(step: SetupStep) -> &'static str {
    let found = NEW.iter().find(|(of, ..)| *of == step);
    found.map_or("pms", |(_, word, _)| word)
}
