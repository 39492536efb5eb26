//! The machine and the tools of a run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde::Serialize;
use time::OffsetDateTime;

/// Where and with what a run measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// The date of the run, in UTC.
    pub(crate) date: String,
    /// The version of Poolkeeper.
    pub(crate) poolkeeper: String,
    /// The name of the processor.
    pub(crate) processor: String,
    /// The number of its cores that the run could use.
    pub(crate) cores: usize,
    /// The name of the kernel's release.
    pub(crate) linux: String,
    /// The version of the compiler.
    pub(crate) rust: String,
    /// The version of Node.js.
    pub(crate) node: String,
}

impl Machine {
    /// Reads the machine. Unknown values are dashes.
    pub(crate) fn read(node: &Path) -> Self {
        let processors = read("/proc/cpuinfo");
        let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            date: OffsetDateTime::now_utc().date().to_string(),
            poolkeeper: env!("CARGO_PKG_VERSION").to_owned(),
            processor: processor.map_or_else(|| env::consts::ARCH.to_owned(), |(_, name)| name.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            linux: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            rust: version(Path::new("rustc")),
            node: version(node),
        }
    }
}

/// The average number of running processes in the last minute.
pub(crate) fn load() -> String {
    read("/proc/loadavg").split(' ').next().unwrap_or("–").to_owned()
}

/// The first Node.js 20 in `PATH`, or else the first Node.js.
pub(crate) fn node() -> Option<PathBuf> {
    let mut found = find("node");
    let twenty = found.iter().position(|node| version(node).starts_with("v20."));
    (!found.is_empty()).then(|| found.swap_remove(twenty.unwrap_or(0)))
}

/// The first valgrind in `PATH`.
pub(crate) fn valgrind() -> Option<PathBuf> {
    find("valgrind").into_iter().next()
}

#[expect(clippy::disallowed_methods, reason = "a development tool that searches for other tools")]
fn find(tool: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(tool)).filter(|file| file.is_file()).collect()
}

fn version(tool: &Path) -> String {
    let output = Command::new(tool).arg("--version").output();
    let output = output.ok().filter(|output| output.status.success()).map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&output).trim().to_owned();
    if version.is_empty() { "–".to_owned() } else { version }
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}
