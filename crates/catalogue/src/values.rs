//! Reading numbers, amounts and days out of cells: fast for the usual shapes, strict for all.
//!
//! Nothing here knows about titles or rules. A cell either has a value or a reason, and the reason is shown to people.

use chrono::NaiveDate;
use marquee_domain::Day;

/// Why a cell has no value of the wanted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not written as a number.
    Number,
    /// NaN or an infinity, or beyond what 64 bits hold.
    Infinite,
    /// Not written as a day in any of the formats.
    Day,
}

impl Unreadable {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Number => "is not a number; write digits, with a point before decimals",
            Self::Infinite => "is not a finite number that can be kept; leave it empty where it is unknown",
            Self::Day => "is not a whole day in the map's date format; write it as YYYY-MM-DD",
        }
    }
}

/// A finite number; thousands separators and a leading dollar sign are understood.
pub(crate) fn number(cell: &str) -> Result<f64, Unreadable> {
    let bytes = cell.as_bytes();
    if let Some(units) = plain_decimal(bytes, 0) {
        return Ok(units as f64);
    }
    let cleaned;
    let text = if memchr::memchr2(b',', b'$', bytes).is_some() {
        cleaned = cell.trim_start_matches('$').replace(',', "");
        cleaned.as_str()
    } else {
        cell
    };
    let value: f64 = text.trim().parse().map_err(|_| Unreadable::Number)?;
    if value.is_finite() { Ok(value) } else { Err(Unreadable::Infinite) }
}

/// A number times `per_unit`, rounded to a whole: cents out of dollars, or a count.
pub(crate) fn whole(cell: &str, per_unit: f64) -> Result<i64, Unreadable> {
    let fast = match per_unit {
        1.0 => plain_decimal(cell.as_bytes(), 0),
        100.0 => plain_decimal(cell.as_bytes(), 2),
        _ => None,
    };
    match fast {
        Some(units) => Ok(units),
        None => {
            let scaled = (number(cell)? * per_unit).round();
            // 2^63 as a float: the first whole that does not fit.
            if scaled.abs() < 9_223_372_036_854_775_808.0 {
                Ok(scaled as i64)
            } else {
                Err(Unreadable::Infinite)
            }
        }
    }
}

/// A year, or the latter of a season's two: `2012`, `1932/33`.
pub(crate) fn year(cell: &str) -> Option<i32> {
    let whole = |text: &str| i32::try_from(whole(text, 1.0).ok()?).ok();
    let Some((first, second)) = cell.split_once('/') else { return whole(cell) };
    let (first, second) = (whole(first)?, whole(second).filter(|_| second.len() == 2)?);
    let same = first.checked_sub(first.rem_euclid(100))?.checked_add(second)?;
    Some(if same < first { same + 100 } else { same })
}

