//! Portfolio: the best shares of assets with a price table, by mean and variance or by the worst days.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use marquee_domain::Control;
use marquee_invest::portfolio::{CvarProblem, Mandate, Outcome, Portfolio, PriceTable, Problem, Repair};

use crate::cpu;
use crate::error::AppError;

/// What a good portfolio is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ask {
    /// By mean and variance of returns a year.
    MeanVariance(Problem),
    /// By the mean loss in this share of the worst periods, as they were.
    Cvar {
        /// The share that counts as worst.
        tail: f64,
        /// What is looked for.
        problem: CvarProblem,
    },
    /// So many efficient portfolios by mean and variance.
    Frontier(usize),
}

/// The question.
#[derive(Debug, Clone)]
pub struct Question {
    /// A table of prices: dates first, a column for each asset; CSV, gzipped or not.
    pub prices: PathBuf,
    /// What may be held.
    pub mandate: Mandate,
    /// What is asked.
    pub ask: Ask,
    /// Periods of the table in a year.
    pub periods_per_year: f64,
}

/// The answer.
#[derive(Debug)]
pub struct Found {
    /// One portfolio, or several of a frontier.
    pub outcome: Outcome<Vec<Portfolio>>,
    /// How the covariance was mended, where pairs of assets contradicted each other.
    pub repair: Option<Repair>,
}

/// Finds the best portfolio.
///
/// # Errors
/// A file that cannot be read, a table that is not one, settings out of range.
pub async fn portfolio(question: Question, control: &Control) -> Result<Found, AppError> {
    let control = control.clone();
    cpu::run(move || {
        let table = PriceTable::from_csv(&read(&question.prices)?)?;
        let mandate = &question.mandate;
        let one = |outcome: Outcome<Portfolio>| match outcome {
            Outcome::Solved(p) => Outcome::Solved(vec![p]),
            Outcome::Unfinished(p) => Outcome::Unfinished(vec![p]),
            Outcome::Infeasible(why) => Outcome::Infeasible(why),
        };
        let estimates = || table.estimates(question.periods_per_year);
        Ok(match question.ask {
            Ask::Cvar { tail, problem } => {
                // Losses are of a row of the table; the money that is free of risk earns a part of its rate in one.
                let periods = question.periods_per_year;
                let by_row = Mandate { risk_free: mandate.risk_free / periods, ..mandate.clone() };
                let outcome = by_row.solve_cvar(&table.scenarios()?, problem, tail, &control)?;
                Found { outcome: one(a_year(outcome, periods, mandate.risk_free)), repair: None }
            }
            Ask::MeanVariance(problem) => {
                let estimates = estimates()?;
                let outcome = one(mandate.solve(&estimates, problem, &control)?);
                Found { outcome, repair: estimates.repair() }
            }
            Ask::Frontier(points) => {
                let estimates = estimates()?;
                let outcome = mandate.frontier(&estimates, points, &control)?;
                Found { outcome, repair: estimates.repair() }
            }
        })
    })
    .await
}

/// Return, volatility and Sharpe ratio a year; the mean loss stays that of a row.
fn a_year(outcome: Outcome<Portfolio>, periods: f64, risk_free: f64) -> Outcome<Portfolio> {
    let year = |p: Portfolio| {
        let (expected_return, volatility) = (p.expected_return * periods, p.volatility * periods.sqrt());
        let sharpe = p.sharpe.map(|_| (expected_return - risk_free) / volatility);
        Portfolio { expected_return, volatility, sharpe, ..p }
    };
    match outcome {
        Outcome::Solved(p) => Outcome::Solved(year(p)),
        Outcome::Unfinished(p) => Outcome::Unfinished(year(p)),
        Outcome::Infeasible(why) => Outcome::Infeasible(why),
    }
}

/// The file's bytes, unzipped where they are gzip.
fn read(path: &Path) -> Result<Vec<u8>, AppError> {
    let failed = |source| AppError::File { path: path.to_owned(), doing: "reading", source };
    let bytes = std::fs::read(path).map_err(failed)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).map_err(failed)?;
    Ok(plain)
}
