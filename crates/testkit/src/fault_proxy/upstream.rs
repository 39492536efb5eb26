//! Forwards requests to the service.
//!
//! Each request has its own connection, because the service could close a reused connection, which would be an
//! unplanned fault.

use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper::Uri;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, TRANSFER_ENCODING};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::answers::Answer;
use super::request::Request;

pub(super) struct Upstream {
    authority: String,
}

impl Upstream {
    /// Parses the URL of the service.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        let authority = url.authority().filter(|authority| authority.port().is_some())?;
        let is_plain = url.scheme_str() == Some("http") && matches!(url.path(), "" | "/");
        is_plain.then(|| Self { authority: authority.to_string() })
    }

    /// Forwards a request. Returns the reason if the service is unreachable.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer, String> {
        self.exchange(request).await.map_err(|error| {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                text = format!("{text}: {error}");
                source = error.source();
            }
            text
        })
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) =
            http1::Builder::new().preserve_header_case(true).handshake(TokioIo::new(stream)).await?;
        let request = hyper::Request::from_parts(request.head, Full::new(request.body));
        let answered = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            hyper::Result::Ok(Answer::from_parts(head, body.collect().await?.to_bytes()))
        };
        tokio::pin!(answered, connection);
        let mut answer = tokio::select! {
            answer = &mut answered => answer,
            // If the connection fails, `answered` returns an error.
            _ = &mut connection => answered.await,
        }?;
        // These headers belong to this connection, and the body is no longer chunked.
        for header in [CONNECTION, TRANSFER_ENCODING] {
            answer.headers_mut().remove(header);
        }
        answer.headers_mut().remove("keep-alive");
        Ok(answer)
    }
}
