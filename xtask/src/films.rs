//! The bundled film table: `movies.json` of the npm package `vega-datasets` as CSV, and a count of its faults.
//!
//! The converter mends nothing. Titles that are numbers, years that a two-digit reading put into the future, zeros that
//! mean "unknown" and broken encodings all stay, because a table as it is found is what `ingest` has to cope with. Only
//! `null` becomes an empty field. Rows keep their order, numbers their digits; the same input gives the same bytes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Films in the table.
pub(crate) const ROWS: usize = 3_201;

/// The last year in which a film of the table can have been released: it was compiled before the end of 2011.
const LAST_YEAR: i32 = 2011;

/// One film, every value as text; empty where the source says `null`. Names are the CSV's, aliases the source's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Film {
    #[serde(alias = "Title", default, deserialize_with = "as_text")]
    title: String,
    #[serde(alias = "US Gross", default, deserialize_with = "as_text")]
    us_gross: String,
    #[serde(alias = "Worldwide Gross", default, deserialize_with = "as_text")]
    worldwide_gross: String,
    #[serde(alias = "US DVD Sales", default, deserialize_with = "as_text")]
    us_dvd_sales: String,
    #[serde(alias = "Production Budget", default, deserialize_with = "as_text")]
    production_budget: String,
    #[serde(alias = "Release Date", default, deserialize_with = "as_text")]
    release_date: String,
    #[serde(alias = "MPAA Rating", default, deserialize_with = "as_text")]
    mpaa_rating: String,
    #[serde(alias = "Running Time min", default, deserialize_with = "as_text")]
    running_time_min: String,
    #[serde(alias = "Distributor", default, deserialize_with = "as_text")]
    distributor: String,
    #[serde(alias = "Source", default, deserialize_with = "as_text")]
    source: String,
    #[serde(alias = "Major Genre", default, deserialize_with = "as_text")]
    major_genre: String,
    #[serde(alias = "Creative Type", default, deserialize_with = "as_text")]
    creative_type: String,
    #[serde(alias = "Director", default, deserialize_with = "as_text")]
    director: String,
    #[serde(alias = "Rotten Tomatoes Rating", default, deserialize_with = "as_text")]
    rotten_tomatoes_rating: String,
    #[serde(alias = "IMDB Rating", default, deserialize_with = "as_text")]
    imdb_rating: String,
    #[serde(alias = "IMDB Votes", default, deserialize_with = "as_text")]
    imdb_votes: String,
}

/// A known fault of the table and how many films have it.
pub(crate) struct Fault {
    name: &'static str,
    films: usize,
}

impl Fault {
    /// The fault as a row of the table in `data/README.md`.
    pub(crate) fn markdown_row(&self) -> String {
        format!("| {} | {} |", self.name, self.films)
    }
}

/// Reads `movies.json`: an array of objects with the sixteen known keys.
pub(crate) fn from_json(json: &[u8]) -> Result<Vec<Film>> {
    serde_json::from_slice(json).context("not an array of films")
}

/// Writes the table with its header, one film a row, lines ending in `\n`.
pub(crate) fn to_csv(films: &[Film]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for film in films {
        writer.serialize(film)?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error).context("cannot write the table")
}

