//! Answers in a Redis that runners share.
//!
//! A value is an Arrow IPC stream of one row, so that any client of Arrow can read it with its types.
//! The outcome of the row and its times are in the schema's metadata.

use super::super::answers::Outcome;
use super::super::error::CacheError;
use super::entry::{Entry, Kept};
use super::memory::Memory;
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema};
use beamlet_egress::tls;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Pipeline, RedisError, TlsCertificates};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tracing::{info, warn};

/// How long a call to Redis may take; after that, asking the store is faster.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long no call is made after one that failed.
const PAUSE: Duration = Duration::from_secs(2);
/// The prefix of every key, with the version of the format.
const NAMESPACE: &str = "beamlet:1";

/// The keys of the schema's metadata: the outcome, and times in milliseconds since the Unix epoch.
const OUTCOME: &str = "beamlet:outcome";
const FRESH_UNTIL: &str = "beamlet:fresh-until";
const KEPT_UNTIL: &str = "beamlet:kept-until";

/// A Redis.
pub(super) struct Redis {
    connection: ConnectionManager,
    /// Host and port, without the rest of the URL.
    address: String,
    /// Whether it was reported that it does not answer.
    is_down: AtomicBool,
    /// `beamlet:1:` and a digest of the handler and the configuration.
    prefix: String,
    started: Instant,
    /// Milliseconds after `started`.
    paused_until: AtomicU64,
}

/// A call that failed, or was not made because one has just failed.
pub(super) struct Failed;

impl Redis {
    /// Connects when it is first used.
    pub(super) fn new(url: &str, scope: &[&str]) -> Result<Self, CacheError> {
        // The URL may hold a password, and so may the library's error.
        let bad = |_| CacheError::Url;
        // The authorities that this machine trusts, as for stores; where it has no list, Mozilla's.
        let authorities =
            if url.starts_with("rediss:") { tls::native_pem() } else { String::new() };
        let client = match authorities.is_empty() {
            true => redis::Client::open(url),
            false => {
                let root_cert = Some(authorities.into_bytes());
                redis::Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert })
            }
        };
        let client = client.map_err(bad)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let address = client.get_connection_info().addr().to_string();
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(bad)?;
        Ok(Redis {
            connection,
            address,
            is_down: AtomicBool::new(false),
            prefix: format!("{NAMESPACE}:{}", short(scope)),
            started: Instant::now(),
            paused_until: AtomicU64::new(0),
        })
    }

    pub(super) async fn get(
        &self,
        keys: &[&[u8]],
        memory: &Memory,
    ) -> Result<Vec<Option<Kept>>, Failed> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut mget = redis::pipe();
        mget.cmd("MGET").arg(keys.iter().map(|key| self.key(key)).collect::<Vec<_>>());
        let (values,): (Vec<Option<Vec<u8>>>,) = self.call(mget).await?;
        // A value that cannot be read is of another version, or not of this program: it counts as absent.
        Ok(values.into_iter().map(|value| value.and_then(|value| read(&value, memory))).collect())
    }

    pub(super) async fn put(&self, entries: &[(Box<[u8]>, Kept)]) -> Result<(), Failed> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut all = redis::pipe();
        let now = Instant::now();
        for (key, entry) in entries {
            let kept = entry.kept_until.saturating_duration_since(now).as_millis() as u64;
            if let Ok(value) = write(entry, now)
                && kept > 0
            {
                all.cmd("SET").arg(self.key(key)).arg(value).arg("PX").arg(kept).ignore();
            }
        }
        self.call(all).await
    }

    /// The configuration and the row as digests, so that a key holds no data.
    fn key(&self, key: &[u8]) -> String {
        format!("{}:{}", self.prefix, hexadecimal(&Sha256::digest(key)))
    }

    async fn call<T: redis::FromRedisValue>(&self, call: Pipeline) -> Result<T, Failed> {
        let now = self.started.elapsed().as_millis() as u64;
        if now < self.paused_until.load(Ordering::Relaxed) {
            return Err(Failed);
        }
        let mut connection = self.connection.clone();
        // The library's own time-outs do not cover the wait for a connection that is being made.
        match tokio::time::timeout(2 * PATIENCE, call.query_async(&mut connection)).await {
            Ok(Ok(value)) => {
                if self.is_down.swap(false, Ordering::Relaxed) {
                    info!("redis at {}: answers again", self.address);
                }
                Ok(value)
            }
            failed => {
                // Reported once, and not with each call, until it answers again.
                if !self.is_down.swap(true, Ordering::Relaxed) {
                    let why = failed.map_or_else(|_| why(None), |it| why(it.err()));
                    warn!(
                        "redis at {}: {why}; rows are asked for without the shared cache until it \
                         answers; see `redis` in [run.cache]",
                        self.address
                    );
                }
                let until = now + PAUSE.as_millis() as u64;
                self.paused_until.store(until, Ordering::Relaxed);
                Err(Failed)
            }
        }
    }
}

