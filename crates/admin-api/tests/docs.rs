//! Tests that the page of `make docs` contains the unchanged document and loads no other resources.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// Renders a document with `docs/render.py`.
fn page_of(document: &Value) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".venv/bin/python");
    assert!(python.exists(), "Redoc is not installed; run `make setup` first");
    let folder = tempfile::tempdir().unwrap();
    let [source, target] = ["openapi.json", "new/api.html"].map(|name| folder.path().join(name));
    fs::write(&source, document.to_string()).unwrap();
    let run = Command::new(python).arg(root.join("docs/render.py")).args([&source, &target]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    fs::read_to_string(target).unwrap()
}

/// The `script` elements of a page, delimited as in a browser.
fn scripts_of(page: &str) -> Vec<&str> {
    let (_, body) = page.split_once("<body>").unwrap();
    let parts = body.split("</script>").map(|part| part.split_once("<script").map_or("", |(_, script)| script));
    parts.filter_map(|script| script.split_once('>').map(|(_, text)| text)).collect()
}

#[test]
fn page_contains_the_unchanged_document() {
    let hostile = "</script><!-- <script>alert('@SCRIPT@ @TITLE@ \\1 \u{2028} м')</SCRIPT > -->";
    let document = json!({"openapi": "3.1.0", "info": {"title": hostile, "version": "1"}, "paths": {}});
    let page = page_of(&document);
    let scripts = scripts_of(&page);
    assert_eq!(scripts.len(), 3, "Redoc, the document, and the start");
    assert_eq!(serde_json::from_str::<Value>(scripts[1]).unwrap(), document);
    assert!(scripts.iter().all(|script| !script.to_lowercase().contains("</script") && !script.contains("<!--")));
    assert!(page.contains("<title>&lt;/script&gt;&lt;!-- "));
}

#[test]
fn page_loads_no_resources() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")).unwrap();
    let page = page_of(&serde_json::from_str(&document).unwrap());
    let (head, body) = page.split_once("</head>").unwrap();
    assert!(
        head.contains("default-src 'none'; img-src data:;") && !head.contains("http://") && !head.contains("https://")
    );
    assert!(!body.contains("cdn.redoc.ly"), "Redoc loads a resource");
    assert!(
        body.contains("ReDoc - OpenAPI/Swagger-generated API Reference Documentation"),
        "the licenses are included"
    );
}
