//! Facts: dated statements about titles, the only input that anything in Marquee learns from.
//!
//! A fact says when it became known to the world ([`Fact::known_on`]) and when Marquee learned it
//! ([`Fact::recorded_at`]). A correction is a new fact with the same title, kind and source, recorded later; the earlier
//! one stays. A fact whose day of knowledge nobody knows is known on the day that its source was compiled or ingested,
//! so that it can explain nothing earlier.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Day, DomainError, Money, TitleId};

/// Microseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordedAt(pub i64);

/// A dated statement about a title.
///
/// ```
/// use marquee_domain::*;
/// let fact = Fact {
///     title: TitleId::of(Vertical::Film, "tmdb", "603"),
///     kind: FactKind::Budget,
///     value: FactValue::Money(Money::from_major(63e6, Currency::USD)?),
///     known_on: Day::new(1997, 10, 7)?,
///     recorded_at: RecordedAt(0),
///     source: "films.csv".into(),
/// };
/// assert_eq!(fact.kind.value_type(), fact.value.value_type());
/// # Ok::<(), DomainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The title that it is about.
    pub title: TitleId,
    /// What it states.
    pub kind: FactKind,
    /// What it states it to be; its type is the kind's [`FactKind::value_type`].
    pub value: FactValue,
    /// The first day on which the world could know it.
    pub known_on: Day,
    /// When Marquee learned it.
    pub recorded_at: RecordedAt,
    /// The table that it was read from.
    pub source: Arc<str>,
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum FactValue {
    /// An amount of money.
    Money(Money),
    /// A whole number: minutes, theatres, votes.
    Count(i64),
    /// A measurement: a score.
    Number(f64),
    /// A name, a code or a text.
    Text(Arc<str>),
    /// A day.
    Day(Day),
}

impl FactValue {
    /// Which type this value has.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Money(_) => ValueType::Money,
            Self::Count(_) => ValueType::Count,
            Self::Number(_) => ValueType::Number,
            Self::Text(_) => ValueType::Text,
            Self::Day(_) => ValueType::Day,
        }
    }
}

/// The type of a fact's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// [`FactValue::Money`].
    Money,
    /// [`FactValue::Count`].
    Count,
    /// [`FactValue::Number`].
    Number,
    /// [`FactValue::Text`].
    Text,
    /// [`FactValue::Day`].
    Day,
}

