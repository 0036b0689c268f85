//! Splitting cents: parts in proportion to weights, none negative, that add up exactly.

/// Splits `amount` (zero or more) in proportion to `weights` (none negative) into `parts`. Each takes its share, rounded,
/// of what those before it left, so that the parts add up to the amount. Where all weights are zero the last takes all.
pub(super) fn split(amount: i64, weights: &[f64], parts: &mut [i64]) {
    let mut left = amount;
    let mut weight: f64 = weights.iter().sum();
    let last = parts.len().saturating_sub(1);
    for (i, (part, w)) in parts.iter_mut().zip(weights).enumerate() {
        let share =
            if i == last || *w >= weight { left } else { (left as f64 * (w / weight)).round() as i64 };
        *part = if *w > 0.0 || i == last { share.clamp(0, left) } else { 0 };
        left -= *part;
        weight -= w;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_add_up_and_follow_their_weights(
            amount in 0..1_000_000_000_000i64, weights in proptest::collection::vec(0.0..10.0f64, 1..9),
        ) {
            let mut parts = vec![0; weights.len()];
            split(amount, &weights, &mut parts);
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            let total: f64 = weights.iter().sum();
            for (part, w) in parts.iter().zip(&weights) {
                prop_assert!(*part >= 0);
                let fair = amount as f64 * w / total;
                prop_assert!((*part as f64 - fair).abs() <= weights.len() as f64 + fair * 1e-9, "{} {}", part, fair);
            }
        }
    }

    #[test]
    fn a_weight_of_zero_gets_nothing_while_another_has_some() {
        let mut parts = [0; 3];
        split(101, &[1.0, 0.0, 1.0], &mut parts);
        assert_eq!(parts, [51, 0, 50]);
        split(7, &[0.0, 0.0, 0.0], &mut parts);
        assert_eq!(parts, [0, 0, 7]);
    }
}
