//! Standard output and standard error as people see them: how wide, and whether in color.

use console::{Style, Term};

use crate::arguments::ColorWhen;
use crate::layout::UNLIMITED;

/// A stream that people may look at.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    term: Term,
    colored: bool,
}

impl Screen {
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
            // Knows `NO_COLOR` and terminals that are none.
            ColorWhen::Auto => term.features().colors_supported(),
            ColorWhen::Always => true,
            ColorWhen::Never => false,
        };
        Self { term, colored }
    }

    /// Whether a person looks at it right now.
    pub(crate) fn is_terminal(&self) -> bool {
        self.term.is_term()
    }

    /// The columns of the terminal as it is now.
    pub(crate) fn width(&self) -> usize {
        if self.is_terminal() { usize::from(self.term.size().1).max(20) } else { UNLIMITED }
    }

    /// The terminal itself, for what is drawn and redrawn.
    pub(crate) fn term(&self) -> Term {
        self.term.clone()
    }

    /// Whether what is written here may be in color.
    pub(crate) fn is_colored(&self) -> bool {
        self.colored
    }

    /// Writes lines.
    pub(crate) fn say(&self, lines: &[String]) {
        for line in lines {
            // Whoever has closed the pipe (`| head`) does not want to know; the work goes on and the exit code tells.
            let _ = self.term.write_line(&paint(line, self.colored));
        }
    }
}

/// Colors a line by the sign that it begins with.
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
    fn color_adds_nothing_but_color_and_is_left_out_where_it_is_not_wanted() {
        for line in ["✓ role created", "✗ role failed", "= role leave", "Error: no", "plain", ""] {
            assert_eq!(paint(line, false), line);
            assert_eq!(console::strip_ansi_codes(&paint(line, true)), line);
        }
        assert_ne!(paint("✓ role created", true), "✓ role created");
    }
}
