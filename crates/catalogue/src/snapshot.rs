//! One version of the lake, to read from: whatever is asked of a snapshot sees exactly that version.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use marquee_domain::{FactKind, RecordedAt, TitleId};
use serde::Serialize;

use crate::error::{CatalogueError, Result};
use crate::facts::{FactFilter, FactStream, StatedFact, identifying};
use crate::identity::Identity;
use crate::issues::{self, IssueFilter, SourceIssue};
use crate::lake::{Engine, Lake, orphans};
use crate::manifest::{IngestEntry, Manifest};
use crate::sql::{self, SqlAnswer, SqlLimits};
use crate::store::{Store, checksum};
use crate::titles::{self, Searchable, TitleQuery, TitleRow};

/// One version of the lake.
#[derive(Debug, Clone)]
pub struct Snapshot {
    lake: Lake,
    manifest: Arc<Manifest>,
    torn: Arc<Vec<String>>,
    identity: Arc<OnceLock<Arc<Identity>>>,
    titles: Arc<OnceLock<Arc<Vec<Searchable>>>>,
}

/// What a look over the whole lake found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The version that was looked at.
    pub version: u64,
    /// Files that it names.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that it names and that are not there.
    pub missing: Vec<String>,
    /// Files that are not as they were written.
    pub damaged: Vec<String>,
    /// Files that no version names: what an interrupted ingest left. `clean` removes them.
    pub orphans: Vec<String>,
    /// Manifests that cannot be read: commits that were cut off before they were acknowledged.
    pub torn: Vec<String>,
    /// When each source was last ingested.
    pub newest: Vec<(String, RecordedAt)>,
}

impl Check {
    /// Whether everything that was acknowledged is there, unharmed.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.missing.is_empty() && self.damaged.is_empty()
    }
}

impl Snapshot {
    pub(crate) fn new(lake: Lake, manifest: Manifest, torn: Vec<String>) -> Self {
        let (manifest, torn) = (Arc::new(manifest), Arc::new(torn));
        Self { lake, manifest, torn, identity: Arc::default(), titles: Arc::default() }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.lake.engine
    }

    pub(crate) fn store(&self) -> &Store {
        &self.lake.store
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(crate) fn shared_manifest(&self) -> Arc<Manifest> {
        self.manifest.clone()
    }

    /// The part of this version that is made of some ingests alone. Whatever is asked of it (titles, facts, issues, SQL, the
    /// fingerprint that models are kept by) sees nothing of the others.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&IngestEntry) -> bool) -> Self {
        if self.sources().iter().all(&keep) {
            return self.clone();
        }
        let mut manifest = (*self.manifest).clone();
        manifest.entries.retain(keep);
        Self::new(self.lake.clone(), manifest, (*self.torn).clone())
    }

