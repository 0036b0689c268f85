//! The office: what a team that works together needs beside the data. Accounts and who may do what, the audit, jobs and
//! their schedules, documents, alerts.
//!
//! Not a use case: those that a team asks for stand on it. It is opened once by whoever serves; a single command at the
//! keyboard needs none.

use std::path::PathBuf;
use std::sync::Arc;

use marquee_platform::{Accounts, Alerts, Audit, Documents, Jobs, Keyring, Ledger, Permit, Policies, Secret};

use crate::error::AppError;
use crate::workspace::Workspace;

/// Where the office's keys and rules lie.
#[derive(Debug, Clone, Default)]
pub struct OfficeSettings {
    /// The file of keys that documents are sealed under; `seal.keys` in the data folder where none is named.
    pub seal_keys: Option<PathBuf>,
    /// These keys themselves, in place of the file.
    pub seal_key_text: Option<String>,
    /// Policies of the operator, in Cedar, beside the built-in ones.
    pub policies: Option<PathBuf>,
    /// Whether webhooks may go to addresses that are not public: where the network behind the server is trusted.
    pub webhooks_to_private: bool,
    /// Where people reach the pages, such as `https://marquee.example`: links in webhooks begin with it.
    pub public_url: Option<String>,
}

/// Accounts, audit, jobs, documents and alerts of one data folder.
#[derive(Debug, Clone)]
pub struct Office {
    /// Who may log in.
    pub accounts: Accounts,
    /// Who may do what.
    pub policies: Arc<Policies>,
    /// Who did what.
    pub audit: Audit,
    /// What runs in the background.
    pub jobs: Jobs,
    /// What people made and keep.
    pub documents: Documents,
    /// Rules, what they found, and who hears of it.
    pub alerts: Alerts,
    /// Whether webhooks may go to addresses that are not public.
    pub webhooks_to_private: bool,
    /// Where people reach the pages.
    pub public_url: Option<String>,
}

impl Office {
    /// Opens the office of a data folder; its keys are made at first use.
    ///
    /// # Errors
    /// A store, a key or a policy file that cannot be read.
    pub async fn open(workspace: &Workspace, settings: &OfficeSettings) -> Result<Self, AppError> {
        let owner = Permit::local_owner();
        let folder = workspace.folder();
        let ledger: Ledger = workspace.ledger(&owner).await?;
        let store = workspace.store(&owner).await?;
        let policies = match &settings.policies {
            None => Policies::built_in()?,
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| AppError::File {
                    path: path.clone(),
                    doing: "reading",
                    source,
                })?;
                Policies::with(&text)?
            }
        };
        let keys = settings.seal_keys.clone().unwrap_or_else(|| folder.join("seal.keys"));
        let keys = Keyring::load(settings.seal_key_text.as_deref(), &keys)?;
        Ok(Self {
            accounts: Accounts::open(store.clone(), Secret::open(&folder.join("accounts.key"))?)?,
            policies: Arc::new(policies),
            audit: Audit::over(ledger),
            jobs: Jobs::open(store.clone()),
            documents: Documents::open(store.clone(), keys.clone()),
            alerts: Alerts::open(store, keys),
            webhooks_to_private: settings.webhooks_to_private,
            public_url: settings.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        })
    }
}
