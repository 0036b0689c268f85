//! From one source file to one committed ingest.
//!
//! A reader cuts the file into blocks; workers, one for each core, split, judge, read and store them; between them stand
//! queues of a few blocks, so that memory does not grow with the file. The ingest becomes visible in one step, when its
//! manifest is created, or not at all.

mod columns;
mod findings;
mod judge;
mod missing;
mod numbers;
pub(crate) mod plan;
pub(crate) mod side;
mod sink;
mod unique;
mod worker;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use marquee_domain::{Action, Control, Day, FactKind, Held, Issue, RecordedAt};
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::findings::{Findings, Tally};
use self::plan::Plan;
use self::unique::Uniqueness;
use self::worker::{Totals, Turnstile, Worker};
use crate::builtin::Source;
use crate::error::{CatalogueError, Result};
use crate::manifest::{FileEntry, IngestEntry, Manifest, Role};
use crate::read::{self, Block, Watch};
use crate::store::{Store, Written};

/// How an ingest is dated and how many threads it may use.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// From when that is known which nobody dated and whose map says no day.
    pub today: Day,
    /// When the facts are recorded.
    pub recorded_at: RecordedAt,
    /// Worker threads; as many as there are cores where it is not said.
    pub threads: Option<usize>,
    /// Whether a file takes the place of all files of its source, not only of the one of its own name.
    pub replace: bool,
    /// Under what the facts are held.
    pub held: Held,
}

impl IngestOptions {
    /// Dated by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        let now = chrono::Utc::now();
        let days = (now.timestamp() / 86_400) as i32;
        let today = Day::from_epoch_days(days).unwrap_or(Day::MIN);
        Self {
            today,
            recorded_at: RecordedAt(now.timestamp_micros()),
            threads: None,
            replace: false,
            held: Held::default(),
        }
    }
}

/// What an ingest came to.
#[derive(Debug, Clone, Serialize)]
pub struct IngestReport {
    /// The source's name.
    pub source: String,
    /// The file.
    pub file: String,
    /// The lake held this file, read by this map, already; nothing was done.
    pub unchanged: bool,
    /// Rows read.
    pub rows: u64,
    /// Rows that state facts.
    pub kept_rows: u64,
    /// Rows that went to quarantine.
    pub refused_rows: u64,
    /// Rows that the map leaves out.
    pub skipped_rows: u64,
    /// Zeros that mean unknown.
    pub unknown_zeros: u64,
    /// Facts by kind.
    pub facts: BTreeMap<FactKind, u64>,
    /// Rules that found something.
    pub rules: BTreeMap<String, RuleCount>,
    /// Bytes read.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// The lake's version that holds it.
    pub version: u64,
}

/// What a rule found.
#[derive(Debug, Clone, Serialize)]
pub struct RuleCount {
    /// What was done.
    pub action: Action,
    /// How often.
    pub count: u64,
    /// The first example.
    pub example: Option<Issue>,
}

impl IngestReport {
    fn new(entry: &IngestEntry, unchanged: bool, started: Instant, version: u64) -> Self {
        let counted = entry.rules.iter().filter(|r| r.count > 0).map(|r| {
            let example = r.example.as_ref().map(|(row, value)| Issue {
                file: entry.file.clone(),
                row: *row,
                column: r.column.clone(),
                value: value.clone(),
                rule: r.rule.clone(),
                message: r.message.clone(),
                action: r.action,
            });
            (r.rule.clone(), RuleCount { action: r.action, count: r.count, example })
        });
        Self {
            source: entry.source.clone(),
            file: entry.file.clone(),
            unchanged,
            rows: entry.rows,
            kept_rows: entry.kept_rows,
            refused_rows: entry.refused_rows,
            skipped_rows: entry.skipped_rows,
            unknown_zeros: entry.unknown_zeros,
            facts: entry.facts.clone(),
            rules: counted.collect(),
            bytes: entry.bytes,
            seconds: started.elapsed().as_secs_f64(),
            version,
        }
    }
}

