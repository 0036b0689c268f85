//! `marquee streaming`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{Baseline, StreamingForecast, StreamingTest};
use marquee_app::use_cases::streaming::{StreamingQuestion, streaming, streaming_test};
use marquee_domain::Day;
use marquee_server::wire::Quantiles;
use serde_json::{Value, json};

use crate::context::Context;
use crate::show;

/// Flags of `marquee streaming`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee streaming --as-of 2024-06-30\n         marquee streaming --test 2024-07-01..2024-12-31"
)]
pub(crate) struct Args {
    /// A title: its name, its id, or a source id; all of the newest lists where none is named.
    title: Option<String>,
    /// The day whose knowledge may be used (the newest).
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// Instead, test forecasts of the lists that became known on these days, both ends included.
    #[arg(long, value_name = "DATE..DATE", value_parser = days, conflicts_with_all = ["title", "as_of"])]
    test: Option<(Day, Day)>,
}

fn days(text: &str) -> Result<(Day, Day), String> {
    let wrong = || format!("`{text}` is no range of days; write 2024-07-01..2024-12-31");
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let day = |text: &str| text.trim_start_matches('=').trim().parse::<Day>().map_err(|_| wrong());
    let (first, last) = (day(first)?, day(last)?);
    if last < first { Err(format!("`{text}` ends before it begins")) } else { Ok((first, last)) }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if let Some((first, last)) = args.test {
        let terms = (first..=last, context.seed());
        let found = streaming_test(&context.workspace, terms, &context.control, &context.permit).await?;
        return context.answer(&tested(&found), || figures(&found, first, last));
    }
    let question = StreamingQuestion { title: args.title, as_of: args.as_of, seed: context.seed() };
    let found = streaming(&context.workspace, question, &context.control, &context.permit).await?;
    let document = json!({ "forecasts": found.iter().map(forecast).collect::<Vec<_>>() });
    context.answer(&document, || text(&found))
}

fn forecast(f: &StreamingForecast) -> Value {
    json!({
        "title_id": f.title.to_string(),
        "name": f.name,
        "list": f.list,
        "known": f.known.to_string(),
        "rank": f.now.rank,
        "hours": f.now.hours,
        "weeks": f.weeks,
        "probability_stays": f.stays.get(),
        "next_week_hours_if_it_stays": Quantiles::from(&f.hours),
        "probability_listed_after_weeks": f.listed,
        "weeks_in_all": f.weeks_in_all(),
    })
}

fn hours(hours: f64) -> String {
    match hours {
        h if h >= 1e6 => format!("{:.1}M", h / 1e6),
        h => format!("{:.0}k", h / 1e3),
    }
}

fn text(found: &[StreamingForecast]) -> String {
    let Some(first) = found.first() else { return "no list is known by then\n".to_owned() };
    let mut out = String::new();
    let mut lists: Vec<&str> = found.iter().map(|f| f.list.as_str()).collect();
    lists.dedup();
    for list in lists {
        let headings = ["", "title", "weeks", "hours", "stays", "next week, if it stays", "in all"];
        let mut table = show::table(&headings, false);
        for f in found.iter().filter(|f| f.list == list) {
            let q = f.hours.quantiles();
            table.add_row([
                f.now.rank.to_string(),
                show::short(&f.name, 40),
                f.weeks.to_string(),
                hours(f.now.hours),
                show::percent(f.stays.get()),
                format!("{} ({} – {})", hours(q[3]), hours(q[1]), hours(q[5])),
                format!("{} weeks", f.weeks_in_all()),
            ]);
        }
        let known = found.iter().find(|f| f.list == list).map_or(first.known, |f| f.known);
        out += &format!("{list}, as known on {known}\n{table}\n\n");
    }
    out + "hours viewed in a week; what leaves a list is known only to have less than its last place\n"
}

fn tested(t: &StreamingTest) -> Value {
    let baseline = |b: &Baseline| {
        json!({
            "name": b.name, "n": b.n, "mase": b.mase, "ours_on_the_same": b.ours,
            "difference": { "value": b.difference.value, "lower": b.difference.lower, "upper": b.difference.upper },
        })
    };
    json!({
        "n": t.n, "mase": t.mase, "median_ape": t.median_ape, "rmse": t.rmse, "crps": t.crps, "cover80": t.cover80,
        "baselines": t.baselines.iter().map(baseline).collect::<Vec<_>>(),
        "stays": { "n": t.stays.0, "log_loss": t.stays.1, "baseline_log_loss": t.stays.2 },
        "weeks_in_all": t.weeks.iter().enumerate().map(|(i, w)| json!({
            "from_week": i + 1, "n": w.0, "mean_absolute_error": w.1, "baseline_mean_absolute_error": w.2,
        })).collect::<Vec<_>>(),
    })
}

fn figures(t: &StreamingTest, first: Day, last: Day) -> String {
    let mut out = format!(
        "next week's hours of titles on the lists known from {first} to {last}, by models of what was known before\n"
    );
    out += &format!(
        "{} that stayed: MASE {:.3}, median APE {:.3}, RMSE {:.3}, CRPS {:.3} (natural logs), {} in 80%\n\n",
        t.n,
        t.mase,
        t.median_ape,
        t.rmse,
        t.crps,
        show::percent(t.cover80)
    );
    let mut table = show::table(&["against", "n", "MASE", "ours", "ours less it (95%)"], true);
    for b in &t.baselines {
        let d = b.difference;
        table.add_row([
            b.name.to_owned(),
            b.n.to_string(),
            format!("{:.3}", b.mase),
            format!("{:.3}", b.ours),
            format!("{:+.3} ({:+.3} to {:+.3})", d.value, d.lower, d.upper),
        ]);
    }
    out += &format!("{table}\n\n");
    let (n, ours, theirs) = t.stays;
    out += &format!(
        "whether it stays, {n} titles and weeks: log loss {ours:.3}; by the share of its list and week {theirs:.3}\n"
    );
    for (i, (n, ours, theirs)) in t.weeks.iter().enumerate().filter(|(_, (n, ..))| *n > 0) {
        out += &format!(
            "weeks in all, from week {}, {n} titles: wrong by {ours:.2} weeks on average; the median of its list and place by {theirs:.2}\n",
            i + 1
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_write_them() {
        let day = |text: &str| text.parse::<Day>().expect("a day");
        let half = Ok((day("2024-07-01"), day("2024-12-31")));
        assert_eq!(days("2024-07-01..2024-12-31"), half);
        assert_eq!(days("2024-07-01..=2024-12-31"), half);
        assert!(days("2024").is_err() && days("2024-02-01..2024-01-01").is_err());
    }
}
