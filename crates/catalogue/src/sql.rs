//! Questions in SQL, read-only, over one version of the lake.
//!
//! The tables are made for the question: no file, folder or address outside the lake can be named. A query has bounds on
//! memory, rows and time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, Date32Builder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::MemTable;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{
    BinaryExpr, Expr, LogicalPlan, Operator, TableProviderFilterPushDown, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use futures::StreamExt;
use futures::future::BoxFuture;
use marquee_domain::{Currency, Day, FactKind, TitleId, ValueType};
use serde::Serialize;
use serde_json::Value;

use crate::error::{CatalogueError, Result};
use crate::facts::batches;
use crate::identity::Identity;
use crate::issues::{IssueFilter, find};
use crate::layout::{RowFact, RowValue};
use crate::manifest::{FileEntry, IngestEntry, Role};
use crate::snapshot::Snapshot;
use crate::store::Store;

/// What a query may take.
#[derive(Debug, Clone)]
pub struct SqlLimits {
    /// Rows in the answer.
    pub rows: usize,
    /// Memory for sorting, joining and grouping, in bytes.
    pub memory_bytes: usize,
    /// Seconds.
    pub seconds: u64,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self { rows: 1_000, memory_bytes: 512 << 20, seconds: 60 }
    }
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SqlAnswer {
    /// Its columns.
    pub columns: Vec<SqlColumn>,
    /// Its rows.
    pub rows: Vec<Vec<Value>>,
    /// There are more rows than were allowed.
    pub truncated: bool,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// Its Arrow type.
    pub data_type: String,
}

/// The most issues that SQL sees.
const ISSUES: usize = 1_000_000;

/// The most bytes that a query may have.
const LONGEST: usize = 64 << 10;
/// The most words and operators: planning takes the square of a chain's length, and no time limit stops it.
const MOST_WORDS: usize = 1_000;

/// Boxed, so that the engine's own waiting is compiled here, and not again in each program that asks.
pub(crate) fn ask(
    snapshot: Snapshot,
    identity: Arc<Identity>,
    query: String,
    limits: SqlLimits,
) -> BoxFuture<'static, Result<SqlAnswer>> {
    Box::pin(async move {
        check_length(&query)?;
        let time = Duration::from_secs(limits.seconds);
        let answer = tokio::time::timeout(time, answer(snapshot, identity, query, &limits)).await;
        answer.map_err(|_| {
            CatalogueError::Sql(format!("took more than {} seconds; ask for less", limits.seconds))
        })?
    })
}

/// Refuses what would take too long or too deep a plan. Lists of values may be long.
fn check_length(query: &str) -> Result<()> {
    let length = query.len();
    if length > LONGEST {
        return Err(CatalogueError::Sql(format!("is {length} bytes long; at most {LONGEST} are read")));
    }
    // What has no tokens is refused by the planner, which says where.
    let tokens = Tokenizer::new(&GenericDialect {}, query).tokenize().unwrap_or_default();
    let is_value = |t: &Token| {
        matches!(t, Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_))
    };
    let words = tokens.iter().filter(|t| !is_value(t)).count();
    if words > MOST_WORDS {
        return Err(CatalogueError::Sql(format!(
            "has {words} words and operators; at most {MOST_WORDS} are planned: ask in several queries"
        )));
    }
    Ok(())
}

async fn answer(
    snapshot: Snapshot,
    identity: Arc<Identity>,
    query: String,
    limits: &SqlLimits,
) -> Result<SqlAnswer> {
    let environment =
        RuntimeEnvBuilder::new().with_memory_limit(limits.memory_bytes, 1.0).build_arc().map_err(said)?;
    let config = SessionConfig::new().with_information_schema(true);
    let context = SessionContext::new_with_config_rt(config, environment);
    register(&context, &snapshot, identity).await?;
    let only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let plan = context.state().create_logical_plan(&query).await.map_err(said)?;
    only.verify_plan(&plan).map_err(said)?;
    if matches!(
        plan,
        LogicalPlan::Copy(_) | LogicalPlan::Dml(_) | LogicalPlan::Ddl(_) | LogicalPlan::Statement(_)
    ) {
        return Err(CatalogueError::Sql("only SELECT, EXPLAIN, SHOW and DESCRIBE are allowed".to_owned()));
    }
    let mut stream =
        context.execute_logical_plan(plan).await.map_err(said)?.execute_stream().await.map_err(said)?;
    let column = |f: &Arc<Field>| SqlColumn { name: f.name().clone(), data_type: f.data_type().to_string() };
    let columns = stream.schema().fields().iter().map(column).collect();
    let (mut rows, mut truncated) = (Vec::new(), false);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(said)?;
        let room = limits.rows - rows.len();
        truncated = batch.num_rows() > room;
        values(&batch.slice(0, batch.num_rows().min(room)), &mut rows)?;
        if truncated {
            break;
        }
    }
    Ok(SqlAnswer { columns, rows, truncated })
}

