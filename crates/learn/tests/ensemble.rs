//! The fitted ensemble as a caller sees it: laws that must hold whatever it was fitted on.
#![allow(clippy::unwrap_used)]

use marquee_domain::Control;
use marquee_learn::{
    BoostingSpec, CalibrationSpec, Dataset, EnsembleSpec, Example, Features, FittedEnsemble, ForestSpec,
    ForwardChain, LearnError, MemberSpec, Monotone, NetworkSpec, RidgeSpec,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::LazyLock;

/// Rows of a made-up trade: size and fame raise the outcome, a code means nothing, noise is wider when small.
fn trade(rows: usize, seed: u64) -> Dataset {
    let columns = [
        ("size", Some("scale")),
        ("staff", Some("scale")),
        ("fame", Some("names")),
        ("season", Some("time")),
        ("code", None),
    ];
    let mut data = Dataset::new(Features::new(columns).unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for i in 0..rows {
        let day = i as i32 * 3;
        let size = rng.random_range(10.0..20.0);
        let staff = size + rng.random_range(-2.0..2.0);
        let fame = if rng.random_bool(0.2) { f64::NAN } else { rng.random_range(0.0..1.0) };
        let season = f64::from(day % 365 / 92);
        let noise: f64 = (0..6).map(|_| rng.random_range(-1.0..1.0)).sum::<f64>() / 2f64.sqrt();
        let width = if size < 14.0 { 1.2 } else { 0.6 };
        let known_fame = if fame.is_nan() { 0.3 } else { fame };
        let target = 0.8 * size + 1.5 * known_fame + 0.3 * (season - 1.5).abs() + width * noise;
        let row = [size, staff, fame, season, rng.random_range(0.0..9.0)];
        data.push(&row, Example::new(day, day + 90, target)).unwrap();
    }
    data
}

fn small_spec() -> EnsembleSpec {
    let monotone = Monotone { increasing: vec!["size".into()], decreasing: vec![] };
    let boosting = BoostingSpec {
        seeds: 2,
        trees: 60,
        learning_rate: 0.1,
        monotone: monotone.clone(),
        ..BoostingSpec::default()
    };
    EnsembleSpec {
        members: vec![
            MemberSpec::Boosting(boosting),
            MemberSpec::Forest(ForestSpec { trees: 30, monotone, ..ForestSpec::default() }),
            MemberSpec::Ridge(RidgeSpec::default()),
            MemberSpec::Network(NetworkSpec { seeds: 2, units: 8, updates: 40, ..NetworkSpec::default() }),
        ],
        chain: ForwardChain { folds: 3, ..ForwardChain::default() },
        references: 16,
        seed: 5,
        ..EnsembleSpec::default()
    }
}

static DATA: LazyLock<Dataset> = LazyLock::new(|| trade(900, 1));
static FITTED: LazyLock<FittedEnsemble> =
    LazyLock::new(|| small_spec().fit(&DATA, &Control::default()).unwrap());

fn any_row() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![8 => -5.0..30.0f64, 1 => Just(f64::NAN), 1 => -1e9..1e9f64];
    prop::collection::vec(value, 5)
}

proptest! {
    #[test]
    fn drivers_add_up_to_the_median(row in any_row()) {
        let median = FITTED.quantiles(&row, &[0.5]).unwrap()[0];
        let drivers = FITTED.drivers(&row).unwrap();
        prop_assert!((drivers.total() - median).abs() < 1e-9);
        prop_assert_eq!(FITTED.predict(&row).unwrap().centre, median);
        // So do features, group by group.
        let (features, (again, parts)) = (FITTED.features(), FITTED.drivers_by_feature(&row).unwrap());
        prop_assert!((again.total() - median).abs() < 1e-9);
        for (group, whole) in drivers.contributions.iter().enumerate() {
            let own = (0..features.len()).filter(|j| features.group_of(*j) == Some(group));
            let sum: f64 = own.map(|j| parts[j]).sum();
            prop_assert!((sum - whole).abs() < 1e-9 * whole.abs().max(1.0), "{sum} of {whole}");
        }
        prop_assert_eq!(parts[4], 0.0);
    }

    #[test]
    fn quantiles_ascend_and_the_cdf_inverts_them(row in any_row(), mut levels in prop::collection::vec(0.0005..0.9995f64, 2..12)) {
        levels.sort_by(f64::total_cmp);
        let quantiles = FITTED.quantiles(&row, &levels).unwrap();
        prop_assert!(quantiles.windows(2).all(|w| w[0] <= w[1]));
        for (level, quantile) in levels.iter().zip(&quantiles) {
            prop_assert!((FITTED.cdf(&row, *quantile).unwrap() - level).abs() < 1e-6);
        }
    }

    #[test]
    fn a_feature_in_no_group_moves_nothing(mut row in any_row(), other in -1e6..1e6f64) {
        let before = (FITTED.distribution(&row).unwrap(), FITTED.drivers(&row).unwrap());
        row[4] = other;
        prop_assert_eq!(before, (FITTED.distribution(&row).unwrap(), FITTED.drivers(&row).unwrap()));
    }
}

#[test]
fn permuting_a_feature_in_no_group_refits_to_the_same_forecasts() {
    let columns: Vec<Vec<f64>> = (0..5)
        .map(|j| {
            let mut column = DATA.column(j).to_vec();
            if j == 4 {
                column.reverse();
            }
            column
        })
        .collect();
    let shuffled = Dataset::from_columns(DATA.features().clone(), columns, DATA.examples().to_vec()).unwrap();
    let refitted = small_spec().fit(&shuffled, &Control::default()).unwrap();
    let row = DATA.row(17);
    assert_eq!(refitted.distribution(&row), FITTED.distribution(&row));
    assert_eq!(refitted.drivers(&row), FITTED.drivers(&row));
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| small_spec().fit(&DATA, &Control::default()).unwrap().to_bytes().unwrap())
    };
    let bytes = on(1);
    assert!(bytes == on(3) && bytes == FITTED.to_bytes().unwrap());
    let other = EnsembleSpec { seed: 6, ..small_spec() }.fit(&DATA, &Control::default()).unwrap();
    assert!(bytes != other.to_bytes().unwrap());
}

