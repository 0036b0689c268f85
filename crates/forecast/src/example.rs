//! Examples: settled titles that a model can be trained or judged on, and the populations they belong to.

use std::collections::HashMap;
use std::sync::Arc;

use marquee_domain::{AsOf, Day, Fact, FactKind, FactValue, Horizon, Population, Target, TitleId};

use crate::history::Subject;
use crate::profile::is_nominal_usd;
use crate::scope::{Scope, Stated, outcome_kinds};
use crate::weeks::{WEEKS, friday_of};

/// A title with its outcome. Amounts are US dollars, nominal.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The title.
    pub title: TitleId,
    /// The id that the source of the outcome gives it, without its name space.
    pub source_id: String,
    /// The name.
    pub name: String,
    /// The release day, by the source of the outcome where it states one.
    pub release: Day,
    /// What it cost to make, where that is known.
    pub budget: Option<f64>,
    /// What the target came to.
    pub actual: f64,
    /// The day on which the outcome became known.
    pub settled_on: Day,
    /// Its worldwide gross, which decides its populations before release; 0 where none is known.
    pub worldwide: f64,
    /// Whether a table of credits names a director.
    pub credited: bool,
    /// Its opening weekend as the source of the outcome states it and as the daily chart adds up: the lesser of both, which
    /// decides its populations from `pre_release` on; 0 where one is not known.
    pub opening: f64,
    /// The theatres that it opened in; 0 where unknown.
    pub theatres: f64,
    /// What each of [`WEEKS`] took by the daily chart, in order, where the chart lists all of its days.
    pub weeks: Vec<Option<f64>>,
}

/// The least budget of a funded title, US dollars.
const FUNDED_BUDGET: f64 = 1e5;
/// The least worldwide gross of a title of [`Population::All`], US dollars.
const ALL_GROSS: f64 = 1e5;
/// The least budget of a title of [`Population::Big`], US dollars.
const BIG_BUDGET: f64 = 1e7;
/// The least opening weekend of a charted title, US dollars.
const CHARTED_OPENING: f64 = 1e4;
/// The least opening theatres of a title of [`Population::Wide`].
pub(crate) const WIDE_THEATRES: f64 = 600.0;

impl Example {
    /// Whether it belongs to a population, as it is defined for a horizon and a target.
    #[must_use]
    pub fn is_in(&self, population: Population, horizon: Horizon, target: Target) -> bool {
        let costs = |least: f64| self.budget.is_some_and(|budget| budget >= least);
        let charted = self.opening > CHARTED_OPENING;
        let funded = costs(FUNDED_BUDGET) && self.worldwide > 0.0;
        let all = if horizon.charts(target) { charted } else { funded && self.worldwide >= ALL_GROSS };
        match population {
            Population::Funded => funded,
            Population::All => all,
            Population::Big => all && costs(BIG_BUDGET),
            Population::Credited => all && self.credited,
            Population::Wide => {
                let wide = charted && self.theatres >= WIDE_THEATRES;
                wide && (!target.is_opening() || costs(FUNDED_BUDGET))
            }
        }
    }

    /// The day whose knowledge a forecast of it uses.
    #[must_use]
    pub fn as_of(&self, horizon: Horizon) -> AsOf {
        horizon.as_of(self.release)
    }
}

/// The narrowest population that a subject is sure to belong to, of those whose models are asked for its target.
#[must_use]
pub fn usual_population(subject: &Subject, target: Target) -> Population {
    let at_least = |amount: Option<f64>, least: f64| amount.is_some_and(|amount| amount >= least);
    let wide = at_least(subject.profile.theatres, WIDE_THEATRES)
        && (!target.is_opening() || at_least(subject.profile.budget, FUNDED_BUDGET));
    match subject.horizon {
        horizon if !horizon.charts(target) => Population::Funded,
        _ if wide => Population::Wide,
        _ => Population::All,
    }
}

/// What the facts say of one title, before it is known whether it makes an example.
#[derive(Default)]
struct Draft {
    source_id: Option<String>,
    name: Option<Arc<str>>,
    release: Option<Day>,
    outcome_release: Option<Day>,
    budget: Option<f64>,
    stated: Stated,
    outcome: Option<(f64, Day)>,
    worldwide: Option<f64>,
    credited: bool,
    opening: Option<f64>,
    theatres: Option<f64>,
    /// What each day took, by the chart.
    days: Vec<(Day, f64)>,
}

