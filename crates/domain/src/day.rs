//! Days, and the day whose knowledge a question may use.
//!
//! A [`Day`] is a calendar day without a time zone; instants (when something was recorded) are
//! [`RecordedAt`](crate::RecordedAt).

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::DomainError;

/// The first year that Marquee keeps facts for: moving pictures start here.
pub const FIRST_YEAR: i32 = 1870;
/// The last year that a fact or a plan may name.
pub const LAST_YEAR: i32 = 2199;

/// A calendar day between [`FIRST_YEAR`] and [`LAST_YEAR`], kept as days since 1970-01-01.
///
/// ```
/// use marquee_domain::Day;
/// let day: Day = "2005-05-19".parse()?;
/// assert_eq!(day.plus(120).to_string(), "2005-09-16");
/// assert!("2005-02-30".parse::<Day>().is_err());
/// # Ok::<(), marquee_domain::DomainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(i32);

impl Day {
    /// The first day of [`FIRST_YEAR`].
    pub const MIN: Self = Self(-36_524);
    /// The last day of [`LAST_YEAR`].
    pub const MAX: Self = Self(84_005);

    /// The day with this year, month (1–12) and day of the month.
    ///
    /// # Errors
    /// [`DomainError::Day`] where the calendar has no such day or the year is out of range.
    pub fn new(year: i32, month: u32, day: u32) -> Result<Self, DomainError> {
        NaiveDate::from_ymd_opt(year, month, day)
            .and_then(Self::from_date)
            .ok_or_else(|| DomainError::Day(format!("{year:04}-{month:02}-{day:02}")))
    }

    /// The day that lies `days` after 1970-01-01, where it is in range.
    #[must_use]
    pub fn from_epoch_days(days: i32) -> Option<Self> {
        NaiveDate::from_epoch_days(days).and_then(Self::from_date)
    }

    /// Days since 1970-01-01 (Arrow's `Date32`).
    #[must_use]
    pub fn epoch_days(self) -> i32 {
        self.0
    }

    /// The day `days` later (earlier where negative), held inside the range that Marquee keeps.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        let moved = self.0.saturating_add(days);
        Self::from_epoch_days(moved).unwrap_or(if days < 0 { Self::MIN } else { Self::MAX })
    }

    /// Whole days from `earlier` to this day; negative where `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// The calendar year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u32 {
        self.date().month()
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day_of_month(self) -> u32 {
        self.date().day()
    }

    /// The day of the year, 1 to 366.
    #[must_use]
    pub fn ordinal(self) -> u32 {
        self.date().ordinal()
    }

    /// The weekday, 0 for Monday to 6 for Sunday.
    #[must_use]
    pub fn weekday(self) -> u32 {
        self.date().weekday().num_days_from_monday()
    }

    /// The first day of the quarter that this day lies in: how a plan that names only a season is dated.
    #[must_use]
    pub fn quarter_start(self) -> Self {
        let date = self.date();
        let month = (date.month0() / 3) * 3 + 1;
        Self::new(date.year(), month, 1).unwrap_or(self)
    }

    fn date(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.0).unwrap_or_default()
    }

    fn from_date(date: NaiveDate) -> Option<Self> {
        (FIRST_YEAR..=LAST_YEAR).contains(&date.year()).then(|| Self(date.to_epoch_days()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date().format("%Y-%m-%d"))
    }
}

impl FromStr for Day {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
            .ok()
            .and_then(Self::from_date)
            .ok_or_else(|| DomainError::Day(text.to_owned()))
    }
}

impl TryFrom<String> for Day {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

/// The day whose knowledge a question may use: facts with `known_on` on or before it, and no others.
///
/// ```
/// use marquee_domain::{AsOf, Day};
/// let as_of = AsOf(Day::new(2005, 1, 1)?);
/// assert!(as_of.knows(Day::new(2005, 1, 1)?));
/// assert!(!as_of.knows(Day::new(2005, 1, 2)?));
/// # Ok::<(), marquee_domain::DomainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AsOf(pub Day);

impl AsOf {
    /// Whether what became known on `day` may be used.
    #[must_use]
    pub fn knows(self, day: Day) -> bool {
        day <= self.0
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips(days in -36_000i32..80_000) {
            let day = Day::from_epoch_days(days).expect("in range");
            prop_assert_eq!(day.to_string().parse::<Day>(), Ok(day));
            prop_assert_eq!(day.plus(17).days_since(day), 17);
            prop_assert!(day.quarter_start() <= day && day.days_since(day.quarter_start()) < 92);
        }

        #[test]
        fn any_text_is_a_day_or_an_error(text in ".{0,40}") {
            let _ = text.parse::<Day>();
        }
    }

    #[test]
    fn the_range_ends_where_its_years_do() {
        assert_eq!(Day::MIN.to_string(), format!("{FIRST_YEAR}-01-01"));
        assert_eq!(Day::MAX.to_string(), format!("{LAST_YEAR}-12-31"));
    }

    #[test]
    fn arithmetic_stays_in_range() {
        let day = Day::new(2000, 1, 1).expect("a day");
        assert_eq!(day.plus(i32::MAX).year(), LAST_YEAR);
        assert_eq!(day.plus(i32::MIN).year(), FIRST_YEAR);
    }
}
