//! The way of a bundle: its keys, the cache, rows in flight, the handler.

use super::answers::{Answer, Answers, Completed, Outcome, RowFailure};
use super::ask::{Asker, take};
use super::cache::{Cache, Entry, Kept, Known};
use super::coalesce::{InFlight, Role};
use super::declared::Declared;
use super::error::EnrichError;
use super::gather::Gather;
use super::keys::{Distinct, Keys};
use super::metrics::Metrics;
use super::options::EnrichOptions;
use super::shown::Shown;
use super::workers::Workers;
use crate::plugin::{Input, OutputField, Plugin, PluginError, Setup};
use crate::sandbox::Egress;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Enriches rows, for any number of bundles at once.
pub struct Enricher {
    asker: Asker,
    gather: Gather,
    cache: Option<Cache>,
    in_flight: InFlight,
    coalesce: bool,
    declared: Declared,
    schema: Option<SchemaRef>,
    metrics: Arc<Metrics>,
}

impl Enricher {
    /// Sets up a first instance of the handler, which finds what is wrong with the configuration, and
    /// asks it which fields come out.
    ///
    /// # Errors
    /// The configuration has problems, the handler failed, or the cache's URL is none.
    pub async fn set_up(
        plugin: Plugin,
        setup: Setup,
        options: EnrichOptions,
    ) -> Result<Self, EnrichError> {
        let metrics = Arc::new(Metrics::default());
        let threads = options.workers();
        let scope = [plugin.digest(), &setup.config];
        let cache = options.cache.map(|cache| Cache::new(cache, &scope, metrics.clone()));
        let cache = cache.transpose()?;
        let egress = setup.egress.clone();
        let workers = Workers::set_up(plugin, setup, threads, metrics.clone()).await?;
        let declared = Declared::new(workers.handler().outputs());
        let schema = declared.schema();
        let asker = Asker::new(workers, egress, options.in_flight, options.retry, metrics.clone());
        let gather = Gather::new(options.in_flight, options.linger);
        Ok(Enricher {
            asker,
            gather,
            cache,
            in_flight: InFlight::default(),
            coalesce: options.coalesce,
            declared,
            schema,
            metrics,
        })
    }

    /// The fields of a row that the handler reads.
    pub fn inputs(&self) -> &[Input] {
        self.asker.workers.handler().inputs()
    }

    /// The fields that come out; empty where the store does not declare them.
    pub fn outputs(&self) -> &[OutputField] {
        self.asker.workers.handler().outputs()
    }

    /// What has been counted so far.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The way out to the store: requests sent, destinations refused, and the state of the breaker.
    pub fn egress(&self) -> &Arc<Egress> {
        self.asker.egress()
    }

