//! Numbers with a range: probabilities, nominal coverages, weights.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::DomainError;

macro_rules! bounded {
    ($(#[$doc:meta])+ $name:ident, $error:ident, $test:expr) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// The number.
            #[must_use]
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = DomainError;

            fn try_from(value: f64) -> Result<Self, Self::Error> {
                let inside: fn(f64) -> bool = $test;
                if inside(value) { Ok(Self(value)) } else { Err(DomainError::$error(value)) }
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

bounded! {
    /// A probability in [0, 1].
    ///
    /// ```
    /// use marquee_domain::Probability;
    /// assert!(Probability::try_from(0.25).is_ok());
    /// assert!(Probability::try_from(f64::NAN).is_err());
    /// ```
    Probability, Probability, |p| (0.0..=1.0).contains(&p)
}

bounded! {
    /// The nominal level of an interval, strictly between 0 and 1: 0.8 means that 80% of outcomes should fall inside.
    Coverage, Coverage, |c| c > 0.0 && c < 1.0
}

bounded! {
    /// A finite weight that is not negative.
    Weight, Weight, |w| w >= 0.0 && w.is_finite()
}

/// Whole percent, with `<1%` and `>99%` where rounding would claim certainty.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            p if p > 0.0 && p < 0.005 => f.write_str("<1%"),
            p if p < 1.0 && p > 0.995 => f.write_str(">99%"),
            p => write!(f, "{:.0}%", p * 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_the_unit_interval(x in proptest::num::f64::ANY) {
            prop_assert_eq!(Probability::try_from(x).is_ok(), (0.0..=1.0).contains(&x));
            prop_assert_eq!(Coverage::try_from(x).is_ok(), x > 0.0 && x < 1.0);
            prop_assert_eq!(Weight::try_from(x).is_ok(), x >= 0.0 && x.is_finite());
        }
    }

    #[test]
    fn certainty_is_not_claimed_by_rounding() {
        let shown =
            [0.001, 0.25, 0.999, 1.0].map(|p| Probability::try_from(p).expect("in range").to_string());
        assert_eq!(shown, ["<1%", "25%", ">99%", "100%"]);
    }
}