/// The examples of a target, in order of release and title: titles with a release day and an outcome above zero. `facts`
/// are all facts of the catalogue in order; which of them may say what is the scope's business.
#[must_use]
pub fn examples(facts: &[Fact], scope: &Scope) -> Vec<Example> {
    let mut drafts: HashMap<TitleId, Draft> = HashMap::new();
    for fact in facts {
        drafts.entry(fact.title).or_default().observe(fact, scope);
    }
    let mut found: Vec<Example> =
        drafts.into_iter().filter_map(|(title, draft)| draft.finish(title, scope)).collect();
    found.sort_by_key(|e| (e.release, e.title));
    found
}

impl Draft {
    fn observe(&mut self, fact: &Fact, scope: &Scope) {
        let own = *fact.source == *scope.outcomes;
        match (&fact.value, fact.kind) {
            (FactValue::Money(gross), kind)
                if own && is_nominal_usd(gross) && outcome_kinds(scope.target).contains(&kind) =>
            {
                if let Some(outcome) = self.stated.outcome(scope.target, kind, gross.major()) {
                    self.outcome.get_or_insert((outcome, fact.known_on));
                }
            }
            (FactValue::Money(budget), FactKind::Budget) if is_nominal_usd(budget) && scope.admits(fact) => {
                self.budget.get_or_insert(budget.major());
            }
            (FactValue::Day(day), FactKind::ReleaseDate) if own => {
                self.outcome_release.get_or_insert(*day);
            }
            (FactValue::Day(day), FactKind::ReleaseDate) if scope.admits(fact) => {
                self.release.get_or_insert(*day);
            }
            (FactValue::Text(text), FactKind::Name) => {
                self.name.get_or_insert_with(|| text.clone());
            }
            (FactValue::Text(text), FactKind::SourceId) if own => {
                let id = text.split_once(':').map_or(&**text, |(_, id)| id);
                self.source_id.get_or_insert_with(|| id.to_owned());
            }
            (FactValue::Money(gross), FactKind::OpeningWeekendGross) if own => {
                self.opening.get_or_insert(gross.major());
            }
            (FactValue::Count(theatres), FactKind::OpeningTheatres) if own => {
                self.theatres.get_or_insert(*theatres as f64);
            }
            (FactValue::Money(gross), FactKind::DailyGross) if scope.admits(fact) => {
                self.days.push((fact.known_on, gross.major()));
            }
            (FactValue::Text(_), FactKind::Director) => self.credited |= scope.people.contains(&*fact.source),
            _ => {}
        }
        let decides = match scope.target {
            Target::International | Target::Worldwide => own,
            Target::OpeningDay | Target::Opening | Target::Domestic => scope.features.contains(&*fact.source),
        };
        if let (true, FactValue::Money(gross), FactKind::WorldwideGross) = (decides, &fact.value, fact.kind) {
            self.worldwide.get_or_insert(gross.major());
        }
    }

    fn finish(self, title: TitleId, scope: &Scope) -> Option<Example> {
        let (actual, settled_on) = self.outcome?;
        let release = self.outcome_release.or(self.release)?;
        let opening = if scope.target == Target::Opening { Some(actual) } else { self.opening };
        Some(Example {
            title,
            source_id: self.source_id.unwrap_or_else(|| title.to_string()),
            name: self.name.map_or_else(|| title.to_string(), |n| n.to_string()),
            release,
            budget: self.budget,
            actual,
            settled_on,
            worldwide: self.worldwide.unwrap_or(0.0),
            credited: self.credited,
            opening: opening.unwrap_or(0.0).min(first_weekend(release, &self.days)),
            theatres: self.theatres.unwrap_or(0.0),
            weeks: whole_weeks(release, &self.days),
        })
    }
}

/// What each of [`WEEKS`] took of which the chart lists every day. A day that two tables list counts by the higher figure.
fn whole_weeks(release: Day, days: &[(Day, f64)]) -> Vec<Option<f64>> {
    let mut took: HashMap<Day, f64> = HashMap::new();
    for (day, gross) in days {
        let known = took.entry(*day).or_default();
        *known = gross.max(*known);
    }
    let whole = |number| {
        let friday = friday_of(release, number);
        (0..7).map(|i| took.get(&friday.plus(i))).sum::<Option<f64>>().filter(|gross| *gross > 0.0)
    };
    WEEKS.map(whole).collect()
}

/// What the first weekend of a release took, from its Friday to its Sunday, by the chart.
fn first_weekend(release: Day, days: &[(Day, f64)]) -> f64 {
    let sunday = Horizon::Weekend1.as_of(release).0;
    let weekend = sunday.plus(-2)..=sunday;
    days.iter().filter(|(day, _)| weekend.contains(day)).map(|(_, gross)| gross).sum()
}
