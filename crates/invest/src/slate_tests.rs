//! Tests of the choice: equal to brute force, indifferent to order, honest where there is none.
#![allow(clippy::unwrap_used)]

use std::time::Instant;

use marquee_domain::Weight;
use proptest::prelude::*;

use super::*;
use crate::simulate::tests::{gross, project};
use crate::{Candidate, Deal, Reason, Simulation};

/// A candidate with a budget and a median gross in millions.
fn candidate(name: &str, budget: f64, median: f64, spread: f64) -> Candidate {
    Candidate::from_distributions(project(name, budget * 1e6), None, Some(gross(median * 1e6, spread)))
        .unwrap()
}

fn scenarios(candidates: &[Candidate], count: usize) -> Scenarios {
    let simulation = Simulation { scenarios: count, ..Simulation::default() };
    simulation.run(candidates, &Deal::default(), &Control::default()).unwrap()
}

fn four() -> Scenarios {
    scenarios(
        &[
            candidate("hit", 20.0, 90.0, 0.5),
            candidate("safe", 20.0, 70.0, 0.2),
            candidate("gamble", 40.0, 60.0, 1.6),
            candidate("flop", 30.0, 20.0, 0.5),
        ],
        2_000,
    )
}

fn aversion(lambda: f64) -> Objective {
    Objective::MeanLessRisk { risk_aversion: Weight::try_from(lambda).unwrap() }
}

fn rules(budget: &str, lambda: f64) -> SlateRules {
    SlateRules::new(budget.parse().unwrap(), aversion(lambda))
}

fn choose(rules: &SlateRules, scenarios: &Scenarios) -> Outcome {
    rules.choose(scenarios, &Control::default()).unwrap()
}

