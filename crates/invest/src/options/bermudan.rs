//! Options that may be exercised on a number of dates: a put on one asset, a call on the better of two.
//!
//! They are here to judge the two methods by published values (F. A. Longstaff and E. S. Schwartz, "Valuing American
//! options by simulation: a simple least-squares approach", *Review of Financial Studies* 14 (2001), table 1; M. Broadie
//! and P. Glasserman 1997 and L. Andersen and M. Broadie 2004 for the max-call), and as the plain case by which to read
//! the stage gates. Assets follow geometric Brownian motions under the pricing measure.
//!
//! What is *not* here: exercise between the dates, dividends in cash, smiles.

use marquee_domain::Control;
use serde::Serialize;

use super::lattice::{Axis, Kernel, REACH};
use super::regression::{Row, row};
use crate::InvestError;

/// Nodes within one standard deviation of the step from date to date: on one axis, and on each of two.
const NODES: [f64; 2] = [20.0, 10.0];

/// The most exercise dates: on one axis, and on two.
const MOST_DATES: [usize; 2] = [1000, 50];

/// One asset. Rates are continuous and annual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Asset {
    /// The price today, above zero.
    pub spot: f64,
    /// The dividend yield, −1 to 1.
    pub dividend: f64,
    /// The standard deviation of the logarithm over one year, above zero.
    pub volatility: f64,
}

/// What exercise pays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Payoff {
    /// The strike less the price, or nothing.
    Put {
        /// What may be sold at the strike.
        asset: Asset,
    },
    /// The higher of two prices less the strike, or nothing.
    MaxCall {
        /// Of which the better may be bought at the strike.
        assets: [Asset; 2],
        /// The correlation of their logarithmic returns, −1 to 1.
        correlation: f64,
    },
}

/// An option that may be exercised today and on equally spaced dates, the last of them at maturity.
///
/// ```
/// use marquee_domain::Control;
/// use marquee_invest::options::{Asset, Bermudan, Paths, Payoff};
/// let put = Bermudan {
///     payoff: Payoff::Put { asset: Asset { spot: 36.0, dividend: 0.0, volatility: 0.2 } },
///     strike: 40.0, rate: 0.06, years: 1.0, dates: 50,
/// };
/// let lattice = put.lattice(&Control::default())?;
/// assert!((lattice - 4.478).abs() < 0.002);
/// let simulated = put.longstaff_schwartz(Paths { count: 20_000, seed: 1 }, &Control::default())?;
/// assert!((simulated.value - lattice).abs() < 4.0 * simulated.standard_error + 0.02);
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bermudan {
    /// What exercise pays.
    pub payoff: Payoff,
    /// The strike, above zero.
    pub strike: f64,
    /// The riskless rate, continuous and annual, −1 to 1.
    pub rate: f64,
    /// Years to maturity, above zero.
    pub years: f64,
    /// How many exercise dates after today: at most 1,000 for a put, 50 for a max-call.
    pub dates: usize,
}

impl Bermudan {
    /// The value today by backward induction on a lattice, to about 1e-4 of the strike or better.
    ///
    /// # Errors
    /// [`InvestError::Setting`] for a figure out of its range, [`InvestError::Cancelled`] when `control` says stop.
    pub fn lattice(&self, control: &Control) -> Result<f64, InvestError> {
        let motion = self.checked()?;
        let square = motion.factors() == 2;
        let step = 1.0 / NODES[usize::from(square)];
        let dates = (self.dates as f64).sqrt();
        // The growth of an asset moves its own mean up by its volatility, in standard deviations.
        let reach = dates * (REACH + motion.total(self.dates));
        let axis = Axis::covering(reach, reach, step);
        let kernel = Kernel::gaussian(1.0, step);
        let mut values = motion.payoffs(&axis, self.dates);
        for date in (0..self.dates).rev() {
            control.check()?;
            let expected =
                if square { kernel.expect_square(&values, axis.len()) } else { kernel.expect(&values) };
            let now = motion.payoffs(&axis, date);
            values = expected.iter().zip(now).map(|(e, now)| now.max(e * motion.discount)).collect();
        }
        let origin = if square { axis.origin() * (axis.len() + 1) } else { axis.origin() };
        Ok(values.get(origin).copied().unwrap_or_default())
    }

