//! From a forecast to money: what a project is worth to whom, what events do, which slates are efficient, when to stop.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{ask, films, marquee};

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    path.to_str().unwrap().to_owned()
}

fn refused(data: &Path, args: &[&str], code: i32, said: &str) {
    let output = marquee(data, args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(code) && error.contains(said), "{args:?}: {error}");
}

fn number(v: &Value, key: &str) -> f64 {
    v[key].as_f64().unwrap()
}

/// One lake for all of it, because its models are what takes time.
#[test]
fn projects_are_valued_stressed_and_chosen_under_a_deal() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    ask(data, &["ingest", films().to_str().unwrap()]);
    let (project, projects) = (example("project.toml"), example("projects.toml"));
    a_deal_pays_everybody(data, &project);
    slates_are_stressed_and_chosen(data, &projects);
    decisions_come_later(data, &project, &projects);
}

fn a_deal_pays_everybody(data: &Path, project: &str) {
    let file = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let (csv, xlsx, svg) = (file("value.csv"), file("value.xlsx"), file("value.svg"));
    let independent = example("deal.toml");
    let args = ["--deal", &independent, "value", project, "--csv", &csv, "--xlsx", &xlsx, "--svg", &svg];
    let valued = ask(data, &args);
    let participants = valued["projects"][0]["participants"].as_array().unwrap();
    assert_eq!(participants.len(), 12);
    let inside = participants.iter().filter(|p| p["kind"] != "commission");
    let sum: f64 = inside.map(|p| number(p, "mean_profit_usd")).sum();
    let together = &valued["projects"][0]["together"];
    assert!((sum - number(together, "mean_profit_usd")).abs() < 1.0, "{sum} {together}");
    assert_eq!(std::fs::read_to_string(&csv).unwrap().lines().count(), 14);
    assert!(std::fs::read_to_string(&svg).unwrap().starts_with("<svg"));
    assert!(std::fs::metadata(&xlsx).unwrap().len() > 1_000);

    // The deal as a spreadsheet says the same.
    let sheet = file("deal.xlsx");
    ask(data, &["--deal", &independent, "deal", "--xlsx", &sheet]);
    assert_eq!(ask(data, &["--deal", &sheet, "value", project]), valued);
    let broken = file("broken.toml");
    let text = std::fs::read_to_string(&independent).unwrap().replace("profit = 0.35", "profit = 0.45");
    std::fs::write(&broken, text).unwrap();
    refused(data, &["--deal", &broken, "value", project], 1, "shares of profit add up to 110.00%");
}

fn slates_are_stressed_and_chosen(data: &Path, projects: &str) {
    let stressed = ask(data, &["stress", projects, "--event", "cinemas closed", "--bias", "-0.2"]);
    let mean = |i: usize| number(&stressed["tests"][i], "mean_profit_usd");
    assert!(mean(1) < mean(2) && mean(2) < mean(0), "{stressed}");
    refused(data, &["stress", projects, "--event", "war"], 1, "no risk of the deal is called `war`");

    let chosen = ask(data, &["slate", projects, "--budget", "200M", "--next", "--scenarios", "2000"]);
    let first = chosen["slate"]["choices"][0]["project"].as_str().unwrap().to_owned();
    let without =
        ask(data, &["slate", projects, "--budget", "200M", "--exclude", &first, "--scenarios", "2000"]);
    assert!(number(&without["slate"], "objective_usd") <= number(&chosen["slate"], "objective_usd"));
    assert!(chosen["next"]["complete"].as_bool().unwrap());
    let limited =
        ask(data, &["slate", projects, "--budget", "200M", "--limit", "genre=0.0", "--scenarios", "500"]);
    assert_eq!(limited["slate"]["choices"].as_array().unwrap().len(), 0);
    refused(
        data,
        &["slate", projects, "--budget", "1M", "--must-have", "Nobody's"],
        1,
        "is called `Nobody's`",
    );
    refused(data, &["slate", projects, "--budget", "1M", "--limit", "colour=1"], 2, "none of genre");

    let frontier =
        ask(data, &["frontier", projects, "--budget", "300M", "--points", "6", "--scenarios", "1000"]);
    let slates = frontier["slates"].as_array().unwrap();
    let of = |key: &str| slates.iter().map(|s| number(&s["slate"], key)).collect::<Vec<_>>();
    assert!(of("cvar_usd").is_sorted() && of("mean_profit_usd").is_sorted() && slates.len() > 1);
}

