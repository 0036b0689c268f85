//! The deal: dated, editable assumptions and terms that turn a gross into money for everybody who takes part.
//!
//! Nothing in it is fitted to profits. Each figure carries its value, the day on which it was assumed and its source, or
//! the word "assumption"; what is computed from them is called gross-implied. There are no defaults but the file itself.
//! A deal that contradicts itself is refused with the line and the reason.
//!
//! | File | Holds |
//! |---|---|
//! | `text` | the tables of the file, as they are written |
//! | `figure` | a figure with its date and source, and what it may be |
//! | `participant` | who takes part, checked, in the order of payment |
//! | `line` | where in the text something stands |

mod figure;
mod line;
mod participant;
mod text;

use marquee_domain::{Budget, Currency, Day, Gross, Money, Project, Spend};
use serde::Serialize;

use crate::InvestError;
pub(crate) use figure::Figure;
use figure::{
    AMOUNT, BELOW_ONE, CHANGE, DEGREES, FACTOR, FRACTION, MONTHS, POSITIVE, QUARTERS, Range, SHARE, SPAN,
    Series,
};
use line::{Step, line_of};
pub(crate) use participant::{Amount, Participant, Role};
use text::Text;
pub(crate) use text::{Incentive, Risk, Side};
pub use text::{IncentiveKind, Kind, RiskKind};

const VERSION: u32 = 2;

/// The assumptions and terms between a gross and everybody's money. US dollars, nominal; shares are fractions.
///
/// ```
/// use marquee_invest::Deal;
/// let deal = Deal::default();
/// assert_eq!(deal.name(), "default");
/// let greedy = Deal::DEFAULT_TOML.replace("fee = { value = 0.15", "fee = { value = 1.5");
/// let said = Deal::from_toml(&greedy).unwrap_err().to_string();
/// assert!(said.ends_with("`distribution.fee` is 1.5, it must be a fraction in [0, 1)"), "{said}");
/// assert!(said.starts_with("deal, line "), "{said}");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Deal {
    text: Text,
    participants: Vec<Participant>,
}

/// One assumption as a table shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssumptionRow {
    /// Where it stands in the file, for example `distribution.fee` or `window[2].income` (the first is 1).
    pub key: String,
    /// The figure, or the figures by week or quarter, in `unit`.
    pub values: Vec<f64>,
    /// What the figure counts.
    pub unit: &'static str,
    /// The day on which it was assumed.
    pub dated: Day,
    /// Where it comes from, or `assumption`.
    pub source: String,
    /// What else to know.
    pub note: Option<String>,
}

/// What is spent to release a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MarketingPlan {
    /// Prints and advertising.
    pub spend: Spend,
    /// Whether it follows from the deal's rule because the project plans none.
    pub assumed: bool,
}

/// What of a gross is left when cinemas, fees and commissions are paid, in plain numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Terms {
    /// Of a dollar of domestic and of international gross, from cinemas.
    pub(crate) theatrical: [f64; 2],
    /// The same from later windows.
    pub(crate) windows: [f64; 2],
    /// Incentives for a dollar of planned budget.
    pub(crate) incentives: f64,
    pub(crate) domestic_share: f64,
    pub(crate) highest_gross: f64,
}

/// Loadings on the shared factors: see the deal's `[dependence]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loadings {
    pub(crate) market_year: f64,
    pub(crate) season: f64,
    pub(crate) genre: f64,
    pub(crate) franchise: f64,
    pub(crate) cannibalisation: f64,
    /// Degrees of freedom of a t copula; none for a Gaussian one.
    pub(crate) tail_degrees: Option<f64>,
}

/// A refusal: where in the file, and what.
#[derive(Debug)]
struct Fault {
    path: Vec<(Option<String>, usize)>,
    kind: FaultKind,
}

#[derive(Debug)]
enum FaultKind {
    Value { key: String, value: f64, range: &'static str },
    Contradiction(String),
}

impl Fault {
    fn new(path: &[Step<'_>], said: String) -> Self {
        Self { path: owned(path), kind: FaultKind::Contradiction(said) }
    }

    fn in_text(self, text: &str) -> InvestError {
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
struct Entry<'a> {
    path: Vec<Step<'static>>,
    unit: &'static str,
    range: Range,
    values: &'a [f64],
    dated: Day,
    source: &'a str,
    note: Option<&'a str>,
}

impl Entry<'_> {
    fn key(&self) -> String {
        self.path.iter().fold(String::new(), |key, step| match step {
            Step::Key(part) if key.is_empty() => (*part).to_owned(),
            Step::Key(part) => format!("{key}.{part}"),
            Step::At(index) => format!("{key}[{}]", index + 1),
        })
    }
}

impl Deal {
    /// The text of the bundled default deal, for users to copy and edit.
    pub const DEFAULT_TOML: &str = include_str!("../../deals/default.toml");

