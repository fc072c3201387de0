//! Asks the handler for rows, until each is answered or has failed for good.

use super::answers::{Answer, Answers, Outcome, RowFailure, outcomes_of};
use super::instances::Instances;
use super::metrics::Metrics;
use super::options::RetryOptions;
use super::retry::{Budget, wait};
use super::workers::Workers;
use crate::plugin::{Enriched, ErrorKind, HandlerError, Instance, PluginError};
use crate::sandbox::Egress;
use arrow_array::{RecordBatch, UInt32Array};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{Instrument, debug, info_span, warn};

/// How many rows cross into the component at once: enough that a call costs nothing, and few
/// enough that their copies stay small.
const ROWS_A_CALL: usize = 1000;

/// Asks the handler.
pub(super) struct Asker {
    pub(super) workers: Workers,
    egress: Arc<Egress>,
    retry: RetryOptions,
    budget: Budget,
    /// One for each bundle that may be in the handler at once. A bundle that waits for its next attempt has
    /// none.
    permits: Semaphore,
    metrics: Arc<Metrics>,
}

/// Rows that are to be asked for together.
struct Attempt {
    /// Positions in the batch, ascending.
    rows: Vec<u32>,
    /// From 1.
    number: u32,
    not_before: Option<Instant>,
    /// Whether an instance was lost on them.
    suspect: bool,
}

impl Asker {
    pub(super) fn new(
        workers: Workers,
        egress: Arc<Egress>,
        in_flight: usize,
        retry: RetryOptions,
        metrics: Arc<Metrics>,
    ) -> Self {
        let permits = Semaphore::new(in_flight.max(1));
        Asker { workers, egress, retry, budget: Budget::new(&retry), permits, metrics }
    }

    pub(super) fn egress(&self) -> &Arc<Egress> {
        &self.egress
    }

    /// Asks for all rows of a batch.
    ///
    /// # Errors
    /// An error that another attempt would not change: the handler refuses the configuration, the rows
    /// cannot cross into it, or the store refuses everything (a wrong key, no such service).
    pub(super) async fn ask(&self, rows: &RecordBatch) -> Result<Answers, PluginError> {
        let count = rows.num_rows();
        let mut asking = Asking {
            asker: self,
            rows,
            deadline: Instant::now() + self.retry.deadline,
            answers: Answers { parts: Vec::new(), rows: vec![unanswered(); count], schema: None },
            attempts: Vec::new(),
        };
        if count == 0 {
            return Ok(asking.answers);
        }
        self.budget.deposit(count);
        let all = (0..count as u32).collect();
        asking.attempts.push(Attempt { rows: all, number: 1, not_before: None, suspect: false });
        while let Some(attempt) = asking.attempts.pop() {
            asking.attempt(attempt).await?;
        }
        Ok(asking.answers)
    }

    /// Gives rows to an instance as one bundle.
    async fn bundle(
        &self,
        rows: RecordBatch,
        deadline: Instant,
    ) -> Result<Vec<Enriched>, PluginError> {
        let Ok(_permit) = self.permits.acquire().await else { return Err(PluginError::Finished) };
        let asked = async move |instances: Arc<Instances>| {
            let mut serving = instances.take().await?;
            serving.instance.answer_by(Some(deadline.into_std()));
            let answers = bundle(&mut serving.instance, &rows).await;
            instances.give_back(serving).await;
            answers
        };
        self.workers.run(asked).await?
    }
}

/// A bundle's life, as a DoFn's.
async fn bundle(instance: &mut Instance, rows: &RecordBatch) -> Result<Vec<Enriched>, PluginError> {
    let mut bundle = instance.start_bundle().await?;
    let mut answers = Vec::new();
    let mut from = 0;
    while from < rows.num_rows() {
        let count = ROWS_A_CALL.min(rows.num_rows() - from);
        answers.extend(bundle.process(&rows.slice(from, count)).await?);
        from += count;
    }
    answers.extend(bundle.finish().await?);
    Ok(answers)
}

/// The placeholder of an answer: every row is in one attempt until it has its own.
fn unanswered() -> Answer {
    Answer { outcome: Outcome::Missing, place: None }
}

/// One batch that is being asked for.
struct Asking<'a> {
    asker: &'a Asker,
    rows: &'a RecordBatch,
    deadline: Instant,
    answers: Answers,
    /// What is still to be asked for.
    attempts: Vec<Attempt>,
}

