//! Plugs a handler into a component that imports one: what `wac plug` does, by wac's own library.

use anyhow::{Context, Result};
use clap::Parser;
use std::path::{Path, PathBuf};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, PackageId, plug};

/// Plugs a component's exports into the imports of another.
#[derive(Parser)]
#[command(name = "plug")]
struct Arguments {
    /// The component that imports
    socket: PathBuf,
    /// The component that exports
    #[arg(long, value_name = "FILE")]
    plug: PathBuf,
    /// Where the whole goes
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { socket, plug: handler, output } = Arguments::parse();
    let mut graph = CompositionGraph::new();
    let [imports, exports] = [("socket", socket.as_path()), ("plug", handler.as_path())]
        .map(|(name, file)| register(&mut graph, name, file));
    plug(&mut graph, vec![exports?], imports?)
        .with_context(|| format!("{} cannot be plugged in", handler.display()))?;
    let bytes = graph.encode(EncodeOptions::default())?;
    std::fs::write(&output, bytes)
        .with_context(|| format!("{} cannot be written", output.display()))
}

fn register(graph: &mut CompositionGraph, name: &str, file: &Path) -> Result<PackageId> {
    let package = Package::from_file(name, None, file, graph.types_mut())
        .with_context(|| format!("{} is no component that can be read", file.display()))?;
    Ok(graph.register_package(package)?)
}
