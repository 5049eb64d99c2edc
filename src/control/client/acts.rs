//! The requests that do something by hand.

use reqwest::Method;
use serde::Serialize;

use super::{Client, ClientError, Cut, address};
use crate::control::protocol::{
    AlertAct, ApproveSinceUpgrade, EndStay, EraseAsk, IntegrationStatus, NewAssignee, NewComment,
    NewName, Page, PauseFor, PersonAct, RunState, SinceUpgrade, SyncReply,
};
use crate::model::{
    ActId, AlertId, Change, Difference, DismissMany, Dismissed, Done, Enrolment, Erasure,
    Explanation, Imported, IntegrationId, PersonId, Preview, Retirement, RunId, TriedFiles,
};

impl Client {
    /// What the next run would do. Waits as long as reading the PMS takes.
    pub async fn preview(&self, integration: &IntegrationId) -> Result<Preview, ClientError> {
        let path = ["v1", "integrations", integration.as_str(), "preview"];
        let address = address(&path, Vec::new());
        let request = self.http.request(Method::POST, address);
        self.patiently(request).await
    }

    /// What the next run would do by files that are not live.
    pub async fn preview_with(
        &self,
        integration: &IntegrationId,
        files: &TriedFiles,
    ) -> Result<Preview, ClientError> {
        self.send_files(integration, "preview", files).await
    }

    /// What the next run would do otherwise by files that are not live.
    pub async fn diff(
        &self,
        integration: &IntegrationId,
        files: &TriedFiles,
    ) -> Result<Difference, ClientError> {
        self.send_files(integration, "diff", files).await
    }

    async fn send_files<T: serde::de::DeserializeOwned>(
        &self,
        integration: &IntegrationId,
        verb: &str,
        files: &TriedFiles,
    ) -> Result<T, ClientError> {
        let path = ["v1", "integrations", integration.as_str(), verb];
        let body = serde_json::to_vec(files)
            .map_err(|error| ClientError::of_content(&self.socket, &error))?;
        let request = self.http.request(Method::POST, address(&path, Vec::new()));
        self.patiently(request.body(body)).await
    }

    /// Why a resident is where they are. With `live` it waits as long as reading the PMS takes.
    pub async fn explain(
        &self,
        integration: &IntegrationId,
        resident: &str,
        live: bool,
    ) -> Result<Explanation, ClientError> {
        let path = [
            "v1",
            "integrations",
            integration.as_str(),
            "residents",
            resident,
        ];
        let address = address(&path, vec![("live", live.to_string())]);
        self.patiently(self.http.get(address)).await
    }

    /// Lets a held plan through, and asks for the run that carries it out. Does not wait for its end.
    pub async fn approve(
        &self,
        run: RunId,
        digest: Option<&str>,
    ) -> Result<SyncReply, ClientError> {
        let mut query = vec![("wait", "false".to_owned())];
        query.extend(digest.map(|digest| ("digest", digest.to_owned())));
        let address = address(&["v1", "runs", &run.to_string(), "approve"], query);
        let request = self.http.request(Method::POST, address);
        self.json(request, Some(super::PATIENCE)).await
    }

    /// What only the rules of a new version would take, and waits.
    pub async fn since_upgrade(&self) -> Result<SinceUpgrade, ClientError> {
        self.get(&["v1", "since-upgrade"], Vec::new()).await
    }

    /// Lets all of that through, and asks for the runs that carry it out. Does not wait for their ends.
    pub async fn approve_since_upgrade(
        &self,
        asked: &ApproveSinceUpgrade,
    ) -> Result<SyncReply, ClientError> {
        let query = vec![("wait", "false".to_owned())];
        self.post_with(&["v1", "since-upgrade", "approve"], query, asked)
            .await
    }

    /// Rejects a held plan: it waits, and nobody is told of it again.
    pub async fn reject(&self, run: RunId, digest: Option<&str>) -> Result<RunState, ClientError> {
        let digest = digest.map(|digest| ("digest", digest.to_owned()));
        let query = digest.into_iter().collect();
        let address = address(&["v1", "runs", &run.to_string(), "reject"], query);
        let request = self.http.request(Method::POST, address);
        self.json(request, Some(super::PATIENCE)).await
    }

    /// Pauses an integration, or resumes it where nothing is asked.
    pub async fn pause(
        &self,
        integration: &IntegrationId,
        pause: Option<&PauseFor>,
    ) -> Result<IntegrationStatus, ClientError> {
        let path = |verb| ["v1", "integrations", integration.as_str(), verb];
        match pause {
            Some(pause) => self.post(&path("pause"), pause).await,
            None => self.post(&path("resume"), &()).await,
        }
    }

    /// Gives the people of one integration to another, whose file is there.
    pub async fn rename(
        &self,
        from: &IntegrationId,
        to: &IntegrationId,
    ) -> Result<Done, ClientError> {
        let body = NewName { to: to.clone() };
        self.post(&["v1", "integrations", from.as_str(), "rename"], &body)
            .await
    }

