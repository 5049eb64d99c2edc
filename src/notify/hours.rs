//! Quiet hours: parts of a day by the clock on somebody's wall, which is set twice a year. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::config::Quiet;
use crate::model::IntegrationId;

use super::due::Hours;

/// Quiet hours by the time zone of each integration.
#[derive(Debug, Clone)]
pub(super) struct Zoned {
    /// From when to when; none where nothing is quiet.
    pub quiet: Option<Quiet>,
    /// The time zone of all of them, where one is named.
    pub named: Option<TimeZone>,
    /// Those of their properties.
    pub zones: BTreeMap<IntegrationId, TimeZone>,
}

impl Zoned {
    /// The time zone of messages about an integration.
    pub(super) fn zone(&self, integration: &IntegrationId) -> TimeZone {
        let zone = self.named.as_ref().or(self.zones.get(integration));
        zone.cloned().unwrap_or(TimeZone::UTC)
    }
}

impl Hours for Zoned {
    fn quiet_until(&self, integration: &IntegrationId, at: Timestamp) -> Option<Timestamp> {
        quiet_until(self.quiet?, &self.zone(integration), at)
    }
}

/// The end of the quiet hours that a moment is in, where it is in some.
fn quiet_until(Quiet((from, until)): Quiet, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let here = at.to_zoned(zone.clone());
    if !is_within(from, until, here.time()) {
        return None;
    }
    let today = here.date();
    let day = if here.time() < until {
        today
    } else {
        today.tomorrow().ok()?
    };
    let end = day.to_datetime(until).to_zoned(zone.clone()).ok()?;
    // Where the clock is put back over the end it comes twice: the one that is ahead counts.
    Some(end.timestamp().max(at + jiff::SignedDuration::from_secs(1)))
}

fn is_within(from: Time, until: Time, time: Time) -> bool {
    if from < until {
        from <= time && time < until
    } else {
        from <= time || time < until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(hours: &str, zone: &str, at: &str) -> Option<String> {
        let quiet: Quiet = serde_json::from_value(hours.into()).unwrap();
        let zone = TimeZone::get(zone).unwrap();
        quiet_until(quiet, &zone, at.parse().unwrap()).map(|end| end.to_string())
    }

    #[test]
    fn quiet_hours_are_those_of_the_clock_on_the_wall() {
        let york = |at| until("22:00-06:00", "America/New_York", at);
        assert_eq!(york("2026-07-01T01:59:59Z"), None);
        let morning = Some("2026-07-01T10:00:00Z".to_owned());
        assert_eq!(york("2026-07-01T02:00:00Z"), morning);
        assert_eq!(york("2026-07-01T09:59:59Z"), morning);
        assert_eq!(york("2026-07-01T10:00:00Z"), None);
        // In winter the same hours are others.
        assert_eq!(york("2026-12-01T02:00:00Z"), None);
        assert_eq!(
            york("2026-12-01T03:00:00Z").as_deref(),
            Some("2026-12-01T11:00:00Z")
        );
        let noon = |at| until("12:00-13:00", "UTC", at);
        assert_eq!(
            noon("2026-07-01T12:30:00Z").as_deref(),
            Some("2026-07-01T13:00:00Z")
        );
        assert_eq!(noon("2026-07-01T11:59:59Z"), None);
    }

    #[test]
    fn nights_in_which_the_clock_is_set_have_an_end() {
        // 2026-03-08: 02:00 becomes 03:00. 2026-11-01: 02:00 becomes 01:00.
        let spring = until("22:00-02:30", "America/New_York", "2026-03-08T06:59:00Z");
        assert_eq!(spring.as_deref(), Some("2026-03-08T07:30:00Z"));
        for minute in 0..180 {
            let at: Timestamp = "2026-11-01T04:30:00Z".parse().unwrap();
            let at = at + jiff::SignedDuration::from_mins(minute);
            let end = until("22:00-01:30", "America/New_York", &at.to_string());
            assert!(end.is_none_or(|end| end.parse::<Timestamp>().unwrap() > at));
        }
    }
}
