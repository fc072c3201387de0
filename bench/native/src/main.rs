//! One measurement of the Tecton handler's logic compiled natively: the same bundles over the
//! same pooled client, without a sandbox.

use anyhow::{Result, anyhow};
use beamlet_bench_workload::{Bundles, Clock, Options, config};
use beamlet_egress::{Allowed, Destination, Egress, Secrets, Timeouts};
use beamlet_guest::{
    Batch, Bundle, Column, Counters, Enriched, Handler, Method, Request, Response, Transport,
    TransportError, Values,
};
use beamlet_tecton::Tecton;
use bytes::Bytes;
use clap::Parser;
use futures_util::future::select_all;
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use std::thread;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// The transport of a native embedder: a task a request.
struct Pooled(Arc<Egress<Full<Bytes>>>);

impl Transport for Pooled {
    type Call = JoinHandle<Result<Response, TransportError>>;

    fn send(&self, request: Request) -> Self::Call {
        let egress = self.0.clone();
        tokio::spawn(async move { send(&egress, request).await })
    }

    async fn any(&self, calls: &mut Vec<Self::Call>) -> (usize, Result<Response, TransportError>) {
        let (ended, position, _) = select_all(calls.iter_mut()).await;
        drop(calls.swap_remove(position));
        (position, ended.unwrap_or_else(|error| Err(TransportError::Broken(error.to_string()))))
    }
}

async fn send(egress: &Egress<Full<Bytes>>, request: Request) -> Result<Response, TransportError> {
    let broken = |error: &dyn std::fmt::Display| TransportError::Broken(error.to_string());
    let target = &request.target;
    let url = format!("{target}{}", request.path);
    let mut outgoing = match request.method {
        Method::Get => http::Request::get(url),
        Method::Post => http::Request::post(url),
    };
    for (name, value) in &target.headers {
        outgoing = outgoing.header(name, value.as_slice());
    }
    let outgoing = outgoing.body(Full::from(request.body)).map_err(|error| broken(&error))?;
    let answer = egress.send(outgoing, egress.timeouts()).await.map_err(|error| broken(&error))?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|error| broken(&error))?.to_bytes();
    Ok(Response {
        status: head.status.as_u16(),
        retry_after: None,
        location: None,
        body: body.into(),
    })
}

fn main() -> Result<()> {
    let NativeOptions { options, thread_per_core } = NativeOptions::parse();
    let bundles = Arc::new(Bundles::new(&options)?);
    let allowed: Allowed = Destination::of_text(&options.url).into_iter().collect();
    let egress = Egress::new(allowed, Secrets::default(), Timeouts::default());
    let handler = Tecton::new(&config(&options)).map_err(|problems| anyhow!("{problems:?}"))?;
    let native = Native { handler: Arc::new(handler), bundles };
    let clock = Clock::start();
    let (rows, enriched) = match thread_per_core {
        false => Runtime::new()?.block_on(native.run(options.bundles, Arc::new(egress)))?,
        true => native.thread_per_core(&options, &egress)?,
    };
    clock.stop(&options, rows, enriched)
}

/// How the native side is run.
#[derive(Parser)]
struct NativeOptions {
    #[command(flatten)]
    options: Options,
    /// Give each thread a runtime and connections of its own, as the host does, instead of
    /// tokio's threads that take each other's tasks.
    #[arg(long)]
    thread_per_core: bool,
}

/// What all bundles share.
#[derive(Clone)]
struct Native {
    handler: Arc<Tecton>,
    bundles: Arc<Bundles>,
}

impl Native {
    /// Works on so many bundles at once.
    async fn run(self, workers: usize, egress: Arc<Egress<Full<Bytes>>>) -> Result<(u64, u64)> {
        let workers: Vec<_> = (0..workers)
            .map(|_| {
                let transport = Arc::new(Pooled(egress.clone()));
                tokio::spawn(work(self.handler.clone(), transport, self.bundles.clone()))
            })
            .collect();
        let (mut rows, mut enriched) = (0, 0);
        for worker in workers {
            let (answered, found) = worker.await??;
            rows += answered;
            enriched += found;
        }
        Ok((rows, enriched))
    }

    fn thread_per_core(
        &self,
        options: &Options,
        egress: &Egress<Full<Bytes>>,
    ) -> Result<(u64, u64)> {
        let threads = options.threads();
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let (native, egress) = (self.clone(), Arc::new(egress.fork()));
                let workers = (thread..options.bundles).step_by(threads).len();
                thread::spawn(move || {
                    let runtime = Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(native.run(workers, egress))
                })
            })
            .collect();
        let (mut rows, mut enriched) = (0, 0);
        for thread in threads {
            let (answered, found) = thread.join().map_err(|_| anyhow!("a thread panicked"))??;
            rows += answered;
            enriched += found;
        }
        Ok((rows, enriched))
    }
}

async fn work(
    handler: Arc<Tecton>,
    transport: Arc<Pooled>,
    bundles: Arc<Bundles>,
) -> Result<(u64, u64)> {
    let counters = Arc::new(Counters::default());
    let (mut rows, mut enriched) = (0, 0);
    while let Some(keys) = bundles.next() {
        let column = Column {
            name: "tailnum".to_owned(),
            values: Values::Strings(keys.into_iter().collect()),
            nulls: Vec::new(),
        };
        let batch = Batch { rows: column.values.len() as u32, columns: vec![column] };
        let mut bundle = Bundle::new(handler.clone(), transport.clone(), counters.clone());
        let failed = |error: beamlet_guest::Error| anyhow!("{}", error.message);
        let mut answers = bundle.process(&batch).await.map_err(failed)?;
        answers.extend(bundle.finish().await.map_err(failed)?);
        for answer in &answers {
            let Enriched { fields, missing, null_keys, failures } = answer;
            rows += u64::from(fields.rows);
            enriched +=
                u64::from(fields.rows) - (missing.len() + null_keys.len() + failures.len()) as u64;
        }
    }
    Ok((rows, enriched))
}
