//! Which people to list, as words of the command line.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::Span;
use crate::model::{DeliveryState, IntegrationId, LeaseStatus, PeopleQuery, PeopleSort, TargetId};

use super::super::pages::Length;

/// Which people to list.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
what is said of status, exclusion and unit holds for one and the same stay, that
at --integration where it is named

examples
  epms people list --integration 123-building-name --status pending
  epms people list lovelace --json
  epms people list --sort name --name ada
  epms people list --updated-since 24h --alert
  epms people list --target acme-door --target-state parked")]
pub struct ListArguments {
    /// only people whose name, email, phone or unit contains this
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
    /// only people with a stay at the property of this integration
    #[arg(long, visible_alias = "property", value_name = "ID", value_parser = super::super::integration_id)]
    pub integration: Option<IntegrationId>,
    /// only people with a stay of this status
    #[arg(long, value_name = "STATUS", value_parser = status())]
    pub status: Option<LeaseStatus>,
    /// only people with a stay that is excluded: no sync updates it
    #[arg(long)]
    pub excluded: bool,
    /// only people whom an open alert is about
    #[arg(long)]
    pub alert: bool,
    /// only people about whom something was written since then: a moment, a day, or so long ago, such as 24h
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub updated_since: Option<Timestamp>,
    /// only people whose name begins so
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// only people whose email begins so
    #[arg(long, value_name = "TEXT")]
    pub email: Option<String>,
    /// only people whose unit begins so
    #[arg(long, value_name = "TEXT")]
    pub unit: Option<String>,
    /// only people linked to a resident whose PMS id begins so
    #[arg(long, value_name = "TEXT")]
    pub resident: Option<String>,
    /// only people who have something at this target, or shall have
    #[arg(long, value_name = "TARGET", value_parser = super::super::target_id)]
    pub target: Option<TargetId>,
    /// only people with something at a target that has come this far
    #[arg(long, value_name = "STATE", value_parser = state())]
    pub target_state: Option<DeliveryState>,
    /// in which order
    #[arg(long, value_enum, default_value_t = Order::Id)]
    pub sort: Order,
    /// How many.
    #[command(flatten)]
    pub length: Length,
}

/// In which order people are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Order {
    /// as they came to be
    #[default]
    Id,
    /// by first name, then last name
    Name,
}

impl ListArguments {
    /// The question.
    pub(super) fn query(&self) -> PeopleQuery {
        PeopleQuery {
            integration: self.integration.clone(),
            q: self.text.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
            unit: self.unit.clone(),
            resident: self.resident.clone(),
            status: self.status,
            excluded: self.excluded.then_some(true),
            alert: self.alert.then_some(true),
            updated_since: self.updated_since,
            target: self.target.clone(),
            target_state: self.target_state,
            sort: match self.sort {
                Order::Id => None,
                Order::Name => Some(PeopleSort::Name),
            },
            limit: None,
            cursor: None,
        }
    }
}

/// A status by its word; nobody's stay is of an unknown one.
fn status() -> impl TypedValueParser<Value = LeaseStatus> {
    let known = LeaseStatus::ALL.into_iter();
    let words = known.filter(|status| *status != LeaseStatus::Unknown);
    PossibleValuesParser::new(words.map(LeaseStatus::as_str))
        .try_map(|word| word.parse().map_err(|()| "no status"))
}

fn state() -> impl TypedValueParser<Value = DeliveryState> {
    let words = DeliveryState::ALL.map(DeliveryState::as_str);
    PossibleValuesParser::new(words)
        .try_map(|word| serde_json::from_value::<DeliveryState>(serde_json::Value::from(word)))
}

/// A moment: as it is, the beginning of a day in the time zone of this machine, or so long ago.
fn since(text: &str) -> Result<Timestamp, String> {
    read_since(text, Timestamp::now(), &TimeZone::system()).ok_or_else(|| {
        format!(
            "`{text}` is no moment; write `2026-03-01T08:00:00Z`, `2026-03-01`, or so long ago: `90m`, `24h`, `7d`"
        )
    })
}

fn read_since(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    if let Ok(day) = text.parse::<Date>() {
        let begin = day.to_zoned(zone.clone()).ok()?;
        return Some(begin.timestamp());
    }
    let span: Span = serde_json::from_value(serde_json::Value::from(text)).ok()?;
    now.checked_sub(span.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_as_it_is_as_a_day_or_as_so_long_ago() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (text, is) in [
            ("2026-03-01T08:00:00Z", Some("2026-03-01T08:00:00Z")),
            ("2026-03-01T08:00:00+01:00", Some("2026-03-01T07:00:00Z")),
            ("2026-03-01", Some("2026-02-28T22:00:00Z")),
            ("90m", Some("2026-03-02T10:30:00Z")),
            ("7d", Some("2026-02-23T12:00:00Z")),
            ("yesterday", None),
            ("", None),
        ] {
            let is = is.map(|is| is.parse().unwrap());
            assert_eq!(read_since(text, now, &zone), is, "{text}");
        }
    }
}