#[track_caller]
fn chosen(rules: &SlateRules, scenarios: &Scenarios) -> SlateAnswer {
    match choose(rules, scenarios) {
        Outcome::Chosen(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn infeasible(rules: &SlateRules, expect: &str) {
    match choose(rules, &four()) {
        Outcome::Infeasible(reason) => assert_eq!(reason.to_string(), expect),
        other => panic!("{other:?}"),
    }
}

fn names(answer: &SlateAnswer) -> Vec<&str> {
    answer.slate.choices.iter().map(|c| c.project.as_str()).collect()
}

/// The best objective of all slates, one by one; none where no slate keeps the rules.
fn brute_force(rules: &SlateRules, scenarios: &Scenarios) -> Option<f64> {
    let order: Vec<usize> = (0..scenarios.projects()).collect();
    let problem = rules.problem(scenarios, &order);
    let all =
        (0u32..1 << order.len()).map(|bits| order.iter().map(|j| bits >> j & 1 == 1).collect::<Vec<bool>>());
    let worth = all.filter(|x| problem.allows(x)).map(|x| problem.evaluate(&x).objective);
    worth.filter(|w| w.is_finite()).max_by(f64::total_cmp)
}

#[test]
fn a_small_slate_that_is_known() {
    let scenarios = four();
    let answer = chosen(&rules("65M", 0.5), &scenarios);
    assert_eq!(names(&answer), ["hit", "safe"]);
    assert!(answer.exact && answer.gap < 1e-6);
    assert_eq!(answer.slate.cost, "60M".parse().unwrap());
    assert!(answer.profit.windows(2).all(|w| w[0].minor() <= w[1].minor()));
    let reason = |name: &str| answer.why.iter().find(|w| w.project == name).unwrap().to_string();
    assert!(reason("hit").starts_with("hit: in; dropping it would cost $"), "{}", reason("hit"));
    assert!(reason("flop").starts_with("flop: out; it would lower the objective by $"), "{}", reason("flop"));
    let poor = chosen(&rules("30M", 0.5), &scenarios);
    assert_eq!(names(&poor), ["hit"]);
    let safe = &poor.why.iter().find(|w| w.project == "safe").unwrap().reason;
    assert!(matches!(safe, Reason::OverBudget { by, .. } if *by == "30M".parse().unwrap()), "{safe:?}");
}

#[test]
fn nothing_is_a_slate_too() {
    let answer = chosen(&rules("10M", 0.5), &four());
    assert!(answer.slate.choices.is_empty() && answer.objective.minor() == 0 && answer.exact);
}

#[test]
fn infeasible_names_the_constraint_and_the_fix() {
    let must = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let base = rules("65M", 0.5);
    infeasible(
        &SlateRules { must_have: must(&["gamble", "safe"]), ..base.clone() },
        "the projects that must be in cost $90.0M, the budget is $65.0M: raise it to $90.0M or drop `safe`",
    );
    infeasible(
        &SlateRules { must_have: must(&["hit"]), excluded: must(&["hit"]), ..base.clone() },
        "`hit` must be in and is excluded: take it off one of the two lists",
    );
    infeasible(
        &SlateRules { min_projects: Some(3), ..base.clone() },
        "the cheapest 3 projects cost $105.0M, the budget is $65.0M: raise it to $105.0M or ask for 2",
    );
    infeasible(
        &SlateRules { min_projects: Some(5), ..base.clone() },
        "at least 5 projects are asked for and 4 are available: lower it to 4",
    );
    infeasible(
        &SlateRules { must_have: must(&["hit", "safe"]), max_projects: Some(1), ..base.clone() },
        "2 projects must be in, the largest number is 1: raise it to 2",
    );
    infeasible(
        &SlateRules { min_projects: Some(2), max_projects: Some(1), ..base.clone() },
        "the least number of projects, 2, is above the largest, 1: swap or drop one",
    );
    let risky = SlateRules {
        must_have: must(&["flop"]),
        excluded: must(&["hit", "safe", "gamble"]),
        objective: Objective::MeanUnderCap { cvar_cap: "1M".parse().unwrap() },
        ..base.clone()
    };
    assert!(matches!(
        choose(&risky, &four()),
        Outcome::Infeasible(Infeasible::RiskOverCap { least, .. }) if least == four().returns()[3].cvar
    ));
    let unknown = SlateRules { excluded: must(&["nobody"]), ..base };
    let said = unknown.choose(&four(), &Control::default()).unwrap_err().to_string();
    assert_eq!(said, "`nobody` is named in `excluded` but is not among the candidates");
}

#[test]
fn out_of_time_is_an_answer_with_its_gap() {
    let control = Control::default().until(Instant::now());
    match rules("100M", 0.5).choose(&four(), &control).unwrap() {
        Outcome::TimedOut(answer) => {
            assert!(answer.bound.minor() >= answer.objective.minor() && !answer.exact);
        }
        other => panic!("{other:?}"),
    }
}

fn instance() -> impl Strategy<Value = (Vec<(f64, f64, f64)>, SlateRules)> {
    let project = (2.0..60.0f64, 0.8..5.0f64, 0.1..1.5f64);
    let limits = (0.1..0.9f64, 0.0..2.0f64, -20.0..60.0f64, any::<bool>());
    let numbers = (proptest::option::of(0usize..4), proptest::option::of(2usize..9), any::<[bool; 2]>());
    (proptest::collection::vec(project, 3..11), limits, numbers).prop_map(
        |(projects, (share, lambda, cap, capped), (min_projects, max_projects, [must, out]))| {
            let total: f64 = projects.iter().map(|p| 1.5 * p.0).sum();
            let usd = |millions: f64| Money::from_major(millions * 1e6, Currency::USD).unwrap();
            let objective =
                if capped { Objective::MeanUnderCap { cvar_cap: usd(cap) } } else { aversion(lambda) };
            let named = |yes: bool, j: usize| if yes { vec![format!("p{j}")] } else { vec![] };
            let base = SlateRules::new(usd(total * share), objective);
            let (must_have, excluded) = (named(must, 0), named(out, 1));
            (projects, SlateRules { min_projects, max_projects, must_have, excluded, ..base })
        },
    )
}

fn candidates(projects: &[(f64, f64, f64)]) -> Vec<Candidate> {
    let all = projects.iter().enumerate();
    all.map(|(j, (budget, times, spread))| candidate(&format!("p{j}"), *budget, budget * times, *spread))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn equals_brute_force((projects, rules) in instance()) {
        let scenarios = scenarios(&candidates(&projects), 90);
        let best = brute_force(&rules, &scenarios);
        match choose(&rules, &scenarios) {
            Outcome::Chosen(answer) => {
                let best = best.expect("brute force finds one too");
                prop_assert!(answer.exact);
                prop_assert!((answer.objective.major() - best).abs() < 1.0, "{} {best}", answer.objective.major());
                let helps = answer.why.iter().any(|w| matches!(w.reason, Reason::NotYet { .. }));
                prop_assert!(!helps);
            }
            Outcome::Infeasible(reason) => prop_assert_eq!(best, None, "{}", reason),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn the_order_of_projects_does_not_matter((projects, rules) in instance(), turn in 0usize..10) {
        let mut all = candidates(&projects);
        let mut before = choose(&rules, &scenarios(&all, 60));
        let by = turn % all.len();
        all.rotate_left(by);
        let mut after = choose(&rules, &scenarios(&all, 60));
        for outcome in [&mut before, &mut after] {
            if let Outcome::Chosen(answer) = outcome {
                answer.slate.choices.sort_by(|a, b| a.project.cmp(&b.project));
                answer.why.sort_by(|a, b| a.project.cmp(&b.project));
            }
        }
        prop_assert_eq!(before, after);
    }
}
