//! Streaming: what the titles on weekly lists will be viewed next week, whether they stay and for how long; and how good
//! such forecasts were.

use std::ops::RangeInclusive;

use marquee_domain::{AsOf, Control, Day};
use marquee_forecast::streaming::{
    FittedStreaming, Lists, StreamingForecast, StreamingSpec, StreamingTest, test as judge,
};
use marquee_platform::{Action, Permit};

use crate::asked::Asked;
use crate::cpu;
use crate::error::AppError;
use crate::knowledge::{Reach, learner, training_cut};
use crate::models::ModelKey;
use crate::workspace::Workspace;

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamingQuestion {
    /// A title, or all of the newest lists.
    pub title: Option<String>,
    /// The day whose knowledge may be used; the newest where nobody says.
    pub as_of: Option<Day>,
    /// The seed of all randomness.
    pub seed: u64,
}

/// Forecasts the titles of the newest lists known on a day, by list and place; of one title its newest week.
///
/// The models learned from what was known before the first day of that day's year.
///
/// # Errors
/// [`AppError::NoLists`] without any, [`AppError::NotListed`] where none names the title; too few weeks to learn from.
pub async fn streaming(
    workspace: &Workspace,
    question: StreamingQuestion,
    control: &Control,
    permit: &Permit,
) -> Result<Vec<StreamingForecast>, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let asked = match &question.title {
        Some(text) => Some((text.clone(), Asked::Title(text.clone()).find(&snapshot).await?)),
        None => None,
    };
    let knowledge = workspace.knowledge(&snapshot, Reach::Lists, permit).await?;
    let (models, control) = (workspace.models(), control.clone());
    cpu::run(move || {
        let newest = knowledge.facts.last().map_or(Day::MIN, |fact| fact.known_on);
        let as_of = AsOf(question.as_of.unwrap_or(newest));
        let lists = Lists::of(&knowledge.facts, as_of);
        if lists.last().is_none() {
            return Err(AppError::NoLists);
        }
        if let Some((name, found)) = &asked
            && found.title().is_none_or(|title| !lists.listings.contains_key(&title))
        {
            return Err(AppError::NotListed { name: name.clone(), as_of: as_of.0 });
        }
        let (trained_before, data) = (training_cut(as_of), knowledge.fingerprint.clone());
        let spec = StreamingSpec { trained_before, data, ensemble: learner(question.seed) };
        let key = ModelKey::of::<FittedStreaming>(&spec);
        let fitted = models.load_or_fit(&key, || Ok(spec.fit(&lists, &control)?))?;
        let titles = match &asked {
            Some((_, found)) => found.title().into_iter().collect(),
            None => lists.newest(),
        };
        let mut forecasts = Vec::new();
        for title in titles {
            forecasts.extend(fitted.forecast(&lists, title)?);
        }
        Ok(forecasts)
    })
    .await
}

/// Tests forecasts of streaming on the lists that became known in a period, by models of what was known before it.
///
/// # Errors
/// Too few weeks to learn from or none to test.
pub async fn streaming_test(
    workspace: &Workspace,
    (period, seed): (RangeInclusive<Day>, u64),
    control: &Control,
    permit: &Permit,
) -> Result<StreamingTest, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Lists, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        // Lists that came after the period tell what became of its titles.
        let lists = Lists::of(&knowledge.facts, AsOf(Day::MAX));
        if lists.last().is_none() {
            return Err(AppError::NoLists);
        }
        let (trained_before, data) = (*period.start(), knowledge.fingerprint.clone());
        let spec = StreamingSpec { trained_before, data, ensemble: learner(seed) };
        Ok(judge(&lists, &spec, &period, &control)?)
    })
    .await
}
