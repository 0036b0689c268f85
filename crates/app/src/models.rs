//! The model store: fitted models as files, one for each key, written beside and renamed into place.
//!
//! A key is a hash over everything that decides the model's bytes: what is asked, the data's fingerprint, the learner's
//! settings, the features and Marquee's version. A damaged file is reported by [`ModelStore::check`] and refused by
//! [`ModelStore::load`] with what to do.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use marquee_forecast::features::registry;
use marquee_forecast::{FittedModel, ModelSpec};
use sha2::{Digest, Sha256};

use crate::error::AppError;

/// The name under which a model is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelKey(String);

impl ModelKey {
    /// The key of a model that is described, trained on the lake with this fingerprint.
    #[must_use]
    pub fn of(spec: &ModelSpec, fingerprint: &str) -> Self {
        let (version, layout) = (env!("CARGO_PKG_VERSION"), FittedModel::KIND);
        let described = format!("{version}|{layout}|{}|{spec:?}|{fingerprint}", registry());
        let digest = Sha256::digest(described.as_bytes());
        Self(digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Fitted models in a folder.
#[derive(Debug, Clone)]
pub struct ModelStore {
    folder: PathBuf,
}

/// What a check of the stored models found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCheck {
    /// Models that can be read.
    pub sound: usize,
    /// Files that cannot, and why.
    pub damaged: Vec<(PathBuf, String)>,
}

impl ModelStore {
    /// The store in a folder, which is made with the first model.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The model with this key, where there is one.
    ///
    /// # Errors
    /// A file that is damaged or newer than this version is refused.
    pub fn load(&self, key: &ModelKey) -> Result<Option<FittedModel>, AppError> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => FittedModel::from_bytes(&bytes)
                .map(Some)
                .map_err(|source| AppError::Model { path, source: Box::new(source) }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AppError::File { path, doing: "reading", source }),
        }
    }

    /// The model with this key: from the store, or fitted now and stored.
    ///
    /// # Errors
    /// As [`ModelStore::load`] and [`ModelStore::save`], and what `fit` says.
    pub fn load_or_fit(
        &self,
        key: &ModelKey,
        fit: impl FnOnce() -> Result<FittedModel, AppError>,
    ) -> Result<FittedModel, AppError> {
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
    pub fn save(&self, key: &ModelKey, model: &FittedModel) -> Result<(), AppError> {
        let path = self.path(key);
        let failed = |source| AppError::File { path: path.clone(), doing: "writing", source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        let write = || {
            let mut file = fs::File::create(&beside)?;
            file.write_all(&model.to_bytes().map_err(std::io::Error::other)?)?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().map_err(failed)
    }

    /// Reads every stored model.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn check(&self) -> Result<ModelCheck, AppError> {
        let mut found = ModelCheck { sound: 0, damaged: Vec::new() };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            Err(source) => {
                return Err(AppError::File { path: self.folder.clone(), doing: "listing", source });
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| is_model(p)).collect();
        paths.sort();
        for path in paths {
            let read = fs::read(&path).map_err(|e| e.to_string());
            match read.and_then(|bytes| FittedModel::from_bytes(&bytes).map_err(|e| e.to_string())) {
                Ok(_) => found.sound += 1,
                Err(why) => found.damaged.push((path, why)),
            }
        }
        Ok(found)
    }

    fn path(&self, key: &ModelKey) -> PathBuf {
        self.folder.join(format!("{}.model", key.0))
    }
}

fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "model")
}
