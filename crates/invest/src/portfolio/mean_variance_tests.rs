//! Known answers in closed form, the published figures of a widely used price table, Clarabel as an independent solver,
//! and laws.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::portfolio::{Bounds, CvarProblem, Group, PriceTable, ReturnScenarios};

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("asset {i}")).collect()
}

fn estimates(mean: &[f64], covariance: &[f64]) -> Estimates {
    Estimates::new(names(mean.len()), mean.to_vec(), covariance.to_vec()).unwrap()
}

fn within(lower: f64, upper: f64) -> Mandate {
    Mandate { bounds: Bounds::All { lower, upper }, ..Mandate::default() }
}

fn solved(outcome: Outcome) -> Portfolio {
    let Outcome::Solved(portfolio) = outcome else { panic!("{outcome:?}") };
    portfolio
}

fn best(mandate: &Mandate, estimates: &Estimates, problem: Problem) -> Portfolio {
    solved(mandate.solve(estimates, problem, &Control::default()).unwrap())
}

fn weights(portfolio: &Portfolio) -> Vec<f64> {
    portfolio.weights.iter().map(|h| h.weight).collect()
}

fn check(found: &[f64], expected: &[f64], tolerance: f64) {
    let far = found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f64::max);
    assert!(far <= tolerance && found.len() == expected.len(), "{found:?} is not {expected:?}");
}

/// A random market: loadings on three factors and a variance of its own for each asset.
struct Market {
    mean: Vec<f64>,
    loadings: Vec<f64>,
    specific: Vec<f64>,
}

impl Market {
    fn new(n: usize, seed: u64) -> Self {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |n: usize, low: f64, high: f64| -> Vec<f64> {
            (0..n).map(|_| rng.random_range(low..high)).collect()
        };
        let (mean, loadings) = (draw(n, -0.05, 0.25), draw(3 * n, -0.1, 0.3));
        Self { mean, loadings, specific: draw(n, 0.005, 0.09) }
    }

    fn dense(&self) -> Estimates {
        let n = self.mean.len();
        let entry = |at: usize| {
            let (i, j) = (at / n, at % n);
            let joint: f64 = (0..3).map(|f| self.loadings[3 * i + f] * self.loadings[3 * j + f]).sum();
            joint + if i == j { self.specific[i] } else { 0.0 }
        };
        estimates(&self.mean, &(0..n * n).map(entry).collect::<Vec<_>>())
    }

    fn factors(&self) -> Estimates {
        let unit = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let (mean, specific) = (self.mean.clone(), self.specific.clone());
        Estimates::from_factors(names(mean.len()), mean, &self.loadings, unit, specific).unwrap()
    }
}

/// minimise ½ aversion w·Σw − reward μ·w, sum 1, bounds and rows `coefficients · w ≤ limit`, by Clarabel: its objective.
fn clarabel(e: &Estimates, (a, r): (f64, f64), bounds: (f64, f64), rows: &[(Vec<f64>, f64)]) -> Option<f64> {
    let n = e.names().len();
    let covariance = |i: usize, j: usize| a * e.covariance(i, j).unwrap();
    let upper = |i: usize, j: usize| if i <= j { covariance(i, j) } else { 0.0 };
    let p: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| upper(i, j)).collect()).collect();
    let q: Vec<f64> = e.mean().iter().map(|m| -r * m).collect();
    let mut matrix = vec![vec![1.0; n]];
    let mut right = vec![1.0];
    for (i, (sign, bound)) in (0..n).flat_map(|i| [(i, (1.0, bounds.1)), (i, (-1.0, -bounds.0))]) {
        matrix.push((0..n).map(|j| if i == j { sign } else { 0.0 }).collect());
        right.push(bound);
    }
    for (row, limit) in rows {
        matrix.push(row.clone());
        right.push(*limit);
    }
    let cones = [SupportedConeT::ZeroConeT(1), SupportedConeT::NonnegativeConeT(right.len() - 1)];
    let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
    let (p, matrix) = (CscMatrix::from(&p), CscMatrix::from(&matrix));
    let mut solver = DefaultSolver::new(&p, &q, &matrix, &right, &cones, settings).unwrap();
    solver.solve();
    (solver.solution.status == SolverStatus::Solved).then_some(solver.solution.obj_val)
}

