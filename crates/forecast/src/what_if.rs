//! What-ifs: a subject with something about it changed, judged by the same model with the knowledge of the same day.
//!
//! Three questions are asked of a plan. *What if* this were changed ([`Subject::with`])? *When* should it open
//! ([`weekends`])? *On what* does the answer hang most ([`sensitivity`])? A model says how films like the changed one did,
//! which is no proof that the change would do it: strong films choose strong dates.

use std::sync::Arc;

use marquee_domain::{Control, Day, Distribution, FactKind, Horizon};

use crate::error::ForecastError;
use crate::history::{History, Subject};
use crate::model::FittedModel;

/// Something that is changed about a subject. Amounts are US dollars, nominal.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// What it costs to make.
    Budget(f64),
    /// When it is released.
    Release(Day),
    /// How many minutes it runs.
    Runtime(f64),
    /// How many theatres it opens in.
    Theatres(f64),
    /// What it has of a kind of trait. Where no word is given that is none for a title of the catalogue; a project then does
    /// not tell, but for its franchise, of which not telling is none.
    Trait(FactKind, Vec<Arc<str>>),
}

impl Change {
    /// The kind of fact that it changes.
    #[must_use]
    pub fn kind(&self) -> FactKind {
        match self {
            Self::Budget(_) => FactKind::Budget,
            Self::Release(_) => FactKind::ReleaseDate,
            Self::Runtime(_) => FactKind::Runtime,
            Self::Theatres(_) => FactKind::OpeningTheatres,
            Self::Trait(kind, _) => *kind,
        }
    }

    /// The words or the figure that it sets, as people write it.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Budget(x) | Self::Runtime(x) | Self::Theatres(x) => format!("{x:.0}"),
            Self::Release(day) => day.to_string(),
            Self::Trait(_, words) if words.is_empty() => "none".to_owned(),
            Self::Trait(_, words) => words.join(", "),
        }
    }

    fn apply(&self, subject: &mut Subject) -> Result<(), ForecastError> {
        let profile = &mut subject.profile;
        let believable = match self {
            Self::Budget(budget) => {
                profile.budget = Some(*budget);
                budget.is_finite() && *budget > 0.0
            }
            Self::Release(day) => {
                subject.release = *day;
                profile.release = profile.release.map(|_| *day);
                profile.planned_quarter = Some(day.quarter_start());
                *day > subject.as_of.0
            }
            Self::Runtime(minutes) => {
                profile.runtime = Some(*minutes);
                (1.0..=1_000.0).contains(minutes)
            }
            Self::Theatres(theatres) => {
                profile.theatres = Some(*theatres);
                (1.0..=10_000.0).contains(theatres)
            }
            Self::Trait(kind, words) => profile.set(*kind, words),
        };
        match believable {
            true => Ok(()),
            false => Err(ForecastError::Change {
                name: profile.name.as_deref().unwrap_or("unnamed").to_owned(),
                change: format!("{} {}", self.kind().to_string().replace('_', " "), self.value()),
                as_of: subject.as_of.0,
            }),
        }
    }
}

impl Subject {
    /// The subject with changes made, at the same horizon and as of the same day.
    ///
    /// # Errors
    /// [`ForecastError::Change`] for what no film has, and for a release that is not after the as-of day.
    pub fn with(&self, changes: &[Change]) -> Result<Self, ForecastError> {
        let mut changed = self.clone();
        for change in changes {
            change.apply(&mut changed)?;
        }
        Ok(changed)
    }

    /// The subject as one whose date is announced: a model of plans alone sees no more of a date than its quarter. What is
    /// not told yet counts as usual then, and not as left out.
    #[must_use]
    pub fn dated(&self) -> Self {
        let mut dated = self.clone();
        if dated.horizon == Horizon::Greenlight {
            dated.horizon = Horizon::Announced;
            dated.profile.release = Some(dated.release);
            dated.title = None;
        }
        dated
    }
}