#[test]
fn what_is_stored_comes_back_the_same() {
    let bytes = FITTED.to_bytes().unwrap();
    let again = FittedEnsemble::from_bytes(&bytes).unwrap();
    for i in (0..DATA.len()).step_by(50) {
        let row = DATA.row(i);
        assert_eq!(again.distribution(&row), FITTED.distribution(&row));
        assert_eq!(again.drivers(&row), FITTED.drivers(&row));
    }
    assert_eq!(again.to_bytes().unwrap(), bytes);
    assert!(matches!(FittedEnsemble::from_bytes(&bytes[1..]), Err(LearnError::Artefact(_))));
}

#[test]
fn more_size_is_never_less_where_trees_say_so() {
    let monotone = Monotone { increasing: vec!["size".into()], decreasing: vec!["season".into()] };
    for member in [
        MemberSpec::Boosting(BoostingSpec {
            seeds: 1,
            trees: 50,
            monotone: monotone.clone(),
            ..BoostingSpec::default()
        }),
        MemberSpec::Forest(ForestSpec { trees: 20, monotone: monotone.clone(), ..ForestSpec::default() }),
    ] {
        let all: Vec<usize> = (0..DATA.len()).collect();
        let fitted = member.fit(&DATA, &all, 1, &Control::default()).unwrap();
        for i in (0..DATA.len()).step_by(45) {
            let mut row = DATA.row(i);
            let at = |row: &mut Vec<f64>, j: usize, v: f64| {
                row[j] = v;
                fitted.predict(row)
            };
            let sizes: Vec<f64> = (0..40).map(|k| at(&mut row, 0, 9.0 + 0.3 * f64::from(k))).collect();
            assert!(sizes.windows(2).all(|w| w[0] <= w[1] + 1e-9), "{} in size", member.label());
            let seasons: Vec<f64> = (0..5).map(|k| at(&mut row, 3, f64::from(k))).collect();
            assert!(seasons.windows(2).all(|w| w[0] >= w[1] - 1e-9), "{} in season", member.label());
        }
    }
}

