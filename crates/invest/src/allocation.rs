//! How much to spend, and where: development, production and marketing of several films under one cap.
//!
//! A film's receipts are `receipts at plan × Π (spend / planned)^elasticity` over its spends, with elasticities that are
//! assumptions with a range. Their expectation is concave in the spends as long as the elasticities of a film add up to
//! less than one, so that the best spends are those at which one more dollar brings the same anywhere: one multiplier for
//! all films, found by bisection (J. M. Danskin, *The Theory of Max-Min*, 1967; "water-filling"). At a multiplier a film's
//! best spends are the fixed point of a contraction.
//!
//! Such an objective is flat at its top: it says little about how much to spend, and the data say little about the
//! elasticities. So the answer holds the range of spends that do nearly as well, and what being wrong about the
//! elasticities costs.
//!
//! What is *not* here: which films to make (see `slate`), the risk of the receipts, any effect of one film's spend on
//! another. Money is US dollars, nominal, gross-implied.

use marquee_domain::{Control, Money};
use serde::{Deserialize, Serialize};

use crate::simulate::usd;
use crate::{Elasticity, InvestError};

/// Elasticities of one film add up to less than this at their upper ends: returns must diminish.
const MOST_ELASTICITY: f64 = 0.98;
/// More money than there is.
const MOST_MONEY: f64 = 1e13;
/// How far below the best is nearly as good.
const NEARLY: f64 = 0.01;
/// Logarithms of multipliers between which all spends go from their most to their least.
const MULTIPLIERS: [f64; 2] = [-100.0, 100.0];

/// What money is spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Scripts, rights, packages.
    Development,
    /// The budget.
    Production,
    /// Prints and advertising.
    Marketing,
}

impl Bucket {
    /// As in a sentence.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
            Self::Marketing => "marketing",
        }
    }
}

/// A spend that may be changed. US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSpend {
    /// On what.
    pub bucket: Bucket,
    /// How much is planned, at which the receipts are forecast.
    pub planned: f64,
    /// No less than this, above zero: the response is not believed further down.
    pub least: f64,
    /// No more than this.
    pub most: f64,
    /// How the gross responds. An assumption.
    pub elasticity: Elasticity,
}

/// A film whose spends are to be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpendingProject {
    /// Its name.
    pub name: String,
    /// What it is expected to bring if it is spent on as planned, US dollars: mean gross times receipts per gross.
    pub receipts: f64,
    /// Its spends, one for each bucket at most.
    pub spends: Vec<PlannedSpend>,
}

/// The films among which money is divided.
///
/// ```
/// use marquee_domain::Control;
/// use marquee_invest::{Allocation, AllocationOutcome, Bucket, Elasticity, PlannedSpend, SpendingProject};
/// let marketing = PlannedSpend {
///     bucket: Bucket::Marketing, planned: 20e6, least: 5e6, most: 80e6,
///     elasticity: Elasticity::new([0.1, 0.2, 0.35])?,
/// };
/// let film = SpendingProject { name: "Land Girls II".into(), receipts: 80e6, spends: vec![marketing] };
/// let outcome = Allocation { projects: vec![film], cap: None }.best(&Control::default())?;
/// let AllocationOutcome::Best(answer) = outcome else { return Ok(()) };
/// assert_eq!(answer.in_words(), "Spend $15.8M in all, for an expected profit of $60.4M. Anything from $11.3M to \
///     $21.3M comes within 1% of that. If the response is at the low end of its range, $7.2M would be best and this \
///     loses $2.7M against it; at the high end, $33.6M and $4.4M.");
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The films.
    pub projects: Vec<SpendingProject>,
    /// The most that may be spent in all, US dollars.
    pub cap: Option<f64>,
}

/// The spends that are best, or why there are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocationOutcome {
    /// The spends with the highest expected profit.
    Best(Box<AllocationAnswer>),
    /// The least spends exceed the cap.
    CapTooLow {
        /// The cap.
        cap: Money,
        /// The sum of the least spends: the smallest cap that would do.
        least: Money,
    },
}

/// The best spends. Gross-implied; US dollars, nominal, undiscounted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AllocationAnswer {
    /// Each spend, film by film as given.
    pub spends: Vec<BestSpend>,
    /// All of them.
    pub total: Money,
    /// Expected receipts less spends.
    pub profit: Money,
    /// The same if spent as planned, whether or not that is under the cap.
    pub planned_profit: Money,
    /// What one more dollar of cap would add to the profit; zero where the cap does not bind.
    pub worth_of_cap: f64,
    /// The totals, each divided as well as can be, whose expected profit is within 1% of the best.
    pub nearly_as_good: [Money; 2],
    /// What would be best, and what the answer loses, if every elasticity were at its 5, 50 or 95% quantile.
    pub cases: [ElasticityCase; 3],
}

/// One spend at the best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BestSpend {
    /// The film.
    pub project: String,
    /// On what.
    pub bucket: Bucket,
    /// How much was planned.
    pub planned: Money,
    /// How much is best.
    pub spend: Money,
    /// Expected receipts that one more dollar brings: the same wherever no bound holds.
    pub marginal: f64,
    /// Which bound holds it, if one does.
    pub bound: Bound,
    /// The spends here, with all others as they are, whose expected profit (of all films) is within 1% of the best.
    pub nearly_as_good: [Money; 2],
}

/// Which bound holds a spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Neither.
    Free,
    /// It would be less.
    Least,
    /// It would be more.
    Most,
}

