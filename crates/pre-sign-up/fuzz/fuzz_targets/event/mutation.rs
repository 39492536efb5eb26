//! Changes of an event that leave it JSON. Of what libFuzzer makes by itself, twelve in thirteen are none, and those have one way only.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::sync::LazyLock;

use libfuzzer_sys::fuzzer_mutate;
use serde_json::value::RawValue;

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../events/pre-sign-up");

/// Room for a text to grow while it is changed.
const TEXT_BYTES: usize = 512;

/// What else may stand in the place of a value.
const ODD: [&str; 10] = ["null", "true", "false", "0", "1e400", "[]", "{}", r#""""#, r#""\ud800""#, r#""\u0000""#];

/// All the names and values of the events in events/, as JSON text.
static PIECES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = fs::read_dir(EVENTS).into_iter().flatten().flatten();
    let events = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let pieces = events
        .flat_map(|event| pieces(&event).into_iter().map(move |piece| event[piece].to_owned()).collect::<Vec<_>>());
    pieces.chain(ODD.map(str::to_owned)).collect::<BTreeSet<_>>().into_iter().collect()
});

/// Changes the body, and tells how long it is now. In one of eight cases any byte may change.
pub(crate) fn mutate(body: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = fastrand::Rng::with_seed(seed.into());
    let changed = serde_json::from_slice::<&RawValue>(&body[..size])
        .ok()
        .map(RawValue::get)
        .and_then(|event| change(event, &mut random));
    match changed.filter(|changed| changed.len() <= max_size && random.u8(..8) > 0) {
        Some(changed) => {
            body[..changed.len()].copy_from_slice(changed.as_bytes());
            changed.len()
        }
        None => fuzzer_mutate(body, size, max_size),
    }
}

/// The event with another piece in one place.
fn change(event: &str, random: &mut fastrand::Rng) -> Option<String> {
    let pieces = pieces(event);
    let place = random.choice(&pieces)?.clone();
    let is_name = event[place.end..].trim_start().starts_with(':');
    let may_stand_there = |piece: &&str| !is_name || piece.starts_with('"');
    let piece = match random.u8(..4) {
        0 => PIECES.get(random.usize(..PIECES.len())).map(String::as_str).filter(may_stand_there)?.to_owned(),
        1 => random.choice(&pieces).map(|other| &event[other.clone()]).filter(may_stand_there)?.to_owned(),
        // A member of the same name before it.
        2 if is_name => format!("{}:{},{0}", &event[place.clone()], PIECES.get(random.usize(..PIECES.len()))?),
        _ => other_text(&event[place.clone()])?,
    };
    Some([&event[..place.start], &piece, &event[place.end..]].concat())
}

/// A JSON string that says something else.
fn other_text(json: &str) -> Option<String> {
    let text: String = serde_json::from_str(json).ok()?;
    let size = text.len().min(TEXT_BYTES);
    let mut room = [0; TEXT_BYTES];
    room[..size].copy_from_slice(&text.as_bytes()[..size]);
    let size = fuzzer_mutate(&mut room, size, TEXT_BYTES);
    serde_json::to_string(&String::from_utf8_lossy(&room[..size])).ok()
}

/// Where the names and values are in a text that is JSON.
fn pieces(json: &str) -> Vec<Range<usize>> {
    let (mut pieces, mut open, mut string, mut is_escaped) = (Vec::new(), Vec::new(), None, false);
    let mut word = None;
    for (place, byte) in json.bytes().enumerate() {
        if let Some(start) = string {
            if byte == b'"' && !is_escaped {
                pieces.push(start..place + 1);
                string = None;
            }
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        let is_of_word = !matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"') && !byte.is_ascii_whitespace();
        match (word, is_of_word) {
            (None, true) => word = Some(place),
            (Some(start), false) => {
                pieces.push(start..place);
                word = None;
            }
            _ => {}
        }
        match byte {
            b'"' => string = Some(place),
            b'{' | b'[' => open.push(place),
            b'}' | b']' => pieces.extend(open.pop().map(|start| start..place + 1)),
            _ => {}
        }
    }
    pieces
}
