//! A stored ensemble of format version 1 must stay readable and mean the same for ever.
#![allow(clippy::unwrap_used)]

use marquee_domain::Control;
use marquee_learn::{
    BoostingSpec, CalibrationSpec, Dataset, EnsembleSpec, Example, Features, FittedEnsemble, ForestSpec,
    MemberSpec, RidgeSpec,
};

const ROW: [f64; 3] = [6.0, f64::NAN, 2.0];

fn frozen() -> FittedEnsemble {
    FittedEnsemble::from_bytes(include_bytes!("fixtures/ensemble_v1.mrqa")).unwrap()
}

#[test]
fn version_1_is_still_read() {
    let fitted = frozen();
    assert_eq!(fitted.features().names(), ["size", "fame", "label"]);
    assert_eq!(fitted.features().groups(), ["scale", "names"]);
    let labels: Vec<&str> = fitted.members().map(|(member, _)| member.label()).collect();
    assert_eq!(labels, ["boosting", "forest", "ridge"]);
}

#[test]
fn version_1_still_means_the_same() {
    let fitted = frozen();
    let quantiles = fitted.quantiles(&ROW, &[0.05, 0.5, 0.95]).unwrap();
    let expected: Vec<f64> =
        include_str!("fixtures/ensemble_v1.txt").lines().map(|l| l.parse().unwrap()).collect();
    let drivers = fitted.drivers(&ROW).unwrap();
    let found: Vec<f64> = quantiles.into_iter().chain([drivers.base]).chain(drivers.contributions).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-9, "{found} was {expected}");
    }
}

/// Writes the fixtures of a new format version; the old ones stay.
#[test]
#[ignore = "writes the fixture of a new format version"]
fn write_the_fixture() {
    let features =
        Features::new([("size", Some("scale")), ("fame", Some("names")), ("label", None)]).unwrap();
    let mut data = Dataset::new(features);
    for day in 0..240 {
        let fame = if day % 5 == 0 { f64::NAN } else { f64::from(day * 11 % 7) };
        let target = 12.0 + 0.5 * f64::from(day % 12) + f64::from(day * 17 % 23) / 23.0;
        data.push(&[f64::from(day % 12), fame, f64::from(day)], Example::new(day, day + 9, target)).unwrap();
    }
    let spec = EnsembleSpec {
        members: vec![
            MemberSpec::Boosting(BoostingSpec {
                seeds: 1,
                trees: 6,
                max_depth: 2,
                learning_rate: 0.3,
                ..BoostingSpec::default()
            }),
            MemberSpec::Forest(ForestSpec {
                trees: 3,
                max_leaves: 8,
                column_share: 1.0,
                ..ForestSpec::default()
            }),
            MemberSpec::Ridge(RidgeSpec::default()),
        ],
        calibration: CalibrationSpec { scale_trees: 4, ..CalibrationSpec::default() },
        stack_shrinkage: 1.0,
        references: 4,
        ..EnsembleSpec::default()
    };
    let fitted = spec.fit(&data, &Control::default()).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    std::fs::write(format!("{folder}/ensemble_v1.mrqa"), fitted.to_bytes().unwrap()).unwrap();
    let drivers = fitted.drivers(&ROW).unwrap();
    let numbers = fitted.quantiles(&ROW, &[0.05, 0.5, 0.95]).unwrap();
    let lines: Vec<String> = numbers
        .into_iter()
        .chain([drivers.base])
        .chain(drivers.contributions)
        .map(|v| v.to_string())
        .collect();
    std::fs::write(format!("{folder}/ensemble_v1.txt"), lines.join("\n") + "\n").unwrap();
}
