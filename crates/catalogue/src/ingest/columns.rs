//! Reading a block's kept rows into columns: every value parsed, scaled and judged on the way, column by column.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringBuilder, UInt64Array};
use marquee_domain::{Day, ValueType, normalise_title};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::findings::Findings;
use super::numbers::{Numbers, Scalar};
use super::plan::{Bounds, ColumnPlan, Dated, DayPlan, Main, NameYear, Plan, ReleasePlan, key_hash, rule};
use crate::error::Result;
use crate::layout::UNIT;
use crate::mapping::Split;
use crate::read::split::Splitter;
use crate::values::{self, century_earlier};

/// The kept rows of one block, and where to report what is wrong with them.
pub(crate) struct Rows<'a> {
    pub plan: &'a Plan,
    pub text: &'a str,
    pub cells: &'a Splitter,
    pub kept: &'a [u32],
    /// The source's row numbers of the kept rows.
    pub numbers: &'a [u64],
}

/// What a block came to.
pub(crate) struct Columns {
    pub batch: RecordBatch,
    /// Facts for each of the layout's columns.
    pub facts: Vec<u64>,
    /// Zeros that mean unknown.
    pub unknown_zeros: u64,
    pub release: Vec<Option<i32>>,
    /// Days in known columns: first and last.
    pub known_days: Option<(i32, i32)>,
}

