//! The stacked forecaster: members fitted by time, weighed by how they did out of fold, with intervals
//! from those same out-of-fold errors and drivers that add up to the median.
//!
//! Order of work: each member is fitted on every forward-chained fold and predicts its block; stacking
//! weights, the scale model and the residual quantiles come from these predictions
//! only; then each member is fitted on all rows. Parts are fitted side by side and joined in a fixed order,
//! so that the same dataset, spec and seed give the same bytes on any number of threads.

use crate::artefact::{ArtefactError, decode, encode};
use crate::calibration::{Calibration, CalibrationSpec, Distribution};
use crate::control::Steps;
use crate::dataset::{Dataset, Features};
use crate::error::{LearnError, require};
use crate::member::{Explainer, FittedMember, MemberSpec};
use crate::metrics::LEVELS;
use crate::oof::{OutOfFold, calibrate};
use crate::owen::Paths;
use crate::scale::FittedScale;
use crate::split::{ForwardChain, Split};
use crate::stack::stack;
use crate::{BoostingSpec, NetworkSpec, RidgeSpec};
use marquee_domain::Control;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// The kind under which ensembles are stored.
pub const ENSEMBLE_KIND: &str = "ensemble";

/// A description of a stacked forecaster.
///
/// ```
/// use marquee_learn::{EnsembleSpec, ForwardChain};
///
/// let spec = EnsembleSpec {
///     chain: ForwardChain { folds: 4, embargo_days: 30, ..ForwardChain::default() },
///     seed: 7,
///     ..EnsembleSpec::default()
/// };
/// assert_eq!(spec.members.len(), 3);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleSpec {
    /// The members, at least one.
    pub members: Vec<MemberSpec>,
    /// The folds that members are weighed and intervals calibrated on.
    pub chain: ForwardChain,
    /// How residuals become intervals.
    pub calibration: CalibrationSpec,
    /// Pull of stacking weights towards equal ones: 0 for none, at most 10.
    pub stack_shrinkage: f64,
    /// Reference rows that drivers are measured against, 1 to 1024.
    pub references: usize,
    /// All randomness comes from here.
    pub seed: u64,
}

impl Default for EnsembleSpec {
    /// Boosting, ridge and a network. A forest may be added; the default one predicts worse than either and only dilutes them.
    fn default() -> Self {
        Self {
            members: vec![
                MemberSpec::Boosting(BoostingSpec::default()),
                MemberSpec::Ridge(RidgeSpec::default()),
                MemberSpec::Network(NetworkSpec::default()),
            ],
            chain: ForwardChain::default(),
            calibration: CalibrationSpec::default(),
            stack_shrinkage: 0.02,
            references: 24,
            seed: 0,
        }
    }
}

/// How the ensemble did out of fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Each member's label, stacking weight and out-of-fold RMSE in target units.
    pub members: Vec<MemberReport>,
    /// Out-of-fold RMSE of the stacked prediction.
    pub rmse: f64,
    /// Rows that were predicted out of fold.
    pub rows: usize,
    /// What was added to the stacked prediction: 0 but in ensembles of Marquee 0.1's first days, which moved it to the
    /// median residual of past folds. Out of time that made every score worse, so that no fit does it any more.
    pub shift: f64,
}

/// How one member did out of fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberReport {
    /// The kind of member.
    pub label: String,
    /// Its stacking weight, from 0 to 1.
    pub weight: f64,
    /// Its out-of-fold RMSE in target units.
    pub rmse: f64,
}

/// What was predicted of a row by members that had not learned from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The row's number in the dataset.
    pub row: usize,
    /// The stacked prediction, in target units.
    pub predicted: f64,
    /// Its quantiles at [`crate::metrics::LEVELS`], by intervals that were learned from the folds before its own; none in the
    /// first fold.
    pub quantiles: Option<[f64; 7]>,
}

/// A forecast's middle, its typical error and its size class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The median, in target units.
    pub centre: f64,
    /// The typical absolute error of such forecasts, in target units.
    pub scale: f64,
    /// The predicted tier, from zero for the smallest.
    pub tier: usize,
}

/// Why a forecast is what it is: contributions of driver groups that add up to the median.
#[derive(Debug, Clone, PartialEq)]
pub struct Drivers {
    /// The mean forecast over the reference rows.
    pub base: f64,
    /// One contribution for each group, in the order of [`Features::groups`], in target units.
    pub contributions: Vec<f64>,
}

impl Drivers {
    /// The base and all contributions together: the median.
    pub fn total(&self) -> f64 {
        self.base + self.contributions.iter().sum::<f64>()
    }
}

/// What is stored of a fitted ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Model {
    features: Features,
    members: Vec<FittedMember>,
    weights: Vec<f64>,
    /// As [`Report::shift`].
    shift: f64,
    scale: FittedScale,
    calibration: Calibration,
    references: Vec<Vec<f64>>,
    report: Report,
}

