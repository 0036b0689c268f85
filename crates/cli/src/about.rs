//! What a question is about: the flags that several commands share, and `--set`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use marquee_app::asked::Asked;
use marquee_app::forecasting::Inquiry;
use marquee_app::learners::Which;
use marquee_app::types::Change;
use marquee_domain::{Currency, Day, FIRST_YEAR, FactKind, Horizon, LAST_YEAR, Money, Population, Target};

use crate::context::Context;
use crate::project_file;

/// A title or a project, and on which terms it is asked about.
#[derive(Debug, clap::Args)]
pub(crate) struct About {
    /// A title: its name, its id, or a source id such as tmdb:603.
    #[arg(required_unless_present = "project")]
    title: Option<String>,
    /// A project that is not in the catalogue.
    #[arg(long, value_name = "P.toml", conflicts_with = "title")]
    project: Option<PathBuf>,
    /// The day whose knowledge may be used (30 days before release for a title, for its opening the day before; a
    /// project's greenlight day or today).
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// What is predicted: opening_day, opening, domestic, international or worldwide.
    #[arg(long, default_value = "worldwide")]
    target: Target,
    /// By the model of which films: funded, all, "budget >= 10M", credited or, from the day before release on, all or wide.
    #[arg(long)]
    population: Option<Population>,
}

impl About {
    pub(crate) fn inquiry(self, context: &Context) -> Result<Inquiry> {
        let asked = match (self.title, self.project) {
            (Some(title), _) => Asked::Title(title),
            (_, Some(path)) => Asked::Project(Box::new(project_file::read_one(&path)?)),
            _ => bail!("name a title, or a project file with --project"),
        };
        Ok(Inquiry {
            asked,
            as_of: self.as_of,
            target: self.target,
            population: self.population,
            today: context.today(),
            seed: context.seed(),
        })
    }
}

/// Which models are meant.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Models {
    /// How much is known: greenlight, announced, pre_release, opening_day, weekend_1, weekend_2 or weekend_3.
    #[arg(long, default_value = "announced")]
    horizon: Horizon,
    /// What is predicted: opening_day, opening, domestic, international or worldwide.
    #[arg(long, default_value = "worldwide")]
    target: Target,
    /// On which films: funded, all, "budget >= 10M", credited or wide.
    #[arg(long, default_value = "funded")]
    population: Population,
}

impl Models {
    pub(crate) fn which(self) -> Which {
        Which { horizon: self.horizon, target: self.target, population: self.population }
    }
}

/// The kinds of words that can be set, by what project files call them.
const WORDS: [(&str, FactKind); 11] = [
    ("genres", FactKind::Genre),
    ("language", FactKind::Language),
    ("countries", FactKind::Country),
    ("basis", FactKind::Basis),
    ("creative_type", FactKind::CreativeType),
    ("companies", FactKind::Company),
    ("distributor", FactKind::Distributor),
    ("franchise", FactKind::Franchise),
    ("directors", FactKind::Director),
    ("cast", FactKind::Cast),
    ("age_rating", FactKind::AgeRating),
];

/// Reads `budget=80M,release_date=2015-07-03,genres=Action,Comedy,director="…"`: what stands between two fields belongs to
/// the one before it, and commas inside double quotes divide nothing.
pub(crate) fn changes(text: &str) -> Result<Vec<Change>> {
    if !text.matches('"').count().is_multiple_of(2) {
        bail!("`{text}` opens a quote that is never closed");
    }
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    for part in parts(text) {
        match (part.split_once('='), fields.last_mut()) {
            (Some((field, value)), _) => fields.push((field.trim().to_owned(), vec![unquoted(value)])),
            (None, Some((_, values))) => values.push(unquoted(&part)),
            (None, None) => bail!("`{part}` sets nothing: write it as field=value"),
        }
    }
    if fields.is_empty() {
        bail!("`{text}` sets nothing: write it as field=value");
    }
    let read = |(field, values): (String, Vec<String>)| {
        change(&field, values).with_context(|| format!("cannot set {field}"))
    };
    fields.into_iter().map(read).collect()
}

/// What stands between commas outside of double quotes.
fn parts(text: &str) -> Vec<String> {
    let mut quoted = false;
    let divides = |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    text.split(divides).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches('"').trim().to_owned()
}