    /// What the handler has counted so far, over all its instances.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.asker.workers.handler().counters()
    }

    /// Ends all instances in good order, and returns what they have counted.
    pub async fn tear_down(&self) -> BTreeMap<String, u64> {
        self.asker.workers.tear_down().await;
        self.counters()
    }

    /// [`tear_down`](Self::tear_down) for callers without a runtime.
    ///
    /// # Errors
    /// As [`enrich_blocking`](Self::enrich_blocking): the calling thread must not wait.
    pub fn tear_down_blocking(&self) -> Result<BTreeMap<String, u64>, EnrichError> {
        self.asker.workers.block_on(self.tear_down())
    }

    /// The schema of the features, known before the first row and the same for each
    /// [`Answers::features`]; `None` where the store does not declare them.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// Answers each of the rows once, in their order. The handler is shown the columns of
    /// [`inputs`](Self::inputs), found by name, and no others; they may have any Arrow type that has a
    /// meaning in the contract: views, large types, dictionaries, decimals, times in every unit. A row
    /// that fails does not fail the others; neither does one with a value that would not cross exactly.
    ///
    /// Needs a tokio runtime with time and I/O, for retries and the shared cache. The handler itself
    /// runs on the enricher's own threads.
    ///
    /// # Cancellation
    /// Dropping the future cancels it: its requests are aborted, their slots are free again, and the
    /// instance that worked on them is discarded. The enricher stays usable. Bundles that wait for
    /// equal rows of the dropped one ask for them themselves.
    ///
    /// # Errors
    /// An error that no other attempt and no other row would change: the configuration or the store's
    /// refusal of everything, or rows without a field that is required.
    pub async fn enrich(&self, rows: &RecordBatch) -> Result<Answers, EnrichError> {
        let shown = Shown::of(rows, self.inputs())?;
        let mut answers = if shown.faults.is_empty() {
            self.answered(&shown.columns).await?
        } else {
            let sound = shown.sound();
            let mut answers = self.answered(&take(&shown.columns, &sound)).await?;
            let mut of_sound = std::mem::take(&mut answers.rows).into_iter();
            answers.rows = (0..rows.num_rows())
                .filter_map(|row| match shown.faults.get(&row) {
                    Some(error) => {
                        let error = RowFailure { error: error.clone(), attempts: 0 };
                        Some(Answer { outcome: Outcome::Failed(Arc::new(error)), place: None })
                    }
                    None => of_sound.next(),
                })
                .collect();
            answers
        };
        answers.schema = self.schema.clone();
        Ok(answers)
    }

    /// [`enrich`](Self::enrich) for callers without a runtime: waits on the calling thread.
    ///
    /// It may be called from any number of threads at once. On a thread of a multi-threaded tokio
    /// runtime it waits as [`tokio::task::block_in_place`] does: other tasks go on, other futures of
    /// the same task do not, so none of them may be an `enrich` of equal rows.
    ///
    /// # Errors
    /// As `enrich`; or [`EnrichError::CannotBlock`] on a thread of a current-thread tokio runtime,
    /// whose other tasks would stand still while it waits, those that it waits for included. Its
    /// `spawn_blocking` threads cannot be told apart and are refused, too.
    ///
    /// # Panics
    /// Within a [`tokio::task::LocalSet`].
    pub fn enrich_blocking(&self, rows: &RecordBatch) -> Result<Answers, EnrichError> {
        self.asker.workers.block_on(self.enrich(rows))?
    }

    /// Answers rows that have the columns of [`inputs`](Self::inputs), in this order.
    async fn answered(&self, rows: &RecordBatch) -> Result<Answers, EnrichError> {
        if (!self.coalesce && self.cache.is_none()) || rows.num_rows() == 0 {
            let mut answers = self.gather.ask(&self.asker, rows).await?;
            self.conform(&mut answers);
            return Ok(answers);
        }
        let keys = Arc::new(Keys::of(rows)?);
        let distinct = match self.coalesce {
            true => Distinct::of(&keys, rows.num_rows()),
            false => Distinct::all(rows.num_rows()),
        };
        self.metrics.coalesced.add((rows.num_rows() - distinct.first.len()) as u64);
        let bundle = Bundle { enricher: self, rows, first: &distinct.first, keys: &keys };
        let mut answers = bundle.answers().await?;
        if let Some(kinds) = distinct.kinds() {
            answers.rows = kinds.iter().map(|kind| answers.rows[*kind as usize].clone()).collect();
        }
        Ok(answers)
    }
}

impl Enricher {
    /// Brings answers into the declared schema; a row that does not fit fails.
    fn conform(&self, answers: &mut Answers) {
        for (row, error) in self.declared.conform(answers) {
            let outcome = Outcome::Failed(Arc::new(RowFailure { error, attempts: 1 }));
            answers.rows[row] = Answer { outcome, place: None };
        }
    }
}

/// The distinct rows of one bundle.
struct Bundle<'a> {
    enricher: &'a Enricher,
    rows: &'a RecordBatch,
    /// Their positions in `rows`.
    first: &'a [u32],
    keys: &'a Arc<Keys>,
}

