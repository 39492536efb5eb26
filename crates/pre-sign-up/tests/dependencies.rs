//! The function depends on no network, TLS or AWS SDK crate except Lambda's runtime and its dependencies.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::process::Command;

/// The crates besides `lambda_runtime` and its dependencies. Each one costs start-up time.
const ALLOWED: [&str; 55] = [
    "aws_lambda_events",
    "domain",
    "startup",
    // dependencies of `domain`
    "deranged",
    "num_conv",
    "powerfmt",
    "secrecy",
    "strum",
    "thiserror",
    "time",
    "time_core",
    "zeroize",
    // invitation signatures
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
    // international domains
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
    // logs
    "cfg_if",
    "lazy_static",
    "sharded_slab",
    "thread_local",
    "tracing_subscriber",
];

/// Prefixes of crates that call other services than Lambda.
const FORBIDDEN: [&str; 12] = [
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

/// Returns the crates that a package links, without proc macros.
fn dependencies(package: &str) -> BTreeSet<String> {
    let tree = ["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{lib}"];
    let output = Command::new(env!("CARGO")).args(tree).args(["--package", package]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace(" (*)", "")).collect()
}

#[test]
fn depends_only_on_the_runtime_and_listed_crates() {
    let mut expected = dependencies("lambda_runtime");
    expected.extend(ALLOWED.map(str::to_owned));
    expected.insert("pre_sign_up".to_owned());
    let unexpected: Vec<String> = dependencies("pre-sign-up").difference(&expected).cloned().collect();
    assert_eq!(unexpected, Vec::<String>::new());
}

#[test]
fn depends_on_neither_sdk_nor_tls() {
    let found: Vec<String> = dependencies("pre-sign-up")
        .into_iter()
        .filter(|dependency| FORBIDDEN.iter().any(|forbidden| dependency.starts_with(forbidden)))
        .collect();
    assert_eq!(found, Vec::<String>::new());
}
