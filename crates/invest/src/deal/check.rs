//! The one list of a deal's figures with their ranges, and what must hold of several together.

use marquee_domain::{Currency, Day};

use super::AssumptionRow;
use super::figure::{
    AMOUNT, BELOW_ONE, CHANGE, DEGREES, FACTOR, FRACTION, Figure, MONTHS, POSITIVE, QUARTERS, Range, SHARE,
    SPAN, Series,
};
use super::line::{Step, line_of};
use super::participant;
use super::text::{IncentiveKind, Side, Territory, Text};
use crate::InvestError;

/// A refusal: where in the file, and what.
#[derive(Debug)]
pub(super) struct Fault {
    path: Vec<(Option<String>, usize)>,
    kind: FaultKind,
}

#[derive(Debug)]
enum FaultKind {
    Value { key: String, value: f64, range: &'static str },
    Contradiction(String),
}

impl Fault {
    pub(super) fn new(path: &[Step<'_>], said: String) -> Self {
        Self { path: owned(path), kind: FaultKind::Contradiction(said) }
    }

    pub(super) fn in_text(self, text: &str) -> InvestError {
        let path: Vec<Step<'_>> = self
            .path
            .iter()
            .map(|(key, at)| key.as_ref().map_or(Step::At(*at), |key| Step::Key(key)))
            .collect();
        let line = line_of(text, &path);
        match self.kind {
            FaultKind::Value { key, value, range } => InvestError::DealValue { line, key, value, range },
            FaultKind::Contradiction(said) => InvestError::DealContradiction { line, said },
        }
    }
}

fn owned(path: &[Step<'_>]) -> Vec<(Option<String>, usize)> {
    let step = |s: &Step<'_>| match s {
        Step::Key(key) => (Some((*key).to_owned()), 0),
        Step::At(index) => (None, *index),
    };
    path.iter().map(step).collect()
}

/// A figure of the deal with its place, its unit and what it may be.
pub(super) struct Entry<'a> {
    path: Vec<Step<'static>>,
    unit: &'static str,
    range: Range,
    values: &'a [f64],
    dated: Day,
    source: &'a str,
    note: Option<&'a str>,
}

impl Entry<'_> {
    /// The figure as a table shows it.
    pub(super) fn row(&self) -> AssumptionRow {
        AssumptionRow {
            key: self.key(),
            values: self.values.to_vec(),
            unit: self.unit,
            dated: self.dated,
            source: self.source.to_owned(),
            note: self.note.map(ToOwned::to_owned),
        }
    }

    fn key(&self) -> String {
        self.path.iter().fold(String::new(), |key, step| match step {
            Step::Key(part) if key.is_empty() => (*part).to_owned(),
            Step::Key(part) => format!("{key}.{part}"),
            Step::At(index) => format!("{key}[{}]", index + 1),
        })
    }
}

/// Figures gathered in the order of the file.
struct Gather<'a>(Vec<Entry<'a>>);

