//! Performance: what a project made against what was projected, and what the difference comes from.
//!
//! Four things can differ: the gross (the forecast), what was spent (cost), when it came out (timing), and who got what
//! (split: another deal). Each one's part is its Shapley value: the mean over all orders of putting the actual in the
//! planned one's place (L. S. Shapley, "A Value for n-Person Games", 1953), so that the parts add up to the difference
//! whatever the order. Values are net present, of all who finance and share, on the planned first day, at the planned deal's
//! rate. Gross-implied: actual grosses are paid through a deal, not reported.

use marquee_domain::{Day, Gross, Money, Spend};
use serde::Serialize;

use crate::simulate::{Draw, usd};
use crate::waterfall::{Costs, Flows, Scenario, Waterfall};
use crate::{Candidate, Deal, InvestError, Simulation};

/// What happened to a project. What is not said went as planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Actual {
    /// What it cost to make, US dollars, nominal.
    pub budget: Option<marquee_domain::Budget>,
    /// What was spent to release it, US dollars, nominal.
    pub marketing: Option<Spend>,
    /// When it came out.
    pub release: Option<Day>,
    /// What it took in the United States and Canada; by the deal's share of the worldwide gross where it is not said.
    pub domestic: Option<Gross>,
    /// What it took in the world, US dollars, nominal.
    pub worldwide: Gross,
}

/// What a difference comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The gross was another than the mean of its forecast.
    Forecast,
    /// It cost more or less than planned.
    Cost,
    /// It came out sooner or later.
    Timing,
    /// Others got more or less: another deal.
    Split,
}

impl Cause {
    /// All of them, in the order of [`Attribution::parts`].
    pub const ALL: [Self; 4] = [Self::Forecast, Self::Cost, Self::Timing, Self::Split];
}

/// A difference and its parts. Net present values, gross-implied; US dollars, nominal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attribution {
    /// The project.
    pub project: String,
    /// The value at the mean forecast grosses, as planned, without events.
    pub projected: Money,
    /// The value of what happened.
    pub actual: Money,
    /// What each cause adds, in the order of [`Cause::ALL`]: `actual` less `projected` in all, to the cent.
    pub parts: [Money; 4],
    /// Where the actual worldwide gross lies in its forecast: 0.9 is better than in nine of ten cases.
    pub rank: f64,
}

impl Simulation {
    /// Attributes a project's performance: `candidate` as it was forecast and planned under `deal`, what happened, and the
    /// deal that it was paid under.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn attribute(
        &self,
        candidate: &Candidate,
        deal: &Deal,
        actual: &Actual,
        actual_deal: &Deal,
    ) -> Result<Attribution, InvestError> {
        let one = std::slice::from_ref(candidate);
        let draw = Draw::new(self, None, one, deal)?;
        let planned = draw.plan(candidate)?.costs;
        let grosses = draw.grosses(candidate);
        let n = grosses.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| grosses.iter().map(of).sum::<f64>() / n;
        let (home, abroad) = (mean(|g| g.0), mean(|g| g.1));
        let world = actual.worldwide.0.major();
        let came_home = actual.domestic.map_or(world * draw.terms.domestic_share, |d| d.0.major()).min(world);
        let worlds = [(home, abroad), (came_home, world - came_home)];
        let value = |which: usize| -> Result<f64, InvestError> {
            let is = |cause: usize| which >> cause & 1 == 1;
            let costs = Costs {
                budget: actual.budget.filter(|_| is(1)).unwrap_or(planned.budget),
                marketing: actual.marketing.filter(|_| is(1)).unwrap_or(planned.marketing),
                release: actual.release.filter(|_| is(2)).unwrap_or(planned.release),
            };
            let (domestic, international) = worlds[usize::from(is(0))];
            let terms = if is(3) { actual_deal } else { deal };
            let rate = deal.discount_rate();
            present(
                terms,
                &candidate.project().name,
                (planned, costs),
                rate,
                Scenario::as_planned(domestic, international),
            )
        };
        let values = (0..16).map(value).collect::<Result<Vec<_>, _>>()?;
        let below = grosses.iter().filter(|(d, i)| d + i < world).count();
        let (projected, came) = (usd(values[0])?, usd(values[15])?);
        Ok(Attribution {
            project: candidate.project().name.clone(),
            projected,
            actual: came,
            parts: parts(&values, projected, came)?,
            rank: below as f64 / n,
        })
    }
}

