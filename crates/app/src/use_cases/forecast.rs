//! Forecast: what a title or a project will gross, how sure that is, why; on request committed to the track record.

use chrono::{DateTime, Utc};
use marquee_domain::{Control, Day, Forecast, Gross, Horizon, Probability, Project, Target};
use marquee_forecast::what_if::Change;
use marquee_forecast::{Subject, Unheard};
use marquee_invest::{Candidate, Deal, ProjectReturn, Simulation};
use marquee_platform::{Action, Entry, Permit, Stream};

use crate::asked::Found;
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::{Forecaster, Inquiry, Terms, as_project};
use crate::recorded::Recorded;
use crate::workspace::Workspace;

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is to be forecast.
    pub about: Inquiry,
    /// Whether to answer at the horizons before that of the as-of day too; for a title of the catalogue.
    pub fan: bool,
    /// What is to be changed about it in a second answer, beside the first.
    pub what_if: Vec<Change>,
    /// Whether to commit the answer to the track record.
    pub record: bool,
    /// The deal that break-even is reckoned with.
    pub deal: Deal,
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
    /// The answer with the changes made, where any were asked for.
    pub what_if: Option<WhatIf>,
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

/// What would be with something changed, by the same model as of the same day.
#[derive(Debug)]
pub struct WhatIf {
    /// The forecast.
    pub forecast: Forecast,
    /// Profit and return, gross-implied.
    pub returns: Option<ProjectReturn>,
    /// The changes that this model does not see: they change nothing.
    pub unseen: Vec<Change>,
    /// What the changes state that no settled title had.
    pub unheard: Vec<Unheard>,
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
    permit.require(if question.record { Action::Record } else { Action::Read })?;
    let (forecaster, found) = question.about.open(workspace, permit).await?;
    let (control, asked) = (control.clone(), question.clone());
    let mut answer = cpu::run(move || answer(&forecaster, &asked, &found, &control)).await?;
    if question.record {
        let late = answer.actual.is_some() || is_late(&answer.forecast, question.about.today);
        let recorded = Recorded::new(&answer.forecast, late, workspace.held(permit).await?);
        let ledger = workspace.ledger(permit).await?;
        let entry =
            ledger.append(&Stream::track(), Recorded::KIND, &recorded.payload()?, question.now).await?;
        answer.entry = Some(entry);
    }
    Ok(answer)
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

fn answer(
    forecaster: &Forecaster,
    question: &Question,
    found: &Found,
    control: &Control,
) -> Result<Answer, AppError> {
    let (subject, terms) = forecaster.look(&question.about, found)?;
    let forecast = forecaster.forecast(&subject, &terms, control)?;
    let earlier = if question.fan { forecaster.earlier(&forecast, terms.seed, control)? } else { Vec::new() };
    let returns = returns(question, found, &subject, &forecast, control)?;
    let what_if = match question.what_if.as_slice() {
        [] => None,
        changes => {
            let terms = Terms { population: Some(forecast.population), ..terms };
            Some(what_if(forecaster, question, found, (&subject, &terms, changes), control)?)
        }
    };
    let history = forecaster.history(terms.target, forecast.as_of)?;
    let unheard = match found {
        Found::Project(_) => history.unheard(&subject.profile),
        Found::Title(_) => Vec::new(),
    };
    Ok(Answer {
        break_even: returns.as_ref().map(|r| (r.break_even, r.above_break_even)),
        taken: forecast.title.filter(|_| forecast.horizon.sees_run()).and_then(|title| history.taken(title)),
        actual: forecaster.actual(&forecast),
        newest_fact: history.now(),
        entry: None,
        forecast,
        earlier,
        returns,
        what_if,
        unheard,
    })
}

/// Profit and return of a forecast. An opening or a part of the world is no run to pay anybody from, and who knows no cost
/// knows no profit.
fn returns(
    question: &Question,
    found: &Found,
    subject: &Subject,
    forecast: &Forecast,
    control: &Control,
) -> Result<Option<ProjectReturn>, AppError> {
    let pays = matches!(forecast.target, Target::Domestic | Target::Worldwide);
    let Some(known) = as_project(found.name(), &subject.profile, subject.release).ok().filter(|_| pays)
    else {
        return Ok(None);
    };
    let marketing = match found {
        Found::Project(project) => project.marketing,
        Found::Title(_) => None,
    };
    let candidate = Candidate::new(Project { marketing, ..known }, std::slice::from_ref(forecast))?;
    let simulation = Simulation { seed: question.about.seed, ..Simulation::default() };
    Ok(simulation.run(&[candidate], &question.deal, control)?.returns().first().cloned())
}

/// The answer about the subject with changes made, on the same terms.
fn what_if(
    forecaster: &Forecaster,
    question: &Question,
    found: &Found,
    (subject, terms, changes): (&Subject, &Terms, &[Change]),
    control: &Control,
) -> Result<WhatIf, AppError> {
    if subject.horizon.sees_run() {
        return Err(AppError::Begun { name: found.name().to_owned(), as_of: subject.as_of.0 });
    }
    let changed = subject.with(changes)?;
    let forecast = forecaster.forecast(&changed, terms, control)?;
    let (model, history) =
        (forecaster.model_for(&changed, terms, control)?, forecaster.history(terms.target, subject.as_of)?);
    let mut unseen = Vec::new();
    for change in changes {
        let alone = subject.with(std::slice::from_ref(change))?;
        if alone != *subject && !model.tells_apart(&history, subject, &alone)? {
            unseen.push(change.clone());
        }
    }
    let returns = returns(question, found, &changed, &forecast, control)?;
    let before = history.unheard(&subject.profile);
    let mut unheard = history.unheard(&changed.profile);
    unheard.retain(|new| !before.contains(new));
    Ok(WhatIf { forecast, returns, unseen, unheard })
}
