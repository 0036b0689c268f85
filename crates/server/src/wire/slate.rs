//! Which projects to fund: what is asked, what was chosen and why, and the efficient slates.

mod asked;

use marquee_app::types::{
    Frontier, FrontierSlate as HouseFrontierSlate, NextFilms as HouseNext, Outcome,
    SlateAnswer as HouseAnswer, SlateChange as HouseChange,
};
use marquee_app::use_cases::slate::Chosen;
use marquee_domain::Money;
use serde::Serialize;
use utoipa::ToSchema;

pub use asked::{AtMost, FrontierRequest, Limit, LimitBy, Requires, SlateRequest, SlateRules, SpendLimit};

use crate::wire::forecast::Forecast;
use crate::wire::money::Returns;
use crate::wire::{GROSS_IMPLIED, Quantiles};

/// Which projects to fund under a budget, and all that the choice was made from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SlateAnswer {
    /// What came of choosing.
    pub slate: SlateOutcome,
    /// Which film comes in next with more money, and which goes out first with less; null where that was not asked for.
    pub next: Option<NextFilms>,
    /// What each project brings by itself, in the order of the question.
    pub projects: Vec<Returns>,
    /// The forecasts, in the same order.
    pub forecasts: Vec<Forecast>,
}

/// What came of choosing a slate.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SlateOutcome {
    /// The best slate.
    Chosen(Slate),
    /// Time ran out: the best slate so far, with its proven gap.
    TimedOut(Slate),
    /// A slate of the efficient frontier.
    Efficient(Slate),
    /// Time ran out before a slate that keeps all rules was found.
    Undecided {
        /// The least risk (CVaR) found among slates that keep all rules but a cap on it, US dollars, nominal.
        least_cvar_found_usd: Option<f64>,
    },
    /// No slate keeps the rules.
    Infeasible {
        /// Which rules contradict each other, and the smallest change that would help.
        why: String,
    },
}

/// A slate. All profits are gross-implied; US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "note": "gross-implied: reckoned from grosses through assumed deal terms",
    "choices": [{ "project": "The Lighthouse Keeper", "share": 1.0, "cost_usd": 40.1e6 }],
    "cost_usd": 40.1e6, "mean_profit_usd": 3.2e6, "cvar_usd": 37.2e6, "tail": 0.05, "loss_probability": 0.61,
    "profit_usd": { "q05": -36.0e6, "q10": -34.5e6, "q25": -30.0e6, "q50": -9.6e6, "q75": 11.0e6, "q90": 52.0e6, "q95": 90.5e6 },
    "objective_usd": -6.1e6, "bound_usd": -6.1e6, "gap": 0.0, "exact": true,
    "why": [{ "project": "The Lighthouse Keeper", "chosen": true, "reason": "the rules ask for it" }]
}))]
pub struct Slate {
    /// What must be said beside these figures.
    #[schema(value_type = String)]
    pub note: &'static str,
    /// What was chosen, in the order of the projects.
    pub choices: Vec<SlateChoice>,
    /// What it costs, marketing included.
    pub cost_usd: f64,
    /// Its mean profit.
    pub mean_profit_usd: f64,
    /// The mean loss in the worst scenarios (CVaR): positive is a loss.
    pub cvar_usd: f64,
    /// The share of scenarios that counts as worst.
    pub tail: f64,
    /// The probability that it loses money, 0 to 1.
    pub loss_probability: f64,
    /// Its profit.
    pub profit_usd: Quantiles,
    /// What was maximised, for this slate.
    pub objective_usd: f64,
    /// No slate has a larger objective.
    pub bound_usd: f64,
    /// Bound less objective, as a fraction of the objective's size.
    pub gap: f64,
    /// Whether no better slate exists.
    pub exact: bool,
    /// Why each project is in or out.
    pub why: Vec<ProjectReason>,
}

/// A project in a slate.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SlateChoice {
    /// The project.
    pub project: String,
    /// The share of it that is taken, above 0 and up to 1.
    pub share: f64,
    /// What that costs, US dollars, nominal.
    pub cost_usd: f64,
}

/// Why a project is in a slate or out of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProjectReason {
    /// The project.
    pub project: String,
    /// Whether it was chosen.
    pub chosen: bool,
    /// The reason, in words.
    pub reason: String,
}

/// What changes with more money and with less.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NextFilms {
    /// With more money; null where no more money changes the slate.
    #[serde(rename = "in")]
    pub into: Option<SlateChange>,
    /// With less; null where nothing can go.
    pub out: Option<SlateChange>,
    /// Whether both were found and proven before time ran out.
    pub complete: bool,
}

