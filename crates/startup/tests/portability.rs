//! Tests that the Makefile and the shell scripts need neither GNU tools nor newer versions of bash and make than macOS
//! has: bash 3.2 and make 3.81.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Tools whose long options, and these short options, only GNU has.
const OPTIONS: [(&str, &str); 23] = [
    ("base64", "w"),
    ("cmp", ""),
    ("cp", "tT"),
    ("cut", "z"),
    ("date", "d"),
    ("find", ""),
    ("grep", "P"),
    ("head", ""),
    ("ln", "rT"),
    ("mkdir", ""),
    ("mktemp", "p"),
    ("mv", "tT"),
    ("readlink", "efm"),
    ("rm", ""),
    ("sed", "irz"),
    ("sort", "V"),
    ("stat", "c"),
    ("strip", "s"),
    ("tail", ""),
    ("touch", ""),
    ("tr", ""),
    ("wc", ""),
    ("xargs", "d"),
];

/// Programs and builtins that macOS lacks.
const MISSING: [&str; 9] =
    ["coproc", "mapfile", "nproc", "readarray", "realpath", "sha256sum", "tac", "timeout", "-printf"];

/// Syntax of bash 4 and later.
const BASH: [&str; 10] =
    ["declare -A", "declare -n", "local -A", "local -n", "wait -n", ",,}", "^^}", "@Q}", "|&", "&>>"];

/// Syntax of make 3.82 and later.
const MAKE: [&str; 8] = ["$(file ", "$(let ", ".ONESHELL", " != ", "&:", "::=", "private ", "undefine "];

/// Programs of `.venv`, which make 3.81 of macOS finds only by their path at the beginning of a recipe line.
const IN_VENV: [&str; 7] = ["aws", "cargo-lambda", "cfn-lint", "node", "pip", "python", "sam"];

/// What macOS lacks in a line of a script or of a recipe.
fn missing_in_shell(line: &str) -> Option<String> {
    if let Some(syntax) = BASH.iter().find(|syntax| line.contains(**syntax)) {
        return Some((*syntax).to_owned());
    }
    let words: Vec<&str> =
        line.split(|c: char| c.is_whitespace() || "()|&;$@`\"'".contains(c)).filter(|word| !word.is_empty()).collect();
    let mut tool = "";
    for word in words {
        if MISSING.contains(&word) {
            return Some(word.to_owned());
        }
        let Some(option) = word.strip_prefix('-') else {
            tool = word;
            continue;
        };
        let of_gnu = OPTIONS.iter().find(|(name, _)| *name == tool).map(|(_, letters)| *letters);
        let is_long = option.len() > 1 && option.starts_with('-');
        if of_gnu.is_some_and(|letters| is_long || option.contains(|c| letters.contains(c))) {
            return Some(format!("{tool} {word}"));
        }
    }
    None
}

/// What macOS lacks in a line of the Makefile.
fn missing_in_makefile(line: &str) -> Option<String> {
    let Some(recipe) = line.strip_prefix('\t') else {
        let syntax = MAKE.iter().find(|syntax| line.contains(**syntax)).map(|syntax| (*syntax).to_owned());
        return syntax.or_else(|| missing_in_shell(line));
    };
    let program = recipe.trim_start_matches('@').split(' ').next().filter(|program| IN_VENV.contains(program));
    program.map(str::to_owned).or_else(|| missing_in_shell(recipe))
}

/// The shell scripts of the repository.
fn scripts() -> Vec<PathBuf> {
    let folders = ["scripts", ".ci", "crates/local/tests/real_clients"].map(|folder| Path::new(ROOT).join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let is_script = |path: &PathBuf| fs::read(path).is_ok_and(|text| text.starts_with(b"#!/usr/bin/env bash\n"));
    files.filter(is_script).collect()
}

#[track_caller]
fn expect_portable(path: &Path, missing: impl Fn(&str) -> Option<String>) {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim_start().starts_with('#'));
    let found: Vec<String> = lines.filter_map(|(line, number)| Some(format!("{number}: {}", missing(line)?))).collect();
    assert_eq!(found, [""; 0], "{} needs what macOS lacks", path.display());
}

#[test]
fn scripts_run_on_macos() {
    let scripts = scripts();
    assert!(scripts.len() >= 9, "{scripts:?}");
    for script in scripts {
        expect_portable(&script, missing_in_shell);
    }
}

#[test]
fn makefile_runs_on_macos() {
    expect_portable(&Path::new(ROOT).join("Makefile"), missing_in_makefile);
}

#[test]
fn finds_what_macos_lacks() {
    for (line, missing, accepted) in [
        ("  cmp --silent a b || exit", "cmp --silent", "  cmp -s a b || exit"),
        ("x=$(readlink -f \"$0\")", "readlink -f", "x=$(readlink \"$0\")"),
        ("sed -i 's/a/b/' file", "sed -i", "sed -n 's/a/b/p' file"),
        ("grep -qP '\\d' file", "grep -qP", "grep -qE '[0-9]' file"),
        ("make --jobs=$(nproc)", "nproc", "make --jobs=2 processor"),
        ("mapfile -t lines <file", "mapfile", "while read -r line; do :; done <file"),
        ("echo \"${name,,}\"", ",,}", "echo \"${name%,*}\""),
        ("declare -A table", "declare -A", "declare -a table"),
    ] {
        assert_eq!(missing_in_shell(line).as_deref(), Some(missing));
        assert_eq!(missing_in_shell(accepted), None);
    }
    for (line, missing, accepted) in [
        ("\t@sam build", "sam", "\t@$(VENV)/bin/sam build"),
        ("HOST != rustc -vV", " != ", "HOST := $(shell rustc -vV)"),
        ("a b &: c", "&:", "a b: c"),
        ("\t@rm --force a", "rm --force", "\t@rm -f a"),
    ] {
        assert_eq!(missing_in_makefile(line).as_deref(), Some(missing));
        assert_eq!(missing_in_makefile(accepted), None);
    }
}
