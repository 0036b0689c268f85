//! Accounts: who may log in, how they prove it, and how long that holds.
//!
//! Not here: what an account may do (`policy.rs`), cookies and pages (the server). Followed are NIST SP 800-63B and OWASP's
//! cheat sheets on passwords, sessions and blocking brute force; each file says where.

mod account;
mod bounded;
mod passwords;
mod rate;
mod rows;
mod secret;
mod sessions;
#[cfg(test)]
mod tests;
mod throttle;
mod tokens;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};

use crate::ledger::fill_random;
use crate::store::{BoxFuture, Connection};
use crate::{Error, StateStore};
use account::name_key;
pub use account::{Account, AccountId, Change, NewAccount, Role};
use passwords::Passwords;
pub use rate::{RateLimit, RetryAfter};
use rows::{By, Rows, Stored};
pub use secret::Secret;
pub use sessions::{LogIn, NewSession, Origin, Session};
use throttle::{Attempt, Throttle};
pub use tokens::{Token, TokenId};

/// Letters and digits of a set-up code: Crockford's, none of which looks like another.
const CODE_LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many of them, in groups of four; 80 bits.
const CODE_LENGTH: usize = 16;

/// A handle on the accounts; clones share it.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use marquee_platform::{Accounts, LogIn, NewAccount, Origin, Role, Secret, StateStore};
///
/// let folder = tempfile::tempdir()?;
/// let store = StateStore::open(folder.path().join("state.db").to_str().ok_or("odd path")?).await?;
/// let accounts = Accounts::open(store, Secret::open(&folder.path().join("accounts.key"))?)?;
///
/// let now = chrono::Utc::now();
/// let ana = NewAccount { password: Some("four words in a row".into()), ..NewAccount::named("ana", Role::Administrator) };
/// accounts.set_up(accounts.set_up_code(), ana, now).await?;
///
/// let from = Origin { address: "127.0.0.1".parse()?, device: None, agent: "a browser".into() };
/// let LogIn::Done { session, .. } = accounts.log_in("Ana", "four words in a row", &from, now).await? else {
///     return Err("refused".into());
/// };
/// let (session, account) = accounts.session(&session.cookie, now).await?.ok_or("no session")?;
/// assert_eq!(account.name, "ana");
/// assert!(accounts.csrf_holds(&session, &session.csrf));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

struct Inner {
    store: StateStore,
    secret: Secret,
    passwords: Passwords,
    throttle: Mutex<Throttle>,
    set_up_code: String,
}

