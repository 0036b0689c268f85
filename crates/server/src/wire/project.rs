//! Projects as people write them, in JSON and in TOML alike: plans that are not in the catalogue.

use marquee_domain::{Budget, Spend, Vertical};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::{Amount, Day, WireError};

/// A film that is planned. What is left out is as usual for its budget.
///
/// ```
/// use marquee_server::wire::project::Project;
/// let written: Project = serde_json::from_str(
///     r#"{"name": "1408", "budget": "25M", "release_date": "2007-06-22", "genres": ["Horror"]}"#,
/// )?;
/// assert_eq!(written.read().map(|project| project.budget.to_string()), Ok("$25.0M".to_owned()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "The Lighthouse Keeper",
    "budget": "25M",
    "release_date": "2011-06-17",
    "greenlit": "2010-03-01",
    "genres": ["Drama"],
    "basis": "Based on Book/Short Story",
    "creative_type": "Contemporary Fiction",
    "distributor": "Universal",
    "age_rating": "PG-13",
    "runtime": 112
}))]
pub struct Project {
    /// What it is called; no two projects of one question may be called the same.
    pub name: String,
    /// What sort of work it is: film, series, game or album; a film where it is not said.
    #[serde(default)]
    pub vertical: Option<String>,
    /// What it costs to make, US dollars, nominal.
    pub budget: Amount,
    /// What it costs to release (prints and advertising), US dollars, nominal; by the deal's rule where it is not said.
    pub marketing: Option<Amount>,
    /// The planned release day.
    pub release_date: Day,
    /// The day on which it is decided on: what became known later is not used.
    pub greenlit: Option<Day>,
    /// Its genres.
    #[serde(default)]
    pub genres: Vec<String>,
    /// Its original language.
    pub language: Option<String>,
    /// The countries that produce it.
    #[serde(default)]
    pub countries: Vec<String>,
    /// What it is based on: an original screenplay, a book, a comic …
    pub basis: Option<String>,
    /// What kind of story it tells: contemporary fiction, fantasy, dramatisation …
    pub creative_type: Option<String>,
    /// The companies that produce it.
    #[serde(default)]
    pub companies: Vec<String>,
    /// Who distributes it.
    pub distributor: Option<String>,
    /// The series of titles that it continues.
    pub franchise: Option<String>,
    /// Who directs it.
    #[serde(default)]
    pub directors: Vec<String>,
    /// Who plays in it, in the order of billing.
    #[serde(default)]
    pub cast: Vec<String>,
    /// Its age rating in the United States.
    pub age_rating: Option<String>,
    /// Its length in minutes.
    pub runtime: Option<u32>,
    /// In how many theatres of the United States and Canada it opens.
    pub opening_theatres: Option<u32>,
}

impl Project {
    /// The project that is meant.
    ///
    /// # Errors
    /// [`WireError::Project`] with its name and what of it cannot be.
    pub fn read(self) -> Result<marquee_domain::Project, WireError> {
        let name = self.name.clone();
        self.convert().map_err(|why| match why {
            // It says the name already.
            WireError::Value(marquee_domain::DomainError::Project { .. }) => why,
            _ => WireError::Project { name, why: Box::new(why) },
        })
    }