/// w₁ = (σ₂² − σ₁₂) / (σ₁² + σ₂² − 2σ₁₂) (Markowitz 1952).
#[test]
fn two_assets_of_least_variance() {
    let (a, b, joint) = (0.04, 0.09, 0.012);
    let e = estimates(&[0.05, 0.1], &[a, joint, joint, b]);
    let found = best(&Mandate::default(), &e, Problem::MinVolatility);
    let first = (b - joint) / (a + b - 2.0 * joint);
    check(&weights(&found), &[first, 1.0 - first], 1e-8);
    let least = (a * b - joint * joint) / (a + b - 2.0 * joint);
    assert!((found.volatility - least.sqrt()).abs() < 1e-10);
}

/// Without binding bounds the tangency portfolio is Σ⁻¹(μ − r) made to add up to 1 (Tobin 1958); Σ is diagonal here, so
/// that it is read off.
#[test]
fn the_tangency_portfolio() {
    let e = estimates(&[0.06, 0.1, 0.16], &[0.04, 0.0, 0.0, 0.0, 0.09, 0.0, 0.0, 0.0, 0.16]);
    let mandate = Mandate { risk_free: 0.02, ..within(-10.0, 10.0) };
    let pull = [0.04 / 0.04, 0.08 / 0.09, 0.14 / 0.16];
    let total: f64 = pull.iter().sum();
    let found = best(&mandate, &e, Problem::MaxSharpe);
    check(&weights(&found), &pull.map(|p| p / total), 1e-7);
    let sharpe = (0.04f64.powi(2) / 0.04 + 0.08f64.powi(2) / 0.09 + 0.14f64.powi(2) / 0.16).sqrt();
    assert!((found.sharpe.unwrap() - sharpe).abs() < 1e-10);
}

/// max μ·w − ½ a w·Σw without binding bounds, two uncorrelated assets: w₁ − w₂ weighs the difference of the means.
#[test]
fn the_largest_utility_by_hand() {
    let e = estimates(&[0.1, 0.05], &[0.04, 0.0, 0.0, 0.04]);
    let found = best(&within(-5.0, 5.0), &e, Problem::MaxUtility(2.0));
    let first = 0.5 + 0.05 / (2.0 * 2.0 * 0.04);
    check(&weights(&found), &[first, 1.0 - first], 1e-8);
    check(&weights(&best(&within(0.0, 1.0), &e, Problem::MaxUtility(0.0))), &[1.0, 0.0], 0.0);
}

/// Published (return, volatility, Sharpe ratio) of twenty stocks, 1989–2018, to five figures.
#[test]
fn the_published_figures() {
    let Some(folder) = std::env::var_os("MARQUEE_RESEARCH_DATA") else {
        eprintln!("skipped: MARQUEE_RESEARCH_DATA names no folder beside which bench/portfolio lies");
        return;
    };
    let path = std::path::Path::new(&folder).join("../bench/portfolio/stock_prices.csv.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return;
    };
    let mut text = vec![];
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    let e = PriceTable::from_csv(&text).unwrap().estimates(252.0).unwrap();
    assert_eq!(e.repair(), None);
    let long_only = (0.0, 1.0);
    for (problem, (lower, upper), expected) in [
        (Problem::MinVolatility, long_only, [0.150568, 0.159151, 0.820405]),
        (Problem::MaxSharpe, long_only, [0.304777, 0.221656, 1.284771]),
        (Problem::MaxSharpe, (-1.0, 1.0), [0.493720, 0.295166, 1.604927]),
    ] {
        let found = best(&Mandate { risk_free: 0.02, ..within(lower, upper) }, &e, problem);
        let figures = [found.expected_return, found.volatility, found.sharpe.unwrap()];
        eprintln!("{problem:?} in [{lower}, {upper}]: {figures:.7?}, gap {:.1e}", found.gap);
        check(&figures, &expected, 1e-5);
    }
}

