//! What is asked about the money of projects.

use std::ops::RangeInclusive;

use marquee_app::choosing::Plans;
use marquee_app::types::Stress;
use marquee_app::use_cases::{allocate, option, stress};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::asked::{Terms, within};
use crate::wire::money::{Stage, StageSequel};
use crate::wire::project::Project;
use crate::wire::{Amount, Day, WireError};

/// How many scenarios may be simulated where everybody is paid in each.
const PAID_SCENARIOS: RangeInclusive<u32> = 100..=100_000;
/// How many scenarios may be simulated where projects are reckoned as a whole.
const SCENARIOS: RangeInclusive<u32> = 100..=1_000_000;

/// What projects are worth to everybody who takes part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "projects": [{ "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" }],
    "as_of": "2010-03-01", "scenarios": 10_000
}))]
pub struct ValueRequest {
    /// The projects.
    pub projects: Vec<Project>,
    /// The day whose knowledge may be used; each project's greenlight day or today where it is not said.
    pub as_of: Option<Day>,
    /// Scenarios that are simulated; 10,000 where it is not said.
    #[schema(minimum = 100, maximum = 100_000)]
    pub scenarios: Option<u32>,
}

/// What becomes of projects when events happen for certain, or forecasts are biased. All of them are funded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "projects": [{ "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" }],
    "events": ["cinemas closed", "strike"], "biases": [-0.2]
}))]
pub struct StressRequest {
    /// The projects.
    pub projects: Vec<Project>,
    /// Risks of the deal that happen for certain, each a test of its own; without these and `biases` all that are shared or
    /// for stress alone, and biases of 10 and 20%.
    #[serde(default)]
    pub events: Vec<String>,
    /// Fractions by which every forecast is biased, each a test of its own: −0.2 takes a fifth off.
    #[serde(default)]
    pub biases: Vec<f64>,
    /// The day whose knowledge may be used; each project's greenlight day or today where it is not said.
    pub as_of: Option<Day>,
    /// Scenarios that are simulated; 10,000 where it is not said.
    #[schema(minimum = 100, maximum = 1_000_000)]
    pub scenarios: Option<u32>,
}

/// What a project is worth where one may decide stage by stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "project": { "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" },
    "stages": [
        { "name": "develop", "cost": { "budget": 0.03 }, "years": 1.0, "reveals": 0.05, "abandon": "0" },
        { "name": "make", "cost": { "budget": 0.97 }, "years": 1.25, "reveals": 0.1, "abandon": "0" },
        { "name": "market", "cost": { "marketing": 1.0 }, "years": 0.25, "reveals": 0.85 }
    ],
    "sequel": { "cost": { "budget": 1.8 }, "years": 2.5, "factor": 0.75, "log_sd": 0.6, "foreseen": 0.3 }
}))]
pub struct OptionRequest {
    /// The project.
    pub project: Project,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
    /// The right to make a sequel.
    pub sequel: Option<StageSequel>,
    /// The day whose knowledge may be used; the project's greenlight day or today where it is not said.
    pub as_of: Option<Day>,
    /// Value the stages by simulation too, on so many paths; not at all where it is not said.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub paths: Option<u32>,
}

/// How much to spend on development, production and marketing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "projects": [{ "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" }],
    "cap": "30M"
}))]
pub struct AllocateRequest {
    /// The projects.
    pub projects: Vec<Project>,
    /// The most that may be spent in all, US dollars, nominal.
    pub cap: Option<Amount>,
    /// The day whose knowledge may be used; each project's greenlight day or today where it is not said.
    pub as_of: Option<Day>,
}

impl ValueRequest {
    /// The plans that are meant, on these terms.
    ///
    /// # Errors
    /// [`WireError`] where a project, a day or a number cannot be.
    pub fn read(self, terms: Terms) -> Result<Plans, WireError> {
        terms.plans(self.projects, self.as_of.as_ref(), (self.scenarios, PAID_SCENARIOS))
    }
}

