//! `epms deliveries`: what people have at targets or shall have there, one by one, and what is to be done; and somebody's word
//! for what waits.

pub(super) mod told;

use std::fmt::Write;
use std::io::BufRead;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use crate::control::client::{Client, DeliveryFilter};
use crate::control::protocol::Page;
use crate::model::{
    DeedKind, DeliveriesTouched, Delivery, DeliveryPlan, DeliveryState, PersonId, TargetId,
};

use super::pages::{self, Fits, Length};
use super::table::{Cell, Column, Table, Tone, below_each, clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen, approve};

/// What to do with deliveries.
#[derive(Debug, Args)]
pub struct DeliveriesArguments {
    /// Without a verb it lists them.
    #[command(flatten)]
    pub list: ListArguments,
    /// What to do with them.
    #[command(subcommand)]
    pub verb: Option<DeliveriesVerb>,
}

/// What to do with deliveries.
#[derive(Debug, Subcommand)]
pub enum DeliveriesVerb {
    /// list them: how far each grant has come, and what it waits for
    List(ListArguments),
    /// show what one person has at a target, or shall have there
    #[command(after_help = "examples\n  epms deliveries show acme-door p17")]
    Show {
        /// the target: the name of a file in config/targets, without .yaml
        #[arg(value_parser = super::target_id)]
        target: TargetId,
        /// the person's id, such as p17
        person: PersonId,
    },
    /// what is to be done at a target: for whom, why, and what it waits for
    #[command(after_help = "\
it is what is done next, of which nothing is done; ends with 4 when some of it
waits for approval

examples
  epms deliveries preview acme-door
  epms deliveries preview acme-door --json > plan.json")]
    Preview {
        /// the target: the name of a file in config/targets, without .yaml
        #[arg(value_parser = super::target_id)]
        target: TargetId,
    },
    /// let what waits at a target through
    #[command(after_help = "\
on a terminal it shows what waits, and asks. elsewhere it needs the digest that
`epms deliveries preview` shows: exactly what that stands for is let through,
and nothing that changed since

examples
  epms deliveries approve acme-door
  epms deliveries approve acme-door --digest 9a51b59873224f2c")]
    Approve {
        /// the target: the name of a file in config/targets, without .yaml
        #[arg(value_parser = super::target_id)]
        target: TargetId,
        /// what was looked at, by the digest that `epms deliveries preview` shows
        #[arg(long)]
        digest: Option<String>,
    },
    /// try again what is parked at a target
    #[command(after_help = "\
examples
  epms deliveries retry acme-door
  epms deliveries retry acme-door p17")]
    Retry {
        /// the target: the name of a file in config/targets, without .yaml
        #[arg(value_parser = super::target_id)]
        target: TargetId,
        /// only what is this person's, such as p17
        person: Option<PersonId>,
    },
}

/// Which deliveries to list.
#[derive(Debug, Default, PartialEq, Eq, Args)]
#[command(after_help = "\
examples
  epms deliveries
  epms deliveries list --target acme-door --state parked
  epms deliveries list --person p17 --json")]
pub struct ListArguments {
    /// only at this target
    #[arg(long, value_name = "TARGET", value_parser = super::target_id)]
    pub target: Option<TargetId>,
    /// only of this person, such as p17
    #[arg(long, value_name = "PERSON")]
    pub person: Option<PersonId>,
    /// only those that have come this far
    #[arg(long, value_name = "STATE", value_parser = state())]
    pub state: Option<DeliveryState>,
    /// How many.
    #[command(flatten)]
    pub length: Length,
}

impl ListArguments {
    fn filter(&self) -> DeliveryFilter {
        DeliveryFilter {
            target: self.target.clone(),
            person: self.person,
            state: self.state,
        }
    }
}

/// A state by its word, as the model writes it.
fn state() -> impl TypedValueParser<Value = DeliveryState> {
    let words = DeliveryState::ALL.map(DeliveryState::as_str);
    PossibleValuesParser::new(words)
        .try_map(|word| serde_json::from_value::<DeliveryState>(serde_json::Value::from(word)))
}