/// A figure of an ingest.
type Count = fn(&IngestEntry) -> u64;

#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it over
fn said(e: DataFusionError) -> CatalogueError {
    CatalogueError::Sql(e.strip_backtrace())
}

/// A batch's cells as JSON: numbers and truths as such, everything else as it is printed.
fn values(batch: &RecordBatch, rows: &mut Vec<Vec<Value>>) -> Result<()> {
    let options = FormatOptions::default();
    let formatters: Result<Vec<_>, _> =
        batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options)).collect();
    let formatters = formatters?;
    for row in 0..batch.num_rows() {
        let cell = |(array, formatter): (&ArrayRef, &ArrayFormatter<'_>)| {
            if array.is_null(row) {
                return Ok(Value::Null);
            }
            let text = formatter.value(row).try_to_string()?;
            let kind = array.data_type();
            let plain = kind.is_numeric() || *kind == DataType::Boolean;
            Ok(if plain {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            } else {
                Value::String(text)
            })
        };
        rows.push(batch.columns().iter().zip(&formatters).map(cell).collect::<Result<_>>()?);
    }
    Ok(())
}

async fn register(context: &SessionContext, snapshot: &Snapshot, identity: Arc<Identity>) -> Result<()> {
    let put = |name: &str, table: Arc<dyn TableProvider>| {
        context.register_table(name, table).map(drop).map_err(said)
    };
    let memory =
        |batch: RecordBatch| MemTable::try_new(batch.schema(), vec![vec![batch]]).map(Arc::new).map_err(said);
    put("titles", memory(titles(&identity)?)?)?;
    put("sources", memory(sources(snapshot)?)?)?;
    let (store, manifest) = (snapshot.store().clone(), snapshot.shared_manifest());
    let filter = IssueFilter { limit: ISSUES, ..IssueFilter::default() };
    let found = tokio::task::spawn_blocking(move || find(&store, &manifest, &filter)).await;
    put("issues", memory(issues(&found.map_err(|_| CatalogueError::Lost("the lake"))??)?)?)?;
    let entries = snapshot.sources().iter().cloned().map(Arc::new).collect();
    put(
        "facts",
        Arc::new(Facts { store: snapshot.store().clone(), identity, entries, schema: fact_schema() }),
    )
}

