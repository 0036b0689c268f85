//! The stage gates against closed forms, arithmetic, each other and laws.
#![allow(clippy::unwrap_used)]

use marquee_domain::{Control, Money};
use proptest::prelude::*;

use super::super::gate_lattice::black;
use super::super::{AbandonBelow, GateAnswer, OptionWorth, Paths};
use super::*;

fn stage(name: &str, cost: f64, reveals: f64) -> Stage {
    Stage { name: name.into(), cost, years: 1.0, reveals, abandon: None, wait: None, expand: None }
}

/// A lognormal gross with a mean of 100 million, of which half comes back; 8% a year.
fn film(log_sd: f64, stages: Vec<Stage>) -> StageGates {
    let gross = lognormal_gross(100e6 * (-log_sd * log_sd / 2.0_f64).exp(), log_sd).unwrap();
    StageGates {
        gross,
        receipts_per_gross: 0.5,
        highest_gross: None,
        discount_rate: 0.08,
        stages,
        sequel: None,
    }
}

fn worth(gates: &StageGates) -> GateAnswer {
    gates.worth(&Control::default()).unwrap()
}

fn right(answer: &GateAnswer, option: GateOption) -> OptionWorth {
    *answer.options.iter().find(|worth| worth.option == option).unwrap()
}

/// Within two millionths of the mean receipts: a hundred dollars.
fn check(found: Money, wanted: f64) {
    assert!((found.major() - wanted).abs() < 100.0, "{} is not {wanted}", found.major());
}

#[test]
fn without_options_it_is_the_mean_less_the_cost() {
    for log_sd in [0.0, 0.4, 1.0, 2.0] {
        let answer = worth(&film(log_sd, vec![stage("make", 30e6, 1.0)]));
        check(answer.value, 50e6 / 1.08 - 30e6);
        assert_eq!(answer.value, answer.committed);
        assert!(answer.options.is_empty());
        assert_eq!(answer.released.get(), 1.0);
        assert_eq!(answer.gates[0].abandon, AbandonBelow::NotAllowed);
    }
}

/// The mean of a forecast that is not lognormal, by the midpoint rule over its quantiles.
#[test]
fn any_forecast_is_taken_as_it_is() {
    let gross = Distribution::new([1e6, 2e6, 8e6, 30e6, 60e6, 200e6, 500e6]).unwrap();
    let (mut mean, n) = (0.0, 400_000);
    for i in 0..n {
        let score = -9.0 + 21.0 * (f64::from(i) + 0.5) / f64::from(n);
        mean += gross.at_score(score).exp() * (-score * score / 2.0).exp();
    }
    mean *= 21.0 / f64::from(n) / (2.0 * std::f64::consts::PI).sqrt();
    let gates = StageGates { gross, ..film(1.0, vec![stage("a", 1e6, 0.3), stage("b", 9e6, 0.7)]) };
    let wanted = mean * 0.5 / 1.08 / 1.08 - 9e6 / 1.08 - 1e6;
    let found = worth(&gates).value.major();
    assert!((found / wanted - 1.0).abs() < 1e-4, "{found} {wanted}");
}

/// The gross is known: 100 million, 50 of it come back.
#[test]
fn with_certainty_options_are_arithmetic() {
    let mut gates = film(0.0, vec![stage("develop", 5e6, 0.5), stage("make", 60e6, 0.5)]);
    gates.stages[1].abandon = Some(1e6);
    gates.stages[1].expand = Some(Expand { cost: 20e6, factor: 1.6 });
    gates.stages[0].wait = Some(Wait { years: 1.0, cost: 0.0, reveals: 0.5 });
    gates.sequel = Some(Sequel { cost: 30e6, years: 2.0, factor: 0.8, log_sd: 0.0, foreseen: 0.0 });
    let answer = worth(&gates);
    let sequel = |gross: f64| (gross * 0.8 * 0.5 / 1.08 / 1.08 - 30e6).max(0.0);
    let at_greenlight = |factor: f64| (50e6 * factor + sequel(100e6 * factor)) / 1.08;
    let all = f64::max(at_greenlight(1.6) - 80e6, 1e6).max(at_greenlight(1.0) - 60e6) / 1.08 - 5e6;
    check(answer.value, all);
    check(answer.committed, (50e6 / 1.08 - 60e6) / 1.08 - 5e6);
    check(right(&answer, GateOption::Abandon).only, 1e6 / 1.08 - 5e6);
    check(right(&answer, GateOption::Expand).only, (80e6 / 1.08 - 80e6) / 1.08 - 5e6);
    check(right(&answer, GateOption::Sequel).only, (at_greenlight(1.0) - 60e6) / 1.08 - 5e6);
    // Waiting puts a loss off by a year.
    check(right(&answer, GateOption::Wait).only, ((50e6 / 1.08 - 60e6) / 1.08 - 5e6) / 1.08);
}

