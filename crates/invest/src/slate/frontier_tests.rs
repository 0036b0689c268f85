//! The frontier and its steps against an account of all slates.
#![allow(clippy::unwrap_used)]

use marquee_domain::{Currency, Project};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::tests::{aversion, chosen, four, rules, scenarios};
use super::*;
use crate::simulate::tests::{gross, project};
use crate::{Candidate, Requires};

/// A slate's cost, mean and CVaR, USD.
struct Account {
    cost: f64,
    mean: f64,
    cvar: f64,
}

/// Every slate of whole projects within a budget.
fn all_slates(scenarios: &Scenarios) -> Vec<Account> {
    let n = scenarios.projects();
    (0u32..1 << n)
        .map(|bits| {
            let shares: Vec<f64> = (0..n).map(|j| f64::from(bits >> j & 1)).collect();
            let cost = scenarios.returns().iter().zip(&shares).map(|(r, s)| r.cost.major() * s).sum();
            let mut joint: Vec<f64> = (0..scenarios.len())
                .map(|i| (0..n).map(|j| scenarios.profits(j)[i] * shares[j]).sum())
                .collect();
            let mean = joint.iter().sum::<f64>() / joint.len() as f64;
            joint.sort_unstable_by(f64::total_cmp);
            let worst = joint.len() / 20;
            let cvar = -joint[..worst].iter().sum::<f64>() / worst as f64;
            Account { cost, mean, cvar }
        })
        .collect()
}

fn some(seed: u64, n: usize) -> Scenarios {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let all: Vec<_> = (0..n)
        .map(|j| {
            let budget = dice.random_range(5.0..60.0f64).round();
            let (times, spread) = (dice.random_range(1.0..4.5), dice.random_range(0.2..1.4));
            let project = Project {
                franchise: Some(format!("f{}", j % 3)),
                ..project(&format!("p{j}"), budget * 1e6 + j as f64 * 0.37)
            };
            Candidate::from_distributions(project, None, Some(gross(budget * times * 1e6, spread))).unwrap()
        })
        .collect();
    scenarios(&all, 200)
}

#[test]
fn every_slate_of_the_frontier_is_efficient_and_its_steps_add_up() {
    for seed in 0..6 {
        let scenarios = some(seed, 10);
        let rules = rules("250M", 0.0);
        let found = rules.frontier(&scenarios, 40, &Control::default()).unwrap();
        let Frontier::Efficient { slates, complete: true } = found else { panic!("{found:?}") };
        let all: Vec<Account> = all_slates(&scenarios).into_iter().filter(|a| a.cost <= 250e6).collect();
        let mut had: BTreeSet<String> = BTreeSet::new();
        for (k, s) in slates.iter().enumerate() {
            let (mean, cvar) = (s.answer.slate.mean_profit.major(), s.answer.slate.cvar.major());
            let better = all.iter().find(|a| a.mean > mean + 0.02 && a.cvar <= cvar - 0.02);
            assert!(better.is_none(), "seed {seed}: {mean} {cvar}");
            let names: BTreeSet<String> = s.answer.slate.choices.iter().map(|c| c.project.clone()).collect();
            if k > 0 {
                s.goes_out.iter().for_each(|name| assert!(had.remove(name)));
                s.comes_in.iter().for_each(|name| assert!(had.insert(name.clone())));
                assert_eq!(had, names, "seed {seed}");
            }
            had = names;
        }
        assert!(slates.len() > 3, "seed {seed}: {}", slates.len());
        let most = all.iter().map(|a| a.mean).fold(0.0, f64::max);
        let least = all.iter().map(|a| a.cvar).fold(0.0, f64::min);
        let (first, last) = (&slates[0].answer.slate, &slates[slates.len() - 1].answer.slate);
        assert!((last.mean_profit.major() - most).abs() < 0.1, "seed {seed}: {most}");
        assert!((first.cvar.major() - least).abs() < 0.1, "seed {seed}: {least}");
    }
}

