//! Requests of a PMS, or of anybody who has the secret, that something is new: whether they are what they say, and when a sync is
//! asked for by them. Asks for none.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::config::Secret;
use crate::model::IntegrationId;
use crate::outbound::is_signed;

/// So far the clock of whoever signs may be off (Standard Webhooks).
const TOLERANCE: Duration = Duration::from_mins(5);

/// At most one sync in so long is asked for by hooks, for each integration.
const FOLD: Duration = Duration::from_mins(1);

/// A request, as it came.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: String,
    /// `webhook-signature`: one or several, with blanks between them.
    pub signature: String,
    /// What came.
    pub body: Vec<u8>,
}

/// Whether a request is signed with this secret, and lately (Standard Webhooks).
pub fn is_genuine(shown: &Shown, secret: &Secret, now: Timestamp) -> Result<(), &'static str> {
    let seconds = shown.timestamp.parse().ok();
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.ok_or("has no `webhook-timestamp`")?;
    let tolerance = SignedDuration::try_from(TOLERANCE).unwrap_or_default();
    if now.duration_since(at).abs() > tolerance {
        return Err("is of another time than now by more than five minutes");
    }
    let mut content = format!("{}.{}.", shown.id, shown.timestamp).into_bytes();
    content.extend(&shown.body);
    let signatures = shown.signature.split_whitespace();
    let mut signatures = signatures.filter_map(|one| one.strip_prefix("v1,"));
    if signatures.any(|one| is_signed(secret.expose(), &content, one)) {
        Ok(())
    } else {
        Err("is not signed with the hook's secret")
    }
}

/// When a sync is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// At once.
    Now,
    /// After so long.
    After(Duration),
    /// One that was asked for and has not begun is for this, too.
    Already,
}

/// Since when each integration was asked for last.
#[derive(Debug, Default)]
pub struct Folding(BTreeMap<IntegrationId, Timestamp>);

impl Folding {
    /// Takes a request over.
    pub fn asked(&mut self, integration: &IntegrationId, now: Timestamp) -> Fold {
        let fold = SignedDuration::try_from(FOLD).unwrap_or_default();
        let next = match self.0.get(integration) {
            None => now,
            // One of the future is asked for already, unless the clock was set.
            Some(last) if *last > now && last.duration_since(now) <= fold => return Fold::Already,
            Some(last) => last.saturating_add(fold).map_or(now, |next| next.max(now)),
        };
        // A clock that was ahead keeps nothing back.
        let next = if next.duration_since(now) > fold {
            now
        } else {
            next
        };
        self.0.insert(integration.clone(), next);
        match u64::try_from(next.duration_since(now).as_millis()) {
            Ok(0) | Err(_) => Fold::Now,
            Ok(wait) => Fold::After(Duration::from_millis(wait)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// The example of the specification's own libraries.
    fn example() -> Shown {
        Shown {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(),
            timestamp: "1614265330".into(),
            signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".into(),
            body: br#"{"test": 2432232314}"#.to_vec(),
        }
    }

    #[test]
    fn a_request_counts_that_is_signed_with_the_secret_and_of_now() {
        let secret = Secret::new(SECRET.into());
        let now = at(1_614_265_330);
        assert_eq!(is_genuine(&example(), &secret, now), Ok(()));
        let rotated = Shown {
            signature: format!("v1,bm90IGl0 {}", example().signature),
            ..example()
        };
        assert_eq!(is_genuine(&rotated, &secret, now), Ok(()));
        for off in [-301, 301] {
            let error = is_genuine(&example(), &secret, at(1_614_265_330 + off));
            assert!(error.unwrap_err().contains("another time"));
        }
        let another = Secret::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into());
        assert!(is_genuine(&example(), &another, now).is_err());
        for change in [
            |shown: &mut Shown| shown.body.push(b' '),
            |shown: &mut Shown| shown.id.push('x'),
            |shown: &mut Shown| shown.timestamp = "1614265331".into(),
            |shown: &mut Shown| shown.signature = shown.signature.replace("v1,", "v1a,"),
            |shown: &mut Shown| shown.signature.clear(),
        ] {
            let mut shown = example();
            change(&mut shown);
            assert!(is_genuine(&shown, &secret, now).is_err(), "{shown:?}");
        }
    }

    #[test]
    fn many_requests_are_one_sync_a_minute_and_none_is_lost() {
        let (elm, oak) = (IntegrationId::new("elm"), IntegrationId::new("oak"));
        let mut folding = Folding::default();
        assert_eq!(folding.asked(&elm, at(0)), Fold::Now);
        assert_eq!(folding.asked(&oak, at(1)), Fold::Now);
        assert_eq!(
            folding.asked(&elm, at(20)),
            Fold::After(Duration::from_secs(40))
        );
        assert_eq!(folding.asked(&elm, at(59)), Fold::Already);
        assert_eq!(
            folding.asked(&elm, at(61)),
            Fold::After(Duration::from_secs(59))
        );
        assert_eq!(folding.asked(&elm, at(600)), Fold::Now);
        assert_eq!(
            folding.asked(&elm, at(0)),
            Fold::Now,
            "the clock was set back"
        );
    }
}
