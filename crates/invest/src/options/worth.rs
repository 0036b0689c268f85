//! The answer about stage gates: what they are worth, what each right adds, where one abandons and how often.
//!
//! The worth of rights does not add up: a right to abandon is worth less where one may also wait. So each is stated in two
//! ways, as the only one and as the last one added.

use marquee_domain::{Control, Gross, Money, Probability};
use rayon::prelude::*;
use serde::Serialize;

use super::gate_lattice::{GateLattice, Solved, Threshold};
use super::gates::{GateOption, StageGates};
use super::induction::{Choice, mark};
use crate::InvestError;
use crate::simulate::usd;

/// What stage gates are worth. Gross-implied; US dollars, nominal, discounted to the first gate.
///
/// ```
/// use marquee_domain::Control;
/// use marquee_invest::options::{Stage, StageGates, lognormal_gross};
/// let stage = |name: &str, cost, reveals| Stage {
///     name: name.into(), cost, years: 1.0, reveals, abandon: Some(0.0), wait: None, expand: None,
/// };
/// let film = StageGates {
///     gross: lognormal_gross(60e6, 1.0)?, receipts_per_gross: 0.7, highest_gross: None, discount_rate: 0.1,
///     stages: vec![stage("develop", 2e6, 0.5), stage("make", 50e6, 0.5)], sequel: None,
/// };
/// assert_eq!(film.worth(&Control::default())?.in_words(), "Committed to every stage it is worth $9.8M; with each \
///     right used at its best, $18.8M. The right to abandon adds $9.0M by itself and $9.0M to the others. Abandon \
///     before `develop` (0%) if the forecast then is below $24.3M (median; mean $40.0M). Abandon before `make` (51%) \
///     if the forecast then is below $61.2M (median; mean $78.6M). It is released with probability 49%.");
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateAnswer {
    /// With every right that is granted, each used when it is best.
    pub value: Money,
    /// Committed from the start to every stage, whatever is learnt: no right at all.
    pub committed: Money,
    /// Each right that is granted anywhere.
    pub options: Vec<OptionWorth>,
    /// Each gate.
    pub gates: Vec<GateReport>,
    /// The probability of going through every stage.
    pub released: Probability,
    /// The probability of making the sequel.
    pub sequel: Probability,
}

/// What a right is worth, by itself and beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OptionWorth {
    /// The right.
    pub option: GateOption,
    /// The value of the film with only this right.
    pub only: Money,
    /// The value of the film with every right but this one.
    pub without: Money,
    /// `only` less the committed value: never below zero.
    pub alone: Money,
    /// The value with all rights less `without`: never below zero.
    pub adds: Money,
}

/// What happens at a gate when every right is used at its best. Probabilities are as seen from the first gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateReport {
    /// The stage behind the gate.
    pub stage: String,
    /// That the gate is reached.
    pub reached: Probability,
    /// That one waits here.
    pub waits: Probability,
    /// That it is abandoned here, at once or after waiting.
    pub abandoned: Probability,
    /// That it is enlarged here.
    pub enlarged: Probability,
    /// When it is abandoned at once.
    pub abandon: AbandonBelow,
}

/// The forecast of the gross, as it then is, below which one abandons at a gate without waiting; for a film that was not
/// enlarged before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AbandonBelow {
    /// One may not.
    NotAllowed,
    /// Whatever the forecast.
    Always,
    /// Whatever the forecast, something else is better.
    Never,
    /// Below this forecast, said by its median and by its mean.
    Forecast {
        /// The median of the gross as then forecast.
        median: Gross,
        /// The mean of the gross as then forecast.
        mean: Gross,
    },
}

