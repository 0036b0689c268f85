//! Forecast: what a title or a project will gross, how sure that is, why; on request committed to the track record.

use chrono::{DateTime, Utc};
use marquee_domain::{
    AsOf, Control, Day, Forecast, Gross, Horizon, Population, Probability, Project, Target, TitleId,
};
use marquee_forecast::{Profile, Unheard};
use marquee_invest::{Candidate, Deal, ProjectReturn, Simulation};
use marquee_platform::{Action, Entry, Permit, Stream};

use crate::cpu;
use crate::error::AppError;
use crate::forecasting::{Forecaster, Terms, as_project, find_title, project_day};
use crate::knowledge::{Knowledge, Reach};
use crate::recorded::{Recorded, actual_of};
use crate::workspace::Workspace;

/// What is to be forecast.
#[derive(Debug, Clone)]
pub enum Asked {
    /// A title of the catalogue: a name, an id, or a source id.
    Title(String),
    /// A project that is not in the catalogue.
    Project(Box<Project>),
}

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is to be forecast.
    pub asked: Asked,
    /// The day whose knowledge may be used; for a title 30 days before its release and for its opening the day before, for a
    /// project its greenlight day or today.
    pub as_of: Option<Day>,
    /// What is predicted.
    pub target: Target,
    /// By the model of which films.
    pub population: Option<Population>,
    /// Whether to answer at the horizons before that of the as-of day too; for a title of the catalogue.
    pub fan: bool,
    /// Whether to commit the answer to the track record.
    pub record: bool,
    /// The deal that break-even is reckoned with.
    pub deal: Deal,
    /// The seed of all randomness.
    pub seed: u64,
    /// The moment of asking.
    pub now: DateTime<Utc>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The forecast.
    pub forecast: Forecast,
    /// The forecasts of earlier horizons, in order of time, where they were asked for.
    pub earlier: Vec<Forecast>,
    /// The worldwide gross at which the project breaks even, gross-implied, and the chance to pass it; from a domestic
    /// forecast through the deal's share of grosses abroad.
    pub break_even: Option<(Gross, Probability)>,
    /// Profit and return, gross-implied.
    pub returns: Option<ProjectReturn>,
    /// What the run had taken on the as-of day, for a forecast that looks at it. US dollars, nominal.
    pub taken: Option<f64>,
    /// What happened, where the catalogue knows it by now. US dollars, nominal.
    pub actual: Option<f64>,
    /// The newest outcome that the answer rests on: how old its knowledge is.
    pub newest_fact: Day,
    /// What a project states that no settled title had.
    pub unheard: Vec<Unheard>,
    /// The entry in the track record, where one was asked for.
    pub entry: Option<Entry>,
}

/// Answers a question.
///
/// # Errors
/// A title that cannot be told, one that lacks a budget, a chart or a release day, an as-of day at which nobody forecasts
/// the target, too few settled titles to learn from.
pub async fn forecast(
    workspace: &Workspace,
    question: Question,
    control: &Control,
    permit: &Permit,
) -> Result<Answer, AppError> {
    permit.require(if question.record { Action::Write } else { Action::Read })?;
    let snapshot = workspace.snapshot(permit).await?;
    let found = match &question.asked {
        Asked::Title(text) => Some(find_title(&snapshot, text).await?.title),
        Asked::Project(_) => None,
    };
    let knowledge = workspace.knowledge(&snapshot, reach(&question), permit).await?;
    let mut forecaster = Forecaster::new(knowledge, workspace.models());
    let (control, asked) = (control.clone(), question.clone());
    let mut answer = cpu::run(move || answer(&mut forecaster, &asked, found, &control)).await?;
    if question.record {
        let late = answer.actual.is_some() || is_late(&answer.forecast, day_of(question.now));
        let recorded = Recorded::new(&answer.forecast, late);
        let ledger = workspace.ledger(permit).await?;
        let entry =
            ledger.append(&Stream::track(), Recorded::KIND, &recorded.payload()?, question.now).await?;
        answer.entry = Some(entry);
    }
    Ok(answer)
}

