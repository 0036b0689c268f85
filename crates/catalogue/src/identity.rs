//! Which titles of different tables are one title.
//!
//! Two titles are one where tables state the same id for both; failing that, where their normalised names and release
//! years agree and nothing else shares them. Nothing but ids, names and release years is looked at. Titles to which one
//! name space gives two ids are two titles, whatever else they share; only releases (`mojo_release`) may come several to
//! a title.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use marquee_domain::{
    Day, FactKind, FactValue, Release, SourceId, Territory, Title, TitleId, Vertical, Window, normalise_title,
};
use serde::Serialize;

use crate::facts::StatedFact;

/// The name space whose ids come several to a title.
const MANY_TO_ONE: &str = "mojo_release";
/// Above so many titles, names are not compared: ids have to do.
const NAMES_UP_TO: usize = 2_000_000;

/// Titles as the tables state them, and which of them are one.
#[derive(Debug, Default)]
pub struct Identity {
    canonical: HashMap<TitleId, TitleId>,
    titles: Vec<Entry>,
    merges: Vec<Merge>,
    notes: Vec<String>,
}

/// One title and what it is made of.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The title, as the first of its sources names it.
    pub title: Title,
    /// The titles that tables state, the canonical one first.
    pub members: Vec<Member>,
}

/// A title as tables state it under one id.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its id.
    pub id: TitleId,
    /// What it is.
    pub vertical: Vertical,
    /// The ids that are stated for it.
    pub source_ids: Vec<SourceId>,
    /// The tables that name it, in order of priority.
    pub sources: Vec<Arc<str>>,
    /// Its name in the first of them.
    pub name: Option<Arc<str>>,
    /// Its release day in the first that has one.
    pub release: Option<Day>,
}

/// Two titles that were found to be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merge {
    /// The title that stands for both.
    pub canonical: TitleId,
    /// The other.
    pub other: TitleId,
    /// How it was found.
    pub by: MergedBy,
    /// The id, or the name and year, that they share.
    pub key: String,
    /// Their names.
    pub names: (String, String),
}

/// How two titles were found to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MergedBy {
    /// By an id that both state.
    Id,
    /// By normalised name and release year.
    NameAndYear,
}

impl Identity {
    /// Builds the map from facts of the kinds name, source id and release date, ordered by the priority of their source.
    pub(crate) fn build(facts: &[(StatedFact, Vertical)]) -> Self {
        let members = members(facts);
        let mut groups = Groups::new(&members);
        let mut identity = Self::default();
        groups.join_by_id();
        if members.len() <= NAMES_UP_TO {
            groups.join_by_name();
        } else {
            let note = format!(
                "{} titles: matched by id only, since names are compared up to {NAMES_UP_TO}",
                members.len()
            );
            identity.notes.push(note);
        }
        let mut by_root: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for i in 0..members.len() {
            by_root.entry(groups.root(i)).or_default().push(i);
        }
        for group in by_root.into_values() {
            let first = &members[group[0]];
            for i in &group {
                identity.canonical.insert(members[*i].id, first.id);
            }
            identity.titles.push(entry(group.iter().map(|i| members[*i].clone()).collect()));
        }
        let name = |i: usize| members[i].name.as_deref().unwrap_or_default().to_owned();
        for (a, b, by, key) in std::mem::take(&mut groups.joined) {
            let canonical = members[groups.root(a)].id;
            identity.merges.push(Merge {
                canonical,
                other: members[b].id,
                by,
                key,
                names: (name(a), name(b)),
            });
        }
        identity.titles.sort_by_key(|e| e.title.id);
        identity
    }

    /// The id that stands for a title; the same where it was not merged.
    #[must_use]
    pub fn canonical(&self, id: TitleId) -> TitleId {
        self.canonical.get(&id).copied().unwrap_or(id)
    }

    /// All titles that have a name, by id.
    #[must_use]
    pub fn titles(&self) -> &[Entry] {
        &self.titles
    }

    /// The title with this canonical id.
    #[must_use]
    pub fn get(&self, canonical: TitleId) -> Option<&Entry> {
        self.titles.binary_search_by_key(&canonical, |e| e.title.id).ok().map(|i| &self.titles[i])
    }