/// Paying a cost only if what was revealed is good enough is a call on the receipts (Black 1976).
#[test]
fn abandoning_is_a_call() {
    for (log_sd, cost) in [(0.5, 40e6), (1.0, 60e6), (1.5, 30e6)] {
        let mut gates = film(log_sd, vec![stage("develop", 2e6, 1.0), stage("make", cost, 0.0)]);
        gates.stages[1].abandon = Some(0.0);
        let answer = worth(&gates);
        let (call, exercised) = black(50e6 / 1.08, cost, log_sd);
        check(answer.value, call / 1.08 - 2e6);
        check(right(&answer, GateOption::Abandon).adds, (call - (50e6 / 1.08 - cost)) / 1.08);
        assert!((answer.gates[1].abandoned.get() - (1.0 - exercised)).abs() < 1e-5);
        assert!((answer.released.get() - exercised).abs() < 1e-5);
        let AbandonBelow::Forecast { median, mean } = answer.gates[1].abandon else { panic!("a threshold") };
        assert!((median.0.major() / (cost * 1.08 / 0.5) - 1.0).abs() < 1e-4);
        assert_eq!(median, mean, "nothing is left to be known");
    }
}

/// A call on a call (R. Geske 1979), the inner one by Black's formula and the outer one by the midpoint rule.
#[test]
fn two_rights_to_abandon_are_a_call_on_a_call() {
    let stages = vec![stage("develop", 2e6, 0.36), stage("package", 6e6, 0.64), stage("make", 50e6, 0.0)];
    let mut gates = film(1.2, stages);
    gates.stages.iter_mut().for_each(|stage| stage.abandon = Some(0.0));
    let (first, second) = (1.2 * 0.6, 1.2 * 0.8);
    let (mut outer, n) = (0.0, 200_000);
    for i in 0..n {
        let score = -9.0 + 18.0 * (f64::from(i) + 0.5) / f64::from(n);
        let forward = 50e6 / 1.08 * (first * score - first * first / 2.0_f64).exp();
        let inner = (black(forward, 50e6, second).0 / 1.08 - 6e6).max(0.0);
        outer += inner * (-score * score / 2.0).exp();
    }
    outer *= 18.0 / f64::from(n) / (2.0 * std::f64::consts::PI).sqrt();
    check(worth(&gates).value, outer / 1.08 - 2e6);
}

#[test]
fn expanding_is_a_call_on_the_enlargement() {
    let mut gates = film(0.8, vec![stage("develop", 2e6, 1.0), stage("make", 20e6, 0.0)]);
    gates.stages[1].expand = Some(Expand { cost: 25e6, factor: 1.5 });
    let answer = worth(&gates);
    let (call, exercised) = black(0.5 * 50e6 / 1.08, 25e6, 0.8);
    check(right(&answer, GateOption::Expand).alone, call / 1.08);
    assert!((answer.gates[1].enlarged.get() - exercised).abs() < 1e-5);
}

#[test]
fn waiting_for_all_that_there_is_to_know_is_a_call() {
    let mut gates = film(0.9, vec![stage("make", 45e6, 1.0)]);
    gates.stages[0].abandon = Some(0.0);
    gates.stages[0].wait = Some(Wait { years: 0.5, cost: 1e6, reveals: 1.0 });
    let answer = worth(&gates);
    let (call, exercised) = black(50e6 / 1.08, 45e6, 0.9);
    check(answer.value, call * 1.08_f64.powf(-0.5) - 1e6);
    assert_eq!(answer.gates[0].waits.get(), 1.0);
    assert!((answer.released.get() - exercised).abs() < 1e-5);
    // Waiting alone brings nothing: what is learnt cannot be used.
    check(right(&answer, GateOption::Wait).alone, 0.0);
}

