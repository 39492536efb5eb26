//! Standard output and standard error with their width and colors.

use console::{Style, Term};

use crate::arguments::ColorWhen;
use crate::layout::UNLIMITED;

/// An output stream, which may be a terminal.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    term: Term,
    colored: bool,
}

impl Terminal {
    /// Standard output.
    pub(crate) fn stdout(color: ColorWhen) -> Self {
        Self::new(Term::stdout(), color)
    }

    /// Standard error.
    pub(crate) fn stderr(color: ColorWhen) -> Self {
        Self::new(Term::stderr(), color)
    }

    fn new(term: Term, color: ColorWhen) -> Self {
        let colored = match color {
            // Respects `NO_COLOR` and dumb terminals.
            ColorWhen::Auto => term.features().colors_supported(),
            ColorWhen::Always => true,
            ColorWhen::Never => false,
        };
        Self { term, colored }
    }

    /// Whether the stream is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.term.is_term()
    }

    /// The current number of columns.
    pub(crate) fn width(&self) -> usize {
        if self.is_terminal() { usize::from(self.term.size().1).max(20) } else { UNLIMITED }
    }

    /// The underlying terminal, for the live line.
    pub(crate) fn term(&self) -> Term {
        self.term.clone()
    }

    /// Whether to use colors.
    pub(crate) fn is_colored(&self) -> bool {
        self.colored
    }

    /// Writes lines, colored by their signs.
    pub(crate) fn write_lines(&self, lines: &[String]) {
        for line in lines {
            // If the reader has closed the pipe, the command continues and its exit code reports the result.
            let _ = self.term.write_line(&paint(line, self.colored));
        }
    }
}

/// Colors a line by its first sign.
fn paint(line: &str, colored: bool) -> String {
    let plain = Style::new().force_styling(colored);
    let style = match line.chars().next() {
        Some('✓' | '+') => plain.green(),
        Some('✗') => plain.red().bold(),
        Some('~') => plain.yellow(),
        Some('>') => plain.cyan(),
        Some('=' | '…') => return plain.dim().apply_to(line).to_string(),
        _ if line.starts_with("Error:") => {
            return format!("{}{}", plain.red().bold().apply_to("Error:"), &line["Error:".len()..]);
        }
        _ => return line.to_owned(),
    };
    let sign = line.chars().next().map_or(0, char::len_utf8);
    format!("{}{}", style.apply_to(&line[..sign]), &line[sign..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_change_no_text_and_can_be_disabled() {
        for line in ["✓ role created", "✗ role failed", "= role leave", "Error: no", "plain", ""] {
            assert_eq!(paint(line, false), line);
            assert_eq!(console::strip_ansi_codes(&paint(line, true)), line);
        }
        assert_ne!(paint("✓ role created", true), "✓ role created");
    }
}