    /// Gives an integration up, or the people of one of its PMS properties, or tells whom that would take.
    pub async fn retire(
        &self,
        integration: &IntegrationId,
        property: Option<&str>,
        dry_run: bool,
    ) -> Result<Retirement, ClientError> {
        let mut query = vec![("dry_run", dry_run.to_string())];
        query.extend(property.map(|property| ("property", property.to_owned())));
        let address = address(
            &["v1", "integrations", integration.as_str(), "retire"],
            query,
        );
        let request = self.http.request(Method::POST, address);
        self.json(request, Some(super::PATIENCE)).await
    }

    /// Undoes the last renaming or retirement of an integration.
    pub async fn undo_integration(&self, integration: &IntegrationId) -> Result<Done, ClientError> {
        self.post(&["v1", "integrations", integration.as_str(), "undo"], &())
            .await
    }

    /// Does something to an alert.
    pub async fn to_alert(&self, alert: AlertId, act: &AlertAct) -> Result<Done, ClientError> {
        let alert = alert.to_string();
        let path = |verb| ["v1", "alerts", &alert, verb];
        match act {
            AlertAct::Resolve(resolution) => self.post(&path("resolve"), resolution).await,
            AlertAct::Dismiss => self.post(&path("dismiss"), &()).await,
            AlertAct::Undo => self.post(&path("undo"), &()).await,
            AlertAct::Comment(text) => {
                let body = NewComment { text: text.clone() };
                self.post(&path("comment"), &body).await
            }
            AlertAct::Assign(to) => {
                let body = NewAssignee { to: to.clone() };
                self.post(&path("assign"), &body).await
            }
        }
    }

    /// Dismisses all open alerts of a kind.
    pub async fn dismiss_many(&self, asked: &DismissMany) -> Result<Dismissed, ClientError> {
        self.post(&["v1", "alerts", "dismiss"], asked).await
    }

    /// Does something to a person.
    pub async fn to_person(&self, person: PersonId, act: &PersonAct) -> Result<Done, ClientError> {
        let person = person.to_string();
        let path = |verb| ["v1", "people", &person, verb];
        let tie = |integration: &IntegrationId, resident: &str| serde_json::json!({ "integration": integration, "resident": resident });
        match act {
            PersonAct::Link(integration, resident) => {
                self.post(&path("link"), &tie(integration, resident)).await
            }
            PersonAct::Unlink(integration, resident) => {
                self.post(&path("unlink"), &tie(integration, resident))
                    .await
            }
            PersonAct::Lock(fields) => {
                let body = serde_json::json!({ "fields": fields });
                self.post(&path("lock"), &body).await
            }
            PersonAct::Unlock(fields) => {
                let body = serde_json::json!({ "fields": fields });
                self.post(&path("unlock"), &body).await
            }
            PersonAct::Pin => self.post(&path("pin"), &()).await,
            PersonAct::Unpin => self.post(&path("unpin"), &()).await,
            PersonAct::Set(edit) => self.post(&path("set"), edit).await,
            PersonAct::End(integration) => {
                let integration = integration.clone();
                self.post(&path("end"), &EndStay { integration }).await
            }
        }
    }

    /// Erases a person. Waits as long as that takes.
    pub async fn erase_person(
        &self,
        person: PersonId,
        asked: &EraseAsk,
    ) -> Result<Erasure, ClientError> {
        let address = address(&["v1", "people", &person.to_string(), "erase"], Vec::new());
        let body = serde_json::to_vec(asked)
            .map_err(|error| ClientError::of_content(&self.socket, &error))?;
        let request = self.http.request(Method::POST, address).body(body);
        self.patiently(request).await
    }

    /// Undoes something that was done by hand.
    pub async fn undo_act(&self, act: ActId) -> Result<Done, ClientError> {
        self.post(&["v1", "acts", &act.to_string(), "undo"], &())
            .await
    }

    /// Makes a person by hand.
    pub async fn add_person(&self, told: &Enrolment) -> Result<Done, ClientError> {
        self.post(&["v1", "people"], told).await
    }

    /// Makes the people of a CSV file by hand, or tells what that would do.
    pub async fn import_people(
        &self,
        csv: Vec<u8>,
        dry_run: bool,
    ) -> Result<Imported, ClientError> {
        let query = vec![("dry_run", dry_run.to_string())];
        let address = address(&["v1", "people", "import"], query);
        let request = self.http.request(Method::POST, address).body(csv);
        self.patiently(request).await
    }

    /// What happened to a person, newest first.
    pub async fn history(&self, person: PersonId, cut: &Cut) -> Result<Page<Change>, ClientError> {
        let person = person.to_string();
        self.get(&["v1", "people", &person, "history"], cut.query())
            .await
    }

    pub(super) async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.post_with(path, Vec::new(), body).await
    }

    async fn post_with<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        query: Vec<(&'static str, String)>,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let address = address(path, query);
        let body = serde_json::to_vec(body)
            .map_err(|error| ClientError::of_content(&self.socket, &error))?;
        let request = self.http.request(Method::POST, address).body(body);
        self.json(request, Some(super::PATIENCE)).await
    }
}
