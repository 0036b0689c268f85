//! Forecasts: what is predicted, for whom, as of when, how sure, and why.

use serde::{Deserialize, Serialize};

use crate::words::closed_words;
use crate::{AsOf, Day, Distribution, TitleId};

closed_words! {
    /// How much is known when a forecast is made.
    Horizon ("horizon") {
        /// 540 days before release: money, people and plans.
        Greenlight = "greenlight",
        /// 30 days before release: also date, runtime, age rating, distributor, and what else is scheduled.
        Announced = "announced",
        /// The day before release: also the theatres that it opens in.
        PreRelease = "pre_release",
        /// The day of release: also what that day took.
        OpeningDay = "opening_day",
        /// The first Sunday on or after the first Friday: also what each day up to it took.
        Weekend1 = "weekend_1",
        /// The Sunday after: likewise.
        Weekend2 = "weekend_2",
        /// The one after that: likewise.
        Weekend3 = "weekend_3",
    }
}

impl Horizon {
    /// The day whose knowledge a forecast at this horizon uses, for a title released on `release`.
    #[must_use]
    pub fn as_of(self, release: Day) -> AsOf {
        AsOf(match self {
            Self::Greenlight => release.plus(-540),
            Self::Announced => release.plus(-30),
            Self::PreRelease => release.plus(-1),
            Self::OpeningDay => release,
            Self::Weekend1 => sunday_of(release, 1),
            Self::Weekend2 => sunday_of(release, 2),
            Self::Weekend3 => sunday_of(release, 3),
        })
    }

    /// Whether it speaks of films that a daily chart follows.
    #[must_use]
    pub fn is_charted(self) -> bool {
        self >= Self::PreRelease
    }

    /// Whether its models of a target speak of films that a daily chart follows.
    #[must_use]
    pub fn charts(self, target: Target) -> bool {
        self.is_charted() || target.is_opening()
    }

    /// Whether it looks at what the release itself has taken so far.
    #[must_use]
    pub fn sees_run(self) -> bool {
        self >= Self::OpeningDay
    }

    /// Whether anybody asks for this target at this horizon.
    #[must_use]
    pub fn asks_for(self, target: Target) -> bool {
        Population::ALL.iter().any(|population| self.asks(target, *population))
    }

    /// Whether anybody asks for this target at this horizon, by a model of these films.
    ///
    /// Before the theatres are booked a model speaks of all films that are funded; from then on, and of openings, of those
    /// that a daily chart follows. An opening is forecast from its announcement until it is over, a whole run at any time;
    /// nobody charts the world by the day.
    #[must_use]
    pub fn asks(self, target: Target, population: Population) -> bool {
        let charted = matches!(population, Population::All | Population::Wide);
        match target {
            Target::OpeningDay => matches!(self, Self::Announced | Self::PreRelease) && charted,
            Target::Opening => (Self::Announced..=Self::OpeningDay).contains(&self) && charted,
            Target::Domestic if self.is_charted() => charted,
            Target::Domestic | Target::International | Target::Worldwide => {
                !self.is_charted() && population != Population::Wide
            }
        }
    }
}

/// The Sunday of the `week`-th weekend of a release: weekends begin on Fridays.
fn sunday_of(release: Day, week: i32) -> Day {
    const FRIDAY: i32 = 4;
    let friday = release.plus((FRIDAY - release.weekday() as i32).rem_euclid(7));
    friday.plus(7 * week - 5)
}

closed_words! {
    /// What is predicted, US dollars, nominal.
    Target ("target") {
        /// The day of release in the United States and Canada, with what was shown the evening before.
        OpeningDay = "opening_day",
        /// The opening weekend in the United States and Canada.
        Opening = "opening",
        /// The whole theatrical run in the United States and Canada.
        Domestic = "domestic",
        /// The whole theatrical run everywhere else: worldwide less domestic, where both are known.
        International = "international",
        /// The whole theatrical run everywhere.
        Worldwide = "worldwide",
    }
}

impl Target {
    /// Whether it is an opening, and not a whole run.
    #[must_use]
    pub fn is_opening(self) -> bool {
        matches!(self, Self::OpeningDay | Self::Opening)
    }
}

closed_words! {
    /// Whose opinion of a title is predicted.
    Opinion ("opinion") {
        /// Critics, from 0 to 100.
        Critics = "critics",
        /// Viewers, from 0 to 10.
        Viewers = "viewers",
    }
}

closed_words! {
    /// The films that a model is trained and judged on.
    Population ("population") {
        /// A budget of $100,000 or more and any recorded worldwide gross above zero: the flops are in.
        Funded = "funded",
        /// Of the funded, a worldwide gross of $100,000 or more; from `pre_release` on, every film with a daily chart and
        /// an opening weekend above $10,000, whatever it cost; of an opening at any horizon.
        All = "all",
        /// Of all, a budget of $10 million or more.
        Big = "budget >= 10M",
        /// Of all, a director is named in a table of credits; only here may people be features.
        Credited = "credited",
        /// Of all with a daily chart, an opening in 600 theatres or more; for the opening itself also a budget of
        /// $100,000 or more.
        Wide = "wide",
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
    /// What each feature of the group adds, largest first: they add up to the group in both units. Features that add nothing
    /// are left out, and so are all of forecasts that Marquee recorded before it told them.
    #[serde(default)]
    pub features: Vec<FeatureEffect>,
}

/// What one feature adds to a forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureEffect {
    /// The feature, as `marquee features` names it, or `kind=word`; `not kind=word` where the film does not have the word.
    pub feature: String,
    /// Its contribution in natural-log dollars.
    pub log_effect: f64,
    /// The same in dollars of the median.
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

    /// Friday 4 July 2014, Wednesday 2 July, and Sunday 6 July, whose first whole weekend is the next.
    #[test]
    fn weekends_end_on_sundays() {
        let of = |day, horizon: Horizon| horizon.as_of(Day::new(2014, 7, day).expect("a day")).to_string();
        assert_eq!(
            [2, 4, 6].map(|day| of(day, Horizon::Weekend1)),
            ["2014-07-06", "2014-07-06", "2014-07-13"]
        );
        assert_eq!(of(4, Horizon::Weekend3), "2014-07-20");
        assert_eq!([of(4, Horizon::PreRelease), of(4, Horizon::OpeningDay)], ["2014-07-03", "2014-07-04"]);
    }

    #[test]
    fn every_horizon_target_and_population_is_asked_for_somewhere() {
        let all = || Horizon::ALL.iter().flat_map(|h| Target::ALL.iter().map(move |t| (*h, *t)));
        let asked = |h: Horizon, t| Population::ALL.iter().filter(|p| h.asks(t, **p)).count();
        assert_eq!(all().map(|(h, t)| asked(h, t)).sum::<usize>(), 3 * 8 + 4 + 6 + 2 * 5);
        assert!(Horizon::Greenlight.asks(Target::Worldwide, Population::Funded));
        assert!(!Horizon::Weekend1.asks(Target::Worldwide, Population::All));
    }
}
