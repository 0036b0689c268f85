//! What is asked when a film is forecast: a title or a project, as of which day, and what of it is changed.

use marquee_app::asked::Asked;
use marquee_app::forecasting::Inquiry;
use marquee_app::types::Change;
use marquee_domain::FactKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::project::Project;
use crate::wire::{Amount, Day, Population, Target, WireError};

/// What a title or a project will gross.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "project": { "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" },
    "target": "worldwide",
    "what_if": { "budget": "40M", "genres": ["Drama", "Horror"] }
}))]
pub struct ForecastRequest {
    /// A title of the catalogue: its name, its id, or a source id such as tmdb:603. Either it or `project` is given.
    pub title: Option<String>,
    /// A project that is not in the catalogue.
    pub project: Option<Project>,
    /// The day whose knowledge may be used; where it is not said, for a title 30 days before release (for its opening the
    /// day before), for a project its greenlight day or today.
    pub as_of: Option<Day>,
    /// What is predicted; worldwide where it is not said.
    pub target: Option<Target>,
    /// By the model of which films; the usual one for the target and the day where it is not said.
    pub population: Option<Population>,
    /// Also forecast a title as of each earlier horizon: how the range narrows as more is known.
    #[serde(default)]
    pub fan: bool,
    /// Also forecast it with this changed; such a forecast is not recorded.
    pub what_if: Option<Changes>,
    /// Commit the forecast to the track record.
    #[serde(default)]
    pub record: bool,
}

/// When a title or a project had best open.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "project": { "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" },
    "from": "2011-05-01", "to": "2011-09-01"
}))]
pub struct DatesRequest {
    /// A title of the catalogue: its name, its id, or a source id such as tmdb:603. Either it or `project` is given.
    pub title: Option<String>,
    /// A project that is not in the catalogue.
    pub project: Option<Project>,
    /// The day whose knowledge may be used; as for a forecast where it is not said.
    pub as_of: Option<Day>,
    /// What is predicted; worldwide where it is not said.
    pub target: Option<Target>,
    /// By the model of which films; the usual one where it is not said.
    pub population: Option<Population>,
    /// The first day that comes into question; half a year before the plan where it is not said.
    pub from: Option<Day>,
    /// The last one; half a year after the plan where it is not said.
    pub to: Option<Day>,
}

/// On what the forecast of a title or a project hangs most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "title": "Apocalypto", "target": "domestic" }))]
pub struct SensitivityRequest {
    /// A title of the catalogue: its name, its id, or a source id such as tmdb:603. Either it or `project` is given.
    pub title: Option<String>,
    /// A project that is not in the catalogue.
    pub project: Option<Project>,
    /// The day whose knowledge may be used; as for a forecast where it is not said.
    pub as_of: Option<Day>,
    /// What is predicted; worldwide where it is not said.
    pub target: Option<Target>,
    /// By the model of which films; the usual one where it is not said.
    pub population: Option<Population>,
}

/// What is changed of a film. What is left out stays; an empty list or text takes all words of its kind away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "budget": "80M", "release_date": "2015-07-03", "genres": ["Action", "Comedy"], "franchise": "" }))]
pub struct Changes {
    /// What it costs to make, US dollars, nominal.
    pub budget: Option<Amount>,
    /// When it is released.
    pub release_date: Option<Day>,
    /// Its length in minutes.
    pub runtime: Option<u32>,
    /// In how many theatres it opens.
    pub opening_theatres: Option<u32>,
    /// Its genres.
    pub genres: Option<Vec<String>>,
    /// Its original language.
    pub language: Option<String>,
    /// The countries that produce it.
    pub countries: Option<Vec<String>>,
    /// What it is based on.
    pub basis: Option<String>,
    /// What kind of story it tells.
    pub creative_type: Option<String>,
    /// The companies that produce it.
    pub companies: Option<Vec<String>>,
    /// Who distributes it.
    pub distributor: Option<String>,
    /// The series of titles that it continues.
    pub franchise: Option<String>,
    /// Who directs it.
    pub directors: Option<Vec<String>>,
    /// Who plays in it.
    pub cast: Option<Vec<String>>,
    /// Its age rating.
    pub age_rating: Option<String>,
}

impl ForecastRequest {
    /// What is asked about, asked on this day, with this seed of all randomness.
    ///
    /// # Errors
    /// [`WireError`] unless it names one title or one project that can be, on a day.
    pub fn inquiry(&self, today: marquee_domain::Day, seed: u64) -> Result<Inquiry, WireError> {
        let of = Of { title: &self.title, project: &self.project, as_of: &self.as_of };
        of.inquiry((self.target, self.population), today, seed)
    }
}

impl DatesRequest {
    /// What is asked about, asked on this day, with this seed of all randomness.
    ///
    /// # Errors
    /// [`WireError`] unless it names one title or one project that can be, on a day.
    pub fn inquiry(&self, today: marquee_domain::Day, seed: u64) -> Result<Inquiry, WireError> {
        let of = Of { title: &self.title, project: &self.project, as_of: &self.as_of };
        of.inquiry((self.target, self.population), today, seed)
    }

    /// The first and the last day that come into question.
    ///
    /// # Errors
    /// [`WireError`] where one is none, or the last is before the first.
    pub fn ends(&self) -> Result<[Option<marquee_domain::Day>; 2], WireError> {
        let day = |day: &Option<Day>, field| {
            day.as_ref().map(Day::read).transpose().map_err(WireError::within(field))
        };
        match [day(&self.from, "from")?, day(&self.to, "to")?] {
            [Some(from), Some(to)] if to < from => Err(WireError::Backwards { from, to }),
            ends => Ok(ends),
        }
    }
}