/// What is best if the elasticities are known to be at one of their quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ElasticityCase {
    /// Which quantile: 0.05, 0.5 or 0.95.
    pub level: f64,
    /// The total that would then be best.
    pub total: Money,
    /// Its profit.
    pub profit: Money,
    /// The profit of the answer's spends in this case.
    pub profit_of_answer: Money,
    /// What the answer loses against it.
    pub loss: Money,
}

impl AllocationAnswer {
    /// The total, how flat the profit is about it, and what being wrong about the response costs.
    #[must_use]
    pub fn in_words(&self) -> String {
        let [low, high] = self.nearly_as_good;
        let [least, _, most] = self.cases;
        format!(
            "Spend {} in all, for an expected profit of {}. Anything from {low} to {high} comes within 1% of that. If \
             the response is at the low end of its range, {} would be best and this loses {} against it; at the high \
             end, {} and {}.",
            self.total, self.profit, least.total, least.loss, most.total, most.loss
        )
    }
}

impl Allocation {
    /// The spends with the highest expected profit under the cap, to about twelve figures.
    ///
    /// # Errors
    /// [`InvestError::NoCandidates`] without a film or a spend, [`InvestError::Setting`] and [`InvestError::SettingOf`]
    /// for figures out of range, [`InvestError::SameName`] for two films of one name, [`InvestError::SpentTwice`] for a
    /// bucket that a film has twice, [`InvestError::Cancelled`] when `control` says stop.
    pub fn best(&self, control: &Control) -> Result<AllocationOutcome, InvestError> {
        self.check()?;
        let all = Spends::new(&self.projects, self.cap, None);
        let least = all.at(|spend| spend.least);
        if self.cap.is_some_and(|cap| cap < total(&least)) {
            let cap = usd(self.cap.unwrap_or_default())?;
            return Ok(AllocationOutcome::CapTooLow { cap, least: usd(total(&least))? });
        }
        let (multiplier, best) = all.best(control)?;
        let profit = all.profit(&best);
        let case = |quantile: usize| self.case(quantile, &best, control);
        Ok(AllocationOutcome::Best(Box::new(AllocationAnswer {
            spends: all.describe(&best, profit)?,
            total: usd(total(&best))?,
            profit: usd(profit)?,
            planned_profit: usd(all.profit(&all.at(|spend| spend.planned)))?,
            worth_of_cap: multiplier.exp() - 1.0,
            nearly_as_good: all.flat_totals(multiplier, profit, control)?,
            cases: [case(0)?, case(1)?, case(2)?],
        })))
    }

    fn case(
        &self,
        quantile: usize,
        answer: &[f64],
        control: &Control,
    ) -> Result<ElasticityCase, InvestError> {
        let known = Spends::new(&self.projects, self.cap, Some(quantile));
        let (_, best) = known.best(control)?;
        let (profit, earned) = (known.profit(&best), known.profit(answer));
        Ok(ElasticityCase {
            level: [0.05, 0.5, 0.95][quantile],
            total: usd(total(&best))?,
            profit: usd(profit)?,
            profit_of_answer: usd(earned)?,
            loss: usd((profit - earned).max(0.0))?,
        })
    }

    fn check(&self) -> Result<(), InvestError> {
        let mut names = std::collections::BTreeSet::new();
        if let Some(cap) = self.cap.filter(|cap| !(0.0..=MOST_MONEY).contains(cap)) {
            return Err(InvestError::Setting { name: "cap", value: cap, range: "0 to 1e13 dollars" });
        }
        if self.projects.iter().all(|project| project.spends.is_empty()) {
            return Err(InvestError::NoCandidates);
        }
        for project in &self.projects {
            if !names.insert(&project.name) {
                return Err(InvestError::SameName(project.name.clone()));
            }
            project.check()?;
        }
        Ok(())
    }
}

impl SpendingProject {
    fn check(&self) -> Result<(), InvestError> {
        let within = |name, value: f64, low: f64, high: f64, range| {
            let inside = (low..=high).contains(&value);
            let refused = || InvestError::SettingOf { whose: self.name.clone(), name, value, range };
            if inside { Ok(()) } else { Err(refused()) }
        };
        within("receipts", self.receipts, 1.0, MOST_MONEY, "1 to 1e13 dollars")?;
        for (i, spend) in self.spends.iter().enumerate() {
            if self.spends[..i].iter().any(|earlier| earlier.bucket == spend.bucket) {
                let (project, bucket) = (self.name.clone(), spend.bucket.as_str());
                return Err(InvestError::SpentTwice { project, bucket });
            }
            within("planned", spend.planned, 1.0, MOST_MONEY, "1 to 1e13 dollars")?;
            within("least", spend.least, 1.0, spend.planned, "at least a dollar, at most what is planned")?;
            within("most", spend.most, spend.planned, MOST_MONEY, "at least what is planned, at most 1e13")?;
        }
        let sum: f64 = self.spends.iter().map(|spend| spend.elasticity.quantiles()[2]).sum();
        within("sum of the highest elasticities", sum, 0.0, MOST_ELASTICITY, "at most 0.98: returns diminish")
    }
}

fn total(spends: &[f64]) -> f64 {
    spends.iter().sum()
}

#[path = "water.rs"]
mod water;
use water::Spends;

#[cfg(test)]
#[path = "allocation_tests.rs"]
mod tests;
