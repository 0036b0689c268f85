//! One outcome paid through a plan, quarter by quarter, to the cent.
//!
//! Within a quarter: loans bear interest on what is open; those who finance pay what is spent; receipts come in, of which
//! cinemas, the distributor and agents take their shares and a guarantor keeps what its advance is short of; incentives
//! repay the loans made against them; what is left of all that is the pot. It pays the levels of recoupment in order, each
//! side by side, and from the quarter of release on what is still left is shared as profit.

use super::plan::Plan;
use super::split::split;
use crate::deal::{Deal, Role};

/// What happened to a project: its grosses, and what went otherwise than planned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scenario {
    /// Gross in the United States and Canada, USD.
    pub domestic: f64,
    /// Gross elsewhere, USD.
    pub international: f64,
    /// A factor on what later windows bring.
    pub windows: f64,
    /// What the budget is overrun by, as a fraction of it; zero or more.
    pub overrun: f64,
    /// A factor on marketing; 1 or more.
    pub marketing: f64,
    /// By how many quarters delivery and release are late.
    pub delay: usize,
}

impl Scenario {
    /// Grosses in US dollars, everything else as planned.
    #[must_use]
    pub fn as_planned(domestic: f64, international: f64) -> Self {
        Self { domestic, international, windows: 1.0, overrun: 0.0, marketing: 1.0, delay: 0 }
    }
}

/// Everybody's cash in one outcome, cents. Participants in the order of the deal, quarters from the plan's first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flows {
    /// Quarters in a row of `paid` and `drawn`.
    pub quarters: usize,
    /// What each participant was paid, participants by quarters.
    pub paid: Vec<i64>,
    /// What each participant put in, participants by quarters.
    pub drawn: Vec<i64>,
    /// In: what audiences and licensees paid, and incentives.
    pub gross: i64,
    /// In: incentives.
    pub incentives: i64,
    /// Out: kept by cinemas, by territory.
    pub exhibitors: Vec<i64>,
    /// Out: the distributor's fee.
    pub distributor: i64,
    /// Out: spent on production, marketing and expenses of sale.
    pub spent: i64,
    owed: Vec<i64>,
    short: Vec<i64>,
    parts: Vec<i64>,
    weights: Vec<f64>,
}

impl Flows {
    /// Everything that came in: from audiences, licensees, incentives, and those who put money in. Cents.
    #[must_use]
    pub fn money_in(&self) -> i64 {
        self.gross + self.incentives + self.drawn.iter().sum::<i64>()
    }

    /// Everything that went out: to cinemas, the distributor, participants, and into the film. Cents; equal to
    /// [`Flows::money_in`] in every outcome.
    #[must_use]
    pub fn money_out(&self) -> i64 {
        self.exhibitors.iter().sum::<i64>() + self.distributor + self.spent + self.paid.iter().sum::<i64>()
    }

    fn clear(&mut self, participants: usize, quarters: usize, territories: usize) {
        let refill = |v: &mut Vec<i64>, n: usize| {
            v.clear();
            v.resize(n, 0);
        };
        self.quarters = quarters;
        refill(&mut self.paid, participants * quarters);
        refill(&mut self.drawn, participants * quarters);
        refill(&mut self.exhibitors, territories);
        refill(&mut self.owed, participants);
        refill(&mut self.short, participants);
        (self.gross, self.incentives, self.distributor, self.spent) = (0, 0, 0, 0);
    }
}

/// No debt grows beyond this, cents: what cannot be repaid need not be counted further.
const MOST_OWED: i64 = 9_000_000_000_000_000;

/// A plan with what a deal says of everybody, and one outcome on its way through.
pub(super) struct Payment<'a> {
    pub(super) plan: &'a Plan,
    pub(super) deal: &'a Deal,
    pub(super) outcome: Scenario,
    pub(super) flows: &'a mut Flows,
}

