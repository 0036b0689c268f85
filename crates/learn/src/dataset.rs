//! Tables to learn from: named features in named driver groups, and dated rows with their outcomes.
//!
//! A feature that belongs to no group may be carried along (to sort or to inspect by) but is **never shown
//! to a model**: what cannot be explained must not move a forecast.

use crate::error::LearnError;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The most driver groups a model can attribute to: attribution keeps sets of groups in one machine word.
pub const MAX_GROUPS: usize = 64;
/// The most features: tree nodes keep 16-bit feature numbers.
pub const MAX_FEATURES: usize = 60_000;
/// Values of this size and beyond are refused as infinite would be; squares of what is below stay finite.
const TOO_LARGE: f64 = 1e150;

/// The columns of a [`Dataset`] and of the rows that a model will be asked about: names, in order, each in
/// at most one driver group.
///
/// ```
/// use marquee_learn::Features;
///
/// let features = Features::new([("log_budget", Some("scale")), ("runtime", Some("scale")), ("id", None)])?;
/// assert_eq!(features.len(), 3);
/// assert_eq!(features.groups(), ["scale"]);
/// assert_eq!(features.group_of(2), None);
/// # Ok::<(), marquee_learn::LearnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    names: Vec<String>,
    groups: Vec<String>,
    group_of: Vec<Option<u8>>,
}

impl Features {
    /// Features in column order, each with the name of its group. Groups are numbered as they first occur.
    ///
    /// # Errors
    /// [`LearnError::DuplicateFeature`]; [`LearnError::TooMany`] beyond [`MAX_GROUPS`] or [`MAX_FEATURES`].
    pub fn new<N: Into<String>, G: Into<String>>(
        columns: impl IntoIterator<Item = (N, Option<G>)>,
    ) -> Result<Self, LearnError> {
        let mut features = Self { names: Vec::new(), groups: Vec::new(), group_of: Vec::new() };
        let mut seen = HashSet::new();
        for (name, group) in columns {
            let name = name.into();
            if !seen.insert(name.clone()) {
                return Err(LearnError::DuplicateFeature { name });
            }
            let group = group.map(|group| features.group_number(group.into())).transpose()?;
            features.names.push(name);
            features.group_of.push(group);
        }
        let found = features.names.len();
        if found > MAX_FEATURES {
            return Err(LearnError::TooMany { what: "features", found, limit: MAX_FEATURES });
        }
        Ok(features)
    }

    fn group_number(&mut self, group: String) -> Result<u8, LearnError> {
        let index = self.groups.iter().position(|known| *known == group).unwrap_or_else(|| {
            self.groups.push(group);
            self.groups.len() - 1
        });
        u8::try_from(index).ok().filter(|&i| usize::from(i) < MAX_GROUPS).ok_or(LearnError::TooMany {
            what: "driver groups",
            found: index + 1,
            limit: MAX_GROUPS,
        })
    }

    /// The number of features.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no feature.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Feature names in column order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Group names; a group's number is its place here.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The group number of a feature; `None` also beyond the last feature.
    pub fn group_of(&self, feature: usize) -> Option<usize> {
        self.group_of.get(feature).copied().flatten().map(usize::from)
    }

    /// The column of a feature.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The columns that models may see: those in a group.
    pub fn grouped(&self) -> Vec<usize> {
        (0..self.len()).filter(|&j| self.group_of[j].is_some()).collect()
    }

    /// Whether decoded parts belong together.
    pub(crate) fn is_consistent(&self) -> bool {
        self.names.len() == self.group_of.len()
            && self.groups.len() <= MAX_GROUPS
            && self.group_of.iter().flatten().all(|&g| usize::from(g) < self.groups.len())
    }

    /// Refuses a row of the wrong length or with an infinite value in it.
    pub(crate) fn check_row(&self, row: &[f64]) -> Result<(), LearnError> {
        if row.len() != self.len() {
            return Err(LearnError::Length {
                what: "the row".into(),
                expected: self.len(),
                found: row.len(),
            });
        }
        match row.iter().position(|&v| too_large(v)) {
            Some(j) => Err(LearnError::NotFinite {
                what: format!("feature {:?}", self.names[j]),
                row: 0,
                value: row[j],
                hint: " (or NaN for missing)",
            }),
            None => Ok(()),
        }
    }
}

