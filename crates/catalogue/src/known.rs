//! From when the world could know a fact: what a map says of it, and what holds where it says nothing.

use std::str::FromStr;

use marquee_domain::{Day, FactKind};
use serde::{Deserialize, Serialize};

/// From when the world could know a fact.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub enum Known {
    /// So many days after the title's release (before it where negative); undated where that day is unknown.
    Release(i32),
    /// So many days after the day in this column.
    Column(String, i32),
    /// A day of a year so many years after the one in this column: column, years, month, day.
    Year(String, i32, u32, u32),
    /// Nobody knows: from the day that the table was compiled.
    Undated,
}

/// Days from greenlight to release where no greenlight day is known.
pub const GREENLIGHT_LEAD: i32 = 540;
/// Days from announcement to release.
pub const ANNOUNCED_LEAD: i32 = 30;
/// Days after release from which the gross of a whole run counts as known.
pub const RUN_KNOWN_AFTER: i32 = 120;

impl Known {
    /// The rule for a kind where a map says nothing else: DESIGN's table of horizons. Undated are the kinds that crowds
    /// go on editing after release.
    #[must_use]
    pub fn usual(kind: FactKind) -> Self {
        use FactKind as K;
        match kind {
            K::ReleaseDate | K::Distributor | K::AgeRating | K::Runtime | K::Synopsis => {
                Self::Release(-ANNOUNCED_LEAD)
            }
            // Bookings are made in the week before.
            K::OpeningTheatres => Self::Release(-1),
            K::OpeningDayGross => Self::Release(1),
            // A release on a Saturday has its first whole weekend behind it after nine days, one on a Friday after three: the
            // rule is one for all.
            K::OpeningWeekendGross => Self::Release(9),
            K::DomesticGross | K::InternationalGross | K::WorldwideGross | K::WidestTheatres => {
                Self::Release(RUN_KNOWN_AFTER)
            }
            K::Keyword
            | K::CriticScore
            | K::ViewerScore
            | K::VoteCount
            | K::Popularity
            | K::HomeVideoSales
            | K::DailyGross
            | K::GrossToDate
            | K::DailyTheatres
            | K::WeeklyHours
            | K::WeeklyViews
            | K::WeeklyRank
            | K::WeeklyList
            | K::Units
            | K::UnitsJapan
            | K::AwardNomination
            | K::AwardWin => Self::Undated,
            _ => Self::Release(-GREENLIGHT_LEAD),
        }
    }
}

impl TryFrom<String> for Known {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let fail = || {
            format!(
                "known `{word}`: use greenlight, announced, release, release+DAYS, release-DAYS, column:NAME, column:NAME+DAYS, year:NAME MM-DD, year:NAME+YEARS MM-DD or undated"
            )
        };
        if let Some(rest) = word.strip_prefix("year:") {
            return day_of_year(rest).ok_or_else(fail);
        }
        Ok(match word.as_str() {
            "greenlight" => Self::Release(-GREENLIGHT_LEAD),
            "announced" => Self::Release(-ANNOUNCED_LEAD),
            "release" => Self::Release(0),
            "undated" => Self::Undated,
            _ => match (word.strip_prefix("column:"), word.strip_prefix("release")) {
                (Some(name), _) => match name.rsplit_once('+').map(|(name, days)| (name, days.parse())) {
                    Some((name, Ok(days))) => Self::Column(name.to_owned(), days),
                    _ => Self::Column(name.to_owned(), 0),
                },
                (_, Some(days)) => Self::Release(i32::from_str(days).map_err(|_| fail())?),
                _ => return Err(fail()),
            },
        })
    }
}

/// `NAME MM-DD` or `NAME+YEARS MM-DD`.
fn day_of_year(text: &str) -> Option<Known> {
    let (column, day) = text.rsplit_once(' ')?;
    let (month, day) = day.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    // A day that every year has.
    Day::new(2001, month, day).ok()?;
    let later = column.rsplit_once('+').and_then(|(name, years)| Some((name, years.parse().ok()?)));
    let (name, years) = later.unwrap_or((column, 0));
    Some(Known::Year(name.to_owned(), years, month, day))
}

/// How an ingest was dated and mapped, kept in the manifest so that reading needs no map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum KnownAt {
    /// Days after the file's `release` column; the fixed day where that is empty.
    Release(i32),
    /// The day in this field of the file; the fixed day where that is empty.
    Field(String),
    /// The day that the table was compiled.
    Fixed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowd_edited_kinds_are_undated() {
        assert_eq!(Known::usual(FactKind::Keyword), Known::Undated);
        assert_eq!(Known::usual(FactKind::Budget), Known::Release(-540));
        assert_eq!(Known::try_from("release+3".to_owned()), Ok(Known::Release(3)));
        let column = |name: &str, days| Ok(Known::Column(name.to_owned(), days));
        assert_eq!(Known::try_from("column:week+2".to_owned()), column("week", 2));
        assert_eq!(Known::try_from("column:a+b".to_owned()), column("a+b", 0));
        let year = |text: &str| Known::try_from(text.to_owned());
        assert_eq!(year("year:Year+1 03-15"), Ok(Known::Year("Year".to_owned(), 1, 3, 15)));
        assert_eq!(year("year:year film 12-31"), Ok(Known::Year("year film".to_owned(), 0, 12, 31)));
        assert!(year("year:Year").is_err() && year("year:Year 02-29").is_err());
    }
}
