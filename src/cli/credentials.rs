//! `epms credentials`: the accounts in use, what may still be asked with each, until when it is taken, and when its secrets were
//! read. No secret is shown, and none is known here.

use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::nearest;
use crate::control::client::Client;
use crate::model::{BudgetPeriod, BudgetStatus, CredentialStatus, ExpiryBy};

use super::status::number;
use super::table::{Cell, Column, Table, Tone, clean};
use super::view::View;
use super::{Exit, Failure, Screen};

/// So many days ahead it is time to look after the next one.
const SOON: i32 = 14;

/// Which accounts to show.
#[derive(Debug, Args)]
#[command(after_help = "\
of a budget of a day or a month it tells what is used and left, counted over
restarts; a tenth is kept for who asks by hand. a secret that was replaced is
read by the next run, and SECRET tells since when it is another

examples
  epms credentials
  epms credentials show acme-yardi
  epms credentials --json")]
pub struct CredentialsArguments {
    /// What to show.
    #[command(subcommand)]
    pub verb: Option<CredentialsVerb>,
}

/// What to show.
#[derive(Debug, Subcommand)]
pub enum CredentialsVerb {
    /// all of them
    List,
    /// one of them, with everything that uses it
    Show {
        /// the name of its file in config/credentials, without .yaml
        #[arg(value_name = "NAME")]
        name: String,
    },
}

pub(super) async fn run(
    arguments: &CredentialsArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let all = client.credentials().await?;
    let Some(CredentialsVerb::Show { name }) = &arguments.verb else {
        screen.show(json, &all, |all, view| list(all, view))?;
        return Ok(Exit::Done);
    };
    let Some(found) = all.iter().find(|one| one.name == *name) else {
        return Err(Failure::other(Exit::Failed, none_called(name, &all)));
    };
    screen.show(json, found, one)?;
    Ok(Exit::Done)
}

fn none_called(name: &str, all: &[CredentialStatus]) -> String {
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let known = match nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "none is in use yet".to_owned(),
        None => format!("in use are: {}", names.join(", ")),
    };
    format!("no integration and no target uses a credential `{name}`; {known}")
}

fn list(all: &[CredentialStatus], view: &View) -> String {
    if all.is_empty() {
        return "no credential is in use; `epms add` adds one\n".to_owned();
    }
    let mut table = Table::new([
        ("CREDENTIAL", Column::Cut),
        ("CONNECTOR", Column::Whole),
        ("USED BY", Column::Whole),
        ("A DAY", Column::Whole),
        ("A MONTH", Column::Whole),
        ("EXPIRES", Column::Whole),
        ("SECRET", Column::Whole),
    ]);
    for one in all {
        let budget = |per| {
            let mut budgets = one.budgets.iter();
            budgets
                .find(|budget| budget.per == per)
                .map_or_else(|| Cell::new("–", Tone::Faint), |budget| left(budget, false))
        };
        let users = one.integrations.len() + one.targets.len();
        table.row([
            Cell::new(&one.name, if one.refused { Tone::Bad } else { Tone::Plain }),
            one.connector.clone().into(),
            users.into(),
            budget(BudgetPeriod::Day),
            budget(BudgetPeriod::Month),
            expires(one.expires, view),
            secret(one, view).into(),
        ]);
    }
    let mut text = table.render(view);
    for one in all.iter().filter(|one| one.refused) {
        text += &format!(
            "\n{}: the login is refused; `epms doctor` says why\n",
            clean(&one.name)
        );
    }
    text
}

/// `1400 of 2500 left`.
fn left(budget: &BudgetStatus, whole: bool) -> Cell {
    let BudgetStatus {
        limit,
        used,
        left,
        by_hand,
        ..
    } = budget;
    let tone = if left <= by_hand {
        Tone::Attention
    } else {
        Tone::Plain
    };
    let mut text = format!("{left} of {limit} left");
    if whole {
        text +=
            &format!("; {used} used, and {by_hand} of what is left are kept for who asks by hand");
    }
    Cell::new(text, tone)
}

