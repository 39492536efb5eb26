//! The floor of start-up and calls, and a peer of pre-sign-up: a Runtime API loop with only `std`, which confirms every
//! user.

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const INVOCATIONS: &str = "/2018-06-01/runtime/invocation";
const FLAG: &str = "\"autoConfirmUser\":";

#[expect(clippy::disallowed_methods, reason = "a peer has no settings to test")]
fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AWS_LAMBDA_RUNTIME_API")?;
    let mut connection = BufReader::new(TcpStream::connect(&address)?);
    connection.get_ref().set_nodelay(true)?;
    let next = format!("GET {INVOCATIONS}/next HTTP/1.1\r\nhost: {address}\r\n\r\n");
    loop {
        let (id, event) = exchange(&mut connection, &next)?;
        let body = confirm(&event).ok_or("expected an event with autoConfirmUser")?;
        let length = body.len();
        let head = format!("POST {INVOCATIONS}/{id}/response HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}");
        exchange(&mut connection, &format!("{head}\r\n\r\n{body}"))?;
    }
}

/// Sends a request. Returns the request id of the invocation, if any, and the body of the response.
fn exchange(connection: &mut BufReader<TcpStream>, request: &str) -> Result<(String, String), Box<dyn Error>> {
    connection.get_mut().write_all(request.as_bytes())?;
    let (mut id, mut length, mut line) = (String::new(), 0, String::new());
    while connection.read_line(&mut line)? > "\r\n".len() {
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "lambda-runtime-aws-request-id" => value.trim().clone_into(&mut id),
                "content-length" => length = value.trim().parse()?,
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok((id, String::from_utf8(body)?))
}

/// Sets the flag in the JSON text. Its last occurrence is in the response, and quotes in values are escaped.
fn confirm(event: &str) -> Option<String> {
    let (before, after) = event.rsplit_once(FLAG)?;
    let after = after.trim_start().strip_prefix("false")?;
    Some(format!("{before}{FLAG}true{after}"))
}