    /// The version; 0 for an empty lake.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.manifest.version
    }

    /// A SHA-256 over what was ingested and by which maps: equal for lakes that hold the same facts, whenever and in
    /// whatever order they learned them.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.manifest.fingerprint()
    }

    /// The current ingest of each source, by priority.
    #[must_use]
    pub fn sources(&self) -> &[IngestEntry] {
        &self.manifest.entries
    }

    /// Which titles of different tables are one title. Built once for a snapshot.
    ///
    /// # Errors
    /// Whatever keeps a file from being read.
    pub async fn identity(&self) -> Result<Arc<Identity>> {
        if let Some(known) = self.identity.get() {
            return Ok(known.clone());
        }
        let (store, manifest) = (self.store().clone(), self.manifest.clone());
        let build = move || Ok(Identity::build(&identifying(&store, &manifest)?));
        let built = Arc::new(self.engine().run(build).await?);
        Ok(self.identity.get_or_init(|| built).clone())
    }

    /// Facts in the order in which the world came to know them.
    ///
    /// # Errors
    /// Whatever keeps a file from being read.
    pub async fn facts(&self, filter: &FactFilter) -> Result<FactStream> {
        Ok(FactStream::new(self.clone(), self.identity().await?, filter.clone()))
    }

    /// All of these facts at once.
    ///
    /// # Errors
    /// As [`Snapshot::facts`].
    pub async fn all_facts(&self, filter: &FactFilter) -> Result<Vec<StatedFact>> {
        let (mut stream, mut all) = (self.facts(filter).await?, Vec::new());
        while let Some(mut batch) = stream.next().await? {
            all.append(&mut batch);
        }
        Ok(all)
    }

    /// Titles that fit a query.
    ///
    /// # Errors
    /// Whatever keeps a file from being read.
    pub async fn titles(&self, query: &TitleQuery) -> Result<Vec<TitleRow>> {
        let (all, query) = (self.searchable().await?, query.clone());
        self.engine().run(move || Ok(titles::search(&all, &query))).await
    }

    /// One title by its canonical id.
    ///
    /// # Errors
    /// Whatever keeps a file from being read.
    pub async fn title(&self, id: TitleId) -> Result<Option<TitleRow>> {
        Ok(titles::row(&self.searchable().await?, id))
    }

    /// All titles as they are searched. Built once for a snapshot.
    async fn searchable(&self) -> Result<Arc<Vec<Searchable>>> {
        if let Some(known) = self.titles.get() {
            return Ok(known.clone());
        }
        let kinds =
            vec![FactKind::Genre, FactKind::Budget, FactKind::DomesticGross, FactKind::WorldwideGross];
        let facts = self.all_facts(&FactFilter { kinds, ..FactFilter::default() }).await?;
        let (identity, manifest) = (self.identity().await?, self.manifest.clone());
        let build = move || Ok(Arc::new(titles::rows(&identity, &facts, &manifest)));
        let built = self.engine().run(build).await?;
        Ok(self.titles.get_or_init(|| built).clone())
    }

    /// Refused and repaired values.
    ///
    /// # Errors
    /// Whatever keeps a file from being read.
    pub async fn issues(&self, filter: &IssueFilter) -> Result<Vec<SourceIssue>> {
        let (store, manifest, filter) = (self.store().clone(), self.manifest.clone(), filter.clone());
        self.engine().run(move || issues::find(&store, &manifest, &filter)).await
    }

    /// Writes a source's refused rows to a file, under the source's header: to be corrected and ingested again. Gives how
    /// many there are.
    ///
    /// # Errors
    /// [`CatalogueError::Lake`] where there is no such source, [`CatalogueError::File`] where the file cannot be written.
    pub async fn export_quarantine(&self, source: &str, to: &Path) -> Result<u64> {
        let unknown = || {
            CatalogueError::lake(
                source,
                "there is no source of this name; `marquee sql \"SELECT * FROM sources\"` lists them",
            )
        };
        let entries: Vec<_> = self.sources().iter().filter(|e| e.source == source).cloned().collect();
        if entries.is_empty() {
            return Err(unknown());
        }
        let (store, to) = (self.store().clone(), to.to_owned());
        self.engine().run(move || issues::export(&store, &entries, &to)).await
    }

    /// Answers a query: one `SELECT` (or `EXPLAIN`, `SHOW`, `DESCRIBE`) over `facts`, `titles`, `issues` and `sources`.
    ///
    /// # Errors
    /// [`CatalogueError::Sql`] for what is not a query, is not understood, is too long, or takes too much memory or time.
    pub async fn sql(&self, query: &str, limits: &SqlLimits) -> Result<SqlAnswer> {
        let identity = self.identity().await?;
        let asked = sql::ask(self.clone(), identity, query.to_owned(), limits.clone());
        self.engine().spawn(asked).await
    }

    /// Reads every file that this version names and compares it with what was written.
    ///
    /// # Errors
    /// [`CatalogueError::Store`] where storage itself fails.
    pub async fn check(&self) -> Result<Check> {
        let (store, manifest, torn) = (self.store().clone(), self.manifest.clone(), self.torn.to_vec());
        self.engine().run(move || check(&store, &manifest, torn)).await
    }
}

fn check(store: &Store, manifest: &Manifest, torn: Vec<String>) -> Result<Check> {
    let newest = manifest.entries.iter().map(|e| (e.source.clone(), e.recorded_at)).collect();
    let (mut found, none) = ((0, 0), Vec::new);
    let (mut missing, mut damaged) = (none(), none());
    for file in manifest.entries.iter().flat_map(|e| &e.files) {
        found = (found.0 + 1, found.1 + file.bytes);
        match store.get(&file.path) {
            Ok(bytes) if checksum(&bytes) == file.checksum => {}
            Ok(_) => damaged.push(file.path.clone()),
            Err(CatalogueError::Store(object_store::Error::NotFound { .. })) => {
                missing.push(file.path.clone());
            }
            Err(other) => return Err(other),
        }
    }
    let orphans = orphans(store)?.into_iter().map(|(path, _)| path).collect();
    Ok(Check {
        version: manifest.version,
        files: found.0,
        bytes: found.1,
        missing,
        damaged,
        orphans,
        torn,
        newest,
    })
}
