//! Who fails to sign in again and again waits: by name and address together, and by address alone. Nobody else can be locked
//! out by it: somebody's name from another address is somebody else's try.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use jiff::Timestamp;

/// So long a failure counts.
const WINDOW: Duration = Duration::from_mins(1);
/// So many failures of one name from one address within it.
const OF_A_NAME: usize = 5;
/// So many from one address, whatever names.
const OF_AN_ADDRESS: usize = 20;
/// So many keys are remembered. Beyond, those go that failed longest ago.
const MOST: usize = 10_000;
/// A name counts by so many bytes of it.
const NAME: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Name(IpAddr, String),
    Address(IpAddr),
}

/// The failures of the last minute.
#[derive(Debug, Default)]
pub(super) struct Slowing {
    failures: BTreeMap<Key, VecDeque<Timestamp>>,
}

impl Slowing {
    /// How long somebody has to wait before a try is looked at; none where it may be now.
    pub(super) fn wait(&self, name: &str, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let waits = keys(name, address).into_iter().filter_map(|(key, most)| {
            let failures = self.failures.get(&key)?;
            let counted = failures.iter().filter(|at| counts(**at, now));
            let first = counted.clone().rev().nth(most - 1)?;
            let end = first.checked_add(WINDOW).ok()?;
            Some(now.duration_until(end).unsigned_abs())
        });
        waits.max()
    }

    /// Somebody failed.
    pub(super) fn failed(&mut self, name: &str, address: IpAddr, now: Timestamp) {
        for (key, most) in keys(name, address) {
            let failures = self.failures.entry(key).or_default();
            failures.retain(|at| counts(*at, now));
            failures.push_back(now);
            while failures.len() > most {
                failures.pop_front();
            }
        }
        if self.failures.len() > MOST {
            self.failures
                .retain(|_, failures| failures.back().is_some_and(|at| counts(*at, now)));
        }
        while self.failures.len() > MOST {
            let oldest = self.failures.iter().min_by_key(|(_, all)| all.back());
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            self.failures.remove(&key);
        }
    }

    /// Somebody got in, whose try was counted as a failure: what they mistyped before is forgotten.
    pub(super) fn succeeded(&mut self, name: &str, address: IpAddr) {
        let [(of_name, _), (of_address, _)] = keys(name, address);
        self.failures.remove(&of_name);
        if let Some(failures) = self.failures.get_mut(&of_address) {
            failures.pop_back();
        }
    }
}

/// A failure of the future is one of a clock that was set: it counts.
fn counts(at: Timestamp, now: Timestamp) -> bool {
    at.duration_until(now) < jiff::SignedDuration::try_from(WINDOW).unwrap_or_default()
}

fn keys(name: &str, address: IpAddr) -> [(Key, usize); 2] {
    let address = network(address);
    let mut end = name.len().min(NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let name = name.get(..end).unwrap_or_default().to_owned();
    [
        (Key::Name(address, name), OF_A_NAME),
        (Key::Address(address), OF_AN_ADDRESS),
    ]
}

/// Of IPv6 the first 64 bits: the rest is whatever a machine likes.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn after_five_failures_in_a_minute_that_name_waits_at_that_address_and_nobody_else() {
        let mut slowing = Slowing::default();
        let here = address("192.0.2.1");
        for second in 0..5 {
            assert_eq!(slowing.wait("ada", here, at(second)), None);
            slowing.failed("ada", here, at(second));
        }
        assert_eq!(
            slowing.wait("ada", here, at(5)),
            Some(Duration::from_secs(55))
        );
        assert_eq!(slowing.wait("bo", here, at(5)), None);
        assert_eq!(slowing.wait("ada", address("192.0.2.2"), at(5)), None);
        assert_eq!(slowing.wait("ada", here, at(60)), None, "the first is over");
        slowing.failed("ada", here, at(60));
        assert_eq!(
            slowing.wait("ada", here, at(60)),
            Some(Duration::from_secs(1))
        );
        slowing.succeeded("ada", here);
        assert_eq!(slowing.wait("ada", here, at(60)), None);
    }

    #[test]
    fn an_address_that_tries_many_names_waits_with_all_of_them_also_by_ipv6() {
        let mut slowing = Slowing::default();
        for count in 0..20 {
            let here = address(&format!("2001:db8:1:2::{count:x}"));
            slowing.failed(&format!("name{count}"), here, at(0));
        }
        let same = address("2001:db8:1:2:ffff::1");
        assert!(slowing.wait("new", same, at(1)).is_some());
        assert_eq!(slowing.wait("new", address("2001:db8:1:3::1"), at(1)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_lets_nobody_try_more() {
        let mut slowing = Slowing::default();
        let here = address("192.0.2.1");
        for _ in 0..5 {
            slowing.failed("ada", here, at(1000));
        }
        assert!(slowing.wait("ada", here, at(0)).is_some());
    }

    #[test]
    fn what_is_remembered_is_bounded_whoever_tries() {
        let mut slowing = Slowing::default();
        for count in 0..6_000u32 {
            let here = IpAddr::V4((0x0a00_0000 + count).into());
            slowing.failed(&"ä".repeat(500), here, at(i64::from(count) / 1000));
        }
        assert!(slowing.failures.len() <= MOST);
    }
}
