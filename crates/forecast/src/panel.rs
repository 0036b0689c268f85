//! A panel: examples of one target seen at one horizon, each through the history as of its own day.

use std::sync::Arc;

use marquee_domain::{AsOf, Fact, Horizon, Population, Target};

use crate::error::ForecastError;
use crate::example::Example;
use crate::features::Raw;
use crate::history::{History, Subject, fold};
use crate::scope::Scope;

/// Examples with what a model may see of each. All three are in step.
#[derive(Debug, Clone)]
pub struct Panel {
    /// The examples.
    pub examples: Vec<Example>,
    /// What is seen of each.
    pub raws: Vec<Raw>,
    /// What the natural log of each one's outcome is measured from: see [`Subject::origin`].
    pub origins: Vec<f64>,
    /// How much was known.
    pub horizon: Horizon,
}

impl Panel {
    /// Folds `facts` (all of the catalogue, in order) and looks at each example on its own day.
    ///
    /// # Errors
    /// [`ForecastError::OutOfOrder`] where the facts are not in order.
    pub fn fold(
        facts: &[Fact],
        examples: Vec<Example>,
        scope: &Scope,
        horizon: Horizon,
    ) -> Result<Self, ForecastError> {
        let mut history = empty_history(scope);
        let admitted = facts.iter().filter(|f| scope.admits(f));
        let seen = fold(
            &mut history,
            admitted,
            &examples,
            |e| e.as_of(horizon),
            |history, example| {
                let subject = subject_of(history, example, horizon);
                (Raw::of(history, &subject), subject.origin(history))
            },
        )?;
        let (raws, origins) = seen.into_iter().unzip();
        Ok(Self { examples, raws, origins, horizon })
    }

    /// The examples of a population whose outcome can be measured: from `opening_day` on these have a chart.
    #[must_use]
    pub fn members(&self, population: Population, target: Target) -> Vec<usize> {
        let is_in = |i: &usize| self.examples[*i].is_in(population, self.horizon, target);
        (0..self.examples.len()).filter(is_in).filter(|i| self.origins[*i].is_finite()).collect()
    }
}

/// An empty history for a scope's target and outcomes.
#[must_use]
pub fn empty_history(scope: &Scope) -> History {
    History::new(scope.target, Some(Arc::from(scope.outcomes.as_str())))
}

/// The history of a scope as of a day.
///
/// # Errors
/// [`ForecastError::OutOfOrder`] where the facts are not in order.
pub fn history_as_of(facts: &[Fact], scope: &Scope, as_of: AsOf) -> Result<History, ForecastError> {
    let mut history = empty_history(scope);
    for fact in facts.iter().take_while(|f| as_of.knows(f.known_on)).filter(|f| scope.admits(f)) {
        history.observe(fact)?;
    }
    Ok(history)
}

fn subject_of(history: &History, example: &Example, horizon: Horizon) -> Subject {
    Subject {
        profile: history.profile(example.title),
        release: example.release,
        horizon,
        as_of: example.as_of(horizon),
        title: Some(example.title),
    }
}
