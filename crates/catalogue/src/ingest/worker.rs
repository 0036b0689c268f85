//! One worker: takes blocks, keeps the order where order matters, writes facts and findings.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::columns::Rows;
use super::findings::Findings;
use super::judge::{judge, report};
use super::plan::{Plan, rule};
use super::sink::Sink;
use super::unique::{AHEAD, Settled, Uniqueness};
use crate::error::{CatalogueError, Result};
use crate::known::KnownAt;
use crate::manifest::Role;
use crate::read::split::Splitter;
use crate::read::{Block, Fault, mend};
use crate::store::{Store, Written};

/// A completed file: what it is for, its number, and what was written.
pub(crate) type Filed = (Role, u64, Written);

/// Where blocks pass one by one in the order of the file: there they learn their row numbers and which keys came before.
pub(crate) struct Turnstile {
    state: Mutex<Turns>,
    turned: Condvar,
}

pub(crate) struct Turns {
    next: u64,
    pub rows: u64,
    pub unique: Option<Uniqueness>,
    broken: bool,
}

impl Turnstile {
    pub(crate) fn new(unique: Option<Uniqueness>) -> Self {
        let state = Mutex::new(Turns { next: 0, rows: 0, unique, broken: false });
        Self { state, turned: Condvar::new() }
    }

    /// Waits for the block's turn and passes it through.
    fn pass<T>(&self, number: u64, through: impl FnOnce(&mut Turns) -> Result<T>) -> Result<T> {
        let mut state = self.lock();
        while state.next != number && !state.broken {
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.broken {
            return Err(CatalogueError::Lost("another worker of this ingest"));
        }
        let result = through(&mut state);
        state.next += 1;
        state.broken = result.is_err();
        self.turned.notify_all();
        result
    }

    /// Lets nobody wait for a block that will not come.
    pub(crate) fn break_off(&self) {
        self.lock().broken = true;
        self.turned.notify_all();
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Turns> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One worker's state over all its blocks.
pub(crate) struct Worker<'a> {
    plan: &'a Plan,
    turnstile: &'a Turnstile,
    cells: Splitter,
    sinks: [Sink; 3],
    pub findings: Findings,
    pub totals: Totals,
}

/// What a worker counted.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub kept: u64,
    pub skipped: u64,
    pub unknown_zeros: u64,
    /// For each of the layout's columns.
    pub facts: Vec<u64>,
    pub years: BTreeMap<i32, u64>,
    pub known: Option<(i32, i32)>,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        turnstile: &'a Turnstile,
        store: &Store,
        folder: &str,
        number: usize,
    ) -> Self {
        let sink = |role| Sink::new(store, folder, role, number, plan);
        Self {
            plan,
            turnstile,
            cells: Splitter::new(plan.head.delimiter).filling_up(plan.least_cells),
            sinks: [sink(Role::Facts), sink(Role::Issues), sink(Role::Quarantine)],
            findings: Findings::new(plan.rules.len()),
            totals: Totals { facts: vec![0; plan.layout.columns.len()], ..Totals::default() },
        }
    }

    /// Lets no other worker wait for this one.
    pub(crate) fn break_off(&self) {
        self.turnstile.break_off();
    }

    /// Takes in block `number` of the file.
    pub(crate) fn take(&mut self, number: u64, block: Block) -> Result<()> {
        let (text, mended) = mend(block.data);
        if let Some(fault) = block.fault {
            let row = self.turnstile.pass(number, |turns| {
                turns.rows += 1;
                Ok(turns.rows)
            })?;
            let rule = match fault {
                Fault::Size => rule::SIZE,
                Fault::Quote => rule::QUOTE,
                Fault::Shape => rule::SHAPE,
            };
            self.findings.issue(self.plan, row, rule, &text);
            self.findings.quarantine(row, rule, &text);
            return self.write_findings(false);
        }
        self.cells.split(&text);
        let mut verdicts = judge(self.plan, &text, &self.cells);
        let (cells, kept, all) = (&self.cells, &mut verdicts.kept, &verdicts.keys);
        let before = self.turnstile.pass(number, |turns| {
            let before = turns.rows;
            turns.rows += cells.len() as u64;
            if let Some(unique) = &mut turns.unique {
                let mut keys = all.iter().enumerate();
                let mut failed = Ok(());
                kept.retain(|i| {
                    let (Some((at, key)), Ok(())) = (keys.next(), &failed) else { return true };
                    if at % AHEAD == 0 {
                        std::hint::black_box(unique.warm(&all[at..all.len().min(at + AHEAD)]));
                    }
                    let raw = &text.as_bytes()[cells.span(*i as usize)];
                    let row = before + u64::from(*i) + 1;
                    let first = unique.is_first(*key).and_then(|first| {
                        if first { Ok(true) } else { unique.wait(*key, row, raw).map(|()| false) }
                    });
                    first.unwrap_or_else(|e| {
                        failed = Err(e);
                        true
                    })
                });
                failed?;
            }
            Ok(before)
        })?;
        let row = |i: u32| before + u64::from(i) + 1;
        for range in &mended {
            let at = (0..self.cells.len()).find(|i| self.cells.span(*i).end > range.start).unwrap_or(0);
            self.findings.issue(self.plan, row(at as u32), rule::ENCODING, text[range.clone()].trim_end());
        }
        report(self.plan, &text, &self.cells, &verdicts, row, &mut self.findings);
        self.totals.skipped += verdicts.skipped;
        let numbers: Vec<u64> = verdicts.kept.iter().map(|i| row(*i)).collect();
        self.store_rows(&text, &verdicts.kept, &numbers)
    }

