//! What pages are made of: heads, tiles, tables, tabs, notices, fields, drivers. Each is a function that gives markup.

use std::borrow::Cow;

use marquee_domain::{Distribution, Driver, Forecast};
use maud::{Markup, html};

use super::range;
use super::words::{money, percent, signed};
use crate::guard::encode;

/// The head of a page: its `h1`, and what it is about.
pub(crate) fn head(title: &str, lede: Option<&str>) -> Markup {
    html! {
        div.head {
            h1 { (title) }
            @if let Some(lede) = lede { p.lede { (lede) } }
        }
    }
}

/// Where a page stands: names and addresses of those above it, from the top.
pub(crate) fn crumbs(above: &[(&str, &str)]) -> Markup {
    html! {
        nav.crumbs aria-label="Where this is" {
            ol { @for (name, path) in above { li { a href=(path) { (name) } } } }
        }
    }
}

/// A tile with one figure: what it is, the figure, and what belongs beside it.
#[allow(clippy::needless_pass_by_value)] // what is beside is rendered once
pub(crate) fn tile(label: &str, figure: &str, beside: Markup) -> Markup {
    html! {
        div.tile { dt { (label) } dd { span.figure { (figure) } (beside) } }
    }
}

/// Tiles beside each other.
#[allow(clippy::needless_pass_by_value)] // tiles are rendered once
pub(crate) fn tiles(tiles: Markup) -> Markup {
    html! { dl.tiles { (tiles) } }
}

/// The middle of a distribution in large, its range under it.
pub(crate) fn hero(distribution: &Distribution, actual: Option<f64>) -> Markup {
    let q = distribution.quantiles();
    html! {
        div {
            p.figure.hero { (money(q[3])) }
            p.soft { "Half of outcomes from " (money(q[2])) " to " (money(q[4])) "; 90% from " (money(q[0])) " to " (money(q[6])) "." }
        }
        div.hero-range { (range::alone(distribution, actual)) }
        div.scale aria-hidden="true" {
            span { "5%: " (money(q[0])) }
            span { "95%: " (money(q[6])) }
        }
    }
}

/// The middle of a distribution and its range, for a cell or a line.
pub(crate) fn figure(distribution: &Distribution, actual: Option<f64>, axis: range::Axis) -> Markup {
    let q = distribution.quantiles();
    html! { span.nowrap { strong { (money(q[3])) } " " } (range::range(&q, actual, axis)) }
}

/// How a word is set off: neutral, or with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Accent,
    Good,
    Wait,
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Accent => "accent",
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Bad => "bad",
        }
    }
}

/// A word in a frame.
pub(crate) fn badge(text: &str, tone: Tone) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (text) } }
}

/// Something to know, in a box: `Tone::Wait` warns, `Tone::Bad` says what went wrong.
#[allow(clippy::needless_pass_by_value)] // what is said is rendered once
pub(crate) fn notice(tone: Tone, said: Markup) -> Markup {
    let class = match tone {
        Tone::Wait => "notice warn",
        Tone::Bad => "notice bad",
        Tone::Plain | Tone::Accent | Tone::Good => "notice",
    };
    html! { div class=(class) role=[(tone == Tone::Bad).then_some("alert")] { (said) } }
}

/// Where nothing is: what would be here, and what to do.
#[allow(clippy::needless_pass_by_value)] // what to do is rendered once
pub(crate) fn nothing(title: &str, why: &str, then: Markup) -> Markup {
    html! { div.nothing { strong { (title) } p { (why) } (then) } }
}

/// A part that comes later: asked for once it is nearly in sight. Without scripts a link leads to it.
pub(crate) fn later(id: &str, source: &str, what: &str) -> Markup {
    html! {
        div id=(id) data-src=(source) aria-live="polite" {
            div.working { p { (what) " …" } }
            noscript { a.button href=(source) { "Show" } }
        }
    }
}

