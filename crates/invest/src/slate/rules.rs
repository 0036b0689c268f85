//! Every rule of a slate as linear rows over the projects: so much for each share, so much for being in, a limit.
//!
//! All coefficients are whole numbers (cents or counts), so that whole projects keep or break a rule exactly.
//! A row says nothing about risk, which is not linear and stands in the goal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use marquee_domain::Money;
use serde::Serialize;

use super::SlateRules;
use crate::ProjectReturn;

/// A limit on what is spent in one calendar year, as each project's expected cash says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SpendLimit {
    /// The calendar year.
    pub year: i32,
    /// The most that the slate may spend in it; receipts are not set off. US dollars, nominal.
    pub limit: Money,
}

/// A project that can be taken only with another, as a sequel with its original: and in no larger a share than 1 while
/// the other is in, 0 while it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requires {
    /// The project that depends.
    pub project: String,
    /// The project that must be in for it.
    pub needs: String,
}

/// At most so many of a set of projects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtMost {
    /// The projects.
    pub names: Vec<String>,
    /// How many of them may be in.
    pub most: usize,
    /// Why, in words for the reader: "the same director", "one shark film".
    pub why: String,
}

/// At most so many dear projects in one release month.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tentpoles {
    /// A project with a budget (without marketing) from here on is a tentpole. US dollars, nominal.
    pub budget_from: Money,
    /// How many of them may be released in one calendar month.
    pub per_month: usize,
}

/// What a limit on concentration looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitBy {
    /// Genre: a project of several counts in full in each.
    Genre,
    /// Country: a project of several counts in full in each.
    Country,
    /// Distributor, the counterparty of a release.
    Distributor,
    /// The series of titles that a project continues.
    Franchise,
}

/// A limit on concentration: what projects of one genre (country, distributor, franchise) may cost together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// What is looked at.
    pub by: LimitBy,
    /// The value that is limited, without regard to case; each value by itself where it is not said.
    pub value: Option<String>,
    /// The most that they may cost, budget and marketing, as a fraction (0 to 1) of the slate's *budget*, whether that
    /// is spent or not.
    pub at_most: f64,
}

impl LimitBy {
    /// The values that a project has, trimmed and in lower case.
    pub(crate) fn values(self, project: &ProjectReturn) -> BTreeSet<String> {
        let plain = |text: &String| text.trim().to_lowercase();
        match self {
            Self::Genre => project.genres.iter().map(plain).collect(),
            Self::Country => project.countries.iter().map(plain).collect(),
            Self::Distributor => project.distributor.iter().map(plain).collect(),
            Self::Franchise => project.franchise.iter().map(plain).collect(),
        }
    }
}

impl fmt::Display for LimitBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Genre => "genre",
            Self::Country => "country",
            Self::Distributor => "distributor",
            Self::Franchise => "franchise",
        })
    }
}

/// One constraint of a slate, as its reasons name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// The slate's budget.
    Budget,
    /// The least number of projects.
    MinProjects,
    /// The largest number of projects.
    MaxProjects,
    /// A project must be in and is excluded.
    MustHaveExcluded {
        /// Its name.
        project: String,
    },
    /// What is spent in a year.
    Spend {
        /// The calendar year.
        year: i32,
    },
    /// What is needed up to the end of a quarter.
    PeakCash {
        /// The calendar year.
        year: i32,
        /// The quarter, 1 to 4.
        quarter: u8,
    },
    /// A project needs another.
    Requires {
        /// The project that depends.
        project: String,
        /// The project that it needs.
        needs: String,
    },
    /// At most so many of a set.
    AtMost {
        /// How many.
        most: usize,
        /// Why, in the rule's own words.
        why: String,
    },
    /// At most so many dear projects in a month.
    Tentpoles {
        /// How many.
        per_month: usize,
        /// The year of release.
        year: i32,
        /// The month of release, 1 to 12.
        month: u32,
    },
    /// A limit on concentration.
    Limit {
        /// What is looked at.
        by: LimitBy,
        /// The value, in lower case.
        value: String,
    },
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget => f.write_str("the budget"),
            Self::MinProjects => f.write_str("the least number of projects"),
            Self::MaxProjects => f.write_str("the largest number of projects"),
            Self::MustHaveExcluded { project } => write!(f, "`{project}` must be in and is excluded"),
            Self::Spend { year } => write!(f, "the spending limit of {year}"),
            Self::PeakCash { year, quarter } => write!(f, "the limit on peak cash, in {year} Q{quarter}"),
            Self::Requires { project, needs } => write!(f, "`{project}` needs `{needs}`"),
            Self::AtMost { most, why } => write!(f, "at most {most} of a set ({why})"),
            Self::Tentpoles { per_month, year, month } => {
                write!(f, "at most {per_month} tentpoles a month, in {year}-{month:02}")
            }
            Self::Limit { by, value } => write!(f, "the limit on {by} `{value}`"),
        }
    }
}

