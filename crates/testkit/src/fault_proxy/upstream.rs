//! The way to the service: a request goes there as it came, and the answer comes back whole.
//!
//! Each request has a connection of its own. A kept one may be closed by the service just when it is used again, and that would be
//! a fault that nobody planned.

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
    /// From the address of a local AWS.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        let authority = url.authority().filter(|authority| authority.port().is_some())?;
        let is_plain = url.scheme_str() == Some("http") && matches!(url.path(), "" | "/");
        is_plain.then(|| Self { authority: authority.to_string() })
    }

    /// Asks the service. The error says why it could not be asked.
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
            // Its end, good or bad, shows in the answer.
            _ = &mut connection => answered.await,
        }?;
        // These are about this connection, not about the client's; and the body is no longer in chunks.
        for header in [CONNECTION, TRANSFER_ENCODING] {
            answer.headers_mut().remove(header);
        }
        answer.headers_mut().remove("keep-alive");
        Ok(answer)
    }
}
