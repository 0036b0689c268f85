//! More charts, as `charts` makes them: columns, shares over years, grids. For pages whose numbers are counts and shares.

use serde_json::{Value, json};

use super::charts;
use super::words::{money, percent, whole};

/// Columns of counts, with a line at what each would be if all were even.
pub(crate) fn columns(labels: &[String], counts: &[u64], even: Option<f64>, titles: (&str, &str)) -> Value {
    let text: Vec<String> = counts.iter().map(|n| whole(*n)).collect();
    let shapes: Vec<Value> = even
        .map(|y| json!({ "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": { "color": "var(--loss)", "width": 1.5, "dash": "dash" } }))
        .into_iter()
        .collect();
    json!({
        "data": [{
            "type": "bar", "x": labels, "y": counts, "text": text, "marker": { "color": "var(--accent)" },
            "textposition": "none", "hovertemplate": "%{x}: %{text}<extra></extra>",
        }],
        "layout": {
            "shapes": shapes, "bargap": 0.15,
            "xaxis": { "type": "category", "showgrid": false, "title": { "text": titles.0 } },
            "yaxis": { "rangemode": "tozero", "title": { "text": titles.1 } },
        },
    })
}

/// Shares of a whole over years, one area on the other; the first is the lowest.
pub(crate) fn shares(years: &[i32], series: &[(String, Vec<f64>)]) -> Value {
    let last = series.len().saturating_sub(1).max(1);
    let data: Vec<Value> = series
        .iter()
        .enumerate()
        .map(|(i, (name, shares))| {
            let text: Vec<String> = shares.iter().map(|share| percent(*share)).collect();
            // From the accent to nearly nothing: neighbours differ in lightness, not in hue alone.
            let fill = format!("rgba(120, 128, 118, {:.2})", 0.75 - 0.6 * i as f64 / last as f64);
            let fill = if i == 0 { "var(--accent)".to_owned() } else { fill };
            json!({
                "type": "scatter", "mode": "lines", "stackgroup": "one", "name": name, "x": years, "y": shares, "text": text,
                "hovertemplate": format!("%{{x}}: %{{text}}<extra>{}</extra>", plain(name)),
                "fillcolor": fill, "line": { "color": "var(--paper)", "width": 1 },
            })
        })
        .collect();
    json!({
        "data": data,
        "layout": {
            "xaxis": { "showgrid": false, "tickformat": "d" }, "yaxis": { "range": [0, 1], "tickformat": ".0%" },
            "showlegend": true, "hovermode": "closest", "margin": { "l": 8, "r": 12, "t": 24, "b": 8 },
        },
    })
}

/// A grid of amounts: rows from the top, columns from the left; what is none is left empty.
pub(crate) fn grid(columns: &[String], rows: &[String], cells: &[Vec<Option<(f64, String)>>]) -> Value {
    let values: Vec<Vec<Option<f64>>> =
        cells.iter().map(|row| row.iter().map(|cell| cell.as_ref().map(|(x, _)| *x)).collect()).collect();
    let text: Vec<Vec<&str>> = cells
        .iter()
        .map(|row| row.iter().map(|cell| cell.as_ref().map_or("", |(_, t)| t)).collect())
        .collect();
    json!({
        "data": [{
            "type": "heatmap", "x": columns, "y": rows, "z": values, "text": text, "hovertemplate": "%{text}<extra></extra>",
            "xgap": 1, "ygap": 1, "showscale": false, "hoverongaps": false,
            "colorscale": [[0, "var(--heat-0)"], [1, "var(--heat-1)"]],
        }],
        "layout": {
            "xaxis": { "type": "category", "showgrid": false, "nticks": 13 },
            "yaxis": { "autorange": "reversed", "showgrid": false, "type": "category", "nticks": 16 },
        },
    })
}

/// Ranges beside each other, one above the other: a bar from 5 to 95%, a mark at the middle. US dollars.
pub(crate) fn ranges(rows: &[(String, [f64; 7])]) -> Value {
    let rows: Vec<&(String, [f64; 7])> = rows.iter().rev().collect();
    let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    let side = |low: usize, high: usize, colour: &str, width: f64| {
        json!({
            "type": "bar", "orientation": "h", "y": names, "base": rows.iter().map(|(_, q)| q[low]).collect::<Vec<f64>>(),
            "x": rows.iter().map(|(_, q)| q[high] - q[low]).collect::<Vec<f64>>(), "width": width,
            "marker": { "color": colour }, "hoverinfo": "skip",
        })
    };
    let ends: Vec<f64> = rows.iter().flat_map(|(_, q)| [q[0], q[6]]).chain([0.0]).collect();
    let said: Vec<String> = rows
        .iter()
        .map(|(_, q)| format!("middle {}, 5–95%: {} to {}", money(q[3]), money(q[0]), money(q[6])))
        .collect();
    json!({
        "data": [
            side(0, 6, "var(--band-narrow)", 0.3),
            side(2, 4, "var(--accent)", 0.55),
            {
                "type": "scatter", "mode": "markers", "y": names, "x": rows.iter().map(|(_, q)| q[3]).collect::<Vec<f64>>(),
                "marker": { "symbol": "line-ns-open", "size": 14, "color": "var(--ink)", "line": { "width": 2 } },
                "text": said, "hovertemplate": "%{y}<br>%{text}<extra></extra>",
            },
        ],
        "layout": {
            "barmode": "overlay", "yaxis": { "showgrid": false, "type": "category" },
            "xaxis": charts::money_axis(&ends),
        },
    })
}

/// A name in plotly's little language of text, in which `<` and `%` mean something.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '<' | '>' | '%' | '{' | '}')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_hold_what_they_are_given() {
        let labels: Vec<String> = (1..=3).map(|i| i.to_string()).collect();
        let drawn = columns(&labels, &[1, 2, 3], Some(2.0), ("Tenth", "Forecasts"));
        assert_eq!(drawn["data"][0]["y"], json!([1, 2, 3]));
        let drawn = shares(
            &[2000, 2001],
            &[("A<b>".to_owned(), vec![0.4, 0.6]), ("All others".to_owned(), vec![0.6, 0.4])],
        );
        assert!(!drawn.to_string().contains("<extra>A<b>"), "{drawn}");
        let drawn = grid(&labels, &labels[..1], &[vec![None, Some((2.0, "two".to_owned())), None]]);
        assert_eq!(drawn["data"][0]["z"], json!([[null, 2.0, null]]));
        assert!(shares(&[], &[])["data"].is_array() && ranges(&[])["layout"].is_object());
    }
}
