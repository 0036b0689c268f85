//! How good forecasts of weeks were on films whose weeks came later, beside the average curve of the year before.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use marquee_domain::{Control, Day, Distribution, FactKind, Horizon, Population, Target};
use marquee_learn::judge::{TierCoverage, paired_bootstrap};
use marquee_learn::metrics;

use super::{FittedWeeks, WeeksSpec, friday_of, opening, weeks_of};
use crate::error::ForecastError;
use crate::panel::Panel;
use crate::score::{Difference, Prediction, Score, coverage};

/// The weeks that the figures are about.
const JUDGED: RangeInclusive<u32> = 2..=8;

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct WeeksRow {
    /// The weeks, both ends included.
    pub weeks: RangeInclusive<u32>,
    /// Our figures over titles and weeks.
    pub score: Score,
    /// Those of the average curve of the year before, which gives a middle only.
    pub baseline: Score,
    /// Our median APE less the baseline's, as a share of the baseline's; films are drawn anew, with all their weeks.
    pub median_ape: Difference,
}

/// What a test of weeks found.
#[derive(Debug, Clone, PartialEq)]
pub struct WeeksTest {
    /// On which films.
    pub population: Population,
    /// How many films with a whole week were tested.
    pub films: usize,
    /// How many films the model was fitted on.
    pub trained_on: usize,
    /// All weeks together, then each.
    pub rows: Vec<WeeksRow>,
    /// Coverage by predicted tier of the 80 and the 90% interval.
    pub coverage: [Vec<TierCoverage>; 2],
}

/// Tests a model of weeks on the films of a panel released in `period`, as of their first Sundays.
///
/// # Errors
/// [`ForecastError::TooFew`] where there are too few to learn from or none to test; otherwise what the learner says.
pub fn test(
    panel: &Panel,
    spec: &WeeksSpec,
    period: &RangeInclusive<Day>,
    control: &Control,
) -> Result<WeeksTest, ForecastError> {
    let fitted = spec.fit(panel, control)?;
    let members = panel.members(spec.population, Target::Domestic);
    let curves = Curves::of(panel, &members);
    let mut judged = Judged::default();
    for i in members.into_iter().filter(|i| period.contains(&panel.examples[*i].release)) {
        judged.film(panel, i, &fitted, &curves)?;
    }
    if judged.ours.is_empty() {
        let what = format!("weeks of films released from {} to {}", period.start(), period.end());
        return Err(ForecastError::TooFew { what, have: 0, need: 1 });
    }
    let each = JUDGED.map(|week| week..=week);
    let rows = std::iter::once(JUDGED).chain(each).filter_map(|weeks| judged.row(weeks).transpose());
    let whole: Vec<&Prediction> = judged.ours.iter().collect();
    Ok(WeeksTest {
        population: spec.population,
        films: judged.films,
        trained_on: fitted.films(),
        rows: rows.collect::<Result<_, _>>()?,
        coverage: coverage(&whole),
    })
}

/// Forecasts of weeks beside the baseline's, in step.
#[derive(Default)]
struct Judged {
    films: usize,
    ours: Vec<Prediction>,
    theirs: Vec<Prediction>,
    /// The film and the week of each.
    of: Vec<(usize, u32)>,
}

impl Judged {
    fn film(
        &mut self,
        panel: &Panel,
        i: usize,
        fitted: &FittedWeeks,
        curves: &Curves,
    ) -> Result<(), ForecastError> {
        let (example, raw, origin) = (&panel.examples[i], &panel.raws[i], panel.origins[i]);
        let before = self.ours.len();
        for (week, actual) in weeks_of(&example.weeks).filter(|(week, _)| JUDGED.contains(week)) {
            let Some(curve) = curves.before(example.release, class(panel, i), week) else { continue };
            let (tier, distribution) = fitted.distribution(raw, origin, example.release, week)?;
            let prediction = |distribution, tier| Prediction {
                source_id: format!("{}/{week}", example.source_id),
                title: example.name.clone(),
                release: example.release,
                budget: example.budget,
                horizon: Horizon::Weekend1,
                target: Target::Domestic,
                population: fitted.population(),
                as_of: example.as_of(Horizon::Weekend1).0,
                distribution,
                actual,
                tier,
            };
            let middle = opening(raw, origin) + curve;
            self.ours.push(prediction(distribution, tier));
            self.theirs.push(prediction(Distribution::from_logs([middle; 7])?, 0));
            self.of.push((self.films, week));
        }
        self.films += usize::from(self.ours.len() > before);
        Ok(())
    }