#[test]
fn what_is_out_of_reach_says_what_is_in_reach() {
    let e = estimates(&[0.05, 0.1], &[0.04, 0.0, 0.0, 0.04]);
    let says = |mandate: &Mandate, problem: Problem, words: &str| {
        let outcome = mandate.solve(&e, problem, &Control::default()).unwrap();
        let Outcome::Infeasible(why) = outcome else { panic!("{outcome:?}") };
        assert_eq!(why.to_string(), words);
    };
    let long = Mandate::default();
    says(&long, Problem::TargetReturn(0.2), "no portfolio is expected to return 0.2: ask for at most 0.1");
    let words = "no portfolio has a volatility of 0.1 or less: allow at least 0.141421";
    says(&long, Problem::TargetVolatility(0.1), words);
    let words = "no portfolio is expected to return more than 0.1, the risk-free rate is 0.1: lower it or widen the bounds";
    says(&Mandate { risk_free: 0.1, ..long.clone() }, Problem::MaxSharpe, words);
    let words = "the upper bounds add up to 0.8, weights to 1: raise each upper bound to at least 0.5";
    says(&within(0.0, 0.4), Problem::MinVolatility, words);
    let words = "the lower bounds add up to 1.2, weights to 1: lower each lower bound to at most 0.5";
    says(&within(0.6, 1.0), Problem::MinVolatility, words);
    let each = Bounds::Each { lower: vec![0.0, 0.0], upper: vec![0.3, 0.6] };
    let words = "the upper bounds add up to 0.9, weights to 1: raise each upper bound to at least 0.4";
    says(&Mandate { bounds: each, ..long.clone() }, Problem::MinVolatility, words);
    let words = "the lower bound of `asset 0`, 2, is above its upper bound, 1: swap or move one";
    says(&within(2.0, 1.0), Problem::MinVolatility, words);
    let group = |name: &str, member: usize, at_least, at_most| Group {
        name: name.to_owned(),
        members: vec![format!("asset {member}")],
        at_least,
        at_most,
    };
    let groups = vec![group("horror", 0, None, Some(0.3)), group("drama", 1, None, Some(0.5))];
    let words = "the limits of the groups cannot be kept together: raise `horror` from at most 0.3 to 0.5, or raise \
                 `drama` from at most 0.5 to 0.7";
    says(&Mandate { groups, ..long.clone() }, Problem::MinVolatility, words);
    let groups = vec![group("horror", 0, Some(1.3), None)];
    let words = "the limits of the groups cannot be kept together: lower `horror` from at least 1.3 to 1";
    says(&Mandate { groups, ..long.clone() }, Problem::MinVolatility, words);
    let groups = vec![group("horror", 0, None, Some(-0.1)), group("drama", 1, Some(1.2), None)];
    let words =
        "the limits of the groups cannot be kept together: more than one must move; drop some and ask again";
    says(&Mandate { groups, ..long }, Problem::MinVolatility, words);
}

