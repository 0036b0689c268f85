//! Logging in and staying logged in. The cookies themselves are the server's; here are their values.
//!
//! A session ends twelve hours after it was last used, and fourteen days after it began. Use is noted every five minutes at
//! most, so that the former may come that much early.

use std::fmt;
use std::net::IpAddr;
use std::sync::{MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::account::{fresh_id, name_key};
use super::rows::{By, Rows, Stored};
use super::throttle::{Attempt, Throttle};
use super::{Account, AccountId, Accounts, passwords, secret};
use crate::Error;
use crate::ledger::fill_random;

const IDLE: TimeDelta = TimeDelta::hours(12);
const WHOLE: TimeDelta = TimeDelta::days(14);
const TOUCH: TimeDelta = TimeDelta::minutes(5);
/// Characters that are kept of what a browser calls itself.
const AGENT: usize = 200;
/// Bytes of a name that is tried; no account has a longer one.
const NAME: usize = 256;

const CSRF_LABEL: &[u8] = b"marquee csrf 1";
const DEVICE_LABEL: &[u8] = b"marquee device 1";
/// A device's value: the account's number and the device's, 16 bytes each, and their MAC.
const DEVICE_BYTES: usize = 64;

/// Where an attempt to log in comes from.
///
/// ```
/// use marquee_platform::Origin;
///
/// let here = Origin { address: "127.0.0.1".parse()?, device: None, agent: "curl/8".into() };
/// assert!(here.address.is_loopback());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The address of whoever asks; behind a proxy, the one that the proxy vouches for.
    pub address: IpAddr,
    /// The value that an earlier log-in gave to the device.
    pub device: Option<&'a str>,
    /// What the browser calls itself.
    pub agent: String,
}

/// What came of an attempt to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogIn {
    /// It succeeded.
    Done {
        /// The session that began.
        session: NewSession,
        /// The value that the device is to show next time, in a cookie that lives long.
        device: String,
    },
    /// Name and password do not belong together, or the account is shut out; which of these is not told.
    Refused,
    /// There were too many attempts; this one was not looked at.
    Wait {
        /// From when on another may be made.
        until: DateTime<Utc>,
    },
}

/// A session that just began. What is secret about it is not stored and cannot be asked for again.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Which one, to be shown in lists.
    pub id: String,
    /// Whose.
    pub account: AccountId,
    /// The value of its cookie.
    pub cookie: String,
    /// What its forms must carry.
    pub csrf: String,
}

/// A session that lasts.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Which one, to be shown in lists. It opens nothing.
    pub id: String,
    /// Whose.
    pub account: AccountId,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to five minutes.
    pub seen_at: DateTime<Utc>,
    /// The address it began from.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
    /// What its forms must carry.
    pub csrf: String,
}

impl Accounts {
    /// Logs in with a name and a password. Wrong ones take as long as right ones.
    ///
    /// # Errors
    /// What the store says; [`Error::Hashing`]; [`Error::NoRandomness`]. A refusal is an outcome.
    pub async fn log_in(
        &self,
        name: &str,
        password: &str,
        from: &Origin<'_>,
        now: DateTime<Utc>,
    ) -> Result<LogIn, Error> {
        // Names that no account can have count as one, so that long ones do not fill the memory.
        let key = Some(name.trim()).filter(|name| name.len() <= NAME).map(name_key).unwrap_or_default();
        let stored = self.stored(By::NameKey(&key)).await?;
        let id = stored.as_ref().map(|stored| &stored.account.id);
        let device =
            from.device.filter(|value| self.device_of(value).as_ref().is_some_and(|of| Some(of) == id));
        let attempt = Attempt { name: &key, address: from.address, device };
        if let Err(until) = self.throttle().begin(&attempt, now) {
            return Ok(LogIn::Wait { until });
        }
        let hash = stored.as_ref().and_then(|stored| stored.password.as_deref());
        let holds = self.inner.passwords.verify(password, hash).await?;
        match stored {
            Some(Stored { account, password: hash }) if holds && !account.disabled => {
                self.throttle().succeeded(&attempt);
                let outdated = hash.is_some_and(|hash| passwords::is_outdated(&hash));
                let renewed = if outdated { Some(self.inner.passwords.hash(password).await?) } else { None };
                self.begin(&account, renewed, from, now).await
            }
            _ => Ok(LogIn::Refused),
        }
    }

    /// Begins a session for an account that proved itself elsewhere, at an identity provider or by the set-up code.
    /// Gives [`LogIn::Refused`] for one that is shut out.
    ///
    /// # Errors
    /// [`Error::NotFound`]; what the store says; [`Error::NoRandomness`].
    pub async fn begin_session(
        &self,
        id: &AccountId,
        from: &Origin<'_>,
        now: DateTime<Utc>,
    ) -> Result<LogIn, Error> {
        let account = self.stored_or_missing(id).await?.account;
        if account.disabled {
            return Ok(LogIn::Refused);
        }
        self.begin(&account, None, from, now).await
    }

