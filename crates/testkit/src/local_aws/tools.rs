//! The paths of tools and built functions.

use std::env;
use std::path::{Path, PathBuf};

use super::error::LocalAwsError;

/// The tools that `make setup` installs, and the builds of `make build-local`.
#[derive(Debug, Clone)]
pub struct Tools {
    root: PathBuf,
    target: PathBuf,
    search_path: String,
}

impl Tools {
    /// Finds the tools relative to the workspace of this build.
    ///
    /// # Errors
    /// Returns an error if `make setup` was not run or its Python was removed.
    #[expect(clippy::disallowed_methods, reason = "a development tool that reads variables of cargo and make")]
    pub fn find() -> Result<Self, LocalAwsError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().unwrap_or(root);
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
        let tools = Self { root, target, search_path: env::var("PATH").unwrap_or_default() };
        tools.program("python")?;
        Ok(tools)
    }

    /// A program of `.venv`.
    pub(super) fn program(&self, name: &str) -> Result<PathBuf, LocalAwsError> {
        let folder = self.root.join(".venv");
        if !folder.is_dir() {
            return Err(LocalAwsError::NoTools { folder });
        }
        let program = folder.join("bin").join(name);
        // `python` links to the interpreter that created `.venv`, which may have been removed.
        if program.exists() { Ok(program) } else { Err(LocalAwsError::ToolGone { program }) }
    }

    /// The script that starts cognito-local, for the `node` of `.venv`.
    ///
    /// # Errors
    /// Returns an error if `make cognito-local` was not run.
    pub(crate) fn cognito_local(&self) -> Result<PathBuf, LocalAwsError> {
        let script = self.root.join(".venv/cognito-local/node_modules/cognito-local/lib/bin/start.js");
        if script.is_file() { Ok(script) } else { Err(LocalAwsError::NoCognitoLocal { script }) }
    }

    /// The template that `make build-local` builds.
    ///
    /// # Errors
    /// Returns an error if it is not built.
    pub fn built_template(&self) -> Result<PathBuf, LocalAwsError> {
        self.built("sam/local/build/template.yaml", "make build-local")
    }

    /// The directory of recordings. `make test` empties it before the tests.
    pub(super) fn recordings(&self) -> PathBuf {
        self.target.join("oracle/recorded")
    }

    /// The template that `make build` builds for AWS.
    ///
    /// # Errors
    /// Returns an error if it has not been built.
    pub fn template_for_aws(&self) -> Result<PathBuf, LocalAwsError> {
        self.built("sam/aws/build/template.yaml", "make build")
    }

    fn built(&self, path: &str, command: &'static str) -> Result<PathBuf, LocalAwsError> {
        let template = self.target.join(path);
        if template.is_file() { Ok(template) } else { Err(LocalAwsError::NotBuilt { command, template }) }
    }

    /// The target directory.
    #[must_use]
    pub fn target_folder(&self) -> &Path {
        &self.target
    }

    pub(super) fn path_variable(&self) -> String {
        format!("{}:{}", self.root.join(".venv/bin").display(), self.search_path)
    }

    pub(super) fn sam_folder(&self) -> String {
        self.root.join(".venv/sam").display().to_string()
    }
}

/// The processor of this machine as a value of the template's parameter `Architecture`.
#[must_use]
pub fn host_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}
