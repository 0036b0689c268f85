//! The choice against an account of all slates, with every kind of rule mixed at random. What a rule means is written
//! here a second time, from its words; shares are solved by the full program of Rockafellar and Uryasev, without cuts.
#![allow(clippy::unwrap_used)]

use marquee_domain::Project;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::tests::{aversion, choose};
use super::*;
use crate::simplex::{Row, Simplex, Status};
use crate::simulate::tests::{gross, project};
use crate::{Candidate, Deal, Simulation};

fn usd_of(millions: f64) -> Money {
    Money::from_major((millions * 1e6).round(), Currency::USD).unwrap()
}

fn candidates(n: usize, dice: &mut ChaCha8Rng) -> Vec<Candidate> {
    (0..n)
        .map(|j| {
            let budget = dice.random_range(2.0..60.0f64);
            let (times, spread) = (dice.random_range(0.8..5.0), dice.random_range(0.1..1.5));
            let mut word = |of: &str, many: usize| format!("{of} {}", dice.random_range(0..many));
            let (genre, country, distributor) = (word("Genre", 3), word("country", 2), word("D", 3));
            let month = dice.random_range(1..=12);
            let project = Project {
                genres: vec![genre],
                countries: vec![country],
                distributor: Some(distributor),
                franchise: (j % 3 == 0).then(|| format!("F{}", j % 2)),
                release: format!("{}-{month:02}-15", 2030 + j % 2).parse().unwrap(),
                ..project(&format!("p{j}"), (budget * 1e6).round())
            };
            let gross = gross(budget * times * 1e6, spread);
            Candidate::from_distributions(project, None, Some(gross)).unwrap()
        })
        .collect()
}

fn joint(candidates: &[Candidate], scenarios: usize, tail: f64) -> Scenarios {
    let simulation = Simulation { scenarios, tail: tail.try_into().unwrap(), ..Simulation::default() };
    simulation.run(candidates, &Deal::default(), &Control::default()).unwrap()
}

/// Rules with each kind in about every third instance.
fn any_rules(n: usize, scenarios: &Scenarios, dice: &mut ChaCha8Rng) -> SlateRules {
    let total: f64 = scenarios.returns().iter().map(|r| r.cost.major() / 1e6).sum();
    let yes = |dice: &mut ChaCha8Rng| dice.random_range(0..3) == 0;
    let name = |dice: &mut ChaCha8Rng| format!("p{}", dice.random_range(0..n));
    let objective = if yes(dice) {
        Objective::MeanUnderCap { cvar_cap: usd_of(dice.random_range(-20.0..60.0)) }
    } else {
        aversion(dice.random_range(0.0..2.0))
    };
    let mut rules = SlateRules::new(usd_of(total * dice.random_range(0.15..0.9)), objective);
    rules.min_projects = yes(dice).then(|| dice.random_range(0..4));
    rules.max_projects = yes(dice).then(|| dice.random_range(1..9));
    rules.must_have.extend(yes(dice).then(|| name(dice)));
    rules.excluded.extend(yes(dice).then(|| name(dice)));
    if yes(dice) {
        let limit = usd_of(total * dice.random_range(0.1..0.5));
        rules.spend_limits = vec![SpendLimit { year: 2030, limit }, SpendLimit { year: 2031, limit }];
    }
    rules.peak_cash = yes(dice).then(|| usd_of(total * dice.random_range(0.05..0.4)));
    for _ in 0..2 {
        rules.requires.extend(yes(dice).then(|| Requires { project: name(dice), needs: name(dice) }));
    }
    if yes(dice) {
        let names = (0..3).map(|_| name(dice)).collect();
        rules.at_most.push(AtMost { names, most: dice.random_range(0..3), why: "one director".into() });
    }
    if yes(dice) {
        let budget_from = usd_of(dice.random_range(10.0..40.0));
        rules.tentpoles = Some(Tentpoles { budget_from, per_month: dice.random_range(0..2) });
    }
    for by in [LimitBy::Genre, LimitBy::Country, LimitBy::Distributor, LimitBy::Franchise] {
        if yes(dice) {
            let value = scenarios.returns()[0].genres[0].to_uppercase();
            let value = (by == LimitBy::Genre && yes(dice)).then_some(value);
            rules.limits.push(Limit { by, value, at_most: dice.random_range(0.1..0.9) });
        }
    }
    rules
}