impl Rows<'_> {
    /// Reads all columns of the layout.
    pub(crate) fn read(&self, findings: &mut Findings) -> Result<Columns> {
        let release = self.release(findings);
        let (kept, numbers, release) = self.with_identity(release, findings);
        let rows =
            Rows { plan: self.plan, text: self.text, cells: self.cells, kept: &kept, numbers: &numbers };
        rows.identified(release, findings)
    }

    fn identified(&self, release: Vec<Option<i32>>, findings: &mut Findings) -> Result<Columns> {
        let plan = self.plan;
        let (titles, name_ids) = self.titles(&release);
        let row_numbers: Vec<i64> = self.numbers.iter().map(|n| *n as i64).collect();
        let mut arrays: Vec<ArrayRef> =
            vec![Arc::new(UInt64Array::from(titles)), Arc::new(Int64Array::from(row_numbers))];
        let mut facts = Vec::with_capacity(plan.layout.columns.len());
        let mut count = |array: &ArrayRef| facts.push((array.len() - array.null_count()) as u64);
        if plan.layout.release {
            arrays.push(Arc::new(Date32Array::from(release.clone())));
        }
        if let Some(ids) = name_ids {
            arrays.push(ids);
            count(&arrays[arrays.len() - 1]);
        }
        for columns in &plan.ids {
            arrays.push(self.ids(columns));
            count(&arrays[arrays.len() - 1]);
        }
        if matches!(plan.release, Some(ReleasePlan::Column { .. })) {
            let days = arrays[2].clone();
            count(&days);
            count(&days);
        }
        let (mut unknown_zeros, mut known_days) = (0, None);
        let mut numbers: Vec<Option<Numbers>> = Vec::with_capacity(plan.columns.len());
        for column in &plan.columns {
            numbers.push(match column.kind.value_type() {
                ValueType::Text | ValueType::Day => None,
                _ => Some(self.numbers(column, &mut unknown_zeros, findings)),
            });
        }
        self.compare(&mut numbers, findings);
        for (column, numbers) in plan.columns.iter().zip(numbers) {
            let (array, pieces): (ArrayRef, u64) = match (numbers, &column.days) {
                (Some(numbers), _) => {
                    let array = numbers.into_array();
                    let stated = (array.len() - array.null_count()) as u64;
                    (array, stated)
                }
                (None, Some(days)) => {
                    let days = self.days(column.at, days, findings);
                    let stated = days.iter().flatten().count() as u64;
                    (Arc::new(Date32Array::from(days)), stated)
                }
                (None, None) => self.texts(column, findings),
            };
            arrays.push(array);
            facts.push(pieces);
            if let Some(dated) = &column.known {
                let days = self.dated(dated, findings);
                for day in days.iter().flatten() {
                    let (first, last) = known_days.unwrap_or((*day, *day));
                    known_days = Some((first.min(*day), last.max(*day)));
                }
                arrays.push(Arc::new(Date32Array::from(days)));
            }
        }
        let batch = RecordBatch::try_new(plan.schema.clone(), arrays)?;
        Ok(Columns { batch, facts, unknown_zeros, release, known_days })
    }

    fn raw(&self, i: u32, column: usize) -> &str {
        self.cells.cell(i as usize, column).raw(self.text)
    }

    /// The release day of each kept row.
    fn release(&self, findings: &mut Findings) -> Vec<Option<i32>> {
        match &self.plan.release {
            None => vec![None; self.kept.len()],
            Some(ReleasePlan::Side { key, days }) => {
                let day = |i: &u32| {
                    days.get(&key_hash(&self.cells.cell(*i as usize, *key).text(self.text))).copied()
                };
                self.kept.iter().map(day).collect()
            }
            Some(ReleasePlan::Column { at, year: None, days }) => self.days(*at, days, findings),
            Some(ReleasePlan::Column { at, year: Some(year), days }) => {
                let in_year = |(day, i): (Option<i32>, &u32)| {
                    let day = Day::from_epoch_days(day?)?;
                    let year =
                        values::whole(self.raw(*i, *year), 1.0).ok().and_then(|y| i32::try_from(y).ok());
                    let day = year.map_or(day, |y| moved_to(day, y));
                    Some(day.epoch_days())
                };
                self.days(*at, days, findings).into_iter().zip(self.kept).map(in_year).collect()
            }
        }
    }

    /// Leaves out rows that are identified by a release year that they do not have.
    fn with_identity(
        &self,
        release: Vec<Option<i32>>,
        findings: &mut Findings,
    ) -> (Vec<u32>, Vec<u64>, Vec<Option<i32>>) {
        let by_release = matches!(self.plan.main, Main::NameYear(NameYear { year: None, .. }));
        if !by_release || release.iter().all(Option::is_some) {
            return (self.kept.to_vec(), self.numbers.to_vec(), release);
        }
        let (mut kept, mut numbers, mut days) = (Vec::new(), Vec::new(), Vec::new());
        for ((i, number), day) in self.kept.iter().zip(self.numbers).zip(release) {
            if day.is_some() {
                kept.push(*i);
                numbers.push(*number);
                days.push(day);
            } else {
                let raw = &self.text[self.cells.span(*i as usize)];
                findings.issue(self.plan, *number, rule::ID, "");
                findings.quarantine(*number, rule::ID, raw);
            }
        }
        (kept, numbers, days)
    }

    /// The titles' ids, and the names-with-years that they were made of.
    fn titles(&self, release: &[Option<i32>]) -> (Vec<u64>, Option<ArrayRef>) {
        let mut key = self.plan.title_prefix.clone();
        let prefix = key.len();
        let mut hash = |id: &str| {
            key.truncate(prefix);
            key.extend_from_slice(id.as_bytes());
            xxh3_64(&key)
        };
        let named: Option<Vec<Option<String>>> = self
            .plan
            .name_year
            .map(|by| self.kept.iter().zip(release).map(|(i, day)| self.name_year(by, *i, *day)).collect());
        let ids = match (&self.plan.main, &named) {
            (Main::Columns(columns), _) => self.kept.iter().map(|i| hash(&self.id(*i, columns))).collect(),
            (Main::NameYear(_), named) => {
                let named = named.iter().flatten();
                named.map(|id| hash(id.as_deref().unwrap_or_default())).collect()
            }
        };
        let texts = |named: Vec<Option<String>>| {
            let mut texts = StringBuilder::new();
            named.iter().for_each(|id| texts.append_option(id.as_deref()));
            Arc::new(texts.finish()) as ArrayRef
        };
        (ids, named.map(texts))
    }

    /// A row's name and year as an id; none where one is not known.
    fn name_year(&self, by: NameYear, i: u32, release: Option<i32>) -> Option<String> {
        let year = match by.year {
            Some(column) => values::year(self.raw(i, column))?,
            None => release.and_then(Day::from_epoch_days)?.year(),
        };
        let text = |column: usize| self.cells.cell(i as usize, column).text(self.text);
        let name = Some(text(by.name)).filter(|name| !name.is_empty()).or_else(|| by.otherwise.map(text))?;
        Some(format!("{}|{year}", normalise_title(&name)))
    }

    /// A row's id: a column's text, or those of several that are known.
    fn id(&self, i: u32, columns: &[usize]) -> Cow<'_, str> {
        let text = |column: usize| self.cells.cell(i as usize, column).text(self.text);
        match columns {
            [one] => text(*one),
            many => {
                let known =
                    many.iter().map(|column| text(*column)).filter(|text| !self.plan.missing.is(text));
                Cow::Owned(known.collect::<Vec<_>>().join("|"))
            }
        }
    }

    fn ids(&self, columns: &[usize]) -> ArrayRef {
        let mut texts = StringBuilder::with_capacity(self.kept.len(), self.kept.len() * 10);
        for i in self.kept {
            let text = self.id(*i, columns);
            texts.append_option((!self.plan.missing.is(&text)).then_some(text));
        }
        Arc::new(texts.finish())
    }

    /// A column of amounts, counts or measurements.
    fn numbers(&self, column: &ColumnPlan, unknown_zeros: &mut u64, findings: &mut Findings) -> Numbers {
        let mut numbers = Numbers::new(column, self.kept.len());
        for (i, number) in self.kept.iter().zip(self.numbers) {
            let cell = self.raw(*i, column.at);
            if self.plan.missing.is(cell) {
                numbers.push(None);
                continue;
            }
            let read = match numbers {
                Numbers::Whole(..) => values::whole(cell, column.per_unit).map(Scalar::Whole),
                Numbers::Measured(..) => values::number(cell).map(|x| Scalar::Measured(x * column.per_unit)),
            };
            let value = match read {
                Err(why) => {
                    // NaN, infinities and the like are numbers out of range, to people.
                    let rule =
                        if why == values::Unreadable::Infinite { column.range } else { column.unreadable };
                    findings.issue(self.plan, *number, rule, cell);
                    None
                }
                Ok(value) if column.zero_is_unknown && value.as_f64() == 0.0 => {
                    *unknown_zeros += 1;
                    None
                }
                Ok(value) if !(column.min..=column.max).contains(&value.as_f64()) => {
                    findings.issue(self.plan, *number, column.range, cell);
                    None
                }
                Ok(value) => Some(value),
            };
            numbers.push(value);
        }
        numbers
    }

    /// Refuses values that are less than the column that they must reach.
    fn compare(&self, numbers: &mut [Option<Numbers>], findings: &mut Findings) {
        for rule in &self.plan.at_least {
            for (place, (i, number)) in self.kept.iter().zip(self.numbers).enumerate() {
                let value = |column: usize| numbers[column].as_ref()?.get(place);
                if let (Some(value), Some(other)) = (value(rule.column), value(rule.other))
                    && value < other
                {
                    let cell = self.raw(*i, self.plan.columns[rule.column].at);
                    findings.issue(self.plan, *number, rule.rule, cell);
                    if let Some(column) = &mut numbers[rule.column] {
                        column.refuse(place);
                    }
                }
            }
        }
    }

    /// From when a column's facts are known.
    fn dated(&self, dated: &Dated, findings: &mut Findings) -> Vec<Option<i32>> {
        match dated {
            Dated::Day(at, plan, later) => {
                let days = self.days(*at, plan, findings).into_iter();
                days.map(|day| day.map(|day| day.saturating_add(*later))).collect()
            }
            Dated::Year(at, years, month, day) => {
                let year = |i: &u32| values::year(self.raw(*i, *at))?.checked_add(*years);
                let day = |i| Day::new(year(i)?, *month, *day).ok().map(Day::epoch_days);
                self.kept.iter().map(day).collect()
            }
        }
    }

    fn days(&self, at: usize, plan: &DayPlan, findings: &mut Findings) -> Vec<Option<i32>> {
        let mut days = Vec::with_capacity(self.kept.len());
        for (i, number) in self.kept.iter().zip(self.numbers) {
            let cell = self.raw(*i, at);
            if self.plan.missing.is(cell) {
                days.push(None);
                continue;
            }
            let day = match values::day(cell, &plan.formats) {
                Ok(day) => self.inside(day, plan.bounds.as_ref(), *number, cell, findings),
                Err(_) => {
                    findings.issue(self.plan, *number, plan.unreadable, cell);
                    None
                }
            };
            days.push(day.map(Day::epoch_days));
        }
        days
    }

    fn inside(
        &self,
        day: Day,
        bounds: Option<&Bounds>,
        row: u64,
        cell: &str,
        findings: &mut Findings,
    ) -> Option<Day> {
        let Some(bounds) = bounds else { return Some(day) };
        let mut day = day;
        if let Some(century) = bounds.century
            && bounds.to.is_some_and(|to| day > to)
        {
            findings.issue(self.plan, row, century, cell);
            day = century_earlier(day);
        }
        if bounds.to.is_some_and(|to| day > to) || bounds.from.is_some_and(|from| day < from) {
            findings.issue(self.plan, row, bounds.refused, cell);
            return None;
        }
        Some(day)
    }

    /// A column of texts, and how many values it states.
    fn texts(&self, column: &ColumnPlan, findings: &mut Findings) -> (ArrayRef, u64) {
        let mut texts = StringBuilder::with_capacity(self.kept.len(), self.kept.len() * 12);
        let (mut stated, mut joined) = (0, String::new());
        for (i, number) in self.kept.iter().zip(self.numbers) {
            let text = |at: usize| self.cells.cell(*i as usize, at).text(self.text);
            if column.only.as_ref().is_some_and(|only| !only.holds(&text(only.at))) {
                texts.append_null();
                continue;
            }
            let cell = text(column.at);
            let named = column.kind == marquee_domain::FactKind::Name;
            if cell.is_empty() || (!named && self.plan.missing.is(&cell)) {
                texts.append_null();
                continue;
            }
            if column.split == Split::None {
                let value = column.name(&cell).map_or(cell, Cow::Borrowed);
                if value.is_empty() {
                    texts.append_null();
                    continue;
                }
                let more = column.and.iter().map(|at| text(*at)).filter(|more| !self.plan.missing.is(more));
                let value = more.fold(value, |value, more| Cow::Owned(format!("{value}|{more}")));
                // The unit separator means something in the lake.
                let value = if value.contains(UNIT) { Cow::Owned(value.replace(UNIT, " ")) } else { value };
                texts.append_value(value);
                stated += 1;
                continue;
            }
            match pieces(&cell, &column.split) {
                Some(pieces) => {
                    joined.clear();
                    let mut count = 0;
                    for piece in pieces.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).take(column.first)
                    {
                        if count > 0 {
                            joined.push(UNIT);
                        }
                        joined.push_str(column.name(piece).unwrap_or(piece));
                        count += 1;
                    }
                    stated += count;
                    texts.append_option((count > 0).then_some(joined.as_str()));
                }
                None => {
                    findings.issue(self.plan, *number, column.unreadable, &cell);
                    texts.append_null();
                }
            }
        }
        (Arc::new(texts.finish()), stated)
    }
}

