//! What a row of dated cash is worth: net present value, internal rate of return, multiple, payback, peak funding.
//!
//! Cash of a quarter counts at its start. Rates are annual, compounded: a year is four quarters.

/// Discount factors by quarter, from the first on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Discount(Vec<f64>);

impl Discount {
    pub(crate) fn new(annual_rate: f64, quarters: usize) -> Self {
        Self((0..quarters).map(|q| (1.0 + annual_rate).powf(-(q as f64) / 4.0)).collect())
    }
}

/// Measures of one participant's cash in one outcome. USD, nominal; positive is a gain.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measures {
    /// What was put in.
    pub put_in: f64,
    /// What was paid out.
    pub paid: f64,
    /// Net present value on the first quarter's start, at the deal's rate.
    pub npv: f64,
    /// Internal rate of return a year, held inside [−1, 100]: −1 where nothing came back, 0 where just what was put in came
    /// back in its own quarter; none where nothing was put in.
    pub irr: Option<f64>,
    /// The first quarter from which on the sum of all cash never falls below zero again, or in which money was put in and
    /// came back at once; none where it ends below, or nothing was put in.
    pub payback: Option<usize>,
    /// The deepest that the sum of all cash falls, as a positive amount.
    pub peak_funding: f64,
}

impl Measures {
    /// Paid divided by put in; none where nothing was put in.
    #[must_use]
    pub fn multiple(&self) -> Option<f64> {
        (self.put_in > 0.0).then(|| self.paid / self.put_in)
    }

    /// Of cash by quarter: what was paid, and what was put in. Cents.
    pub(crate) fn of(paid: &[i64], drawn: &[i64], discount: &Discount, net: &mut Vec<f64>) -> Self {
        net.clear();
        net.extend(paid.iter().zip(drawn).map(|(p, d)| (p - d) as f64 / 100.0));
        let (mut sum, mut lowest) = (0.0, 0.0f64);
        let mut below = drawn.iter().position(|d| *d > 0).map(|q| q as i64 - 1);
        for (q, cash) in net.iter().enumerate() {
            sum += cash;
            lowest = lowest.min(sum);
            if sum < -0.005 {
                below = Some(q as i64);
            }
        }
        let npv = net.iter().zip(&discount.0).map(|(cash, factor)| cash * factor).sum();
        let put_in = drawn.iter().sum::<i64>() as f64 / 100.0;
        Self {
            put_in,
            paid: paid.iter().sum::<i64>() as f64 / 100.0,
            npv,
            irr: (put_in > 0.0).then(|| irr(net)),
            payback: below.map(|q| (q + 1) as usize).filter(|q| *q < net.len()),
            peak_funding: -lowest,
        }
    }
}

/// No rate is stated above this: a hundredfold in a year.
const MOST_RATE: f64 = 100.0;

/// The annual rate at which the cash (by quarter) is worth nothing: the one nearest to zero where there are several. −1
/// where cash goes out and next to none comes back; held at [`MOST_RATE`] where more comes back than ever was out.
fn irr(cash: &[f64]) -> f64 {
    let total: f64 = cash.iter().sum();
    let first = cash.iter().position(|c| *c != 0.0).unwrap_or(0);
    let last = cash.iter().rposition(|c| *c != 0.0).map_or(first, |q| q + 1);
    let cash = &cash[first..last];
    if total.abs() < 0.005 {
        return 0.0;
    }
    if cash.iter().all(|c| *c >= 0.0) {
        return MOST_RATE;
    }
    if cash.iter().all(|c| *c <= 0.0) {
        return -1.0;
    }
    // In v = 1 / (1 + quarterly rate) the value is a polynomial.
    match bracket(cash, total) {
        Some((near, far)) => (root(cash, near, far).powi(-4) - 1.0).min(MOST_RATE),
        None if total > 0.0 => MOST_RATE,
        None => -1.0,
    }
}

/// The value of the cash and its slope at a discount factor.
fn value(cash: &[f64], v: f64) -> (f64, f64) {
    cash.iter().rev().fold((0.0, 0.0), |(f, slope), c| (f * v + c, slope * v + f))
}

