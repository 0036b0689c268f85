//! Which earlier games a game goes on from, by its name alone: lists of series are compiled with hindsight.

use std::collections::{BTreeSet, HashMap};

/// Words that begin names of games that have nothing to do with each other.
const PLAIN: [&str; 22] = [
    "a", "an", "and", "at", "for", "in", "into", "le", "la", "los", "my", "of", "on", "one", "super", "the",
    "to", "vs", "with", "world", "new", "all",
];
/// The longest run of leading words that is looked at.
const LONGEST: usize = 8;

/// Names of games, to be found again by how they begin.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// The games that begin with a run of words.
    beginnings: HashMap<String, BTreeSet<usize>>,
    /// The games of a base name.
    bases: HashMap<String, BTreeSet<usize>>,
}

/// A name in words: lower case, apostrophes dropped, other punctuation as spaces.
pub(super) fn words(name: &str) -> Vec<String> {
    let letters = name.chars().filter(|c| !matches!(c, '\'' | '’' | '`')).flat_map(char::to_lowercase);
    let spaced: String = letters.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// What stands before a colon or a dash, without a number behind it.
fn base(name: &str) -> String {
    let head = name.split(": ").next().unwrap_or(name);
    let head = head.split(" - ").next().unwrap_or(head);
    let mut words = words(head);
    while words.len() > 1 && words.last().is_some_and(|word| is_number(word)) {
        words.pop();
    }
    words.join(" ")
}

fn is_number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit()) || word.chars().all(|c| matches!(c, 'i' | 'v' | 'x'))
}

/// Whether words say which series is meant.
fn tells(words: &[String]) -> bool {
    words.iter().any(|word| !PLAIN.contains(&word.as_str()) && !is_number(word))
}

impl Names {
    /// Takes in a game.
    pub(super) fn push(&mut self, game: usize, name: &str) {
        let words = words(name);
        for n in 1..=words.len().min(LONGEST) {
            self.beginnings.entry(words[..n].join(" ")).or_default().insert(game);
        }
        self.bases.entry(base(name)).or_default().insert(game);
    }

    /// The games that a name goes on from: those that share its longest run of two or more leading words; else those that
    /// begin with its first word, where that is a series' name or `same_publisher` says that its publisher used it; else those
    /// of the same base name.
    pub(super) fn earlier(&self, name: &str, same_publisher: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let words = words(name);
        for n in (2..=words.len().min(LONGEST)).rev().filter(|n| tells(&words[..*n])) {
            if let Some(found) = self.beginnings.get(&words[..n].join(" ")) {
                return found.clone();
            }
        }
        if let Some(first) = words.first().filter(|word| word.chars().count() >= 3 && tells(&words[..1])) {
            let named = self.bases.contains_key(first);
            let found: BTreeSet<usize> = self
                .beginnings
                .get(first)
                .into_iter()
                .flatten()
                .copied()
                .filter(|game| named || same_publisher(*game))
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        let base = base(name);
        match tells(&base.split(' ').map(str::to_owned).collect::<Vec<_>>()) {
            true => self.bases.get(&base).cloned().unwrap_or_default(),
            false => BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(known: &[&str], name: &str, expect: &[usize]) {
        let mut names = Names::default();
        known.iter().enumerate().for_each(|(i, name)| names.push(i, name));
        let found: Vec<usize> = names.earlier(name, |_| false).into_iter().collect();
        assert_eq!(found, expect, "{name}");
    }

    #[test]
    fn series_are_found_by_how_they_begin() {
        check(&["Super Mario Bros.", "Super Mario World", "Tetris"], "Super Mario Galaxy", &[0, 1]);
        check(&["Halo 2", "Halo 3"], "Halo: Reach", &[0, 1]);
        check(&["FIFA Soccer 96", "FIFA 97"], "FIFA Soccer 98", &[0]);
        check(&["Pokémon Red", "Pokémon Gold"], "Pokémon Gold", &[1]);
    }

    #[test]
    fn plain_words_make_no_series() {
        check(&["The Sims", "The Godfather"], "The Witcher", &[]);
        check(&["Super Monkey Ball"], "Super Smash Bros.", &[]);
        check(&["1942"], "1942", &[]);
        check(&["Madden NFL 07"], "", &[]);
    }

    /// One word that is no series' name counts only by its publisher.
    #[test]
    fn a_first_word_counts_by_its_publisher() {
        let mut names = Names::default();
        names.push(0, "Petz Sports");
        assert!(names.earlier("Petz Horse Club", |_| false).is_empty());
        assert_eq!(names.earlier("Petz Horse Club", |game| game == 0).len(), 1);
    }
}