fn change(field: &str, values: Vec<String>) -> Result<Change> {
    let one = || match values.as_slice() {
        [one] => Ok(one.as_str()),
        many => bail!("it takes one value, not {}", many.len()),
    };
    Ok(match field {
        "budget" => {
            let money: Money = one()?.parse()?;
            if money.currency() != Currency::USD {
                bail!("{money} is not in US dollars, in which Marquee forecasts");
            }
            Change::Budget(money.major())
        }
        "release_date" => Change::Release(one()?.parse()?),
        "runtime" => Change::Runtime(f64::from(whole(one()?)?)),
        "opening_theatres" => Change::Theatres(f64::from(whole(one()?)?)),
        words => {
            // One genre is a genre, two are genres.
            let named = |(name, kind): &&(&str, FactKind)| {
                let one = match name.strip_suffix("ies") {
                    Some(stem) => format!("{stem}y"),
                    None => name.trim_end_matches('s').to_owned(),
                };
                *name == words || kind.is_many() && one == words
            };
            let Some((_, kind)) = WORDS.iter().find(named) else {
                let known = WORDS.map(|(name, _)| name).join(", ");
                bail!(
                    "no plan has it; what can be set is budget, release_date, runtime, opening_theatres, {known}"
                );
            };
            let values: Vec<String> = values.into_iter().filter(|v| !v.is_empty()).collect();
            if values.len() > 1 && !kind.is_many() {
                bail!("it takes one value, not {}", values.len());
            }
            Change::Trait(*kind, values.iter().map(|v| v.as_str().into()).collect())
        }
    })
}

fn whole(text: &str) -> Result<u32> {
    text.parse().with_context(|| format!("`{text}` is not a whole number"))
}

/// A range of years in words.
pub(crate) fn span(years: &RangeInclusive<i32>) -> String {
    match years.start() == years.end() {
        true => years.start().to_string(),
        false => format!("{} to {}", years.start(), years.end()),
    }
}

/// A range of years, both ends included: `2013..2015`, or one year.
pub(crate) fn years(text: &str) -> Result<RangeInclusive<i32>, String> {
    let wrong = || format!("`{text}` is not a range of years; write 2013..2015");
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let year = |t: &str| t.trim_start_matches('=').trim().parse::<i32>().map_err(|_| wrong());
    let kept = |year: i32| match (FIRST_YEAR..=LAST_YEAR).contains(&year) {
        true => Ok(year),
        false => Err(format!("{year} is not a year from {FIRST_YEAR} to {LAST_YEAR}")),
    };
    let year = |t: &str| year(t).and_then(kept);
    let range = year(first)?..=year(last)?;
    if range.is_empty() { Err(format!("`{text}` ends before it begins")) } else { Ok(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_read_as_people_write_them() {
        assert_eq!(years("2013..2015"), Ok(2013..=2015));
        assert_eq!(years("2013..=2015"), Ok(2013..=2015));
        assert_eq!(years("2013"), Ok(2013..=2013));
        assert!(years("2015..2013").is_err() && years("soon").is_err());
        assert!(years("0..5").is_err_and(|said| said.contains("0 is not a year")));
    }

    #[test]
    fn changes_are_read_as_people_write_them() {
        let read = changes(
            "budget=80M,release_date=2015-07-03,genres=Action,Comedy,director=\"Robert Downey, Jr.\"",
        );
        let words = |words: &[&str]| words.iter().map(|w| (*w).into()).collect();
        assert_eq!(
            read.expect("read"),
            [
                Change::Budget(80e6),
                Change::Release("2015-07-03".parse().expect("a day")),
                Change::Trait(FactKind::Genre, words(&["Action", "Comedy"])),
                Change::Trait(FactKind::Director, words(&["Robert Downey, Jr."])),
            ]
        );
        assert_eq!(
            changes("franchise=,company=Pixar,country=fr").expect("read"),
            [
                Change::Trait(FactKind::Franchise, vec![]),
                Change::Trait(FactKind::Company, words(&["Pixar"])),
                Change::Trait(FactKind::Country, words(&["fr"])),
            ]
        );
    }

    #[test]
    fn what_cannot_be_set_is_named() {
        for (text, word) in [
            ("80M", "field=value"),
            ("budget=lots", "cannot set budget"),
            ("budget=EUR 3M", "US dollars"),
            ("release_date=soon", "cannot set release_date"),
            ("runtime=1.5", "whole number"),
            ("colour=red", "what can be set is budget"),
            ("worldwide_gross=1", "what can be set"),
            ("language=en,fr", "one value, not 2"),
            ("distributor=\"Fox,budget=10M", "never closed"),
            ("", "sets nothing"),
            ("basi=Remake", "what can be set"),
        ] {
            let said = format!("{:#}", changes(text).expect_err("refused"));
            assert!(said.contains(word), "{said}");
        }
    }
}
