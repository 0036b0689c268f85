//! Measures the choice of a slate, and writes each problem out for `benches/peers/slate_peer.py` to solve with HiGHS.
//!
//! `cargo run --release -p marquee-invest --example slate_bench -- FOLDER [large|small] [SECONDS]`
//!
//! `large`: 200 projects × 10,000 scenarios, once with a budget alone and once with rules, to a gap of 0.5%. `small`: 20
//! problems of 40 projects × 1,000 scenarios with rules, to the exact best. One JSON object a line. For each problem the
//! folder gets `NAME.json` (costs, limits, rows, what was found) and `NAME.f64` (profits in USD, project after project).
//! The projects are made up: budgets from $5M to $200M, grosses around 2.7 times the budget with a spread of 0.9 in natural
//! logs, five years, eight genres, a franchise for one in five.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use marquee_domain::{Budget, Control, Currency, Distribution, Money, Project, Weight};
use marquee_invest::{
    Candidate, Deal, Limit, LimitBy, Objective, Outcome, Requires, Scenarios, Simulation, SlateRules,
    Tentpoles,
};
use rand::{RngExt, SeedableRng};

type Failure = Box<dyn std::error::Error>;

const AVERSION: f64 = 0.5;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("give a folder for the problems")?;
    let which = arguments.next().unwrap_or_else(|| "large".to_owned());
    let seconds: f64 = arguments.next().map_or(Ok(10.0), |s| s.parse())?;
    std::fs::create_dir_all(&folder)?;
    let folder = Path::new(&folder);
    if which == "large" {
        let joint = simulate(200, 10_000, 1)?;
        for (name, ruled) in [("large", false), ("large_ruled", true)] {
            measure(folder, name, &joint, &rules(&joint, ruled, 0.005)?, seconds)?;
        }
        return Ok(());
    }
    for seed in 1..=20 {
        let joint = simulate(40, 1_000, seed)?;
        measure(folder, &format!("small_{seed:02}"), &joint, &rules(&joint, true, 0.0)?, seconds)?;
    }
    Ok(())
}

fn simulate(projects: usize, scenarios: usize, seed: u64) -> Result<Scenarios, Failure> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let candidates =
        (0..projects).map(|number| candidate(number, &mut rng)).collect::<Result<Vec<_>, Failure>>()?;
    let simulation = Simulation { scenarios, seed, ..Simulation::default() };
    Ok(simulation.run(&candidates, &Deal::default(), &Control::default())?)
}

fn candidate(number: usize, rng: &mut rand_chacha::ChaCha8Rng) -> Result<Candidate, Failure> {
    let budget = 5e6 * 40f64.powf(rng.random::<f64>());
    let luck = 0.25 * (rng.random::<f64>() + rng.random::<f64>() + rng.random::<f64>() - 1.5);
    let median = (2.7 * budget).ln() + luck;
    let scores = [-1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449];
    let gross = Distribution::from_logs(scores.map(|z| median + 0.9 * z))?;
    let genre = format!("genre {}", rng.random_range(0..8));
    let project = Project {
        genres: vec![genre],
        franchise: (number.is_multiple_of(5)).then(|| format!("franchise {}", number % 20)),
        ..Project::film(
            &format!("project {number:03}"),
            Budget(Money::from_major(budget, Currency::USD)?),
            format!("{}-{:02}-01", 2026 + number % 5, 1 + number % 12).parse()?,
        )
    };
    Ok(Candidate::from_distributions(project, None, Some(gross))?)
}

/// A budget of 15% of all costs; with rules also a largest number, a limit on each genre, needs, one tentpole a month.
fn rules(joint: &Scenarios, ruled: bool, gap: f64) -> Result<SlateRules, Failure> {
    let total: f64 = joint.returns().iter().map(|r| r.cost.major()).sum();
    let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(AVERSION)? };
    let plain = SlateRules::new(Money::from_major((total * 0.15).round(), Currency::USD)?, objective);
    if !ruled {
        return Ok(SlateRules { gap, ..plain });
    }
    let n = joint.projects();
    let name = |j: usize| joint.returns()[j].name.clone();
    Ok(SlateRules {
        gap,
        max_projects: Some(n / 5),
        limits: vec![Limit { by: LimitBy::Genre, value: None, at_most: 0.25 }],
        requires: (0..n / 8)
            .map(|k| Requires { project: name(3 * k), needs: name((7 * k + 1) % n) })
            .collect(),
        tentpoles: Some(Tentpoles { budget_from: "60M".parse()?, per_month: 1 }),
        ..plain
    })
}

fn measure(
    folder: &Path,
    name: &str,
    joint: &Scenarios,
    rules: &SlateRules,
    seconds: f64,
) -> Result<(), Failure> {
    let started = Instant::now();
    let control = Control::default().until(started + Duration::from_secs_f64(seconds));
    let outcome = rules.choose(joint, &control)?;
    let took = started.elapsed().as_secs_f64();
    let (Outcome::Chosen(answer) | Outcome::TimedOut(answer)) = &outcome else {
        return Err(format!("{name}: {outcome:?}").into());
    };
    let (objective, bound) = (answer.objective.major(), answer.bound.major());
    // Any bad slate that keeps the rules understates the spread, and so overstates the gap as a part of it.
    let worst = bad_slate(joint, rules);
    let line = format!(
        "{{\"problem\":\"{name}\",\"projects\":{},\"scenarios\":{},\"seconds\":{took:.3},\"objective\":{objective},\
         \"bound\":{bound},\"relative_gap\":{},\"bad_objective\":{worst},\"gap_of_spread\":{},\"exact\":{},\
         \"chosen\":{},\"nodes\":{},\"cuts\":{}}}",
        joint.projects(),
        joint.len(),
        answer.gap,
        (bound - objective) / (objective - worst),
        answer.exact,
        answer.slate.choices.len(),
        answer.nodes,
        answer.cuts,
    );
    println!("{line}");
    write(folder, name, joint, rules, &line)
}

