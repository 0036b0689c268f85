//! The release calendar: how far a day lies from the United States' box-office holidays, moving ones too.

use marquee_domain::Day;

/// Holidays that move audiences.
const HOLIDAYS: [fn(i32) -> Option<Day>; 7] = [
    |y| Day::new(y, 1, 1).ok(),
    |y| nth_weekday(y, 2, 0, 3), // Presidents' Day: third Monday of February
    easter,
    |y| last_monday(y, 5), // Memorial Day
    |y| Day::new(y, 7, 4).ok(),
    |y| nth_weekday(y, 11, 3, 4), // Thanksgiving: fourth Thursday of November
    |y| Day::new(y, 12, 25).ok(),
];

/// Days from `day` to the nearest holiday, at most 30.
#[must_use]
pub(crate) fn days_to_holiday(day: Day) -> f64 {
    let year = day.year();
    let near = (year - 1..=year + 1)
        .flat_map(|y| HOLIDAYS.iter().filter_map(move |holiday| holiday(y)))
        .map(|h| h.days_since(day).abs())
        .min();
    f64::from(near.unwrap_or(30).min(30))
}

fn nth_weekday(year: i32, month: u32, weekday: u32, nth: i32) -> Option<Day> {
    let first = Day::new(year, month, 1).ok()?;
    let wait = (weekday + 7 - first.weekday()) % 7;
    Some(first.plus(wait as i32 + 7 * (nth - 1)))
}

fn last_monday(year: i32, month: u32) -> Option<Day> {
    let last = Day::new(year, month + 1, 1).ok()?.plus(-1);
    Some(last.plus(-(last.weekday() as i32)))
}

/// Easter Sunday by the anonymous Gregorian computus (*Nature*, 20 April 1876).
fn easter(year: i32) -> Option<Day> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let l = (32 + 2 * e + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let month = (h + l - 7 * m + 114) / 31;
    let day = (h + l - 7 * m + 114) % 31 + 1;
    Day::new(year, month as u32, day as u32).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known dates of 2012: Easter 8 April, Memorial Day 28 May, Thanksgiving 22 November.
    #[test]
    fn moving_holidays_are_found() {
        let day = |m, d| Day::new(2012, m, d).expect("a day");
        assert_eq!(easter(2012), Some(day(4, 8)));
        assert_eq!(last_monday(2012, 5), Some(day(5, 28)));
        assert_eq!(nth_weekday(2012, 11, 3, 4), Some(day(11, 22)));
        assert_eq!(days_to_holiday(day(11, 21)), 1.0);
        assert_eq!(days_to_holiday(day(12, 30)), 2.0);
    }
}
