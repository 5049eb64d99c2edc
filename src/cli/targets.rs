//! `epms targets`: where access is delivered to, and how it stands there. What is not well stands below the table, each with
//! what to do.

use std::fmt::Write;

use clap::Args;

use crate::control::client::Client;
use crate::control::protocol::Targets;
use crate::model::{DeliveryState, TargetId, TargetState, TargetStatus};

use super::status::{number, problems};
use super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::view::{View, length};
use super::{Exit, Failure, Screen};

/// A moment that was missed by less is nothing to tell.
const LATE: u64 = 60;

/// From this width on the heads of columns are whole words.
const WIDE: u16 = 100;

/// Which targets to show.
#[derive(Debug, Args)]
#[command(after_help = "\
what is not well stands below the table, each with what to do. LAG is how long
the oldest that may be sent was not; READ BACK, when everything there was read
and compared last

examples
  epms targets
  epms targets acme-door
  epms targets --json")]
pub struct TargetsArguments {
    /// only this target, with all that is known of it
    #[arg(value_parser = super::target_id)]
    pub target: Option<TargetId>,
}

pub(super) async fn run(
    arguments: &TargetsArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    match &arguments.target {
        Some(id) => screen.show(json, &client.target(id).await?, one)?,
        None => screen.show(json, &client.targets().await?, all)?,
    }
    Ok(Exit::Done)
}

fn all(targets: &Targets, view: &View) -> String {
    let targets = &targets.items;
    if targets.is_empty() {
        return "no targets; put a file into config/targets\n".to_owned();
    }
    let mut text = table(targets, view);
    for target in targets {
        text += &troubles(target, view);
    }
    text
}

fn table(targets: &[TargetStatus], view: &View) -> String {
    let is_wide = view.width.is_none_or(|width| width >= WIDE);
    let [confirmed, waiting, parked, read_back] = if is_wide {
        ["CONFIRMED", "WAITING", "PARKED", "READ BACK"]
    } else {
        ["CONF", "WAIT", "PARK", "READ"]
    };
    let mut table = Table::new([
        ("TARGET", Column::Cut),
        ("STATE", Column::Whole),
        ("MODE", Column::Whole),
        ("PEOPLE", Column::Number),
        (confirmed, Column::Number),
        (waiting, Column::Number),
        (parked, Column::Number),
        ("VISIT", Column::Number),
        ("LAG", Column::Number),
        (read_back, Column::Whole),
    ]);
    for target in targets {
        let grants = &target.grants;
        let told = |count: u64, tone: Tone| match count {
            0 => Cell::from(0),
            count => Cell::new(count, tone),
        };
        table.row([
            Cell::id(&target.id),
            Cell::new(target.state.as_str(), tone(target.state)),
            target.mode.clone().into(),
            target.people.into(),
            grants.confirmed.into(),
            told(grants.waiting + grants.held, Tone::Attention),
            told(grants.parked, Tone::Bad),
            told(grants.visit, Tone::Attention),
            lag(target, view).unwrap_or_else(|| "–".to_owned()).into(),
            view.relative_or_never(target.read_back).into(),
        ]);
    }
    table.render(view)
}

/// For how long the oldest that may be sent was not.
fn lag(target: &TargetStatus, view: &View) -> Option<String> {
    let since = target.oldest_wanted?;
    let seconds = view.now.as_second() - since.as_second();
    Some(length(seconds.max(0)))
}

fn tone(state: TargetState) -> Tone {
    match state {
        TargetState::Ok => Tone::Good,
        TargetState::Waiting | TargetState::Held | TargetState::Removed => Tone::Attention,
        TargetState::Failing | TargetState::Broken => Tone::Bad,
        TargetState::Off => Tone::Faint,
    }
}

fn one(target: &TargetStatus, view: &View) -> String {
    let mut text = format!("{}\n\n", clean(target.id.as_str()));
    let mut pairs = Table::of_pairs(0);
    pairs.pair("state", target.state.as_str());
    pairs.pair("connector", &target.connector);
    pairs.pair("mode", &target.mode);
    let from: Vec<String> = target.from.iter().map(ToString::to_string).collect();
    let from = if from.is_empty() {
        "–".to_owned()
    } else {
        from.join(", ")
    };
    pairs.pair("from", from);
    pairs.pair("people", target.people);
    pairs.pair("read back", view.both_or_never(target.read_back));
    if target.others > 0 {
        let told = format!(
            "{}, which somebody else granted: they are left alone",
            target.others
        );
        pairs.pair("others'", told);
    }
    if let Some(since) = target.oldest_wanted {
        let told = format!(
            "the oldest that may be sent is wanted since {}",
            view.both(since)
        );
        pairs.pair("lag", told);
    }
    text += &pairs.render(view);
    let grants = &target.grants;
    let counts = [
        (
            "wanted",
            grants.wanted,
            "to be granted, changed or taken away",
        ),
        ("  waiting", grants.waiting, "of those, for approval"),
        ("  held", grants.held, "of those, by the guard"),
        ("sent", grants.sent, "the target took it; not read back yet"),
        ("confirmed", grants.confirmed, "read back, as it was sent"),
        (
            "unknown",
            grants.unknown,
            "whether the target did it: to be looked at",
        ),
        ("parked", grants.parked, "refused, or never as it was sent"),
        ("visit", grants.visit, "a door has not heard of it yet"),
    ];
    let mut table = Table::new([
        ("GRANTS", Column::Whole),
        ("", Column::Number),
        ("", Column::Wrap),
    ]);
    for (name, count, says) in counts {
        table.row([name.into(), count.into(), Cell::new(says, Tone::Faint)]);
    }
    text.push('\n');
    text += &table.render(view);
    text + &troubles(target, view)
}

