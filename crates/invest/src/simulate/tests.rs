//! Tests of the simulation: seeds, threads, dependence, known answers.
#![allow(clippy::unwrap_used)]

use marquee_domain::{Distribution, Project};
use proptest::prelude::*;
use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF, Normal, StudentsT};

use super::*;

pub(crate) fn project(name: &str, budget: f64) -> Project {
    Project {
        marketing: Some(Spend(Money::from_major(budget / 2.0, Currency::USD).unwrap())),
        ..Project::film(
            name,
            Budget(Money::from_major(budget, Currency::USD).unwrap()),
            "2030-07-02".parse().unwrap(),
        )
    }
}

/// A lognormal gross with this median and spread in natural logs.
pub(crate) fn gross(median: f64, spread: f64) -> Distribution {
    let scores = [-1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449];
    Distribution::from_logs(scores.map(|z| median.ln() + spread * z)).unwrap()
}

/// The default deal without its risks, its loadings on `[dependence]` changed where `loadings` says so.
pub(crate) fn calm(loadings: &[(&str, f64)]) -> Deal {
    let mut text: toml::Table = toml::from_str(Deal::DEFAULT_TOML).unwrap();
    text.remove("risk");
    let figure = |value: f64| {
        let text = format!("value = {value:?}\ndated = \"2026-01-01\"\nsource = \"a test\"");
        toml::Value::Table(toml::from_str(&text).unwrap())
    };
    let dependence = text.get_mut("dependence").and_then(toml::Value::as_table_mut).unwrap();
    for (key, value) in loadings {
        dependence.insert((*key).to_owned(), figure(*value));
    }
    Deal::from_toml(&text.to_string()).unwrap()
}

fn run(scenarios: usize, candidates: &[Candidate]) -> Scenarios {
    let simulation = Simulation { scenarios, ..Simulation::default() };
    simulation.run(candidates, &calm(&[]), &Control::default()).unwrap()
}

/// A film of 30 million dollars; films of other names come out in other weeks of one quarter.
fn candidate(name: &str, genre: &str) -> Candidate {
    let project = project(name, 30e6);
    let week = i32::from(name.bytes().next().unwrap_or(b'a') - b'a');
    let project = Project { genres: vec![genre.into()], release: project.release.plus(14 * week), ..project };
    Candidate::from_distributions(project, None, Some(gross(90e6, 0.9))).unwrap()
}

