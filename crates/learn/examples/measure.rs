//! Times a fit and a forecast on made-up rows: `cargo run --release -p marquee-learn --example measure`.

use marquee_domain::Control;
use marquee_learn::{Dataset, EnsembleSpec, Example, Features, FittedEnsemble, LearnError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::{Duration, Instant};

const COLUMNS: usize = 40;
const LEVELS: [f64; 7] = marquee_learn::metrics::LEVELS;

fn main() -> Result<(), LearnError> {
    let data = made_up(4_000)?;
    let all: Vec<usize> = (0..data.len()).collect();
    let control = Control::default();
    // A strong pull to equal weights, so that every member takes part in each forecast.
    let spec = EnsembleSpec { stack_shrinkage: 10.0, ..EnsembleSpec::default() };
    for member in &spec.members {
        let begun = Instant::now();
        let fitted: marquee_learn::FittedMember = member.fit(&data, &all, 1, &control)?;
        println!("{:<9} alone, all rows: {:.2?}", fitted.label(), begun.elapsed());
    }
    let begun = Instant::now();
    let fitted = spec.fit(&data, &control)?;
    println!("ensemble of {} members: {:.2?}", spec.members.len(), begun.elapsed());
    println!("{:#?}", fitted.report());
    let begun = Instant::now();
    let bytes = fitted.to_bytes()?;
    println!("stored: {} kB in {:.1?}", bytes.len() / 1000, begun.elapsed());
    let begun = Instant::now();
    let again = FittedEnsemble::from_bytes(&bytes)?;
    println!("loaded in {:.1?}", begun.elapsed());
    forecasts(&again, &data)?;
    Ok(())
}

fn forecasts(fitted: &FittedEnsemble, data: &Dataset) -> Result<(), LearnError> {
    let (mut point, mut whole) = (Vec::new(), Vec::new());
    for i in 0..1_000 {
        let row = data.row(i);
        let begun = Instant::now();
        let predicted = fitted.predict(&row)?;
        point.push(begun.elapsed());
        let quantiles = fitted.quantiles(&row, &LEVELS)?;
        let drivers = fitted.drivers(&row)?;
        whole.push(begun.elapsed());
        assert!((drivers.total() - predicted.centre).abs() < 1e-9 && quantiles[3] == predicted.centre);
    }
    for (name, mut times) in [("predict", point), ("predict, quantiles and drivers", whole)] {
        times.sort();
        let at = |share: f64| -> Duration { times[(share * (times.len() - 1) as f64) as usize] };
        println!("{name}: p50 {:.2?}, p99 {:.2?}", at(0.5), at(0.99));
    }
    Ok(())
}

/// Rows whose outcome rises with some columns, with noise of standard deviation 1.
fn made_up(rows: usize) -> Result<Dataset, LearnError> {
    let columns = (0..COLUMNS).map(|j| (format!("x{j}"), Some(format!("group {}", j % 10))));
    let mut data = Dataset::new(Features::new(columns)?);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for i in 0..rows {
        let mut row: Vec<f64> = (0..COLUMNS).map(|_| rng.random_range(-1.7..1.7)).collect();
        let signal = 1.2 * row[0] + 0.8 * row[1] * row[2] + (2.0 * row[3]).sin() + 0.3 * row[4];
        let noise: f64 = (0..12).map(|_| rng.random_range(-0.5..0.5)).sum();
        for value in &mut row {
            if rng.random_bool(0.1) {
                *value = f64::NAN;
            }
        }
        let day = i as i32;
        data.push(&row, Example::new(day, day + 120, 15.0 + signal + noise))?;
    }
    Ok(data)
}
