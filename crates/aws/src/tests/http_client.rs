//! Tests how long the HTTP client keeps a connection, with a local server that counts connections.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use domain::user_pool::groups::Groups;
use domain::user_pool::page::PageRequest;

use crate::Aws;
use crate::http_client::{Roots, http_client};

/// Starts a server that responds to every request with an empty object. Returns its address and the connection count.
fn server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    thread::spawn(move || {
        for connection in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || serve(&connection.unwrap()));
        }
    });
    (address, connections)
}

fn serve(connection: &TcpStream) {
    let mut requests = BufReader::new(connection);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if requests.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        requests.read_exact(&mut vec![0; length]).unwrap();
        let mut answers = connection;
        answers.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
    }
}

/// Returns the number of connections for three consecutive calls, of which the last one is sent only once.
async fn connections_of_three_calls(idle_timeout: Duration) -> usize {
    let (address, connections) = server();
    let aws = Aws::local(&address, "eu-west-1", "key-1", "secret-1")
        .await
        .with_http_client(http_client(idle_timeout, Roots::System));
    let pool = aws.directory("pool");
    for _ in 0..2 {
        pool.list_groups(&PageRequest { limit: 1, after: None }).await.unwrap();
    }
    pool.delete_group(&"admins".parse().unwrap()).await.unwrap();
    connections.load(Ordering::SeqCst)
}

#[tokio::test]
async fn reuses_a_connection_until_the_idle_timeout() {
    assert_eq!(connections_of_three_calls(Duration::from_mins(1)).await, 1);
    assert_eq!(connections_of_three_calls(Duration::from_nanos(1)).await, 3);
}