impl Bundle<'_> {
    async fn answers(&self) -> Result<Answers, EnrichError> {
        let mut answers = Answers::default();
        let unanswered = Answer { outcome: Outcome::Missing, place: None };
        answers.rows = vec![unanswered; self.first.len()];
        let all = (0..self.first.len() as u32).collect();
        let (mut open, stale) = match &self.enricher.cache {
            Some(cache) => self.cached(cache, all, &mut answers).await?,
            None => (all, Vec::new()),
        };
        while !open.is_empty() {
            open = self.asked(open, &mut answers).await?;
        }
        self.enricher.conform(&mut answers);
        self.serve_stale(stale, &mut answers)?;
        // A stale answer may be from before the store was changed.
        self.enricher.conform(&mut answers);
        Ok(answers)
    }

    /// Answers rows from the cache. Returns the others, and the stale answers that some of them have.
    async fn cached(
        &self,
        cache: &Cache,
        all: Vec<u32>,
        answers: &mut Answers,
    ) -> Result<(Vec<u32>, Vec<(u32, Kept)>), EnrichError> {
        let known = cache.get(&self.keys_of(&all)).await;
        let (mut fresh, mut open, mut stale) = (Vec::new(), Vec::new(), Vec::new());
        for (row, known) in all.into_iter().zip(known) {
            match known {
                Some(Known::Fresh(kept)) => fresh.push((row, kept)),
                Some(Known::Stale(kept)) => {
                    stale.push((row, kept));
                    open.push(row);
                }
                None => open.push(row),
            }
        }
        kept(fresh, answers)?;
        // An answer from before the store was changed does not fit: the row is asked for again.
        for (row, _) in self.enricher.declared.conform(answers) {
            answers.rows[row] = Answer { outcome: Outcome::Missing, place: None };
            open.push(row as u32);
        }
        open.sort_unstable();
        Ok((open, stale))
    }

    /// Asks for rows, or waits for the bundle that asks for them. Returns the rows that have to be asked
    /// for again, as that bundle was cancelled or failed.
    async fn asked(&self, open: Vec<u32>, answers: &mut Answers) -> Result<Vec<u32>, EnrichError> {
        let enricher = self.enricher;
        if !enricher.coalesce {
            let got = self.ask(&open).await?;
            self.keep(&open, &got).await;
            merge(got, &open, answers);
            return Ok(Vec::new());
        }
        let rows = open.iter().map(|row| self.first[*row as usize]);
        let (roles, leading) = enricher.in_flight.join(self.keys, rows);
        let (mut leads, mut waits) = (Vec::new(), Vec::new());
        for (row, role) in open.into_iter().zip(roles) {
            match role {
                Role::Leads => leads.push(row),
                Role::Waits(receiver) => waits.push((row, receiver)),
            }
        }
        if !leads.is_empty() {
            let got = self.ask(&leads).await?;
            leading.complete(|at| got.completed(at));
            self.keep(&leads, &got).await;
            merge(got, &leads, answers);
        }
        let mut again = Vec::new();
        for (row, receiver) in waits {
            match receiver.await {
                Ok(completed) => {
                    enricher.metrics.coalesced.add(1);
                    place(completed, row, answers);
                }
                Err(_) => again.push(row),
            }
        }
        Ok(again)
    }

    async fn ask(&self, rows: &[u32]) -> Result<Answers, PluginError> {
        let positions: Vec<u32> = rows.iter().map(|row| self.first[*row as usize]).collect();
        let rows = take(self.rows, &positions);
        self.enricher.gather.ask(&self.enricher.asker, &rows).await
    }

    async fn keep(&self, rows: &[u32], answers: &Answers) {
        if let Some(cache) = &self.enricher.cache {
            cache.put(self.keys_of(rows), answers).await;
        }
    }

    /// Serves stale answers for rows that failed.
    fn serve_stale(
        &self,
        stale: Vec<(u32, Kept)>,
        answers: &mut Answers,
    ) -> Result<(), ArrowError> {
        let failed = |row: &u32| matches!(answers.rows[*row as usize].outcome, Outcome::Failed(_));
        let stale: Vec<_> = stale.into_iter().filter(|(row, _)| failed(row)).collect();
        self.enricher.metrics.cache_stale.add(stale.len() as u64);
        kept(stale, answers)
    }

    fn keys_of(&self, rows: &[u32]) -> Vec<Box<[u8]>> {
        let mut key = Vec::new();
        rows.iter()
            .map(|row| {
                self.keys.write(self.first[*row as usize] as usize, &mut key);
                key.as_slice().into()
            })
            .collect()
    }
}

/// Adds the answers for some rows to the answers for all.
fn merge(got: Answers, rows: &[u32], answers: &mut Answers) {
    let before = answers.parts.len() as u32;
    answers.parts.extend(got.parts);
    for (row, Answer { outcome, place }) in rows.iter().zip(got.rows) {
        let place = place.map(|(part, at)| (part + before, at));
        answers.rows[*row as usize] = Answer { outcome, place };
    }
}

/// Adds another bundle's answer for a row.
fn place(completed: Completed, row: u32, answers: &mut Answers) {
    let place = completed.features.map(|(features, at)| {
        let is_it = |part: &RecordBatch| same(part, &features);
        let known = answers.parts.last().is_some_and(is_it);
        let part = if known { answers.parts.len() as u32 - 1 } else { answers.part(features) };
        (part, at)
    });
    answers.rows[row as usize] = Answer { outcome: completed.outcome, place };
}

/// Whether two batches are the same one: the rows of another bundle mostly come from one answer.
fn same(one: &RecordBatch, other: &RecordBatch) -> bool {
    Arc::ptr_eq(one.schema_ref(), other.schema_ref())
        && one.num_columns() > 0
        && Arc::ptr_eq(one.column(0), other.column(0))
}

/// Adds the kept answers of some rows to the answers for all.
fn kept(rows: Vec<(u32, Kept)>, answers: &mut Answers) -> Result<(), ArrowError> {
    let (rows, entries): (Vec<u32>, Vec<Kept>) = rows.into_iter().unzip();
    for (features, positions) in Entry::features(&entries)? {
        let part = answers.part(features);
        for (at, position) in (0u32..).zip(positions) {
            let outcome = entries[position].outcome.clone();
            answers.rows[rows[position] as usize] = Answer { outcome, place: Some((part, at)) };
        }
    }
    Ok(())
}