    /// The session of this cookie with its account, if it lasts and the account is not shut out.
    ///
    /// # Errors
    /// What the store says.
    pub async fn session(
        &self,
        cookie: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(Session, Account)>, Error> {
        let hash = secret::hash(cookie);
        let mut connection = self.reader().await?;
        let found = self.rows(&mut connection).session(&hash).await?;
        drop(connection);
        let lasts = |(session, account): &(Session, Account)| !account.disabled && now < session.expires_at();
        let Some((mut session, account)) = found.filter(lasts) else {
            return Ok(None);
        };
        if now.signed_duration_since(session.seen_at) >= TOUCH {
            let id = session.id.clone();
            self.write(move |mut rows| Box::pin(async move { rows.touch_session(&id, now).await })).await?;
            session.seen_at = now;
        }
        session.csrf = self.csrf(&session.id);
        Ok(Some((session, account)))
    }

    /// Whether a form of this session carried the right token; takes the same time wherever they differ.
    #[must_use]
    pub fn csrf_holds(&self, session: &Session, text: &str) -> bool {
        let mac = secret::decode(text);
        mac.is_some_and(|mac| self.inner.secret.holds(CSRF_LABEL, &[session.id.as_bytes()], &mac))
    }

    /// Ends the session of this cookie, if there is one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn log_out(&self, cookie: &str) -> Result<(), Error> {
        let hash = secret::hash(cookie);
        self.write(move |mut rows| Box::pin(async move { rows.end_session_of(&hash).await })).await
    }

    /// The sessions of an account, those used last first. [`Session::expires_at`] tells which of them are over.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sessions(&self, account: &AccountId) -> Result<Vec<Session>, Error> {
        let mut connection = self.reader().await?;
        let mut sessions = self.rows(&mut connection).sessions(account).await?;
        for session in &mut sessions {
            session.csrf = self.csrf(&session.id);
        }
        Ok(sessions)
    }

    /// Ends one session of an account.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the account has no such session; what the store says.
    pub async fn end_session(&self, account: &AccountId, id: &str) -> Result<(), Error> {
        let (account, wanted) = (account.clone(), id.to_owned());
        let ended = self
            .write(move |mut rows| Box::pin(async move { rows.end_session(&account, &wanted).await }))
            .await?;
        if ended { Ok(()) } else { Err(Error::NotFound { kind: "session".to_owned(), id: id.to_owned() }) }
    }

    pub(super) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        // Counters are in order between any two statements, also where a thread died.
        self.inner.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn begin(
        &self,
        account: &Account,
        renewed: Option<String>,
        from: &Origin<'_>,
        now: DateTime<Utc>,
    ) -> Result<LogIn, Error> {
        let cookie = secret::fresh_text()?;
        let id = fresh_id()?;
        let known = from.device.filter(|value| self.device_of(value).as_ref() == Some(&account.id));
        let device = known.map_or_else(|| self.new_device(&account.id), |value| Ok(value.to_owned()))?;
        let agent = from.agent.chars().filter(|c| !c.is_control()).take(AGENT).collect();
        let csrf = self.csrf(&id);
        let session = Session {
            id: id.clone(),
            account: account.id.clone(),
            created_at: now,
            seen_at: now,
            address: from.address.to_canonical().to_string(),
            agent,
            csrf: csrf.clone(),
        };
        let hash = secret::hash(&cookie);
        self.write(move |mut rows: Rows<'_>| {
            Box::pin(async move {
                if let Some(renewed) = renewed {
                    rows.set_password(&session.account, &renewed).await?;
                }
                let before = |time| now.checked_sub_signed(time).unwrap_or(DateTime::<Utc>::MIN_UTC);
                rows.forget_sessions(before(IDLE), before(WHOLE)).await?;
                rows.insert_session(&session, &hash).await
            })
        })
        .await?;
        let session = NewSession { id, account: account.id.clone(), cookie, csrf };
        Ok(LogIn::Done { session, device })
    }

    fn csrf(&self, session: &str) -> String {
        secret::encode(&self.inner.secret.mac(CSRF_LABEL, &[session.as_bytes()]))
    }

    fn new_device(&self, account: &AccountId) -> Result<String, Error> {
        let mut number = [0; 16];
        fill_random(&mut number)?;
        let account = u128::from_str_radix(account.as_str(), 16).unwrap_or_default().to_be_bytes();
        let mac = self.inner.secret.mac(DEVICE_LABEL, &[&account, &number]);
        Ok(secret::encode(&[&account[..], &number, &mac].concat()))
    }

    /// The account that has logged in on the device of this value, if the value is ours.
    fn device_of(&self, value: &str) -> Option<AccountId> {
        let bytes = secret::decode(value).filter(|bytes| bytes.len() == DEVICE_BYTES)?;
        let (account, number, mac) = (&bytes[..16], &bytes[16..32], &bytes[32..]);
        let ours = self.inner.secret.holds(DEVICE_LABEL, &[account, number], mac);
        let account: [u8; 16] = account.try_into().ok()?;
        ours.then(|| format!("{:032x}", u128::from_be_bytes(account)).parse().ok()).flatten()
    }
}

impl Session {
    /// When it ends if it is not used before.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        let latest = DateTime::<Utc>::MAX_UTC;
        let after = |from: DateTime<Utc>, time| from.checked_add_signed(time).unwrap_or(latest);
        after(self.seen_at, IDLE).min(after(self.created_at, WHOLE))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({} of {})", self.id, self.account)
    }
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSession({} of {})", self.id, self.account)
    }
}
