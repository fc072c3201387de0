//! The engine that all components of a process share: compiler, cache, epochs, linker.

use super::state::State;
use beamlet_egress::setters;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wasmtime::component::Linker;
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

/// How often a running component yields: the resolution of deadlines, and how long one instance may
/// keep a thread while others wait.
const EPOCH: Duration = Duration::from_millis(10);

/// How to set up a [`Runtime`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuntimeOptions {
    /// Where compiled components are kept; `None` compiles anew each time.
    pub cache: Option<PathBuf>,
    /// How many instances there may be at once.
    pub max_instances: u32,
    /// Count the fuel that components use: about one unit an instruction of WebAssembly. For
    /// measurements, as it slows components down.
    pub count_fuel: bool,
}

/// No cache; 256 instances; fuel is not counted.
impl Default for RuntimeOptions {
    fn default() -> Self {
        RuntimeOptions { cache: None, max_instances: 256, count_fuel: false }
    }
}

setters!(RuntimeOptions {
    cache: Option<PathBuf>,
    max_instances: u32,
    count_fuel: bool,
});

/// The runtime could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly runtime could not be set up: {0:#}")]
pub struct RuntimeError(#[from] wasmtime::Error);

/// Compiles components and runs them. Cheap to clone: all clones share one engine.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Arc<Linker<State>>,
    /// The fuel used, where it is counted.
    pub(crate) fuel: Option<Arc<AtomicU64>>,
}

impl Runtime {
    /// Sets up a runtime.
    ///
    /// # Errors
    /// The machine cannot run the engine, or the cache's directory cannot be used.
    pub fn new(options: &RuntimeOptions) -> Result<Self, RuntimeError> {
        let engine = match Engine::new(&config(options, pooling(options))?) {
            Ok(engine) => engine,
            // Where address space is short (a container's limit), instances are made on demand.
            Err(_) => Engine::new(&config(options, InstanceAllocationStrategy::OnDemand)?)?,
        };
        let mut linker = Linker::new(&engine);
        link(&mut linker)?;
        tick(&engine);
        let fuel = options.count_fuel.then(Arc::default);
        Ok(Runtime { engine, linker: Arc::new(linker), fuel })
    }

    /// The fuel that components have used in calls that have ended; 0 where it is not counted.
    pub fn fuel(&self) -> u64 {
        self.fuel.as_ref().map_or(0, |fuel| fuel.load(Ordering::Relaxed))
    }
}

/// Links what every component is given; see also [`denied`](super::denied).
fn link(linker: &mut Linker<State>) -> Result<(), wasmtime::Error> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView};
    use wasmtime_wasi::p2::bindings::{cli, random};
    use wasmtime_wasi::random::{WasiRandom, WasiRandomView};

    // Streams, clocks, random numbers; standard input, which is empty, and standard output and error,
    // which are kept for messages.
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    // The seeds of hash maps, and how a program ends.
    random::insecure::add_to_linker::<_, WasiRandom>(linker, State::random)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, State::random)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    Ok(())
}

fn config(
    options: &RuntimeOptions,
    allocation: InstanceAllocationStrategy,
) -> Result<Config, wasmtime::Error> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.consume_fuel(options.count_fuel);
    // Host calls cost a fifth without it, and WASI 0.2 has no use for it.
    config.concurrency_support(false);
    config.allocation_strategy(allocation);
    if let Some(directory) = &options.cache {
        let mut cache = CacheConfig::new();
        cache.with_directory(directory);
        config.cache(Some(Cache::new(cache)?));
    }
    Ok(config)
}

fn pooling(options: &RuntimeOptions) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    let instances = options.max_instances;
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(8))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(2))
        .total_stacks(instances)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(256 << 10);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Advances the epoch for as long as the engine lives.
fn tick(engine: &Engine) {
    let engine = engine.weak();
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(EPOCH);
        }
    };
    // Without the thread there would be no deadlines, so that the process ends.
    std::thread::Builder::new()
        .name("beamlet-epoch".to_owned())
        .spawn(ticker)
        .expect("a thread can be started");
}
