//! From what a use case answered to what a rule says of it: pure, one function for each kind of rule.

use chrono::{DateTime, Utc};
use marquee_catalogue::Snapshot;
use marquee_domain::{Class, Day, Held, Project};
use marquee_forecast::drift::Drift;
use marquee_invest::ProjectReturn;
use marquee_platform::{DocumentHeader, Finding, Severity};
use sha2::{Digest, Sha256};

use super::rules::{Coverage, DataQuality, LossProbability, OpeningBelow, Stale};
use crate::hex::hex;
use crate::use_cases::track::Track;

/// An ingest, as far as rules look at it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ingested {
    pub(super) source: String,
    pub(super) rows: u64,
    pub(super) refused: u64,
    pub(super) at: DateTime<Utc>,
    pub(super) held: Held,
}

/// The ingests of a view of the lake.
pub(super) fn ingested(snapshot: &Snapshot) -> Vec<Ingested> {
    let one = snapshot.sources().iter().map(|entry| Ingested {
        source: entry.source.clone(),
        rows: entry.rows,
        refused: entry.refused_rows,
        at: DateTime::from_timestamp_micros(entry.recorded_at.0).unwrap_or(DateTime::UNIX_EPOCH),
        held: entry.held.clone(),
    });
    one.collect()
}

/// How keys of what a document tells of begin.
pub(super) fn of_document(id: &str) -> String {
    format!("document:{id}/")
}

/// Films of a document that are likely to lose money. Keys are kept in plain, so that a film is named by a digest.
pub(super) fn losses(
    rule: &LossProbability,
    document: &DocumentHeader,
    returns: &[ProjectReturn],
) -> Vec<Finding> {
    let likely = returns.iter().filter(|film| film.loss_probability.get() > rule.above);
    let finding = likely.map(|film| {
        let digest = hex(&Sha256::digest(&film.name)[..8]);
        let loss = percent(film.loss_probability.get());
        Finding {
            title: format!("{}: P(loss) is {loss}", film.name),
            text: format!(
                "In {} `{}`, {} loses money in {loss} of scenarios, where {} is the bound. Gross-implied.",
                document.kind,
                document.name,
                film.name,
                percent(rule.above)
            ),
            nda: document.nda.clone(),
            ..of(
                format!("{}{digest}", of_document(&document.id)),
                &Held { class: document.class.parse().unwrap_or(Class::Nda), team: document.team.clone() },
            )
        }
    });
    finding.collect()
}

/// Actuals that came in low in the range that was recorded for them.
pub(super) fn low(rule: &OpeningBelow, track: &Track, today: Day) -> Vec<Finding> {
    let since = today.plus(-(i32::try_from(rule.days).unwrap_or(i32::MAX)));
    let scored =
        track.entries.iter().filter_map(|t| Some((&t.entry, t.recorded.as_ref()?, t.scored.as_ref()?)));
    let low = scored.filter(|(_, recorded, scored)| {
        let forecast = &recorded.forecast;
        forecast.target == rule.target && forecast.release >= since && scored.pit < rule.quantile
    });
    let finding = low.map(|(entry, recorded, scored)| {
        let forecast = &recorded.forecast;
        let q = forecast.distribution.quantiles();
        Finding {
            title: format!("{} came in below its range", forecast.name),
            text: format!(
                "Its {} was {}; {} to {} (5–95%) was forecast as of {}, with {} in the middle.",
                forecast.target,
                usd(scored.actual),
                usd(q[0]),
                usd(q[6]),
                forecast.as_of.0,
                usd(q[3])
            ),
            link: forecast.title.map(|id| format!("/titles/{id}")),
            ..of(format!("track:{}", entry.seq), &recorded.held)
        }
    });
    finding.collect()
}

/// Whether too few actuals come in inside their ranges.
pub(super) fn coverage(rule: &Coverage, track: &Track) -> Vec<Finding> {
    let Some(found) = track.summary.filter(|s| s.n >= rule.least.max(1) && s.cover80 < rule.below) else {
        return Vec::new();
    };
    let held = track.entries.iter().filter_map(|t| t.recorded.as_ref()).map(|r| &r.held);
    let held = held.max_by_key(|held| held.class).cloned().unwrap_or_default();
    let finding = Finding {
        title: format!("Only {} of actuals came in inside their ranges", percent(found.cover80)),
        text: format!(
            "Of {} scored forecasts {} are inside the 10–90% range, where 80% are to be and {} is the bound.",
            found.n,
            percent(found.cover80),
            percent(rule.below)
        ),
        severity: Severity::Error,
        link: Some("/".to_owned()),
        ..of("coverage".to_owned(), &held)
    };
    vec![finding]
}

