//! A loopback HTTP/1.1 server, with or without TLS.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::error::BenchError;

/// Answers requests. Lives as long as a connection uses it.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Returns the response to one request.
    fn answer(&self, head: Parts, body: Bytes) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// A running server. Dropping it closes the listener and all connections.
pub(crate) struct Server {
    /// The port on 127.0.0.1.
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) async fn start<H: Handler>(handler: Arc<H>, tls: Option<TlsAcceptor>) -> Result<Self, BenchError> {
        let failed = || BenchError::io("listen on 127.0.0.1");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed())?;
        let port = listener.local_addr().map_err(failed())?.port();
        let connections = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, handler, tls, Arc::clone(&connections)));
        Ok(Self { port, connections, _tasks: tasks })
    }

    /// The number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn accept<H: Handler>(listener: TcpListener, handler: Arc<H>, tls: Option<TlsAcceptor>, count: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Removes finished tasks.
        while connections.try_join_next().is_some() {}
        count.fetch_add(1, Ordering::Relaxed);
        // A connection without this option is slower, but not wrong.
        let _: std::io::Result<()> = stream.set_nodelay(true);
        let (handler, tls) = (Arc::clone(&handler), tls.clone());
        connections.spawn(async move {
            match tls {
                None => serve(stream, handler).await,
                // The client reports a failed handshake.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, handler).await;
                    }
                }
            }
        });
    }
}

async fn serve<H: Handler>(stream: impl AsyncRead + AsyncWrite + Unpin, handler: Arc<H>) {
    let service = service_fn(|request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(handler.answer(head, body).await)
        }
    });
    // Lambda's Runtime API capitalizes the names of headers.
    let connection = http1::Builder::new().title_case_headers(true).serve_connection(TokioIo::new(stream), service);
    // Hyper returns an error for a client that disconnects, as every ended process does.
    let _: hyper::Result<()> = connection.await;
}

/// Builds a response. The arguments of callers are constants, so it never fails.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: Bytes) -> Response<Full<Bytes>> {
    let builder =
        headers.iter().fold(Response::builder().status(status), |builder, (name, value)| builder.header(*name, *value));
    builder.body(Full::new(body)).unwrap_or_default()
}
