//! Everything that can go wrong in this crate, as one enum with the names, rows and bounds involved.

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// Two parts of a dataset, or a row and its model, differ in length.
    #[error("{what} has {found} values but {expected} are needed")]
    Length {
        /// What was measured.
        what: String,
        /// The length that the rest of the data demands.
        expected: usize,
        /// The length that was given.
        found: usize,
    },
    /// A value is infinite, or NaN where only a number will do.
    #[error("{what} in row {row} is {value}; give a finite number{hint}")]
    NotFinite {
        /// The feature or field.
        what: String,
        /// Row number from zero.
        row: usize,
        /// The value found.
        value: f64,
        /// What else is allowed, for features " (or NaN for missing)".
        hint: &'static str,
    },
    /// An outcome was known before the day of its own row.
    #[error(
        "row {row}: its outcome is known on day {known}, before the row's own day {day}; check the dates"
    )]
    KnownTooEarly {
        /// Row number from zero.
        row: usize,
        /// The row's day.
        day: i32,
        /// The day its outcome was known.
        known: i32,
    },
    /// A feature name occurs twice.
    #[error("feature {name:?} is named twice; give each feature its own name")]
    DuplicateFeature {
        /// The repeated name.
        name: String,
    },
    /// A spec names a feature that the dataset lacks.
    #[error("{spec} names feature {name:?}, which the dataset does not have; check its spelling")]
    UnknownFeature {
        /// The kind of model whose description names it.
        spec: &'static str,
        /// The unknown name.
        name: String,
    },
    /// There are more named groups, or features, than can be explained.
    #[error("{found} {what} are too many: at most {limit} are supported; merge some")]
    TooMany {
        /// "driver groups" or "features".
        what: &'static str,
        /// The number given.
        found: usize,
        /// The most that is supported.
        limit: usize,
    },
    /// No feature belongs to a driver group, so nothing may be learnt from.
    #[error(
        "no feature belongs to a driver group, so there is nothing to learn from; put features in groups"
    )]
    NoGroups,
    /// Too few rows for the job.
    #[error("{what} needs at least {needed} rows but has {found}; add data or ask for fewer folds")]
    TooFewRows {
        /// The job.
        what: &'static str,
        /// The least number that works.
        needed: usize,
        /// The number there is.
        found: usize,
    },
    /// A hyper-parameter is out of its bounds.
    #[error("{name} is {value} but must be {expected}")]
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// Its value, as text.
        value: String,
        /// The bounds, as text.
        expected: &'static str,
    },
    /// A library beneath could not fit.
    #[error("{what} could not be fitted: {reason}")]
    Fit {
        /// The kind of model.
        what: &'static str,
        /// The library's own words.
        reason: String,
    },
    /// The caller asked to stop, or the time budget ran out.
    #[error("stopped before the fit was done: cancelled, or out of time")]
    Cancelled,
    /// A stored artefact could not be read.
    #[error(transparent)]
    Artefact(#[from] crate::artefact::ArtefactError),
}

/// Refuses a parameter unless `ok` holds.
pub(crate) fn require(
    ok: bool,
    name: &'static str,
    value: impl std::fmt::Display,
    expected: &'static str,
) -> Result<(), LearnError> {
    if ok {
        return Ok(());
    }
    Err(LearnError::Parameter { name, value: value.to_string(), expected })
}