/// Ingests one source; blocks.
pub(crate) fn ingest(
    store: &Store,
    source: &Source,
    options: &IngestOptions,
    control: &Control,
) -> Result<IngestReport> {
    let started = Instant::now();
    control.check()?;
    let path = &source.path;
    let file = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let bytes = std::fs::metadata(path).map_err(|e| CatalogueError::file(path, e))?.len();
    let digest = Arc::new(Mutex::new(Sha256::new()));
    let seen = Arc::new(AtomicU64::new(0));
    let watch = Progress {
        label: source.map.name.clone(),
        digest: digest.clone(),
        seen,
        total: bytes,
        control: control.clone(),
    };
    let reading = read::open(path, &source.map.columns(), Some(Box::new(watch)))?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let plan = Plan::new(&source.map, reading.head.clone(), &folder, options.today)?;
    let (manifest, _) = Manifest::newest(store)?;
    let of_map = manifest.entries.iter().filter(|e| e.source == source.map.name);
    let mut alike = of_map.filter(|e| e.map_sha256 == plan.map_sha256 && e.bytes == bytes).peekable();
    // The file is read for its digest only where an ingest of its size is there.
    if manifest.may_stand(&source.map.name, options.replace)
        && alike.peek().is_some()
        && let sha256 = read::digest(path)?
        && let Some(entry) = alike.find(|e| e.sha256 == sha256)
    {
        return Ok(IngestReport::new(entry, true, started, manifest.version));
    }
    let folder = format!("data/{}/{}/{}", source.map.vertical, source.map.name, unique_name(options));
    let unique = (!plan.unique.is_empty()).then(|| Uniqueness::new(bytes));
    let turnstile = Turnstile::new(unique);
    // A small file makes one file in the lake, not one for each core.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if bytes < 32 << 20 { 1 } else { options.threads.unwrap_or(cores).max(1) };
    let done = pipeline(&plan, &turnstile, store, &folder, threads, reading, control);
    let (files, findings, totals) = match (control.check(), done) {
        (Err(stopped), _) => return Err(stopped.into()),
        (_, done) => done?,
    };
    let sha256 = read::hex(&digest.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize());
    let rows = turnstile.lock().rows;
    let entry = entry(source, &plan, Done { file, bytes, sha256, rows, files, findings, totals }, options);
    let version = Manifest::commit(store, &entry, options.replace)?;
    Ok(IngestReport::new(&entry, false, started, version))
}

type Output = (Vec<(Role, u64, Written)>, Findings, Totals);

/// Runs reader and workers to the end of the file.
fn pipeline(
    plan: &Plan,
    turnstile: &Turnstile,
    store: &Store,
    folder: &str,
    threads: usize,
    reading: read::Reading,
    control: &Control,
) -> Result<Output> {
    let (send, receive) = sync_channel::<(u64, Block)>(threads * 2);
    let receive = Mutex::new(receive);
    let mut outputs = std::thread::scope(|scope| {
        let receive = &receive;
        let work = |number| {
            move || {
                let _guard = BreakOff(turnstile);
                let mut worker = Worker::new(plan, turnstile, store, folder, number);
                let worked = drain(receive, &mut worker, control);
                (worker, worked)
            }
        };
        let workers: Vec<_> = (0..threads).map(|n| scope.spawn(work(n))).collect();
        let read = feed(reading, send, turnstile);
        let mut done = Vec::new();
        for worker in workers {
            done.push(worker.join().map_err(|_| CatalogueError::Lost("a worker of an ingest")));
        }
        (read, done)
    });
    let mut failure = outputs.0.err();
    let mut workers = Vec::new();
    for output in outputs.1.drain(..) {
        match output {
            Ok((worker, worked)) => {
                workers.push(worker);
                // The first cause, not what it led to.
                if let Err(e) = worked
                    && failure.as_ref().is_none_or(|f| matches!(f, CatalogueError::Lost(_)))
                {
                    failure = Some(e);
                }
            }
            Err(lost) => failure = failure.or(Some(lost)),
        }
    }
    if failure.is_none()
        && let Some(unique) = turnstile.lock().unique.take()
        && let Some(first) = workers.first_mut()
    {
        failure = settle(unique, first, control).err();
    }
    collect(workers, failure, plan)
}

/// Sees to it that nobody waits for a worker that panicked.
struct BreakOff<'a>(&'a Turnstile);

impl Drop for BreakOff<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.break_off();
        }
    }
}

/// Feeds blocks to the workers. The channel closes when this returns.
#[allow(clippy::needless_pass_by_value)] // dropping the sender is what closes the channel
fn feed(reading: read::Reading, send: SyncSender<(u64, Block)>, turnstile: &Turnstile) -> Result<()> {
    let mut number = 0;
    let fed = reading.run(&mut |block| {
        let sent = send.send((number, block)).map_err(|_| CatalogueError::Lost("the workers of an ingest"));
        number += 1;
        sent
    });
    if fed.is_err() {
        turnstile.break_off();
    }
    fed
}

fn drain(receive: &Mutex<Receiver<(u64, Block)>>, worker: &mut Worker<'_>, control: &Control) -> Result<()> {
    let mut worked = Ok(());
    loop {
        let next = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, block)) = next else { return worked };
        // After a failure the queue is still emptied, so that the reader never waits for nobody.
        if worked.is_ok() {
            worked = control.check().map_err(CatalogueError::from).and_then(|()| worker.take(number, block));
            if worked.is_err() {
                worker.break_off();
            }
        }
    }
}

