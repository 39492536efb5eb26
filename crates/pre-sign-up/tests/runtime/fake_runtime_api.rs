//! A fake of Lambda's runtime API: sends events to one process and passes on its responses. After the last event, the
//! process waits like a frozen function.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// The function's response to one event.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    /// `response` or `error`.
    pub(crate) kind: String,
    /// The body, as a string if a `Value` cannot represent it.
    pub(crate) body: Value,
}

type Events = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// Serves on a free loopback port.
pub(crate) fn start(events: &[&[u8]]) -> (SocketAddr, Receiver<Answer>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let events: Events = Arc::new(Mutex::new(events.iter().map(|event| event.to_vec()).collect()));
    let (sender, answers) = channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (events, sender) = (Arc::clone(&events), sender.clone());
            // A connection ends with an error when the test ends its process.
            thread::spawn(move || drop(serve(&connection.unwrap(), &events, &sender)));
        }
    });
    (address, answers)
}

fn serve(connection: &TcpStream, events: &Events, answers: &Sender<Answer>) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    loop {
        let (path, body) = request(&mut reader)?;
        if path.ends_with("/invocation/next") {
            let event = events.lock().unwrap().pop_front();
            let Some(event) = event else {
                // Blocks until the process ends and closes its connection.
                return reader.read_exact(&mut [0]);
            };
            write!(
                writer,
                "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                 lambda-runtime-deadline-ms: 4102444800000\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:pre-sign-up\r\n\
                 content-length: {}\r\n\r\n",
                event.len()
            )?;
            writer.write_all(&event)?;
        } else {
            let kind = path.rsplit('/').next().unwrap_or_default().to_owned();
            let text = String::from_utf8_lossy(&body);
            let body = serde_json::from_str(&text).unwrap_or_else(|_| text.into());
            answers.send(Answer { kind, body }).unwrap();
            write!(writer, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
        }
    }
}

fn request(reader: &mut impl BufRead) -> io::Result<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).ok_or(io::ErrorKind::UnexpectedEof)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((path, body))
}
