//! What can go wrong, or differently: the deal's risks as events in each scenario.
//!
//! An event of a project is its own; a shared one strikes all releases of a calendar year. A stress test makes events
//! certain, or moves every forecast.

use serde::Serialize;

use super::Candidate;
use super::factors::uniforms;
use crate::InvestError;
use crate::deal::{Deal, Figure, Risk};
use crate::waterfall::{MOST_DELAY, Scenario};

/// A stress test: what if these events happened for certain, or the forecasts were biased?
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stress {
    /// What it is called.
    pub name: String,
    /// Names of the deal's risks that happen in every scenario.
    pub certain: Vec<String>,
    /// By what fraction every gross is moved: −0.2 takes a fifth off.
    pub forecast_bias: f64,
}

impl Stress {
    /// One event happens for certain.
    #[must_use]
    pub fn of_event(name: &str) -> Self {
        Self { name: name.to_owned(), certain: vec![name.to_owned()], forecast_bias: 0.0 }
    }

    /// Every forecast is biased by a fraction.
    #[must_use]
    pub fn of_bias(fraction: f64) -> Self {
        let name = format!("every forecast {:+}%", (fraction * 1e5).round() / 1e3);
        Self { name, certain: vec![], forecast_bias: fraction }
    }

    /// One stress for each event of a deal that is shared or for stress alone, and forecasts biased by ±10 and ±20%.
    #[must_use]
    pub fn usual(deal: &Deal) -> Vec<Self> {
        let wide = deal.text().risk.iter().filter(|r| r.shared || r.probability.is_none());
        let events = wide.map(|r| Self::of_event(&r.name));
        events.chain([-0.2, -0.1, 0.1, 0.2].map(Self::of_bias)).collect()
    }

    /// Every event must be a risk of the deal; a bias must leave something.
    pub(super) fn check(&self, deal: &Deal) -> Result<(), InvestError> {
        if !(self.forecast_bias > -1.0 && self.forecast_bias <= 10.0) {
            let (value, range) = (self.forecast_bias, "above -1 and up to 10");
            return Err(InvestError::Setting { name: "forecast bias", value, range });
        }
        let risks: Vec<&str> = deal.text().risk.iter().map(|r| r.name.as_str()).collect();
        match self.certain.iter().find(|name| !risks.contains(&name.as_str())) {
            Some(name) => Err(InvestError::UnknownRisk { name: name.clone(), known: risks.join(", ") }),
            None => Ok(()),
        }
    }
}

/// Which of the deal's risks concern a candidate, in the order of the deal.
pub(super) fn concerning<'a>(deal: &'a Deal, candidate: &Candidate) -> Vec<&'a Risk> {
    let budget = candidate.project.budget.0.major();
    let inside = |r: &&Risk| {
        budget >= r.budget_from.unwrap_or(0.0) && budget < r.budget_below.unwrap_or(f64::INFINITY)
    };
    deal.text().risk.iter().filter(inside).collect()
}

/// Lets a risk happen in the scenarios where it does. The second half of the scenarios mirrors the first.
pub(super) fn strike(
    risk: &Risk,
    candidate: &Candidate,
    seed: u64,
    stress: Option<&Stress>,
    outcomes: &mut [Scenario],
) {
    let certain = stress.is_some_and(|s| s.certain.contains(&risk.name));
    let probability = if certain { 1.0 } else { risk.probability.as_ref().map_or(0.0, |p| p.value) };
    let half = outcomes.len().div_ceil(2);
    let whose = if risk.shared {
        candidate.project.release.year().to_string()
    } else {
        format!("project\u{1f}{}", candidate.project.name)
    };
    let draws = uniforms(seed, &format!("risk\u{1f}{}\u{1f}{whose}", risk.name), half);
    let happens = |i: usize| {
        let draw = draws[i % half];
        probability >= 1.0 || (if i < half { draw } else { 1.0 - draw }) < probability
    };
    for (_, outcome) in outcomes.iter_mut().enumerate().filter(|(i, _)| happens(*i)) {
        *outcome = outcome.struck_by(risk);
    }
}

impl Scenario {
    /// The outcome with a risk that happens on top.
    #[must_use]
    pub(crate) fn struck_by(mut self, risk: &Risk) -> Self {
        let of = |figure: &Option<Figure>| figure.as_ref().map_or(0.0, |f| f.value);
        self.overrun += of(&risk.budget);
        self.marketing += of(&risk.marketing);
        self.domestic *= 1.0 + of(&risk.domestic);
        self.international *= 1.0 + of(&risk.international);
        self.windows *= 1.0 + of(&risk.windows);
        self.delay = (self.delay + of(&risk.delay_quarters) as usize).min(MOST_DELAY);
        self
    }
}
