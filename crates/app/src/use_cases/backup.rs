//! Backup: everything that a data folder holds into one folder, while it is being used; and a data folder out of that.
//!
//! ```text
//! BACKUP/backup.json   what is in it: every file with its length and SHA-256, written last
//! BACKUP/state.jsonl   the state store, as either database reads it
//! BACKUP/data/…        the lake's versions, models, the ledger's heads; keys only where they were asked for
//! ```
//!
//! What is written to a lake or a model store is never changed afterwards, so that it can be copied at any time: first the
//! manifests, then what they name. The heads are copied before the state is exported, since they may lag behind it and
//! never lead.

use std::fs;
use std::io::{BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use marquee_domain::Control;
use marquee_platform::{Action, Permit, StateStore};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cpu;
use crate::error::AppError;
use crate::hex::hex;
use crate::workspace::Workspace;

/// The format of `backup.json`.
const FORMAT: u32 = 1;
const INDEX: &str = "backup.json";
const STATE: &str = "state.jsonl";
const DATA: &str = "data";
/// Files that open what others protect.
const KEYS: [&str; 3] = ["ledger.key", "accounts.key", "seal.keys"];

/// What a backup holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The version of this format.
    pub format: u32,
    /// The Marquee that wrote it.
    pub marquee: String,
    /// When it was begun: everything that was acknowledged before is in it.
    pub at: DateTime<Utc>,
    /// Rows of the state store.
    pub rows: u64,
    /// Whether the keys are in it.
    pub keys: bool,
    /// Its files.
    pub files: Vec<Copied>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copied {
    /// Its path within the backup, with `/` between folders.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

/// Writes a backup into a folder that is new or empty.
///
/// # Errors
/// A folder that holds something already, a file that cannot be read or written, a stop.
pub async fn backup(
    workspace: &Workspace,
    to: &Path,
    (keys, now): (bool, DateTime<Utc>),
    control: &Control,
    permit: &Permit,
) -> Result<Index, AppError> {
    permit.require(Action::Administer)?;
    let (from, into, told) = (workspace.folder().to_owned(), to.to_owned(), control.clone());
    let mut files = cpu::run(move || {
        begin(&into)?;
        copy_folder(&from, &into, keys, &told)
    })
    .await?;
    let store = workspace.store(permit).await?;
    let path = to.join(STATE);
    let mut out = BufWriter::new(fs::File::create(&path).map_err(|e| failed(&path, "writing", e))?);
    let rows = store.export(&mut out).await?;
    let file = out.into_inner().map_err(|e| failed(&path, "writing", e.into_error()))?;
    file.sync_all().map_err(|e| failed(&path, "writing", e))?;
    let (version, into) = (env!("CARGO_PKG_VERSION").to_owned(), to.to_owned());
    cpu::run(move || {
        files.push(described(&into, STATE)?);
        let index = Index { format: FORMAT, marquee: version, at: now, rows, keys, files };
        let text = serde_json::to_vec_pretty(&index).map_err(|e| AppError::Computation(e.to_string()))?;
        let path = into.join(INDEX);
        fs::write(&path, text).map_err(|e| failed(&path, "writing", e))?;
        Ok(index)
    })
    .await
}

/// Makes a data folder, which is new or empty, out of a backup; `state` names another place for the state store than the
/// folder. A key that the backup does not hold is to be put beside before Marquee is started.
///
/// # Errors
/// A backup that is not whole (which file, and how), a folder that holds something already, a file that cannot be written.
pub async fn restore(
    from: &Path,
    to: &Path,
    state: Option<&str>,
    control: &Control,
    permit: &Permit,
) -> Result<Index, AppError> {
    permit.require(Action::Administer)?;
    let (source, into, told) = (from.to_owned(), to.to_owned(), control.clone());
    let index = cpu::run(move || {
        let index = read_index(&source)?;
        check(&source, &index, &told)?;
        begin(&into)?;
        for (done, file) in index.files.iter().enumerate() {
            told.check().map_err(|_| AppError::Computation("stopped before it was done".to_owned()))?;
            told.step("restoring", done as u64, index.files.len() as u64);
            if let Some(inner) = file.path.strip_prefix("data/") {
                copy(&source.join(&file.path), &into.join(inner))?;
            }
        }
        Ok(index)
    })
    .await?;
    let beside = to.join("state.db");
    let url = state.map_or_else(|| beside.to_string_lossy().into_owned(), str::to_owned);
    let path = from.join(STATE);
    let lines = fs::File::open(&path).map_err(|e| failed(&path, "reading", e))?;
    StateStore::import(&url, BufReader::new(lines)).await?.close().await;
    Ok(index)
}

/// Makes the folder, and refuses one that holds something.
fn begin(folder: &Path) -> Result<(), AppError> {
    fs::create_dir_all(folder).map_err(|e| failed(folder, "making", e))?;
    let mut held = fs::read_dir(folder).map_err(|e| failed(folder, "listing", e))?;
    if held.next().is_some() {
        return Err(AppError::Backup {
            path: folder.to_owned(),
            what: "is not empty: name a new folder".to_owned(),
        });
    }
    Ok(())
}

/// Copies what a data folder holds beside its state store.
fn copy_folder(from: &Path, into: &Path, keys: bool, control: &Control) -> Result<Vec<Copied>, AppError> {
    // Manifests before what they name; heads before the state.
    let parts = ["lake/manifest", "lake/data", "models", "heads.log"];
    let mut names = Vec::new();
    for part in parts.iter().copied().chain(KEYS.into_iter().filter(|_| keys)) {
        list(from, Path::new(part), &mut names)?;
    }
    let mut files = Vec::with_capacity(names.len());
    for (done, name) in names.iter().enumerate() {
        control.check().map_err(|_| AppError::Computation("stopped before it was done".to_owned()))?;
        control.step("copying", done as u64, names.len() as u64);
        let slashed =
            name.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        let path = format!("{DATA}/{slashed}");
        copy(&from.join(name), &into.join(&path))?;
        files.push(described(into, &path)?);
    }
    Ok(files)
}

/// The files under a path, or the file that it is; what is being written under a name of its own is left out.
fn list(root: &Path, at: &Path, names: &mut Vec<PathBuf>) -> Result<(), AppError> {
    let path = root.join(at);
    if path.is_file() {
        names.push(at.to_owned());
    }
    if !path.is_dir() {
        return Ok(());
    }
    let held = fs::read_dir(&path).map_err(|e| failed(&path, "listing", e))?;
    let mut inner: Vec<PathBuf> = held.flatten().map(|entry| at.join(entry.file_name())).collect();
    inner.retain(|name| name.extension().is_none_or(|e| e != "part"));
    inner.sort();
    inner.iter().try_for_each(|name| list(root, name, names))
}

fn copy(from: &Path, to: &Path) -> Result<(), AppError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|e| failed(folder, "making", e))?;
    }
    fs::copy(from, to).map_err(|e| failed(from, "copying", e))?;
    fs::File::open(to).and_then(|file| file.sync_all()).map_err(|e| failed(to, "writing", e))
}

