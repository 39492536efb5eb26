//! Lines that fit: wrapping, and labels before values. Nothing here knows what the text is about.

use console::measure_text_width;

/// The width of what is no terminal: logs and pipes keep one line in one line.
pub(crate) const UNLIMITED: usize = usize::MAX;

/// `text` in lines of at most `width` columns. The first begins with `prefix`, the others with `indent` blanks.
///
/// A word that fits no line (an ARN mostly) begins one of its own and is broken behind a `/`, `:` or `,`.
pub(crate) fn wrap(prefix: &str, text: &str, indent: usize, width: usize) -> Vec<String> {
    let blank = " ".repeat(indent);
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
        // Behind a short prefix (`- `) a word begins where it is; behind a long one it may fit the next line as a whole.
        let fits_the_next = indent + measure_text_width(word) <= width && measure_text_width(&line) > indent;
        if begun || fits_the_next || measure_text_width(&line) >= width {
            lines.push(std::mem::replace(&mut line, blank.clone()).trim_end().to_owned());
        }
        let mut rest = word;
        while measure_text_width(&line) + measure_text_width(rest) > width {
            let (head, tail) = rest.split_at(break_in(rest, width.saturating_sub(measure_text_width(&line))));
            lines.push(format!("{line}{head}"));
            line.clone_from(&blank);
            rest = tail;
        }
        line.push_str(rest);
        begun = true;
    }
    lines.push(line);
    lines
}

/// Where to break a word of which no more than `room` columns fit: behind the last separator that fits, or else anywhere.
fn break_in(word: &str, room: usize) -> usize {
    let mut end = word.chars().next().map_or(0, char::len_utf8);
    let mut behind_separator = None;
    for (index, character) in word.char_indices() {
        let next = index + character.len_utf8();
        if measure_text_width(&word[..next]) > room {
            break;
        }
        end = next;
        if matches!(character, '/' | ':' | ',') {
            behind_separator = Some(next);
        }
    }
    behind_separator.unwrap_or(end)
}

/// `text`, with its end cut off where it is wider than `room`.
pub(crate) fn cut(text: &str, room: usize) -> String {
    console::truncate_str(text, room, "…").into_owned()
}

/// Labels in one column and their values in the next. A value that does not fit goes below its label.
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
    fn words_go_to_the_next_line_where_they_do_not_fit() {
        assert_eq!(wrap("- ", "one two three", 2, 9), ["- one two", "  three"]);
        assert_eq!(wrap("- ", "one two three", 2, UNLIMITED), ["- one two three"]);
        assert_eq!(wrap("- ", "", 2, 9), ["- "]);
        assert_eq!(wrap("", "ä ö ü", 0, 3), ["ä ö", "ü"], "columns count, not bytes");
    }

    #[test]
    fn an_arn_begins_a_line_of_its_own_and_is_broken_at_its_joints() {
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
    fn nothing_is_lost_and_nothing_is_too_wide_at_any_width() {
        let text = format!("the role of signed-in people is {ARN}, and that is fine");
        for width in 3..200 {
            let lines = wrap("", &text, 2, width);
            assert!(lines.iter().all(|line| measure_text_width(line) <= width), "{width}: {lines:?}");
            let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(without_blanks(&lines.concat()), without_blanks(&text), "{width}");
        }
    }

    #[test]
    fn values_stand_in_one_column_and_long_ones_below_their_label() {
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
