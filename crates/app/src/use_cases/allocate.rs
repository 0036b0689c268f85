//! Allocate: how much to spend on development, production and marketing of projects, as the deal believes that grosses
//! respond; and what the data say of that.

use marquee_domain::{Control, Currency, Horizon, Money, Population, Target};
use marquee_forecast::Example;
use marquee_invest::{
    Allocation, AllocationOutcome, ElasticityEstimate, InvestError, Observed, SpendingProject,
    estimate_elasticity,
};
use marquee_platform::{Action, Permit};

use crate::choosing::Plans;
use crate::cpu;
use crate::error::AppError;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to divide and how.
#[derive(Debug, Clone)]
pub struct Question {
    /// The projects; their deal says how a gross is believed to respond.
    pub plans: Plans,
    /// The most that may be spent in all; no more than twice of every plan where nobody says.
    pub cap: Option<Money>,
}

/// What goes with what among settled films. No experiment: dear films are dear because much is expected of them.
#[derive(Debug)]
pub struct Evidence {
    /// Log worldwide gross on log budget.
    pub budget: ElasticityEstimate,
    /// What the budget leaves of the log gross, on the log of opening theatres: the nearest thing to marketing that is told.
    pub theatres: ElasticityEstimate,
}

/// The best spends, and what the data say.
#[derive(Debug)]
pub struct Allocated {
    /// The spends, or why there are none.
    pub outcome: AllocationOutcome,
    /// What the data say of responses.
    pub evidence: Evidence,
}

/// Divides money.
///
/// # Errors
/// A project that cannot be forecast or judged, figures out of range.
pub async fn allocate(
    workspace: &Workspace,
    question: Question,
    control: &Control,
    permit: &Permit,
) -> Result<Allocated, AppError> {
    permit.require(Action::Read)?;
    if let Some(cap) = question.cap.filter(|c| c.currency() != Currency::USD) {
        return Err(InvestError::Currency { what: "the cap".to_owned(), amount: cap.to_string() }.into());
    }
    let forecaster = workspace.forecaster(Reach::Plans, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let Question { plans, cap } = question;
        let (_, candidates) = plans.forecast(&forecaster, &control)?;
        let scenarios = plans.simulation().run(&candidates, &plans.deal, &control)?;
        let spending = |r: &marquee_invest::ProjectReturn| -> Result<SpendingProject, AppError> {
            Ok(SpendingProject {
                name: r.name.clone(),
                receipts: r.mean_income.major(),
                spends: plans.deal.planned_spends(r.budget, r.marketing)?,
            })
        };
        let projects = scenarios.returns().iter().map(spending).collect::<Result<_, _>>()?;
        let outcome = Allocation { projects, cap: cap.map(Money::major) }.best(&control)?;
        let cut = plans.as_of.unwrap_or(plans.today);
        let scope = forecaster.knowledge().scope(Target::Worldwide, cut);
        let mut settled = forecaster.knowledge().settled(&scope);
        settled.retain(|e| {
            e.settled_on <= cut && e.is_in(Population::Funded, Horizon::Greenlight, Target::Worldwide)
        });
        Ok(Allocated { outcome, evidence: evidence(&settled)? })
    })
    .await
}

/// Slopes over settled films; films of a year count as one cluster.
fn evidence(settled: &[Example]) -> Result<Evidence, AppError> {
    let row = |e: &Example, spend: f64, gross: f64| Observed {
        log_spend: spend.ln(),
        log_gross: gross,
        cluster: e.release.year().to_string(),
    };
    let costly: Vec<(&Example, f64)> =
        settled.iter().filter_map(|e| Some((e, e.budget.filter(|b| *b > 0.0)?))).collect();
    let rows: Vec<Observed> = costly.iter().map(|(e, b)| row(e, *b, e.actual.ln())).collect();
    let budget = estimate_elasticity(&rows)?;
    let slope = match &budget {
        ElasticityEstimate::Estimated(fitted) => fitted.slope,
        ElasticityEstimate::TooLittle { .. } => 0.0,
    };
    let shown = costly.iter().filter(|(e, _)| e.theatres > 0.0);
    let rows: Vec<Observed> =
        shown.map(|(e, b)| row(e, e.theatres, e.actual.ln() - slope * b.ln())).collect();
    Ok(Evidence { theatres: estimate_elasticity(&rows)?, budget })
}