/// A fitted stacked forecaster.
#[derive(Debug, Clone)]
pub struct FittedEnsemble {
    model: Model,
    explainers: Vec<Explainer>,
    base: f64,
    /// Those of each member; made when features are first asked for, since they take longer than all else, and more room.
    paths: OnceLock<Vec<Option<Paths>>>,
}

impl EnsembleSpec {
    /// Fits the ensemble.
    ///
    /// # Errors
    /// [`LearnError::Parameter`], [`LearnError::UnknownFeature`], [`LearnError::NoGroups`],
    /// [`LearnError::TooFewRows`], or [`LearnError::Cancelled`] as `control` asks.
    pub fn fit(&self, data: &Dataset, control: &Control) -> Result<FittedEnsemble, LearnError> {
        let (splits, steps) = self.begin(data, control)?;
        Ok(self.fit_folds(data, &splits, &steps)?.0)
    }

    /// As [`EnsembleSpec::fit`], with what was predicted of each row that a fold tested.
    ///
    /// # Errors
    /// As [`EnsembleSpec::fit`].
    pub fn fit_judged(
        &self,
        data: &Dataset,
        control: &Control,
    ) -> Result<(FittedEnsemble, Vec<Judged>), LearnError> {
        let (splits, steps) = self.begin(data, control)?;
        let (fitted, oof) = self.fit_folds(data, &splits, &steps)?;
        let judged = self.judge(data, &splits, &oof, &steps)?;
        Ok((fitted, judged))
    }

    fn begin<'a>(&self, data: &Dataset, control: &'a Control) -> Result<(Vec<Split>, Steps<'a>), LearnError> {
        self.check()?;
        let splits = self.chain.split(data.examples())?;
        let steps = self.members.iter().map(MemberSpec::steps).sum::<usize>() * (splits.len() + 1) + 1;
        Ok((splits, Steps::new(control, steps)))
    }

    fn fit_folds(
        &self,
        data: &Dataset,
        splits: &[Split],
        steps: &Steps<'_>,
    ) -> Result<(FittedEnsemble, OutOfFold), LearnError> {
        let all: Vec<usize> = (0..data.len()).collect();
        let (folds, members) = rayon::join(
            || self.out_of_fold(data, splits, steps),
            || self.fit_members(data, &all, splits.len(), steps),
        );
        let (mut oof, members) = (folds?, members?);
        let targets = data.targets(&oof.rows);
        let weights = stack(&oof.members, &targets, &data.weights(&oof.rows), self.stack_shrinkage);
        oof.mix(&weights);
        let report = self.report(&oof, &targets, &weights);
        let (scale, calibration) = calibrate(&oof, data, &self.calibration, self.seed, steps)?;
        steps.finish("intervals");
        let features = data.features().clone();
        let references = self.choose_references(data, &members, &weights);
        let model = Model { features, members, weights, shift: 0.0, scale, calibration, references, report };
        Ok((FittedEnsemble::from_model(model), oof))
    }

    /// What was predicted of each row out of fold, with the ranges that the folds before its own would have given it.
    fn judge(
        &self,
        data: &Dataset,
        splits: &[Split],
        oof: &OutOfFold,
        steps: &Steps<'_>,
    ) -> Result<Vec<Judged>, LearnError> {
        let judged = oof.rows.iter().zip(&oof.centre);
        let mut judged: Vec<Judged> =
            judged.map(|(&row, &predicted)| Judged { row, predicted, quantiles: None }).collect();
        let mut begins = 0;
        for split in splits {
            let ends = begins + split.test.len();
            if begins > 0 {
                let before = oof.first(begins);
                let (scale, calibration) = calibrate(&before, data, &self.calibration, self.seed, steps)?;
                for judged in &mut judged[begins..ends] {
                    let (row, centre) = (data.row(judged.row), judged.predicted);
                    let knots = calibration.quantiles_at(centre);
                    let range = Distribution::new(
                        centre,
                        scale.predict(&row, centre),
                        calibration.tier(centre),
                        knots,
                    );
                    judged.quantiles = Some(LEVELS.map(|level| range.quantile(level)));
                }
            }
            begins = ends;
        }
        Ok(judged)
    }

    fn check(&self) -> Result<(), LearnError> {
        let n = self.members.len();
        require((1..=16).contains(&n), "number of members", n, "from 1 to 16")?;
        self.members.iter().try_for_each(MemberSpec::check)?;
        self.chain.check()?;
        self.calibration.check()?;
        let pull = self.stack_shrinkage;
        require((0.0..=10.0).contains(&pull), "stack_shrinkage", pull, "from 0 to 10")?;
        require((1..=1024).contains(&self.references), "references", self.references, "from 1 to 1024")
    }

    /// Each fold's seeds differ from each other's and from the final fit's.
    fn fit_members(
        &self,
        data: &Dataset,
        rows: &[usize],
        fold: usize,
        steps: &Steps<'_>,
    ) -> Result<Vec<FittedMember>, LearnError> {
        let seed = |m: usize| mix_seed(self.seed, (fold * 64 + m) as u64);
        let fit = |(m, member): (usize, &MemberSpec)| member.fit_steps(data, rows, seed(m), steps);
        self.members.par_iter().enumerate().map(fit).collect()
    }

    fn out_of_fold(
        &self,
        data: &Dataset,
        splits: &[Split],
        steps: &Steps<'_>,
    ) -> Result<OutOfFold, LearnError> {
        let blocks: Vec<Vec<Vec<f64>>> = splits
            .par_iter()
            .enumerate()
            .map(|(fold, split)| {
                let members = self.fit_members(data, &split.train, fold, steps)?;
                let rows: Vec<Vec<f64>> = split.test.iter().map(|&i| data.row(i)).collect();
                Ok(members.iter().map(|m| rows.iter().map(|row| m.predict(row)).collect()).collect())
            })
            .collect::<Result<_, LearnError>>()?;
        Ok(OutOfFold::join(splits, &blocks, self.members.len()))
    }

    fn report(&self, oof: &OutOfFold, targets: &[f64], weights: &[f64]) -> Report {
        let members =
            self.members.iter().zip(&oof.members).zip(weights).map(|((spec, predicted), &weight)| {
                MemberReport {
                    label: spec.label().into(),
                    weight,
                    rmse: crate::metrics::rmse(targets, predicted),
                }
            });
        let rmse = crate::metrics::rmse(targets, &oof.centre);
        Report { members: members.collect(), rmse, rows: targets.len(), shift: 0.0 }
    }

    /// Rows evenly spaced in the order of the stacked prediction.
    fn choose_references(&self, data: &Dataset, members: &[FittedMember], weights: &[f64]) -> Vec<Vec<f64>> {
        let predict = |i: usize| mixture(members, weights, &data.row(i));
        let centres: Vec<f64> = (0..data.len()).into_par_iter().map(predict).collect();
        let mut order: Vec<usize> = (0..data.len()).collect();
        order.sort_by(|&a, &b| centres[a].total_cmp(&centres[b]).then(a.cmp(&b)));
        let wanted = self.references.min(order.len());
        (0..wanted).map(|k| data.row(order[(2 * k + 1) * order.len() / (2 * wanted)])).collect()
    }
}

