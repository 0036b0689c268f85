//! Facts in the order in which the world came to know them.

use std::collections::VecDeque;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use marquee_domain::{
    Currency, Day, Fact, FactKind, FactValue, Money, PriceYear, TitleId, ValueType, Vertical,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::Result;
use crate::identity::Identity;
use crate::layout::{RowFact, RowValue, melt};
use crate::manifest::{FileEntry, IngestEntry, Manifest, Role};
use crate::snapshot::Snapshot;
use crate::store::Store;

/// About how many facts are held at once while a large lake is read in order.
const PIECE: u64 = 4_000_000;
/// Facts in one batch.
const BATCH: usize = 8_192;

/// Which facts are wanted. What is empty restricts nothing.
#[derive(Debug, Clone, Default)]
pub struct FactFilter {
    /// Kinds.
    pub kinds: Vec<FactKind>,
    /// Tables, by source name.
    pub sources: Vec<String>,
    /// Titles, by canonical id.
    pub titles: Vec<TitleId>,
    /// The last day on which they became known.
    pub known_to: Option<Day>,
}

/// A fact, with where exactly it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedFact {
    /// The fact; its title is the canonical one.
    pub fact: Fact,
    /// The title as the table states it: one release of several, for example.
    pub member: TitleId,
    /// The row in the table, from 1.
    pub row: u64,
}

/// Facts in order, batch by batch.
#[derive(Debug)]
pub struct FactStream {
    snapshot: Snapshot,
    identity: Arc<Identity>,
    filter: FactFilter,
    /// Spans of days that are still to be read.
    spans: VecDeque<(Day, Day)>,
    held: VecDeque<Vec<StatedFact>>,
}

impl FactStream {
    pub(crate) fn new(snapshot: Snapshot, identity: Arc<Identity>, filter: FactFilter) -> Self {
        let spans = spans(snapshot.manifest(), &filter);
        Self { snapshot, identity, filter, spans, held: VecDeque::new() }
    }

    /// The next facts, ordered by the day on which they became known, then canonical title, kind, source and row; nothing
    /// at the end. The order depends on the facts alone.
    ///
    /// # Errors
    /// Whatever keeps a file from being read.
    pub async fn next(&mut self) -> Result<Option<Vec<StatedFact>>> {
        loop {
            if let Some(batch) = self.held.pop_front() {
                return Ok(Some(batch));
            }
            let Some(span) = self.spans.pop_front() else { return Ok(None) };
            let (manifest, store) = (self.snapshot.shared_manifest(), self.snapshot.store().clone());
            let (filter, identity) = (self.filter.clone(), self.identity.clone());
            let read = move || read_span(&store, &manifest, &filter, &identity, span);
            let facts = self.snapshot.engine().run(read).await?;
            let mut facts = facts.into_iter().peekable();
            while facts.peek().is_some() {
                self.held.push_back(facts.by_ref().take(BATCH).collect());
            }
        }
    }
}

/// Spans of years that hold about [`PIECE`] facts each, in order.
fn spans(manifest: &Manifest, filter: &FactFilter) -> VecDeque<(Day, Day)> {
    let last = filter.known_to.unwrap_or(Day::MAX);
    let mut years: BTreeMap<i32, u64> = BTreeMap::new();
    for entry in manifest.entries.iter().filter(|e| wants(filter, e)) {
        for (year, facts) in &entry.years {
            *years.entry(*year).or_default() += facts;
        }
    }
    let (mut spans, mut from, mut held) = (VecDeque::new(), Day::MIN, 0);
    for (year, facts) in years {
        held += facts;
        if held >= PIECE
            && let Ok(end) = Day::new(year, 12, 31)
            && end < last
        {
            spans.push_back((from, end));
            (from, held) = (end.plus(1), 0);
        }
    }
    if from <= last {
        spans.push_back((from, last));
    }
    spans
}

fn wants(filter: &FactFilter, entry: &IngestEntry) -> bool {
    let kinds =
        filter.kinds.is_empty() || entry.layout.columns.iter().any(|c| filter.kinds.contains(&c.kind));
    kinds && (filter.sources.is_empty() || filter.sources.contains(&entry.source))
}

