//! The best spends under a cap: one multiplier for all films, found by bisection. See `allocation` for the model.
//!
//! Spends are vectors of dollars, film by film in the order of their buckets. A multiplier is the receipts that one more
//! dollar must bring; it is held as its logarithm.

use marquee_domain::{Control, Money};

use super::{BestSpend, Bound, MULTIPLIERS, NEARLY, PlannedSpend, SpendingProject, total, usd};
use crate::{Elasticity, InvestError};

/// A contraction by less than 0.98 has come to rest long before this.
const MOST_ROUNDS: usize = 4000;
/// Halvings of an interval of logarithms until its ends are neighbours.
const HALVINGS: usize = 80;

/// The films with what is taken as known of their elasticities.
pub(super) struct Spends<'a> {
    projects: &'a [SpendingProject],
    cap: Option<f64>,
    /// Elasticities at this quantile as if it were known, or with their whole range.
    quantile: Option<usize>,
}

impl<'a> Spends<'a> {
    pub(super) fn new(projects: &'a [SpendingProject], cap: Option<f64>, quantile: Option<usize>) -> Self {
        Self { projects, cap, quantile }
    }

    /// One figure of every spend.
    pub(super) fn at(&self, figure: fn(&PlannedSpend) -> f64) -> Vec<f64> {
        self.projects.iter().flat_map(|project| project.spends.iter().map(figure)).collect()
    }

    fn elasticity(&self, spend: &PlannedSpend) -> Elasticity {
        self.quantile.map_or(spend.elasticity, |quantile| spend.elasticity.only(quantile))
    }

    /// The logarithm of the multiplier and the best spends under the cap.
    pub(super) fn best(&self, control: &Control) -> Result<(f64, Vec<f64>), InvestError> {
        let free = self.at_multiplier(0.0);
        let Some(cap) = self.cap.filter(|cap| total(&free) > *cap) else { return Ok((0.0, free)) };
        let multiplier = self.bisect([0.0, MULTIPLIERS[1]], control, |spends| total(spends) > cap)?;
        Ok((multiplier, self.at_multiplier(multiplier)))
    }

    /// The least multiplier at which `too_low` no longer holds, which it does below and not above.
    fn bisect(
        &self,
        [mut low, mut high]: [f64; 2],
        control: &Control,
        too_low: impl Fn(&[f64]) -> bool,
    ) -> Result<f64, InvestError> {
        for _ in 0..HALVINGS {
            control.check()?;
            let middle = low.midpoint(high);
            if too_low(&self.at_multiplier(middle)) { low = middle } else { high = middle }
        }
        Ok(high)
    }

    /// The best spends where one more dollar must bring at least the multiplier.
    fn at_multiplier(&self, multiplier: f64) -> Vec<f64> {
        self.projects.iter().flat_map(|project| self.project_at(project, multiplier)).collect()
    }

    /// The fixed point of "spend so much that the last dollar brings the multiplier, given the others": in logarithms a
    /// contraction, since a step in all spends moves it by the sum of elasticities.
    fn project_at(&self, project: &SpendingProject, multiplier: f64) -> Vec<f64> {
        let mut logs = vec![0.0_f64; project.spends.len()];
        for _ in 0..MOST_ROUNDS {
            let responses: Vec<(f64, f64)> =
                project.spends.iter().zip(&logs).map(|(s, log)| self.elasticity(s).moments(*log)).collect();
            let receipts = project.receipts.ln() + responses.iter().map(|(f, _)| f.ln()).sum::<f64>();
            let mut moved = 0.0_f64;
            for ((log, spend), (factor, slope)) in logs.iter_mut().zip(&project.spends).zip(responses) {
                let [least, most] = log_bounds(spend);
                let wanted = receipts + (slope / factor).ln() - multiplier - spend.planned.ln();
                let held = wanted.clamp(least, most);
                moved = moved.max((held - *log).abs());
                *log = held;
            }
            if moved < 1e-14 {
                break;
            }
        }
        let amount = |(spend, log): (&PlannedSpend, &f64)| {
            let [least, most] = log_bounds(spend);
            // A bound that holds is met to the cent, which its logarithm would miss.
            if *log <= least {
                spend.least
            } else if *log >= most {
                spend.most
            } else {
                spend.planned * log.exp()
            }
        };
        project.spends.iter().zip(&logs).map(amount).collect()
    }

