//! Which rows of a block count: width, filter, identity, required cells, references. What is decided here is decided for
//! whole rows; single values are judged where they are read.

use super::findings::Findings;
use super::plan::{Main, Plan, key_hash, rule};
use crate::read::split::Splitter;

/// What becomes of the rows of one block.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Records that state facts, by their place in the block.
    pub kept: Vec<u32>,
    /// Hashes of the kept records' unique keys; empty where the map names no key.
    pub keys: Vec<u64>,
    /// Records that are refused, by which rule and for which cell.
    pub refused: Vec<(u32, usize, Option<usize>)>,
    /// How many the map leaves out.
    pub skipped: u64,
}

/// Judges every record of a block.
pub(crate) fn judge(plan: &Plan, text: &str, cells: &Splitter) -> Verdicts {
    let mut verdicts = Verdicts::default();
    verdicts.kept.reserve(cells.len());
    let mut key = String::new();
    for i in 0..cells.len() {
        match judge_row(plan, text, cells, i) {
            Row::Keep => {
                verdicts.kept.push(i as u32);
                if !plan.unique.is_empty() {
                    key.clear();
                    for column in &plan.unique {
                        key.push_str(&cells.cell(i, *column).text(text));
                        key.push('\u{1f}');
                    }
                    verdicts.keys.push(key_hash(&key));
                }
            }
            Row::Skip => verdicts.skipped += 1,
            Row::Refuse(rule, column) => verdicts.refused.push((i as u32, rule, column)),
        }
    }
    verdicts
}

enum Row {
    Keep,
    Skip,
    Refuse(usize, Option<usize>),
}

fn judge_row(plan: &Plan, text: &str, cells: &Splitter, i: usize) -> Row {
    if cells.width(i) != plan.head.columns.len() {
        return Row::Refuse(rule::WIDTH, None);
    }
    if plan.only.as_ref().is_some_and(|only| !only.holds(&cells.cell(i, only.at).text(text))) {
        return Row::Skip;
    }
    let empty = |column: usize| plan.missing.is(cells.cell(i, column).raw(text));
    let identity = match &plan.main {
        Main::Columns(columns) => columns.first().copied().unwrap_or_default(),
        Main::NameYear(by) => by.name,
    };
    // A title may well be called "None"; an id may not.
    let nameless = match plan.main {
        Main::Columns(_) => empty(identity),
        Main::NameYear(by) => {
            let empty = |column: usize| cells.cell(i, column).raw(text).is_empty();
            (empty(by.name) && by.otherwise.is_none_or(empty))
                || by.year.is_some_and(|y| !is_year(cells.cell(i, y).raw(text)))
        }
    };
    if nameless {
        return Row::Refuse(rule::ID, Some(identity));
    }
    for (column, rule) in &plan.required {
        if empty(*column) {
            return Row::Refuse(*rule, Some(*column));
        }
    }
    for (column, known, rule) in &plan.references {
        if !known.contains(&key_hash(&cells.cell(i, *column).text(text))) {
            return Row::Refuse(*rule, Some(*column));
        }
    }
    Row::Keep
}

fn is_year(cell: &str) -> bool {
    crate::values::year(cell).is_some_and(|y| (1870..=2199).contains(&y))
}

/// Writes down the refused rows, with their text.
pub(crate) fn report(
    plan: &Plan,
    text: &str,
    cells: &Splitter,
    verdicts: &Verdicts,
    row: impl Fn(u32) -> u64,
    findings: &mut Findings,
) {
    for (i, rule, column) in &verdicts.refused {
        let at = *i as usize;
        let value = match column {
            Some(column) => cells.cell(at, *column).raw(text),
            None if *rule == rule::WIDTH => &text[cells.span(at)],
            None => "",
        };
        findings.issue(plan, row(*i), *rule, value);
        findings.quarantine(row(*i), *rule, &text[cells.span(at)]);
    }
}