/// A weekend to open on.
#[derive(Debug, Clone, PartialEq)]
pub struct Weekend {
    /// The release day.
    pub release: Day,
    /// What the model says of it, US dollars, nominal.
    pub distribution: Distribution,
    /// How many other titles are known on the as-of day to open within a week of it.
    pub rivals: usize,
}

/// What a subject would come to on its own day and on each Friday of `from..=to` that is after the as-of day, its own first.
/// It must be one whose model sees dates: see [`Subject::dated`].
///
/// # Errors
/// As [`FittedModel::outlook`], and a stop.
pub fn weekends(
    model: &FittedModel,
    history: &History,
    subject: &Subject,
    (from, to): (Day, Day),
    control: &Control,
) -> Result<Vec<Weekend>, ForecastError> {
    const FRIDAY: i32 = 4;
    let first = from.max(subject.as_of.0.plus(1));
    let friday = first.plus((FRIDAY - first.weekday() as i32).rem_euclid(7));
    let days = (0..).map(|week| friday.plus(7 * week)).take_while(|day| *day <= to && *day < Day::MAX);
    let mut found = Vec::new();
    for release in std::iter::once(subject.release).chain(days.filter(|day| *day != subject.release)) {
        control.check()?;
        let moved = subject.with(&[Change::Release(release)])?;
        let (distribution, rivals) = (model.outlook(history, &moved)?, history.rivals_known(&moved));
        found.push(Weekend { release, distribution, rivals });
    }
    Ok(found)
}

/// How far a forecast swings with one thing about its subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Swing {
    /// What is changed.
    pub kind: FactKind,
    /// What it is now.
    pub now: Change,
    /// The change that lowers the median most, and the median then, US dollars, nominal.
    pub low: (Change, f64),
    /// The change that raises it most, likewise.
    pub high: (Change, f64),
}

impl Swing {
    /// ln of the higher median over the lower.
    #[must_use]
    pub fn width(&self) -> f64 {
        (self.high.1 / self.low.1).ln()
    }
}

/// A quarter more or less is what amounts are tried at.
const QUARTER: f64 = 0.25;
/// Minutes more or less that a film is tried at.
const MINUTES: f64 = 15.0;
/// Weeks earlier or later that a release is tried at.
const WEEKS: i32 = 13;

/// How far the median swings with each thing that the model sees of a subject, one changed at a time (a *tornado*), widest
/// first: amounts by a quarter, minutes by fifteen, the day by up to thirteen weeks, words to each that is common among the
/// films that the model learned from. What changes nothing is left out.
///
/// # Errors
/// As [`FittedModel::outlook`], and a stop.
pub fn sensitivity(
    model: &FittedModel,
    history: &History,
    subject: &Subject,
    control: &Control,
) -> Result<Vec<Swing>, ForecastError> {
    let middle = model.outlook(history, subject)?.median();
    let mut found = Vec::new();
    for (kind, now, changes) in trials(model, subject) {
        control.check()?;
        // As it is counts too: what only lowers the middle has its highest end there.
        let mut tried: Vec<(Change, f64)> = vec![(now.clone(), middle)];
        for change in changes {
            let changed = subject.with(std::slice::from_ref(&change))?;
            tried.push((change, model.outlook(history, &changed)?.median()));
        }
        let by_median = |a: &&(Change, f64), b: &&(Change, f64)| a.1.total_cmp(&b.1);
        let ends = (tried.iter().min_by(by_median).cloned(), tried.iter().max_by(by_median).cloned());
        if let (Some(low), Some(high)) = ends
            && (low.1 - middle).abs().max((high.1 - middle).abs()) > 1e-9 * middle
        {
            found.push(Swing { kind, now, low, high });
        }
    }
    found.sort_by(|a, b| b.width().total_cmp(&a.width()).then(a.kind.cmp(&b.kind)));
    Ok(found)
}