/// What is wrong, without the server's own message, which may repeat a password.
fn why(error: Option<RedisError>) -> String {
    match error {
        Some(error) if error.is_io_error() => {
            let cause = std::error::Error::source(&error);
            format!("cannot be reached: {}", cause.map_or(error.to_string(), ToString::to_string))
        }
        Some(error) => format!("refuses: {}", error.category()),
        None => format!("does not answer within {} ms", (2 * PATIENCE).as_millis()),
    }
}

fn short(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hexadecimal(&hash.finalize()[..16])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write(entry: &Arc<Entry>, now: Instant) -> Result<Vec<u8>, ArrowError> {
    let outcome = match entry.outcome {
        Outcome::Missing => "missing",
        Outcome::NullKey => "null-key",
        Outcome::Enriched | Outcome::Failed(_) => "enriched",
    };
    let (features, _) = Entry::features(std::slice::from_ref(entry))?.remove(0);
    let mut metadata = features.schema().metadata().clone();
    metadata.insert(OUTCOME.to_owned(), outcome.to_owned());
    metadata.insert(FRESH_UNTIL.to_owned(), epoch(entry.fresh_until, now).to_string());
    metadata.insert(KEPT_UNTIL.to_owned(), epoch(entry.kept_until, now).to_string());
    let schema = Schema::new_with_metadata(features.schema().fields().clone(), metadata);
    let mut writer = StreamWriter::try_new(Vec::with_capacity(1024), &schema)?;
    writer.write(&features)?;
    writer.into_inner()
}

fn read(value: &[u8], memory: &Memory) -> Option<Arc<Entry>> {
    let mut reader = StreamReader::try_new(value, None).ok()?;
    let features = reader.next()?.ok()?;
    let schema = features.schema();
    let mut metadata = schema.metadata().clone();
    let outcome = match metadata.remove(OUTCOME)?.as_str() {
        "enriched" => Outcome::Enriched,
        "missing" => Outcome::Missing,
        "null-key" => Outcome::NullKey,
        _ => return None,
    };
    let now = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).ok()?);
    let mut time = |name| {
        let at = Duration::from_millis(metadata.remove(name)?.parse().ok()?);
        // A time in the past becomes now, as an instant may not reach back that far.
        Some(now.0 + at.saturating_sub(now.1))
    };
    let times = (time(FRESH_UNTIL)?, time(KEPT_UNTIL)?);
    let schema = Schema::new_with_metadata(schema.fields().clone(), metadata);
    let features = RecordBatch::try_new_with_options(
        schema.into(),
        features.columns().to_vec(),
        &arrow_array::RecordBatchOptions::new().with_row_count(Some(features.num_rows())),
    );
    memory.entry(outcome, &features.ok()?, times)
}

/// An instant to come, in milliseconds since the Unix epoch.
fn epoch(instant: Instant, now: Instant) -> u128 {
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (epoch + instant.saturating_duration_since(now)).as_millis()
}
