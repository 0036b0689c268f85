//! Charts as plotly's JSON: `{data, layout}`, drawn by `app.js`. Colours are written as `var(--name)` of the style sheet, so
//! that light and dark share a chart. Beside each stand its finding in words and a table of the same numbers.

use marquee_domain::{Day, Distribution};
use maud::{Markup, PreEscaped, html};
use serde_json::{Map, Value, json};

use super::words::{date, money, month, percent};

/// How tall a chart is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Height {
    Low,
    Usual,
    High,
}

impl Height {
    /// What bars need that lie under each other.
    pub(crate) fn of_bars(n: usize) -> Self {
        match n {
            0..=4 => Self::Low,
            5..=8 => Self::Usual,
            _ => Self::High,
        }
    }
}

/// A chart: what it shows, what it says, its numbers.
#[derive(Debug)]
pub(crate) struct Chart {
    /// What stands above it.
    pub(crate) caption: String,
    /// The finding, for those who do not see it.
    pub(crate) finding: String,
    /// Its JSON, as the functions of this file make it.
    pub(crate) spec: Value,
    /// The same numbers as a table.
    pub(crate) numbers: Markup,
    /// How tall it is.
    pub(crate) height: Height,
}

/// A chart on a page.
pub(crate) fn chart(chart: &Chart) -> Markup {
    let class = match chart.height {
        Height::Low => "plot low",
        Height::Usual => "plot",
        Height::High => "plot high",
    };
    html! {
        figure.chart {
            figcaption { (chart.caption) }
            div class=(class) data-chart role="img" aria-label=(chart.finding) {}
            script type="application/json" { (inline(&chart.spec)) }
            details.numbers {
                summary { "Table" }
                (chart.numbers)
            }
        }
    }
}

