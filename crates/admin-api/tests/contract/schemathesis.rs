//! Runs Schemathesis, which `make setup` has installed. What it asks of the API stands in `schemathesis.toml` and `hooks.py`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// How many requests `make test` makes up for each operation, beside those that follow from the document alone.
const EXAMPLES: u32 = 30;

/// What it came to.
pub(crate) struct Report {
    pub(crate) is_success: bool,
    pub(crate) output: String,
}

/// How many requests are made, and which.
pub(crate) struct Effort {
    examples: u32,
    /// `None`: the same ones each time, so that `make test` fails where the API has changed, and for no other reason.
    seed: Option<u64>,
}

impl Effort {
    /// That of `make test`, or what `make contract` asks for.
    #[expect(clippy::disallowed_methods, reason = "a test takes its effort from whoever wants more of it")]
    pub(crate) fn asked_for() -> Self {
        fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
            std::env::var(variable).ok().map(|text| text.parse().ok().unwrap())
        }
        Self { examples: number("POOLKEEPER_TEST_EXAMPLES").unwrap_or(EXAMPLES), seed: number("POOLKEEPER_TEST_SEED") }
    }

    /// Enough to see something that is always there.
    pub(crate) fn least() -> Self {
        Self { examples: 5, seed: None }
    }
}

/// Holds the API to its document: to all of it, or to these operations.
pub(crate) async fn run(api: SocketAddr, effort: Effort, operations: &[&str]) -> Report {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let here = root.join("crates/admin-api/tests/contract");
    let python = root.join(".venv/bin/python");
    assert!(python.exists(), "Schemathesis is not there: run `make setup` first");
    // Whatever it writes, it writes there.
    let folder = tempfile::tempdir().unwrap();
    let which = effort.seed.map_or_else(
        || vec!["--generation-deterministic".to_owned()],
        |seed| vec!["--seed".to_owned(), seed.to_string()],
    );
    // Whoever gives a seed looks on, maybe for minutes.
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
        // Made from nothing: neither proxies nor settings of the user's get in, and Python's sets have one order in every run.
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
