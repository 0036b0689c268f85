//! Input that is not what it should be: never a panic, always a reason.

use std::io::Write;

use crate::common::{HEAD, House, MAP};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use marquee_catalogue::Source;
use proptest::prelude::*;

#[test]
fn the_nasty_list() {
    let house = House::new();
    let refused = |name: &str, bytes: &[u8], expect: &str| {
        let said = house.ingest_bytes(name, bytes, MAP).unwrap_err().to_string();
        assert!(said.contains(expect), "{name}: {said}");
    };
    refused("empty.csv", b"", "is empty");
    refused("empty.json", b"", "no JSON objects");
    refused("binary.csv", b"\x7fELF\0\0\x01", "binary");
    refused("wide.csv", "a\u{0}b".as_bytes(), "binary");
    refused("u16.csv", b"\xff\xfei\0d\0", "UTF-16");
    refused("a.csv", b"id,name\n1,2\n", "has no column");
    refused("twice.csv", b"id,id\n1,2\n", "twice");
    refused("a.xlsx", b"PK\x03\x04 rubbish", "spreadsheet");
    refused("a.parquet", b"PAR1 rubbish", "Parquet");
    refused("long.csv", "x".repeat(10 << 20).as_bytes(), "first line");
    let columns: Vec<String> = (0..200).map(|i| format!("c{i}")).collect();
    refused("many.csv", columns.join(",").as_bytes(), "has no column");
    let mut cut = GzEncoder::new(Vec::new(), Compression::fast());
    cut.write_all(format!("{HEAD}1,A,2001-01-01,5,,,,\n").repeat(500).as_bytes()).unwrap();
    let cut = cut.finish().unwrap();
    assert!(house.ingest_bytes("cut.csv.gz", &cut[..cut.len() / 2], MAP).is_err());
    assert!(matches!(
        Source::detect(house.file("un.csv", b"x,y\n1,2\n")),
        Err(marquee_catalogue::CatalogueError::NoMap { .. })
    ));
}

#[test]
fn a_zip_bomb_says_so() {
    let house = House::new();
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..1100 {
        packed.write_all(&zeros).unwrap();
    }
    let packed = packed.finish().unwrap();
    // One entry, and a directory that claims it unpacks to nothing.
    let name = b"xl/workbook.xml";
    let mut zip = Vec::new();
    let common = |zip: &mut Vec<u8>| {
        zip.extend_from_slice(&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        zip.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        zip.extend_from_slice(&[0; 4]);
        zip.extend_from_slice(&(name.len() as u16).to_le_bytes());
        zip.extend_from_slice(&[0; 2]);
    };
    zip.extend_from_slice(b"PK\x03\x04");
    common(&mut zip);
    zip.extend_from_slice(name);
    zip.extend_from_slice(&packed);
    let directory = zip.len() as u32;
    zip.extend_from_slice(b"PK\x01\x02\x14\x00");
    common(&mut zip);
    zip.extend_from_slice(&[0; 14]);
    zip.extend_from_slice(name);
    let size = zip.len() as u32 - directory;
    zip.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend_from_slice(&size.to_le_bytes());
    zip.extend_from_slice(&directory.to_le_bytes());
    zip.extend_from_slice(&[0, 0]);
    let said = house.ingest_bytes("bomb.xlsx", &zip, MAP).unwrap_err().to_string();
    assert!(said.contains("zip bomb"), "{said}");
}

#[test]
fn every_format_says_the_same() {
    let lines = |name: &str, bytes: &[u8]| {
        let house = House::new();
        house.ingest_bytes(name, bytes, MAP).unwrap();
        house.lines()
    };
    let csv = format!("{HEAD}1,\"A, \"\"b\"\"\",2001-01-01,5,,,60,x|y\n");
    let want = lines("a.csv", csv.as_bytes());
    assert_eq!(want.len(), 8);
    assert_eq!(lines("a.tsv", b"id\tname\topens\tcost\thome\tworld\tscore\tgenres\r\n1\t\"A, \"\"b\"\"\"\t2001-01-01\t5\t\t\t60\tx|y\r\n"), want);
    assert_eq!(lines("bom.csv", format!("\u{feff}{csv}").as_bytes()), want);
    let object = r#"{"id": 1, "name": "A, \"b\"", "opens": "2001-01-01", "cost": 5, "score": 60.0, "genres": "x|y", "more": null}"#;
    assert_eq!(lines("a.json", format!("[{object}]").as_bytes()), want);
    assert_eq!(lines("a.ndjson", format!("{object}\n").as_bytes()), want);
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(csv.as_bytes()).unwrap();
    assert_eq!(lines("a.csv.gz", &zipped.finish().unwrap()), want);
}

#[test]
fn stray_bytes_are_mended_and_reported() {
    let house = House::new();
    let report = house
        .ingest_bytes("a.csv", &[HEAD.as_bytes(), b"1,Caf\xe9,2001-01-01,5,,,,\n"].concat(), MAP)
        .unwrap();
    assert_eq!(report.rules["row.encoding"].count, 1);
    assert!(house.lines().iter().any(|l| l.ends_with("name Café")));
}

#[test]
fn a_long_line_in_the_middle_costs_that_line() {
    let house = House::new();
    let text =
        format!("{HEAD}1,A,2001-01-01,5,,,,\n2,{},,,,,,\n3,C,2001-01-01,5,,,,\n", "x".repeat(10 << 20));
    let report = house.ingest_bytes("a.csv", text.as_bytes(), MAP).unwrap();
    assert_eq!((report.rows, report.kept_rows, report.rules["row.size"].count), (3, 2, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_in_any_format_end_in_a_report_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        extension in prop::sample::select(vec!["csv", "tsv", "json", "ndjson", "xlsx", "parquet", "csv.gz", "dat"]),
        prefix in prop::sample::select(vec![&b""[..], HEAD.as_bytes(), b"[{\"id\":1,\"cost\":", b"PK\x03\x04", b"PAR1", b"\x1f\x8b\x08\0"]),
    ) {
        let house = House::new();
        let _ = house.ingest_bytes(&format!("f.{extension}"), &[prefix, &bytes].concat(), MAP);
    }

    #[test]
    fn any_cells_end_in_a_report(cells in prop::collection::vec("[-0-9a-z.,\"|éN🎬 \n]{0,12}", 1..40)) {
        let house = House::new();
        let rows: String = cells.chunks(3).map(|c| c.join(",") + "\n").collect();
        let text = format!("{HEAD}{rows}");
        prop_assert!(house.ingest_bytes("f.csv", text.as_bytes(), MAP).is_ok());
    }
}
