//! The listener, and the tasks that run until the proxy is dropped.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use http_body_util::{BodyExt, Either, Full};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::body::StalledBody;
use super::exchange::{Exchange, Reply};
use super::request::Request;

type AnswerBody = Either<Full<Bytes>, StalledBody>;

pub(super) struct Server {
    exchange: Arc<Exchange>,
    /// The accepting task does not own the listener, so that dropping the proxy closes the listener immediately.
    listener: Mutex<Option<TcpListener>>,
    /// `None` after the proxy is dropped, so that a task on another thread cannot start a new one.
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl Server {
    pub(super) fn start(listener: TcpListener, exchange: Arc<Exchange>) -> Arc<Self> {
        let server =
            Arc::new(Self { exchange, listener: Mutex::new(Some(listener)), tasks: Mutex::new(Some(JoinSet::new())) });
        server.spawn(Arc::clone(&server).accept_all());
        server
    }

    pub(super) fn end(&self) {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Dropping the set aborts its tasks.
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(tasks);
    }

    /// The number of tasks: one that accepts, and one or two per connection.
    #[cfg(test)]
    pub(super) fn task_count(&self) -> usize {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.as_mut().map_or(0, |tasks| {
            while tasks.try_join_next().is_some() {}
            tasks.len()
        })
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // Removes finished tasks.
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }

    async fn accept_all(self: Arc<Self>) {
        while let Some(accepted) = self.accept().await {
            match accepted {
                Ok(stream) => self.spawn(Arc::clone(&self).serve(stream)),
                // The client has disconnected, or no file descriptor is free.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    async fn accept(&self) -> Option<io::Result<TcpStream>> {
        poll_fn(|context| match &*self.listener.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(listener) => listener.poll_accept(context).map_ok(|(stream, _)| stream).map(Some),
            None => Poll::Ready(None),
        })
        .await
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let service = service_fn(|request| Arc::clone(&self).answer(request));
        let connection =
            http1::Builder::new().preserve_header_case(true).serve_connection(TokioIo::new(stream), service);
        // Hyper returns an error for a connection without a response, and for a disconnected client.
        let _: hyper::Result<()> = connection.await;
    }

    /// Returns an error to close the connection without a response, after reading the request.
    async fn answer(self: Arc<Self>, request: hyper::Request<Incoming>) -> io::Result<Response<AnswerBody>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let (sender, receiver) = oneshot::channel();
        // Runs in a separate task, so that the call completes and is counted even if the client disconnects.
        self.spawn({
            let exchange = Arc::clone(&self.exchange);
            async move {
                let reply = exchange.reply(Request { head, body }).await;
                // Fails if the client has disconnected.
                let _: Result<(), Reply> = sender.send(reply);
            }
        });
        match receiver.await {
            Ok(Reply::Answer(answer)) => Ok(answer.map(|body| Either::Left(Full::new(body)))),
            Ok(Reply::Part(answer)) => Ok(answer.map(|part| Either::Right(StalledBody::after(part)))),
            Ok(Reply::Never) => pending().await,
            Ok(Reply::Closed) | Err(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}