impl SensitivityRequest {
    /// What is asked about, asked on this day, with this seed of all randomness.
    ///
    /// # Errors
    /// [`WireError`] unless it names one title or one project that can be, on a day.
    pub fn inquiry(&self, today: marquee_domain::Day, seed: u64) -> Result<Inquiry, WireError> {
        let of = Of { title: &self.title, project: &self.project, as_of: &self.as_of };
        of.inquiry((self.target, self.population), today, seed)
    }
}

/// What several requests say about a film.
struct Of<'a> {
    title: &'a Option<String>,
    project: &'a Option<Project>,
    as_of: &'a Option<Day>,
}

impl Of<'_> {
    fn inquiry(
        &self,
        (target, population): (Option<Target>, Option<Population>),
        today: marquee_domain::Day,
        seed: u64,
    ) -> Result<Inquiry, WireError> {
        let asked = match (self.title, self.project) {
            (Some(title), None) => Asked::Title(title.clone()),
            (None, Some(project)) => Asked::Project(Box::new(project.clone().read()?)),
            (Some(_), Some(_)) => return Err(WireError::Both("title", "project")),
            (None, None) => return Err(WireError::Neither("title", "project")),
        };
        Ok(Inquiry {
            asked,
            as_of: self.as_of.as_ref().map(Day::read).transpose().map_err(WireError::within("as_of"))?,
            target: target.unwrap_or(Target::Worldwide).into(),
            population: population.map(marquee_domain::Population::from),
            today,
            seed,
        })
    }
}

impl Changes {
    /// The changes that are meant, in the order of the fields.
    ///
    /// # Errors
    /// [`WireError::Field`] where a value cannot be.
    pub fn read(&self) -> Result<Vec<Change>, WireError> {
        let mut changes = Vec::new();
        if let Some(budget) = &self.budget {
            changes.push(Change::Budget(budget.money().map_err(WireError::within("budget"))?.major()));
        }
        if let Some(day) = &self.release_date {
            changes.push(Change::Release(day.read().map_err(WireError::within("release_date"))?));
        }
        changes.extend(self.runtime.map(|minutes| Change::Runtime(minutes.into())));
        changes.extend(self.opening_theatres.map(|theatres| Change::Theatres(theatres.into())));
        let one = |word: &Option<String>| word.as_ref().map(|word| vec![word.clone()]);
        for (kind, words) in [
            (FactKind::Genre, self.genres.clone()),
            (FactKind::Language, one(&self.language)),
            (FactKind::Country, self.countries.clone()),
            (FactKind::Basis, one(&self.basis)),
            (FactKind::CreativeType, one(&self.creative_type)),
            (FactKind::Company, self.companies.clone()),
            (FactKind::Distributor, one(&self.distributor)),
            (FactKind::Franchise, one(&self.franchise)),
            (FactKind::Director, self.directors.clone()),
            (FactKind::Cast, self.cast.clone()),
            (FactKind::AgeRating, one(&self.age_rating)),
        ] {
            let some = |words: Vec<String>| words.into_iter().filter(|word| !word.trim().is_empty());
            let words = words.map(|words| some(words).map(|word| word.as_str().into()).collect());
            changes.extend(words.map(|words| Change::Trait(kind, words)));
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Vec<Change>, String> {
        let changes: Changes = serde_json::from_value(value).map_err(|why| why.to_string())?;
        changes.read().map_err(|why| why.to_string())
    }

    #[test]
    fn changes_are_read_as_people_write_them() {
        let genres = ["Action".into(), "Comedy".into()].to_vec();
        let day = "2015-07-03".parse().unwrap();
        assert_eq!(
            read(
                json!({ "genres": ["Action", "Comedy"], "budget": "80M", "release_date": day, "franchise": "" })
            ),
            Ok(vec![
                Change::Budget(80e6),
                Change::Release(day),
                Change::Trait(FactKind::Genre, genres),
                Change::Trait(FactKind::Franchise, vec![]),
            ])
        );
    }

    #[test]
    fn what_cannot_be_changed_is_named() {
        for (value, words) in [
            (json!({ "budget": "lots" }), ["budget", "lots"]),
            (json!({ "release_date": "soon" }), ["release_date", "soon"]),
            (json!({ "runtime": 1.5 }), ["1.5", "u32"]),
            (json!({ "language": ["en", "fr"] }), ["a string", "sequence"]),
            (json!({ "worldwide": 1 }), ["unknown", "`worldwide`"]),
        ] {
            let said = read(value).err().unwrap();
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
    }

    #[test]
    fn one_title_or_one_project_is_asked_about() {
        let today = "2010-03-01".parse().unwrap();
        let ask = |value: Value| {
            let asked: ForecastRequest = serde_json::from_value(value).unwrap();
            asked.inquiry(today, 7).map_err(|why| why.to_string())
        };
        let project = json!({ "name": "A", "budget": 1, "release_date": "2011-06-17" });
        let found = ask(json!({ "title": "Apocalypto" })).unwrap();
        assert_eq!((found.target, found.as_of), (marquee_domain::Target::Worldwide, None));
        assert!(matches!(ask(json!({ "project": project })).unwrap().asked, Asked::Project(_)));
        assert!(ask(json!({})).err().unwrap().contains("title or project"));
        assert!(ask(json!({ "title": "A", "project": project })).err().unwrap().contains("not both"));
    }

    #[test]
    fn dates_run_forwards() {
        let ends = |value: Value| serde_json::from_value::<DatesRequest>(value).unwrap().ends();
        assert_eq!(ends(json!({})), Ok([None, None]));
        let said = ends(json!({ "from": "2011-06-17", "to": "2011-06-16" })).err().unwrap();
        assert!(said.to_string().contains("before"), "{said}");
    }
}
