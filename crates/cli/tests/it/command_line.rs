//! The binary as a user meets it: exit codes, the way from a file to answers, bad input, and the law that the future
//! changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{ask, films, marquee};

#[test]
fn exit_codes_can_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let code = |args: &[&str]| marquee(folder.path(), args).status.code();
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["config"]), Some(0));
    assert_eq!(code(&["doctor"]), Some(0));
    assert_eq!(code(&["titles"]), Some(1), "an empty lake has no titles");
    assert_eq!(code(&["ingest", "no-such-file.csv"]), Some(1));
    assert_eq!(code(&["forecast"]), Some(2));
    assert_eq!(code(&["backtest", "--train-to", "2005", "--test", "soon"]), Some(2));
    assert_eq!(code(&["backtest", "--train-to", "2005", "--test", "2005..2006"]), Some(2));
    assert_eq!(code(&["ingest"]), Some(2));
    assert_eq!(code(&["slate", "projects.toml", "--budget", "200M", "--risk-aversion", "-1"]), Some(2));
    assert_eq!(code(&["frobnicate"]), Some(2));
}

#[test]
fn a_file_becomes_titles_issues_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let table = films();
    let first = ask(data, &["ingest", table.to_str().unwrap()]);
    assert_eq!(first["reports"][0]["rows"], 3_201);
    let again = ask(data, &["ingest", table.to_str().unwrap()]);
    assert_eq!(again["reports"][0]["unchanged"], true);
    let issues = ask(data, &["issues", "--limit", "3"]);
    assert!(!issues["totals"].as_array().unwrap().is_empty());
    let numbers = ask(data, &["titles", "1408"]);
    assert_eq!(numbers[0]["name"], "1408");
    let counted = ask(data, &["sql", "SELECT count(*) AS n FROM titles"]);
    assert!(counted["rows"][0][0].as_i64().unwrap() > 3_000);
    let refused = marquee(data, &["sql", "DROP TABLE facts"]);
    assert_eq!(refused.status.code(), Some(1));
    let doctor = ask(data, &["doctor"]);
    let bad = |f: &&Value| f["health"] == "bad";
    assert_eq!(doctor["findings"].as_array().unwrap().iter().filter(bad).count(), 0);
}

/// Grosses of films that settle after every question, directors' later films among them, and counts that a crowd edited
/// at any time: other values there must leave every predicted quantile as it was, to the byte.
#[test]
fn what_comes_later_changes_no_forecast() {
    let folder = tempfile::tempdir().unwrap();
    let changed = folder.path().join("films.csv");
    let mut reader = csv::Reader::from_path(films()).unwrap();
    let headings = reader.headers().unwrap().clone();
    let column = |name: &str| headings.iter().position(|h| h == name).unwrap();
    let (grosses, votes) = ([column("us_gross"), column("worldwide_gross")], column("imdb_votes"));
    let (viewers, released) = (column("imdb_rating"), column("release_date"));
    let mut writer = csv::Writer::from_path(&changed).unwrap();
    writer.write_record(&headings).unwrap();
    for (i, row) in reader.records().enumerate() {
        let row = row.unwrap();
        // The last question is asked at the end of 2008; what was released in 2009 and later settles after it.
        let late = ["2009", "2010"].iter().any(|year| row[released].ends_with(year));
        let scramble = |(at, value): (usize, &str)| match value.parse::<f64>() {
            Ok(count) if at == votes => format!("{:.0}", count * (2 + i % 7) as f64),
            Ok(_) if at == viewers => "5.0".to_owned(),
            Ok(amount) if late && grosses.contains(&at) && amount > 0.0 => {
                format!("{:.0}", amount * (2 + i % 7) as f64)
            }
            _ => value.to_owned(),
        };
        writer.write_record(row.iter().enumerate().map(scramble)).unwrap();
    }
    writer.flush().unwrap();
    let predict = |table: &Path, name: &str| {
        let data = folder.path().join(name);
        ask(&data, &["ingest", table.to_str().unwrap()]);
        let to = folder.path().join(format!("{name}.csv"));
        let years = ["backtest", "--train-to", "2005", "--test", "2006..2008"];
        let populations = ["--population", "all", "--population", "credited"];
        let horizons = ["--horizon", "greenlight", "--horizon", "announced"];
        let file = ["--predictions", to.to_str().unwrap()];
        let found = ask(&data, &[&years[..], &populations, &horizons, &file].concat());
        // Openings alone are left out, since nobody charts these films.
        let skipped = found["backtest"]["skipped"].as_array().unwrap();
        assert!(skipped.iter().all(|s| s["target"].as_str().unwrap().starts_with("opening")), "{skipped:?}");
        fs::read_to_string(to).unwrap()
    };
    let (before, after) = (predict(&films(), "before"), predict(&changed, "after"));
    // Two horizons, two targets, two populations.
    assert!(before.lines().count() > 8 * 100, "too few forecasts to tell: {}", before.lines().count());
    assert_eq!(before, after);
}