/// Every amount that a rule limits, with its limit, for a slate of shares: USD and counts.
fn loads(rules: &SlateRules, scenarios: &Scenarios, shares: &[f64]) -> Vec<(f64, f64)> {
    let returns = scenarios.returns();
    let of = |name: &str| returns.iter().position(|r| r.name == name).map(|j| shares[j]).unwrap();
    let is_in = |share: f64| if share > 0.0 { 1.0 } else { 0.0 };
    let both = || returns.iter().zip(shares.iter().copied());
    let budget = rules.budget.major();
    let mut all = vec![(both().map(|(r, s)| r.cost.major() * s).sum(), budget)];
    let count: f64 = shares.iter().map(|s| is_in(*s)).sum();
    all.extend(rules.max_projects.map(|most| (count, most as f64)));
    all.extend(rules.min_projects.map(|least| (-count, -(least as f64))));
    all.extend(rules.must_have.iter().map(|n| (-is_in(of(n)), -1.0)));
    all.extend(rules.excluded.iter().map(|n| (of(n), 0.0)));
    for SpendLimit { year, limit } in &rules.spend_limits {
        let spent = both().map(|(r, s)| {
            s * r.cash.iter().filter(|q| q.year == *year).map(|q| q.spent.major()).sum::<f64>()
        });
        all.push((spent.sum(), limit.major()));
    }
    if let Some(limit) = &rules.peak_cash {
        let mut need = 0.0;
        for quarter in 2025 * 4..2045 * 4 {
            for (r, s) in both() {
                for q in r.cash.iter().filter(|q| q.year * 4 + i32::from(q.quarter) - 1 == quarter) {
                    need += s * (q.spent.major() - q.received.major());
                }
            }
            all.push((need, limit.major()));
        }
    }
    all.extend(rules.requires.iter().map(|r| (of(&r.project) - is_in(of(&r.needs)), 0.0)));
    for AtMost { names, most, .. } in &rules.at_most {
        let among = both().filter(|(r, _)| names.contains(&r.name)).map(|(_, s)| is_in(s));
        all.push((among.sum(), *most as f64));
    }
    if let Some(t) = &rules.tentpoles {
        for month in 0..24 {
            let here = both().filter(|(r, _)| {
                let released = (r.release.year() - 2030) * 12 + r.release.month() as i32 - 1;
                released == month && r.budget.0.major() >= t.budget_from.major()
            });
            all.push((here.map(|(_, s)| is_in(s)).sum(), t.per_month as f64));
        }
    }
    for limit in &rules.limits {
        let words = |r: &ProjectReturn| match limit.by {
            LimitBy::Genre => r.genres.clone(),
            LimitBy::Country => r.countries.clone(),
            LimitBy::Distributor => r.distributor.clone().into_iter().collect(),
            LimitBy::Franchise => r.franchise.clone().into_iter().collect(),
        };
        for value in
            ["Genre 0", "Genre 1", "Genre 2", "country 0", "country 1", "D 0", "D 1", "D 2", "F0", "F1"]
        {
            if limit.value.as_ref().is_none_or(|v| v.to_lowercase() == value.to_lowercase()) {
                let here = both().filter(|(r, _)| words(r).contains(&value.to_owned()));
                all.push((here.map(|(r, s)| r.cost.major() * s).sum(), limit.at_most * budget + 0.006));
            }
        }
    }
    all
}

fn keeps(rules: &SlateRules, scenarios: &Scenarios, shares: &[f64], tolerance: f64) -> bool {
    loads(rules, scenarios, shares).into_iter().all(|(load, limit)| load <= limit + tolerance)
}

