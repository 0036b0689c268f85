//! Who wins: a conditional logit over the nominees of an award.
//!
//! What was tried on the seasons of 1985–2012: these numbers, a ridge penalty of 1 on what all awards have in common and 6 on
//! what one has of its own, and a half-life of 30 years brought the mean log loss of an award's winner from 1.57 by prior
//! nominations and wins alone to 1.12; numbers of the film itself (month, length, budget) added nothing, and separate models
//! for each award were worse.

use std::collections::{HashMap, HashSet};

use marquee_domain::{Award, TitleId};
use marquee_learn::{Alternative, ChoiceSet, ChoiceSpec, FittedChoice};
use serde::{Deserialize, Serialize};

use super::season::{Awards, Ballot, Season, people};
use super::{AwardForecast, Chance, drivers};
use crate::error::ForecastError;

/// The first season that is learned from: the first with Golden Globes.
const FIRST: i32 = 1943;
/// Years after which a season counts half.
const HALF_LIFE: f64 = 30.0;
/// The penalties of what all awards have in common, and of what one has of its own.
const PENALTIES: (f64, f64) = (1.0, 6.0);
/// The fewest awards that are learned from.
const FEWEST: usize = 100;

/// The driver groups of what is seen of a nominee: how many nominations its film has (ln), whether it has those for directing,
/// editing, cinematography and sound; whether it or who is named is up for the Golden Globe for the same, has won it, or is up
/// for another one for acting; whether the film is up for one as a film, has won it, or has won that for directing; and how
/// often one of the named has won before (ln of one and it).
const GROUPS: [&str; 12] = [
    "nominations",
    "nominations",
    "nominations",
    "nominations",
    "nominations",
    "own globe",
    "own globe",
    "own globe",
    "the film's globes",
    "the film's globes",
    "the film's globes",
    "prior wins",
];
/// The model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Wins {
    /// The awards that were learned, in order.
    awards: Vec<Award>,
    choice: FittedChoice,
}

/// An award's nominees and the rows that are seen of them.
pub(super) struct Question<'a> {
    pub award: Award,
    pub nominees: Vec<&'a Ballot>,
    pub rows: Vec<Vec<f64>>,
    /// Prior nominations and wins alone (ln of one and each): what ours is measured against.
    pub prior: Vec<Vec<f64>>,
}

impl Question<'_> {
    /// Which share of the award each nominee has; none where nobody won yet.
    pub(super) fn shares(&self) -> Option<Vec<f64>> {
        let won = self.nominees.iter().filter(|ballot| ballot.won.is_some()).count() as f64;
        let share = |ballot: &&Ballot| f64::from(u8::from(ballot.won.is_some())) / won;
        (won > 0.0).then(|| self.nominees.iter().map(share).collect())
    }
}

/// The awards of a season that have a choice, in order.
pub(super) fn questions(season: &Season) -> Vec<Question<'_>> {
    let view = View::of(season);
    let of = |award: &Award| {
        let nominees = season.nominees(*award);
        (nominees.len() > 1).then(|| Question {
            award: *award,
            rows: nominees.iter().map(|ballot| view.row(ballot)).collect(),
            prior: nominees
                .iter()
                .map(|ballot| vec![f64::from(ballot.prior.0).ln_1p(), f64::from(ballot.prior.1).ln_1p()])
                .collect(),
            nominees,
        })
    };
    Award::ALL.iter().filter(|award| award.is_oscar()).filter_map(of).collect()
}