/// Which rule of [`SlateRules`] a row comes from: what is relaxed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Budget,
    MinProjects,
    MaxProjects,
    MustHave(usize),
    Excluded(usize),
    Spend(usize),
    PeakCash,
    Requires(usize),
    AtMost(usize),
    Tentpoles,
    Limit(usize),
    RiskCap,
}

/// `Σ (on_share · share + on_in · is in) ≤ limit`, in cents or counts.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) source: Source,
    pub(crate) name: Constraint,
    pub(crate) on_share: Vec<f64>,
    pub(crate) on_in: Vec<f64>,
    pub(crate) limit: f64,
    /// By how much a breach of 1 raises the limit: 0 for a hard rule.
    pub(crate) gives: f64,
    /// The largest coefficient.
    pub(crate) scale: f64,
}

impl Rule {
    /// What one project adds with a share.
    pub(crate) fn charge(&self, j: usize, share: f64) -> f64 {
        if share > 0.0 { self.on_share[j] * share + self.on_in[j] } else { 0.0 }
    }

    /// The left-hand side for a slate.
    pub(crate) fn activity(&self, shares: &[f64]) -> f64 {
        shares.iter().enumerate().map(|(j, s)| self.charge(j, *s)).sum()
    }

    /// The largest that the left-hand side can be.
    pub(crate) fn most(&self) -> f64 {
        let each = self.on_share.iter().zip(&self.on_in);
        each.map(|(share, is_in)| (share + is_in).max(*is_in).max(0.0)).sum()
    }
}

/// The rows of a set of rules over the projects, in the canonical order.
pub(crate) struct Rows<'a> {
    rules: &'a SlateRules,
    projects: &'a [&'a ProjectReturn],
    /// The rule that may be broken at a price.
    soft: Option<Source>,
    rows: Vec<Rule>,
}

