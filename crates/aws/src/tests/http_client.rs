//! Tests when the HTTP client opens a connection and how long it keeps it, with a local server that counts connections.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use domain::user_pool::groups::Groups;
use domain::user_pool::page::PageRequest;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::Aws;
use crate::http_client::{Roots, http_client};

/// A server that answers every request with an empty object.
struct Server {
    address: String,
    connections: Arc<AtomicUsize>,
    /// The first line of each request.
    requests: Arc<Mutex<Vec<String>>>,
    /// Receives a message for each closed connection.
    closed: UnboundedReceiver<()>,
}

/// Whether the server closes the connection after each answer, without announcing it.
#[derive(Clone, Copy, PartialEq)]
enum Closes {
    Never,
    AfterAnswer,
}

impl Server {
    fn start(closes: Closes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (end, ends) = unbounded_channel();
        let server = Self { address, connections: Arc::default(), requests: Arc::default(), closed: ends };
        let (connections, requests) = (server.connections.clone(), server.requests.clone());
        thread::spawn(move || {
            for connection in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (requests, end) = (requests.clone(), end.clone());
                thread::spawn(move || {
                    serve(&connection.unwrap(), &requests, closes);
                    // The test may have ended.
                    let _ = end.send(());
                });
            }
        });
        server
    }

    async fn client(&self, idle_timeout: Duration) -> Aws {
        let aws = Aws::local(&self.address, "eu-west-1", "key-1", "secret-1").await;
        aws.with_http_client(http_client(idle_timeout, Roots::System))
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(connection: &TcpStream, requests: &Mutex<Vec<String>>, closes: Closes) {
    let mut reader = BufReader::new(connection);
    loop {
        let (mut length, mut head) = (0, Vec::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        requests.lock().unwrap().push(head.swap_remove(0));
        let mut answers = connection;
        answers.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        if closes == Closes::AfterAnswer {
            return;
        }
    }
}

/// Returns the number of connections for three consecutive calls, of which the last one is sent only once.
async fn connections_of_three_calls(idle_timeout: Duration) -> usize {
    let server = Server::start(Closes::Never);
    let pool = server.client(idle_timeout).await.directory("pool");
    for _ in 0..2 {
        pool.list_groups(&PageRequest { limit: 1, after: None }).await.unwrap();
    }
    pool.delete_group(&"admins".parse().unwrap()).await.unwrap();
    server.connections()
}

#[tokio::test]
async fn reuses_a_connection_until_the_idle_timeout() {
    assert_eq!(connections_of_three_calls(Duration::from_mins(1)).await, 1);
    assert_eq!(connections_of_three_calls(Duration::from_nanos(1)).await, 3);
}

#[tokio::test]
async fn warm_up_opens_the_connection_of_the_first_call() {
    let server = Server::start(Closes::Never);
    let aws = server.client(Duration::from_mins(1)).await;
    aws.warm_up("eu-west-1_Ab12Cd34E").await;
    assert_eq!(*server.requests.lock().unwrap(), ["GET /eu-west-1_Ab12Cd34E/.well-known/jwks.json HTTP/1.1"]);
    aws.directory("pool").list_groups(&PageRequest { limit: 1, after: None }).await.unwrap();
    assert_eq!(server.connections(), 1);
}

/// On the paused clock, the test takes no time.
#[tokio::test(start_paused = true)]
async fn warm_up_ends_if_the_server_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let started = tokio::time::Instant::now();
    Aws::local(&address, "eu-west-1", "key-1", "secret-1").await.warm_up("pool").await;
    assert!(started.elapsed() <= Duration::from_secs(1) + Duration::from_millis(1), "{:?}", started.elapsed());
}

/// As after a freeze of the container. Deletions are sent once, so a request on a closed connection would fail.
#[tokio::test]
async fn connections_closed_while_idle_cause_no_error() {
    let mut server = Server::start(Closes::AfterAnswer);
    let pool = server.client(Duration::from_mins(1)).await.directory("pool");
    for number in 1..=1000 {
        let deleted = pool.delete_group(&"admins".parse().unwrap()).await;
        assert!(deleted.is_ok(), "{number}: {deleted:?}");
        server.closed.recv().await.unwrap();
        // Lets the runtime read its sockets, as it does to receive the next event of a function.
        tokio::task::yield_now().await;
    }
    assert_eq!(server.connections(), 1000);
}