impl Accounts {
    /// Opens the accounts in this store.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn open(store: StateStore, secret: Secret) -> Result<Self, Error> {
        let throttle = Mutex::new(Throttle::new());
        let set_up_code = fresh_code()?;
        let inner = Inner { store, secret, passwords: Passwords::new(), throttle, set_up_code };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether there is no account yet, so that the first is to be set up.
    ///
    /// # Errors
    /// What the store says.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        let mut connection = self.reader().await?;
        Ok(!self.rows(&mut connection).any_account().await?)
    }

    /// The code with which the first account is made. It is another one each time that Marquee is started, is shown on
    /// the operator's terminal only, and is void as soon as there is an account.
    #[must_use]
    pub fn set_up_code(&self) -> &str {
        &self.inner.set_up_code
    }

    /// Makes the first account, an administrator whatever `new` says, if there is none yet.
    ///
    /// # Errors
    /// [`Error::AlreadySetUp`]; [`Error::WrongSetUpCode`]; as [`Self::create`].
    pub async fn set_up(&self, code: &str, new: NewAccount, now: DateTime<Utc>) -> Result<Account, Error> {
        if !self.is_empty().await? {
            return Err(Error::AlreadySetUp);
        }
        let given = bare_code(code);
        if !self.inner.secret.equal(given.as_bytes(), bare_code(self.set_up_code()).as_bytes()) {
            return Err(Error::WrongSetUpCode);
        }
        if new.password.is_none() {
            let reason = "the first account needs one".to_owned();
            return Err(Error::InvalidField { what: "password", reason });
        }
        self.insert(NewAccount { role: Role::Administrator, ..new }, true, now).await
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`Error::InvalidField`] for a name, a password or another field that is not accepted; [`Error::NameTaken`]; what
    /// the store says; [`Error::Hashing`]; [`Error::NoRandomness`].
    pub async fn create(&self, new: NewAccount, now: DateTime<Utc>) -> Result<Account, Error> {
        self.insert(new, false, now).await
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self) -> Result<Vec<Account>, Error> {
        let mut connection = self.reader().await?;
        self.rows(&mut connection).accounts().await
    }

    /// This account, if there is one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn get(&self, id: &AccountId) -> Result<Option<Account>, Error> {
        Ok(self.stored(By::Id(id)).await?.map(|stored| stored.account))
    }

    /// The account with this log-in name, in any case, if there is one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find(&self, name: &str) -> Result<Option<Account>, Error> {
        Ok(self.stored(By::NameKey(&name_key(name))).await?.map(|stored| stored.account))
    }

    /// The account that is this elsewhere (`issuer|subject`), if there is one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find_external(&self, external: &str) -> Result<Option<Account>, Error> {
        Ok(self.stored(By::External(external)).await?.map(|stored| stored.account))
    }

    /// Changes an account. One that is disabled loses its sessions. (Like every write it is told the time, though nothing of
    /// it is dated yet.)
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::LastAdministrator`] if nobody could administer any more; [`Error::InvalidField`];
    /// what the store says.
    pub async fn update(
        &self,
        id: &AccountId,
        change: Change,
        _now: DateTime<Utc>,
    ) -> Result<Account, Error> {
        let id = id.clone();
        self.write(move |mut rows| {
            Box::pin(async move {
                let before = rows.account(By::Id(&id)).await?.ok_or_else(|| missing(&id))?.account;
                let keeps_all = administers(&before);
                let after = change.applied_to(before)?;
                if keeps_all && !administers(&after) && rows.other_administrators(&id).await? == 0 {
                    return Err(Error::LastAdministrator { name: after.name });
                }
                rows.update_account(&after).await?;
                if after.disabled {
                    rows.end_sessions(&id, None).await?;
                }
                Ok(after)
            })
        })
        .await
    }

    /// Gives an account a new password and ends all of its sessions. `old` is the present one, where its owner changes
    /// it; without it an administrator does.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongPassword`]; [`Error::TryLater`] after too many wrong ones;
    /// [`Error::InvalidField`] for a new one that is not accepted; what the store says; [`Error::Hashing`].
    pub async fn set_password(
        &self,
        id: &AccountId,
        old: Option<&str>,
        new: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.replace_password(id, old, new, None, now).await
    }

    /// Gives the owner of this session a new password and ends all of their other sessions.
    ///
    /// # Errors
    /// As [`Self::set_password`].
    pub async fn change_password(
        &self,
        session: &Session,
        old: &str,
        new: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.replace_password(&session.account, Some(old), new, Some(session.id.clone()), now).await
    }

    async fn replace_password(
        &self,
        id: &AccountId,
        old: Option<&str>,
        new: &str,
        keep: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let stored = self.stored_or_missing(id).await?;
        if let Some(old) = old {
            self.prove(&stored, old, now).await?;
        }
        passwords::check(new, &stored.account.name)?;
        let hash = self.inner.passwords.hash(new).await?;
        let id = id.clone();
        self.write(move |mut rows| {
            Box::pin(async move {
                rows.set_password(&id, &hash).await?;
                rows.end_sessions(&id, keep.as_deref()).await
            })
        })
        .await
    }

    /// Passes if this is the account's password. Whoever sits at a session that another left open may not guess it fast.
    async fn prove(&self, stored: &Stored, password: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let name = stored.account.id.as_str();
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let attempt = Attempt { name, address: nowhere, device: Some("logged in") };
        let begun = self.throttle().begin(&attempt, now);
        begun.map_err(|until| Error::TryLater { until })?;
        if !self.inner.passwords.verify(password, stored.password.as_deref()).await? {
            return Err(Error::WrongPassword);
        }
        self.throttle().succeeded(&attempt);
        Ok(())
    }

    async fn insert(&self, new: NewAccount, only_first: bool, now: DateTime<Utc>) -> Result<Account, Error> {
        let password = new.password.clone();
        let account = new.into_account(now)?;
        let hash = match password {
            None => None,
            Some(password) => {
                passwords::check(&password, &account.name)?;
                Some(self.inner.passwords.hash(&password).await?)
            }
        };
        self.write(move |mut rows| {
            Box::pin(async move {
                if only_first && rows.any_account().await? {
                    return Err(Error::AlreadySetUp);
                }
                let key = name_key(&account.name);
                if rows.insert_account(&account, &key, hash.as_deref()).await? {
                    return Ok(account);
                }
                let by_name = rows.account(By::NameKey(&key)).await?.is_some();
                let elsewhere = account.external.filter(|_| !by_name);
                Err(Error::NameTaken { name: elsewhere.unwrap_or(account.name) })
            })
        })
        .await
    }

    async fn stored(&self, by: By<'_>) -> Result<Option<Stored>, Error> {
        let mut connection = self.reader().await?;
        self.rows(&mut connection).account(by).await
    }

    async fn stored_or_missing(&self, id: &AccountId) -> Result<Stored, Error> {
        self.stored(By::Id(id)).await?.ok_or_else(|| missing(id))
    }

    async fn reader(
        &self,
    ) -> Result<sqlx::pool::PoolConnection<<Connection as sqlx::Connection>::Database>, Error> {
        let store = &self.inner.store;
        store.readers().acquire().await.map_err(|error| store.failed("read the accounts", error))
    }

    fn rows<'a>(&'a self, connection: &'a mut Connection) -> Rows<'a> {
        Rows { store: &self.inner.store, connection }
    }

    /// Runs the work in the next commit.
    async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'r> FnOnce(Rows<'r>) -> BoxFuture<'r, Result<T, Error>> + Send + 'static,
    {
        let store = self.inner.store.clone();
        let writing = self
            .inner
            .store
            .write(move |connection| Box::pin(async move { work(Rows { store: &store, connection }).await }));
        writing.await
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts({:?})", self.inner.store)
    }
}

fn administers(account: &Account) -> bool {
    account.role == Role::Administrator && !account.disabled
}

fn missing(id: &AccountId) -> Error {
    Error::NotFound { kind: "account".to_owned(), id: id.to_string() }
}

fn fresh_code() -> Result<String, Error> {
    let mut bytes = [0; CODE_LENGTH];
    fill_random(&mut bytes)?;
    let letters = bytes.map(|byte| char::from(CODE_LETTERS[usize::from(byte % 32)]));
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// A code as it was typed, without what only makes it readable.
fn bare_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}
