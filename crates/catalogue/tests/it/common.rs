//! What the tests of the lake share: a lake in a temporary folder, and waiting for it.
#![allow(unreachable_pub)]

use std::path::PathBuf;

use marquee_catalogue::{
    CatalogueError, FactFilter, IngestOptions, IngestReport, Lake, Mapping, Source, StatedFact,
};
use marquee_domain::{Control, Day, RecordedAt};

pub struct House {
    pub folder: tempfile::TempDir,
    pub lake: Lake,
    runtime: tokio::runtime::Runtime,
}

pub const MAP: &str = r#"
name = "mine"
compiled_on = "2020-01-01"
id = [{ space = "house", column = "id" }]
release = { column = "opens" }
unique = ["id"]
column = [
    { from = "name", kind = "name" },
    { from = "cost", kind = "budget", zero_is_unknown = true },
    { from = "home", kind = "domestic_gross" },
    { from = "world", kind = "worldwide_gross" },
    { from = "score", kind = "critic_score" },
    { from = "genres", kind = "genre", split = "|" },
]
rule = [
    { check = "at_least", column = "world", other = "home" },
    { check = "required", column = "name" },
]
"#;
pub const HEAD: &str = "id,name,opens,cost,home,world,score,genres\n";

impl House {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let at = folder.path().join("lake");
        let lake = runtime.block_on(Lake::open(&at.to_string_lossy())).unwrap();
        Self { folder, lake, runtime }
    }

    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn ingest(&self, source: Source) -> Result<IngestReport, CatalogueError> {
        let control = Control::default();
        let reports = self.wait(self.lake.ingest(&source.into(), &options(), &control))?;
        Ok(reports.into_iter().next().unwrap())
    }

    pub fn ingest_bytes(&self, name: &str, bytes: &[u8], map: &str) -> Result<IngestReport, CatalogueError> {
        let path = self.file(name, bytes);
        self.ingest(Source { path, map: Mapping::parse(map, "test")?, priority: 0 })
    }

    pub fn facts(&self) -> Vec<StatedFact> {
        let snapshot = self.wait(self.lake.snapshot()).unwrap();
        self.wait(snapshot.all_facts(&FactFilter::default())).unwrap()
    }

    /// Facts as short lines: known day, kind, value.
    pub fn lines(&self) -> Vec<String> {
        let value = |f: &StatedFact| match &f.fact.value {
            marquee_domain::FactValue::Money(m) => m.minor().to_string(),
            marquee_domain::FactValue::Count(n) => n.to_string(),
            marquee_domain::FactValue::Number(x) => x.to_string(),
            marquee_domain::FactValue::Text(t) => t.to_string(),
            marquee_domain::FactValue::Day(d) => d.to_string(),
        };
        self.facts().iter().map(|f| format!("{} {} {}", f.fact.known_on, f.fact.kind, value(f))).collect()
    }
}

pub fn options() -> IngestOptions {
    IngestOptions {
        today: Day::new(2026, 1, 1).unwrap(),
        recorded_at: RecordedAt(1),
        threads: None,
        replace: false,
        held: marquee_domain::Held::default(),
    }
}
