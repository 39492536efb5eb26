//! Query parameters. Rejects duplicate and unknown parameters by name.

use std::collections::BTreeSet;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;

use crate::http::error::ApiError;

/// The parameters of a request. Take the known ones, then call [`Parameters::finish`].
pub(crate) struct Parameters {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let unreadable =
            || ApiError::InvalidRequest { field: None, detail: "The query string cannot be decoded.".to_owned() };
        let Query(left) = Query::from_request_parts(parts, state).await.map_err(|_| unreadable())?;
        Ok(Self { left, known: Vec::new() })
    }
}

impl Parameters {
    /// The distinct names of the remaining parameters, unvalidated until [`Parameters::finish`].
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.left.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Takes a parameter that can occur once.
    pub(crate) fn take(&mut self, name: &'static str) -> Result<Option<String>, ApiError> {
        let mut values = self.take_all(name);
        if values.len() > 1 {
            return Err(ApiError::invalid(name, "Duplicate parameter."));
        }
        Ok(values.pop())
    }

    /// Takes a parameter that can be repeated.
    pub(crate) fn take_all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        self.left.extract_if(.., |(found, _)| found == name).map(|(_, value)| value).collect()
    }

    /// Rejects parameters that were not taken.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => {
                let known: Vec<_> = self.known.iter().map(|name| format!("`{name}`")).collect();
                let detail = format!("Unknown parameter; expected one of {}.", known.join(", "));
                Err(ApiError::invalid(&name.chars().take(MAX_NAME_CHARS).collect::<String>(), detail))
            }
        }
    }
}

/// The maximum length of an unknown name in an error.
const MAX_NAME_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    async fn parameters(query: &str) -> Result<Parameters, ApiError> {
        let request = http::Request::get(format!("/?{query}")).body(()).unwrap();
        Parameters::from_request_parts(&mut request.into_parts().0, &()).await
    }

    fn field<T>(outcome: Result<T, ApiError>) -> Option<String> {
        match outcome {
            Err(ApiError::InvalidRequest { field, .. }) => field,
            Err(error) => panic!("{error}"),
            Ok(_) => None,
        }
    }

    #[tokio::test]
    async fn takes_known_parameters_and_rejects_unknown_ones() {
        let mut found = parameters("a=1&b=%22+%2B&c=x&c=y").await.unwrap();
        assert_eq!(found.take("a").unwrap().as_deref(), Some("1"));
        assert_eq!(found.take("b").unwrap().as_deref(), Some("\" +"));
        assert_eq!(found.take("absent").unwrap(), None);
        assert_eq!(found.take_all("c"), ["x", "y"]);
        assert_eq!(field(found.finish()), None);

        let mut found = parameters("a=1&filter=x").await.unwrap();
        found.take("a").unwrap();
        assert_eq!(field(found.finish()).as_deref(), Some("filter"));
    }

    #[tokio::test]
    async fn rejects_duplicate_parameter() {
        assert_eq!(field(parameters("a=1&a=1").await.unwrap().take("a")).as_deref(), Some("a"));
    }

    #[tokio::test]
    async fn truncates_long_unknown_name() {
        let outcome = parameters(&format!("{}=1", "x".repeat(500))).await.unwrap().finish();
        assert_eq!(field(outcome).map(|name| name.len()), Some(MAX_NAME_CHARS));
    }
}
