//! Why no slate keeps the rules: the smallest change of each rule that would let one exist.
//!
//! Every change was found by search, with all other rules as they are, and is enough by itself. Where no single change
//! is, a set that cannot be made smaller is found by putting the rules back one after another (the deletion filter of
//! J. W. Chinneck and E. W. Dravnieks, "Locating minimal infeasible constraint sets in linear programs", *ORSA Journal on
//! Computing* 3, 1991, on what must go instead of on what conflicts).

use std::collections::BTreeSet;
use std::fmt;

use marquee_domain::{Control, Currency, Money};
use rayon::prelude::*;
use serde::Serialize;

use super::problem::{Goal, Trade};
use super::rules::{LimitBy, Source, part_of};
use super::search::{Begin, Found, search};
use super::{Choice, Feasible, SlateRules, cents, feasible};
use crate::InvestError;

/// Why no slate keeps the rules: the rules that bind and the smallest change of each.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Infeasible {
    /// Whether any one of the fixes is enough.
    pub enough: Enough,
    /// The fixes: what binds, and what to change to which value.
    pub fixes: Vec<Fix>,
    /// Whether the search for them ended by itself; where not, there may be others and smaller ones.
    pub complete: bool,
}

/// How many of a set of fixes are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Enough {
    /// Each fix by itself lets a slate exist.
    AnyOne,
    /// No single change does; these do together, and none of them can be left out.
    AllTogether,
}

/// The smallest change of one rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fix {
    /// Raise the budget.
    Budget {
        /// What it is.
        from: Money,
        /// What it must be.
        to: Money,
    },
    /// Ask for fewer projects.
    MinProjects {
        /// The least number.
        from: usize,
        /// What it must be.
        to: usize,
    },
    /// Allow more projects.
    MaxProjects {
        /// The largest number.
        from: usize,
        /// What it must be.
        to: usize,
    },
    /// Take a project off those that must be in.
    MustHave {
        /// Its name.
        project: String,
    },
    /// Take a project off those that are excluded.
    Excluded {
        /// Its name.
        project: String,
    },
    /// Raise what may be spent in a year.
    SpendLimit {
        /// Which of [`SlateRules::spend_limits`], from 0.
        rule: usize,
        /// The calendar year.
        year: i32,
        /// What the limit is.
        from: Money,
        /// What it must be.
        to: Money,
    },
    /// Raise the limit on peak cash.
    PeakCash {
        /// What it is.
        from: Money,
        /// What it must be.
        to: Money,
    },
    /// Let a project be taken without the one that it needs.
    Requires {
        /// The project.
        project: String,
        /// What it needs.
        needs: String,
    },
    /// Allow more of a set.
    AtMost {
        /// Which of [`SlateRules::at_most`], from 0.
        rule: usize,
        /// Why the rule is there, in its own words.
        why: String,
        /// How many may be in.
        from: usize,
        /// How many it must be.
        to: usize,
    },
    /// Allow more tentpoles a month.
    Tentpoles {
        /// How many may be.
        from: usize,
        /// How many it must be.
        to: usize,
    },
    /// Raise a limit on concentration.
    Limit {
        /// Which of [`SlateRules::limits`], from 0.
        rule: usize,
        /// What is looked at.
        by: LimitBy,
        /// The value; each where it is not said.
        value: Option<String>,
        /// The fraction of the budget that it is.
        from: f64,
        /// What it must be.
        to: f64,
    },
    /// Raise the cap on risk.
    RiskCap {
        /// What it is.
        from: Money,
        /// The least CVaR that a slate can have.
        to: Money,
    },
}

