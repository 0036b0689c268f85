//! Sources to ingest, and the maps that are built in.

use std::path::{Path, PathBuf};

use crate::error::{CatalogueError, Result};
use crate::ingest::side::beside;
use crate::mapping::Mapping;
use crate::read;

/// The built-in maps, in the order in which their tables are ingested: names and canonical ids come from the first.
const MAPS: [&str; 16] = [
    include_str!("../maps/mojo_tmdb_titles.toml"),
    include_str!("../maps/openings.toml"),
    include_str!("../maps/tmdb_5000_movies.toml"),
    include_str!("../maps/tmdb_credits_10866.toml"),
    include_str!("../maps/films.toml"),
    include_str!("../maps/movie_stats.toml"),
    include_str!("../maps/credits_top3_small.toml"),
    include_str!("../maps/mojo_tmdb_genre_links.toml"),
    include_str!("../maps/mojo_tmdb_company_links.toml"),
    include_str!("../maps/mojo_tmdb_collection_links.toml"),
    include_str!("../maps/mojo_tmdb_keyword_links.toml"),
    include_str!("../maps/daily_grosses.toml"),
    include_str!("../maps/netflix_top10.toml"),
    include_str!("../maps/oscars.toml"),
    include_str!("../maps/golden_globe_awards.toml"),
    include_str!("../maps/video_games.toml"),
];

/// The priority of sources with a map of the user's own: behind the built-in ones.
const OWN_PRIORITY: u32 = 1_000;

/// One file with the map that says what it means.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What its columns mean.
    pub map: Mapping,
    /// Its place among the sources: names and canonical ids come from the lowest.
    pub priority: u32,
}

/// Sources in the order in which they are ingested.
#[derive(Debug, Clone, Default)]
pub struct SourceSet {
    /// The sources.
    pub sources: Vec<Source>,
    /// Files that were left out, and why.
    pub skipped: Vec<(PathBuf, String)>,
}

/// The built-in maps.
///
/// # Errors
/// [`CatalogueError::Mapping`] where one is not well formed; a test sees to it that none is.
pub fn builtin_maps() -> Result<Vec<Mapping>> {
    MAPS.iter().map(|text| Mapping::parse(text, "built in")).collect()
}

impl Source {
    /// A file with a mapping file.
    ///
    /// # Errors
    /// [`CatalogueError::File`] and [`CatalogueError::Mapping`].
    pub fn with_map(path: impl Into<PathBuf>, map: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(map).map_err(|e| CatalogueError::file(map, e))?;
        let map = Mapping::parse(&text, &map.display().to_string())?;
        Ok(Self { path: path.into(), map, priority: OWN_PRIORITY })
    }

    /// A file with the built-in map for its name, or else for its columns.
    ///
    /// # Errors
    /// [`CatalogueError::NoMap`] with a map to start from; whatever is wrong with the file.
    pub fn detect(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let head = read::open(&path, &[], None)?.head;
        let file = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let stem = file.strip_suffix(".gz").unwrap_or(&file);
        let has = |map: &Mapping| map.columns().iter().all(|c| head.columns.iter().any(|h| h == c));
        let fitting: Vec<(u32, Mapping)> = (0..).zip(builtin_maps()?).filter(|(_, map)| has(map)).collect();
        let named = fitting.iter().find(|(_, map)| map.files.iter().any(|f| f == stem));
        // Of the maps that fit, the one that uses most columns knows most of the table.
        let best = named.or_else(|| {
            fitting.iter().filter(|(_, m)| m.columns().len() > 3).max_by_key(|(_, m)| m.columns().len())
        });
        match best {
            Some((priority, map)) => Ok(Self { path, map: map.clone(), priority: *priority }),
            None => Err(CatalogueError::NoMap {
                starter: starter(stem, &head.columns),
                file,
                columns: head.columns,
            }),
        }
    }
}

impl SourceSet {
    /// The known tables in a folder, plain or gzipped; what else lies there is listed as skipped.
    ///
    /// # Errors
    /// [`CatalogueError::File`] where the folder cannot be read, [`CatalogueError::Format`] where no table is known.
    pub fn detect(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let mut set = Self::default();
        for (priority, map) in (0..).zip(builtin_maps()?) {
            if let Some(path) = map.files.iter().find_map(|file| beside(folder, file)) {
                set.sources.push(Source { path, map, priority });
            }
        }
        let listed = std::fs::read_dir(folder).map_err(|e| CatalogueError::file(folder, e))?;
        let mut rest: Vec<PathBuf> =
            listed.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| p.is_file()).collect();
        rest.sort();
        for path in rest.into_iter().filter(|p| !set.sources.iter().any(|s| s.path == *p)) {
            let why =
                "no built-in map states facts from it; if a map names it as a side table, it is read there";
            set.skipped.push((path, why.to_owned()));
        }
        if set.sources.is_empty() {
            let what = "holds none of the known tables; give a file, and --map for tables of your own";
            return Err(CatalogueError::format(&folder.display().to_string(), what));
        }
        Ok(set)
    }

    /// These sources.
    #[must_use]
    pub fn of(sources: Vec<Source>) -> Self {
        Self { sources, skipped: Vec::new() }
    }
}

impl From<Source> for SourceSet {
    fn from(source: Source) -> Self {
        Self::of(vec![source])
    }
}

/// A map that names the file's columns, to be completed by hand.
fn starter(stem: &str, columns: &[String]) -> String {
    let name: String =
        stem.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect();
    let column = |i: usize| columns.get(i).map_or("COLUMN", String::as_str);
    let mut text = format!(
        "name = \"{}\"\nid = [{{ space = \"{0}\", column = {:?} }}]\n# or: title_year = {{ name = {1:?} }}\n# release = {{ column = \"RELEASE_DAY\" }}\n",
        if name.is_empty() { "my_table" } else { &name },
        column(0),
    );
    for column in columns.iter().skip(1).take(200) {
        text.push_str(&format!("# [[column]]\n# from = {column:?}\n# kind = \"name\"\n"));
    }
    text
}
