//! Tests that documents and template name the same parameters, settings, outputs and files as the code.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domain::invitation::{KeyName, OwningStack};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| unreachable!("{path}: {error}"))
}

/// The reference of the deployment.
const REFERENCE: &str = "docs/parameters.md";

/// The names in backticks in the first cells of the table below a heading of the reference.
fn first_cells_below(heading: &str) -> BTreeSet<String> {
    let reference = read(REFERENCE);
    let (_, section) = reference.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n#").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    rows.flat_map(|row| in_backticks(row.split('|').nth(1).unwrap())).collect()
}

fn in_backticks(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The names one level below a top-level key of the template.
fn keys_of(section: &str) -> BTreeSet<String> {
    let template = read("template.yaml");
    let (_, rest) = template.split_once(&format!("\n{section}:\n")).unwrap();
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with(' '));
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    names.filter(|name| !name.starts_with([' ', '#'])).map(str::to_owned).collect()
}

/// Uppercase string literals, such as names of environment variables.
fn variables_in(source: &str) -> BTreeSet<String> {
    let is_variable =
        |text: &&str| text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    source.split('"').skip(1).step_by(2).filter(is_variable).map(str::to_owned).collect()
}

#[test]
fn reference_lists_exactly_the_parameters_of_the_template() {
    let parameters = keys_of("Parameters");
    assert!(parameters.contains("PoolName"), "{parameters:?}");
    assert_eq!(first_cells_below("Parameters"), parameters);
}

#[test]
fn reference_lists_exactly_the_outputs_of_the_template() {
    let outputs = keys_of("Outputs");
    assert!(outputs.contains("ApiUrl"), "{outputs:?}");
    assert_eq!(first_cells_below("Outputs"), outputs);
}

#[test]
fn template_sets_and_reference_lists_the_settings_of_the_functions() {
    let template = read("template.yaml");
    let blocks = template.split("        Variables:\n").skip(1);
    let lines = blocks.flat_map(|block| block.lines().take_while(|line| line.starts_with("          ")));
    let set: BTreeSet<String> = lines.map(|line| line.trim().split(':').next().unwrap().to_owned()).collect();

    let readers = [
        "pre-sign-up",
        "admin-api",
        "authorizer",
        "pool-bootstrap",
        "user-migration",
        "jobs-worker",
        "jobs-exporter",
        "jobs-api",
    ];
    let sources = readers.map(|function| read(&format!("crates/{function}/src/settings.rs")));
    let settings = sources.iter().flat_map(|source| variables_in(source.split_once("#[cfg(test)]").unwrap().0));
    // Lambda itself sets variables that begin with AWS_.
    let known: BTreeSet<String> = settings.filter(|name| !name.starts_with("AWS_")).collect();
    assert_eq!(set, known);

    let reference = read(REFERENCE);
    for variable in &known {
        assert!(reference.contains(&format!("`{variable}`")), "{REFERENCE} does not list {variable}");
    }
}

/// The Markdown files at the top level and below `docs/`.
fn documents() -> Vec<PathBuf> {
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut files = entries(&root());
    files.extend(
        entries(&root().join("examples")).iter().filter(|path| path.is_dir()).map(|path| path.join("README.md")),
    );
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        let (inner, others): (Vec<_>, Vec<_>) = entries(&folder).into_iter().partition(|path| path.is_dir());
        folders.extend(inner);
        files.extend(others);
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    files
}

/// The links of a document to other files or to its own headings.
fn internal_links(text: &str) -> impl Iterator<Item = &str> {
    let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    links.filter(|link| !link.is_empty() && !link.starts_with("http"))
}

/// The anchors of a document's headings, as GitHub and mdBook derive them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let headings = text.lines().filter(|line| {
        is_code ^= line.trim_start().starts_with("```");
        !is_code && line.starts_with('#')
    });
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|character| character.is_alphanumeric() || "-_".contains(*character)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_file_that_a_document_links_to_exists() {
    let documents = documents();
    assert!(documents.iter().any(|path| path.ends_with("docs/operations/index.md")), "{documents:?}");
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let folder = document.parent().unwrap();
        for link in internal_links(&text).filter(|link| !link.starts_with('#')) {
            let exists = folder.join(link.split('#').next().unwrap()).exists();
            assert!(exists, "{} links to {link}", document.display());
        }
    }
}

#[test]
fn every_heading_that_a_document_links_to_exists() {
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for (file, anchor) in internal_links(&text).filter_map(|link| link.split_once('#')) {
            let target = if file.is_empty() { document.clone() } else { document.with_file_name("").join(file) };
            if target.extension().is_some_and(|extension| extension == "md") && target.exists() {
                let found = anchors(&fs::read_to_string(&target).unwrap());
                assert!(found.contains(anchor), "{} links to {file}#{anchor}", document.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "{checked} links");
}

#[test]
fn summary_lists_every_page() {
    let summary = read("docs/SUMMARY.md");
    let docs = root().join("docs");
    for page in documents().iter().filter_map(|path| path.strip_prefix(&docs).ok()) {
        let link = format!("]({})", page.display());
        assert!(page == Path::new("SUMMARY.md") || summary.contains(&link), "docs/SUMMARY.md lacks {link}");
    }
}

#[test]
fn key_names_match_the_permissions_of_the_bootstrap() {
    let stack = OwningStack::of_id("stack/POOL/STACK").unwrap();
    let name = KeyName::of(&"POOL".to_owned().try_into().unwrap(), &stack, 7);
    let names = name.as_str().replace("POOL", "${PoolName}").replace("STACK/7", "*");
    assert!(read("template.yaml").contains(&format!(":parameter{names}\n")), "{names}");
}

/// The names of tests in a text, each with the file that it links to.
fn linked_tests(text: &str) -> Vec<(String, String)> {
    let link = |rest: &str| {
        let (name, rest) = rest.split_once("`](")?;
        let (path, _) = rest.split_once(')')?;
        Some((name.to_owned(), path.to_owned()))
    };
    text.split("[`").skip(1).filter_map(link).collect()
}

/// The rows of the tables that have this last column.
fn rows_with_last_column<'a>(document: &'a str, column: &str) -> Vec<&'a str> {
    let mut rows = vec![];
    let mut is_inside = false;
    for line in document.lines() {
        if !line.starts_with('|') {
            is_inside = false;
        } else if line.ends_with(&format!("| {column} |")) {
            is_inside = true;
        } else if is_inside && !line.starts_with("|---") {
            rows.push(line);
        }
    }
    rows
}

#[test]
fn each_limit_of_the_threat_model_names_a_test() {
    let security = read("SECURITY.md");
    let rows = rows_with_last_column(&security, "test");
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in rows {
        let last_cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(!linked_tests(last_cell).is_empty(), "no test in {row}");
    }
}

#[test]
fn each_test_of_the_threat_model_exists() {
    let security = read("SECURITY.md");
    let tests = linked_tests(&security);
    assert!(tests.len() > 30, "{} tests", tests.len());
    for (name, path) in tests {
        let source = read(&path);
        let has_test = ["fn", "def"].iter().any(|keyword| source.contains(&format!("{keyword} {name}(")));
        assert!(has_test, "SECURITY.md names {name} in {path}");
    }
}
