//! Accounts, sessions and tokens.

use marquee_app::platform::{Account, Session, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A log-in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "ana", "password": "four words in a row" }))]
pub struct LogInBody {
    /// The account's name.
    pub name: String,
    /// Its password.
    pub password: String,
}

/// The first account, an administrator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "code": "K7QM-2XRT-9WHN", "name": "ana", "password": "four words in a row" }))]
pub struct SetUpBody {
    /// The code that the server printed on its terminal.
    pub code: String,
    /// The name to log in with.
    pub name: String,
    /// The name that others see; the log-in name where it is left out.
    #[serde(default)]
    pub display: String,
    /// The team.
    #[serde(default)]
    pub team: String,
    /// The password, 12 characters or more.
    pub password: String,
}

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "ben", "role": "analyst", "team": "acquisitions", "password": "another four words here" }))]
pub struct NewAccountBody {
    /// The name to log in with.
    pub name: String,
    /// The name that others see; the log-in name where it is left out.
    #[serde(default)]
    pub display: String,
    /// viewer, analyst, investor, producer, programmer or administrator.
    pub role: String,
    /// The team.
    #[serde(default)]
    pub team: String,
    /// Non-disclosure agreements that the account's holder signed.
    #[serde(default)]
    pub clearances: Vec<String>,
    /// The password, 12 characters or more; none for who logs in elsewhere.
    pub password: Option<String>,
}

/// What is to be changed about an account; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "role": "investor" }))]
pub struct AccountChangeBody {
    /// The name that others see.
    pub display: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// All clearances, in the place of those that there were.
    pub clearances: Option<Vec<String>>,
    /// Whether the account is shut out.
    pub disabled: Option<bool>,
}

/// A change of one's own password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// The present one.
    pub old: String,
    /// The new one, 12 characters or more.
    pub new: String,
}

/// A token to be issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "label": "nightly report", "scopes": ["read"], "days": 90 }))]
pub struct NewTokenBody {
    /// What it is for.
    pub label: String,
    /// The actions that it may be used for: read, record, ingest, train, plan, programme, audit, administer. Never more than
    /// its account may.
    pub scopes: Vec<String>,
    /// Days until it ends; without an end where it is left out.
    #[schema(minimum = 1, maximum = 3650)]
    pub days: Option<u32>,
}

/// An account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// The name to log in with.
    pub name: String,
    /// The name that others see.
    pub display: String,
    /// Its role.
    pub role: String,
    /// Its team.
    pub team: String,
    /// Its non-disclosure agreements.
    pub clearances: Vec<String>,
    /// Whether it is shut out.
    pub disabled: bool,
    /// When it was made, RFC 3339.
    pub created_at: String,
}

/// A session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id, which opens nothing.
    pub id: String,
    /// When it began, RFC 3339.
    pub created_at: String,
    /// When it was last used, to five minutes.
    pub seen_at: String,
    /// When it ends.
    pub expires_at: String,
    /// From where it began.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
}

/// A token.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenView {
    /// Its id, which opens nothing.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it was issued, RFC 3339.
    pub created_at: String,
    /// When it ends.
    pub expires_at: Option<String>,
    /// When it was last used.
    pub used_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
}

/// A token that was just issued.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssuedToken {
    /// The token.
    pub token: TokenView,
    /// What to send as `Authorization: Bearer …`. Shown this once; nobody can read it again.
    pub secret: String,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name.clone(),
            display: account.display.clone(),
            role: account.role.to_string(),
            team: account.team.clone(),
            clearances: account.clearances.iter().cloned().collect(),
            disabled: account.disabled,
            created_at: account.created_at.to_rfc3339(),
        }
    }
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.clone(),
            created_at: session.created_at.to_rfc3339(),
            seen_at: session.seen_at.to_rfc3339(),
            expires_at: session.expires_at().to_rfc3339(),
            address: session.address.clone(),
            agent: session.agent.clone(),
        }
    }
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339();
        Self {
            id: token.id.to_string(),
            label: token.label.clone(),
            scopes: token.scopes.iter().map(ToString::to_string).collect(),
            created_at: time(token.created_at),
            expires_at: token.expires_at.map(time),
            used_at: token.used_at.map(time),
            revoked_at: token.revoked_at.map(time),
        }
    }
}