fn scores(candidates: &[Candidate], deal: &Deal, n: usize) -> Vec<Vec<f64>> {
    let factors = Factors::draw(1, n, candidates, deal.loadings());
    let one = |c| {
        let mut scores = vec![0.0; n];
        factors.scores(c, &mut scores);
        scores
    };
    candidates.iter().map(one).collect()
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

/// With the default loadings, normal scores of one quarter and genre correlate by .25² + .10² + .20² = .1125, of one quarter
/// by .0725, and those of one week less by a tenth of what is their own.
#[test]
fn scores_correlate_as_the_loadings_say() {
    let all = [candidate("a", "Drama"), candidate("b", "drama "), candidate("c", "Horror")];
    let found = scores(&all, &Deal::default(), 100_000);
    assert!(mean(&found[0]).abs() < 1e-12, "antithetic pairs cancel");
    let variance = found[0].iter().map(|z| z * z).sum::<f64>() / 1e5;
    assert!((variance - 1.0).abs() < 0.02, "{variance}");
    let (same, quarter) = (correlation(&found[0], &found[1]), correlation(&found[0], &found[2]));
    assert!((same - 0.1125).abs() < 0.015 && (quarter - 0.0725).abs() < 0.015, "{same} {quarter}");
    let twin = Project { name: "twin".into(), ..all[0].project.clone() };
    let rivals = [all[0].clone(), Candidate::from_distributions(twin, None, Some(gross(9e7, 0.9))).unwrap()];
    let found = scores(&rivals, &Deal::default(), 100_000);
    let expected = 0.1125 - 0.10 * (1.0 - 0.1125);
    let week = correlation(&found[0], &found[1]);
    assert!((week - expected).abs() < 0.015, "{week} {expected}");
}

/// Kendall's tau of pairs.
fn kendall(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len();
    let sign = |i: usize, j: usize| ((a[i] - a[j]) * (b[i] - b[j])).signum();
    let sum: f64 = (0..n).map(|i| (0..i).map(|j| sign(i, j)).sum::<f64>()).sum();
    2.0 * sum / (n as f64 * (n as f64 - 1.0))
}

/// P(both below their quantile `q`) of a t copula, Gaussian where there are no degrees: over the common scale, the
/// bivariate normal by R. L. Plackett, *Biometrika* 41 (1954).
fn joint_below(q: f64, rho: f64, degrees: Option<f64>) -> f64 {
    let normal = Normal::standard();
    let both = |h: f64| {
        let steps = 400;
        let slope = |r: f64| (-h * h / (1.0 + r)).exp() / (std::f64::consts::TAU * (1.0 - r * r).sqrt());
        let width = rho / steps as f64;
        let inner: f64 = (0..steps).map(|i| slope((i as f64 + 0.5) * width)).sum();
        normal.cdf(h).powi(2) + inner * width
    };
    let Some(degrees) = degrees else { return both(normal.inverse_cdf(q)) };
    let (x, squares) =
        (StudentsT::new(0.0, 1.0, degrees).unwrap().inverse_cdf(q), ChiSquared::new(degrees).unwrap());
    // In logs of the square, whose smallest values make the tail.
    let (low, high, n) = (1e-9f64.ln(), 100f64.ln(), 4_000);
    let width = (high - low) / n as f64;
    let at = |i: usize| {
        let square = (low + (i as f64 + 0.5) * width).exp();
        both(x * (square / degrees).sqrt()) * squares.pdf(square) * square * width
    };
    (0..n).map(at).sum()
}

/// τ = 2 arcsin(ρ) / π for both copulas; for the t copula tails depend by λ = 2 t(−√((ν + 1)(1 − ρ) / (1 + ρ))) with ν + 1
/// degrees of freedom, for the Gaussian one not at all (Demarta and McNeil 2005, §§2.2, 3.1).
#[test]
fn the_joint_distribution_of_both_copulas() {
    let all = [candidate("a", "Drama"), candidate("b", "Horror")];
    let (rho, degrees, n) = (0.49, 4.0, 200_000);
    for tail_degrees in [None, Some(degrees)] {
        let mut loadings = vec![("market_year", 0.7), ("season", 0.0), ("genre", 0.0)];
        loadings.extend(tail_degrees.map(|d| ("tail_degrees", d)));
        let found = scores(&all, &calm(&loadings), n);
        let variance = found[0].iter().map(|z| z * z).sum::<f64>() / n as f64;
        assert!((variance - 1.0).abs() < 0.02, "margins stay normal: {variance}");
        let tau = kendall(&found[0][..8_000], &found[1][..8_000]);
        let expected = 2.0 / std::f64::consts::PI * f64::asin(rho);
        assert!((tau - expected).abs() < 0.03, "{tau} {expected}");
        for q in [0.01, 0.05] {
            let below = Normal::standard().inverse_cdf(q);
            let joint = found[0].iter().zip(&found[1]).filter(|(a, b)| **a < below && **b < below).count();
            let expected = joint_below(q, rho, tail_degrees);
            let error = (expected / n as f64).sqrt();
            let joint = joint as f64 / n as f64;
            assert!((joint - expected).abs() < 4.0 * error, "{tail_degrees:?} {q}: {joint} {expected}");
        }
    }
    let (limit, gaussian) =
        (joint_below(1e-5, rho, Some(degrees)) / 1e-5, joint_below(1e-5, rho, None) / 1e-5);
    let student = StudentsT::new(0.0, 1.0, degrees + 1.0).unwrap();
    let lambda = 2.0 * student.cdf(-((degrees + 1.0) * (1.0 - rho) / (1.0 + rho)).sqrt());
    assert!((limit - lambda).abs() < 0.02 && gaussian < 0.03, "{limit} {lambda} {gaussian}");
}

#[test]
fn events_strike_as_often_as_they_should_and_cost_what_they_say() {
    let one = [candidate("a", "Drama")];
    let (deal, simulation, control) = (Deal::default(), Simulation::default(), Control::default());
    let mean_of = |stress: Option<&Stress>, deal: &Deal| {
        simulation.run_under(stress, &one, deal, &control).unwrap().returns()[0].mean_profit.major()
    };
    let certain = Stress::of_event;
    let quiet = mean_of(None, &calm(&[]));
    let struck = mean_of(None, &deal);
    // Overrun .20 × .10, delay .15 × .02, reshoots .10 × .05, strike .10 × .02 of the budget, and what cinemas lose.
    assert!(struck < quiet - 30e6 * 0.03, "{struck} {quiet}");
    let overrun = certain("overrun, $10M to $75M");
    assert!((struck - mean_of(Some(&overrun), &deal) - 0.8 * 0.10 * 30e6).abs() < 0.1e6);
    let recession = mean_of(Some(&certain("recession year")), &deal);
    assert!(recession < struck, "an event without a probability strikes in a stress test alone");
    assert!(mean_of(Some(&Stress::of_bias(-0.2)), &deal) < struck);
    let unknown = simulation.run_under(Some(&certain("war")), &one, &deal, &control).unwrap_err();
    assert!(
        unknown.to_string().contains("no risk of the deal is called `war`; it has: overrun"),
        "{unknown}"
    );
    assert_eq!(Stress::usual(&deal).len(), 8);
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
