//! The model store: fitted models as files, one for each key, written beside and renamed into place.
//!
//! A key is a hash over everything that decides the model's bytes: what is asked, the data's fingerprint, the learner's
//! settings, the features and Marquee's version. A damaged file is told by [`ModelStore::all`] and refused by
//! [`ModelStore::load`] with what to do.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use marquee_forecast::awards::{AwardsSpec, FittedAwards};
use marquee_forecast::features::registry;
use marquee_forecast::streaming::{FittedStreaming, StreamingSpec};
use marquee_forecast::table::{FittedTable, TableSpec};
use marquee_forecast::weeks::{FittedWeeks, WeeksSpec};
use marquee_forecast::{FittedModel, ForecastError, ModelSpec};
use sha2::{Digest, Sha256};

use crate::error::AppError;
use crate::hex::hex;
use crate::learners::Learners;

/// The name under which a model is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelKey(String);

impl ModelKey {
    /// The key of a model that is described: with what it sees, and the lake's version that it learns from.
    #[must_use]
    pub fn of<M: Stored>(spec: &M::Spec) -> Self {
        let (version, layout) = (env!("CARGO_PKG_VERSION"), M::KIND);
        let described = format!("{version}|{layout}|{}|{spec:?}", registry());
        let digest = Sha256::digest(described.as_bytes());
        Self(hex(&digest[..12]))
    }
}

/// A fitted model that the store keeps.
pub trait Stored: Sized {
    /// What describes it, the fingerprint of the lake's version among it.
    type Spec: std::fmt::Debug;
    /// The kind and layout of its bytes.
    const KIND: &'static str;
    /// How the names of its files end.
    const ENDING: &'static str;

    /// Fingerprint of the lake's version that it learned from.
    fn lake(&self) -> &str;

    /// Its bytes.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn bytes(&self) -> Result<Vec<u8>, ForecastError>;

    /// The model from its bytes.
    ///
    /// # Errors
    /// Damaged, truncated or newer ones are refused.
    fn read(bytes: &[u8]) -> Result<Self, ForecastError>;
}

macro_rules! stored {
    ($($model:ty, $spec:ty, $ending:literal;)+) => {$(
        impl Stored for $model {
            type Spec = $spec;
            const KIND: &'static str = Self::KIND;
            const ENDING: &'static str = $ending;

            fn lake(&self) -> &str {
                self.data()
            }

            fn bytes(&self) -> Result<Vec<u8>, ForecastError> {
                self.to_bytes()
            }

            fn read(bytes: &[u8]) -> Result<Self, ForecastError> {
                Self::from_bytes(bytes)
            }
        }
    )+};
}

stored! {
    FittedAwards, AwardsSpec, "awards";
    FittedModel, ModelSpec, "model";
    FittedStreaming, StreamingSpec, "streaming";
    FittedTable, TableSpec, "table";
    FittedWeeks, WeeksSpec, "weeks";
}

/// Fitted models in a folder.
#[derive(Debug, Clone)]
pub struct ModelStore {
    folder: PathBuf,
}

/// A stored model.
#[derive(Debug)]
pub struct Kept<M> {
    /// Its file.
    pub path: PathBuf,
    /// The model, or why it cannot be read.
    pub model: Result<M, String>,
}

impl<M> Kept<M> {
    /// The key that it is stored under.
    #[must_use]
    pub fn key(&self) -> String {
        self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

impl ModelStore {
    /// The store in a folder, which is made with the first model.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// With which settings models are fitted.
    #[must_use]
    pub fn learners(&self) -> Learners {
        Learners::at(self.folder.join("learners.json"))
    }

    /// The model with this key, where there is one.
    ///
    /// # Errors
    /// A file that is damaged or newer than this version is refused.
    pub fn load<M: Stored>(&self, key: &ModelKey) -> Result<Option<M>, AppError> {
        let path = self.path::<M>(key);
        match fs::read(&path) {
            Ok(bytes) => {
                M::read(&bytes).map(Some).map_err(|source| AppError::Model { path, source: Box::new(source) })
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AppError::File { path, doing: "reading", source }),
        }
    }

    /// The model with this key: from the store, or fitted now and stored.
    ///
    /// # Errors
    /// As [`ModelStore::load`] and [`ModelStore::save`], and what `fit` says.
    pub fn load_or_fit<M: Stored>(
        &self,
        key: &ModelKey,
        fit: impl FnOnce() -> Result<M, AppError>,
    ) -> Result<M, AppError> {
        if let Some(model) = self.load(key)? {
            return Ok(model);
        }
        let model = fit()?;
        self.save(key, &model)?;
        Ok(model)
    }

    /// Stores a model under its key: whole or not at all.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn save<M: Stored>(&self, key: &ModelKey, model: &M) -> Result<(), AppError> {
        let path = self.path::<M>(key);
        write_whole(&path, || model.bytes().map_err(std::io::Error::other))
    }

    /// Reads every stored model of a kind, in order of its key.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn all<M: Stored>(&self) -> Result<Vec<Kept<M>>, AppError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(AppError::File { path: self.folder.clone(), doing: "listing", source });
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| is::<M>(p)).collect();
        paths.sort();
        let read = |path: PathBuf| {
            let bytes = fs::read(&path).map_err(|e| e.to_string());
            let model = bytes.and_then(|bytes| M::read(&bytes).map_err(|e| e.to_string()));
            Kept { path, model }
        };
        Ok(paths.into_iter().map(read).collect())
    }

    fn path<M: Stored>(&self, key: &ModelKey) -> PathBuf {
        self.folder.join(format!("{}.{}", key.0, M::ENDING))
    }
}

/// Writes a file beside its place and renames it: whole or not at all. Its folder is made where it is missing.
pub(crate) fn write_whole(
    path: &Path,
    bytes: impl FnOnce() -> std::io::Result<Vec<u8>>,
) -> Result<(), AppError> {
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = fs::File::create(&beside)?;
        file.write_all(&bytes()?)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| AppError::File { path: path.to_owned(), doing: "writing", source })
}

fn is<M: Stored>(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == M::ENDING)
}