/// Does what `arguments` say. `input` is somebody who can see a question and answer it.
pub(super) async fn run(
    arguments: &DeliveriesArguments,
    json: bool,
    client: &Client,
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let Some(verb) = &arguments.verb else {
        return list(&arguments.list, json, client, screen).await;
    };
    if arguments.list != ListArguments::default() {
        let told =
            "what is to be listed stands behind `list`: `epms deliveries list --state parked`";
        return Err(Failure::other(Exit::Invalid, told));
    }
    match verb {
        DeliveriesVerb::List(which) => list(which, json, client, screen).await,
        DeliveriesVerb::Show { target, person } => {
            show(target, *person, json, client, screen).await
        }
        DeliveriesVerb::Preview { target } => {
            let plan = client.delivery_plan(target).await?;
            screen.show(json, &plan, preview)?;
            Ok(match plan.digest {
                Some(_) => Exit::Held,
                None => Exit::Done,
            })
        }
        DeliveriesVerb::Approve { target, digest } => {
            let input = input.filter(|_| !json);
            let digest = match (digest, input) {
                (Some(digest), _) => digest.clone(),
                (None, None) => return Err(unnamed(target)),
                (None, Some(input)) => {
                    let plan = client.delivery_plan(target).await?;
                    match asked(plan, input, screen)? {
                        Ok(digest) => digest,
                        Err(exit) => return Ok(exit),
                    }
                }
            };
            let touched = client.approve_deliveries(target, Some(&digest)).await?;
            screen.show(json, &touched, approved)?;
            Ok(Exit::Done)
        }
        DeliveriesVerb::Retry { target, person } => {
            let touched = client.retry_deliveries(target, *person).await?;
            screen.show(json, &touched, |touched, _| retried(touched, *person))?;
            Ok(match (touched.count, person) {
                (0, Some(_)) => Exit::Failed,
                _ => Exit::Done,
            })
        }
    }
}

/// Refuses to let through what nobody looked at.
fn unnamed(target: &TargetId) -> Failure {
    let told = format!(
        "give the digest of what was looked at: `epms deliveries preview {target}` shows the plan and its digest, then \
         `epms deliveries approve {target} --digest DIGEST`; on a terminal the plan is shown and asked about"
    );
    Failure::other(Exit::Invalid, told)
}

async fn list(
    which: &ListArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let filter = which.filter();
    let page = pages::read(&which.length, async |cut| {
        client.deliveries(&filter, &cut).await
    });
    let page = page.await?;
    let fits = Fits::of(&page.items, filter != DeliveryFilter::default());
    screen.show(json, &page, |page, view| listed(page, fits, view))?;
    Ok(fits.exit())
}

/// Below this width why something is parked would be a column of single words.
const WIDE: u16 = 120;

fn listed(page: &Page<Delivery>, fits: Fits, view: &View) -> String {
    match fits {
        Fits::Some => {}
        Fits::NothingThere => {
            return "nobody has anything at a target, and nothing is to be done\n".to_owned();
        }
        Fits::NoneOfThem => return "nothing fits\n".to_owned(),
    }
    let columns = [
        ("TARGET", Column::Cut),
        ("PERSON", Column::Whole),
        ("GRANT", Column::Cut),
        ("STATE", Column::Whole),
        ("SINCE", Column::Whole),
        ("TO DO", Column::Whole),
        ("WAITS FOR", Column::Whole),
    ];
    let facts = |one: &Delivery| -> [Cell; 7] {
        [
            Cell::id(&one.target),
            one.person.into(),
            one.key.clone().into(),
            Cell::new(one.state.as_str(), tone(one.state)),
            view.relative(one.since).into(),
            one.deed.map_or("–", told::to_do).into(),
            told::waits_shortly(one, view).into(),
        ]
    };
    let why = |one: &Delivery| one.why.clone().unwrap_or_default();
    let mut text = if view.width.is_none_or(|width| width >= WIDE) {
        let [target, person, grant, state, since, to_do, waits] = columns;
        let why_column = ("WHY", Column::Wrap);
        let mut table = Table::new([
            target, person, grant, state, since, to_do, waits, why_column,
        ]);
        for one in &page.items {
            let [target, person, grant, state, since, to_do, waits] = facts(one);
            let why = why(one).into();
            table.row([target, person, grant, state, since, to_do, waits, why]);
        }
        table.render(view)
    } else {
        let mut table = Table::new(columns);
        for one in &page.items {
            table.row(facts(one));
        }
        // None of its columns goes on in a next line: a line is a delivery.
        let whys = page.items.iter().map(|one| match why(one) {
            why if why.is_empty() => String::new(),
            why => paragraph(6, &why, view),
        });
        below_each(&table.render(view), whys)
    };
    text += &pages::more(page.items.len(), page.next.as_deref());
    text
}

fn tone(state: DeliveryState) -> Tone {
    match state {
        DeliveryState::Confirmed => Tone::Good,
        DeliveryState::Wanted | DeliveryState::Sent => Tone::Plain,
        DeliveryState::Unknown | DeliveryState::Visit => Tone::Attention,
        DeliveryState::Parked => Tone::Bad,
    }
}

async fn show(
    target: &TargetId,
    person: PersonId,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let filter = DeliveryFilter {
        target: Some(target.clone()),
        person: Some(person),
        state: None,
    };
    let length = Length::ample();
    let page = pages::read(&length, async |cut| client.deliveries(&filter, &cut).await);
    let page = page.await?;
    screen.show(json, &page, |page, view| {
        if page.items.is_empty() {
            let told = format!("{person} has nothing at {target}, and nothing is to be done there");
            return paragraph(0, &told, view);
        }
        let grants = page.items.iter().map(|one| grant(one, view));
        format!(
            "{person} at {}\n{}",
            clean(target.as_str()),
            grants.collect::<String>()
        )
    })?;
    Ok(Fits::of(&page.items, true).exit())
}