impl<'a> Rows<'a> {
    /// All rows of the rules but those in `dropped`; those of `soft` may be broken at a price.
    pub(crate) fn of(
        rules: &'a SlateRules,
        projects: &'a [&'a ProjectReturn],
        dropped: &BTreeSet<Source>,
        soft: Option<Source>,
    ) -> Vec<Rule> {
        let mut rows = Self { rules, projects, soft, rows: vec![] };
        rows.money();
        rows.numbers();
        rows.dependencies();
        rows.tentpoles();
        rows.limits();
        let mut rows = rows.rows;
        // A limit on concentration is a part of the budget: without a budget there is none.
        let unlimited = |r: &Rule| matches!(r.source, Source::Limit(_)) && dropped.contains(&Source::Budget);
        let binds = |r: &Rule| r.gives > 0.0 || r.most() > r.limit;
        rows.retain(|r| !dropped.contains(&r.source) && !unlimited(r) && binds(r));
        let both = |name: &&String| must_have(rules, dropped, name) && excluded(rules, dropped, name);
        rows.extend(rules.must_have.iter().find(both).map(|name| never(projects.len(), name)));
        rows
    }

    fn add(&mut self, source: Source, name: Constraint, limit: f64, row: (Vec<f64>, Vec<f64>)) {
        let (on_share, on_in) = row;
        let gives = if self.soft == Some(source) { 1.0 } else { 0.0 };
        let scale = on_share.iter().chain(&on_in).map(|c| c.abs()).fold(1.0, f64::max);
        self.rows.push(Rule { source, name, on_share, on_in, limit, gives, scale });
    }

    /// A row over shares, in cents.
    fn add_cents(
        &mut self,
        source: Source,
        name: Constraint,
        limit: Money,
        of: impl Fn(&ProjectReturn) -> f64,
    ) {
        let on_share = self.projects.iter().map(|p| of(p)).collect();
        self.add(source, name, limit.minor() as f64, (on_share, self.nothing()));
    }

    /// A row that counts the projects that are in.
    fn add_count(
        &mut self,
        source: Source,
        name: Constraint,
        most: usize,
        of: impl Fn(&ProjectReturn) -> bool,
    ) {
        let on_in = self.projects.iter().map(|p| f64::from(u8::from(of(p)))).collect();
        self.add(source, name, most as f64, (self.nothing(), on_in));
    }

    fn nothing(&self) -> Vec<f64> {
        vec![0.0; self.projects.len()]
    }

    fn money(&mut self) {
        let rules = self.rules;
        self.add_cents(Source::Budget, Constraint::Budget, rules.budget, |p| p.cost.minor() as f64);
        for (i, SpendLimit { year, limit }) in rules.spend_limits.iter().enumerate() {
            let name = Constraint::Spend { year: *year };
            let spent = |p: &ProjectReturn| {
                p.cash.iter().filter(|q| q.year == *year).map(|q| q.spent.minor() as f64).sum()
            };
            self.add_cents(Source::Spend(i), name, *limit, spent);
        }
        let Some(limit) = rules.peak_cash else { return };
        let quarters: BTreeSet<(i32, u8)> =
            self.projects.iter().flat_map(|p| p.cash.iter().map(|q| (q.year, q.quarter))).collect();
        for (year, quarter) in quarters {
            let name = Constraint::PeakCash { year, quarter };
            let needed = |p: &ProjectReturn| {
                let so_far = p.cash.iter().filter(|q| (q.year, q.quarter) <= (year, quarter));
                so_far.map(|q| q.spent.minor() as f64 - q.received.minor() as f64).sum()
            };
            self.add_cents(Source::PeakCash, name, limit, needed);
        }
    }

    fn numbers(&mut self) {
        if let Some(least) = self.rules.min_projects {
            let row = (self.nothing(), vec![-1.0; self.projects.len()]);
            self.add(Source::MinProjects, Constraint::MinProjects, -(least as f64), row);
        }
        if let Some(most) = self.rules.max_projects {
            self.add_count(Source::MaxProjects, Constraint::MaxProjects, most, |_| true);
        }
    }

    fn dependencies(&mut self) {
        for (i, Requires { project, needs }) in self.rules.requires.iter().enumerate() {
            let (mut on_share, mut on_in) = (self.nothing(), self.nothing());
            for (j, p) in self.projects.iter().enumerate() {
                // A project that needs itself needs nothing: the row is share ≤ is in.
                on_share[j] = f64::from(u8::from(p.name == *project));
                on_in[j] = -f64::from(u8::from(p.name == *needs));
            }
            let name = Constraint::Requires { project: project.clone(), needs: needs.clone() };
            self.add(Source::Requires(i), name, 0.0, (on_share, on_in));
        }
        for (i, AtMost { names, most, why }) in self.rules.at_most.iter().enumerate() {
            let name = Constraint::AtMost { most: *most, why: why.clone() };
            self.add_count(Source::AtMost(i), name, *most, |p| names.contains(&p.name));
        }
    }

    fn tentpoles(&mut self) {
        let Some(Tentpoles { budget_from, per_month }) = self.rules.tentpoles else { return };
        let dear = |p: &ProjectReturn| p.budget.0.minor() >= budget_from.minor();
        let month_of = |p: &ProjectReturn| (p.release.year(), p.release.month());
        let months: BTreeSet<(i32, u32)> =
            self.projects.iter().filter(|p| dear(p)).map(|p| month_of(p)).collect();
        for (year, month) in months {
            let name = Constraint::Tentpoles { per_month, year, month };
            self.add_count(Source::Tentpoles, name, per_month, |p| dear(p) && month_of(p) == (year, month));
        }
    }

    fn limits(&mut self) {
        let budget = self.rules.budget;
        for (i, limit) in self.rules.limits.iter().enumerate() {
            let wanted = limit.value.as_ref().map(|v| v.trim().to_lowercase());
            let mut costs: BTreeMap<String, Vec<f64>> = BTreeMap::new();
            for (j, p) in self.projects.iter().enumerate() {
                for value in limit.by.values(p).into_iter().filter(|v| wanted.as_ref().is_none_or(|w| w == v))
                {
                    costs.entry(value).or_insert_with(|| self.nothing())[j] = p.cost.minor() as f64;
                }
            }
            for (value, costs) in costs {
                let name = Constraint::Limit { by: limit.by, value };
                let row = (costs, self.nothing());
                self.add(Source::Limit(i), name, part_of(budget, limit.at_most), row);
                if self.soft == Some(Source::Budget)
                    && let Some(row) = self.rows.last_mut()
                {
                    row.gives = limit.at_most;
                }
            }
        }
    }
}

/// A fraction of a budget, in whole cents.
pub(crate) fn part_of(budget: Money, fraction: f64) -> f64 {
    (budget.minor() as f64 * fraction).round()
}

/// Whether a name must be in, by a rule that was not dropped.
pub(crate) fn must_have(rules: &SlateRules, dropped: &BTreeSet<Source>, name: &str) -> bool {
    let first = rules.must_have.iter().position(|n| n == name);
    first.is_some_and(|i| !dropped.contains(&Source::MustHave(i)))
}

/// Whether a name is excluded, by a rule that was not dropped.
pub(crate) fn excluded(rules: &SlateRules, dropped: &BTreeSet<Source>, name: &str) -> bool {
    let first = rules.excluded.iter().position(|n| n == name);
    first.is_some_and(|i| !dropped.contains(&Source::Excluded(i)))
}

/// A rule that nothing keeps.
fn never(projects: usize, name: &str) -> Rule {
    Rule {
        source: Source::MustHave(0),
        name: Constraint::MustHaveExcluded { project: name.to_owned() },
        on_share: vec![0.0; projects],
        on_in: vec![0.0; projects],
        limit: -1.0,
        gives: 0.0,
        scale: 1.0,
    }
}