fn read_span(
    store: &Store,
    manifest: &Manifest,
    filter: &FactFilter,
    identity: &Identity,
    (from, to): (Day, Day),
) -> Result<Vec<StatedFact>> {
    let titles: HashSet<TitleId> = filter.titles.iter().copied().collect();
    let days = from.epoch_days()..=to.epoch_days();
    let mut facts = Vec::new();
    for entry in manifest.entries.iter().filter(|e| wants(filter, e)) {
        let source: Arc<str> = entry.source.as_str().into();
        for file in entry.files_of(Role::Facts) {
            if file.known.is_some_and(|(first, last)| last < from || first > to) {
                continue;
            }
            each_fact(store, entry, file, &filter.kinds, &mut |stored| {
                if !days.contains(&stored.known_on) {
                    return;
                }
                let canonical = identity.canonical(TitleId(stored.title));
                if titles.is_empty() || titles.contains(&canonical) {
                    facts.extend(stated(&stored, entry, &source, canonical));
                }
            })?;
        }
    }
    // Stable: what one cell states several times stays in the cell's order.
    facts.sort_by(|a: &StatedFact, b| order(a).cmp(&order(b)));
    Ok(facts)
}

fn order(f: &StatedFact) -> (Day, TitleId, FactKind, &str, u64) {
    (f.fact.known_on, f.fact.title, f.fact.kind, &f.fact.source, f.row)
}

/// Facts that identify titles, ordered by the priority of their source, then row; each with its vertical.
pub(crate) fn identifying(store: &Store, manifest: &Manifest) -> Result<Vec<(StatedFact, Vertical)>> {
    let kinds = [FactKind::Name, FactKind::SourceId, FactKind::ReleaseDate];
    let mut all = Vec::new();
    for entry in &manifest.entries {
        let source: Arc<str> = entry.source.as_str().into();
        // A table of releases and the like, without names, cannot add a title.
        if !entry.layout.columns.iter().any(|c| c.kind == FactKind::Name) {
            continue;
        }
        let mut facts: Vec<(StatedFact, Vertical)> = Vec::new();
        for file in entry.files_of(Role::Facts) {
            each_fact(store, entry, file, &kinds, &mut |stored| {
                let own = TitleId(stored.title);
                facts.extend(stated(&stored, entry, &source, own).map(|f| (f, entry.vertical)));
            })?;
        }
        facts.sort_by_key(|(f, _)| (f.row, f.fact.kind));
        all.append(&mut facts);
    }
    Ok(all)
}

/// Hands out every fact of some kinds in a file.
pub(crate) fn each_fact(
    store: &Store,
    entry: &IngestEntry,
    file: &FileEntry,
    kinds: &[FactKind],
    take: &mut dyn FnMut(RowFact<'_>),
) -> Result<()> {
    for batch in batches(store, file, &entry.layout.fields_for(kinds))? {
        melt(&batch?, &entry.layout, kinds, &mut *take);
    }
    Ok(())
}

/// The rows of a file in the lake, with these of its columns.
pub(crate) fn batches(
    store: &Store,
    file: &FileEntry,
    columns: &[String],
) -> Result<parquet::arrow::arrow_reader::ParquetRecordBatchReader> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(store.reader(&file.path, file.bytes))?;
    let names = columns.iter().map(String::as_str);
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    Ok(builder.with_projection(mask).with_batch_size(BATCH).build()?)
}

/// A stored fact in the domain's words; nothing where its day is out of the range that is kept.
fn stated(
    stored: &RowFact<'_>,
    entry: &IngestEntry,
    source: &Arc<str>,
    canonical: TitleId,
) -> Option<StatedFact> {
    let fact = Fact {
        title: canonical,
        kind: stored.column.kind,
        value: value(stored)?,
        known_on: Day::from_epoch_days(stored.known_on)?,
        recorded_at: entry.recorded_at,
        source: source.clone(),
    };
    Some(StatedFact { fact, member: TitleId(stored.title), row: stored.row as u64 })
}

fn value(stored: &RowFact<'_>) -> Option<FactValue> {
    let column = stored.column;
    Some(match (column.kind.value_type(), stored.value) {
        (ValueType::Money, RowValue::Whole(minor)) => {
            let money = Money::from_minor(minor, column.currency.unwrap_or(Currency::USD));
            FactValue::Money(
                money.in_prices_of(column.price_year.map_or(PriceYear::Nominal, PriceYear::Real)),
            )
        }
        (ValueType::Count, RowValue::Whole(count)) => FactValue::Count(count),
        (ValueType::Number, RowValue::Number(number)) => FactValue::Number(number),
        (ValueType::Day, RowValue::Day(day)) => FactValue::Day(Day::from_epoch_days(day)?),
        (ValueType::Text, RowValue::Text(text)) => FactValue::Text(match &column.space {
            Some(space) => format!("{space}:{text}").into(),
            None => text.into(),
        }),
        _ => return None,
    })
}
