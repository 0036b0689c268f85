//! Charts as SVG: a fan over time, ranges side by side, lines through points. Drawn with `plotters`; nothing is fetched.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

/// A chart of US dollars.
pub(crate) enum Chart {
    /// A middle and a range over time.
    Fan { title: String, periods: Vec<String>, low: Vec<f64>, middle: Vec<f64>, high: Vec<f64> },
    /// A middle and a range for each of several things.
    Ranges { title: String, of: Vec<(String, [f64; 3])> },
    /// Points in order of `x`, joined: of US dollars, or of fractions.
    Line { title: String, x: String, y: String, money: bool, points: Vec<(f64, f64)> },
}

const WIDTH: u32 = 900;
const INK: RGBColor = RGBColor(0x1f, 0x29, 0x37);
const BLUE: RGBColor = RGBColor(0x1d, 0x4e, 0xd8);
const GREY: RGBColor = RGBColor(0x94, 0xa3, 0xb8);

impl Chart {
    /// The chart as an SVG document.
    pub(crate) fn svg(&self) -> Result<String> {
        let mut text = String::new();
        let height = match self {
            Self::Ranges { of, .. } => 110 + 36 * of.len() as u32,
            _ => 480,
        };
        {
            let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
            area.fill(&WHITE).map_err(failed)?;
            match self {
                Self::Fan { title, periods, low, middle, high } => {
                    fan(&area, title, periods, [low, middle, high])?;
                }
                Self::Ranges { title, of } => ranges(&area, title, of)?,
                Self::Line { title, x, y, money, points } => line(&area, title, (x, y), *money, points)?,
            }
            area.present().map_err(failed)?;
        }
        Ok(text)
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn failed(e: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the chart cannot be drawn: {e}")
}

/// Dollars as an axis shows them.
fn dollars(value: &f64) -> String {
    crate::show::usd(*value)
}

/// The least and the largest, with some room.
fn extent(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let room = (0.05 * (high - low)).max(1e-3 * high.abs().max(low.abs())).max(1e-9);
    low - room..high + room
}

/// The least and the largest, with some room, and zero inside.
fn span<'a>(values: impl IntoIterator<Item = &'a f64>) -> std::ops::Range<f64> {
    let (low, high) = values.into_iter().fold((0.0f64, 0.0f64), |(low, high), v| (low.min(*v), high.max(*v)));
    let room = (0.05 * (high - low)).max(1.0);
    low - room..high + room
}

fn fan(area: &Area<'_>, title: &str, periods: &[String], [low, middle, high]: [&[f64]; 3]) -> Result<()> {
    let last = (periods.len().max(2) - 1) as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(84)
        .build_cartesian_2d(0.0..last, span(low.iter().chain(high)))
        .map_err(failed)?;
    let name = |x: &f64| periods.get(x.round().max(0.0) as usize).cloned().unwrap_or_default();
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .x_labels(8)
        .x_label_formatter(&name)
        .y_label_formatter(&dollars)
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .draw()
        .map_err(failed)?;
    let at = |values: &[f64]| values.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect::<Vec<_>>();
    let mut band = at(high);
    band.extend(at(low).into_iter().rev());
    chart.draw_series([Polygon::new(band, BLUE.mix(0.15))]).map_err(failed)?;
    chart
        .draw_series([PathElement::new(vec![(0.0, 0.0), (last, 0.0)], GREY.stroke_width(1))])
        .map_err(failed)?;
    chart.draw_series([PathElement::new(at(middle), BLUE.stroke_width(2))]).map_err(failed)?;
    Ok(())
}

fn ranges(area: &Area<'_>, title: &str, of: &[(String, [f64; 3])]) -> Result<()> {
    let rows = of.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(250)
        .build_cartesian_2d(span(of.iter().flat_map(|(_, range)| range)), 0.0..rows)
        .map_err(failed)?;
    // The first stands on top; a label sits in the middle of its row.
    let name = |y: &f64| {
        let row = (rows - y).floor();
        if (y.fract() - 0.5).abs() < 1e-9 {
            of.get(row as usize).map(|(n, _)| n.clone()).unwrap_or_default()
        } else {
            String::new()
        }
    };
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(7)
        .y_labels(2 * of.len() + 1)
        .x_label_formatter(&dollars)
        .y_label_formatter(&name)
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .draw()
        .map_err(failed)?;
    chart
        .draw_series([PathElement::new(vec![(0.0, 0.0), (0.0, rows)], GREY.stroke_width(1))])
        .map_err(failed)?;
    for (i, (_, [low, middle, high])) in of.iter().enumerate() {
        let y = rows - 0.5 - i as f64;
        let bar = Rectangle::new([(*low, y - 0.22), (*high, y + 0.22)], BLUE.mix(0.25).filled());
        chart.draw_series([bar]).map_err(failed)?;
        let tick = PathElement::new(vec![(*middle, y - 0.3), (*middle, y + 0.3)], BLUE.stroke_width(3));
        chart.draw_series([tick]).map_err(failed)?;
    }
    Ok(())
}

fn line(
    area: &Area<'_>,
    title: &str,
    (x, y): (&str, &str),
    money: bool,
    points: &[(f64, f64)],
) -> Result<()> {
    let format = if money { dollars } else { |share: &f64| format!("{:.1}%", share * 100.0) };
    let (wide, high) = (extent(points.iter().map(|p| p.0)), extent(points.iter().map(|p| p.1)));
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(48)
        .y_label_area_size(96)
        .build_cartesian_2d(wide, high)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_labels(8)
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&format)
        .y_label_formatter(&format)
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .draw()
        .map_err(failed)?;
    chart.draw_series([PathElement::new(points.to_vec(), BLUE.stroke_width(2))]).map_err(failed)?;
    chart.draw_series(points.iter().map(|p| Circle::new(*p, 4, BLUE.filled()))).map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_a_whole_document_with_its_names() {
        let fan = Chart::Fan {
            title: "cash so far".into(),
            periods: ["2026 Q1", "2026 Q2", "2026 Q3"].map(String::from).to_vec(),
            low: vec![-1e6, -9e6, -5e6],
            middle: vec![-1e6, -8e6, 2e6],
            high: vec![-1e6, -7e6, 20e6],
        };
        let ranges = Chart::Ranges {
            title: "profit".into(),
            of: vec![("as they are".into(), [-3e6, 1e6, 9e6]), ("strike <&>".into(), [-5e6, -1e6, 4e6])],
        };
        let line = Chart::Line {
            title: "frontier".into(),
            x: "risk".into(),
            y: "profit".into(),
            money: true,
            points: vec![(1e6, 2e6), (4e6, 5e6)],
        };
        for (chart, word) in [(fan, "2026 Q1"), (ranges, "strike &lt;&amp;&gt;"), (line, "frontier")] {
            let svg = chart.svg().expect("drawn");
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
            assert!(svg.contains(word), "{word}");
        }
        let empty = Chart::Ranges { title: String::new(), of: vec![] };
        assert!(empty.svg().is_ok());
    }
}
