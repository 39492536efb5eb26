//! The SDK configuration of the peers, as a function for Lambda would have it: credentials and region from the
//! environment, one HTTP client, and Amazon's root certificates in place of the system's.
#![cfg(feature = "sdk")]

use std::env;
use std::error::Error;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

const AMAZON_ROOTS: &[u8] = include_bytes!("../../../aws/amazon-roots.pem");

/// Reads the configuration from the environment. Sends no request.
///
/// # Errors
///
/// Returns an error if the HTTP client cannot be built.
pub async fn sdk_config() -> Result<SdkConfig, Box<dyn Error + Send + Sync>> {
    let tls = TlsContext::builder().with_trust_store(trust_store()).build()?;
    let http_client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls).build_https();
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(EnvironmentVariableRegionProvider::new())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .http_client(http_client);
    // Boxed, because the future holds tens of kilobytes.
    Ok(Box::pin(loader.load()).await)
}

/// Returns Amazon's roots, or the system's if a certificate bundle or an HTTPS endpoint is configured.
#[expect(clippy::disallowed_methods, reason = "a peer has no settings to test")]
fn trust_store() -> TrustStore {
    let has_bundle = ["SSL_CERT_FILE", "AWS_CA_BUNDLE"].iter().any(|variable| env::var_os(variable).is_some());
    let has_endpoint = env::var("AWS_ENDPOINT_URL").is_ok_and(|url| url.starts_with("https:"));
    if has_bundle || has_endpoint {
        TrustStore::default()
    } else {
        TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
    }
}
