//! What is asked when a slate is chosen: projects, a budget, what is good, and rules.

use std::ops::RangeInclusive;
use std::time::Duration;

use marquee_app::types::{LimitBy as HouseLimitBy, Objective, Tentpoles};
use marquee_app::use_cases::{frontier, slate};
use marquee_domain::{Money, Weight};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::asked::{Terms, within};
use crate::wire::project::Project;
use crate::wire::words::words;
use crate::wire::{Amount, Day, WireError};

/// How many dollars of mean profit a dollar less of risk is worth, where it is not said.
const RISK_AVERSION: f64 = 0.25;
/// How many scenarios may be simulated.
const SCENARIOS: RangeInclusive<u32> = 1..=1_000_000;
/// How long a search may be allowed to take: a day.
const MOST_SECONDS: u32 = 86_400;
/// At how many caps on risk a slate is looked for, where it is not said.
const POINTS: u32 = 20;

/// Which of these projects to fund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "projects": [
        { "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" },
        { "name": "Shark", "budget": "60M", "release_date": "2011-07-01", "genres": ["Horror"] }
    ],
    "budget": "200M",
    "risk_aversion": 0.25,
    "next": true,
    "rules": { "max_projects": 1, "limits": [{ "by": "genre", "value": "Horror", "at_most": 0.5 }] },
    "as_of": "2010-03-01"
}))]
pub struct SlateRequest {
    /// The candidates.
    pub projects: Vec<Project>,
    /// What the slate may cost, marketing included, US dollars, nominal.
    pub budget: Amount,
    /// How many dollars of mean profit a dollar less of loss in the worst scenarios (CVaR) is worth; 0.25 where neither it
    /// nor `max_cvar` is given.
    #[schema(minimum = 0)]
    pub risk_aversion: Option<f64>,
    /// Instead: maximise mean profit with at most this mean loss in the worst scenarios, US dollars, nominal.
    pub max_cvar: Option<Amount>,
    /// Whether to say which film comes in next with more money, and which goes out first with less.
    #[serde(default)]
    pub next: bool,
    /// The rules that the slate keeps.
    #[serde(default)]
    pub rules: SlateRules,
    /// The day whose knowledge may be used; each project's greenlight day or today where it is not said.
    pub as_of: Option<Day>,
    /// Scenarios that are simulated; 10,000 where it is not said.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub scenarios: Option<u32>,
    /// After how many seconds the search stops, with the best so far and its proven gap.
    #[schema(minimum = 1, maximum = 86_400)]
    pub time_limit_seconds: Option<u32>,
}

/// The efficient slates of these projects, from the least risk to the largest mean profit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "projects": [
        { "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" },
        { "name": "Shark", "budget": "60M", "release_date": "2011-07-01", "genres": ["Horror"] }
    ],
    "budget": "200M",
    "points": 10
}))]
pub struct FrontierRequest {
    /// The candidates.
    pub projects: Vec<Project>,
    /// What a slate may cost, marketing included, US dollars, nominal.
    pub budget: Amount,
    /// At how many caps on risk a slate is looked for; 20 where it is not said.
    #[schema(minimum = 2, maximum = 1_000)]
    pub points: Option<u32>,
    /// The rules that every slate keeps.
    #[serde(default)]
    pub rules: SlateRules,
    /// The day whose knowledge may be used; each project's greenlight day or today where it is not said.
    pub as_of: Option<Day>,
    /// Scenarios that are simulated; 10,000 where it is not said.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub scenarios: Option<u32>,
    /// After how many seconds the search stops.
    #[schema(minimum = 1, maximum = 86_400)]
    pub time_limit_seconds: Option<u32>,
}

/// What a slate may be. Whatever is left out does not bind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "min_projects": 1, "max_projects": 5, "must_have": ["Shark"], "min_share": 0.25, "whole": ["Shark"],
    "spend": [{ "year": 2011, "limit": "150M" }], "peak_cash": "120M",
    "requires": [{ "project": "Shark II", "needs": "Shark" }],
    "at_most": [{ "names": ["Shark", "Shark II"], "most": 1, "why": "one shark film" }],
    "tentpole": "100M", "limits": [{ "by": "genre", "at_most": 0.5 }]
}))]
pub struct SlateRules {
    /// At least so many projects.
    pub min_projects: Option<usize>,
    /// At most so many projects.
    pub max_projects: Option<usize>,
    /// Names of projects that must be in.
    pub must_have: Vec<String>,
    /// Names of projects that must not be in.
    pub exclude: Vec<String>,
    /// Projects may be taken in part: not at all, or at least this share of each; whole where it is not said.
    #[schema(exclusive_minimum = 0, maximum = 1)]
    pub min_share: Option<f64>,
    /// With `min_share`, names of projects that are taken whole or not at all.
    pub whole: Vec<String>,
    /// What may be spent by calendar year.
    pub spend: Vec<SpendLimit>,
    /// What may be needed at the deepest point of expected cash, US dollars, nominal.
    pub peak_cash: Option<Amount>,
    /// Projects that need others.
    pub requires: Vec<Requires>,
    /// Sets of projects of which only so many may be in.
    pub at_most: Vec<AtMost>,
    /// At most one project with a budget from this on in a release month, US dollars, nominal.
    pub tentpole: Option<Amount>,
    /// What one genre, country, distributor or franchise may cost.
    pub limits: Vec<Limit>,
}

