//! Line wrapping, and tables of labels and values.

use console::measure_text_width;

/// The width of files and pipes, where lines are not wrapped.
pub(crate) const UNLIMITED: usize = usize::MAX;

/// Wraps `text` into lines of at most `width` columns. The first begins with `prefix`, the others with `indent` spaces.
///
/// A word that is longer than a line, such as an ARN, begins a new line and is broken after a `/`, `:` or `,`.
pub(crate) fn wrap(prefix: &str, text: &str, indent: usize, width: usize) -> Vec<String> {
    let indentation = " ".repeat(indent);
    let mut lines = Vec::new();
    let mut line = prefix.to_owned();
    let mut begun = false;
    for word in text.split_whitespace() {
        let gap = usize::from(begun);
        if measure_text_width(&line) + gap + measure_text_width(word) <= width {
            line.push_str(&" ".repeat(gap));
            line.push_str(word);
            begun = true;
            continue;
        }
        // A word after a prefix that is longer than the indent may fit on the next line without a break.
        let fits_the_next = indent + measure_text_width(word) <= width && measure_text_width(&line) > indent;
        if begun || fits_the_next || measure_text_width(&line) >= width {
            lines.push(std::mem::replace(&mut line, indentation.clone()).trim_end().to_owned());
        }
        let mut rest = word;
        while measure_text_width(&line) + measure_text_width(rest) > width {
            let (head, tail) = rest.split_at(break_in(rest, width.saturating_sub(measure_text_width(&line))));
            lines.push(format!("{line}{head}"));
            line.clone_from(&indentation);
            rest = tail;
        }
        line.push_str(rest);
        begun = true;
    }
    lines.push(line);
    lines
}

/// The index at which to break a word so that its beginning fits into `room` columns. Breaks after a separator if
/// possible.
fn break_in(word: &str, room: usize) -> usize {
    let mut end = word.chars().next().map_or(0, char::len_utf8);
    let mut after_separator = None;
    for (index, character) in word.char_indices() {
        let next = index + character.len_utf8();
        if measure_text_width(&word[..next]) > room {
            break;
        }
        end = next;
        if matches!(character, '/' | ':' | ',') {
            after_separator = Some(next);
        }
    }
    after_separator.unwrap_or(end)
}

/// Truncates `text` to `room` columns.
pub(crate) fn cut(text: &str, room: usize) -> String {
    console::truncate_str(text, room, "…").into_owned()
}

/// Prints labels in one column and values in the next. A value that does not fit is printed below its label.
pub(crate) fn labelled(rows: &[(&str, &str)], width: usize) -> Vec<String> {
    let column = rows.iter().map(|(label, _)| measure_text_width(label)).max().unwrap_or(0) + 2;
    let lines = rows.iter().flat_map(|(label, value)| {
        if column + measure_text_width(value) <= width {
            return vec![format!("{label:<column$}{value}")];
        }
        let mut lines = vec![(*label).to_owned()];
        lines.extend(wrap("  ", value, 2, width));
        lines
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sts::000000000000:assumed-role/poolkeeper.shop.us-east-1/CognitoIdentityCredentials";

    #[test]
    fn wraps_words_that_do_not_fit() {
        assert_eq!(wrap("- ", "one two three", 2, 9), ["- one two", "  three"]);
        assert_eq!(wrap("- ", "one two three", 2, UNLIMITED), ["- one two three"]);
        assert_eq!(wrap("- ", "", 2, 9), ["- "]);
        assert_eq!(wrap("", "ä ö ü", 0, 3), ["ä ö", "ü"], "columns count, not bytes");
    }

    #[test]
    fn breaks_an_arn_at_its_separators() {
        assert_eq!(
            wrap("", &format!("who is {ARN} then"), 2, 40),
            [
                "who is",
                "  arn:aws:sts::000000000000:",
                "  assumed-role/",
                "  poolkeeper.shop.us-east-1/",
                "  CognitoIdentityCredentials then",
            ]
        );
        assert_eq!(wrap("- ", "abc/defgh/i", 2, 8), ["- abc/", "  defgh/", "  i"]);
        assert_eq!(wrap("Error: ", "abcdefgh", 2, 10), ["Error:", "  abcdefgh"]);
        assert_eq!(wrap("", "abcdefgh", 0, 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn wraps_at_any_width_without_losing_text() {
        let text = format!("the role of authenticated users is {ARN}, and that is fine");
        for width in 3..200 {
            let lines = wrap("", &text, 2, width);
            assert!(lines.iter().all(|line| measure_text_width(line) <= width), "{width}: {lines:?}");
            let without_whitespace = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(without_whitespace(&lines.concat()), without_whitespace(&text), "{width}");
        }
    }

    #[test]
    fn aligns_values_and_puts_long_ones_below_their_label() {
        assert_eq!(
            labelled(&[("Pool", "us-east-1_1"), ("Web client", "abc"), ("Caller", ARN)], 80),
            [
                "Pool        us-east-1_1",
                "Web client  abc",
                "Caller",
                "  arn:aws:sts::000000000000:assumed-role/poolkeeper.shop.us-east-1/",
                "  CognitoIdentityCredentials",
            ]
        );
        assert_eq!(labelled(&[("Caller", ARN)], UNLIMITED), [format!("Caller  {ARN}")]);
    }
}