/// Tabs: links, of which one is where we are.
pub(crate) fn tabs(label: &str, all: &[(&str, String)], here: &str) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            @for (name, place) in all { a href=(place) aria-current=[(*name == here).then_some("page")] { (name) } }
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column<'a> {
    /// What stands above it.
    pub(crate) name: &'a str,
    /// Whether it holds numbers, which are set to the right.
    pub(crate) number: bool,
    /// Where its head leads, to sort by it, and how it is sorted now.
    pub(crate) sort: Option<(String, Sorted)>,
}

/// How a column is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sorted {
    Not,
    Up,
    Down,
}

impl<'a> Column<'a> {
    /// A column of words.
    pub(crate) fn text(name: &'a str) -> Self {
        Self { name, number: false, sort: None }
    }

    /// A column of numbers.
    pub(crate) fn number(name: &'a str) -> Self {
        Self { number: true, ..Self::text(name) }
    }

    /// The column with a head that sorts.
    pub(crate) fn sorts(self, place: String, now: Sorted) -> Self {
        Self { sort: Some((place, now)), ..self }
    }
}

/// A table in its own scrolling box. `rows` holds `tr` elements: the first cell of each is a `th scope="row"`, cells of
/// numbers have the class `number`.
#[allow(clippy::needless_pass_by_value)] // rows are rendered once
pub(crate) fn table(caption: &str, columns: &[Column<'_>], rows: Markup) -> Markup {
    html! {
        div.sheet tabindex="0" role="region" aria-label=(caption) {
            table {
                caption.unseen { (caption) }
                thead { tr { @for column in columns { (heading(column)) } } }
                tbody { (rows) }
            }
        }
    }
}

fn heading(column: &Column<'_>) -> Markup {
    let (order, arrow) = match column.sort.as_ref().map(|(_, now)| now) {
        Some(Sorted::Up) => (Some("ascending"), "↑"),
        Some(Sorted::Down) => (Some("descending"), "↓"),
        Some(Sorted::Not) | None => (None, ""),
    };
    html! {
        th scope="col" class=[column.number.then_some("number")] aria-sort=[order] {
            @match &column.sort {
                Some((place, _)) => { a href=(place) { (column.name) span aria-hidden="true" { (arrow) } } }
                None => { (column.name) }
            }
        }
    }
}

/// Where in a long list we are, and the ways back and on.
pub(crate) fn pager(said: &str, back: Option<&str>, on: Option<&str>) -> Markup {
    html! {
        nav.pager aria-label="Pages of this list" {
            span { (said) }
            span.row {
                @if let Some(place) = back { a.button rel="prev" href=(place) { "Back" } }
                @if let Some(place) = on { a.button rel="next" href=(place) { "On" } }
            }
        }
    }
}

/// A field of a form.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    /// Its name in the form; its id is the same.
    pub(crate) name: &'a str,
    /// What stands above it.
    pub(crate) label: &'a str,
    /// `text`, `password`, `date`, `number` …
    pub(crate) kind: &'a str,
    /// What it holds.
    pub(crate) value: Cow<'a, str>,
    /// How to write it.
    pub(crate) hint: Option<&'a str>,
    /// What is wrong with what it holds.
    pub(crate) error: Option<&'a str>,
    /// Whether it must be filled in.
    pub(crate) required: bool,
    /// What a browser may fill it in with.
    pub(crate) complete: &'a str,
    /// The id of a `datalist` of what is known.
    pub(crate) list: Option<&'a str>,
}

impl<'a> Field<'a> {
    /// A field for a line of text.
    pub(crate) fn text(name: &'a str, label: &'a str, value: impl Into<Cow<'a, str>>) -> Self {
        let (kind, complete) = ("text", "off");
        let value = value.into();
        Self { name, label, kind, value, hint: None, error: None, required: false, complete, list: None }
    }
}

