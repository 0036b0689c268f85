//! A model: one horizon, one target, one population, one training cut.
//!
//! The ensemble below predicts the natural log of the gross over its [`Subject::origin`]: before the release in dollars of
//! 1982–84, at the price level known on the as-of day; then as a multiple of what was taken so far. Everything that leaves
//! this module is in nominal US dollars again.

use marquee_domain::{
    Control, Day, Distribution, Driver, FactKind, FeatureEffect, Forecast, Horizon, LEVELS, Population,
    Provenance, Target,
};
use marquee_learn::{
    Dataset, EnsembleSpec, Example as LearnExample, Features, FittedEnsemble, LearnError, MemberSpec,
    artefact,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::card::Card;
use crate::error::ForecastError;
use crate::example::WIDE_THEATRES;
use crate::features::{ColumnInfo, Raw, Vocabulary, fill_blanks};
use crate::history::{History, Subject};
use crate::panel::Panel;

/// The fewest settled titles that a model is fitted on.
const FEWEST: usize = 150;
/// How many comparable titles a forecast names.
const COMPS: usize = 8;

/// A description of a model that is not fitted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// How much may be known.
    pub horizon: Horizon,
    /// What is predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// Only outcomes known before this day are learned from.
    pub trained_before: Day,
    /// Only releases up to and including this day are learned from.
    pub train_to: Day,
    /// Driver groups whose features the model is not to see.
    pub without: Vec<String>,
    /// Fingerprint of the lake's version that is learned from.
    pub data: String,
    /// The learner; monotone constraints are added by the features' registry.
    pub ensemble: EnsembleSpec,
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct FittedModel {
    stored: Stored,
    ensemble: FittedEnsemble,
    provenance: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    horizon: Horizon,
    target: Target,
    population: Population,
    trained_before: Day,
    data: String,
    rows: usize,
    card: Card,
    vocabulary: Vocabulary,
    ensemble: Vec<u8>,
}

impl ModelSpec {
    /// The rows of a panel that this model may learn from.
    #[must_use]
    pub fn training_rows(&self, panel: &Panel) -> Vec<usize> {
        let usable = |i: &usize| {
            let example = &panel.examples[*i];
            example.settled_on < self.trained_before && example.release <= self.train_to
        };
        panel.members(self.population, self.target).into_iter().filter(usable).collect()
    }

    /// Fits the model on the panel of its target and horizon.
    ///
    /// # Errors
    /// [`ForecastError::TooFew`] below 150 settled titles; otherwise what the learner says.
    pub fn fit(&self, panel: &Panel, control: &Control) -> Result<FittedModel, ForecastError> {
        let rows = self.training_rows(panel);
        let what = || format!("{} {}, {}", self.horizon, self.target, self.population);
        if rows.len() < FEWEST {
            return Err(ForecastError::TooFew { what: what(), have: rows.len(), need: FEWEST });
        }
        let raws: Vec<Raw> = rows.iter().map(|i| panel.raws[*i].clone()).collect();
        let people = self.population == Population::Credited;
        let unseen = |group: &str| self.without.iter().any(|own| own == group);
        let vocabulary = Vocabulary::learn(&raws, self.horizon, people).only(|column| !unseen(column.group));
        let data = dataset(panel, &rows, &vocabulary, self.target)?;
        // More of anything never lowers a gross; it may well lower a multiple of what was taken.
        let spec = match self.horizon.sees_run() {
            true => self.ensemble.clone(),
            false => constrained(&self.ensemble, &vocabulary),
        };
        let (ensemble, judged) = spec.fit_judged(&data, control)?;
        let measure = Measure::of(self.horizon, self.target);
        let stored = Stored {
            horizon: self.horizon,
            target: self.target,
            population: self.population,
            trained_before: self.trained_before,
            data: self.data.clone(),
            rows: rows.len(),
            card: Card::of((panel, &rows, &data), (&ensemble, &judged), measure)?,
            vocabulary,
            ensemble: ensemble.to_bytes()?,
        };
        let provenance = fingerprint(&stored)?;
        Ok(FittedModel { stored, ensemble, provenance })
    }
}

impl FittedModel {
    /// The kind under which models are stored; another number at its end is another layout.
    pub const KIND: &str = "forecast-model-4";

    /// How much may be known.
    #[must_use]
    pub fn horizon(&self) -> Horizon {
        self.stored.horizon
    }

    /// What is predicted.
    #[must_use]
    pub fn target(&self) -> Target {
        self.stored.target
    }

    /// On which films.
    #[must_use]
    pub fn population(&self) -> Population {
        self.stored.population
    }

    /// Only outcomes known before this day were learned from.
    #[must_use]
    pub fn trained_before(&self) -> Day {
        self.stored.trained_before
    }

    /// How many titles it was fitted on.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.stored.rows
    }

    /// Fingerprint of the lake's version that it learned from.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.stored.data
    }

    /// What it learned from, how it did, and for whom it errs.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.stored.card
    }

    /// The driver groups of what it sees.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        self.ensemble.features().groups()
    }

    /// The learner underneath: members, weights, out-of-fold errors.
    #[must_use]
    pub fn ensemble(&self) -> &FittedEnsemble {
        &self.ensemble
    }

    /// SHA-256 of the stored artefact, hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.provenance
    }

    /// The predicted tier and the distribution of a row's gross, US dollars, nominal. `origin` is its
    /// [`Subject::origin`].
    ///
    /// # Errors
    /// What the learner says of a row that is not one.
    pub fn distribution(&self, raw: &Raw, origin: f64) -> Result<(usize, Distribution), ForecastError> {
        self.distribution_of(&self.stored.vocabulary.encode(raw), origin)
    }

    fn distribution_of(&self, row: &[f64], origin: f64) -> Result<(usize, Distribution), ForecastError> {
        let learned = self.ensemble.distribution(row)?;
        let measure = self.measure();
        let logs = LEVELS.map(|level| measure.log(learned.quantile(level)) + origin);
        Ok((learned.tier(), Distribution::from_logs(ordered(logs))?))
    }

    fn measure(&self) -> Measure {
        Measure::of(self.stored.horizon, self.stored.target)
    }

    /// The forecast of a subject in its history, with drivers and comparable titles. `data` is the fingerprint of the
    /// lake that the history was folded from.
    ///
    /// # Errors
    /// [`ForecastError::Unknown`] without a budget; otherwise what the learner says.
    pub fn forecast(
        &self,
        history: &History,
        subject: &Subject,
        data: &str,
    ) -> Result<Forecast, ForecastError> {
        let (raw, origin) = self.look(history, subject)?;
        let row = self.stored.vocabulary.encode(&raw);
        let (_, distribution) = self.distribution_of(&row, origin)?;
        let (base, drivers) = self.drivers(&row, origin)?;
        Ok(Forecast {
            name: subject.profile.name.as_deref().unwrap_or("unnamed").to_owned(),
            title: subject.title,
            target: self.stored.target,
            horizon: self.stored.horizon,
            population: self.stored.population,
            as_of: subject.as_of,
            release: subject.release,
            distribution,
            base_usd: base.exp(),
            drivers,
            comps: history.library.nearest(subject, COMPS),
            provenance: Provenance {
                model: self.provenance.clone(),
                trained_before: self.stored.trained_before,
                data: data.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
        })
    }

    /// Where the drivers of a row start, natural-log dollars, and what each group and each of its features adds.
    fn drivers(&self, row: &[f64], origin: f64) -> Result<(f64, Vec<Driver>), ForecastError> {
        let (learned, parts) = self.ensemble.drivers_by_feature(row)?;
        let measure = self.measure();
        let rate = measure.rate(learned.base, learned.contributions.iter().sum());
        let base = measure.log(learned.base) + origin;
        let features = self.ensemble.features();
        let groups =
            features.groups().iter().zip(&learned.contributions).enumerate().map(|(g, (name, c))| {
                let own =
                    (0..features.len()).filter(|j| features.group_of(*j) == Some(g) && parts[*j] != 0.0);
                let named = own.map(|j| (told(&features.names()[j], row[j]), parts[j] * rate));
                (name.as_str(), c * rate, named.collect())
            });
        Ok((base, drivers(groups.collect(), base)))
    }

    /// The distribution of a subject's gross alone, without reasons: US dollars, nominal.
    ///
    /// # Errors
    /// As [`FittedModel::forecast`].
    pub fn outlook(&self, history: &History, subject: &Subject) -> Result<Distribution, ForecastError> {
        let (raw, origin) = self.look(history, subject)?;
        Ok(self.distribution(&raw, origin)?.1)
    }

    /// Whether the model would tell two subjects apart.
    ///
    /// # Errors
    /// As [`FittedModel::forecast`].
    pub fn tells_apart(
        &self,
        history: &History,
        one: &Subject,
        other: &Subject,
    ) -> Result<bool, ForecastError> {
        let ((one, from), (other, to)) = (self.look(history, one)?, self.look(history, other)?);
        let bits = |raw| self.stored.vocabulary.encode(raw).into_iter().map(f64::to_bits);
        Ok(from.to_bits() != to.to_bits() || bits(&one).ne(bits(&other)))
    }

    /// The columns that the model sees, in order.
    #[must_use]
    pub fn columns(&self) -> Vec<ColumnInfo> {
        self.stored.vocabulary.columns()
    }

    /// A subject's row: one number a column, NaN where missing.
    #[must_use]
    pub fn row(&self, raw: &Raw) -> Vec<f64> {
        self.stored.vocabulary.encode(raw)
    }

    /// The words of a kind that the model sees: those common among the films that it learned from.
    pub fn words(&self, kind: FactKind) -> impl Iterator<Item = &str> {
        self.stored.vocabulary.words(kind)
    }

    /// What the model sees of a subject, and what its outcome is measured from.
    fn look(&self, history: &History, subject: &Subject) -> Result<(Raw, f64), ForecastError> {
        let name = || subject.profile.name.as_deref().unwrap_or("unnamed").to_owned();
        let lacks = |missing| ForecastError::Unknown { name: name(), missing, as_of: subject.as_of.0 };
        if subject.profile.budget.is_none() && !subject.horizon.sees_run() {
            return Err(lacks("a budget"));
        }
        let origin = subject.origin(history);
        match origin.is_finite() {
            true => Ok((Raw::of(history, subject), origin)),
            false => Err(lacks("a daily chart")),
        }
    }

    /// The model as bytes: a versioned artefact with its own checksum.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ForecastError> {
        Ok(artefact::encode(FittedModel::KIND, &self.stored).map_err(LearnError::from)?)
    }

    /// A model from its bytes.
    ///
    /// # Errors
    /// Damaged, truncated or newer artefacts are refused with what to do; so is one that sees a number unknown here.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ForecastError> {
        let stored: Stored = artefact::decode(FittedModel::KIND, bytes).map_err(LearnError::from)?;
        if let Some(name) = stored.vocabulary.unknown() {
            return Err(ForecastError::Foreign { column: name.to_owned() });
        }
        let ensemble = FittedEnsemble::from_bytes(&stored.ensemble)?;
        let provenance = fingerprint(&stored)?;
        Ok(Self { stored, ensemble, provenance })
    }
}

