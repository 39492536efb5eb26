//! A test service that responds immediately and records the bytes of requests.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(super) const ATTACHED: [&str; 2] = ["arn:aws:iam::aws:policy/First", "arn:aws:iam::aws:policy/Second"];

pub(super) struct Service {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Service {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let seen = Arc::clone(&seen);
            async move {
                let mut connections = JoinSet::new();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    connections.spawn(serve(stream, Arc::clone(&seen)));
                }
            }
        });
        Self { url, seen, _tasks: tasks }
    }

    /// The received requests, unchanged.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// A handle for callbacks.
    pub(super) fn counter(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let seen = Arc::clone(&self.seen);
        move || seen.lock().unwrap().len()
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read(&mut stream).await {
        let answer = answer_to(&request);
        seen.lock().unwrap().push(request);
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// A request or response: the head, and a body of `content-length` bytes.
pub(super) async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.ok()?));
    }
    let mut lines = text.lines().map(str::to_ascii_lowercase);
    let length = lines.find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(text + std::str::from_utf8(&body).unwrap())
}

fn answer_to(request: &str) -> String {
    let member = |arn: &str| format!("<member><PolicyName>P</PolicyName><PolicyArn>{arn}</PolicyArn></member>");
    let (status, body) = if request.contains("Refused") {
        ("400 Bad Request", "no".to_owned())
    } else if request.contains("Action=ListAttachedRolePolicies") {
        let members: String = ATTACHED.into_iter().map(member).collect();
        ("200 OK", format!("<AttachedPolicies>{members}</AttachedPolicies><IsTruncated>false</IsTruncated>"))
    } else {
        ("200 OK", "done".to_owned())
    };
    format!("HTTP/1.1 {status}\r\nX-Kept: As-Is\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
