//! The requests about those who are told of what is wrong.

use reqwest::Method;

use super::{Client, ClientError, address};
use crate::control::protocol::{NotifyTest, NotifyTested};

impl Client {
    /// Sends a test to those who are told. Waits as long as it takes.
    pub async fn notify_test(&self, asked: &NotifyTest) -> Result<NotifyTested, ClientError> {
        let address = address(&["v1", "notify", "test"], Vec::new());
        let body = serde_json::to_vec(asked)
            .map_err(|error| ClientError::of_content(&self.socket, &error))?;
        let request = self.http.request(Method::POST, address).body(body);
        self.patiently(request).await
    }
}
