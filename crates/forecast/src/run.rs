//! Daily charts: what each release takes day by day, and what the whole market takes.
//!
//! A [`Run`] holds the days of one title as its chart states them, a [`Market`] the ten highest grosses of each day: charts
//! of the first years list few titles, so that a sum over all would grow with the listing. [`Latest`] looks at both as of a
//! day and holds the formulas that features are made of. Amounts are US dollars, nominal; logs are natural; what is not
//! known is NaN.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use marquee_domain::{Day, Fact, FactKind, FactValue, TitleId};

use crate::profile::is_nominal_usd;

/// The charts of all titles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Charts {
    runs: HashMap<TitleId, Run>,
    market: Market,
}

/// Whether daily charts are among these facts.
#[must_use]
pub fn has_charts(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| fact.kind == FactKind::DailyGross)
}

/// The days of one title's run, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    days: Vec<Takings>,
    to_date: f64,
}

#[derive(Debug, Clone, Copy)]
struct Takings {
    day: Day,
    gross: f64,
    theatres: f64,
}

/// What all titles take by the day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Market {
    /// The highest grosses of each day, descending.
    days: BTreeMap<Day, Vec<f64>>,
}

/// How many titles of a day make the market.
const TOP: usize = 10;
/// How many earlier years tell how a season goes on.
const YEARS_BACK: i32 = 8;

impl Charts {
    /// Takes in a fact of a daily chart; says whether it was one.
    pub(crate) fn observe(&mut self, fact: &Fact) -> bool {
        match (&fact.value, fact.kind) {
            (FactValue::Money(gross), FactKind::DailyGross) => {
                if is_nominal_usd(gross) {
                    self.runs.entry(fact.title).or_default().take(fact.known_on, gross.major());
                    self.market.take(fact.known_on, gross.major());
                }
            }
            (FactValue::Count(theatres), FactKind::DailyTheatres) => {
                let run = self.runs.get_mut(&fact.title);
                let today =
                    run.and_then(|run| run.days.last_mut()).filter(|today| today.day == fact.known_on);
                if let Some(today) = today {
                    today.theatres = today.theatres.max(*theatres as f64);
                }
            }
            (FactValue::Money(gross), FactKind::GrossToDate) => {
                if let Some(run) = self.runs.get_mut(&fact.title).filter(|_| is_nominal_usd(gross)) {
                    run.to_date = run.to_date.max(gross.major());
                }
            }
            _ => return false,
        }
        true
    }

    /// The run of a title, where a chart follows it.
    pub(crate) fn run(&self, title: TitleId) -> Option<&Run> {
        self.runs.get(&title)
    }

    /// A title's run and the market as of a day.
    pub(crate) fn latest(&self, title: TitleId, release: Day, as_of: Day) -> Option<Latest<'_>> {
        Some(Latest { run: self.run(title)?, market: &self.market, release, as_of })
    }
}

impl Run {
    fn take(&mut self, day: Day, gross: f64) {
        // A day that two tables list, or two releases at once, counts by the higher figure.
        match self.days.last_mut().filter(|last| last.day == day) {
            Some(today) => {
                self.to_date += (gross - today.gross).max(0.0);
                today.gross = today.gross.max(gross);
            }
            None => {
                self.to_date += gross;
                self.days.push(Takings { day, gross, theatres: f64::NAN });
            }
        }
    }

    /// What was taken so far: the chart's own figure where it is the higher one, for charts miss days.
    pub(crate) fn to_date(&self) -> f64 {
        self.to_date
    }

    fn within(&self, span: RangeInclusive<Day>) -> impl Iterator<Item = &Takings> {
        let from = self.days.partition_point(|t| t.day < *span.start());
        self.days[from..].iter().take_while(move |t| t.day <= *span.end())
    }

    fn took(&self, span: RangeInclusive<Day>) -> f64 {
        self.within(span).map(|t| t.gross).sum()
    }

    fn theatres(&self, span: RangeInclusive<Day>) -> f64 {
        self.within(span).map(|t| t.theatres).fold(f64::NAN, f64::max)
    }
}

impl Market {
    fn take(&mut self, day: Day, gross: f64) {
        let top = self.days.entry(day).or_default();
        let place = top.partition_point(|higher| *higher >= gross);
        top.insert(place, gross);
        top.truncate(TOP);
    }

    fn took(&self, span: RangeInclusive<Day>) -> f64 {
        self.days.range(span).flat_map(|(_, top)| top).sum()
    }