impl Payment<'_> {
    pub(super) fn run(&mut self) {
        let quarters = self.plan.quarters + self.outcome.delay;
        let territories = self.deal.text().territory.len();
        self.flows.clear(self.deal.participants().len(), quarters, territories);
        let totals = self.totals();
        let mut pot = 0;
        for q in 0..quarters {
            self.interest();
            self.spend(q);
            pot += self.advances(q);
            for (s, (gross, net)) in totals.iter().enumerate() {
                pot += self.receive(q, s, *gross, *net);
            }
            pot += self.incentives(q);
            pot = self.recoup(q, pot);
            if q >= self.plan.release + self.outcome.delay {
                self.share(q, pot);
                pot = 0;
            }
        }
    }

    /// What each stream brings in all: gross, and net of cinemas. Cents.
    fn totals(&mut self) -> Vec<(i64, i64)> {
        let o = self.outcome;
        let cents = |usd: f64| (usd.clamp(0.0, 9e13) * 100.0).round() as i64;
        let mut totals = Vec::with_capacity(self.plan.streams.len());
        for (s, stream) in self.plan.streams.iter().enumerate() {
            let side = if stream.side == 0 { o.domestic } else { o.international };
            let gross = cents(side * stream.factor * if stream.is_window { o.windows } else { 1.0 });
            let kept = (gross as f64 * stream.exhibitors).round() as i64;
            if let Some(cinemas) = self.flows.exhibitors.get_mut(s) {
                *cinemas = kept;
            }
            self.flows.gross += gross;
            totals.push((gross, gross - kept));
        }
        totals
    }

    /// Interest on open loans, compounded by the quarter.
    fn interest(&mut self) {
        for (p, owed) in self.deal.participants().iter().zip(&mut self.flows.owed) {
            if let (Role::Loan { interest, .. }, true) = (&p.role, *owed > 0) {
                let more = (*owed as f64 * interest / 4.0).round() as i64;
                *owed = owed.saturating_add(more).min(MOST_OWED);
            }
        }
    }

    /// What is spent in a quarter, and who pays it.
    fn spend(&mut self, q: usize) {
        let plan = self.plan;
        let uses = |which: usize| plan.draws[which].len() / self.deal.participants().len().max(1);
        let (production, marketing) = (uses(0), uses(1));
        let late = q.checked_sub(self.outcome.delay);
        for i in 0..self.deal.participants().len() {
            if q < production {
                self.draw(i, q, plan.draws[0][i * production + q]);
            }
            if let Some(at) = late.filter(|at| *at < marketing) {
                self.draw(i, q, plan.draws[1][i * marketing + at]);
            }
        }
        if q == plan.delivery + self.outcome.delay {
            self.extra(q, plan.budget as f64 * self.outcome.overrun);
        }
        if late == Some(plan.release) {
            self.extra(q, plan.marketing as f64 * (self.outcome.marketing - 1.0));
            for (i, p) in self.deal.participants().iter().enumerate() {
                match p.role {
                    Role::Expenses { .. } => self.draw(i, q, plan.fixed[i]),
                    Role::Deferral { .. } => self.flows.owed[i] += plan.fixed[i],
                    _ => {}
                }
            }
        }
    }

    /// What is spent beyond the plan is paid by those who finance the rest.
    fn extra(&mut self, q: usize, cents: f64) {
        let cents = cents.clamp(0.0, 9e15).round() as i64;
        if cents == 0 {
            return;
        }
        let weights: Vec<f64> = self.plan.rest.iter().map(|(_, part)| *part).collect();
        let mut parts = vec![0; weights.len()];
        split(cents, &weights, &mut parts);
        for ((i, _), part) in self.plan.rest.iter().zip(parts) {
            self.draw(*i, q, part);
        }
    }

    /// A participant puts money into the film.
    fn draw(&mut self, i: usize, q: usize, cents: i64) {
        if cents == 0 {
            return;
        }
        let back = match &self.deal.participants()[i].role {
            Role::Loan { fee, .. } => 1.0 + fee,
            Role::Equity { premium, .. } => 1.0 + premium,
            _ => 1.0,
        };
        self.flows.drawn[i * self.flows.quarters + q] += cents;
        self.flows.spent += cents;
        let owed = self.flows.owed[i].saturating_add((cents as f64 * back).round() as i64);
        self.flows.owed[i] = owed.min(MOST_OWED);
    }

    /// Minimum guarantees, paid into the pot on delivery.
    fn advances(&mut self, q: usize) -> i64 {
        if q != self.plan.delivery + self.outcome.delay {
            return 0;
        }
        let mut pot = 0;
        for (i, p) in self.deal.participants().iter().enumerate() {
            if let Role::Guarantee { .. } = p.role {
                self.flows.drawn[i * self.flows.quarters + q] += self.plan.fixed[i];
                self.flows.short[i] += self.plan.fixed[i];
                pot += self.plan.fixed[i];
            }
        }
        pot
    }

    /// What of a stream's receipts in a quarter reaches the pot.
    fn receive(&mut self, q: usize, s: usize, gross: i64, net: i64) -> i64 {
        let stream = &self.plan.streams[s];
        let Some(at) = q.checked_sub(self.outcome.delay + stream.first) else { return 0 };
        if gross == 0 || at >= stream.received.len() {
            return 0;
        }
        let by = |at: usize| (net as f64 * stream.received[at]).round() as i64;
        let receipts = by(at) - if at > 0 { by(at - 1) } else { 0 };
        let mut left = receipts;
        let take = |left: &mut i64, share: f64| {
            let part = ((receipts as f64 * share).round() as i64).min(*left);
            *left -= part;
            part
        };
        self.flows.distributor += take(&mut left, self.deal.text().distribution.fee.value);
        for (i, share) in &stream.commissions {
            self.flows.paid[i * self.flows.quarters + q] += take(&mut left, *share);
        }
        if let Some((i, fee)) = stream.guarantor {
            let fee = take(&mut left, fee);
            let kept = self.flows.short[i].min(left);
            self.flows.short[i] -= kept;
            left -= kept;
            self.flows.paid[i * self.flows.quarters + q] += fee + kept;
        }
        left
    }

    /// Incentives that are paid in a quarter, less what repays the loans made against them.
    fn incentives(&mut self, q: usize) -> i64 {
        let mut pot = 0;
        for (at, cents, loans) in &self.plan.incentives {
            if at + self.outcome.delay != q {
                continue;
            }
            self.flows.incentives += cents;
            pot += self.side_by_side(q, *cents, loans);
        }
        pot
    }

    /// Pays the levels of recoupment in their order; returns what is left.
    fn recoup(&mut self, q: usize, mut pot: i64) -> i64 {
        for level in &self.plan.levels {
            if pot == 0 {
                return 0;
            }
            pot = self.side_by_side(q, pot, level);
        }
        pot
    }

    /// Pays `members` what they are owed, or in proportion to it where there is too little; returns what is left.
    fn side_by_side(&mut self, q: usize, pot: i64, members: &[usize]) -> i64 {
        let flows = &mut *self.flows;
        let owed: i64 = members.iter().map(|i| flows.owed[*i]).sum();
        if owed == 0 || pot == 0 {
            return pot;
        }
        let paid = pot.min(owed);
        flows.weights.clear();
        flows.weights.extend(members.iter().map(|i| flows.owed[*i] as f64));
        flows.parts.clear();
        flows.parts.resize(members.len(), 0);
        split(paid, &flows.weights, &mut flows.parts);
        let mut left = pot;
        for (i, part) in members.iter().zip(&flows.parts) {
            let part = (*part).min(flows.owed[*i]);
            flows.owed[*i] -= part;
            flows.paid[i * flows.quarters + q] += part;
            left -= part;
        }
        left
    }

    /// Shares what is left as profit.
    fn share(&mut self, q: usize, pot: i64) {
        if pot == 0 {
            return;
        }
        let flows = &mut *self.flows;
        flows.weights.clear();
        flows.weights.extend(self.deal.participants().iter().map(|p| p.profit));
        flows.parts.clear();
        flows.parts.resize(flows.weights.len(), 0);
        split(pot, &flows.weights, &mut flows.parts);
        for (i, part) in flows.parts.iter().enumerate() {
            flows.paid[i * flows.quarters + q] += part;
        }
    }
}
