//! How long a full waterfall takes: twelve participants, 200 projects, 10,000 scenarios. Prints JSON.
//!
//! ```text
//! cargo run --release -p marquee-invest --example value_bench -- DEAL.toml [PROJECTS] [SCENARIOS]
//! ```

use std::time::Instant;

use marquee_domain::{Budget, Control, Currency, Distribution, Money, Project};
use marquee_invest::{Candidate, Deal, Simulation};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("give a deal file")?;
    let number = |i: usize, otherwise: usize| arguments.get(i).map_or(Ok(otherwise), |text| text.parse());
    let (projects, scenarios) = (number(1, 200)?, number(2, 10_000)?);
    let deal = Deal::from_toml(&std::fs::read_to_string(path)?)?;
    let candidates = (0..projects).map(candidate).collect::<Result<Vec<_>, _>>()?;
    let simulation = Simulation { scenarios, ..Simulation::default() };
    let began = Instant::now();
    let valued = simulation.value(None, &candidates, &deal, &Control::default())?;
    let seconds = began.elapsed().as_secs_f64();
    let (participants, quarters) =
        valued.first().map_or((0, 0), |v| (v.participants.len(), v.together.curve.len()));
    println!(
        "{{\"projects\": {projects}, \"scenarios\": {scenarios}, \"participants\": {participants}, \"quarters\": {quarters}, \"seconds\": {seconds:.3}}}"
    );
    Ok(())
}

fn candidate(i: usize) -> Result<Candidate, Box<dyn std::error::Error>> {
    let budget = 8e6 * 1.03f64.powi((i % 100) as i32);
    let project = Project {
        genres: vec![["Drama", "Comedy", "Horror", "Action"][i % 4].to_owned()],
        ..Project::film(
            &format!("Land Girls {i}"),
            Budget(Money::from_major(budget, Currency::USD)?),
            "2027-01-08".parse::<marquee_domain::Day>()?.plus(7 * (i as i32 % 52)),
        )
    };
    let scores: [f64; 7] = [-1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449];
    let gross = Distribution::from_logs(scores.map(|z| (2.2 * budget).ln() + 1.1 * z))?;
    Ok(Candidate::from_distributions(project, None, Some(gross))?)
}
