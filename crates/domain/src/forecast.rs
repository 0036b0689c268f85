//! Forecasts: what is predicted, for whom, as of when, how sure, and why.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AsOf, Day, Distribution, DomainError, TitleId};

macro_rules! closed_words {
    ($(#[$doc:meta])+ $name:ident ($what:literal) { $($(#[$vdoc:meta])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word used in files and tables.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = DomainError;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|x| x.as_str() == word).ok_or_else(|| DomainError::Word {
                    what: $what,
                    word: word.to_owned(),
                    known: Self::ALL.iter().map(|x| x.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

closed_words! {
    /// How much is known when a forecast is made.
    Horizon ("horizon") {
        /// 540 days before release: money, people and plans.
        Greenlight = "greenlight",
        /// 30 days before release: also date, runtime, age rating, distributor, and what else is scheduled.
        Announced = "announced",
    }
}

impl Horizon {
    /// Days between the as-of day and the release, where no better day is known.
    #[must_use]
    pub fn lead_days(self) -> i32 {
        match self {
            Self::Greenlight => 540,
            Self::Announced => 30,
        }
    }

    /// The day whose knowledge a forecast at this horizon uses, for a title released on `release`.
    #[must_use]
    pub fn as_of(self, release: Day) -> AsOf {
        AsOf(release.plus(-self.lead_days()))
    }
}

closed_words! {
    /// What is predicted: the gross of a whole theatrical run, US dollars, nominal.
    Target ("target") {
        /// United States and Canada.
        Domestic = "domestic",
        /// Everywhere.
        Worldwide = "worldwide",
    }
}

closed_words! {
    /// The films that a model is trained and judged on. Each is a part of the first.
    Population ("population") {
        /// A budget of $100,000 or more and any recorded worldwide gross above zero: the flops are in.
        Funded = "funded",
        /// Of the funded, a worldwide gross of $100,000 or more.
        All = "all",
        /// Of all, a budget of $10 million or more.
        Big = "budget >= 10M",
        /// Of all, a director is named in a table of credits; only here may people be features.
        Credited = "credited",
    }
}

/// A named contribution to a forecast, in natural-log dollars; with the base they add up to the log of the median.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Driver {
    /// The group of features: `money`, `season`, `franchise` …
    pub group: String,
    /// Contribution in natural-log dollars.
    pub log_effect: f64,
    /// The same in dollars of the median: the drivers' dollars add up to the median less the base.
    pub effect_usd: f64,
}

/// A comparable title and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comp {
    /// The title.
    pub title: TitleId,
    /// Its name.
    pub name: String,
    /// Its release day.
    pub release: Day,
    /// Distance: root mean square difference over the features compared, each in its own standard deviations.
    pub distance: f64,
    /// Its budget, in the prices of `price_year`, US dollars.
    pub budget_usd: f64,
    /// What the target came to, in the prices of `price_year`, US dollars.
    pub gross_usd: f64,
    /// The year whose prices both amounts are in.
    pub price_year: i32,
    /// Whether it earned less than 1× its budget: comps are chosen without looking at this.
    pub flop: bool,
}

/// What made a forecast, so that it can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// SHA-256 of the model's artefact, hexadecimal.
    pub model: String,
    /// The day before which the model's training outcomes were known.
    pub trained_before: Day,
    /// Fingerprint of the lake's version that the facts were read from.
    pub data: String,
    /// Marquee's version.
    pub version: String,
}

/// A forecast: a distribution with its reasons and its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The title or project.
    pub name: String,
    /// The title's id; none for a project that is not in the catalogue.
    pub title: Option<TitleId>,
    /// What is predicted.
    pub target: Target,
    /// How much was known.
    pub horizon: Horizon,
    /// Which films the model speaks of.
    pub population: Population,
    /// The day whose knowledge was used.
    pub as_of: AsOf,
    /// The planned or actual release day.
    pub release: Day,
    /// The answer, US dollars, nominal.
    pub distribution: Distribution,
    /// What the median would be for a typical title: the drivers start here. US dollars, nominal.
    pub base_usd: f64,
    /// Why: contributions by group, largest first.
    pub drivers: Vec<Driver>,
    /// Comparable titles, nearest first.
    pub comps: Vec<Comp>,
    /// What made it.
    pub provenance: Provenance,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for p in Population::ALL {
            assert_eq!(p.as_str().parse::<Population>(), Ok(*p));
        }
        assert!("soon".parse::<Horizon>().is_err());
    }

    #[test]
    fn a_horizon_looks_back_from_the_release() {
        let release = Day::new(2014, 7, 4).expect("a day");
        assert_eq!(Horizon::Announced.as_of(release).to_string(), "2014-06-04");
        assert_eq!(Horizon::Greenlight.as_of(release).to_string(), "2013-01-10");
    }
}