fn expires(day: Option<Date>, view: &View) -> Cell {
    let Some(day) = day else {
        return Cell::new("–", Tone::Faint);
    };
    let today = view.now.to_zoned(TimeZone::UTC).date();
    let left = days_left(day, today);
    let tone = if left <= SOON {
        Tone::Attention
    } else {
        Tone::Plain
    };
    let text = match left {
        ..0 => format!("{day}, which is past"),
        _ => day.to_string(),
    };
    Cell::new(text, tone)
}

fn days_left(day: Date, today: Date) -> i32 {
    today.until(day).map_or(i32::MAX, |span| span.get_days())
}

/// When its secrets were read, and whether they are others than when the daemon started.
fn secret(one: &CredentialStatus, view: &View) -> String {
    match (one.secrets_changed, one.secrets_read) {
        (Some(changed), _) => format!("changed {}", view.relative(changed)),
        (None, Some(read)) => format!("read {}", view.relative(read)),
        (None, None) => "–".to_owned(),
    }
}

fn one(status: &CredentialStatus, view: &View) -> String {
    let mut facts = Table::of_pairs(0);
    facts.pair("credential", &status.name);
    facts.pair("connector", &status.connector);
    let named = |names: Vec<String>| match names.as_slice() {
        [] => "–".to_owned(),
        names => names.join(", "),
    };
    let integrations = status.integrations.iter().map(ToString::to_string);
    facts.pair("integrations", named(integrations.collect()));
    let targets = status.targets.iter().map(ToString::to_string);
    facts.pair("targets", named(targets.collect()));
    for budget in &status.budgets {
        let name = match budget.per {
            BudgetPeriod::Day => "a day",
            BudgetPeriod::Month => "a month",
        };
        facts.row([name.into(), left(budget, true)]);
    }
    facts.row(["expires".into(), expires(status.expires, view)]);
    if let Some(by) = status.expires_by {
        facts.pair(
            "as said by",
            match by {
                ExpiryBy::File => "`expires` of its file",
                ExpiryBy::Answer => "the answers of the PMS or the target",
            },
        );
    }
    if let Some(read) = status.secrets_read {
        facts.pair("secret read", view.both(read));
    }
    if let Some(changed) = status.secrets_changed {
        facts.pair("secret changed", view.both(changed));
    }
    if status.refused {
        facts.pair("login", "refused; `epms doctor` says why");
    }
    facts.render(view)
}

/// What is told of credentials below all integrations: secrets that were replaced lately, and days that are near.
pub(super) fn news(all: &[CredentialStatus], view: &View) -> Vec<String> {
    let mut news = Vec::new();
    for one in all {
        let name = clean(&one.name);
        let lately = |changed: &jiff::Timestamp| {
            view.now.duration_since(*changed) < jiff::SignedDuration::from_hours(24)
        };
        if let Some(changed) = one.secrets_changed.filter(lately) {
            let read = one.secrets_read.unwrap_or(changed);
            news.push(format!(
                "credential {name}: its secret was replaced, which was seen {}; it was read last {}",
                view.relative(changed),
                view.relative(read)
            ));
        }
        let today = view.now.to_zoned(TimeZone::UTC).date();
        let soon = |day: &Date| days_left(*day, today) <= SOON;
        if let (Some(day), Some(by)) = (one.expires.filter(soon), one.expires_by) {
            let what = if day < today {
                format!("was taken until {day}, which is past")
            } else {
                format!("is taken until {day}")
            };
            let next = match by {
                ExpiryBy::File => ", and write the new day into `expires` of its file",
                ExpiryBy::Answer => "; the next sync hears the new day",
            };
            news.push(format!(
                "credential {name}: it {what}; put the secret of the next one in the place of the old one{next}"
            ));
        }
        let used: Vec<&BudgetStatus> = one
            .budgets
            .iter()
            .filter(|budget| budget.left <= budget.by_hand)
            .collect();
        for budget in used {
            news.push(format!(
                "credential {name}: of {} a {} the clock may use no more; {} left, for who asks by hand",
                number(budget.limit, "request", "requests"),
                budget.per.as_str(),
                number(budget.left, "is", "are"),
            ));
        }
    }
    news
}
