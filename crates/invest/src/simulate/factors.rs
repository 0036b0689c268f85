//! How outcomes move together: normal scores of unit variance from shared factors, by project and scenario.
//!
//! A factor copula: the market of a release year, the season (a quarter of it), genre and franchise, each with the deal's
//! loading, and the rest a project's own. Releases of one week take from each other: that part of their own variance adds
//! up to nothing among them. With `tail_degrees` it is a t copula (S. Demarta and A. J. McNeil, "The t Copula and Related
//! Copulas", *International Statistical Review* 73, 2005): one scale for all releases of a year, so that extreme years
//! strike several at once. The forecasts' own distributions stay what they are under either.
//!
//! Scenarios come in antithetic pairs (J. M. Hammersley and K. W. Morton 1956): the second half mirrors the first.

use std::collections::{BTreeMap, BTreeSet};

use marquee_domain::normalise_title;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{ChiSquared, Distribution as _, StandardNormal, StandardUniform};
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use xxhash_rust::xxh3::xxh3_64;

use super::Candidate;
use crate::deal::Loadings;

/// The shared factors of a set of candidates, each drawn once: half as many draws as scenarios, the rest mirrored.
pub(super) struct Factors {
    loadings: Loadings,
    seed: u64,
    half: usize,
    drawn: BTreeMap<String, Vec<f64>>,
    /// By year: the factor that makes normal scores t-distributed.
    scales: BTreeMap<i32, Vec<f64>>,
    /// By week with several releases: the names of its projects, in order.
    weeks: BTreeMap<i32, BTreeSet<String>>,
}

impl Factors {
    pub(super) fn draw(seed: u64, scenarios: usize, candidates: &[Candidate], loadings: Loadings) -> Self {
        let half = scenarios.div_ceil(2);
        let keys: BTreeSet<String> =
            candidates.iter().flat_map(|c| shares(c, loadings)).map(|(key, _)| key).collect();
        let drawn = keys.into_par_iter().map(|key| {
            let draws = normals(seed, &key, half);
            (key, draws)
        });
        let years: BTreeSet<i32> = candidates.iter().map(|c| c.project.release.year()).collect();
        let scaled =
            loadings.tail_degrees.and_then(|degrees| ChiSquared::new(degrees).ok().map(|d| (degrees, d)));
        let scales = scaled.into_iter().flat_map(|(degrees, squares)| {
            years.iter().map(move |year| {
                let draws = stream(seed, &format!("tail\u{1f}{year}"));
                let scale = |square: f64| (degrees / square).sqrt();
                (*year, squares.sample_iter(draws).take(half).map(scale).collect())
            })
        });
        let scales = scales.collect();
        let mut weeks: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
        for c in candidates {
            weeks.entry(week(c)).or_default().insert(c.project.name.clone());
        }
        weeks.retain(|_, names| names.len() > 1 && loadings.cannibalisation > 0.0);
        let drawn = drawn.collect::<Vec<_>>().into_iter().collect();
        Self { loadings, seed, half, drawn, scales, weeks }
    }

    /// Writes the candidate's standard normal scores, one for each scenario.
    pub(super) fn scores(&self, candidate: &Candidate, scores: &mut [f64]) {
        let shared = shares(candidate, self.loadings);
        let explained: f64 = shared.iter().map(|(_, loading)| loading * loading).sum();
        let own = (1.0 - explained).max(0.0).sqrt();
        let (first, second) = scores.split_at_mut(self.half.min(scores.len()));
        for (score, draw) in first.iter_mut().zip(self.own(candidate)) {
            *score = own * draw;
        }
        for (key, loading) in &shared {
            for (score, draw) in first.iter_mut().zip(self.drawn.get(key).into_iter().flatten()) {
                *score += loading * draw;
            }
        }
        self.widen(candidate, first);
        for (mirrored, score) in second.iter_mut().zip(first.iter()) {
            *mirrored = -score;
        }
    }

    /// What is the candidate's own, unit variance, less what rivals of its week take.
    fn own(&self, candidate: &Candidate) -> Vec<f64> {
        let mut own = normals(self.seed, &format!("project\u{1f}{}", candidate.project.name), self.half);
        let Some(rivals) = self.weeks.get(&week(candidate)) else { return own };
        let taken = self.loadings.cannibalisation;
        own.iter_mut().for_each(|draw| *draw *= (1.0 - taken).sqrt());
        // Deviations from the mean of n draws have variance 1 − 1/n and add up to nothing.
        let n = rivals.len() as f64;
        let scale = (taken / (1.0 - 1.0 / n)).sqrt();
        for rival in rivals {
            let part = if *rival == candidate.project.name { 1.0 - 1.0 / n } else { -1.0 / n };
            let draws = normals(self.seed, &format!("week\u{1f}{rival}"), self.half);
            own.iter_mut().zip(draws).for_each(|(o, draw)| *o += scale * part * draw);
        }
        own
    }

    /// From a Gaussian copula to a t copula, where the deal asks for one.
    fn widen(&self, candidate: &Candidate, scores: &mut [f64]) {
        let scales = self.scales.get(&candidate.project.release.year());
        let tails = self.loadings.tail_degrees.and_then(|d| StudentsT::new(0.0, 1.0, d).ok());
        let (Some(scales), Some(tails)) = (scales, tails) else { return };
        let normal = Normal::standard();
        for (score, scale) in scores.iter_mut().zip(scales) {
            // On the lower side, where probabilities are exact to their last digits.
            let below = tails.cdf(-(*score * scale).abs()).clamp(1e-300, 0.5);
            *score = -normal.inverse_cdf(below) * score.signum();
        }
    }
}

/// The Monday-to-Sunday week of release.
fn week(candidate: &Candidate) -> i32 {
    (candidate.project.release.epoch_days() + 3).div_euclid(7)
}

/// The shared factors of a candidate with its loading on each.
fn shares(candidate: &Candidate, loadings: Loadings) -> Vec<(String, f64)> {
    let project = &candidate.project;
    let (year, quarter) = (project.release.year(), (project.release.month() - 1) / 3 + 1);
    let mut shares = vec![
        (format!("year\u{1f}{year}"), loadings.market_year),
        (format!("season\u{1f}{year}\u{1f}{quarter}"), loadings.season),
    ];
    let genres: BTreeSet<String> = project.genres.iter().map(|g| g.trim().to_lowercase()).collect();
    let each = loadings.genre / (genres.len().max(1) as f64).sqrt();
    shares.extend(genres.into_iter().map(|genre| (format!("genre\u{1f}{genre}"), each)));
    if let Some(franchise) = &project.franchise {
        shares.push((format!("franchise\u{1f}{}", normalise_title(franchise)), loadings.franchise));
    }
    shares
}

/// Standard normal draws of the stream that `key` names.
pub(super) fn normals(seed: u64, key: &str, count: usize) -> Vec<f64> {
    StandardNormal.sample_iter(stream(seed, key)).take(count).collect()
}

/// Draws in [0, 1) of the stream that `key` names.
pub(super) fn uniforms(seed: u64, key: &str, count: usize) -> Vec<f64> {
    StandardUniform.sample_iter(stream(seed, key)).take(count).collect()
}

fn stream(seed: u64, key: &str) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(xxh3_64(key.as_bytes()));
    rng
}
