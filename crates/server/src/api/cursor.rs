//! Where a page of a list begins: opaque to callers, and good for the version of the lake that it was made of alone.

use axum::http::StatusCode;

use crate::problem::Problem;

/// The place in a list.
pub(crate) struct Cursor;

/// Letters of the version's fingerprint that a cursor carries.
const MARK: usize = 12;

impl Cursor {
    /// The cursor of a place.
    pub(crate) fn write(place: usize, version: &str) -> String {
        format!("{}.{place}", mark(version))
    }

    /// The place that a cursor names.
    ///
    /// # Errors
    /// A text that is no cursor, and one of an earlier version of the lake.
    pub(crate) fn read(text: &str, version: &str) -> Result<usize, Problem> {
        let parts = text.split_once('.').and_then(|(made, place)| Some((made, place.parse::<u32>().ok()?)));
        match parts {
            Some((made, place)) if made == mark(version) => Ok(place as usize),
            Some(_) => Err(Problem::new(
                StatusCode::GONE,
                "cursor_gone",
                "the data changed since this cursor was given: begin again without one",
            )),
            None => {
                Err(Problem::unfit("invalid_cursor", "this is no cursor: send the `next` of the page before"))
            }
        }
    }
}

fn mark(version: &str) -> &str {
    version.get(..MARK).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_version_alone() {
        let version = "0123456789abcdef";
        let cursor = Cursor::write(50, version);
        assert_eq!(Cursor::read(&cursor, version).ok(), Some(50));
        assert_eq!(
            Cursor::read(&cursor, "fedcba9876543210").map_err(|p| p.code()).err(),
            Some("cursor_gone")
        );
        for text in ["", "50", "x.y", "0123456789ab.-1", "0123456789ab.99999999999999999999"] {
            assert_eq!(
                Cursor::read(text, version).map_err(|p| p.code()).err(),
                Some("invalid_cursor"),
                "{text}"
            );
        }
    }
}
