//! Measures of a set of equally likely outcomes: quantiles, probability of loss, conditional value at risk.
//!
//! Conditional value at risk is the mean loss over the worst `tail` of outcomes, by R. T. Rockafellar and S. Uryasev,
//! "Optimization of Conditional Value-at-Risk", *Journal of Risk* 2 (2000): where `tail × n` is not whole, the outcome on
//! the edge counts with the part that is missing. Losses are positive, profits negative losses.

use marquee_domain::LEVELS;

/// How the worst part of `n` outcomes is counted: `whole` outcomes in full and the next worst with weight `part`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tail {
    pub(crate) whole: usize,
    pub(crate) part: f64,
    pub(crate) mass: f64,
}

impl Tail {
    /// The worst `fraction` (in (0, 1]) of `n` outcomes.
    pub(crate) fn of(n: usize, fraction: f64) -> Self {
        let mass = (fraction * n as f64).clamp(f64::MIN_POSITIVE, n as f64);
        // 0.05 × 10,000 must be 500 and not 500 and a rounding error.
        let nearest = mass.round();
        let mass = if (mass - nearest).abs() < 1e-9 * nearest { nearest } else { mass };
        let whole = mass.floor() as usize;
        Self { whole, part: mass - whole as f64, mass }
    }

    /// Mean loss over the worst outcomes of `profits`; reorders `profits` so that the worst come first.
    pub(crate) fn cvar(&self, profits: &mut [f64]) -> f64 {
        let n = profits.len();
        if n == 0 {
            return 0.0;
        }
        if self.whole < n {
            profits.select_nth_unstable_by(self.whole, f64::total_cmp);
        }
        let worst: f64 = profits[..self.whole.min(n)].iter().sum();
        let edge = profits.get(self.whole).map_or(0.0, |p| p * self.part);
        -(worst + edge) / self.mass
    }
}

/// Quantiles at [`LEVELS`] of outcomes sorted upwards, linear between neighbours (type 7 of Hyndman and Fan 1996).
pub(crate) fn quantiles(sorted: &[f64]) -> [f64; 7] {
    LEVELS.map(|level| {
        let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
        let at = level * last as f64;
        let low = (at.floor() as usize).min(last);
        let high = (low + 1).min(last);
        sorted[low] + (at - low as f64) * (sorted[high] - sorted[low])
    })
}

/// The share of outcomes below zero.
pub(crate) fn loss_share(profits: &[f64]) -> f64 {
    profits.iter().filter(|p| **p < 0.0).count() as f64 / profits.len().max(1) as f64
}

/// The arithmetic mean.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cvar_by_hand() {
        // The worst quarter of ten outcomes: -8 and -5 in full and half of -3: (8 + 5 + 1.5) / 2.5.
        let mut profits = [4.0, -3.0, 9.0, -8.0, 0.0, 2.0, -5.0, 7.0, 1.0, 3.0];
        assert!((Tail::of(10, 0.25).cvar(&mut profits) - 5.8).abs() < 1e-12);
        assert_eq!(Tail::of(10_000, 0.05), Tail { whole: 500, part: 0.0, mass: 500.0 });
        assert!((Tail::of(10, 1.0).cvar(&mut profits) - -1.0).abs() < 1e-12);
    }

    /// CVaR of a standard normal at 5% is φ(Φ⁻¹(0.05)) / 0.05 = 2.0627 (Rockafellar and Uryasev 2000, §3).
    #[test]
    fn cvar_of_a_normal() {
        use rand::SeedableRng;
        use rand_distr::Distribution;
        let rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let mut draws: Vec<f64> = rand_distr::StandardNormal.sample_iter(rng).take(400_000).collect();
        let found = Tail::of(draws.len(), 0.05).cvar(&mut draws);
        assert!((found - 2.0627).abs() < 0.012, "{found}");
    }

    proptest! {
        #[test]
        fn cvar_is_coherent(
            profits in proptest::collection::vec((-100.0..100.0f64, -100.0..100.0f64), 1..60),
            tail in 0.01..1.0f64, shift in -50.0..50.0f64, scale in 0.0..9.0f64,
        ) {
            let cvar = |f: &dyn Fn(&(f64, f64)) -> f64| {
                let mut values: Vec<f64> = profits.iter().map(f).collect();
                Tail::of(values.len(), tail).cvar(&mut values)
            };
            let (a, b, both) = (cvar(&|p| p.0), cvar(&|p| p.1), cvar(&|p| p.0 + p.1));
            prop_assert!(both <= a + b + 1e-9, "subadditive");
            prop_assert!((cvar(&|p| p.0 + shift) - (a - shift)).abs() < 1e-9, "translation");
            prop_assert!((cvar(&|p| p.0 * scale) - a * scale).abs() < 1e-9, "positively homogeneous");
            let mean = profits.iter().map(|p| p.0).sum::<f64>() / profits.len() as f64;
            prop_assert!(a >= -mean - 1e-9, "no less than the mean loss");
        }
    }
}
