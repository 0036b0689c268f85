//! Rules that cannot be meant: unknown names, amounts that are not dollars, fractions out of range, numbers that are not.
//!
//! Rules that no slate keeps are not looked for here: they are an answer ([`Outcome::Infeasible`](super::Outcome)).

use std::collections::BTreeSet;

use marquee_domain::{Currency, Money, PriceYear};

use super::{Objective, SlateRules};
use crate::{InvestError, Scenarios};

impl SlateRules {
    /// Refuses rules that cannot be meant.
    pub(super) fn check(&self, scenarios: &Scenarios) -> Result<(), InvestError> {
        if !(self.gap >= 0.0 && self.gap.is_finite()) {
            return Err(InvestError::Setting { name: "gap", value: self.gap, range: "zero or more" });
        }
        if let Some(value) = self.min_share.filter(|m| !(*m > 0.0 && *m <= 1.0)) {
            return Err(InvestError::Setting { name: "min_share", value, range: "above 0 and at most 1" });
        }
        self.check_money()?;
        self.check_names(scenarios)?;
        self.check_limits(scenarios)
    }

    fn check_money(&self) -> Result<(), InvestError> {
        if let Objective::MeanUnderCap { cvar_cap } = self.objective {
            must_be_dollars("the cap on risk", cvar_cap)?;
        }
        must_not_be_negative("budget", "the slate's budget", self.budget)?;
        for (i, limit) in self.spend_limits.iter().enumerate() {
            must_not_be_negative(&format!("spend_limits[{i}].limit"), "a spending limit", limit.limit)?;
        }
        if let Some(limit) = self.peak_cash {
            must_not_be_negative("peak_cash", "the limit on peak cash", limit)?;
        }
        if let Some(tentpoles) = &self.tentpoles {
            must_not_be_negative("tentpoles.budget_from", "a tentpole's budget", tentpoles.budget_from)?;
        }
        Ok(())
    }

    fn check_names(&self, scenarios: &Scenarios) -> Result<(), InvestError> {
        let known: BTreeSet<&str> = scenarios.returns().iter().map(|r| r.name.as_str()).collect();
        let one =
            |rule: &'static str, names: &[String]| match names.iter().find(|n| !known.contains(n.as_str())) {
                Some(name) => Err(InvestError::UnknownProject { rule, name: name.clone() }),
                None => Ok(()),
            };
        one("must_have", &self.must_have)?;
        one("excluded", &self.excluded)?;
        one("whole", &self.whole)?;
        self.requires.iter().try_for_each(|r| one("requires", &[r.project.clone(), r.needs.clone()]))?;
        self.at_most.iter().try_for_each(|a| one("at_most", &a.names))
    }

    fn check_limits(&self, scenarios: &Scenarios) -> Result<(), InvestError> {
        for (i, limit) in self.limits.iter().enumerate() {
            if !(0.0..=1.0).contains(&limit.at_most) {
                let (rule, value) = (format!("limits[{i}].at_most"), limit.at_most.to_string());
                return Err(InvestError::Rule { rule, value, range: "a fraction of the budget, 0 to 1" });
            }
            let Some(value) = &limit.value else { continue };
            let wanted = value.trim().to_lowercase();
            if !scenarios.returns().iter().any(|r| limit.by.values(r).contains(&wanted)) {
                let (rule, value) = (format!("limits[{i}].value"), format!("the {} `{value}`", limit.by));
                return Err(InvestError::Rule { rule, value, range: "one that a candidate has" });
            }
        }
        Ok(())
    }
}

fn must_be_dollars(what: &str, money: Money) -> Result<(), InvestError> {
    if money.currency() == Currency::USD && money.price_year() == PriceYear::Nominal {
        return Ok(());
    }
    Err(InvestError::Currency { what: what.to_owned(), amount: money.to_string() })
}

fn must_not_be_negative(rule: &str, what: &str, money: Money) -> Result<(), InvestError> {
    must_be_dollars(what, money)?;
    if money.minor() >= 0 {
        return Ok(());
    }
    Err(InvestError::Rule { rule: rule.to_owned(), value: money.to_string(), range: "zero or more" })
}
