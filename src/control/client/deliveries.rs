//! The requests about targets and deliveries.

use super::{Client, ClientError, Cut};
use crate::control::protocol::{ApproveDeliveries, Page, RetryDeliveries, Targets};
use crate::model::{
    DeliveriesTouched, Delivery, DeliveryPlan, DeliveryState, PersonId, TargetId, TargetStatus,
};

/// Which deliveries to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFilter {
    /// Only at this target.
    pub target: Option<TargetId>,
    /// Only of this person.
    pub person: Option<PersonId>,
    /// Only those that have come this far.
    pub state: Option<DeliveryState>,
}

impl Client {
    /// Every target, by id.
    pub async fn targets(&self) -> Result<Targets, ClientError> {
        self.get(&["v1", "targets"], Vec::new()).await
    }

    /// One target.
    pub async fn target(&self, id: &TargetId) -> Result<TargetStatus, ClientError> {
        self.get(&["v1", "targets", id.as_str()], Vec::new()).await
    }

    /// What people have at targets, or shall have there, by target, person and key.
    pub async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        cut: &Cut,
    ) -> Result<Page<Delivery>, ClientError> {
        let DeliveryFilter {
            target,
            person,
            state,
        } = filter;
        let mut query = cut.query();
        query.extend(target.iter().map(|target| ("target", target.to_string())));
        query.extend(person.map(|person| ("person", person.to_string())));
        query.extend(state.map(|state| ("state", state.as_str().to_owned())));
        self.get(&["v1", "deliveries"], query).await
    }

    /// What is to be done at a target now.
    pub async fn delivery_plan(&self, target: &TargetId) -> Result<DeliveryPlan, ClientError> {
        let path = ["v1", "deliveries", target.as_str(), "preview"];
        self.get(&path, Vec::new()).await
    }

    /// Lets what waits at a target through; with a digest only exactly what that stands for.
    pub async fn approve_deliveries(
        &self,
        target: &TargetId,
        digest: Option<&str>,
    ) -> Result<DeliveriesTouched, ClientError> {
        let path = ["v1", "deliveries", target.as_str(), "approve"];
        let digest = digest.map(str::to_owned);
        self.post(&path, &ApproveDeliveries { digest }).await
    }

    /// Tries again what is parked at a target: all of it, or what is one person's.
    pub async fn retry_deliveries(
        &self,
        target: &TargetId,
        person: Option<PersonId>,
    ) -> Result<DeliveriesTouched, ClientError> {
        let path = ["v1", "deliveries", target.as_str(), "retry"];
        self.post(&path, &RetryDeliveries { person }).await
    }
}