/// A field with its label, its hint and its error.
pub(crate) fn field(field: &Field<'_>) -> Markup {
    let (hint, error) = (format!("{}-hint", field.name), format!("{}-error", field.name));
    let described: Vec<&str> =
        field.hint.map(|_| hint.as_str()).into_iter().chain(field.error.map(|_| error.as_str())).collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    html! {
        div.field {
            label for=(field.name) { (field.label) }
            input id=(field.name) name=(field.name) type=(field.kind) value=(field.value) autocomplete=(field.complete)
                required[field.required] list=[field.list] aria-describedby=[described]
                aria-invalid=[field.error.map(|_| "true")];
            @if let Some(text) = field.hint { span.hint id=(hint) { (text) } }
            @if let Some(text) = field.error { span.error id=(error) { (text) } }
        }
    }
}

/// A choice of one: values and their words; the first has to be the one that says nothing, where that may be said.
pub(crate) fn choice(name: &str, label: &str, all: &[(&str, &str)], now: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, word) in all { option value=(value) selected[*value == now] { (word) } }
            }
        }
    }
}

/// The pairs of a query as text, without those that are empty.
pub(crate) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let told: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", encode(value)))
        .collect();
    if told.is_empty() { path.to_owned() } else { format!("{path}?{}", told.join("&")) }
}

/// Effects under this are not worth a line: half a percent.
const SMALL: f64 = 0.005;

/// The drivers of a forecast as a waterfall: from a typical title to the middle, group by group; groups open to features.
pub(crate) fn drivers(forecast: &Forecast) -> Markup {
    let (told, small): (Vec<&Driver>, Vec<&Driver>) =
        forecast.drivers.iter().partition(|driver| driver.log_effect.abs() >= SMALL);
    let rest =
        (small.iter().map(|d| d.log_effect).sum::<f64>(), small.iter().map(|d| d.effect_usd).sum::<f64>());
    let (base, median) = (forecast.base_usd, forecast.distribution.median());
    let mut ends = vec![base];
    for driver in &told {
        ends.push(ends.last().copied().unwrap_or(base) + driver.effect_usd);
    }
    let last = ends.last().copied().unwrap_or(base);
    let falls: Vec<(&Driver, f64, f64)> =
        told.iter().zip(ends.windows(2)).map(|(driver, ends)| (*driver, ends[0], ends[1])).collect();
    ends.push(median);
    let top = ends.iter().copied().fold(0.0, f64::max);
    let floor = ends.iter().copied().fold(0.0, f64::min);
    let step = Steps { floor, span: (top - floor).max(1e-9) };
    html! {
        div.drivers {
            (driver_end("A typical title", base, step))
            @for (driver, start, end) in falls {
                @if driver.features.is_empty() {
                    div.driver { (driver_cells(&group(&driver.group), driver.log_effect, driver.effect_usd, &step.bar(start, end))) }
                } @else {
                    details {
                        summary { (driver_cells(&group(&driver.group), driver.log_effect, driver.effect_usd, &step.bar(start, end))) }
                        (features(driver))
                    }
                }
            }
            @if rest.0.abs() >= SMALL / 10.0 {
                div.driver { (driver_cells("All others", rest.0, rest.1, &step.bar(last, median))) }
            }
            (driver_end("The middle", median, step))
        }
    }
}

#[derive(Clone, Copy)]
struct Steps {
    floor: f64,
    span: f64,
}

impl Steps {
    fn place(self, x: f64) -> f64 {
        ((x - self.floor) / self.span * 100.0).clamp(0.0, 100.0)
    }

    fn bar(self, from: f64, to: f64) -> Markup {
        let (a, b) = (self.place(from), self.place(to));
        let class = if to >= from { "up" } else { "down" };
        fall(a.min(b), (a - b).abs(), self.place(0.0), class)
    }
}

fn fall(start: f64, width: f64, zero: f64, class: &str) -> Markup {
    let text = |x: f64| format!("{x:.2}");
    html! {
        svg.fall viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true" {
            line.zero x1=(text(zero)) y1="0" x2=(text(zero)) y2="14" {}
            rect class=(class) x=(text(start)) y="2" width=(text(width.max(0.4))) height="10" {}
        }
    }
}

