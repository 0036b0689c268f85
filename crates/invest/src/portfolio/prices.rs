//! A table of prices, read from CSV and checked, and what it says of returns.
//!
//! The first column is the date, every other one an asset; a blank is a day without a price. Returns are simple, between
//! one row and the next, and exist where both prices do. Expected returns compound: (Π(1 + r))^(periods / n) − 1 over an
//! asset's n returns; covariances are pairwise, over the rows in which both assets have returns, times the periods of a
//! year. What is *not* here: files, and any filling of gaps.

use csv::{ReaderBuilder, StringRecord, Trim};
use marquee_domain::Day;

use super::cvar::ReturnScenarios;
use super::estimates::Estimates;
use crate::InvestError;

/// Prices by day and asset, in any one currency, adjusted for splits and dividends by whoever made them.
///
/// ```
/// use marquee_invest::portfolio::PriceTable;
/// let table = PriceTable::from_csv(b"date,A,B\n2026-01-01,10,\n2026-01-02,11,5\n2026-01-05,12,4\n2026-01-06,9,6\n")?;
/// assert_eq!(table.names(), ["A", "B"]);
/// let estimates = table.estimates(252.0)?;
/// assert!(estimates.mean()[0] < 0.0);
/// let twice = PriceTable::from_csv(b"date,A\n2026-01-02,10\n2026-01-02,11\n").unwrap_err();
/// assert!(twice.to_string().contains("line 3"));
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PriceTable {
    names: Vec<String>,
    days: Vec<Day>,
    /// Asset by asset: a price, or NaN where there is none.
    columns: Vec<Vec<f64>>,
}

impl PriceTable {
    /// Reads and checks a table.
    ///
    /// # Errors
    /// [`InvestError::PriceText`] for what is not CSV or has no asset, [`InvestError::PriceRow`] for a row of another
    /// length, [`InvestError::PriceDay`] for a date that is none or does not come after the one before,
    /// [`InvestError::PriceCell`] for a price that is not a number above zero, [`InvestError::AssetName`] for a name
    /// that is blank or comes twice, [`InvestError::TooFewPrices`] for an asset with fewer than two prices.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, InvestError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(bytes);
        let names: Vec<String> =
            reader.headers().map_err(|e| unreadable(&e))?.iter().skip(1).map(str::to_owned).collect();
        if names.is_empty() {
            let problem = "has no column besides the date; give one column for each asset";
            return Err(InvestError::PriceText { line: 1, problem: problem.to_owned() });
        }
        super::estimates::check_names(&names)?;
        let mut table = Self { days: vec![], columns: vec![vec![]; names.len()], names };
        for record in reader.records() {
            table.add(&record.map_err(|e| unreadable(&e))?)?;
        }
        table.check_lengths()?;
        Ok(table)
    }

    /// The assets' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The days, upwards.
    #[must_use]
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// Expected returns and covariance a year of `periods_per_year` rows (252 for trading days, 12 for months).
    ///
    /// # Errors
    /// [`InvestError::Setting`] for a number of periods that is not above zero; [`InvestError::TooFewPrices`] for an
    /// asset, and [`InvestError::TooFewShared`] for two assets, without two returns to tell a covariance from.
    pub fn estimates(&self, periods_per_year: f64) -> Result<Estimates, InvestError> {
        if !(periods_per_year > 0.0 && periods_per_year.is_finite()) {
            let range = "above 0";
            return Err(InvestError::Setting { name: "periods per year", value: periods_per_year, range });
        }
        let returns: Vec<Vec<f64>> = self.columns.iter().map(|c| returns(c)).collect();
        let mean = returns.iter().map(|r| compounded(r, periods_per_year)).collect();
        let n = self.names.len();
        let mut covariance = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let shared = shared_covariance(&returns[i], &returns[j])
                    .map_err(|found| self.too_few_shared(i, j, found))?;
                covariance[i * n + j] = periods_per_year * shared;
                covariance[j * n + i] = covariance[i * n + j];
            }
        }
        Estimates::new(self.names.clone(), mean, covariance)
    }

    /// The rows on which every asset has a return, as equally likely scenarios of one period.
    ///
    /// # Errors
    /// [`InvestError::AssetShape`] where there is no such row.
    pub fn scenarios(&self) -> Result<ReturnScenarios, InvestError> {
        let returns: Vec<Vec<f64>> = self.columns.iter().map(|c| returns(c)).collect();
        let rows = self.days.len().saturating_sub(1);
        let whole = (0..rows).filter(|t| returns.iter().all(|r| !r[*t].is_nan()));
        let values: Vec<f64> = whole.flat_map(|t| returns.iter().map(move |r| r[t])).collect();
        ReturnScenarios::new(self.names.clone(), &values)
    }

    fn add(&mut self, record: &StringRecord) -> Result<(), InvestError> {
        let line = record.position().map_or(0, csv::Position::line);
        let expected = self.names.len() + 1;
        if record.len() != expected {
            return Err(InvestError::PriceRow { line, found: record.len(), expected });
        }
        let text = record.get(0).unwrap_or_default();
        let day: Day = text.parse().map_err(|_| InvestError::PriceDay {
            line,
            value: text.to_owned(),
            problem: "is not a date; write it as 2026-01-31",
        })?;
        if self.days.last().is_some_and(|last| *last >= day) {
            let problem = "does not come after the date before it; sort the rows and keep one for each day";
            return Err(InvestError::PriceDay { line, value: text.to_owned(), problem });
        }
        self.days.push(day);
        for ((cell, name), column) in record.iter().skip(1).zip(&self.names).zip(&mut self.columns) {
            let price = match cell {
                "" => Some(f64::NAN),
                text => text.parse::<f64>().ok().filter(|p| *p > 0.0 && p.is_finite()),
            };
            let (column_name, value) = (name.clone(), cell.to_owned());
            column.push(price.ok_or(InvestError::PriceCell { line, column: column_name, value })?);
        }
        Ok(())
    }

    fn check_lengths(&self) -> Result<(), InvestError> {
        for (name, column) in self.names.iter().zip(&self.columns) {
            let found = column.iter().filter(|p| !p.is_nan()).count();
            if found < 2 {
                return Err(InvestError::TooFewPrices { name: name.clone(), found });
            }
        }
        Ok(())
    }

    fn too_few_shared(&self, i: usize, j: usize, found: usize) -> InvestError {
        if i == j {
            let found = self.columns[i].iter().filter(|p| !p.is_nan()).count();
            return InvestError::TooFewPrices { name: self.names[i].clone(), found };
        }
        InvestError::TooFewShared { first: self.names[j].clone(), second: self.names[i].clone(), found }
    }
}

