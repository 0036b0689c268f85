//! The published values of puts and max-calls, by lattice and by simulation.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::Paths;
use super::*;

/// Longstaff and Schwartz (2001), table 1, with 50 exercise dates: spot, volatility, and the value by a binomial tree.
const PUTS: [(f64, f64, f64); 5] =
    [(36.0, 0.2, 4.478), (36.0, 0.4, 7.102), (40.0, 0.2, 2.314), (44.0, 0.2, 1.110), (44.0, 0.4, 3.948)];

/// Andersen and Broadie (2004): spot and value.
const MAX_CALLS: [(f64, f64); 3] = [(90.0, 8.08), (100.0, 13.90), (110.0, 21.34)];

fn put(spot: f64, volatility: f64) -> Bermudan {
    let asset = Asset { spot, dividend: 0.0, volatility };
    Bermudan { payoff: Payoff::Put { asset }, strike: 40.0, rate: 0.06, years: 1.0, dates: 50 }
}

fn max_call(spot: f64) -> Bermudan {
    let assets = [Asset { spot, dividend: 0.1, volatility: 0.2 }; 2];
    let payoff = Payoff::MaxCall { assets, correlation: 0.0 };
    Bermudan { payoff, strike: 100.0, rate: 0.05, years: 3.0, dates: 9 }
}

fn by_lattice(option: Bermudan) -> f64 {
    option.lattice(&Control::default()).unwrap()
}

/// Within the larger of three standard errors and half a percent, out of sample.
fn check_simulation(option: Bermudan, wanted: f64) {
    let found = option.longstaff_schwartz(Paths::default(), &Control::default()).unwrap();
    println!(
        "{wanted}: simulated {:.4} ± {:.4}, in sample {:.4}",
        found.value, found.standard_error, found.in_sample
    );
    assert!((found.value - wanted).abs() <= (3.0 * found.standard_error).max(0.005 * wanted));
}

#[test]
fn puts_by_lattice() {
    for (spot, volatility, wanted) in PUTS {
        let found = by_lattice(put(spot, volatility));
        println!("{wanted}: lattice {found:.4}");
        assert!((found - wanted).abs() < 0.002, "{spot} {volatility}: {found}");
    }
}

#[test]
fn puts_by_simulation() {
    PUTS.iter().for_each(|(spot, volatility, wanted)| check_simulation(put(*spot, *volatility), *wanted));
}

#[test]
fn max_calls_by_lattice() {
    for (spot, wanted) in MAX_CALLS {
        let found = by_lattice(max_call(spot));
        println!("{wanted}: lattice {found:.4}");
        assert!((found - wanted).abs() < 0.01, "{spot}: {found}");
    }
}

#[test]
fn max_calls_by_simulation() {
    MAX_CALLS.iter().for_each(|(spot, wanted)| check_simulation(max_call(*spot), *wanted));
}

/// F. Black and M. Scholes (1973): with one date a put is European; here 5.5735 for S = K = 100, r 5%, σ 20%, T 1.
#[test]
fn one_date_is_european() {
    let asset = Asset { spot: 100.0, dividend: 0.0, volatility: 0.2 };
    let option = Bermudan { payoff: Payoff::Put { asset }, strike: 100.0, rate: 0.05, years: 1.0, dates: 1 };
    let found = by_lattice(option);
    assert!((found - 5.573_526).abs() < 0.003, "{found}");
}

/// Two assets that move as one are one asset: the call on it, at rate = dividend = 0, is worth the European call.
#[test]
fn a_max_call_on_twins_is_a_call() {
    let assets = [Asset { spot: 100.0, dividend: 0.0, volatility: 0.2 }; 2];
    let payoff = Payoff::MaxCall { assets, correlation: 1.0 };
    let found = by_lattice(Bermudan { payoff, strike: 100.0, rate: 0.0, years: 1.0, dates: 4 });
    assert!((found - 7.965_567).abs() < 0.01, "{found}");
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let paths = Paths { count: 5_000, seed: 3 };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| max_call(100.0).longstaff_schwartz(paths, &Control::default()).unwrap())
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn the_rule_sells_when_the_price_is_low() {
    let found =
        put(36.0, 0.2).longstaff_schwartz(Paths { count: 20_000, seed: 1 }, &Control::default()).unwrap();
    assert!(found.rule.exercises(25, [30.0, 0.0]).unwrap());
    assert!(!found.rule.exercises(25, [39.0, 0.0]).unwrap());
    assert!(found.rule.exercises(50, [39.0, 0.0]).unwrap());
    assert!(!found.rule.exercises(50, [41.0, 0.0]).unwrap());
}

#[test]
fn what_is_out_of_range_is_refused() {
    let refused = |option: Bermudan| option.lattice(&Control::default()).unwrap_err().to_string();
    assert!(refused(put(-1.0, 0.2)).contains("`spot` is -1"));
    assert!(refused(put(36.0, f64::NAN)).contains("`volatility` is NaN"));
    assert!(refused(put(36.0, 9.0)).contains("`volatility` is 9"));
    assert!(refused(Bermudan { dates: 0, ..put(36.0, 0.2) }).contains("`dates` is 0"));
    assert!(refused(Bermudan { dates: 51, ..max_call(90.0) }).contains("1 to 50"));
    let odd = put(36.0, 0.2).longstaff_schwartz(Paths { count: 3, seed: 1 }, &Control::default());
    assert!(odd.unwrap_err().to_string().contains("even"));
    let stop = Control::default();
    stop.cancel();
    assert!(matches!(put(36.0, 0.2).lattice(&stop), Err(InvestError::Cancelled(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn more_dates_and_more_volatility_are_worth_more(
        spot in 25.0..60.0f64, volatility in 0.05..0.6f64, rate in 0.0..0.1f64, dates in 1usize..12,
    ) {
        let option = Bermudan { rate, dates, ..put(spot, volatility) };
        let value = by_lattice(option);
        let wilder = Bermudan { rate, dates, ..put(spot, volatility * 1.1) };
        prop_assert!(value >= (40.0 - spot).max(0.0) - 1e-9 && value <= 40.0);
        let finer = Bermudan { dates: 2 * dates, ..option };
        prop_assert!(by_lattice(finer) >= value - 2e-3);
        prop_assert!(by_lattice(wilder) >= value - 2e-3);
    }
}
