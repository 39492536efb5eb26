//! Mutations that keep a JSON text valid. Twelve in thirteen of libFuzzer's own mutations make it invalid.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

use libfuzzer_sys::fuzzer_mutate;
use serde_json::value::RawValue;

/// How much a string can grow.
const TEXT_BYTES: usize = 512;

/// Values of unexpected types, and strings that are hard to parse.
const ODD: [&str; 10] = ["null", "true", "false", "0", "1e400", "[]", "{}", r#""""#, r#""\ud800""#, r#""\u0000""#];

/// Changes JSON texts. It inserts names and values from the event files of one function.
#[derive(Debug)]
pub struct Mutator {
    pieces: Vec<String>,
    /// Pieces that no event contains; each is inserted more often than the others.
    more: Vec<String>,
}

impl Mutator {
    /// Creates a mutator with more values and with all names and values in `events/<function>/`, including those in
    /// embedded JSON, such as the body of a request.
    #[must_use]
    pub fn with_events_of(function: &str, more: &[&str]) -> Self {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../events")).join(function);
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        let events: Vec<_> = files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect();
        let embedded: Vec<_> = events.iter().flat_map(|event| embedded_in(event)).collect();
        let texts = events.iter().chain(&embedded);
        let pieces = texts.flat_map(|text| pieces(text).into_iter().map(move |piece| text[piece].to_owned()));
        let pieces = pieces.chain(ODD.map(str::to_owned)).collect::<BTreeSet<_>>().into_iter().collect();
        Self { pieces, more: more.iter().map(|piece| (*piece).to_owned()).collect() }
    }

    /// Changes the first `size` bytes of the body and returns their new number. In one of eight cases any byte can
    /// change.
    #[must_use]
    pub fn mutate(&self, body: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
        let mut random = fastrand::Rng::with_seed(seed.into());
        let changed = serde_json::from_slice::<&RawValue>(&body[..size])
            .ok()
            .map(RawValue::get)
            .and_then(|event| self.change(event, &mut random));
        match changed.filter(|changed| changed.len() <= max_size && random.u8(..8) > 0) {
            Some(changed) => {
                body[..changed.len()].copy_from_slice(changed.as_bytes());
                changed.len()
            }
            None => fuzzer_mutate(body, size, max_size),
        }
    }

    /// Replaces the piece at one position.
    fn change(&self, json: &str, random: &mut fastrand::Rng) -> Option<String> {
        let pieces = pieces(json);
        let place = random.choice(&pieces)?.clone();
        let is_name = json[place.end..].trim_start().starts_with(':');
        let fits = |piece: &&str| !is_name || piece.starts_with('"');
        let known = |random: &mut fastrand::Rng| {
            let pieces = if random.u8(..4) == 0 && !self.more.is_empty() { &self.more } else { &self.pieces };
            random.choice(pieces).map(String::as_str)
        };
        let piece = match random.u8(..6) {
            0 => known(random).filter(fits)?.to_owned(),
            1 => random.choice(&pieces).map(|other| &json[other.clone()]).filter(fits)?.to_owned(),
            // Inserts a duplicate field before the name.
            2 if is_name => format!("{}:{},{0}", &json[place.clone()], known(random)?),
            3 | 4 => {
                let bodies: Vec<_> =
                    pieces.iter().filter(|piece| embedded(&json[(*piece).clone()]).is_some()).collect();
                let place = random.choice(bodies)?.clone();
                let changed = self.change(&embedded(&json[place.clone()])?, random)?;
                let changed = serde_json::to_string(&changed).ok()?;
                return Some([&json[..place.start], &changed, &json[place.end..]].concat());
            }
            _ => other_text(&json[place.clone()])?,
        };
        Some([&json[..place.start], &piece, &json[place.end..]].concat())
    }
}

/// The JSON objects in strings of a JSON text.
fn embedded_in(json: &str) -> Vec<String> {
    pieces(json).into_iter().filter_map(|piece| embedded(&json[piece])).collect()
}

/// The JSON object in a string.
fn embedded(json: &str) -> Option<String> {
    let text: String = if json.starts_with('"') { serde_json::from_str(json).ok()? } else { return None };
    (text.starts_with('{') && serde_json::from_str::<&RawValue>(&text).is_ok()).then_some(text)
}

/// Changes characters of a JSON string.
fn other_text(json: &str) -> Option<String> {
    let text: String = serde_json::from_str(json).ok()?;
    let size = text.len().min(TEXT_BYTES);
    let mut room = [0; TEXT_BYTES];
    room[..size].copy_from_slice(&text.as_bytes()[..size]);
    let size = fuzzer_mutate(&mut room, size, TEXT_BYTES);
    serde_json::to_string(&String::from_utf8_lossy(&room[..size])).ok()
}

/// The positions of names and values in a JSON text.
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
