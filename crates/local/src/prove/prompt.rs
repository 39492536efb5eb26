//! Terminal prompts.

use std::io::{self, Write as _};

use tokio::sync::oneshot;

/// Prints a prompt and returns the trimmed input line, empty at the end of the input.
pub(crate) async fn ask(question: &str) -> String {
    print!("{question}");
    // If the terminal is closed, the read below returns the end of the input.
    drop(io::stdout().flush());
    let (send, answer) = oneshot::channel();
    // A thread is used instead of a task, so that Ctrl-C can end the program while the thread waits for a line.
    std::thread::spawn(move || {
        let mut line = String::new();
        drop(send.send(io::stdin().read_line(&mut line).map(|_| line)));
    });
    answer.await.ok().and_then(Result::ok).unwrap_or_default().trim().to_owned()
}
