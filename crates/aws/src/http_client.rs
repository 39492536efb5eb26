//! The HTTP client of all AWS clients: the SDK's own with another idle timeout.

use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// How long idle connections are kept: long enough for the calls of one request and for successive requests. A frozen
/// Lambda container does not notice closed connections, and a request without retries fails on a closed connection.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Returns the SDK's default HTTP client with this idle timeout. The SDK's own is 90 s.
pub(crate) fn http_client(idle_timeout: Duration) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .pool_idle_timeout(idle_timeout)
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}
