//! The accounts' SQL: rows as they lie in the tables, and back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::{Account, AccountId, Role, Session, Token, TokenId};
use crate::store::Connection;
use crate::{Action, Error, StateStore};

type Row = <<Connection as sqlx::Connection>::Database as sqlx::Database>::Row;

macro_rules! account_columns {
    () => {
        "a.id, a.name, a.display, a.role, a.team, a.clearances, a.disabled, a.created_at, a.external, a.password"
    };
}

macro_rules! session_columns {
    () => {
        "s.id, s.account, s.created_at, s.seen_at, s.address, s.agent"
    };
}

macro_rules! token_columns {
    () => {
        "t.id, t.account, t.label, t.scopes, t.created_at, t.expires_at, t.used_at, t.revoked_at"
    };
}

const SESSION_COLUMNS: usize = 6;
const TOKEN_COLUMNS: usize = 8;

/// An account and the hash of its password.
pub(crate) struct Stored {
    pub(crate) account: Account,
    pub(crate) password: Option<String>,
}

/// A connection, and the store that says what went wrong on it.
pub(crate) struct Rows<'a> {
    pub(crate) store: &'a StateStore,
    pub(crate) connection: &'a mut Connection,
}

/// Which account.
pub(crate) enum By<'a> {
    Id(&'a AccountId),
    NameKey(&'a str),
    External(&'a str),
}

impl Rows<'_> {
    pub(crate) async fn any_account(&mut self) -> Result<bool, Error> {
        let found = sqlx::query("SELECT id FROM account LIMIT 1").fetch_optional(&mut *self.connection).await;
        found.map(|row| row.is_some()).map_err(|error| self.failed("look for accounts", error))
    }

    pub(crate) async fn account(&mut self, by: By<'_>) -> Result<Option<Stored>, Error> {
        let (sql, key) = match by {
            By::Id(id) => {
                (concat!("SELECT ", account_columns!(), " FROM account a WHERE a.id = $1"), id.as_str())
            }
            By::NameKey(key) => {
                (concat!("SELECT ", account_columns!(), " FROM account a WHERE a.name_key = $1"), key)
            }
            By::External(external) => {
                (concat!("SELECT ", account_columns!(), " FROM account a WHERE a.external = $1"), external)
            }
        };
        let row = sqlx::query(sql).bind(key).fetch_optional(&mut *self.connection).await;
        let row = row.map_err(|error| self.failed("read an account", error))?;
        row.map(|row| self.stored(&row, 0)).transpose()
    }

    pub(crate) async fn accounts(&mut self) -> Result<Vec<Account>, Error> {
        let sql = concat!("SELECT ", account_columns!(), " FROM account a ORDER BY a.name_key");
        let rows = sqlx::query(sql).fetch_all(&mut *self.connection).await;
        let rows = rows.map_err(|error| self.failed("list the accounts", error))?;
        rows.iter().map(|row| self.stored(row, 0).map(|stored| stored.account)).collect()
    }

    /// False if its name or its log-in elsewhere is taken.
    pub(crate) async fn insert_account(
        &mut self,
        account: &Account,
        name_key: &str,
        password: Option<&str>,
    ) -> Result<bool, Error> {
        let insert = sqlx::query(
            "INSERT INTO account (id, name, name_key, display, role, team, clearances, disabled, created_at, external, \
             password) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
        );
        let insert = insert.bind(account.id.as_str()).bind(&*account.name).bind(name_key);
        let insert = insert.bind(&*account.display).bind(account.role.as_str()).bind(&*account.team);
        let insert = insert.bind(written(&account.clearances)?).bind(i64::from(account.disabled));
        let insert = insert.bind(account.created_at.timestamp_micros());
        let insert = insert.bind(account.external.as_deref()).bind(password);
        let done = insert.execute(&mut *self.connection).await;
        done.map(|done| done.rows_affected() > 0).map_err(|error| self.failed("make an account", error))
    }

    pub(crate) async fn update_account(&mut self, account: &Account) -> Result<(), Error> {
        let update = sqlx::query(
            "UPDATE account SET display = $1, role = $2, team = $3, clearances = $4, disabled = $5 WHERE id = $6",
        );
        let update = update.bind(&*account.display).bind(account.role.as_str()).bind(&*account.team);
        let update = update.bind(written(&account.clearances)?).bind(i64::from(account.disabled));
        let done = update.bind(account.id.as_str()).execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed("change an account", error))
    }

    pub(crate) async fn set_password(&mut self, id: &AccountId, password: &str) -> Result<bool, Error> {
        let update = sqlx::query("UPDATE account SET password = $1 WHERE id = $2");
        let done = update.bind(password).bind(id.as_str()).execute(&mut *self.connection).await;
        done.map(|done| done.rows_affected() > 0).map_err(|error| self.failed("store a password", error))
    }

    /// Enabled administrators other than this account.
    pub(crate) async fn other_administrators(&mut self, id: &AccountId) -> Result<i64, Error> {
        let count = sqlx::query("SELECT count(*) FROM account WHERE role = $1 AND disabled = 0 AND id <> $2");
        let count = count.bind(Role::Administrator.as_str()).bind(id.as_str());
        let count = count.fetch_one(&mut *self.connection).await.and_then(|row| row.try_get(0));
        count.map_err(|error| self.failed("count the administrators", error))
    }

    pub(crate) async fn insert_session(
        &mut self,
        session: &Session,
        secret_hash: &[u8],
    ) -> Result<(), Error> {
        let insert = sqlx::query(
            "INSERT INTO account_session (id, account, secret_hash, created_at, seen_at, address, agent) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        let insert = insert.bind(&*session.id).bind(session.account.as_str()).bind(secret_hash.to_vec());
        let insert =
            insert.bind(session.created_at.timestamp_micros()).bind(session.seen_at.timestamp_micros());
        let done = insert.bind(&*session.address).bind(&*session.agent).execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed("begin a session", error))
    }

    pub(crate) async fn session(&mut self, secret_hash: &[u8]) -> Result<Option<(Session, Account)>, Error> {
        let sql = concat!(
            "SELECT ",
            session_columns!(),
            ", ",
            account_columns!(),
            " FROM account_session s JOIN account a ON a.id = s.account WHERE s.secret_hash = $1"
        );
        let row = sqlx::query(sql).bind(secret_hash.to_vec()).fetch_optional(&mut *self.connection).await;
        let row = row.map_err(|error| self.failed("read a session", error))?;
        let read = |row: Row| Ok((self.read_session(&row)?, self.stored(&row, SESSION_COLUMNS)?.account));
        row.map(read).transpose()
    }

    pub(crate) async fn sessions(&mut self, account: &AccountId) -> Result<Vec<Session>, Error> {
        let sql = concat!(
            "SELECT ",
            session_columns!(),
            " FROM account_session s WHERE s.account = $1 ORDER BY s.seen_at DESC, s.id"
        );
        let rows = sqlx::query(sql).bind(account.as_str()).fetch_all(&mut *self.connection).await;
        let rows = rows.map_err(|error| self.failed("list sessions", error))?;
        rows.iter().map(|row| self.read_session(row)).collect()
    }

    pub(crate) async fn touch_session(&mut self, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let update = sqlx::query("UPDATE account_session SET seen_at = $1 WHERE id = $2 AND seen_at < $3");
        let now = now.timestamp_micros();
        let done = update.bind(now).bind(id).bind(now).execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed("keep a session", error))
    }

    pub(crate) async fn end_session_of(&mut self, secret_hash: &[u8]) -> Result<(), Error> {
        let delete = sqlx::query("DELETE FROM account_session WHERE secret_hash = $1");
        let done = delete.bind(secret_hash.to_vec()).execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed("end a session", error))
    }

    /// False if the account has no such session.
    pub(crate) async fn end_session(&mut self, account: &AccountId, id: &str) -> Result<bool, Error> {
        let delete = sqlx::query("DELETE FROM account_session WHERE account = $1 AND id = $2");
        let done = delete.bind(account.as_str()).bind(id).execute(&mut *self.connection).await;
        done.map(|done| done.rows_affected() > 0).map_err(|error| self.failed("end a session", error))
    }

    /// Ends the sessions of an account, but for one, if given.
    pub(crate) async fn end_sessions(
        &mut self,
        account: &AccountId,
        keep: Option<&str>,
    ) -> Result<(), Error> {
        let delete = sqlx::query("DELETE FROM account_session WHERE account = $1 AND id <> $2");
        // No session has an empty name.
        let delete = delete.bind(account.as_str()).bind(keep.unwrap_or_default());
        let done = delete.execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed("end sessions", error))
    }

    /// Forgets sessions, of all accounts, that were last seen or begun at these times or before.
    pub(crate) async fn forget_sessions(
        &mut self,
        seen: DateTime<Utc>,
        begun: DateTime<Utc>,
    ) -> Result<(), Error> {
        let delete = sqlx::query("DELETE FROM account_session WHERE seen_at <= $1 OR created_at <= $2");
        let delete = delete.bind(seen.timestamp_micros()).bind(begun.timestamp_micros());
        let done = delete.execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed("forget old sessions", error))
    }

    pub(crate) async fn insert_token(&mut self, token: &Token, secret_hash: &[u8]) -> Result<(), Error> {
        let insert = sqlx::query(
            "INSERT INTO account_token (id, account, label, scopes, secret_hash, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        let insert = insert.bind(token.id.as_str()).bind(token.account.as_str()).bind(&*token.label);
        let insert = insert.bind(scopes.join(" ")).bind(secret_hash.to_vec());
        let insert = insert.bind(token.created_at.timestamp_micros());
        let insert = insert.bind(token.expires_at.map(|at| at.timestamp_micros()));
        let done = insert.execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed("issue a token", error))
    }

    /// The token with the hash of its secret.
    pub(crate) async fn token(&mut self, id: &TokenId) -> Result<Option<(Token, Account, Vec<u8>)>, Error> {
        let sql = concat!(
            "SELECT ",
            token_columns!(),
            ", ",
            account_columns!(),
            ", t.secret_hash FROM account_token t JOIN account a ON a.id = t.account WHERE t.id = $1"
        );
        let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(&mut *self.connection).await;
        let row = row.map_err(|error| self.failed("read a token", error))?;
        let Some(row) = row else { return Ok(None) };
        let hash = row.try_get(TOKEN_COLUMNS + 10).map_err(|error| self.failed("read a token", error))?;
        Ok(Some((self.read_token(&row)?, self.stored(&row, TOKEN_COLUMNS)?.account, hash)))
    }

    pub(crate) async fn tokens(&mut self, account: &AccountId) -> Result<Vec<Token>, Error> {
        let sql = concat!(
            "SELECT ",
            token_columns!(),
            " FROM account_token t WHERE t.account = $1 ORDER BY t.created_at DESC, t.id"
        );
        let rows = sqlx::query(sql).bind(account.as_str()).fetch_all(&mut *self.connection).await;
        let rows = rows.map_err(|error| self.failed("list tokens", error))?;
        rows.iter().map(|row| self.read_token(row)).collect()
    }

    pub(crate) async fn touch_token(&mut self, id: &TokenId, now: DateTime<Utc>) -> Result<(), Error> {
        let update = sqlx::query("UPDATE account_token SET used_at = $1 WHERE id = $2");
        let done = update.bind(now.timestamp_micros()).bind(id.as_str()).execute(&mut *self.connection).await;
        done.map(|_| ()).map_err(|error| self.failed("note the use of a token", error))
    }

    /// False if the account has no such token. One that was revoked before keeps its time.
    pub(crate) async fn revoke_token(
        &mut self,
        account: &AccountId,
        id: &TokenId,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let update = sqlx::query(
            "UPDATE account_token SET revoked_at = coalesce(revoked_at, $1) WHERE account = $2 AND id = $3",
        );
        let update = update.bind(now.timestamp_micros()).bind(account.as_str()).bind(id.as_str());
        let done = update.execute(&mut *self.connection).await;
        done.map(|done| done.rows_affected() > 0).map_err(|error| self.failed("revoke a token", error))
    }

    fn stored(&self, row: &Row, from: usize) -> Result<Stored, Error> {
        let fail = |error| self.failed("read an account", error);
        let text = |index: usize| row.try_get::<String, _>(from + index).map_err(fail);
        let id = text(0)?;
        let role: Role = text(3)?.parse().map_err(|error| broken("account", &id, &error))?;
        let clearances = serde_json::from_str(&text(5)?).map_err(|error| broken("account", &id, &error))?;
        let account = Account {
            name: text(1)?,
            display: text(2)?,
            role,
            team: text(4)?,
            clearances,
            disabled: row.try_get::<i64, _>(from + 6).map_err(fail)? != 0,
            created_at: time("account", &id, row.try_get(from + 7).map_err(fail)?)?,
            external: row.try_get(from + 8).map_err(fail)?,
            id: id.parse()?,
        };
        Ok(Stored { account, password: row.try_get(from + 9).map_err(fail)? })
    }

    /// Without its CSRF token, which is not stored.
    fn read_session(&self, row: &Row) -> Result<Session, Error> {
        let fail = |error| self.failed("read a session", error);
        let text = |index: usize| row.try_get::<String, _>(index).map_err(fail);
        let id = text(0)?;
        Ok(Session {
            account: text(1)?.parse()?,
            created_at: time("session", &id, row.try_get(2).map_err(fail)?)?,
            seen_at: time("session", &id, row.try_get(3).map_err(fail)?)?,
            address: text(4)?,
            agent: text(5)?,
            csrf: String::new(),
            id,
        })
    }

    fn read_token(&self, row: &Row) -> Result<Token, Error> {
        let fail = |error| self.failed("read a token", error);
        let text = |index: usize| row.try_get::<String, _>(index).map_err(fail);
        let id = text(0)?;
        let maybe = |index: usize| {
            let micros: Option<i64> = row.try_get(index).map_err(fail)?;
            micros.map(|micros| time("token", &id, micros)).transpose()
        };
        let scopes = text(3)?;
        let scopes = scopes.split_whitespace().map(str::parse).collect::<Result<BTreeSet<Action>, _>>();
        Ok(Token {
            account: text(1)?.parse()?,
            label: text(2)?,
            scopes: scopes.map_err(|error| broken("token", &id, &error))?,
            created_at: time("token", &id, row.try_get(4).map_err(fail)?)?,
            expires_at: maybe(5)?,
            used_at: maybe(6)?,
            revoked_at: maybe(7)?,
            id: id.parse()?,
        })
    }

    fn failed(&self, doing: &'static str, source: sqlx::Error) -> Error {
        self.store.failed(doing, source)
    }
}

fn written(clearances: &BTreeSet<String>) -> Result<String, Error> {
    serde_json::to_string(clearances).map_err(|error| Error::InvalidPayload { reason: error.to_string() })
}

fn time(what: &'static str, id: &str, micros: i64) -> Result<DateTime<Utc>, Error> {
    let refuse = || Error::InvalidRow { what, id: id.to_owned(), reason: format!("the time {micros}") };
    DateTime::from_timestamp_micros(micros).ok_or_else(refuse)
}

fn broken(what: &'static str, id: &str, error: &dyn std::fmt::Display) -> Error {
    Error::InvalidRow { what, id: id.to_owned(), reason: format!("what cannot be read ({error})") }
}