/// SplitMix64 of a seed and a place in the plan (Steele, Lea & Flood 2014).
pub(crate) fn mix_seed(seed: u64, place: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15u64.wrapping_mul(place + 1));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn mixture(members: &[FittedMember], weights: &[f64], row: &[f64]) -> f64 {
    members.iter().zip(weights).map(|(m, w)| if *w > 0.0 { w * m.predict(row) } else { 0.0 }).sum()
}

impl FittedEnsemble {
    fn from_model(model: Model) -> Self {
        let explain = |m: &FittedMember| Explainer::new(m, &model.features, &model.references);
        let explainers: Vec<Explainer> = model.members.iter().map(explain).collect();
        let mean = |row: &Vec<f64>| mixture(&model.members, &model.weights, row);
        let base =
            model.references.iter().map(mean).sum::<f64>() / model.references.len() as f64 + model.shift;
        Self { model, explainers, base, paths: OnceLock::new() }
    }

    /// What a row must hold.
    pub fn features(&self) -> &Features {
        &self.model.features
    }

    /// How the ensemble did out of fold.
    pub fn report(&self) -> &Report {
        &self.model.report
    }

    /// The inner edges of the predicted tiers, ascending, in target units: tier 0 lies below the first.
    pub fn tier_edges(&self) -> &[f64] {
        self.model.calibration.edges()
    }

    /// The members and their stacking weights.
    pub fn members(&self) -> impl Iterator<Item = (&FittedMember, f64)> {
        self.model.members.iter().zip(self.model.weights.iter().copied())
    }

    /// The distribution of the outcome of one row: all features in order, NaN where missing.
    ///
    /// # Errors
    /// [`LearnError::Length`] or [`LearnError::NotFinite`].
    pub fn distribution(&self, row: &[f64]) -> Result<Distribution, LearnError> {
        self.model.features.check_row(row)?;
        let Model { members, weights, shift, scale, calibration, .. } = &self.model;
        let median = mixture(members, weights, row) + shift;
        let scale = scale.predict(row, median);
        Ok(Distribution::new(median, scale, calibration.tier(median), calibration.quantiles_at(median)))
    }

