//! The release calendar: how far a day lies from the United States' box-office holidays, moving ones too, and how much
//! leisure lies ahead of it.

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

/// How far into the year a day lies, as the angle of a full turn.
#[must_use]
pub(crate) fn season_angle(day: Day) -> f64 {
    std::f64::consts::TAU * f64::from(day.ordinal()) / 365.25
}

/// Whether a day is a Monday on which the United States do not work: Martin Luther King, Presidents', Memorial, Labor and
/// Columbus Day.
#[must_use]
pub(crate) fn is_holiday_monday(day: Day) -> bool {
    let year = day.year();
    let mondays = [
        nth_weekday(year, 1, 0, 3),
        nth_weekday(year, 2, 0, 3),
        last_monday(year, 5),
        nth_weekday(year, 9, 0, 1),
        nth_weekday(year, 10, 0, 2),
    ];
    mondays.contains(&Some(day))
}

/// Days from `day` to Christmas, from a week after it (−7) to 60 before; 60 beyond.
#[must_use]
pub(crate) fn days_to_christmas(day: Day) -> f64 {
    let christmas = |year: i32| Day::new(year, 12, 25).ok().map(|c| c.days_since(day));
    let near = [christmas(day.year() - 1), christmas(day.year())].into_iter().flatten();
    f64::from(near.filter(|days| (-7..=60).contains(days)).min().unwrap_or(60))
}

/// Days from `day` to Thanksgiving, at most 30; 30 after it.
#[must_use]
pub(crate) fn days_to_thanksgiving(day: Day) -> f64 {
    let days = nth_weekday(day.year(), 11, 3, 4).map_or(30, |thanksgiving| thanksgiving.days_since(day));
    f64::from(if (0..=30).contains(&days) { days } else { 30 })
}

/// The share of the summer that is left: from 1 on 6 June to 0 on 20 August; 0 before 20 May.
#[must_use]
pub(crate) fn summer_left(day: Day) -> f64 {
    let on = |month, date| Day::new(day.year(), month, date).ok();
    match (on(5, 20), on(8, 20)) {
        (Some(from), Some(to)) if (from..=to).contains(&day) => {
            (f64::from(to.days_since(day)) / 75.0).clamp(0.0, 1.0)
        }
        _ => 0.0,
    }
}

/// The share of the three weeks after `day` in which schools are closed: from 10 June to 22 August, from 22 December to
/// 2 January, and five days about Easter. Districts differ; this is the middle of them.
#[must_use]
pub(crate) fn school_holidays(day: Day) -> f64 {
    (1..=21).filter(|i| schools_closed(day.plus(*i))).count() as f64 / 21.0
}

fn schools_closed(day: Day) -> bool {
    let date = (day.month(), day.day_of_month());
    let summer = ((6, 10)..=(8, 22)).contains(&date);
    let winter = date >= (12, 22) || date <= (1, 2);
    summer || winter || easter(day.year()).is_some_and(|e| e.days_since(day).abs() <= 5)
}

/// What the week from a Friday to the Thursday after it is to those who have leisure, by name: the share of it that lies
/// between Christmas and New Year's Day, and in the week before Christmas; whether it holds Thanksgiving, or begins the day
/// after; whether its Monday is a holiday; the share of its working days on which schools are closed; and where in the
/// year it lies.
#[must_use]
pub(crate) fn week(friday: Day) -> [(&'static str, f64); 8] {
    let share = |is: &dyn Fn(Day) -> bool, days: std::ops::Range<i32>| {
        let n = f64::from(days.end - days.start);
        days.filter(|i| is(friday.plus(*i))).count() as f64 / n
    };
    let date = |d: Day| (d.month(), d.day_of_month());
    let flag = |is: bool| f64::from(u8::from(is));
    let thanksgiving = |day: Day| nth_weekday(day.year(), 11, 3, 4) == Some(day);
    let angle = season_angle(friday.plus(3));
    [
        ("week_christmas", share(&|d| date(d) >= (12, 25) || date(d) == (1, 1), 0..7)),
        ("week_before_christmas", share(&|d| ((12, 18)..=(12, 24)).contains(&date(d)), 0..7)),
        ("week_thanksgiving", flag(thanksgiving(friday.plus(6)))),
        ("week_after_thanksgiving", flag(thanksgiving(friday.plus(-1)))),
        ("week_holiday_monday", flag(is_holiday_monday(friday.plus(3)))),
        ("week_schools_closed", share(&schools_closed, 3..7)),
        ("week_sin", angle.sin()),
        ("week_cos", angle.cos()),
    ]
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

    /// 2012 again: Columbus Day on 8 October, Presidents' Day on 20 February.
    #[test]
    fn leisure_ahead_is_counted() {
        let day = |m, d| Day::new(2012, m, d).expect("a day");
        assert!(
            is_holiday_monday(day(10, 8)) && is_holiday_monday(day(2, 20)) && !is_holiday_monday(day(10, 1))
        );
        assert_eq!([day(12, 23), day(12, 30), day(7, 1)].map(days_to_christmas), [2.0, -5.0, 60.0]);
        assert_eq!(days_to_christmas(Day::new(2013, 1, 1).expect("a day")), -7.0);
        assert_eq!([day(11, 18), day(11, 23), day(9, 1)].map(days_to_thanksgiving), [4.0, 30.0, 30.0]);
        assert_eq!([day(5, 19), day(5, 25), day(8, 5)].map(summer_left), [0.0, 1.0, 0.2]);
        // 21 June to 11 July; 3 to 23 January of 2013; 9 to 13 April.
        assert_eq!([day(6, 20), day(4, 8)].map(school_holidays), [1.0, 5.0 / 21.0]);
        assert_eq!(school_holidays(Day::new(2013, 1, 2).expect("a day")), 0.0);
    }

    /// The weeks that began on the Fridays before and after Thanksgiving (22 November) and Christmas 2012.
    #[test]
    fn weeks_are_told_by_their_leisure() {
        let of = |m, d| week(Day::new(2012, m, d).expect("a day")).map(|(_, value)| value);
        assert_eq!(of(11, 16)[..6], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(of(11, 23)[..6], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(of(12, 21)[..6], [3.0 / 7.0, 4.0 / 7.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(of(8, 31)[4], 1.0, "Labor Day was 3 September");
    }
}
