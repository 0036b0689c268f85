//! The weights that a mandate allows, as a polytope: bounds, linear rows, and a sum of 1. Linear programs over it are
//! solved exactly by the dual simplex of this crate, which also settles whether it is empty.
//!
//! What is *not* here: risk. But the polytope proves how far a portfolio is from the best one: a convex objective lies above
//! its tangent (M. Frank and P. Wolfe, "An Algorithm for Quadratic Programming", 1956), whose least value multipliers bound.

use crate::simplex::{Row, Simplex, Status};

/// Bounds and rows; the bounds allow a sum of 1.
#[derive(Debug, Clone)]
pub(super) struct Polytope {
    pub(super) lower: Vec<f64>,
    pub(super) upper: Vec<f64>,
    pub(super) rows: Vec<Row>,
}

/// Rounding in a sum of weights.
const ROUNDING: f64 = 1e-12;
/// Rows that are broken by more are broken.
const BROKEN: f64 = 1e-8;
/// Weights nearer than this to a bound are at it.
const AT_BOUND: f64 = 1e-9;

impl Polytope {
    /// The weights between bounds that allow a sum of 1.
    pub(super) fn new(lower: Vec<f64>, upper: Vec<f64>) -> Self {
        let (least, most): (f64, f64) = (lower.iter().sum(), upper.iter().sum());
        // Where only one point adds up to 1, there is no interior to walk in.
        if least >= 1.0 - ROUNDING {
            Self { upper: lower.clone(), lower, rows: vec![] }
        } else if most <= 1.0 + ROUNDING {
            Self { lower: upper.clone(), upper, rows: vec![] }
        } else {
            Self { lower, upper, rows: vec![] }
        }
    }

    /// The same with `coefficients · w ≤ limit`.
    pub(super) fn with(mut self, mut coefficients: Vec<f64>, limit: f64) -> Self {
        let most = coefficients.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
        let unit = if most > 0.0 { most } else { 1.0 };
        coefficients.iter_mut().for_each(|c| *c /= unit);
        self.rows.push(Row { coefficients, limit: limit / unit });
        self
    }

    /// The same with `mean · w ≥ target`. As the weights add up to 1, the mean of `mean` may be taken off both sides,
    /// which leaves the row well scaled.
    pub(super) fn with_return(self, mean: &[f64], target: f64) -> Self {
        let middle = mean.iter().sum::<f64>() / mean.len().max(1) as f64;
        self.with(mean.iter().map(|m| middle - m).collect(), middle - target)
    }

    /// A point strictly within all bounds that have room, adding up to 1; rows are not looked at.
    pub(super) fn inside(&self) -> Vec<f64> {
        let (least, most): (f64, f64) = (self.lower.iter().sum(), self.upper.iter().sum());
        let share = if most - least > ROUNDING { (1.0 - least) / (most - least) } else { 0.0 };
        self.lower.iter().zip(&self.upper).map(|(l, u)| l + share * (u - l)).collect()
    }

    /// The largest `cost · w` and a corner that has it; none where the rows cannot be kept.
    pub(super) fn maximise(&self, cost: &[f64]) -> Option<(f64, Vec<f64>)> {
        let value = |w: &[f64]| cost.iter().zip(w).map(|(c, x)| c * x).sum();
        let (greedy, price) = self.greedy(cost);
        if self.rows.is_empty() {
            return Some((value(&greedy), greedy));
        }
        // The weights add up to 1: a constant off every cost changes nothing, but starts the simplex near the end.
        let unit = cost.iter().map(|c| (c - price).abs()).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let shifted = cost.iter().map(|c| (c - price) / unit).collect();
        let mut program = Simplex::new(shifted, self.lower.clone(), self.upper.clone());
        let n = cost.len();
        program.add_row(Row { coefficients: vec![1.0; n], limit: 1.0 });
        program.add_row(Row { coefficients: vec![-1.0; n], limit: -1.0 });
        self.rows.iter().for_each(|row| program.add_row(row.clone()));
        // Each solve has a limit of pivots; many assets may need several.
        for _ in 0..=n / 20 {
            if program.solve() == Status::Infeasible {
                return None;
            }
            if self.broken(program.values()) <= BROKEN {
                break;
            }
        }
        let corner = program.values().to_vec();
        (self.broken(&corner) <= BROKEN).then(|| (value(&corner), corner))
    }

    /// All points with the largest `cost · w`, again as bounds; none where rows are in the way.
    pub(super) fn best_face(&self, cost: &[f64]) -> Option<Self> {
        let price = self.rows.is_empty().then(|| self.greedy(cost).1)?;
        let bounds = |(c, (l, u)): (&f64, (&f64, &f64))| match c - price {
            over if over > ROUNDING => (*u, *u),
            under if under < -ROUNDING => (*l, *l),
            _ => (*l, *u),
        };
        let (lower, upper) = cost.iter().zip(self.lower.iter().zip(&self.upper)).map(bounds).unzip();
        Some(Self::new(lower, upper))
    }

    /// Whether any weights keep all rows.
    pub(super) fn is_empty(&self) -> bool {
        self.maximise(&vec![0.0; self.lower.len()]).is_none()
    }