fn unreadable(error: &csv::Error) -> InvestError {
    let line = error.position().map_or(0, csv::Position::line);
    InvestError::PriceText { line, problem: format!("is not CSV text: {error}") }
}

/// p_t / p_{t−1} − 1 by row, NaN where one of the two is missing.
fn returns(prices: &[f64]) -> Vec<f64> {
    prices.windows(2).map(|p| p[1] / p[0] - 1.0).collect()
}

/// What the returns come to over a year when they compound.
fn compounded(returns: &[f64], periods_per_year: f64) -> f64 {
    let there: Vec<f64> = returns.iter().filter(|r| !r.is_nan()).map(|r| r.ln_1p()).collect();
    (there.iter().sum::<f64>() * periods_per_year / there.len().max(1) as f64).exp_m1()
}

/// The sample covariance over the rows that both have; how many there are where they are fewer than two.
fn shared_covariance(a: &[f64], b: &[f64]) -> Result<f64, usize> {
    let both: Vec<(f64, f64)> =
        a.iter().zip(b).filter(|(x, y)| !x.is_nan() && !y.is_nan()).map(|(x, y)| (*x, *y)).collect();
    if both.len() < 2 {
        return Err(both.len());
    }
    let n = both.len() as f64;
    let (mean_a, mean_b) = both.iter().fold((0.0, 0.0), |(s, t), (x, y)| (s + x / n, t + y / n));
    Ok(both.iter().map(|(x, y)| (x - mean_a) * (y - mean_b)).sum::<f64>() / (n - 1.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, says: &[&str]) {
        let message = PriceTable::from_csv(text.as_bytes()).unwrap_err().to_string();
        says.iter().for_each(|s| assert!(message.contains(s), "{message} does not say {s}"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("", &["line 1", "column"]);
        check("date\n2026-01-01\n", &["line 1", "one column for each asset"]);
        check("date,A,A\n", &["`A`"]);
        check("date,A, \n", &["name"]);
        check("date,A\n2026-01-01,1\n2026-01-02\n", &["line 3", "1", "2"]);
        check("date,A\n2026-01-01,1\n2026-02-30,2\n", &["line 3", "2026-02-30"]);
        check("date,A\n2026-01-02,1\n2026-01-01,2\n", &["line 3", "2026-01-01", "sort"]);
        for bad in ["0", "-3", "inf", "NaN", "n/a", "1e999"] {
            check(&format!("date,A,B\n2026-01-02,1,{bad}\n"), &["line 2", "`B`", bad]);
        }
        check("date,A,B\n2026-01-01,1,\n2026-01-02,2,3\n", &["`B`", "1"]);
    }

    #[test]
    fn pairs_without_shared_rows_are_named() {
        let text = "date,A,B\n2026-01-01,1,\n2026-01-02,2,\n2026-01-03,3,1\n2026-01-04,,2\n2026-01-05,,3\n";
        let table = PriceTable::from_csv(text.as_bytes()).unwrap();
        let message = table.estimates(252.0).unwrap_err().to_string();
        assert!(message.contains("`A`") && message.contains("`B`"), "{message}");
        assert!(table.scenarios().is_err());
        assert!(table.estimates(0.0).is_err());
    }

    /// Returns of A: 10%, −50%, 100%; of B on the last two rows: 50%, −20%.
    #[test]
    fn estimates_by_hand() {
        let text = "date,A,B\n2026-01-01,10,\n2026-01-02,11,4\n2026-01-05,5.5,6\n2026-01-06,11,4.8\n";
        let e = PriceTable::from_csv(text.as_bytes()).unwrap().estimates(12.0).unwrap();
        assert!((e.mean()[0] - (1.1f64.powi(4) - 1.0)).abs() < 1e-12);
        assert!((e.mean()[1] - (1.2f64.powi(6) - 1.0)).abs() < 1e-12);
        // Shared: A −0.5, 1 about 0.25, B 0.5, −0.2 about 0.15: 2 × (−0.75 × 0.35).
        let joint: f64 = 12.0 * 2.0 * -0.75 * 0.35;
        // A and B are fully dependent over what they share, but A's own variance is over three rows: not a covariance.
        let own = 12.0 * ((0.1 - 0.2f64).powi(2) + 0.7f64.powi(2) + 0.8f64.powi(2)) / 2.0;
        let other = 12.0 * 2.0 * 0.35f64.powi(2);
        assert!(joint * joint > own * other && e.repair().is_some());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ -~\n,]{0,200}") {
            let _ = PriceTable::from_csv(text.as_bytes());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = PriceTable::from_csv(&bytes);
        }
    }
}