/// Fits a conditional logit on the numbers of `rows` of each question of the seasons before a year.
pub(super) fn fit_choice(
    awards: &Awards,
    before: i32,
    rows: impl Fn(&Question<'_>) -> Vec<Vec<f64>>,
) -> Result<(Vec<Award>, FittedChoice), ForecastError> {
    let seasons = || awards.seasons.range(FIRST..before.max(FIRST)).map(|(_, season)| season);
    let decided = |season| questions(season).into_iter().filter(|q| q.shares().is_some());
    let mut kinds: Vec<Award> = seasons().flat_map(decided).map(|q| q.award).collect();
    let have = kinds.len();
    if have < FEWEST {
        let what = format!("winners of awards before {before}");
        return Err(ForecastError::TooFew { what, have, need: FEWEST });
    }
    kinds.sort_unstable();
    kinds.dedup();
    let (mut sets, mut width) = (Vec::with_capacity(have), 0);
    for season in seasons() {
        for question in decided(season) {
            let rows = rows(&question);
            width = rows.first().map_or(0, Vec::len);
            sets.push(ChoiceSet {
                alternatives: rows.iter().map(|row| alternative(row, &kinds, question.award)).collect(),
                chosen: question.shares().unwrap_or_default(),
                weight: 0.5f64.powf(f64::from(before - season.year) / HALF_LIFE),
            });
        }
    }
    let own = vec![PENALTIES.1; width * kinds.len()];
    let penalties = [vec![PENALTIES.0; width], own].concat();
    Ok((kinds, ChoiceSpec { penalties }.fit(&sets)?))
}

/// A row's numbers twice: as all awards count them, and as this one does besides.
pub(super) fn alternative(row: &[f64], kinds: &[Award], award: Award) -> Alternative {
    let numbers = row.iter().copied().enumerate().filter(|(_, x)| *x != 0.0);
    let own = kinds.iter().position(|kind| *kind == award).map(|kind| row.len() * (kind + 1));
    numbers.flat_map(|(j, x)| [Some((j, x)), own.map(|own| (own + j, x))]).flatten().collect()
}

impl Wins {
    pub(super) fn fit(awards: &Awards, before: i32) -> Result<Self, ForecastError> {
        let (awards, choice) = fit_choice(awards, before, |question| question.rows.clone())?;
        Ok(Self { awards, choice })
    }

    pub(super) fn fits(&self) -> bool {
        self.choice.coefficients().len() == GROUPS.len() * (self.awards.len() + 1)
    }

    /// The probabilities of a question's nominees.
    pub(super) fn probabilities(&self, question: &Question<'_>) -> Vec<f64> {
        let rows = question.rows.iter().map(|row| alternative(row, &self.awards, question.award));
        self.choice.probabilities(&rows.collect::<Vec<_>>())
    }

    pub(super) fn forecast(
        &self,
        awards: &Awards,
        season: &Season,
    ) -> Result<Vec<AwardForecast>, ForecastError> {
        questions(season).iter().map(|question| self.answer(awards, season, question)).collect()
    }

    fn answer(
        &self,
        awards: &Awards,
        season: &Season,
        question: &Question<'_>,
    ) -> Result<AwardForecast, ForecastError> {
        let probabilities = self.probabilities(question);
        let decided = question.shares().is_some();
        let of = |j: usize, x: f64| {
            let mut row = vec![0.0; GROUPS.len()];
            row[j] = x;
            self.choice.logit(&alternative(&row, &self.awards, question.award))
        };
        let terms: Vec<Vec<f64>> = question
            .rows
            .iter()
            .map(|row| row.iter().enumerate().map(|(j, x)| of(j, *x)).collect())
            .collect();
        let why = drivers(&terms, &GROUPS);
        let chance = |((ballot, p), drivers): ((&&Ballot, &f64), _)| {
            Ok(Chance {
                title: ballot.title,
                name: awards.name(ballot.title),
                people: ballot.people.clone(),
                probability: (*p).try_into()?,
                happened: decided.then_some(ballot.won.is_some()),
                drivers,
            })
        };
        let chances = question.nominees.iter().zip(&probabilities).zip(why).map(chance);
        let mut chances = chances.collect::<Result<Vec<Chance>, ForecastError>>()?;
        chances.sort_by(|a, b| b.probability.get().total_cmp(&a.probability.get()));
        Ok(AwardForecast { award: question.award, year: season.year, chances })
    }
}

/// What a season says of each film on the eve of its awards.
struct View<'a> {
    oscars: HashMap<TitleId, Vec<Award>>,
    globes: HashMap<TitleId, Vec<(&'a Ballot, bool)>>,
}

/// The Golden Globes that are for the same as an award, and whether they are for people.
fn own_globes(award: Award) -> (&'static [Award], bool) {
    use Award as A;
    match award {
        A::Picture => (&[A::GlobeDrama, A::GlobeComedy], false),
        A::Directing => (&[A::GlobeDirecting], true),
        A::Actor => (&[A::GlobeDramaActor, A::GlobeComedyActor], true),
        A::Actress => (&[A::GlobeDramaActress, A::GlobeComedyActress], true),
        A::SupportingActor => (&[A::GlobeSupportingActor], true),
        A::SupportingActress => (&[A::GlobeSupportingActress], true),
        A::OriginalScreenplay | A::AdaptedScreenplay => (&[A::GlobeScreenplay], false),
        A::AnimatedFeature => (&[A::GlobeAnimatedFeature], false),
        A::Score => (&[A::GlobeScore], false),
        A::Song => (&[A::GlobeSong], false),
        _ => (&[], false),
    }
}

/// The Golden Globes for acting.
const ACTING: [Award; 6] = [
    Award::GlobeDramaActor,
    Award::GlobeDramaActress,
    Award::GlobeComedyActor,
    Award::GlobeComedyActress,
    Award::GlobeSupportingActor,
    Award::GlobeSupportingActress,
];

impl<'a> View<'a> {
    fn of(season: &'a Season) -> Self {
        let mut view = Self { oscars: HashMap::new(), globes: HashMap::new() };
        for ballot in &season.oscars {
            view.oscars.entry(ballot.title).or_default().push(ballot.award);
        }
        for (ballot, won) in season.globes_before_the_oscars() {
            view.globes.entry(ballot.title).or_default().push((ballot, won));
        }
        view
    }

    /// One number for each of [`GROUPS`].
    fn row(&self, ballot: &Ballot) -> Vec<f64> {
        let oscars = self.oscars.get(&ballot.title).map_or(&[][..], Vec::as_slice);
        let globes = self.globes.get(&ballot.title).map_or(&[][..], Vec::as_slice);
        let flag = |yes: bool| f64::from(u8::from(yes));
        let has = |award| flag(oscars.contains(&award));
        let who: HashSet<String> = ballot.people.iter().flat_map(|text| people(text)).collect();
        let names = |globe: &Ballot| {
            globe.people.iter().flat_map(|text| people(text)).any(|name| who.contains(&name))
        };
        let of = |awards: &[Award], people: bool, must_win: bool| {
            let same = |(globe, won): &(&Ballot, bool)| {
                awards.contains(&globe.award) && (!people || names(globe)) && (*won || !must_win)
            };
            globes.iter().any(same)
        };
        let (own, people) = own_globes(ballot.award);
        let acting = own.iter().any(|globe| ACTING.contains(globe));
        let picture = [Award::GlobeDrama, Award::GlobeComedy];
        vec![
            (oscars.len().max(1) as f64).ln(),
            has(Award::Directing),
            has(Award::Editing),
            has(Award::Cinematography),
            has(Award::Sound),
            flag(of(own, people, false)),
            flag(of(own, people, true)),
            flag(acting && !of(own, people, false) && of(&ACTING, true, false)),
            flag(of(&picture, false, false)),
            flag(of(&picture, false, true)),
            flag(of(&[Award::GlobeDirecting], false, true)),
            f64::from(ballot.prior.1).ln_1p(),
        ]
    }
}
