//! What the function is made of: beside Lambda's runtime and what that brings, no network, no TLS, no AWS SDK.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::process::Command;

/// Everything beside `lambda_runtime` and its own dependencies. A new line here is a decision: it costs start-up time.
const BESIDE_THE_RUNTIME: [&str; 56] = [
    "aws_lambda_events",
    "domain",
    "startup",
    // what `domain` is made of
    "backon",
    "deranged",
    "fastrand",
    "num_conv",
    "powerfmt",
    "secrecy",
    "thiserror",
    "time",
    "time_core",
    "zeroize",
    // what checks invitations
    "base64ct",
    "block_buffer",
    "const_oid",
    "cpufeatures",
    "crypto_common",
    "curve25519_dalek",
    "der",
    "digest",
    "ed25519",
    "ed25519_dalek",
    "hybrid_array",
    "pem_rfc7468",
    "pkcs8",
    "sha2",
    "signature",
    "spki",
    "subtle",
    "typenum",
    // what reads domains and addresses
    "icu_collections",
    "icu_locale_core",
    "icu_normalizer",
    "icu_normalizer_data",
    "icu_properties",
    "icu_properties_data",
    "icu_provider",
    "idna",
    "idna_adapter",
    "litemap",
    "potential_utf",
    "stable_deref_trait",
    "tinystr",
    "utf8_iter",
    "utf_types",
    "writeable",
    "yoke",
    "zerofrom",
    "zerotrie",
    "zerovec",
    // what writes the logs
    "cfg_if",
    "lazy_static",
    "sharded_slab",
    "thread_local",
    "tracing_subscriber",
];

/// What would talk to something else than Lambda.
const UNWANTED: [&str; 12] = [
    "aws_config",
    "aws_credential",
    "aws_lc",
    "aws_runtime",
    "aws_sdk",
    "aws_sig",
    "aws_smithy",
    "native_tls",
    "openssl",
    "reqwest",
    "ring",
    "rustls",
];

/// The crates that a package is built from, by name, without what only runs at compile time.
fn dependencies(package: &str) -> BTreeSet<String> {
    let tree = ["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{lib}"];
    let output = Command::new(env!("CARGO")).args(tree).args(["--package", package]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace(" (*)", "")).collect()
}

#[test]
fn nothing_but_the_listed_crates_comes_beside_the_runtime() {
    let mut expected = dependencies("lambda_runtime");
    expected.extend(BESIDE_THE_RUNTIME.map(str::to_owned));
    expected.insert("pre_sign_up".to_owned());
    let unexpected: Vec<String> = dependencies("pre-sign-up").difference(&expected).cloned().collect();
    assert_eq!(unexpected, Vec::<String>::new());
}

#[test]
fn neither_the_sdk_nor_tls_comes_by_any_way() {
    let found: Vec<String> = dependencies("pre-sign-up")
        .into_iter()
        .filter(|dependency| UNWANTED.iter().any(|unwanted| dependency.starts_with(unwanted)))
        .collect();
    assert_eq!(found, Vec::<String>::new());
}