fn fingerprint(stored: &Stored) -> Result<String, ForecastError> {
    let digest = Sha256::digest(artefact::encode(FittedModel::KIND, stored).map_err(LearnError::from)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Quantiles in order: rounding may put equal neighbours a bit out of it.
pub(crate) fn ordered(mut logs: [f64; 7]) -> [f64; 7] {
    for i in 1..logs.len() {
        logs[i] = logs[i].max(logs[i - 1]);
    }
    logs
}

/// What the ensemble predicts, of an outcome's natural log over its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The log itself.
    Log,
    /// Its square root: what is still to come of a run is never less than nothing, and errors are alike in size from runs
    /// that are nearly over to those that have just begun.
    Root,
}

impl Measure {
    pub(crate) fn of(horizon: Horizon, target: Target) -> Self {
        if horizon.sees_run() && target == Target::Domestic { Self::Root } else { Self::Log }
    }

    fn measured(self, log: f64) -> f64 {
        match self {
            Self::Log => log,
            Self::Root => log.max(0.0).sqrt(),
        }
    }

    pub(crate) fn log(self, measured: f64) -> f64 {
        match self {
            Self::Log => measured,
            Self::Root => measured.max(0.0).powi(2),
        }
    }

    /// How much of log a contribution to a prediction is worth, where all of them go so far from the base: each takes its
    /// share of the way.
    pub(crate) fn rate(self, base: f64, way: f64) -> f64 {
        match self {
            Self::Log => 1.0,
            Self::Root if way.abs() > 1e-9 => (self.log(base + way) - self.log(base)) / way,
            Self::Root => 2.0 * base.max(0.0),
        }
    }
}

/// A feature as it holds of a row: a word that the row does not have is told as such.
fn told(name: &str, value: f64) -> String {
    match name.contains('=') && value == 0.0 {
        true => format!("not {name}"),
        false => name.to_owned(),
    }
}

/// A driver group, what it adds in logs, and what each of its features adds.
type Effects<'a> = (&'a str, f64, Vec<(String, f64)>);

