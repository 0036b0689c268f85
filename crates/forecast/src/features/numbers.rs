//! The registry of numbers: each with its driver group, the horizons that see it, its formula and what a missing value
//! means.
//!
//! Before release a number is about plans, records and the market; from `opening_day` on it is about the run itself, and
//! what speaks of the film's size has said its part: of the earlier numbers those stay that tell how a run goes on.

use std::ops::RangeInclusive;

use marquee_domain::{Day, FactKind, Horizon};

use crate::calendar;
use crate::history::{History, Subject};
use crate::prices;
use crate::record::{Outcome, Record, shrunk};
use crate::run::Latest;

/// One number that a model may see.
pub struct Numeric {
    /// The name.
    pub name: &'static str,
    /// The driver group.
    pub group: &'static str,
    /// The horizons whose models see it; before the first it is not known.
    pub horizons: RangeInclusive<Horizon>,
    /// 1 where economics demands that more of it never lowers a forecast, 0 where nothing is demanded.
    pub monotone: i8,
    /// Formula, unit and what a missing value means.
    pub describe: &'static str,
    value: fn(&View<'_>) -> f64,
}

impl Numeric {
    /// Its value, NaN where it is missing or its horizon does not see it.
    pub(super) fn of(&self, view: &View<'_>) -> f64 {
        if self.horizons.contains(&view.subject.horizon) { (self.value)(view) } else { f64::NAN }
    }

    /// Whether it is made of what subjects state of this kind: it bears the kind's word, or begins with it.
    pub(super) fn reads(&self, kind: FactKind) -> bool {
        let rest = self.name.strip_prefix(kind.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }
}

/// A subject in its history, as the formulas see it.
pub(super) struct View<'a> {
    history: &'a History,
    subject: &'a Subject,
    /// ln of the price level known on the as-of day over that of 1982–84.
    log_prices: f64,
    latest: Option<Latest<'a>>,
}

impl<'a> View<'a> {
    pub(super) fn new(history: &'a History, subject: &'a Subject) -> Self {
        let (release, as_of) = (subject.release, subject.as_of.0);
        let run = subject.title.filter(|_| subject.horizon.sees_run());
        Self {
            history,
            subject,
            log_prices: (prices::level_known(subject.as_of) / 100.0).ln(),
            latest: run.and_then(|title| history.charts.latest(title, release, as_of)),
        }
    }

