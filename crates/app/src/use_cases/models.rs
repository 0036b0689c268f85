//! Models: which are stored, what stands on their cards, and which no question will ask for again.

use std::path::PathBuf;

use marquee_domain::{Day, Horizon, Population, Target};
use marquee_forecast::awards::FittedAwards;
use marquee_forecast::streaming::FittedStreaming;
use marquee_forecast::table::FittedTable;
use marquee_forecast::weeks::FittedWeeks;
use marquee_forecast::{Card, FittedModel};
use marquee_learn::MemberReport;
use marquee_platform::{Action, Permit};

use crate::error::AppError;
use crate::learners::Standing;
use crate::models::{Kept, ModelStore, Stored};
use crate::workspace::Workspace;

/// A stored model.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The key that it is stored under.
    pub key: String,
    /// How much may be known.
    pub horizon: Horizon,
    /// What is predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// Only outcomes known before this day were learned from.
    pub trained_before: Day,
    /// How many films it learned from.
    pub films: usize,
    /// Fingerprint of the lake's version that it learned from.
    pub data: String,
    /// Whether that is the lake's version of now.
    pub current: bool,
    /// SHA-256 of the model, hexadecimal: what recorded forecasts name.
    pub sha256: String,
    /// The members of its ensemble, with weights and out-of-fold errors.
    pub members: Vec<MemberReport>,
    /// What stands on its card.
    pub card: Card,
}

/// The stored models.
#[derive(Debug)]
pub struct Models {
    /// Those that can be read, by horizon, target, population and training day.
    pub shown: Vec<Shown>,
    /// Files that cannot, and why.
    pub unreadable: Vec<(PathBuf, String)>,
    /// Which learners fit them, where these are others than the house's or are challenged.
    pub standings: Vec<Standing>,
}

/// Lists the stored models of whole grosses and openings.
///
/// # Errors
/// Where the folder cannot be listed.
pub async fn models(workspace: &Workspace, permit: &Permit) -> Result<Models, AppError> {
    permit.require(Action::Read)?;
    let data = now(workspace, permit).await?;
    let open = workspace.is_open(permit).await?;
    let standings = workspace.models().learners().standings()?;
    let mut found = Models { shown: Vec::new(), unreadable: Vec::new(), standings };
    for kept in workspace.models().all::<FittedModel>()? {
        let key = kept.key();
        match kept.model {
            // Where something is closed, what was trained on another view of the lake may be another team's.
            Ok(model) if model.data() != data && !open => {}
            Ok(model) => found.shown.push(shown(key, &model, &data)),
            Err(why) => found.unreadable.push((kept.path, why)),
        }
    }
    found.shown.sort_by_key(|s| (s.horizon, s.target, s.population, s.trained_before));
    Ok(found)
}

/// The stored model that recorded forecasts or the list name by its key, its SHA-256, or the beginning of either.
///
/// # Errors
/// [`AppError::NoModel`] where none or several are so named.
pub async fn model(workspace: &Workspace, name: &str, permit: &Permit) -> Result<Shown, AppError> {
    let all = models(workspace, permit).await?.shown;
    let mut named = all
        .into_iter()
        .filter(|s| !name.is_empty() && (s.key.starts_with(name) || s.sha256.starts_with(name)));
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one),
        (first, _) => Err(AppError::NoModel { name: name.to_owned(), several: first.is_some() }),
    }
}

/// Deletes the models that no question asks for any more: those of earlier versions of the lake, and files that cannot be
/// read. What a later question needs is trained again.
///
/// # Errors
/// Where a file cannot be deleted.
pub async fn prune(workspace: &Workspace, permit: &Permit) -> Result<Vec<PathBuf>, AppError> {
    permit.require(Action::Train)?;
    let data = now(workspace, permit).await?;
    let store = workspace.models();
    let stale = [
        stale::<FittedModel>(&store, &data)?,
        stale::<FittedWeeks>(&store, &data)?,
        stale::<FittedStreaming>(&store, &data)?,
        stale::<FittedAwards>(&store, &data)?,
        stale::<FittedTable>(&store, &data)?,
    ];
    let gone = stale.concat();
    for path in &gone {
        std::fs::remove_file(path).map_err(|source| AppError::File {
            path: path.clone(),
            doing: "deleting",
            source,
        })?;
    }
    Ok(gone)
}

/// The files of models of a kind that no question asks for any more.
fn stale<M: Stored>(store: &ModelStore, data: &str) -> Result<Vec<PathBuf>, AppError> {
    let stale = |kept: &Kept<M>| kept.model.as_ref().map_or(true, |model| model.lake() != data);
    Ok(store.all::<M>()?.into_iter().filter(stale).map(|kept| kept.path).collect())
}

/// Fingerprint of the lake's version of now.
async fn now(workspace: &Workspace, permit: &Permit) -> Result<String, AppError> {
    Ok(workspace.snapshot(permit).await?.fingerprint())
}

fn shown(key: String, model: &FittedModel, data: &str) -> Shown {
    Shown {
        key,
        horizon: model.horizon(),
        target: model.target(),
        population: model.population(),
        trained_before: model.trained_before(),
        films: model.rows(),
        data: model.data().to_owned(),
        current: model.data() == data,
        sha256: model.fingerprint().to_owned(),
        members: model.ensemble().report().members.clone(),
        card: model.card().clone(),
    }
}