/// One grant with all that is known of it.
fn grant(one: &Delivery, view: &View) -> String {
    let mut text = format!("\n{}\n", clean(&one.key));
    let mut pairs = Table::of_pairs(2);
    let state = one.state.as_str();
    pairs.pair("state", format!("{state}, since {}", view.both(one.since)));
    if let Some(deed) = one.deed {
        pairs.pair("to do", told::to_do(deed));
        pairs.pair("because", told::because(one));
        pairs.pair("waits for", told::waits_for(one, view));
    }
    if let Some(next) = one.next {
        pairs.pair("next", view.both(next));
    }
    if let Some(id) = &one.id {
        pairs.pair("id there", id);
    }
    if let Some(why) = &one.why {
        pairs.pair("why", why);
    }
    text += &pairs.render(view);
    text
}

/// Whether something waits for somebody's word.
fn waits(one: &Delivery) -> bool {
    use crate::model::WaitsFor::{Approval, Guard};
    matches!(one.waits_for, Some(Approval | Guard))
}

fn preview(plan: &DeliveryPlan, view: &View) -> String {
    let target = clean(plan.target.as_str());
    if plan.deeds.is_empty() {
        return format!("nothing is to be done at {target}\n");
    }
    let all: Vec<&Delivery> = plan.deeds.iter().collect();
    let waiting = all.iter().filter(|one| waits(one)).count();
    let mut text = format!("{target}: {}", counts(&all));
    if waiting > 0 {
        let wait = if waiting == 1 { "waits" } else { "wait" };
        let _ = write!(text, "; {waiting} {wait} for approval");
    }
    let _ = write!(text, "\n\n{}", deeds(&all, view));
    if let Some(digest) = &plan.digest {
        let digest = clean(digest);
        let _ = write!(
            text,
            "\ndigest {digest}: this lets exactly what waits through\n  epms deliveries approve {target} --digest {digest}\n"
        );
    }
    text
}

/// How many of what: `opens 2, is taken away 1`.
fn counts(all: &[&Delivery]) -> String {
    let kinds = [DeedKind::Create, DeedKind::Change, DeedKind::Remove];
    let counts = kinds.into_iter().filter_map(|kind| {
        let count = all.iter().filter(|one| one.deed == Some(kind)).count();
        (count > 0).then(|| format!("{} {count}", told::does(kind)))
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// What is to be done, by people; each is named once.
fn deeds(all: &[&Delivery], view: &View) -> String {
    let mut table = Table::new([
        ("PERSON", Column::Whole),
        ("WHAT", Column::Whole),
        ("GRANT", Column::Cut),
        ("WHY", Column::Wrap),
        ("WAITS FOR", Column::Wrap),
    ]);
    let mut before = None;
    for one in all {
        // Off a terminal each line stands for itself.
        let is_same = before.replace(one.person) == Some(one.person);
        let person = if is_same && view.width.is_some() {
            String::new()
        } else {
            one.person.to_string()
        };
        let tone = match one.deed {
            Some(DeedKind::Remove) => Tone::Attention,
            _ => Tone::Plain,
        };
        table.row([
            person.into(),
            Cell::new(one.deed.map_or("–", told::does), tone),
            one.key.clone().into(),
            told::because(one).into(),
            told::waits_for(one, view).into(),
        ]);
    }
    table.render(view)
}

/// The digest of what somebody says yes to; else how the command ends.
fn asked(
    plan: DeliveryPlan,
    input: &mut dyn BufRead,
    screen: &mut Screen<'_>,
) -> Result<Result<String, Exit>, Failure> {
    let target = clean(plan.target.as_str());
    let Some(digest) = plan.digest else {
        writeln!(screen.out, "nothing waits for approval at {target}")?;
        return Ok(Err(Exit::Done));
    };
    let waiting: Vec<&Delivery> = plan.deeds.iter().filter(|one| waits(one)).collect();
    let list = format!(
        "{target}: {}, waiting for approval\n\n{}",
        counts(&waiting),
        deeds(&waiting, &screen.view)
    );
    if approve::says_yes(&list, "approve it", input, screen)? {
        return Ok(Ok(digest));
    }
    writeln!(screen.out, "not approved: it waits")?;
    Ok(Err(Exit::Held))
}

fn approved(touched: &DeliveriesTouched, view: &View) -> String {
    let DeliveriesTouched { target, count } = touched;
    let is = if *count == 1 { "is" } else { "are" };
    let told = format!(
        "{count} {is} let through at {target}; `epms targets {target}` says how far they have come"
    );
    paragraph(0, &told, view)
}

fn retried(touched: &DeliveriesTouched, person: Option<PersonId>) -> String {
    let target = clean(touched.target.as_str());
    let of = person.map(|person| format!(" of {person}"));
    let of = of.unwrap_or_default();
    match touched.count {
        0 => format!("nothing{of} is parked at {target}\n"),
        1 => format!("1 grant{of} is tried again at {target}\n"),
        count => format!("{count} grants{of} are tried again at {target}\n"),
    }
}
