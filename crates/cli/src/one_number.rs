//! Forecasts and tests of one number of a title, a score or copies sold, for people and as JSON.

use marquee_app::types::{TableForecast, TableTest};
use serde_json::{Value, json};

use crate::show;

/// What each driver group adds.
pub(crate) fn drivers(forecast: &TableForecast) -> Vec<Value> {
    forecast.drivers.iter().map(|(group, effect)| json!({ "group": group, "effect": effect })).collect()
}

/// The figures of a test.
pub(crate) fn tested(t: &TableTest) -> Value {
    json!({
        "n": t.n, "r2": t.r2, "rmse": t.rmse, "mae": t.mae, "crps": t.crps,
        "cover80": t.cover[0], "cover90": t.cover[1],
        "tiers_outside": t.tiers.iter().flatten().filter(|tier| !tier.holds).count(),
        "baselines": t.baselines.iter().map(|b| json!({
            "name": b.name, "rmse": b.rmse,
            "difference": { "value": b.difference.value, "lower": b.difference.lower, "upper": b.difference.upper },
        })).collect::<Vec<_>>(),
    })
}

/// A table of tests, each with the simple ways to guess below it.
pub(crate) fn figures<'a>(tests: impl Iterator<Item = (String, &'a TableTest)>, against: &str) -> String {
    let mut table = show::table(&["", "n", "R²", "RMSE", "MAE", "CRPS", "80%", "90%", against], true);
    for (name, t) in tests {
        let marked = |i: usize| {
            let mark = if t.tiers[i].iter().all(|tier| tier.holds) { "" } else { "*" };
            format!("{:.3}{mark}", t.cover[i])
        };
        table.add_row([
            name,
            t.n.to_string(),
            format!("{:.3}", t.r2),
            format!("{:.3}", t.rmse),
            format!("{:.3}", t.mae),
            format!("{:.3}", t.crps),
            marked(0),
            marked(1),
            String::new(),
        ]);
        for b in &t.baselines {
            let d = b.difference;
            let mut row =
                vec![format!("  {}", b.name), t.n.to_string(), String::new(), format!("{:.3}", b.rmse)];
            row.extend(vec![String::new(); 4]);
            row.push(format!("{:+.3} ({:+.3} to {:+.3})", d.value, d.lower, d.upper));
            table.add_row(row);
        }
    }
    format!("{table}\n* marks coverage outside its 99% band in a predicted tier\n")
}
