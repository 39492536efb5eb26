//! Runs Schemathesis, which `make setup` installs, configured by `schemathesis.toml` and `hooks.py`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// The number of random requests per operation in `make test`, in addition to those that the document determines.
const EXAMPLES: u32 = 30;

/// The result of a run.
pub(crate) struct Report {
    pub(crate) is_success: bool,
    pub(crate) output: String,
}

/// The number of requests, and the seed.
pub(crate) struct Effort {
    examples: u32,
    /// `None` sends the same requests each time, so that `make test` fails only if the API changed.
    seed: Option<u64>,
}

impl Effort {
    /// The effort of `make test`, unless variables of `make contract` override it.
    #[expect(clippy::disallowed_methods, reason = "`make contract` configures the test by variables")]
    pub(crate) fn from_env() -> Self {
        fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
            std::env::var(variable).ok().map(|text| text.parse().ok().unwrap())
        }
        Self { examples: number("POOLKEEPER_TEST_EXAMPLES").unwrap_or(EXAMPLES), seed: number("POOLKEEPER_TEST_SEED") }
    }

    /// Enough requests to find a permanent deviation.
    pub(crate) fn least() -> Self {
        Self { examples: 5, seed: None }
    }
}

/// Tests the API against its document, for these operations, or for all if none are given.
pub(crate) async fn run(api: SocketAddr, effort: Effort, operations: &[&str]) -> Report {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let here = root.join("crates/admin-api/tests/contract");
    let python = root.join(".venv/bin/python");
    assert!(python.exists(), "Schemathesis is not installed; run `make setup` first");
    // The working directory of Schemathesis.
    let folder = tempfile::tempdir().unwrap();
    let which = effort.seed.map_or_else(
        || vec!["--generation-deterministic".to_owned()],
        |seed| vec!["--seed".to_owned(), seed.to_string()],
    );
    // A run with a seed is interactive and can take minutes, so it shows its output.
    let output = || if effort.seed.is_some() { Stdio::inherit() } else { Stdio::piped() };
    let child = Command::new(python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(here.join("schemathesis.toml"))
        .arg("run")
        .arg(root.join("docs/openapi.json"))
        .args(["--url", &format!("http://{api}")])
        .args(["--max-examples", &effort.examples.to_string()])
        .args(which)
        .args(operations.iter().flat_map(|operation| ["--include-name", operation]))
        .current_dir(folder.path())
        // A clean environment without proxies and user settings, and with the same order of Python's sets in every run.
        .env_clear()
        .envs([("LANG", "C.UTF-8"), ("COLUMNS", "120"), ("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")])
        .env("HOME", folder.path())
        .env("SCHEMATHESIS_HOOKS", here.join("hooks.py"))
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = child.wait_with_output().await.unwrap();
    let output = [ended.stdout, ended.stderr].concat();
    Report { is_success: ended.status.success(), output: String::from_utf8_lossy(&output).into_owned() }
}