/// `-?digits[.digits]` with at most 15 digits, as a whole number of units of 10^-places; nothing where it has more
/// decimals than that (other than zeros) or any other shape.
fn plain_decimal(bytes: &[u8], places: u32) -> Option<i64> {
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 16 || !digits[0].is_ascii_digit() {
        return None;
    }
    let (mut value, mut decimals, mut point) = (0i64, 0, false);
    for b in digits {
        match b {
            b'0'..=b'9' if point && decimals == places => {
                if *b != b'0' {
                    return None;
                }
            }
            b'0'..=b'9' => {
                value = value * 10 + i64::from(b - b'0');
                decimals += u32::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    value *= 10i64.pow(places - decimals);
    Some(if negative { -value } else { value })
}

/// The formats that `date = "auto"` tries, in order, after the ISO form.
const AUTO: [&str; 8] =
    ["%b %d %Y", "%B %d, %Y", "%m/%d/%Y", "%Y/%m/%d", "%d %B %Y", "%d.%m.%Y", "%Y%m%d", "%b %d, %Y"];

/// The ISO form.
const ISO: &str = "%Y-%m-%d";

/// A day in one of `formats` (chrono's); with none, the ISO form (a time of day after it is cut off) and common ones.
/// A note in brackets at the end (`June 13, 1980 (United States)`) is cut off.
pub(crate) fn day(cell: &str, formats: &[String]) -> Result<Day, Unreadable> {
    let cell = cell.trim();
    // The usual form is read here at a tenth of what chrono takes for it.
    let plain = cell.len() == 10 && formats.first().is_some_and(|f| f == ISO);
    if (formats.is_empty() || plain)
        && let Some(day) = iso_day(cell.as_bytes())
    {
        return Ok(day);
    }
    let text = match cell.rsplit_once(" (") {
        Some((before, note)) if note.ends_with(')') => before.trim_end(),
        _ => cell,
    };
    let read = |format: &str| NaiveDate::parse_from_str(text, format).ok();
    let date = if formats.is_empty() {
        AUTO.iter().find_map(|f| read(f))
    } else {
        formats.iter().find_map(|f| read(f))
    };
    date.and_then(|d| Day::from_epoch_days(d.to_epoch_days())).ok_or(Unreadable::Day)
}

/// `YYYY-MM-DD`, alone or before a time of day.
fn iso_day(bytes: &[u8]) -> Option<Day> {
    let whole = bytes.len() == 10 || (bytes.len() > 10 && matches!(bytes[10], b' ' | b'T'));
    if !whole || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let digits = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0u32, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0')))
    };
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    Day::from_epoch_days(days_from_civil(i64::from(year), i64::from(month), i64::from(day)))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a Gregorian date: H. Hinnant, *chrono-compatible low-level date algorithms*.
fn days_from_civil(year: i64, month: i64, day: i64) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as i32
}

/// The same day a century earlier; 29 February becomes the 28th where that century has none.
pub(crate) fn century_earlier(day: Day) -> Day {
    let (year, month) = (day.year() - 100, day.month());
    let of_month = day.days_since(Day::new(day.year(), month, 1).unwrap_or(day)) as u32 + 1;
    Day::new(year, month, of_month).or_else(|_| Day::new(year, month, of_month - 1)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn iso_days_agree_with_the_calendar(days in -36_000i32..80_000) {
            let want = Day::from_epoch_days(days).unwrap();
            prop_assert_eq!(day(&want.to_string(), &[]), Ok(want));
            prop_assert_eq!(day(&want.to_string(), &[ISO.to_owned(), "%m/%d/%y".to_owned()]), Ok(want));
            prop_assert_eq!(day(&format!("{want} 00:00:00+00:00"), &[]), Ok(want));
        }

        #[test]
        fn any_text_has_a_value_or_a_reason(text in ".{0,40}") {
            let _ = (number(&text), whole(&text, 100.0), whole(&text, 1.0), day(&text, &[]));
        }

        #[test]
        fn cents_are_exact(cents in -99_999_999_999i64..99_999_999_999) {
            let text = format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100);
            prop_assert_eq!(whole(&text, 100.0), Ok(cents));
        }
    }

    #[test]
    fn known_cells() {
        assert_eq!(whole("$12,500,000", 100.0), Ok(1_250_000_000));
        assert_eq!(whole("2.5", 1e8), Ok(250_000_000));
        assert_eq!(whole("110.0", 1.0), Ok(110));
        let years = ["2012", "1932/33", "1999/00", "33/1932", "soon"].map(year);
        assert_eq!(years, [Some(2012), Some(1933), Some(2000), None, None]);
        assert_eq!(whole("NaN", 1.0), Err(Unreadable::Infinite));
        assert_eq!(whole("1e400", 1.0), Err(Unreadable::Infinite));
        assert_eq!(whole("1e18", 100.0), Err(Unreadable::Infinite));
        assert_eq!(whole("🎬", 1.0), Err(Unreadable::Number));
        assert_eq!(number("6.1"), Ok(6.1));
    }

    #[test]
    fn known_days() {
        let check = |text: &str, formats: &[&str], want: &str| {
            let formats: Vec<String> = formats.iter().map(|f| (*f).to_owned()).collect();
            assert_eq!(day(text, &formats).map(|d| d.to_string()), Ok(want.to_owned()), "{text}");
        };
        check("Jun 12 1998", &[], "1998-06-12");
        check("June 13, 1980 (United States)", &[], "1980-06-13");
        check("6/9/15", &["%m/%d/%y"], "2015-06-09");
        assert!(day("November 1980 (United Kingdom)", &[]).is_err());
        assert!(day("2005-02-30", &[]).is_err());
        check("2005-3-1", &["%Y-%m-%d"], "2005-03-01");
        check("2005-03-01", &["%Y-%d-%m", "%Y-%m-%d"], "2005-01-03");
        assert!(day("2005-03-01 00:00", &["%Y-%m-%d".to_owned()]).is_err());
        assert_eq!(century_earlier(Day::new(2046, 11, 21).unwrap()).to_string(), "1946-11-21");
        assert_eq!(century_earlier(Day::new(2000, 2, 29).unwrap()).to_string(), "1900-02-28");
    }
}
