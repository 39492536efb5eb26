//! Downloads the public keys that verify the tokens of a user pool.

use std::time::Duration;

use crate::http_requests::{HttpRequestError, HttpRequests};

/// The environment variables with another endpoint of Cognito, in the order in which the SDK reads them.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL"];

/// Downloads JWKS documents
/// ([AWS](https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html)).
#[derive(Debug, Clone)]
pub struct TokenKeys {
    requests: HttpRequests,
    /// The endpoint of an emulator or a proxy. It has no host with the name in the issuer.
    endpoint: Option<String>,
}

impl TokenKeys {
    /// Downloads keys from a region. `lookup` returns environment variables.
    pub fn new(region: &str, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let endpoint = ENDPOINTS.iter().find_map(|variable| lookup(variable).filter(|url| !url.is_empty()));
        Self { requests: HttpRequests::new(region, lookup), endpoint }
    }

    /// Downloads the JWKS document of the user pool with this issuer. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns an error unless the whole document arrives in time.
    pub async fn jwks(&self, issuer: &str, timeout: Duration) -> Result<Vec<u8>, HttpRequestError> {
        self.requests.get(&self.url(issuer), timeout).await
    }

    fn url(&self, issuer: &str) -> String {
        let base = match (&self.endpoint, issuer.rsplit_once('/')) {
            (Some(endpoint), Some((_, user_pool_id))) => format!("{}/{user_pool_id}", endpoint.trim_end_matches('/')),
            _ => issuer.to_owned(),
        };
        format!("{base}/.well-known/jwks.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi";

    #[test]
    fn downloads_from_issuer_unless_environment_names_an_endpoint() {
        type Variables = &'static [(&'static str, &'static str)];
        let table: [(Variables, &str); 5] = [
            (&[], ISSUER),
            (&[("AWS_ENDPOINT_URL", "")], ISSUER),
            (&[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")], "http://127.0.0.1:4566/eu-west-1_aBcDeFgHi"),
            (&[("AWS_ENDPOINT_URL_IAM", "http://iam")], ISSUER),
            (&[("AWS_ENDPOINT_URL", "http://a"), (ENDPOINTS[0], "http://b/")], "http://b/eu-west-1_aBcDeFgHi"),
        ];
        for (variables, expected) in table {
            let lookup = |name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let url = TokenKeys::new("eu-west-1", lookup).url(ISSUER);
            assert_eq!(url, format!("{expected}/.well-known/jwks.json"), "{variables:?}");
        }
    }
}