/// Contributions in log dollars and in dollars of the median: each takes its share of the way from the base to the
/// median (the logarithmic mean of both, as in Ang's LMDI, *Energy Policy* 32, 2004), so that both columns add up.
fn drivers(groups: Vec<Effects<'_>>, log_base: f64) -> Vec<Driver> {
    let total: f64 = groups.iter().map(|(_, log_effect, _)| log_effect).sum();
    let (base, median) = (log_base.exp(), (log_base + total).exp());
    let dollars_per_log = if total.abs() > 1e-12 { (median - base) / total } else { base };
    let feature = |(feature, log_effect): (String, f64)| FeatureEffect {
        feature,
        log_effect,
        effect_usd: log_effect * dollars_per_log,
    };
    let driver = |(group, log_effect, features): Effects<'_>| {
        let mut features: Vec<FeatureEffect> = features.into_iter().map(feature).collect();
        features.sort_by(|a, b| {
            b.log_effect.abs().total_cmp(&a.log_effect.abs()).then(a.feature.cmp(&b.feature))
        });
        Driver { group: group.to_owned(), log_effect, effect_usd: log_effect * dollars_per_log, features }
    };
    let mut found: Vec<Driver> = groups.into_iter().map(driver).collect();
    found.sort_by(|a, b| b.log_effect.abs().total_cmp(&a.log_effect.abs()).then(a.group.cmp(&b.group)));
    found
}