/// Limits that leave the solver no room: an equality, a group at its floor, the largest return, one point.
#[test]
fn mandates_without_an_interior() {
    let e = Market::new(6, 5).dense();
    let group = |members: &[usize], at_least, at_most| Group {
        name: "some".to_owned(),
        members: members.iter().map(|i| format!("asset {i}")).collect(),
        at_least,
        at_most,
    };
    let half = Mandate { groups: vec![group(&[0, 1], Some(0.5), Some(0.5))], ..Mandate::default() };
    let none = Mandate { groups: vec![group(&[2, 3, 4], None, Some(0.0))], ..Mandate::default() };
    for problem in [Problem::MinVolatility, Problem::MaxSharpe, Problem::TargetReturn(0.0)] {
        let w = weights(&best(&half, &e, problem));
        assert!((w[0] + w[1] - 0.5).abs() < 1e-7, "{w:?}");
        let w = weights(&best(&none, &e, problem));
        assert!(w[2] + w[3] + w[4] < 1e-7, "{w:?}");
    }
    let most = e.mean().iter().copied().fold(f64::MIN, f64::max);
    let found = best(&Mandate::default(), &e, Problem::TargetReturn(most));
    assert!((found.expected_return - most).abs() < 1e-8);
    check(&weights(&best(&within(1.0 / 6.0, 1.0), &e, Problem::MaxSharpe)), &[1.0 / 6.0; 6], 1e-12);
    check(&weights(&best(&within(0.0, 1.0 / 6.0), &e, Problem::MinVolatility)), &[1.0 / 6.0; 6], 1e-12);
    let each =
        Bounds::Each { lower: vec![0.2, 0.0, 0.0, 0.0, 0.0, 0.0], upper: vec![0.2, 1.0, 1.0, 1.0, 1.0, 1.0] };
    let pinned = Mandate { bounds: each, ..Mandate::default() };
    assert!((weights(&best(&pinned, &e, Problem::MinVolatility))[0] - 0.2).abs() < 1e-12);
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let e = estimates(&[0.05, 0.1], &[0.04, 0.0, 0.0, 0.04]);
    let refused = |mandate: Mandate, problem| mandate.solve(&e, problem, &Control::default()).unwrap_err();
    let long = Mandate::default;
    for bad in [f64::NAN, f64::INFINITY] {
        refused(within(0.0, bad), Problem::MinVolatility);
        refused(long(), Problem::TargetReturn(bad));
        refused(Mandate { risk_free: bad, ..long() }, Problem::MaxSharpe);
    }
    refused(long(), Problem::MaxUtility(-1.0));
    refused(long(), Problem::TargetVolatility(-1.0));
    refused(
        Mandate { bounds: Bounds::Each { lower: vec![0.0], upper: vec![1.0] }, ..long() },
        Problem::MaxSharpe,
    );
    let members = vec!["gold".to_owned()];
    let groups = vec![Group { name: "metals".into(), members, at_least: None, at_most: Some(0.1) }];
    let words = refused(Mandate { groups, ..long() }, Problem::MinVolatility).to_string();
    assert_eq!(words, "the group `metals` names `gold`, which is not among the assets");
    assert!(long().frontier(&e, 1, &Control::default()).is_err());
    let stopped = Control::default();
    stopped.cancel();
    let outcome = long().solve(&e, Problem::MinVolatility, &stopped);
    assert!(matches!(outcome, Err(InvestError::Cancelled(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Another solver, dense and in factor form, finds no better utility and no worse.
    #[test]
    fn agrees_with_clarabel(
        n in 2usize..25, seed in 0u64..10_000, aversion in 0.1..20.0f64, lower in -0.5..0.0f64, room in 0.05..0.9f64,
        cap in 0.05..0.9f64,
    ) {
        let market = Market::new(n, seed);
        let (dense, factors) = (market.dense(), market.factors());
        let upper = 1.0 / n as f64 + room;
        let members: Vec<String> = names(n).into_iter().step_by(3).collect();
        let row: Vec<f64> = (0..n).map(|i| if i.is_multiple_of(3) { 1.0 } else { 0.0 }).collect();
        let groups = vec![Group { name: "every third".into(), members, at_least: None, at_most: Some(cap) }];
        let mandate = Mandate { groups, ..within(lower, upper) };
        let rows = [(row, cap)];
        let utility = |e: &Estimates, w: &[f64]| 0.5 * aversion * e.variance(w) - e.expected_return(w);
        match mandate.solve(&dense, Problem::MaxUtility(aversion), &Control::default()).unwrap() {
            Outcome::Infeasible(_) => prop_assert!(clarabel(&dense, (aversion, 1.0), (lower, upper), &rows).is_none()),
            outcome => {
                let w = weights(&solved(outcome));
                let theirs = clarabel(&dense, (aversion, 1.0), (lower, upper), &rows).unwrap();
                prop_assert!((utility(&dense, &w) - theirs).abs() < 1e-7 * (1.0 + theirs.abs()));
                let same = weights(&best(&mandate, &factors, Problem::MaxUtility(aversion)));
                prop_assert!((utility(&dense, &same) - theirs).abs() < 1e-7 * (1.0 + theirs.abs()));
                let quiet = best(&mandate, &factors, Problem::MinVolatility).volatility.powi(2) / 2.0;
                let theirs = clarabel(&dense, (1.0, 0.0), (lower, upper), &rows).unwrap();
                prop_assert!((quiet - theirs).abs() < 1e-8, "{} {}", quiet, theirs);
            }
        }
    }

    /// No portfolio on the frontier has a larger Sharpe ratio than the largest, targets are met, weights keep the mandate.
    #[test]
    fn laws_of_the_frontier(n in 2usize..20, seed in 0u64..10_000, lower in -0.4..0.0f64, risk_free in -0.05..0.05f64) {
        let e = Market::new(n, seed).factors();
        let mandate = Mandate { risk_free, ..within(lower, 1.0) };
        let frontier = match mandate.frontier(&e, 9, &Control::default()).unwrap() {
            Outcome::Solved(frontier) => frontier,
            Outcome::Unfinished(frontier) => panic!("{:?}", frontier.iter().map(|p| p.gap).collect::<Vec<_>>()),
            Outcome::Infeasible(why) => panic!("{why}"),
        };
        let outcome = mandate.solve(&e, Problem::MaxSharpe, &Control::default()).unwrap();
        let steepest = match outcome {
            Outcome::Infeasible(_) => f64::INFINITY,
            outcome => solved(outcome).sharpe.unwrap(),
        };
        for p in &frontier {
            let w = weights(p);
            prop_assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(w.iter().all(|w| *w >= lower && *w <= 1.0 + 1e-12));
            prop_assert!(p.sharpe.unwrap() <= steepest + 1e-7);
        }
        for p in frontier.windows(3) {
            prop_assert!(p[0].volatility <= p[1].volatility + 1e-9, "monotone");
            prop_assert!(2.0 * p[1].volatility <= p[0].volatility + p[2].volatility + 1e-7, "convex");
        }
        let middle = &frontier[4];
        let same = best(&mandate, &e, Problem::TargetVolatility(middle.volatility));
        prop_assert!((same.expected_return - middle.expected_return).abs() < 1e-6);
        let narrower = best(&Mandate { risk_free, ..within(lower / 2.0, 0.9) }, &e, Problem::MinVolatility);
        prop_assert!(narrower.volatility >= frontier[0].volatility - 1e-9, "more bounds are never better");
    }

    /// The order of the assets does not matter.
    #[test]
    fn turned_round_it_is_the_same(n in 2usize..15, seed in 0u64..10_000) {
        let market = Market::new(n, seed);
        let mut turned = Market::new(n, seed);
        turned.mean.reverse();
        turned.specific.reverse();
        turned.loadings = market.loadings.chunks(3).rev().flatten().copied().collect();
        for problem in [Problem::MinVolatility, Problem::MaxUtility(3.0)] {
            let found = weights(&best(&Mandate::default(), &market.dense(), problem));
            let mut other = weights(&best(&Mandate::default(), &turned.dense(), problem));
            other.reverse();
            for (a, b) in found.iter().zip(&other) {
                prop_assert!((a - b).abs() < 1e-6, "{:?} {:?}", found, other);
            }
        }
    }
}

/// One asset, no risk at all, a riskless asset among others, all alike: answers, not panics.
#[test]
fn odd_markets_have_answers() {
    let alone = estimates(&[0.1], &[0.04]);
    let riskless = estimates(&[0.05, 0.03], &[0.0; 4]);
    let one_riskless = estimates(&[0.1, 0.03], &[0.04, 0.0, 0.0, 0.0]);
    let alike = estimates(&[0.1; 3], &[0.04; 9]);
    for problem in [Problem::MinVolatility, Problem::MaxUtility(2.0), Problem::TargetReturn(0.02)] {
        check(&weights(&best(&Mandate::default(), &alone, problem)), &[1.0], 0.0);
        best(&Mandate::default(), &riskless, problem);
        best(&Mandate::default(), &one_riskless, problem);
        assert!((best(&Mandate::default(), &alike, problem).volatility - 0.2).abs() < 1e-9);
    }
    let sharpe = best(&Mandate { risk_free: 0.02, ..Mandate::default() }, &alone, Problem::MaxSharpe).sharpe;
    assert!((sharpe.unwrap() - 0.4).abs() < 1e-12);
    let mandate = Mandate { risk_free: 0.02, ..Mandate::default() };
    let outcome = mandate.solve(&one_riskless, Problem::MaxSharpe, &Control::default()).unwrap();
    let Outcome::Infeasible(why) = outcome else { panic!("{outcome:?}") };
    let words = "a portfolio without risk returns 0.03, the risk-free rate is 0.02, so no Sharpe ratio is the largest: \
                 raise it to 0.03";
    assert_eq!(why.to_string(), words);
    // At its own rate any share of the risky one is as good.
    let sharpe = best(&Mandate { risk_free: 0.03, ..mandate }, &one_riskless, Problem::MaxSharpe).sharpe;
    assert!((sharpe.unwrap() - 0.35).abs() < 1e-6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_figures_panic(
        mean in proptest::collection::vec(proptest::num::f64::ANY, 3),
        covariance in proptest::collection::vec(proptest::num::f64::ANY, 6), lower in proptest::num::f64::ANY,
        upper in -1.0..5.0f64, size in -300i32..300, tail in 0.0..1.0f64,
    ) {
        let scaled = |v: &f64| if v.is_finite() && v.abs() > 1.0 { v.log2() * 2f64.powi(size) } else { *v };
        let c: Vec<f64> = covariance.iter().map(scaled).collect();
        let both = vec![c[0], c[1], c[2], c[1], c[3], c[4], c[2], c[4], c[5]];
        let mean: Vec<f64> = mean.iter().map(scaled).collect();
        if let Ok(s) = ReturnScenarios::new(names(3), &both) {
            let _ = within(lower, upper).solve_cvar(&s, CvarProblem::MeanCvar(1.0), tail, &Control::default());
        }
        let Ok(e) = Estimates::new(names(3), mean, both) else { return Ok(()) };
        for lower in [lower, 0.0] {
            for problem in [Problem::MinVolatility, Problem::MaxSharpe, Problem::TargetReturn(0.1), Problem::TargetVolatility(0.2)] {
                let _ = within(lower, upper).solve(&e, problem, &Control::default());
            }
            let _ = within(lower, upper).frontier(&e, 3, &Control::default());
        }
    }
}
