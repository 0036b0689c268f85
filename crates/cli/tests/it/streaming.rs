//! Weekly lists from a table to forecasts: what comes later changes none, and the test of many stands beside simple guesses.

use std::fmt::Write as _;
use std::path::Path;

use chrono::{Days, NaiveDate};

use crate::common::{ask, marquee};

/// Lists of 110 weeks from 9 January 2022 on: a season and a film debut each week; each loses a third of its hours a week and
/// is listed for five weeks where it began with 70 million or more, else for two. What is published after `seen_to` is
/// multiplied by `later`.
fn write(path: &Path, seen_to: NaiveDate, later: u64) {
    let mut table = "week\tcategory\tweekly_rank\tshow_title\tseason_title\tweekly_hours_viewed\truntime\tweekly_views\tcumulative_weeks_in_top_10\n".to_owned();
    let first = NaiveDate::from_ymd_opt(2022, 1, 9).unwrap();
    for week in 0..110u64 {
        let sunday = first + Days::new(7 * week);
        let times = if sunday + Days::new(2) > seen_to { later } else { 1 };
        for (list, season) in [("TV (English)", true), ("Films (English)", false)] {
            for age in 0..5u64.min(week + 1) {
                let debut = week - age;
                let hours = 50 + (debut * 17 + u64::from(season) * 9) % 40;
                if age >= if hours >= 70 { 5 } else { 2 } {
                    continue;
                }
                let now = (hours as f64 * 1e6 * 0.667f64.powi(age as i32)) as u64 * times;
                let (show, title) = match season {
                    true => (format!("Show {}", debut % 50), format!("Show {}: Season {debut}", debut % 50)),
                    false => (format!("Film {debut}"), "N/A".to_owned()),
                };
                writeln!(table, "{sunday}\t{list}\t{}\t{show}\t{title}\t{now}\t\t\t{}", age + 1, age + 1)
                    .unwrap();
            }
        }
    }
    std::fs::write(path, table).unwrap();
}

#[test]
fn lists_are_forecast_as_of_their_day() {
    let folder = tempfile::tempdir().unwrap();
    let of = |later: u64| {
        let (table, data) =
            (folder.path().join("all-weeks-global.tsv"), folder.path().join(format!("data-{later}")));
        write(&table, NaiveDate::from_ymd_opt(2024, 1, 9).unwrap(), later);
        let report = ask(&data, &["ingest", table.to_str().unwrap()]);
        assert_eq!(
            (&report["reports"][0]["source"], &report["reports"][0]["refused_rows"]),
            (&"netflix_top10".into(), &0.into())
        );
        (ask(&data, &["streaming", "--as-of", "2024-01-15"]), data)
    };
    let ((before, data), (after, _)) = (of(1), of(7));
    let forecasts = before["forecasts"].as_array().unwrap();
    assert_eq!(forecasts, after["forecasts"].as_array().unwrap(), "later hours moved a forecast");
    assert!(forecasts.len() >= 4 && forecasts.iter().all(|f| f["known"] == "2024-01-09"));
    for f in forecasts {
        let (now, next) =
            (f["hours"].as_f64().unwrap(), f["next_week_hours_if_it_stays"]["q50"].as_f64().unwrap());
        assert!((next / now - 0.667).abs() < 0.1, "{f}");
    }
    let named: Vec<&str> = forecasts.iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert!(
        named.iter().any(|name| name.starts_with("Film "))
            && named.iter().any(|name| name.contains("Season"))
    );
    let one = ask(&data, &["streaming", named[0], "--as-of", "2024-01-15"]);
    assert_eq!(one["forecasts"][0], forecasts[0]);

    let tested = ask(&data, &["streaming", "--test", "2023-09-01..2023-12-31"]);
    assert!(tested["n"].as_u64().unwrap() > 50 && tested["mase"].as_f64().unwrap() < 0.5, "{tested}");
    assert_eq!(tested["baselines"][0]["name"], "last value");
    let code = |args: &[&str]| marquee(&data, &[&["streaming"], args].concat()).status.code();
    assert_eq!([code(&["No such title"]), code(&["--test", "2024"])], [Some(1), Some(2)]);
}