/// The rows of a panel as the learner takes them: the target is the outcome's [`Measure`].
pub(crate) fn dataset(
    panel: &Panel,
    rows: &[usize],
    vocabulary: &Vocabulary,
    target: Target,
) -> Result<Dataset, ForecastError> {
    let columns = vocabulary.columns();
    let features = Features::new(columns.iter().map(|c| (c.name.as_str(), Some(c.group))))?;
    let mut data = Dataset::new(features);
    let measure = Measure::of(panel.horizon, target);
    let begun = measure == Measure::Root && panel.horizon <= Horizon::Weekend1;
    let mut raws: Vec<Raw> = rows.iter().map(|i| panel.raws[*i].clone()).collect();
    fill_blanks(&mut raws);
    for (i, raw) in rows.iter().zip(&raws) {
        let example = &panel.examples[*i];
        let target = measure.measured(example.actual.ln() - panel.origins[*i]);
        let known = example.settled_on.max(example.release).epoch_days();
        let weight = if begun && example.theatres < WIDE_THEATRES { NARROW } else { 1.0 };
        let dated = LearnExample { weight, ..LearnExample::new(example.release.epoch_days(), known, target) };
        data.push(&vocabulary.encode(raw), dated)?;
    }
    Ok(data)
}

/// How much a film that opens in few theatres counts, while its run has only begun: how often it will take again what it
/// took varies so much that it told less of others than it drowned (earlier years, CRPS of all films at `weekend_1`: .152
/// with all alike, .150 so). From the second weekend on that made no difference.
const NARROW: f64 = 0.5;

/// The spec with the registry's monotone constraints in each member that takes them.
fn constrained(spec: &EnsembleSpec, vocabulary: &Vocabulary) -> EnsembleSpec {
    let rising: Vec<String> =
        vocabulary.columns().into_iter().filter(|c| c.monotone > 0).map(|c| c.name).collect();
    let mut spec = spec.clone();
    for member in &mut spec.members {
        match member {
            MemberSpec::Boosting(boosting) => boosting.monotone.increasing.clone_from(&rising),
            MemberSpec::Forest(forest) => forest.monotone.increasing.clone_from(&rising),
            MemberSpec::Ridge(_) | MemberSpec::Network(_) => {}
        }
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_comes_back_and_its_parts_add_up() {
        for (measure, log) in [(Measure::Log, -0.3), (Measure::Root, 0.49)] {
            assert!((measure.log(measure.measured(log)) - log).abs() < 1e-12);
            for parts in [[0.3, -0.1, 0.2], [0.3, -0.3, 0.0], [-0.5, -0.2, -0.4]] {
                let way: f64 = parts.iter().sum();
                let logs: f64 = parts.iter().map(|part| part * measure.rate(0.6, way)).sum();
                assert!((measure.log(0.6) + logs - measure.log(0.6 + way)).abs() < 1e-12);
            }
        }
        // What has been taken cannot be lost again.
        assert_eq!(Measure::Root.log(-2.0), 0.0);
    }

    #[test]
    fn drivers_add_up_in_logs_and_in_dollars() {
        let budget = vec![("planned".to_owned(), -0.2), ("log_budget".to_owned(), 1.0)];
        let groups = vec![
            ("season", -0.1, vec![("month".to_owned(), -0.1)]),
            ("money", 0.8, budget),
            ("genre", 0.02, vec![]),
        ];
        let found = drivers(groups, 15.0);
        let log: f64 = found.iter().map(|d| d.log_effect).sum();
        let usd: f64 = found.iter().map(|d| d.effect_usd).sum();
        assert!((log - 0.72).abs() < 1e-12);
        assert!((15f64.exp() + usd - 15.72f64.exp()).abs() < 1e-6);
        let money = &found[0];
        assert_eq!((money.group.as_str(), money.features[0].feature.as_str()), ("money", "log_budget"));
        let parts: f64 = money.features.iter().map(|f| f.effect_usd).sum();
        assert!((parts - money.effect_usd).abs() < 1e-6);
        assert_eq!([told("genre=Drama", 0.0), told("genre=Drama", 1.0)], ["not genre=Drama", "genre=Drama"]);
    }
}