fn decisions_come_later(data: &Path, project: &str, projects: &str) {
    let staged = ask(data, &["option", project, "--gates", &example("gates.toml"), "--paths", "20000"]);
    assert!(number(&staged, "value_usd") >= number(&staged, "committed_usd"));
    let (by_paths, error) =
        (number(&staged["simulated"], "value_usd"), number(&staged["simulated"], "standard_error_usd"));
    assert!((by_paths - number(&staged, "value_usd")).abs() < 4.0 * error, "{staged}");

    let spends = ask(data, &["allocate", projects, "--cap", "600M"]);
    assert!(number(&spends["allocation"], "total_usd") <= 600e6 + 1.0);
    assert!(
        number(&spends["allocation"], "profit_usd") >= number(&spends["allocation"], "planned_profit_usd")
    );

    let made = ask(data, &["performance", project, "--actuals", &example("actuals.toml")]);
    let parts = made["together"]["parts_usd"].as_object().unwrap();
    let sum: f64 = parts.values().map(|v| v.as_f64().unwrap()).sum();
    let difference = number(&made["together"], "actual_usd") - number(&made["together"], "projected_usd");
    assert!((sum - difference).abs() < 0.02 && parts["cost"].as_f64().unwrap() < 0.0, "{made}");

    let replayed = ask(data, &["replay", "--years", "2000..2001", "--scenarios", "1000"]);
    let years = replayed["years"].as_array().unwrap();
    assert_eq!((years.len(), replayed["policies"].as_array().unwrap().len()), (2, 3));
    for policy in years.iter().flat_map(|y| y["policies"].as_array().unwrap()) {
        let made: f64 = policy["bought"].as_array().unwrap().iter().map(|b| number(b, "profit_usd")).sum();
        assert!((made - number(policy, "profit_usd")).abs() < 1.0, "{policy}");
    }
    refused(data, &["replay", "--years", "2050..2051"], 1, "has a budget and a known worldwide gross");
}

#[test]
fn portfolios_of_any_price_table() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let prices: PathBuf = data.join("prices.csv");
    // Two assets that never move together: the quieter one has the larger share.
    let mut table = String::from("date,calm,wild\n");
    let (mut calm, mut wild) = (100.0, 100.0);
    for day in 1..=28 {
        table += &format!("2020-02-{day:02},{calm},{wild}\n");
        calm *= if day % 2 == 0 { 1.010 } else { 0.992 };
        wild *= if (day / 2) % 2 == 0 { 1.040 } else { 0.968 };
    }
    std::fs::write(&prices, table).unwrap();
    let path = prices.to_str().unwrap();
    let quiet = ask(data, &["frontier", "--prices", path, "--problem", "min-volatility"]);
    let weight = |of: &str| quiet["weights"][of].as_f64().unwrap();
    assert!((weight("calm") + weight("wild") - 1.0).abs() < 1e-9 && weight("calm") > 0.8, "{quiet}");
    let all = ask(data, &["frontier", "--prices", path, "--points", "5"]);
    assert_eq!(all["frontier"].as_array().unwrap().len(), 5);
    let tight = ask(data, &["frontier", "--prices", path, "--problem", "min-cvar", "--bounds=0,0.4"]);
    assert!(tight["why"].as_str().unwrap().contains("raise each upper bound to at least 0.5"), "{tight}");
    refused(data, &["frontier", "--prices", path, "--problem", "target-return"], 2, "needs a --target");
    refused(data, &["frontier", "--budget", "1M"], 2, "required");
    std::fs::write(&prices, "date,calm\n2020-02-01,1\n2020-02-02,nothing\n").unwrap();
    refused(data, &["frontier", "--prices", path], 1, "line 3, column `calm`");
}