    /// Reads and checks a deal.
    ///
    /// # Errors
    /// [`InvestError::DealText`] with the line for what is not TOML, unknown or missing; [`InvestError::DealVersion`];
    /// [`InvestError::DealValue`] with line, key, value and range; [`InvestError::DealContradiction`] with line and reason.
    pub fn from_toml(text: &str) -> Result<Self, InvestError> {
        let version = toml::from_str::<toml::Table>(text).ok().and_then(|t| t.get("version")?.as_integer());
        if let Some(found) = version.filter(|v| *v != i64::from(VERSION)) {
            return Err(InvestError::DealVersion { found, known: VERSION });
        }
        let read: Text = toml::from_str(text).map_err(|e| InvestError::DealText(e.to_string()))?;
        Self::checked(read).map_err(|fault| fault.in_text(text))
    }

    fn checked(text: Text) -> Result<Self, Fault> {
        check_figures(&text)?;
        check_together(&text)?;
        let participants = participant::read(&text)?;
        Ok(Self { text, participants })
    }

    /// The name that the file gives.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text.name
    }

    /// What is spent to release `project`: its own plan, or the deal's rule.
    ///
    /// # Errors
    /// [`InvestError::Domain`] where the amount cannot be kept.
    pub fn marketing_for(&self, project: &Project) -> Result<MarketingPlan, InvestError> {
        if let Some(spend) = project.marketing {
            return Ok(MarketingPlan { spend, assumed: false });
        }
        Ok(MarketingPlan { spend: self.usual_marketing(project.budget)?, assumed: true })
    }

    fn usual_marketing(&self, budget: Budget) -> Result<Spend, InvestError> {
        let rule = &self.text.marketing;
        let amount = budget.0.major() * rule.fraction_of_budget.value;
        let held = amount.clamp(rule.floor_usd.value, rule.cap_usd.value);
        Ok(Spend(Money::from_major(held, Currency::USD)?))
    }

    /// The worldwide gross at which a film of this budget (US dollars, nominal) breaks even, gross-implied, with the
    /// marketing and the domestic share that the deal assumes where nobody plans others.
    ///
    /// ```
    /// use marquee_domain::{Budget, Currency, Money};
    /// use marquee_invest::Deal;
    ///
    /// let budget = Budget(Money::from_major(40e6, Currency::USD)?);
    /// let gross = Deal::default().break_even(budget)?;
    /// assert!(gross.0.major() > 40e6 && gross.0.major() < 200e6);
    /// # Ok::<(), marquee_invest::InvestError>(())
    /// ```
    ///
    /// # Errors
    /// [`InvestError::Domain`] where the amount cannot be kept.
    pub fn break_even(&self, budget: Budget) -> Result<Gross, InvestError> {
        let marketing = self.usual_marketing(budget)?.0.major();
        let terms = self.terms();
        let gross = terms.break_even(budget.0.major(), marketing, terms.domestic_share);
        Ok(Gross(Money::from_major(gross, Currency::USD)?))
    }

    /// What a dollar of worldwide gross leaves to those who finance and share, at the deal's domestic share.
    #[must_use]
    pub fn income_per_gross(&self) -> f64 {
        let terms = self.terms();
        terms.income(terms.domestic_share, 1.0 - terms.domestic_share, 1.0)
    }

    /// The gross above which none is taken, US dollars.
    #[must_use]
    pub fn highest_gross(&self) -> f64 {
        self.text.theatrical.highest_gross_usd.value
    }

    /// What a year of waiting costs.
    #[must_use]
    pub fn discount_rate(&self) -> f64 {
        self.text.discounting.rate.value
    }

    /// Every assumption with its date and source, in the order of the file.
    #[must_use]
    pub fn assumptions(&self) -> Vec<AssumptionRow> {
        let row = |e: Entry<'_>| AssumptionRow {
            key: e.key(),
            values: e.values.to_vec(),
            unit: e.unit,
            dated: e.dated,
            source: e.source.to_owned(),
            note: e.note.map(ToOwned::to_owned),
        };
        entries(&self.text).into_iter().map(row).collect()
    }

    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    pub(crate) fn participants(&self) -> &[Participant] {
        &self.participants
    }