    /// How far a point is from the best of a convex objective, at most, by the objective's slope there and any
    /// multipliers of the rows, zero or more: by weak duality.
    pub(super) fn distance_from_best(&self, slope: &[f64], multipliers: &[f64], at: &[f64]) -> f64 {
        let mut down: Vec<f64> = slope.iter().map(|g| -g).collect();
        let mut charged = 0.0;
        for (row, y) in self.rows.iter().zip(multipliers) {
            down.iter_mut().zip(&row.coefficients).for_each(|(d, a)| *d -= y * a);
            charged += y * row.limit;
        }
        let (best, _) = self.greedy(&down);
        let value = |g: &[f64], w: &[f64]| g.iter().zip(w).map(|(g, w)| g * w).sum::<f64>();
        (value(slope, at) + value(&down, &best) + charged).max(0.0)
    }

    /// Puts weights that are all but at a bound there, and what that leaves on the one with most room.
    pub(super) fn tidy(&self, weights: &mut [f64]) {
        let mut roomiest = (0.0, None);
        for (i, w) in weights.iter_mut().enumerate() {
            let (low, high) = (self.lower[i], self.upper[i]);
            let room = (*w - low).min(high - *w);
            if room <= AT_BOUND {
                *w = if *w - low <= high - *w { low } else { high };
            } else if room > roomiest.0 {
                roomiest = (room, Some(i));
            }
        }
        let left = 1.0 - weights.iter().sum::<f64>();
        if let Some(w) = roomiest.1.and_then(|i| weights.get_mut(i)) {
            *w += left;
        }
    }

    /// By how much the worst row, or the sum, is broken.
    fn broken(&self, weights: &[f64]) -> f64 {
        let over =
            |row: &Row| row.coefficients.iter().zip(weights).map(|(a, w)| a * w).sum::<f64>() - row.limit;
        let sum = (weights.iter().sum::<f64>() - 1.0).abs();
        self.rows.iter().map(over).fold(sum, f64::max)
    }

    /// The best point without the rows, dearest first, and the cost at which the sum is reached.
    fn greedy(&self, cost: &[f64]) -> (Vec<f64>, f64) {
        let mut order: Vec<usize> = (0..cost.len()).collect();
        order.sort_by(|a, b| cost[*b].total_cmp(&cost[*a]).then(a.cmp(b)));
        let mut weights = self.lower.clone();
        let mut left = 1.0 - weights.iter().sum::<f64>();
        let mut price = order.first().map_or(0.0, |i| cost[*i]);
        for i in order {
            if left <= 0.0 {
                break;
            }
            let taken = left.min(self.upper[i] - self.lower[i]);
            weights[i] += taken;
            left -= taken;
            price = cost[i];
        }
        (weights, price)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn between(n: usize, low: f64, high: f64) -> Polytope {
        Polytope::new(vec![low; n], vec![high; n])
    }

    #[test]
    fn corners_by_hand() {
        let cost = [0.1, 0.3, 0.2];
        assert_eq!(between(3, 0.0, 1.0).maximise(&cost).unwrap().1, [0.0, 1.0, 0.0]);
        assert!((between(3, 0.0, 0.4).maximise(&cost).unwrap().0 - 0.22).abs() < 1e-12);
        // At most 0.5 in the second and third together.
        let grouped = between(3, 0.0, 1.0).with(vec![0.0, 1.0, 1.0], 0.5);
        assert!((grouped.maximise(&cost).unwrap().0 - 0.2).abs() < 1e-9);
        assert!(between(3, 0.0, 1.0).with(vec![1.0; 3], 0.9).is_empty());
        assert!(between(3, 0.0, 1.0).with_return(&cost, 0.31).is_empty());
        assert!(!between(3, 0.0, 1.0).with_return(&cost, 0.29).is_empty());
        assert!((between(3, -1.0, 1.0).maximise(&cost).unwrap().0 - 0.4).abs() < 1e-12);
    }

    proptest! {
        /// Two rows that both say at least so much of a random group: the corner is feasible and no random point is better.
        #[test]
        fn no_point_is_better_than_the_corner(
            cost in proptest::collection::vec(-1.0..1.0f64, 2..40), seed in proptest::collection::vec(0.01..1.0f64, 40),
            members in proptest::collection::vec(any::<bool>(), 40), slack in 0.0..0.2f64,
        ) {
            let n = cost.len();
            let total: f64 = seed[..n].iter().sum();
            let point: Vec<f64> = seed[..n].iter().map(|s| s / total).collect();
            let group: Vec<f64> = members[..n].iter().map(|m| f64::from(u8::from(*m))).collect();
            let held: f64 = group.iter().zip(&point).map(|(g, w)| g * w).sum();
            let allowed = between(n, 0.0, 1.0)
                .with(group.clone(), held + slack)
                .with(group.iter().map(|g| -g).collect(), slack - held);
            let (best, corner) = allowed.maximise(&cost).unwrap();
            let value: f64 = cost.iter().zip(&point).map(|(c, w)| c * w).sum();
            prop_assert!(best >= value - 1e-9);
            prop_assert!(allowed.broken(&corner) <= BROKEN);
        }
    }
}
