//! What the socket asks about targets and deliveries. There is no target yet.

use crate::control::protocol::{Page, ProblemDocument};
use crate::control::server::{Answer, DeliveryQuery, Peer};
use crate::model::{DeliveriesTouched, Delivery, DeliveryPlan, PersonId, TargetId, TargetStatus};

use super::Daemon;

#[allow(
    clippy::unused_async,
    clippy::unused_self,
    reason = "they are asked as their neighbours are, and there is no target yet that they would ask about"
)]
impl Daemon {
    /// Every target, by id.
    pub(super) async fn all_targets(&self) -> Answer<Vec<TargetStatus>> {
        Ok(Vec::new())
    }

    /// What people have at targets, or shall have there.
    pub(super) async fn delivered(&self, query: DeliveryQuery) -> Answer<Page<Delivery>> {
        match &query.target {
            Some(target) => Err(ProblemDocument::no_target(target)),
            None => Ok(Page {
                items: Vec::new(),
                next: None,
            }),
        }
    }

    /// What is to be done at a target now.
    pub(super) async fn planned_at(&self, target: TargetId) -> Answer<DeliveryPlan> {
        Err(ProblemDocument::no_target(&target))
    }

    /// Lets what waits at a target through.
    pub(super) async fn approved_at(
        &self,
        target: TargetId,
        _digest: Option<String>,
        _peer: Peer,
    ) -> Answer<DeliveriesTouched> {
        Err(ProblemDocument::no_target(&target))
    }

    /// Tries again what is parked at a target.
    pub(super) async fn retried_at(
        &self,
        target: TargetId,
        _person: Option<PersonId>,
        _peer: Peer,
    ) -> Answer<DeliveriesTouched> {
        Err(ProblemDocument::no_target(&target))
    }
}
