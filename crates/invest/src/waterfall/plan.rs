//! The dates and amounts of one project under one deal: what is spent, drawn and received in which calendar quarter.
//!
//! Everything that no outcome changes is laid out here once; [`super::pay`] then pays each outcome through it.

use marquee_domain::{Budget, Currency, Day, Money, Spend};
use serde::Serialize;

use super::split::split;
use crate::deal::{Amount, Participant, Role, incentive_rate};
use crate::{Deal, InvestError};

/// A quarter of a calendar year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Quarter {
    /// The calendar year.
    pub year: i32,
    /// 1 to 4.
    pub quarter: u8,
}

impl Quarter {
    /// How many quarters after another it is; below zero where it comes before.
    #[must_use]
    pub fn quarters_since(self, earlier: Self) -> i32 {
        (self.year - earlier.year) * 4 + i32::from(self.quarter) - i32::from(earlier.quarter)
    }
}

impl std::fmt::Display for Quarter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} Q{}", self.year, self.quarter)
    }
}

/// What a project costs and when it comes out. US dollars, nominal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// What it costs to make.
    pub budget: Budget,
    /// What it costs to release.
    pub marketing: Spend,
    /// The planned release day.
    pub release: Day,
}

/// A territory or a window: what comes of a gross, when, and what is taken off.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stream {
    /// 0 domestic, 1 international.
    pub(super) side: usize,
    pub(super) is_window: bool,
    /// Of the gross: a territory's part, or what a window brings for a dollar.
    pub(super) factor: f64,
    pub(super) exhibitors: f64,
    /// Commissions on it: participant and share.
    pub(super) commissions: Vec<(usize, f64)>,
    /// Who guarantees it, and that one's own fee.
    pub(super) guarantor: Option<(usize, f64)>,
    /// What has been received by the end of each quarter from `first` on, as a share; the last is 1.
    pub(super) first: usize,
    pub(super) received: Vec<f64>,
}

/// A project's calendar under a deal. Amounts in cents; quarters are counted from the first in which money is spent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) start: i32,
    pub(super) quarters: usize,
    /// The quarters of delivery and of release.
    pub(super) delivery: usize,
    pub(super) release: usize,
    pub(super) budget: i64,
    pub(super) marketing: i64,
    /// What each participant pays of production and of marketing, participants by quarters.
    pub(super) draws: [Vec<i64>; 2],
    /// Shares of what nobody else finances: participant and share.
    pub(super) rest: Vec<(usize, f64)>,
    /// Fixed amounts: advances of guarantees, expenses, deferrals; zero for others.
    pub(super) fixed: Vec<i64>,
    /// Incentives: quarter, cents, and the loans that are repaid from it first.
    pub(super) incentives: Vec<(usize, i64, Vec<usize>)>,
    pub(super) streams: Vec<Stream>,
    /// Participants that are owed something, side by side within a level.
    pub(super) levels: Vec<Vec<usize>>,
}

/// The longest delay that a plan has room for, in quarters.
pub(crate) const MOST_DELAY: usize = 40;

impl Plan {
    pub(super) fn new(deal: &Deal, name: &str, costs: Costs) -> Result<Self, InvestError> {
        let (budget, marketing) = (costs.budget.0.minor(), costs.marketing.0.minor());
        let months = Months::of(deal, costs.release);
        let participants = deal.participants();
        let uses = [
            over(budget, &months, months.production.clone()),
            over(marketing, &months, months.marketing.clone()),
        ];
        let finance = Finance::of(name, participants, budget, marketing)?;
        let draws = [finance.draws(0, &uses[0], participants), finance.draws(1, &uses[1], participants)];
        let streams = streams(deal, &months);
        let incentives = incentives(deal, &months, budget);
        let last_stream = streams.iter().map(|s| s.first + s.received.len()).max().unwrap_or(0);
        let last_incentive = incentives.iter().map(|(q, ..)| q + 1).max().unwrap_or(0);
        let release = months.quarter(months.release);
        Ok(Self {
            start: months.start.div_euclid(3),
            quarters: last_stream.max(last_incentive).max(release + 1),
            delivery: months.quarter(months.production.end - 1),
            release,
            budget,
            marketing,
            draws,
            rest: finance.rest,
            fixed: participants.iter().map(|p| fixed(p, budget, marketing)).collect(),
            incentives,
            streams,
            levels: levels(participants),
        })
    }

    pub(super) fn quarter(&self, index: usize) -> Quarter {
        let at = self.start + index as i32;
        Quarter { year: at.div_euclid(4), quarter: at.rem_euclid(4) as u8 + 1 }
    }
}

/// Months counted from year 0, and the quarter that everything begins in.
struct Months {
    start: i32,
    release: i32,
    production: std::ops::Range<i32>,
    marketing: std::ops::Range<i32>,
}