    /// The mean over earlier years of ln(what the market took in `later` over what it took in `before`), both given in days
    /// after `day` and moved back by whole weeks to the same season; NaN where no year is known.
    fn season(&self, day: Day, before: (i32, i32), later: (i32, i32)) -> f64 {
        let Some(first) = self.days.keys().next() else { return f64::NAN };
        let known = |years: &i32| {
            // 52 weeks are a day or two short of a year: every fifth or sixth time a week more is nearer.
            let weeks = (f64::from(*years) * 365.25 / 7.0).round() as i32;
            let then = day.plus(-7 * weeks);
            let span = |(from, to): (i32, i32)| then.plus(from)..=then.plus(to);
            let whole = then.plus(before.0) >= *first && then.plus(later.1) <= day;
            whole.then(|| (self.took(span(later)) / self.took(span(before))).ln())
        };
        let ratios = (1..=YEARS_BACK).collect::<Vec<i32>>();
        mean(ratios.iter().filter_map(known).filter(|ratio| ratio.is_finite()))
    }
}

/// A run and the market as of a day: the Sunday of a weekend, or the day of release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latest<'a> {
    run: &'a Run,
    market: &'a Market,
    release: Day,
    as_of: Day,
}

impl Latest<'_> {
    /// The day that many days before.
    fn ago(&self, days: i32) -> Day {
        self.as_of.plus(-days)
    }

    /// Friday to Sunday, `weeks` weeks before.
    fn weekend(&self, weeks: i32) -> RangeInclusive<Day> {
        self.ago(7 * weeks + 2)..=self.ago(7 * weeks)
    }

    /// What this weekend took; before the first is over, the day of release.
    pub(crate) fn recent(&self) -> f64 {
        let span = if self.as_of == self.release { self.as_of..=self.as_of } else { self.weekend(0) };
        self.run.took(span)
    }

    /// The most theatres of this weekend, or of the day of release.
    pub(crate) fn theatres(&self) -> f64 {
        self.run.theatres(self.weekend(0))
    }

    /// ln of this weekend's share of all that was taken.
    pub(crate) fn share(&self) -> f64 {
        logged(self.recent() / self.run.to_date())
    }

    /// What the last seven days took.
    pub(crate) fn week(&self) -> f64 {
        self.run.took(self.ago(6)..=self.as_of)
    }

    /// ln(one day's gross over another's), in days before the Sunday.
    fn day_over_day(&self, day: i32, other: i32) -> f64 {
        let took = |days: i32| self.run.took(self.ago(days)..=self.ago(days));
        logged(took(day) / took(other))
    }

    /// ln(Saturday over Friday).
    pub(crate) fn saturday_over_friday(&self) -> f64 {
        self.day_over_day(1, 2)
    }

    /// ln(Sunday over Saturday).
    pub(crate) fn sunday_over_saturday(&self) -> f64 {
        self.day_over_day(0, 1)
    }

    /// ln(Saturday over Friday) less the market's.
    pub(crate) fn saturday_over_market(&self) -> f64 {
        let market = |days: i32| self.market.took(self.ago(days)..=self.ago(days));
        self.saturday_over_friday() - logged(market(1) / market(2))
    }

    /// ln(the weekend `weeks` ago over the one before it).
    pub(crate) fn drop(&self, weeks: i32) -> f64 {
        logged(self.run.took(self.weekend(weeks)) / self.run.took(self.weekend(weeks + 1)))
    }

    /// The latest drop less the market's.
    pub(crate) fn drop_over_market(&self) -> f64 {
        self.drop(0) - logged(self.market.took(self.weekend(0)) / self.market.took(self.weekend(1)))
    }

    /// ln(Monday to Thursday over the weekend before).
    pub(crate) fn midweek(&self) -> f64 {
        logged(self.run.took(self.ago(6)..=self.ago(3)) / self.run.took(self.weekend(1)))
    }

    /// The same less the market's.
    pub(crate) fn midweek_over_market(&self) -> f64 {
        let market = self.market.took(self.ago(6)..=self.ago(3)) / self.market.took(self.weekend(1));
        self.midweek() - logged(market)
    }

    /// ln(this weekend's theatres over the last one's).
    pub(crate) fn theatre_change(&self) -> f64 {
        logged(self.theatres() / self.run.theatres(self.weekend(1)))
    }

    /// ln(1 + what is left over what was taken), were the latest drop to go on week by week.
    pub(crate) fn extrapolated(&self) -> f64 {
        let hold = self.drop(0).exp().clamp(0.05, 0.9);
        (self.week() * hold / (1.0 - hold) / self.run.to_date()).ln_1p()
    }

    /// Days since the chart last listed it.
    pub(crate) fn days_unlisted(&self) -> f64 {
        self.run.days.last().map_or(f64::NAN, |last| f64::from(self.as_of.days_since(last.day)))
    }

    /// How a season goes on: the mean over earlier years of ln(the market's next `days` days over this weekend, or over
    /// this day).
    pub(crate) fn ahead(&self, days: i32) -> f64 {
        let from = if self.as_of == self.release { 0 } else { -2 };
        self.market.season(self.as_of, (from, 0), (1, days))
    }

    /// How a weekend follows a day of release: the mean over earlier years of ln(the market's weekend over that day).
    pub(crate) fn weekend_ahead(&self, sunday: Day) -> f64 {
        let days = sunday.days_since(self.as_of);
        self.market.season(self.as_of, (0, 0), (days - 2, days))
    }
}

