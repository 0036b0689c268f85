//! Market: who grossed what in which year, when films were released, and how distributors stand. Facts, not forecasts.
//!
//! Each title counts once, with the largest amount that any source states; a title of several genres counts in equal parts
//! in each. Amounts are US dollars, nominal.

use marquee_catalogue::{Snapshot, SqlLimits};
use marquee_domain::{Day, FIRST_YEAR, FactKind, LAST_YEAR};
use marquee_platform::{Action, Permit};
use serde_json::Value;

use crate::error::AppError;
use crate::workspace::Workspace;

/// Years that are looked at where nobody says which.
const YEARS: i32 = 20;
/// Years over which a distributor's position is reckoned.
const SPAN: i32 = 3;
/// Titles under which a year is not taken for the last whole one.
const WHOLE: f64 = 20.0;
/// Rows of an answer to one question.
const ROWS: usize = 100_000;

/// What is asked about the market of films.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketQuestion {
    /// Which gross is counted: domestic or worldwide.
    pub gross: FactKind,
    /// The first release year; twenty before the last where it is not said.
    pub from: Option<i32>,
    /// The last release year; the last that is well known where it is not said.
    pub to: Option<i32>,
}

/// The market.
#[derive(Debug, Clone, PartialEq)]
pub struct Market {
    /// The first and the last release year.
    pub years: (i32, i32),
    /// Grosses by distributor.
    pub distributors: Vec<Part>,
    /// Grosses by genre.
    pub genres: Vec<Part>,
    /// What was released on each day.
    pub days: Vec<Released>,
    /// How distributors stand in the last years.
    pub positions: Vec<Position>,
    /// The years of [`Market::positions`], and those that they are set against.
    pub spans: [(i32, i32); 2],
}

/// A part of a year's gross.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The release year.
    pub year: i32,
    /// The distributor or the genre; none where it is not known.
    pub word: Option<String>,
    /// Titles, those of several genres in parts.
    pub titles: f64,
    /// Their gross.
    pub gross: f64,
}

/// What was released on a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Released {
    /// The day.
    pub day: Day,
    /// How many titles.
    pub titles: u64,
    /// What those of them grossed of which that is known.
    pub gross: f64,
}

/// How a distributor stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The distributor.
    pub name: String,
    /// Titles with a known gross.
    pub titles: u64,
    /// Their gross.
    pub gross: f64,
    /// Their share of the gross of all, 0 to 1.
    pub share: f64,
    /// That share less the share in the years before.
    pub change: f64,
    /// Quartiles of a title's gross: how far titles lie apart.
    pub quartiles: [f64; 3],
    /// The median budget, where any is known.
    pub budget: Option<f64>,
}

/// Looks at the market.
///
/// # Errors
/// [`AppError::Empty`] before the first ingest; what the catalogue says.
pub async fn market(
    workspace: &Workspace,
    question: MarketQuestion,
    permit: &Permit,
) -> Result<Market, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let gross = if question.gross == FactKind::WorldwideGross { "worldwide_gross" } else { "domestic_gross" };
    let distributors = parts(&snapshot, &by_distributor(gross)).await?;
    let years = years(&question, &distributors);
    let within = |parts: Vec<Part>| {
        parts.into_iter().filter(|p| (years.0..=years.1).contains(&p.year)).collect::<Vec<_>>()
    };
    let spans = [(years.1 - SPAN + 1, years.1), (years.1 - 2 * SPAN + 1, years.1 - SPAN)];
    let positions = positions(&snapshot, gross, spans, &distributors).await?;
    let genres = within(parts(&snapshot, &by_genre(gross)).await?);
    let days = released(&snapshot, gross, years).await?;
    Ok(Market { years, distributors: within(distributors), genres, days, positions, spans })
}

/// The years that are looked at.
fn years(question: &MarketQuestion, all: &[Part]) -> (i32, i32) {
    let of = |year: i32| all.iter().filter(|p| p.year == year).map(|p| p.titles).sum::<f64>();
    let newest = all.iter().map(|p| p.year).max().unwrap_or(LAST_YEAR);
    let oldest = all.iter().map(|p| p.year).min().unwrap_or(FIRST_YEAR);
    let last = (oldest..=newest).rev().find(|year| of(*year) >= WHOLE).unwrap_or(newest);
    let to = question.to.unwrap_or(last).clamp(FIRST_YEAR, LAST_YEAR);
    let from = question.from.unwrap_or(to - YEARS + 1).clamp(FIRST_YEAR, to);
    (from, to)
}

/// One gross a title.
fn grosses(gross: &str) -> String {
    format!(
        "gross AS (SELECT title_id, max(value_usd) AS usd FROM facts WHERE kind = '{gross}' GROUP BY title_id)"
    )
}

/// One distributor a title.
const DISTRIBUTORS: &str =
    "who AS (SELECT title_id, min(text) AS word FROM facts WHERE kind = 'distributor' GROUP BY title_id)";
/// The films that have a release day.
const FILMS: &str = "films AS (SELECT title_id, release_date, CAST(date_part('year', release_date) AS BIGINT) AS year \
                     FROM titles WHERE vertical = 'film' AND release_date IS NOT NULL)";

