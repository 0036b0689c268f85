//! Who is paid from a gross, in which order: cinemas, the distributor, then marketing and production recoup, then profit.
//!
//! At the boundary amounts are [`Money`] and every cent that comes in goes to somebody: each share is rounded to the cent
//! and the next in line gets the rest. Inside the simulation the same order is one product ([`Terms::studio_share`]),
//! which a test holds to the cents. No time value: the whole run counts as one payment.

use marquee_domain::{Budget, Gross, Money, Spend, StudioShare};
use serde::Serialize;

use crate::deal::Terms;
use crate::{Deal, InvestError};

/// What a project costs its studio. US dollars, nominal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// What it costs to make.
    pub budget: Budget,
    /// What it costs to release.
    pub marketing: Spend,
}

impl Cost {
    /// Budget and marketing together.
    ///
    /// # Errors
    /// [`InvestError::Domain`] for two currencies or price years, or an amount that cannot be kept.
    pub fn total(self) -> Result<Money, InvestError> {
        Ok(self.budget.0.checked_add(self.marketing.0)?)
    }
}

/// The order of payment under one deal for one project.
///
/// ```
/// use marquee_domain::{Budget, Currency, Gross, Money, Spend};
/// use marquee_invest::{Cost, Deal, Waterfall};
/// let usd = |amount| Money::from_major(amount, Currency::USD);
/// let cost = Cost { budget: Budget(usd(40e6)?), marketing: Spend(usd(20e6)?) };
/// let payout = Waterfall::new(&Deal::default(), cost)?.pay(Gross(usd(80e6)?), Gross(usd(90e6)?))?;
/// assert_eq!(payout.inflow()?, payout.paid()?);
/// assert_eq!(payout.profit()?.to_string(), "$40.0M");
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waterfall {
    terms: Terms,
    cost: Cost,
}

/// What everybody gets from one outcome: amounts of one currency and price year, none negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Payout {
    /// In: what audiences paid in the United States and Canada.
    pub domestic: Gross,
    /// In: what audiences paid elsewhere.
    pub international: Gross,
    /// In: net income from home video, television and streaming, by the deal's rule.
    pub ancillary: Money,
    /// Out: kept by domestic cinemas.
    pub exhibitors_domestic: Money,
    /// Out: kept by cinemas and sub-distributors elsewhere.
    pub exhibitors_international: Money,
    /// Out: the distributor's fee.
    pub distributor: Money,
    /// Out: what reaches the studio; it splits into the next three.
    pub studio: StudioShare,
    /// Of the studio's share: marketing paid back.
    pub marketing_recouped: Money,
    /// Of the studio's share: budget paid back.
    pub budget_recouped: Money,
    /// Of the studio's share: what is left when all costs are paid back.
    pub surplus: Money,
    /// Costs that nothing pays back.
    pub unrecouped: Money,
}

impl Waterfall {
    /// The waterfall of a project with this cost.
    ///
    /// # Errors
    /// [`InvestError::Domain`] where budget and marketing do not add up; [`InvestError::Setting`] for a negative cost.
    pub fn new(deal: &Deal, cost: Cost) -> Result<Self, InvestError> {
        not_negative("budget", cost.budget.0)?;
        not_negative("marketing", cost.marketing.0)?;
        cost.total()?;
        Ok(Self { terms: deal.terms(), cost })
    }

    /// Pays one outcome.
    ///
    /// # Errors
    /// [`InvestError::Setting`] for a negative gross; [`InvestError::Domain`] where currencies or price years differ.
    pub fn pay(&self, domestic: Gross, international: Gross) -> Result<Payout, InvestError> {
        not_negative("domestic gross", domestic.0)?;
        not_negative("international gross", international.0)?;
        let terms = &self.terms;
        let exhibitors_domestic = domestic.0.checked_mul(terms.exhibitor_domestic)?;
        let exhibitors_international = international.0.checked_mul(terms.exhibitor_international)?;
        let ancillary = domestic.0.checked_mul(terms.ancillary)?;
        let receipts = (domestic.0.checked_sub(exhibitors_domestic)?)
            .checked_add(international.0.checked_sub(exhibitors_international)?)?
            .checked_add(ancillary)?;
        let distributor = receipts.checked_mul(terms.fee)?;
        let studio = receipts.checked_sub(distributor)?;
        let marketing_recouped = least(studio, self.cost.marketing.0);
        let after_marketing = studio.checked_sub(marketing_recouped)?;
        let budget_recouped = least(after_marketing, self.cost.budget.0);
        let surplus = after_marketing.checked_sub(budget_recouped)?;
        let recouped = marketing_recouped.checked_add(budget_recouped)?;
        Ok(Payout {
            domestic,
            international,
            ancillary,
            exhibitors_domestic,
            exhibitors_international,
            distributor,
            studio: StudioShare(studio),
            marketing_recouped,
            budget_recouped,
            surplus,
            unrecouped: self.cost.total()?.checked_sub(recouped)?,
        })
    }
}

