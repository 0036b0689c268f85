//! The price level: United States consumer prices, so that dollars of different years can be compared.
//!
//! Source: U.S. Bureau of Labor Statistics, CPI-U, U.S. city average, all items, not seasonally adjusted, annual average,
//! 1982–84 = 100 (series CUUR0000SA0; public domain). The average of a year is published in the following January, so
//! that a question as of a day may use the years before that day's own: [`level_known`].

use marquee_domain::AsOf;

/// The first year of the table.
const FIRST: i32 = 1913;

/// Annual averages from 1913 to 2024.
#[rustfmt::skip]
const CPI_U: [f64; 112] = [
    9.9, 10.0, 10.1, 10.9, 12.8, 15.1, 17.3, 20.0, 17.9, 16.8, 17.1, 17.1, 17.5, 17.7, 17.4, 17.1, 17.1, // 1913–1929
    16.7, 15.2, 13.7, 13.0, 13.4, 13.7, 13.9, 14.4, 14.1, 13.9, // 1930–1939
    14.0, 14.7, 16.3, 17.3, 17.6, 18.0, 19.5, 22.3, 24.1, 23.8, // 1940–1949
    24.1, 26.0, 26.5, 26.7, 26.9, 26.8, 27.2, 28.1, 28.9, 29.1, // 1950–1959
    29.6, 29.9, 30.2, 30.6, 31.0, 31.5, 32.4, 33.4, 34.8, 36.7, // 1960–1969
    38.8, 40.5, 41.8, 44.4, 49.3, 53.8, 56.9, 60.6, 65.2, 72.6, // 1970–1979
    82.4, 90.9, 96.5, 99.6, 103.9, 107.6, 109.6, 113.6, 118.3, 124.0, // 1980–1989
    130.7, 136.2, 140.3, 144.5, 148.2, 152.4, 156.9, 160.5, 163.0, 166.6, // 1990–1999
    172.2, 177.1, 179.9, 184.0, 188.9, 195.3, 201.6, 207.342, 215.303, 214.537, // 2000–2009
    218.056, 224.939, 229.594, 232.957, 236.736, 237.017, 240.007, 245.120, 251.107, 255.657, // 2010–2019
    258.811, 270.970, 292.655, 304.702, 313.689, // 2020–2024
];

/// The price level of a year, 1982–84 = 100; the nearest year of the table where it has none.
///
/// ```
/// let ratio = marquee_forecast::prices::level(2015) / marquee_forecast::prices::level(1980);
/// assert!((ratio - 2.876).abs() < 0.001);
/// ```
#[must_use]
pub fn level(year: i32) -> f64 {
    let index = year.clamp(FIRST, last_year()) - FIRST;
    CPI_U.get(index as usize).copied().unwrap_or(CPI_U[CPI_U.len() - 1])
}

/// The newest year whose price level was published by the as-of day.
#[must_use]
pub fn year_known(as_of: AsOf) -> i32 {
    (as_of.0.year() - 1).clamp(FIRST, last_year())
}

/// The newest price level that was published by the as-of day.
#[must_use]
pub fn level_known(as_of: AsOf) -> f64 {
    level(year_known(as_of))
}

/// An amount of `from` brought to the prices of `to`.
#[must_use]
pub fn in_prices_of(amount: f64, from: i32, to: i32) -> f64 {
    amount * level(to) / level(from)
}

fn last_year() -> i32 {
    FIRST + CPI_U.len() as i32 - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use marquee_domain::Day;

    #[test]
    fn a_year_is_not_known_before_it_ends() {
        let as_of = |y, m, d| AsOf(Day::new(y, m, d).expect("a day"));
        assert_eq!(level_known(as_of(2010, 12, 31)), level(2009));
        assert_eq!(level_known(as_of(2011, 1, 31)), level(2010));
    }

    #[test]
    fn years_outside_the_table_take_the_nearest() {
        assert_eq!((level(1900), level(2100)), (9.9, 313.689));
    }
}
