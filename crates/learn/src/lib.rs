//! Film-free machine learning: from dated rows to distributions that explain themselves.
//!
//! The crate knows nothing of films. Features have names and belong to named driver groups; rows have a day,
//! a day on which their outcome was known, and a target in any unit. It does no I/O, reads no clock of its
//! own accord, and is deterministic: the same dataset, spec and seed give the same bytes on any machine with
//! the same floating point, on any number of threads.
//!
//! Where to look: [`Dataset`] holds what is learnt from, [`ForwardChain`] splits it by time,
//! [`EnsembleSpec::fit`] makes a [`FittedEnsemble`], which forecasts ([`FittedEnsemble::quantiles`]) and
//! explains ([`FittedEnsemble::drivers`]); [`metrics`] and [`judge`] say how good that was.
//!
//! ```
//! use marquee_domain::Control;
//! use marquee_learn::{Dataset, EnsembleSpec, Example, Features, ForwardChain};
//! use marquee_learn::{BoostingSpec, MemberSpec, RidgeSpec};
//!
//! // Outcomes rise with size; a label that belongs to no group is carried along but never seen.
//! let features = Features::new([("size", Some("scale")), ("season", Some("time")), ("label", None)])?;
//! let mut data = Dataset::new(features);
//! for day in 0..300 {
//!     let (size, season) = (f64::from(day * 7 % 31), f64::from(day % 4));
//!     let noise = f64::from(day * 13 % 11) / 11.0;
//!     data.push(&[size, season, f64::from(day)], Example::new(day, day + 10, 0.2 * size + noise))?;
//! }
//!
//! let spec = EnsembleSpec {
//!     members: vec![
//!         MemberSpec::Boosting(BoostingSpec { seeds: 1, trees: 40, learning_rate: 0.1, ..BoostingSpec::default() }),
//!         MemberSpec::Ridge(RidgeSpec::default()),
//!     ],
//!     chain: ForwardChain { folds: 3, ..ForwardChain::default() },
//!     ..EnsembleSpec::default()
//! };
//! let fitted = spec.fit(&data, &Control::default())?;
//!
//! let row = [25.0, 1.0, f64::NAN];
//! let quantiles = fitted.quantiles(&row, &[0.05, 0.5, 0.95])?;
//! assert!(quantiles[0] < quantiles[1] && quantiles[1] < quantiles[2]);
//! let drivers = fitted.drivers(&row)?;
//! assert!((drivers.total() - quantiles[1]).abs() < 1e-9);
//! assert!(drivers.contributions[0] > 0.0);
//!
//! let again = marquee_learn::FittedEnsemble::from_bytes(&fitted.to_bytes()?)?;
//! assert_eq!(again.quantiles(&row, &[0.5])?, [quantiles[1]]);
//! # Ok::<(), marquee_learn::LearnError>(())
//! ```

pub mod artefact;
mod boosting;
mod calibration;
mod choice;
mod control;
mod dataset;
pub mod drift;
mod ensemble;
mod error;
mod forest;
mod grow;
pub mod judge;
mod member;
pub mod metrics;
mod network;
mod oof;
mod owen;
mod ridge;
mod scale;
mod shapley;
mod split;
mod stack;
mod standard;
mod tree;

pub use artefact::ArtefactError;
pub use boosting::{BoostingSpec, Monotone};
pub use calibration::{CalibrationSpec, Distribution};
pub use choice::{Alternative, ChoiceSet, ChoiceSpec, FittedChoice};
pub use dataset::{Dataset, Example, Features, MAX_FEATURES, MAX_GROUPS};
pub use ensemble::{
    Drivers, ENSEMBLE_KIND, EnsembleSpec, FittedEnsemble, Judged, MemberReport, Prediction, Report,
};
pub use error::LearnError;
pub use forest::ForestSpec;
pub use member::{FittedMember, MemberSpec};
pub use network::{FittedNetwork, MAX_NETWORK_GROUPS, NetworkSpec};
pub use ridge::{FittedRidge, RidgeSpec};
pub use split::{ForwardChain, Split};
pub use tree::Trees;