fn by_distributor(gross: &str) -> String {
    format!(
        "WITH {}, {DISTRIBUTORS}, {FILMS} SELECT year, word, CAST(count(*) AS DOUBLE), sum(usd) FROM films \
         JOIN gross ON films.title_id = gross.title_id LEFT JOIN who ON films.title_id = who.title_id \
         WHERE usd > 0 GROUP BY year, word ORDER BY year, word",
        grosses(gross)
    )
}

fn by_genre(gross: &str) -> String {
    format!(
        "WITH {}, {FILMS}, genre AS (SELECT DISTINCT title_id, text AS word FROM facts WHERE kind = 'genre'), \
         many AS (SELECT title_id, CAST(count(*) AS DOUBLE) AS n FROM genre GROUP BY title_id) \
         SELECT year, word, sum(1.0 / coalesce(n, 1.0)), sum(usd / coalesce(n, 1.0)) FROM films \
         JOIN gross ON films.title_id = gross.title_id LEFT JOIN genre ON films.title_id = genre.title_id \
         LEFT JOIN many ON films.title_id = many.title_id WHERE usd > 0 GROUP BY year, word ORDER BY year, word",
        grosses(gross)
    )
}

async fn ask(snapshot: &Snapshot, query: &str) -> Result<Vec<Vec<Value>>, AppError> {
    let limits = SqlLimits { rows: ROWS, ..SqlLimits::default() };
    Ok(snapshot.sql(query, &limits).await?.rows)
}

async fn parts(snapshot: &Snapshot, query: &str) -> Result<Vec<Part>, AppError> {
    let rows = ask(snapshot, query).await?;
    Ok(rows.iter().filter_map(|row| part(row)).collect())
}

fn part(row: &[Value]) -> Option<Part> {
    let [year, word, titles, gross] = row else { return None };
    Some(Part {
        year: i32::try_from(year.as_i64()?).ok()?,
        word: word.as_str().map(str::to_owned),
        titles: titles.as_f64()?,
        gross: gross.as_f64()?,
    })
}

async fn released(snapshot: &Snapshot, gross: &str, years: (i32, i32)) -> Result<Vec<Released>, AppError> {
    let query = format!(
        "WITH {}, {FILMS} SELECT release_date, count(*), coalesce(sum(usd), 0.0) FROM films \
         LEFT JOIN gross ON films.title_id = gross.title_id WHERE year BETWEEN {} AND {} \
         GROUP BY release_date ORDER BY release_date",
        grosses(gross),
        years.0,
        years.1
    );
    let rows = ask(snapshot, &query).await?;
    let read = |row: &Vec<Value>| {
        let [day, titles, gross] = row.as_slice() else { return None };
        Some(Released { day: day.as_str()?.parse().ok()?, titles: titles.as_u64()?, gross: gross.as_f64()? })
    };
    Ok(rows.iter().filter_map(read).collect())
}

async fn positions(
    snapshot: &Snapshot,
    gross: &str,
    [now, before]: [(i32, i32); 2],
    all: &[Part],
) -> Result<Vec<Position>, AppError> {
    let query = format!(
        "WITH {}, {DISTRIBUTORS}, {FILMS}, \
         budget AS (SELECT title_id, max(value_usd) AS cost FROM facts WHERE kind = 'budget' GROUP BY title_id) \
         SELECT word, count(*), sum(usd), approx_percentile_cont(usd, 0.25), median(usd), \
         approx_percentile_cont(usd, 0.75), median(cost) FROM films \
         JOIN gross ON films.title_id = gross.title_id JOIN who ON films.title_id = who.title_id \
         LEFT JOIN budget ON films.title_id = budget.title_id \
         WHERE usd > 0 AND year BETWEEN {} AND {} GROUP BY word ORDER BY sum(usd) DESC",
        grosses(gross),
        now.0,
        now.1
    );
    let rows = ask(snapshot, &query).await?;
    let whole = |(from, to): (i32, i32), word: Option<&str>| {
        let kept =
            |p: &&Part| (from..=to).contains(&p.year) && word.is_none_or(|w| p.word.as_deref() == Some(w));
        all.iter().filter(kept).map(|p| p.gross).sum::<f64>()
    };
    let share = |span, word: &str| {
        let of_all = whole(span, None);
        if of_all > 0.0 { whole(span, Some(word)) / of_all } else { 0.0 }
    };
    let read = |row: &Vec<Value>| {
        let [word, titles, gross, low, middle, high, cost] = row.as_slice() else { return None };
        let name = word.as_str()?;
        let own = share(now, name);
        Some(Position {
            name: name.to_owned(),
            titles: titles.as_u64()?,
            gross: gross.as_f64()?,
            share: own,
            change: own - share(before, name),
            quartiles: [low.as_f64()?, middle.as_f64()?, high.as_f64()?],
            budget: cost.as_f64(),
        })
    };
    Ok(rows.iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part_of(year: i32, titles: f64) -> Part {
        Part { year, word: None, titles, gross: 1.0 }
    }

    #[test]
    fn the_last_whole_year_is_looked_at_and_twenty_before_it() {
        let all = [part_of(1980, 30.0), part_of(2009, 90.0), part_of(2010, 3.0)];
        let question = MarketQuestion { gross: FactKind::DomesticGross, from: None, to: None };
        assert_eq!(years(&question, &all), (1990, 2009));
        assert_eq!(
            years(&MarketQuestion { from: Some(2012), to: Some(2005), ..question }, &all),
            (2005, 2005)
        );
        assert!(years(&question, &[]).0 <= LAST_YEAR);
    }
}
