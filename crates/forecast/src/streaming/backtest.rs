//! How good forecasts of streaming were on lists that came later, beside the simple ways to guess.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use marquee_domain::{Control, Day};
use marquee_learn::judge::paired_bootstrap;
use marquee_learn::metrics;

use super::{Listing, Lists, StreamingSpec, WEEK, follows, streak};
use crate::error::ForecastError;
use crate::score::Difference;

/// What a test of streaming found.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamingTest {
    /// Titles and weeks whose next week was forecast and listed.
    pub n: usize,
    /// Mean absolute error of next week's hours over what the last value was wrong by, on average over the same list's
    /// training weeks (MASE; Hyndman & Koehler 2006).
    pub mase: f64,
    /// Median absolute error as a share of the actual.
    pub median_ape: f64,
    /// Root mean square error, natural log.
    pub rmse: f64,
    /// Continuous ranked probability score, natural log.
    pub crps: f64,
    /// Share of actuals inside the 10–90% interval.
    pub cover80: f64,
    /// Simple ways to guess, on the same titles and weeks.
    pub baselines: Vec<Baseline>,
    /// Titles and weeks of which it was forecast whether they stay, with the mean log loss of that and of the share that
    /// stayed of the same list and week before.
    pub stays: (usize, f64, f64),
    /// Of titles in their first and in their second week: how many, mean absolute error of how many weeks they are listed, and
    /// that of the median of the same list and place before.
    pub weeks: [(usize, f64, f64); 2],
}

/// A simple way to guess next week's hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// What it is.
    pub name: &'static str,
    /// For how many of the titles and weeks it says anything.
    pub n: usize,
    /// Its MASE on these.
    pub mase: f64,
    /// Ours on these.
    pub ours: f64,
    /// Ours less its own, weeks drawn anew: below zero is better.
    pub difference: Difference,
}

/// Tests models of streaming on the weeks that became known in `period`.
///
/// # Errors
/// [`ForecastError::TooFew`] where there are too few to learn from or none to test; otherwise what the learner says.
pub fn test(
    lists: &Lists,
    spec: &StreamingSpec,
    period: &RangeInclusive<Day>,
    control: &Control,
) -> Result<StreamingTest, ForecastError> {
    let fitted = spec.fit(lists, control)?;
    let past = Past::of(lists, spec.trained_before);
    let mut judged = Judged::default();
    for (title, listing) in lists.listings.iter().filter(|(_, l)| lists.debut_is_known(l)) {
        for (at, week) in listing.weeks.iter().enumerate() {
            // The last lists do not tell what came after them.
            if period.contains(&week.known) && lists.last() > Some(week.known) {
                let forecast = fitted.forecast_at(lists, *title, listing, at)?;
                judged.week(lists, &past, listing, at, &forecast);
            }
        }
    }
    judged.finish(&past, period)
}

/// What was known before the test begins, for the simple ways to guess.
struct Past {
    /// By list, how much the last value was wrong by, on average; and by list and week, the mean log ratio and the share that
    /// stayed; by list and place, in how many weeks titles that debuted there were listed.
    wrong: HashMap<Arc<str>, f64>,
    ratio: HashMap<(Arc<str>, usize), f64>,
    stays: HashMap<(Arc<str>, usize), f64>,
    weeks: HashMap<(Arc<str>, u32, usize), f64>,
}

/// Weeks beyond the ninth are alike.
fn age(at: usize) -> usize {
    at.min(8)
}

impl Past {
    fn of(lists: &Lists, before: Day) -> Self {
        let mut wrong: HashMap<Arc<str>, Vec<f64>> = HashMap::new();
        let (mut ratio, mut stays) = (HashMap::<_, Vec<f64>>::new(), HashMap::<_, Vec<f64>>::new());
        let mut weeks: HashMap<(Arc<str>, u32, usize), Vec<f64>> = HashMap::new();
        for listing in lists.listings.values().filter(|l| lists.debut_is_known(l)) {
            for (at, week) in listing.weeks.iter().enumerate() {
                if week.known.plus(WEEK) >= before {
                    continue;
                }
                let of = (listing.list.clone(), age(at));
                let next = follows(listing, at, 1);
                stays.entry(of.clone()).or_default().push(f64::from(u8::from(next.is_some())));
                if let Some(next) = next {
                    ratio.entry(of).or_default().push((next.hours / week.hours).ln());
                    wrong.entry(listing.list.clone()).or_default().push((next.hours - week.hours).abs());
                }
                if let Some((total, _)) = spell(listing, at).filter(|(_, over)| *over < before) {
                    weeks.entry((listing.list.clone(), week.rank, at)).or_default().push(total as f64);
                }
            }
        }
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let means = |of: HashMap<_, Vec<f64>>| of.iter().map(|(k, v)| (Clone::clone(k), mean(v))).collect();
        Self {
            wrong: wrong.iter().map(|(list, errors)| (list.clone(), mean(errors))).collect(),
            ratio: means(ratio),
            stays: means(stays),
            weeks: weeks.into_iter().map(|(of, totals)| (of, metrics::median(totals))).collect(),
        }
    }
}

/// How many weeks without a gap a title that is first listed in its week `at` or before is listed in all, and the day on
/// which that was known; none where the week is of a later spell.
fn spell(listing: &Listing, at: usize) -> Option<(usize, Day)> {
    if streak(&listing.weeks[..=at]) != at + 1 {
        return None;
    }
    let more = (1..).take_while(|after| follows(listing, at, *after).is_some()).count();
    Some((at + 1 + more, listing.weeks[at + more].known.plus(WEEK)))
}