/// How far the facts must go: an opening needs charts, and so does a run at home in the last month before its release or
/// later. A title's release at home may be earlier than the catalogue's first, so that any day that is asked for may be.
fn reach(question: &Question) -> Reach {
    let near = |project: &Project| {
        let as_of = question.as_of.unwrap_or_else(|| project_day(project, day_of(question.now)));
        AsOf(as_of) > Horizon::Announced.as_of(project.release)
    };
    let charted = match (question.target, &question.asked) {
        (Target::Opening, _) => true,
        (Target::Domestic, Asked::Project(project)) => near(project),
        (Target::Domestic, Asked::Title(_)) => question.as_of.is_some(),
        (Target::Worldwide, _) => false,
    };
    if charted { Reach::Runs } else { Reach::Plans }
}

/// Whether a forecast is recorded when the world knew more than it used: after the release; one that looks at the first
/// day, on the next; one that looks at a weekend, when the next has begun.
fn is_late(forecast: &Forecast, today: Day) -> bool {
    let since = today.days_since(forecast.as_of.0);
    match forecast.horizon {
        Horizon::OpeningDay => since > 0,
        horizon if horizon.sees_run() => since > 4,
        _ => forecast.release <= today,
    }
}

/// The day on which a title is judged where nobody says: 30 days before its release, for its opening the day before. When it
/// opens at home, the source of the openings says; that only chooses the day to ask about.
fn title_day(knowledge: &Knowledge, title: TitleId, release: Day, target: Target) -> AsOf {
    match target {
        Target::Opening => {
            let scope = knowledge.scope(target, Day::MAX);
            Horizon::PreRelease.as_of(knowledge.release(&scope, title).unwrap_or(release))
        }
        Target::Domestic | Target::Worldwide => Horizon::Announced.as_of(release),
    }
}

fn answer(
    forecaster: &mut Forecaster,
    question: &Question,
    found: Option<marquee_domain::Title>,
    control: &Control,
) -> Result<Answer, AppError> {
    let terms = |as_of| Terms {
        target: question.target,
        population: question.population,
        as_of,
        seed: question.seed,
    };
    let today = day_of(question.now);
    let (project, forecast) = match (&question.asked, found) {
        (Asked::Project(project), _) => {
            let as_of = AsOf(question.as_of.unwrap_or_else(|| project_day(project, today)));
            (Some((**project).clone()), forecaster.project(project, &terms(as_of), control)?)
        }
        (Asked::Title(text), None) => return Err(AppError::NoTitle(text.clone())),
        (Asked::Title(_), Some(title)) => {
            let lacking = || AppError::Lacking { name: title.name.clone(), missing: "release day" };
            let release = title.release.as_ref().map(|r| r.day).ok_or_else(lacking)?;
            let as_of = match question.as_of {
                Some(day) => AsOf(day),
                None => title_day(forecaster.knowledge(), title.id, release, question.target),
            };
            let forecast = forecaster.title(title.id, &title.name, release, &terms(as_of), control)?;
            let profile = forecaster.history(question.target, forecast.as_of)?.profile(title.id);
            (as_project(&title.name, &profile, forecast.release).ok(), forecast)
        }
    };
    let earlier =
        if question.fan { forecaster.earlier(&forecast, question.seed, control)? } else { Vec::new() };
    let history = forecaster.history(question.target, forecast.as_of)?;
    let unheard = match question.asked {
        Asked::Project(ref project) => history.unheard(&Profile::of_project(project, forecast.horizon)),
        Asked::Title(_) => Vec::new(),
    };
    // An opening is no run to pay anybody from, and who knows no cost knows no profit.
    let returns = match project.filter(|_| forecast.target != Target::Opening) {
        Some(project) => {
            let candidate = Candidate::new(project, std::slice::from_ref(&forecast))?;
            let simulation = Simulation { seed: question.seed, ..Simulation::default() };
            simulation.run(&[candidate], &question.deal, control)?.returns().first().cloned()
        }
        None => None,
    };
    let break_even = returns.as_ref().map(|r| (r.break_even, r.above_break_even));
    let taken = forecast.title.filter(|_| forecast.horizon.sees_run()).and_then(|title| history.taken(title));
    let actual = actual_of(&forecast, forecaster.knowledge());
    let newest_fact = history.now();
    Ok(Answer { forecast, earlier, break_even, returns, taken, actual, newest_fact, unheard, entry: None })
}

fn day_of(moment: DateTime<Utc>) -> Day {
    Day::from_epoch_days((moment.timestamp() / 86_400) as i32).unwrap_or(Day::MAX)
}
