//! Projects that can be funded, and the slates chosen from them.

use serde::{Deserialize, Serialize};

use crate::{Budget, Day, DomainError, Money, Probability, Spend, Vertical};

/// A title that can be funded: what is known of it when the decision is taken. How a project is written in a file is
/// decided where files are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// The working name.
    pub name: String,
    /// What it is.
    pub vertical: Vertical,
    /// What it costs to make.
    pub budget: Budget,
    /// What is planned to release it; by the deal's rule where it is not said.
    pub marketing: Option<Spend>,
    /// The planned release day.
    pub release: Day,
    /// The day on which the project is decided; the horizon's lead before release where it is not said.
    pub greenlit: Option<Day>,
    /// Genres.
    pub genres: Vec<String>,
    /// Language, ISO 639-1.
    pub language: Option<String>,
    /// Countries.
    pub countries: Vec<String>,
    /// What it is based on.
    pub basis: Option<String>,
    /// Style of story.
    pub creative_type: Option<String>,
    /// Production companies.
    pub companies: Vec<String>,
    /// The distributor.
    pub distributor: Option<String>,
    /// The series of titles that it continues.
    pub franchise: Option<String>,
    /// Directors.
    pub directors: Vec<String>,
    /// Leading cast.
    pub cast: Vec<String>,
    /// Age rating.
    pub age_rating: Option<String>,
    /// Minutes.
    pub runtime: Option<u32>,
    /// The theatres that it opens in, in the United States and Canada.
    pub opening_theatres: Option<u32>,
}

impl Project {
    /// A film of which nothing but its name, budget and planned release is known.
    #[must_use]
    pub fn film(name: &str, budget: Budget, release: Day) -> Self {
        Self {
            name: name.to_owned(),
            vertical: Vertical::Film,
            budget,
            marketing: None,
            release,
            greenlit: None,
            genres: vec![],
            language: None,
            countries: vec![],
            basis: None,
            creative_type: None,
            companies: vec![],
            distributor: None,
            franchise: None,
            directors: vec![],
            cast: vec![],
            age_rating: None,
            runtime: None,
            opening_theatres: None,
        }
    }

    /// Checks what types cannot: a name, a budget above zero, a running time that a film can have.
    ///
    /// # Errors
    /// [`DomainError::Project`] with the project's name and what to change.
    pub fn check(&self) -> Result<(), DomainError> {
        let refuse = |what: String| Err(DomainError::Project { name: self.name.clone(), what });
        if self.name.trim().is_empty() {
            return refuse("give it a name".to_owned());
        }
        if self.budget.0.minor() <= 0 {
            return refuse(format!(
                "a budget of {} cannot be judged; give what it costs to make",
                self.budget
            ));
        }
        if let Some(theatres) = self.opening_theatres.filter(|t| *t == 0 || *t > 10_000) {
            return refuse(format!(
                "an opening in {theatres} theatres is not believable; leave it out or correct it"
            ));
        }
        if let Some(minutes) = self.runtime.filter(|m| *m == 0 || *m > 1_000) {
            return refuse(format!(
                "a runtime of {minutes} minutes is not believable; leave it out or correct it"
            ));
        }
        if let Some(day) = self.greenlit.filter(|d| *d > self.release) {
            return refuse(format!("it is greenlit on {day}, after its release on {}", self.release));
        }
        Ok(())
    }
}

/// A simple return over a stated period: 0.25 is a gain of a quarter of what was put in.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Return(pub f64);

impl std::fmt::Display for Return {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:+.0}%", self.0 * 100.0)
    }
}

/// One project in a slate and how much of it is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlateChoice {
    /// The project's name.
    pub project: String,
    /// The share of it that is funded, 0 to 1.
    pub share: f64,
    /// What that costs: budget and marketing.
    pub cost: Money,
}

/// A chosen set of projects, with what it is expected to bring. All money is gross-implied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slate {
    /// What was chosen.
    pub choices: Vec<SlateChoice>,
    /// What the choices cost together.
    pub cost: Money,
    /// Mean profit over the scenarios.
    pub mean_profit: Money,
    /// Mean loss in the worst scenarios (positive is a loss).
    pub cvar: Money,
    /// The share of scenarios that counts as worst, for example 0.05.
    pub tail: Probability,
    /// Probability that the slate as a whole loses money.
    pub loss_probability: Probability,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn a_project_that_cannot_be_judged_says_why() {
        let mut project = Project::film(
            "Land Girls II",
            Budget(Money::from_minor(-5, Currency::USD)),
            Day::new(2010, 1, 1).expect("a day"),
        );
        let said = project.check().expect_err("refused").to_string();
        assert!(said.contains("Land Girls II") && said.contains("budget"), "{said}");
        project.budget = Budget(Money::from_minor(5_00, Currency::USD));
        assert_eq!(project.check(), Ok(()));
    }
}
