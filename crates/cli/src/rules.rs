//! The rules of a slate as flags: one definition for every command that chooses.

use std::time::Duration;

use anyhow::{Result, bail};
use marquee_app::types::{AtMost, Limit, LimitBy, Objective, Requires, SlateRules, SpendLimit, Tentpoles};
use marquee_domain::{Day, Money, Project, Weight};

/// Flags that say what a slate may be.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleArgs {
    /// At least so many projects.
    #[arg(long, value_name = "N")]
    min_projects: Option<usize>,
    /// At most so many projects.
    #[arg(long, value_name = "N")]
    max_projects: Option<usize>,
    /// A project that must be in. May be repeated.
    #[arg(long, value_name = "NAME")]
    must_have: Vec<String>,
    /// A project that must not be in. May be repeated.
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// Projects may be taken in part: not at all, or at least this share of each.
    #[arg(long, value_name = "FRACTION")]
    min_share: Option<f64>,
    /// With --min-share, a project that is taken whole or not at all. May be repeated.
    #[arg(long, value_name = "NAME", requires = "min_share")]
    whole: Vec<String>,
    /// What may be spent in a calendar year: 2014=150M. May be repeated.
    #[arg(long, value_name = "YEAR=AMOUNT", value_parser = spend_limit)]
    spend: Vec<SpendLimit>,
    /// What may be needed at the deepest point of expected cash.
    #[arg(long, value_name = "AMOUNT")]
    peak_cash: Option<Money>,
    /// A project that needs another in the slate: "Sequel=Original". May be repeated.
    #[arg(long, value_name = "NAME=NAME", value_parser = requires)]
    requires: Vec<Requires>,
    /// At most so many of several projects: "1: Shark, Shark II". May be repeated.
    #[arg(long, value_name = "N:NAMES", value_parser = at_most)]
    at_most: Vec<AtMost>,
    /// At most one project with a budget from this on in a release month.
    #[arg(long, value_name = "AMOUNT")]
    tentpole: Option<Money>,
    /// What one genre, country, distributor or franchise may cost, as a fraction of the budget: genre=0.4 for each,
    /// genre:Horror=0.2 for one. May be repeated.
    #[arg(long, value_name = "BY[:VALUE]=FRACTION", value_parser = limit)]
    limit: Vec<Limit>,
    /// The day whose knowledge may be used.
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Day>,
    /// Scenarios that are simulated.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) scenarios: u32,
    /// Stop searching after so many seconds, with the best so far and its proven gap.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    time_limit: Option<u32>,
}

/// A weight such as a risk aversion.
pub(crate) fn weight(text: &str) -> Result<Weight, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    Weight::try_from(number).map_err(|e| e.to_string())
}

/// The two sides of `A=B`.
fn pair(text: &str) -> Result<(&str, &str), String> {
    let (a, b) = text.rsplit_once('=').ok_or_else(|| format!("`{text}` has no `=`"))?;
    Ok((a.trim(), b.trim()))
}

fn spend_limit(text: &str) -> Result<SpendLimit, String> {
    let (year, limit) = pair(text)?;
    let year = year.parse().map_err(|_| format!("`{year}` is not a year"))?;
    Ok(SpendLimit { year, limit: limit.parse().map_err(|e| format!("{e}"))? })
}

fn requires(text: &str) -> Result<Requires, String> {
    let (project, needs) = pair(text)?;
    Ok(Requires { project: project.to_owned(), needs: needs.to_owned() })
}

fn at_most(text: &str) -> Result<AtMost, String> {
    let (number, names) =
        text.split_once(':').ok_or_else(|| format!("`{text}` has no `:`; write 1: A, B"))?;
    let most = number.trim().parse().map_err(|_| format!("`{number}` is not a whole number"))?;
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    Ok(AtMost { why: format!("at most {most} of {}", names.join(", ")), names, most })
}

fn limit(text: &str) -> Result<Limit, String> {
    let (what, fraction) = pair(text)?;
    let at_most = fraction.parse().map_err(|_| format!("`{fraction}` is not a fraction"))?;
    let (by, value) = match what.split_once(':') {
        Some((by, value)) => (by, Some(value.trim().to_owned())),
        None => (what, None),
    };
    let by = match by.trim() {
        "genre" => LimitBy::Genre,
        "country" => LimitBy::Country,
        "distributor" => LimitBy::Distributor,
        "franchise" => LimitBy::Franchise,
        other => return Err(format!("`{other}` is none of genre, country, distributor, franchise")),
    };
    Ok(Limit { by, value, at_most })
}

impl RuleArgs {
    /// The rules for these projects.
    pub(crate) fn rules(
        &self,
        projects: &[Project],
        budget: Money,
        objective: Objective,
    ) -> Result<SlateRules> {
        let named = self.must_have.iter().chain(&self.exclude).chain(&self.whole);
        let named = named.chain(self.requires.iter().flat_map(|r| [&r.project, &r.needs]));
        for name in named.chain(self.at_most.iter().flat_map(|a| &a.names)) {
            if !projects.iter().any(|p| p.name == *name) {
                bail!("no project of the file is called `{name}`");
            }
        }
        Ok(SlateRules {
            min_projects: self.min_projects,
            max_projects: self.max_projects,
            must_have: self.must_have.clone(),
            excluded: self.exclude.clone(),
            min_share: self.min_share,
            whole: self.whole.clone(),
            spend_limits: self.spend.clone(),
            peak_cash: self.peak_cash,
            requires: self.requires.clone(),
            at_most: self.at_most.clone(),
            tentpoles: self.tentpole.map(|budget_from| Tentpoles { budget_from, per_month: 1 }),
            limits: self.limit.clone(),
            ..SlateRules::new(budget, objective)
        })
    }

    /// How long may be searched.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.time_limit.map(|seconds| Duration::from_secs(seconds.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_people_write_them() {
        assert_eq!(spend_limit("2014 = 150M").map(|s| s.year), Ok(2014));
        let found = requires("Shark II=Shark").expect("read");
        assert_eq!((found.project.as_str(), found.needs.as_str()), ("Shark II", "Shark"));
        let found = at_most("1: Shark, Shark II").expect("read");
        assert_eq!((found.most, found.names.len()), (1, 2));
        assert_eq!(limit("genre:Horror=0.2").expect("read").value.as_deref(), Some("Horror"));
        assert_eq!(limit("country=0.5").expect("read").value, None);
        for wrong in ["genre", "colour=0.2", "genre=much"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
        assert!(at_most("Shark").is_err() && spend_limit("soon=1M").is_err() && requires("Shark").is_err());
    }
}
