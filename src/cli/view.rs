//! What a rendering depends on besides the values: the terminal, the time, the time zone. It reads
//! neither clock nor environment, except in `of_process`.

use std::io::IsTerminal;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a rendering depends on besides the values.
#[derive(Debug, Clone)]
pub struct View {
    /// The columns of the terminal; none where the output is no terminal.
    pub width: Option<u16>,
    /// Whether colours are wanted.
    pub color: bool,
    /// The time that relative times count from.
    pub now: Timestamp,
    /// The zone of absolute times.
    pub zone: TimeZone,
}

impl View {
    /// Of this process, now.
    pub fn of_process() -> View {
        let terminal = std::io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
        View {
            width: terminal.then(|| comfy_table::Table::new().width().unwrap_or(80)),
            color: terminal && wanted,
            now: Timestamp::now(),
            zone: TimeZone::system(),
        }
    }

    /// How long ago, or how far ahead: `4m ago`, `in 51m`.
    pub(super) fn relative(&self, time: Timestamp) -> String {
        match time.as_second() - self.now.as_second() {
            0 => "now".to_owned(),
            ahead @ 1.. => format!("in {}", length(ahead)),
            behind => format!("{} ago", length(-behind)),
        }
    }

    /// [`View::relative`], or `–` for a time that never was.
    pub(super) fn relative_or_never(&self, time: Option<Timestamp>) -> String {
        time.map_or_else(|| "–".to_owned(), |time| self.relative(time))
    }

    /// [`View::both`], or `–` for a time that never was.
    pub(super) fn both_or_never(&self, time: Option<Timestamp>) -> String {
        time.map_or_else(|| "–".to_owned(), |time| self.both(time))
    }

    /// The time here, to the second.
    pub(super) fn absolute(&self, time: Timestamp) -> String {
        time.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string()
    }

    /// Both: `4m ago (2026-03-01 11:56:00)`.
    pub(super) fn both(&self, time: Timestamp) -> String {
        format!("{} ({})", self.relative(time), self.absolute(time))
    }
}

/// So many seconds in their largest unit, rounded down: `59s`, `4m`, `3h`, `12d`.
pub(super) fn length(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, view};
    use super::*;

    #[test]
    fn times_are_told_from_now_in_their_largest_unit() {
        let view = view();
        let told = |text| view.relative(at(text));
        assert_eq!(told("2026-03-01T12:00:00Z"), "now");
        assert_eq!(told("2026-03-01T11:59:01Z"), "59s ago");
        assert_eq!(told("2026-03-01T11:55:01Z"), "4m ago");
        assert_eq!(told("2026-03-01T12:51:00Z"), "in 51m");
        assert_eq!(told("2026-02-28T12:00:00Z"), "24h ago");
        assert_eq!(told("2026-02-01T12:00:00Z"), "28d ago");
    }

    #[test]
    fn absolute_times_are_local() {
        let mut view = view();
        view.zone = TimeZone::get("America/New_York").unwrap();
        assert_eq!(view.absolute(view.now), "2026-03-01 07:00:00");
    }
}
