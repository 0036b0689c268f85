//! Due: which stored models are to be trained anew by a policy of age, volume and drift, and the training.
//!
//! A question always gets a model of the lake as it is and of the year that it is asked in: where none is stored, one is
//! fitted then and there. What is due is what such a question would wait for, or what has met films unlike those it knows.

use std::collections::BTreeMap;

use marquee_domain::{AsOf, Control, Day, Horizon, Target};
use marquee_forecast::drift::{drift as judge, fewest};
use marquee_forecast::{FittedModel, ForecastError, Panel};
use marquee_learn::drift::DriftSpec;
use marquee_platform::{Action, Permit};

use crate::cpu;
use crate::error::AppError;
use crate::knowledge::{ModelAsk, Reach, training_cut};
use crate::learners::Which;
use crate::workspace::Workspace;

/// When a model is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// So many days after the day before which its outcomes were known.
    pub days: u32,
    /// Once so large a share of what it learned from has come to be known besides.
    pub share: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { days: 365, share: 0.05 }
    }
}

/// How many years before a year its films are set against.
const BACK: i32 = 5;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DueQuestion {
    /// The policy.
    pub policy: Policy,
    /// The day on which models are to be fit for questions.
    pub as_of: Day,
    /// Whether what is due is trained.
    pub retrain: bool,
    /// The seed of all randomness.
    pub seed: u64,
}

/// How a kind of model stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Of which kind.
    pub which: Which,
    /// The key of the newest that is stored.
    pub key: String,
    /// Only outcomes known before this day were learned from.
    pub trained_before: Day,
    /// How many films it learned from.
    pub films: usize,
    /// Days from that day to the one that is asked about.
    pub age: i32,
    /// How many films more, or fewer, it would learn from now.
    pub change: i64,
    /// Columns in which the films of the last whole year drifted away, or where its outcomes fell; none where that cannot be
    /// judged: the model has learned from that year, or too few films of it are known.
    pub drifted: Option<Vec<String>>,
    /// Why it is due, or was before it was trained now; empty where it is not.
    pub reasons: Vec<&'static str>,
    /// Whether it was trained now.
    pub retrained: bool,
}

/// Looks at the newest stored model of each kind, and trains what is due where that is asked for.
///
/// # Errors
/// Where the store cannot be read; what training says.
pub async fn due(
    workspace: &Workspace,
    question: DueQuestion,
    control: &Control,
    permit: &Permit,
) -> Result<Vec<Due>, AppError> {
    permit.require(if question.retrain { Action::Train } else { Action::Read })?;
    let store = workspace.models();
    let cut = training_cut(AsOf(question.as_of));
    let mut newest: BTreeMap<Which, (String, FittedModel)> = BTreeMap::new();
    for kept in store.all::<FittedModel>()? {
        let key = kept.key();
        let Ok(model) = kept.model else { continue };
        let which =
            Which { horizon: model.horizon(), target: model.target(), population: model.population() };
        let later = newest.get(&which).is_none_or(|(_, m)| m.trained_before() <= model.trained_before());
        if model.trained_before() <= cut && later {
            newest.insert(which, (key, model));
        }
    }
    let asked: Vec<_> = newest.keys().map(|which| (which.horizon, which.target)).collect();
    let (horizons, targets): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::of(&horizons, &targets), permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let mut found = Vec::new();
        let mut panel: Option<((Horizon, Target), Panel)> = None;
        for (which, (key, model)) in newest {
            control.check().map_err(ForecastError::from)?;
            // Populations of one horizon and target follow each other.
            let of = (which.horizon, which.target);
            let seen = match panel.take().filter(|(own, _)| *own == of) {
                Some((_, seen)) => seen,
                None => {
                    let scope = knowledge.scope(which.target, cut);
                    Panel::fold(&knowledge.facts, knowledge.settled(&scope), &scope, which.horizon)?
                }
            };
            let mut due = stands(&seen, &knowledge.fingerprint, &question, which, (key, &model))?;
            panel = Some((of, seen));
            if question.retrain && !due.reasons.is_empty() {
                let ask = ModelAsk { which, cut, seed: question.seed };
                let trained = knowledge.model(&store, &ask, &control)?;
                (due.trained_before, due.films) = (trained.trained_before(), trained.rows());
                (due.age, due.change) = (question.as_of.days_since(trained.trained_before()), 0);
                due.retrained = true;
            }
            found.push(due);
        }
        Ok(found)
    })
    .await
}

fn stands(
    panel: &Panel,
    data: &str,
    question: &DueQuestion,
    which: Which,
    (key, model): (String, &FittedModel),
) -> Result<Due, AppError> {
    let cut = training_cut(AsOf(question.as_of));
    let ask = ModelAsk { which, cut, seed: question.seed };
    let spec = ask.spec(data, crate::learners::house());
    let change = spec.training_rows(panel).len() as i64 - model.rows() as i64;
    let age = question.as_of.days_since(model.trained_before());
    let drifted = drifted(panel, model, cut.year() - 1, question.seed)?;
    let old = i64::from(age) > i64::from(question.policy.days);
    let grown = change.unsigned_abs() as f64 > question.policy.share * model.rows() as f64;
    let away = drifted.as_ref().is_some_and(|columns| !columns.is_empty());
    // One of this year's questions is not made younger by training it again.
    let spent = model.trained_before() == cut && model.data() == data;
    let reasons = [("age", old), ("volume", grown), ("drift", away)];
    let reasons = reasons.into_iter().filter(|(_, holds)| *holds && !spent).map(|(reason, _)| reason);
    Ok(Due {
        which,
        key,
        trained_before: model.trained_before(),
        films: model.rows(),
        age,
        change,
        drifted,
        reasons: reasons.collect(),
        retrained: false,
    })
}

/// The columns in which the films of a year drifted from those before, by a model that did not learn from them.
fn drifted(
    panel: &Panel,
    model: &FittedModel,
    year: i32,
    seed: u64,
) -> Result<Option<Vec<String>>, AppError> {
    let first = Day::new(year, 1, 1)?;
    if model.trained_before() > first {
        return Ok(None);
    }
    let new = first..=Day::new(year, 12, 31)?;
    let earlier = Day::new(year - BACK, 1, 1)?..=first.plus(-1);
    if fewest(panel, (model.population(), model.target()), [&earlier, &new]).is_err() {
        return Ok(None);
    }
    let spec = DriftSpec { seed, ..DriftSpec::default() };
    let found = judge(panel, model, (&earlier, &new), spec)?;
    Ok(Some(found.columns.into_iter().filter(|(_, c)| c.drifted).map(|(name, _)| name).collect()))
}
