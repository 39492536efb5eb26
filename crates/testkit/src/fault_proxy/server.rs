//! The side of the client: its connections, and the tasks that live as long as the proxy.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::exchange::{Exchange, Reply};
use super::request::Request;

pub(super) struct Server {
    exchange: Arc<Exchange>,
    /// Here and not in the task that accepts, so that it is closed when the proxy is dropped, and not when that task is next run.
    listener: Mutex<Option<TcpListener>>,
    /// `None` once the proxy has ended: a task that runs on another thread at that moment must not start a new one.
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
        // Dropping the set aborts what is in it.
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(tasks);
    }

    /// How many tasks there are: one that accepts, and one or two for each connection.
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
            // Those that have ended are kept until somebody asks for them.
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }

    async fn accept_all(self: Arc<Self>) {
        while let Some(accepted) = self.accept().await {
            match accepted {
                Ok(stream) => self.spawn(Arc::clone(&self).serve(stream)),
                // The client has gone again, or files are short for the moment.
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
        // An error is how hyper ends a connection that gets no answer, and how a client's end looks.
        let _: hyper::Result<()> = connection.await;
    }

    /// An error closes the connection without an answer. The request has been read to its end by then.
    async fn answer(self: Arc<Self>, request: hyper::Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let (sender, receiver) = oneshot::channel();
        // A task of its own: the service does its work to the end, and the proxy its counting, also where the client hangs up.
        self.spawn({
            let exchange = Arc::clone(&self.exchange);
            async move {
                let reply = exchange.reply(Request { head, body }).await;
                // It fails where the client has hung up.
                let _: Result<(), Reply> = sender.send(reply);
            }
        });
        match receiver.await {
            Ok(Reply::Answer(answer)) => Ok(answer.map(Full::new)),
            Ok(Reply::Never) => pending().await,
            Ok(Reply::Closed) | Err(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}
