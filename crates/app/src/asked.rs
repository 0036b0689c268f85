//! What a user asks about: a title of the catalogue or a project, how it is found, and how much must be fetched for it.

use marquee_catalogue::{Entry, Identity, Snapshot, TitleQuery};
use marquee_domain::{AsOf, Day, Horizon, Project, Target, Title, TitleId, Vertical, normalise_title};

use crate::error::AppError;
use crate::knowledge::Reach;

/// What is asked about.
#[derive(Debug, Clone)]
pub enum Asked {
    /// A title of the catalogue: a name, an id, or a source id.
    Title(String),
    /// A project that is not in the catalogue.
    Project(Box<Project>),
}

/// What was asked about, found.
#[derive(Debug, Clone)]
pub enum Found {
    /// A title of the catalogue.
    Title(Title),
    /// A project that is not in the catalogue.
    Project(Box<Project>),
}

impl Asked {
    /// Finds the title that is meant; a project needs no finding.
    ///
    /// # Errors
    /// As [`find_title`].
    pub async fn find(&self, snapshot: &Snapshot) -> Result<Found, AppError> {
        Ok(match self {
            Self::Title(text) => Found::Title(find_title(snapshot, text).await?.title),
            Self::Project(project) => Found::Project(project.clone()),
        })
    }

    /// How far the facts must go: an opening needs charts, and so does a run at home in the last month before its release
    /// or later. A title's release at home may be earlier than the catalogue's first, so that any day that is asked for may
    /// be.
    #[must_use]
    pub fn reach(&self, target: Target, as_of: Option<Day>, today: Day) -> Reach {
        let near = |project: &Project| {
            let as_of = as_of.unwrap_or_else(|| project_day(project, today));
            AsOf(as_of) > Horizon::Announced.as_of(project.release)
        };
        let charted = match (target, self) {
            (Target::OpeningDay | Target::Opening, _) => true,
            (Target::Domestic, Self::Project(project)) => near(project),
            (Target::Domestic, Self::Title(_)) => as_of.is_some(),
            (Target::International | Target::Worldwide, _) => false,
        };
        if charted { Reach::Runs } else { Reach::Plans }
    }
}

impl Found {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Title(title) => &title.name,
            Self::Project(project) => &project.name,
        }
    }

    /// The title, where it is one of the catalogue's.
    #[must_use]
    pub fn title(&self) -> Option<TitleId> {
        match self {
            Self::Title(title) => Some(title.id),
            Self::Project(_) => None,
        }
    }

    /// The release day.
    ///
    /// # Errors
    /// [`AppError::Lacking`] where the catalogue knows none.
    pub fn release(&self) -> Result<Day, AppError> {
        match self {
            Self::Project(project) => Ok(project.release),
            Self::Title(title) => title
                .release
                .as_ref()
                .map(|r| r.day)
                .ok_or_else(|| AppError::Lacking { name: title.name.clone(), missing: "release day" }),
        }
    }
}

/// The day on which a project is judged where nobody says: its greenlight day; else today, while that is before the
/// release; else the usual lead before the release.
#[must_use]
pub fn project_day(project: &Project, today: Day) -> Day {
    let today = (today < project.release).then_some(today);
    project.greenlit.or(today).unwrap_or_else(|| Horizon::Greenlight.as_of(project.release).0)
}

/// Finds the one title that a user means: by id, by source id, by whole name, or by part of a name.
///
/// # Errors
/// [`AppError::NoTitle`] or [`AppError::ManyTitles`].
pub async fn find_title(snapshot: &Snapshot, asked: &str) -> Result<Entry, AppError> {
    let identity = snapshot.identity().await?;
    if let Some(entry) = by_id(&identity, asked) {
        return Ok(entry.clone());
    }
    let query = TitleQuery { text: Some(asked.to_owned()), limit: usize::MAX, ..TitleQuery::default() };
    let rows = snapshot.titles(&query).await?;
    let wanted = normalise_title(asked);
    let whole: Vec<TitleId> =
        rows.iter().filter(|r| normalise_title(&r.name) == wanted).map(|r| r.id).collect();
    let found = if whole.is_empty() { rows.iter().map(|r| r.id).collect() } else { whole };
    match found.as_slice() {
        [] => Err(AppError::NoTitle(asked.to_owned())),
        [one] => identity.get(*one).cloned().ok_or_else(|| AppError::NoTitle(asked.to_owned())),
        many => {
            let line = |id: &TitleId| {
                let row = rows.iter().find(|r| r.id == *id)?;
                let year = row.release.map_or_else(|| "undated".to_owned(), |d| d.to_string());
                Some(format!("  {}  {}  {}", row.id, year, row.name))
            };
            Err(AppError::ManyTitles {
                asked: asked.to_owned(),
                count: many.len(),
                found: many.iter().filter_map(line).take(12).collect(),
            })
        }
    }
}

fn by_id<'a>(identity: &'a Identity, asked: &str) -> Option<&'a Entry> {
    let own = asked.parse::<TitleId>().ok();
    let stated = asked.split_once(':');
    let stated = Vertical::ALL.iter().filter_map(|v| stated.map(|(space, id)| TitleId::of(*v, space, id)));
    own.into_iter().chain(stated).find_map(|id| identity.get(identity.canonical(id)))
}