#[test]
fn later_rows_are_covered_as_promised_and_widths_follow_the_row() {
    let data = trade(3_000, 11);
    let train: Vec<usize> = (0..2_000).collect();
    let fitted = small_spec().fit(&data.subset(&train), &Control::default()).unwrap();
    let mut inside = 0;
    for i in 2_000..3_000 {
        let q = fitted.quantiles(&data.row(i), &[0.1, 0.9]).unwrap();
        inside += usize::from((q[0]..=q[1]).contains(&data.examples()[i].target));
    }
    // 800 expected of 1,000; the exact 99.9% binomial band is 757 to 840, and calibration itself is a sample.
    assert!((750..=850).contains(&inside), "{inside} of 1000 lie within an 80% interval");
    let small = fitted.predict(&[11.0, 11.0, 0.5, 1.0, 0.0]).unwrap();
    let large = fitted.predict(&[19.0, 19.0, 0.5, 1.0, 0.0]).unwrap();
    assert!(small.tier < large.tier && small.scale > 1.4 * large.scale);
    assert!(fitted.report().rmse < 1.2 && fitted.report().members.len() == small_spec().members.len());
}

#[test]
fn what_cannot_be_fitted_is_an_error() {
    let none = Control::default();
    let spec = small_spec();
    let few = DATA.subset(&[1, 2, 3]);
    assert!(matches!(spec.fit(&few, &none), Err(LearnError::TooFewRows { .. })));
    let ungrouped = Features::new([("a", None::<&str>)]).unwrap();
    let columns = vec![(0..900).map(f64::from).collect()];
    let ungrouped = Dataset::from_columns(ungrouped, columns, DATA.examples().to_vec()).unwrap();
    assert_eq!(EnsembleSpec::default().fit(&ungrouped, &none).unwrap_err(), LearnError::NoGroups);
    let stranger = Monotone { increasing: vec!["sise".into()], ..Monotone::default() };
    let stranger = MemberSpec::Boosting(BoostingSpec { monotone: stranger, ..BoostingSpec::default() });
    let error = EnsembleSpec { members: vec![stranger], ..small_spec() }.fit(&DATA, &none).unwrap_err();
    assert_eq!(
        error.to_string(),
        "boosting names feature \"sise\", which the dataset does not have; check its spelling"
    );
    for bad in [
        EnsembleSpec { members: vec![], ..small_spec() },
        EnsembleSpec { references: 0, ..small_spec() },
        EnsembleSpec {
            calibration: CalibrationSpec { tiers: 0, ..CalibrationSpec::default() },
            ..small_spec()
        },
    ] {
        assert!(matches!(bad.fit(&DATA, &none), Err(LearnError::Parameter { .. })));
    }
    none.cancel();
    assert_eq!(spec.fit(&DATA, &none).unwrap_err(), LearnError::Cancelled);
}

#[test]
fn odd_columns_and_odd_rows_do_no_harm() {
    let columns = ["empty", "constant", "lone", "good"].map(|name| (name, Some("all")));
    let mut data = Dataset::new(Features::new(columns).unwrap());
    for i in 0..200 {
        let lone = if i == 50 { 1e100 } else { f64::NAN };
        let good = f64::from(i * 7 % 23);
        data.push(&[f64::NAN, 3.0, lone, good], Example::new(i, i, good)).unwrap();
    }
    let fitted = small_spec_without_constraints().fit(&data, &Control::default()).unwrap();
    for row in [[f64::NAN; 4], [1.0, 2.0, -1e100, 5.0]] {
        assert!(fitted.predict(&row).unwrap().centre.is_finite());
    }
    assert!(fitted.predict(&[0.0; 3]).is_err() && fitted.predict(&[f64::INFINITY; 4]).is_err());
    assert!(fitted.quantiles(&[0.0; 4], &[1.0]).is_err());
}

fn small_spec_without_constraints() -> EnsembleSpec {
    let free = |member: MemberSpec| match member {
        MemberSpec::Boosting(b) => MemberSpec::Boosting(BoostingSpec { monotone: Monotone::default(), ..b }),
        MemberSpec::Forest(f) => MemberSpec::Forest(ForestSpec { monotone: Monotone::default(), ..f }),
        other @ (MemberSpec::Ridge(_) | MemberSpec::Network(_)) => other,
    };
    EnsembleSpec { members: small_spec().members.into_iter().map(free).collect(), ..small_spec() }
}
