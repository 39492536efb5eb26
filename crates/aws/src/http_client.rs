//! The HTTP client that all clients of AWS share: the SDK's own, but for how long it keeps an idle connection.

use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// A frozen Lambda container does not see its connections die, and what is sent once is not sent again on another one. Long enough for
/// the calls of one request, and for requests in a row.
pub(crate) const KEPT_IDLE: Duration = Duration::from_secs(20);

/// As the SDK makes it where nobody else does; there, idle connections are kept for a minute and a half.
pub(crate) fn http_client(kept_idle: Duration) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .pool_idle_timeout(kept_idle)
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}
