//! Everybody who may get in: the files of accounts and tokens as they are now, who is signed in, and who has to wait. Whoever
//! is taken out of a file is out at the next request.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::config::{
    Accounts, Secret, TokenEntry, Tokens, WebFileError, WebSettings, read_accounts, read_tokens,
};
use crate::model::{NamedBy, Signed};

use super::oidc::Identity;
use super::password::Passwords;
use super::sessions::{Sessions, Whose};
use super::slowing::Slowing;
use super::token::{NewToken, Token};

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such name, or it has another password.
    Wrong,
    /// There were too many failures; so long.
    Wait(Duration),
}

/// What tells one content of a file from the next.
type Stamp = Option<[i64; 5]>;

/// A file as it was read last.
struct Seen<T> {
    path: PathBuf,
    stamp: Stamp,
    value: Arc<T>,
}

impl<T: Default> Seen<T> {
    fn new() -> Seen<T> {
        Seen {
            path: PathBuf::new(),
            stamp: None,
            value: Arc::default(),
        }
    }

    /// The file as it is now. One that cannot be read lets nobody in, which is told once.
    fn now(
        &mut self,
        path: Option<PathBuf>,
        read: impl Fn(&Path) -> Result<T, WebFileError>,
    ) -> Arc<T> {
        let Some(path) = path else {
            return Arc::default();
        };
        let stamp = std::fs::metadata(&path).ok().map(stamp);
        if path != self.path || stamp != self.stamp || stamp.is_none() {
            let is_new = path != self.path || stamp != self.stamp;
            let value = read(&path);
            if let Err(error) = &value
                && is_new
            {
                tracing::error!(%error, "nobody gets in by this file");
            }
            (self.path, self.stamp) = (path, stamp);
            self.value = Arc::new(value.unwrap_or_default());
        }
        Arc::clone(&self.value)
    }
}

/// Rights and owner are in it by the time of their change.
pub(super) fn stamp(found: Metadata) -> [i64; 5] {
    [
        found.ino().cast_signed(),
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec(),
    ]
}

struct State {
    accounts: Seen<Accounts>,
    tokens: Seen<Tokens>,
    sessions: Sessions,
    slowing: Slowing,
}

/// Who may get in.
pub struct Register {
    home: PathBuf,
    passwords: Passwords,
    state: Mutex<State>,
}

