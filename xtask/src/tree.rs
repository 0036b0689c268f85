//! The working tree as the rules see it: a root, and the files below it that people wrote.
//!
//! Build output, hidden folders and links are left out; files come in a fixed order, so that findings do too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A checkout of this repository.
pub(crate) struct Tree {
    root: PathBuf,
}

/// One text file of the tree.
pub(crate) struct SourceFile {
    /// Path from the root, with `/` between its parts.
    pub(crate) path: String,
    /// Its text; bytes that are not UTF-8 are replaced.
    pub(crate) text: String,
}

impl Tree {
    /// The checkout that this program was started from by cargo, or the current folder.
    pub(crate) fn of_this_repository() -> Result<Self> {
        let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(manifest_dir) => PathBuf::from(manifest_dir).join(".."),
            None => std::env::current_dir().context("the current folder is gone")?,
        };
        let root = start.canonicalize().with_context(|| format!("cannot open {}", start.display()))?;
        Ok(Self { root })
    }

    /// The folder that holds the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether `path`, counted from the root, is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// The bytes of one file, or `None` where there is no such file.
    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match fs::read(self.root.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {path}")),
        }
    }

    /// Every path of a file below `folder` (`""` for the whole tree), sorted.
    pub(crate) fn paths(&self, folder: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let start = self.root.join(folder);
        if start.is_dir() {
            self.walk(&start, &mut found)?;
        }
        found.sort();
        Ok(found)
    }

    /// Every Rust file below `folder`, sorted by path.
    pub(crate) fn rust_files(&self, folder: &str) -> Result<Vec<SourceFile>> {
        let rust = self.paths(folder)?.into_iter().filter(|path| path.ends_with(".rs"));
        rust.map(|path| {
            let bytes = fs::read(self.root.join(&path)).with_context(|| format!("cannot read {path}"))?;
            Ok(SourceFile { path, text: String::from_utf8_lossy(&bytes).into_owned() })
        })
        .collect()
    }

    fn walk(&self, folder: &Path, found: &mut Vec<String>) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = entry.file_type()?;
            if kind.is_dir() {
                // `.ci` and `.cargo` are ours; other hidden folders are tools' own.
                let ours = !name.starts_with('.') || matches!(name.as_ref(), ".ci" | ".cargo" | ".github");
                if ours && !matches!(name.as_ref(), "target" | "node_modules" | "__pycache__") {
                    self.walk(&entry.path(), found)?;
                }
            } else if kind.is_file() {
                let path = entry.path();
                let inside = path.strip_prefix(&self.root).unwrap_or(&path);
                let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
                found.push(parts.join("/"));
            }
        }
        Ok(())
    }
}
