//! Made-up film tables of any size, for measuring how fast they are read.
//!
//! Plausible in shape (log-spread budgets, grosses that follow them, about 2% of fields empty, some quoted titles), not
//! in truth: no row describes a film. Columns: `id,title,release_date,budget,domestic_gross,worldwide_gross,runtime,
//! genre,language,country,director`; money in whole US dollars, dates as `YYYY-MM-DD`, runtime in minutes. Every row
//! keeps the rules that ingest checks (ids unique, worldwide ≥ domestic). The same rows and seed give the same bytes.

use std::io::{self, Write};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The header line, without its line end.
pub const HEADER: &str =
    "id,title,release_date,budget,domestic_gross,worldwide_gross,runtime,genre,language,country,director";

/// Bytes that gather before they go to the writer.
const CHUNK: usize = 1 << 18;

const FIRST: [&str; 16] = [
    "Silent", "Golden", "Midnight", "Broken", "Last", "Crimson", "Distant", "Hidden", "Burning", "Electric",
    "Winter", "Paper", "Iron", "Lost", "Velvet", "Hollow",
];
const SECOND: [&str; 16] = [
    "Harbour", "Empire", "Garden", "Promise", "Horizon", "Station", "Kingdom", "Letters", "River", "Signal",
    "Parade", "Mirror", "Summer", "Orchard", "Machine", "Island",
];
const THIRD: [&str; 16] = [
    "of Ash",
    "of Glass",
    "Returns",
    "in Rome",
    "at Dawn",
    "Revisited",
    "of the North",
    "Forever",
    "and Son",
    "Rising",
    "by Night",
    "Unbound",
    "in Blue",
    "of Salt",
    "Begins",
    "Afterwards",
];
const GENRES: [&str; 8] =
    ["Drama", "Comedy", "Action", "Adventure", "Thriller", "Horror", "Romance", "Documentary"];
const PLACES: [(&str, &str); 8] = [
    ("en", "US"),
    ("en", "US"),
    ("en", "US"),
    ("en", "GB"),
    ("fr", "FR"),
    ("hi", "IN"),
    ("es", "MX"),
    ("ja", "JP"),
];
const GIVEN: [&str; 16] = [
    "Ada", "Bela", "Chen", "Dora", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jana", "Kofi", "Lena", "Mira",
    "Noor", "Otto", "Petra",
];
const FAMILY: [&str; 16] = [
    "Abara",
    "Bergman",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fontaine",
    "Garcia",
    "Hoffmann",
    "Ito",
    "Jensen",
    "Kovacs",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
];

/// Writes a header and `rows` films, and returns the number of bytes written.
///
/// Memory stays at one small buffer however many rows are asked for.
///
/// # Errors
/// What the writer reports.
///
/// ```
/// use marquee_app::bench::films_csv::films_csv;
/// let mut table = Vec::new();
/// let bytes = films_csv(1_000, 7, &mut table)?;
/// assert_eq!(bytes, table.len() as u64);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn films_csv(rows: u64, seed: u64, writer: &mut impl Write) -> io::Result<u64> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut buffer = Vec::with_capacity(CHUNK + 512);
    let mut written = 0;
    buffer.extend_from_slice(HEADER.as_bytes());
    buffer.push(b'\n');
    for id in 0..rows {
        row(id, &mut dice, &mut buffer);
        if buffer.len() >= CHUNK {
            writer.write_all(&buffer)?;
            written += buffer.len() as u64;
            buffer.clear();
        }
    }
    writer.write_all(&buffer)?;
    writer.flush()?;
    Ok(written + buffer.len() as u64)
}

/// About how many rows make `bytes` of table (measured: 105.5 bytes a row at 1 GB).
#[must_use]
pub fn rows_for(bytes: u64) -> u64 {
    bytes / 105
}

/// Appends one film. Two 64-bit draws carry all its choices: disjoint bits, so that they are independent.
fn row(id: u64, dice: &mut ChaCha8Rng, out: &mut Vec<u8>) {
    let (names, sums) = (dice.next_u64(), dice.next_u64());
    let pick = |shift: u32| (names >> shift) as usize & 15;
    number(id + 1, out);
    out.push(b',');
    title(id, pick(0), pick(4), pick(8), out);
    out.push(b',');
    date((names >> 12) & 0xffff, out);
    out.push(b',');
    money(sums, out);
    out.push(b',');
    number(70 + ((names >> 28) & 127) % 90, out);
    out.push(b',');
    text(GENRES[pick(35) & 7], out);
    out.push(b',');
    let (language, country) = PLACES[pick(39) & 7];
    text(language, out);
    out.push(b',');
    text(country, out);
    out.push(b',');
    // One director in sixty-four is not known.
    if (names >> 51) & 63 != 0 {
        text(GIVEN[pick(43)], out);
        out.push(b' ');
        text(FAMILY[pick(47)], out);
    }
    out.push(b'\n');
}

