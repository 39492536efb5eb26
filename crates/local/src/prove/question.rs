//! Questions on the terminal.

use std::io::{self, Write as _};

use tokio::sync::oneshot;

/// Asks and returns the line that was typed, without whitespace around it. Empty at the end of the input.
pub(crate) async fn ask(question: &str) -> String {
    print!("{question}");
    // If the terminal is closed, the read below returns the end of the input.
    drop(io::stdout().flush());
    let (send, answer) = oneshot::channel();
    // Not a task: the program can end, by Ctrl-C for instance, while a thread still waits for a line.
    std::thread::spawn(move || {
        let mut line = String::new();
        drop(send.send(io::stdin().read_line(&mut line).map(|_| line)));
    });
    answer.await.ok().and_then(Result::ok).unwrap_or_default().trim().to_owned()
}