impl GateAnswer {
    /// What the rights are worth, and where one abandons.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut words = format!(
            "Committed to every stage it is worth {}; with each right used at its best, {}.",
            self.committed, self.value
        );
        for worth in &self.options {
            let (right, alone, adds) = (worth.option.as_str(), worth.alone, worth.adds);
            words += &format!(" The right to {right} adds {alone} by itself and {adds} to the others.");
        }
        for gate in &self.gates {
            let (stage, chance) = (&gate.stage, gate.abandoned);
            words += &match gate.abandon {
                AbandonBelow::Forecast { median, mean } => format!(
                    " Abandon before `{stage}` ({chance}) if the forecast then is below {} (median; mean {}).",
                    median.0, mean.0
                ),
                AbandonBelow::Always => format!(" Abandon before `{stage}` whatever the forecast."),
                AbandonBelow::Never | AbandonBelow::NotAllowed => continue,
            };
        }
        words + &format!(" It is released with probability {}.", self.released)
    }
}

impl StageGates {
    /// What the gates are worth, by lattice.
    ///
    /// # Errors
    /// As [`StageGates::check`]; [`InvestError::Cancelled`] when `control` says stop; [`InvestError::Domain`] for
    /// amounts that cannot be kept.
    pub fn worth(&self, control: &Control) -> Result<GateAnswer, InvestError> {
        self.check()?;
        let granted: Vec<GateOption> = GateOption::ALL.into_iter().filter(|o| self.grants(*o)).collect();
        let lattice = GateLattice::new(self, false);
        let value = |rights: &[GateOption]| lattice.solve(rights, control).map(|solved| solved.value);
        let committed = value(&[])?;
        let solved = GateLattice::new(self, true).solve(&granted, control)?;
        let options = granted
            .par_iter()
            .map(|option| {
                let others: Vec<GateOption> = granted.iter().copied().filter(|o| o != option).collect();
                let (only, without) = (value(&[*option])?, value(&others)?);
                Ok(OptionWorth {
                    option: *option,
                    only: usd(only)?,
                    without: usd(without)?,
                    alone: usd(only - committed)?,
                    adds: usd(solved.value - without)?,
                })
            })
            .collect::<Result<_, InvestError>>()?;
        let chance = |gate, choice| solved.chance(gate, choice);
        let last = self.stages.len() - 1;
        Ok(GateAnswer {
            value: usd(solved.value)?,
            committed: usd(committed)?,
            options,
            gates: self.reports(&lattice, &solved)?,
            released: probability(chance(last, Choice::Go) + chance(last, Choice::Expand))?,
            sequel: probability(chance(last + 1, Choice::Go))?,
        })
    }

    fn reports(&self, lattice: &GateLattice<'_>, solved: &Solved) -> Result<Vec<GateReport>, InvestError> {
        let mut reached = 1.0;
        let mut reports = Vec::with_capacity(self.stages.len());
        for (gate, stage) in self.stages.iter().enumerate() {
            let chance = |choice| solved.chance(gate, choice);
            let abandon = match (stage.abandon, solved.abandon[gate]) {
                (None, _) => AbandonBelow::NotAllowed,
                (_, Threshold::Always) => AbandonBelow::Always,
                (_, Threshold::Never) => AbandonBelow::Never,
                (_, Threshold::Below(score)) => AbandonBelow::Forecast {
                    median: Gross(usd(self.gross_at(score, 1.0))?),
                    mean: Gross(usd(lattice.mean_gross(gate, score))?),
                },
            };
            reports.push(GateReport {
                stage: stage.name.clone(),
                reached: probability(reached)?,
                waits: probability(chance(Choice::Wait))?,
                abandoned: probability(chance(Choice::Abandon))?,
                enlarged: probability(chance(Choice::Expand))?,
                abandon,
            });
            reached = chance(Choice::Go) + chance(Choice::Expand);
        }
        Ok(reports)
    }
}

impl Solved {
    fn chance(&self, gate: usize, choice: Choice) -> f64 {
        self.marks.get(mark(gate, choice)).copied().unwrap_or(0.0)
    }
}

/// Sums of parts may miss 0 and 1 by rounding.
fn probability(chance: f64) -> Result<Probability, InvestError> {
    Ok(Probability::try_from(chance.clamp(0.0, 1.0))?)
}
