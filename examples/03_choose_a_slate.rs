//! The third lesson: which of several projects to fund, how sure that is, and what stands in the way of a better slate.
//!
//! ```sh
//! cargo run --release -p marquee --example 03_choose_a_slate
//! ```

use marquee_app::types::{
    Candidate, Deal, Limit, LimitBy, Objective, Outcome, Requires, Simulation, SlateRules,
};
use marquee_domain::{Budget, Control, Distribution, Project, Weight};

fn main() -> anyhow::Result<()> {
    let candidates = [
        project("Shark", "30M", "Horror", "2027-07-02", 70e6)?,
        project("Shark II", "45M", "Horror", "2029-07-06", 110e6)?,
        project("The Paper Kingdom", "60M", "Fantasy", "2027-12-17", 150e6)?,
        project("Small Hours", "6M", "Drama", "2027-10-08", 14e6)?,
        project("Two Weddings Too Many", "25M", "Comedy", "2027-07-02", 60e6)?,
    ];
    let (deal, control) = (Deal::default(), Control::default());
    let scenarios = Simulation::default().run(&candidates, &deal, &control)?;

    // Mean profit, less a third of the mean loss in the worst twentieth of the scenarios; a sequel needs its original, and
    // no genre may cost more than two thirds of the budget.
    let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(1.0 / 3.0)? };
    let rules = SlateRules {
        requires: vec![Requires { project: "Shark II".to_owned(), needs: "Shark".to_owned() }],
        limits: vec![Limit { by: LimitBy::Genre, value: None, at_most: 0.66 }],
        ..SlateRules::new("180M".parse()?, objective)
    };
    match rules.choose(&scenarios, &control)? {
        Outcome::Chosen(answer) | Outcome::TimedOut(answer) => {
            let slate = &answer.slate;
            println!("{} for {}, P(loss) {}", slate.mean_profit, slate.cost, slate.loss_probability);
            answer.why.iter().for_each(|why| println!("  {why}"));
        }
        Outcome::Infeasible(why) => println!("no slate keeps the rules: {why}"),
        Outcome::Undecided { .. } => println!("time ran out"),
    }

    // Rules that cannot be kept come with the smallest change that lets a slate exist.
    let rules =
        SlateRules { must_have: vec!["Shark II".to_owned()], ..SlateRules::new("60M".parse()?, objective) };
    let rules = SlateRules {
        requires: vec![Requires { project: "Shark II".to_owned(), needs: "Shark".to_owned() }],
        ..rules
    };
    if let Outcome::Infeasible(why) = rules.choose(&scenarios, &control)? {
        println!("with 60 million and Shark II: {why}");
    }
    Ok(())
}

/// A project whose gross has this median and a spread of one in logarithms.
fn project(name: &str, budget: &str, genre: &str, release: &str, median: f64) -> anyhow::Result<Candidate> {
    let scores: [f64; 7] = [-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645];
    let project = Project {
        genres: vec![genre.to_owned()],
        ..Project::film(name, Budget(budget.parse()?), release.parse()?)
    };
    let gross = Distribution::from_logs(scores.map(|z| median.ln() + z))?;
    Ok(Candidate::from_distributions(project, None, Some(gross))?)
}
