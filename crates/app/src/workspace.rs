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

use marquee_catalogue::{FactFilter, IngestEntry, Lake, Snapshot};
use marquee_domain::{Fact, FactKind, FactValue, Held, TitleId, Vertical};
use marquee_platform::{Action, Holding, Ledger, LedgerFiles, Permit, StateStore};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::error::AppError;
use crate::forecasting::Forecaster;
use crate::hex::hex;
use crate::knowledge::{Knowledge, Reach};
use crate::models::ModelStore;
use crate::recent::Recent;

/// Views of the lake that are kept open: one for each set of sources that somebody may see.
const VIEWS: usize = 8;

/// A data folder. Each port is opened when it is first asked for and stays open for all clones; every fetch asks for a
/// [`Permit`], and what a permit does not see is not there: titles, facts, comps, SQL and models are of the visible part of
/// the lake alone.
#[derive(Debug, Clone)]
pub struct Workspace {
    folder: PathBuf,
    state: Option<String>,
    open: Arc<Open>,
}

/// What is open.
#[derive(Debug)]
struct Open {
    lake: OnceCell<Lake>,
    store: OnceCell<StateStore>,
    ledger: OnceCell<Ledger>,
    /// The newest version, whole.
    newest: Recent<(), (u64, Snapshot)>,
    /// Its visible parts, by version and fingerprint.
    views: Recent<(u64, String), Snapshot>,
    forecasters: Recent<(String, Reach), Arc<Forecaster>>,
}

impl Default for Open {
    fn default() -> Self {
        Self {
            lake: OnceCell::new(),
            store: OnceCell::new(),
            ledger: OnceCell::new(),
            newest: Recent::new(1),
            views: Recent::new(VIEWS),
            forecasters: Recent::new(VIEWS),
        }
    }
}

impl Workspace {
    /// The workspace in a folder; nothing is read or made yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), state: None, open: Arc::default() }
    }

    /// The same folder with its state elsewhere: `sqlite://PATH` or `postgres://…`.
    #[must_use]
    pub fn with_state(self, url: impl Into<String>) -> Self {
        Self { state: Some(url.into()), open: Arc::default(), ..self }
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
        let open = || async { Lake::open(&folder.to_string_lossy()).await };
        Ok(self.open.lake.get_or_try_init(open).await?.clone())
    }

    /// The newest version of the lake, as far as the permit sees.
    ///
    /// # Errors
    /// [`AppError::Empty`] before the first ingest.
    pub async fn snapshot(&self, permit: &Permit) -> Result<Snapshot, AppError> {
        let whole = self.newest(&self.lake(permit).await?).await?;
        let seen = whole.only(|entry| sees(permit, entry));
        if seen.sources().is_empty() {
            return Err(AppError::Empty(self.folder.clone()));
        }
        // What a view has worked out, such as which titles are one, is kept with it.
        let key = (seen.version(), seen.fingerprint());
        if let Some(kept) = self.open.views.get(&key) {
            return Ok(kept);
        }
        self.open.views.put(key, seen.clone());
        Ok(seen)
    }

    /// Whether nothing of the lake is closed to a permit.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub async fn is_open(&self, permit: &Permit) -> Result<bool, AppError> {
        let whole = self.newest(&self.lake(permit).await?).await?;
        Ok(whole.sources().iter().all(|entry| sees(permit, entry)))
    }

    /// Under what anything is held that rests on what a permit sees: as strictly as the strictest source among it.
    ///
    /// # Errors
    /// As [`Workspace::snapshot`].
    pub async fn held(&self, permit: &Permit) -> Result<Held, AppError> {
        let seen = self.snapshot(permit).await?;
        let strictest = seen.sources().iter().map(|entry| &entry.held).max_by_key(|held| held.class);
        Ok(strictest.cloned().unwrap_or_default())
    }

    /// The newest version, whole: read again once there is a newer one.
    async fn newest(&self, lake: &Lake) -> Result<Snapshot, AppError> {
        let number = lake.newest_number().await?;
        if let Some((_, kept)) = self.open.newest.get(&()).filter(|(at, _)| *at == number) {
            return Ok(kept);
        }
        let snapshot = lake.snapshot().await?;
        self.open.newest.put((), (number, snapshot.clone()));
        Ok(snapshot)
    }

    /// A forecaster over the newest version of the lake, with what it has folded and fitted for earlier questions.
    ///
    /// # Errors
    /// [`AppError::Empty`] before the first ingest, a lake that cannot be read.
    pub async fn forecaster(&self, reach: Reach, permit: &Permit) -> Result<Arc<Forecaster>, AppError> {
        let snapshot = self.snapshot(permit).await?;
        let key = (snapshot.fingerprint(), reach);
        if let Some(kept) = self.open.forecasters.get(&key) {
            return Ok(kept);
        }
        let knowledge = self.knowledge(&snapshot, reach, permit).await?;
        let forecaster = Arc::new(Forecaster::new(knowledge, self.models()));
        self.open.forecasters.put(key, forecaster.clone());
        Ok(forecaster)
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
        let open = || async { Ledger::open(store, &LedgerFiles::beside(folder)).await };
        Ok(self.open.ledger.get_or_try_init(open).await?.clone())
    }

    /// The state store under the ledger.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub async fn store(&self, permit: &Permit) -> Result<StateStore, AppError> {
        permit.require(Action::Read)?;
        let beside = self.folder.join("state.db");
        let url = self.state.clone().unwrap_or_else(|| beside.to_string_lossy().into_owned());
        let open = || async { StateStore::open(&url).await };
        Ok(self.open.store.get_or_try_init(open).await?.clone())
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
        let name = hex(&digest[..8]);
        Self::at(self.folder.join("sources").join(name))
    }

    /// The demo's own workspace, apart from what the user keeps.
    #[must_use]
    pub fn demo(&self) -> Self {
        Self::at(self.folder.join("demo"))
    }
}

/// Whether a permit sees an ingest.
fn sees(permit: &Permit, entry: &IngestEntry) -> bool {
    let Held { class, team } = &entry.held;
    permit.sees(&Holding { kind: "source", id: &entry.source, class: *class, team, owner: None, nda: None })
}

/// Whether a stated source id is the one that the stating table knows the title by.
fn names(fact: &Fact, member: TitleId) -> bool {
    let FactValue::Text(text) = &fact.value else { return false };
    let of =
        |vertical| text.split_once(':').is_some_and(|(space, id)| TitleId::of(vertical, space, id) == member);
    Vertical::ALL.into_iter().any(of)
}
