//! Tests of starting and stopping the emulator, and of its errors.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use super::*;

#[tokio::test]
async fn starts_and_leaves_neither_listener_nor_files() {
    let aws = LocalAws::start(None).await.unwrap();
    aws.check_running().unwrap();
    assert!(aws.mails().await.unwrap().is_empty());
    let address = aws.endpoint_url().strip_prefix("http://").unwrap().to_owned();
    let folder: PathBuf = aws.process.folder().to_owned();
    assert!(TcpStream::connect(&address).is_ok() && folder.is_dir());

    drop(aws);

    assert!(TcpStream::connect(&address).is_err(), "{address} is closed");
    assert!(!folder.exists(), "{} is gone", folder.display());
}

#[tokio::test]
async fn reports_a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = LocalAws::start(Some(port)).await.err().unwrap();
    assert!(matches!(refused, LocalAwsError::PortTaken { port: named, .. } if named == port), "{refused}");
    assert!(refused.to_string().contains("--port"), "{refused}");
}

#[tokio::test]
async fn reports_exit_status_when_it_stops_unexpectedly() {
    let aws = LocalAws::start(None).await.unwrap();
    let pid_file = aws
        .process
        .folder()
        .join("tmp")
        .read_dir()
        .unwrap()
        .flatten()
        .find(|file| file.path().extension().is_some_and(|extension| extension == "pid"));
    let pid = std::fs::read_to_string(pid_file.unwrap().path()).unwrap();
    assert!(std::process::Command::new("kill").arg(pid.trim()).status().unwrap().success());

    let stopped = aws.stopped().await;

    assert!(matches!(stopped, LocalAwsError::Stopped { .. }), "{stopped}");
    assert!(stopped.to_string().contains("stopped unexpectedly"), "{stopped}");
    assert!(aws.mails().await.is_err());
}
