//! Scores of films and copies of games, from tables to answers: what comes later moves none, and tests of many stand beside
//! simple ways to guess.

use std::fmt::Write as _;
use std::path::Path;

use crate::common::{ask, films, marquee};

/// Scores of the bundled table: it names critics' and viewers' of most films, and directors of some.
#[test]
fn films_are_scored_before_they_are_out() {
    let folder = tempfile::tempdir().unwrap();
    let table = std::fs::read_to_string(films()).unwrap();
    let of = |later: bool| {
        let (path, data) = (folder.path().join("films.csv"), folder.path().join(format!("data-{later}")));
        // Films of 2008 and later were liked less than anybody expected.
        let line = |line: &str| match line.contains(" 2008,")
            || line.contains(" 2009,")
            || line.contains(" 2010,")
        {
            true if later => {
                let mut cells: Vec<&str> = line.rsplitn(3, ',').collect();
                cells[1] = "1.5";
                cells.reverse();
                cells.join(",")
            }
            _ => line.to_owned(),
        };
        std::fs::write(&path, table.lines().map(line).collect::<Vec<_>>().join("\n")).unwrap();
        ask(&data, &["ingest", path.to_str().unwrap()]);
        (ask(&data, &["reception", "The Departed"]), data)
    };
    let ((before, data), (after, _)) = (of(false), of(true));
    assert_eq!(before, after, "what came later moved a forecast");
    let opinions = before["opinions"].as_array().unwrap();
    assert_eq!((opinions.len(), &before["as_of"]), (2, &"2006-09-06".into()));
    for (opinion, best) in opinions.iter().zip([100.0, 10.0]) {
        let score = |level: &str| opinion["score"][level].as_f64().unwrap();
        assert!(
            score("q05") < score("q50") && score("q50") < score("q95") && score("q95") <= best,
            "{opinion}"
        );
        let drivers = opinion["drivers"].as_array().unwrap();
        let total: f64 = drivers.iter().map(|d| d["effect"].as_f64().unwrap()).sum();
        assert!((opinion["base"].as_f64().unwrap() + total - score("q50")).abs() < 1e-6 * best, "{opinion}");
        assert!(opinion["actual"].as_f64().is_some());
    }
    let tested = ask(&data, &["reception", "--test", "2005..2008", "--opinion", "viewers"]);
    let all = tested["tests"].as_array().unwrap().iter().find(|t| t["population"] == "all").unwrap();
    assert!(all["n"].as_u64().unwrap() > 300, "{all}");
    assert!(all["rmse"].as_f64().unwrap() < all["baselines"][0]["rmse"].as_f64().unwrap(), "{all}");
    let shown = String::from_utf8(marquee(&data, &["reception", "The Departed"]).stdout).unwrap();
    assert!(shown.contains("critics (of 100)") && shown.contains("is usual"), "{shown}");
    let project = folder.path().join("p.toml");
    let plan = "name = \"A Plan\"\nbudget = \"25M\"\nrelease_date = 2007-06-15\ngenres = [\"Dramma\"]\n";
    std::fs::write(&project, plan).unwrap();
    let planned = ask(&data, &["reception", "--project", project.to_str().unwrap(), "--as-of", "2007-01-10"]);
    assert_eq!(planned["opinions"][0]["unheard"][0]["word"], "Dramma", "{planned}");
    let code = |args: &[&str]| marquee(&data, &[&["reception"], args].concat()).status.code();
    assert_eq!(
        [code(&["No such title"]), code(&["The Departed", "--as-of", "2007-01-01"]), code(&[])],
        [Some(1), Some(1), Some(2)]
    );
}

/// Thirty games a year of six series, that sell from a fifth to five times what is usual.
fn write(path: &Path) {
    let mut table = "Name,Platform,Year_of_Release,Genre,Publisher,NA_Sales,EU_Sales,JP_Sales,Other_Sales,Global_Sales,Critic_Score,Critic_Count,User_Score,User_Count,Developer,Rating\n".to_owned();
    let names = ["Alpha Quest", "Bravo Kart", "Corsair Saga", "Delta Force", "Echo Park", "Foxtrot Zone"];
    for year in 1992..2013 {
        for i in 0..30i32 {
            let noise = f64::from((year * 31 + i * 17) % 7 - 3) * 0.1;
            let sold = 0.2 * (f64::from(i % 6 - 2) * 0.6 + noise).exp();
            writeln!(
                table,
                "{} {} {i},PS{},{year},Racing,House {},0,0,0,0,{sold:.2},,,tbd,,,",
                names[i as usize % 6],
                year % 100,
                i / 6 % 3,
                i % 5
            )
            .unwrap();
        }
    }
    table += "Foxtrot Zone 99 1,PS1,N/A,Racing,House 1,0,0,0,0,9,,,,,,\n";
    std::fs::write(path, table).unwrap();
}

#[test]
fn games_are_forecast_by_their_series() {
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (folder.path().join("games.csv"), folder.path().join("data"));
    write(&path);
    let report = ask(&data, &["ingest", path.to_str().unwrap()]);
    assert_eq!(
        (&report["reports"][0]["source"], &report["reports"][0]["refused_rows"]),
        (&"video_games".into(), &0.into())
    );
    let new = |name: &str| {
        let args = [
            "games",
            "--new",
            name,
            "--platform",
            "PS1",
            "--genre",
            "Racing",
            "--publisher",
            "House 1",
            "--year",
            "2013",
        ];
        ask(&data, &args)
    };
    let (best, least) = (new("Foxtrot Zone Forever"), new("Alpha Quest Forever"));
    let median = |answer: &serde_json::Value| answer["units"]["q50"].as_f64().unwrap();
    assert!(median(&best) > 4.0 * median(&least), "{best} {least}");
    assert_eq!((&best["as_of"], &best["actual"]), (&"2013-01-01".into(), &serde_json::Value::Null));
    assert_eq!(best["drivers_log"][0]["group"], "series");
    let known = ask(&data, &["games", "Foxtrot Zone 10 5"]);
    assert!(known["actual"].as_f64().unwrap() > 5e5 && known["as_of"] == "2010-01-01", "{known}");

    // Who asks first does not decide what is learned, and nothing is asked of a game that is out.
    assert_eq!(known, ask(&data, &["games", "Foxtrot Zone 10 5"]));
    let says = |args: &[&str]| {
        let output = marquee(&data, &[&["games"], args].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (args, said) in [
        (["Foxtrot Zone 10 5", "--as-of", "2011-02-01"], "is out in 2010"),
        (["Foxtrot Zone 10 5", "--platform", "Wii"], "it is for PS0"),
    ] {
        let (code, stderr) = says(&args);
        assert!(code == Some(1) && stderr.contains(said), "{stderr}");
    }
    let unheard = ask(&data, &["games", "--new", "Foxtrot Zone 9", "--platform", "PS9", "--year", "2013"]);
    assert_eq!(unheard["unheard"][0]["word"], "PS9");

    let tested = ask(&data, &["games", "--test", "2008..2010"]);
    assert_eq!((&tested["n"], tested["baselines"].as_array().unwrap().len()), (&90.into(), 3));
    assert!(
        tested["rmse"].as_f64().unwrap() < 0.5 * tested["baselines"][0]["rmse"].as_f64().unwrap(),
        "{tested}"
    );
    let code = |args: &[&str]| marquee(&data, &[&["games"], args].concat()).status.code();
    assert_eq!(
        [code(&["No such game"]), code(&["--new", "Half told"]), code(&[])],
        [Some(1), Some(2), Some(2)]
    );
}