/// Mean and CVaR of joint profits, and what the objective says; none over the cap.
fn worth(rules: &SlateRules, scenarios: &Scenarios, joint: &mut [f64]) -> Option<f64> {
    let mean = joint.iter().sum::<f64>() / joint.len() as f64;
    let mass = scenarios.tail().get() * joint.len() as f64;
    let tail = (mass.ceil() as usize).min(joint.len() - 1);
    let (worst, edge, _) = joint.select_nth_unstable_by(tail, f64::total_cmp);
    worst.sort_unstable_by(f64::total_cmp);
    let sorted = worst.iter().chain([&*edge]).enumerate();
    let loss: f64 = sorted.map(|(i, profit)| profit * (mass - i as f64).clamp(0.0, 1.0)).sum();
    let cvar = -loss / mass;
    match rules.objective {
        Objective::MeanLessRisk { risk_aversion } => Some(mean - risk_aversion.get() * cvar),
        Objective::MeanUnderCap { cvar_cap } => (cvar <= cvar_cap.major() + 1e-3).then_some(mean),
    }
}

/// The best objective of all slates of whole projects, one project changed at a time (a Gray code). Of whole projects every
/// load is the sum of what each project alone brings.
fn best_of_all(rules: &SlateRules, scenarios: &Scenarios) -> Option<f64> {
    let n = scenarios.projects();
    let alone = |j: usize| -> Vec<f64> { (0..n).map(|k| if k == j { 1.0 } else { 0.0 }).collect() };
    let each: Vec<Vec<(f64, f64)>> = (0..n).map(|j| loads(rules, scenarios, &alone(j))).collect();
    let mut left: Vec<f64> = each[0].iter().map(|(_, limit)| *limit).collect();
    let mut shares = vec![0.0; n];
    let mut joint = vec![0.0; scenarios.len()];
    let mut best: Option<f64> = None;
    for step in 0u32..1 << n {
        if step > 0 {
            let j = step.trailing_zeros() as usize;
            let sign = 1.0 - 2.0 * shares[j];
            shares[j] = 1.0 - shares[j];
            joint.iter_mut().zip(scenarios.profits(j)).for_each(|(t, p)| *t += sign * p);
            left.iter_mut().zip(&each[j]).for_each(|(l, (load, _))| *l -= sign * load);
        }
        if left.iter().all(|l| *l > -1e-3) {
            let found = worth(rules, scenarios, &mut joint.clone());
            best = if found.is_some_and(|w| best.is_none_or(|b| w > b)) { found } else { best };
        }
    }
    best
}

