//! A primal–dual interior-point method for convex quadratic programs whose matrices have structure: predictor and
//! corrector by S. Mehrotra, "On the Implementation of a Primal-Dual Interior Point Method", *SIAM Journal on Optimization*
//! 2 (1992); the quadratic case as in J. Nocedal and S. Wright, *Numerical Optimization* (2006), §16.6.
//!
//! minimise ½ x·Qx + c·x with A x ≤ b, bounds on x, and the first few variables (the weights) adding up to 1.
//!
//! What is *not* here: any matrix. Each step asks a [`Structure`] to solve with Q + D + AᵀWA, which the two structures
//! (`structure`, `tail`) do in time linear in assets or scenarios. Nor is infeasibility found here: callers settle that
//! first, exactly, in `polytope`.

use marquee_domain::{Cancelled, Control};

/// The matrices Q and A of a program, by what can be done with them.
pub(super) trait Structure {
    /// `out = Q x`.
    fn curvature(&self, x: &[f64], out: &mut [f64]);
    /// `out = A x`.
    fn rows(&self, x: &[f64], out: &mut [f64]);
    /// `out += Aᵀ y`.
    fn add_transposed(&self, y: &[f64], out: &mut [f64]);
    /// Factors Q + diag(`diagonal`) + Aᵀ diag(`weights`) A; an infinite diagonal fixes its variable. False where the
    /// numbers do not allow it.
    fn factor(&mut self, diagonal: &[f64], weights: &[f64]) -> bool;
    /// Solves with what was factored, in place.
    fn solve(&self, right: &mut [f64]);
    /// Whether Q is zero: then primal and dual steps may differ in length.
    fn linear(&self) -> bool;
}

/// The vectors of a program, scaled by the caller so that costs and curvatures are around 1.
pub(super) struct Program {
    pub(super) cost: Vec<f64>,
    /// May be infinite.
    pub(super) lower: Vec<f64>,
    pub(super) upper: Vec<f64>,
    pub(super) limits: Vec<f64>,
    /// So many variables, from the first, add up to 1.
    pub(super) weights: usize,
    /// Strictly within the bounds.
    pub(super) start: Vec<f64>,
}

/// Where the method ended: where rounding stopped it, at the best point on the way. How good that is, callers prove.
pub(super) struct Solution {
    pub(super) x: Vec<f64>,
    /// The multiplier of each row, zero or more.
    pub(super) multipliers: Vec<f64>,
}

/// Gap and residuals, relative to the objective, at which the method stops.
const TOLERANCE: f64 = 1e-11;
const MOST_STEPS: usize = 120;
/// Objectives smaller than this are not resolved relatively.
const SMALLEST_OBJECTIVE: f64 = 1e-2;

/// Minimises a feasible program.
///
/// # Errors
/// [`Cancelled`] when `control` says stop.
pub(super) fn minimise<S: Structure>(
    structure: &mut S,
    program: &Program,
    control: &Control,
) -> Result<Solution, Cancelled> {
    let mut method = Method::new(structure, program);
    let mut best = (f64::INFINITY, method.at.clone());
    for _ in 0..MOST_STEPS {
        control.check()?;
        method.look();
        let error = method.error();
        if error < best.0 {
            best = (error, method.at.clone());
        }
        if error <= TOLERANCE || error > 1e6 * best.0.max(TOLERANCE) || !method.step() {
            break;
        }
    }
    let (_, at) = best;
    let multipliers = at.multiplier[method.sides.len()..].to_vec();
    Ok(Solution { x: at.x, multipliers })
}

/// One finite bound: `sign × (x − bound)` stays positive.
struct Side {
    variable: usize,
    sign: f64,
    bound: f64,
}

/// A point, or a step: slacks and multipliers of the sides first, then of the rows.
#[derive(Clone)]
struct Point {
    x: Vec<f64>,
    /// The multiplier of the weights' sum.
    price: f64,
    slack: Vec<f64>,
    multiplier: Vec<f64>,
}

struct Method<'a, S> {
    structure: &'a mut S,
    program: &'a Program,
    sides: Vec<Side>,
    fixed: Vec<bool>,
    at: Point,
    /// What is left of the optimality conditions at `at`.
    dual: Vec<f64>,
    budget: f64,
    rows: Vec<f64>,
    objective: f64,
}

