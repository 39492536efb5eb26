//! The HTTP client of all AWS clients: the SDK's client with another idle timeout and fewer root certificates.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared;

/// How long idle connections are kept. The time suffices for the calls of one request and for successive requests. A
/// frozen Lambda container does not notice closed connections, and a request without retries can fail on a closed
/// connection.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The certificate authorities that the client trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those of AWS endpoints. Parsing five certificates instead of the system's takes milliseconds off the startup.
    Amazon,
    /// Those of the system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    System,
}

/// Environment variables that set other certificates, or a proxy, which can present its own certificate.
const OTHER_ROOTS: [&str; 9] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "AWS_CA_BUNDLE",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Environment variables that set an endpoint for the clients of this crate.
const ENDPOINTS: [&str; 7] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_SSM",
    "AWS_ENDPOINT_URL_STS",
];

impl Roots {
    /// Selects the root certificates for the endpoints of a region. `lookup` returns environment variables.
    pub(crate) fn of(region: &str, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let has_other_roots = OTHER_ROOTS.iter().any(|name| lookup(name).is_some());
        let is_http = |endpoint: String| endpoint.to_ascii_lowercase().starts_with("http:");
        let has_other_server = ENDPOINTS.iter().any(|name| lookup(name).is_some_and(|endpoint| !is_http(endpoint)));
        if has_other_roots || has_other_server || !is_in_partition_aws(region) { Self::System } else { Self::Amazon }
    }

    fn tls_context(self) -> TlsContext {
        match self {
            Self::Amazon => {
                let roots = TrustStore::empty().with_pem_certificate(include_bytes!("../amazon-roots.pem"));
                TlsContext::builder().with_trust_store(roots).build().unwrap_or_default()
            }
            Self::System => TlsContext::default(),
        }
    }
}

/// Whether the name has the form of regions in the partition `aws`, as in the SDK's `partitions.json`. Other
/// partitions, such as China and the European Sovereign Cloud, can have other certificate authorities.
fn is_in_partition_aws(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    matches!(parts[..], ["us" | "eu" | "ap" | "sa" | "ca" | "me" | "af" | "il" | "mx", _, _])
}

/// Returns the SDK's default HTTP client with this idle timeout and these root certificates. The SDK's own timeout is
/// 90 s.
///
/// All service clients share one connector, because this crate configures connections equally for all. The SDK's own
/// HTTP client would create, and discard, another connector for each service client to validate it.
pub(crate) fn http_client(idle_timeout: Duration, roots: Roots) -> SharedHttpClient {
    let shared = OnceLock::new();
    http_client_fn(move |settings, components| {
        let create = || connector(idle_timeout, roots, Some(settings), Some(components)).into_shared();
        SharedHttpConnector::clone(shared.get_or_init(create))
    })
}

/// Returns the part of the HTTP client that opens and keeps connections.
pub(crate) fn connector(
    idle_timeout: Duration,
    roots: Roots,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> Connector {
    let mut connector = Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(roots.tls_context())
        .pool_idle_timeout(idle_timeout)
        .proxy_config(ProxyConfig::from_env());
    connector.set_connector_settings(settings.cloned());
    connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    connector.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusts_only_amazon_for_endpoints_of_aws() {
        for (region, expected) in [
            ("eu-west-1", Roots::Amazon),
            ("us-east-1", Roots::Amazon),
            ("mx-central-1", Roots::Amazon),
            ("ap-southeast-7", Roots::Amazon),
            ("il-central-1", Roots::Amazon),
            ("us-gov-west-1", Roots::System),
            ("us-iso-east-1", Roots::System),
            ("cn-north-1", Roots::System),
            ("eusc-de-east-1", Roots::System),
            ("", Roots::System),
        ] {
            assert_eq!(Roots::of(region, |_| None), expected, "{region}");
        }
    }

    #[test]
    fn trusts_the_system_if_another_server_can_answer() {
        for (name, value, expected) in [
            ("SSL_CERT_FILE", "/etc/roots.pem", Roots::System),
            ("AWS_CA_BUNDLE", "/etc/roots.pem", Roots::System),
            ("https_proxy", "http://proxy:3128", Roots::System),
            ("AWS_ENDPOINT_URL_IAM", "HTTPS://localhost:4566", Roots::System),
            ("AWS_ENDPOINT_URL", "http://localhost:4566", Roots::Amazon),
        ] {
            let lookup = |wanted: &str| (wanted == name).then(|| value.to_owned());
            assert_eq!(Roots::of("eu-west-1", lookup), expected, "{name}");
        }
    }

    #[test]
    fn trusts_exactly_five_certificates_of_amazon() {
        let context = format!("{:?}", Roots::Amazon.tls_context());
        assert!(context.contains("enable_native_roots: false"), "{context}");
        assert_eq!(include_str!("../amazon-roots.pem").matches("BEGIN CERTIFICATE").count(), 5);
        // The SDK panics on a certificate that it cannot parse.
        connector(IDLE_TIMEOUT, Roots::Amazon, None, None);
    }
}