impl StressRequest {
    /// The question that is meant, on these terms.
    ///
    /// # Errors
    /// [`WireError`] where a project, a day or a number cannot be.
    pub fn read(self, terms: Terms) -> Result<stress::Question, WireError> {
        let events = self.events.iter().map(|name| Stress::of_event(name));
        let tests = events.chain(self.biases.iter().map(|bias| Stress::of_bias(*bias))).collect();
        let plans = terms.plans(self.projects, self.as_of.as_ref(), (self.scenarios, SCENARIOS))?;
        Ok(stress::Question { plans, tests })
    }
}

impl OptionRequest {
    /// The question that is meant, on these terms.
    ///
    /// # Errors
    /// [`WireError`] where the project, a stage, a day or a number cannot be.
    pub fn read(self, terms: Terms) -> Result<option::Question, WireError> {
        let paths = self.paths.unwrap_or(0);
        within("paths", paths, 0..=1_000_000)?;
        let project = self.project.read()?;
        let budget = project.budget.0.major();
        let marketing = terms
            .deal
            .marketing_for(&project)
            .map_err(|why| WireError::Marketing { name: project.name.clone(), why: why.to_string() })?;
        let marketing = marketing.spend.0.major();
        let stages = self.stages.iter().map(|stage| stage.read(budget, marketing));
        let sequel = self.sequel.as_ref().map(|sequel| sequel.read(budget, marketing));
        Ok(option::Question {
            stages: stages.collect::<Result<_, _>>()?,
            sequel: sequel.transpose()?,
            project,
            deal: terms.deal,
            as_of: self.as_of.as_ref().map(Day::read).transpose().map_err(WireError::within("as_of"))?,
            today: terms.today,
            paths: paths as usize,
            seed: terms.seed,
        })
    }
}

impl AllocateRequest {
    /// The question that is meant, on these terms.
    ///
    /// # Errors
    /// [`WireError`] where a project, an amount or a day cannot be.
    pub fn read(self, terms: Terms) -> Result<allocate::Question, WireError> {
        let cap = self.cap.as_ref().map(Amount::money).transpose().map_err(WireError::within("cap"))?;
        let plans = terms.plans(self.projects, self.as_of.as_ref(), (None, SCENARIOS))?;
        Ok(allocate::Question { plans, cap })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marquee_app::types::Deal;
    use serde_json::{Value, json};

    use super::*;

    fn terms() -> Terms {
        Terms { deal: Deal::default(), today: marquee_domain::Day::new(2010, 3, 1).unwrap(), seed: 7 }
    }

    fn project() -> Value {
        json!({ "name": "A", "budget": "20M", "marketing": "10M", "release_date": "2011-06-17" })
    }

    #[test]
    fn stages_cost_money_or_a_part_of_the_project() {
        let asked = |cost: Value| {
            let asked: OptionRequest = serde_json::from_value(json!({
                "project": project(),
                "stages": [{ "name": "market", "cost": cost, "years": 1, "reveals": 1.0 }]
            }))
            .unwrap();
            asked.read(terms()).map(|question| question.stages[0].cost).map_err(|why| why.to_string())
        };
        assert_eq!(asked(json!({ "budget": 0.5, "marketing": 1.0 })), Ok(20e6));
        assert_eq!(asked(json!("2M")), Ok(2e6));
        for (cost, word) in [(json!({}), "give money"), (json!("EUR 2M"), "US dollars")] {
            let said = asked(cost).err().unwrap();
            assert!(said.contains("stage `market`") && said.contains(word), "{said}");
        }
    }

    #[test]
    fn each_event_and_each_bias_is_a_test() {
        let asked: StressRequest = serde_json::from_value(json!({
            "projects": [project()], "events": ["strike"], "biases": [-0.2]
        }))
        .unwrap();
        let tests = asked.read(terms()).unwrap().tests;
        assert_eq!(tests, [Stress::of_event("strike"), Stress::of_bias(-0.2)]);
    }

    #[test]
    fn numbers_have_bounds() {
        let asked: ValueRequest =
            serde_json::from_value(json!({ "projects": [project()], "scenarios": 99 })).unwrap();
        let said = asked.read(terms()).err().unwrap().to_string();
        assert_eq!(said, "scenarios: 99 is not possible: it must be 100 to 100000");
    }
}
