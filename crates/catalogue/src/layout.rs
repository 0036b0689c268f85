//! How facts lie in a file, and how they are read out of it again.
//!
//! A data file keeps one row for each row of its source and one column for each kind of fact: Parquet stores columns
//! apart, so that this *is* a partition by kind, at a quarter of the bytes that one row for each fact would take. What
//! all rows share (source, currency, the rule from when a fact is known) stands once, in the [`Layout`] in the manifest.
//! [`melt`] turns rows back into single facts; nothing else knows the layout.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Int64Type, Schema, UInt64Type};
use marquee_domain::{Currency, Day, FactKind, ValueType};
use serde::{Deserialize, Serialize};

use crate::known::{Known, KnownAt};
use crate::mapping::{Mapping, TITLE_YEAR};

/// The column that holds the title's id.
pub(crate) const TITLE: &str = "title_id";
/// The column that holds the row's number in the source, from 1.
pub(crate) const ROW: &str = "row";
/// The column that holds the release day.
pub(crate) const RELEASE: &str = "release";
/// Stands between several values in one cell: U+001F, the unit separator.
pub(crate) const UNIT: char = '\u{1f}';

/// What the columns of a data file state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Layout {
    /// The columns that state facts.
    pub columns: Vec<FactColumn>,
    /// Whether there is a release column.
    pub release: bool,
    /// From when that is known which has no better date.
    pub compiled: Day,
}

/// A column that states facts of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FactColumn {
    /// The column's name in the file.
    pub field: String,
    /// What it states.
    pub kind: FactKind,
    /// From when that is known.
    pub known: KnownAt,
    /// The name space of an id.
    pub space: Option<String>,
    /// The currency of an amount.
    pub currency: Option<Currency>,
    /// The year whose prices an amount is in; nominal where there is none.
    pub price_year: Option<i32>,
}

/// One fact as it lies in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowFact<'a> {
    pub title: u64,
    pub row: i64,
    pub known_on: i32,
    pub column: &'a FactColumn,
    pub value: RowValue<'a>,
}

/// The value of one fact, in the file's units.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowValue<'a> {
    Whole(i64),
    Number(f64),
    Text(&'a str),
    Day(i32),
}

impl Layout {
    /// What the columns of the data files will state; `ids` and a release column where there are such, which may state days of its
    /// own.
    pub(crate) fn of(map: &Mapping, ids: bool, release: bool, own_release: bool, today: Day) -> Self {
        let plain = |field: &str, kind: FactKind| FactColumn {
            field: field.to_owned(),
            kind,
            known: known_at(&Known::usual(kind), release, field),
            space: None,
            currency: None,
            price_year: None,
        };
        let mut columns = Vec::new();
        if map.title_year.is_some() {
            columns.push(FactColumn {
                space: Some(TITLE_YEAR.to_owned()),
                ..plain("id_main", FactKind::SourceId)
            });
        }
        for (i, id) in map.id.iter().enumerate().filter(|_| ids) {
            columns.push(FactColumn {
                space: Some(id.space.clone()),
                ..plain(&format!("id_{i}"), FactKind::SourceId)
            });
        }
        if own_release {
            columns.extend([plain(RELEASE, FactKind::PlannedQuarter), plain(RELEASE, FactKind::ReleaseDate)]);
        }
        for (i, column) in map.column.iter().enumerate() {
            let field = format!("{}_{i}", column.kind);
            let known = column.known.clone().unwrap_or_else(|| Known::usual(column.kind));
            let money = column.kind.value_type() == ValueType::Money;
            columns.push(FactColumn {
                known: known_at(&known, release, &format!("{field}_known")),
                currency: money.then_some(column.currency),
                price_year: column.price_year,
                ..plain(&field, column.kind)
            });
        }
        Self { columns, release, compiled: map.compiled_on.unwrap_or(today) }
    }

    /// The Arrow schema of a file with this layout.
    pub(crate) fn schema(&self) -> Arc<Schema> {
        let mut fields =
            vec![Field::new(TITLE, DataType::UInt64, false), Field::new(ROW, DataType::Int64, false)];
        if self.release {
            fields.push(Field::new(RELEASE, DataType::Date32, true));
        }
        for column in self.columns.iter().filter(|c| c.field != RELEASE) {
            fields.push(Field::new(&column.field, stored_type(column.kind), true));
            if let KnownAt::Field(name) = &column.known
                && !fields.iter().any(|f| f.name() == name)
            {
                fields.push(Field::new(name, DataType::Date32, true));
            }
        }
        Arc::new(Schema::new(fields))
    }