    /// The prices' motion from date to date, once every figure is in its range.
    pub(super) fn checked(&self) -> Result<Motion, InvestError> {
        let positive =
            |name, value: f64| within(name, value, f64::MIN_POSITIVE, 1e12, "above 0, at most 1e12");
        positive("strike", self.strike)?;
        within("rate", self.rate, -1.0, 1.0, "in [-1, 1]")?;
        within("years", self.years, 1e-6, 100.0, "in [0.000001, 100]")?;
        let (assets, correlation) = match self.payoff {
            Payoff::Put { asset } => (vec![asset], 0.0),
            Payoff::MaxCall { assets, correlation } => (assets.to_vec(), correlation),
        };
        within("correlation", correlation, -1.0, 1.0, "in [-1, 1]")?;
        let most = MOST_DATES[assets.len() - 1];
        if self.dates == 0 || self.dates > most {
            let range = if most == 50 { "1 to 50" } else { "1 to 1000" };
            return Err(InvestError::Setting { name: "dates", value: self.dates as f64, range });
        }
        for asset in &assets {
            positive("spot", asset.spot)?;
            within("dividend", asset.dividend, -1.0, 1.0, "in [-1, 1]")?;
            let total = asset.volatility * self.years.sqrt();
            within("volatility", asset.volatility, 1e-6, f64::MAX, "in [0.000001, 3 / √years]")?;
            if total > 3.0 {
                let (name, value) = ("volatility", asset.volatility);
                return Err(InvestError::Setting { name, value, range: "in [0.000001, 3 / √years]" });
            }
        }
        Ok(Motion::new(self, &assets, correlation))
    }
}

fn within(
    name: &'static str,
    value: f64,
    low: f64,
    high: f64,
    range: &'static str,
) -> Result<(), InvestError> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(InvestError::Setting { name, value, range }) }
}

/// One asset's motion: the logarithm grows by `drift` and by `loadings` on the two independent normal scores.
#[derive(Debug, Clone, Copy)]
pub(super) struct AssetMotion {
    pub(super) start: f64,
    pub(super) drift: f64,
    pub(super) loadings: [f64; 2],
}

/// The prices' motion from one date to the next.
#[derive(Debug, Clone)]
pub(super) struct Motion {
    pub(super) assets: Vec<AssetMotion>,
    pub(super) discount: f64,
    payoff: Payoff,
    strike: f64,
}

impl Motion {
    fn new(option: &Bermudan, assets: &[Asset], correlation: f64) -> Self {
        let time = option.years / option.dates as f64;
        let own = [[1.0, 0.0], [correlation, (1.0 - correlation * correlation).sqrt()]];
        let assets = assets.iter().zip(own).map(|(asset, shares)| AssetMotion {
            start: asset.spot.ln(),
            drift: (option.rate - asset.dividend - asset.volatility.powi(2) / 2.0) * time,
            loadings: shares.map(|share| share * asset.volatility * time.sqrt()),
        });
        let discount = (-option.rate * time).exp();
        Self { assets: assets.collect(), discount, payoff: option.payoff, strike: option.strike }
    }

    pub(super) fn factors(&self) -> usize {
        self.assets.len()
    }

    /// The highest volatility over all dates.
    fn total(&self, dates: usize) -> f64 {
        let of = |asset: &AssetMotion| asset.loadings[0].hypot(asset.loadings[1]) * (dates as f64).sqrt();
        self.assets.iter().map(of).fold(0.0, f64::max)
    }

    /// What exercise pays at these prices, of which a put has one.
    pub(super) fn payoff(&self, prices: [f64; 2]) -> f64 {
        let worth = match self.payoff {
            Payoff::Put { .. } => self.strike - prices[0],
            Payoff::MaxCall { .. } => prices[0].max(prices[1]) - self.strike,
        };
        worth.max(0.0)
    }

    /// The payoff at every node on a date: of the axis, or of its square row after row.
    fn payoffs(&self, axis: &Axis, date: usize) -> Vec<f64> {
        let parts = |asset: &AssetMotion, factor: usize, start: f64| -> Vec<f64> {
            axis.nodes().map(|node| (start + asset.loadings[factor] * node).exp()).collect()
        };
        let at = |asset: &AssetMotion| asset.start + asset.drift * date as f64;
        match self.assets.as_slice() {
            [first, second] => {
                let one = parts(first, 0, at(first));
                let (two, own) = (parts(second, 0, at(second)), parts(second, 1, 0.0));
                let row = |(a, b): (&f64, &f64)| -> Vec<f64> {
                    own.iter().map(|own| self.payoff([*a, b * own])).collect()
                };
                one.iter().zip(&two).flat_map(row).collect()
            }
            assets => {
                let prices = assets.iter().flat_map(|asset| parts(asset, 0, at(asset)));
                prices.map(|price| self.payoff([price, 0.0])).collect()
            }
        }
    }

    /// The terms of the regression of the value of going on: powers of the prices' distance from the strike, of the
    /// higher price first.
    pub(super) fn terms(&self, prices: [f64; 2]) -> Row {
        let from_strike = |price: f64| price / self.strike - 1.0;
        match self.payoff {
            Payoff::Put { .. } => {
                let x = from_strike(prices[0]);
                row([1.0, x, x * x, x.powi(3), x.powi(4)])
            }
            Payoff::MaxCall { .. } => {
                let a = from_strike(prices[0].max(prices[1]));
                let b = from_strike(prices[0].min(prices[1]));
                let (square, product, low) = (a * a, a * b, b * b);
                row([1.0, a, b, square, product, low, square * a, square * b, a * low, low * b])
            }
        }
    }
}

#[cfg(test)]
#[path = "bermudan_tests.rs"]
mod tests;
