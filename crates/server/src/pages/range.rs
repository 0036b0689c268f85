//! The small drawing beside every median: a thin bar from 5 to 95%, a thick one from 25 to 75%, a tick at the middle, and
//! what happened as a ring. Drawn as SVG on the server, so that it is there on paper and without scripts.

use marquee_domain::Distribution;
use maud::{Markup, html};

use super::words::money;

/// What a row of ranges is drawn on, so that they can be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    /// An axis of logarithms that holds all of these ranges: for grosses.
    pub(crate) fn logs<'a>(ranges: impl IntoIterator<Item = &'a [f64; 7]>) -> Self {
        Self { log: true, ..Self::linear(ranges) }
    }

    /// A plain axis that holds all of these ranges: for what can be below zero.
    pub(crate) fn linear<'a>(ranges: impl IntoIterator<Item = &'a [f64; 7]>) -> Self {
        let (low, high) = ranges
            .into_iter()
            .flat_map(|q| [q[0], q[6]])
            .fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        Self { low, high, log: false }
    }

    /// The axis, widened to hold an amount too.
    pub(crate) fn with(self, amount: Option<f64>) -> Self {
        let kept = |x: f64| x.is_finite() && (!self.log || x > 0.0);
        let Some(x) = amount.filter(|x| kept(*x)) else { return self };
        Self { low: self.low.min(x), high: self.high.max(x), ..self }
    }

    /// Where an amount lies, from 0 to 100.
    fn place(self, x: f64) -> f64 {
        let scale = |x: f64| if self.log { x.max(1e-9).ln() } else { x };
        let (low, high) = (scale(self.low), scale(self.high));
        match high > low {
            true => ((scale(x) - low) / (high - low) * 100.0).clamp(0.0, 100.0),
            false => 50.0,
        }
    }
}

/// Seven quantiles as a bar; read out as words.
pub(crate) fn range(quantiles: &[f64; 7], actual: Option<f64>, axis: Axis) -> Markup {
    let at = |x: f64| axis.place(x);
    let [low, _, lower, middle, upper, _, high] = quantiles.map(at);
    let said = said(quantiles, actual);
    let text = |x: f64| format!("{x:.2}");
    html! {
        svg.range viewBox="0 0 100 16" preserveAspectRatio="none" role="img" aria-label=(said) {
            title { (said) }
            line.axis x1="0" y1="8" x2="100" y2="8" vector-effect="non-scaling-stroke" {}
            rect.wide x=(text(low)) y="6" width=(text((high - low).max(0.4))) height="4" {}
            rect.narrow x=(text(lower)) y="3" width=(text((upper - lower).max(0.4))) height="10" {}
            rect.middle x=(text((middle - 0.5).max(0.0))) y="1" width="1" height="14" {}
            @if let Some(actual) = actual {
                rect.actual x=(text((at(actual) - 1.0).clamp(0.0, 98.0))) y="4" width="2" height="8" rx="1"
                    vector-effect="non-scaling-stroke" {}
            }
        }
    }
}

/// A distribution as a bar on its own axis.
pub(crate) fn alone(distribution: &Distribution, actual: Option<f64>) -> Markup {
    let quantiles = distribution.quantiles();
    range(&quantiles, actual, Axis::logs([&quantiles]).with(actual))
}

/// The ends of a range in words: `5–95%: $31M to $520M`.
pub(crate) fn ends(quantiles: &[f64; 7]) -> String {
    format!("5–95%: {} to {}", money(quantiles[0]), money(quantiles[6]))
}

fn said(q: &[f64; 7], actual: Option<f64>) -> String {
    let [low, _, lower, middle, upper, _, high] = q.map(money);
    let happened = actual.map_or_else(String::new, |a| format!("; it came to {}", money(a)));
    format!("middle {middle}, half of outcomes from {lower} to {upper}, 90% from {low} to {high}{happened}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_drawn_inside_its_axis_and_read_out() {
        let q = [1e6, 2e6, 5e6, 12e6, 30e6, 70e6, 120e6];
        let drawn = range(&q, Some(500e6), Axis::logs([&q]).with(Some(500e6))).into_string();
        assert!(drawn.contains("middle $12M") && drawn.contains("it came to $500M"), "{drawn}");
        assert!(!drawn.contains("NaN"), "{drawn}");
        let flat = [0.0; 7];
        assert!(!range(&flat, None, Axis::linear([&flat])).into_string().contains("NaN"));
    }

    #[test]
    fn what_lies_beyond_an_axis_is_drawn_at_its_end() {
        let axis = Axis::linear([&[-10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10.0]]);
        assert_eq!([axis.place(-99.0), axis.place(0.0), axis.place(99.0)], [0.0, 50.0, 100.0]);
        assert_eq!(axis.with(Some(f64::NAN)), axis);
    }
}
