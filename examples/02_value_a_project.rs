//! The second lesson: from a forecast to everybody's money under a deal, and what it takes to break even.
//!
//! ```sh
//! cargo run --release -p marquee --example 02_value_a_project
//! ```
//!
//! Here the forecast is written down by hand, because the investing room needs nothing else: no lake, no model.

use marquee_app::types::{Candidate, Deal, Simulation};
use marquee_domain::{Budget, Control, Distribution, Project};

fn main() -> anyhow::Result<()> {
    // Seven quantiles of the worldwide gross, as a forecast says them: 5, 10, 25, 50, 75, 90 and 95%.
    let gross = Distribution::new([3e6, 5e6, 12e6, 30e6, 75e6, 150e6, 240e6])?;
    let project = Project {
        genres: vec!["Drama".to_owned()],
        ..Project::film("The Lighthouse Keeper", Budget("18M".parse()?), "2027-06-11".parse()?)
    };

    // A deal says who finances and who is paid, in which order and when: presales, a bank, a tax credit, investors.
    let deal = Deal::from_toml(include_str!("deal.toml"))?;
    println!("{} to break even, under \"{}\"", deal.break_even(project.budget)?, deal.name());

    // Ten thousand scenarios, each paid to the cent; events such as an overrun or a delay strike in some of them.
    let candidates = [Candidate::from_distributions(project, None, Some(gross))?];
    let valued = Simulation::default().value(None, &candidates, &deal, &Control::default())?;
    for worth in &valued[0].participants {
        let [_, low, .., high, _] = worth.profit;
        print!("{:>22}: {} on average, {low} to {high}", worth.name, worth.mean_profit);
        match worth.irr {
            Some(irr) => println!(", {} a year in the middle, loses with {}", irr[3], worth.loss_probability),
            None => println!(),
        }
    }
    for risk in &valued[0].risks {
        println!("{:>36}: {} where it happens ({})", risk.name, risk.effect, risk.source);
    }
    Ok(())
}
