//! The estimate of an elasticity against figures from another program.
#![allow(clippy::unwrap_used)]

use super::*;

const X: [f64; 12] = [14.2, 15.1, 16.3, 15.8, 17.0, 16.1, 14.9, 15.5, 16.8, 17.4, 13.9, 16.0];
const Y: [f64; 12] = [0.4, -0.3, 0.9, 0.1, 0.6, -0.5, -0.2, 0.8, 0.3, 1.2, -0.9, 0.2];

fn rows(cluster: impl Fn(usize) -> usize) -> Vec<Observed> {
    let row = |(i, (x, y)): (usize, (&f64, &f64))| Observed {
        log_spend: *x,
        log_gross: *y,
        cluster: format!("c{}", cluster(i)),
    };
    X.iter().zip(&Y).enumerate().map(row).collect()
}

fn fitted(rows: &[Observed]) -> FittedElasticity {
    match estimate_elasticity(rows).unwrap() {
        ElasticityEstimate::Estimated(fitted) => fitted,
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_little_is_said() {
    let said = |rows: &[Observed]| match estimate_elasticity(rows).unwrap() {
        ElasticityEstimate::TooLittle { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    assert!(said(&[]).contains("at least 10 clusters"));
    assert!(said(&rows(|i| i % 3)).contains("at least 10 clusters"));
    let mut same = rows(|i| i);
    same.iter_mut().for_each(|row| row.log_spend = 17.3);
    assert!(said(&same).contains("do not differ"));
    same[3].log_gross = f64::INFINITY;
    assert!(estimate_elasticity(&same).unwrap_err().to_string().contains("row 4"));
}

#[test]
fn an_assumption_is_held_inside_its_range() {
    let found = fitted(&rows(|i| i)).as_assumption().unwrap().quantiles();
    assert!(found[0] >= 0.001 && found[2] <= 0.95 && found[0] < found[1]);
    assert!(Elasticity::new([0.0, 0.1, 0.2]).is_err() && Elasticity::new([0.1, 0.2, f64::NAN]).is_err());
}

/// Python's statsmodels: `OLS(y, add_constant(x)).fit(cov_type="HC1")`, and `cov_type="cluster"` with two pairs.
#[test]
fn the_slope_and_its_errors() {
    let alone = fitted(&rows(|i| i));
    assert!((alone.slope - 0.358_636_715_724).abs() < 1e-11);
    assert!((alone.standard_error - 0.141_095_887_558).abs() < 1e-11);
    assert!((alone.explained - 0.397_562_967_391).abs() < 1e-11);
    let paired = fitted(&rows(|i| i % 10));
    assert_eq!((paired.rows, paired.clusters), (12, 10));
    assert!((paired.standard_error - 0.078_203_169_959).abs() < 1e-11);
}
