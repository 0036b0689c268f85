//! Learners: with which settings the models of a question are fitted. The *champion* answers, the *challenger* waits for a
//! contest, and what was champion before can be taken back. Kept as one file beside the models.

use std::path::PathBuf;

use marquee_domain::{Day, Horizon, Population, Target};
use marquee_forecast::tune::Learner;
use marquee_learn::EnsembleSpec;
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::models::write_whole;

/// Which models a learner fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Which {
    /// How much may be known.
    pub horizon: Horizon,
    /// What is predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
}

/// A learner, and what it was chosen on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The learner.
    pub learner: Learner,
    /// The day before which all that it was chosen on was released: a question about an earlier day is not for it.
    pub before: Day,
}

/// Who answers the questions of one kind of model, and who would.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Of which models.
    pub which: Which,
    /// The champion; none where it is the learner of the house.
    pub champion: Option<Chosen>,
    /// How many champions there were since the learner of the house: so often can be rolled back.
    pub champions: usize,
    /// The challenger.
    pub challenger: Option<Chosen>,
}

/// The learners of one kind of model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    which: Which,
    /// The champions, the present one last; before the first stands the learner of the house.
    champions: Vec<Chosen>,
    challenger: Option<Chosen>,
}

/// What the file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    format: u32,
    learners: Vec<Entry>,
}

const FORMAT: u32 = 1;

/// How many single years a contest is fought over: the last ones, which no search looks at.
pub(crate) const CONTEST_YEARS: i32 = 3;

/// The learners of a data folder.
#[derive(Debug, Clone)]
pub struct Learners {
    path: PathBuf,
}

/// The learner that models are fitted with where no other has won.
#[must_use]
pub fn house() -> Learner {
    Learner { ensemble: EnsembleSpec::default(), without: Vec::new() }
}

impl Which {
    /// Refuses what nobody asks for.
    ///
    /// # Errors
    /// [`AppError::NotAsked`].
    pub fn check(self) -> Result<Self, AppError> {
        let Self { horizon, target, population } = self;
        match horizon.asks(target, population) {
            true => Ok(self),
            false => Err(AppError::NotAsked { horizon, target, population }),
        }
    }
}

