#![doc = include_str!("../README.md")]

mod error;
#[allow(
    missing_docs,
    unreachable_pub,
    unused_imports,
    elided_lifetimes_in_paths,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    rustdoc::invalid_html_tags,
    reason = "generated code"
)]
mod generated;
mod pages;
mod retries;
mod secret;
mod session;
mod token_source;

use std::time::Duration;

use reqwest::redirect::Policy;

pub use error::ApiError;
pub use generated::{Client, Error, ResponseValue, builder, types};
pub use pages::{Page, items};
pub use retries::Retries;
pub use secret::Secret;
pub use session::Session;
pub use token_source::{SignIn, TokenError, TokenSource};

/// The timeout of a request. API Gateway responds within 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(35);

/// Creates a client of the API at `url`, the output `ApiUrl` of the stack, with the default [`Retries`].
///
/// The first operation that requires a token requests one from `tokens`.
///
/// # Errors
/// Returns an error if the HTTP client cannot be created.
pub fn connect(url: &str, tokens: impl TokenSource + 'static) -> reqwest::Result<Client> {
    // A redirect would send passwords and refresh tokens to another host.
    let http = reqwest::Client::builder().timeout(TIMEOUT).redirect(Policy::none()).build()?;
    Ok(Client::new_with_client(url.trim_end_matches('/'), http, Session::new(tokens, Retries::default())))
}
