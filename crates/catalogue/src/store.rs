//! The lake's storage: an object store, spoken to from plain threads.
//!
//! Everything here blocks and must run on a thread that may: the pipeline's own, or the runtime's blocking pool. On a
//! local disk, what was written is synced before anything refers to it.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use parquet::file::reader::{ChunkReader, Length};
use tokio::runtime::Handle;
use xxhash_rust::xxh3::Xxh3;

use crate::error::{CatalogueError, Result};

/// How much is gathered before it is sent, in bytes.
const PART: usize = 4 << 20;

/// An object store and the runtime that serves it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    objects: Arc<dyn ObjectStore>,
    /// The folder of a local lake.
    root: Option<PathBuf>,
    runtime: Handle,
}

impl Store {
    /// Opens `file:///dir` or a plain path; the folder is made where it is missing.
    pub(crate) fn open(url: &str, runtime: Handle) -> Result<Self> {
        let place = match url.split_once("://") {
            None => url,
            Some(("file", path)) => path,
            Some((scheme, _)) => {
                let what = format!("`{scheme}://` is not built in; give a folder, or file:///folder");
                return Err(CatalogueError::lake(url, what));
            }
        };
        std::fs::create_dir_all(place).map_err(|e| CatalogueError::file(place, e))?;
        let root = std::fs::canonicalize(place).map_err(|e| CatalogueError::file(place, e))?;
        let objects = Arc::new(LocalFileSystem::new_with_prefix(&root)?);
        Ok(Self { objects, root: Some(root), runtime })
    }

    /// Writes a new object; false where there is one of that name already.
    pub(crate) fn create(&self, path: &str, bytes: Vec<u8>) -> Result<bool> {
        let location = Path::from(path);
        let put = self.objects.put_opts(&location, PutPayload::from(bytes), PutMode::Create.into());
        match self.runtime.block_on(put) {
            Ok(_) => self.sync(path).map(|()| true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }

    /// The whole of an object.
    pub(crate) fn get(&self, path: &str) -> Result<Bytes> {
        let path = Path::from(path);
        Ok(self.runtime.block_on(async { self.objects.get(&path).await?.bytes().await })?)
    }

    /// Paths and sizes of all objects under a prefix, with how many seconds ago each was written.
    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<(String, u64, i64)>> {
        let prefix = Path::from(prefix);
        let all: Vec<_> = self.runtime.block_on(self.objects.list(Some(&prefix)).try_collect())?;
        let now = chrono::Utc::now();
        let age = |m: &object_store::ObjectMeta| (now - m.last_modified).num_seconds();
        Ok(all.iter().map(|m| (m.location.to_string(), m.size, age(m))).collect())
    }

    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        match self.runtime.block_on(self.objects.delete(&Path::from(path))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    /// An object to write bit by bit; it exists once [`StoreWriter::finish`] says so.
    pub(crate) fn writer(&self, path: &str) -> Result<StoreWriter> {
        let upload = self.runtime.block_on(self.objects.put_multipart(&Path::from(path)))?;
        let part = Vec::with_capacity(PART + (64 << 10));
        Ok(StoreWriter {
            store: self.clone(),
            path: path.to_owned(),
            upload,
            part,
            bytes: 0,
            hash: Xxh3::new(),
        })
    }

    /// An object to read bit by bit.
    pub(crate) fn reader(&self, path: &str, size: u64) -> StoreFile {
        StoreFile { store: self.clone(), path: Path::from(path), size }
    }

    /// Has a local disk keep the object and its name.
    fn sync(&self, path: &str) -> Result<()> {
        let Some(root) = &self.root else { return Ok(()) };
        let full = root.join(path);
        let sync = |p: &std::path::Path| std::fs::File::open(p).and_then(|f| f.sync_all());
        sync(&full).map_err(|e| CatalogueError::file(&full, e))?;
        // Every folder that may be new, up to the lake's own.
        for folder in full.ancestors().skip(1).take_while(|f| f.starts_with(root)) {
            sync(folder).map_err(|e| CatalogueError::file(folder, e))?;
        }
        Ok(())
    }
}

/// What was written: enough to know it again.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub path: String,
    pub bytes: u64,
    pub checksum: String,
}

/// An object that is being written.
pub(crate) struct StoreWriter {
    store: Store,
    path: String,
    upload: Box<dyn MultipartUpload>,
    part: Vec<u8>,
    bytes: u64,
    hash: Xxh3,
}

impl StoreWriter {
    /// Completes the object and syncs it.
    pub(crate) fn finish(mut self) -> Result<Written> {
        self.send().map_err(|e| CatalogueError::lake(&self.path, e.to_string()))?;
        self.store.runtime.block_on(self.upload.complete())?;
        self.store.sync(&self.path)?;
        Ok(Written { path: self.path, bytes: self.bytes, checksum: checksum_text(&self.hash) })
    }

    /// Gives it up; nothing remains.
    pub(crate) fn abort(mut self) {
        // What cannot be removed now is an orphan, which `clean` removes later.
        let _ = self.store.runtime.block_on(self.upload.abort());
    }

    fn send(&mut self) -> std::io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART + (64 << 10)));
        self.hash.update(&part);
        self.bytes += part.len() as u64;
        self.store.runtime.block_on(self.upload.put_part(part.into())).map_err(std::io::Error::other)
    }
}

impl Write for StoreWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The checksum of a whole object, as the manifest writes it: XXH3, 128 bits, in hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    let mut hash = Xxh3::new();
    hash.update(bytes);
    checksum_text(&hash)
}

fn checksum_text(hash: &Xxh3) -> String {
    format!("{:032x}", hash.digest128())
}

/// An object that is being read, for the Parquet reader.
#[derive(Clone, Debug)]
pub(crate) struct StoreFile {
    store: Store,
    path: Path,
    size: u64,
}

impl StoreFile {
    fn range(&self, start: u64, end: u64) -> parquet::errors::Result<Bytes> {
        let get = self.store.objects.get_range(&self.path, start..end.min(self.size));
        self.store.runtime.block_on(get).map_err(|e| parquet::errors::ParquetError::External(Box::new(e)))
    }
}

impl Length for StoreFile {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for StoreFile {
    type T = Ranges;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Ranges> {
        Ok(Ranges { file: self.clone(), at: start, held: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let bytes = self.range(start, start.saturating_add(length as u64))?;
        if bytes.len() == length {
            return Ok(bytes);
        }
        Err(parquet::errors::ParquetError::EOF(format!("{} ends early; run doctor", self.path)))
    }
}

/// Sequential reading in stretches.
pub(crate) struct Ranges {
    file: StoreFile,
    at: u64,
    held: Bytes,
}

impl Read for Ranges {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.held.is_empty() && self.at < self.file.size {
            self.held = self.file.range(self.at, self.at + (256 << 10)).map_err(std::io::Error::other)?;
            self.at += self.held.len() as u64;
        }
        let n = buffer.len().min(self.held.len());
        buffer[..n].copy_from_slice(&self.held.split_to(n));
        Ok(n)
    }
}
