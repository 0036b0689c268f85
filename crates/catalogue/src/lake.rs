//! The lake: where facts are kept, and how versions of it are made and opened.
//!
//! A lake has its own small runtime, so that neither storage nor queries can hold up the caller's. What is asked of it
//! runs there; callers only wait.

use std::sync::Arc;

use marquee_domain::Control;
use tokio::runtime::{Builder, Runtime};

use crate::builtin::SourceSet;
use crate::error::{CatalogueError, Result};
use crate::ingest::{IngestOptions, IngestReport, ingest};
use crate::manifest::Manifest;
use crate::snapshot::Snapshot;
use crate::store::Store;

/// Files that no manifest names are left alone until they are this old, in seconds: they may belong to an ingest that is
/// still running.
const ORPHAN_AGE: i64 = 3_600;

/// A store of dated facts.
///
/// ```
/// use marquee_catalogue::{FactFilter, IngestOptions, Lake, Mapping, Source};
/// use marquee_domain::Control;
/// # let folder = tempfile::tempdir()?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let csv = folder.path().join("mine.csv");
/// std::fs::write(&csv, "code,name,opens,cost\n7,The Land Girls,1998-06-12,8\n")?;
/// let map = Mapping::parse(r#"
///     name = "mine"
///     id = [{ space = "house", column = "code" }]
///     release = { column = "opens" }
///     column = [{ from = "name", kind = "name" }, { from = "cost", kind = "budget", scale = 1e6 }]
/// "#, "mine.toml")?;
/// let lake = Lake::open(&folder.path().join("lake").to_string_lossy()).await?;
/// let source = Source { path: csv, map, priority: 0 };
/// let reports = lake.ingest(&source.into(), &IngestOptions::now(), &Control::default()).await?;
/// assert_eq!((reports[0].rows, reports[0].refused_rows), (1, 0));
/// let facts = lake.snapshot().await?.all_facts(&FactFilter::default()).await?;
/// assert!(facts.iter().any(|f| f.fact.kind == marquee_domain::FactKind::Budget));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lake {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Store,
}

/// Bytes of stack of each of the lake's threads; memory is taken as it is used. Planning a query goes down a level for
/// each operator of a chain.
const STACK: usize = 64 << 20;

/// The lake's own threads. Dropped without waiting, so that a lake may be dropped anywhere.
#[derive(Debug)]
pub(crate) struct Engine(Option<Runtime>);

impl Engine {
    fn new() -> Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.enable_all().thread_name("lake").thread_stack_size(STACK).build();
        Ok(Self(Some(runtime.map_err(|e| CatalogueError::file("lake threads", e))?)))
    }

    /// Runs what blocks, and waits for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let runtime = self.0.as_ref().ok_or(CatalogueError::Lost("the lake"))?;
        runtime.spawn_blocking(work).await.map_err(|_| CatalogueError::Lost("the lake"))?
    }

    /// Runs what waits, and waits for it.
    pub(crate) async fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let runtime = self.0.as_ref().ok_or(CatalogueError::Lost("the lake"))?;
        runtime.spawn(work).await.map_err(|_| CatalogueError::Lost("the lake"))?
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Lake {
    /// Opens the lake in a folder (`file:///dir` or a plain path); it is made where there is none.
    ///
    /// # Errors
    /// [`CatalogueError::Lake`] for a place that is not understood, [`CatalogueError::File`] where it cannot be made.
    pub async fn open(url: &str) -> Result<Self> {
        let engine = Arc::new(Engine::new()?);
        let handle = engine.0.as_ref().ok_or(CatalogueError::Lost("the lake"))?.handle().clone();
        let store = Store::open(url, handle)?;
        let lake = Self { engine, store };
        lake.snapshot().await?;
        Ok(lake)
    }

    /// Ingests sources one after the other; each is committed by itself.
    ///
    /// # Errors
    /// The first failure; sources before it are committed, and nothing of it or after it is visible.
    pub async fn ingest(
        &self,
        set: &SourceSet,
        options: &IngestOptions,
        control: &Control,
    ) -> Result<Vec<IngestReport>> {
        let mut reports = Vec::new();
        for source in &set.sources {
            let (store, source) = (self.store.clone(), source.clone());
            let (options, control) = (options.clone(), control.clone());
            reports.push(self.engine.run(move || ingest(&store, &source, &options, &control)).await?);
        }
        Ok(reports)
    }

    /// The newest version.
    ///
    /// # Errors
    /// [`CatalogueError::Lake`] where no manifest can be read, or it is of a newer program.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let store = self.store.clone();
        let (manifest, torn) = self.engine.run(move || Manifest::newest(&store)).await?;
        Ok(Snapshot::new(self.clone(), manifest, torn))
    }

    /// The number of the newest version, without reading it: for those who keep a snapshot and want to know whether it is
    /// still the newest.
    ///
    /// # Errors
    /// [`CatalogueError::Store`] where storage fails.
    pub async fn newest_number(&self) -> Result<u64> {
        let store = self.store.clone();
        self.engine.run(move || Manifest::newest_number(&store)).await
    }

    /// An earlier version.
    ///
    /// # Errors
    /// [`CatalogueError::Lake`] where there is no such version.
    pub async fn snapshot_at(&self, version: u64) -> Result<Snapshot> {
        let store = self.store.clone();
        let manifest = self.engine.run(move || Manifest::at(&store, version)).await?;
        Ok(Snapshot::new(self.clone(), manifest, Vec::new()))
    }

    /// Removes files that no version names and that are over an hour old, and gives their names.
    ///
    /// # Errors
    /// [`CatalogueError::Store`] where storage fails.
    pub async fn clean(&self) -> Result<Vec<String>> {
        let store = self.store.clone();
        self.engine
            .run(move || {
                let old: Vec<String> = orphans(&store)?
                    .into_iter()
                    .filter(|(_, age)| *age > ORPHAN_AGE)
                    .map(|(path, _)| path)
                    .collect();
                old.iter().try_for_each(|path| store.delete(path))?;
                Ok(old)
            })
            .await
    }
}

/// Data files that no version names, with their age in seconds.
pub(crate) fn orphans(store: &Store) -> Result<Vec<(String, i64)>> {
    let mut named = std::collections::HashSet::new();
    for (_, version) in Manifest::versions(store)? {
        // A torn manifest names nothing that was ever visible.
        if let Ok(manifest) = Manifest::at(store, version) {
            named.extend(manifest.entries.into_iter().flat_map(|e| e.files).map(|f| f.path));
        }
    }
    let listed = store.list("data")?;
    Ok(listed
        .into_iter()
        .filter(|(path, ..)| !named.contains(path))
        .map(|(path, _, age)| (path, age))
        .collect())
}