impl<'a> Gather<'a> {
    fn one(&mut self, path: &[Step<'static>], unit: &'static str, range: Range, figure: &'a Figure) {
        let Figure { value, dated, source, note } = figure;
        let (values, note) = (std::slice::from_ref(value), note.as_deref());
        self.0.push(Entry { path: path.to_vec(), unit, range, values, dated: *dated, source, note });
    }

    fn maybe(
        &mut self,
        path: &[Step<'static>],
        unit: &'static str,
        range: Range,
        figure: Option<&'a Figure>,
    ) {
        if let Some(figure) = figure {
            self.one(path, unit, range, figure);
        }
    }

    fn many(&mut self, path: &[Step<'static>], unit: &'static str, range: Range, figures: &'a Series) {
        let (values, note) = (figures.value.as_slice(), figures.note.as_deref());
        let (dated, source) = (figures.dated, figures.source.as_str());
        self.0.push(Entry { path: path.to_vec(), unit, range, values, dated, source, note });
    }
}

/// The one list of figures: place, unit, allowed range, value.
pub(super) fn entries(text: &Text) -> Vec<Entry<'_>> {
    use Step::{At, Key};
    let mut g = Gather(vec![]);
    let t = &text.theatrical;
    let at = |key| [Key("theatrical"), Key(key)];
    g.one(&at("domestic_share_of_worldwide"), "share of gross", SHARE, &t.domestic_share_of_worldwide);
    g.one(&at("highest_gross_usd"), "USD", POSITIVE, &t.highest_gross_usd);
    g.many(&at("week_shares"), "share of a run's gross, by week", FRACTION, &t.week_shares);
    g.many(&at("collected"), "share of receipts, by quarter from release", FRACTION, &t.collected);
    for (i, t) in text.territory.iter().enumerate() {
        let at = |key| [Key("territory"), At(i), Key(key)];
        g.one(&at("part"), "share of gross", FRACTION, &t.part);
        g.many(&at("exhibitor_share"), "share of gross, by week", BELOW_ONE, &t.exhibitor_share);
    }
    for (i, w) in text.window.iter().enumerate() {
        let at = |key| [Key("window"), At(i), Key(key)];
        g.one(&at("income"), "USD per USD of gross", FACTOR, &w.income);
        g.one(&at("opens"), "months after release", MONTHS, &w.opens);
        g.one(&at("months"), "months", SPAN, &w.months);
    }
    g.one(&[Key("distribution"), Key("fee")], "share of receipts", BELOW_ONE, &text.distribution.fee);
    let (m, at) = (&text.marketing, |key| [Key("marketing"), Key(key)]);
    g.one(&at("fraction_of_budget"), "share of budget", FACTOR, &m.fraction_of_budget);
    g.one(&at("floor_usd"), "USD", AMOUNT, &m.floor_usd);
    g.one(&at("cap_usd"), "USD", AMOUNT, &m.cap_usd);
    let (s, at) = (&text.spending, |key| [Key("spending"), Key(key)]);
    g.one(&at("production_months"), "months", SPAN, &s.production_months);
    g.one(&at("delivery_months_before_release"), "months", MONTHS, &s.delivery_months_before_release);
    g.one(&at("marketing_months"), "months", SPAN, &s.marketing_months);
    g.one(&[Key("discounting"), Key("rate")], "a year", BELOW_ONE, &text.discounting.rate);
    incentive_entries(text, &mut g);
    risk_entries(text, &mut g);
    let (r, at) = (&text.response, |key| [Key("response"), Key(key)]);
    let unit = "% of gross for 1% of spend: 5, 50, 95%";
    g.many(&at("development"), unit, SHARE, &r.development);
    g.many(&at("production"), unit, SHARE, &r.production);
    g.many(&at("marketing"), unit, SHARE, &r.marketing);
    let share = &r.development_share_of_budget;
    g.one(&at("development_share_of_budget"), "share of budget", BELOW_ONE, share);
    let (d, at) = (&text.dependence, |key| [Key("dependence"), Key(key)]);
    g.one(&at("market_year"), "loading", FRACTION, &d.market_year);
    g.one(&at("season"), "loading", FRACTION, &d.season);
    g.one(&at("genre"), "loading", FRACTION, &d.genre);
    g.one(&at("franchise"), "loading", FRACTION, &d.franchise);
    g.one(&at("cannibalisation"), "share of own variance", FRACTION, &d.cannibalisation);
    g.maybe(&at("tail_degrees"), "degrees of freedom", DEGREES, d.tail_degrees.as_ref());
    g.0
}

fn incentive_entries<'a>(text: &'a Text, g: &mut Gather<'a>) {
    for (i, x) in text.incentive.iter().enumerate() {
        let at = |key| [Step::Key("incentive"), Step::At(i), Step::Key(key)];
        g.one(&at("qualified"), "share of budget", FRACTION, &x.qualified);
        g.one(&at("rate"), "share of what qualifies", FRACTION, &x.rate);
        g.maybe(&at("price"), "USD per USD of credit", FRACTION, x.price.as_ref());
        g.maybe(&at("usable"), "share of the credit", FRACTION, x.usable.as_ref());
        let received = &x.received_months_after_delivery;
        g.one(&at("received_months_after_delivery"), "months", MONTHS, received);
    }
}

fn risk_entries<'a>(text: &'a Text, g: &mut Gather<'a>) {
    for (i, r) in text.risk.iter().enumerate() {
        let at = |key| [Step::Key("risk"), Step::At(i), Step::Key(key)];
        g.maybe(&at("probability"), "probability", FRACTION, r.probability.as_ref());
        g.maybe(&at("budget"), "increase of the budget", FACTOR, r.budget.as_ref());
        g.maybe(&at("marketing"), "increase of marketing", FACTOR, r.marketing.as_ref());
        g.maybe(&at("delay_quarters"), "quarters", QUARTERS, r.delay_quarters.as_ref());
        g.maybe(&at("domestic"), "change of the gross", CHANGE, r.domestic.as_ref());
        g.maybe(&at("international"), "change of the gross", CHANGE, r.international.as_ref());
        g.maybe(&at("windows"), "change of the income", CHANGE, r.windows.as_ref());
    }
}