#[test]
fn the_next_film_in_and_out_come_at_the_budgets_where_the_best_slate_changes() {
    for seed in 10..18 {
        let scenarios = some(seed, 9);
        let rules = rules("180M", 0.3);
        let answer = chosen(&rules, &scenarios);
        let next = rules.next_films(&scenarios, &answer, &Control::default()).unwrap();
        assert!(next.complete);
        let all = all_slates(&scenarios);
        let worth = |a: &Account| a.mean - 0.3 * a.cvar;
        let better = all.iter().filter(|a| worth(a) > answer.objective.major() + 1e3).map(|a| a.cost);
        let dearer = better.min_by(f64::total_cmp);
        assert_eq!(next.into.is_some(), dearer.is_some(), "seed {seed}");
        if let (Some(change), Some(cost)) = (&next.into, dearer) {
            assert!((change.budget.major() - cost).abs() < 0.011, "seed {seed}: {} {cost}", change.budget);
            assert!(!change.comes_in.is_empty());
        }
        let out = next.out.unwrap();
        let cost = answer.slate.cost.major();
        let best = all.iter().filter(|a| a.cost < cost - 0.005).map(worth).fold(f64::MIN, f64::max);
        assert!((out.answer.objective.major() - best).abs() < 0.1, "seed {seed}");
        assert!((out.budget.major() - cost).abs() < 0.011 && !out.goes_out.is_empty(), "seed {seed}");
    }
}

/// Limits are fractions of the budget in whole cents, so that a slate may need a fraction of a cent: it once never ended.
#[test]
fn the_next_film_in_is_found_under_limits_too() {
    for seed in 30..34 {
        let scenarios = some(seed, 9);
        let limits = vec![crate::Limit { by: crate::LimitBy::Franchise, value: None, at_most: 0.3 }];
        let rules = SlateRules { limits, max_projects: Some(5), ..rules("150M", 0.3) };
        let answer = chosen(&rules, &scenarios);
        let next = rules.next_films(&scenarios, &answer, &Control::default()).unwrap();
        let into = next.into.unwrap();
        assert!(next.complete && into.budget.minor() > rules.budget.minor());
        let poorer =
            SlateRules { budget: Money::from_minor(into.budget.minor() - 1, Currency::USD), ..rules.clone() };
        let gain = |a: &SlateAnswer| a.objective.major() - answer.objective.major();
        assert!(gain(&chosen(&poorer, &scenarios)).abs() < 1e3 && gain(&into.answer) > 0.01, "seed {seed}");
    }
}

#[test]
fn with_shares_the_next_film_is_one_more_and_one_fewer() {
    let scenarios = some(3, 8);
    let rules = SlateRules { min_share: Some(0.2), ..rules("120M", 0.3) };
    let answer = chosen(&rules, &scenarios);
    let next = rules.next_films(&scenarios, &answer, &Control::default()).unwrap();
    let count = |c: &Option<SlateChange>| c.as_ref().map_or(0, |c| c.answer.slate.choices.len());
    let now = answer.slate.choices.len();
    assert!(count(&next.into) > now && count(&next.out) < now, "{next:?}");
    let Frontier::Efficient { slates, complete } =
        rules.frontier(&scenarios, 12, &Control::default()).unwrap()
    else {
        panic!("it is feasible")
    };
    assert!(complete && slates.len() > 3);
    let rises =
        |of: fn(&SlateAnswer) -> f64| slates.windows(2).all(|w| of(&w[0].answer) < of(&w[1].answer) + 1.0);
    assert!(rises(|a| a.slate.mean_profit.major()) && rises(|a| a.slate.cvar.major()));
}

#[test]
fn a_frontier_without_slates_says_why() {
    let rules = SlateRules {
        must_have: vec!["flop".into()],
        requires: vec![Requires { project: "flop".into(), needs: "gamble".into() }],
        ..SlateRules::new("65M".parse().unwrap(), aversion(0.5))
    };
    match rules.frontier(&four(), 5, &Control::default()).unwrap() {
        Frontier::Infeasible(why) => assert_eq!(
            why.to_string(),
            "to allow one, drop `flop` from those that must be in, or let `flop` be taken without `gamble`, or raise \
             the budget from $65.0M to $105.0M"
        ),
        other => panic!("{other:?}"),
    }
    let said = rules.frontier(&four(), 1, &Control::default()).unwrap_err().to_string();
    assert_eq!(said, "`points` is 1, it must be 2 to 1000");
}