#[test]
fn two_hundred_slates_with_every_rule_equal_brute_force() {
    let (mut solved, mut none) = (0, 0);
    for seed in 0..200u64 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let n = if seed % 40 == 7 { 20 } else { dice.random_range(3..13) };
        let scenarios = joint(&candidates(n, &mut dice), if n > 10 { 40 } else { 60 }, 0.05);
        let rules = any_rules(n, &scenarios, &mut dice);
        let best = best_of_all(&rules, &scenarios);
        match choose(&rules, &scenarios) {
            Outcome::Chosen(answer) => {
                solved += 1;
                let best = best.unwrap_or_else(|| panic!("seed {seed}: no slate keeps {rules:?}"));
                let found = answer.objective.major();
                assert!(answer.exact && (found - best).abs() < 1.0, "seed {seed}: {found} {best}");
                assert!(!answer.why.iter().any(|w| matches!(w.reason, Reason::NotYet { .. })), "seed {seed}");
            }
            Outcome::Infeasible(reason) => {
                none += 1;
                assert_eq!(best, None, "seed {seed}: {reason}");
                if n < 13 {
                    fixes_are_enough_and_smallest(&rules, &scenarios, &reason, seed);
                }
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(solved > 80 && none > 20, "{solved} {none}");
}

/// Each fix (or all together) lets a slate exist by the account of all slates; a little less does not.
fn fixes_are_enough_and_smallest(rules: &SlateRules, scenarios: &Scenarios, why: &Infeasible, seed: u64) {
    assert!(why.complete && !why.fixes.is_empty(), "seed {seed}: {why}");
    let feasible = |rules: &SlateRules| best_of_all(rules, scenarios).is_some();
    if why.enough == Enough::AllTogether {
        let mut all = rules.clone();
        why.fixes.iter().for_each(|fix| fix.apply(&mut all));
        assert!(feasible(&all), "seed {seed}: {why}");
    }
    for fix in &why.fixes {
        let mut fixed = rules.clone();
        fix.apply(&mut fixed);
        assert_eq!(feasible(&fixed), why.enough == Enough::AnyOne, "seed {seed}: {fix}");
        if why.enough == Enough::AllTogether {
            continue;
        }
        let less = |money: &Money| Money::from_minor(money.minor() - 100, Currency::USD);
        let smaller = match fix.clone() {
            Fix::Budget { from, to } => Fix::Budget { from, to: less(&to) },
            Fix::MinProjects { from, to } => Fix::MinProjects { from, to: to + 1 },
            Fix::MaxProjects { from, to } => Fix::MaxProjects { from, to: to - 1 },
            Fix::SpendLimit { rule, year, from, to } => Fix::SpendLimit { rule, year, from, to: less(&to) },
            Fix::PeakCash { from, to } => Fix::PeakCash { from, to: less(&to) },
            Fix::AtMost { rule, why, from, to } => Fix::AtMost { rule, why, from, to: to - 1 },
            Fix::Tentpoles { from, to } => Fix::Tentpoles { from, to: to - 1 },
            Fix::Limit { rule, by, value, from, to } => Fix::Limit { rule, by, value, from, to: to - 1e-6 },
            Fix::RiskCap { from, to } => Fix::RiskCap { from, to: less(&to) },
            Fix::MustHave { .. } | Fix::Excluded { .. } | Fix::Requires { .. } => continue,
        };
        let mut nearly = rules.clone();
        smaller.apply(&mut nearly);
        assert!(!feasible(&nearly), "seed {seed}: {fix} is more than needed");
    }
}

/// The best objective of all slates with shares: for each set of projects the program with a variable for the value at
/// risk and one for each scenario's excess over it.
fn best_of_all_shares(rules: &SlateRules, scenarios: &Scenarios) -> Option<f64> {
    let n = scenarios.projects();
    let least = |j: usize| {
        if rules.whole.contains(&scenarios.returns()[j].name) { 1.0 } else { rules.min_share.unwrap_or(1.0) }
    };
    let worth = (0u32..1 << n).filter_map(|bits| {
        let chosen: Vec<bool> = (0..n).map(|j| bits >> j & 1 == 1).collect();
        best_shares(rules, scenarios, &chosen, &least)
    });
    worth.max_by(f64::total_cmp)
}

fn best_shares(
    rules: &SlateRules,
    scenarios: &Scenarios,
    chosen: &[bool],
    least: &impl Fn(usize) -> f64,
) -> Option<f64> {
    const MILLION: f64 = 1e6;
    let (n, m) = (chosen.len(), scenarios.len());
    let mass = scenarios.tail().get() * m as f64;
    let (lambda, cap) = match rules.objective {
        Objective::MeanLessRisk { risk_aversion } => (risk_aversion.get(), None),
        Objective::MeanUnderCap { cvar_cap } => (0.0, Some(cvar_cap.major() / MILLION)),
    };
    let mean = |j: usize| scenarios.profits(j).iter().sum::<f64>() / m as f64 / MILLION;
    let mut cost: Vec<f64> = (0..n).map(mean).collect();
    cost.push(-lambda);
    cost.extend(vec![-lambda / mass; m]);
    let low = |j: usize| if chosen[j] { least(j) } else { 0.0 };
    let mut lower: Vec<f64> = (0..n).map(low).collect();
    let mut upper: Vec<f64> = chosen.iter().map(|c| f64::from(u8::from(*c))).collect();
    lower.push(-5e3);
    upper.push(5e3);
    lower.extend(vec![0.0; m]);
    upper.extend(vec![1e4; m]);
    let mut program = Simplex::new(cost, lower, upper);
    for s in 0..m {
        // −profit − value at risk − excess ≤ 0
        let mut row: Vec<f64> = (0..n).map(|j| -scenarios.profits(j)[s] / MILLION).collect();
        row.push(-1.0);
        row.extend((0..m).map(|k| if k == s { -1.0 } else { 0.0 }));
        program.add_row(Row { coefficients: row, limit: 0.0 });
    }
    if let Some(cap) = cap {
        let mut row = vec![0.0; n];
        row.push(1.0);
        row.extend(vec![1.0 / mass; m]);
        program.add_row(Row { coefficients: row, limit: cap });
    }
    // Given who is in, every load is a constant and so much for each share.
    let base: Vec<f64> = (0..n).map(low).collect();
    let at_base = loads(rules, scenarios, &base);
    let raised: Vec<Vec<(f64, f64)>> = (0..n)
        .map(|j| {
            let mut more = base.clone();
            more[j] += if chosen[j] { 0.5 } else { 0.0 };
            loads(rules, scenarios, &more)
        })
        .collect();
    for (r, (load, limit)) in at_base.iter().enumerate() {
        let by: Vec<f64> = (0..n).map(|j| (raised[j][r].0 - load) / 0.5).collect();
        let constant = load - (0..n).map(|j| by[j] * base[j]).sum::<f64>();
        let scale = by.iter().map(|b| b.abs()).fold(1.0, f64::max);
        let mut row: Vec<f64> = by.iter().map(|b| b / scale).collect();
        row.extend(vec![0.0; 1 + m]);
        program.add_row(Row { coefficients: row, limit: (limit - constant) / scale + 1e-10 });
    }
    match program.solve() {
        Status::Infeasible => None,
        Status::Done => Some(program.bound().value * MILLION),
    }
}

#[test]
fn shares_equal_brute_force_over_who_is_in() {
    let (mut solved, mut none, mut parts) = (0, 0, 0);
    for seed in 1_000..1_200u64 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let n = dice.random_range(2..7);
        let scenarios = joint(&candidates(n, &mut dice), 16, 0.25);
        let mut rules = any_rules(n, &scenarios, &mut dice);
        rules.min_share = Some(dice.random_range(0.1..0.7));
        rules.whole = (0..n).filter(|_| dice.random_range(0..4) == 0).map(|j| format!("p{j}")).collect();
        let best = best_of_all_shares(&rules, &scenarios);
        match choose(&rules, &scenarios) {
            Outcome::Chosen(answer) => {
                solved += 1;
                let best = best.unwrap_or_else(|| panic!("seed {seed}: no slate keeps {rules:?}"));
                let (found, shares) = (answer.objective.major(), shares_of(&answer, &scenarios));
                parts += shares.iter().filter(|s| **s > 0.0 && **s < 1.0).count();
                assert!((found - best).abs() < 5.0, "seed {seed}: {found} {best} {rules:?}");
                assert!(answer.exact && answer.bound.major() - found < 5.0, "seed {seed}: {}", answer.gap);
                assert!(keeps(&rules, &scenarios, &shares, 0.05), "seed {seed}");
                assert!(answer.slate.cost.minor() <= rules.budget.minor(), "seed {seed}");
                assert!(!answer.why.iter().any(|w| matches!(w.reason, Reason::NotYet { .. })), "seed {seed}");
            }
            Outcome::Infeasible(reason) => {
                none += 1;
                assert_eq!(best, None, "seed {seed}: {reason}");
                assert!(reason.complete && !reason.fixes.is_empty(), "seed {seed}: {reason}");
                let mut fixed = rules.clone();
                let needed = if reason.enough == Enough::AnyOne { 1 } else { reason.fixes.len() };
                reason.fixes.iter().take(needed).for_each(|fix| fix.apply(&mut fixed));
                assert!(matches!(choose(&fixed, &scenarios), Outcome::Chosen(_)), "seed {seed}: {reason}");
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(solved > 30 && none > 5 && parts > 30, "{solved} {none} {parts}");
}

fn shares_of(answer: &SlateAnswer, scenarios: &Scenarios) -> Vec<f64> {
    let share = |r: &ProjectReturn| {
        answer.slate.choices.iter().find(|c| c.project == r.name).map_or(0.0, |c| c.share)
    };
    scenarios.returns().iter().map(share).collect()
}
