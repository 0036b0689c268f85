//! The files that one worker writes, each opened when its first rows come.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::sync::Arc;

use super::plan::Plan;
use crate::error::{CatalogueError, Result};
use crate::layout::{FactColumn, TITLE};
use crate::manifest::Role;
use crate::store::{Store, StoreWriter, Written};

/// Rows in a row group: what a worker holds in memory at once.
const GROUP_ROWS: usize = 256 << 10;

/// One file of one role.
pub(crate) struct Sink {
    store: Store,
    path: String,
    role: Role,
    properties: WriterProperties,
    writer: Option<ArrowWriter<StoreWriter>>,
    rows: u64,
}

impl Sink {
    pub(crate) fn new(store: &Store, folder: &str, role: Role, worker: usize, plan: &Plan) -> Self {
        let name = match role {
            Role::Facts => "facts",
            Role::Issues => "issues",
            Role::Quarantine => "quarantine",
        };
        let path = format!("{folder}/{name}-{worker}.parquet");
        let properties = if role == Role::Facts { fact_properties(plan) } else { finding_properties() };
        Self { store: store.clone(), path, role, properties, writer: None, rows: 0 }
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(self.open(batch.schema())?),
        };
        writer.write(batch)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Completes the file; nothing where no row came.
    pub(crate) fn finish(self) -> Result<Option<(Role, u64, Written)>> {
        let Some(writer) = self.writer else { return Ok(None) };
        Ok(Some((self.role, self.rows, writer.into_inner()?.finish()?)))
    }

    /// Gives the file up.
    pub(crate) fn abort(self) {
        if let Some(Ok(unfinished)) = self.writer.map(ArrowWriter::into_inner) {
            unfinished.abort();
        }
    }

    fn open(&self, schema: Arc<Schema>) -> Result<ArrowWriter<StoreWriter>> {
        let writer = self.store.writer(&self.path)?;
        ArrowWriter::try_new(writer, schema, Some(self.properties.clone())).map_err(CatalogueError::from)
    }
}

fn fact_properties(plan: &Plan) -> WriterProperties {
    let path = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        // Hashes do not compress.
        .set_column_compression(path(TITLE), Compression::UNCOMPRESSED);
    // Whole numbers and days are packed into as few bits as they need, which is both smaller and faster than LZ4.
    let whole = |t: &DataType| matches!(t, DataType::Int64 | DataType::Date32);
    for field in plan.schema.fields().iter().filter(|f| whole(f.data_type())) {
        properties = properties
            .set_column_encoding(path(field.name()), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(path(field.name()), Compression::UNCOMPRESSED);
    }
    let few = |c: &FactColumn| {
        use marquee_domain::FactKind as K;
        !matches!(c.kind, K::Name | K::Synopsis | K::SourceId | K::Keyword | K::Cast)
    };
    let text = |c: &&FactColumn| crate::layout::stored_type(c.kind) == DataType::Utf8;
    for column in plan.layout.columns.iter().filter(text) {
        // The first and last of texts in no order tell a query nothing.
        properties = properties
            .set_column_statistics_enabled(path(&column.field), EnabledStatistics::None)
            .set_column_dictionary_enabled(path(&column.field), few(column));
    }
    properties.build()
}

fn finding_properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS / 4))
        .build()
}
