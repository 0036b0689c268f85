//! What can go wrong in the forecasting room.

use marquee_domain::{Cancelled, Day, DomainError};
use marquee_learn::LearnError;

/// Why a forecast or a model could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ForecastError {
    /// Facts did not come in order of the day they became known.
    #[error(
        "a fact known on {fact} came after the history had reached {now}; hand facts over in order of `known_on`"
    )]
    OutOfOrder {
        /// The late fact's day.
        fact: Day,
        /// Where the history stood.
        now: Day,
    },
    /// Too few known outcomes to learn from.
    #[error(
        "{have} known outcomes are too few to learn {what} from; {need} are needed: ingest tables that state more, or choose a later day"
    )]
    TooFew {
        /// What was to be learned.
        what: String,
        /// How many there are.
        have: usize,
        /// How many are needed.
        need: usize,
    },
    /// There is nothing to test on.
    #[error("there is nothing to test: no outcome is known of {what}")]
    Untested {
        /// What was to be tested.
        what: String,
    },
    /// The subject lacks what every forecast needs.
    #[error("`{name}` cannot be forecast: {missing} is not known on {as_of}")]
    Unknown {
        /// The title or project.
        name: String,
        /// What is missing.
        missing: &'static str,
        /// The day whose knowledge was used.
        as_of: Day,
    },
    /// A what-if that cannot be.
    #[error(
        "`{name}` cannot be forecast with {change}: no film has that, or it is not after {as_of}, the day whose knowledge is used"
    )]
    Change {
        /// The title or project.
        name: String,
        /// What was to be changed.
        change: String,
        /// The day whose knowledge is used.
        as_of: Day,
    },
    /// A stored model sees something that this version of Marquee does not know.
    #[error("the stored model sees `{column}`, which this version of Marquee does not know; train again")]
    Foreign {
        /// What it sees.
        column: String,
    },
    /// A value that may not exist.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The learning below failed.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// It was told to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
