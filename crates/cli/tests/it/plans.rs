//! What is asked of a plan: what if, when to open, on what the answer hangs; and of the models that answer.

use serde_json::Value;

use crate::common::{ask, films, marquee};

#[test]
fn a_plan_can_be_changed_dated_and_shaken() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    ask(data, &["ingest", films().to_str().unwrap()]);
    let median = |of: &Value| of["quantiles"]["q50"].as_f64().unwrap();
    let what_if = |set: &str| ask(data, &["forecast", "Apocalypto", "--as-of", "2006-06-01", "--set", set]);

    let same = what_if("budget=40M");
    assert_eq!(same["forecast"], same["what_if"]["forecast"], "it costs 40 million as it is");
    let changed = what_if("budget=80M,release_date=2007-07-06,director=Somebody Else");
    assert_eq!(changed["forecast"], same["forecast"], "a what-if leaves the answer alone");
    let forecast = &changed["what_if"]["forecast"];
    assert!(median(forecast) > median(&changed["forecast"]), "twice the budget, and a summer");
    assert_eq!(forecast["release_date"], "2007-07-06");
    assert_eq!(forecast["model"], changed["forecast"]["model"]);
    assert_eq!(changed["what_if"]["unseen"][0]["kind"], "director");
    assert_eq!(changed["what_if"]["unseen"].as_array().unwrap().len(), 1);

    let refused = |args: &[&str], code: i32, said: &str| {
        let output = marquee(data, &[&["forecast", "Apocalypto"], args].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && error.contains(said), "{error}");
    };
    refused(&["--set", "budget=lots"], 1, "cannot set budget");
    refused(&["--set", "release_date=2006-01-01"], 1, "the day whose knowledge is used");
    refused(&["--set", "budget=80M", "--record"], 2, "--record");

    let dates = ask(data, &["dates", "Apocalypto", "--to", "2007-06-30"]);
    let opens = |w: &Value| w["release_date"].as_str().unwrap().to_owned();
    let weekends: Vec<String> = dates["weekends"].as_array().unwrap().iter().map(opens).collect();
    assert!(weekends.is_sorted() && weekends.len() == 34, "{weekends:?}");
    assert!(weekends.contains(&opens(&dates["planned"])) && opens(&dates["planned"]) == "2006-12-08");
    assert!(*weekends[0] > *dates["as_of"].as_str().unwrap());
    let announced = ask(data, &["forecast", "Apocalypto"]);
    assert_eq!(dates["planned"]["quantiles"], announced["forecast"]["quantiles"]);

    let shaken = ask(data, &["sensitivity", "Apocalypto"]);
    assert_eq!(shaken["forecast"], announced["forecast"]);
    let swings = shaken["swings"].as_array().unwrap();
    let end = |s: &Value, of: &str| s[of]["median_usd"].as_f64().unwrap();
    let widths: Vec<f64> = swings.iter().map(|s| end(s, "high") / end(s, "low")).collect();
    assert!(widths.is_sorted_by(|a, b| a >= b) && widths.iter().all(|w| *w > 1.0), "{widths:?}");
    let budget = swings.iter().find(|s| s["kind"] == "budget").unwrap();
    assert_eq!((&budget["low"]["value"], &budget["high"]["value"]), (&"30000000".into(), &"50000000".into()));

    models_are_kept(data, &forecast["model"]["sha256"]);
}

