//! Time zones by their names, and which one a name that is none was meant to be.

use jiff::tz::{TimeZone, db};

/// So alike are two names of which one is a misspelling of the other.
const ALIKE: f64 = 0.9;

/// A time zone by its IANA name; or what is wrong with the name, and what to write.
pub fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        let remedy = match meant(name) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "write one such as `America/New_York`".to_owned(),
        };
        format!("`{name}` is no IANA time zone; {remedy}")
    })
}

/// The zone that is most like a name, or whose city is.
fn meant(name: &str) -> Option<String> {
    let plain = |text: &str| text.trim().replace(' ', "_").to_lowercase();
    let given = plain(name);
    let likeness = |zone: &str| {
        let zone = plain(zone);
        let city = zone.rsplit('/').next().unwrap_or(&zone);
        let whole = strsim::jaro_winkler(&given, &zone);
        // Cities are in several lists; the first by name is that of IANA.
        if city == given { 1.0 } else { whole }
    };
    let all = db().available().map(|zone| zone.as_str().to_owned());
    let all = all.filter(|zone| zone.contains('/') && !zone.starts_with("posix/"));
    let alike = all.map(|zone| (likeness(&zone), zone));
    let alike = alike.filter(|(likeness, _)| *likeness >= ALIKE);
    let best = alike.max_by(|one, other| {
        let by_name = other.1.cmp(&one.1);
        one.0.total_cmp(&other.0).then(by_name)
    });
    best.map(|(_, zone)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_zone_is_told_with_the_one_that_was_meant() {
        assert!(time_zone("America/New_York").is_ok());
        for (name, zone) in [
            ("Amercia/Chicago", "America/Chicago"),
            ("America/New York", "America/New_York"),
            ("Denver", "America/Denver"),
            ("new york", "America/New_York"),
            ("America/Los_Angelos", "America/Los_Angeles"),
        ] {
            let told = time_zone(name).unwrap_err();
            assert_eq!(
                told,
                format!("`{name}` is no IANA time zone; did you mean `{zone}`?")
            );
        }
        let told = time_zone("somewhere").unwrap_err();
        assert_eq!(
            told,
            "`somewhere` is no IANA time zone; write one such as `America/New_York`"
        );
    }
}
