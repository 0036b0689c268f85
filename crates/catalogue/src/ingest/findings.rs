//! What one worker found wrong: counts by rule in memory, the findings themselves on their way to the lake.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringBuilder, UInt16Array};
use arrow::datatypes::{DataType, Field, Schema};

use super::plan::Plan;

/// How much of a value is shown, in characters.
const SHOWN: usize = 200;
/// About how many bytes of text are gathered before they are written.
const GATHERED: usize = 1 << 20;

/// The count of one rule's findings, with the earliest example.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub count: u64,
    pub example: Option<(u64, String)>,
}

/// Issues and quarantined rows that are not written yet.
pub(crate) struct Findings {
    pub tallies: Vec<Tally>,
    pub refused_rows: u64,
    issues: Lines,
    quarantine: Lines,
}

/// Rows, rules and texts: both kinds of findings have this shape.
#[derive(Default)]
struct Lines {
    rows: Vec<i64>,
    rules: Vec<u16>,
    texts: StringBuilder,
}

/// The columns of issue files and of quarantine files.
pub(crate) fn finding_schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("row", DataType::Int64, false),
        Field::new("rule", DataType::UInt16, false),
        Field::new("text", DataType::Utf8, false),
    ]))
}

impl Findings {
    pub(crate) fn new(rules: usize) -> Self {
        let none = Lines::default;
        Self { tallies: vec![Tally::default(); rules], refused_rows: 0, issues: none(), quarantine: none() }
    }

    /// A value or a row that broke a rule.
    pub(crate) fn issue(&mut self, plan: &Plan, row: u64, rule: usize, value: &str) {
        debug_assert!(rule < plan.rules.len());
        let shown = match value.char_indices().nth(SHOWN) {
            Some((end, _)) => &value[..end],
            None => value,
        };
        let tally = &mut self.tallies[rule];
        tally.count += 1;
        if tally.example.as_ref().is_none_or(|(r, _)| row < *r) {
            tally.example = Some((row, shown.to_owned()));
        }
        self.issues.push(row, rule, shown);
    }

    /// A row that is refused, as it was read.
    pub(crate) fn quarantine(&mut self, row: u64, rule: usize, raw: &str) {
        self.refused_rows += 1;
        self.quarantine.push(row, rule, raw);
    }

    /// Issues to write, once there are many, or whatever is there where `all`.
    pub(crate) fn issues_to_write(&mut self, all: bool) -> Option<RecordBatch> {
        self.issues.take(all)
    }

    /// Quarantined rows to write.
    pub(crate) fn quarantine_to_write(&mut self, all: bool) -> Option<RecordBatch> {
        self.quarantine.take(all)
    }
}

impl Lines {
    fn push(&mut self, row: u64, rule: usize, text: &str) {
        self.rows.push(row as i64);
        self.rules.push(rule as u16);
        self.texts.append_value(text);
    }

    fn take(&mut self, all: bool) -> Option<RecordBatch> {
        let much = self.texts.values_slice().len() >= GATHERED || self.rows.len() >= 64 << 10;
        if self.rows.is_empty() || !(all || much) {
            return None;
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(std::mem::take(&mut self.rows))),
            Arc::new(UInt16Array::from(std::mem::take(&mut self.rules))),
            Arc::new(self.texts.finish()),
        ];
        RecordBatch::try_new(finding_schema(), columns).ok()
    }
}