/// Reads the table back; every row must have every column, in their order.
pub(crate) fn from_csv(csv: &[u8]) -> Result<Vec<Film>> {
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers()?.iter().collect::<Vec<_>>().join(",");
    let mut expected = csv::Writer::from_writer(Vec::new());
    expected.serialize(Film::default())?;
    let expected = String::from_utf8(expected.into_inner().map_err(csv::IntoInnerError::into_error)?)?;
    let expected = expected.lines().next().unwrap_or_default();
    ensure!(header == expected, "its header is {header}, {expected} is expected");
    reader.deserialize().map(|row| row.context("a row cannot be read")).collect()
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Counts the known faults, in the order of `data/README.md`.
pub(crate) fn faults(films: &[Film]) -> Vec<Fault> {
    let count = |name, has: &dyn Fn(&Film) -> bool| Fault {
        name,
        films: films.iter().filter(|film| has(film)).count(),
    };
    let mut titles = BTreeMap::<&str, usize>::new();
    let mut titles_and_years = BTreeMap::<(&str, Option<i32>), usize>::new();
    for film in films {
        *titles.entry(&film.title).or_default() += 1;
        *titles_and_years.entry((&film.title, film.year())).or_default() += 1;
    }
    vec![
        count("release year after 2011 (a two-digit year read a century late)", &|film| {
            film.year().is_some_and(|year| year > LAST_YEAR)
        }),
        count("release date empty or not a date", &|film| film.released().is_none()),
        count("release date on 1 January or 31 December (possibly \"some day of that year\")", &|film| {
            film.released().is_some_and(|day| matches!((day.month(), day.day()), (1, 1) | (12, 31)))
        }),
        count("title missing", &|film| film.title.is_empty()),
        count("title that is a number", &|film| film.title.parse::<u64>().is_ok()),
        count("title with a broken encoding (Latin-1 bytes read as Mac Roman)", &|film| {
            is_broken(&film.title)
        }),
        count("title that another film has too (mostly remakes)", &|film| {
            titles.get(film.title.as_str()).is_some_and(|films| *films > 1)
        }),
        count("title and release year that another film has too", &|film| {
            titles_and_years.get(&(film.title.as_str(), film.year())).is_some_and(|films| *films > 1)
        }),
        count("title with its article at the end (`Secret, The`)", &|film| {
            [", The", ", A", ", An"].iter().any(|article| film.title.ends_with(article))
        }),
        count("US gross of zero (unknown, or never shown in the US)", &|film| film.us_gross == "0"),
        count("worldwide gross of zero (unknown)", &|film| film.worldwide_gross == "0"),
        count("worldwide gross below US gross", &|film| film.grosses().is_some_and(|(us, world)| world < us)),
        count("worldwide gross equal to a US gross above zero (often: foreign gross unknown)", &|film| {
            film.grosses().is_some_and(|(us, world)| world == us && us > 0)
        }),
        count("production budget below $10,000", &|film| {
            film.production_budget.parse::<u64>().is_ok_and(|usd| usd < 10_000)
        }),
        count("doubled quotation marks in the director's name", &|film| film.director.contains("\"\"")),
        count("director missing", &|film| film.director.is_empty()),
    ]
}

impl Film {
    fn released(&self) -> Option<NaiveDate> {
        NaiveDate::parse_from_str(&self.release_date, "%b %d %Y").ok()
    }

    fn year(&self) -> Option<i32> {
        self.released().map(|day| day.year())
    }

    /// US and worldwide gross where both are numbers.
    fn grosses(&self) -> Option<(u64, u64)> {
        Some((self.us_gross.parse().ok()?, self.worldwide_gross.parse().ok()?))
    }
}

/// Whether a text holds a sign that only a wrong encoding put there. `³` and `¢` are meant (`Alien³`, `Ri¢hie Ri¢h`).
fn is_broken(text: &str) -> bool {
    text.chars().any(|c| !c.is_ascii() && !matches!(c, '³' | '¢'))
}

/// A text, a number in its own digits, or nothing.
fn as_text<'de, D: serde::Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Text(String),
        Number(serde_json::Number),
    }
    Ok(match Option::<Value>::deserialize(source)? {
        None => String::new(),
        Some(Value::Text(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADER: &str = "title,us_gross,worldwide_gross,us_dvd_sales,production_budget,release_date,mpaa_rating,\
        running_time_min,distributor,source,major_genre,creative_type,director,rotten_tomatoes_rating,imdb_rating,\
        imdb_votes\n";

    fn check(json: &str, rows: &str) {
        let csv = to_csv(&from_json(json.as_bytes()).unwrap()).unwrap();
        assert_eq!(String::from_utf8(csv.clone()).unwrap(), format!("{HEADER}{rows}"));
        assert_eq!(to_csv(&from_csv(&csv).unwrap()).unwrap(), csv, "and back");
    }

    #[test]
    fn nothing_is_mended() {
        check(
            r#"[{"Title": 1776, "US Gross": 0, "Release Date": "Dec 31 2046"}]"#,
            "1776,0,,,,Dec 31 2046,,,,,,,,,,\n",
        );
        check(
            r#"[{"Title": "LÈon", "IMDB Rating": 8.6}, {"Title": null}]"#,
            "LÈon,,,,,,,,,,,,,,8.6,\n,,,,,,,,,,,,,,,\n",
        );
        check(
            r#"[{"Title": "Me, Myself", "Director": "A \"\"B\"\" C"}]"#,
            "\"Me, Myself\",,,,,,,,,,,,\"A \"\"\"\"B\"\"\"\" C\",,,\n",
        );
    }

    #[test]
    fn another_table_is_refused() {
        assert!(from_json(br#"{"Title": "Alien"}"#).is_err());
        assert!(from_json(br#"[{"Name": "Alien"}]"#).is_err());
        assert!(from_csv(b"title,us_gross\nAlien,1\n").is_err());
    }

    #[test]
    fn faults_are_counted() {
        let json = r#"[
            {"Title": 300, "US Gross": 5, "Worldwide Gross": 4, "Release Date": "Jan 01 1999", "Director": "A"},
            {"Title": "LÈon", "US Gross": 0, "Worldwide Gross": 0, "Release Date": "Mar 09 2033"},
            {"Title": "Alien³", "US Gross": 7, "Worldwide Gross": 7, "Release Date": "Mar 10 2033"},
            {"Title": "Alien³", "Production Budget": 218, "Release Date": "Mar 11 2033"}
        ]"#;
        let counts: Vec<usize> =
            faults(&from_json(json.as_bytes()).unwrap()).iter().map(|fault| fault.films).collect();
        assert_eq!(counts, [3, 0, 1, 0, 1, 1, 2, 2, 0, 1, 1, 1, 1, 1, 0, 3]);
    }

    #[test]
    fn the_sum_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