/// Sources of which too many rows are refused.
pub(super) fn refused(rule: &DataQuality, all: &[Ingested]) -> Vec<Finding> {
    let mut sources: Vec<&str> = all.iter().map(|one| one.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    sources.retain(|source| rule.source.as_deref().is_none_or(|wanted| wanted == *source));
    let mut findings = Vec::new();
    for source in sources {
        let own: Vec<&Ingested> = all.iter().filter(|one| one.source == source).collect();
        let rows: u64 = own.iter().map(|one| one.rows).sum();
        let gone: u64 = own.iter().map(|one| one.refused).sum();
        let share = gone as f64 / rows.max(1) as f64;
        if share <= rule.refused_share_above {
            continue;
        }
        let held = own.iter().map(|one| &one.held).max_by_key(|held| held.class).cloned().unwrap_or_default();
        findings.push(Finding {
            title: format!("{} of the rows of {source} are refused", percent(share)),
            text: format!(
                "{gone} of {rows} rows wait in quarantine, each with its reason; {} is the bound.",
                percent(rule.refused_share_above)
            ),
            link: Some("/".to_owned()),
            ..of(format!("source:{source}"), &held)
        });
    }
    findings
}

/// Whether nothing came in for too long.
pub(super) fn stale(rule: &Stale, all: &[Ingested], now: DateTime<Utc>) -> Vec<Finding> {
    let wanted = |one: &&Ingested| rule.source.as_deref().is_none_or(|source| source == one.source);
    let Some(newest) = all.iter().filter(wanted).max_by_key(|one| one.at) else { return Vec::new() };
    let days = (now - newest.at).num_days();
    if days <= i64::from(rule.days) {
        return Vec::new();
    }
    let from = rule.source.as_ref().map(|source| format!(" from {source}")).unwrap_or_default();
    let key = rule.source.as_ref().map_or_else(|| "lake".to_owned(), |source| format!("source:{source}"));
    let finding = Finding {
        title: format!("Nothing new{from} for {days} days"),
        text: format!("The last table came on {}; {} days are the bound.", newest.at.date_naive(), rule.days),
        link: Some("/".to_owned()),
        ..of(key, &newest.held)
    };
    vec![finding]
}

/// Whether a year's films differ from those before.
pub(super) fn drifted(year: i32, found: &Drift, held: &Held) -> Vec<Finding> {
    let names: Vec<&str> =
        found.columns.iter().filter(|(_, c)| c.drifted).map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let finding = Finding {
        title: format!("The films of {year} do not look like those before"),
        text: format!(
            "{} films are set against {} earlier ones; what differs: {}.",
            found.new,
            found.earlier,
            names.join(", ")
        ),
        ..of(format!("year:{year}"), held)
    };
    vec![finding]
}

/// Projects that are worth a look at: what is out already loses nothing any more.
pub(super) fn planned(projects: Vec<Project>, today: Day) -> Vec<Project> {
    projects.into_iter().filter(|project| project.release > today).collect()
}

/// A finding without words.
fn of(key: String, held: &Held) -> Finding {
    Finding {
        key,
        title: String::new(),
        text: String::new(),
        severity: Severity::Warning,
        link: None,
        class: held.class,
        team: held.team.clone(),
        nda: None,
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn usd(amount: f64) -> String {
    match amount.abs() {
        big if big >= 1e6 => format!("${:.1}M", amount / 1e6),
        _ => format!("${amount:.0}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::TimeDelta;

    use super::*;

    fn lake() -> Vec<Ingested> {
        let one = |source: &str, rows, refused, day| Ingested {
            source: source.to_owned(),
            rows,
            refused,
            at: DateTime::UNIX_EPOCH + TimeDelta::days(day),
            held: Held::default(),
        };
        vec![
            one("films", 100, 2, 0),
            one("films", 100, 30, 3),
            one("charts", 50, 5, 9),
            one("empty", 0, 0, 1),
        ]
    }

    #[test]
    fn a_source_is_judged_by_all_its_files() {
        let rule = DataQuality { refused_share_above: 0.1, source: None };
        let found = refused(&rule, &lake());
        assert_eq!(found.iter().map(|f| f.key.as_str()).collect::<Vec<_>>(), ["source:films"]);
        assert!(found[0].title.starts_with("16%"), "{}", found[0].title);
        assert!(refused(&DataQuality { source: Some("charts".to_owned()), ..rule }, &lake()).is_empty());
    }

    #[test]
    fn a_lake_is_stale_after_its_days() {
        let now = |day| DateTime::UNIX_EPOCH + TimeDelta::days(day);
        let check = |days, source: Option<&str>, day, wanted: &[&str]| {
            let rule = Stale { days, source: source.map(str::to_owned) };
            let keys: Vec<String> = stale(&rule, &lake(), now(day)).into_iter().map(|f| f.key).collect();
            assert_eq!(keys, wanted);
        };
        check(7, None, 16, &[]);
        check(7, None, 17, &["lake"]);
        check(7, Some("films"), 11, &["source:films"]);
        check(7, Some("nobody"), 99, &[]);
    }
}
