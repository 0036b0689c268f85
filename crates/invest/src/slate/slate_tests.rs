//! Tests of the choice: equal to brute force, indifferent to order, honest where there is none.
#![allow(clippy::unwrap_used)]

use std::time::Instant;

use marquee_domain::Weight;
use proptest::prelude::*;

use super::*;
use crate::simulate::tests::{gross, project};
use crate::{Candidate, Deal, Reason, Simulation};

/// A candidate with a budget and a median gross in millions.
pub(super) fn candidate(name: &str, budget: f64, median: f64, spread: f64) -> Candidate {
    Candidate::from_distributions(project(name, budget * 1e6), None, Some(gross(median * 1e6, spread)))
        .unwrap()
}

pub(super) fn scenarios(candidates: &[Candidate], count: usize) -> Scenarios {
    let simulation = Simulation { scenarios: count, ..Simulation::default() };
    simulation.run(candidates, &Deal::default(), &Control::default()).unwrap()
}

pub(super) fn four() -> Scenarios {
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

pub(super) fn aversion(lambda: f64) -> Objective {
    Objective::MeanLessRisk { risk_aversion: Weight::try_from(lambda).unwrap() }
}

pub(super) fn rules(budget: &str, lambda: f64) -> SlateRules {
    SlateRules::new(budget.parse().unwrap(), aversion(lambda))
}

pub(super) fn choose(rules: &SlateRules, scenarios: &Scenarios) -> Outcome {
    rules.choose(scenarios, &Control::default()).unwrap()
}

#[track_caller]
pub(super) fn chosen(rules: &SlateRules, scenarios: &Scenarios) -> SlateAnswer {
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

pub(super) fn names(answer: &SlateAnswer) -> Vec<&str> {
    answer.slate.choices.iter().map(|c| c.project.as_str()).collect()
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
        "to allow one, drop `gamble` from those that must be in, or drop `safe` from those that must be in, or raise \
         the budget from $65.0M to $90.0M",
    );
    infeasible(
        &SlateRules { must_have: must(&["hit"]), excluded: must(&["hit"]), ..base.clone() },
        "to allow one, drop `hit` from those that must be in, or no longer exclude `hit`",
    );
    infeasible(
        &SlateRules { min_projects: Some(3), ..base.clone() },
        "to allow one, ask for 2 projects or more instead of 3, or raise the budget from $65.0M to $105.0M",
    );
    infeasible(
        &SlateRules { min_projects: Some(5), ..base.clone() },
        "to allow one, ask for 2 projects or more instead of 5",
    );
    infeasible(
        &SlateRules { must_have: must(&["hit", "safe"]), max_projects: Some(1), ..base.clone() },
        "to allow one, drop `hit` from those that must be in, or drop `safe` from those that must be in, or allow 2 \
         projects instead of 1",
    );
    infeasible(
        &SlateRules { min_projects: Some(2), max_projects: Some(1), ..base.clone() },
        "to allow one, allow 2 projects instead of 1, or ask for 1 project or more instead of 2",
    );
    let twice = SlateRules {
        must_have: must(&["hit"]),
        excluded: must(&["hit"]),
        min_projects: Some(3),
        budget: "70M".parse().unwrap(),
        ..base.clone()
    };
    infeasible(
        &twice,
        "no single change allows one; together these do: no longer exclude `hit` and raise the budget from $70.0M to \
         $105.0M",
    );
    let risky = SlateRules {
        must_have: must(&["flop"]),
        excluded: must(&["hit", "safe", "gamble"]),
        objective: Objective::MeanUnderCap { cvar_cap: "1M".parse().unwrap() },
        ..base.clone()
    };
    match choose(&risky, &four()) {
        Outcome::Infeasible(Infeasible { enough: Enough::AnyOne, fixes, complete: true }) => {
            let least =
                fixes.iter().find_map(|f| if let Fix::RiskCap { to, .. } = f { Some(*to) } else { None });
            assert!((least.unwrap().major() - four().returns()[3].cvar.major()).abs() < 0.011);
            assert!(fixes.contains(&Fix::MustHave { project: "flop".into() }));
        }
        other => panic!("{other:?}"),
    }
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
    #![proptest_config(ProptestConfig::with_cases(100))]
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

#[test]
fn rules_that_cannot_be_meant_are_refused_with_their_value() {
    let refused = |change: &dyn Fn(&mut SlateRules), expect: &str| {
        let mut rules = rules("65M", 0.5);
        change(&mut rules);
        let said = rules.choose(&four(), &Control::default()).unwrap_err().to_string();
        assert_eq!(said, expect);
    };
    let limit = |value: Option<&str>, at_most: f64| Limit {
        by: LimitBy::Genre,
        value: value.map(str::to_owned),
        at_most,
    };
    refused(&|r| r.min_share = Some(f64::NAN), "`min_share` is NaN, it must be above 0 and at most 1");
    refused(&|r| r.min_share = Some(0.0), "`min_share` is 0, it must be above 0 and at most 1");
    refused(&|r| r.budget = "-1M".parse().unwrap(), "the rule `budget` is -$1.0M, it must be zero or more");
    refused(
        &|r| r.limits = vec![limit(None, 40.0)],
        "the rule `limits[0].at_most` is 40, it must be a fraction of the budget, 0 to 1",
    );
    refused(
        &|r| r.limits = vec![limit(None, 0.4), limit(Some("Opera"), 0.4)],
        "the rule `limits[1].value` is the genre `Opera`, it must be one that a candidate has",
    );
    refused(
        &|r| r.requires = vec![Requires { project: "hit".into(), needs: "nobody".into() }],
        "`nobody` is named in `requires` but is not among the candidates",
    );
    refused(
        &|r| r.spend_limits = vec![SpendLimit { year: 2030, limit: "-2M".parse().unwrap() }],
        "the rule `spend_limits[0].limit` is -$2.0M, it must be zero or more",
    );
}

#[test]
fn a_project_kept_out_by_a_rule_says_which() {
    let scenarios = four();
    let why = |rules: &SlateRules, name: &str| {
        let answer = chosen(rules, &scenarios);
        answer.why.iter().find(|w| w.project == name).unwrap().to_string()
    };
    let base = rules("200M", 0.5);
    let pair = AtMost { names: vec!["hit".into(), "safe".into()], most: 1, why: "one director".into() };
    let said = why(&SlateRules { at_most: vec![pair], ..base.clone() }, "safe");
    assert!(said.ends_with("but break a rule: at most 1 of a set (one director)"), "{said}");
    let sequel = Requires { project: "hit".into(), needs: "flop".into() };
    let rules = SlateRules { requires: vec![sequel], ..base.clone() };
    let said = why(&SlateRules { must_have: vec!["hit".into()], ..rules.clone() }, "flop");
    assert!(said.starts_with("flop: in; dropping it would add $"), "{said}");
    assert!(said.ends_with("but break a rule: `hit` needs `flop`"), "{said}");
    let said = why(&SlateRules { excluded: vec!["flop".into()], ..rules }, "hit");
    assert!(said.ends_with("but break a rule: `hit` needs `flop`"), "{said}");
    let tentpoles = Some(Tentpoles { budget_from: "15M".parse().unwrap(), per_month: 1 });
    let said = why(&SlateRules { tentpoles, ..base.clone() }, "safe");
    assert!(said.ends_with("but break a rule: at most 1 tentpoles a month, in 2030-07"), "{said}");
    let spend_limits = vec![SpendLimit { year: 2030, limit: "45M".parse().unwrap() }];
    let said = why(&SlateRules { spend_limits, ..base }, "safe");
    assert!(said.ends_with("but break a rule: the spending limit of 2030"), "{said}");
}

/// Two requirements that go round: both or neither, which is no contradiction.
#[test]
fn a_cycle_of_needs_is_both_or_neither() {
    let needs = |project: &str, needs: &str| Requires { project: project.into(), needs: needs.into() };
    let cycle = vec![needs("hit", "flop"), needs("flop", "hit")];
    let answer = chosen(&SlateRules { requires: cycle, ..rules("65M", 0.5) }, &four());
    assert!(!names(&answer).contains(&"hit") || names(&answer).contains(&"flop"));
}

/// Of one project whose mean is worth its risk, all is taken that the budget allows, and nothing below the least share.
#[test]
fn a_share_is_what_the_budget_allows_or_nothing() {
    let one = scenarios(&[candidate("hit", 20.0, 90.0, 0.5)], 500);
    let part = |budget: &str| {
        let answer = chosen(&SlateRules { min_share: Some(0.2), ..rules(budget, 0.1) }, &one);
        answer.slate.choices.first().map(|c| (c.share, c.cost))
    };
    let (share, cost) = part("12M").unwrap();
    assert!((share - 0.4).abs() < 1e-8 && (cost.major() - 12e6).abs() < 1.0, "{share} {cost}");
    assert_eq!(part("5M"), None);
    assert_eq!(part("60M").unwrap().0, 1.0);
    let whole = SlateRules { min_share: Some(0.2), whole: vec!["hit".into()], ..rules("12M", 0.1) };
    assert!(chosen(&whole, &one).slate.choices.is_empty());
}