/// Writes a side table of the rows that `lists` names: made-up people and figures, by title and year.
fn write_side(
    side: &Path,
    rows: &[csv::StringRecord],
    (title, released): (usize, usize),
    lists: &dyn Fn(usize) -> bool,
) {
    let mut writer = csv::Writer::from_path(side).unwrap();
    writer
        .write_record([
            "title",
            "year",
            "director",
            "cast",
            "budget",
            "keyword",
            "runtime",
            "worldwide_gross",
        ])
        .unwrap();
    for (i, row) in rows.iter().enumerate().filter(|(i, _)| lists(*i)) {
        let year = &row[released][row[released].len().saturating_sub(4)..];
        let (director, cast) =
            (format!("Director {}", i % 90), format!("A {}|B {}|C {}", i % 70, i % 50, i % 30));
        writer
            .write_record([
                &row[title],
                year,
                &director,
                &cast,
                "25000000",
                "based on truth",
                "100",
                "90000000",
            ])
            .unwrap();
    }
    writer.flush().unwrap();
}

/// Absence leaks: a side table lists some of the films, by no matter what. Which films it lists moves no forecast but those of
/// `credited`, which is trained and tested within it.
#[test]
fn membership_of_a_side_table_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = csv::Reader::from_path(films()).unwrap();
    let headings = reader.headers().unwrap().clone();
    let column = |name: &str| headings.iter().position(|h| h == name).unwrap();
    let (title, released) = (column("title"), column("release_date"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let map = folder.path().join("side.toml");
    let columns = ["director", "cast", "budget", "keyword", "runtime", "worldwide_gross"].map(|kind| {
        format!(
            "{{ from = \"{kind}\", kind = \"{kind}\"{} }}",
            if kind == "cast" { ", split = \"|\"" } else { "" }
        )
    });
    fs::write(
        &map,
        format!(
            "name = \"side\"\ntitle_year = {{ name = \"title\", year = \"year\" }}\ncolumn = [{}]\n",
            columns.join(", ")
        ),
    )
    .unwrap();
    let predict = |lists: &dyn Fn(usize) -> bool, name: &str| {
        let (data, side) = (folder.path().join(name), folder.path().join(format!("{name}-side.csv")));
        write_side(&side, &rows, (title, released), lists);
        ask(&data, &["ingest", films().to_str().unwrap()]);
        ask(&data, &["ingest", side.to_str().unwrap(), "--map", map.to_str().unwrap()]);
        let to = folder.path().join(format!("{name}.csv"));
        let years = ["backtest", "--train-to", "2004", "--test", "2005..2006", "--target", "worldwide"];
        let rows = ["--population", "funded", "--population", "all", "--horizon", "announced"];
        let found = ask(&data, &[&years[..], &rows, &["--predictions", to.to_str().unwrap()]].concat());
        let people = found["backtest"]["sources"][0]["people"].as_array().unwrap().len();
        (people, fs::read_to_string(to).unwrap())
    };
    let (people, evens) = predict(&|i| i % 2 == 0, "evens");
    assert!(people > 0, "the side table is taken for one of credits");
    assert!(evens.lines().count() > 400, "too few forecasts to tell");
    assert_eq!(evens, predict(&|i| i % 3 == 1, "thirds").1);
}

/// The failures that were found: predictions that match nothing were passed over in silence, NaN became a dollar, and a
/// genre in another spelling told the model nothing and the user neither.
#[test]
fn what_does_not_fit_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    ask(&data, &["ingest", films().to_str().unwrap()]);
    let head =
        "source_id,title,release_date,horizon,target,population,as_of,q05,q10,q25,q50,q75,q90,q95,actual\n";
    let file = folder.path().join("theirs.csv");
    let backtest = |row: &str| {
        fs::write(&file, format!("{head}{row}\n")).unwrap();
        let years = ["backtest", "--train-to", "2005", "--test", "2006..2006", "--population", "all"];
        let only = ["--horizon", "greenlight", "--target", "domestic", "--baseline", file.to_str().unwrap()];
        let output = marquee(&data, &[&years[..], &only].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = backtest("0,Nobody,2006-05-05,greenlight,domestic,all,2004-11-11,1,2,3,4,5,6,7,8");
    assert!(code == Some(1) && said.contains("none of its predictions"), "{said}");
    let (code, said) = backtest("0,Nobody,2006-05-05,greenlight,domestic,all,2004-11-11,NaN,2,3,4,5,6,7,8");
    assert!(code == Some(1) && said.contains("row 1, title Nobody"), "{said}");
    let nothing = marquee(&data, &["backtest", "--train-to", "2090", "--test", "2091..2092"]);
    assert_eq!(nothing.status.code(), Some(1), "a table without rows is no backtest");
    let project = folder.path().join("project.toml");
    let text = "name = \"A\"\nbudget = \"25M\"\nrelease_date = 2009-06-17\ngenres = [\"Sci-Fi\"]\n";
    fs::write(&project, text).unwrap();
    let asked = ["forecast", "--project", project.to_str().unwrap(), "--as-of", "2008-01-01"];
    let answer = ask(&data, &asked);
    assert_eq!(answer["unheard"], serde_json::json!([{ "kind": "genre", "word": "Sci-Fi" }]));
    let shown = String::from_utf8(marquee(&data, &asked).stdout).unwrap();
    assert!(
        shown.contains("no film of the genre `Sci-Fi`") && shown.contains("known are Action, "),
        "{shown}"
    );
}

/// The failure that was found: a second file of a source silently took the place of the first.
#[test]
fn a_second_file_of_a_source_is_added_and_replaces_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let map = write(
        "mine.toml",
        "name = \"mine\"\nid = [{ space = \"house\", column = \"id\" }]\nrelease = { column = \"opens\" }\n\
         column = [{ from = \"title\", kind = \"name\" }]\n",
    );
    let first = write("a.csv", "id,title,opens\n1,One,2001-01-01\n2,Two,2002-01-01\n");
    let second = write("b.csv", "id,title,opens\n3,Three,2003-01-01\n");
    let count = || ask(&data, &["sql", "SELECT count(*) FROM titles"])["rows"][0][0].as_i64().unwrap();
    let both = ask(&data, &["ingest", &first, &second, "--map", &map]);
    assert_eq!(count(), 3);
    assert!(both["notes"].to_string().contains("a.csv, b.csv"), "{both}");
    fs::write(&first, "id,title,opens\n1,One,2001-01-01\n").unwrap();
    ask(&data, &["ingest", &first, "--map", &map]);
    assert_eq!(count(), 2, "a file takes the place of the one of its own name");
    ask(&data, &["ingest", &second, "--map", &map, "--replace"]);
    assert_eq!(count(), 1, "--replace keeps the last file alone");
    let unchanged = ask(&data, &["ingest", &second, "--map", &map]);
    assert_eq!(unchanged["reports"][0]["unchanged"], true);
}

/// A reader that has seen enough is no failure.
#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    ask(data, &["ingest", films().to_str().unwrap()]);
    let mut child = crate::common::command(data, &["sql", "SELECT * FROM facts", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn bad_input_is_told_and_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let header = "title,us_gross,worldwide_gross,us_dvd_sales,production_budget,release_date,mpaa_rating,running_time_min,distributor,source,major_genre,creative_type,director,rotten_tomatoes_rating,imdb_rating,imdb_votes\n";
    let row = |budget: &str| format!("{header}💐 Amélie,1,2,,{budget},Jun 12 1998,R,,,,,,,,,\n");
    let long = format!("{header}\"{}", "x".repeat(10_000_000));
    let many = (0..200).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    let cases: Vec<PathBuf> = vec![
        write("empty.csv", b""),
        write("binary.csv", &(0..=255u8).cycle().take(5_000).collect::<Vec<_>>()),
        write("long.csv", long.as_bytes()),
        write("negative.csv", row("-5").as_bytes()),
        write("nan.csv", row("NaN").as_bytes()),
        write("huge.csv", row("1e400").as_bytes()),
        write("columns.csv", format!("{many}\n{many}\n").as_bytes()),
        write("not.xlsx", b"PK\x03\x04 not a workbook"),
        write("not.parquet", b"PAR1 nothing PAR1"),
        write("half.json", b"[{\"title\": \"A\""),
        write("not.csv.gz", b"\x1f\x8b\x08 broken"),
    ];
    for path in cases {
        let output = marquee(&folder.path().join("data"), &["ingest", path.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {said}", path.display());
        assert!(!said.contains("panicked"), "{}: {said}", path.display());
        assert!(output.status.success() || said.starts_with("error: "), "{}: {said}", path.display());
    }
}
