//! Forecasts from daily charts, on made-up releases: the row of each horizon is there, nothing later moves it, and a title
//! is forecast as of its latest Sunday.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate};

use crate::common::{ask, marquee};

/// Two releases a Friday from January 2001 on, for 120 weeks and then for eleven weeks of 2004.
const TRAINED: usize = 240;
const TESTED: usize = 22;

struct Film {
    friday: NaiveDate,
    theatres: u64,
    /// What each of 42 days took.
    days: Vec<u64>,
}

fn films() -> Vec<Film> {
    let mut state = 7u64;
    // Knuth's MMIX generator: the same films on every machine.
    let mut draw = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let film = |i: usize| {
        let (year, week) = if i < TRAINED { (2001, i / 2) } else { (2004, (i - TRAINED) / 2) };
        let first = NaiveDate::from_ymd_opt(year, 1, if year == 2001 { 5 } else { 9 }).unwrap();
        let (size, hold) = (20_000 + draw(400_000), 0.4 + draw(40) as f64 / 100.0);
        let of_day = |d: usize| {
            let shape = [1.0, 1.3, 0.9, 0.25, 0.25, 0.22, 0.22][d % 7];
            (size as f64 * shape * hold.powi((d / 7) as i32)) as u64 + 50
        };
        Film {
            friday: first + Days::new(7 * week as u64),
            theatres: 300 + draw(2_500),
            days: (0..42).map(|d| of_day(d) + draw(size / 20)).collect(),
        }
    };
    (0..TRAINED + TESTED).map(film).collect()
}

/// Writes both tables; what becomes known after `seen_to` is multiplied by `later`.
fn write(folder: &Path, films: &[Film], seen_to: NaiveDate, later: u64) {
    let mut openings = "release_id,tmdb_id,imdb_id,first_date,trusted,original_title,original_language,distributor,runtime,ageCert,budget,domestic_gross_to_date,opening_day_gross,opening_weekend_gross,opening_weekend_theaters,max_theaters\n".to_owned();
    let mut chart = "release_id,date,daily_gross,theaters,gross_to_date\n".to_owned();
    for (i, film) in films.iter().enumerate() {
        let times = |day: NaiveDate| if day > seen_to { later } else { 1 };
        let settled = film.friday + Days::new(120);
        let total = film.days.iter().sum::<u64>() * times(settled);
        let weekend = film.days[..3].iter().sum::<u64>() * times(film.friday + Days::new(2));
        let (friday, theatres) = (film.friday, film.theatres);
        let opening = film.days[0] * times(friday);
        writeln!(openings, "rl{i},{i},tt{i},{friday},1,Film {i},en,House {},100,PG,{},{total},{opening},{weekend},{theatres},{theatres}", i % 4, film.days[0] * 10).unwrap();
        let mut to_date = 0;
        for (d, gross) in film.days.iter().enumerate() {
            let day = friday + Days::new(d as u64);
            let gross = gross * times(day);
            to_date += gross;
            writeln!(chart, "rl{i},{day},{gross},{theatres},{to_date}").unwrap();
        }
    }
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("openings.csv"), openings).unwrap();
    fs::write(folder.join("daily_grosses.csv"), chart).unwrap();
}