    /// Takes in a row that waited for the check of uniqueness.
    pub(crate) fn take_settled(&mut self, settled: &[Settled]) -> Result<()> {
        let (mut text, mut numbers) = (String::new(), Vec::new());
        for row in settled {
            let raw = String::from_utf8_lossy(&row.raw);
            if row.duplicate {
                self.findings.issue(self.plan, row.row, rule::UNIQUE, &raw);
                self.findings.quarantine(row.row, rule::UNIQUE, &raw);
            } else {
                text.push_str(&raw);
                text.push('\n');
                numbers.push(row.row);
            }
        }
        self.cells.split(&text);
        let kept: Vec<u32> = (0..self.cells.len() as u32).collect();
        self.store_rows(&text, &kept, &numbers)
    }

    /// Completes this worker's files, or gives them up.
    pub(crate) fn finish(mut self, good: bool) -> Result<(Vec<Filed>, Findings, Totals)> {
        let written = if good { self.write_findings(true) } else { Ok(()) };
        if !good || written.is_err() {
            self.sinks.into_iter().for_each(Sink::abort);
            return written.and(Err(CatalogueError::Lost("an ingest that was given up")));
        }
        let mut files = Vec::new();
        for sink in self.sinks {
            files.extend(sink.finish()?);
        }
        Ok((files, self.findings, self.totals))
    }

    fn store_rows(&mut self, text: &str, kept: &[u32], numbers: &[u64]) -> Result<()> {
        if !kept.is_empty() {
            let rows = Rows { plan: self.plan, text, cells: &self.cells, kept, numbers };
            let columns = rows.read(&mut self.findings)?;
            self.sinks[0].write(&columns.batch)?;
            self.totals.kept += columns.batch.num_rows() as u64;
            self.totals.unknown_zeros += columns.unknown_zeros;
            for (total, facts) in self.totals.facts.iter_mut().zip(&columns.facts) {
                *total += facts;
            }
            self.totals.note_days(self.plan, &columns.release, columns.known_days);
        }
        self.write_findings(false)
    }

    fn write_findings(&mut self, all: bool) -> Result<()> {
        if let Some(batch) = self.findings.issues_to_write(all) {
            self.sinks[1].write(&batch)?;
        }
        if let Some(batch) = self.findings.quarantine_to_write(all) {
            self.sinks[2].write(&batch)?;
        }
        Ok(())
    }
}

impl Totals {
    /// Widens the span of known days by a block's, and counts its rows by year.
    fn note_days(&mut self, plan: &Plan, release: &[Option<i32>], known_days: Option<(i32, i32)>) {
        let compiled = plan.layout.compiled.epoch_days();
        let mut widen = |day: i32| {
            let (first, last) = self.known.unwrap_or((day, day));
            self.known = Some((first.min(day), last.max(day)));
        };
        let days = release.iter().flatten();
        let span = days.clone().min().copied().zip(days.max().copied());
        for column in &plan.layout.columns {
            match (&column.known, span, known_days) {
                (KnownAt::Release(lead), Some((first, last)), _) => {
                    widen(first + lead);
                    widen(last + lead);
                }
                (KnownAt::Field(_), _, Some((first, last))) => {
                    widen(first);
                    widen(last);
                }
                _ => {}
            }
        }
        widen(compiled);
        // 146,097 days in 400 years; a day or two off at the turn of a year does no harm here.
        let year = |day: i32| 1970 + (i64::from(day) * 400).div_euclid(146_097) as i32;
        match known_days {
            // Spread evenly: good enough to cut a large lake into pieces.
            Some((first, last)) => {
                let (first, last) = (year(first), year(last));
                let share = release.len() as u64 / (last - first + 1).max(1) as u64 + 1;
                for y in first..=last {
                    *self.years.entry(y).or_default() += share;
                }
            }
            None => {
                for day in release {
                    *self.years.entry(year(day.unwrap_or(compiled))).or_default() += 1;
                }
            }
        }
    }
}