#[test]
fn a_sequel_is_a_call_on_the_gross() {
    for (foreseen, deviation) in [(0.0, 0.7), (1.0, 0.7_f64.hypot(0.5)), (0.36, 0.7_f64.hypot(0.3))] {
        let mut gates = film(0.7, vec![stage("make", 20e6, 1.0)]);
        gates.sequel = Some(Sequel { cost: 40e6, years: 2.0, factor: 0.9, log_sd: 0.5, foreseen });
        let answer = worth(&gates);
        let forward = 50e6 * 0.9 * 0.125_f64.exp() / 1.08 / 1.08;
        let (call, exercised) = black(forward, 40e6, deviation);
        check(right(&answer, GateOption::Sequel).adds, call / 1.08);
        assert!((answer.sequel.get() - exercised).abs() < 1e-5);
    }
}

/// Every right at every gate, from a seed of unit numbers.
fn any_film(unit: &[f64]) -> StageGates {
    let names = ["develop", "greenlight", "marketing"];
    let costs = [3e6, 25e6, 15e6];
    let total = unit[0] + unit[1] + unit[2] + 0.3;
    let stages = names.iter().enumerate().map(|(i, name)| Stage {
        years: 0.25 + unit[3 + i],
        abandon: Some(2e6 * unit[6 + i]),
        wait: Some(Wait { years: 0.5, cost: 3e5 * unit[9 + i], reveals: 0.1 + 0.8 * unit[12 + i] }),
        expand: (i == 1).then_some(Expand { cost: 5e6 + 2e7 * unit[15], factor: 1.1 + 0.5 * unit[16] }),
        ..stage(name, costs[i] * (0.5 + unit[17 + i]), (unit[i] + 0.1) / total)
    });
    let stages = stages.collect();
    let sequel =
        Sequel { cost: 20e6 + 40e6 * unit[20], years: 2.0, factor: 0.7, log_sd: 0.6, foreseen: unit[21] };
    StageGates { sequel: Some(sequel), ..film(0.4 + unit[22], stages) }
}

#[test]
fn lattice_and_simulation_agree() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    for _ in 0..6 {
        let unit: Vec<f64> = (0..23).map(|_| rng.random()).collect();
        let gates = any_film(&unit);
        let lattice = worth(&gates).value.major();
        let simulated = gates.simulate(Paths { count: 40_000, seed: 5 }, &Control::default()).unwrap();
        let (value, error) = (simulated.value.major(), simulated.standard_error.major());
        println!(
            "lattice {lattice:.0}, simulated {value:.0} ± {error:.0}: {:.2} errors",
            (value - lattice) / error
        );
        assert!((value - lattice).abs() < 3.0 * error, "{gates:?}");
    }
}

/// The mean of a lognormal that is held at a cap is its mean less a call (Black 1976).
#[test]
fn no_gross_is_above_the_highest() {
    let gates = StageGates { highest_gross: Some(150e6), ..film(1.0, vec![stage("make", 30e6, 1.0)]) };
    check(worth(&gates).value, (50e6 - black(50e6, 75e6, 1.0).0) / 1.08 - 30e6);
}