    /// What was merged, in the order in which it was found.
    #[must_use]
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// What was left out, and why.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// One member for each stated id, in the order of first mention.
fn members(facts: &[(StatedFact, Vertical)]) -> Vec<Member> {
    let mut places: HashMap<TitleId, usize> = HashMap::new();
    let mut members: Vec<Member> = Vec::new();
    for (stated, vertical) in facts {
        let place = *places.entry(stated.member).or_insert_with(|| {
            members.push(Member {
                id: stated.member,
                vertical: *vertical,
                source_ids: Vec::new(),
                sources: Vec::new(),
                name: None,
                release: None,
            });
            members.len() - 1
        });
        let (member, fact) = (&mut members[place], &stated.fact);
        if !member.sources.contains(&fact.source) {
            member.sources.push(fact.source.clone());
        }
        match (&fact.kind, &fact.value) {
            (FactKind::Name, FactValue::Text(name)) if member.name.is_none() => {
                member.name = Some(name.clone());
            }
            (FactKind::ReleaseDate, FactValue::Day(day)) if member.release.is_none() => {
                member.release = Some(*day);
            }
            (FactKind::SourceId, FactValue::Text(id)) => {
                if let Some((space, id)) = id.split_once(':') {
                    let id = SourceId::new(space, id);
                    if !member.source_ids.contains(&id) {
                        member.source_ids.push(id);
                    }
                }
            }
            _ => {}
        }
    }
    members.retain(|m| m.name.is_some());
    members
}

fn entry(members: Vec<Member>) -> Entry {
    let mut source_ids: Vec<SourceId> = Vec::new();
    for id in members.iter().flat_map(|m| &m.source_ids) {
        if !source_ids.contains(id) {
            source_ids.push(id.clone());
        }
    }
    let release = members.iter().find_map(|m| m.release);
    let title = Title {
        id: members[0].id,
        vertical: members[0].vertical,
        name: members.iter().find_map(|m| m.name.as_deref()).unwrap_or_default().to_owned(),
        source_ids,
        release: release.map(|day| Release {
            day,
            territory: Territory::Worldwide,
            window: Window::Theatrical,
        }),
    };
    Entry { title, members }
}

/// Members that belong together: a union-find whose roots are the earliest members.
struct Groups<'a> {
    members: &'a [Member],
    parent: Vec<usize>,
    /// For each root: the one id that each name space gives.
    ids: Vec<BTreeMap<&'a str, &'a str>>,
    joined: Vec<(usize, usize, MergedBy, String)>,
}

impl<'a> Groups<'a> {
    fn new(members: &'a [Member]) -> Self {
        let single = |id: &&SourceId| id.space != MANY_TO_ONE && id.space != crate::mapping::TITLE_YEAR;
        let ids = |m: &'a Member| {
            m.source_ids.iter().filter(single).map(|id| (id.space.as_str(), id.id.as_str())).collect()
        };
        Self {
            members,
            parent: (0..members.len()).collect(),
            ids: members.iter().map(ids).collect(),
            joined: Vec::new(),
        }
    }

    fn root(&self, mut i: usize) -> usize {
        while self.parent[i] != i {
            i = self.parent[i];
        }
        i
    }

    /// Whether two groups may be one title: no name space gives them different ids.
    fn agree(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        self.members[a].vertical == self.members[b].vertical
            && self.ids[a].iter().all(|(space, id)| self.ids[b].get(space).is_none_or(|other| other == id))
    }

    fn join(&mut self, a: usize, b: usize, by: MergedBy, key: &str) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (first, other) = (a.min(b), a.max(b));
        self.parent[other] = first;
        let moved = std::mem::take(&mut self.ids[other]);
        self.ids[first].extend(moved);
        self.joined.push((first, other, by, key.to_owned()));
    }

    fn join_by_id(&mut self) {
        let mut holder: HashMap<&SourceId, usize> = HashMap::new();
        let members = self.members;
        for (i, member) in members.iter().enumerate() {
            for id in &member.source_ids {
                match holder.get(id) {
                    Some(other) if self.agree(*other, i) => {
                        self.join(*other, i, MergedBy::Id, &id.to_string());
                    }
                    Some(_) => {}
                    None => {
                        holder.insert(id, i);
                    }
                }
            }
        }
    }

    fn join_by_name(&mut self) {
        let mut named: BTreeMap<(String, i32), Vec<usize>> = BTreeMap::new();
        for (i, member) in self.members.iter().enumerate() {
            if let (Some(name), Some(year)) = (&member.name, year(member)) {
                named.entry((normalise_title(name), year)).or_default().push(i);
            }
        }
        for ((name, year), mut found) in named {
            found.retain({
                let mut seen = Vec::new();
                let roots: Vec<usize> = found.iter().map(|i| self.root(*i)).collect();
                let mut roots = roots.into_iter();
                move |_| {
                    roots.next().is_some_and(|r| {
                        !seen.contains(&r) && {
                            seen.push(r);
                            true
                        }
                    })
                }
            });
            // Two titles of one table, or two with different ids, are told apart there: nothing decides between them.
            let apart = |a: usize, b: usize| !self.agree(a, b) || self.share_a_source(a, b);
            let pairs =
                || found.iter().enumerate().flat_map(|(k, a)| found[k + 1..].iter().map(move |b| (*a, *b)));
            if name.is_empty() || found.len() > 8 || pairs().any(|(a, b)| apart(a, b)) {
                continue;
            }
            for other in found.iter().skip(1) {
                self.join(found[0], *other, MergedBy::NameAndYear, &format!("{name} ({year})"));
            }
        }
    }

    fn share_a_source(&self, a: usize, b: usize) -> bool {
        self.members[a].sources.iter().any(|s| self.members[b].sources.contains(s))
    }
}

/// The release year; where the day is unknown, the year in an id made of name and year.
fn year(member: &Member) -> Option<i32> {
    let stated = || {
        let id = member.source_ids.iter().find(|id| id.space == crate::mapping::TITLE_YEAR)?;
        id.id.rsplit_once('|')?.1.parse().ok()
    };
    member.release.map(Day::year).or_else(stated)
}