fn text_batch(names: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<RecordBatch> {
    let mut builders: Vec<StringBuilder> = names.iter().map(|_| StringBuilder::new()).collect();
    for row in rows {
        builders.iter_mut().zip(row).for_each(|(builder, cell)| builder.append_value(cell));
    }
    let arrays = builders.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
    Ok(RecordBatch::try_from_iter(names.iter().copied().zip(arrays))?)
}

/// Texts with one column of whole numbers or days behind them.
fn with(batch: &RecordBatch, name: &str, array: ArrayRef) -> Result<RecordBatch> {
    let own = batch.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    let columns = own.iter().map(String::as_str).zip(batch.columns().iter().cloned());
    Ok(RecordBatch::try_from_iter_with_nullable(columns.chain([(name, array)]).map(|(n, a)| (n, a, true)))?)
}

fn titles(identity: &Identity) -> Result<RecordBatch> {
    let mut days = Date32Builder::new();
    for entry in identity.titles() {
        days.append_option(entry.title.release.as_ref().map(|r| r.day.epoch_days()));
    }
    let rows = identity.titles().iter().map(|e| {
        let ids: Vec<String> = e.title.source_ids.iter().map(ToString::to_string).collect();
        vec![e.title.id.to_string(), e.title.vertical.to_string(), e.title.name.clone(), ids.join(" ")]
    });
    with(
        &text_batch(&["title_id", "vertical", "name", "source_ids"], rows)?,
        "release_date",
        Arc::new(days.finish()),
    )
}

fn sources(snapshot: &Snapshot) -> Result<RecordBatch> {
    let number = |f: fn(&IngestEntry) -> u64| -> ArrayRef {
        Arc::new(snapshot.sources().iter().map(|e| Some(f(e) as i64)).collect::<arrow::array::Int64Array>())
    };
    let rows = snapshot
        .sources()
        .iter()
        .map(|e| vec![e.source.clone(), e.vertical.to_string(), e.file.clone(), e.sha256.clone()]);
    let mut batch = text_batch(&["source", "vertical", "file", "sha256"], rows)?;
    let counts: [(&str, Count); 3] =
        [("rows", |e| e.rows), ("kept_rows", |e| e.kept_rows), ("refused_rows", |e| e.refused_rows)];
    for (name, count) in counts {
        batch = with(&batch, name, number(count))?;
    }
    Ok(batch)
}

fn issues(found: &[crate::issues::SourceIssue]) -> Result<RecordBatch> {
    let rows = found.iter().map(|f| {
        let i = &f.issue;
        let texts = [&f.source, &i.file, &i.column, &i.value, &i.rule, &i.message].map(Clone::clone);
        texts.into_iter().chain([i.action.as_str().to_owned()]).collect()
    });
    let batch = text_batch(&["source", "file", "column", "value", "rule", "message", "action"], rows)?;
    let numbers: arrow::array::Int64Array = found.iter().map(|f| Some(f.issue.row as i64)).collect();
    with(&batch, "row", Arc::new(numbers))
}

fn fact_schema() -> SchemaRef {
    let field = |name: &str, kind: DataType| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        field("title_id", DataType::Utf8),
        field("vertical", DataType::Utf8),
        field("kind", DataType::Utf8),
        field("known_on", DataType::Date32),
        field("source", DataType::Utf8),
        field("row", DataType::Int64),
        field("amount_minor", DataType::Int64),
        field("currency", DataType::Utf8),
        field("value_usd", DataType::Float64),
        field("number", DataType::Float64),
        field("text", DataType::Utf8),
        field("day", DataType::Date32),
        field("recorded_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
    ]))
}

/// The table of facts: one row for each, read from the lake when asked for. A condition on `kind` reads only its columns.
struct Facts {
    store: Store,
    identity: Arc<Identity>,
    entries: Vec<Arc<IngestEntry>>,
    schema: SchemaRef,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts").field("sources", &self.entries.len()).finish()
    }
}

#[async_trait]
impl TableProvider for Facts {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> datafusion::common::Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        let kinds: Vec<FactKind> =
            FactKind::ALL.iter().copied().filter(|k| allows(filters, "kind", k.as_str())).collect();
        let mut parts: Vec<Arc<dyn PartitionStream>> = Vec::new();
        for entry in self.entries.iter().filter(|e| allows(filters, "source", &e.source)) {
            let kinds: Vec<FactKind> =
                kinds.iter().copied().filter(|k| entry.layout.columns.iter().any(|c| c.kind == *k)).collect();
            if kinds.is_empty() {
                continue;
            }
            for file in entry.files_of(Role::Facts) {
                parts.push(Arc::new(FactFile {
                    store: self.store.clone(),
                    identity: self.identity.clone(),
                    entry: entry.clone(),
                    file: file.clone(),
                    kinds: kinds.clone(),
                    schema: self.schema.clone(),
                }));
            }
        }
        if parts.is_empty() {
            let nothing = MemTable::try_new(self.schema.clone(), vec![vec![]])?;
            return nothing.scan(state, projection, &[], limit).await;
        }
        StreamingTable::try_new(self.schema.clone(), parts)?.scan(state, projection, &[], limit).await
    }
}

/// Whether conditions of the form `column = 'word'` or `column IN (…)` leave this word in.
fn allows(filters: &[Expr], column: &str, word: &str) -> bool {
    let names = |e: &Expr| matches!(e, Expr::Column(c) if c.name == column);
    let says = |e: &Expr| match e {
        Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _) => {
            Some(text == word)
        }
        _ => None,
    };
    filters.iter().all(|filter| match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (names(left), names(right)) {
            (true, _) => says(right).unwrap_or(true),
            (_, true) => says(left).unwrap_or(true),
            _ => true,
        },
        Expr::InList(list) if names(&list.expr) && !list.negated => {
            list.list.iter().any(|e| says(e).unwrap_or(true))
        }
        _ => true,
    })
}