/// Three words and a number that no other row has; one title in sixteen needs quotes.
fn title(id: u64, first: usize, second: usize, third: usize, out: &mut Vec<u8>) {
    let quoted = first == 0;
    if quoted {
        out.push(b'"');
    }
    text(FIRST[first], out);
    text(if quoted { ", " } else { " " }, out);
    text(SECOND[second], out);
    out.push(b' ');
    text(THIRD[third], out);
    out.push(b' ');
    number(id + 1, out);
    if quoted {
        out.push(b'"');
    }
}

/// A day from 1980 to 2019, on the 1st to the 28th.
fn date(draw: u64, out: &mut Vec<u8>) {
    let (year, month, day) = (1980 + draw % 40, 1 + (draw / 40) % 12, 1 + (draw / 480) % 28);
    number(year, out);
    for part in [month, day] {
        out.extend_from_slice(&[b'-', b'0' + (part / 10) as u8, b'0' + (part % 10) as u8]);
    }
}

/// `budget,domestic,worldwide`: a budget of $2^17 to $2^28; grosses of its 1/64 to 4 times; one budget in 32 unknown.
fn money(draw: u64, out: &mut Vec<u8>) {
    let scale = 17 + (draw & 0xff) % 11;
    let budget = (1 << scale) + ((draw >> 8) & ((1 << scale) - 1));
    let domestic = budget * (1 + ((draw >> 36) & 255)) / 64;
    let worldwide = domestic + domestic * ((draw >> 44) & 255) / 128;
    if (draw >> 52) & 31 != 0 {
        number(budget, out);
    }
    out.push(b',');
    number(domestic, out);
    out.push(b',');
    number(worldwide, out);
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
}

/// Decimal digits, two at a time, without the formatting machinery.
fn number(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    while value >= 100 {
        let pair = (value % 100) as u8;
        value /= 100;
        at -= 2;
        digits[at] = b'0' + pair / 10;
        digits[at + 1] = b'0' + pair % 10;
    }
    if value >= 10 {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    at -= 1;
    digits[at] = b'0' + value as u8;
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table(rows: u64, seed: u64) -> String {
        let mut table = Vec::new();
        let bytes = films_csv(rows, seed, &mut table).unwrap();
        assert_eq!(bytes, table.len() as u64);
        String::from_utf8(table).unwrap()
    }

    #[test]
    fn a_seed_fixes_every_byte() {
        assert_eq!(table(2_000, 7), table(2_000, 7));
        assert_ne!(table(2_000, 7), table(2_000, 8));
        assert!(table(2_000, 7).starts_with(&table(10, 7)));
        assert_eq!(table(0, 7), format!("{HEADER}\n"));
    }

    #[test]
    fn rows_keep_the_rules_that_ingest_checks() {
        let table = table(20_000, 1);
        let mut unknown_budgets = 0;
        for (at, line) in table.lines().skip(1).enumerate() {
            // A quoted title holds one comma more.
            let line = line.replacen(", ", " ", 1);
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), 11, "{line}");
            assert_eq!(fields[0], (at + 1).to_string());
            assert_eq!(fields[1].matches('"').count() % 2, 0, "{line}");
            assert_eq!(fields[2].len(), 10);
            unknown_budgets += usize::from(fields[3].is_empty());
            let (domestic, worldwide): (u64, u64) = (fields[4].parse().unwrap(), fields[5].parse().unwrap());
            assert!(worldwide >= domestic && domestic > 0, "{line}");
            assert!((70..160).contains(&fields[6].parse::<u64>().unwrap()));
        }
        assert!((400..900).contains(&unknown_budgets), "about one in 32: {unknown_budgets}");
    }

    #[test]
    fn the_size_can_be_asked_for() {
        let rows = rows_for(20_000_000);
        let bytes = films_csv(rows, 3, &mut io::sink()).unwrap();
        assert!((18_000_000..22_000_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn numbers_have_their_usual_digits() {
        for value in [0, 9, 10, 99, 100, 101, 1_234, 12_345, u64::MAX] {
            let mut out = Vec::new();
            number(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
