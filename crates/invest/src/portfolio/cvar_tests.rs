//! Known answers, the full linear program by Clarabel, a grid, and laws.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::portfolio::{Bounds, Group, Portfolio};

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("asset {i}")).collect()
}

/// Returns with a common factor, skewed to losses now and then.
fn scenarios(n: usize, scenarios: usize, seed: u64) -> ReturnScenarios {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut returns = vec![];
    for _ in 0..scenarios {
        let market = rng.random_range(-0.03..0.035) - if rng.random::<f64>() < 0.05 { 0.06 } else { 0.0 };
        returns.extend((0..n).map(|i| (0.3 + i as f64 / n as f64) * market + rng.random_range(-0.02..0.021)));
    }
    ReturnScenarios::new(names(n), &returns).unwrap()
}

fn best(mandate: &Mandate, scenarios: &ReturnScenarios, problem: CvarProblem, tail: f64) -> Portfolio {
    let outcome = mandate.solve_cvar(scenarios, problem, tail, &Control::default()).unwrap();
    let Outcome::Solved(portfolio) = outcome else { panic!("{outcome:?}") };
    portfolio
}

fn weights(portfolio: &Portfolio) -> Vec<f64> {
    portfolio.weights.iter().map(|h| h.weight).collect()
}

/// The program of Rockafellar and Uryasev as it stands, by Clarabel: minimise aversion × CVaR − reward × mean.
fn clarabel(
    s: &ReturnScenarios,
    (aversion, reward): (f64, f64),
    (lower, upper): (f64, f64),
    tail: f64,
    rows: &[(Vec<f64>, f64)],
) -> f64 {
    let (n, count) = (s.names().len(), s.len());
    let all = n + 1 + count;
    let mut cost: Vec<f64> = s.mean().iter().map(|m| -reward * m).collect();
    cost.push(aversion);
    cost.resize(all, aversion / (tail * count as f64));
    let unit = |j: usize, v: f64| (0..all).map(|k| if k == j { v } else { 0.0 }).collect::<Vec<f64>>();
    let mut matrix = vec![(0..all).map(|k| if k < n { 1.0 } else { 0.0 }).collect::<Vec<f64>>()];
    let mut right = vec![1.0];
    for i in 0..n {
        matrix.extend([unit(i, 1.0), unit(i, -1.0)]);
        right.extend([upper, -lower]);
    }
    let by_asset: Vec<Vec<f64>> = (0..n).map(|i| s.returns(&unit(i, 1.0)[..n])).collect();
    for k in 0..count {
        matrix.push(unit(n + 1 + k, -1.0));
        let mut row = unit(n + 1 + k, -1.0);
        row[n] = -1.0;
        row.iter_mut().zip(&by_asset).for_each(|(r, asset)| *r = -asset[k]);
        matrix.push(row);
        right.extend([0.0, 0.0]);
    }
    for (row, limit) in rows {
        let mut row = row.clone();
        row.resize(all, 0.0);
        matrix.push(row);
        right.push(*limit);
    }
    let cones = [SupportedConeT::ZeroConeT(1), SupportedConeT::NonnegativeConeT(right.len() - 1)];
    let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
    let (p, matrix) = (CscMatrix::zeros((all, all)), CscMatrix::from(&matrix));
    let mut solver = DefaultSolver::new(&p, &cost, &matrix, &right, &cones, settings).unwrap();
    solver.solve();
    assert_eq!(solver.solution.status, SolverStatus::Solved);
    solver.solution.obj_val
}

/// Two assets whose worst days differ: the best split by a fine grid over the exact measure.
#[test]
fn two_assets_by_a_grid() {
    let s = scenarios(2, 80, 3);
    for tail in [0.05, 0.11, 0.5] {
        let found = best(&Mandate::default(), &s, CvarProblem::MinCvar, tail);
        let at = |w: f64| Tail::of(s.len(), tail).cvar(&mut s.returns(&[w, 1.0 - w]));
        let grid = (0..=100_000).map(|i| at(f64::from(i) / 1e5)).fold(f64::INFINITY, f64::min);
        let cvar = found.cvar.unwrap();
        assert!(cvar <= grid + 1e-9 && cvar >= grid - 1e-6, "{cvar} {grid}");
        assert!(found.gap < 1e-7, "{}", found.gap);
    }
}

/// One scenario in the tail: the game of matching pennies. The worst of (w₁ − w₂) and (w₂ − w₁) is best at ½.
#[test]
fn the_worst_case_is_a_matrix_game() {
    let s = ReturnScenarios::new(names(2), &[1.0, -1.0, -1.0, 1.0]).unwrap();
    let found = best(&Mandate::default(), &s, CvarProblem::MinCvar, 0.5);
    assert!((weights(&found)[0] - 0.5).abs() < 1e-7 && found.cvar.unwrap().abs() < 1e-7);
}

