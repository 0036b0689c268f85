//! How the tests run the binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The bundled table.
pub(crate) fn films() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/films.csv")
}

/// The binary on a data folder, with no settings from outside.
pub(crate) fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marquee"));
    command.env_remove("MARQUEE_CONFIG").env("MARQUEE_DATA", data).args(args);
    command
}

/// Runs a command to its end.
pub(crate) fn marquee(data: &Path, args: &[&str]) -> Output {
    command(data, args).output().unwrap()
}

/// Runs a command that must succeed and gives its JSON document.
pub(crate) fn ask(data: &Path, args: &[&str]) -> Value {
    let output = marquee(data, &[args, &["--json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