/// Shapley values of the four causes; what rounding leaves goes to the forecast, so that they add up to the cent.
fn parts(values: &[f64], projected: Money, actual: Money) -> Result<[Money; 4], InvestError> {
    // Weights of joining none, one, two or three others: k! (3 − k)! / 4!.
    const WEIGHTS: [f64; 4] = [0.25, 1.0 / 12.0, 1.0 / 12.0, 0.25];
    let mut parts = [projected.checked_sub(projected)?; 4];
    for (cause, part) in parts.iter_mut().enumerate() {
        let others = (0..16usize).filter(|s| s >> cause & 1 == 0);
        let gain = |s: usize| WEIGHTS[s.count_ones() as usize] * (values[s | 1 << cause] - values[s]);
        *part = usd(others.map(gain).sum())?;
    }
    let mut left = actual.checked_sub(projected)?;
    for part in &parts {
        left = left.checked_sub(*part)?;
    }
    parts[0] = parts[0].checked_add(left)?;
    Ok(parts)
}

/// The net present value of all who finance and share, at the start of the plan's first quarter.
fn present(
    deal: &Deal,
    name: &str,
    (planned, costs): (Costs, Costs),
    rate: f64,
    scenario: Scenario,
) -> Result<f64, InvestError> {
    let waterfall = Waterfall::new(deal, name, costs)?;
    let first = Waterfall::new(deal, name, planned)?.quarter(0);
    let mut flows = Flows::default();
    waterfall.pay(&scenario, &mut flows);
    let shift = waterfall.quarter(0).quarters_since(first);
    let mut together = [vec![], vec![]];
    waterfall.together(&flows, &mut together);
    let cash = together[0].iter().zip(&together[1]).enumerate();
    let worth = cash.map(|(q, (paid, drawn))| {
        (paid - drawn) as f64 / 100.0 * (1.0 + rate).powf(-f64::from(shift + q as i32) / 4.0)
    });
    Ok(worth.sum())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use marquee_domain::{Budget, Currency};

    use super::*;
    use crate::simulate::tests::{calm, gross, project};

    fn attribute(actual: &Actual, actual_deal: &Deal) -> Attribution {
        let candidate =
            Candidate::from_distributions(project("a", 30e6), None, Some(gross(90e6, 0.8))).unwrap();
        let simulation = Simulation { scenarios: 2_000, ..Simulation::default() };
        simulation.attribute(&candidate, &calm(&[]), actual, actual_deal).unwrap()
    }

    fn usd_of(amount: f64) -> Money {
        Money::from_major(amount, Currency::USD).unwrap()
    }

    fn as_planned(worldwide: f64) -> Actual {
        Actual {
            budget: None,
            marketing: None,
            release: None,
            domestic: None,
            worldwide: Gross(usd_of(worldwide)),
        }
    }

    #[test]
    fn each_cause_alone_takes_the_whole_difference() {
        let only = |a: &Attribution, cause: usize| {
            let difference = a.actual.checked_sub(a.projected).unwrap();
            for (i, part) in a.parts.iter().enumerate() {
                let expected = if i == cause { difference.major() } else { 0.0 };
                assert!((part.major() - expected).abs() < 1.0, "{i} {a:?}");
            }
            assert!(difference.minor() != 0);
        };
        let weak = attribute(&as_planned(20e6), &calm(&[]));
        only(&weak, 0);
        assert!(weak.parts[0].minor() < 0 && weak.rank < 0.1);
        // One studio's value is linear in both, so that neither part depends on the other.
        let dear = attribute(&Actual { budget: Some(Budget(usd_of(40e6))), ..as_planned(20e6) }, &calm(&[]));
        assert!((dear.parts[0].major() - weak.parts[0].major()).abs() < 1.0, "{dear:?}");
        assert!((-10e6..-9e6).contains(&dear.parts[1].major()), "ten million, discounted: {dear:?}");
    }

    #[test]
    fn parts_add_up_to_the_cent_whatever_happened() {
        let text = Deal::DEFAULT_TOML.replacen("fee = { value = 0.15", "fee = { value = 0.25", 1);
        let actual = Actual {
            budget: Some(Budget(usd_of(33e6))),
            marketing: Some(Spend(usd_of(9e6))),
            release: Some("2031-03-01".parse().unwrap()),
            domestic: Some(Gross(usd_of(70e6))),
            worldwide: Gross(usd_of(120e6)),
        };
        let a = attribute(&actual, &Deal::from_toml(&text).unwrap());
        let sum: i64 = a.parts.iter().map(|p| p.minor()).sum();
        assert_eq!(sum, a.actual.minor() - a.projected.minor());
        assert!(a.parts[2].minor() != 0 && a.parts[3].minor() < 0, "{a:?}");
    }
}
