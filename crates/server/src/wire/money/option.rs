//! What a project is worth where one may decide stage by stage.

use marquee_app::types::AbandonBelow as HouseAbandonBelow;
use marquee_app::use_cases::option::Staged;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::forecast::Forecast;

/// The worth of a project with its rights to abandon, wait, enlarge and continue. US dollars, nominal, discounted to the
/// first stage, without incentives and expenses of sale.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OptionAnswer {
    /// What must be said beside these figures.
    #[schema(value_type = String)]
    pub note: &'static str,
    /// Its worth with every right used at its best.
    pub value_usd: f64,
    /// Its worth committed to every stage.
    pub committed_usd: f64,
    /// Its worth by simulation; null where that was not asked for.
    pub simulated: Option<SimulatedValue>,
    /// What each right adds.
    pub options: Vec<Right>,
    /// What happens before each stage.
    pub gates: Vec<Gate>,
    /// The probability that it is released, 0 to 1.
    pub released: f64,
    /// The probability that a sequel is made, 0 to 1.
    pub sequel: f64,
    /// The forecast that all of it was reckoned from.
    pub forecast: Forecast,
}

/// A worth by simulation. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SimulatedValue {
    /// The worth.
    pub value_usd: f64,
    /// Its standard error.
    pub standard_error_usd: f64,
}

/// What a right is worth. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Right {
    /// The right: to abandon, wait, expand or make a sequel.
    pub option: String,
    /// The film's worth with only this right.
    pub only_usd: f64,
    /// The film's worth with every right but this one.
    pub without_usd: f64,
    /// What it adds to being committed; never below zero.
    pub adds_alone_usd: f64,
    /// What it adds to all other rights; never below zero.
    pub adds_to_the_others_usd: f64,
}

/// What happens before a stage, every right used at its best. Probabilities, 0 to 1, are as seen from the first stage.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Gate {
    /// The stage.
    pub stage: String,
    /// That it is reached.
    pub reached: f64,
    /// That one waits there.
    pub waits: f64,
    /// That the film is abandoned there.
    pub abandoned: f64,
    /// That the film is enlarged there.
    pub enlarged: f64,
    /// Below which forecast it is abandoned.
    pub abandon_below_usd: AbandonBelow,
}

/// When a film is abandoned.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AbandonBelow {
    /// Below this median of the forecast as it then is, US dollars, nominal.
    Forecast(f64),
    /// `never`, at `any` forecast, or it `may not` be abandoned.
    Word(String),
}

impl From<&HouseAbandonBelow> for AbandonBelow {
    fn from(below: &HouseAbandonBelow) -> Self {
        Self::Word(match below {
            HouseAbandonBelow::Forecast { median, .. } => return Self::Forecast(median.0.major()),
            HouseAbandonBelow::NotAllowed => "may not".to_owned(),
            HouseAbandonBelow::Always => "any".to_owned(),
            HouseAbandonBelow::Never => "never".to_owned(),
        })
    }
}

impl From<&Staged> for OptionAnswer {
    fn from(found: &Staged) -> Self {
        let a = &found.answer;
        let rights = a.options.iter().map(|o| Right {
            option: o.option.as_str().to_owned(),
            only_usd: o.only.major(),
            without_usd: o.without.major(),
            adds_alone_usd: o.alone.major(),
            adds_to_the_others_usd: o.adds.major(),
        });
        let gates = a.gates.iter().map(|g| Gate {
            stage: g.stage.clone(),
            reached: g.reached.get(),
            waits: g.waits.get(),
            abandoned: g.abandoned.get(),
            enlarged: g.enlarged.get(),
            abandon_below_usd: (&g.abandon).into(),
        });
        Self {
            note: "gross-implied: reckoned from grosses through assumed deal terms and stages",
            value_usd: a.value.major(),
            committed_usd: a.committed.major(),
            simulated: found.simulated.as_ref().map(|s| SimulatedValue {
                value_usd: s.value.major(),
                standard_error_usd: s.standard_error.major(),
            }),
            options: rights.collect(),
            gates: gates.collect(),
            released: a.released.get(),
            sequel: a.sequel.get(),
            forecast: (&found.forecast).into(),
        }
    }
}
