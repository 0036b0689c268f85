//! What the tests of several crates share: scratch folders, and the way to the research data.
//!
//! A dev-dependency only; nothing of it is in the product. Large made-up tables are not here but in
//! `marquee-app`'s `bench`, because `marquee bench` needs them too.

use std::ffi::OsString;
use std::path::PathBuf;

pub use tempfile::TempDir;

/// The environment variable that names the folder of research data.
pub const RESEARCH_DATA: &str = "MARQUEE_RESEARCH_DATA";

/// A new empty folder that is removed when the value is dropped.
///
/// ```
/// let folder = marquee_testkit::temp_dir();
/// std::fs::write(folder.path().join("a.csv"), "title\n")?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
/// Where the system has no room or no permission for one: no test could go on.
#[must_use]
pub fn temp_dir() -> TempDir {
    match tempfile::Builder::new().prefix("marquee-").tempdir() {
        Ok(folder) => folder,
        Err(error) => panic!("cannot make a folder in {}: {error}", std::env::temp_dir().display()),
    }
}

/// The folder of research data, or `None` after a line that says why the test is skipped.
///
/// The line goes straight to the process's standard error, past the test harness's capture, so that a skipped test is
/// visible in a green run.
///
/// ```
/// let Some(data) = marquee_testkit::research_data("films of 2013") else { return };
/// assert!(data.is_dir());
/// ```
#[must_use]
pub fn research_data(test: &str) -> Option<PathBuf> {
    match find(std::env::var_os(RESEARCH_DATA)) {
        Ok(folder) => Some(folder),
        Err(reason) => {
            use std::io::Write;
            // Not `eprintln!`, which the harness captures for tests that pass.
            let _ = writeln!(std::io::stderr(), "{test} ... skipped: {reason}");
            None
        }
    }
}

/// The folder that the variable's value names, or why there is none.
fn find(value: Option<OsString>) -> Result<PathBuf, String> {
    let value = value.filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| format!("set {RESEARCH_DATA} to the folder of research data"))?;
    let folder = PathBuf::from(value);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(format!(
            "set {RESEARCH_DATA} to the folder of research data; {} is not a folder",
            folder.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_folder_lives_as_long_as_its_value() {
        let folder = temp_dir();
        let path = folder.path().to_owned();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn research_data_is_a_folder_or_a_reason() {
        let folder = temp_dir();
        assert_eq!(find(Some(folder.path().into())), Ok(folder.path().to_owned()));
        let reason = "set MARQUEE_RESEARCH_DATA to the folder of research data";
        assert_eq!(find(None), Err(reason.to_owned()));
        assert_eq!(find(Some("".into())), Err(reason.to_owned()));
        assert!(find(Some(folder.path().join("gone").into())).is_err());
    }
}