/// What may be spent in a year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpendLimit {
    /// The calendar year.
    pub year: i32,
    /// The most that may be spent in it, US dollars, nominal; receipts are not set off.
    pub limit: Amount,
}

/// A project that needs another in the slate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// The project that depends.
    pub project: String,
    /// The project that must be in for it.
    pub needs: String,
}

/// Projects of which only so many may be in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AtMost {
    /// Their names.
    pub names: Vec<String>,
    /// How many of them may be in.
    pub most: usize,
    /// Why, in words for the reader; the rule itself where it is not said.
    pub why: Option<String>,
}

/// What those with something in common may cost together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What they have in common.
    pub by: LimitBy,
    /// The genre, country, distributor or franchise, without regard to case; each by itself where it is not said.
    pub value: Option<String>,
    /// The most that they may cost, as a fraction (0 to 1) of the slate's budget.
    #[schema(minimum = 0, maximum = 1)]
    pub at_most: f64,
}

words! {
    /// What projects may have in common.
    LimitBy = HouseLimitBy {
        /// A genre: a project of several counts in full in each.
        Genre = "genre",
        /// A country: a project of several counts in full in each.
        Country = "country",
        /// The distributor.
        Distributor = "distributor",
        /// The series of titles that it continues.
        Franchise = "franchise",
    }
}

impl SlateRequest {
    /// The brief that is meant, on these terms.
    ///
    /// # Errors
    /// [`WireError`] where a project, an amount or a number cannot be, or a rule names a project that is not there.
    pub fn read(self, terms: Terms) -> Result<slate::Brief, WireError> {
        let objective = match (self.risk_aversion, &self.max_cvar) {
            (Some(_), Some(_)) => return Err(WireError::Both("risk_aversion", "max_cvar")),
            (None, Some(cap)) => {
                Objective::MeanUnderCap { cvar_cap: cap.money().map_err(WireError::within("max_cvar"))? }
            }
            (given, None) => Objective::MeanLessRisk {
                risk_aversion: Weight::try_from(given.unwrap_or(RISK_AVERSION))
                    .map_err(|why| WireError::within("risk_aversion")(why.into()))?,
            },
        };
        let plans = terms.plans(self.projects, self.as_of.as_ref(), (self.scenarios, SCENARIOS))?;
        let budget = self.budget.money().map_err(WireError::within("budget"))?;
        Ok(slate::Brief {
            rules: self.rules.read(&plans.projects, budget, objective)?,
            plans,
            time_limit: time_limit(self.time_limit_seconds)?,
            next: self.next,
        })
    }
}

impl FrontierRequest {
    /// The brief that is meant, on these terms.
    ///
    /// # Errors
    /// [`WireError`] where a project, an amount or a number cannot be, or a rule names a project that is not there.
    pub fn read(self, terms: Terms) -> Result<frontier::Brief, WireError> {
        let plans = terms.plans(self.projects, self.as_of.as_ref(), (self.scenarios, SCENARIOS))?;
        let budget = self.budget.money().map_err(WireError::within("budget"))?;
        // The frontier looks at every cap on risk: how much risk weighs does not matter.
        let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(0.0)? };
        let points = self.points.unwrap_or(POINTS);
        within("points", points, 2..=1_000)?;
        Ok(frontier::Brief {
            rules: self.rules.read(&plans.projects, budget, objective)?,
            plans,
            points: points as usize,
            time_limit: time_limit(self.time_limit_seconds)?,
        })
    }
}

fn time_limit(given: Option<u32>) -> Result<Option<Duration>, WireError> {
    if let Some(seconds) = given {
        within("time_limit_seconds", seconds, 1..=MOST_SECONDS)?;
    }
    Ok(given.map(|seconds| Duration::from_secs(seconds.into())))
}