/// Forecasts beside what happened.
#[derive(Default)]
struct Judged {
    known: Vec<Day>,
    actual: Vec<f64>,
    logs: Vec<[f64; 7]>,
    /// What the last value was wrong by on average, of each row's list.
    scale: Vec<f64>,
    /// Absolute errors, of ours and of each baseline; NaN where it says nothing.
    errors: [Vec<f64>; 4],
    stays: Vec<(f64, f64)>,
    weeks: [Vec<(f64, f64)>; 2],
}

const GUESSES: [&str; 3] = ["last value", "average decay of its list and week", "same place a year before"];

impl Judged {
    fn week(
        &mut self,
        lists: &Lists,
        past: &Past,
        listing: &Listing,
        at: usize,
        forecast: &super::StreamingForecast,
    ) {
        let week = listing.weeks[at];
        let of = (listing.list.clone(), age(at));
        let next = follows(listing, at, 1);
        let loss = |p: f64| {
            let p = p.clamp(0.02, 0.98);
            -(if next.is_some() { p } else { 1.0 - p }).ln()
        };
        let usual = past.stays.get(&of).copied().unwrap_or(0.5);
        self.stays.push((loss(forecast.stays.get()), loss(usual)));
        if at < self.weeks.len()
            && let Some((total, over)) = spell(listing, at)
        {
            // Where the table ends first, it is only known to be listed so long: a forecast of more is not wrong yet.
            let censored = lists.last() < Some(over);
            let wrong = |weeks: f64| match censored {
                true => (total as f64 - weeks).max(0.0),
                false => (total as f64 - weeks).abs(),
            };
            if let Some(usual) = past.weeks.get(&(listing.list.clone(), week.rank, at)) {
                self.weeks[at].push((wrong(forecast.weeks_in_all() as f64), wrong(*usual)));
            }
        }
        let (Some(next), Some(scale)) = (next, past.wrong.get(&listing.list)) else { return };
        self.known.push(week.known);
        self.actual.push(next.hours);
        self.logs.push(forecast.hours.log_quantiles());
        self.scale.push(*scale);
        let decay = past.ratio.get(&of).map(|ratio| week.hours * ratio.exp());
        let year = lists.at_place(&listing.list, week.rank, week.known.plus(WEEK - 364));
        let guesses = [Some(forecast.hours.median()), Some(week.hours), decay, year];
        for (errors, guess) in self.errors.iter_mut().zip(guesses) {
            errors.push(guess.map_or(f64::NAN, |guess| (guess - next.hours).abs()));
        }
    }

    fn finish(self, past: &Past, period: &RangeInclusive<Day>) -> Result<StreamingTest, ForecastError> {
        let n = self.actual.len();
        if n == 0 || past.wrong.is_empty() {
            let what = format!("lists known from {} to {}", period.start(), period.end());
            return Err(ForecastError::Untested { what });
        }
        let actual: Vec<f64> = self.actual.iter().map(|hours| hours.ln()).collect();
        let middles: Vec<f64> = self.logs.iter().map(|q| q[3]).collect();
        let ends = |i: usize| self.logs.iter().map(|q| q[i]).collect::<Vec<f64>>();
        let scaled = |of: usize, rows: &[usize]| {
            rows.iter().map(|i| self.errors[of][*i] / self.scale[*i]).sum::<f64>() / rows.len() as f64
        };
        let all: Vec<usize> = (0..n).collect();
        let mut baselines = Vec::new();
        for (k, name) in GUESSES.into_iter().enumerate() {
            let said: Vec<usize> =
                all.iter().copied().filter(|i| self.errors[k + 1][*i].is_finite()).collect();
            if said.is_empty() {
                continue;
            }
            let mut weeks: HashMap<Day, Vec<usize>> = HashMap::new();
            for i in &said {
                weeks.entry(self.known[*i]).or_default().push(*i);
            }
            let mut weeks: Vec<Vec<usize>> = weeks.into_values().collect();
            weeks.sort_unstable();
            let estimate = paired_bootstrap(weeks.len(), 1_000, 20_250_101, |drawn| {
                let rows: Vec<usize> = drawn.iter().flat_map(|w| &weeks[*w]).copied().collect();
                scaled(0, &rows) - scaled(k + 1, &rows)
            })?;
            let difference =
                Difference { value: estimate.value, lower: estimate.lower, upper: estimate.upper };
            let (mase, ours) = (scaled(k + 1, &said), scaled(0, &said));
            baselines.push(Baseline { name, n: said.len(), mase, ours, difference });
        }
        let means = |pairs: &[(f64, f64)]| {
            let n = pairs.len() as f64;
            let (a, b) = pairs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
            (pairs.len(), a / n, b / n)
        };
        Ok(StreamingTest {
            n,
            mase: scaled(0, &all),
            median_ape: metrics::median_ape(&actual, &middles),
            rmse: metrics::rmse(&actual, &middles),
            crps: metrics::crps(&actual, &self.logs),
            cover80: metrics::coverage(&actual, &ends(1), &ends(5)),
            baselines,
            stays: means(&self.stays),
            weeks: [means(&self.weeks[0]), means(&self.weeks[1])],
        })
    }
}
