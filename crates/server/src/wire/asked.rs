//! What several requests have in common: the terms on which they are read, and bounds of numbers.

use std::ops::RangeInclusive;

use marquee_app::choosing::Plans;
use marquee_app::types::Deal;

use crate::wire::project::{Project, read_all};
use crate::wire::{Day, WireError};

/// How many scenarios are simulated, where it is not said.
const SCENARIOS: u32 = 10_000;

/// What a question about money is asked under that its document does not say.
///
/// ```
/// use marquee_domain::Day;
/// use marquee_server::wire::Terms;
/// let terms = Terms { deal: marquee_app::types::Deal::default(), today: Day::new(2010, 3, 1)?, seed: 7 };
/// assert_eq!(terms.today.year(), 2010);
/// # Ok::<(), marquee_domain::DomainError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Terms {
    /// The deal in force.
    pub deal: Deal,
    /// The day of asking.
    pub today: marquee_domain::Day,
    /// The seed of all randomness.
    pub seed: u64,
}

impl Terms {
    /// Projects as a question about money wants them; scenarios are within the bounds given.
    pub(crate) fn plans(
        self,
        projects: Vec<Project>,
        as_of: Option<&Day>,
        (scenarios, bounds): (Option<u32>, RangeInclusive<u32>),
    ) -> Result<Plans, WireError> {
        let scenarios = scenarios.unwrap_or(SCENARIOS);
        within("scenarios", scenarios, bounds)?;
        Ok(Plans {
            projects: read_all(projects)?,
            deal: self.deal,
            as_of: as_of.map(Day::read).transpose().map_err(WireError::within("as_of"))?,
            today: self.today,
            scenarios: scenarios as usize,
            seed: self.seed,
        })
    }
}

/// Refuses a number outside its bounds.
pub(crate) fn within<N: Copy + Into<u64> + PartialOrd>(
    field: &'static str,
    value: N,
    bounds: RangeInclusive<N>,
) -> Result<(), WireError> {
    if bounds.contains(&value) {
        return Ok(());
    }
    let (value, least, most) = (value.into(), (*bounds.start()).into(), (*bounds.end()).into());
    Err(WireError::within(field)(WireError::Range { value, least, most }))
}
