//! A data folder and the ports that lie in it: the lake, the ledger, the models.
//!
//! ```text
//! DATA/lake/       facts, issues and manifests         DATA/state.db    the ledger's rows
//! DATA/models/     fitted models                       DATA/ledger.key  the key of its chain
//! DATA/sources/    lakes of folders given by --source  DATA/heads.log   its heads, kept apart
//! DATA/demo/       the demo's own data folder
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use marquee_catalogue::{FactFilter, Lake, Snapshot};
use marquee_domain::{Fact, FactKind, FactValue, TitleId, Vertical};
use marquee_platform::{Action, Ledger, LedgerFiles, Permit, StateStore};
use sha2::{Digest, Sha256};

use crate::error::AppError;
use crate::knowledge::{Knowledge, Reach};
use crate::models::ModelStore;

/// A data folder. Each port is opened when it is first asked for, and every fetch asks for a [`Permit`].
#[derive(Debug, Clone)]
pub struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    /// The workspace in a folder; nothing is read or made yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The lake, made where it is missing.
    ///
    /// # Errors
    /// Where the folder cannot be opened.
    pub async fn lake(&self, permit: &Permit) -> Result<Lake, AppError> {
        permit.require(Action::Read)?;
        let folder = self.folder.join("lake");
        Ok(Lake::open(&folder.to_string_lossy()).await?)
    }

    /// The newest version of the lake.
    ///
    /// # Errors
    /// [`AppError::Empty`] before the first ingest.
    pub async fn snapshot(&self, permit: &Permit) -> Result<Snapshot, AppError> {
        let snapshot = self.lake(permit).await?.snapshot().await?;
        if snapshot.sources().is_empty() {
            return Err(AppError::Empty(self.folder.clone()));
        }
        Ok(snapshot)
    }

    /// What forecasting reads of a version of the lake.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn knowledge(
        &self,
        snapshot: &Snapshot,
        reach: Reach,
        permit: &Permit,
    ) -> Result<Knowledge, AppError> {
        permit.require(Action::Read)?;
        let filter = FactFilter { kinds: reach.kinds(), ..FactFilter::default() };
        let stated = snapshot.all_facts(&filter).await?;
        let main =
            stated.into_iter().filter(|s| s.fact.kind != FactKind::SourceId || names(&s.fact, s.member));
        Ok(Knowledge { facts: Arc::new(main.map(|s| s.fact).collect()), fingerprint: snapshot.fingerprint() })
    }

    /// The models.
    #[must_use]
    pub fn models(&self) -> ModelStore {
        ModelStore::at(self.folder.join("models"))
    }

    /// The ledger, made where it is missing.
    ///
    /// # Errors
    /// Where the store or its key cannot be opened.
    pub async fn ledger(&self, permit: &Permit) -> Result<Ledger, AppError> {
        permit.require(Action::Read)?;
        let folder = &self.folder;
        std::fs::create_dir_all(folder).map_err(|source| AppError::File {
            path: folder.clone(),
            doing: "making the folder",
            source,
        })?;
        let store = self.store(permit).await?;
        Ok(Ledger::open(store, &LedgerFiles::beside(folder)).await?)
    }

    /// The state store under the ledger.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub async fn store(&self, permit: &Permit) -> Result<StateStore, AppError> {
        permit.require(Action::Read)?;
        Ok(StateStore::open(&self.folder.join("state.db").to_string_lossy()).await?)
    }

    /// Whether a ledger was ever begun here.
    #[must_use]
    pub fn has_ledger(&self) -> bool {
        ["state.db", "heads.log", "ledger.key"].iter().any(|name| self.folder.join(name).exists())
    }

    /// The workspace for the tables of a folder that is given by `--source`: kept, so that a second run finds them.
    #[must_use]
    pub fn of_source(&self, source: &Path) -> Self {
        let whole = source.canonicalize().unwrap_or_else(|_| source.to_owned());
        let digest = Sha256::digest(whole.to_string_lossy().as_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self::at(self.folder.join("sources").join(name))
    }

    /// The demo's own workspace, apart from what the user keeps.
    #[must_use]
    pub fn demo(&self) -> Self {
        Self::at(self.folder.join("demo"))
    }
}

/// Whether a stated source id is the one that the stating table knows the title by.
fn names(fact: &Fact, member: TitleId) -> bool {
    let FactValue::Text(text) = &fact.value else { return false };
    let of =
        |vertical| text.split_once(':').is_some_and(|(space, id)| TitleId::of(vertical, space, id) == member);
    Vertical::ALL.into_iter().any(of)
}