impl Payout {
    /// Everything that came in.
    ///
    /// # Errors
    /// [`InvestError::Domain`] where the sum cannot be kept.
    pub fn inflow(&self) -> Result<Money, InvestError> {
        Ok(self.domestic.0.checked_add(self.international.0)?.checked_add(self.ancillary)?)
    }

    /// Everything that was paid out; equal to [`Payout::inflow`] to the cent.
    ///
    /// # Errors
    /// [`InvestError::Domain`] where the sum cannot be kept.
    pub fn paid(&self) -> Result<Money, InvestError> {
        let outside = (self.exhibitors_domestic)
            .checked_add(self.exhibitors_international)?
            .checked_add(self.distributor)?;
        let recouped = self.marketing_recouped.checked_add(self.budget_recouped)?;
        Ok(outside.checked_add(recouped)?.checked_add(self.surplus)?)
    }

    /// The studio's gross-implied profit: its share less its costs, negative for a loss.
    ///
    /// # Errors
    /// [`InvestError::Domain`] where the difference cannot be kept.
    pub fn profit(&self) -> Result<Money, InvestError> {
        Ok(self.surplus.checked_sub(self.unrecouped)?)
    }
}

impl Terms {
    /// The studio's share of a domestic and an international gross, all in one unit of money.
    pub(crate) fn studio_share(&self, domestic: f64, international: f64) -> f64 {
        let rentals =
            domestic * (1.0 - self.exhibitor_domestic) + international * (1.0 - self.exhibitor_international);
        (rentals + domestic * self.ancillary) * (1.0 - self.fee)
    }
}

fn least(a: Money, b: Money) -> Money {
    if a.minor() <= b.minor() { a } else { b }
}

fn not_negative(name: &'static str, amount: Money) -> Result<(), InvestError> {
    if amount.minor() < 0 {
        return Err(InvestError::Setting { name, value: amount.major(), range: "zero or more" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;
    use marquee_domain::Currency;
    use proptest::prelude::*;

    fn cents(minor: i64) -> Money {
        Money::from_minor(minor, Currency::USD)
    }

    fn pay(budget: i64, marketing: i64, domestic: i64, international: i64) -> Payout {
        let cost = Cost { budget: Budget(cents(budget)), marketing: Spend(cents(marketing)) };
        let waterfall = Waterfall::new(&Deal::default(), cost).expect("a cost");
        waterfall.pay(Gross(cents(domestic)), Gross(cents(international))).expect("a payout")
    }

    #[test]
    fn a_hand_computed_payout() {
        // $100 domestic: 48 to cinemas, 52 of rentals; $50 international: 30 and 20; ancillary 50; receipts 122;
        // fee 18.30; studio 103.70, which pays back 40 of marketing and 60 of budget and leaves 3.70.
        let p = pay(6_000, 4_000, 10_000, 5_000);
        assert_eq!(p.studio.0, cents(10_370));
        assert_eq!((p.distributor, p.surplus, p.unrecouped), (cents(1_830), cents(370), cents(0)));
        let flop = pay(6_000, 4_000, 1_000, 0);
        assert_eq!(flop.profit().expect("kept"), cents(867 - 10_000));
        assert_eq!((flop.marketing_recouped, flop.budget_recouped), (cents(867), cents(0)));
    }

    #[test]
    fn a_negative_gross_is_refused() {
        let cost = Cost { budget: Budget(cents(1)), marketing: Spend(cents(1)) };
        let waterfall = Waterfall::new(&Deal::default(), cost).expect("a cost");
        assert!(waterfall.pay(Gross(cents(-1)), Gross(cents(0))).is_err());
    }

    const MOST: i64 = 300_000_000_000;

    proptest! {
        #[test]
        fn every_cent_goes_to_somebody(budget in 0..MOST, marketing in 0..MOST, dom in 0..MOST, int in 0..MOST) {
            let p = pay(budget, marketing, dom, int);
            prop_assert_eq!(p.inflow().expect("kept"), p.paid().expect("kept"));
            let owed = p.marketing_recouped.minor() + p.budget_recouped.minor() + p.unrecouped.minor();
            prop_assert_eq!(owed, budget + marketing);
            prop_assert_eq!(p.profit().expect("kept").minor(), p.studio.0.minor() - budget - marketing);
            let parts = [p.exhibitors_domestic, p.exhibitors_international, p.distributor, p.surplus, p.unrecouped];
            prop_assert!(parts.iter().all(|m| m.minor() >= 0));
        }

        #[test]
        fn more_gross_is_never_less_share(dom in 0..MOST, int in 0..MOST, more in 0..1_000_000i64) {
            let share = |d, i| pay(100, 100, d, i).studio.0.minor();
            prop_assert!(share(dom + more, int) >= share(dom, int));
            prop_assert!(share(dom, int + more) >= share(dom, int));
        }

        #[test]
        fn the_simulation_pays_as_the_waterfall_does(dom in 0..MOST, int in 0..MOST) {
            let exact = pay(0, 0, dom, int).studio.0.minor() as f64;
            let fast = Deal::default().terms().studio_share(dom as f64, int as f64);
            prop_assert!((exact - fast).abs() <= 3.0, "{exact} {fast}");
        }
    }
}