impl Fix {
    /// Changes the rules as this says.
    pub fn apply(&self, rules: &mut SlateRules) {
        match self {
            Self::Budget { to, .. } => rules.budget = *to,
            Self::MinProjects { to, .. } => rules.min_projects = Some(*to),
            Self::MaxProjects { to, .. } => rules.max_projects = Some(*to),
            Self::MustHave { project } => rules.must_have.retain(|n| n != project),
            Self::Excluded { project } => rules.excluded.retain(|n| n != project),
            Self::SpendLimit { rule, to, .. } => {
                rules.spend_limits.get_mut(*rule).into_iter().for_each(|l| l.limit = *to);
            }
            Self::PeakCash { to, .. } => rules.peak_cash = Some(*to),
            Self::Requires { project, needs } => {
                rules.requires.retain(|r| r.project != *project || r.needs != *needs);
            }
            Self::AtMost { rule, to, .. } => {
                rules.at_most.get_mut(*rule).into_iter().for_each(|a| a.most = *to);
            }
            Self::Tentpoles { to, .. } => {
                rules.tentpoles.iter_mut().for_each(|t| t.per_month = *to);
            }
            Self::Limit { rule, to, .. } => {
                rules.limits.get_mut(*rule).into_iter().for_each(|l| l.at_most = *to);
            }
            Self::RiskCap { to, .. } => rules.objective = super::Objective::MeanUnderCap { cvar_cap: *to },
        }
    }
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget { from, to } => write!(f, "raise the budget from {from} to {to}"),
            Self::MinProjects { from, to } => {
                write!(f, "ask for {} or more instead of {from}", projects(*to))
            }
            Self::MaxProjects { from, to } => write!(f, "allow {} instead of {from}", projects(*to)),
            Self::MustHave { project } => write!(f, "drop `{project}` from those that must be in"),
            Self::Excluded { project } => write!(f, "no longer exclude `{project}`"),
            Self::SpendLimit { year, from, to, .. } => {
                write!(f, "raise the spending limit of {year} from {from} to {to}")
            }
            Self::PeakCash { from, to } => write!(f, "raise the limit on peak cash from {from} to {to}"),
            Self::Requires { project, needs } => write!(f, "let `{project}` be taken without `{needs}`"),
            Self::AtMost { why, from, to, .. } => write!(f, "allow {to} instead of {from} of a set ({why})"),
            Self::Tentpoles { from, to } => write!(f, "allow {to} tentpoles a month instead of {from}"),
            Self::Limit { by, value, from, to, .. } => {
                let which = value.as_ref().map_or(format!("each {by}"), |v| format!("{by} `{v}`"));
                let (from, to) = (percent(*from), percent(*to));
                write!(f, "raise the limit on {which} from {from} to {to} of the budget")
            }
            Self::RiskCap { from, to } => write!(f, "raise the cap on risk from {from} to {to}"),
        }
    }
}

/// A fraction as a percentage, rounded up to a hundredth of one: what is said must be enough.
fn percent(fraction: f64) -> String {
    let hundredths = (fraction * 1e4 - 1e-6).ceil() / 100.0;
    format!("{hundredths}%")
}

fn projects(count: usize) -> String {
    if count == 1 { "1 project".to_owned() } else { format!("{count} projects") }
}

/// How many fixes a sentence lists.
const LISTED: usize = 6;

impl fmt::Display for Infeasible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fixes.is_empty() {
            return f.write_str("the search was cut short before a change that allows one was found");
        }
        let listed: Vec<String> = self.fixes.iter().take(LISTED).map(ToString::to_string).collect();
        match self.enough {
            Enough::AnyOne => write!(f, "to allow one, {}", listed.join(", or "))?,
            Enough::AllTogether => {
                write!(f, "no single change allows one; together these do: {}", listed.join(" and "))?;
            }
        }
        let more = self.fixes.len().saturating_sub(LISTED);
        if more > 0 {
            write!(f, " (and {more} more)")?;
        }
        if self.complete { Ok(()) } else { f.write_str(" (the search for smaller changes was cut short)") }
    }
}

/// What came of looking for the smallest change of one rule.
enum Tried {
    /// It is enough; whether it is proven the smallest.
    Fix(Fix, bool),
    NotEnough,
    OutOfTime,
}