/// Each figure by itself: its range and its source.
pub(super) fn check_figures(text: &Text) -> Result<(), Fault> {
    for entry in entries(text) {
        let (inside, range) = entry.range;
        if entry.values.is_empty() {
            return Err(Fault::new(
                &entry.path,
                format!("`{}` is an empty list: give a figure", entry.key()),
            ));
        }
        if let Some(value) = entry.values.iter().find(|v| !inside(**v)) {
            let kind = FaultKind::Value { key: entry.key(), value: *value, range };
            return Err(Fault { path: owned(&entry.path), kind });
        }
        if entry.source.trim().is_empty() {
            let said = format!(
                "`{}` names no source; write where it comes from, or source = \"assumption\"",
                entry.key()
            );
            return Err(Fault::new(&entry.path, said));
        }
    }
    Ok(())
}

/// What must hold of several figures together.
pub(super) fn check_together(text: &Text) -> Result<(), Fault> {
    use Step::Key;
    match text.currency.parse::<Currency>() {
        Ok(Currency::USD) => {}
        Ok(other) => {
            let said = format!("the currency is {other}; forecasts are in USD: write the deal in it");
            return Err(Fault::new(&[Key("currency")], said));
        }
        Err(e) => return Err(Fault::new(&[Key("currency")], format!("unknown currency: {e}"))),
    }
    let (floor, cap) = (text.marketing.floor_usd.value, text.marketing.cap_usd.value);
    if floor > cap {
        let said = format!("`marketing.floor_usd` ({floor}) is above `marketing.cap_usd` ({cap})");
        return Err(Fault::new(&[Key("marketing"), Key("floor_usd")], said));
    }
    for (key, series) in
        [("week_shares", &text.theatrical.week_shares), ("collected", &text.theatrical.collected)]
    {
        adds_up(&[Key("theatrical"), Key(key)], key, series.value.as_slice().iter().sum())?;
    }
    for (side, name) in [(Side::Domestic, "domestic"), (Side::International, "international")] {
        let of = |t: &&Territory| t.of == side;
        let parts: f64 = text.territory.iter().filter(of).map(|t| t.part.value).sum();
        let last = text.territory.iter().rposition(|t| t.of == side).unwrap_or(0);
        let what = format!("the parts of territories of the {name} gross");
        adds_up(&[Key("territory"), Step::At(last), Key("part")], &what, parts)?;
    }
    let d = &text.dependence;
    let squares = [&d.market_year, &d.season, &d.genre, &d.franchise].map(|f| f.value * f.value);
    let shared: f64 = squares.iter().sum();
    if shared > 1.0 {
        let said = format!("the squares of the loadings in `dependence` add up to {shared:.3}, above 1");
        return Err(Fault::new(&[Key("dependence")], said));
    }
    check_names(text)?;
    check_response(text)?;
    check_lists(text)
}