fn described(root: &Path, name: &str) -> Result<Copied, AppError> {
    let path = root.join(name);
    let fail = |e| failed(&path, "reading", e);
    let mut file = BufReader::new(fs::File::open(&path).map_err(fail)?);
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut piece).map_err(fail)?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
        bytes += read as u64;
    }
    let sha256 = hex(&hash.finalize());
    Ok(Copied { path: name.to_owned(), bytes, sha256 })
}

fn read_index(from: &Path) -> Result<Index, AppError> {
    let path = from.join(INDEX);
    let refuse = |what: String| AppError::Backup { path: path.clone(), what };
    let text = fs::read(&path).map_err(|e| failed(&path, "reading", e))?;
    let index: Index =
        serde_json::from_slice(&text).map_err(|e| refuse(format!("is no list of a backup: {e}")))?;
    if index.format > FORMAT {
        return Err(refuse(format!(
            "has format {}, newer than this Marquee: upgrade to read it",
            index.format
        )));
    }
    let odd = |file: &&Copied| {
        file.path.split('/').any(|part| matches!(part, "" | "." | "..")) || file.path.contains('\\')
    };
    if let Some(file) = index.files.iter().find(odd) {
        return Err(refuse(format!("names `{}`, which leads elsewhere", file.path.escape_debug())));
    }
    Ok(index)
}

/// Holds every file against the list.
fn check(from: &Path, index: &Index, control: &Control) -> Result<(), AppError> {
    for (done, wanted) in index.files.iter().enumerate() {
        control.step("checking", done as u64, index.files.len() as u64);
        if described(from, &wanted.path)? != *wanted {
            let what = "is not as it was written: take another backup".to_owned();
            return Err(AppError::Backup { path: from.join(&wanted.path), what });
        }
    }
    Ok(())
}

fn failed(path: &Path, doing: &'static str, source: std::io::Error) -> AppError {
    AppError::File { path: path.to_owned(), doing, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use marquee_platform::Stream;
    use serde_json::json;

    async fn kept(folder: &Path) -> (Workspace, Index) {
        let owner = Permit::local_owner();
        let workspace = Workspace::at(folder.join("data"));
        let ledger = workspace.ledger(&owner).await.unwrap();
        for n in 0..5 {
            ledger.append(&Stream::audit(), "audit", &json!({ "n": n }), Utc::now()).await.unwrap();
        }
        fs::create_dir_all(folder.join("data/models")).unwrap();
        fs::write(folder.join("data/models/a.model"), "model").unwrap();
        fs::write(folder.join("data/models/b.1.part"), "half").unwrap();
        let to = folder.join("backup");
        let index = backup(&workspace, &to, (true, Utc::now()), &Control::default(), &owner).await.unwrap();
        (workspace, index)
    }

    #[tokio::test]
    async fn a_restored_folder_holds_what_was_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let (_, index) = kept(folder.path()).await;
        assert!(index.files.iter().all(|file| !file.path.ends_with(".part")));
        let (from, to) = (folder.path().join("backup"), folder.path().join("new"));
        restore(&from, &to, None, &Control::default(), &Permit::local_owner()).await.unwrap();
        let again = Workspace::at(&to).ledger(&Permit::local_owner()).await.unwrap();
        let found = again.verify(&Stream::audit(), None).await.unwrap();
        assert!(found.is_intact(), "{found}");
        assert_eq!(again.read(&Stream::audit(), 1, 10).await.unwrap().len(), 5);
        assert_eq!(fs::read(to.join("models/a.model")).unwrap(), b"model");
    }

    #[tokio::test]
    async fn a_backup_that_was_changed_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        kept(folder.path()).await;
        let (from, to) = (folder.path().join("backup"), folder.path().join("new"));
        fs::write(from.join("data/models/a.model"), "mOdel").unwrap();
        let refused = restore(&from, &to, None, &Control::default(), &Permit::local_owner()).await;
        assert!(matches!(refused, Err(AppError::Backup { .. })), "{refused:?}");
        assert!(!to.exists());
        let full = restore(&from, &from, None, &Control::default(), &Permit::local_owner()).await;
        assert!(full.is_err(), "{full:?}");
    }
}
