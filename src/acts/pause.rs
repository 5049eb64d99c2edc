//! Pausing an integration by hand, for a while or until somebody resumes it. When a pause is over is for others to say.

use jiff::{SignedDuration, Timestamp};

use crate::model::{IntegrationId, Pause};
use crate::store::{Store, StoreError};

use super::{ActError, Hand};

/// Pauses an integration, for so many seconds or until it is resumed. What paused it before counts no more.
pub fn pause(
    store: &Store,
    integration: &IntegrationId,
    seconds: Option<u64>,
    reason: &str,
    hand: &Hand,
) -> Result<Pause, ActError> {
    let pause = Pause {
        by: hand.by.clone(),
        at: hand.now,
        until: seconds.map(|seconds| end(seconds, hand.now)).transpose()?,
        reason: told(reason)?,
    };
    let write = store.write()?;
    let mut history = write.history(integration)?;
    history.paused = true;
    history.pause = Some(pause.clone());
    write.put_history(integration, &history)?;
    write.commit()?;
    Ok(pause)
}

/// Lets an integration run again.
pub fn resume(store: &Store, integration: &IntegrationId) -> Result<(), ActError> {
    let write = store.write()?;
    let mut history = write.history(integration)?;
    history.paused = false;
    history.pause = None;
    write.put_history(integration, &history)?;
    Ok(write.commit()?)
}

/// Lets those run again whose pause is still this one, and gives them.
pub fn resume_all(
    store: &Store,
    over: &[(IntegrationId, Pause)],
) -> Result<Vec<IntegrationId>, StoreError> {
    let write = store.write()?;
    let mut resumed = Vec::new();
    for (integration, pause) in over {
        let mut history = write.history(integration)?;
        if history.pause.as_ref() == Some(pause) {
            history.paused = false;
            history.pause = None;
            write.put_history(integration, &history)?;
            resumed.push(integration.clone());
        }
    }
    write.commit()?;
    Ok(resumed)
}

fn end(seconds: u64, now: Timestamp) -> Result<Timestamp, ActError> {
    let wrong =
        || ActError::Invalid("a pause lasts from 1s to 366d; ask for a length in between".into());
    if seconds == 0 || seconds > Pause::LONGEST {
        return Err(wrong());
    }
    let seconds = i64::try_from(seconds).map_err(|_| wrong())?;
    let end = now.checked_add(SignedDuration::from_secs(seconds));
    end.map_err(|_| wrong())
}

fn told(reason: &str) -> Result<String, ActError> {
    let reason = reason.trim();
    if reason.chars().count() > Pause::REASON || reason.chars().any(char::is_control) {
        return Err(ActError::Invalid(format!(
            "the reason of a pause is one line of {} letters at most; write a shorter one",
            Pause::REASON
        )));
    }
    Ok(reason.to_owned())
}