    /// Expected receipts less spends.
    pub(super) fn profit(&self, spends: &[f64]) -> f64 {
        self.by_project(spends).map(|(project, own)| self.receipts(project, own) - total(own)).sum()
    }

    fn by_project<'s>(&self, spends: &'s [f64]) -> impl Iterator<Item = (&'a SpendingProject, &'s [f64])> {
        self.projects.iter().scan(spends, |left, project| {
            let (own, others) = left.split_at_checked(project.spends.len())?;
            *left = others;
            Some((project, own))
        })
    }

    fn receipts(&self, project: &SpendingProject, own: &[f64]) -> f64 {
        let factors = project.spends.iter().zip(own);
        let response =
            |(spend, amount): (&PlannedSpend, &f64)| self.elasticity(spend).response(amount / spend.planned);
        project.receipts * factors.map(response).product::<f64>()
    }

    /// The lowest and the highest total, well divided, whose profit is nearly the best.
    pub(super) fn flat_totals(
        &self,
        multiplier: f64,
        best: f64,
        control: &Control,
    ) -> Result<[Money; 2], InvestError> {
        let enough = best - NEARLY * best.abs();
        // Totals fall with the multiplier: the most spends are at the lowest one.
        let low =
            self.bisect([multiplier, MULTIPLIERS[1]], control, |spends| self.profit(spends) >= enough)?;
        let high =
            self.bisect([MULTIPLIERS[0], multiplier], control, |spends| self.profit(spends) < enough)?;
        let cap = self.cap.unwrap_or(f64::INFINITY);
        Ok([usd(total(&self.at_multiplier(low)))?, usd(total(&self.at_multiplier(high)).min(cap))?])
    }

    /// Each spend at the best, with its marginal receipts, bound and range.
    pub(super) fn describe(&self, best: &[f64], profit: f64) -> Result<Vec<BestSpend>, InvestError> {
        let room = self.cap.map_or(f64::INFINITY, |cap| (cap - total(best)).max(0.0));
        let mut described = Vec::with_capacity(best.len());
        for (project, own) in self.by_project(best) {
            for (which, (spend, amount)) in project.spends.iter().zip(own).enumerate() {
                let (factor, slope) = self.elasticity(spend).moments((amount / spend.planned).ln());
                let enough = self.receipts(project, own) - total(own) - NEARLY * profit.abs();
                let good = |other: f64| {
                    let mut changed = own.to_vec();
                    changed[which] = other;
                    self.receipts(project, &changed) - total(&changed) >= enough
                };
                let highest = spend.most.min(amount + room);
                described.push(BestSpend {
                    project: project.name.clone(),
                    bucket: spend.bucket,
                    planned: usd(spend.planned)?,
                    spend: usd(*amount)?,
                    marginal: self.receipts(project, own) * slope / factor / amount,
                    bound: bound(spend, *amount),
                    nearly_as_good: [
                        usd(edge(*amount, spend.least, good))?,
                        usd(edge(*amount, highest, good))?,
                    ],
                });
            }
        }
        Ok(described)
    }
}

/// The bounds as logarithms of multiples of what is planned.
fn log_bounds(spend: &PlannedSpend) -> [f64; 2] {
    [(spend.least / spend.planned).ln(), (spend.most / spend.planned).ln()]
}

fn bound(spend: &PlannedSpend, amount: f64) -> Bound {
    if amount <= spend.least {
        Bound::Least
    } else if amount >= spend.most {
        Bound::Most
    } else {
        Bound::Free
    }
}

/// The last amount from `inside` towards `outer` that is still good, where all before it are.
fn edge(inside: f64, outer: f64, good: impl Fn(f64) -> bool) -> f64 {
    if good(outer) {
        return outer;
    }
    let (mut near, mut far) = (inside, outer);
    for _ in 0..HALVINGS {
        let middle = near.midpoint(far);
        if good(middle) { near = middle } else { far = middle }
    }
    near
}