impl Learners {
    /// The learners that a file keeps; it is made with the first challenger.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The learner of models that are trained before a day: the last champion that was chosen on nothing later, so that no
    /// answer about the past rests on what came after it.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub fn champion(&self, which: Which, cut: Day) -> Result<Learner, AppError> {
        let entry = self.read()?.learners.into_iter().find(|e| e.which == which);
        let champions = entry.map(|e| e.champions).unwrap_or_default();
        Ok(champions.into_iter().rev().find(|c| c.before <= cut).map_or_else(house, |c| c.learner))
    }

    /// Who stands where other than the learner of the house does, or is challenged.
    ///
    /// # Errors
    /// As [`Learners::champion`].
    pub fn standings(&self) -> Result<Vec<Standing>, AppError> {
        let standing = |e: Entry| Standing {
            which: e.which,
            champion: e.champions.last().cloned(),
            champions: e.champions.len(),
            challenger: e.challenger,
        };
        Ok(self.read()?.learners.into_iter().map(standing).collect())
    }

    /// The challenger, where there is one.
    ///
    /// # Errors
    /// As [`Learners::champion`].
    pub fn challenger(&self, which: Which) -> Result<Option<Chosen>, AppError> {
        Ok(self.read()?.learners.into_iter().find(|e| e.which == which).and_then(|e| e.challenger))
    }

    /// Sets the challenger.
    ///
    /// # Errors
    /// Where the file cannot be read or written.
    pub fn challenge(&self, which: Which, challenger: Chosen) -> Result<(), AppError> {
        self.change(which, |entry| {
            entry.challenger = Some(challenger);
            true
        })?;
        Ok(())
    }

    /// Makes a challenger champion that has won over what was released before a day; says whether it still was the challenger.
    ///
    /// # Errors
    /// Where the file cannot be read or written.
    pub fn promote(&self, which: Which, winner: &Chosen, before: Day) -> Result<bool, AppError> {
        self.change(which, |entry| {
            let Some(learner) = entry.challenger.take_if(|own| own == winner).map(|c| c.learner) else {
                return false;
            };
            entry.champions.push(Chosen { learner, before });
            true
        })
    }

    /// Takes the last champion back; says whether there was one.
    ///
    /// # Errors
    /// Where the file cannot be read or written.
    pub fn rollback(&self, which: Which) -> Result<bool, AppError> {
        self.change(which, |entry| entry.champions.pop().is_some())
    }

    /// Changes an entry and writes the file, whole or not at all, where `change` says that it did.
    fn change(&self, which: Which, change: impl FnOnce(&mut Entry) -> bool) -> Result<bool, AppError> {
        let mut all = self.read()?;
        let at = all.learners.iter().position(|e| e.which == which).unwrap_or_else(|| {
            all.learners.push(Entry { which, champions: Vec::new(), challenger: None });
            all.learners.len() - 1
        });
        if !change(&mut all.learners[at]) {
            return Ok(false);
        }
        all.format = FORMAT;
        write_whole(&self.path, || Ok(serde_json::to_vec_pretty(&all)?))?;
        Ok(true)
    }

    fn read(&self) -> Result<Written, AppError> {
        let refuse = |what: String| AppError::Learners { path: self.path.clone(), what };
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Written::default()),
            Err(source) => return Err(AppError::File { path: self.path.clone(), doing: "reading", source }),
        };
        let written: Written = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
        match written.format {
            ..=FORMAT => Ok(written),
            newer => Err(refuse(format!("it has format {newer}, newer than this Marquee"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_champion_comes_and_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let learners = Learners::at(folder.path().join("models/learners.json"));
        let which =
            Which { horizon: Horizon::Announced, target: Target::Worldwide, population: Population::All };
        let other = Which { population: Population::Funded, ..which };
        let learner = |group: &str| Learner { without: vec![group.to_owned()], ..house() };
        let day = |year| Day::new(year, 1, 1).expect("a day");
        let chosen = |group: &str, year| Chosen { learner: learner(group), before: day(year) };
        let champion = |year| learners.champion(which, day(year)).expect("read");
        assert_eq!(champion(2020), house());
        assert!(!learners.rollback(which).expect("read"));
        for (group, year) in [("genre", 2006), ("season", 2009)] {
            let challenger = chosen(group, year - 3);
            learners.challenge(which, challenger.clone()).expect("written");
            assert!(
                !learners.promote(which, &chosen("money", 2000), day(year)).expect("read"),
                "another one"
            );
            assert!(learners.promote(which, &challenger, day(year)).expect("written"));
            assert_eq!(champion(year), learner(group));
            assert_eq!(learners.challenger(which).expect("read"), None);
        }
        // Nobody answers about a time before what it was chosen on.
        assert_eq!([2005, 2008].map(champion), [house(), learner("genre")]);
        assert_eq!(learners.champion(other, day(2020)).expect("read"), house());
        for back in [learner("genre"), house()] {
            assert!(learners.rollback(which).expect("written"));
            assert_eq!(champion(2020), back);
        }
        assert!(!learners.rollback(which).expect("read"));
        std::fs::write(folder.path().join("models/learners.json"), "{\"format\": 9, \"learners\": []}")
            .expect("written");
        assert!(learners.champion(which, day(2020)).is_err_and(|e| e.to_string().contains("newer")));
    }

    /// A file that an earlier version wrote: every later one must read it.
    #[test]
    fn the_first_format_is_still_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/learners-1.json");
        let which =
            Which { horizon: Horizon::Announced, target: Target::Domestic, population: Population::All };
        let kept = Learners::at(path.into());
        let challenger = kept.challenger(which).expect("read").expect("one waits");
        assert_eq!(challenger.before, Day::new(2008, 1, 1).expect("a day"));
        assert_eq!(challenger.learner.ensemble.members.len(), 3);
        assert_eq!(kept.champion(which, challenger.before).expect("read"), house());
    }
}