    fn row(&self, weeks: RangeInclusive<u32>) -> Result<Option<WeeksRow>, ForecastError> {
        let picked: Vec<usize> = (0..self.of.len()).filter(|i| weeks.contains(&self.of[*i].1)).collect();
        if picked.is_empty() {
            return Ok(None);
        }
        let of = |all: &'_ [Prediction]| Score::of(&picked.iter().map(|i| &all[*i]).collect::<Vec<_>>());
        let mut films: HashMap<usize, Vec<usize>> = HashMap::new();
        for i in &picked {
            films.entry(self.of[*i].0).or_default().push(*i);
        }
        let mut films: Vec<Vec<usize>> = films.into_values().collect();
        films.sort_unstable();
        let ape = |p: &Prediction| (p.distribution.median() / p.actual - 1.0).abs();
        let (ours, theirs): (Vec<f64>, Vec<f64>) =
            self.ours.iter().zip(&self.theirs).map(|(a, b)| (ape(a), ape(b))).unzip();
        let estimate = paired_bootstrap(films.len(), 1_000, 20_130_101, |drawn| {
            let rows = || drawn.iter().flat_map(|f| &films[*f]);
            let median = |errors: &[f64]| metrics::median(rows().map(|i| errors[*i]).collect());
            median(&ours) / median(&theirs) - 1.0
        })?;
        let median_ape = Difference { value: estimate.value, lower: estimate.lower, upper: estimate.upper };
        Ok(Some(WeeksRow { weeks, score: of(&self.ours), baseline: of(&self.theirs), median_ape }))
    }
}

/// ln(a week's gross over its film's opening weekend), by the year and class of the film and the week.
struct Curves {
    ratios: HashMap<(i32, Class, u32), Vec<(Day, f64)>>,
}

/// What makes curves alike: of the simple classes that were tried on earlier years, these told most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Family,
    Horror,
    Action,
    Comedy,
    Other,
    Any,
}

/// A class with fewer films the year before says nothing; all classes together then do.
const FEWEST_ALIKE: usize = 5;

fn class(panel: &Panel, i: usize) -> Class {
    let has = |genre: &str| panel.raws[i].words(FactKind::Genre).any(|own| own == genre);
    match () {
        () if has("Family") || has("Animation") => Class::Family,
        () if has("Horror") => Class::Horror,
        () if has("Action") => Class::Action,
        () if has("Comedy") => Class::Comedy,
        () => Class::Other,
    }
}

impl Curves {
    fn of(panel: &Panel, members: &[usize]) -> Self {
        let mut ratios: HashMap<(i32, Class, u32), Vec<(Day, f64)>> = HashMap::new();
        for i in members {
            let example = &panel.examples[*i];
            let from = opening(&panel.raws[*i], panel.origins[*i]);
            for (week, gross) in weeks_of(&example.weeks) {
                let over = friday_of(example.release, week).plus(6);
                for class in [class(panel, *i), Class::Any] {
                    let alike = ratios.entry((example.release.year(), class, week)).or_default();
                    alike.push((over, gross.ln() - from));
                }
            }
        }
        Self { ratios }
    }

    /// The median of the calendar year before a release, of what was over by its first Sunday.
    fn before(&self, release: Day, class: Class, week: u32) -> Option<f64> {
        let today = Horizon::Weekend1.as_of(release);
        let known = |class: Class| {
            let all = self.ratios.get(&(release.year() - 1, class, week)).map_or(&[][..], Vec::as_slice);
            all.iter().filter(|(over, _)| today.knows(*over)).map(|(_, ratio)| *ratio).collect::<Vec<f64>>()
        };
        let alike = Some(known(class)).filter(|alike| alike.len() >= FEWEST_ALIKE);
        Some(alike.unwrap_or_else(|| known(Class::Any))).filter(|all| !all.is_empty()).map(metrics::median)
    }
}
