//! `epms people`: the people of the store, as a list or one by one.

pub(super) mod enrol;
pub(super) mod erase;
mod export;
pub(super) mod hand;
mod list;

use std::fmt::Write;

use clap::Subcommand;

use crate::control::client::Client;
use crate::control::protocol::{Page, PeoplePage, PersonDetail};
use crate::model::{Change, Field, IntegrationId, Origin, PeopleQuery, Person, PersonId, Stay};

use super::alerts;
use super::deliveries::told as deliveries;
use super::pages;
use super::pages::Fits;
use super::table::{Cell, Column, Table, Tone, clean};
use super::view::View;
use super::{Exit, Failure, Screen};

pub(super) use list::ListArguments;

/// What to do with people.
#[derive(Debug, Subcommand)]
pub enum PeopleVerb {
    /// list people
    List(ListArguments),
    /// show one person: fields, stays, links, open alerts, latest changes
    Show {
        /// the person's id, such as p17
        person: PersonId,
    },
    /// take everything out that says who a person is
    Erase(erase::EraseArguments),
    /// What is done by hand.
    #[command(flatten)]
    Hand(hand::HandVerb),
    /// People in and out.
    #[command(flatten)]
    Enrol(enrol::EnrolVerb),
}

pub(super) async fn run(
    verb: &PeopleVerb,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    match verb {
        PeopleVerb::List(arguments) => {
            let filter = arguments.query();
            let mut place = None;
            let page = pages::read(&arguments.length, async |cut| {
                let page = client.people(&filter, &cut).await?;
                // What is read later is no older: whoever goes on after the first place misses nothing.
                place.get_or_insert((page.seq, page.epoch));
                Ok(Page {
                    items: page.items,
                    next: page.next,
                })
            });
            let Page { items, next } = page.await?;
            let integration = filter.integration.as_ref();
            pages::nothing_of(integration, items.is_empty(), client).await?;
            let (seq, epoch) = place.unwrap_or_default();
            let page = PeoplePage {
                items,
                next,
                // Whoever lists goes on until there are as many as asked for.
                stopped: None,
                seq,
                epoch,
            };
            // That an integration which is there has nobody is no mistake.
            let rest = PeopleQuery {
                integration: None,
                ..filter.clone()
            };
            let fits = Fits::of(&page.items, !rest.is_for_everybody());
            screen.show(json, &page, |page, view| list(page, fits, &filter, view))?;
            return Ok(fits.exit());
        }
        PeopleVerb::Show { person } => screen.show(json, &client.person(*person).await?, show)?,
        PeopleVerb::Erase(arguments) => return erase::run(arguments, json, client, screen).await,
        PeopleVerb::Enrol(verb) => return enrol::run(verb, json, client, screen).await,
        PeopleVerb::Hand(verb) => return hand::run(verb, json, client, screen).await,
    }
    Ok(Exit::Done)
}

fn list(page: &PeoplePage, fits: Fits, filter: &PeopleQuery, view: &View) -> String {
    match fits {
        Fits::Some => {}
        Fits::NothingThere => {
            return "no people yet; `epms sync --all` brings them in\n".to_owned();
        }
        Fits::NoneOfThem => return "nobody fits\n".to_owned(),
    }
    let mut text = people(&page.items, filter.integration.as_ref(), view);
    text += &pages::more(page.items.len(), page.next.as_deref());
    text
}

/// People, one below the other, with their stay at `property`, or else their first.
pub(super) fn people(people: &[Person], property: Option<&IntegrationId>, view: &View) -> String {
    let mut table = Table::new([
        ("ID", Column::Whole),
        ("NAME", Column::Cut),
        ("EMAIL", Column::Cut),
        ("PROPERTY", Column::Cut),
        ("UNIT", Column::Cut),
        ("STATUS", Column::Whole),
    ]);
    for person in people {
        let stay = property
            .and_then(|id| person.stays.get_key_value(id))
            .or_else(|| person.stays.first_key_value());
        let further = person.stays.len().saturating_sub(1);
        let at = stay.map_or("", |(id, _)| id.as_str());
        let more = match further {
            0 => String::new(),
            further => format!("+{further}"),
        };
        table.row([
            person.id.into(),
            name(person).into(),
            person.email.clone().unwrap_or_default().into(),
            Cell::of_id(at, &more),
            stay.map_or_else(String::new, |(_, stay)| unit(stay)).into(),
            match (person.merged_into, person.withdrawn) {
                (Some(into), _) => Cell::new(format!("is {into}"), Tone::Faint),
                _ if person.erased => Cell::new("erased", Tone::Faint),
                (None, true) => Cell::new("withdrawn", Tone::Faint),
                _ => stay.map_or_else(|| "".into(), |(_, stay)| status(stay)),
            },
        ]);
    }
    table.render(view)
}

fn name(person: &Person) -> String {
    format!("{} {}", person.first_name, person.last_name)
        .trim()
        .to_owned()
}

fn unit(stay: &Stay) -> String {
    let labels = stay
        .unit
        .iter()
        .chain(&stay.more_units)
        .map(|unit| unit.label.as_str());
    labels.collect::<Vec<_>>().join(", ")
}

fn status(stay: &Stay) -> Cell {
    let tone = if stay.excluded || stay.status.is_closed() {
        Tone::Faint
    } else {
        Tone::Plain
    };
    let mark = if stay.excluded {
        "excluded"
    } else {
        stay.status.as_str()
    };
    Cell::new(mark, tone)
}

