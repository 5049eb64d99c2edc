//! Letting somebody in again who was erased: the next run makes somebody new of the resident.

use crate::model::{Alert, IntegrationId};

use super::ActError;
use super::desk::Desk;

type Answer<T> = Result<T, ActError>;

/// Lets the resident of an alert in. What is remembered of the feed has nothing of them, and is dropped.
pub(super) fn admit(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    desk.store().admit(&alert.subject, true);
    desk.store().forget_feed(&alert.integration)?;
    desk.act().admitted.push(alert.subject.clone());
    Ok(())
}

/// Keeps them out again, unless a run took them in meanwhile.
pub(super) fn keep_out(
    desk: &mut Desk<'_>,
    integration: &IntegrationId,
    residents: &[String],
) -> Answer<()> {
    for resident in residents {
        if let Some(link) = desk.store().link(integration, resident)? {
            return Err(ActError::Refused(format!(
                "resident {resident} came in as {} since; undo is not possible any more. Erase that person, once they have left",
                link.person
            )));
        }
        desk.store().admit(resident, false);
        desk.store().forget_feed(integration)?;
    }
    Ok(())
}