    /// The median, typical error and tier of one row.
    ///
    /// # Errors
    /// As [`FittedEnsemble::distribution`].
    pub fn predict(&self, row: &[f64]) -> Result<Prediction, LearnError> {
        let d = self.distribution(row)?;
        Ok(Prediction { centre: d.median(), scale: d.scale(), tier: d.tier() })
    }

    /// The quantiles of one row at levels strictly between 0 and 1, in the order asked for.
    ///
    /// # Errors
    /// As [`FittedEnsemble::distribution`], and [`LearnError::Parameter`] for a level out of bounds.
    pub fn quantiles(&self, row: &[f64], levels: &[f64]) -> Result<Vec<f64>, LearnError> {
        for &level in levels {
            require(level > 0.0 && level < 1.0, "quantile level", level, "above 0 and below 1")?;
        }
        let d = self.distribution(row)?;
        Ok(levels.iter().map(|&level| d.quantile(level)).collect())
    }

    /// The probability that the outcome of one row is at most `value`.
    ///
    /// # Errors
    /// As [`FittedEnsemble::distribution`].
    pub fn cdf(&self, row: &[f64], value: f64) -> Result<f64, LearnError> {
        Ok(self.distribution(row)?.cdf(value))
    }

    /// What moves the median of one row away from the mean of the reference rows: exact interventional
    /// Shapley values of the stacked prediction with driver groups as players.
    ///
    /// # Errors
    /// As [`FittedEnsemble::distribution`].
    pub fn drivers(&self, row: &[f64]) -> Result<Drivers, LearnError> {
        let Model { features, members, weights, .. } = &self.model;
        features.check_row(row)?;
        let mut contributions = vec![0.0; features.groups().len()];
        for ((explainer, member), &weight) in self.explainers.iter().zip(members).zip(weights) {
            if weight > 0.0 {
                explainer.explain(member, features, row, weight, &mut contributions);
            }
        }
        Ok(Drivers { base: self.base, contributions })
    }

    /// [`FittedEnsemble::drivers`], and what each feature adds, in the order of [`Features::names`]: those of a group add up to
    /// its contribution. Zero for features of no group.
    ///
    /// # Errors
    /// As [`FittedEnsemble::distribution`].
    pub fn drivers_by_feature(&self, row: &[f64]) -> Result<(Drivers, Vec<f64>), LearnError> {
        let Model { features, members, weights, references, .. } = &self.model;
        features.check_row(row)?;
        let paths = || members.iter().map(|member| member.paths(features, references)).collect();
        let paths = self.paths.get_or_init(paths);
        let mut contributions = vec![0.0; features.groups().len()];
        let mut parts = vec![0.0; features.len()];
        for (((explainer, member), paths), &weight) in
            self.explainers.iter().zip(members).zip(paths).zip(weights).filter(|(_, weight)| **weight > 0.0)
        {
            let mut groups = vec![0.0; contributions.len()];
            explainer.explain(member, features, row, weight, &mut groups);
            let whole = (features, references.as_slice());
            explainer.explain_features((member, paths.as_ref()), whole, (row, weight), &groups, &mut parts);
            contributions.iter_mut().zip(groups).for_each(|(sum, group)| *sum += group);
        }
        Ok((Drivers { base: self.base, contributions }, parts))
    }

    /// The bytes to store this ensemble in; the same ensemble always gives the same.
    ///
    /// # Errors
    /// [`LearnError::Artefact`] if it cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LearnError> {
        Ok(encode(ENSEMBLE_KIND, &self.model)?)
    }

    /// Reads what [`FittedEnsemble::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`LearnError::Artefact`] for bytes that are damaged, cut, newer or of another kind.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LearnError> {
        let model: Model = decode(ENSEMBLE_KIND, bytes)?;
        model.check_decoded()?;
        Ok(Self::from_model(model))
    }
}

impl Model {
    /// A checksum vouches for the bytes, not for their sense: nothing decoded may panic later.
    fn check_decoded(&self) -> Result<(), LearnError> {
        let bad = |part| LearnError::Artefact(ArtefactError::Inconsistent { part });
        let sound = |ok: bool, part| if ok { Ok(()) } else { Err(bad(part)) };
        sound(self.features.is_consistent(), "features")?;
        for member in &self.members {
            member.check_decoded(&self.features)?;
        }
        let weights = &self.weights;
        sound(self.shift.is_finite(), "shift")?;
        sound(weights.len() == self.members.len() && weights.iter().all(|w| w.is_finite()), "weights")?;
        sound(self.scale.is_well_formed(self.features.len()), "scale model")?;
        sound(self.calibration.is_well_formed(), "intervals")?;
        let fits = |row: &Vec<f64>| self.features.check_row(row).is_ok();
        sound(!self.references.is_empty() && self.references.iter().all(fits), "references")
    }
}