fn show(detail: &PersonDetail, view: &View) -> String {
    let person = &detail.person;
    let mut text = format!("{} {}\n\n", person.id, clean(&name(person)));
    let mut fields = Table::of_pairs(0);
    let mut field = |field: Field, value: Option<&str>| {
        let lock = if person.locks.contains(&field) {
            " (locked: no sync writes it)"
        } else {
            ""
        };
        fields.pair(field.as_str(), format!("{}{lock}", value.unwrap_or("–")));
    };
    field(Field::FirstName, Some(&person.first_name));
    field(Field::LastName, Some(&person.last_name));
    field(Field::Email, person.email.as_deref());
    field(Field::Phone, person.phone.as_deref());
    let origin = match person.origin {
        Origin::Hand => "by hand",
        Origin::Sync => "by a sync",
    };
    fields.pair(
        "created",
        format!("{origin}, {}", view.both(person.created)),
    );
    if person.pinned {
        fields.pair("pinned", "no run writes to this person");
    }
    if let Some(into) = person.merged_into {
        fields.pair("merged into", into);
    }
    if person.withdrawn {
        fields.pair("withdrawn", "their making was undone");
    }
    if person.erased {
        fields.pair("erased", "nothing is kept that says who they were");
    }
    if let Some(erasing) = &detail.erasing {
        let since = format!(
            "since {}, by {}",
            view.both(erasing.asked.at),
            clean(&erasing.asked.by.to_string())
        );
        fields.pair("erasing", since);
        for left in &erasing.waits_for {
            fields.pair("waits for", erase::at(left));
        }
    }
    text += &fields.render(view);
    if person.stays.is_empty() {
        text += "\nno stays\n";
    }
    for (id, stay) in &person.stays {
        let _ = write!(
            text,
            "\nstay at {}\n{}",
            clean(id.as_str()),
            stay_fields(person, stay, view)
        );
    }
    if !detail.links.is_empty() {
        let _ = write!(text, "\nlinks\n{}", links(detail, view));
    }
    if !detail.deliveries.is_empty() {
        let _ = write!(text, "\n{}", deliveries::lines(&detail.deliveries, view));
    }
    if !detail.alerts.is_empty() {
        let _ = write!(
            text,
            "\nopen alerts\n{}",
            alerts::table(&detail.alerts, view)
        );
    }
    if !detail.changes.is_empty() {
        let _ = write!(text, "\nlatest changes\n{}", changes(&detail.changes, view));
    }
    text
}

fn stay_fields(person: &Person, stay: &Stay, view: &View) -> String {
    let mut pairs = Table::of_pairs(2);
    let mut marks = vec![stay.status.as_str()];
    marks.extend(stay.notice.then_some("notice given"));
    marks.extend(stay.eviction.then_some("being evicted"));
    marks.extend(stay.excluded.then_some("excluded: no sync updates it"));
    pairs.pair("status", marks.join(", "));
    let date = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string());
    for (field, value) in [
        (
            Field::Unit,
            Some(unit(stay)).filter(|unit| !unit.is_empty()),
        ),
        (Field::LeaseStart, date(stay.lease_start)),
        (Field::LeaseEnd, date(stay.lease_end)),
        (Field::MoveIn, date(stay.move_in)),
        (Field::MoveOut, date(stay.move_out)),
    ] {
        let lock = if person.locks.contains(&field) {
            " (locked: no sync writes it)"
        } else {
            ""
        };
        pairs.pair(
            field.as_str(),
            format!("{}{lock}", value.as_deref().unwrap_or("–")),
        );
    }
    pairs.render(view)
}

fn links(detail: &PersonDetail, view: &View) -> String {
    let mut table = Table::new([
        ("INTEGRATION", Column::Cut),
        ("RESIDENT", Column::Cut),
        ("SINCE", Column::Whole),
        ("MISSED", Column::Whole),
    ]);
    for link in &detail.links {
        let missed = match link.misses {
            0 => Cell::from("–"),
            1 => Cell::new("1 run", Tone::Attention),
            runs => Cell::new(format!("{runs} runs"), Tone::Attention),
        };
        table.row([
            Cell::id(&link.integration),
            Cell::id(&link.resident),
            view.relative(link.since).into(),
            missed,
        ]);
    }
    table.render(view)
}

/// Changes, one below the other.
pub(super) fn changes(changes: &[Change], view: &View) -> String {
    let mut table = Table::new([
        ("NO", Column::Number),
        ("WHEN", Column::Whole),
        ("WHAT", Column::Whole),
        ("RULE", Column::Whole),
        ("BY", Column::Whole),
        ("ACT", Column::Whole),
        ("FIELDS", Column::Wrap),
    ]);
    for change in changes {
        let none = "–";
        let fields: Vec<String> = change
            .fields
            .iter()
            .map(|field| {
                let before = field.before.as_deref().unwrap_or(none);
                let after = field.after.as_deref().unwrap_or(none);
                format!("{}: {before} → {after}", field.field)
            })
            .collect();
        table.row([
            change.seq.into(),
            view.relative(change.at).into(),
            change.kind.into(),
            change.rule.clone().into(),
            change
                .run
                .map_or_else(|| change.actor.to_string(), |run| run.to_string())
                .into(),
            change
                .act
                .map_or_else(String::new, |act| act.to_string())
                .into(),
            fields.join("; ").into(),
        ]);
    }
    table.render(view)
}