/// JSON inside a page: no text in it can end the element that it stands in.
fn inline(value: &Value) -> PreEscaped<String> {
    let text = value.to_string();
    PreEscaped(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

/// A range at a day, for [`fan`].
#[derive(Debug, Clone)]
pub(crate) struct FanPoint {
    pub(crate) day: Day,
    pub(crate) label: String,
    pub(crate) distribution: Distribution,
}

/// How a range narrows as more becomes known: bands of 5–95% and 25–75%, the middle, and what happened as a dashed line.
pub(crate) fn fan(points: &[FanPoint], actual: Option<f64>) -> Value {
    let days: Vec<String> = points.iter().map(|p| p.day.to_string()).collect();
    let at = |i: usize| points.iter().map(|p| p.distribution.quantiles()[i]).collect::<Vec<f64>>();
    let edge = |i: usize, fill: Option<&str>| {
        let mut trace = json!({
            "type": "scatter", "mode": "lines", "x": days, "y": at(i), "line": { "width": 0, "shape": "linear" },
            "hoverinfo": "skip",
        });
        if let Some(colour) = fill {
            trace["fill"] = json!("tonexty");
            trace["fillcolor"] = json!(colour);
        }
        trace
    };
    let text: Vec<String> = points
        .iter()
        .map(|p| {
            let q = p.distribution.quantiles();
            format!(
                "{} ({})<br>middle {}<br>5–95%: {} to {}",
                date(p.day),
                p.label,
                money(q[3]),
                money(q[0]),
                money(q[6])
            )
        })
        .collect();
    let mut data = vec![
        edge(0, None),
        edge(6, Some("var(--band-wide)")),
        edge(2, None),
        edge(4, Some("var(--band-narrow)")),
        json!({
            "type": "scatter", "mode": "lines+markers", "x": days, "y": at(3), "text": text,
            "hovertemplate": "%{text}<extra></extra>",
            "line": { "color": "var(--accent)", "width": 2.5 }, "marker": { "color": "var(--accent)", "size": 8 },
        }),
    ];
    let all = points.iter().flat_map(|p| [p.distribution.quantiles()[0], p.distribution.quantiles()[6]]);
    let amounts: Vec<f64> = all.chain(actual).collect();
    if let (Some(actual), Some(first), Some(last)) = (actual, days.first(), days.last()) {
        data.push(json!({
            "type": "scatter", "mode": "lines", "x": [first, last], "y": [actual, actual],
            "line": { "color": "var(--loss)", "dash": "dash", "width": 1.5 },
            "hovertemplate": format!("it came to {}<extra></extra>", money(actual)),
        }));
    }
    json!({ "data": data, "layout": { "xaxis": { "type": "date" }, "yaxis": money_logs(&amounts) } })
}

/// Effects as bars from the largest down; positive and negative in their colours. US dollars.
pub(crate) fn bars(effects: &[(String, f64)]) -> Value {
    let (names, amounts): (Vec<&str>, Vec<f64>) =
        effects.iter().rev().map(|(name, x)| (name.as_str(), *x)).unzip();
    let colours: Vec<&str> =
        amounts.iter().map(|x| if *x < 0.0 { "var(--loss)" } else { "var(--gain)" }).collect();
    let text: Vec<String> = amounts.iter().map(|x| super::words::signed(*x)).collect();
    json!({
        "data": [{
            "type": "bar", "orientation": "h", "x": amounts, "y": names, "text": text, "textposition": "outside",
            "cliponaxis": false, "marker": { "color": colours }, "hovertemplate": "%{y}: %{text}<extra></extra>",
        }],
        "layout": { "xaxis": money_axis(&[amounts.as_slice(), &[0.0]].concat()), "yaxis": { "showgrid": false }, "bargap": 0.4, "margin": { "l": 8, "r": 56, "t": 8, "b": 8 } },
    })
}

/// One thing that a tornado shows: its name, what either end is, and the middle there. US dollars.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) low: (String, f64),
    pub(crate) high: (String, f64),
}

/// A tornado: how far the middle swings with one thing at a time, widest on top.
pub(crate) fn tornado(middle: f64, arms: &[Arm]) -> Value {
    let names: Vec<&str> = arms.iter().rev().map(|arm| arm.name.as_str()).collect();
    let side = |end: fn(&Arm) -> &(String, f64), colour: &str| {
        let ends: Vec<&(String, f64)> = arms.iter().rev().map(end).collect();
        let text: Vec<String> = ends.iter().map(|(word, x)| format!("{word}: {}", money(*x))).collect();
        json!({
            "type": "bar", "orientation": "h", "y": names, "base": middle, "x": ends.iter().map(|(_, x)| x - middle).collect::<Vec<f64>>(),
            "customdata": text, "hovertemplate": "%{y}<br>%{customdata}<extra></extra>", "marker": { "color": colour },
        })
    };
    let amounts: Vec<f64> = arms.iter().flat_map(|arm| [arm.low.1, arm.high.1]).chain([middle]).collect();
    json!({
        "data": [side(|arm| &arm.low, "var(--loss)"), side(|arm| &arm.high, "var(--gain)")],
        "layout": {
            "barmode": "overlay", "bargap": 0.4, "xaxis": money_axis(&amounts), "yaxis": { "showgrid": false },
            "shapes": [{ "type": "line", "x0": middle, "x1": middle, "yref": "paper", "y0": 0, "y1": 1, "line": { "color": "var(--ink)", "width": 1.5 } }],
        },
    })
}

/// Shares of a distribution in bins of equal width on its axis: the middles of the bins and their shares.
///
/// Between two of the seven levels a value is linear in the standard normal score (of the logarithm, where `log`), beyond
/// the outermost two it goes on with the slope of the last pair, as [`Distribution`] has it.
pub(crate) fn spread(quantiles: &[f64; 7], log: bool, bins: usize, ends: (f64, f64)) -> Vec<(f64, f64)> {
    const SCORES: [f64; 7] = [-1.644_85, -1.281_55, -0.674_49, 0.0, 0.674_49, 1.281_55, 1.644_85];
    const STEPS: i32 = 1_200;
    let scale = |x: f64| if log { x.max(1e-9).ln() } else { x };
    let (low, high) = (scale(ends.0), scale(ends.1));
    let width = ((high - low) / bins as f64).max(1e-12);
    let values = quantiles.map(scale);
    let mut shares = vec![0.0; bins];
    let (mut total, step) = (0.0, 6.0 / f64::from(STEPS));
    for i in 0..=STEPS {
        let score = -3.0 + f64::from(i) * step;
        let pair = SCORES[1..6].iter().take_while(|s| **s < score).count();
        let slope = (values[pair + 1] - values[pair]) / (SCORES[pair + 1] - SCORES[pair]);
        let value = values[pair] + slope * (score - SCORES[pair]);
        let weight = (-score * score / 2.0).exp();
        total += weight;
        let bin = ((value - low) / width).floor();
        if bin >= 0.0 && (bin as usize) < bins {
            shares[bin as usize] += weight;
        }
    }
    let middle = |i: usize| low + (i as f64 + 0.5) * width;
    let back = |x: f64| if log { x.exp() } else { x };
    shares.iter().enumerate().map(|(i, share)| (back(middle(i)), share / total)).collect()
}

/// Distributions over each other as areas: the first is what is, those after it what would be. US dollars; `log` for
/// grosses, plain for profits.
pub(crate) fn densities(series: &[(&str, [f64; 7])], log: bool, marks: &[(&str, f64)]) -> Value {
    const BINS: usize = 48;
    let looks = [("var(--accent)", "var(--band-narrow)"), ("var(--line)", "var(--band-other)")];
    let ends = series.iter().flat_map(|(_, q)| [q[0], q[6]]).chain(marks.iter().map(|(_, x)| *x));
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let ends = match log {
        true => (low.max(1.0) * 0.6, high * 1.7),
        false => (low - (high - low) * 0.12, high + (high - low) * 0.12),
    };
    let count = series.len();
    let data: Vec<Value> = series
        .iter()
        .enumerate()
        .map(|(i, (name, q))| {
            // What would be is drawn in the accent; what is, behind it.
            let (line, fill) = looks[usize::from(i + 1 < count)];
            let (x, y): (Vec<f64>, Vec<f64>) = smooth(&spread(q, log, BINS, ends)).into_iter().unzip();
            let text: Vec<String> = x.iter().map(|x| money(*x)).collect();
            json!({
                "type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "text": text, "fill": "tozeroy",
                "fillcolor": fill, "line": { "color": line, "width": 2, "shape": "spline" },
                "hovertemplate": "around %{text}<extra></extra>",
            })
        })
        .collect();
    let line = |x: f64| if log { json!(x.log10()) } else { json!(x) };
    let shapes: Vec<Value> = marks
        .iter()
        .map(|(_, x)| json!({ "type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": { "color": "var(--loss)", "width": 1.5, "dash": "dash" } }))
        .collect();
    let notes: Vec<Value> = marks
        .iter()
        .map(|(word, x)| json!({ "text": word, "x": line(*x), "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": false, "font": { "color": "var(--loss)" } }))
        .collect();
    let axis = if log { money_logs(&[ends.0, ends.1]) } else { money_axis(&[ends.0, ends.1]) };
    json!({
        "data": data,
        "layout": {
            "xaxis": axis, "yaxis": { "visible": false, "rangemode": "tozero" }, "shapes": shapes, "annotations": notes,
            "showlegend": series.len() > 1, "margin": { "l": 8, "r": 8, "t": 24, "b": 8 },
        },
    })
}

/// Neighbouring bins made even: a piecewise distribution has steps at its levels that nobody claims.
fn smooth(bins: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let at = |i: isize| bins.get(usize::try_from(i).unwrap_or(usize::MAX)).map_or(0.0, |bin| bin.1);
    let even = |i: usize| {
        (-2..=2).map(|d| at(i as isize + d) * [0.1, 0.2, 0.4, 0.2, 0.1][(d + 2) as usize]).sum::<f64>()
    };
    bins.iter().enumerate().map(|(i, (x, _))| (*x, even(i))).collect()
}

/// A calendar as a heat map: a column a week, a row a weekday. `say` writes a value.
pub(crate) fn calendar(days: &[(Day, f64)], say: fn(f64) -> String) -> Value {
    const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let monday = |day: Day| day.plus(-(day.weekday() as i32));
    let mut weeks: Vec<Day> = days.iter().map(|(day, _)| monday(*day)).collect();
    weeks.sort_unstable();
    weeks.dedup();
    let of = |week: &Day, weekday: usize| {
        let found = days.iter().find(|(day, _)| monday(*day) == *week && day.weekday() as usize == weekday);
        found.map(|(day, x)| (*x, format!("{}: {}", date(*day), say(*x))))
    };
    let grid = |cell: &dyn Fn(Option<(f64, String)>) -> Value| -> Vec<Vec<Value>> {
        (0..7).map(|weekday| weeks.iter().map(|week| cell(of(week, weekday))).collect()).collect()
    };
    let labels: Vec<String> =
        weeks.iter().map(|week| format!("{} {}", week.day_of_month(), month(*week))).collect();
    json!({
        "data": [{
            "type": "heatmap", "x": labels, "y": WEEKDAYS, "z": grid(&|c| c.map_or(Value::Null, |(x, _)| json!(x))),
            "text": grid(&|c| c.map_or(json!(""), |(_, text)| json!(text))), "hovertemplate": "%{text}<extra></extra>",
            "xgap": 2, "ygap": 2, "showscale": false, "hoverongaps": false,
            "colorscale": [[0, "var(--heat-0)"], [1, "var(--heat-1)"]],
        }],
        "layout": { "xaxis": { "type": "category", "showgrid": false }, "yaxis": { "autorange": "reversed", "showgrid": false, "type": "category" } },
    })
}

/// A line over days, with its 5–95% band where it has one. US dollars.
pub(crate) fn line(points: &[(Day, [f64; 7])], marked: Option<Day>) -> Value {
    let days: Vec<String> = points.iter().map(|(day, _)| day.to_string()).collect();
    let at = |i: usize| points.iter().map(|(_, q)| q[i]).collect::<Vec<f64>>();
    let text: Vec<String> = points
        .iter()
        .map(|(day, q)| {
            format!("{}<br>middle {}<br>5–95%: {} to {}", date(*day), money(q[3]), money(q[0]), money(q[6]))
        })
        .collect();
    let amounts: Vec<f64> = points.iter().flat_map(|(_, q)| [q[0], q[6]]).collect();
    let shapes: Vec<Value> = marked
        .map(|day| json!({ "type": "line", "x0": day.to_string(), "x1": day.to_string(), "yref": "paper", "y0": 0, "y1": 1, "line": { "color": "var(--ink)", "width": 1.5, "dash": "dot" } }))
        .into_iter()
        .collect();
    json!({
        "data": [
            { "type": "scatter", "mode": "lines", "x": days, "y": at(0), "line": { "width": 0 }, "hoverinfo": "skip" },
            { "type": "scatter", "mode": "lines", "x": days, "y": at(6), "line": { "width": 0 }, "hoverinfo": "skip", "fill": "tonexty", "fillcolor": "var(--band-wide)" },
            { "type": "scatter", "mode": "lines", "x": days, "y": at(3), "text": text, "hovertemplate": "%{text}<extra></extra>", "line": { "color": "var(--accent)", "width": 2.5 } },
        ],
        "layout": { "xaxis": { "type": "date" }, "yaxis": money_logs(&amounts), "shapes": shapes },
    })
}

/// A point of [`frontier`]. US dollars.
#[derive(Debug, Clone)]
#[allow(dead_code)] // drawn by the pages of slates
pub(crate) struct FrontierPoint {
    pub(crate) name: String,
    /// Mean loss in the worst scenarios.
    pub(crate) risk: f64,
    /// Mean profit.
    pub(crate) profit: f64,
    /// Whether it is the one that is chosen.
    pub(crate) chosen: bool,
}

/// Profit against risk, joined in order of risk.
#[allow(dead_code)] // drawn by the pages of slates
pub(crate) fn frontier(points: &[FrontierPoint]) -> Value {
    let risks: Vec<f64> = points.iter().map(|p| p.risk).collect();
    let profits: Vec<f64> = points.iter().map(|p| p.profit).collect();
    let text: Vec<String> = points
        .iter()
        .map(|p| {
            format!(
                "{}<br>mean profit {}<br>loss in the worst cases {}",
                p.name,
                money(p.profit),
                money(p.risk)
            )
        })
        .collect();
    let sizes: Vec<u32> = points.iter().map(|p| if p.chosen { 16 } else { 9 }).collect();
    let colours: Vec<&str> =
        points.iter().map(|p| if p.chosen { "var(--loss)" } else { "var(--accent)" }).collect();
    let titled = |axis: Value, title: &str| with(axis, json!({ "title": { "text": title } }));
    json!({
        "data": [{
            "type": "scatter", "mode": "lines+markers", "x": risks, "y": profits, "text": text, "hovertemplate": "%{text}<extra></extra>",
            "line": { "color": "var(--line)", "width": 1.5 }, "marker": { "size": sizes, "color": colours },
        }],
        "layout": {
            "xaxis": titled(money_axis(&risks), "Mean loss in the worst cases"), "yaxis": titled(money_axis(&profits), "Mean profit"),
        },
    })
}

/// What was said against what came true, with the diagonal on which both are one.
#[allow(dead_code)] // drawn by the pages of models and of the track record
pub(crate) fn reliability(points: &[(f64, f64, u64)]) -> Value {
    let said: Vec<f64> = points.iter().map(|p| p.0).collect();
    let came: Vec<f64> = points.iter().map(|p| p.1).collect();
    let text: Vec<String> = points
        .iter()
        .map(|(s, c, n)| format!("said {}, came true {}, n = {n}", percent(*s), percent(*c)))
        .collect();
    let axis = |title: &str| json!({ "range": [0, 1], "tickformat": ".0%", "title": { "text": title } });
    json!({
        "data": [
            { "type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip", "line": { "color": "var(--line)", "dash": "dot", "width": 1 } },
            { "type": "scatter", "mode": "lines+markers", "x": said, "y": came, "text": text, "hovertemplate": "%{text}<extra></extra>", "line": { "color": "var(--accent)" }, "marker": { "size": 9, "color": "var(--accent)" } },
        ],
        "layout": { "xaxis": axis("Said"), "yaxis": axis("Came true") },
    })
}

/// A logarithmic axis of money, with marks that people would choose.
fn money_logs(amounts: &[f64]) -> Value {
    let kept = || amounts.iter().copied().filter(|x| x.is_finite() && *x > 0.0);
    let (low, high) = kept().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    if low > high {
        return json!({ "type": "log" });
    }
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let steps: &[f64] = match last - first {
        0..=2 => &[1.0, 2.0, 5.0],
        3..=4 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let all = (first..=last).flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
    let marks: Vec<f64> = all.filter(|x| *x >= low * 0.9 && *x <= high * 1.1).collect();
    let text: Vec<String> = marks.iter().map(|x| money(*x)).collect();
    json!({ "type": "log", "tickvals": marks, "ticktext": text, "range": [(low * 0.9).log10(), (high * 1.1).log10()] })
}

/// A plain axis of money, with four to eight even marks.
pub(crate) fn money_axis(amounts: &[f64]) -> Value {
    let (low, high) = amounts
        .iter()
        .copied()
        .filter(|x| x.is_finite())
        .fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    if low >= high {
        return json!({});
    }
    let raw = (high - low) / 5.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|s| *s >= raw).unwrap_or(raw);
    let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
    let marks: Vec<f64> = (first..=last).map(|i| i as f64 * step).collect();
    let text: Vec<String> = marks.iter().map(|x| money(*x)).collect();
    json!({ "tickvals": marks, "ticktext": text })
}

/// An object with the keys of another put into it.
#[allow(dead_code)] // as `frontier`
fn with(base: Value, more: Value) -> Value {
    let mut keys = Map::new();
    for value in [base, more] {
        if let Value::Object(own) = value {
            keys.extend(own);
        }
    }
    Value::Object(keys)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::check;
    use super::*;

    fn gross() -> Distribution {
        Distribution::new([1e6, 2e6, 5e6, 12e6, 30e6, 70e6, 120e6]).unwrap()
    }

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn a_chart_is_sound_and_no_name_ends_its_json() {
        let point = FanPoint {
            day: day("2015-07-03"),
            label: "</script><script>alert(1)".to_owned(),
            distribution: gross(),
        };
        let spec = fan(&[point], Some(500e6));
        let numbers = html! { p { "12" } };
        let drawn = chart(&Chart {
            caption: "Fan".to_owned(),
            finding: "narrows".to_owned(),
            spec,
            numbers,
            height: Height::Usual,
        });
        let text = drawn.into_string();
        check::fragment(&text);
        assert_eq!(text.matches("</script>").count(), 1, "{text}");
    }

    #[test]
    fn shares_add_up_to_nearly_all_and_lie_where_the_quantiles_say() {
        let q = gross().quantiles();
        let bins = spread(&q, true, 200, (1e3, 1e10));
        let all: f64 = bins.iter().map(|b| b.1).sum();
        let below: f64 = bins.iter().filter(|b| b.0 < q[3]).map(|b| b.1).sum();
        assert!((all - 1.0).abs() < 0.01 && (below - 0.5).abs() < 0.03, "{all} {below}");
        let plain = [-50e6, -40e6, -20e6, 10e6, 60e6, 150e6, 240e6];
        let below: f64 =
            spread(&plain, false, 400, (-500e6, 900e6)).iter().filter(|b| b.0 < 10e6).map(|b| b.1).sum();
        assert!((below - 0.5).abs() < 0.03, "{below}");
    }

    #[test]
    fn axes_have_marks_that_people_would_choose() {
        let text = |axis: &Value| {
            axis["ticktext"]
                .as_array()
                .unwrap()
                .iter()
                .map(|t| t.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(text(&money_logs(&[12e6, 90e6])), ["$20M", "$50M"]);
        assert_eq!(text(&money_axis(&[-30e6, 95e6])), ["−$50M", "$0", "$50M", "$100M"]);
        assert_eq!(money_axis(&[]), json!({}));
        assert_eq!(money_logs(&[f64::NAN])["type"], "log");
    }

    #[test]
    fn no_chart_holds_what_json_cannot() {
        let q = gross().quantiles();
        let all = [
            fan(&[], None),
            bars(&[("money".to_owned(), 3e6), ("season".to_owned(), -1e6)]),
            tornado(
                10e6,
                &[Arm {
                    name: "Budget".to_owned(),
                    low: ("$1M".to_owned(), 5e6),
                    high: ("$2M".to_owned(), 15e6),
                }],
            ),
            densities(&[("now", q), ("changed", q)], true, &[("break-even", 3e6)]),
            densities(&[("profit", [0.0; 7])], false, &[]),
            calendar(&[(day("2015-07-03"), 3.0), (day("2015-07-10"), 1.0)], money),
            line(&[(day("2015-07-03"), q)], Some(day("2015-07-03"))),
            frontier(&[FrontierPoint { name: "A".to_owned(), risk: 1e6, profit: 2e6, chosen: true }]),
            reliability(&[(0.1, 0.2, 5), (0.9, 0.8, 7)]),
        ];
        for spec in all {
            assert!(spec["data"].is_array() && spec["layout"].is_object());
        }
    }
}
