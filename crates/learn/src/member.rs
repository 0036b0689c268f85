//! The kinds of model that an ensemble can hold, behind one description and one fitted shape.

use crate::boosting::BoostingSpec;
use crate::control::Steps;
use crate::dataset::{Dataset, Features};
use crate::error::LearnError;
use crate::forest::ForestSpec;
use crate::network::{FittedNetwork, NetworkSpec, References};
use crate::owen::{Paths, agree};
use crate::ridge::{FittedRidge, RidgeSpec};
use crate::shapley::Background;
use crate::tree::{Trees, check_trees};
use marquee_domain::Control;
use serde::{Deserialize, Serialize};

/// A description of one member of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MemberSpec {
    /// Gradient-boosted trees.
    Boosting(BoostingSpec),
    /// A random forest.
    Forest(ForestSpec),
    /// Ridge regression.
    Ridge(RidgeSpec),
    /// A network of one hidden layer.
    Network(NetworkSpec),
}

/// A fitted member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FittedMember {
    /// Gradient-boosted trees, all seeds together.
    Boosting(Trees),
    /// A random forest.
    Forest(Trees),
    /// Ridge regression.
    Ridge(FittedRidge),
    /// A network of one hidden layer, all seeds together.
    Network(FittedNetwork),
}

impl MemberSpec {
    /// A word for people.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Boosting(_) => "boosting",
            Self::Forest(_) => "forest",
            Self::Ridge(_) => "ridge",
            Self::Network(_) => "network",
        }
    }

    /// Fits this member alone on the given rows of a dataset.
    ///
    /// # Errors
    /// [`LearnError::Parameter`], [`LearnError::UnknownFeature`], [`LearnError::NoGroups`],
    /// [`LearnError::TooFewRows`] for none, or as `control` demands.
    pub fn fit(
        &self,
        data: &Dataset,
        rows: &[usize],
        seed: u64,
        control: &Control,
    ) -> Result<FittedMember, LearnError> {
        self.fit_steps(data, rows, seed, &Steps::new(control, self.steps()))
    }

    pub(crate) fn check(&self) -> Result<(), LearnError> {
        match self {
            Self::Boosting(spec) => spec.check(),
            Self::Forest(spec) => spec.check(),
            Self::Ridge(spec) => spec.check(),
            Self::Network(spec) => spec.check(),
        }
    }

    pub(crate) fn steps(&self) -> usize {
        match self {
            Self::Boosting(spec) => spec.steps(),
            Self::Forest(spec) => spec.steps(),
            Self::Ridge(_) => 1,
            Self::Network(spec) => spec.steps(),
        }
    }

    pub(crate) fn fit_steps(
        &self,
        data: &Dataset,
        rows: &[usize],
        seed: u64,
        steps: &Steps<'_>,
    ) -> Result<FittedMember, LearnError> {
        let found = rows.len();
        if found < 2 || rows.iter().any(|&i| i >= data.len()) {
            return Err(LearnError::TooFewRows { what: "a fit", needed: 2, found: found.min(data.len()) });
        }
        if data.features().grouped().is_empty() {
            return Err(LearnError::NoGroups);
        }
        steps.check()?;
        Ok(match self {
            Self::Boosting(spec) => FittedMember::Boosting(spec.fit(data, rows, seed, steps)?),
            Self::Forest(spec) => FittedMember::Forest(spec.fit(data, rows, seed, steps)?),
            Self::Ridge(spec) => {
                let fitted = FittedMember::Ridge(spec.fit(data, rows)?);
                steps.finish("ridge");
                fitted
            }
            Self::Network(spec) => FittedMember::Network(spec.fit(data, rows, seed, steps)?),
        })
    }
}