impl Choice<'_> {
    /// Why no slate keeps the rules; `cap` is the cap on risk, USD.
    pub(super) fn infeasible(&self, cap: f64, control: &Control) -> Result<Infeasible, InvestError> {
        let sources = self.sources(cap);
        let nothing = BTreeSet::new();
        let of = |source: &Source| self.smallest(self.rules, *source, cap, &nothing, control);
        // The least risk is the longest search: it begins at once, so that a deadline leaves it the most time.
        let is_cap = |source: &&Source| **source == Source::RiskCap;
        let (least_risk, others) = rayon::join(
            || sources.iter().find(is_cap).map(of),
            || sources.par_iter().filter(|s| !is_cap(s)).map(of).collect::<Vec<_>>(),
        );
        let tried = others.into_iter().chain(least_risk).collect::<Result<Vec<_>, InvestError>>()?;
        let complete = tried.iter().all(|t| matches!(t, Tried::Fix(_, true) | Tried::NotEnough));
        let fix = |t: Tried| if let Tried::Fix(fix, _) = t { Some(fix) } else { None };
        let fixes: Vec<Fix> = tried.into_iter().filter_map(fix).collect();
        if !fixes.is_empty() || !complete {
            return Ok(Infeasible { enough: Enough::AnyOne, fixes, complete });
        }
        self.together(sources, cap, control)
    }

    /// A set of rules that must all change, and their smallest changes, each after those before it.
    fn together(&self, sources: Vec<Source>, cap: f64, control: &Control) -> Result<Infeasible, InvestError> {
        let out_of_time = Infeasible { enough: Enough::AllTogether, fixes: vec![], complete: false };
        let mut gone: BTreeSet<Source> = sources.iter().copied().collect();
        for source in sources {
            gone.remove(&source);
            match self.any(self.rules, cap, &gone, control) {
                Feasible::Slate(_) => {}
                Feasible::Nowhere => {
                    gone.insert(source);
                }
                Feasible::Unknown { .. } => return Ok(out_of_time),
            }
        }
        let (mut rules, mut fixes, mut complete) = (self.rules.clone(), vec![], true);
        // Names are dropped, not raised: they stay gone while the numbers are raised.
        let (names, numbers): (Vec<Source>, Vec<Source>) = gone.iter().partition(|s| is_named(**s));
        fixes.extend(names.iter().filter_map(|s| named_fix(self.rules, *s)));
        for source in numbers {
            gone.remove(&source);
            match self.smallest(&rules, source, cap, &gone, control)? {
                Tried::Fix(fix, proven) => {
                    fix.apply(&mut rules);
                    fixes.push(fix);
                    complete &= proven;
                }
                Tried::NotEnough | Tried::OutOfTime => return Ok(out_of_time),
            }
        }
        Ok(Infeasible { enough: Enough::AllTogether, fixes, complete })
    }

    /// Every rule that there is; those that one would rather keep first.
    fn sources(&self, cap: f64) -> Vec<Source> {
        let rules = self.rules;
        let mut all: Vec<Source> = vec![];
        all.extend((0..rules.must_have.len()).map(Source::MustHave));
        all.extend((0..rules.excluded.len()).map(Source::Excluded));
        all.extend((0..rules.requires.len()).map(Source::Requires));
        all.extend((0..rules.at_most.len()).map(Source::AtMost));
        all.extend(rules.tentpoles.map(|_| Source::Tentpoles));
        all.extend((0..rules.limits.len()).map(Source::Limit));
        all.extend((0..rules.spend_limits.len()).map(Source::Spend));
        all.extend(rules.peak_cash.map(|_| Source::PeakCash));
        all.extend(rules.max_projects.map(|_| Source::MaxProjects));
        all.extend(rules.min_projects.map(|_| Source::MinProjects));
        all.extend((cap < f64::INFINITY).then_some(Source::RiskCap));
        all.push(Source::Budget);
        all
    }

    /// Whether any slate keeps the rules without some of them.
    fn any(&self, rules: &SlateRules, cap: f64, gone: &BTreeSet<Source>, control: &Control) -> Feasible {
        let cap = if gone.contains(&Source::RiskCap) { f64::INFINITY } else { cap };
        feasible(
            &self.problem(rules, Goal::new(0.0, 0.0, cap), gone, None),
            Some(self.numbers.effort()),
            control,
        )
    }

    /// The smallest change of one rule that lets a slate exist, the others but those in `gone` as they are.
    fn smallest(
        &self,
        rules: &SlateRules,
        source: Source,
        cap: f64,
        gone: &BTreeSet<Source>,
        control: &Control,
    ) -> Result<Tried, InvestError> {
        if is_named(source) {
            let without: BTreeSet<Source> = gone.iter().copied().chain([source]).collect();
            return Ok(match self.any(rules, cap, &without, control) {
                Feasible::Slate(_) => {
                    named_fix(rules, source).map_or(Tried::NotEnough, |fix| Tried::Fix(fix, true))
                }
                Feasible::Nowhere => Tried::NotEnough,
                Feasible::Unknown { .. } => Tried::OutOfTime,
            });
        }
        let open = f64::INFINITY;
        let cap = if gone.contains(&Source::RiskCap) { open } else { cap };
        let goal = match source {
            Source::RiskCap => Goal::new(0.0, 1.0, open),
            _ => Goal { trade: Trade { reward: 0.0, aversion: 0.0 }, mends: true, cap },
        };
        let problem = self.problem(rules, goal, gone, Some(source));
        let start = problem.cheapest();
        let begin =
            Begin { start: Some(&start), most_nodes: Some(self.numbers.effort()), ..Begin::default() };
        let found = search(&problem, begin, control);
        Ok(match raised(rules, source, cap, &found)? {
            Some(fix) => Tried::Fix(fix, found.finished),
            None if found.finished => Tried::NotEnough,
            None => Tried::OutOfTime,
        })
    }
}