    pub(crate) fn terms(&self) -> Terms {
        let mut theatrical = [0.0; 2];
        let mut windows = [0.0; 2];
        for (s, territory) in self.text.territory.iter().enumerate() {
            theatrical[territory.of as usize] +=
                territory.part.value * (1.0 - self.exhibitor_share(s)) * (1.0 - self.off_the_top(s));
        }
        for (w, window) in self.text.window.iter().enumerate() {
            let off = self.off_the_top(self.text.territory.len() + w);
            windows[window.of as usize] += window.income.value * (1.0 - off);
        }
        Terms {
            theatrical,
            windows,
            incentives: self.text.incentive.iter().map(incentive_rate).sum(),
            domestic_share: self.text.theatrical.domestic_share_of_worldwide.value,
            highest_gross: self.text.theatrical.highest_gross_usd.value,
        }
    }

    /// What cinemas of a territory keep over a whole run: shares by week, weighed by what each week takes.
    pub(crate) fn exhibitor_share(&self, territory: usize) -> f64 {
        let weeks = self.text.theatrical.week_shares.value.as_slice();
        let Some(of) = self.text.territory.get(territory) else { return 0.0 };
        let shares = of.exhibitor_share.value.as_slice();
        let last = shares.last().copied().unwrap_or(0.0);
        let total: f64 = weeks.iter().sum();
        let kept = weeks.iter().enumerate().map(|(w, part)| part * shares.get(w).copied().unwrap_or(last));
        kept.sum::<f64>() / total
    }

    /// What the distributor and agents take of the receipts of a stream before anybody recoups.
    fn off_the_top(&self, stream: usize) -> f64 {
        let commission = |p: &Participant| match &p.role {
            Role::Commission { share, covers } if covers.contains(&stream) => *share,
            _ => 0.0,
        };
        self.text.distribution.fee.value + self.participants.iter().map(commission).sum::<f64>()
    }

    pub(crate) fn loadings(&self) -> Loadings {
        let d = &self.text.dependence;
        Loadings {
            market_year: d.market_year.value,
            season: d.season.value,
            genre: d.genre.value,
            franchise: d.franchise.value,
            cannibalisation: d.cannibalisation.value,
            tail_degrees: d.tail_degrees.as_ref().map(|f| f.value),
        }
    }
}

impl Terms {
    /// What a domestic and an international gross leave to those who finance and share, all in one unit of money;
    /// `windows` is a factor on what later windows bring.
    pub(crate) fn income(&self, domestic: f64, international: f64, windows: f64) -> f64 {
        domestic * (self.theatrical[0] + windows * self.windows[0])
            + international * (self.theatrical[1] + windows * self.windows[1])
    }

    /// The worldwide gross whose income and incentives equal the cost; all in one unit of money.
    pub(crate) fn break_even(&self, budget: f64, marketing: f64, domestic_share: f64) -> f64 {
        let kept = self.income(domestic_share, 1.0 - domestic_share, 1.0);
        (budget * (1.0 - self.incentives) + marketing).max(0.0) / kept
    }
}

/// What an incentive brings for a dollar of planned budget.
pub(crate) fn incentive_rate(incentive: &Incentive) -> f64 {
    let turned = match incentive.kind {
        IncentiveKind::Refundable | IncentiveKind::Rebate => 1.0,
        IncentiveKind::Transferable => incentive.price.as_ref().map_or(0.0, |p| p.value),
        IncentiveKind::NonTransferable => incentive.usable.as_ref().map_or(0.0, |u| u.value),
    };
    incentive.qualified.value * incentive.rate.value * turned
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
fn entries(text: &Text) -> Vec<Entry<'_>> {
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
fn check_figures(text: &Text) -> Result<(), Fault> {
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
fn check_together(text: &Text) -> Result<(), Fault> {
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
        let of = |t: &&text::Territory| t.of == side;
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
    check_lists(text)
}

fn adds_up(path: &[Step<'_>], what: &str, sum: f64) -> Result<(), Fault> {
    if (sum - 1.0).abs() <= 1e-6 {
        return Ok(());
    }
    Err(Fault::new(path, format!("{what} add up to {:.1}%, they must add up to 100%", sum * 100.0)))
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
                let kind = format!("{:?}", x.kind).to_lowercase();
                let said = format!("the incentive `{}` is {kind}, which {verb} `{key}`", x.name);
                return Err(Fault::new(&[Key("incentive"), At(i), Key(key)], said));
            }
        }
    }
    for (i, r) in text.risk.iter().enumerate() {
        let effects = [&r.budget, &r.marketing, &r.delay_quarters, &r.domestic, &r.international, &r.windows];
        if effects.iter().all(|e| e.is_none()) {
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

/// The bundled deal. A test reads it through [`Deal::from_toml`], so that it always exists.
impl Default for Deal {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the text is compiled in and a test reads it")]
        Self::from_toml(Self::DEFAULT_TOML).expect("the bundled deal is valid")
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
