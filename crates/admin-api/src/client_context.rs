//! Where a request of a person comes from, for Cognito's threat protection.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use domain::sessions::ClientContext;
use http::request::Parts;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

/// Headers that tell browsers apart. Those that carry credentials are never handed on.
const TELLING: [&str; 4] = ["accept", "accept-encoding", "accept-language", "user-agent"];

/// What Cognito's context data library collected on the person's device, as an application hands it on.
const DEVICE_DATA: &str = "x-device-data";

/// The caller's end of the line.
pub(crate) struct CameFrom(pub(crate) ClientContext);

impl<S: Sync> FromRequestParts<S> for CameFrom {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let context = parts.extensions.request_context_ref();
        let telling = TELLING.iter().filter_map(|name| Some(((*name).to_owned(), header(name)?)));
        Ok(Self(ClientContext {
            ip_address: context.and_then(ip_address),
            server_name: context.and_then(domain_name).or_else(|| header("host")).unwrap_or_default(),
            server_path: parts.uri.path().to_owned(),
            headers: telling.collect(),
            device_data: header(DEVICE_DATA),
        }))
    }
}

/// As API Gateway saw it. `X-Forwarded-For` is what the caller says.
fn ip_address(context: &RequestContext) -> Option<String> {
    match context {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.clone(),
        _ => None,
    }
}

fn domain_name(context: &RequestContext) -> Option<String> {
    match context {
        RequestContext::ApiGatewayV2(context) => context.domain_name.clone(),
        RequestContext::ApiGatewayV1(context) => context.domain_name.clone(),
        _ => None,
    }
}