/// The same day of another year, or the last of its month.
fn moved_to(day: Day, year: i32) -> Day {
    let first = |y| Day::new(y, day.month(), 1);
    let of_month = first(day.year()).map_or(1, |f| day.days_since(f) as u32 + 1);
    Day::new(year, day.month(), of_month)
        .or_else(|_| Day::new(year, day.month(), of_month - 1))
        .unwrap_or(day)
}

/// The values that share a cell; none where the cell is not written as its map says.
fn pieces<'a>(cell: &'a str, split: &Split) -> Option<Vec<Cow<'a, str>>> {
    match split {
        Split::None => Some(vec![Cow::Borrowed(cell)]),
        Split::By(separator) => Some(cell.split(separator.as_str()).map(Cow::Borrowed).collect()),
        Split::PythonList => python_list(cell),
        Split::Json(key) => {
            let Value::Array(items) = serde_json::from_str(cell).ok()? else { return None };
            let text = |item: &Value| match item {
                Value::Object(object) => object.get(key).and_then(Value::as_str).map(str::to_owned),
                Value::String(text) => Some(text.clone()),
                _ => None,
            };
            Some(items.iter().filter_map(text).map(Cow::Owned).collect())
        }
    }
}

/// A list as Python prints it: texts in single or double quotes, with backslash escapes.
fn python_list<'a>(cell: &str) -> Option<Vec<Cow<'a, str>>> {
    let inner = cell.trim().strip_prefix('[')?.strip_suffix(']')?;
    let (mut items, mut letters) = (Vec::new(), inner.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let mut item = String::new();
                loop {
                    match letters.next()? {
                        '\\' => item.push(letters.next()?),
                        end if end == letter => break,
                        other => item.push(other),
                    }
                }
                items.push(Cow::Owned(item));
            }
            ' ' | ',' => {}
            _ => return None,
        }
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart() {
        let check = |cell: &str, split: Split, want: &[&str]| {
            assert_eq!(pieces(cell, &split).map(|p| p.join("/")), Some(want.join("/")), "{cell}");
        };
        check("a|b c", Split::By("|".into()), &["a", "b c"]);
        check(r#"['x', "b's", 'it\'s']"#, Split::PythonList, &["x", "b's", "it's"]);
        check(
            r#"[{"id": 1, "name": "Action"}, {"name": "Drama"}]"#,
            Split::Json("name".into()),
            &["Action", "Drama"],
        );
        assert!(pieces("not a list", &Split::PythonList).is_none());
        assert!(pieces("{", &Split::Json("name".into())).is_none());
    }
}
