//! The confirmation prompt of `destroy`.

use std::io::{self, IsTerminal as _};

use domain::spec::{OnDelete, Spec};
use tokio::sync::oneshot;

use crate::error::CommandError;
use crate::layout::wrap;
use crate::terminal::Terminal;

/// Returns an error if there is no terminal to ask for confirmation.
pub(crate) fn ensure_interactive(terminal: &Terminal) -> Result<(), CommandError> {
    if io::stdin().is_terminal() && terminal.is_terminal() {
        return Ok(());
    }
    let problem = "confirmation requires a terminal; pass --yes to delete without confirmation. Nothing was changed.";
    Err(CommandError::Usage(problem.to_owned()))
}

/// Lists what `destroy` is about to delete.
pub(crate) fn announcement(spec: &Spec, region: &str, width: usize) -> Vec<String> {
    let name = &spec.name;
    let text = match spec.on_delete {
        OnDelete::Retain => "The spec's `on_delete` is `retain`, so nothing is deleted.".to_owned(),
        OnDelete::Delete => format!(
            "Resources to delete in {region}: the user pool {name} with ALL ITS USERS, app clients and groups; the \
             identity pool {name}; the IAM role and policy poolkeeper.{name}.{region}. The deletion cannot be undone."
        ),
    };
    wrap("", &text, 0, width)
}

/// Asks for the pool's name.
pub(crate) async fn ask(spec: &Spec, terminal: &Terminal) -> Result<(), CommandError> {
    let question = format!("Type the pool's name ({}) to continue: ", spec.name);
    let _ = terminal.term().write_str(&question);
    let (send, answer) = oneshot::channel();
    // A thread is used instead of a task, so that Ctrl-C can end the program while the thread waits for a line.
    std::thread::spawn(move || {
        let mut line = String::new();
        drop(send.send(io::stdin().read_line(&mut line).map(|_| line)));
    });
    let typed = answer.await.ok().and_then(Result::ok).unwrap_or_default();
    if typed.trim() == spec.name.as_str() {
        return Ok(());
    }
    Err(CommandError::Usage("the entered text is not the pool's name. Nothing was changed.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(on_delete: &str) -> Spec {
        serde_json::from_str(&format!("{{\"name\": \"shop\", \"on_delete\": \"{on_delete}\"}}")).unwrap()
    }

    #[test]
    fn announces_what_is_deleted_and_where() {
        assert_eq!(
            announcement(&spec("delete"), "eu-west-1", 80),
            [
                "Resources to delete in eu-west-1: the user pool shop with ALL ITS USERS, app",
                "clients and groups; the identity pool shop; the IAM role and policy",
                "poolkeeper.shop.eu-west-1. The deletion cannot be undone.",
            ]
        );
    }

    #[test]
    fn announces_that_retain_deletes_nothing() {
        assert_eq!(
            announcement(&spec("retain"), "eu-west-1", 80),
            ["The spec's `on_delete` is `retain`, so nothing is deleted."]
        );
    }
}
