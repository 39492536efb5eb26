//! The question before `destroy`: what would be taken away, and whether that is meant.

use std::io::{self, IsTerminal as _};

use domain::spec::{OnDelete, Spec};
use tokio::sync::oneshot;

use crate::error::Stop;
use crate::layout::wrap;
use crate::screen::Screen;

/// Refuses early where nobody can be asked.
pub(crate) fn someone_can_be_asked(screen: &Screen) -> Result<(), Stop> {
    if io::stdin().is_terminal() && screen.is_terminal() {
        return Ok(());
    }
    let problem =
        "nobody can be asked whether everything is to be taken away: pass --yes to do it. Nothing was touched.";
    Err(Stop::Usage(problem.to_owned()))
}

/// What `destroy` is about to do.
pub(crate) fn announcement(spec: &Spec, region: &str, width: usize) -> Vec<String> {
    let name = &spec.name;
    let text = match spec.on_delete {
        OnDelete::Retain => "The spec's `on_delete` is `retain`: everything stays.".to_owned(),
        OnDelete::Delete => format!(
            "This takes away, in {region}: the user pool {name} with ALL ITS USERS, app clients and groups; the identity \
             pool {name}; the IAM role and policy poolkeeper.{name}.{region}. It cannot be undone."
        ),
    };
    wrap("", &text, 0, width)
}

/// Asks for the pool's name.
pub(crate) async fn ask(spec: &Spec, screen: &Screen) -> Result<(), Stop> {
    let question = format!("Type the pool's name ({}) to go on: ", spec.name);
    let _ = screen.term().write_str(&question);
    let (send, answer) = oneshot::channel();
    // Not a task: the program can end, by Ctrl-C for instance, while a thread still waits for a line.
    std::thread::spawn(move || {
        let mut line = String::new();
        drop(send.send(io::stdin().read_line(&mut line).map(|_| line)));
    });
    let typed = answer.await.ok().and_then(Result::ok).unwrap_or_default();
    if typed.trim() == spec.name.as_str() {
        return Ok(());
    }
    Err(Stop::Usage("that is not the pool's name. Nothing was touched.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(on_delete: &str) -> Spec {
        serde_json::from_str(&format!("{{\"name\": \"shop\", \"on_delete\": \"{on_delete}\"}}")).unwrap()
    }

    #[test]
    fn it_is_said_what_goes_and_where() {
        assert_eq!(
            announcement(&spec("delete"), "eu-west-1", 80),
            [
                "This takes away, in eu-west-1: the user pool shop with ALL ITS USERS, app",
                "clients and groups; the identity pool shop; the IAM role and policy",
                "poolkeeper.shop.eu-west-1. It cannot be undone.",
            ]
        );
    }

    #[test]
    fn it_is_said_when_everything_stays() {
        assert_eq!(
            announcement(&spec("retain"), "eu-west-1", 80),
            ["The spec's `on_delete` is `retain`: everything stays."]
        );
    }
}