/// Steps away from v = 1, towards where the sign turns, until it does; each half as long again as the one before.
fn bracket(cash: &[f64], total: f64) -> Option<(f64, f64)> {
    let down = (total > 0.0) == (cash[0] < 0.0);
    let (mut near, mut step) = (1.0f64, 0.95f64);
    while (1e-9..1e9).contains(&near) {
        let far = if down { near * step } else { near / step };
        let worth = cash.iter().rev().fold(0.0, |f, c| f * far + c);
        if (worth > 0.0) != (total > 0.0) {
            return Some((near, far));
        }
        (near, step) = (far, step.powf(1.5));
    }
    None
}

/// Newton's steps, held inside the bracket.
fn root(cash: &[f64], a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (a.min(b), a.max(b));
    let rising = value(cash, high).0 > 0.0;
    let mut v = 0.5 * (low + high);
    for _ in 0..60 {
        let (f, slope) = value(cash, v);
        if (f > 0.0) == rising {
            high = v;
        } else {
            low = v;
        }
        let step = v - f / slope;
        let next = if step > low && step < high { step } else { 0.5 * (low + high) };
        if (next - v).abs() < 1e-9 * v {
            return next;
        }
        v = next;
    }
    v
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    #![allow(clippy::inconsistent_digit_grouping, reason = "the last two digits are cents")]
    use super::*;
    use proptest::prelude::*;

    fn of(paid: &[i64], drawn: &[i64]) -> Measures {
        Measures::of(paid, drawn, &Discount::new(0.10, paid.len()), &mut vec![])
    }

    #[test]
    fn a_loan_at_ten_percent_returns_ten_percent() {
        let m = of(&[0, 0, 0, 0, 1_100_00], &[1_000_00, 0, 0, 0, 0]);
        assert!((m.irr.unwrap() - 0.10).abs() < 1e-10);
        assert!(m.npv.abs() < 1e-9);
        assert_eq!((m.payback, m.peak_funding), (Some(4), 1_000.0));
        assert!((m.multiple().unwrap() - 1.1).abs() < 1e-12);
    }

    #[test]
    fn nothing_back_and_nothing_in() {
        assert_eq!(of(&[0, 0], &[5, 0]).irr, Some(-1.0));
        let fee = of(&[0, 7], &[0, 0]);
        assert_eq!((fee.irr, fee.payback, fee.multiple()), (None, None, None));
        assert_eq!(of(&[0, 5, 0], &[0, 5, 0]).payback, Some(1), "back at once");
        assert_eq!(of(&[0, 0], &[0, 0]).irr, None);
        assert_eq!(of(&[3, 0], &[3, 0]).irr, Some(0.0), "money that comes back at once was never out");
        assert_eq!(of(&[9, 0], &[3, 0]).irr, Some(MOST_RATE));
        assert_eq!(of(&[0, 1], &[500_000_000, 0]).irr, Some(-1.0), "a cent of five million is nothing");
    }

    /// By hand: 100 in, 60 after a year, 60 after two: 100 = 60 / x + 60 / x², x = 1.130662….
    #[test]
    fn two_payments() {
        let m = of(&[0, 0, 0, 0, 6000, 0, 0, 0, 6000], &[10_000, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!((m.irr.unwrap() - 0.130_662_386).abs() < 1e-8, "{:?}", m.irr);
        assert_eq!(m.payback, Some(8));
    }

    proptest! {
        #[test]
        fn the_value_at_the_internal_rate_is_nothing(
            out in 1..1_000_000i64, back in proptest::collection::vec(0..500_000i64, 1..40),
        ) {
            prop_assume!(back.iter().any(|b| *b > 0));
            let mut paid = vec![0];
            paid.extend(&back);
            let mut drawn = vec![0; paid.len()];
            drawn[0] = out;
            if let Some(rate) = of(&paid, &drawn).irr.filter(|r| *r < 50.0) {
                let m = Measures::of(&paid, &drawn, &Discount::new(rate, paid.len()), &mut vec![]);
                prop_assert!(m.npv.abs() <= 1e-6 * out as f64, "{} at {}", m.npv, rate);
            }
        }
    }
}
