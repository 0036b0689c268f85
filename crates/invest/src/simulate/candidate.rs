//! A project with the distributions of its grosses: what a simulation draws from.

use marquee_domain::{Currency, Distribution, Forecast, Money, PriceYear, Project, Target};

use crate::InvestError;
use crate::deal::Terms;

/// A project with the distribution of its domestic gross, its worldwide gross, or both. US dollars, nominal.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub(super) project: Project,
    domestic: Option<Distribution>,
    worldwide: Option<Distribution>,
}

impl Candidate {
    /// A project with its forecasts, at most one for each target.
    ///
    /// # Errors
    /// [`InvestError::Domain`] for a project that cannot be judged, [`InvestError::Currency`],
    /// [`InvestError::NoForecast`], [`InvestError::TwoForecasts`].
    pub fn new(project: Project, forecasts: &[Forecast]) -> Result<Self, InvestError> {
        let of = |target: Target| {
            let mut found = forecasts.iter().filter(|f| f.target == target).map(|f| f.distribution);
            let first = found.next();
            match found.next() {
                Some(_) => Err(InvestError::TwoForecasts {
                    project: project.name.clone(),
                    target: target.as_str().to_owned(),
                }),
                None => Ok(first),
            }
        };
        let (domestic, worldwide) = (of(Target::Domestic)?, of(Target::Worldwide)?);
        Self::from_distributions(project, domestic, worldwide)
    }

    /// A project with distributions of its grosses, from wherever they come.
    ///
    /// # Errors
    /// As [`Candidate::new`].
    pub fn from_distributions(
        project: Project,
        domestic: Option<Distribution>,
        worldwide: Option<Distribution>,
    ) -> Result<Self, InvestError> {
        project.check()?;
        must_be_dollars(&project.name, "budget", project.budget.0)?;
        if let Some(spend) = project.marketing {
            must_be_dollars(&project.name, "marketing", spend.0)?;
        }
        if domestic.is_none() && worldwide.is_none() {
            return Err(InvestError::NoForecast(project.name));
        }
        Ok(Self { project, domestic, worldwide })
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Domestic and international gross at a normal score. Where both targets are forecast they move as one.
    pub(super) fn grosses(&self, score: f64, terms: &Terms) -> (f64, f64) {
        let at = |d: &Distribution| d.at_score(score).exp();
        let domestic = self.domestic.as_ref().map(at);
        let worldwide = self.worldwide.as_ref().map(at);
        let (domestic, worldwide) = match (domestic, worldwide) {
            (Some(d), Some(w)) => (d, w.max(d)),
            (Some(d), None) => (d, d / terms.domestic_share),
            (None, Some(w)) => (w * terms.domestic_share, w),
            (None, None) => (0.0, 0.0),
        };
        let held = (terms.highest_gross / worldwide).min(1.0);
        // A gross beyond the largest float is as far beyond the cap as any other.
        if !worldwide.is_finite() {
            let highest = terms.highest_gross;
            return (highest * terms.domestic_share, highest * (1.0 - terms.domestic_share));
        }
        (domestic * held, (worldwide - domestic) * held)
    }

    /// The domestic part of the worldwide gross that break-even is stated at.
    pub(super) fn domestic_share(&self, terms: &Terms) -> f64 {
        match (&self.domestic, &self.worldwide) {
            (Some(d), Some(w)) => (d.median() / w.median()).clamp(0.0, 1.0),
            _ => terms.domestic_share,
        }
    }

    /// P(worldwide gross > `amount`).
    pub(super) fn probability_above(&self, amount: f64, terms: &Terms) -> f64 {
        if amount >= terms.highest_gross {
            return 0.0;
        }
        let below = match (&self.worldwide, &self.domestic) {
            (Some(w), _) => w.probability_below(amount),
            (None, Some(d)) => d.probability_below(amount * terms.domestic_share),
            (None, None) => 1.0,
        };
        (1.0 - below).clamp(0.0, 1.0)
    }
}

fn must_be_dollars(project: &str, what: &str, amount: Money) -> Result<(), InvestError> {
    if amount.currency() == Currency::USD && amount.price_year() == PriceYear::Nominal {
        return Ok(());
    }
    Err(InvestError::Currency { what: format!("the {what} of `{project}`"), amount: amount.to_string() })
}