    /// A figure of the run so far; NaN without a chart.
    fn run(&self, figure: impl Fn(&Latest<'a>) -> f64) -> f64 {
        self.latest.as_ref().map_or(f64::NAN, figure)
    }

    /// ln of an amount of the run so far, dollars of 1982–84; missing where it is nothing.
    fn run_dollars(&self, amount: impl Fn(&Latest<'a>) -> f64) -> f64 {
        let amount = self.run(amount);
        if amount > 0.0 { amount.ln() - self.log_prices } else { f64::NAN }
    }

    fn log_theatres(&self) -> f64 {
        self.subject.profile.theatres.unwrap_or(f64::NAN).ln()
    }

    fn latest_of(&self, kind: FactKind) -> Option<&Outcome> {
        self.records(kind).filter_map(Record::last).max_by_key(|o| o.release)
    }

    fn records(&self, kind: FactKind) -> impl Iterator<Item = &Record> {
        let traits = self.subject.profile.traits().filter(move |(k, _)| *k == kind);
        traits.filter_map(move |(k, name)| self.history.records.get(k, name))
    }

    fn residual(&self, kind: FactKind) -> f64 {
        shrunk(self.records(kind), self.subject.as_of.0)
    }

    fn mean_log(&self, kind: FactKind) -> f64 {
        let (n, sum) = self
            .records(kind)
            .fold((0, 0.0), |(n, sum), r| (n + r.len(), sum + r.mean_log().unwrap_or(0.0) * r.len() as f64));
        if n == 0 { f64::NAN } else { sum / n as f64 }
    }

    fn best_mean(&self, kind: FactKind) -> f64 {
        self.records(kind).filter_map(Record::mean_log).reduce(f64::max).unwrap_or(f64::NAN)
    }

    fn best(&self, kind: FactKind) -> f64 {
        self.records(kind).filter_map(Record::best).reduce(f64::max).unwrap_or(f64::NAN)
    }

    fn last(&self, kind: FactKind) -> f64 {
        self.latest_of(kind).map_or(f64::NAN, |o| o.log_gross)
    }

    fn most(&self, kind: FactKind) -> f64 {
        (self.records(kind).map(Record::len).max().unwrap_or(0) as f64).ln_1p()
    }

    fn years_since(&self, kind: FactKind) -> f64 {
        let quarter = self.subject.release.quarter_start();
        let years = |o: &Outcome| f64::from(quarter.days_since(o.release).max(0)) / 365.25;
        self.latest_of(kind).map_or(f64::NAN, years)
    }
}

macro_rules! numeric {
    ($($name:literal, $group:literal, $from:ident to $to:ident, $monotone:literal, $describe:literal, $value:expr;)+) => {
        /// Every number that a model may see, in column order.
        pub const NUMERIC: &[Numeric] = &[$(Numeric {
            name: $name, group: $group, horizons: Horizon::$from..=Horizon::$to, monotone: $monotone, describe: $describe, value: $value,
        }),+];
    };
}

numeric! {
    "log_budget", "money", Greenlight to Weekend3, 1, "ln budget, dollars of 1982–84", |v| v.subject.profile.budget.unwrap_or(f64::NAN).ln() - v.log_prices;
    "planned_year", "market", Greenlight to Weekend3, 0, "planned year of release", |v| f64::from(v.subject.release.year());
    "quarter", "season", Greenlight to PreRelease, 0, "planned quarter of release, 1–4", |v| f64::from((v.subject.release.month() - 1) / 3 + 1);
    "weekday", "season", Announced to Weekend3, 0, "weekday of release, 0 Monday – 6 Sunday", |v| f64::from(v.subject.release.weekday());
    "days_to_holiday", "season", Announced to PreRelease, 0, "days to the nearest United States holiday, at most 30", |v| calendar::days_to_holiday(v.subject.release);
    "week", "season", Announced to PreRelease, 0, "week of the year of the release day, 1–53", |v| f64::from((v.subject.release.ordinal() - 1) / 7 + 1);
    "language_residual", "language", Greenlight to PreRelease, 0, "mean residual of its language's titles, shrunk, ln", |v| v.residual(FactKind::Language);
    "language_experience", "language", Greenlight to PreRelease, 0, "ln(1 + settled titles) of its language", |v| v.most(FactKind::Language);
    "country_residual", "language", Greenlight to PreRelease, 0, "mean residual of its countries' titles, shrunk, ln", |v| v.residual(FactKind::Country);
    "company_residual", "company", Greenlight to PreRelease, 0, "mean residual of its companies' titles, shrunk, ln", |v| v.residual(FactKind::Company);
    "company_mean", "company", Greenlight to PreRelease, 0, "mean ln gross of its companies' titles; missing without any", |v| v.mean_log(FactKind::Company);
    "company_best_mean", "company", Greenlight to PreRelease, 0, "mean ln gross of the company with the highest; missing without any", |v| v.best_mean(FactKind::Company);
    "company_experience", "company", Greenlight to PreRelease, 0, "ln(1 + settled titles) of the most experienced company", |v| v.most(FactKind::Company);
    "distributor_residual", "distributor", Announced to PreRelease, 0, "mean residual of its distributor's titles, shrunk, ln", |v| v.residual(FactKind::Distributor);
    "distributor_mean", "distributor", Announced to PreRelease, 0, "mean ln gross of its distributor's titles; missing without any", |v| v.mean_log(FactKind::Distributor);
    "distributor_experience", "distributor", Announced to PreRelease, 0, "ln(1 + settled titles) of its distributor", |v| v.most(FactKind::Distributor);
    "franchise_titles", "franchise", Greenlight to Weekend3, 0, "ln(1 + settled earlier titles of its franchise)", |v| v.most(FactKind::Franchise);
    "franchise_last", "franchise", Greenlight to PreRelease, 0, "ln gross of the franchise's latest settled title; missing without any", |v| v.last(FactKind::Franchise);
    "franchise_best", "franchise", Greenlight to PreRelease, 0, "highest ln gross in the franchise; missing without any", |v| v.best(FactKind::Franchise);
    "franchise_residual", "franchise", Greenlight to PreRelease, 0, "mean residual of its franchise's titles, shrunk, ln", |v| v.residual(FactKind::Franchise);
    "franchise_years", "franchise", Greenlight to PreRelease, 0, "years from the franchise's latest settled title to the planned quarter; missing without any", |v| v.years_since(FactKind::Franchise);
    "runtime", "certificate", Announced to Weekend3, 0, "minutes; missing where unknown", |v| v.subject.profile.runtime.unwrap_or(f64::NAN);
    "rivals_week", "competition", Announced to Announced, 0, "ln(1 + titles scheduled within 7 days, as then known)", |v| v.history.rivals(v.subject, 7).0.ln_1p();
    "rivals_budget", "competition", Announced to Announced, 0, "ln(1 + budgets scheduled within 14 days, as then known, over the own budget)", |v| (v.history.rivals(v.subject, 14).1 / v.subject.profile.budget.unwrap_or(f64::NAN)).ln_1p();
    "opening_theatres", "theatres", PreRelease to Weekend3, 0, "ln opening theatres; missing where unknown", |v| v.log_theatres();
    "opening_theatres_reach", "theatres", PreRelease to OpeningDay, 0, "ln opening theatres over what nine in ten wide openings of the year before did not exceed", |v| v.log_theatres() - v.history.openings.most_theatres(v.subject.as_of.0).ln();
    "age_rating_level", "certificate", PreRelease to Weekend3, 0, "age rating as a rank: 0 for everybody to 4 for adults; missing where there is none", |v| v.subject.profile.age_rating.as_deref().map_or(f64::NAN, age_level);
    "season_sin", "season", PreRelease to Weekend3, 0, "sine of the release day's place in the year", |v| calendar::season_angle(v.subject.release).sin();
    "season_cos", "season", PreRelease to Weekend3, 0, "cosine of the same", |v| calendar::season_angle(v.subject.release).cos();
    "half_season_sin", "season", PreRelease to Weekend3, 0, "sine of twice the release day's place in the year", |v| (2.0 * calendar::season_angle(v.subject.release)).sin();
    "half_season_cos", "season", PreRelease to Weekend3, 0, "cosine of the same", |v| (2.0 * calendar::season_angle(v.subject.release)).cos();
    "holiday_monday", "season", OpeningDay to Weekend3, 0, "1 where the first Monday after the as-of day is a holiday", |v| f64::from(u8::from(calendar::is_holiday_monday(next_monday(v.subject.as_of.0))));
    "to_christmas", "season", OpeningDay to Weekend3, 0, "days from the as-of day to Christmas, -7 to 60", |v| calendar::days_to_christmas(v.subject.as_of.0);
    "to_thanksgiving", "season", OpeningDay to Weekend3, 0, "days from the as-of day to Thanksgiving, at most 30", |v| calendar::days_to_thanksgiving(v.subject.as_of.0);
    "summer_left", "season", OpeningDay to Weekend3, 0, "share of the summer that is left on the as-of day", |v| calendar::summer_left(v.subject.as_of.0);
    "school_holidays", "season", OpeningDay to Weekend3, 0, "share of the next three weeks in which schools are closed", |v| calendar::school_holidays(v.subject.as_of.0);
    "fortnight_ahead", "season", OpeningDay to Weekend3, 0, "mean over earlier years of ln(the market's next 14 days over this weekend)", |v| v.run(|r| r.ahead(14));
    "month_ahead", "season", OpeningDay to Weekend3, 0, "mean over earlier years of ln(the market's next 28 days over this weekend)", |v| v.run(|r| r.ahead(28));
    "weekend_ahead", "season", OpeningDay to OpeningDay, 0, "mean over earlier years of ln(the market's weekend over its first day)", |v| v.run(|r| r.weekend_ahead(Horizon::Weekend1.as_of(v.subject.release).0));
    "gross_to_date", "run", OpeningDay to Weekend3, 0, "ln of what was taken so far, dollars of 1982–84", |v| v.subject.origin(v.history) - v.log_prices;
    "recent_gross", "run", OpeningDay to Weekend3, 0, "ln of this weekend's gross, or the first day's, dollars of 1982–84", |v| v.run_dollars(Latest::recent);
    "recent_share", "run", Weekend1 to Weekend3, 0, "ln of this weekend's share of what was taken so far", |v| v.run(Latest::share);
    "recent_theatres", "run", OpeningDay to Weekend3, 0, "ln of this weekend's theatres", |v| v.run(Latest::theatres).ln();
    "per_theatre", "run", OpeningDay to Weekend3, 0, "ln of this weekend's gross a theatre, or the first day's, dollars of 1982–84", |v| v.run_dollars(|r| r.recent() / r.theatres());
    "week_gross", "run", Weekend2 to Weekend3, 0, "ln of the last seven days' gross, dollars of 1982–84", |v| v.run_dollars(Latest::week);
    "days_unlisted", "run", Weekend2 to Weekend3, 0, "days since the chart last listed it", |v| v.run(Latest::days_unlisted);
    "saturday_over_friday", "weekdays", Weekend1 to Weekend3, 0, "ln(Saturday over Friday)", |v| v.run(Latest::saturday_over_friday);
    "sunday_over_saturday", "weekdays", Weekend1 to Weekend3, 0, "ln(Sunday over Saturday)", |v| v.run(Latest::sunday_over_saturday);
    "saturday_over_market", "weekdays", Weekend1 to Weekend3, 0, "ln(Saturday over Friday) less the market's", |v| v.run(Latest::saturday_over_market);
    "drop", "hold", Weekend2 to Weekend3, 0, "ln(this weekend over the last)", |v| v.run(|r| r.drop(0));
    "drop_over_market", "hold", Weekend2 to Weekend3, 0, "the same less the market's", |v| v.run(Latest::drop_over_market);
    "drop_before", "hold", Weekend3 to Weekend3, 0, "ln(the last weekend over the one before)", |v| v.run(|r| r.drop(1));
    "midweek", "hold", Weekend2 to Weekend3, 0, "ln(Monday to Thursday over the weekend before)", |v| v.run(Latest::midweek);
    "midweek_over_market", "hold", Weekend2 to Weekend3, 0, "the same less the market's", |v| v.run(Latest::midweek_over_market);
    "theatre_change", "hold", Weekend2 to Weekend3, 0, "ln(this weekend's theatres over the last one's)", |v| v.run(Latest::theatre_change);
    "drop_per_theatre", "hold", Weekend2 to Weekend3, 0, "ln(this weekend over the last), a theatre", |v| v.run(|r| r.drop(0) - r.theatre_change());
    "extrapolated", "hold", Weekend2 to Weekend3, 0, "ln(1 + what is left over what was taken), were the latest drop to go on", |v| v.run(Latest::extrapolated);
    "franchise_legs", "franchise", OpeningDay to Weekend3, 0, "ln(whole run over opening weekend) of the franchise's latest settled title; missing without any", |v| v.latest_of(FactKind::Franchise).map_or(f64::NAN, |o| o.log_gross - o.log_opening);
    "over_franchise", "franchise", OpeningDay to Weekend1, 0, "ln of this weekend's gross, or the first day's, over the opening of the franchise's latest settled title; missing without any", |v| v.latest_of(FactKind::Franchise).map_or(f64::NAN, |o| v.run_dollars(Latest::recent) - o.log_opening);
}

/// Numbers about people: only for a population in which everybody is named (see *absence leaks too*).
macro_rules! people {
    ($($name:literal, $describe:literal, $value:expr;)+) => {
        /// What a model of credited titles sees besides [`NUMERIC`], in column order.
        pub const PEOPLE: &[Numeric] = &[$(Numeric {
            name: $name, group: "talent", horizons: Horizon::Greenlight..=Horizon::Announced, monotone: 0, describe: $describe, value: $value,
        }),+];
    };
}

people! {
    "director_residual", "mean residual of its directors' titles, shrunk, ln", |v| v.residual(FactKind::Director);
    "director_mean", "mean ln gross of its directors' titles; missing without any", |v| v.mean_log(FactKind::Director);
    "director_best", "highest ln gross of its directors; missing without any", |v| v.best(FactKind::Director);
    "director_experience", "ln(1 + settled titles) of the most experienced director", |v| v.most(FactKind::Director);
    "cast_residual", "mean residual of its leading cast's titles, shrunk, ln", |v| v.residual(FactKind::Cast);
    "cast_best", "highest mean ln gross among its leading cast; missing without any", |v| v.best_mean(FactKind::Cast);
    "cast_experience", "ln(1 + settled titles) of the most experienced leading performer", |v| v.most(FactKind::Cast);
}

fn next_monday(day: Day) -> Day {
    day.plus(7 - day.weekday() as i32)
}

/// An age rating as a rank, from 0 for everybody to 4 for adults: of the United States (MPA) or, where a table has that, of
/// Germany (FSK); NaN for words of other systems.
fn age_level(rating: &str) -> f64 {
    match rating {
        "G" | "0" => 0.0,
        "PG" | "GP" | "6" => 1.0,
        "PG-13" | "12" => 2.0,
        "R" | "16" => 3.0,
        "NC-17" | "X" | "18" => 4.0,
        _ => f64::NAN,
    }
}

/// All numbers, in the order in which a [`Raw`](super::Raw) holds them.
pub fn numbers() -> impl Iterator<Item = &'static Numeric> {
    NUMERIC.iter().chain(PEOPLE)
}