/// Takes in the rows that waited for the check of uniqueness, some at a time.
fn settle(unique: Uniqueness, worker: &mut Worker<'_>, control: &Control) -> Result<()> {
    let (mut held, mut bytes) = (Vec::new(), 0);
    unique.settle(&mut |row| {
        bytes += row.raw.len();
        held.push(row);
        if bytes >= read::BLOCK {
            control.check()?;
            worker.take_settled(&std::mem::take(&mut held))?;
            bytes = 0;
        }
        Ok(())
    })?;
    worker.take_settled(&held)
}

/// Completes all files and adds up, or gives all up.
fn collect(workers: Vec<Worker<'_>>, failure: Option<CatalogueError>, plan: &Plan) -> Result<Output> {
    let (mut files, mut findings, mut totals) =
        (Vec::new(), Findings::new(plan.rules.len()), Totals::default());
    totals.facts = vec![0; plan.layout.columns.len()];
    let mut failure = failure;
    for worker in workers {
        match worker.finish(failure.is_none()) {
            Ok((written, found, counted)) => {
                files.extend(written);
                findings.refused_rows += found.refused_rows;
                for (all, tally) in findings.tallies.iter_mut().zip(found.tallies) {
                    add(all, tally);
                }
                totals.add(counted);
            }
            Err(e) => failure = failure.or(Some(e)),
        }
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok((files, findings, totals)),
    }
}

fn add(all: &mut Tally, tally: Tally) {
    all.count += tally.count;
    all.example = match (all.example.take(), tally.example) {
        (Some(a), Some(b)) => Some(if b < a { b } else { a }),
        (a, b) => a.or(b),
    };
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.kept += other.kept;
        self.skipped += other.skipped;
        self.unknown_zeros += other.unknown_zeros;
        self.facts.iter_mut().zip(other.facts).for_each(|(all, n)| *all += n);
        other.years.into_iter().for_each(|(year, n)| *self.years.entry(year).or_default() += n);
        self.known = match (self.known, other.known) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (a, b) => a.or(b),
        };
    }
}

struct Done {
    file: String,
    bytes: u64,
    sha256: String,
    rows: u64,
    files: Vec<(Role, u64, Written)>,
    findings: Findings,
    totals: Totals,
}

fn entry(source: &Source, plan: &Plan, done: Done, options: &IngestOptions) -> IngestEntry {
    let day = |d: i32| Day::from_epoch_days(d).unwrap_or(Day::MIN);
    let known = done.totals.known.map(|(first, last)| (day(first), day(last)));
    let file = |(role, rows, written): (Role, u64, Written)| FileEntry {
        path: written.path,
        role,
        rows,
        bytes: written.bytes,
        checksum: written.checksum,
        known: known.filter(|_| role == Role::Facts),
    };
    let mut facts = BTreeMap::new();
    for (column, count) in plan.layout.columns.iter().zip(&done.totals.facts).filter(|(_, n)| **n > 0) {
        *facts.entry(column.kind).or_default() += count;
    }
    let mut rules = plan.rules.clone();
    for (rule, tally) in rules.iter_mut().zip(done.findings.tallies) {
        (rule.count, rule.example) = (tally.count, tally.example);
    }
    let of_title = plan.layout.columns.len() as u64;
    IngestEntry {
        source: source.map.name.clone(),
        vertical: source.map.vertical,
        file: done.file,
        sha256: done.sha256,
        map_sha256: plan.map_sha256.clone(),
        recorded_at: options.recorded_at,
        priority: source.priority,
        rows: done.rows,
        kept_rows: done.totals.kept,
        refused_rows: done.findings.refused_rows,
        skipped_rows: done.totals.skipped,
        unknown_zeros: done.totals.unknown_zeros,
        bytes: done.bytes,
        facts,
        rules,
        newest_known: known.map(|k| k.1),
        columns: plan.head.columns.clone(),
        delimiter: char::from(plan.head.delimiter),
        files: done.files.into_iter().map(file).collect(),
        years: done.totals.years.into_iter().map(|(y, n)| (y, n * of_title)).collect(),
        layout: plan.layout.clone(),
        held: options.held.clone(),
    }
}

/// A folder's name that no other ingest has.
fn unique_name(options: &IngestOptions) -> String {
    let random = RandomState::new().hash_one((std::process::id(), std::thread::current().id()));
    format!("{:016x}-{random:016x}", options.recorded_at.0)
}

/// Hashes what is read, reports progress and stops the reading when told to.
struct Progress {
    label: String,
    digest: Arc<Mutex<Sha256>>,
    seen: Arc<AtomicU64>,
    total: u64,
    control: Control,
}

impl Watch for Progress {
    fn read(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.control.check().map_err(std::io::Error::other)?;
        self.digest.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
        let done = self.seen.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
        self.control.step(&self.label, done, self.total);
        Ok(())
    }
}
