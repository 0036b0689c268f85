//! Projects as people write them: TOML, one project a file or several as `[[project]]`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use marquee_domain::{Budget, Day, Project, Spend, Vertical};
use serde::Deserialize;

/// One project in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    vertical: Option<String>,
    budget: Amount,
    marketing: Option<Amount>,
    release_date: toml::Value,
    greenlit: Option<toml::Value>,
    #[serde(default)]
    genres: Vec<String>,
    language: Option<String>,
    #[serde(default)]
    countries: Vec<String>,
    basis: Option<String>,
    creative_type: Option<String>,
    #[serde(default)]
    companies: Vec<String>,
    distributor: Option<String>,
    franchise: Option<String>,
    #[serde(default)]
    directors: Vec<String>,
    #[serde(default)]
    cast: Vec<String>,
    age_rating: Option<String>,
    runtime: Option<u32>,
    opening_theatres: Option<u32>,
}

/// An amount as a text such as `"80M"` or as plain dollars.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Amount {
    Text(String),
    Whole(i64),
    Number(f64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    project: Vec<Written>,
}

/// Reads one project.
pub(crate) fn read_one(path: &Path) -> Result<Project> {
    let mut projects = read_all(path)?;
    match projects.len() {
        1 => Ok(projects.remove(0)),
        n => bail!("{} holds {n} projects: give a file with one, or use `marquee slate`", path.display()),
    }
}

/// Reads all projects of a file, in order.
pub(crate) fn read_all(path: &Path) -> Result<Vec<Project>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the project file {}", path.display()))?;
    parse(&text).with_context(|| format!("the project file {} is not understood", path.display()))
}

fn parse(text: &str) -> Result<Vec<Project>> {
    let table: toml::Table = toml::from_str(text)?;
    let written = if table.contains_key("project") {
        toml::from_str::<Many>(text)?.project
    } else {
        vec![toml::from_str::<Written>(text)?]
    };
    if written.is_empty() {
        bail!("it holds no project: write one as [[project]] with name, budget and release_date");
    }
    let projects: Vec<Project> = written.into_iter().map(Written::project).collect::<Result<_>>()?;
    let mut names: Vec<&str> = projects.iter().map(|p| p.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
        bail!("two projects are called `{}`: give each its own name", twice[0]);
    }
    Ok(projects)
}

impl Written {
    fn project(self) -> Result<Project> {
        let name = self.name.clone();
        self.convert().with_context(|| format!("project `{name}`"))
    }

    fn convert(self) -> Result<Project> {
        let project = Project {
            vertical: self.vertical.as_deref().unwrap_or("film").parse::<Vertical>()?,
            budget: Budget(self.budget.money().context("budget")?),
            marketing: self.marketing.map(|m| m.money().context("marketing").map(Spend)).transpose()?,
            release: day(&self.release_date).context("release_date")?,
            greenlit: self.greenlit.as_ref().map(|d| day(d).context("greenlit")).transpose()?,
            name: self.name,
            genres: self.genres,
            language: self.language,
            countries: self.countries,
            basis: self.basis,
            creative_type: self.creative_type,
            companies: self.companies,
            distributor: self.distributor,
            franchise: self.franchise,
            directors: self.directors,
            cast: self.cast,
            age_rating: self.age_rating,
            runtime: self.runtime,
            opening_theatres: self.opening_theatres,
        };
        project.check()?;
        Ok(project)
    }
}

impl Amount {
    pub(crate) fn money(&self) -> Result<marquee_domain::Money> {
        use marquee_domain::{Currency, Money};
        let money: Money = match self {
            Self::Text(text) => text.parse()?,
            Self::Whole(dollars) => Money::from_major(*dollars as f64, Currency::USD)?,
            Self::Number(dollars) => Money::from_major(*dollars, Currency::USD)?,
        };
        if money.currency() != Currency::USD {
            bail!("{money} is not in US dollars, in which Marquee forecasts: write what it is in dollars");
        }
        Ok(money)
    }
}

/// A day as a TOML date or as text.
pub(crate) fn day(value: &toml::Value) -> Result<Day> {
    match value {
        toml::Value::Datetime(date) => Ok(date.to_string().parse()?),
        toml::Value::String(text) => Ok(text.parse()?),
        other => bail!("`{other}` is not a day; write it as YYYY-MM-DD"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_read_as_people_write_it() {
        let text = "name = \"1408\"\nbudget = \"25M\"\nmarketing = 20_000_000\nrelease_date = 2007-06-22\ngenres = [\"Horror\"]\n";
        let projects = parse(text).expect("read");
        assert_eq!(projects[0].budget.to_string(), "$25.0M");
        assert_eq!(projects[0].release.to_string(), "2007-06-22");
    }

    #[test]
    fn faults_are_named_with_the_project_and_the_field() {
        for (text, word) in [
            ("name = \"A\"\nbudget = \"-3M\"\nrelease_date = 2007-06-22", "budget"),
            ("name = \"A\"\nbudget = \"3M\"\nrelease_date = \"soon\"", "release_date"),
            ("name = \"A\"\nbudget = \"3M\"\nrelease_date = 2007-06-22\ncolour = 1", "colour"),
            ("name = \"A\"\nbudget = \"EUR 25M\"\nrelease_date = 2007-06-22", "US dollars"),
            ("name = \"A\"\nbudget = \"1e400\"\nrelease_date = 2007-06-22", "budget"),
            (
                "[[project]]\nname = \"A\"\nbudget = 1\nrelease_date = 2007-06-22\n[[project]]\nname = \"A\"\nbudget = 1\nrelease_date = 2007-06-22",
                "two projects",
            ),
            ("project = []", "no project"),
        ] {
            let said = format!("{:#}", parse(text).expect_err("refused"));
            assert!(said.contains(word), "{said}");
        }
    }
}
