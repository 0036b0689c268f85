//! The one error of this crate: a value that may not exist, with the value that was refused.

use crate::{Currency, PriceYear};

/// Why a domain value was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DomainError {
    /// A probability outside [0, 1], or not a number.
    #[error("a probability must lie in [0, 1], not {0}")]
    Probability(f64),
    /// A coverage outside (0, 1), or not a number.
    #[error("a coverage must lie strictly between 0 and 1, not {0}")]
    Coverage(f64),
    /// A weight that is negative, infinite or not a number.
    #[error("a weight must be finite and not negative, not {0}")]
    Weight(f64),
    /// A day outside the years that Marquee keeps.
    #[error("`{0}` is not a day between {first} and {last}; write it as YYYY-MM-DD", first = crate::FIRST_YEAR, last = crate::LAST_YEAR)]
    Day(String),
    /// Two amounts in different currencies.
    #[error("cannot combine {0} with {1}: convert one of them first")]
    Currencies(Currency, Currency),
    /// Two amounts in different price years.
    #[error("cannot combine money in {0} with money in {1} prices: deflate one of them first")]
    PriceYears(PriceYear, PriceYear),
    /// An amount beyond what 64-bit minor units hold, or not a number.
    #[error("{0} is not an amount of money that can be kept")]
    Amount(f64),
    /// The sum or product of two amounts is beyond what 64-bit minor units hold.
    #[error("the amount is too large to be kept")]
    Overflow,
    /// A currency that is not three capital letters.
    #[error("`{0}` is not an ISO 4217 currency code such as USD")]
    Currency(String),
    /// Quantiles that are not what a distribution needs.
    #[error("these are not quantiles: {0}")]
    Quantiles(String),
    /// A word that names no member of a closed set.
    #[error("`{word}` is no {what}; one of: {known}")]
    Word {
        /// What was asked for, for example "horizon".
        what: &'static str,
        /// The word that was given.
        word: String,
        /// The words that would have been understood.
        known: String,
    },
    /// A project that cannot be judged.
    #[error("project `{name}`: {what}")]
    Project {
        /// The project's name.
        name: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
}
