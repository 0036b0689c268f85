//! Measures the choice of a slate: `cargo run --release -p marquee-invest --example measure_slate -- [PROJECTS]
//! [SCENARIOS] [SEED] [RISK_AVERSION] [SECONDS]`. The projects are made up: budgets from $5M to $200M, grosses around 2.7
//! times the budget with a spread of 0.9 in natural logs, five years, eight genres, a franchise for one in five.

use std::time::{Duration, Instant};

use marquee_domain::{Budget, Control, Currency, Distribution, Money, Project, Vertical, Weight};
use marquee_invest::{Candidate, Deal, Objective, Outcome, Simulation, SlateRules};
use rand::{RngExt, SeedableRng};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut numbers = std::env::args().skip(1).map(|a| a.parse::<f64>());
    let mut next = |default: f64| numbers.next().transpose().map(|n| n.unwrap_or(default));
    let (projects, scenarios, seed) = (next(200.0)? as usize, next(10_000.0)? as usize, next(1.0)? as u64);
    let (aversion, seconds) = (next(0.5)?, next(60.0)?);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let candidates =
        (0..projects).map(|number| candidate(number, &mut rng)).collect::<Result<Vec<_>, Failure>>()?;

    let started = Instant::now();
    let simulation = Simulation { scenarios, seed, ..Simulation::default() };
    let joint = simulation.run(&candidates, &Deal::default(), &Control::default())?;
    println!("simulate {projects} x {scenarios}: {:.2?}", started.elapsed());

    let budget: f64 = joint.returns().iter().map(|r| r.cost.major()).sum::<f64>() * 0.15;
    let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(aversion)? };
    for gap in [1e-3, 1e-4, 0.0] {
        let rules =
            SlateRules { gap, ..SlateRules::new(Money::from_major(budget, Currency::USD)?, objective) };
        let started = Instant::now();
        let control = Control::default().until(started + Duration::from_secs_f64(seconds));
        let outcome = rules.choose(&joint, &control)?;
        let took = started.elapsed();
        match outcome {
            Outcome::Chosen(a) | Outcome::TimedOut(a) => println!(
                "gap {gap:e}: {took:.2?}, {} projects, objective {}, proven gap {:.2e}, exact {}, {} nodes, {} cuts",
                a.slate.choices.len(),
                a.objective.major(),
                a.gap,
                a.exact,
                a.nodes,
                a.cuts
            ),
            other => println!("gap {gap:e}: {other:?}"),
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|l| l.starts_with("VmHWM")).for_each(|l| println!("{l}"));
    Ok(())
}

fn candidate(number: usize, rng: &mut rand_chacha::ChaCha8Rng) -> Result<Candidate, Failure> {
    let budget = 5e6 * 40f64.powf(rng.random::<f64>());
    let luck = 0.25 * (rng.random::<f64>() + rng.random::<f64>() + rng.random::<f64>() - 1.5);
    let median = (2.7 * budget).ln() + luck;
    let scores = [-1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449];
    let gross = Distribution::from_logs(scores.map(|z| median + 0.9 * z))?;
    let project = Project {
        name: format!("project {number:03}"),
        vertical: Vertical::Film,
        budget: Budget(Money::from_major(budget, Currency::USD)?),
        marketing: None,
        release: format!("{}-06-01", 2026 + number % 5).parse()?,
        greenlit: None,
        genres: vec![format!("genre {}", rng.random_range(0..8))],
        language: None,
        countries: vec![],
        basis: None,
        creative_type: None,
        companies: vec![],
        distributor: None,
        franchise: (number.is_multiple_of(5)).then(|| format!("franchise {}", number % 20)),
        directors: vec![],
        cast: vec![],
        age_rating: None,
        runtime: None,
        opening_theatres: None,
    };
    Ok(Candidate::from_distributions(project, None, Some(gross))?)
}