fn too_large(value: f64) -> bool {
    value.abs() >= TOO_LARGE
}

/// What is known of a row beside its features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example {
    /// The day the row speaks as of, in days from any fixed origin; rows are ordered by it.
    pub day: i32,
    /// The day its outcome became known, in the same days; never before `day`.
    pub known: i32,
    /// The outcome, in the unit of the caller (for money: US dollars, natural log).
    pub target: f64,
    /// How much the row counts, above zero; 1 where nothing speaks against it.
    pub weight: f64,
}

impl Example {
    /// An example of weight 1.
    pub fn new(day: i32, known: i32, target: f64) -> Self {
        Self { day, known, target, weight: 1.0 }
    }
}

/// Dated rows of features with their outcomes: a dense column-major matrix in which NaN means missing.
///
/// ```
/// use marquee_learn::{Dataset, Example, Features};
///
/// let features = Features::new([("log_budget", Some("scale")), ("runtime", Some("format"))])?;
/// let mut data = Dataset::new(features);
/// data.push(&[17.2, 104.0], Example::new(12_000, 12_120, 16.9))?;
/// data.push(&[15.1, f64::NAN], Example::new(12_007, 12_127, 14.2))?;
/// assert_eq!(data.len(), 2);
/// assert_eq!(data.column(0), &[17.2, 15.1]);
/// # Ok::<(), marquee_learn::LearnError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dataset {
    features: Features,
    columns: Vec<Vec<f64>>,
    examples: Vec<Example>,
}

impl Dataset {
    /// An empty dataset with these columns.
    pub fn new(features: Features) -> Self {
        let columns = vec![Vec::new(); features.len()];
        Self { features, columns, examples: Vec::new() }
    }

    /// A dataset from whole columns, all as long as `examples`.
    ///
    /// # Errors
    /// As [`Dataset::push`], and [`LearnError::Length`] for a column of another length.
    pub fn from_columns(
        features: Features,
        columns: Vec<Vec<f64>>,
        examples: Vec<Example>,
    ) -> Result<Self, LearnError> {
        if columns.len() != features.len() {
            let what = "the list of columns".into();
            return Err(LearnError::Length { what, expected: features.len(), found: columns.len() });
        }
        for (name, column) in features.names().iter().zip(&columns) {
            if column.len() != examples.len() {
                let what = format!("feature {name:?}");
                return Err(LearnError::Length { what, expected: examples.len(), found: column.len() });
            }
            if let Some(row) = column.iter().position(|&v| too_large(v)) {
                return Err(not_finite(
                    format!("feature {name:?}"),
                    row,
                    column[row],
                    " (or NaN for missing)",
                ));
            }
        }
        for (row, example) in examples.iter().enumerate() {
            check_example(row, example)?;
        }
        Ok(Self { features, columns, examples })
    }

    /// Adds a row: one value for each feature, NaN where missing.
    ///
    /// # Errors
    /// [`LearnError::Length`], [`LearnError::NotFinite`] or [`LearnError::KnownTooEarly`]; the dataset is
    /// then unchanged.
    pub fn push(&mut self, values: &[f64], example: Example) -> Result<(), LearnError> {
        let row = self.len();
        self.features.check_row(values).map_err(|error| match error {
            LearnError::NotFinite { what, value, hint, .. } => not_finite(what, row, value, hint),
            other => other,
        })?;
        check_example(row, &example)?;
        for (column, &value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        self.examples.push(example);
        Ok(())
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// What the columns are.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// A column by number; empty beyond the last.
    pub fn column(&self, feature: usize) -> &[f64] {
        self.columns.get(feature).map_or(&[], Vec::as_slice)
    }

    /// What is known of each row beside its features.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// One row's values in column order; empty beyond the last row.
    pub fn row(&self, row: usize) -> Vec<f64> {
        self.columns.iter().filter_map(|column| column.get(row).copied()).collect()
    }

    /// A dataset of these rows, in this order; numbers beyond the last row are passed over.
    pub fn subset(&self, rows: &[usize]) -> Self {
        let rows: Vec<usize> = rows.iter().copied().filter(|&i| i < self.len()).collect();
        let columns = self.columns.iter().map(|c| rows.iter().map(|&i| c[i]).collect()).collect();
        let examples = rows.iter().map(|&i| self.examples[i]).collect();
        Self { features: self.features.clone(), columns, examples }
    }

    /// Targets of these rows.
    pub(crate) fn targets(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|&i| self.examples[i].target).collect()
    }

    /// Weights of these rows.
    pub(crate) fn weights(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|&i| self.examples[i].weight).collect()
    }

