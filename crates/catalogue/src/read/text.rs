//! Which text a file is in. Marquee reads UTF-8; stray bytes of Windows-1252 (and so Latin-1) are mended and reported,
//! UTF-16 and binary files are refused with what to do.

use std::ops::Range;

use crate::error::{CatalogueError, Result};

/// Refuses what is not text, by its first bytes.
pub(crate) fn refuse_binary(name: &str, start: &[u8]) -> Result<()> {
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Err(CatalogueError::format(name, "is UTF-16 text; save it as UTF-8"));
    }
    if start.iter().take(64 << 10).any(|b| *b == 0) {
        return Err(CatalogueError::format(
            name,
            "is a binary file, not a table; give CSV, TSV, JSON, XLSX or Parquet",
        ));
    }
    Ok(())
}

/// A block as text, and which ranges of it were mended: lines that are not UTF-8 are read as Windows-1252.
pub(crate) fn mend(data: Vec<u8>) -> (String, Vec<Range<usize>>) {
    let data = match String::from_utf8(data) {
        Ok(text) => return (text, Vec::new()),
        Err(broken) => broken.into_bytes(),
    };
    let (mut text, mut mended) = (String::with_capacity(data.len() + 64), Vec::new());
    for line in data.split_inclusive(|b| *b == b'\n') {
        match std::str::from_utf8(line) {
            Ok(sound) => text.push_str(sound),
            Err(_) => {
                let from = text.len();
                text.extend(line.iter().map(|b| windows_1252(*b)));
                mended.push(from..text.len());
            }
        }
    }
    (text, mended)
}

/// The WHATWG index of windows-1252: Latin-1 but for 0x80–0x9F.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_broken_lines_are_mended() {
        let (text, mended) = mend(b"caf\xc3\xa9\ncaf\xe9\nok\n".to_vec());
        assert_eq!(text, "café\ncafé\nok\n");
        assert_eq!((mended.len(), &mended[0]), (1, &(6..12)));
    }

    #[test]
    fn utf_16_says_what_to_do() {
        let said = refuse_binary("a.csv", &[0xff, 0xfe, b'a', 0]).expect_err("refused").to_string();
        assert!(said.contains("save it as UTF-8"), "{said}");
    }
}