#[test]
fn gates_are_read_as_written() {
    let text = r#"
        gross = [5e6, 8e6, 20e6, 60e6, 120e6, 250e6, 400e6]
        receipts_per_gross = 0.6
        discount_rate = 0.1
        [[stages]]
        name = "develop"
        cost = 2e6
        years = 1.0
        reveals = 0.4
        abandon = 0.0
        [[stages]]
        name = "make"
        cost = 30e6
        years = 1.5
        reveals = 0.6
        abandon = 5e5
        wait = { years = 0.5, cost = 2e5, reveals = 0.3 }
    "#;
    let gates: StageGates = toml::from_str(text).unwrap();
    assert!(worth(&gates).value.major() > 0.0);
    assert_eq!(toml::from_str::<StageGates>(&toml::to_string(&gates).unwrap()).unwrap().stages, gates.stages);
    assert!(toml::from_str::<StageGates>(&text.replace("abandon", "abandom")).is_err());
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let gates = any_film(&[0.5; 23]);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let paths = Paths { count: 6_000, seed: 2 };
        pool.install(|| (worth(&gates), gates.simulate(paths, &Control::default()).unwrap()))
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |gates: StageGates| gates.worth(&Control::default()).unwrap_err().to_string();
    assert!(refused(film(1.0, vec![])).contains("no stage"));
    let text = refused(film(1.0, vec![stage("a", 1.0, 0.5), stage("b", 1.0, 0.4)]));
    assert!(text.contains("adds up to 0.9"), "{text}");
    let text = refused(film(1.0, vec![stage("a", -1.0, 1.0)]));
    assert_eq!(text, "`cost` of `a` is -1, it must be 0 to 1e13 dollars");
    assert!(refused(film(1.0, vec![stage("a", f64::NAN, 1.0)])).contains("NaN"));
    assert!(refused(film(1.0, vec![stage("a", 1.0, 1e-7), stage("b", 1.0, 1.0)])).contains("0.0001"));
    assert!(refused(film(4.0, vec![stage("a", 1.0, 1.0)])).contains("at most 3"));
    let mut gates = film(1.0, vec![stage("a", 1.0, 1.0)]);
    gates.stages[0].expand = Some(Expand { cost: 1.0, factor: 0.5 });
    assert!(refused(gates.clone()).contains("expand.factor"));
    gates.stages[0].expand = None;
    let text = gates.simulate(Paths { count: 7, seed: 1 }, &Control::default()).unwrap_err().to_string();
    assert!(text.contains("even number"), "{text}");
    assert!(lognormal_gross(-1.0, 1.0).is_err() && lognormal_gross(1.0, -1.0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rights_are_never_worth_less_than_nothing(unit in proptest::collection::vec(0.0..1.0f64, 23)) {
        let answer = worth(&any_film(&unit));
        for worth in &answer.options {
            prop_assert!(worth.alone.minor() >= 0 && worth.adds.minor() >= 0, "{worth:?}");
            prop_assert!(worth.only.minor() <= answer.value.minor());
        }
        let mut reached = 1.0;
        for gate in &answer.gates {
            prop_assert!((gate.reached.get() - reached).abs() < 1e-9);
            reached -= gate.abandoned.get();
        }
        prop_assert!((answer.released.get() - reached).abs() < 1e-9, "what is not abandoned is released");
        prop_assert!(answer.sequel.get() <= answer.released.get() + 1e-9);
    }

    #[test]
    fn nothing_panics(figures in proptest::collection::vec(proptest::num::f64::ANY, 12), at in 0usize..12) {
        // One wild figure among sound ones, and all wild.
        for wild in [vec![at], (0..12).collect()] {
            let figure = |i: usize, sound: f64| if wild.contains(&i) { figures[i] } else { sound };
            let mut gates = any_film(&[0.5; 23]);
            gates.receipts_per_gross = figure(0, 0.5);
            gates.discount_rate = figure(1, 0.1);
            gates.highest_gross = wild.contains(&2).then_some(figures[2]);
            gates.stages[0].cost = figure(3, 1e6);
            gates.stages[1].years = figure(4, 1.0);
            gates.stages[2].abandon = Some(figure(5, 0.0));
            gates.stages[1].wait = Some(Wait { years: figure(6, 1.0), cost: 1e5, reveals: figure(7, 0.5) });
            gates.stages[1].expand = Some(Expand { cost: figure(8, 1e6), factor: figure(9, 1.5) });
            gates.sequel = Some(Sequel {
                cost: figure(10, 1e7), years: 1.0, factor: 0.5, log_sd: figure(11, 0.5), foreseen: 0.5,
            });
            let answers = gates.worth(&Control::default());
            let simulated = gates.simulate(Paths { count: 64, seed: 1 }, &Control::default());
            prop_assert_eq!(answers.is_err(), simulated.is_err());
        }
    }

    /// With the mean kept, a wider forecast never makes a film with rights worth less.
    #[test]
    fn more_to_be_known_is_never_worth_less(unit in proptest::collection::vec(0.0..1.0f64, 23)) {
        let gates = any_film(&unit);
        let log_sd = 0.4 + unit[22];
        let wider = StageGates { gross: film(1.1 * log_sd, vec![]).gross, ..gates.clone() };
        let (narrow, wide) = (worth(&gates).value.major(), worth(&wider).value.major());
        prop_assert!(wide >= narrow - 100.0, "{narrow} {wide}");
    }
}