/// The slate at another budget.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SlateChange {
    /// The budget at which the slate becomes this one, US dollars, nominal.
    pub budget_usd: f64,
    /// Projects that it has and the old one has not.
    pub comes_in: Vec<String>,
    /// Projects that the old one has and it has not.
    pub goes_out: Vec<String>,
    /// Its mean profit, US dollars, nominal.
    pub mean_profit_usd: f64,
    /// The mean loss in the worst scenarios (CVaR), US dollars, nominal: positive is a loss.
    pub cvar_usd: f64,
}

/// Efficient slates, or why there is none.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum FrontierAnswer {
    /// Slates such that none has less risk for as large a mean.
    Efficient {
        /// Whether all were found and proven before time ran out.
        complete: bool,
        /// What must be said beside these figures.
        #[schema(value_type = String)]
        note: &'static str,
        /// From the least risk to the largest mean profit.
        slates: Vec<FrontierSlate>,
    },
    /// No slate keeps the rules.
    Infeasible {
        /// Which rules contradict each other, and the smallest change that would help.
        why: String,
    },
}

/// A slate of the frontier.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FrontierSlate {
    /// The slate.
    pub slate: SlateOutcome,
    /// Projects that the slate before it, with less risk, does not have.
    pub comes_in: Vec<String>,
    /// Projects that the slate before it has and this one has not.
    pub goes_out: Vec<String>,
}

impl From<&Chosen> for SlateAnswer {
    fn from(found: &Chosen) -> Self {
        Self {
            slate: (&found.outcome).into(),
            next: found.next.as_ref().map(NextFilms::from),
            projects: found.returns.iter().map(Returns::from).collect(),
            forecasts: found.forecasts.iter().map(Forecast::from).collect(),
        }
    }
}

impl From<&Outcome> for SlateOutcome {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Chosen(answer) => Self::Chosen(answer.into()),
            Outcome::TimedOut(answer) => Self::TimedOut(answer.into()),
            Outcome::Undecided { least_found } => {
                Self::Undecided { least_cvar_found_usd: least_found.map(Money::major) }
            }
            Outcome::Infeasible(why) => Self::Infeasible { why: why.to_string() },
        }
    }
}

impl From<&HouseAnswer> for Slate {
    fn from(answer: &HouseAnswer) -> Self {
        let s = &answer.slate;
        let choices = s.choices.iter().map(|c| SlateChoice {
            project: c.project.clone(),
            share: c.share,
            cost_usd: c.cost.major(),
        });
        let why = answer.why.iter().map(|w| ProjectReason {
            project: w.project.clone(),
            chosen: w.chosen,
            reason: w.reason.to_string(),
        });
        Self {
            note: GROSS_IMPLIED,
            choices: choices.collect(),
            cost_usd: s.cost.major(),
            mean_profit_usd: s.mean_profit.major(),
            cvar_usd: s.cvar.major(),
            tail: s.tail.get(),
            loss_probability: s.loss_probability.get(),
            profit_usd: answer.profit.into(),
            objective_usd: answer.objective.major(),
            bound_usd: answer.bound.major(),
            gap: answer.gap,
            exact: answer.exact,
            why: why.collect(),
        }
    }
}

impl From<&HouseNext> for NextFilms {
    fn from(next: &HouseNext) -> Self {
        Self {
            into: next.into.as_ref().map(SlateChange::from),
            out: next.out.as_ref().map(SlateChange::from),
            complete: next.complete,
        }
    }
}

impl From<&HouseChange> for SlateChange {
    fn from(c: &HouseChange) -> Self {
        Self {
            budget_usd: c.budget.major(),
            comes_in: c.comes_in.clone(),
            goes_out: c.goes_out.clone(),
            mean_profit_usd: c.answer.slate.mean_profit.major(),
            cvar_usd: c.answer.slate.cvar.major(),
        }
    }
}

impl From<&Frontier> for FrontierAnswer {
    fn from(found: &Frontier) -> Self {
        match found {
            Frontier::Infeasible(why) => Self::Infeasible { why: why.to_string() },
            Frontier::Efficient { slates, complete } => Self::Efficient {
                complete: *complete,
                note: GROSS_IMPLIED,
                slates: slates.iter().map(FrontierSlate::from).collect(),
            },
        }
    }
}

impl From<&HouseFrontierSlate> for FrontierSlate {
    fn from(s: &HouseFrontierSlate) -> Self {
        Self {
            slate: SlateOutcome::Efficient((&s.answer).into()),
            comes_in: s.comes_in.clone(),
            goes_out: s.goes_out.clone(),
        }
    }
}
