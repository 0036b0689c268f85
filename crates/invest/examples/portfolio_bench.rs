//! Measures the portfolio optimiser on two made-up instances, which it writes for peers to read:
//! `cargo run --release -p marquee-invest --example portfolio_bench -- DIR [REPEATS]`, or through
//! `benches/peers/portfolio_peer.py`, which compares. NumPy files of 64-bit floats are written to DIR; one JSON object a line
//! is printed for each problem: {problem, seconds (the median), objective, gap, repeats}.
//!
//! `cvar`: 100 assets × 10,000 scenarios of daily returns with three common factors and Student tails, least CVaR at 5%, long
//! only. `mean_variance`: 500 assets on 20 factors, mean less 2.5 times variance, long only, at most 5% in each. The clock
//! covers everything from numbers in memory to the answer.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use marquee_domain::Control;
use marquee_invest::portfolio::{
    Bounds, CvarProblem, Estimates, Mandate, Outcome, Portfolio, Problem, ReturnScenarios,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, StudentT};

type Failure = Box<dyn std::error::Error>;

const ASSETS: usize = 100;
const SCENARIOS: usize = 10_000;
const TAIL: f64 = 0.05;
const MANY: usize = 500;
const FACTORS: usize = 20;
const AVERSION: f64 = 5.0;
const CAP: f64 = 0.05;

fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("say where to write the instances: portfolio_bench DIR [REPEATS]")?;
    let repeats = words.next().map_or(Ok(7), |w| w.parse::<usize>())?.max(1);
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    cvar(folder, repeats, &mut rng)?;
    mean_variance(folder, repeats, &mut rng)
}

fn normal(rng: &mut ChaCha8Rng, n: usize, mean: f64, deviation: f64) -> Vec<f64> {
    (0..n).map(|_| mean + deviation * Distribution::<f64>::sample(&StandardNormal, rng)).collect()
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("asset {i:03}")).collect()
}

fn cvar(folder: &Path, repeats: usize, rng: &mut ChaCha8Rng) -> Result<(), Failure> {
    let student = StudentT::new(4.0)?;
    let (loadings, drift) = (normal(rng, 3 * ASSETS, 0.005, 0.004), normal(rng, ASSETS, 0.0004, 0.0003));
    let mut returns = Vec::with_capacity(ASSETS * SCENARIOS);
    for _ in 0..SCENARIOS {
        let factors: [f64; 3] = std::array::from_fn(|_| student.sample(rng));
        for i in 0..ASSETS {
            let common: f64 = factors.iter().zip(&loadings[3 * i..]).map(|(f, l)| f * l).sum();
            returns.push(drift[i] + common + 0.012 * student.sample(rng));
        }
    }
    write(&folder.join("returns.npy"), &returns, &[SCENARIOS, ASSETS])?;
    let (mandate, control) = (Mandate::default(), Control::default());
    let (seconds, best) = median(repeats, || {
        let scenarios = ReturnScenarios::new(names(ASSETS), &returns)?;
        solved(mandate.solve_cvar(&scenarios, CvarProblem::MinCvar, TAIL, &control)?)
    })?;
    let objective = best.cvar.ok_or("an answer without CVaR")?;
    report("cvar", seconds, objective, best.gap, repeats);
    Ok(())
}

fn mean_variance(folder: &Path, repeats: usize, rng: &mut ChaCha8Rng) -> Result<(), Failure> {
    let (mean, loadings) = (normal(rng, MANY, 0.08, 0.05), normal(rng, MANY * FACTORS, 0.2, 0.4));
    let root = normal(rng, FACTORS * FACTORS, 0.0, 0.03);
    let entry = |at: usize| {
        let (i, j) = (at / FACTORS, at % FACTORS);
        let joint: f64 = (0..FACTORS).map(|k| root[i * FACTORS + k] * root[j * FACTORS + k]).sum();
        joint + if i == j { 0.0004 } else { 0.0 }
    };
    let omega: Vec<f64> = (0..FACTORS * FACTORS).map(entry).collect();
    let specific: Vec<f64> = normal(rng, MANY, 0.0, 1.0).iter().map(|z| 0.02 + 0.02 * z.abs()).collect();
    write(&folder.join("mean.npy"), &mean, &[MANY])?;
    write(&folder.join("loadings.npy"), &loadings, &[MANY, FACTORS])?;
    write(&folder.join("omega.npy"), &omega, &[FACTORS, FACTORS])?;
    write(&folder.join("specific.npy"), &specific, &[MANY])?;
    let mandate = Mandate { bounds: Bounds::All { lower: 0.0, upper: CAP }, ..Mandate::default() };
    let control = Control::default();
    let names = names(MANY);
    let (seconds, best) = median(repeats, || {
        let (names, omega, specific) = (names.clone(), omega.clone(), specific.clone());
        let estimates = Estimates::from_factors(names, mean.clone(), &loadings, omega, specific)?;
        solved(mandate.solve(&estimates, Problem::MaxUtility(AVERSION), &control)?)
    })?;
    let objective = best.expected_return - AVERSION / 2.0 * best.volatility.powi(2);
    report("mean_variance", seconds, objective, best.gap, repeats);
    Ok(())
}

fn solved(outcome: Outcome) -> Result<Portfolio, Failure> {
    match outcome {
        Outcome::Solved(portfolio) => Ok(portfolio),
        other => Err(format!("not solved: {other:?}").into()),
    }
}

/// The median of the seconds that `work` takes, and its last answer.
fn median(
    repeats: usize,
    mut work: impl FnMut() -> Result<Portfolio, Failure>,
) -> Result<(f64, Portfolio), Failure> {
    let mut answer = work()?;
    let mut seconds = vec![];
    for _ in 0..repeats {
        let started = Instant::now();
        answer = work()?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok((seconds[seconds.len() / 2], answer))
}

fn report(problem: &str, seconds: f64, objective: f64, gap: f64, repeats: usize) {
    println!(
        "{{\"problem\": \"{problem}\", \"seconds\": {seconds:.6}, \"objective\": {objective:.12}, \"gap\": {gap:.2e}, \
         \"repeats\": {repeats}}}"
    );
}

/// A NumPy file, format version 1.0: little-endian 64-bit floats, row after row.
fn write(path: &Path, values: &[f64], shape: &[usize]) -> Result<(), Failure> {
    let sizes: String = shape.iter().map(|s| format!("{s}, ")).collect();
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({sizes}), }}");
    let padded = (header.len() + 11).next_multiple_of(64) - 11;
    header = format!("{header:padded$}\n");
    let mut file = std::io::BufWriter::new(File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(header.len() as u16).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    values.iter().try_for_each(|v| file.write_all(&v.to_le_bytes()))?;
    Ok(file.flush()?)
}
