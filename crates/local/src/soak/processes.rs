//! The running processes of the functions, read from /proc, which only Linux has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::deployment::Deployment;
use crate::invoke::FUNCTIONS;

/// Finds the processes of the functions that one emulator started.
#[derive(Debug)]
pub struct Processes {
    root: PathBuf,
    endpoint_url: String,
    /// The names in the template, by the names on the emulator.
    functions: BTreeMap<String, &'static str>,
}

/// A process of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// The name of the function.
    pub function: &'static str,
    /// The process id.
    pub id: u32,
    /// The current usage.
    pub usage: Usage,
}

/// The memory and descriptors of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The resident memory in kilobytes of 1024 bytes.
    pub memory_kb: u64,
    /// The number of open descriptors.
    pub descriptors: usize,
}

impl Processes {
    /// Returns `None` on a system without /proc.
    #[must_use]
    pub fn of(deployment: &Deployment) -> Option<Self> {
        let root = PathBuf::from("/proc");
        if !root.join("self/status").exists() {
            return None;
        }
        let mut functions = BTreeMap::new();
        for (function, output) in FUNCTIONS {
            // A stack lacks functions that its parameters disable.
            if let Ok(arn) = deployment.stack.output(output) {
                functions.insert(arn.rsplit(':').next().unwrap_or(arn).to_owned(), function);
            }
        }
        Some(Self { root, endpoint_url: deployment.aws.endpoint_url().to_owned(), functions })
    }

    /// The current processes. A process that ends during the call is omitted.
    #[must_use]
    pub fn read(&self) -> Vec<Process> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries.filter_map(|entry| self.process(&entry.path())).collect()
    }

    fn process(&self, folder: &Path) -> Option<Process> {
        let id = folder.file_name()?.to_str()?.parse().ok()?;
        let environment = fs::read(folder.join("environ")).ok()?;
        // Another emulator on this machine can run functions with the same names.
        if variable(&environment, "AWS_ENDPOINT_URL")? != self.endpoint_url {
            return None;
        }
        let function = *self.functions.get(variable(&environment, "AWS_LAMBDA_FUNCTION_NAME")?)?;
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let memory_kb = memory.split_whitespace().next()?.parse().ok()?;
        let descriptors = fs::read_dir(folder.join("fd")).ok()?.count();
        Some(Process { function, id, usage: Usage { memory_kb, descriptors } })
    }
}

/// A variable of an environment in the form of /proc: `NAME=VALUE` pairs that end with a zero byte.
fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a str> {
    let pairs = environment.split(|byte| *byte == 0).filter_map(|pair| str::from_utf8(pair).ok()?.split_once('='));
    pairs.filter(|(variable, _)| *variable == name).map(|(_, value)| value).next()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn add(root: &TempDir, id: &str, endpoint_url: &str, function: &str) {
        let folder = root.path().join(id);
        fs::create_dir_all(folder.join("fd")).unwrap();
        for descriptor in ["0", "1", "7"] {
            fs::write(folder.join("fd").join(descriptor), "").unwrap();
        }
        let environment = format!("X=\0AWS_ENDPOINT_URL={endpoint_url}\0AWS_LAMBDA_FUNCTION_NAME={function}\0");
        fs::write(folder.join("environ"), environment).unwrap();
        fs::write(folder.join("status"), "Name:\tbootstrap\nVmHWM:\t   30000 kB\nVmRSS:\t   21504 kB\n").unwrap();
    }

    #[test]
    fn reads_only_functions_of_the_stack_on_this_emulator() {
        let (ours, other) = ("http://127.0.0.1:4001", "http://127.0.0.1:4002");
        let root = tempfile::tempdir().unwrap();
        add(&root, "41", ours, "demo-AuthApiFunction-1");
        add(&root, "42", other, "demo-AuthApiFunction-1");
        add(&root, "43", ours, "another-function");
        add(&root, "self", ours, "demo-AuthApiFunction-1");
        fs::create_dir(root.path().join("44")).unwrap();
        let functions = BTreeMap::from([("demo-AuthApiFunction-1".to_owned(), "auth-api")]);
        let processes = Processes { root: root.path().to_owned(), endpoint_url: ours.to_owned(), functions };
        let usage = Usage { memory_kb: 21_504, descriptors: 3 };
        assert_eq!(processes.read(), [Process { function: "auth-api", id: 41, usage }]);
    }
}