fn driver_end(name: &str, amount: f64, step: Steps) -> Markup {
    html! {
        div.driver.end {
            span { (name) }
            (fall(step.place(0.0), step.place(amount) - step.place(0.0), step.place(0.0), "end"))
            span.number { (money(amount)) }
            span.log {}
        }
    }
}

fn driver_cells(name: &str, log: f64, usd: f64, bar: &Markup) -> Markup {
    html! {
        span { (name) }
        (bar)
        span class={ "number " (if usd < 0.0 { "loss" } else { "gain" }) } { (signed(usd)) }
        span.number.log.soft title="As a factor" { "×" (format!("{:.2}", log.exp())) }
    }
}

fn features(driver: &Driver) -> Markup {
    let (told, small): (Vec<_>, Vec<_>) = driver.features.iter().partition(|f| f.log_effect.abs() >= SMALL);
    let rest =
        (small.iter().map(|f| f.log_effect).sum::<f64>(), small.iter().map(|f| f.effect_usd).sum::<f64>());
    html! {
        @for feature in &told {
            div.driver.part { (driver_cells(&group(&feature.feature), feature.log_effect, feature.effect_usd, &html! { span {} })) }
        }
        @if rest.0.abs() >= SMALL || told.is_empty() {
            div.driver.part { (driver_cells("all others", rest.0, rest.1, &html! { span {} })) }
        }
    }
}

/// A group's or a feature's name as people read it: `star_power` is *star power*.
pub(crate) fn group(name: &str) -> String {
    let text = name.replace('_', " ");
    match text.split_once('=') {
        Some((kind, word)) => format!("{kind}: {word}"),
        None => super::words::capital(&text),
    }
}

/// A share as words and as a meter.
pub(crate) fn chance(label: &str, share: f64) -> Markup {
    let q = (share.clamp(0.0, 1.0) * 100.0).round();
    tile(
        label,
        &percent(share),
        html! {
            svg.fall viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true" {
                line.zero x1="0" y1="7" x2="100" y2="7" {}
                rect.end x="0" y="4" width=(q) height="6" {}
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn parts_are_sound_and_escape_what_they_hold() {
        let hostile = "<img src=x onerror=alert(1)>\"'&";
        let field =
            Field { hint: Some(hostile), error: Some(hostile), ..Field::text("name", hostile, hostile) };
        let columns = [
            Column::text("Title").sorts("/titles?sort=name".to_owned(), Sorted::Up),
            Column::number("Budget"),
        ];
        let all = html! {
            (crumbs(&[(hostile, "/titles")]))
            (self::field(&field))
            (choice("genre", "Genre", &[("", "Any"), (hostile, hostile)], hostile))
            (table(hostile, &columns, html! { tr { th scope="row" { (hostile) } td.number { "1" } } }))
            (notice(Tone::Bad, html! { p { (hostile) } }))
            (tabs("Targets", &[(hostile, query("/titles", &[("text", hostile)]))], hostile))
            (pager(hostile, Some("/a"), None))
            (tiles(html! { (tile(hostile, "$1", html! {})) (chance("P(profit)", 0.4)) }))
            (later("fan", "/titles/1/fan", hostile))
            (badge(hostile, Tone::Good))
        };
        let text = all.into_string();
        check::fragment(&text);
        assert!(!text.contains("<img"), "{text}");
    }

    #[test]
    fn a_query_leaves_out_what_is_empty() {
        assert_eq!(query("/titles", &[("text", ""), ("genre", "")]), "/titles");
        assert_eq!(query("/titles", &[("text", "a&b"), ("from", "2015")]), "/titles?text=a%26b&from=2015");
    }

    #[test]
    fn names_of_features_are_words() {
        assert_eq!(group("star_power"), "Star power");
        assert_eq!(group("genre=Drama"), "genre: Drama");
    }
}
