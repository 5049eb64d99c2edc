//! The requests about the store itself.

use reqwest::Method;

use super::{Client, ClientError, address};
use crate::model::{Keeping, Soundness};

impl Client {
    /// Gives `each` the pieces of a copy of the store, in their order. An answer that breaks off is an error.
    pub async fn backup<E: From<ClientError>>(
        &self,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let address = address(&["v1", "backup"], Vec::new());
        self.lives().await?;
        let request = self.http.request(Method::POST, address);
        let mut response = self.send(request, None).await?;
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => each(&piece)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(ClientError::of_transport(&self.socket, &error).into()),
            }
        }
    }

    /// How the store is kept.
    pub async fn keeping(&self) -> Result<Keeping, ClientError> {
        self.get(&["v1", "store"], Vec::new()).await
    }

    /// What a check of the whole store finds. Waits as long as it takes.
    pub async fn verify(&self) -> Result<Soundness, ClientError> {
        let address = address(&["v1", "verify"], Vec::new());
        self.patiently(self.http.get(address)).await
    }
}