impl FittedMember {
    /// A word for people.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Boosting(_) => "boosting",
            Self::Forest(_) => "forest",
            Self::Ridge(_) => "ridge",
            Self::Network(_) => "network",
        }
    }

    /// The prediction for one row, which must have a value (or NaN) for every feature of the dataset.
    ///
    /// # Panics
    /// If the row is shorter.
    pub fn predict(&self, row: &[f64]) -> f64 {
        match self {
            Self::Boosting(trees) | Self::Forest(trees) => trees.predict(row),
            Self::Ridge(ridge) => ridge.predict(row),
            Self::Network(network) => network.predict(row),
        }
    }

    /// Refuses decoded members that could leave an array or yield NaN.
    pub(crate) fn check_decoded(&self, features: &Features) -> Result<(), LearnError> {
        match self {
            Self::Boosting(trees) | Self::Forest(trees) => check_trees(trees, features.len()),
            Self::Ridge(ridge) if ridge.is_well_formed(features) => Ok(()),
            Self::Network(network) if network.is_well_formed(features) => Ok(()),
            Self::Ridge(_) | Self::Network(_) => {
                Err(crate::artefact::ArtefactError::Inconsistent { part: self.label() }.into())
            }
        }
    }
}

/// What a member must know of the reference rows in order to explain a row against them.
#[derive(Debug, Clone)]
pub(crate) enum Explainer {
    Trees(Background),
    Ridge(Vec<f64>),
    Network(References),
}

impl Explainer {
    pub(crate) fn new(member: &FittedMember, features: &Features, references: &[Vec<f64>]) -> Self {
        match member {
            FittedMember::Boosting(trees) | FittedMember::Forest(trees) => {
                Self::Trees(Background::new(trees, features, references))
            }
            FittedMember::Ridge(ridge) => Self::Ridge(ridge.reference_effects(references)),
            FittedMember::Network(network) => Self::Network(network.lay_out(features, references)),
        }
    }

    /// Adds `weight` times the member's Shapley values to `into` and returns `weight` times its base.
    pub(crate) fn explain(
        &self,
        member: &FittedMember,
        features: &Features,
        row: &[f64],
        weight: f64,
        into: &mut [f64],
    ) -> f64 {
        match (self, member) {
            (Self::Trees(background), FittedMember::Boosting(trees) | FittedMember::Forest(trees)) => {
                background.explain(trees, row, weight, into);
                weight * background.base()
            }
            (Self::Ridge(effects), FittedMember::Ridge(ridge)) => {
                ridge.explain(effects, features, row, weight, into);
                weight * ridge.base(effects)
            }
            (Self::Network(references), FittedMember::Network(network)) => {
                network.explain(references, features, row, weight, into);
                weight * references.base()
            }
            // An explainer is only ever made from its own member.
            _ => 0.0,
        }
    }

    /// Adds `weight` times what each feature adds to `into`, which has a place for each feature. `paths` are the member's, where
    /// it is made of trees, and `groups` what [`Explainer::explain`] gave its groups with this weight.
    pub(crate) fn explain_features(
        &self,
        (member, paths): (&FittedMember, Option<&Paths>),
        (features, references): (&Features, &[Vec<f64>]),
        (row, weight): (&[f64], f64),
        groups: &[f64],
        into: &mut [f64],
    ) {
        match (self, member, paths) {
            (Self::Trees(_), FittedMember::Boosting(trees) | FittedMember::Forest(trees), Some(paths)) => {
                paths.explain(trees, row, weight, into);
            }
            (Self::Ridge(effects), FittedMember::Ridge(ridge), _) => {
                ridge.explain_features(effects, row, weight, into);
            }
            (Self::Network(_), FittedMember::Network(network), _) => {
                let mut parts = vec![0.0; into.len()];
                network.along_the_way(references, row, weight, &mut parts);
                agree(&mut parts, groups, features);
                into.iter_mut().zip(parts).for_each(|(into, part)| *into += part);
            }
            // An explainer is only ever made from its own member.
            _ => {}
        }
    }
}

impl FittedMember {
    /// The ways to its leaves, where it is made of trees.
    pub(crate) fn paths(&self, features: &Features, references: &[Vec<f64>]) -> Option<Paths> {
        match self {
            Self::Boosting(trees) | Self::Forest(trees) => Some(Paths::new(trees, features, references)),
            Self::Ridge(_) | Self::Network(_) => None,
        }
    }
}