/// What is not well, and the commands that are for it.
struct Trouble {
    what: String,
    ways: Vec<String>,
}

impl Trouble {
    fn new(what: impl Into<String>) -> Trouble {
        Trouble {
            what: what.into(),
            ways: Vec::new(),
        }
    }

    /// With a command for it.
    fn way(mut self, way: String) -> Trouble {
        self.ways.push(way);
        self
    }
}

/// What is not well at a target, one paragraph each, with what to do.
fn troubles(target: &TargetStatus, view: &View) -> String {
    let id = clean(target.id.as_str());
    let mut text = String::new();
    for Trouble { what, ways } in found(target, view) {
        text.push('\n');
        text += &paragraph(0, &format!("{id}: {what}"), view);
        // A command that is broken in two could not be copied.
        for way in ways {
            let _ = writeln!(text, "  {way}");
        }
    }
    if target.problems.is_empty() {
        return text;
    }
    let what = match target.state {
        TargetState::Broken => "its file is not right and never was, so that nothing is delivered",
        _ => "the files on disk were refused; what was loaded before still holds",
    };
    text.push('\n');
    text += &paragraph(0, &format!("{id}: {what}"), view);
    text + &problems(&target.problems, view)
}

fn found(target: &TargetStatus, view: &View) -> Vec<Trouble> {
    let id = clean(target.id.as_str());
    let grants = &target.grants;
    let mut found = Vec::new();
    found.extend(stands(target, &id, view));
    let approved = |what: String| {
        let digest = target.digest.as_deref();
        let digest = digest.map(|digest| format!(" --digest {}", clean(digest)));
        let digest = digest.unwrap_or_default();
        Trouble::new(what)
            .way(format!("epms deliveries preview {id}"))
            .way(format!("epms deliveries approve {id}{digest}"))
    };
    if grants.waiting > 0 {
        let wait = if grants.waiting == 1 { "waits" } else { "wait" };
        found.push(approved(format!("{} {wait} for approval", grants.waiting)));
    }
    if grants.held > 0 {
        found.push(approved(format!(
            "the guard holds {}, more than may be taken away at once; an approval lets it through",
            grants.held
        )));
    }
    let list = |state: DeliveryState| {
        format!(
            "epms deliveries list --target {id} --state {}",
            state.as_str()
        )
    };
    if grants.parked > 0 {
        let is = if grants.parked == 1 { "is" } else { "are" };
        let what = format!("{} {is} parked; see why, then try again", grants.parked);
        let trouble = Trouble::new(what).way(list(DeliveryState::Parked));
        found.push(trouble.way(format!("epms deliveries retry {id}")));
    }
    if grants.visit > 0 {
        let count = number(grants.visit, "grant", "grants");
        let what =
            format!("somebody must go to the doors of {count}, which have not heard of them");
        found.push(Trouble::new(what).way(list(DeliveryState::Visit)));
    }
    if target.late >= LATE {
        let late = length(i64::try_from(target.late).unwrap_or(i64::MAX));
        found.push(Trouble::new(format!(
            "the latest moment was missed by {late}; where no daemon ran then, nothing is to be done"
        )));
    }
    found
}

/// What is wrong with the target itself.
fn stands(target: &TargetStatus, id: &str, view: &View) -> Option<Trouble> {
    let since = target.failing_since;
    let since = since.map(|since| format!(" since {}", view.both(since)));
    let since = since.unwrap_or_default();
    let what = match (target.state, &target.error) {
        (_, Some(error)) => format!(
            "failing{since}: {}. Nothing is lost: what is wanted is sent once it goes again",
            error.trim_end_matches('.')
        ),
        (TargetState::Failing, None) => format!(
            "out of reach{since}. Nothing is lost: what is wanted is sent once it goes again"
        ),
        (TargetState::Off, None) => format!(
            "switched off, and what was granted stays; `enabled: true` in config/targets/{id}.yaml switches it on"
        ),
        (TargetState::Removed, None) => format!(
            "its file is gone, and what was granted stays; config/targets/{id}.yaml in its place goes on with it"
        ),
        (TargetState::Broken, None) if target.problems.is_empty() => {
            let what = "its file is not right, so that nothing is delivered";
            return Some(Trouble::new(what).way("epms check".to_owned()));
        }
        _ => return None,
    };
    Some(Trouble::new(what))
}