/// Whether a rule holds or is gone, with nothing between.
fn is_named(source: Source) -> bool {
    matches!(source, Source::MustHave(_) | Source::Excluded(_) | Source::Requires(_))
}

fn named_fix(rules: &SlateRules, source: Source) -> Option<Fix> {
    match source {
        Source::MustHave(i) => rules.must_have.get(i).map(|n| Fix::MustHave { project: n.clone() }),
        Source::Excluded(i) => rules.excluded.get(i).map(|n| Fix::Excluded { project: n.clone() }),
        Source::Requires(i) => {
            let fix =
                |r: &super::Requires| Fix::Requires { project: r.project.clone(), needs: r.needs.clone() };
            rules.requires.get(i).map(fix)
        }
        _ => None,
    }
}

/// The fix that a search for the least breach (or the least risk) found.
fn raised(rules: &SlateRules, source: Source, cap: f64, found: &Found) -> Result<Option<Fix>, InvestError> {
    let Some(best) = &found.best else { return Ok(None) };
    // Breaches of whole projects are whole numbers; with shares they are rounded up.
    let breach = (-best.objective - 1e-6).ceil().max(0.0);
    let money = |from: Money| cents(i128::from(from.minor()) + breach as i128);
    let count = |from: usize| from.saturating_add(breach as usize);
    Ok(match source {
        Source::Budget => Some(Fix::Budget { from: rules.budget, to: money(rules.budget)? }),
        Source::MinProjects => {
            rules.min_projects.map(|from| Fix::MinProjects { from, to: from.saturating_sub(breach as usize) })
        }
        Source::MaxProjects => rules.max_projects.map(|from| Fix::MaxProjects { from, to: count(from) }),
        Source::Spend(rule) => match rules.spend_limits.get(rule) {
            Some(l) => Some(Fix::SpendLimit { rule, year: l.year, from: l.limit, to: money(l.limit)? }),
            None => None,
        },
        Source::PeakCash => match rules.peak_cash {
            Some(from) => Some(Fix::PeakCash { from, to: money(from)? }),
            None => None,
        },
        Source::AtMost(rule) => rules.at_most.get(rule).map(|a| Fix::AtMost {
            rule,
            why: a.why.clone(),
            from: a.most,
            to: count(a.most),
        }),
        Source::Tentpoles => {
            rules.tentpoles.map(|t| Fix::Tentpoles { from: t.per_month, to: count(t.per_month) })
        }
        Source::Limit(rule) => rules.limits.get(rule).map(|l| {
            let to = fraction_for(rules.budget, part_of(rules.budget, l.at_most) + breach);
            Fix::Limit { rule, by: l.by, value: l.value.clone(), from: l.at_most, to }
        }),
        Source::RiskCap => {
            let up = Money::from_minor((best.risk * 100.0).ceil() as i64, Currency::USD);
            Some(Fix::RiskCap { from: super::usd(cap)?, to: up })
        }
        Source::MustHave(_) | Source::Excluded(_) | Source::Requires(_) => None,
    })
}

/// The least fraction of a budget that is so many cents; 1 where there is no budget to be a fraction of.
fn fraction_for(budget: Money, cents: f64) -> f64 {
    let mut fraction = cents / (budget.minor() as f64).max(1.0);
    while part_of(budget, fraction) < cents && budget.minor() > 0 && fraction.is_finite() {
        fraction = fraction.next_up();
    }
    fraction
}