impl SlateRules {
    /// The rules for these projects.
    fn read(
        self,
        projects: &[marquee_domain::Project],
        budget: Money,
        objective: Objective,
    ) -> Result<marquee_app::types::SlateRules, WireError> {
        let named = self.must_have.iter().chain(&self.exclude).chain(&self.whole);
        let named = named.chain(self.requires.iter().flat_map(|r| [&r.project, &r.needs]));
        let mut named = named.chain(self.at_most.iter().flat_map(|a| &a.names));
        let lost = named.find(|name| !projects.iter().any(|p| p.name == **name)).cloned();
        drop(named);
        if let Some(lost) = lost {
            return Err(WireError::NotAProject(lost));
        }
        let money = |amount: Option<Amount>, field| {
            amount.map(|amount| amount.money()).transpose().map_err(WireError::within(field))
        };
        Ok(marquee_app::types::SlateRules {
            min_projects: self.min_projects,
            max_projects: self.max_projects,
            must_have: self.must_have,
            excluded: self.exclude,
            min_share: self.min_share,
            whole: self.whole,
            spend_limits: self.spend.iter().map(SpendLimit::read).collect::<Result<_, _>>()?,
            peak_cash: money(self.peak_cash, "peak_cash")?,
            requires: self.requires.into_iter().map(Requires::read).collect(),
            at_most: self.at_most.into_iter().map(AtMost::read).collect(),
            tentpoles: money(self.tentpole, "tentpole")?
                .map(|budget_from| Tentpoles { budget_from, per_month: 1 }),
            limits: self.limits.into_iter().map(Limit::read).collect(),
            ..marquee_app::types::SlateRules::new(budget, objective)
        })
    }
}

impl SpendLimit {
    fn read(&self) -> Result<marquee_app::types::SpendLimit, WireError> {
        let limit = self.limit.money().map_err(WireError::within("spend"))?;
        Ok(marquee_app::types::SpendLimit { year: self.year, limit })
    }
}

impl Requires {
    fn read(self) -> marquee_app::types::Requires {
        marquee_app::types::Requires { project: self.project, needs: self.needs }
    }
}

impl AtMost {
    fn read(self) -> marquee_app::types::AtMost {
        let rule = || format!("at most {} of {}", self.most, self.names.join(", "));
        let why = self.why.clone().unwrap_or_else(rule);
        marquee_app::types::AtMost { names: self.names, most: self.most, why }
    }
}

impl Limit {
    fn read(self) -> marquee_app::types::Limit {
        marquee_app::types::Limit { by: self.by.into(), value: self.value, at_most: self.at_most }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marquee_app::types::Deal;
    use serde_json::{Value, json};

    use super::*;

    fn read(changed: &Value) -> Result<slate::Brief, String> {
        let mut value = json!({
            "projects": [{ "name": "Shark", "budget": "60M", "release_date": "2011-07-01" }], "budget": "200M"
        });
        for (key, new) in changed.as_object().unwrap() {
            value[key] = new.clone();
        }
        let asked: SlateRequest = serde_json::from_value(value).map_err(|why| why.to_string())?;
        let today = marquee_domain::Day::new(2010, 3, 1).unwrap();
        asked.read(Terms { deal: Deal::default(), today, seed: 7 }).map_err(|why| why.to_string())
    }

    #[test]
    fn a_brief_is_read_with_what_is_usual() {
        let brief = read(&json!({})).unwrap();
        assert_eq!((brief.plans.scenarios, brief.next, brief.time_limit), (10_000, false, None));
        let weight = Weight::try_from(0.25).unwrap();
        assert_eq!(brief.rules.objective, Objective::MeanLessRisk { risk_aversion: weight });
        let brief =
            read(&json!({ "max_cvar": "10M", "rules": { "at_most": [{ "names": ["Shark"], "most": 1 }] } }));
        assert_eq!(brief.unwrap().rules.at_most[0].why, "at most 1 of Shark");
    }

    #[test]
    fn what_cannot_be_asked_is_named() {
        for (changed, words) in [
            (json!({ "rules": { "must_have": ["Whale"] } }), ["no project", "`Whale`"]),
            (json!({ "risk_aversion": 1, "max_cvar": 1 }), ["risk_aversion", "not both"]),
            (json!({ "risk_aversion": -1 }), ["risk_aversion", "negative"]),
            (json!({ "scenarios": 0 }), ["scenarios", "1 to 1000000"]),
            (json!({ "time_limit_seconds": 0 }), ["time_limit_seconds", "1 to 86400"]),
            (json!({ "projects": [] }), ["no project", "release_date"]),
            (json!({ "budget": "EUR 3M" }), ["budget", "US dollars"]),
            (json!({ "colour": 1 }), ["unknown", "`colour`"]),
            (json!({ "rules": { "colour": 1 } }), ["unknown", "`colour`"]),
        ] {
            let said = read(&changed).err().unwrap();
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }
}