    /// The names of the file's columns that these kinds need; no kinds means all.
    pub(crate) fn fields_for(&self, kinds: &[FactKind]) -> Vec<String> {
        let mut names = vec![TITLE.to_owned(), ROW.to_owned()];
        if self.release {
            names.push(RELEASE.to_owned());
        }
        for column in self.columns.iter().filter(|c| wanted(kinds, c.kind)) {
            names.push(column.field.clone());
            if let KnownAt::Field(name) = &column.known {
                names.push(name.clone());
            }
        }
        names
    }
}

fn known_at(known: &Known, release: bool, field: &str) -> KnownAt {
    match known {
        Known::Release(days) if release => KnownAt::Release(*days),
        Known::Column(..) | Known::Year(..) => KnownAt::Field(field.to_owned()),
        _ => KnownAt::Fixed,
    }
}

pub(crate) fn wanted(kinds: &[FactKind], kind: FactKind) -> bool {
    kinds.is_empty() || kinds.contains(&kind)
}

/// The Arrow type that a kind's values are stored as: money in minor units.
pub(crate) fn stored_type(kind: FactKind) -> DataType {
    match kind.value_type() {
        ValueType::Money | ValueType::Count => DataType::Int64,
        ValueType::Number => DataType::Float64,
        ValueType::Text => DataType::Utf8,
        ValueType::Day => DataType::Date32,
    }
}

/// Hands every fact of a batch, in the order of columns, then rows, to `take`. Columns that the batch lacks are passed over.
pub(crate) fn melt(
    batch: &RecordBatch,
    layout: &Layout,
    kinds: &[FactKind],
    mut take: impl FnMut(RowFact<'_>),
) {
    let column = |name: &str| batch.column_by_name(name);
    let (Some(titles), Some(rows)) = (
        column(TITLE).and_then(|c| c.as_primitive_opt::<UInt64Type>()),
        column(ROW).and_then(|c| c.as_primitive_opt::<Int64Type>()),
    ) else {
        return;
    };
    let day_at = |array: Option<&ArrayRef>, i: usize| {
        let days = array?.as_primitive_opt::<Date32Type>()?;
        days.is_valid(i).then(|| days.value(i))
    };
    let compiled = layout.compiled.epoch_days();
    let release = column(RELEASE);
    for fact in layout.columns.iter().filter(|c| wanted(kinds, c.kind)) {
        let Some(values) = column(&fact.field) else { continue };
        let known = match &fact.known {
            KnownAt::Field(name) => column(name),
            _ => None,
        };
        for i in (0..batch.num_rows()).filter(|i| values.is_valid(*i)) {
            let known_on = match &fact.known {
                KnownAt::Release(days) => day_at(release, i).map_or(compiled, |d| d + days),
                KnownAt::Field(_) => day_at(known, i).unwrap_or(compiled),
                KnownAt::Fixed => compiled,
            };
            let stated =
                |value| RowFact { title: titles.value(i), row: rows.value(i), known_on, column: fact, value };
            match values.data_type() {
                DataType::Int64 => take(stated(RowValue::Whole(values.as_primitive::<Int64Type>().value(i)))),
                DataType::Float64 => {
                    take(stated(RowValue::Number(values.as_primitive::<Float64Type>().value(i))));
                }
                DataType::Date32 => {
                    let day = values.as_primitive::<Date32Type>().value(i);
                    let day = match fact.kind {
                        FactKind::PlannedQuarter => quarter(day),
                        _ => day,
                    };
                    take(stated(RowValue::Day(day)));
                }
                DataType::Utf8 if fact.kind.is_many() && fact.space.is_none() => {
                    for piece in values.as_string::<i32>().value(i).split(UNIT) {
                        take(stated(RowValue::Text(piece)));
                    }
                }
                DataType::Utf8 => take(stated(RowValue::Text(values.as_string::<i32>().value(i)))),
                _ => {}
            }
        }
    }
}

fn quarter(day: i32) -> i32 {
    Day::from_epoch_days(day).map_or(day, |d| d.quarter_start().epoch_days())
}