/// The last films open on 19 March 2004: what becomes known after the last day that a horizon looks at is changed, their own
/// next days among it.
#[test]
fn what_comes_after_the_as_of_day_changes_no_forecast() {
    let folder = tempfile::tempdir().unwrap();
    let films = films();
    assert!(films.iter().all(|f| f.friday.weekday() == chrono::Weekday::Fri));
    let predict = |horizon: &str, seen_to: NaiveDate, later: u64| {
        let name = format!("{horizon}-{later}");
        let (source, to) = (folder.path().join(&name), folder.path().join(format!("{name}.csv")));
        write(&source, &films, seen_to, later);
        let years = ["backtest", "--train-to", "2003", "--test", "2004..2004", "--population", "all"];
        let files = ["--source", source.to_str().unwrap(), "--predictions", to.to_str().unwrap()];
        let data = folder.path().join("data");
        let found = ask(&data, &[&years[..], &["--horizon", horizon], &files].concat());
        let rows = found["backtest"]["rows"].as_array().unwrap().iter();
        let targets: Vec<String> = rows.map(|row| row["target"].as_str().unwrap().to_owned()).collect();
        (targets, fs::read_to_string(to).unwrap())
    };
    // The last column is the actual, which does change.
    let forecasts =
        |text: &str| text.lines().map(|l| l.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>();
    let cases: [(&str, u32, &[&str]); 4] = [
        ("announced", 10, &["opening_day", "opening"]),
        ("pre_release", 18, &["opening_day", "opening", "domestic"]),
        ("opening_day", 19, &["opening", "domestic"]),
        ("weekend_1", 21, &["domestic"]),
    ];
    for (horizon, day, targets) in cases {
        let seen_to = NaiveDate::from_ymd_opt(2004, 3, day).unwrap();
        let (rows, before) = predict(horizon, seen_to, 1);
        assert_eq!(rows, targets, "{horizon}");
        let (_, after) = predict(horizon, seen_to, 3);
        assert_ne!(before, after, "nothing was changed");
        assert_eq!(forecasts(&before), forecasts(&after), "{horizon}");
    }
}

#[test]
fn a_title_is_forecast_as_of_its_latest_sunday() {
    let folder = tempfile::tempdir().unwrap();
    let (source, data) = (folder.path().join("source"), folder.path().join("data"));
    write(&source, &films(), NaiveDate::MAX, 1);
    let tables =
        ["openings.csv", "daily_grosses.csv"].map(|name| source.join(name).to_str().unwrap().to_owned());
    ask(&data, &["ingest", &tables[0], &tables[1]]);
    let forecast = |args: &[&str]| {
        let found = ask(&data, &[&["forecast", "Film 241"], args].concat());
        let of = |key: &str| found["forecast"][key].as_str().unwrap_or_default().to_owned();
        let low = found["forecast"]["quantiles"]["q05"].as_f64().unwrap();
        let drivers = found["forecast"]["drivers"].as_array().unwrap();
        let sum: f64 = drivers.iter().map(|d| d["log_effect"].as_f64().unwrap()).sum();
        for driver in drivers {
            let parts = driver["features"].as_array().unwrap();
            let parts: f64 = parts.iter().map(|f| f["log_effect"].as_f64().unwrap()).sum();
            assert!((parts - driver["log_effect"].as_f64().unwrap()).abs() < 1e-9, "{driver}");
        }
        let base = found["forecast"]["base_usd"].as_f64().unwrap().ln();
        let median = found["forecast"]["quantiles"]["q50"].as_f64().unwrap().ln();
        assert!(
            (base + sum - median).abs() < 1e-6,
            "drivers add up to the median: {base} + {sum} is not {median}"
        );
        (of("horizon"), of("as_of"), of("population"), low)
    };
    // It opened on Friday 9 January 2004; Wednesday 21 January lies after its second Sunday.
    let domestic = ["--target", "domestic", "--as-of"];
    let (horizon, as_of, population, low) = forecast(&[&domestic[..], &["2004-01-21"]].concat());
    assert_eq!((horizon.as_str(), as_of.as_str(), population.as_str()), ("weekend_2", "2004-01-18", "wide"));
    let taken: u64 = films()[241].days[..10].iter().sum();
    assert!(low >= taken as f64, "{low} is less than the {taken} that were taken");
    let fan = ask(&data, &["forecast", "Film 241", "--target", "domestic", "--as-of", "2004-01-21", "--fan"]);
    let earlier: Vec<&str> =
        fan["earlier"].as_array().unwrap().iter().map(|f| f["horizon"].as_str().unwrap()).collect();
    // Nobody's worldwide gross is known, so that no model of funded films can be fitted.
    assert_eq!(earlier, ["pre_release", "opening_day", "weekend_1"]);
    let (horizon, as_of, ..) = forecast(&["--target", "opening"]);
    assert_eq!((horizon.as_str(), as_of.as_str()), ("pre_release", "2004-01-08"));
    let refused = |args: &[&str], said: &str| {
        let output = marquee(&data, &[&["forecast", "Film 241"], args].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && error.contains(said), "{error}");
    };
    refused(&["--target", "opening", "--as-of", "2003-06-01"], "is forecast from 2003-12-10 on");
    refused(
        &["--target", "domestic", "--as-of", "2004-01-21", "--population", "funded"],
        "leave `--population` out",
    );
}

/// What a film takes after its first Sunday moves no forecast of its weeks.
#[test]
fn weeks_are_forecast_as_of_the_first_sunday() {
    let folder = tempfile::tempdir().unwrap();
    let of = |later: u64| {
        let (source, data) =
            (folder.path().join(format!("source-{later}")), folder.path().join(format!("data-{later}")));
        write(&source, &films(), NaiveDate::from_ymd_opt(2004, 1, 11).unwrap(), later);
        let tables =
            ["openings.csv", "daily_grosses.csv"].map(|name| source.join(name).to_str().unwrap().to_owned());
        ask(&data, &["ingest", &tables[0], &tables[1]]);
        let found = ask(&data, &["weeks", "Film 241"]);
        assert_eq!(found["run"]["as_of"], "2004-01-11");
        let weeks = found["weeks"].as_array().unwrap().clone();
        assert_eq!((weeks.len(), &weeks[0]["from"]), (11, &"2004-01-16".into()));
        weeks
    };
    let (as_it_was, tripled) = (of(1), of(3));
    let median = |week: &serde_json::Value| week["quantiles"]["q50"].as_f64().unwrap();
    assert!(median(&as_it_was[0]) > 1.5 * median(&as_it_was[3]), "a run fades");
    for (a, b) in as_it_was.iter().zip(&tripled) {
        assert_eq!(a["quantiles"], b["quantiles"]);
    }
    let took: u64 = films()[241].days[7..14].iter().sum();
    assert_eq!(
        [&as_it_was, &tripled].map(|w| w[0]["actual_usd"].as_f64()),
        [Some(took as f64), Some(3.0 * took as f64)]
    );
    assert!(as_it_was[5]["actual_usd"].is_null(), "the chart ends with the sixth week");
}