/// What is tried: of each kind what the subject has now, and the changes.
fn trials(model: &FittedModel, subject: &Subject) -> Vec<(FactKind, Change, Vec<Change>)> {
    let profile = &subject.profile;
    let mut found = Vec::new();
    if let Some(budget) = profile.budget {
        let changes = [1.0 - QUARTER, 1.0 + QUARTER].map(|times| Change::Budget(budget * times));
        found.push((FactKind::Budget, Change::Budget(budget), changes.to_vec()));
    }
    if let Some(minutes) = profile.runtime.filter(|minutes| *minutes > MINUTES) {
        let changes = [-MINUTES, MINUTES].map(|more| Change::Runtime(minutes + more));
        found.push((FactKind::Runtime, Change::Runtime(minutes), changes.to_vec()));
    }
    if let Some(theatres) = profile.theatres {
        let changes = [1.0 - QUARTER, 1.0 + QUARTER]
            .map(|times| Change::Theatres((theatres * times).round().clamp(1.0, 10_000.0)));
        found.push((FactKind::OpeningTheatres, Change::Theatres(theatres), changes.to_vec()));
    }
    let days = (-WEEKS..=WEEKS).filter(|week| *week != 0).map(|week| subject.release.plus(7 * week));
    let days: Vec<Change> = days.filter(|day| *day > subject.as_of.0).map(Change::Release).collect();
    found.push((FactKind::ReleaseDate, Change::Release(subject.release), days));
    for kind in WORDS {
        let own: Vec<Arc<str>> =
            profile.traits().filter(|(k, _)| *k == kind).map(|(_, word)| word.clone()).collect();
        let common = model.words(kind).map(Arc::<str>::from).filter(|word| !own.contains(word));
        let change = |words| Change::Trait(kind, words);
        let changes: Vec<Change> = match kind.is_many() && !own.is_empty() {
            // One of several is added or taken away.
            true => {
                let without = (0..own.len()).filter(|_| own.len() > 1).map(|gone| {
                    own.iter().enumerate().filter(|(i, _)| *i != gone).map(|(_, w)| w.clone()).collect()
                });
                let with = common.map(|word| own.iter().cloned().chain([word]).collect());
                with.chain(without).map(change).collect()
            }
            false => common.map(|word| change(vec![word])).collect(),
        };
        let none = (kind == FactKind::Franchise && !own.is_empty()).then(|| change(Vec::new()));
        found.push((kind, change(own.clone()), changes.into_iter().chain(none).collect()));
    }
    found
}

/// The kinds of words that are tried.
const WORDS: [FactKind; 8] = [
    FactKind::Genre,
    FactKind::Language,
    FactKind::Country,
    FactKind::Basis,
    FactKind::CreativeType,
    FactKind::AgeRating,
    FactKind::Distributor,
    FactKind::Franchise,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use marquee_domain::AsOf;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    fn subject() -> Subject {
        let profile = Profile {
            budget: Some(4e7),
            release: Some(day("2014-07-04")),
            genres: ["Drama".into()].into(),
            ..Profile::default()
        };
        let (release, as_of) = (day("2014-07-04"), AsOf(day("2014-06-04")));
        Subject { profile, release, horizon: Horizon::Announced, as_of, title: None }
    }

    #[test]
    fn a_change_changes_what_it_says_and_nothing_else() {
        let changes =
            [Change::Release(day("2014-11-28")), Change::Trait(FactKind::Genre, vec!["Comedy".into()])];
        let changed = subject().with(&changes).expect("can be");
        assert_eq!(changed.release.to_string(), "2014-11-28");
        assert_eq!(changed.profile.planned_quarter, Some(day("2014-10-01")));
        assert!(changed.profile.genres.contains("Comedy") && changed.profile.genres.len() == 1);
        assert_eq!((changed.profile.budget, changed.as_of), (Some(4e7), subject().as_of));
        assert_eq!(subject().with(&[]).expect("nothing"), subject());
    }

    #[test]
    fn what_no_film_has_is_refused() {
        for change in [
            Change::Budget(0.0),
            Change::Budget(f64::NAN),
            Change::Runtime(2_000.0),
            Change::Theatres(0.0),
            Change::Release(day("2014-06-04")),
            Change::Trait(FactKind::WorldwideGross, vec![]),
        ] {
            assert!(matches!(subject().with(&[change]), Err(ForecastError::Change { .. })));
        }
    }
}
