//! A second reader of JSON objects, so that the handler is not judged by its own. It takes text that is known to be JSON, and only splits it.

/// One member, name and value as they are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Member<'a> {
    name: &'a str,
    pub(crate) value: &'a str,
}

impl Member<'_> {
    pub(crate) fn is(&self, name: &str) -> bool {
        text(self.name).as_deref() == Some(name)
    }

    pub(crate) fn has_name_of(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The members of an object; none where the text is something else.
pub(crate) fn members(text: &str) -> Option<Vec<Member<'_>>> {
    let mut rest = text.trim_start().strip_prefix('{')?;
    let mut members = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t', '\n', '\r']);
        if rest.starts_with('}') {
            return Some(members);
        }
        let (name, after) = rest.split_at_checked(end_of_value(rest))?;
        let after = after.trim_start().strip_prefix(':')?.trim_start();
        let (value, after) = after.split_at_checked(end_of_value(after))?;
        members.push(Member { name, value });
        rest = after;
    }
}

/// The value that common readers see: the last one of that name.
pub(crate) fn last<'a>(members: &[Member<'a>], name: &str) -> Option<&'a str> {
    members.iter().rev().find(|member| member.is(name)).map(|member| member.value)
}

/// What a JSON string says; none where it is none, or says what is no text (half a surrogate pair).
pub(crate) fn text(json: &str) -> Option<String> {
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { None }
}

/// Where the value ends that the text begins with.
fn end_of_value(text: &str) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (place, byte) in text.bytes().enumerate() {
        if in_string {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            in_string = !closes;
            if closes && depth == 0 {
                return place + 1;
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return place,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return place + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}