macro_rules! fact_kinds {
    ($($(#[$doc:meta])+ $name:ident, $word:literal, $type:ident, $many:literal;)+) => {
        /// What a fact states. The word in brackets is its name in files, mappings and SQL.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum FactKind {
            $($(#[$doc])+ $name,)+
        }

        impl FactKind {
            /// All kinds, in a fixed order.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word used in files, mappings and SQL.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The type that a value of this kind has.
            #[must_use]
            pub fn value_type(self) -> ValueType {
                match self { $(Self::$name => ValueType::$type),+ }
            }

            /// Whether one source may state several at once (genres, cast); otherwise a later fact replaces an earlier one.
            #[must_use]
            pub fn is_many(self) -> bool {
                match self { $(Self::$name => $many),+ }
            }
        }
    };
}

fact_kinds! {
    /// The name (`name`).
    Name, "name", Text, false;
    /// An id that a source gives, as `space:id` (`source_id`).
    SourceId, "source_id", Text, true;
    /// The first day of the quarter planned for release: year and season, all that is known at greenlight (`planned_quarter`).
    PlannedQuarter, "planned_quarter", Day, false;
    /// The release day (`release_date`).
    ReleaseDate, "release_date", Day, false;
    /// The cost of making it (`budget`).
    Budget, "budget", Money, false;
    /// The language it is made in, ISO 639-1 where the source has it (`language`).
    Language, "language", Text, false;
    /// A country that makes it (`country`).
    Country, "country", Text, true;
    /// A genre (`genre`).
    Genre, "genre", Text, true;
    /// What it is based on (`basis`): original screenplay, book, game, remake.
    Basis, "basis", Text, false;
    /// A style of story (`creative_type`): contemporary fiction, fantasy.
    CreativeType, "creative_type", Text, false;
    /// A production company (`company`).
    Company, "company", Text, true;
    /// The distributor (`distributor`).
    Distributor, "distributor", Text, false;
    /// The series of titles that it belongs to (`franchise`). Usable only to find earlier members: lists of members are
    /// compiled with hindsight.
    Franchise, "franchise", Text, false;
    /// A director (`director`).
    Director, "director", Text, true;
    /// A writer (`writer`).
    Writer, "writer", Text, true;
    /// A leading performer (`cast`).
    Cast, "cast", Text, true;
    /// The age rating (`age_rating`).
    AgeRating, "age_rating", Text, false;
    /// Minutes (`runtime`).
    Runtime, "runtime", Count, false;
    /// A text that says what it is about (`synopsis`).
    Synopsis, "synopsis", Text, false;
    /// A keyword, as a rule crowd-edited and undated (`keyword`).
    Keyword, "keyword", Text, true;
    /// Domestic gross, whole run (`domestic_gross`).
    DomesticGross, "domestic_gross", Money, false;
    /// International gross, whole run (`international_gross`).
    InternationalGross, "international_gross", Money, false;
    /// Worldwide gross, whole run (`worldwide_gross`).
    WorldwideGross, "worldwide_gross", Money, false;
    /// Domestic gross of the opening day (`opening_day_gross`).
    OpeningDayGross, "opening_day_gross", Money, false;
    /// Domestic gross of the opening weekend (`opening_weekend_gross`).
    OpeningWeekendGross, "opening_weekend_gross", Money, false;
    /// Theatres on the opening weekend (`opening_theatres`).
    OpeningTheatres, "opening_theatres", Count, false;
    /// The most theatres of the run (`widest_theatres`).
    WidestTheatres, "widest_theatres", Count, false;
    /// Domestic gross of the day it becomes known on (`daily_gross`).
    DailyGross, "daily_gross", Money, true;
    /// Theatres on the day it becomes known on (`daily_theatres`).
    DailyTheatres, "daily_theatres", Count, true;
    /// Domestic gross of the run so far, up to the day it becomes known on (`gross_to_date`).
    GrossToDate, "gross_to_date", Money, true;
    /// Hours viewed in the week that ends shortly before it becomes known (`weekly_hours`).
    WeeklyHours, "weekly_hours", Count, true;
    /// Views in that week, as the source counts them (`weekly_views`).
    WeeklyViews, "weekly_views", Count, true;
    /// Its place in that week's list, from 1 (`weekly_rank`).
    WeeklyRank, "weekly_rank", Count, true;
    /// The weekly list that it is in (`weekly_list`).
    WeeklyList, "weekly_list", Text, false;
    /// The year of release, where no day is known (`release_year`).
    ReleaseYear, "release_year", Count, false;
    /// The machine that a game is for (`platform`).
    Platform, "platform", Text, false;
    /// Copies of a game sold worldwide over its life (`units`).
    Units, "units", Count, false;
    /// Those of them that were sold in Japan (`units_japan`).
    UnitsJapan, "units_japan", Count, false;
    /// A nomination for an award (`award_nomination`): the award's word, see [`Award`](crate::Award), and who is named, with
    /// `|` between.
    AwardNomination, "award_nomination", Text, true;
    /// A nomination that won, in the same words (`award_win`).
    AwardWin, "award_win", Text, true;
    /// Sales of discs and downloads (`home_video_sales`).
    HomeVideoSales, "home_video_sales", Money, false;
    /// Critics' score, 0–100 (`critic_score`).
    CriticScore, "critic_score", Number, false;
    /// Viewers' mean score, 0–10 (`viewer_score`).
    ViewerScore, "viewer_score", Number, false;
    /// Number of viewers' votes (`vote_count`).
    VoteCount, "vote_count", Count, false;
    /// A popularity index of the source's own making (`popularity`).
    Popularity, "popularity", Number, false;
}

impl FromStr for FactKind {
    type Err = DomainError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|k| k.as_str() == word).ok_or_else(|| DomainError::Word {
            what: "fact kind",
            word: word.to_owned(),
            known: Self::ALL.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

impl TryFrom<String> for FactKind {
    type Error = DomainError;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        word.parse()
    }
}

impl From<FactKind> for String {
    fn from(kind: FactKind) -> Self {
        kind.as_str().to_owned()
    }
}

impl fmt::Display for FactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word() {
        for kind in FactKind::ALL {
            assert_eq!(kind.as_str().parse::<FactKind>(), Ok(*kind));
        }
        assert!("gross".parse::<FactKind>().is_err());
    }
}