/// The objective of a bad slate that keeps the rules: the worst projects for their cost as long as each makes it worse,
/// of those that need no other and one of each month.
fn bad_slate(joint: &Scenarios, rules: &SlateRules) -> f64 {
    let returns = joint.returns();
    let worth = |j: usize| returns[j].mean_profit.major() - AVERSION * returns[j].cvar.major();
    let mut order: Vec<usize> = (0..returns.len()).collect();
    order.sort_by(|a, b| {
        (worth(*a) / returns[*a].cost.major()).total_cmp(&(worth(*b) / returns[*b].cost.major()))
    });
    let mut taken: Vec<usize> = vec![];
    let mut total = vec![0.0; joint.len()];
    let mut objective = 0.0;
    for j in order {
        let cost = |of: &dyn Fn(usize) -> bool| -> f64 {
            taken.iter().chain([&j]).filter(|k| of(**k)).map(|k| returns[*k].cost.major()).sum()
        };
        let genre = cost(&|k| returns[k].genres == returns[j].genres);
        let month = |k: usize| (returns[k].release.year(), returns[k].release.month());
        let fits = cost(&|_| true) <= rules.budget.major()
            && rules.limits.iter().all(|l| genre <= l.at_most * rules.budget.major())
            && rules.max_projects.is_none_or(|most| taken.len() < most)
            && rules.requires.iter().all(|r| r.project != returns[j].name)
            && (rules.tentpoles.is_none() || taken.iter().all(|k| month(*k) != month(j)));
        let with: Vec<f64> = total.iter().zip(joint.profits(j)).map(|(t, p)| t + p).collect();
        let found = worth_of(joint, &with);
        if fits && found < objective {
            taken.push(j);
            (total, objective) = (with, found);
        }
    }
    objective
}

fn worth_of(joint: &Scenarios, profits: &[f64]) -> f64 {
    let mean = profits.iter().sum::<f64>() / profits.len() as f64;
    let mut sorted = profits.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let worst = (joint.tail().get() * sorted.len() as f64).round() as usize;
    let cvar = -sorted[..worst].iter().sum::<f64>() / worst as f64;
    mean - AVERSION * cvar
}

/// The problem for the peer: rows say `Σ coefficient × project ≤ limit`, money in USD.
fn write(
    folder: &Path,
    name: &str,
    joint: &Scenarios,
    rules: &SlateRules,
    found: &str,
) -> Result<(), Failure> {
    let n = joint.projects();
    let mut rows: Vec<(Vec<f64>, f64)> =
        vec![(joint.returns().iter().map(|r| r.cost.major()).collect(), rules.budget.major())];
    rows.extend(rules.max_projects.map(|most| (vec![1.0; n], most as f64)));
    for limit in &rules.limits {
        for genre in 0..8 {
            let genre = format!("genre {genre}");
            let cost = |r: &marquee_invest::ProjectReturn| {
                if r.genres.contains(&genre) { r.cost.major() } else { 0.0 }
            };
            let most = (limit.at_most * rules.budget.major() * 100.0).round() / 100.0;
            rows.push((joint.returns().iter().map(cost).collect(), most));
        }
    }
    for r in &rules.requires {
        let sign =
            |name: &str| f64::from(u8::from(*name == r.project)) - f64::from(u8::from(*name == r.needs));
        rows.push((joint.returns().iter().map(|p| sign(&p.name)).collect(), 0.0));
    }
    if let Some(t) = rules.tentpoles {
        for month in 0..60 {
            let here = |p: &marquee_invest::ProjectReturn| {
                let released = (p.release.year() - 2026) * 12 + p.release.month() as i32 - 1;
                f64::from(u8::from(released == month && p.budget.0.major() >= t.budget_from.major()))
            };
            rows.push((joint.returns().iter().map(here).collect(), t.per_month as f64));
        }
    }
    let mut text = format!(
        "{{\"projects\":{n},\"scenarios\":{},\"tail\":{},\"aversion\":{AVERSION},\"gap\":{},\"found\":{found},\"rows\":[",
        joint.len(),
        joint.tail().get(),
        rules.gap,
    );
    for (k, (row, limit)) in rows.iter().enumerate() {
        let comma = if k == 0 { "" } else { "," };
        write!(text, "{comma}{{\"coefficients\":{row:?},\"limit\":{limit}}}")?;
    }
    text.push_str("]}");
    std::fs::write(folder.join(format!("{name}.json")), text)?;
    let bytes: Vec<u8> = (0..n).flat_map(|j| joint.profits(j).iter().flat_map(|p| p.to_le_bytes())).collect();
    std::fs::write(folder.join(format!("{name}.f64")), bytes)?;
    Ok(())
}