impl Months {
    fn of(deal: &Deal, release: Day) -> Self {
        let spending = &deal.text().spending;
        let release = release.year() * 12 + release.month() as i32 - 1;
        let whole = |value: f64| value as i32;
        let delivered = release - whole(spending.delivery_months_before_release.value) + 1;
        let production = delivered - whole(spending.production_months.value)..delivered;
        let marketing = release + 1 - whole(spending.marketing_months.value)..release + 1;
        let start = production.start.min(marketing.start).div_euclid(3) * 3;
        Self { start, release, production, marketing }
    }

    /// The quarter of a month, counted from the start.
    fn quarter(&self, month: i32) -> usize {
        usize::try_from((month - self.start).div_euclid(3)).unwrap_or(0)
    }
}

/// An amount spread evenly over months, by quarter from the start: cents that add up.
fn over(amount: i64, months: &Months, span: std::ops::Range<i32>) -> Vec<i64> {
    let last = months.quarter(span.end - 1);
    let mut weights = vec![0.0; last + 1];
    span.for_each(|month| weights[months.quarter(month)] += 1.0);
    let mut parts = vec![0; weights.len()];
    split(amount, &weights, &mut parts);
    parts
}

/// Who pays for what: parts of the budget, of marketing, and of what these leave.
struct Finance {
    /// For production and for marketing: participant and cents that are meant for that alone.
    own: [Vec<(usize, i64)>; 2],
    /// Participant and cents meant for either.
    general: Vec<(usize, i64)>,
    rest: Vec<(usize, f64)>,
    totals: [i64; 2],
}

impl Finance {
    fn of(name: &str, all: &[Participant], budget: i64, marketing: i64) -> Result<Self, InvestError> {
        let mut finance =
            Self { own: [vec![], vec![]], general: vec![], rest: vec![], totals: [budget, marketing] };
        for (i, p) in all.iter().enumerate() {
            let (Role::Loan { amount, .. } | Role::Equity { amount, .. }) = p.role else { continue };
            match amount {
                Amount::OfBudget(part) => finance.own[0].push((i, share_of(budget, part))),
                Amount::OfMarketing(part) => finance.own[1].push((i, share_of(marketing, part))),
                Amount::Fixed(cents) => finance.general.push((i, cents)),
                Amount::OfRest(part) => finance.rest.push((i, part)),
            }
        }
        finance.complete(name)
    }

    /// Gives the rest to those who take it; refuses finance that exceeds what it is for.
    fn complete(mut self, name: &str) -> Result<Self, InvestError> {
        let sum = |parts: &[(usize, i64)]| parts.iter().map(|(_, cents)| i128::from(*cents)).sum::<i128>();
        let over = |what: &'static str, financed: i128, cost: i128| InvestError::OverFinanced {
            project: name.to_owned(),
            what,
            financed: Money::from_minor(i64::try_from(financed).unwrap_or(i64::MAX), Currency::USD),
            cost: Money::from_minor(i64::try_from(cost).unwrap_or(i64::MAX), Currency::USD),
        };
        for (own, (what, total)) in self.own.iter().zip(["budget", "marketing"].into_iter().zip(self.totals))
        {
            if sum(own) > i128::from(total) + own.len() as i128 {
                return Err(over(what, sum(own), i128::from(total)));
            }
        }
        let cost: i128 = self.totals.iter().map(|t| i128::from(*t)).sum();
        let named = sum(&self.own[0]) + sum(&self.own[1]) + sum(&self.general);
        if named > cost + self.own.iter().map(|o| o.len() as i128).sum::<i128>() {
            return Err(over("budget and marketing", named, cost));
        }
        let left = i64::try_from((cost - named).max(0)).unwrap_or(i64::MAX);
        let weights: Vec<f64> = self.rest.iter().map(|(_, part)| *part).collect();
        let mut parts = vec![0; weights.len()];
        split(left, &weights, &mut parts);
        self.general.extend(self.rest.iter().zip(parts).map(|((i, _), cents)| (*i, cents)));
        Ok(self)
    }

    /// What each participant pays of `uses`: its own part of each quarter, and of what is left by general amounts.
    fn draws(&self, which: usize, uses: &[i64], all: &[Participant]) -> Vec<i64> {
        let mut draws = vec![0; all.len() * uses.len()];
        let total = self.totals[which];
        let mut payers: Vec<(usize, f64)> =
            self.own[which].iter().map(|(i, cents)| (*i, *cents as f64)).collect();
        let own: f64 = payers.iter().map(|(_, cents)| cents).sum();
        let general: f64 = self.general.iter().map(|(_, cents)| *cents as f64).sum();
        let left = (total as f64 - own).max(0.0);
        if general > 0.0 {
            payers.extend(self.general.iter().map(|(i, cents)| (*i, left * *cents as f64 / general)));
        }
        let weights: Vec<f64> = payers.iter().map(|(_, weight)| *weight).collect();
        let mut parts = vec![0; weights.len()];
        for (q, cents) in uses.iter().enumerate() {
            split(*cents, &weights, &mut parts);
            for ((i, _), part) in payers.iter().zip(&parts) {
                draws[i * uses.len() + q] += part;
            }
        }
        draws
    }
}