    fn convert(self) -> Result<marquee_domain::Project, WireError> {
        let budget = self.budget.money().map_err(WireError::within("budget"))?;
        let marketing = self.marketing.as_ref().map(Amount::money).transpose();
        let greenlit = self.greenlit.as_ref().map(Day::read).transpose();
        let project = marquee_domain::Project {
            vertical: self.vertical.as_deref().unwrap_or("film").parse::<Vertical>()?,
            budget: Budget(budget),
            marketing: marketing.map_err(WireError::within("marketing"))?.map(Spend),
            release: self.release_date.read().map_err(WireError::within("release_date"))?,
            greenlit: greenlit.map_err(WireError::within("greenlit"))?,
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

impl From<&marquee_domain::Project> for Project {
    fn from(p: &marquee_domain::Project) -> Self {
        Self {
            name: p.name.clone(),
            vertical: Some(p.vertical.to_string()),
            budget: p.budget.0.into(),
            marketing: p.marketing.map(|m| m.0.into()),
            release_date: p.release.into(),
            greenlit: p.greenlit.map(Day::from),
            genres: p.genres.clone(),
            language: p.language.clone(),
            countries: p.countries.clone(),
            basis: p.basis.clone(),
            creative_type: p.creative_type.clone(),
            companies: p.companies.clone(),
            distributor: p.distributor.clone(),
            franchise: p.franchise.clone(),
            directors: p.directors.clone(),
            cast: p.cast.clone(),
            age_rating: p.age_rating.clone(),
            runtime: p.runtime,
            opening_theatres: p.opening_theatres,
        }
    }
}

/// The projects of one question, in order.
///
/// # Errors
/// [`WireError`] where there is none, where two are called the same, or where one cannot be.
pub fn read_all(written: Vec<Project>) -> Result<Vec<marquee_domain::Project>, WireError> {
    if written.is_empty() {
        return Err(WireError::NoProject);
    }
    let projects: Vec<_> = written.into_iter().map(Project::read).collect::<Result<_, _>>()?;
    let mut names: Vec<&str> = projects.iter().map(|p| p.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|w| w[0] == w[1]) {
        Some(twice) => Err(WireError::TwoProjects(twice[0].to_owned())),
        None => Ok(projects),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<marquee_domain::Project, String> {
        let written: Project = serde_json::from_value(value).map_err(|why| why.to_string())?;
        written.read().map_err(|why| why.to_string())
    }

    #[test]
    fn a_project_is_read_as_people_write_it_and_written_as_it_is_read() {
        let project = read(json!({
            "name": "1408", "budget": "25M", "marketing": 20_000_000, "release_date": "2007-06-22",
            "genres": ["Horror"], "runtime": 104
        }));
        let project = project.unwrap();
        assert_eq!(project.budget.to_string(), "$25.0M");
        assert_eq!(project.marketing.map(|m| m.0.major()), Some(20e6));
        let again = serde_json::to_value(Project::from(&project)).unwrap();
        assert_eq!(read(again), Ok(project));
    }

    #[test]
    fn faults_are_named_with_the_project_and_the_field() {
        let day = "2007-06-22";
        for (value, words) in [
            (json!({ "name": "A", "budget": "-3M", "release_date": day }), ["project `A`", "budget"]),
            (json!({ "name": "A", "budget": "3M", "release_date": "soon" }), ["project `A`", "release_date"]),
            (json!({ "name": "A", "budget": "3M", "release_date": 20070622 }), ["YYYY-MM-DD", "a day"]),
            (json!({ "name": "A", "budget": "3M", "release_date": { "day": day } }), ["YYYY-MM-DD", "a day"]),
            (
                json!({ "name": "A", "budget": "3M", "release_date": day, "colour": 1 }),
                ["unknown", "`colour`"],
            ),
            (json!({ "name": "A", "budget": "EUR 3M", "release_date": day }), ["budget", "US dollars"]),
            (json!({ "name": "A", "budget": "1e400", "release_date": day }), ["project `A`", "budget"]),
            (
                json!({ "name": "A", "budget": 3, "release_date": day, "vertical": "opera" }),
                ["project `A`", "`opera`"],
            ),
        ] {
            let said = read(value).expect_err("refused");
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }

    #[test]
    fn a_question_has_projects_of_different_names() {
        let one: Project =
            serde_json::from_value(json!({ "name": "A", "budget": 1, "release_date": "2007-06-22" }))
                .unwrap();
        assert_eq!(read_all(vec![]), Err(WireError::NoProject));
        assert_eq!(read_all(vec![one.clone(), one]), Err(WireError::TwoProjects("A".to_owned())));
    }
}
