//! What acts on whole integrations write: people who belong to another one, alerts that go with them, and what is
//! remembered of the integration itself.

use crate::model::{
    ActId, Alert, Attachment, Change, ChangeKind, IntegrationId, Move, MovedAlert, OfIntegration,
    Person, Swap,
};

use super::{Answer, Desk};

impl Desk<'_> {
    /// The act under way.
    pub(in crate::acts) fn act_id(&self) -> ActId {
        self.act.id
    }

    /// Whose people go where by this act.
    pub(in crate::acts) fn moves(&mut self, moves: &[Move]) {
        self.act.moves.extend_from_slice(moves);
    }

    /// Writes a person who belongs to another integration from now on.
    pub(in crate::acts) fn put_moved(
        &mut self,
        before: Person,
        after: Person,
        kind: ChangeKind,
        between: (&IntegrationId, &IntegrationId),
        rule: &str,
    ) -> Answer<()> {
        self.write.put_person(&after)?;
        let (from, to) = between;
        self.changes.push(Change {
            seq: 0,
            at: self.hand.now,
            person: after.id,
            kind,
            integration: Some(to.clone()),
            from: Some(from.clone()),
            resident: None,
            run: None,
            rule: rule.to_owned(),
            fields: Vec::new(),
            actor: self.hand.by.clone(),
            act: Some(self.act.id),
        });
        self.act.people.push(Swap {
            before: Some(before),
            after: Some(after),
        });
        Ok(())
    }

    /// Gives an alert to another integration, unless that one has an alert of the same cause already.
    pub(in crate::acts) fn move_alert(&mut self, alert: Alert, to: &IntegrationId) -> Answer<bool> {
        let twin = self.write.alert_of(to, alert.kind, &alert.subject)?;
        if twin.is_some_and(|twin| twin.id != alert.id) {
            return Ok(false);
        }
        self.act.alerts.push(MovedAlert {
            alert: alert.id,
            from: alert.integration.clone(),
            to: to.clone(),
        });
        self.write.put_alert(&Alert {
            integration: to.clone(),
            ..alert
        })?;
        Ok(true)
    }

    /// Remembers something of an integration, with this act on its list, or forgets it.
    pub(in crate::acts) fn put_attachment(
        &mut self,
        integration: &IntegrationId,
        after: Option<Attachment>,
    ) -> Answer<()> {
        let before = self.write.attachment(integration)?;
        let after = after.map(|mut after| {
            after.acts.push(self.act.id);
            after
        });
        self.write.put_attachment(integration, after.as_ref())?;
        self.act.attachments.push(OfIntegration {
            integration: integration.clone(),
            swap: Swap { before, after },
        });
        Ok(())
    }
}
