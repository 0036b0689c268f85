//! Who is paid from a gross, in which order and when: cinemas, the distributor and agents, guarantors, loans, equity,
//! deferrals, and those who share what is left.
//!
//! A [`Waterfall`] is one project under one deal; it pays an [`Scenario`] quarter by quarter. Every cent that comes in goes
//! to somebody ([`Flows::money_in`] equals [`Flows::money_out`]). What financing does not split is linear in the grosses,
//! and the simulation uses that short form, which a test holds to the cents.
//!
//! | File | Holds |
//! |---|---|
//! | `plan` | dates and amounts that no outcome changes |
//! | `pay` | one outcome, quarter by quarter |
//! | `split` | cents in proportion to weights |
//! | `measures` | net present value, internal rate of return, payback, peak funding |

mod measures;
mod pay;
mod plan;
mod split;

pub(crate) use measures::Discount;
pub use measures::Measures;
pub use pay::{Flows, Scenario};
pub use plan::{Costs, Quarter};
pub(crate) use plan::{MOST_DELAY, cents};

use crate::deal::Role;
use crate::{Deal, InvestError};
use pay::Payment;
use plan::Plan;

/// One project under one deal: who pays what when, and who is paid in which order.
///
/// ```
/// use marquee_domain::{Budget, Currency, Money, Spend};
/// use marquee_invest::{Costs, Deal, Flows, Scenario, Waterfall};
/// let usd = |amount| Money::from_major(amount, Currency::USD);
/// let (budget, marketing) = (Budget(usd(40e6)?), Spend(usd(20e6)?));
/// let costs = Costs { budget, marketing, release: "2027-06-11".parse()? };
/// let deal = Deal::default();
/// let waterfall = Waterfall::new(&deal, "Land Girls II", costs)?;
/// let mut flows = Flows::default();
/// waterfall.pay(&Scenario::as_planned(80e6, 90e6), &mut flows);
/// assert_eq!(flows.money_in(), flows.money_out());
/// let studio = flows.paid.iter().sum::<i64>() - flows.drawn.iter().sum::<i64>();
/// assert_eq!(studio, 39_960_000_00);
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall<'a> {
    deal: &'a Deal,
    plan: Plan,
}

impl<'a> Waterfall<'a> {
    /// The waterfall of the project `name`, with these costs.
    ///
    /// # Errors
    /// [`InvestError::Setting`] for a negative cost; [`InvestError::OverFinanced`] where fixed loans and equity exceed it.
    pub fn new(deal: &'a Deal, name: &str, costs: Costs) -> Result<Self, InvestError> {
        for (what, amount) in [("budget", costs.budget.0), ("marketing", costs.marketing.0)] {
            if amount.minor() < 0 || amount.major() > 1e12 {
                let range = "zero to a million millions";
                return Err(InvestError::Setting { name: what, value: amount.major(), range });
            }
        }
        Ok(Self { deal, plan: Plan::new(deal, name, costs)? })
    }

    /// Pays one outcome into `flows`, whose buffers are used again.
    pub fn pay(&self, outcome: &Scenario, flows: &mut Flows) {
        let outcome = Scenario { delay: outcome.delay.min(MOST_DELAY), ..*outcome };
        Payment { plan: &self.plan, deal: self.deal, outcome, flows }.run();
    }

    /// What all who finance and share were paid and put in together, by quarter, cents. A guarantor's advance goes from one
    /// of them to the others: it is less received, and no spending.
    pub(crate) fn together(&self, flows: &Flows, [paid, drawn]: &mut [Vec<i64>; 2]) {
        for sum in [&mut *paid, &mut *drawn] {
            sum.clear();
            sum.resize(flows.quarters, 0);
        }
        for (i, p) in self.deal.participants().iter().enumerate().filter(|(_, p)| p.is_inside()) {
            let row = i * flows.quarters..(i + 1) * flows.quarters;
            paid.iter_mut().zip(&flows.paid[row.clone()]).for_each(|(sum, cents)| *sum += cents);
            if matches!(p.role, Role::Guarantee { .. }) {
                paid.iter_mut().zip(&flows.drawn[row]).for_each(|(sum, cents)| *sum -= cents);
            } else {
                drawn.iter_mut().zip(&flows.drawn[row]).for_each(|(sum, cents)| *sum += cents);
            }
        }
    }

    /// How many quarters an outcome without delay takes, from the first spending to the last receipt.
    #[must_use]
    pub fn quarters(&self) -> usize {
        self.plan.quarters
    }

    /// The calendar quarter of a row's place in [`Flows`].
    #[must_use]
    pub fn quarter(&self, index: usize) -> Quarter {
        self.plan.quarter(index)
    }

    /// The quarter of release, as planned.
    #[must_use]
    pub fn release(&self) -> usize {
        self.plan.release
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
