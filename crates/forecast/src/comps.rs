//! Comparable titles: settled titles that were alike *before release*. What they came to plays no part in the choice, so
//! that flops are among them as often as they happen.

use std::sync::Arc;

use marquee_domain::{Comp, Day, TitleId};

use crate::history::Subject;
use crate::prices;
use crate::profile::Profile;

/// Settled titles, in the order in which their outcomes became known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Library {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    title: TitleId,
    name: Arc<str>,
    release: Day,
    budget: f64,
    gross: f64,
    log_budget: f64,
    genres: Vec<Arc<str>>,
    language: Option<Arc<str>>,
    franchise: Option<Arc<str>>,
}

/// What one unit of distance is, by term: a budget 2× as large, no genre shared, ten years between releases, the
/// opposite season, another language. A shared franchise takes a unit away.
const LOG_BUDGET_UNIT: f64 = std::f64::consts::LN_2;
const YEARS_UNIT: f64 = 10.0;

impl Library {
    pub(crate) fn push(&mut self, title: TitleId, profile: &Profile, release: Day, budget: f64, gross: f64) {
        self.entries.push(Entry {
            title,
            name: profile.name.clone().unwrap_or_else(|| title.to_string().into()),
            release,
            budget,
            gross,
            log_budget: (budget / prices::level(release.year() - 1)).ln(),
            genres: profile.genres.iter().cloned().collect(),
            language: profile.language.clone(),
            franchise: profile.franchise.clone(),
        });
    }

    /// The `count` nearest settled titles, nearest first, with amounts in the newest prices known on the as-of day.
    pub(crate) fn nearest(&self, subject: &Subject, count: usize) -> Vec<Comp> {
        let Some(budget) = subject.profile.budget else { return Vec::new() };
        let log_budget = (budget / prices::level_known(subject.as_of)).ln();
        let mut ranked: Vec<(f64, &Entry)> = self
            .entries
            .iter()
            .filter(|e| Some(e.title) != subject.title)
            .map(|e| (e.distance(subject, log_budget), e))
            .collect();
        let by_distance =
            |a: &(f64, &Entry), b: &(f64, &Entry)| a.0.total_cmp(&b.0).then(a.1.title.cmp(&b.1.title));
        if ranked.len() > count {
            ranked.select_nth_unstable_by(count, by_distance);
            ranked.truncate(count);
        }
        ranked.sort_by(by_distance);
        let price_year = prices::year_known(subject.as_of);
        ranked.into_iter().map(|(distance, e)| e.comp(distance, price_year)).collect()
    }
}

impl Entry {
    /// Root mean square of the terms, each in its own unit.
    fn distance(&self, subject: &Subject, log_budget: f64) -> f64 {
        let profile = &subject.profile;
        let shared = self.genres.iter().filter(|g| profile.genres.contains(*g)).count();
        let united = self.genres.len() + profile.genres.len() - shared;
        let genre = if united == 0 { 0.5 } else { 1.0 - shared as f64 / united as f64 };
        let years = f64::from(subject.release.days_since(self.release)) / 365.25 / YEARS_UNIT;
        let months = (i64::from(subject.release.month()) - i64::from(self.release.month())).rem_euclid(12);
        let season = (months.min(12 - months)) as f64 / 6.0;
        let language = if self.language == profile.language { 0.0 } else { 1.0 };
        let franchise =
            if profile.franchise.is_some() && self.franchise == profile.franchise { -1.0 } else { 0.0 };
        let terms = [(log_budget - self.log_budget) / LOG_BUDGET_UNIT, genre, years, season, language];
        let squares: f64 = terms.iter().map(|t| t * t).sum::<f64>() + franchise;
        (squares.max(0.0) / terms.len() as f64).sqrt()
    }

    fn comp(&self, distance: f64, price_year: i32) -> Comp {
        let real = |amount: f64| prices::in_prices_of(amount, self.release.year() - 1, price_year);
        Comp {
            title: self.title,
            name: self.name.to_string(),
            release: self.release,
            distance,
            budget_usd: real(self.budget),
            gross_usd: real(self.gross),
            price_year,
            flop: self.gross < self.budget,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use marquee_domain::{AsOf, Horizon};

    fn library(grosses: &[f64]) -> Library {
        let mut library = Library::default();
        for (i, gross) in grosses.iter().enumerate() {
            let release = Day::new(2000, 1, 1).expect("a day").plus(i as i32 * 100);
            library.push(TitleId(i as u64), &Profile::default(), release, 1e6 * (1.0 + i as f64), *gross);
        }
        library
    }

    fn subject() -> Subject {
        Subject {
            profile: Profile { budget: Some(4e6), ..Profile::default() },
            release: Day::new(2004, 1, 1).expect("a day"),
            horizon: Horizon::Announced,
            as_of: AsOf(Day::new(2003, 12, 2).expect("a day")),
            title: None,
        }
    }

    #[test]
    fn outcomes_play_no_part_in_the_choice() {
        let names = |grosses: &[f64]| {
            library(grosses).nearest(&subject(), 3).iter().map(|c| c.title).collect::<Vec<_>>()
        };
        assert_eq!(names(&[1.0, 2.0, 3.0, 4.0, 5.0]), names(&[5e9, 4e8, 3e7, 2e6, 1e5]));
    }

    #[test]
    fn nearest_come_first_in_one_price_year() {
        let comps = library(&[1e6, 5e6, 1e5, 9e6, 2e6]).nearest(&subject(), 5);
        assert!(comps.windows(2).all(|w| w[0].distance <= w[1].distance));
        assert!(comps.iter().all(|c| c.price_year == 2002) && comps.iter().any(|c| c.flop));
    }
}
