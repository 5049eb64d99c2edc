//! Where an act is written: people, links, what is remembered, and the change log, all in one transaction that
//! keeps what was there before. Decides nothing.

mod moving;

use std::collections::BTreeSet;

use crate::model::{
    Act, ActKind, Alert, AlertId, AlertState, Change, ChangeKind, Done, Field, FieldChange,
    IntegrationId, Link, OfResident, OfUnit, Person, PersonId, Ruling, Swap,
};
use crate::rules::differences;
use crate::store::{Store, Write};

use super::{ActError, Hand};

type Answer<T> = Result<T, ActError>;

/// An act under way. Dropped before it is [`done`](Desk::done), it never happened.
pub(super) struct Desk<'a> {
    write: Write,
    hand: &'a Hand,
    act: Act,
    changes: Vec<Change>,
}

/// Where a change belongs, besides its person.
pub(super) struct Where<'a> {
    pub(super) integration: Option<&'a IntegrationId>,
    pub(super) resident: Option<&'a str>,
    pub(super) rule: &'a str,
}

impl<'a> Desk<'a> {
    pub(super) fn open(store: &Store, kind: ActKind, hand: &'a Hand) -> Answer<Desk<'a>> {
        let write = store.write()?;
        let act = Act::begun(write.new_act_id()?, kind, hand.now, hand.by.clone());
        Ok(Desk {
            write,
            hand,
            act,
            changes: Vec::new(),
        })
    }

    pub(super) fn hand(&self) -> &Hand {
        self.hand
    }

    pub(super) fn store(&self) -> &Write {
        &self.write
    }

    pub(super) fn person(&self, id: PersonId) -> Answer<Person> {
        self.write.person(id)?.ok_or_else(|| {
            ActError::NotFound(format!("there is no person {id}; `epms people` lists them"))
        })
    }

    /// A person who can still be acted on.
    pub(super) fn living(&self, id: PersonId) -> Answer<Person> {
        let person = self.person(id)?;
        if let Some(into) = person.merged_into {
            return Err(ActError::Refused(format!(
                "{id} was merged into {into}; act on that person"
            )));
        }
        if person.withdrawn {
            return Err(ActError::Refused(format!(
                "{id} was withdrawn, and stays for the record only"
            )));
        }
        Ok(person)
    }

    pub(super) fn alert(&self, id: AlertId) -> Answer<Alert> {
        self.write.alert(id)?.ok_or_else(|| {
            ActError::NotFound(format!("there is no alert {id}; `epms alerts` lists them"))
        })
    }

    pub(super) fn act_kind(&mut self, kind: ActKind) {
        self.act.kind = kind;
    }

    /// Writes a person and what changed about them.
    pub(super) fn put_person(
        &mut self,
        before: Option<Person>,
        after: Person,
        kind: ChangeKind,
        at: &Where<'_>,
    ) -> Answer<()> {
        let nobody = Person::new(after.id, after.origin, after.created);
        let was = before.as_ref().unwrap_or(&nobody);
        // All integrations that either side has a stay at; profile fields are told with the first.
        let places: BTreeSet<&IntegrationId> = at
            .integration
            .into_iter()
            .chain(was.stays.keys())
            .chain(after.stays.keys())
            .collect();
        let nowhere = IntegrationId::new("");
        let mut fields: Vec<FieldChange> = differences(was, &after, &nowhere);
        for place in places {
            let stay = differences(was, &after, place);
            fields.extend(stay.into_iter().filter(|change| !is_profile(change.field)));
        }
        self.write.put_person(&after)?;
        self.change(after.id, kind, at, fields);
        self.act.people.push(Swap {
            before,
            after: Some(after),
        });
        Ok(())
    }

    /// Writes a person of whom only what runs may do changed.
    pub(super) fn put_kept(
        &mut self,
        before: Person,
        after: Person,
        kind: ChangeKind,
        at: &Where<'_>,
        fields: Vec<FieldChange>,
    ) -> Answer<()> {
        self.write.put_person(&after)?;
        self.change(after.id, kind, at, fields);
        self.act.people.push(Swap {
            before: Some(before),
            after: Some(after),
        });
        Ok(())
    }

    /// A change of the log that is no difference of fields.
    pub(super) fn change(
        &mut self,
        person: PersonId,
        kind: ChangeKind,
        at: &Where<'_>,
        fields: Vec<FieldChange>,
    ) {
        self.changes.push(Change {
            seq: 0,
            at: self.hand.now,
            person,
            kind,
            integration: at.integration.cloned(),
            from: None,
            resident: at.resident.map(String::from),
            run: None,
            rule: at.rule.to_owned(),
            fields,
            actor: self.hand.by.clone(),
        });
    }

    /// Ties a resident to a person, or unties them.
    pub(super) fn put_link(
        &mut self,
        integration: &IntegrationId,
        resident: &str,
        after: Option<Link>,
    ) -> Answer<()> {
        let before = self.write.link(integration, resident)?;
        match &after {
            Some(link) => self.write.put_link(integration, resident, link)?,
            None => self.write.remove_link(integration, resident)?,
        }
        self.act.links.push(OfResident {
            integration: integration.clone(),
            resident: resident.to_owned(),
            swap: Swap { before, after },
        });
        Ok(())
    }

    /// Remembers whom a resident is not.
    pub(super) fn put_ruling(
        &mut self,
        integration: &IntegrationId,
        resident: &str,
        after: Option<Ruling>,
    ) -> Answer<()> {
        let before = self.write.ruling(integration, resident)?;
        self.write
            .put_ruling(integration, resident, after.as_ref())?;
        self.act.rulings.push(OfResident {
            integration: integration.clone(),
            resident: resident.to_owned(),
            swap: Swap { before, after },
        });
        Ok(())
    }

    /// Maps a PMS unit onto a unit here, or forgets it.
    pub(super) fn put_unit(
        &mut self,
        integration: &IntegrationId,
        unit: &str,
        after: Option<String>,
    ) -> Answer<()> {
        let before = self.write.units(integration)?.remove(unit);
        self.write.put_unit(integration, unit, after.as_deref())?;
        self.act.units.push(OfUnit {
            integration: integration.clone(),
            unit: unit.to_owned(),
            swap: Swap { before, after },
        });
        Ok(())
    }

    /// Leaves the alert in another state, with this act on its list.
    pub(super) fn settle(&mut self, alert: Alert, state: AlertState) -> Answer<()> {
        self.act.alert = Some((alert.id, alert.state));
        let mut alert = Alert { state, ..alert };
        alert.acts.push(self.act.id);
        self.write.put_alert(&alert)?;
        Ok(())
    }

    /// Leaves another alert in another state together with that one.
    pub(super) fn settle_too(&mut self, alert: Alert, state: AlertState) -> Answer<()> {
        self.act.with.push((alert.id, alert.state));
        let mut alert = Alert { state, ..alert };
        alert.acts.push(self.act.id);
        self.write.put_alert(&alert)?;
        Ok(())
    }

    /// Marks an earlier act as undone by this one.
    pub(super) fn undoes(&mut self, mut act: Act) -> Answer<()> {
        act.undone_by = Some(self.act.id);
        self.write.put_act(&act)?;
        Ok(())
    }

    /// Makes all of it last.
    pub(super) fn done(self) -> Answer<Done> {
        let mut changes = Vec::new();
        for change in self.changes {
            changes.push(self.write.append_change(change)?);
        }
        self.write.put_act(&self.act)?;
        self.write.commit()?;
        Ok(Done {
            act: self.act.id,
            kind: self.act.kind,
            alert: self.act.alert.map(|(alert, _)| alert),
            changes,
        })
    }
}

fn is_profile(field: Field) -> bool {
    matches!(
        field,
        Field::FirstName | Field::LastName | Field::Email | Field::Phone
    )
}