/// The natural log, NaN where there is none.
fn logged(ratio: f64) -> f64 {
    if ratio > 0.0 && ratio.is_finite() { ratio.ln() } else { f64::NAN }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0, 0.0), |(n, sum), value| (n + 1, sum + value));
    if n == 0 { f64::NAN } else { sum / f64::from(n) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use marquee_domain::{Currency, Money, RecordedAt};

    fn day(day: u32) -> Day {
        Day::new(2014, 7, day).expect("a day")
    }

    fn fact(title: u64, kind: FactKind, value: FactValue, known_on: Day) -> Fact {
        let (title, source) = (TitleId(title), "chart".into());
        Fact { title, kind, value, known_on, recorded_at: RecordedAt(0), source }
    }

    fn usd(dollars: i64) -> FactValue {
        FactValue::Money(Money::from_minor(dollars * 100, Currency::USD))
    }

    /// Friday 4 July 2014 at $8, $12, $10, four days at $3, then $5, $6, $5; 100 theatres, then 80.
    fn charts() -> Charts {
        let mut charts = Charts::default();
        for (i, gross) in [8, 12, 10, 3, 3, 3, 3, 5, 6, 5].into_iter().enumerate() {
            let theatres = FactValue::Count(if i < 7 { 100 } else { 80 });
            let on = day(4 + i as u32);
            for (title, times) in [(1, 1), (2, 10)] {
                assert!(charts.observe(&fact(title, FactKind::DailyGross, usd(gross * times), on)));
                assert!(charts.observe(&fact(title, FactKind::DailyTheatres, theatres.clone(), on)));
            }
        }
        charts
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    #[test]
    fn a_second_weekend_is_told_by_its_days() {
        let charts = charts();
        let latest = charts.latest(TitleId(1), day(4), day(13)).expect("a run");
        close(latest.recent(), 16.0);
        close(latest.drop(0), (16.0f64 / 30.0).ln());
        close(latest.midweek(), (12.0f64 / 30.0).ln());
        close(latest.saturday_over_friday(), (6.0f64 / 5.0).ln());
        close(latest.theatre_change(), 0.8f64.ln());
        close(latest.share(), (16.0f64 / 58.0).ln());
        // The market moves as this title does.
        for relative in
            [latest.drop_over_market(), latest.midweek_over_market(), latest.saturday_over_market()]
        {
            close(relative, 0.0);
        }
        close(latest.days_unlisted(), 0.0);
        // 28 in a week that keeps 16/30: 28 × (16/30)/(14/30) = 32 more.
        close(latest.extrapolated(), (32.0f64 / 58.0).ln_1p());
    }

    #[test]
    fn the_day_of_release_stands_for_its_weekend() {
        let mut charts = Charts::default();
        charts.observe(&fact(1, FactKind::DailyGross, usd(8), day(4)));
        let latest = charts.latest(TitleId(1), day(4), day(4)).expect("a run");
        close(latest.recent(), 8.0);
        assert!(latest.drop(0).is_nan() && latest.theatres().is_nan() && latest.ahead(14).is_nan());
        assert!(charts.latest(TitleId(9), day(4), day(4)).is_none());
    }

    /// The chart's own total counts where it is higher: days may be missing from it.
    #[test]
    fn a_chart_that_misses_days_is_believed_on_the_total() {
        let mut charts = charts();
        charts.observe(&fact(1, FactKind::GrossToDate, usd(90), day(13)));
        close(charts.run(TitleId(1)).map_or(0.0, Run::to_date), 90.0);
        close(charts.run(TitleId(2)).map_or(0.0, Run::to_date), 580.0);
    }

    /// Two years of a market that halves from one week to the next say so of the third.
    #[test]
    fn a_season_goes_on_as_in_earlier_years() {
        let mut market = Market::default();
        let start = Day::new(2010, 1, 1).expect("a day");
        for i in 0..1_100 {
            market.take(start.plus(i), if i % 364 < 182 { 1.0 } else { 2.0 });
        }
        let ratio = market.season(start.plus(364 * 3 - 1), (-6, 0), (1, 7));
        close(ratio, 0.5f64.ln());
        assert!(market.season(start.plus(100), (-2, 0), (1, 14)).is_nan());
    }
}