#[test]
fn what_cannot_be_asked_is_refused_or_out_of_reach() {
    let s = scenarios(3, 50, 1);
    let ask = |problem, tail| Mandate::default().solve_cvar(&s, problem, tail, &Control::default());
    for tail in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(matches!(ask(CvarProblem::MinCvar, tail), Err(InvestError::Setting { .. })));
    }
    assert!(ask(CvarProblem::MeanCvar(-1.0), 0.1).is_err());
    assert!(ask(CvarProblem::TargetReturn(f64::NAN), 0.1).is_err());
    let outcome = ask(CvarProblem::TargetReturn(1.0), 0.1).unwrap();
    let most = s.mean().iter().copied().fold(f64::MIN, f64::max);
    let Outcome::Infeasible(Infeasible::ReturnOutOfReach { best, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert!((best - most).abs() < 1e-12);
    assert!(ReturnScenarios::new(names(2), &[0.1; 3]).is_err());
    assert!(ReturnScenarios::new(names(2), &[]).is_err());
    assert!(ReturnScenarios::new(names(1), &[f64::INFINITY]).is_err());
    let boldest = ask(CvarProblem::MeanCvar(0.0), 0.1).unwrap();
    let Outcome::Solved(boldest) = boldest else { panic!("{boldest:?}") };
    assert!((boldest.expected_return - most).abs() < 1e-12);
}

#[test]
fn a_larger_question_is_solved_the_same_on_any_number_of_threads() {
    let s = scenarios(30, 5_000, 8);
    let ask = || best(&Mandate::default(), &s, CvarProblem::MinCvar, 0.05);
    let on =
        |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(ask);
    let (one, three) = (on(1), on(3));
    assert_eq!(one, three);
    assert!(one.gap < 1e-7, "{}", one.gap);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The whole linear program by another solver has the same objective.
    #[test]
    fn agrees_with_clarabel(
        n in 2usize..8, count in 5usize..60, seed in 0u64..10_000, tail in 0.03..0.6f64, aversion in 0.05..10.0f64,
        lower in -0.5..0.0f64, room in 0.05..0.9f64, cap in 0.2..0.9f64,
    ) {
        let s = scenarios(n, count, seed);
        let upper = 1.0 / n as f64 + room;
        let mut row = vec![0.0; n];
        row[0] = 1.0;
        let groups = vec![Group { name: "first".into(), members: names(1), at_least: None, at_most: Some(cap) }];
        let mandate = Mandate { groups, bounds: Bounds::All { lower, upper }, ..Mandate::default() };
        let outcome = mandate.solve_cvar(&s, CvarProblem::MeanCvar(aversion), tail, &Control::default()).unwrap();
        if matches!(outcome, Outcome::Infeasible(_)) {
            return Ok(());
        }
        let Outcome::Solved(found) = outcome else { panic!("{outcome:?}") };
        let ours = aversion * found.cvar.unwrap() - found.expected_return;
        let theirs = clarabel(&s, (aversion, 1.0), (lower, upper), tail, &[(row.clone(), cap)]);
        prop_assert!((ours - theirs).abs() < 1e-7 * (1.0 + aversion), "{} {}", ours, theirs);
        let found = best(&mandate, &s, CvarProblem::MinCvar, tail);
        let theirs = clarabel(&s, (1.0, 0.0), (lower, upper), tail, &[(row, cap)]);
        prop_assert!((found.cvar.unwrap() - theirs).abs() < 1e-7, "{:?} {}", found.cvar, theirs);
    }

    /// A target is met and costs risk; weights keep the mandate; fewer freedoms are never better.
    #[test]
    fn laws(n in 2usize..12, count in 10usize..200, seed in 0u64..10_000, tail in 0.05..0.5f64) {
        let s = scenarios(n, count, seed);
        let least = best(&Mandate::default(), &s, CvarProblem::MinCvar, tail);
        let most = s.mean().iter().copied().fold(f64::MIN, f64::max);
        let target = 0.5 * (least.expected_return + most);
        let met = best(&Mandate::default(), &s, CvarProblem::TargetReturn(target), tail);
        prop_assert!(met.expected_return >= target - 1e-8);
        prop_assert!(met.cvar.unwrap() >= least.cvar.unwrap() - 1e-9);
        prop_assert!((weights(&met).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert!(weights(&met).iter().all(|w| (0.0..=1.0 + 1e-12).contains(w)));
        let narrow = Mandate { bounds: Bounds::All { lower: 0.0, upper: 0.6 }, ..Mandate::default() };
        prop_assert!(best(&narrow, &s, CvarProblem::MinCvar, tail).cvar.unwrap() >= least.cvar.unwrap() - 1e-9);
    }
}