fn adds_up(path: &[Step<'_>], what: &str, sum: f64) -> Result<(), Fault> {
    if (sum - 1.0).abs() <= 1e-6 {
        return Ok(());
    }
    Err(Fault::new(path, format!("{what} add up to {:.2}%, they must add up to 100%", sum.abs() * 100.0)))
}

/// A response is a range, and returns diminish.
fn check_response(text: &Text) -> Result<(), Fault> {
    use Step::Key;
    let r = &text.response;
    let mut most = 0.0;
    for (key, series) in
        [("development", &r.development), ("production", &r.production), ("marketing", &r.marketing)]
    {
        let path = [Key("response"), Key(key)];
        match series.value.as_slice() {
            [low, middle, high] if low <= middle && middle <= high => most += high,
            _ => {
                let said = format!("`response.{key}` must be three rising figures: at 5, 50 and 95%");
                return Err(Fault::new(&path, said));
            }
        }
    }
    if most >= 0.98 {
        let said = format!(
            "the upper ends of `response` add up to {most:.2}, from 0.98 on more spending pays without end"
        );
        return Err(Fault::new(&[Key("response")], said));
    }
    Ok(())
}

/// Names are how the parts of a deal are told apart.
fn check_names(text: &Text) -> Result<(), Fault> {
    let streams = participant::streams(text);
    let lists: [(&'static [&'static str], Vec<&str>); 4] = [
        (&["territory", "window"], streams),
        (&["incentive"], text.incentive.iter().map(|x| x.name.as_str()).collect()),
        (&["participant"], text.participant.iter().map(|x| x.name.as_str()).collect()),
        (&["risk"], text.risk.iter().map(|x| x.name.as_str()).collect()),
    ];
    for (tables, names) in lists {
        for (i, name) in names.iter().enumerate() {
            let first = text.territory.len();
            let (table, at) = match tables {
                [territory, window] => {
                    if i < first {
                        (*territory, i)
                    } else {
                        (*window, i - first)
                    }
                }
                _ => (tables[0], i),
            };
            let path = [Step::Key(table), Step::At(at), Step::Key("name")];
            if name.trim().is_empty() {
                return Err(Fault::new(&path, format!("a {table} has no name: give it one")));
            }
            if names[..i].contains(name) {
                return Err(Fault::new(&path, format!("two are called `{name}`: give each its own name")));
            }
        }
    }
    Ok(())
}

/// Incentives that lack what their kind needs, events that change nothing.
fn check_lists(text: &Text) -> Result<(), Fault> {
    use Step::{At, Key};
    for (i, x) in text.incentive.iter().enumerate() {
        let needs = [
            ("price", x.kind == IncentiveKind::Transferable, x.price.is_some()),
            ("usable", x.kind == IncentiveKind::NonTransferable, x.usable.is_some()),
        ];
        for (key, wanted, given) in needs {
            if wanted != given {
                let verb = if wanted { "needs" } else { "has no use for" };
                let kind = x.kind.as_str();
                let said = format!("the incentive `{}` is {kind}, which {verb} `{key}`", x.name);
                return Err(Fault::new(&[Key("incentive"), At(i), Key(key)], said));
            }
        }
    }
    for (i, r) in text.risk.iter().enumerate() {
        if r.effects().iter().all(Option::is_none) {
            let said = format!("the risk `{}` changes nothing: give at least one effect", r.name);
            return Err(Fault::new(&[Key("risk"), At(i)], said));
        }
        let (from, below) = (r.budget_from.unwrap_or(0.0), r.budget_below.unwrap_or(f64::INFINITY));
        if from.is_nan() || below.is_nan() || from >= below {
            let said = format!("the risk `{}` is for budgets from {from} and below {below}: none is", r.name);
            return Err(Fault::new(&[Key("risk"), At(i), Key("budget_from")], said));
        }
    }
    Ok(())
}