impl<'a, S: Structure> Method<'a, S> {
    fn new(structure: &'a mut S, program: &'a Program) -> Self {
        let bounds = || program.lower.iter().zip(&program.upper);
        let fixed: Vec<bool> =
            bounds().map(|(l, u)| l.is_finite() && u - l <= 1e-12 * (1.0 + l.abs())).collect();
        let sides: Vec<Side> = bounds()
            .enumerate()
            .filter(|(j, _)| !fixed[*j])
            .flat_map(|(variable, (l, u))| {
                [Side { variable, sign: 1.0, bound: *l }, Side { variable, sign: -1.0, bound: *u }]
            })
            .filter(|side| side.bound.is_finite())
            .collect();
        let mut x = program.start.clone();
        x.iter_mut()
            .zip(&fixed)
            .zip(&program.lower)
            .filter(|((_, f), _)| **f)
            .for_each(|((x, _), l)| *x = *l);
        let mut reached = vec![0.0; program.limits.len()];
        structure.rows(&x, &mut reached);
        let mut slack: Vec<f64> = sides.iter().map(|s| s.sign * (x[s.variable] - s.bound)).collect();
        slack.extend(program.limits.iter().zip(&reached).map(|(b, a)| (b - a).max(0.1)));
        let room = slack.iter().sum::<f64>() / slack.len().max(1) as f64;
        let multiplier = slack.iter().map(|s| START * room.min(1.0) / s).collect();
        let (dual, rows) = (vec![0.0; x.len()], reached);
        let at = Point { x, price: 0.0, slack, multiplier };
        Self { structure, program, sides, fixed, at, dual, budget: 0.0, rows, objective: 0.0 }
    }

    /// Computes the residuals and the objective anew.
    fn look(&mut self) {
        let (n, program) = (self.sides.len(), self.program);
        self.structure.curvature(&self.at.x, &mut self.dual);
        let value = |g: &[f64], x: &[f64]| g.iter().zip(x).map(|(g, x)| g * x).sum::<f64>();
        self.objective = 0.5 * value(&self.dual, &self.at.x) + value(&program.cost, &self.at.x);
        self.dual.iter_mut().zip(&program.cost).for_each(|(d, c)| *d += c);
        self.dual[..program.weights].iter_mut().for_each(|d| *d += self.at.price);
        for (side, z) in self.sides.iter().zip(&self.at.multiplier) {
            self.dual[side.variable] -= side.sign * z;
        }
        self.structure.add_transposed(&self.at.multiplier[n..], &mut self.dual);
        self.dual.iter_mut().zip(&self.fixed).filter(|(_, f)| **f).for_each(|(d, _)| *d = 0.0);
        self.budget = 1.0 - self.at.x[..program.weights].iter().sum::<f64>();
        self.structure.rows(&self.at.x, &mut self.rows);
        for ((r, b), s) in self.rows.iter_mut().zip(&program.limits).zip(&self.at.slack[n..]) {
            *r = b - *r - s;
        }
    }

    /// The largest of gap and residuals, relative.
    fn error(&self) -> f64 {
        let size = self.objective.abs() + SMALLEST_OBJECTIVE;
        let most = |values: &[f64]| values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let gap = self.at.complementarity(None) / size;
        let errors = [gap, most(&self.dual) / size, self.budget.abs(), most(&self.rows)];
        errors.into_iter().fold(0.0, |worst: f64, e| if e.is_nan() { f64::INFINITY } else { worst.max(e) })
    }

    /// One predictor and corrector; false where rounding stops progress.
    fn step(&mut self) -> bool {
        let Some(price) = self.factor() else { return false };
        let pairs = self.at.slack.len() as f64;
        let mean = self.at.complementarity(None) / pairs;
        let products: Vec<f64> = self.at.slack.iter().zip(&self.at.multiplier).map(|(s, z)| s * z).collect();
        let aim: Vec<f64> = products.iter().map(|p| -p).collect();
        let ahead = self.direction(&aim, &price);
        let lengths = self.lengths(&ahead, 1.0);
        let reached = self.at.complementarity(Some((&ahead, lengths))) / pairs;
        let centre = (reached / mean).powi(3) * mean;
        // Of the second order only so much as the predictor could walk: in full it can go round in circles (M. Colombo and
        // J. Gondzio, "Further Development of Multiple Centrality Correctors", 2008).
        let trust = lengths.0 * lengths.1;
        let second = ahead.slack.iter().zip(&ahead.multiplier).map(|(s, z)| trust * s * z);
        let aim: Vec<f64> = products.iter().zip(second).map(|(p, q)| centre - p - q).collect();
        let step = self.direction(&aim, &price);
        let lengths = self.lengths(&step, (1.0 - mean).clamp(0.99, 1.0 - 1e-9));
        self.at.walk(&step, lengths);
        lengths.0.max(lengths.1) > 1e-9
    }