/// One data file, melted into rows as it is read.
#[derive(Clone)]
struct FactFile {
    store: Store,
    identity: Arc<Identity>,
    entry: Arc<IngestEntry>,
    file: FileEntry,
    kinds: Vec<FactKind>,
    schema: SchemaRef,
}

impl fmt::Debug for FactFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FactFile").field(&self.file.path).finish()
    }
}

impl PartitionStream for FactFile {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStream::builder(self.schema.clone(), 2);
        let (send, part) = (builder.tx(), self.clone());
        builder.spawn_blocking(move || {
            let outside = |e: CatalogueError| DataFusionError::External(Box::new(e));
            for batch in batches(&part.store, &part.file, &part.entry.layout.fields_for(&part.kinds))
                .map_err(outside)?
            {
                let mut rows = FactRows::default();
                crate::layout::melt(&batch?, &part.entry.layout, &part.kinds, |fact| {
                    rows.push(&fact, &part.identity);
                });
                // A closed channel: nobody wants the rest.
                if send.blocking_send(rows.finish(&part.entry, &part.schema)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        builder.build()
    }
}

#[derive(Default)]
struct FactRows {
    titles: StringBuilder,
    kinds: StringBuilder,
    known: Date32Builder,
    rows: Int64Builder,
    amounts: Int64Builder,
    currencies: StringBuilder,
    dollars: Float64Builder,
    numbers: Float64Builder,
    texts: StringBuilder,
    days: Date32Builder,
    count: usize,
}

impl FactRows {
    fn push(&mut self, fact: &RowFact<'_>, identity: &Identity) {
        self.count += 1;
        self.titles.append_value(identity.canonical(TitleId(fact.title)).to_string());
        self.kinds.append_value(fact.column.kind.as_str());
        self.known.append_value(fact.known_on);
        self.rows.append_value(fact.row);
        let money = (fact.column.kind.value_type() == ValueType::Money)
            .then(|| fact.column.currency.unwrap_or(Currency::USD));
        let whole = if let RowValue::Whole(n) = fact.value { Some(n) } else { None };
        self.amounts.append_option(money.and(whole));
        self.currencies.append_option(money.as_ref().map(Currency::as_str));
        let major = whole
            .zip(money.filter(|c| *c == Currency::USD))
            .map(|(n, c)| n as f64 / c.minor_per_major() as f64);
        self.dollars.append_option(major);
        self.numbers.append_option(match fact.value {
            RowValue::Number(x) => Some(x),
            RowValue::Whole(n) if money.is_none() => Some(n as f64),
            _ => None,
        });
        match (fact.value, &fact.column.space) {
            (RowValue::Text(text), Some(space)) => self.texts.append_value(format!("{space}:{text}")),
            (RowValue::Text(text), None) => self.texts.append_value(text),
            _ => self.texts.append_null(),
        }
        let day = if let RowValue::Day(day) = fact.value { Some(day) } else { None };
        self.days.append_option(day.filter(|d| Day::from_epoch_days(*d).is_some()));
    }

    fn finish(mut self, entry: &IngestEntry, schema: &SchemaRef) -> datafusion::common::Result<RecordBatch> {
        let same = |text: &str| -> ArrayRef {
            Arc::new(arrow::array::StringArray::from_iter_values(std::iter::repeat_n(text, self.count)))
        };
        let (vertical, source) = (same(entry.vertical.as_str()), same(&entry.source));
        let recorded =
            TimestampMicrosecondArray::from_value(entry.recorded_at.0, self.count).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.titles.finish()),
            vertical,
            Arc::new(self.kinds.finish()),
            Arc::new(self.known.finish()),
            source,
            Arc::new(self.rows.finish()),
            Arc::new(self.amounts.finish()),
            Arc::new(self.currencies.finish()),
            Arc::new(self.dollars.finish()),
            Arc::new(self.numbers.finish()),
            Arc::new(self.texts.finish()),
            Arc::new(self.days.finish()),
            Arc::new(recorded),
        ];
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }
}