    /// The given rows of the given columns, column by column.
    pub(crate) fn gather(&self, columns: &[usize], rows: &[usize]) -> Vec<f64> {
        columns.iter().flat_map(|&j| rows.iter().map(move |&i| self.columns[j][i])).collect()
    }
}

fn not_finite(what: String, row: usize, value: f64, hint: &'static str) -> LearnError {
    LearnError::NotFinite { what, row, value, hint }
}

fn check_example(row: usize, example: &Example) -> Result<(), LearnError> {
    let &Example { day, known, target, weight } = example;
    if target.is_nan() || too_large(target) {
        return Err(not_finite("the target".into(), row, target, ""));
    }
    if weight.is_nan() || !(1e-6..=1e6).contains(&weight) {
        return Err(not_finite("the weight".into(), row, weight, " between 1e-6 and 1e6"));
    }
    if known < day {
        return Err(LearnError::KnownTooEarly { row, day, known });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn two() -> Features {
        Features::new([("a", Some("g")), ("b", None)]).unwrap()
    }

    #[test]
    fn bad_rows_are_refused_and_leave_no_trace() {
        let mut data = Dataset::new(two());
        let good = Example::new(1, 2, 3.0);
        assert!(matches!(data.push(&[1.0], good), Err(LearnError::Length { expected: 2, found: 1, .. })));
        let infinite = data.push(&[1.0, f64::INFINITY], good).unwrap_err();
        assert_eq!(
            infinite.to_string(),
            "feature \"b\" in row 0 is inf; give a finite number (or NaN for missing)"
        );
        assert!(data.push(&[1.0, 2.0], Example::new(3, 2, 0.0)).is_err());
        assert!(data.push(&[1.0, 2.0], Example::new(1, 2, f64::NAN)).is_err());
        assert!(data.push(&[1.0, 2.0], Example { weight: 0.0, ..good }).is_err());
        assert!(data.is_empty() && data.column(0).is_empty());
    }

    #[test]
    fn rows_and_columns_agree() {
        let mut data = Dataset::new(two());
        data.push(&[1.0, 2.0], Example::new(1, 1, 0.0)).unwrap();
        data.push(&[3.0, f64::NAN], Example::new(2, 2, 1.0)).unwrap();
        let same = Dataset::from_columns(
            two(),
            vec![data.column(0).to_vec(), data.column(1).to_vec()],
            data.examples().to_vec(),
        )
        .unwrap();
        assert_eq!(same.row(0), [1.0, 2.0]);
        let last = data.subset(&[1, 7]);
        assert_eq!((last.len(), last.row(0)[0]), (1, 3.0));
        assert!(
            Dataset::from_columns(two(), vec![vec![1.0], vec![]], vec![Example::new(0, 0, 0.0)]).is_err()
        );
    }

    #[test]
    fn names_are_unique_and_groups_limited() {
        assert!(Features::new([("a", Some("g")), ("a", Some("h"))]).is_err());
        let many = (0..65).map(|i| (format!("f{i}"), Some(format!("g{i}"))));
        assert!(matches!(Features::new(many), Err(LearnError::TooMany { found: 65, .. })));
        assert_eq!(two().grouped(), [0]);
    }
}
