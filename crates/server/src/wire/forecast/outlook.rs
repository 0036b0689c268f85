//! Ranges of many projects at once.

use marquee_app::use_cases::outlook::Outlooks;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::project::{Project, read_all};
use crate::wire::{Day, Quantiles, Target, WireError};

/// What many projects will gross.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "projects": [{ "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2011-06-17" }],
    "as_of": "2010-03-01"
}))]
pub struct OutlookRequest {
    /// The projects.
    pub projects: Vec<Project>,
    /// The day whose knowledge may be used; each project's greenlight day or today where it is not said.
    pub as_of: Option<Day>,
    /// What is predicted; worldwide where it is not said.
    pub target: Option<Target>,
}

/// The range of a project.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Outlook {
    /// The project.
    pub name: String,
    /// Its range, US dollars, nominal.
    pub quantiles: Quantiles,
}

impl OutlookRequest {
    /// What is asked, on this day, with this seed of all randomness.
    ///
    /// # Errors
    /// [`WireError`] for a project that cannot be, and where there is none.
    pub fn read(self, today: marquee_domain::Day, seed: u64) -> Result<Outlooks, WireError> {
        Ok(Outlooks {
            projects: read_all(self.projects)?,
            target: self.target.unwrap_or(Target::Worldwide).into(),
            as_of: self.as_of.as_ref().map(Day::read).transpose().map_err(WireError::within("as_of"))?,
            today,
            seed,
        })
    }
}