/// The model of the forecast is listed with its card, and goes once the lake is another.
fn models_are_kept(data: &std::path::Path, sha256: &Value) {
    let listed = ask(data, &["models"]);
    let models = listed["models"].as_array().unwrap();
    assert_eq!(models.len(), 2, "greenlight and announced");
    let card = ask(data, &["models", "show", sha256.as_str().unwrap()]);
    assert_eq!((&card["horizon"], &card["current"]), (&"greenlight".into(), &true.into()));
    let count = |errors: &Value| errors["n"].as_u64().unwrap();
    let tiers: u64 = card["errors_by_tier"].as_array().unwrap().iter().map(count).sum();
    assert_eq!(tiers, count(&card["errors"]));
    assert!(count(&card["errors"]) < card["films"].as_u64().unwrap());
    assert_eq!(marquee(data, &["models", "show", "no such"]).status.code(), Some(1));

    // In June 2009 they are old and know too few films; trained again, they are not.
    let due = |more: &[&str]| {
        let found = ask(data, &[&["models", "due", "--as-of", "2009-06-01"], more].concat());
        let models = found["models"].as_array().unwrap().clone();
        assert_eq!(models.len(), 2, "one of each kind");
        models
    };
    assert!(
        due(&[]).iter().all(|m| m["due"][0] == "age" && m["due"][1] == "volume" && m["retrained"] == false)
    );
    assert!(
        due(&["--age", "5000", "--volume", "900"]).iter().all(|m| m["due"].as_array().unwrap().len() <= 1)
    );
    assert!(due(&["--retrain"]).iter().all(|m| m["retrained"] == true));
    let after = due(&[]);
    assert!(after.iter().all(|m| m["due"].as_array().unwrap().is_empty()), "{after:?}");
    assert!(after.iter().all(|m| m["trained_before"] == "2009-01-01" && m["films_more"] == 0), "{after:?}");

    assert_eq!(ask(data, &["models", "prune"])["deleted"].as_array().unwrap().len(), 0);
    let more = data.join("more.csv");
    std::fs::write(&more, "title,worldwide_gross\nAnother,1000\n").unwrap();
    let map = data.join("more.toml");
    let columns = "column = [{ from = \"title\", kind = \"name\" }, { from = \"worldwide_gross\", kind = \"worldwide_gross\" }]";
    std::fs::write(
        &map,
        format!("name = \"more\"\nid = [{{ space = \"house\", column = \"title\" }}]\n{columns}\n"),
    )
    .unwrap();
    ask(data, &["ingest", more.to_str().unwrap(), "--map", map.to_str().unwrap()]);
    assert_eq!(ask(data, &["models", "prune"])["deleted"].as_array().unwrap().len(), 4);
    assert_eq!(ask(data, &["models"])["models"].as_array().unwrap().len(), 0);
}

#[test]
fn drift_names_what_moved() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    ask(data, &["ingest", films().to_str().unwrap()]);
    let found = ask(data, &["drift", "--year", "2004", "--population", "all"]);
    let columns = found["columns"].as_array().unwrap();
    assert_eq!(columns[0]["name"], "outcomes");
    assert!(
        columns.iter().any(|c| c["name"] == "log_budget")
            && columns.iter().all(|c| c["name"] != "planned_year")
    );
    let p = |c: &Value| c["p_value"].as_f64().unwrap();
    assert!(columns[1..].is_sorted_by(|a, b| p(a) <= p(b)));
    assert_eq!(columns.iter().all(|c| c["drifted"] == false), found["drifted"] == false);
    assert!(found["films"].as_u64().unwrap() > 100 && found["earlier_films"].as_u64().unwrap() > 400);
    assert_eq!(marquee(data, &["drift", "--year", "1875"]).status.code(), Some(1));
}

/// A search that was stopped goes on to the bytes of one that was not; what it finds answers only after a contest on later
/// years.
#[test]
fn a_search_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let tune = |name: &str, trials: &str| {
        let data = folder.path().join(name);
        ask(&data, &["ingest", films().to_str().unwrap()]);
        let which = ["--target", "domestic", "--population", "all", "--before", "2007"];
        ask(&data, &[&["tune", "--trials", trials][..], &which].concat())
    };
    let first = tune("stopped", "1");
    assert_eq!((&first["resumed"], &first["challenges"]), (&0.into(), &false.into()));
    let (resumed, whole) = (tune("stopped", "3"), tune("whole", "3"));
    assert_eq!((&resumed["resumed"], &whole["resumed"]), (&1.into(), &0.into()));
    assert_eq!(resumed["trials"], whole["trials"]);
    assert_eq!(resumed["periods"][2][1], "2003-12-31", "three years are kept for the contest");

    let data = folder.path().join("whole");
    let models = |args: &[&str]| {
        let which = ["--target", "domestic", "--population", "all"];
        let output = marquee(&data, &[&["models"], args, &which].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = models(&["rollback"]);
    assert!(code == Some(1) && said.contains("nothing to take back"), "{said}");
    let (code, said) = models(&["promote", "--before", "2005"]);
    let expected = if whole["challenges"] == true { "the challenger was chosen on" } else { "no challenger" };
    assert!(code == Some(1) && said.contains(expected), "{said}");
}