fn share_of(cents: i64, part: f64) -> i64 {
    (cents as f64 * part).round() as i64
}

/// Amounts that do not finance the project: advances, expenses, deferrals.
fn fixed(p: &Participant, budget: i64, marketing: i64) -> i64 {
    match &p.role {
        Role::Guarantee { amount, .. } | Role::Expenses { amount } | Role::Deferral { amount } => {
            cents(*amount, budget, marketing)
        }
        _ => 0,
    }
}

pub(crate) fn cents(amount: Amount, budget: i64, marketing: i64) -> i64 {
    match amount {
        Amount::Fixed(cents) => cents,
        Amount::OfBudget(part) => share_of(budget, part),
        Amount::OfMarketing(part) => share_of(marketing, part),
        Amount::OfRest(_) => 0,
    }
}

fn streams(deal: &Deal, months: &Months) -> Vec<Stream> {
    let text = deal.text();
    let release = months.quarter(months.release);
    let collected = cumulative(text.theatrical.collected.value.as_slice());
    let off = |stream: usize| taken(deal.participants(), stream);
    let mut streams = vec![];
    for (s, t) in text.territory.iter().enumerate() {
        let (commissions, guarantor) = off(s);
        streams.push(Stream {
            side: t.of as usize,
            is_window: false,
            factor: t.part.value,
            exhibitors: deal.exhibitor_share(s),
            commissions,
            guarantor,
            first: release,
            received: collected.clone(),
        });
    }
    for (w, window) in text.window.iter().enumerate() {
        let opens = months.release + window.opens.value as i32;
        let span = opens..opens + window.months.value as i32;
        let first = months.quarter(opens);
        let mut weights = vec![0.0; months.quarter(span.end - 1) - first + 1];
        span.for_each(|month| weights[months.quarter(month) - first] += 1.0);
        let (commissions, guarantor) = off(text.territory.len() + w);
        streams.push(Stream {
            side: window.of as usize,
            is_window: true,
            factor: window.income.value,
            exhibitors: 0.0,
            commissions,
            guarantor,
            first,
            received: cumulative(&weights),
        });
    }
    streams
}

/// Who takes what of a stream: commissions, and the guarantor with its fee.
#[expect(clippy::type_complexity, reason = "two lists that a stream keeps under names")]
fn taken(all: &[Participant], stream: usize) -> (Vec<(usize, f64)>, Option<(usize, f64)>) {
    let mut commissions = vec![];
    let mut guarantor = None;
    for (i, p) in all.iter().enumerate() {
        match &p.role {
            Role::Commission { share, covers } if covers.contains(&stream) => commissions.push((i, *share)),
            Role::Guarantee { fee, covers, .. } if covers.contains(&stream) => guarantor = Some((i, *fee)),
            _ => {}
        }
    }
    (commissions, guarantor)
}

/// Running sums as shares of the whole, the last exactly 1.
fn cumulative(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let mut so_far = 0.0;
    let mut sums: Vec<f64> = weights
        .iter()
        .map(|w| {
            so_far += w;
            so_far / total
        })
        .collect();
    if let Some(last) = sums.last_mut() {
        *last = 1.0;
    }
    sums
}

fn incentives(deal: &Deal, months: &Months, budget: i64) -> Vec<(usize, i64, Vec<usize>)> {
    let delivered = months.production.end - 1;
    let list = deal.text().incentive.iter().enumerate().map(|(k, x)| {
        let paid = delivered + x.received_months_after_delivery.value as i32;
        let repays =
            |p: &Participant| matches!(&p.role, Role::Loan { repaid_from, .. } if repaid_from.contains(&k));
        let all = deal.participants().iter().enumerate();
        let loans = all.filter(|(_, p)| repays(p)).map(|(i, _)| i).collect();
        (months.quarter(paid), share_of(budget, incentive_rate(x)), loans)
    });
    list.collect()
}

/// Those who are owed something, by level, upwards.
fn levels(all: &[Participant]) -> Vec<Vec<usize>> {
    let owed = |p: &Participant| {
        matches!(
            p.role,
            Role::Loan { .. } | Role::Equity { .. } | Role::Expenses { .. } | Role::Deferral { .. }
        )
    };
    let highest = all.iter().map(|p| p.level).max().unwrap_or(0);
    let at = |level: usize| {
        let members = all.iter().enumerate().filter(|(_, p)| p.level == level && owed(p));
        members.map(|(i, _)| i).collect::<Vec<_>>()
    };
    (0..=highest).map(at).filter(|l| !l.is_empty()).collect()
}
