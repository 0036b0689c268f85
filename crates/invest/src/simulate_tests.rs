//! Tests of the simulation: seeds, threads, dependence, known answers.
#![allow(clippy::unwrap_used)]

use marquee_domain::Vertical;
use proptest::prelude::*;

use super::*;

pub(crate) fn project(name: &str, budget: f64) -> Project {
    Project {
        name: name.into(),
        vertical: Vertical::Film,
        budget: Budget(Money::from_major(budget, Currency::USD).unwrap()),
        marketing: Some(Spend(Money::from_major(budget / 2.0, Currency::USD).unwrap())),
        release: "2030-07-02".parse().unwrap(),
        greenlit: None,
        genres: vec![],
        language: None,
        countries: vec![],
        basis: None,
        creative_type: None,
        companies: vec![],
        distributor: None,
        franchise: None,
        directors: vec![],
        cast: vec![],
        age_rating: None,
        runtime: None,
        opening_theatres: None,
    }
}

/// A lognormal gross with this median and spread in natural logs.
pub(crate) fn gross(median: f64, spread: f64) -> Distribution {
    let scores = [-1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449];
    Distribution::from_logs(scores.map(|z| median.ln() + spread * z)).unwrap()
}

fn run(scenarios: usize, candidates: &[Candidate]) -> Scenarios {
    let simulation = Simulation { scenarios, ..Simulation::default() };
    simulation.run(candidates, &Deal::default(), &Control::default()).unwrap()
}

fn candidate(name: &str, genre: &str) -> Candidate {
    let project = Project { genres: vec![genre.into()], ..project(name, 30e6) };
    Candidate::from_distributions(project, None, Some(gross(90e6, 0.9))).unwrap()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let product = |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 {
        x.iter().zip(y).map(|(p, q)| (p - mx) * (q - my)).sum()
    };
    product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
}

#[test]
fn the_same_bytes_whatever_the_threads_and_the_company() {
    let all = [candidate("a", "Drama"), candidate("b", "Drama"), candidate("c", "Horror")];
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(|| run(501, &all));
    let four = pool(4).install(|| run(501, &all));
    assert_eq!(one, four);
    let alone = run(501, &all[1..2]);
    assert_eq!(alone.profits(0), one.profits(1));
    assert_eq!(alone.returns()[0], one.returns()[1]);
    let other = Simulation { scenarios: 501, seed: 2, ..Simulation::default() };
    let other = other.run(&all, &Deal::default(), &Control::default()).unwrap();
    assert_ne!(other.profits(0), one.profits(0));
    assert!(one.profits(3).is_empty() && one.profits(usize::MAX).is_empty());
}

/// With the default loadings, normal scores of one year and genre correlate by .25² + .20² = .1025, of one year by .0625.
#[test]
fn scores_correlate_as_the_loadings_say() {
    let all = [candidate("a", "Drama"), candidate("b", "drama "), candidate("c", "Horror")];
    let simulation = Simulation { scenarios: 100_000, ..Simulation::default() };
    let factors = Factors::draw(&simulation, &all, Deal::default().loadings());
    let scores = all.each_ref().map(|c| {
        let mut scores = vec![0.0; 100_000];
        factors.scores(c, &mut scores);
        scores
    });
    assert!(mean(&scores[0]).abs() < 1e-12, "antithetic pairs cancel");
    let variance = scores[0].iter().map(|z| z * z).sum::<f64>() / 1e5;
    assert!((variance - 1.0).abs() < 0.02, "{variance}");
    let (same, year) = (correlation(&scores[0], &scores[1]), correlation(&scores[0], &scores[2]));
    assert!((same - 0.1025).abs() < 0.015 && (year - 0.0625).abs() < 0.015, "{same} {year}");
}

#[test]
fn loss_probability_and_break_even_agree_with_the_forecast() {
    let r = run(20_000, &[candidate("a", "Drama")]).returns()[0].clone();
    assert!((r.loss_probability.get() + r.above_break_even.get() - 1.0).abs() < 0.012, "{r:?}");
    assert!(!r.marketing_assumed && r.cost == "45M".parse().unwrap());
    assert!(r.profit.windows(2).all(|w| w[0].minor() <= w[1].minor()));
    assert!(r.cvar.minor() >= -r.profit[0].minor(), "the mean of the worst is no better than their best");
    assert!((r.mean_roi.0 - r.mean_profit.major() / 45e6).abs() < 1e-9);
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let with = |domestic, worldwide| Candidate::from_distributions(project("a", 1e6), domestic, worldwide);
    assert_eq!(with(None, None), Err(InvestError::NoForecast("a".into())));
    let euros = Money::from_major(1e6, "EUR".parse().unwrap()).unwrap();
    let foreign = Project { budget: Budget(euros), ..project("a", 1e6) };
    let said = Candidate::from_distributions(foreign, None, Some(gross(1e6, 1.0))).unwrap_err().to_string();
    assert!(said.contains("budget of `a`") && said.contains("EUR"), "{said}");
    let (deal, control) = (Deal::default(), Control::default());
    let refused = |s: Simulation, c: &[Candidate]| s.run(c, &deal, &control).unwrap_err();
    let one = [candidate("a", "Drama")];
    assert_eq!(refused(Simulation::default(), &[]), InvestError::NoCandidates);
    assert!(matches!(
        refused(Simulation { scenarios: 0, ..Default::default() }, &one),
        InvestError::Setting { .. }
    ));
    let zero = Probability::try_from(0.0).unwrap();
    assert!(matches!(
        refused(Simulation { tail: zero, ..Default::default() }, &one),
        InvestError::Setting { .. }
    ));
    let twins = [candidate("a", "Drama"), candidate("a", "Horror")];
    assert_eq!(refused(Simulation::default(), &twins), InvestError::SameName("a".into()));
    control.cancel();
    assert!(matches!(Simulation::default().run(&one, &deal, &control), Err(InvestError::Cancelled(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_better_forecast_is_never_a_worse_project(
        median in 13.0..21.0f64, spread in 0.0..3.0f64, more in 0.0..2.0f64, both in any::<bool>(),
    ) {
        let of = |shift: f64| {
            let worldwide = gross((median + shift).exp(), spread);
            let domestic = both.then(|| gross((median + shift - 0.7).exp(), spread));
            let c = Candidate::from_distributions(project("a", 30e6), domestic, Some(worldwide)).unwrap();
            run(64, &[c]).returns()[0].clone()
        };
        let (low, high) = (of(0.0), of(more));
        prop_assert!(high.mean_profit.minor() >= low.mean_profit.minor());
        prop_assert!(high.loss_probability <= low.loss_probability);
        prop_assert!(high.cvar.minor() <= low.cvar.minor());
        prop_assert!(low.cvar.major() <= 45e6 + 0.01, "no more than the cost can be lost");
    }
}
