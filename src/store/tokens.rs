//! Refresh tokens that came in the place of those that credentials name: whoever forgets one is let in no more. Judges
//! nothing.

use super::write::Done;
use super::{View, Write, tables};

impl View {
    /// The last refresh token that came for a credential, and the print of the one that the credential names.
    pub fn refresh_token(&self, credential: &str) -> Done<Option<([u8; 32], String)>> {
        let table = self.transaction.open_table(tables::REFRESH_TOKENS)?;
        let found = table.get(credential)?;
        Ok(found.map(|value| {
            let (own, token) = value.value();
            (own, token.to_owned())
        }))
    }
}

impl Write {
    /// Keeps it in the place of the one before.
    pub fn put_refresh_token(&self, credential: &str, own: [u8; 32], token: &str) -> Done<()> {
        let mut table = self.transaction.open_table(tables::REFRESH_TOKENS)?;
        table.insert(credential, (own, token))?;
        Ok(())
    }
}