    /// Factors at the current point; the answer to the weights' sum, which every direction needs.
    fn factor(&mut self) -> Option<Vec<f64>> {
        let n = self.sides.len();
        let mut diagonal: Vec<f64> =
            self.fixed.iter().map(|f| if *f { f64::INFINITY } else { 0.0 }).collect();
        let force: Vec<f64> = self.at.multiplier.iter().zip(&self.at.slack).map(|(z, s)| z / s).collect();
        self.sides.iter().zip(&force).for_each(|(side, f)| diagonal[side.variable] += f);
        if !self.structure.factor(&diagonal, &force[n..]) {
            return None;
        }
        let mut price = vec![0.0; self.at.x.len()];
        price[..self.program.weights].fill(1.0);
        price.iter_mut().zip(&self.fixed).filter(|(_, f)| **f).for_each(|(p, _)| *p = 0.0);
        self.structure.solve(&mut price);
        Some(price)
    }

    /// The Newton step towards slack × multiplier changing by `aim`.
    fn direction(&self, aim: &[f64], price: &[f64]) -> Point {
        let (n, at, weights) = (self.sides.len(), &self.at, self.program.weights);
        let mut x: Vec<f64> = self.dual.iter().map(|d| -d).collect();
        for (k, side) in self.sides.iter().enumerate() {
            x[side.variable] += side.sign * aim[k] / at.slack[k];
        }
        let (slack, multiplier) = (&at.slack[n..], &at.multiplier[n..]);
        let charges = (0..self.rows.len()).map(|r| (multiplier[r] * self.rows[r] - aim[n + r]) / slack[r]);
        self.structure.add_transposed(&charges.collect::<Vec<_>>(), &mut x);
        x.iter_mut().zip(&self.fixed).filter(|(_, f)| **f).for_each(|(x, _)| *x = 0.0);
        self.structure.solve(&mut x);
        let total = |v: &[f64]| v[..weights].iter().sum::<f64>();
        let all = total(price);
        let charge = if all > 0.0 { (total(&x) - self.budget) / all } else { 0.0 };
        x.iter_mut().zip(price).for_each(|(x, p)| *x -= charge * p);
        let mut moved = vec![0.0; self.rows.len()];
        self.structure.rows(&x, &mut moved);
        let mut slack: Vec<f64> = self.sides.iter().map(|side| side.sign * x[side.variable]).collect();
        slack.extend(self.rows.iter().zip(&moved).map(|(r, m)| r - m));
        let change = |k: usize| (aim[k] - at.multiplier[k] * slack[k]) / at.slack[k];
        let multiplier = (0..slack.len()).map(change).collect();
        Point { x, price: charge, slack, multiplier }
    }

    /// How far to walk, primal and dual, to keep `share` of the way to the nearest wall.
    fn lengths(&self, step: &Point, share: f64) -> (f64, f64) {
        let reach = |from: &[f64], by: &[f64]| {
            let walls = from.iter().zip(by).filter(|(_, d)| **d < 0.0).map(|(v, d)| -v / d);
            (share * walls.fold(f64::INFINITY, f64::min)).min(1.0)
        };
        let primal = reach(&self.at.slack, &step.slack);
        let dual = reach(&self.at.multiplier, &step.multiplier);
        if self.structure.linear() { (primal, dual) } else { (primal.min(dual), primal.min(dual)) }
    }
}

/// Slack × multiplier at the start, over the mean slack: multipliers are then around costs, which are around 1.
const START: f64 = 0.1;

impl Point {
    /// Σ slack × multiplier, here or after a step.
    fn complementarity(&self, after: Option<(&Self, (f64, f64))>) -> f64 {
        let here = self.slack.iter().zip(&self.multiplier);
        match after {
            None => here.map(|(s, z)| s * z).sum(),
            Some((step, (primal, dual))) => here
                .zip(step.slack.iter().zip(&step.multiplier))
                .map(|((s, z), (ds, dz))| (s + primal * ds) * (z + dual * dz))
                .sum(),
        }
    }

    fn walk(&mut self, step: &Self, (primal, dual): (f64, f64)) {
        let go = |to: &mut [f64], by: &[f64], length: f64| {
            to.iter_mut().zip(by).for_each(|(v, d)| *v += length * d);
        };
        go(&mut self.x, &step.x, primal);
        go(&mut self.slack, &step.slack, primal);
        go(&mut self.multiplier, &step.multiplier, dual);
        self.price += dual * step.price;
    }
}