impl Register {
    /// For the files of a home.
    pub fn new(home: &Path, passwords: Passwords) -> Register {
        Register {
            home: home.to_owned(),
            passwords,
            state: Mutex::new(State {
                accounts: Seen::new(),
                tokens: Seen::new(),
                sessions: Sessions::default(),
                slowing: Slowing::default(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose token that is. Reads a file where it changed.
    pub fn by_token(&self, web: &WebSettings, shown: &str, now: Timestamp) -> Option<Signed> {
        let path = web.tokens.as_ref().map(|path| self.home.join(path));
        let tokens = self.state().tokens.now(path, read_tokens);
        let token = Token::of(shown);
        let lives = |entry: &TokenEntry| entry.expires.is_none_or(|expires| now < expires);
        let mut tokens = tokens.iter();
        let (name, entry) =
            tokens.find(|(_, entry)| Token::parse(&entry.token) == Some(token) && lives(entry))?;
        Some(Signed {
            name: name.clone(),
            by: NamedBy::Token,
            tier: entry.tier,
        })
    }

    /// Whose session that is, with the tier that they have now. Reads a file where it changed.
    pub fn by_session(&self, web: &WebSettings, shown: &str, now: Timestamp) -> Option<Signed> {
        let mut state = self.state();
        let accounts = self.accounts(&mut state, web);
        let whose = state.sessions.used(shown, now)?;
        signed(whose, &accounts, web)
    }

    /// Whether a session lives, which is not used by asking that.
    pub fn is_in(&self, web: &WebSettings, shown: &str, now: Timestamp) -> bool {
        let mut state = self.state();
        let accounts = self.accounts(&mut state, web);
        let whose = state.sessions.whose(shown, now);
        whose.is_some_and(|whose| signed(whose, &accounts, web).is_some())
    }

    /// How long somebody has to wait before they may try to sign in.
    pub fn waits(&self, name: &str, address: IpAddr, now: Timestamp) -> Option<Duration> {
        self.state().slowing.wait(name, address, now)
    }

    /// The accounts as they are now. Who was taken out, or has another password since, is signed out.
    fn accounts(&self, state: &mut State, web: &WebSettings) -> Arc<Accounts> {
        let path = web.accounts.as_ref().map(|path| self.home.join(path));
        let before = Arc::clone(&state.accounts.value);
        let accounts = state.accounts.now(path, read_accounts);
        if !Arc::ptr_eq(&before, &accounts) {
            let hashes: BTreeMap<&String, &String> = before
                .iter()
                .map(|(name, account)| (name, &account.password))
                .collect();
            state.sessions.retain(|name| {
                let now = accounts.get(name).map(|account| &account.password);
                now.is_some() && now == hashes.get(&name.to_owned()).copied()
            });
        }
        accounts
    }

    /// Signs somebody in. Compares a password: not for an async worker.
    pub fn sign_in(
        &self,
        web: &WebSettings,
        name: &str,
        password: &Secret,
        address: IpAddr,
        chance: [u8; 32],
        now: Timestamp,
    ) -> Result<NewToken, Refused> {
        let accounts = {
            let mut state = self.state();
            if let Some(wait) = state.slowing.wait(name, address, now) {
                return Err(Refused::Wait(wait));
            }
            // Counted before it is compared: who asks many times at once has no more tries.
            state.slowing.failed(name, address, now);
            self.accounts(&mut state, web)
        };
        let hash = accounts.get(name).map(|account| &*account.password);
        if !self.passwords.fits(password, hash) {
            return Err(Refused::Wrong);
        }
        let mut state = self.state();
        state.slowing.succeeded(name, address);
        let whose = Whose::Account(name.to_owned());
        Ok(state.sessions.begin(whose, chance, now))
    }

    /// Signs somebody in whom a provider of identities knows.
    pub fn sign_in_by(&self, identity: Identity, chance: [u8; 32], now: Timestamp) -> NewToken {
        let whose = Whose::Identity(identity);
        self.state().sessions.begin(whose, chance, now)
    }

    /// Counts a try to sign in that is not by a password, as if it had failed; an error says how long to wait.
    pub fn tries(&self, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let mut state = self.state();
        if let Some(wait) = state.slowing.wait(NO_NAME, address, now) {
            return Err(wait);
        }
        state.slowing.failed(NO_NAME, address, now);
        Ok(())
    }

    /// Such a try did not fail.
    pub fn succeeded(&self, address: IpAddr) {
        self.state().slowing.succeeded(NO_NAME, address);
    }

    /// Signs somebody out; gives by what they had signed in.
    pub fn sign_out(&self, shown: &str) -> Option<NamedBy> {
        Some(match self.state().sessions.end(shown)? {
            Whose::Account(_) => NamedBy::Account,
            Whose::Identity(_) => NamedBy::Oidc,
        })
    }
}

/// What stands for a name where there is none; no account is called so.
const NO_NAME: &str = "(oidc)";

/// Who that is now, if anybody.
fn signed(whose: &Whose, accounts: &Accounts, web: &WebSettings) -> Option<Signed> {
    match whose {
        Whose::Account(name) => Some(Signed {
            name: name.clone(),
            by: NamedBy::Account,
            tier: accounts.get(name)?.tier,
        }),
        Whose::Identity(identity) => Some(Signed {
            name: identity.name().to_owned(),
            by: NamedBy::Oidc,
            tier: identity.tier(web.oidc.as_ref())?,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::{Account, accounts_text, tokens_text};
    use crate::model::Tier;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn web() -> WebSettings {
        WebSettings {
            listen: "127.0.0.1:0".parse().ok(),
            cert: None,
            key: None,
            hosts: Vec::new(),
            accounts: Some("accounts.yaml".into()),
            tokens: Some("tokens.yaml".into()),
            oidc: None,
            proxy: None,
            hooks: BTreeMap::new(),
        }
    }

    fn write(home: &Path, name: &str, text: &str) {
        let new = home.join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::rename(new, home.join(name)).unwrap();
    }

    struct World {
        home: tempfile::TempDir,
        register: Register,
        accounts: Accounts,
    }

    impl World {
        fn new() -> World {
            let home = tempfile::tempdir().unwrap();
            let register = Register::new(home.path(), Passwords::cheap());
            let mut world = World {
                home,
                register,
                accounts: Accounts::new(),
            };
            world.has("ada", "the first password", Tier::Approve);
            world
        }

        fn has(&mut self, name: &str, password: &str, tier: Tier) {
            let password = Passwords::cheap().hash(&secret(password)).unwrap();
            self.accounts
                .insert(name.to_owned(), Account { tier, password });
            self.keep();
        }

        fn keep(&self) {
            let text = accounts_text(self.accounts.clone());
            write(self.home.path(), "accounts.yaml", &text);
        }

        fn sign_in(&self, name: &str, password: &str, second: i64) -> Result<NewToken, Refused> {
            let here = "192.0.2.1".parse().unwrap();
            let chance = [u8::try_from(second).unwrap(); 32];
            let (web, password) = (web(), secret(password));
            self.register
                .sign_in(&web, name, &password, here, chance, at(second))
        }

        fn tier(&self, session: &NewToken, second: i64) -> Option<Tier> {
            let signed = self
                .register
                .by_session(&web(), session.secret.expose(), at(second));
            signed.map(|signed| signed.tier)
        }
    }

    #[test]
    fn an_account_gets_in_by_its_password_with_the_tier_that_it_has_now() {
        let mut world = World::new();
        let session = world.sign_in("ada", "the first password", 0).unwrap();
        assert_eq!(world.tier(&session, 1), Some(Tier::Approve));
        let password = world.accounts["ada"].password.clone();
        let tier = Tier::Observe;
        world
            .accounts
            .insert("ada".to_owned(), Account { tier, password });
        world.keep();
        assert_eq!(world.tier(&session, 2), Some(Tier::Observe));
        world.register.sign_out(session.secret.expose());
        assert_eq!(world.tier(&session, 3), None);
    }

    #[test]
    fn who_is_taken_out_or_has_another_password_is_out_at_the_next_request() {
        let mut world = World::new();
        world.has("bo", "another password", Tier::Operate);
        let ada = world.sign_in("ada", "the first password", 0).unwrap();
        let bo = world.sign_in("bo", "another password", 1).unwrap();
        world.has("bo", "a third password", Tier::Operate);
        assert_eq!(world.tier(&bo, 2), None);
        assert_eq!(world.tier(&ada, 2), Some(Tier::Approve));
        assert_eq!(
            world.sign_in("bo", "another password", 3).err(),
            Some(Refused::Wrong)
        );
        std::fs::remove_file(world.home.path().join("accounts.yaml")).unwrap();
        assert_eq!(world.tier(&ada, 4), None);
        // Back in the file, they sign in again.
        world.keep();
        assert_eq!(world.tier(&ada, 5), None);
    }

    #[test]
    fn who_fails_five_times_waits_also_with_the_right_password() {
        let world = World::new();
        for second in 0..5 {
            let failed = world.sign_in("ada", "a wrong password", second);
            assert_eq!(failed.err(), Some(Refused::Wrong));
        }
        let waits = world.sign_in("ada", "the first password", 5).err();
        assert_eq!(waits, Some(Refused::Wait(Duration::from_secs(55))));
        assert!(world.sign_in("ada", "the first password", 61).is_ok());
    }

    #[test]
    fn a_token_is_somebody_s_until_it_expires_or_goes_from_its_file() {
        let world = World::new();
        let token = NewToken::new([9; 32]);
        let entry = TokenEntry {
            tier: Tier::Observe,
            token: token.kept.to_string(),
            expires: Some(at(60)),
        };
        let tokens = Tokens::from([("prometheus".to_owned(), entry)]);
        write(world.home.path(), "tokens.yaml", &tokens_text(tokens));
        let by = |second| {
            let shown = token.secret.expose();
            world.register.by_token(&web(), shown, at(second))
        };
        let expected = Signed {
            name: "prometheus".into(),
            by: NamedBy::Token,
            tier: Tier::Observe,
        };
        assert_eq!(by(59), Some(expected));
        assert_eq!(by(60), None);
        write(
            world.home.path(),
            "tokens.yaml",
            &tokens_text(Tokens::new()),
        );
        assert_eq!(by(0), None);
    }

    #[test]
    fn a_file_that_others_can_read_lets_nobody_in_and_one_that_is_closed_again_does() {
        let world = World::new();
        let path = world.home.path().join("accounts.yaml");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = world.sign_in("ada", "the first password", 0).err();
        assert_eq!(refused, Some(Refused::Wrong));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let session = world.sign_in("ada", "the first password", 1).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(world.tier(&session, 2), None);
    }

    #[test]
    fn whoever_signs_in_often_keeps_nobody_at_their_address_waiting() {
        let mut world = World::new();
        world.has("bo", "another password", Tier::Operate);
        for second in 0..40 {
            assert!(world.sign_in("ada", "the first password", second).is_ok());
        }
        assert!(world.sign_in("bo", "another password", 40).is_ok());
    }
}