impl Asking<'_> {
    async fn attempt(&mut self, attempt: Attempt) -> Result<(), PluginError> {
        if let Some(time) = attempt.not_before {
            sleep_until(time).await;
        }
        // Waiting for an open breaker is no attempt: the deadline alone limits it.
        while let Some(until) = self.asker.egress.closed_until()
            && until < self.deadline.into_std()
        {
            sleep_until(until.into()).await;
        }
        let metrics = &self.asker.metrics;
        metrics.asked.add(attempt.rows.len() as u64);
        if attempt.number > 1 {
            metrics.retried.add(attempt.rows.len() as u64);
        }
        let rows = take(self.rows, &attempt.rows);
        let span = info_span!("attempt", number = attempt.number, rows = rows.num_rows());
        let asked = self.asker.bundle(rows, self.deadline).instrument(span);
        match timeout_at(self.deadline, asked).await {
            Ok(Ok(answers)) => self.answered(attempt, answers).await,
            Ok(Err(PluginError::Refused(error))) if error.retryable => {
                let failed = attempt.rows.iter().map(|row| (*row, error.clone())).collect();
                self.again(failed, attempt.number).await;
            }
            Ok(Err(
                error
                @ (PluginError::Refused(_) | PluginError::Config(_) | PluginError::Columns(_)),
            )) => return Err(error),
            Ok(Err(error)) => self.lost(attempt, &error),
            Err(_) => {
                metrics.instances_lost.add(1);
                let error = self.past_deadline();
                self.fail(&attempt.rows, &error, attempt.number);
            }
        }
        Ok(())
    }

    /// Takes over the answers, and the rows that failed.
    async fn answered(&mut self, attempt: Attempt, answers: Vec<Enriched>) {
        let mut failed = Vec::new();
        let mut rows = attempt.rows.iter();
        for answer in answers {
            let part = self.answers.part(answer.features.clone());
            for ((at, outcome), row) in (0u32..).zip(outcomes_of(&answer)).zip(&mut rows) {
                match outcome {
                    Ok(outcome) => {
                        let place = Some((part, at));
                        self.answers.rows[*row as usize] = Answer { outcome, place };
                    }
                    Err(error) => failed.push((*row, error.clone())),
                }
            }
        }
        if !failed.is_empty() {
            self.again(failed, attempt.number).await;
        }
    }

    /// Schedules another attempt for failed rows where that is useful, allowed, and possible in time; the
    /// others fail for good.
    async fn again(&mut self, failed: Vec<(u32, HandlerError)>, number: u32) {
        let retry = &self.asker.retry;
        let now = Instant::now();
        let mut wait = wait(retry, number);
        let mut again = Vec::new();
        for (row, mut error) in failed {
            let after = error.retry_after.unwrap_or_default();
            if !error.retryable || number >= retry.max_attempts {
                self.fail(&[row], &error, number);
            } else if now.checked_add(after).is_none_or(|until| until >= self.deadline) {
                error.message = format!(
                    "{}; not tried again: that would be later than the {} that a row may take",
                    error.message,
                    seconds(retry.deadline)
                );
                self.fail(&[row], &error, number);
            } else {
                wait = wait.max(after);
                again.push((row, error));
            }
        }
        if again.is_empty() {
            return;
        }
        // All or none: a part of them would be a bundle of its own.
        if !self.asker.budget.withdraw(again.len(), self.deadline).await {
            for (row, mut error) in again {
                error.message = format!("{}; not tried again: too many others were", error.message);
                self.fail(&[row], &error, number);
            }
            return;
        }
        debug!(
            rows = again.len(),
            attempt = number + 1,
            wait_ms = wait.as_millis() as u64,
            because = %again[0].1,
            "asking for rows again"
        );
        let not_before = (now + wait).min(self.deadline);
        let rows = again.into_iter().map(|(row, _)| row).collect();
        let not_before = Some(not_before);
        self.attempts.push(Attempt { rows, number: number + 1, not_before, suspect: false });
    }

    /// An instance was lost with its bundle. Its rows get a fresh instance. Where that is lost, too, each
    /// half of them gets one, until the row that causes it is alone.
    fn lost(&mut self, attempt: Attempt, error: &PluginError) {
        self.asker.metrics.instances_lost.add(1);
        warn!(rows = attempt.rows.len(), %error, "an instance of the handler was lost");
        let number = attempt.number + 1;
        let suspect = true;
        let mut next =
            |rows| self.attempts.push(Attempt { rows, number, not_before: None, suspect });
        // A call that took too long would take as long again for each half.
        let by_a_row = matches!(error, PluginError::Trap { .. } | PluginError::BrokenPromise(_));
        if !attempt.suspect {
            next(attempt.rows);
        } else if by_a_row && attempt.rows.len() > 1 {
            let (one, other) = attempt.rows.split_at(attempt.rows.len() / 2);
            next(other.to_vec());
            next(one.to_vec());
        } else {
            let kind = ErrorKind::Other(name(error).to_owned());
            self.fail(&attempt.rows, &final_error(kind, error.to_string()), attempt.number);
        }
    }

    fn past_deadline(&self) -> HandlerError {
        let message = format!(
            "no answer within the {} that a row may take; `run.retry.deadline_ms` sets them",
            seconds(self.asker.retry.deadline)
        );
        final_error(ErrorKind::TimedOut, message)
    }

    fn fail(&mut self, rows: &[u32], error: &HandlerError, attempts: u32) {
        let failure = Arc::new(RowFailure { error: error.clone(), attempts });
        for row in rows {
            let outcome = Outcome::Failed(failure.clone());
            self.answers.rows[*row as usize] = Answer { outcome, place: None };
        }
    }
}

fn final_error(kind: ErrorKind, message: String) -> HandlerError {
    HandlerError { kind, message, retryable: false, retry_after: None, http_status: None }
}

/// What ended an instance, in kebab-case as the contract names kinds.
fn name(error: &PluginError) -> &'static str {
    match error {
        PluginError::Trap { .. } => "trapped",
        PluginError::Deadline { .. } => "call-took-too-long",
        PluginError::BrokenPromise(_) => "broken-promise",
        _ => "not-instantiated",
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// The rows at some positions.
pub(super) fn take(rows: &RecordBatch, positions: &[u32]) -> RecordBatch {
    if positions.len() == rows.num_rows() {
        return rows.clone();
    }
    let positions = UInt32Array::from(positions.to_vec());
    arrow_select::take::take_record_batch(rows, &positions).expect("the positions are rows'")
}
