//! Stacking weights: nonnegative and summing to one, of least squared error out of fold (Breiman 1996,
//! *Machine Learning* 24), pulled a little towards equal weights because folds are few and members alike.

/// Weights for `members` (each as long as `targets`) by projected gradient on the simplex.
///
/// `shrinkage` is the pull towards equal weights, as a share of the mean diagonal of the error matrix.
pub(crate) fn stack(members: &[Vec<f64>], targets: &[f64], row_weights: &[f64], shrinkage: f64) -> Vec<f64> {
    let m = members.len();
    let equal = 1.0 / m.max(1) as f64;
    let total: f64 = row_weights.iter().sum();
    // With weights that sum to one, the error of a mixture is the mixture of errors: minimise w' E w.
    let error = |a: usize, b: usize| {
        let each = |i: usize| (targets[i] - members[a][i]) * (targets[i] - members[b][i]) * row_weights[i];
        (0..targets.len()).map(each).sum::<f64>() / total
    };
    let mut matrix: Vec<Vec<f64>> = (0..m).map(|a| (0..m).map(|b| error(a, b)).collect()).collect();
    let trace: f64 = (0..m).map(|a| matrix[a][a]).sum();
    for (a, row) in matrix.iter_mut().enumerate() {
        row[a] += shrinkage * trace * equal;
    }
    if trace.is_nan() || trace <= 0.0 {
        return vec![equal; m];
    }
    let step = 0.5 / (trace * (1.0 + shrinkage));
    let mut weights = vec![equal; m];
    for _ in 0..20_000 {
        let slope = |row: &Vec<f64>| row.iter().zip(&weights).map(|(e, w)| e * w).sum::<f64>();
        let next: Vec<f64> =
            matrix.iter().zip(&weights).map(|(row, w)| w - 2.0 * step * slope(row)).collect();
        let next = onto_simplex(next);
        let moved = next.iter().zip(&weights).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        weights = next;
        if moved < 1e-12 {
            break;
        }
    }
    weights
}

/// The nearest point with nonnegative parts that sum to one (Duchi et al. 2008).
fn onto_simplex(point: Vec<f64>) -> Vec<f64> {
    let mut sorted = point.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut sum = 0.0;
    let mut lift = 0.0;
    for (k, value) in sorted.iter().enumerate() {
        sum += value;
        let candidate = (1.0 - sum) / (k + 1) as f64;
        if value + candidate > 0.0 {
            lift = candidate;
        }
    }
    point.into_iter().map(|v| (v + lift).max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn opposite_errors_share_equally_and_a_perfect_member_takes_all() {
        let y = [0.0, 0.0, 0.0, 0.0];
        let ones = [1.0; 4];
        let half = stack(&[vec![1.0, -1.0, 1.0, -1.0], vec![-1.0, 1.0, -1.0, 1.0]], &y, &ones, 0.0);
        assert!((half[0] - 0.5).abs() < 1e-6);
        let all = stack(&[vec![0.0; 4], vec![1.0, 2.0, 3.0, 1.0]], &y, &ones, 0.0);
        assert!((all[0] - 1.0).abs() < 1e-6);
        assert_eq!(stack(&[vec![0.0; 4], vec![0.0; 4]], &y, &ones, 0.1), [0.5, 0.5]);
    }

    proptest! {
        #[test]
        fn weights_are_a_mixture_no_worse_than_any_member(
            errors in prop::collection::vec(prop::collection::vec(-3.0..3.0f64, 12), 1..5),
        ) {
            let y = [0.0; 12];
            let w = stack(&errors, &y, &[1.0; 12], 0.0);
            prop_assert!(w.iter().all(|&w| w >= 0.0));
            prop_assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let mixed: f64 = (0..12).map(|i| errors.iter().zip(&w).map(|(e, w)| e[i] * w).sum::<f64>().powi(2)).sum();
            for member in &errors {
                prop_assert!(mixed <= member.iter().map(|e| e * e).sum::<f64>() + 1e-5);
            }
        }
    }
}
